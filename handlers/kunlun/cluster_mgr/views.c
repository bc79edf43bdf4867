/* Machines, clusters and their servers, and what became of primaries, for
 * operators. */
#include "views.h"

#include "db.h"

#define DEAD "h.node_stats = 'dead'"

/* A host has a row for each use of it: told once, at its first, as kunlun_host
 * has it, whose GROUP BY would be made anew for each page. */
#define MACHINES                                                             \
    "SELECT h.hostaddr AS k1, '' AS k2, '' AS a1, '' AS a2,"                 \
    " h.hostaddr AS name, h.hostaddr AS address, h.node_stats AS state,"     \
    " IF(" DEAD ", 'bad', 'ok') AS level, IF(" DEAD ", 'nothing on it'"      \
    " ' has said for a while that it works', '') AS why, CAST(NULL AS "      \
    "SIGNED) AS since_ms,"                                                   \
    " (SELECT JSON_OBJECT('rack', MIN(o.rack_id), 'memory_mb',"              \
    " MAX(o.total_mem), 'cores', MAX(o.total_cpu_cores),"                    \
    " 'node_mgr_port', MIN(o.nodemgr_port))"                                 \
    " FROM Kunlun_Metadata_DB.server_nodes o"                                \
    " WHERE o.hostaddr = h.hostaddr) AS more"                                \
    " FROM Kunlun_Metadata_DB.server_nodes h" VIEW_INDEX(                    \
        "server_nodes_of_type") " WHERE h.hostaddr <> "                      \
                                "'pseudo_server_useless' AND NOT EXISTS"     \
                                " (SELECT 1 FROM "                           \
                                "Kunlun_Metadata_DB.server_nodes o"          \
                                " WHERE o.hostaddr = h.hostaddr AND o.id < " \
                                "h.id)"

/* How its keeper has a server. */
#define KEPT_LEVEL                                                        \
    "CASE WHEN k.state IN ('failed', 'lost') THEN 'bad'"                  \
    " WHEN k.state = 'running' OR (k.state = 'stopped' AND k.to_run = 0)" \
    " OR k.state IS NULL THEN 'ok' ELSE 'warn' END AS level"
#define KEPT(machine, port) \
    " LEFT JOIN kept_instance k ON k.machine = " machine " AND k.port = " port

#define INSTANCES(JOIN)                                                    \
    "SELECT k.machine AS k1, k.port AS k2, k.machine AS a1, '' AS a2,"     \
    " CONCAT(k.machine, ':', k.port) AS name,"                             \
    " CONCAT(k.machine, ':', k.port) AS address, k.state, " KEPT_LEVEL "," \
    " k.why, k.since_ms, k.uuid,"                                          \
    " JSON_OBJECT('kind', k.kind, 'driver', k.driver, 'pid', k.pid, "      \
    "'restarts', k.restarts, 'to_run', k.to_run,"                          \
    " 'held_by', k.held_by, 'told_ms', k.told_ms) AS more"                 \
    " FROM kept_instance k" VIEW_INDEX("kept_instance_port")

#define PAUSED "p.until_ms > " DB_NOW_MS

#define CLUSTERS                                                             \
    "SELECT c.name AS k1, '' AS k2, '' AS a1, '' AS a2,"                     \
    " COALESCE(c.nick_name, c.name) AS name, '' AS address,"                 \
    " IF(" PAUSED ", 'paused', c.status) AS state,"                          \
    " IF(" PAUSED ", 'warn', 'ok') AS level,"                                \
    " IF(" PAUSED ", CONCAT('failovers are held back: ', p.why), '')"        \
    " AS why, IF(" PAUSED ", p.at_ms, NULL) AS since_ms,"                    \
    " JSON_OBJECT('id', c.id, 'ha_mode', c.ha_mode, 'business', c.business)" \
    " AS more FROM Kunlun_Metadata_DB.db_clusters c" VIEW_INDEX(             \
        "db_clusters_name") " LEFT JOIN kunlun_pause p ON p.cluster = c.name"

