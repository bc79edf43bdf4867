-- TiCDC: how far tables are written, as positions of the source: a TSO is made
-- by a capture, a GTID is the source's own.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_table'
--       AND COLUMN_NAME = 'gtid'
ALTER TABLE ticdc_table
    ADD COLUMN gtid MEDIUMTEXT NULL;

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_report'
--       AND COLUMN_NAME = 'gtid'
ALTER TABLE ticdc_report
    ADD COLUMN gtid MEDIUMTEXT NULL;

-- server_id: of its connection to the source. barrier: the GTID of the
-- statement before which it stands.
-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_work'
--       AND COLUMN_NAME = 'gtid'
ALTER TABLE ticdc_work
    ADD COLUMN gtid MEDIUMTEXT NULL,
    ADD COLUMN barrier VARCHAR(96) NOT NULL DEFAULT '',
    ADD COLUMN server_id INT UNSIGNED NOT NULL DEFAULT 0;

-- Every statement up to it has been done.
-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_ddl'
--       AND COLUMN_NAME = 'done_gtid'
ALTER TABLE ticdc_ddl
    ADD COLUMN done_gtid MEDIUMTEXT NULL;
