/* What compute nodes said last. */
#ifndef MG_DORIS_HEARTBEAT_H
#define MG_DORIS_HEARTBEAT_H

#include "db.h"
#include "record.h"
#include "thrift.h"

/* Where a compute node is. */
#define DORIS_PEER_ROW(X, s)                \
    X(s, STR, addr, "addr", COLUMN_ONLY, -) \
    X(s, I32, port, "port", COLUMN_ONLY, -)
STRUCT(doris_peer_row, DORIS_PEER_ROW);
LIST_OF(doris_peer_row);

/* At most max addresses behind that one, in order, each once. */
enum err doris_store_peers(struct db *db, struct arena *a, const char *addr,
                           int32_t port, size_t max,
                           struct list_of_doris_peer_row *out) MUST_USE;
enum err
doris_store_beat(struct db *db, const struct doris_peer_row *peer,
                 const struct doris_beat *beat, int64_t now_ms) MUST_USE;
/* Nodes that are registered nowhere any more. */
enum err doris_store_beats_forget(struct db *db) MUST_USE;

/* A compute node as the front end shows it. */
#define DORIS_FE_NODE(X, s)                                     \
    X(s, STR, cluster_id, "cluster_id", COLUMN_ONLY, -)         \
    X(s, STR, host, "host", OUT, -)                             \
    X(s, I32, heartbeatPort, "heartbeatPort", OUT, -)           \
    X(s, I32, bePort, "bePort", OUT, -)                         \
    X(s, I32, httpPort, "httpPort", OUT, -)                     \
    X(s, I32, brpcPort, "brpcPort", OUT, -)                     \
    X(s, I64, currentFragmentNum, "currentFragmentNum", OUT, -) \
    X(s, I64, lastFragmentUpdateTime, "lastFragmentUpdateTime", OUT, -)
STRUCT(doris_fe_node, DORIS_FE_NODE);

/* By cluster, in order of cluster_id; of one instance unless it is NULL. */
enum err
doris_store_fe_nodes(struct db *db, struct arena *a, const char *instance_id,
                     enum err (*f)(void *ctx, const void *row),
                     void *ctx) MUST_USE;

#endif
