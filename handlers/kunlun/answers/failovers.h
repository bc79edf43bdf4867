/* Failovers of a cluster: held back for a while, and told of. */
#ifndef CLUSTER_FAILOVERS_H
#define CLUSTER_FAILOVERS_H

#include "desk.h"
#include "kunlun/shard/shard.h"

#define PAUSE_MAX_S 604800

#define CLUSTER_PAUSE_ASKED(X, s)                                      \
    X(s, STR, name, "cluster_name", IN, -, .max = 120)                 \
    X(s, I64, seconds, "seconds", IN, -, .min = 1, .max = PAUSE_MAX_S) \
    X(s, STR, reason, "reason", IN, -, .max = 500)
#define CLUSTER_PAUSE_PARAS(X, s)                                             \
    X(s, STR, name, "cluster_name", IN, -, .max = 120, PARAS)                 \
    X(s, I64, id, "cluster_id", IN, -, PARAS)                                 \
    X(s, I64, seconds, "seconds", IN, -, .min = 1, .max = PAUSE_MAX_S, PARAS) \
    X(s, STR, reason, "reason", IN, -, .max = 500, PARAS)
STRUCT(cluster_pause_asked, CLUSTER_PAUSE_PARAS);
DECLARE_TABLE(cluster_pause_paras);

#define CLUSTER_HISTORY(X, s)                          \
    X(s, STR, name, "cluster_name", IN, -, .max = 120) \
    X(s, STR, shard, "shard_name", IN, -, .max = 120)
#define CLUSTER_HISTORY_PARAS(X, s)                           \
    X(s, STR, name, "cluster_name", IN, -, .max = 120, PARAS) \
    X(s, I64, id, "cluster_id", IN, -, PARAS)                 \
    X(s, STR, shard, "shard_name", IN, -, .max = 120, PARAS)
STRUCT(cluster_history, CLUSTER_HISTORY_PARAS);
DECLARE_TABLE(cluster_history_paras);

#define CLUSTER_FAILOVERS(X, s) \
    X(s, LIST, v, "", OUT | KEEP_EMPTY, kunlun_failover)
STRUCT(cluster_failovers, CLUSTER_FAILOVERS);
#define CLUSTER_FAILOVERS_PARAS(X, s) \
    X(s, LIST, v, "list_failover", OUT | KEEP_EMPTY, kunlun_failover)
DECLARE_TABLE(cluster_failovers_paras);

#endif
