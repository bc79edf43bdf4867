/* What the store keeps for Pegasus; all SQL of this folder is in store_*.c.
 * Every mutation by a client begins with pegasus_store_lock: mutations run
 * one after the other, and the leader sees by the version that there was
 * one. The leader's own changes of configurations are compared by ballot and
 * fenced by its lease instead. */
#ifndef PEGASUS_STORE_H
#define PEGASUS_STORE_H

#include "db.h"
#include "lease.h"
#include "pegasus.h"
#include "pegasus/core/state.h"

/* Most partitions of a table. */
#define PEGASUS_PARTITIONS_MAX 65536

#define PEGASUS_LEASE "pegasus.leader"

/* ---- store_read.c ---- */

/* Who leads: held = the lease runs; ready = that leader has loaded all. */
#define PEGASUS_LEADER(X, s)                   \
    X(s, STR, owner, "owner", COLUMN_ONLY, -)  \
    X(s, BOOL, held, "held", COLUMN_ONLY, -)   \
    X(s, BOOL, ready, "ready", COLUMN_ONLY, -) \
    X(s, I64, now_ms, "now_ms", COLUMN_ONLY, -)
STRUCT(pegasus_leader, PEGASUS_LEADER);
enum err pegasus_store_leader(struct db *db, struct arena *a,
                              struct pegasus_leader *out) MUST_USE;

/* A partition as it is stored. */
#define PEGASUS_PARTITION(X, s)                               \
    X(s, I32, app_id, "app_id", OUT, -)                       \
    X(s, I32, pidx, "pidx", OUT, -)                           \
    X(s, I64, ballot, "ballot", OUT, -)                       \
    X(s, STR, primary_node, "primary_node", OUT, -)           \
    X(s, STR, secondaries, "secondaries", OUT, -)             \
    X(s, I32, members, "members", OUT, -)                     \
    X(s, I32, max_replica_count, "max_replica_count", OUT, -) \
    X(s, I64, committed, "committed", OUT, -)                 \
    X(s, STR, last_drops, "last_drops", OUT, -)               \
    X(s, BOOL, dropped, "dropped", OUT, -)                    \
    X(s, STR, app_name, "app_name", OUT, -)
STRUCT(pegasus_partition, PEGASUS_PARTITION);

/* The live table of that name; NOT_FOUND. max_replica_count is that of
 * partition 0. */
enum err pegasus_store_general(struct db *db, struct arena *a, const char *name,
                               struct pegasus_general *out) MUST_USE;
/* Its partitions, streamed in order. */
enum err pegasus_store_partitions(struct db *db, struct arena *a,
                                  int32_t app_id, struct rows *out) MUST_USE;
/* AVAILABLE tables, streamed by id. */
enum err
pegasus_store_lines(struct db *db, struct arena *a, struct rows *out) MUST_USE;

/* Partitions of AVAILABLE tables that look alike, counted; by table. */
#define PEGASUS_ALIKE(X, s)                                           \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -)                       \
    X(s, STR, app_name, "app_name", COLUMN_ONLY, -)                   \
    X(s, I32, partition_count, "partition_count", COLUMN_ONLY, -)     \
    X(s, BOOL, has_primary, "has_primary", COLUMN_ONLY, -)            \
    X(s, I32, members, "members", COLUMN_ONLY, -)                     \
    X(s, I32, max_replica_count, "max_replica_count", COLUMN_ONLY, -) \
    X(s, I64, n, "n", COLUMN_ONLY, -)
STRUCT(pegasus_alike, PEGASUS_ALIKE);
enum err
pegasus_store_alike(struct db *db, struct arena *a, struct rows *out) MUST_USE;

/* How often each pair of primary and secondaries occurs in AVAILABLE tables. */
#define PEGASUS_PLACEMENT(X, s)                             \
    X(s, STR, primary_node, "primary_node", COLUMN_ONLY, -) \
    X(s, STR, secondaries, "secondaries", COLUMN_ONLY, -)   \
    X(s, I64, n, "n", COLUMN_ONLY, -)