#define SHARDS(JOIN)                                                         \
    "SELECT c.name AS k1, s.name AS k2, c.name AS a1, '' AS a2, s.name,"     \
    " '' AS address, COALESCE(w.verdict, '') AS state,"                      \
    " CASE WHEN w.verdict IN ('suspects', 'works') THEN 'warn'"              \
    " WHEN w.verdict IN ('waits', 'paused', 'flaps', 'unsafe') THEN 'bad'"   \
    " ELSE 'ok' END AS level,"                                               \
    " IF(w.verdict = 'fine', '', COALESCE(w.sentence, '')) AS why,"          \
    " w.since_ms, s.db_cluster_id,"                                          \
    " JSON_OBJECT('id', s.id, 'nodes', s.num_nodes, 'acknowledge', "         \
    "s.sync_num) AS more"                                                    \
    " FROM Kunlun_Metadata_DB.shards s" VIEW_INDEX(                          \
        "shards_name") " " JOIN " Kunlun_Metadata_DB.db_clusters c"          \
                       " ON c.id = s.db_cluster_id LEFT JOIN kunlun_shard w" \
                       " ON w.cluster = c.name AND w.shard = s.name"

#define NODES(JOIN)                                                          \
    "SELECT c.name AS k1,"                                                   \
    " CONCAT(s.name, '/', n.hostaddr, ':', n.port) AS k2,"                   \
    " c.name AS a1, s.name AS a2,"                                           \
    " CONCAT(n.hostaddr, ':', n.port) AS name,"                              \
    " CONCAT(n.hostaddr, ':', n.port) AS address,"                           \
    " COALESCE(n.member_state, n.status) AS state, " KEPT_LEVEL ","          \
    " COALESCE(k.why, '') AS why, k.since_ms, n.shard_id, n.id,"             \
    " JSON_OBJECT('id', n.id, 'role', n.member_state, 'status', n.status,"   \
    " 'kept', k.state, 'delay_s', n.replica_delay) AS more"                  \
    " FROM Kunlun_Metadata_DB.shard_nodes n" VIEW_INDEX(                     \
        "shard_nodes_shard") " " JOIN " Kunlun_Metadata_DB.shards s ON "     \
                             "s.id = n.shard_id"                             \
                             " " JOIN " Kunlun_Metadata_DB.db_clusters c"    \
                             " ON c.id = s.db_cluster_id" KEPT("n.hostaddr", \
                                                               "n.port")

#define COMPUTERS(JOIN)                                                    \
    "SELECT c.name AS k1, n.name AS k2, c.name AS a1, '' AS a2, n.name,"   \
    " CONCAT(n.hostaddr, ':', n.port) AS address, n.status AS state,"      \
    " " KEPT_LEVEL ", COALESCE(k.why, '') AS why, k.since_ms,"             \
    " n.db_cluster_id, JSON_OBJECT('id', n.id, 'kept', k.state) AS more"   \
    " FROM Kunlun_Metadata_DB.comp_nodes n" VIEW_INDEX(                    \
        "comp_nodes_name") " " JOIN " Kunlun_Metadata_DB.db_clusters c"    \
                           " ON c.id = n.db_cluster_id" KEPT("n.hostaddr", \
                                                             "n.port")

/* Why it came to that: what was seen, who was chosen, what is not known. */
#define FAILOVERS                                                         \
    "SELECT f.id AS k1, '' AS k2, f.cluster AS a1, f.shard AS a2,"        \
    " CONCAT(f.cluster, '/', f.shard) AS name, f.`is` AS address,"        \
    " f.kind AS state, IF(f.writable_ms IS NULL, 'warn', 'ok') AS level," \
    " f.why, f.decided_ms AS since_ms, JSON_OBJECT('cluster', f.cluster," \
    " 'shard', f.shard, 'epoch', f.epoch, 'was', f.was, 'is', f.`is`,"    \
    " 'chosen', f.chosen, 'undecided', f.undecided,"                      \
    " 'seen', JSON_EXTRACT(f.seen, '$'), 'suspected_ms', f.suspected_ms," \
    " 'fenced_ms', f.fenced_ms, 'decided_ms', f.decided_ms,"              \
    " 'writable_ms', f.writable_ms, 'pointed_ms', f.pointed_ms) AS more"  \
    " FROM kunlun_failover f" VIEW_INDEX("PRIMARY")

const struct view kunlun_views[] = {
    VIEW("machine", NULL, MACHINES),
    VIEW_BY("instance", "machine", INSTANCES, "v.k1", "v.k2", "v.uuid"),
    VIEW("cluster", NULL, CLUSTERS),
    VIEW_BY("shard", "cluster", SHARDS, "v.db_cluster_id", "v.k2", "''"),
    VIEW_BY("node", "shard", NODES, "v.shard_id", "v.id", "''"),
    VIEW_BY("computer", "cluster", COMPUTERS, "v.db_cluster_id", "v.k2", "''"),
    VIEW_EVENTS("failover", "shard", FAILOVERS),
    { .kind = NULL },
};
