-- Doris: tablets with their rowsets and statistics, transactions, jobs,
-- stages; what the recycler and the heartbeats note; limits of rates.
--
-- Times are unix milliseconds where the column's name says so or where Doris
-- has them so (doris_txn), else unix seconds. body holds a record as JSON.
--
-- min_reader: 1

-- A tablet, its place and its statistics. Writes that change what belongs to a
-- tablet begin with version + 1.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_tablet'
CREATE TABLE doris_tablet (
    instance_id  VARBINARY(255)  NOT NULL,
    tablet_id    BIGINT          NOT NULL,
    version      BIGINT UNSIGNED NOT NULL DEFAULT 1,
    db_id        BIGINT          NULL,
    table_id     BIGINT          NOT NULL,
    index_id     BIGINT          NOT NULL,
    partition_id BIGINT          NOT NULL,
    schema_version INT           NOT NULL,
    state        VARCHAR(16)     NOT NULL, -- PB_RUNNING, PB_NOTREADY ...
    body         MEDIUMTEXT      NOT NULL,
    data_size    BIGINT          NOT NULL,
    num_rows     BIGINT          NOT NULL,
    num_rowsets  BIGINT          NOT NULL,
    num_segments BIGINT          NOT NULL,
    base_compaction_cnt BIGINT   NOT NULL,
    cumulative_compaction_cnt BIGINT NOT NULL,
    cumulative_point BIGINT      NOT NULL,
    last_base_compaction_time_ms BIGINT NULL,
    last_cumu_compaction_time_ms BIGINT NULL,
    full_compaction_cnt BIGINT   NULL,
    last_full_compaction_time_ms BIGINT NULL,
    index_size   BIGINT          NULL,
    segment_size BIGINT          NULL,
    PRIMARY KEY (instance_id, tablet_id),
    KEY doris_tablet_place (instance_id, table_id, index_id, partition_id),
    CONSTRAINT doris_tablet_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Schemas, once per index and version.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_schema'
CREATE TABLE doris_schema (
    instance_id  VARBINARY(255)  NOT NULL,
    index_id     BIGINT          NOT NULL,
    schema_version INT           NOT NULL,
    body         MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (instance_id, index_id, schema_version),
    CONSTRAINT doris_schema_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Rowsets that are visible, by the version at which they end.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_rowset'
CREATE TABLE doris_rowset (
    instance_id  VARBINARY(255)  NOT NULL,
    tablet_id    BIGINT          NOT NULL,
    version      BIGINT          NOT NULL,
    start_version BIGINT         NOT NULL,
    rowset_id    VARBINARY(128)  NOT NULL,
    body         MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (instance_id, tablet_id, version),
    UNIQUE KEY doris_rowset_id (instance_id, tablet_id, rowset_id),
    CONSTRAINT doris_rowset_tablet FOREIGN KEY (instance_id, tablet_id)
        REFERENCES doris_tablet (instance_id, tablet_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Rowsets of transactions and compactions under way: one per tablet.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_rowset_tmp'
CREATE TABLE doris_rowset_tmp (
    instance_id  VARBINARY(255)  NOT NULL,
    txn_id       BIGINT          NOT NULL,
    tablet_id    BIGINT          NOT NULL,
    rowset_id    VARBINARY(128)  NOT NULL,
    body         MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (instance_id, txn_id, tablet_id),
    CONSTRAINT doris_rowset_tmp_tablet FOREIGN KEY (instance_id, tablet_id)
        REFERENCES doris_tablet (instance_id, tablet_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Rowsets whose data may be removed: prepared and not committed yet (PREPARE),
-- replaced by a compaction (COMPACT), of an aborted transaction (DROP).
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE()
--       AND TABLE_NAME = 'doris_rowset_recycle'
CREATE TABLE doris_rowset_recycle (
    instance_id  VARBINARY(255)  NOT NULL,
    tablet_id    BIGINT          NOT NULL,
    rowset_id    VARBINARY(128)  NOT NULL,
    type         VARCHAR(16)     NOT NULL,
    creation_time BIGINT         NOT NULL,
    body         MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (instance_id, tablet_id, rowset_id),
    KEY doris_rowset_recycle_time (creation_time),
    CONSTRAINT doris_rowset_recycle_tablet FOREIGN KEY (instance_id, tablet_id)
        REFERENCES doris_tablet (instance_id, tablet_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Visible versions. kind 'p' is a partition's; 't' a table's, partition_id 0.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_version'
CREATE TABLE doris_version (
    instance_id  VARBINARY(255)  NOT NULL,
    kind         CHAR(1)         NOT NULL,
    db_id        BIGINT          NOT NULL,
    table_id     BIGINT          NOT NULL,
    partition_id BIGINT          NOT NULL,
    version      BIGINT          NOT NULL,
    update_time_ms BIGINT        NOT NULL,
    PRIMARY KEY (instance_id, kind, db_id, table_id, partition_id),
    CONSTRAINT doris_version_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The jobs of a tablet: one record, as Doris has it.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_tablet_job'
CREATE TABLE doris_tablet_job (
    instance_id  VARBINARY(255)  NOT NULL,
    tablet_id    BIGINT          NOT NULL,
    body         MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (instance_id, tablet_id),
    CONSTRAINT doris_tablet_job_tablet FOREIGN KEY (instance_id, tablet_id)
        REFERENCES doris_tablet (instance_id, tablet_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Transactions. A txn_id is seq * 1024: it grows, and its low ten bits are
-- free. live is 1 until the transaction was aborted, then NULL: so a label has
-- any number of aborted transactions and one other. deadline_ms is when it
-- aborts by itself; NULL once it is VISIBLE or ABORTED.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_txn'
CREATE TABLE doris_txn (
    seq          BIGINT          NOT NULL AUTO_INCREMENT,
    instance_id  VARBINARY(255)  NOT NULL,
    db_id        BIGINT          NOT NULL,
    label        VARBINARY(255)  NOT NULL,
    live         TINYINT         NULL,
    status       VARCHAR(32)     NOT NULL,
    deadline_ms  BIGINT          NULL,
    finish_time  BIGINT          NULL,
    body         MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE KEY doris_txn_label (instance_id, db_id, label, live),
    KEY doris_txn_labels (instance_id, db_id, label, seq),
    KEY doris_txn_deadline (deadline_ms),
    KEY doris_txn_finish (finish_time),
    CONSTRAINT doris_txn_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB AUTO_INCREMENT=123456790
  DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Stages: an internal one per MySQL user, external ones by name. ak and sk are
-- sealed; the rest is the body.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_stage'
CREATE TABLE doris_stage (
    instance_id  VARBINARY(255)  NOT NULL,
    stage_id     VARBINARY(255)  NOT NULL,
    ord          BIGINT UNSIGNED NOT NULL, -- the instance's version then
    type         VARCHAR(16)     NOT NULL, -- INTERNAL, EXTERNAL
    name         VARBINARY(255)  NULL,
    user_name    VARBINARY(255)  NULL,
    user_id      VARBINARY(255)  NULL,
    body         MEDIUMTEXT      NOT NULL,
    ak           VARCHAR(2048)   NULL,
    sk           VARCHAR(2048)   NULL,
    PRIMARY KEY (instance_id, stage_id),
    UNIQUE KEY doris_stage_name (instance_id, name),
    UNIQUE KEY doris_stage_user (instance_id, user_id),
    CONSTRAINT doris_stage_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Stages that were dropped, with the reason, until they are recycled.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_stage_recycle'
CREATE TABLE doris_stage_recycle (
    instance_id  VARBINARY(255)  NOT NULL,
    stage_id     VARBINARY(255)  NOT NULL,
    dropped      BIGINT          NOT NULL,
    reason       VARCHAR(1024)   NULL,
    body         MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (instance_id, stage_id),
    KEY doris_stage_recycle_time (dropped),
    CONSTRAINT doris_stage_recycle_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the recycler did and has to do: one row per instance, which outlives it.
-- asked: somebody does not want to wait for the retention.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_recycle'
CREATE TABLE doris_recycle (
    instance_id  VARBINARY(255)  NOT NULL,
    asked        BOOLEAN         NOT NULL,
    status       VARCHAR(16)     NOT NULL, -- IDLE, BUSY
    owner        VARCHAR(64)     NULL,     -- the control that works on it
    begun_ms     BIGINT          NULL,
    finished_ms  BIGINT          NULL,
    step         VARCHAR(32)     NOT NULL, -- the table it is at
    removed      BIGINT          NOT NULL, -- rows
    PRIMARY KEY (instance_id),
    KEY doris_recycle_finished (finished_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the compute node at an address said last. Nodes that are registered
-- nowhere any more are forgotten.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_heartbeat'
CREATE TABLE doris_heartbeat (
    addr         VARBINARY(255)  NOT NULL,
    port         INT UNSIGNED    NOT NULL,
    seen_ms      BIGINT          NOT NULL, -- its last answer
    be_port      INT             NOT NULL,
    http_port    INT             NOT NULL,
    brpc_port    INT             NOT NULL,
    fragment_num BIGINT          NOT NULL,
    fragment_time_ms BIGINT      NOT NULL,
    PRIMARY KEY (addr, port)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Requests per second; rpc '' are all, instance_id '' each server as a whole.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_rate_limit'
CREATE TABLE doris_rate_limit (
    rpc          VARBINARY(64)   NOT NULL,
    instance_id  VARBINARY(255)  NOT NULL,
    qps          BIGINT          NOT NULL,
    PRIMARY KEY (rpc, instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How much of a limit the present second has used: one row per limit.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_rate_used'
CREATE TABLE doris_rate_used (
    rpc          VARBINARY(64)   NOT NULL,
    instance_id  VARBINARY(255)  NOT NULL,
    second       BIGINT          NOT NULL,
    used         BIGINT          NOT NULL,
    PRIMARY KEY (rpc, instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Heartbeats ask for nodes in this order.
-- done: SELECT 1 FROM information_schema.STATISTICS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_node'
--       AND INDEX_NAME = 'doris_node_address'
ALTER TABLE doris_node
    ADD KEY doris_node_address (kind, addr, port);
