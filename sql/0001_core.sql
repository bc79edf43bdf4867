-- What every deployment needs before any dialect: which migrations are done,
-- whose schema this is, leases, the audit trail.
--
-- The first three steps are also what `metagate migrate` creates before there
-- is a lock to take, so they may run at the same time in several processes:
-- hence IF NOT EXISTS, which no other step has.
--
-- min_reader: 1

-- Who may do a duty now. All times are on the database's clock.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'lease'
CREATE TABLE IF NOT EXISTS lease (
    name       VARCHAR(64)     NOT NULL, -- 'schema.migrate', 'pegasus.leader'
    owner      VARCHAR(128)    NOT NULL, -- for people
    epoch      BIGINT UNSIGNED NOT NULL, -- +1 with every taker
    expires_ms BIGINT          NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row per step, written before it and again after it.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'schema_migration'
CREATE TABLE IF NOT EXISTS schema_migration (
    id          INT UNSIGNED    NOT NULL, -- NNNN of sql/NNNN_name.sql
    step        INT UNSIGNED    NOT NULL, -- 1, 2 ... within the file
    name        VARCHAR(64)     NOT NULL,
    min_reader  INT UNSIGNED    NOT NULL,
    digest      CHAR(64)        NOT NULL, -- of the statement
    epoch       BIGINT UNSIGNED NOT NULL, -- of the lock it was done under
    server      VARCHAR(160)    NOT NULL, -- which session does it
    session_id  BIGINT UNSIGNED NOT NULL,
    started_ms  BIGINT          NOT NULL,
    finished_ms BIGINT          NULL,     -- NULL: under way or broken off
    PRIMARY KEY (id, step)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The one deployment that this schema belongs to: one row.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'deployment'
CREATE TABLE IF NOT EXISTS deployment (
    one           TINYINT UNSIGNED NOT NULL, -- always 1
    deployment_id VARCHAR(64)      NOT NULL,
    since_ms      BIGINT           NOT NULL,
    PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Every mutation by a client, in the transaction of the mutation itself. The
-- unique request_id is also how the outcome of a COMMIT is found whose reply
-- was lost. Sizes: fcgi/audit.c cuts what is longer.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'audit'
CREATE TABLE audit (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    request_id   VARCHAR(64)     NOT NULL,
    token_name   VARCHAR(64)     NOT NULL,
    listener     VARCHAR(64)     NOT NULL,
    operation    VARCHAR(128)    NOT NULL,
    target       VARCHAR(255)    NOT NULL,
    request_json MEDIUMTEXT      NULL, -- secrets masked
    before_json  MEDIUMTEXT      NULL,
    after_json   MEDIUMTEXT      NULL,
    at_ms        BIGINT          NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY audit_request_id (request_id),
    KEY audit_at_ms (at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
