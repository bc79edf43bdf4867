-- Work that takes time: jobs, what their steps did, and what they keep for
-- themselves meanwhile. include/job.h says what the states mean.
--
-- min_reader: 31

-- due_ms says when a runner of the queue may take the job: one that waits at
-- its time, one that is being performed when its runner has not prolonged it;
-- NULL: it is finished. epoch grows with every taker and is the fencing token
-- of all that is written, and sent to a machine, for the job.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'job'
CREATE TABLE job (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    uid         CHAR(32)        NOT NULL, -- what its secrets are sealed for
    queue       VARCHAR(32)     NOT NULL, -- who performs it
    machine     VARCHAR(64)     NOT NULL, -- ... and where: an address, or ''
    kind        VARCHAR(64)     NOT NULL, -- 'node_mgr.install_storage'
    client_id   VARCHAR(128)    NULL,     -- the client's job_id; may repeat
    parent_id   BIGINT UNSIGNED NULL,     -- the job that made it,
    part        VARCHAR(128)    NULL,     -- ... as which of its parts
    state       VARCHAR(16)     NOT NULL, -- enum job_state
    step        INT UNSIGNED    NOT NULL, -- the one that is next
    steps       INT UNSIGNED    NOT NULL,
    doing       VARCHAR(64)     NOT NULL, -- its name
    progress    VARCHAR(512)    NOT NULL, -- how far it is, what it waits for
    since_ms    BIGINT          NOT NULL, -- ... since when
    tries       INT UNSIGNED    NOT NULL, -- calls of this step before
    cancel      TINYINT         NOT NULL, -- somebody wants it undone
    error       VARCHAR(2000)   NULL,     -- why, a sentence for the client
    result      MEDIUMTEXT      NULL,     -- JSON
    memo        MEDIUMTEXT      NULL,     -- sealed; from step to step
    args        MEDIUMTEXT      NOT NULL, -- sealed; JSON as accepted
    shown       MEDIUMTEXT      NOT NULL, -- the same with secrets masked
    locks       TEXT            NOT NULL, -- what it needs, one per line
    waits_for   BIGINT UNSIGNED NULL,     -- the job that has one of them
    owner       VARCHAR(128)    NOT NULL, -- who performs it, for people
    epoch       BIGINT UNSIGNED NOT NULL,
    due_ms      BIGINT          NULL,
    token_name  VARCHAR(64)     NOT NULL,
    request_id  VARCHAR(64)     NOT NULL,
    created_ms  BIGINT          NOT NULL,
    begun_ms    BIGINT          NULL,
    finished_ms BIGINT          NULL,
    PRIMARY KEY (id),
    UNIQUE KEY job_uid (uid),
    UNIQUE KEY job_part (parent_id, part),
    KEY job_due (queue, machine, due_ms),
    KEY job_client (queue, machine, client_id),
    KEY job_waits_for (waits_for),
    KEY job_finished (finished_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What became of each step: kept as long as its job.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'job_step'
CREATE TABLE job_step (
    job_id   BIGINT UNSIGNED NOT NULL,
    n        INT UNSIGNED    NOT NULL, -- 0, 1 ...
    name     VARCHAR(64)     NOT NULL,
    outcome  VARCHAR(16)     NOT NULL, -- doing, done, failed, undone, left
    begun_ms BIGINT          NOT NULL,
    ended_ms BIGINT          NULL,
    text     VARCHAR(2000)   NULL,     -- of a failure
    PRIMARY KEY (job_id, n),
    CONSTRAINT job_step_job FOREIGN KEY (job_id) REFERENCES job (id)
        ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a job under way keeps for itself: 'cluster/c1', 'port/127.0.0.2/6001'.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'job_lock'
CREATE TABLE job_lock (
    name   VARCHAR(255)    NOT NULL,
    job_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (name),
    KEY job_lock_job (job_id),
    CONSTRAINT job_lock_job FOREIGN KEY (job_id) REFERENCES job (id)
        ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
