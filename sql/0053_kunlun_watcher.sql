-- KunlunBase: what watches over servers: Prometheus, and on each machine the
-- exporters that it asks, one for each instance.
--
-- min_reader: 31

-- state is what the machine has last told of it: wanted, running, failed.
-- target: the port of the instance; 0: of none.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_watcher'
CREATE TABLE kunlun_watcher (
    machine VARCHAR(64)  NOT NULL,
    port    INT UNSIGNED NOT NULL,
    kind    VARCHAR(16)  NOT NULL,
    target  INT UNSIGNED NOT NULL,
    uuid    VARCHAR(64)  NOT NULL,
    state   VARCHAR(16)  NOT NULL,
    why     VARCHAR(512) NOT NULL,
    PRIMARY KEY (machine, port),
    UNIQUE KEY kunlun_watcher_target (machine, kind, target)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
