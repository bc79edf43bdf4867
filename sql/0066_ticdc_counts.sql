-- TiCDC: what a capture has done for a changefeed since it took it up, and what
-- waits in it, for whoever watches.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_work'
--       AND COLUMN_NAME = 'row_count'
ALTER TABLE ticdc_work ADD COLUMN row_count BIGINT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN queue_bytes BIGINT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN quota_bytes BIGINT UNSIGNED NOT NULL DEFAULT 0;
