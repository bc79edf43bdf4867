-- TiCDC: XA transactions that were prepared and whose end has not come yet, so
-- that whoever reads on reads their rows again.
--
-- min_reader: 31

-- Of a position that is stored: it has the GTID `prepared` and not the one that
-- ends it. before: a position in front of it. ended: '' as long as it is not
-- known by what it ended.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_xa'
CREATE TABLE ticdc_xa (
    feed        BIGINT UNSIGNED NOT NULL,
    prepared    VARCHAR(96)     NOT NULL,
    before_gtid MEDIUMTEXT      NOT NULL,
    ended       VARCHAR(96)     NOT NULL,
    PRIMARY KEY (feed, prepared)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
