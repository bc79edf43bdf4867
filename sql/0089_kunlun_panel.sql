-- What XPanel 1.x shows of failovers and installations, and what cluster_mgr of
-- KunlunBase keeps of jobs that it may have to take back: each from the rows that
-- say what has happened. Names and columns are theirs.
--
-- min_reader: 31

-- A row for each step of a change of a primary, as they come; the last one says
-- how it has ended. Those of clusters that are there: the page asks by their
-- numbers.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'rbr_consfailover'
CREATE VIEW Kunlun_Metadata_DB.rbr_consfailover AS
    SELECT f.id * 8 + n.step_id AS id, CAST(f.id AS CHAR) AS taskid,
        c.id AS cluster_id, s.id AS shard_id, f.was AS host,
        f.`is` AS new_master_host, n.step AS step, f.kind AS description,
        FROM_UNIXTIME(CASE n.step_id WHEN 1 THEN f.suspected_ms
            WHEN 2 THEN f.fenced_ms WHEN 3 THEN f.decided_ms
            WHEN 4 THEN f.writable_ms ELSE f.pointed_ms END / 1000)
            AS `timestamp`,
        CASE n.step_id WHEN 1 THEN f.why WHEN 3 THEN f.chosen
            ELSE '' END AS consfailover_msg,
        CASE WHEN f.writable_ms IS NULL THEN '1' ELSE '0' END AS err_code,
        CASE WHEN f.writable_ms IS NULL THEN 'it is not writable'
            ELSE f.undecided END AS err_msg
    FROM kunlun_failover f
    JOIN (SELECT 1 AS step_id, 'suspected' AS step
        UNION ALL SELECT 2, 'fenced' UNION ALL SELECT 3, 'decided'
        UNION ALL SELECT 4, 'writable' UNION ALL SELECT 5, 'pointed') n
    JOIN kunlun_shard k ON k.id = f.shard_id
    JOIN Kunlun_Metadata_DB.db_clusters c ON c.name = k.cluster
    JOIN Kunlun_Metadata_DB.shards s
        ON s.db_cluster_id = c.id AND s.name = k.shard
    WHERE CASE n.step_id WHEN 1 THEN f.suspected_ms WHEN 2 THEN f.fenced_ms
        WHEN 3 THEN f.decided_ms WHEN 4 THEN f.writable_ms
        ELSE f.pointed_ms END IS NOT NULL;

-- A row for what a job has told machines about storage nodes, which comes first,
-- and one for what about computing nodes: job_info is what each was told, memo
-- what it answered. Not by JSON_ARRAYAGG: MariaDB 10.11 puts its array into
-- another one when a condition is about it.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'mysql_pg_install_log'
CREATE VIEW Kunlun_Metadata_DB.mysql_pg_install_log AS
    SELECT MIN(part_id) AS id, general_log_id, install_type,
        CASE WHEN SUM(state IN ('failed', 'cancelled')) > 0 THEN 'failed'
            WHEN SUM(state <> 'done') = 0 THEN 'done'
            WHEN SUM(state <> 'queued') = 0 THEN 'not_started'
            ELSE 'ongoing' END AS status,
        CONCAT('[', GROUP_CONCAT(JSON_OBJECT('piece', piece,
            'content', JSON_EXTRACT(shown, '$')) ORDER BY part_id), ']')
            AS job_info,
        CONCAT('[', GROUP_CONCAT(JSON_OBJECT('piece', piece, 'status', state,
            'info', error) ORDER BY part_id), ']') AS memo
    FROM (SELECT p.id AS part_id, j.id AS general_log_id,
            CASE p.kind WHEN 'node_mgr.install_storage' THEN 'mysql'
                WHEN 'node_mgr.install_computer' THEN 'postgres'
                WHEN 'node_mgr.delete_storage' THEN 'uninstall_mysql'
                ELSE 'uninstall_postgres' END AS install_type,
            CONCAT(p.machine, '_', COALESCE(
                JSON_VALUE(p.shown, '$.nodes[0].port'),
                JSON_VALUE(p.shown, '$.port'), '')) AS piece,
            p.state AS state, p.shown AS shown, COALESCE(p.error, '') AS error
        FROM job j
        JOIN job p ON p.parent_id = j.id
        WHERE j.queue = 'cluster' AND LEFT(j.kind, 12) = 'cluster_mgr.'
            AND p.kind IN ('node_mgr.install_storage',
                'node_mgr.install_computer', 'node_mgr.delete_storage',
                'node_mgr.delete_computer')) parts
    GROUP BY general_log_id, install_type
    ORDER BY general_log_id, install_type;

-- What would go again if a job under way came to nothing: a row for each server
-- that it makes.
-- done: SELECT 1 FROM information_schema.TABLES
--       WHERE TABLE_SCHEMA = 'Kunlun_Metadata_DB'
--       AND TABLE_NAME = 'cluster_roll_back_record'
CREATE VIEW Kunlun_Metadata_DB.cluster_roll_back_record AS
    SELECT ROW_NUMBER() OVER (ORDER BY j.id, p.machine, p.port) AS id,
        COALESCE(j.client_id, '') AS job_id,
        JSON_OBJECT('job_type', CONCAT('create_', p.kind), 'ip', p.machine,
            'port', CAST(p.port AS CHAR)) AS roll_info
    FROM job j
    JOIN kunlun_place p ON p.job_id = j.id
    WHERE j.finished_ms IS NULL;
