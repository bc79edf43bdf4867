-- KunlunBase: tables that a machine is sending to another instance, by the id
-- under which its node_mgr serves their files.
--
-- min_reader: 31

-- A row lives as long as the job that sends, and not beyond expires_ms, which
-- that job moves on.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_outbox'
CREATE TABLE kunlun_outbox (
    id         CHAR(32)        NOT NULL, -- random, of this sending alone
    machine    VARCHAR(64)     NOT NULL, -- that serves it
    url        VARCHAR(255)    NOT NULL, -- where
    path       TEXT            NOT NULL, -- the directory
    job_id     BIGINT UNSIGNED NOT NULL, -- that sends
    expires_ms BIGINT          NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY kunlun_outbox_job (job_id),
    KEY kunlun_outbox_expires (expires_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
