-- Which keys seal what is in this store: a store that knows one is never given
-- another under its number (fcgi/schema/keys.h).
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'key_fingerprint'
CREATE TABLE key_fingerprint (
    key_id      INT UNSIGNED NOT NULL, -- of the key file
    fingerprint CHAR(64)     NOT NULL, -- SHA-256 of number and key, hex
    since_ms    BIGINT       NOT NULL, -- on the database's clock
    PRIMARY KEY (key_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
