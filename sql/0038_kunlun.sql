-- KunlunBase: what its node_mgr knows of a machine's instances beside their
-- keeper, and the tables of Kunlun_Metadata_DB that say what a machine is.
-- XPanel reads those, so their names and columns are KunlunBase's.
--
-- min_reader: 31

-- An instance as it was installed; its row is what reserves the port. The
-- state is the keeper's to tell (kept_instance).
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_instance'
CREATE TABLE kunlun_instance (
    uuid          VARCHAR(64)      NOT NULL,
    machine       VARCHAR(64)      NOT NULL, -- the address it is bound to
    port          INT UNSIGNED     NOT NULL,
    driver        VARCHAR(16)      NOT NULL, -- mariadb, postgres
    kind          VARCHAR(16)      NOT NULL, -- storage, computer
    cluster       VARCHAR(128)     NULL,
    shard         VARCHAR(128)     NULL,     -- or the computing node's name
    path          TEXT             NOT NULL, -- its data directory
    client_user   VARCHAR(64)      NOT NULL, -- whom clients log in as
    client_secret VARCHAR(1024)    NOT NULL, -- sealed
    job_id        BIGINT UNSIGNED  NOT NULL, -- that has installed it
    made_ms       BIGINT           NOT NULL,
    PRIMARY KEY (uuid),
    UNIQUE KEY kunlun_instance_port (machine, port)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The highest epoch that a lease's holder has named to a machine: a lower one
-- is a holder of before, and is refused.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_epoch'
CREATE TABLE kunlun_epoch (
    machine VARCHAR(64)     NOT NULL,
    name    VARCHAR(64)     NOT NULL, -- of the lease
    epoch   BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (machine, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The machines. The directories are lists with ';' between them: what a
-- machine's instances may be put below. dc_id is never NULL here: a NULL would
-- let two rows of one machine be.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'server_nodes'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.server_nodes (
    id                         INT UNSIGNED NOT NULL AUTO_INCREMENT,
    hostaddr                   VARCHAR(64)  NOT NULL,
    dc_id                      INT UNSIGNED NOT NULL DEFAULT 0,
    rack_id                    VARCHAR(32)  NOT NULL DEFAULT '',
    comp_datadir               TEXT         NULL,
    datadir                    TEXT         NULL,
    logdir                     TEXT         NULL,
    wal_log_dir                TEXT         NULL,
    total_mem                  INT UNSIGNED NOT NULL DEFAULT 0, -- MB
    total_cpu_cores            INT UNSIGNED NOT NULL DEFAULT 0,
    svc_since                  TIMESTAMP(6) NOT NULL
                               DEFAULT CURRENT_TIMESTAMP(6),
    nodemgr_port               INT          NOT NULL DEFAULT 9998,
    nodemgr_tmp_data_abs_path  TEXT         NULL,
    extra_props                TEXT         NULL,
    PRIMARY KEY (id),
    UNIQUE KEY server_nodes_hostaddr (hostaddr, dc_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What databases use and what is free, by class, in MB.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'server_nodes_stats'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.server_nodes_stats (
    id                    INT UNSIGNED NOT NULL, -- of server_nodes
    comp_datadir_used     INT          NOT NULL DEFAULT 0,
    comp_datadir_avail    INT          NOT NULL DEFAULT 0,
    datadir_used          INT          NOT NULL DEFAULT 0,
    datadir_avail         INT          NOT NULL DEFAULT 0,
    wal_log_dir_used      INT          NOT NULL DEFAULT 0,
    wal_log_dir_avail     INT          NOT NULL DEFAULT 0,
    log_dir_used          INT          NOT NULL DEFAULT 0,
    log_dir_avail         INT          NOT NULL DEFAULT 0,
    avg_network_usage_pct INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT server_nodes_stats_server FOREIGN KEY (id)
        REFERENCES Kunlun_Metadata_DB.server_nodes (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
