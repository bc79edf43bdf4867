-- Settings that were changed while processes run (include/config_live.h).
--
-- min_reader: 1

-- persist: stands above file and environment. A change that does not persist
-- stands above that one too, on hosts that were started before it.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'config_change'
CREATE TABLE config_change (
    name       VARCHAR(128) NOT NULL, -- 'doris.retention_s'
    persist    BOOLEAN      NOT NULL,
    value      VARCHAR(512) NOT NULL,
    changed_ms BIGINT       NOT NULL,
    PRIMARY KEY (name, persist)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
