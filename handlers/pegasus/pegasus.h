/* Pegasus MetaServer and ReplicaServer over HTTP: the nouns, as they are
 * asked for and printed. What decides is declared in state.h. */
#ifndef PEGASUS_H
#define PEGASUS_H

#include "profiler.h"
#include "record.h"
#include "req.h"

extern const struct form pegasus_form;         /* text errors */
extern const struct form pegasus_outcome_form; /* a form's refused operation */

/* ---- server ---- */

#define PEGASUS_VERSION_(X, s)            \
    X(s, STR, version, "Version", OUT, -) \
    X(s, STR, commit, "GitCommit", OUT, -)
STRUCT(pegasus_version, PEGASUS_VERSION_);

#define PEGASUS_START(X, s) X(s, STR, start, "RecentStartTime", OUT, -)
STRUCT(pegasus_start, PEGASUS_START);

/* An object with names of its own: help, envs. */
#define PEGASUS_TEXTS(X, s) X(s, MAP, pairs, "", OUT, STR)
STRUCT(pegasus_texts, PEGASUS_TEXTS);

#define PEGASUS_METRICS_REF(X, s)                                      \
    X(s, STR, fields, "with_metric_fields", IN | QUERY, -,             \
      .doc = "name, type, unit, desc, value")                          \
    X(s, STR, types, "types", IN | QUERY, -, .doc = "server, table")   \
    X(s, STR, ids, "ids", IN | QUERY, -, .doc = "server, table_2")     \
    X(s, STR, attributes, "attributes", IN | QUERY, -,                 \
      .doc = "table_id,2: one of the pairs")                           \
    X(s, STR, metrics, "metrics", IN | QUERY, -, .doc = "their names") \
    X(s, STR, detail, "detail", IN | QUERY, -,                         \
      .doc = "true: all fields; default name and value")
STRUCT(pegasus_metrics_ref, PEGASUS_METRICS_REF);

/* ---- tables, read ---- */

#define PEGASUS_APP_REF(X, s)                                  \
    X(s, STR, name, "name", IN | QUERY, -, .doc = "the table") \
    X(s, FLAG, detail, "detail", IN | QUERY, -, .doc = "more of it")
STRUCT(pegasus_app_ref, PEGASUS_APP_REF);

#define PEGASUS_LIST_REF(X, s) \
    X(s, FLAG, detail, "detail", IN | QUERY, -, .doc = "more of it")
STRUCT(pegasus_list_ref, PEGASUS_LIST_REF);

#define PEGASUS_ENVS_REF(X, s) \
    X(s, STR, name, "name", IN | QUERY, -, .doc = "the table")
STRUCT(pegasus_envs_ref, PEGASUS_ENVS_REF);

#define PEGASUS_DDD_REF(X, s)                  \
    X(s, STR, app_id, "app_id", IN | QUERY, -, \
      .doc = "one table's only; -1: all")
STRUCT(pegasus_ddd_ref, PEGASUS_DDD_REF);

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

/* ---- cluster and nodes, read ---- */

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

#define PEGASUS_NODE_LINE(X, s)                       \
    X(s, STR, address, "address", OUT, -)             \
    X(s, STR, status, "status", OUT, -)               \
    X(s, I64, replica_count, "replica_count", OUT, -) \
    X(s, I64, primary_count, "primary_count", OUT, -) \
    X(s, I64, secondary_count, "secondary_count", OUT, -)
STRUCT(pegasus_node_line, PEGASUS_NODE_LINE);

#define PEGASUS_NODES_SUMMARY(X, s)              \
    X(s, I64, total, "total_node_count", OUT, -) \
    X(s, I64, alive, "alive_node_count", OUT, -) \
    X(s, I64, unalive, "unalive_node_count", OUT, -)
STRUCT(pegasus_nodes_summary, PEGASUS_NODES_SUMMARY);

#define PEGASUS_NODES(X, s)                                             \
    X(s, LIST, details, "details", OUT | KEEP_EMPTY, pegasus_node_line, \
      .keyed_by = "address")                                            \
    X(s, OBJ, summary, "summary", OUT, pegasus_nodes_summary)
STRUCT(pegasus_nodes, PEGASUS_NODES);

/* Partitions that no rule can give a primary, and what their last members
 * have said. */
#define PEGASUS_DDD_LINE(X, s)                    \
    X(s, STR, gpid, "gpid", OUT, -)               \
    X(s, STR, app_name, "app_name", OUT, -)       \
    X(s, I64, ballot, "ballot", OUT, -)           \
    X(s, STR, secondaries, "secondaries", OUT, -) \
    X(s, STR, last_drops, "last_drops", OUT, -)   \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -)   \
    X(s, I32, pidx, "pidx", COLUMN_ONLY, -)
