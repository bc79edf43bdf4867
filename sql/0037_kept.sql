-- Database instances as the keepers of their machines tell of them, and the
-- pauses of their watchdogs. What a keeper goes by lies in the instances' homes;
-- these rows are the copy that others read. include/keeper.h has the words.
--
-- min_reader: 36

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kept_instance'
CREATE TABLE kept_instance (
    machine         VARCHAR(64)     NOT NULL, -- its address
    uuid            VARCHAR(64)     NOT NULL,
    port            INT UNSIGNED    NOT NULL,
    root            VARCHAR(4096)   NOT NULL, -- of the home of its data,
    class           VARCHAR(32)     NOT NULL, -- ... and which of its homes
    driver          VARCHAR(32)     NOT NULL,
    kind            VARCHAR(16)     NOT NULL, -- storage, computer
    seq             BIGINT UNSIGNED NOT NULL, -- grows when to_run changes
    to_run          TINYINT         NOT NULL, -- the desired state
    held_by         BIGINT UNSIGNED NOT NULL, -- a job's id; 0: nobody
    state           VARCHAR(16)     NOT NULL, -- enum kept_state
    since_ms        BIGINT          NOT NULL,
    pid             INT             NOT NULL, -- 0: it does not run
    restarts        INT UNSIGNED    NOT NULL, -- ends that nobody had asked for
    paused_until_ms BIGINT          NOT NULL, -- as in kept_pause
    why             VARCHAR(512)    NOT NULL, -- it is so, for people
    told_ms         BIGINT          NOT NULL, -- when this was written
    PRIMARY KEY (machine, uuid),
    KEY kept_instance_port (machine, port)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What was said of a port stands before what was said of all of a machine.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kept_pause'
CREATE TABLE kept_pause (
    machine  VARCHAR(64)  NOT NULL,
    port     INT UNSIGNED NOT NULL, -- 0: all
    until_ms BIGINT       NOT NULL, -- unix ms, 2^63-1: for ever, 0: none
    PRIMARY KEY (machine, port)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
