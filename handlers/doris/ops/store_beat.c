/* The SQL of heartbeats. */
#include "doris/cluster/cluster.h"
#include "doris/cluster/node.h"
#include "duties.h"
#include "heartbeat.h"
#include "thrift.h"

enum { PLACES, BEAT, FORGET, NODES, NODES_OF, SQL__MAX };

#define NODE_COLUMNS                                                      \
    "SELECT c.cluster_id, n.addr AS host, n.port AS heartbeatPort,"       \
    " COALESCE(h.be_port, -1) AS bePort,"                                 \
    " COALESCE(h.http_port, -1) AS httpPort,"                             \
    " COALESCE(h.brpc_port, -1) AS brpcPort,"                             \
    " COALESCE(h.fragment_num, 0) AS currentFragmentNum,"                 \
    " COALESCE(h.fragment_time_ms, 0) AS lastFragmentUpdateTime"          \
    " FROM doris_node n JOIN doris_cluster c"                             \
    " ON c.instance_id = n.instance_id AND c.seq = n.seq"                 \
    " LEFT JOIN doris_heartbeat h ON h.addr = n.addr AND h.port = n.port" \
    " WHERE n.kind = 'COMPUTE'"
#define NODE_ORDER " ORDER BY c.cluster_id, n.instance_id, n.seq, n.ord"

static const char *const sql[SQL__MAX] = {
    [PLACES] = "SELECT DISTINCT addr, port FROM doris_node"
               " WHERE kind = 'COMPUTE' AND addr >= ?"
               " AND (addr > ? OR port > ?) ORDER BY addr, port LIMIT ?",
    [BEAT] = "INSERT INTO doris_heartbeat (addr, port, seen_ms, be_port,"
             " http_port, brpc_port, fragment_num, fragment_time_ms)"
             " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE"
             " seen_ms = VALUES(seen_ms), be_port = VALUES(be_port),"
             " http_port = VALUES(http_port), brpc_port = VALUES(brpc_port),"
             " fragment_num = VALUES(fragment_num),"
             " fragment_time_ms = VALUES(fragment_time_ms)",
    [FORGET] = "DELETE FROM doris_heartbeat WHERE NOT EXISTS"
               " (SELECT 1 FROM doris_node n WHERE n.kind = 'COMPUTE'"
               " AND n.addr = doris_heartbeat.addr"
               " AND n.port = doris_heartbeat.port)"
               " ORDER BY addr, port LIMIT 500",
    [NODES] = NODE_COLUMNS NODE_ORDER,
    [NODES_OF] = NODE_COLUMNS " AND n.instance_id = ?" NODE_ORDER,
};

TABLE(doris_peer_row, DORIS_PEER_ROW);
TABLE(doris_fe_node, DORIS_FE_NODE);

enum err
doris_store_peers(struct db *db, struct arena *a, const char *addr,
                  int32_t port, size_t max, struct list_of_doris_peer_row *out)
{
    return db_list(
        db, a, sql[PLACES],
        DB_ARGS(db_str(addr), db_str(addr), db_i64(port), db_u64(max)),
        &doris_peer_row_rec, max, out);
}

enum err
doris_store_beat(struct db *db, const struct doris_peer_row *peer,
                 const struct doris_beat *beat, int64_t now_ms)
{
    return db_exec(db, sql[BEAT],
                   DB_ARGS(db_str(peer->addr), db_i64(peer->port),
                           db_i64(now_ms), db_i64(beat->be_port),
                           db_i64(beat->http_port), db_i64(beat->brpc_port),
                           db_i64(beat->fragments),
                           db_i64(beat->fragment_time_ms)));
}

enum err
doris_store_beats_forget(struct db *db)
{
    return db_exec(db, sql[FORGET], DB_NO_ARGS);
}

enum err
doris_store_fe_nodes(struct db *db, struct arena *a, const char *instance_id,
                     enum err (*f)(void *ctx, const void *row), void *ctx)
{
    if (instance_id == NULL)
        return db_each(db, a, sql[NODES], DB_NO_ARGS, &doris_fe_node_rec, f,
                       ctx);
    return db_each(db, a, sql[NODES_OF], DB_ARGS(db_str(instance_id)),
                   &doris_fe_node_rec, f, ctx);
}
