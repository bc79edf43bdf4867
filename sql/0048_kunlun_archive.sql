-- KunlunBase: backups as restores look for them, and the binlogs that are kept
-- behind them.
--
-- min_reader: 31

-- A shard's binlogs from one backup on, as one history: who follows whom in it
-- is known by GTIDs of one domain. What puts another history in the place of a
-- shard's ends it; the next backup begins another. `open` is 1 or NULL, so that
-- a shard has one that goes on. after_: the last transaction that is kept;
-- whatever was committed before covered_ms is. wanted_ms: somebody waits until
-- that is covered.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_archive'
CREATE TABLE kunlun_archive (
    id           BIGINT          NOT NULL AUTO_INCREMENT,
    cluster      VARCHAR(128)    NOT NULL,
    shard        VARCHAR(128)    NOT NULL,
    open         TINYINT         NULL,
    domain       BIGINT          NOT NULL,
    after_server BIGINT UNSIGNED NOT NULL,
    after_seq    BIGINT UNSIGNED NOT NULL,
    pieces       BIGINT UNSIGNED NOT NULL, -- the number of the next one
    covered_ms   BIGINT          NOT NULL,
    wanted_ms    BIGINT          NOT NULL,
    begun_ms     BIGINT          NOT NULL,
    closed_ms    BIGINT          NULL,
    closed_job   BIGINT UNSIGNED NULL,
    why          VARCHAR(512)    NOT NULL, -- it was ended
    PRIMARY KEY (id),
    UNIQUE KEY kunlun_archive_open (cluster, shard, open)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Its pieces: each begins where the one before ends. What is in one was
-- committed after after_ms and not after read_ms.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_piece'
CREATE TABLE kunlun_piece (
    archive_id   BIGINT          NOT NULL,
    n            BIGINT UNSIGNED NOT NULL,
    machine      VARCHAR(64)     NOT NULL, -- that has written it
    target       VARCHAR(1024)   NOT NULL, -- url
    path         VARCHAR(512)    NOT NULL, -- below it
    sha256       CHAR(64)        NOT NULL,
    bytes        BIGINT          NOT NULL,
    after_server BIGINT UNSIGNED NOT NULL,
    after_seq    BIGINT UNSIGNED NOT NULL,
    upto_server  BIGINT UNSIGNED NOT NULL,
    upto_seq     BIGINT UNSIGNED NOT NULL,
    after_ms     BIGINT          NOT NULL,
    read_ms      BIGINT          NOT NULL,
    PRIMARY KEY (archive_id, n),
    KEY kunlun_piece_age (machine, read_ms),
    CONSTRAINT kunlun_piece_archive FOREIGN KEY (archive_id)
        REFERENCES kunlun_archive (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Archives of instances. cluster and shard (or the computing node) are those
-- it was made under; archive_id: the history that goes on from it. seq is of
-- the domain.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_backup'
CREATE TABLE kunlun_backup (
    id         BIGINT          NOT NULL AUTO_INCREMENT,
    job_id     BIGINT UNSIGNED NOT NULL, -- that has made it
    kind       VARCHAR(16)     NOT NULL, -- storage, computer
    cluster    VARCHAR(128)    NOT NULL,
    shard      VARCHAR(128)    NOT NULL,
    machine    VARCHAR(64)     NOT NULL,
    target     VARCHAR(1024)   NOT NULL,
    path       VARCHAR(512)    NOT NULL,
    archive_id BIGINT          NULL,
    gtid       TEXT            NOT NULL,
    domain     BIGINT          NOT NULL,
    seq        BIGINT UNSIGNED NOT NULL,
    begun_ms   BIGINT          NOT NULL,
    ended_ms   BIGINT          NOT NULL,
    bytes      BIGINT          NOT NULL,
    sha256     CHAR(64)        NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY kunlun_backup_job (job_id),
    KEY kunlun_backup_shard (cluster, shard, kind, ended_ms),
    KEY kunlun_backup_age (machine, ended_ms),
    CONSTRAINT kunlun_backup_archive FOREIGN KEY (archive_id)
        REFERENCES kunlun_archive (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
