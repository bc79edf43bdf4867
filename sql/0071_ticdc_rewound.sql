-- TiCDC: since when what a changefeed has written counts: before, it was set to
-- another checkpoint.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_changefeed'
--       AND COLUMN_NAME = 'rewound_epoch'
ALTER TABLE ticdc_changefeed
    ADD COLUMN rewound_epoch BIGINT UNSIGNED NOT NULL DEFAULT 0;
