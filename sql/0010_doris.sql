-- The Doris Meta Service: instances, what they store data in, their clusters
-- and nodes.
--
-- Ids and names that are compared are VARBINARY: byte by byte, with no padding
-- of blanks, as clients compare them. ctime, mtime and dropped are unix
-- seconds, as clients get them. A member that a client has never set is NULL.
--
-- min_reader: 1

-- Every write to an instance begins with version + 1: the lock of all of it.
-- seq has no meaning but to be a short key.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_instance'
CREATE TABLE doris_instance (
    seq          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    instance_id  VARBINARY(255)  NOT NULL,
    version      BIGINT UNSIGNED NOT NULL DEFAULT 1,
    name         VARCHAR(1024)   NOT NULL,
    user_id      VARCHAR(1024)   NOT NULL,
    status       VARCHAR(16)     NOT NULL, -- NORMAL, DELETED, OVERDUE
    ram_user_id  VARCHAR(1024)   NULL,
    ram_ak       VARCHAR(2048)   NULL,     -- sealed, as every ak and sk
    ram_sk       VARCHAR(2048)   NULL,
    ram_external_id VARCHAR(1024) NULL,
    sse_enabled  BOOLEAN         NOT NULL,
    enable_storage_vault BOOLEAN NOT NULL,
    default_storage_vault_id   VARCHAR(32)    NULL,
    default_storage_vault_name VARBINARY(255) NULL,
    ctime        BIGINT          NOT NULL,
    mtime        BIGINT          NOT NULL,
    dropped      BIGINT          NULL,     -- the recycler counts from it
    PRIMARY KEY (seq),
    UNIQUE KEY doris_instance_id (instance_id),
    KEY doris_instance_status (status, instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Object stores of an instance, in order of their ids.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_obj_info'
CREATE TABLE doris_obj_info (
    instance_id  VARBINARY(255) NOT NULL,
    id           INT UNSIGNED   NOT NULL,
    ctime        BIGINT         NOT NULL,
    mtime        BIGINT         NOT NULL,
    ak           VARCHAR(2048)  NULL,
    sk           VARCHAR(2048)  NULL,
    bucket       VARCHAR(1024)  NULL,
    prefix       VARCHAR(1024)  NULL,
    endpoint     VARCHAR(1024)  NULL,
    region       VARCHAR(1024)  NULL,
    provider     VARCHAR(16)    NULL,
    external_endpoint VARCHAR(1024) NULL,
    user_id      VARCHAR(1024)  NULL,
    sse_enabled  BOOLEAN        NULL,
    use_path_style BOOLEAN      NULL,
    cred_provider_type VARCHAR(32) NULL,
    role_arn     VARCHAR(1024)  NULL,
    external_id  VARCHAR(1024)  NULL,
    PRIMARY KEY (instance_id, id),
    CONSTRAINT doris_obj_info_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Storage vaults; the body is JSON without its keys.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_vault'
CREATE TABLE doris_vault (
    instance_id  VARBINARY(255) NOT NULL,
    id           INT UNSIGNED   NOT NULL,
    name         VARBINARY(255) NOT NULL,
    hdfs_conf    MEDIUMTEXT     NULL,
    obj_conf     MEDIUMTEXT     NULL,
    ak           VARCHAR(2048)  NULL,
    sk           VARCHAR(2048)  NULL,
    PRIMARY KEY (instance_id, id),
    UNIQUE KEY doris_vault_name (instance_id, name),
    CONSTRAINT doris_vault_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- seq is the instance's version at which the cluster was added: the order of
-- clusters. doc is the reply of get_cluster, rendered.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_cluster'
CREATE TABLE doris_cluster (
    instance_id  VARBINARY(255)  NOT NULL,
    seq          BIGINT UNSIGNED NOT NULL,
    cluster_id   VARBINARY(255)  NOT NULL,
    cluster_name VARBINARY(255)  NOT NULL,
    type         VARCHAR(16)     NOT NULL, -- SQL, COMPUTE, VIRTUAL
    description  VARCHAR(1024)   NULL,
    public_endpoint  VARCHAR(1024) NULL,
    private_endpoint VARCHAR(1024) NULL,
    cluster_status VARCHAR(16)   NULL,
    ctime        BIGINT          NOT NULL,
    mtime        BIGINT          NOT NULL,
    cluster_policy MEDIUMTEXT    NULL,     -- JSON
    properties   MEDIUMTEXT      NULL,     -- JSON
    doc          MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (instance_id, seq),
    UNIQUE KEY doris_cluster_id (instance_id, cluster_id),
    UNIQUE KEY doris_cluster_name (instance_id, cluster_name),
    CONSTRAINT doris_cluster_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- mysql_user_name of clusters, in the order of the request.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_cluster_user'
CREATE TABLE doris_cluster_user (
    instance_id  VARBINARY(255)  NOT NULL,
    seq          BIGINT UNSIGNED NOT NULL,
    ord          INT UNSIGNED    NOT NULL,
    user         VARBINARY(255)  NOT NULL,
    PRIMARY KEY (instance_id, seq, ord),
    KEY doris_cluster_user_name (instance_id, user, seq),
    CONSTRAINT doris_cluster_user_of FOREIGN KEY (instance_id, seq)
        REFERENCES doris_cluster (instance_id, seq) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The compute clusters behind a virtual one; a cluster is behind one at the
-- most.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_cluster_member'
CREATE TABLE doris_cluster_member (
    instance_id  VARBINARY(255)  NOT NULL,
    seq          BIGINT UNSIGNED NOT NULL,
    ord          INT UNSIGNED    NOT NULL,
    member       VARBINARY(255)  NOT NULL,
    PRIMARY KEY (instance_id, seq, ord),
    UNIQUE KEY doris_cluster_member_once (instance_id, member),
    CONSTRAINT doris_cluster_member_of FOREIGN KEY (instance_id, seq)
        REFERENCES doris_cluster (instance_id, seq) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which instance has a cloud_unique_id. Several nodes of one instance may have
-- the same, nodes of two instances never: this key is what forbids it.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_cloud_id'
CREATE TABLE doris_cloud_id (
    cloud_unique_id VARBINARY(512) NOT NULL,
    instance_id     VARBINARY(255) NOT NULL,
    PRIMARY KEY (cloud_unique_id),
    CONSTRAINT doris_cloud_id_instance FOREIGN KEY (instance_id)
        REFERENCES doris_instance (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Nodes. kind, addr and port are the endpoint: host or ip with edit_log_port
-- (SQL) or heartbeat_port (COMPUTE); once in an instance.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_node'
CREATE TABLE doris_node (
    instance_id  VARBINARY(255)  NOT NULL,
    seq          BIGINT UNSIGNED NOT NULL, -- of the cluster
    ord          BIGINT UNSIGNED NOT NULL, -- grows with every node added
    kind         VARCHAR(8)      NOT NULL,
    addr         VARBINARY(255)  NOT NULL,
    port         INT UNSIGNED    NOT NULL,
    cloud_unique_id VARBINARY(512) NULL,
    name         VARCHAR(255)    NULL,
    ip           VARCHAR(255)    NULL,
    vpc_name     VARCHAR(255)    NULL,
    ctime        BIGINT          NULL,
    mtime        BIGINT          NULL,
    status       VARCHAR(32)     NULL,
    heartbeat_port INT           NULL,
    description  VARCHAR(1024)   NULL,
    edit_log_port  INT           NULL,
    node_type    VARCHAR(16)     NULL,
    is_smooth_upgrade BOOLEAN    NULL,
    host         VARCHAR(255)    NULL,
    public_endpoint  VARCHAR(1024) NULL,
    private_endpoint VARCHAR(1024) NULL,
    PRIMARY KEY (instance_id, seq, ord),
    UNIQUE KEY doris_node_endpoint (instance_id, kind, addr, port),
    KEY doris_node_cloud_id (cloud_unique_id),
    CONSTRAINT doris_node_cluster FOREIGN KEY (instance_id, seq)
        REFERENCES doris_cluster (instance_id, seq) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
