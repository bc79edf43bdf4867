-- KunlunBase: why failovers of a cluster are held back, until when (Unix ms) and
-- by whom. What decides lies in the shards' own state.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_pause'
CREATE TABLE kunlun_pause (
    cluster    VARCHAR(128) NOT NULL,
    until_ms   BIGINT       NOT NULL,
    why        VARCHAR(512) NOT NULL,
    token_name VARCHAR(64)  NOT NULL,
    at_ms      BIGINT       NOT NULL,
    PRIMARY KEY (cluster)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
