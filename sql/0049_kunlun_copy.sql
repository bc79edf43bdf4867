-- KunlunBase: backups of whole clusters, as restores look for them. They stay
-- when the cluster is gone, as long as its backups do.
--
-- min_reader: 31

-- doc: what a cluster like it needs (handlers/kunlun/copies/copies.h). Its
-- backups are rows of kunlun_backup.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_copy'
CREATE TABLE kunlun_copy (
    job_id   BIGINT UNSIGNED NOT NULL, -- that has made it
    cluster  VARCHAR(128)    NOT NULL,
    ended_ms BIGINT          NOT NULL, -- covered by all of its shards
    doc      MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (job_id),
    KEY kunlun_copy_cluster (cluster, ended_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
