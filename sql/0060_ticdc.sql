-- TiCDC: changefeeds, the captures that work for them, and who writes which
-- table. What each column is for: handlers/ticdc/README.md.
--
-- min_reader: 31

-- Numbers that were given out: one row.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_state'
CREATE TABLE ticdc_state (
    one            TINYINT UNSIGNED NOT NULL, -- always 1
    next_feed      BIGINT UNSIGNED  NOT NULL,
    next_table_id  BIGINT           NOT NULL,
    next_server_id INT UNSIGNED     NOT NULL,
    PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM ticdc_state
INSERT INTO ticdc_state (one, next_feed, next_table_id, next_server_id)
VALUES (1, 1, 1, 1000001);

-- A changefeed. feed is our own number and never used again; id may be, once
-- the row is gone. (gtid, anchor_ts) is where its source goes on and the last
-- TSO that was given out there; file and pos say the same to people.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_changefeed'
CREATE TABLE ticdc_changefeed (
    feed            BIGINT UNSIGNED NOT NULL,
    namespace       VARCHAR(128)    NOT NULL,
    id              VARCHAR(128)    NOT NULL,
    version         BIGINT UNSIGNED NOT NULL, -- +1 with each client's change
    epoch           BIGINT UNSIGNED NOT NULL, -- +1 with each stop and start
    scheduled_epoch BIGINT UNSIGNED NOT NULL, -- whose tables were given out
    state           VARCHAR(16)     NOT NULL, -- normal, warning, pending ...
    sink_uri        TEXT            NOT NULL, -- sealed
    config          MEDIUMTEXT      NOT NULL, -- sealed: JSON
    server_id       INT UNSIGNED    NOT NULL, -- as a replica of the source
    start_ts        BIGINT UNSIGNED NOT NULL,
    target_ts       BIGINT UNSIGNED NOT NULL, -- 0: it never ends
    checkpoint_ts   BIGINT UNSIGNED NOT NULL, -- never goes back
    resolved_ts     BIGINT UNSIGNED NOT NULL,
    gtid            MEDIUMTEXT      NOT NULL,
    file            VARCHAR(255)    NOT NULL,
    pos             BIGINT UNSIGNED NOT NULL,
    anchor_ts       BIGINT UNSIGNED NOT NULL,
    error_code      VARCHAR(64)     NOT NULL, -- '': there is none
    error_message   TEXT            NOT NULL,
    error_addr      VARCHAR(128)    NOT NULL, -- of the capture
    error_ms        BIGINT          NOT NULL,
    tries           INT UNSIGNED    NOT NULL, -- these four: struct health
    since_ms        BIGINT          NOT NULL,
    again_ms        BIGINT          NOT NULL,
    failed_at       BIGINT UNSIGNED NOT NULL,
    rebalance       BOOLEAN         NOT NULL, -- somebody has asked for it
    balanced_ms     BIGINT          NOT NULL,
    creator_version VARCHAR(64)     NOT NULL,
    create_ms       BIGINT          NOT NULL,
    changed_ms      BIGINT          NOT NULL, -- the last stop or start
    PRIMARY KEY (feed),
    UNIQUE KEY ticdc_changefeed_id (namespace, id),
    UNIQUE KEY ticdc_changefeed_server_id (server_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Attempts that have failed: the newest of each feed.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE()
--       AND TABLE_NAME = 'ticdc_changefeed_error'
CREATE TABLE ticdc_changefeed_error (
    seq      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    feed     BIGINT UNSIGNED NOT NULL,
    at_ms    BIGINT          NOT NULL,
    code     VARCHAR(64)     NOT NULL,
    message  TEXT            NOT NULL,
    addr     VARCHAR(128)    NOT NULL,
    again_ms BIGINT          NOT NULL, -- 0: it is not tried again by itself
    PRIMARY KEY (seq),
    KEY ticdc_changefeed_error_feed (feed, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Captures that live: a row each, under an id that is new at each start. The
-- row is the lease: who cannot prolong expires_ms writes nothing more.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_capture'
CREATE TABLE ticdc_capture (
    capture_id VARCHAR(36)      NOT NULL,
    name       VARCHAR(64)      NOT NULL, -- 'c1': whose listener it is
    owner      VARCHAR(128)     NOT NULL, -- name@host, as in leases
    address    VARCHAR(128)     NOT NULL, -- host:port
    version    VARCHAR(64)      NOT NULL,
    git_hash   VARCHAR(64)      NOT NULL,
    pid        BIGINT           NOT NULL,
    started_ms BIGINT           NOT NULL,
    liveness   TINYINT UNSIGNED NOT NULL, -- 0 alive, 1 stopping; one way
    log_level  VARCHAR(16)      NOT NULL, -- asked for; '': as configured
    expires_ms BIGINT           NOT NULL,
    PRIMARY KEY (capture_id),
    KEY ticdc_capture_name (name, started_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who holds the lease ticdc.owner, under which epoch; one row. ready_epoch:
-- the one that has looked at every changefeed. resign_epoch: that one, and any
-- before it, is to give the lease back.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_owner'
CREATE TABLE ticdc_owner (
    one          TINYINT UNSIGNED NOT NULL, -- always 1
    epoch        BIGINT UNSIGNED  NOT NULL,
    capture_id   VARCHAR(36)      NOT NULL,
    ready_epoch  BIGINT UNSIGNED  NOT NULL,
    resign_epoch BIGINT UNSIGNED  NOT NULL,
    PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM ticdc_owner
INSERT INTO ticdc_owner (one, epoch, capture_id, ready_epoch, resign_epoch)
VALUES (1, 0, '', 0, 0);

-- Who writes which table (core/schedule.h); the owner's alone.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_table'
CREATE TABLE ticdc_table (
    feed          BIGINT UNSIGNED NOT NULL,
    table_id      BIGINT          NOT NULL,
    schema_name   VARCHAR(64)     NOT NULL,
    table_name    VARCHAR(64)     NOT NULL,
    state         VARCHAR(16)     NOT NULL,
    writer        VARCHAR(36)     NOT NULL, -- capture_id; '': nobody
    next_writer   VARCHAR(36)     NOT NULL,
    order_no      BIGINT UNSIGNED NOT NULL,
    writer_term   BIGINT UNSIGNED NOT NULL,
    next_term     BIGINT UNSIGNED NOT NULL,
    checkpoint_ts BIGINT UNSIGNED NOT NULL,
    dropped       BOOLEAN         NOT NULL,
    PRIMARY KEY (feed, table_id),
    KEY ticdc_table_writer (writer),
    KEY ticdc_table_next (next_writer)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a capture has last reported of a table; its own alone.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_report'
CREATE TABLE ticdc_report (
    feed          BIGINT UNSIGNED NOT NULL,
    table_id      BIGINT          NOT NULL,
    capture_id    VARCHAR(36)     NOT NULL,
    term          BIGINT UNSIGNED NOT NULL,
    progress      VARCHAR(16)     NOT NULL, -- begins, prepared, writes, stopped
    checkpoint_ts BIGINT UNSIGNED NOT NULL,
    resolved_ts   BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (feed, table_id, capture_id),
    KEY ticdc_report_capture (capture_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A row while a capture has anything running for a changefeed. It goes when
-- all of that has ended, or with its capture.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_work'
CREATE TABLE ticdc_work (
    feed          BIGINT UNSIGNED NOT NULL,
    capture_id    VARCHAR(36)     NOT NULL,
    epoch         BIGINT UNSIGNED NOT NULL, -- of the changefeed
    since_ms      BIGINT          NOT NULL,
    checkpoint_ts BIGINT UNSIGNED NOT NULL,
    resolved_ts   BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (feed, capture_id),
    KEY ticdc_work_capture (capture_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The ids of tables. incarnation: '' of what was there when it was first seen,
-- else the GTID of the CREATE, TRUNCATE or RENAME that made it; a renamed one
-- keeps its id under another name.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_table_id'
CREATE TABLE ticdc_table_id (
    schema_name VARCHAR(64) NOT NULL,
    table_name  VARCHAR(64) NOT NULL,
    incarnation VARCHAR(96) NOT NULL,
    table_id    BIGINT      NOT NULL,
    PRIMARY KEY (schema_name, table_name, incarnation),
    KEY ticdc_table_id_id (table_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The statement that a changefeed waits for, if there is one.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_ddl'
CREATE TABLE ticdc_ddl (
    feed        BIGINT UNSIGNED NOT NULL,
    ddl_ts      BIGINT UNSIGNED NOT NULL,
    gtid        VARCHAR(96)     NOT NULL,
    schema_name VARCHAR(64)     NOT NULL, -- the default one
    query       MEDIUMTEXT      NOT NULL,
    state       VARCHAR(16)     NOT NULL, -- waiting, executing, done
    since_ms    BIGINT          NOT NULL,
    PRIMARY KEY (feed)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Wishes that one table be moved, and what became of them: the newest of each
-- feed. pending is 1 or NULL, so that a table has one that is open.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'ticdc_move'
CREATE TABLE ticdc_move (
    move_id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    feed       BIGINT UNSIGNED NOT NULL,
    table_id   BIGINT          NOT NULL,
    capture_id VARCHAR(128)    NOT NULL, -- as asked: it may be unknown
    pending    TINYINT         NULL,
    outcome    VARCHAR(16)     NOT NULL, -- pending, begun, no_table ...
    asked_ms   BIGINT          NOT NULL,
    decided_ms BIGINT          NOT NULL, -- 0: not yet
    PRIMARY KEY (move_id),
    UNIQUE KEY ticdc_move_pending (feed, table_id, pending),
    KEY ticdc_move_feed (feed, move_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