STRUCT(pegasus_ddd_line, PEGASUS_DDD_LINE);

#define PEGASUS_DDD(X, s)                                                    \
    X(s, LIST, partitions, "partitions", OUT | KEEP_EMPTY, pegasus_ddd_line, \
      .keyed_by = "gpid")                                                    \
    X(s, STR, count, "total_count", OUT, -)
STRUCT(pegasus_ddd, PEGASUS_DDD);

/* ---- forms ---- */

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

#define PEGASUS_ENVS_SET(X, s)             \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, MAP, envs, "envs", IN | EMPTY_ABSENT, STR)
STRUCT(pegasus_envs_set, PEGASUS_ENVS_SET);

#define PEGASUS_ENVS_DEL(X, s)             \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, LIST, keys, "keys", IN | EMPTY_ABSENT, STR)
STRUCT(pegasus_envs_del, PEGASUS_ENVS_DEL);

#define PEGASUS_ENVS_CLEAR(X, s)           \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, STR, prefix, "prefix", IN, -, .doc = "default: all")
STRUCT(pegasus_envs_clear, PEGASUS_ENVS_CLEAR);

#define PEGASUS_COMPACT(X, s)                                           \
    X(s, STR, app_name, "app_name", IN, -)                              \
    X(s, STR, type, "type", IN, -, .doc = "once or periodic")           \
    X(s, I64, target_level, "target_level", IN, -, .doc = "default -1") \
    X(s, STR, bottommost, "bottommost_level_compaction", IN, -,         \
      .doc = "skip (default) or force")                                 \
    X(s, I64, running, "max_concurrent_running_count", IN, -,           \
      .doc = "0: no limit")                                             \
    X(s, STR, trigger_time, "trigger_time", IN, -, .doc = "periodic: HH:MM,...")
STRUCT(pegasus_compact, PEGASUS_COMPACT);

#define PEGASUS_SCENARIO(X, s)             \
    X(s, STR, app_name, "app_name", IN, -) \
    X(s, STR, scenario, "scenario", IN, -, .doc = "normal or bulk_load")
STRUCT(pegasus_scenario, PEGASUS_SCENARIO);

#define PEGASUS_SET_LEVEL(X, s)      \
    X(s, STR, level, "level", IN, -, \
      .doc = "stopped, blind, freezed, steady or lively")
STRUCT(pegasus_set_level, PEGASUS_SET_LEVEL);

#define PEGASUS_BALANCE(X, s)                                                \
    X(s, STR, gpid, "gpid", IN, -, .doc = "\"2.0\": table id and partition") \
    X(s, STR, type, "type", IN, -, .doc = "move_pri, copy_pri or copy_sec")  \
    X(s, STR, from, "from", IN, -)                                           \
    X(s, STR, to, "to", IN, -)
STRUCT(pegasus_balance, PEGASUS_BALANCE);

#define PEGASUS_PROPOSE(X, s)                                                  \
    X(s, STR, gpid, "gpid", IN, -)                                             \
    X(s, STR, type, "type", IN, -, .doc = "ASSIGN_PRIMARY, ADD_SECONDARY ...") \
    X(s, STR, target, "target", IN, -, .doc = "the primary that is told")      \
    X(s, STR, node, "node", IN, -)                                             \
    X(s, BOOL, force, "force", IN, -, .doc = "do not wait for the tick")
STRUCT(pegasus_propose, PEGASUS_PROPOSE);

#define PEGASUS_BEACON(X, s)                                  \
    X(s, STR, address, "address", IN, -,                      \
      .doc = "host:port of the replica server")               \
    X(s, I64, start_time, "start_time", IN | EMPTY_ABSENT, -, \
      .doc = "of its process, unix ms")
STRUCT(pegasus_beacon, PEGASUS_BEACON);

#define PEGASUS_REPORT(X, s)                 \
    X(s, STR, gpid, "gpid", IN, -)           \
    X(s, I64, ballot, "ballot", IN, -)       \
    X(s, I64, committed, "committed", IN, -) \
    X(s, I64, prepared, "prepared", IN, -)   \
    X(s, STR, disk_tag, "disk_tag", IN, -)   \
    X(s, STR, status, "status", IN, -)
STRUCT(pegasus_report, PEGASUS_REPORT);

#define PEGASUS_SYNC(X, s)               \
    X(s, STR, address, "address", IN, -) \
    X(s, LIST, replicas, "replicas", IN, pegasus_report)
STRUCT(pegasus_sync, PEGASUS_SYNC);

