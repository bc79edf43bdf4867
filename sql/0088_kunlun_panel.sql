-- What XPanel 1.x asks of KunlunBase's tables beyond what is documented: it
-- leaves out clusters and shards whose status is deleted, and lists backups from
-- a table of its own. Nothing is kept here of what was deleted.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'db_clusters' AND COLUMN_NAME = 'status'
ALTER TABLE Kunlun_Metadata_DB.db_clusters
    ADD COLUMN status ENUM('creating', 'inuse', 'deleted') NOT NULL
        DEFAULT 'inuse';

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'shards' AND COLUMN_NAME = 'status'
ALTER TABLE Kunlun_Metadata_DB.shards
    ADD COLUMN status ENUM('creating', 'inuse', 'deleted') NOT NULL
        DEFAULT 'inuse';

-- A row for each backup of a shard. memo would be the answer of a machine of
-- theirs, which the page takes apart: there is none.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'cluster_coldbackups'
CREATE VIEW Kunlun_Metadata_DB.cluster_coldbackups AS
    SELECT id, cluster_id, shard_id, NULL AS comp_id, when_started AS start_ts,
        when_ended AS end_ts, 'storage' AS backup_type, status, NULL AS memo
    FROM Kunlun_Metadata_DB.cluster_shard_backup_restore_log
    WHERE optype = 'backup';
