-- KunlunBase's columns of machines as XPanel 1.x reads and writes them: there a
-- host is registered once for storage and once for computing nodes, by rows of
-- its own. One of before, or of a flat client, is for both: its type is ''.
--
-- An older metagate takes a host of two rows for two machines, which may cost a
-- shard its spread over hosts until it is upgraded, and nothing else.
--
-- min_reader: 31

-- done: SELECT 1 FROM information_schema.COLUMNS
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'server_nodes' AND COLUMN_NAME = 'machine_type'
ALTER TABLE Kunlun_Metadata_DB.server_nodes
    ADD COLUMN machine_type VARCHAR(16) NOT NULL DEFAULT '',
    ADD COLUMN port_range VARCHAR(64) NOT NULL DEFAULT '', -- as it was given
    ADD COLUMN used_port TEXT NULL,
    ADD COLUMN installing_port TEXT NULL,
    ADD COLUMN node_stats VARCHAR(16) NOT NULL DEFAULT 'running', -- or dead
    ADD COLUMN nodemgr_bin_path TEXT NULL,
    ADD COLUMN nodemgr_tcp_port INT NOT NULL DEFAULT 57001,
    ADD COLUMN nodemgr_prometheus_port INT NOT NULL DEFAULT 0,
    ADD UNIQUE KEY server_nodes_of_type (hostaddr, dc_id, machine_type);

-- done: SELECT COUNT(*) = 0 FROM information_schema.STATISTICS
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'server_nodes'
--       AND INDEX_NAME = 'server_nodes_hostaddr'
ALTER TABLE Kunlun_Metadata_DB.server_nodes DROP KEY server_nodes_hostaddr;

-- A host, once: what its rows say together. Directories of a kind that it is not
-- registered for are none.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'kunlun_host'
CREATE VIEW Kunlun_Metadata_DB.kunlun_host AS
    SELECT MIN(id) AS id, hostaddr, MIN(rack_id) AS rack_id,
        MAX(IF(machine_type = 'computer', NULL, datadir)) AS datadir,
        MAX(IF(machine_type = 'computer', NULL, logdir)) AS logdir,
        MAX(IF(machine_type = 'computer', NULL, wal_log_dir)) AS wal_log_dir,
        MAX(IF(machine_type = 'storage', NULL, comp_datadir)) AS comp_datadir,
        MAX(total_mem) AS total_mem, MAX(total_cpu_cores) AS total_cpu_cores,
        MIN(nodemgr_port) AS nodemgr_port
    FROM Kunlun_Metadata_DB.server_nodes
    WHERE hostaddr <> 'pseudo_server_useless'
    GROUP BY hostaddr;
