/* What a Pegasus cluster holds, for operators. */
#include "pegasus/views.h"

#define NODES                                                               \
    "SELECT address AS k1, '' AS k2, '' AS a1, '' AS a2, address AS name, " \
    "address,"                                                              \
    " IF(alive, 'ALIVE', 'UNALIVE') AS state,"                              \
    " IF(alive, 'ok', 'bad') AS level,"                                     \
    " IF(alive, '', 'it sends no beacons') AS why,"                         \
    " IF(alive, start_ms, last_beacon_ms) AS since_ms,"                     \
    " JSON_OBJECT('managed', managed, 'unstable', unstable) AS more"        \
    " FROM pegasus_node" VIEW_INDEX("PRIMARY")

/* A table's partitions that are not as they should be. */
#define SOME(what)                              \
    "EXISTS (SELECT 1 FROM pegasus_partition p" \
    " WHERE p.app_id = a.app_id AND " what ")"
#define GONE  "a.drop_second > 0"
#define LOST  SOME("p.primary_node IS NULL")
#define FEWER SOME("p.members < p.max_replica_count")

#define TABLES                                                                 \
    "SELECT a.app_id AS k1, '' AS k2, '' AS a1, '' AS a2, a.app_name AS name," \
    " '' AS address, a.status AS state, CASE WHEN " GONE " THEN 'ok'"          \
    " WHEN " LOST " THEN 'bad' WHEN " FEWER " THEN 'warn' ELSE 'ok' END"       \
    " AS level, CASE WHEN " GONE " THEN ''"                                    \
    " WHEN " LOST " THEN 'partitions have no primary'"                         \
    " WHEN " FEWER " THEN 'partitions have too few replicas' ELSE '' END"      \
    " AS why, IF(" GONE ", a.drop_second, a.create_second) * 1000"             \
    " AS since_ms, JSON_OBJECT('app_id', a.app_id,"                            \
    " 'partitions', a.partition_count, 'replicas', a.max_replica_count)"       \
    " AS more FROM pegasus_app a" VIEW_INDEX("PRIMARY")

const struct view pegasus_views[] = {
    VIEW("node", NULL, NODES),
    VIEW("table", NULL, TABLES),
    { .kind = NULL },
};
