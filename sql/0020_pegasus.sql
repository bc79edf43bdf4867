-- Pegasus: tables, their partitions, replica servers, and what the leader has
-- under way.
--
-- min_reader: 1

-- The cluster: one row. Every mutation begins with version + 1 of it.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_cluster'
CREATE TABLE pegasus_cluster (
    one            TINYINT UNSIGNED NOT NULL, -- always 1
    version        BIGINT          NOT NULL,
    next_app_id    INT             NOT NULL, -- ids are never used again
    function_level VARCHAR(16)     NOT NULL, -- '': as configured
    ready_epoch    BIGINT UNSIGNED NOT NULL, -- the leader that has loaded all
    move_pri       INT             NOT NULL, -- last round of the balancer
    copy_pri       INT             NOT NULL,
    copy_sec       INT             NOT NULL,
    total          INT             NOT NULL, -- -1: reports are missing
    PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM pegasus_cluster
INSERT INTO pegasus_cluster (one, version, next_app_id, function_level,
    ready_epoch, move_pri, copy_pri, copy_sec, total)
VALUES (1, 1, 1, '', 0, 0, 0, 0, 0);

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_app'
CREATE TABLE pegasus_app (
    app_id            INT          NOT NULL,
    app_name          VARCHAR(128) NOT NULL,
    live_name         VARCHAR(128) NULL,     -- NULL once it is dropped
    app_type          VARCHAR(64)  NOT NULL,
    status            VARCHAR(16)  NOT NULL, -- AVAILABLE, DROPPED ...
    partition_count   INT          NOT NULL,
    max_replica_count INT          NOT NULL,
    is_stateful       TINYINT      NOT NULL,
    create_second     BIGINT       NOT NULL,
    drop_second       BIGINT       NOT NULL, -- 0: not dropped
    expire_second     BIGINT       NOT NULL,
    changed           BIGINT       NOT NULL, -- version of its last mutation
    configs           BIGINT       NOT NULL, -- +1 with the leader's changes
    PRIMARY KEY (app_id),
    UNIQUE KEY pegasus_app_live_name (live_name),
    KEY pegasus_app_changed (changed)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_app_env'
CREATE TABLE pegasus_app_env (
    app_id INT          NOT NULL,
    k      VARCHAR(255) NOT NULL,
    v      TEXT         NOT NULL,
    PRIMARY KEY (app_id, k),
    CONSTRAINT pegasus_app_env_app FOREIGN KEY (app_id)
        REFERENCES pegasus_app (app_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A configuration is one row, so that a change is one compare-and-swap of its
-- ballot: secondaries in order, "a,b"; the members that left last, oldest
-- first, "address@ballot@ms@committed,...".
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_partition'
CREATE TABLE pegasus_partition (
    app_id            INT          NOT NULL,
    pidx              INT          NOT NULL,
    ballot            BIGINT       NOT NULL,
    primary_node      VARCHAR(128) NULL,
    secondaries       VARCHAR(800) NOT NULL,
    members           TINYINT      NOT NULL, -- how many, the primary too
    max_replica_count TINYINT      NOT NULL,
    committed         BIGINT       NOT NULL, -- last decree known
    last_drops        VARCHAR(600) NOT NULL,
    dropped           TINYINT      NOT NULL,
    last_change_ms    BIGINT       NOT NULL,
    PRIMARY KEY (app_id, pidx),
    CONSTRAINT pegasus_partition_app FOREIGN KEY (app_id)
        REFERENCES pegasus_app (app_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_node'
CREATE TABLE pegasus_node (
    address        VARCHAR(128) NOT NULL,
    alive          TINYINT      NOT NULL, -- as the leader's detector says
    managed        TINYINT      NOT NULL, -- kept by a supervise of ours
    collected      TINYINT      NOT NULL, -- has reported its replicas
    start_ms       BIGINT       NOT NULL, -- of its process, as it says
    last_beacon_ms BIGINT       NOT NULL,
    unstable       INT          NOT NULL, -- restarts in quick succession
    PRIMARY KEY (address)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What replica servers have reported of their replicas.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_replica'
CREATE TABLE pegasus_replica (
    node      VARCHAR(128) NOT NULL,
    app_id    INT          NOT NULL,
    pidx      INT          NOT NULL,
    ballot    BIGINT       NOT NULL,
    committed BIGINT       NOT NULL,
    prepared  BIGINT       NOT NULL,
    disk_tag  VARCHAR(64)  NOT NULL,
    status    VARCHAR(32)  NOT NULL,
    seen_ms   BIGINT       NOT NULL,
    PRIMARY KEY (node, app_id, pidx),
    KEY pegasus_replica_app (app_id, pidx)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What is under way for a partition, in order: asked for by an operator, or
-- a proposal that a foreign primary has to fulfil.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'pegasus_action'
CREATE TABLE pegasus_action (
    app_id   INT          NOT NULL,
    pidx     INT          NOT NULL,
    ord      TINYINT      NOT NULL,
    type     VARCHAR(32)  NOT NULL,
    target   VARCHAR(128) NOT NULL, -- the primary; '': whoever it is
    node     VARCHAR(128) NOT NULL,
    balancer TINYINT      NOT NULL, -- dropped when the level falls
    made_ms  BIGINT       NOT NULL,
    PRIMARY KEY (app_id, pidx, ord)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
