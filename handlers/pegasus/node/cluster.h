/* The cluster: printed, who leads it, its version and its level. Every mutation
 * by a client begins with pegasus_store_lock: mutations run one after the
 * other, and the leader sees by the version that there was one. The leader's
 * own changes of configurations are compared by ballot and fenced by its lease
 * instead. */
#ifndef PEGASUS_CLUSTER_H
#define PEGASUS_CLUSTER_H

#include "db.h"
#include "pegasus/core/state.h"
#include "record.h"
#include "req.h"

#define PEGASUS_CLUSTER(X, s)                                         \
    X(s, STR, meta_servers, "meta_servers", OUT, -)                   \
    X(s, STR, primary_meta_server, "primary_meta_server", OUT, -)     \
    X(s, STR, zookeeper_hosts, "zookeeper_hosts", OUT, -)             \
    X(s, STR, zookeeper_root, "zookeeper_root", OUT, -)               \
    X(s, STR, level, "meta_function_level", OUT, -)                   \
    X(s, STR, operations, "balance_operation_count", OUT, -)          \
    X(s, STR, primary_stddev, "primary_replica_count_stddev", OUT, -) \
    X(s, STR, total_stddev, "total_replica_count_stddev", OUT, -)
STRUCT(pegasus_cluster, PEGASUS_CLUSTER);

#define PEGASUS_SET_LEVEL(X, s)      \
    X(s, STR, level, "level", IN, -, \
      .doc = "stopped, blind, freezed, steady or lively")
STRUCT(pegasus_set_level, PEGASUS_SET_LEVEL);

/* cluster_root of the configuration, or its default; NULL without memory. */
const char *pegasus_cluster_root(struct arena *a);

/* ---- store_cluster.c ---- */

#define PEGASUS_LEASE "pegasus.leader"

/* Who leads: held = the lease runs; ready = that leader has loaded all. */
#define PEGASUS_LEADER(X, s)                   \
    X(s, STR, owner, "owner", COLUMN_ONLY, -)  \
    X(s, BOOL, held, "held", COLUMN_ONLY, -)   \
    X(s, BOOL, ready, "ready", COLUMN_ONLY, -) \
    X(s, I64, now_ms, "now_ms", COLUMN_ONLY, -)
STRUCT(pegasus_leader, PEGASUS_LEADER);
enum err pegasus_store_leader(struct db *db, struct arena *a,
                              struct pegasus_leader *out) MUST_USE;

/* What changes with everything that is counted over all AVAILABLE tables:
 * mutations by clients raise version, the leader's changes of partitions
 * configs (their sum). And how many tables there are, and whether what is kept
 * of them (counts.h) is right. */
#define PEGASUS_STAMP(X, s)                       \
    X(s, I64, version, "version", COLUMN_ONLY, -) \
    X(s, I64, configs, "configs", COLUMN_ONLY, -) \
    X(s, I64, tables, "tables", COLUMN_ONLY, -)   \
    X(s, BOOL, counted, "counted", COLUMN_ONLY, -)
STRUCT(pegasus_stamp, PEGASUS_STAMP);
enum err pegasus_store_stamp(struct db *db, struct arena *a,
                             struct pegasus_stamp *out) MUST_USE;

#define PEGASUS_CLUSTER_ROW(X, s)                         \
    X(s, I64, version, "version", COLUMN_ONLY, -)         \
    X(s, I32, next_app_id, "next_app_id", COLUMN_ONLY, -) \
    X(s, STR, level, "function_level", COLUMN_ONLY, -)    \
    X(s, I32, move_pri, "move_pri", COLUMN_ONLY, -)       \
    X(s, I32, copy_pri, "copy_pri", COLUMN_ONLY, -)       \
    X(s, I32, copy_sec, "copy_sec", COLUMN_ONLY, -)       \
    X(s, I32, total, "total", COLUMN_ONLY, -)             \
    X(s, BOOL, counted, "counted", COLUMN_ONLY, -)
STRUCT(pegasus_cluster_row, PEGASUS_CLUSTER_ROW);
enum err pegasus_store_cluster(struct db *db, struct arena *a,
                               struct pegasus_cluster_row *out) MUST_USE;
/* The stored level: as configured while nobody has set one. */
enum pg_level pegasus_stored_level(const struct pegasus_cluster_row *c);

struct list_of_pegasus_node;
/* The level in effect: the stored one, bounded by how many of these live. */
enum pg_level pegasus_level_now(const struct pegasus_cluster_row *c,
                                const struct list_of_pegasus_node *nodes);

/* The new version; the first statement of every mutation, which keeps the
 * counts of counts.h. */
enum err pegasus_store_lock(struct db *db, int64_t *version) MUST_USE;
enum err pegasus_store_level(struct db *db, const char *level) MUST_USE;

#endif
