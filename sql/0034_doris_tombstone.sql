-- Instances that the recycler has finished: their ids are never given again, and
-- what became of them can still be asked.
--
-- min_reader: 31

-- Made with what was finished before it was there.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'doris_tombstone'
CREATE TABLE doris_tombstone (
    instance_id  VARBINARY(255)  NOT NULL,
    owner        VARCHAR(64)     NULL,     -- who finished it
    begun_ms     BIGINT          NULL,
    finished_ms  BIGINT          NULL,
    removed      BIGINT          NOT NULL, -- rows
    PRIMARY KEY (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
    SELECT instance_id, owner, begun_ms, finished_ms, removed
    FROM doris_recycle WHERE step = 'done';
