-- KunlunBase: its clusters. The tables of Kunlun_Metadata_DB have its names and
-- columns, since XPanel reads them; a `passwd` in them is always empty: accounts
-- are sealed in tables of ours. What is ours says where servers are going to be
-- and how we speak to computing nodes.
--
-- min_reader: 31

-- ha_mode is the interface's word: mgr and rbr are a primary and replicas.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'db_clusters'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.db_clusters (
    id              INT UNSIGNED NOT NULL AUTO_INCREMENT,
    name            VARCHAR(120) NOT NULL,
    nick_name       VARCHAR(120) NULL,     -- NULL: its name
    owner           VARCHAR(120) NOT NULL DEFAULT 'abc',
    ddl_log_tblname VARCHAR(160) NOT NULL DEFAULT '',
    when_created    TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    business        VARCHAR(120) NOT NULL DEFAULT 'kunlun',
    memo            MEDIUMTEXT   NULL,     -- what was asked for, as JSON
    ha_mode         ENUM('no_rep', 'mgr', 'rbr') NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY db_clusters_name (name),
    UNIQUE KEY db_clusters_nick_name (nick_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB' AND TABLE_NAME = 'shards'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.shards (
    id            INT UNSIGNED NOT NULL AUTO_INCREMENT,
    name          VARCHAR(120) NOT NULL,
    when_created  TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    num_nodes     INT UNSIGNED NOT NULL DEFAULT 0,
    space_volumn  BIGINT UNSIGNED NOT NULL DEFAULT 0, -- so spelt
    num_tablets   INT UNSIGNED NOT NULL DEFAULT 0,
    db_cluster_id INT UNSIGNED NOT NULL,
    sync_num      INT UNSIGNED NOT NULL DEFAULT 1, -- replicas that acknowledge
    extra_props   TEXT         NULL,
    PRIMARY KEY (id),
    UNIQUE KEY shards_name (db_cluster_id, name),
    CONSTRAINT shards_cluster FOREIGN KEY (db_cluster_id)
        REFERENCES Kunlun_Metadata_DB.db_clusters (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The storage nodes. member_state follows kunlun_shard, which decides.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'shard_nodes'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.shard_nodes (
    id                     INT UNSIGNED NOT NULL AUTO_INCREMENT,
    ro_weight              INT          NOT NULL DEFAULT 0,
    hostaddr               VARCHAR(64)  NOT NULL,
    port                   INT UNSIGNED NOT NULL,
    user_name              VARCHAR(64)  NOT NULL,
    passwd                 VARCHAR(120) NOT NULL DEFAULT '',
    shard_id               INT UNSIGNED NOT NULL,
    db_cluster_id          INT UNSIGNED NOT NULL,
    svr_node_id            INT UNSIGNED NOT NULL,
    when_created           TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    master_priority        INT          NOT NULL DEFAULT 0,
    status                 ENUM('creating', 'inactive', 'active') NOT NULL
                           DEFAULT 'creating',
    cpu_cores              INT UNSIGNED NOT NULL DEFAULT 0,
    initial_storage_GB     INT UNSIGNED NOT NULL DEFAULT 0,
    max_storage_GB         INT UNSIGNED NOT NULL DEFAULT 0,
    innodb_buffer_pool_MB  INT UNSIGNED NOT NULL DEFAULT 0,
    rocksdb_buffer_pool_MB INT UNSIGNED NOT NULL DEFAULT 0,
    extra_props            TEXT         NULL,
    member_state           ENUM('source', 'replica') NULL,
    sync_state             ENUM('fsync', 'unsafe') NULL,
    replica_delay          INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    UNIQUE KEY shard_nodes_at (hostaddr, port, svr_node_id),
    KEY shard_nodes_cluster (db_cluster_id),
    CONSTRAINT shard_nodes_shard FOREIGN KEY (shard_id)
        REFERENCES Kunlun_Metadata_DB.shards (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The numbers of computing nodes, of all clusters.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'comp_nodes_id_seq'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.comp_nodes_id_seq (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'comp_nodes'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.comp_nodes (
    id            INT UNSIGNED NOT NULL, -- of comp_nodes_id_seq
    name          VARCHAR(120) NOT NULL,
    hostaddr      VARCHAR(64)  NOT NULL,
    port          SMALLINT UNSIGNED NOT NULL,
    db_cluster_id INT UNSIGNED NOT NULL,
    when_created  TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    user_name     VARCHAR(64)  NOT NULL,
    passwd        VARCHAR(16)  NOT NULL DEFAULT '',
    status        ENUM('creating', 'inactive', 'active') NOT NULL
                  DEFAULT 'creating',
    svr_node_id   INT UNSIGNED NOT NULL,
    cpu_cores     INT UNSIGNED NOT NULL DEFAULT 0,
    max_mem_MB    INT UNSIGNED NOT NULL DEFAULT 0,
    max_conns     INT UNSIGNED NOT NULL DEFAULT 0,
    extra_props   TEXT         NULL,
    PRIMARY KEY (db_cluster_id, id),
    UNIQUE KEY comp_nodes_name (db_cluster_id, name),
    UNIQUE KEY comp_nodes_at (hostaddr, port, svr_node_id),
    CONSTRAINT comp_nodes_cluster FOREIGN KEY (db_cluster_id)
        REFERENCES Kunlun_Metadata_DB.db_clusters (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The servers that this metadata is in.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'meta_db_nodes'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.meta_db_nodes (
    id              INT UNSIGNED NOT NULL AUTO_INCREMENT,
    hostaddr        VARCHAR(255) NOT NULL,
    port            INT UNSIGNED NOT NULL,
    user_name       VARCHAR(64)  NOT NULL DEFAULT '',
    passwd          VARCHAR(120) NOT NULL DEFAULT '',
    master_priority INT          NOT NULL DEFAULT 0,
    member_state    ENUM('source', 'replica') NULL,
    sync_state      ENUM('fsync', 'unsafe') NULL,
    replica_delay   INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    UNIQUE KEY meta_db_nodes_at (hostaddr, port)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'cluster_mgr_nodes'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.cluster_mgr_nodes (
    id              INT UNSIGNED NOT NULL AUTO_INCREMENT,
    hostaddr        VARCHAR(64)  NOT NULL,
    port            INT UNSIGNED NOT NULL,
    member_state    ENUM('source', 'replica') NOT NULL DEFAULT 'replica',
    prometheus_port INT UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    UNIQUE KEY cluster_mgr_nodes_at (hostaddr, port)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The jobs that clients have posted: those of `job` whose kind is cluster_mgr's.
-- A job's result has the sentence for this page as "log"; "info" is what its
-- client reads. The id is the job's, so that it is the number of one job in
-- every dialect.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'cluster_general_job_log'
CREATE VIEW Kunlun_Metadata_DB.cluster_general_job_log AS
    SELECT id, COALESCE(client_id, '') AS job_id,
        SUBSTRING_INDEX(kind, '.', -1) AS job_type,
        CASE state WHEN 'queued' THEN 'not_started' WHEN 'done' THEN 'done'
            WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'failed'
            ELSE 'ongoing' END AS status,
        shown AS memo,
        FROM_UNIXTIME(created_ms / 1000) AS when_started,
        FROM_UNIXTIME(finished_ms / 1000) AS when_ended,
        CASE WHEN state = 'done' THEN COALESCE(JSON_VALUE(result, '$.log'), '')
            WHEN finished_ms IS NULL THEN doing
            ELSE COALESCE(error, 'cancelled') END AS job_info,
        COALESCE(JSON_VALUE(shown, '$.user_name'), '') AS user_name
    FROM job
    WHERE queue = 'cluster' AND LEFT(kind, 12) = 'cluster_mgr.'
        AND parent_id IS NULL;

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'backup_storage'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.backup_storage (
    id        INT UNSIGNED NOT NULL AUTO_INCREMENT,
    name      VARCHAR(120) NOT NULL,
    stype     ENUM('HDFS', 'S3', 'EBS', 'CEPH', 'OTHER') NOT NULL,
    conn_str  VARCHAR(1024) NOT NULL DEFAULT '',
    hostaddr  VARCHAR(255) NOT NULL DEFAULT '',
    port      INT UNSIGNED NOT NULL DEFAULT 0,
    user_name VARCHAR(120) NOT NULL DEFAULT '',
    passwd    VARCHAR(120) NOT NULL DEFAULT '',
    extra     TEXT         NULL,
    PRIMARY KEY (id),
    UNIQUE KEY backup_storage_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- name: its shards, with ';' between them. What was backed up may be gone: no
-- key leads to it.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'cluster_backups'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.cluster_backups (
    id                 INT UNSIGNED NOT NULL AUTO_INCREMENT,
    storage_id         INT UNSIGNED NOT NULL,
    cluster_id         INT UNSIGNED NOT NULL,
    backup_type        ENUM('storage_shards', 'meta_shard',
                            'meta_and_storage_shards') NOT NULL
                       DEFAULT 'storage_shards',
    has_comp_node_dump TINYINT      NOT NULL DEFAULT 0,
    start_ts           TIMESTAMP(6) NULL,
    end_ts             TIMESTAMP(6) NULL,
    name               TEXT         NOT NULL,
    memo               MEDIUMTEXT   NULL,
    backup_addr        VARCHAR(1024) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    KEY cluster_backups_end (cluster_id, end_ts)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'cluster_shard_backup_restore_log'
CREATE TABLE IF NOT EXISTS Kunlun_Metadata_DB.cluster_shard_backup_restore_log (
    id                INT UNSIGNED NOT NULL AUTO_INCREMENT,
    storage_id        INT UNSIGNED NOT NULL,
    cluster_id        INT UNSIGNED NOT NULL,
    shard_id          INT UNSIGNED NOT NULL,
    shard_node_id     INT UNSIGNED NOT NULL DEFAULT 0,
    optype            ENUM('backup', 'restore') NOT NULL,
    shard_backup_path VARCHAR(1024) NOT NULL DEFAULT '',
    status            ENUM('not_started', 'ongoing', 'done', 'failed') NOT NULL,
    memo              MEDIUMTEXT   NULL,
    when_started      TIMESTAMP(6) NULL,
    when_ended        TIMESTAMP(6) NULL,
    PRIMARY KEY (id),
    KEY cluster_shard_backup_shard (cluster_id, shard_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Where servers are, or are going to be: the row is there before the first
-- step that makes one and after the last that removes it, so that two jobs
-- never choose one port, and no memory is given out twice.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_place'
CREATE TABLE kunlun_place (
    machine   VARCHAR(64)     NOT NULL,
    port      INT UNSIGNED    NOT NULL,
    uuid      VARCHAR(64)     NOT NULL,
    kind      VARCHAR(16)     NOT NULL, -- storage, computer
    cluster   VARCHAR(128)    NOT NULL,
    shard     VARCHAR(128)    NOT NULL, -- or the computing node's name
    memory_mb BIGINT          NOT NULL, -- of its buffer pool
    job_id    BIGINT UNSIGNED NOT NULL, -- that has chosen it
    PRIMARY KEY (machine, port),
    UNIQUE KEY kunlun_place_uuid (uuid),
    KEY kunlun_place_cluster (cluster, shard),
    KEY kunlun_place_job (job_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who chooses places has this row first, so that no two choose at once.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_turn'
CREATE TABLE kunlun_turn (
    id      TINYINT         NOT NULL, -- 1
    version BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The computing nodes, by which we speak to them: spec is sealed, it has the
-- secrets of the instance's accounts.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_computer'
CREATE TABLE kunlun_computer (
    uuid    VARCHAR(64)  NOT NULL,
    cluster VARCHAR(128) NOT NULL,
    name    VARCHAR(128) NOT NULL,
    spec    MEDIUMTEXT   NOT NULL,
    PRIMARY KEY (uuid),
    UNIQUE KEY kunlun_computer_name (cluster, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which of a shard's primaries a computing node was told of, by its epoch.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_pointer'
CREATE TABLE kunlun_pointer (
    uuid     VARCHAR(64)     NOT NULL, -- of the computing node
    shard_id BIGINT          NOT NULL,
    epoch    BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (uuid, shard_id),
    CONSTRAINT kunlun_pointer_computer FOREIGN KEY (uuid)
        REFERENCES kunlun_computer (uuid) ON DELETE CASCADE,
    CONSTRAINT kunlun_pointer_shard FOREIGN KEY (shard_id)
        REFERENCES kunlun_shard (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
