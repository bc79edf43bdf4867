-- Shards as they are watched over: who is primary, who may have acknowledged
-- anything (handlers/kunlun/core/failover.h), and what became of it.
--
-- min_reader: 31

-- state is a document: one decision changes it as a whole, and only where
-- orders is still what was read. verdict and sentence are for people.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_shard'
CREATE TABLE kunlun_shard (
    id       BIGINT           NOT NULL AUTO_INCREMENT,
    cluster  VARCHAR(128)     NOT NULL,
    shard    VARCHAR(128)     NOT NULL,
    orders   BIGINT UNSIGNED  NOT NULL,
    state    MEDIUMTEXT       NOT NULL,
    verdict  VARCHAR(16)      NOT NULL,
    sentence VARCHAR(512)     NOT NULL,
    since_ms BIGINT           NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY kunlun_shard_name (cluster, shard)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Its members, in the order in which state has them. spec is sealed: it has
-- the secrets of the instance's accounts.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_member'
CREATE TABLE kunlun_member (
    shard_id BIGINT       NOT NULL,
    idx      INT UNSIGNED NOT NULL,
    uuid     VARCHAR(64)  NOT NULL,
    spec     MEDIUMTEXT   NOT NULL,
    PRIMARY KEY (uuid),
    UNIQUE KEY kunlun_member_idx (shard_id, idx),
    CONSTRAINT kunlun_member_shard FOREIGN KEY (shard_id)
        REFERENCES kunlun_shard (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Each change of a primary: what was seen, who was chosen and why. It stays
-- when the shard is gone.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kunlun_failover'
CREATE TABLE kunlun_failover (
    id           BIGINT          NOT NULL AUTO_INCREMENT,
    shard_id     BIGINT          NOT NULL,
    cluster      VARCHAR(128)    NOT NULL,
    shard        VARCHAR(128)    NOT NULL,
    epoch        BIGINT UNSIGNED NOT NULL,
    kind         VARCHAR(16)     NOT NULL,
    was          VARCHAR(80)     NOT NULL,
    `is`         VARCHAR(80)     NOT NULL,
    why          VARCHAR(512)    NOT NULL,
    seen         MEDIUMTEXT      NOT NULL,
    suspected_ms BIGINT          NOT NULL,
    decided_ms   BIGINT          NOT NULL,
    writable_ms  BIGINT          NULL,
    PRIMARY KEY (id),
    KEY kunlun_failover_shard (shard_id, epoch)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
