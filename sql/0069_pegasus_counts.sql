-- Pegasus: what nodes and tables hold, counted by whoever changes partitions, in
-- the transaction that does.
--
-- min_reader: 31

-- Replicas per node, over all AVAILABLE tables.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_node_count'
CREATE TABLE pegasus_node_count (
    address     VARCHAR(128) NOT NULL,
    primaries   BIGINT       NOT NULL,
    secondaries BIGINT       NOT NULL,
    PRIMARY KEY (address)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Partitions of an AVAILABLE table that are alike.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_app_count'
CREATE TABLE pegasus_app_count (
    app_id      INT     NOT NULL,
    has_primary TINYINT NOT NULL,
    members     TINYINT NOT NULL, -- the primary too
    n           BIGINT  NOT NULL,
    PRIMARY KEY (app_id, has_primary, members)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The counts are right while both are those of the cluster's row: an older
-- worker raises its version alone, an older leader its epoch.
-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_cluster'
--       AND COLUMN_NAME = 'counted'
ALTER TABLE pegasus_cluster
    ADD COLUMN counted       BIGINT          NOT NULL DEFAULT 0,
    ADD COLUMN counted_epoch BIGINT UNSIGNED NOT NULL DEFAULT 0;
