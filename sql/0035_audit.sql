-- How long an audit row is kept, and how much all of them are: rows of the
-- data path (doris: transactions, rowsets, tablets) come with every load of
-- data and go sooner than those of people.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'audit'
--       AND COLUMN_NAME = 'data'
ALTER TABLE audit
    ADD COLUMN data BOOLEAN NOT NULL DEFAULT false, -- of the data path
    ADD KEY audit_data (data, at_ms);

-- The bytes of the rows' texts, counted row by row: the one who holds the
-- lease cluster.audit adds what has come and takes off what it deletes.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'audit_size'
CREATE TABLE audit_size (
    one        TINYINT UNSIGNED NOT NULL, -- always 1
    bytes      BIGINT           NOT NULL, -- of the rows up to counted_id
    counted_id BIGINT UNSIGNED  NOT NULL,
    until_id   BIGINT UNSIGNED  NOT NULL, -- the last one at until_ms: a little
    until_ms   BIGINT           NOT NULL, -- later no id below it is to come
    PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- done: SELECT 1 FROM audit_size WHERE one = 1
INSERT INTO audit_size (one, bytes, counted_id, until_id, until_ms)
VALUES (1, 0, 0, 0, 0);
