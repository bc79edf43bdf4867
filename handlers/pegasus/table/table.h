/* Tables: as they are asked for and printed, and the forms that change them. */
#ifndef PEGASUS_TABLE_H
#define PEGASUS_TABLE_H

#include "db.h"
#include "record.h"
#include "req.h"

/* Most partitions of a table. */
#define PEGASUS_PARTITIONS_MAX 65536

#define PEGASUS_APP_REF(X, s)                                  \
    X(s, STR, name, "name", IN | QUERY, -, .doc = "the table") \
    X(s, FLAG, detail, "detail", IN | QUERY, -, .doc = "more of it")
STRUCT(pegasus_app_ref, PEGASUS_APP_REF);

#define PEGASUS_LIST_REF(X, s) \
    X(s, FLAG, detail, "detail", IN | QUERY, -, .doc = "more of it")
STRUCT(pegasus_list_ref, PEGASUS_LIST_REF);

#define PEGASUS_GENERAL(X, s)                                 \
    X(s, STR, app_name, "app_name", OUT, -)                   \
    X(s, I32, app_id, "app_id", OUT, -)                       \
    X(s, I32, partition_count, "partition_count", OUT, -)     \
    X(s, I32, max_replica_count, "max_replica_count", OUT, -) \
    X(s, STR, status, "status", COLUMN_ONLY, -)               \
    X(s, I64, changed, "changed", COLUMN_ONLY, -)             \
    X(s, I64, configs, "configs", COLUMN_ONLY, -)
STRUCT(pegasus_general, PEGASUS_GENERAL);

#define PEGASUS_REPLICA_ROW(X, s)                     \
    X(s, I32, pidx, "pidx", OUT, -)                   \
    X(s, I64, ballot, "ballot", OUT, -)               \
    X(s, STR, replica_count, "replica_count", OUT, -) \
    X(s, STR, primary, "primary", OUT, -)             \
    X(s, STR, secondaries, "secondaries", OUT, -)
STRUCT(pegasus_replica_row, PEGASUS_REPLICA_ROW);

#define PEGASUS_HOLDER(X, s)                  \
    X(s, STR, node, "node", OUT, -)           \
    X(s, I64, primary, "primary", OUT, -)     \
    X(s, I64, secondary, "secondary", OUT, -) \
    X(s, I64, total, "total", OUT, -)
STRUCT(pegasus_holder, PEGASUS_HOLDER);

#define PEGASUS_APP_HEALTH(X, s)                                          \
    X(s, I64, fully, "fully_healthy_partition_count", OUT, -)             \
    X(s, I64, unhealthy, "unhealthy_partition_count", OUT, -)             \
    X(s, I64, write_unhealthy, "write_unhealthy_partition_count", OUT, -) \
    X(s, I64, read_unhealthy, "read_unhealthy_partition_count", OUT, -)
STRUCT(pegasus_app_health, PEGASUS_APP_HEALTH);

#define PEGASUS_APP(X, s)                                               \
    X(s, OBJ, general, "general", OUT, pegasus_general)                 \
    X(s, ROWS, replicas, "replicas", OUT, pegasus_replica_row,          \
      .keyed_by = "pidx")                                               \
    X(s, ROWS, nodes, "nodes", OUT, pegasus_holder, .keyed_by = "node") \
    X(s, OBJ, healthy, "healthy", OUT, pegasus_app_health)
STRUCT(pegasus_app, PEGASUS_APP);

#define PEGASUS_APP_LINE(X, s)                            \
    X(s, I32, app_id, "app_id", OUT, -)                   \
    X(s, STR, status, "status", OUT, -)                   \
    X(s, STR, app_name, "app_name", OUT, -)               \
    X(s, STR, app_type, "app_type", OUT, -)               \
    X(s, I32, partition_count, "partition_count", OUT, -) \
    X(s, I32, replica_count, "replica_count", OUT, -)     \
    X(s, BOOL, is_stateful, "is_stateful", OUT, -)        \
    X(s, STR, create_time, "create_time", OUT, -)         \
    X(s, STR, drop_time, "drop_time", OUT, -)             \
    X(s, STR, drop_expire, "drop_expire", OUT, -)         \
    X(s, I64, envs_count, "envs_count", OUT, -)           \
    X(s, I64, create_second, "create_second", COLUMN_ONLY, -)
STRUCT(pegasus_app_line, PEGASUS_APP_LINE);

#define PEGASUS_HEALTH_LINE(X, s)                         \
    X(s, I32, app_id, "app_id", OUT, -)                   \
    X(s, STR, app_name, "app_name", OUT, -)               \
    X(s, I32, partition_count, "partition_count", OUT, -) \
    X(s, I64, fully, "fully_healthy", OUT, -)             \
    X(s, I64, unhealthy, "unhealthy", OUT, -)             \
    X(s, I64, write_unhealthy, "write_unhealthy", OUT, -) \
    X(s, I64, read_unhealthy, "read_unhealthy", OUT, -)
