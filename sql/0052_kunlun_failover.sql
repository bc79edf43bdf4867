-- KunlunBase: a change of a primary tells more of itself: since when nobody
-- wrote, when the computing nodes knew, why this one was chosen, and what is
-- not known.
--
-- min_reader: 31

-- done: SELECT COUNT(*) = 4 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_failover'
--       AND COLUMN_NAME IN ('fenced_ms', 'pointed_ms', 'chosen', 'undecided')
ALTER TABLE kunlun_failover
    ADD COLUMN fenced_ms  BIGINT        NULL,
    ADD COLUMN pointed_ms BIGINT        NULL,
    ADD COLUMN chosen     VARCHAR(512)  NOT NULL DEFAULT '',
    ADD COLUMN undecided  VARCHAR(2048) NOT NULL DEFAULT '',
    ADD KEY kunlun_failover_cluster (cluster, id);