STRUCT(pegasus_placement, PEGASUS_PLACEMENT);
enum err pegasus_store_placements(struct db *db, struct arena *a,
                                  struct rows *out) MUST_USE;

#define PEGASUS_NODE(X, s)                                      \
    X(s, STR, address, "address", COLUMN_ONLY, -)               \
    X(s, BOOL, alive, "alive", COLUMN_ONLY, -)                  \
    X(s, BOOL, managed, "managed", COLUMN_ONLY, -)              \
    X(s, BOOL, collected, "collected", COLUMN_ONLY, -)          \
    X(s, I64, start_ms, "start_ms", COLUMN_ONLY, -)             \
    X(s, I64, last_beacon_ms, "last_beacon_ms", COLUMN_ONLY, -) \
    X(s, I32, unstable, "unstable", COLUMN_ONLY, -)
STRUCT(pegasus_node, PEGASUS_NODE);
LIST_OF(pegasus_node); /* by address, byte order */
enum err pegasus_store_nodes(struct db *db, struct arena *a,
                             struct list_of_pegasus_node *out) MUST_USE;

/* What changes with everything that is counted over all AVAILABLE tables:
 * mutations by clients raise version, the leader's changes of partitions
 * configs (their sum). And how many tables there are. */
#define PEGASUS_STAMP(X, s)                       \
    X(s, I64, version, "version", COLUMN_ONLY, -) \
    X(s, I64, configs, "configs", COLUMN_ONLY, -) \
    X(s, I64, tables, "tables", COLUMN_ONLY, -)
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
    X(s, I32, total, "total", COLUMN_ONLY, -)
STRUCT(pegasus_cluster_row, PEGASUS_CLUSTER_ROW);
enum err pegasus_store_cluster(struct db *db, struct arena *a,
                               struct pegasus_cluster_row *out) MUST_USE;
/* The stored level: as configured while nobody has set one. */
enum pg_level pegasus_stored_level(const struct pegasus_cluster_row *c);

LIST_OF(map_of_STR);
/* Of the AVAILABLE table of that name, in byte order of keys; empty when
 * there is none. */
enum err pegasus_store_envs(struct db *db, struct arena *a, const char *name,
                            struct list_of_map_of_STR *out) MUST_USE;

LIST_OF(pegasus_ddd_line);
/* Partitions without primary that had members; app_id 0: of all tables. */
enum err pegasus_store_ddd(struct db *db, struct arena *a, int32_t app_id,
                           struct list_of_pegasus_ddd_line *out) MUST_USE;

/* ---- store_write.c: inside a transaction ---- */

/* The new version. */
enum err pegasus_store_lock(struct db *db, int64_t *version) MUST_USE;

#define PEGASUS_APP_ROW(X, s)                                 \
    X(s, I32, app_id, "app_id", OUT, -)                       \
    X(s, STR, app_name, "app_name", OUT, -)                   \
    X(s, STR, app_type, "app_type", OUT, -)                   \
    X(s, STR, status, "status", OUT, -)                       \
    X(s, I32, partition_count, "partition_count", OUT, -)     \
    X(s, I32, max_replica_count, "max_replica_count", OUT, -) \
    X(s, I64, drop_second, "drop_second", OUT, -)             \
    X(s, BOOL, expired, "expired", OUT, -)
STRUCT(pegasus_app_row, PEGASUS_APP_ROW);

/* By its live name, or by id; NOT_FOUND. */
enum err pegasus_store_app(struct db *db, struct arena *a, const char *name,
                           struct pegasus_app_row *out) MUST_USE;
enum err pegasus_store_app_by_id(struct db *db, struct arena *a, int32_t app_id,
                                 struct pegasus_app_row *out) MUST_USE;

/* A new AVAILABLE table with empty partitions, under the next id. EXISTS when
 * the name is taken. */
