-- Which hosts use this store now, and whether one is alone with it and may
-- keep what it has read: include/coherence.h. A worker without these rules
-- would change what another host keeps, so it must not go on serving.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'coherence_host'
CREATE TABLE coherence_host (
    host       VARBINARY(64) NOT NULL, -- made at random, with its RUN_DIR
    shared     BOOLEAN       NOT NULL, -- false: it says that it is alone
    since_ms   BIGINT        NOT NULL, -- live without a gap; both times are
    expires_ms BIGINT        NOT NULL, -- on the database's clock
    name       VARCHAR(255)  NOT NULL, -- of the machine, for people
    version    VARCHAR(64)   NOT NULL, -- of metagate
    listen     VARCHAR(2048) NOT NULL, -- "console=host:port doris=..."
    PRIMARY KEY (host)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The row without a name: who changes any other locks it first.
-- done: SELECT 1 FROM coherence_host WHERE host = ''
INSERT INTO coherence_host (host, shared, since_ms, expires_ms, name,
    version, listen) VALUES ('', true, 0, 0, '', '', '');
