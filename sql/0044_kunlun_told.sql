-- KunlunBase: what is told of jobs and machines.
--
-- min_reader: 31

-- How far creating or deleting a cluster is, for get_status: a document of
-- handlers/kunlun/cluster_mgr/jobs.h. It goes with the job.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_told'
CREATE TABLE kunlun_told (
    job_id BIGINT UNSIGNED NOT NULL,
    doc    MEDIUMTEXT      NOT NULL,
    PRIMARY KEY (job_id),
    CONSTRAINT kunlun_told_job FOREIGN KEY (job_id) REFERENCES job (id)
        ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- That a machine's supervise runs: its last sign, on the store's clock.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_beat'
CREATE TABLE kunlun_beat (
    machine VARCHAR(64) NOT NULL,
    at_ms   BIGINT      NOT NULL,
    PRIMARY KEY (machine)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
