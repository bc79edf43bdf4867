/* Tables: as they are asked for and printed, and the forms that change them. */
#ifndef PEGASUS_TABLE_H
#define PEGASUS_TABLE_H

#include "record.h"
#include "req.h"

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

#endif