#define PEGASUS_UPDATE(X, s)                          \
    X(s, STR, gpid, "gpid", IN, -)                    \
    X(s, STR, type, "type", IN, -)                    \
    X(s, STR, node, "node", IN, -)                    \
    X(s, I64, ballot, "ballot", IN | EMPTY_ABSENT, -, \
      .doc = "the one to be reached")
STRUCT(pegasus_update, PEGASUS_UPDATE);

/* What an operation came to; members behind the first two only with ERR_OK. */
#define PEGASUS_OUTCOME(X, s)                                         \
    X(s, STR, error, "error", OUT, -)                                 \
    X(s, STR, hint, "hint_message", OUT, -)                           \
    X(s, I32, app_id, "app_id", OUT, -)                               \
    X(s, STR, app_name, "app_name", OUT, -)                           \
    X(s, I32, old_max_replica_count, "old_max_replica_count", OUT, -) \
    X(s, STR, old_level, "old_level", OUT, -)                         \
    X(s, BOOL, allowed, "allowed", OUT, -)                            \
    X(s, BOOL, is_master, "is_master", OUT, -)                        \
    X(s, STR, primary_node, "primary_node", OUT, -)                   \
    X(s, I64, time, "time", OUT, -)                                   \
    X(s, STR, partitions, "partitions", OUT, -)                       \
    X(s, I64, ballot, "ballot", OUT, -)
STRUCT(pegasus_outcome, PEGASUS_OUTCOME);

#define ENDPOINT_FILE "pegasus/endpoints.def"
#define ERROR_FILE    "pegasus/errors.def"
#include "endpoint_protos.h"

/* ---- a replica server's own view ---- */

#define PEGASUS_HELD(X, s)                  \
    X(s, STR, gpid, "gpid", OUT, -)         \
    X(s, STR, app_name, "app_name", OUT, -) \
    X(s, STR, role, "role", OUT, -)         \
    X(s, I64, ballot, "ballot", OUT, -)
STRUCT(pegasus_held, PEGASUS_HELD);

#define PEGASUS_REPLICA_INFO(X, s)                                   \
    X(s, STR, address, "address", OUT, -)                            \
    X(s, STR, status, "status", OUT, -)                              \
    X(s, STR, beacon_age, "last_beacon_age_ms", OUT, -)              \
    X(s, ROWS, replicas, "replicas", OUT | KEEP_EMPTY, pegasus_held, \
      .keyed_by = "gpid")
STRUCT(pegasus_replica_info, PEGASUS_REPLICA_INFO);

#define PEGASUS_ENV_LINE(X, s)                  \
    X(s, STR, key, "key", OUT, -)               \
    X(s, STR, type, "type", OUT, -)             \
    X(s, STR, limitation, "limitation", OUT, -) \
    X(s, STR, sample, "sample", OUT, -)
STRUCT(pegasus_env_line, PEGASUS_ENV_LINE);

#define PEGASUS_ENV_LIST(X, s) \
    X(s, LIST, envs, "", OUT, pegasus_env_line, .keyed_by = "key")
STRUCT(pegasus_env_list, PEGASUS_ENV_LIST);

/* ---- outcome.c ---- */

/* {"error":"ERR_OK","hint_message":""}; the caller adds members. NULL without
 * memory. */
struct pegasus_outcome *pegasus_done(struct req *r);
/* Sends it. */
enum err pegasus_send(struct req *r, struct pegasus_outcome *out) MUST_USE;
/* Refusals with a sentence. */
enum err pegasus_invalid(struct req *r, const char *why) MUST_USE;
/* "2.0" to table and partition; false when it is no gpid. */
bool pegasus_gpid(const char *text, int32_t *app_id, int32_t *pidx);
/* Whether text is a host:port that a node may have. */
bool pegasus_is_address(const char *text);

/* ---- node.c ---- */

/* cluster_root of the configuration, or its default; NULL without memory. */
const char *pegasus_cluster_root(struct arena *a);

/* ---- metas.c: who is who ---- */

/* The i-th meta's address (0: m1) as clients know it; NULL past the last. In
 * the arena. */
const char *pegasus_meta_address(struct arena *a, size_t i);
/* All of them, joined by commas. */
const char *pegasus_meta_list(struct arena *a);
/* Its base URL for redirects. */
const char *pegasus_meta_url(struct arena *a, size_t i);
/* Number of "m1" in that list: 0; -1 when it is none. */
int pegasus_meta_index(const char *id);
/* The address of replica server "r1"; NULL without memory. */
const char *pegasus_replica_address(struct arena *a, const char *tail);
/* The address of the replica server that belongs to machine NET.k, or, for a
 * machine of another network, "" . */
const char *pegasus_replica_of(struct arena *a, const char *machine);

#endif