STRUCT(pegasus_health_line, PEGASUS_HEALTH_LINE);

#define PEGASUS_APPS_SUMMARY(X, s)                                  \
    X(s, I64, total, "total_app_count", OUT, -)                     \
    X(s, I64, fully, "fully_healthy_app_count", OUT, -)             \
    X(s, I64, unhealthy, "unhealthy_app_count", OUT, -)             \
    X(s, I64, write_unhealthy, "write_unhealthy_app_count", OUT, -) \
    X(s, I64, read_unhealthy, "read_unhealthy_app_count", OUT, -)
STRUCT(pegasus_apps_summary, PEGASUS_APPS_SUMMARY);

#define PEGASUS_APPS(X, s)                                                  \
    X(s, ROWS, general, "general_info", OUT | KEEP_EMPTY, pegasus_app_line, \
      .keyed_by = "app_id")                                                 \
    X(s, ROWS, healthy, "healthy_info", OUT, pegasus_health_line,           \
      .keyed_by = "app_id")                                                 \
    X(s, OBJ, summary, "summary", OUT, pegasus_apps_summary)
STRUCT(pegasus_apps, PEGASUS_APPS);

#define PEGASUS_CREATE(X, s)                                               \
    X(s, STR, app_name, "app_name", IN, -, .doc = "[0-9A-Za-z_.:]{1,128}") \
    X(s, I64, partition_count, "partition_count", IN, -,                   \
      .doc = "1 to 65536; default 4")                                      \
    X(s, I64, replica_count, "replica_count", IN, -,                       \
      .doc = "1 to 5; default 3")                                          \
    X(s, STR, app_type, "app_type", IN, -, .doc = "default pegasus")       \
    X(s, MAP, envs, "envs", IN, STR)                                       \
    X(s, BOOL, success_if_exist, "success_if_exist", IN, -,                \
      .doc = "default true")
STRUCT(pegasus_create, PEGASUS_CREATE);

#define PEGASUS_DROP(X, s)                                          \
    X(s, STR, app_name, "app_name", IN, -)                          \
    X(s, I64, reserve_seconds, "reserve_seconds", IN, -,            \
      .doc = "how long it can be recalled; 0: 7 days")              \
    X(s, BOOL, success_if_not_exist, "success_if_not_exist", IN, -, \
      .doc = "default true")
STRUCT(pegasus_drop, PEGASUS_DROP);

#define PEGASUS_RECALL(X, s)                          \
    X(s, I64, app_id, "app_id", IN | EMPTY_ABSENT, -) \
    X(s, STR, new_app_name, "new_app_name", IN, -,    \
      .doc = "default: the old name")
STRUCT(pegasus_recall, PEGASUS_RECALL);

#define PEGASUS_RENAME(X, s)                       \
    X(s, STR, old_app_name, "old_app_name", IN, -) \
    X(s, STR, new_app_name, "new_app_name", IN, -)
STRUCT(pegasus_rename, PEGASUS_RENAME);

#define PEGASUS_SET_MAX(X, s)                                               \
    X(s, STR, app_name, "app_name", IN, -)                                  \
    X(s, I64, max_replica_count, "max_replica_count", IN | EMPTY_ABSENT, -, \
      .doc = "1 to 5")
STRUCT(pegasus_set_max, PEGASUS_SET_MAX);

/* ---- store_table.c: reading ---- */

/* The live table of that name; NOT_FOUND. max_replica_count is that of
 * partition 0. */
enum err pegasus_store_general(struct db *db, struct arena *a, const char *name,
                               struct pegasus_general *out) MUST_USE;
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
enum err pegasus_store_alike(struct db *db, struct arena *a, bool counted,
                             struct rows *out) MUST_USE;

/* ---- store_table.c: inside a transaction ---- */

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
enum err pegasus_store_app_drop(struct db *db, struct arena *a, int32_t app_id,
                                int64_t hold_seconds, int64_t version) MUST_USE;
enum err pegasus_store_app_recall(struct db *db, int32_t app_id,
                                  const char *name, int64_t version) MUST_USE;
enum err pegasus_store_app_rename(struct db *db, int32_t app_id,
                                  const char *name, int64_t version) MUST_USE;
enum err pegasus_store_app_replicas(struct db *db, int32_t app_id,
                                    int32_t replicas, int64_t version) MUST_USE;
/* The table's changed := version, for the leader. */
enum err
pegasus_store_touch(struct db *db, int32_t app_id, int64_t version) MUST_USE;

#endif
