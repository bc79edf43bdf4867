/* What the Meta Service holds, for operators. */
#include "doris/views.h"

#include "db.h"

/* A node that answered once, and not for so long, is told of. */
#define SILENT_MS "60000"
#define SILENT    "h.seen_ms < " DB_NOW_MS " - " SILENT_MS

#define INSTANCES                                                            \
    "SELECT instance_id AS k1, '' AS k2, '' AS a1, '' AS a2, name,"          \
    " '' AS address, status AS state, IF(status = 'OVERDUE', 'warn', 'ok') " \
    "AS level,"                                                              \
    " CASE status WHEN 'OVERDUE' THEN 'it is overdue'"                       \
    " WHEN 'DELETED' THEN 'it is dropped, the recycler removes it'"          \
    " ELSE '' END AS why, mtime * 1000 AS since_ms,"                         \
    " JSON_OBJECT('user_id', user_id, 'vaults', enable_storage_vault)"       \
    " AS more FROM doris_instance" VIEW_INDEX("doris_instance_id")

#define CLUSTERS                                                               \
    "SELECT instance_id AS k1, cluster_id AS k2, instance_id AS a1, '' AS a2," \
    " cluster_name AS name, COALESCE(private_endpoint, '') AS address,"        \
    " COALESCE(cluster_status, 'NORMAL') AS state, 'ok' AS level,"             \
    " '' AS why, mtime * 1000 AS since_ms,"                                    \
    " JSON_OBJECT('type', type) AS more FROM doris_cluster" VIEW_INDEX(        \
        "doris_cluster_id")

#define NODES(JOIN)                                                      \
    "SELECT n.instance_id AS k1,"                                        \
    " CONCAT(c.cluster_id, '/', n.addr, ':', n.port) AS k2,"             \
    " c.instance_id AS a1, c.cluster_id AS a2,"                          \
    " CONCAT(n.addr, ':', n.port) AS name,"                              \
    " CONCAT(n.addr, ':', n.port) AS address,"                           \
    " COALESCE(n.status, '') AS state,"                                  \
    " IF(" SILENT ", 'bad', 'ok') AS level,"                             \
    " IF(" SILENT ", 'it does not answer heartbeats', '') AS why,"       \
    " h.seen_ms AS since_ms, n.seq, n.ord, JSON_OBJECT('kind', n.kind,"  \
    " 'type', n.node_type, 'seen_ms', h.seen_ms) AS more"                \
    " FROM doris_node n" VIEW_INDEX(                                     \
        "PRIMARY") " " JOIN " doris_cluster c"                           \
                   " ON c.instance_id = n.instance_id AND c.seq = n.seq" \
                   " LEFT JOIN doris_heartbeat h ON n.kind = 'COMPUTE'"  \
                   " AND h.addr = n.addr AND h.port = n.port"

#define VAULTS                                                               \
    "SELECT instance_id AS k1, id AS k2, instance_id AS a1, '' AS a2, name," \
    " '' AS address, IF(hdfs_conf IS NULL, 'S3', 'HDFS') AS state,"          \
    " 'ok' AS level, '' AS why, CAST(NULL AS SIGNED) AS since_ms,"           \
    " NULL AS more FROM doris_vault" VIEW_INDEX("PRIMARY")

const struct view doris_views[] = {
    VIEW("instance", NULL, INSTANCES),
    VIEW("cluster", "instance", CLUSTERS),
    VIEW_BY("node", "cluster", NODES, "v.k1", "v.seq", "v.ord"),
    VIEW("vault", "instance", VAULTS),
    { .kind = NULL },
};