enum err
pegasus_store_app_add(struct db *db, const char *name, const char *type,
                      int32_t partitions, int32_t replicas, int64_t version,
                      int32_t *app_id) MUST_USE;
enum err pegasus_store_app_drop(struct db *db, int32_t app_id,
                                int64_t hold_seconds, int64_t version) MUST_USE;
enum err pegasus_store_app_recall(struct db *db, int32_t app_id,
                                  const char *name, int64_t version) MUST_USE;
enum err pegasus_store_app_rename(struct db *db, int32_t app_id,
                                  const char *name, int64_t version) MUST_USE;
enum err pegasus_store_app_replicas(struct db *db, int32_t app_id,
                                    int32_t replicas, int64_t version) MUST_USE;
enum err pegasus_store_env_set(struct db *db, int32_t app_id, const char *k,
                               const char *v) MUST_USE;
/* NOT_FOUND when there is none of that key. */
enum err
pegasus_store_env_del(struct db *db, int32_t app_id, const char *k) MUST_USE;
enum err pegasus_store_env_rows(struct db *db, struct arena *a, int32_t app_id,
                                struct list_of_map_of_STR *out) MUST_USE;
enum err pegasus_store_level(struct db *db, const char *level) MUST_USE;

/* The table's changed := version, for the leader. */
enum err
pegasus_store_touch(struct db *db, int32_t app_id, int64_t version) MUST_USE;
/* One partition of an AVAILABLE table, locked; NOT_FOUND. */
enum err
pegasus_store_partition(struct db *db, struct arena *a, int32_t app_id,
                        int32_t pidx, struct pegasus_partition *out) MUST_USE;
enum err pegasus_store_action_add(struct db *db, int32_t app_id, int32_t pidx,
                                  int ord, const char *type, const char *target,
                                  const char *node, bool balancer) MUST_USE;
enum err pegasus_store_actions_drop(struct db *db, int32_t app_id,
                                    int32_t pidx) MUST_USE;
/* Of the balancer, everywhere. */
enum err pegasus_store_balance_drop(struct db *db) MUST_USE;

/* ---- store_node.c ---- */

/* A beacon of a replica server of ours; of a foreign one, with its own start
 * time. */
enum err
pegasus_store_beacon_managed(struct db *db, const char *address) MUST_USE;
enum err pegasus_store_beacon(struct db *db, const char *address,
                              int64_t start_ms) MUST_USE;
/* It has reported its replicas; NOT_FOUND. */
enum err pegasus_store_collected(struct db *db, const char *address) MUST_USE;
/* *n: how many there were. */
enum err pegasus_store_report_clear(struct db *db, const char *address,
                                    uint64_t *n) MUST_USE;
enum err
pegasus_store_report(struct db *db, const char *address, int32_t app_id,
                     int32_t pidx, const struct pegasus_report *rep) MUST_USE;
/* The partitions that name it, with their table's name, in order. */
enum err pegasus_store_of_node(struct db *db, struct arena *a,
                               const char *address, struct rows *out) MUST_USE;

#define PEGASUS_ACTION(X, s)                    \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -) \
    X(s, I32, pidx, "pidx", COLUMN_ONLY, -)     \
    X(s, STR, type, "type", OUT, -)             \
    X(s, STR, target, "target", OUT, -)         \
    X(s, STR, node, "node", OUT, -)             \
    X(s, BOOL, balancer, "balancer", OUT, -)    \
    X(s, I64, made_ms, "made_ms", COLUMN_ONLY, -)
STRUCT(pegasus_action, PEGASUS_ACTION);
LIST_OF(pegasus_action); /* by partition, in order */
enum err pegasus_store_actions(struct db *db, struct arena *a,
                               struct list_of_pegasus_action *out) MUST_USE;
/* Those of one partition. */
enum err pegasus_store_actions_of(struct db *db, struct arena *a,
                                  int32_t app_id, int32_t pidx,
                                  struct list_of_pegasus_action *out) MUST_USE;

#endif
