-- Since when who has a lease has it, for people. A row counts as long as its
-- epoch is the lease's: an older metagate takes leases without telling.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'lease_since'
CREATE TABLE lease_since (
    name     VARCHAR(64)     NOT NULL,
    epoch    BIGINT UNSIGNED NOT NULL,
    since_ms BIGINT          NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
