/* Records as the five dialects have them, for the tests of binding and
 * rendering and for the fuzz targets. Included once per program. */
#ifndef MG_TEST_SKETCHES_H
#define MG_TEST_SKETCHES_H

#include "record.h"

/* ---- Doris: objects in objects in lists, presence, 64-bit as strings ---- */

static const struct enum_name provider_names[] = {
    { "UNKONWN", -1 }, { "OSS", 0 }, { "S3", 1 }, { "COS", 2 }, { NULL, 0 },
};
static const struct enum_name type_names[] = {
    { "SQL", 0 },
    { "COMPUTE", 1 },
    { "compute", 1 },
    { NULL, 0 },
};

#define HDFS_CONF(X, s)                \
    X(s, STR, key, "key", IN | OUT, -) \
    X(s, STR, value, "value", IN | OUT, -)
STRUCT(hdfs_conf, HDFS_CONF);
TABLE(hdfs_conf, HDFS_CONF);

#define BUILD_CONF(X, s)                                            \
    X(s, STR, fs_name, "fs_name", IN | OUT, -)                      \
    X(s, STR, user, "user", IN | OUT, -)                            \
    X(s, STR, keytab, "hdfs_kerberos_keytab", IN | OUT | SECRET, -) \
    X(s, LIST, hdfs_confs, "hdfs_confs", IN | OUT, hdfs_conf)
STRUCT(build_conf, BUILD_CONF);
TABLE(build_conf, BUILD_CONF);

#define HDFS_INFO(X, s)                                       \
    X(s, OBJ, build_conf, "build_conf", IN | OUT, build_conf) \
    X(s, STR, prefix, "prefix", IN | OUT, -)
STRUCT(hdfs_info, HDFS_INFO);
TABLE(hdfs_info, HDFS_INFO);

#define OBJ_INFO(X, s)                                   \
    X(s, I64, ctime, "ctime", OUT, -)                    \
    X(s, STR, ak, "ak", IN | OUT | SECRET, -)            \
    X(s, STR, sk, "sk", IN | OUT | SECRET, -)            \
    X(s, STR, bucket, "bucket", IN | OUT, -)             \
    X(s, ENUM, provider, "provider", IN | OUT, provider) \
    X(s, BOOL, sse_enabled, "sse_enabled", IN | OUT, -)  \
    X(s, BYTES, blob, "blob", IN | OUT, -, .max = 8)
STRUCT(obj_info, OBJ_INFO);
TABLE(obj_info, OBJ_INFO);

#define VAULT(X, s)                                        \
    X(s, OBJ, hdfs_info, "hdfs_info", IN | OUT, hdfs_info) \
    X(s, OBJ, obj_info, "obj_info", IN | OUT, obj_info)
STRUCT(vault, VAULT);
TABLE(vault, VAULT);

#define CREATE_INSTANCE(X, s)                               \
    X(s, STR, instance_id, "instance_id", IN, -, .max = 64) \
    X(s, STR, name, "name", IN, -)                          \
    X(s, STR, user_id, "user_id", IN, -)                    \
    X(s, OBJ, vault, "vault", IN, vault)                    \
    X(s, OBJ, obj_info, "obj_info", IN, obj_info)           \
    X(s, BOOL, sse_enabled, "sse_enabled", IN, -)
STRUCT(create_instance, CREATE_INSTANCE);
TABLE(create_instance, CREATE_INSTANCE);

#define NODE(X, s)                                                     \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN | OUT, -)         \
    X(s, I64, ctime, "ctime", OUT, -)                                  \
    X(s, I32, heartbeat_port, "heartbeat_port", IN | OUT, -, .min = 1, \
      .max = 65535)
STRUCT(node, NODE);
TABLE(node, NODE);

#define CLUSTER(X, s)                                \
    X(s, STR, cluster_id, "cluster_id", IN | OUT, -) \
    X(s, ENUM, type, "type", IN | OUT, type)         \
    X(s, LIST, nodes, "nodes", IN | OUT, node, .max = 3)
STRUCT(cluster, CLUSTER);
TABLE(cluster, CLUSTER);

#define INSTANCE_REF(X, s)                                      \
    X(s, STR, instance_id, "instance_id", IN | QUERY | BODY, -) \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN | QUERY, -)
STRUCT(instance_ref, INSTANCE_REF);
TABLE(instance_ref, INSTANCE_REF);

#define INSTANCE(X, s)                                 \
    X(s, STR, instance_id, "instance_id", OUT, -)      \
    X(s, I64, mtime, "mtime", OUT, -)                  \
    X(s, ROWS, clusters, "clusters", OUT, cluster)     \
    X(s, LIST, obj_info, "obj_info", OUT, obj_info)    \
    X(s, LIST, resource_ids, "resource_ids", OUT, STR) \
    X(s, BOOL, sse_enabled, "sse_enabled", OUT, -)
STRUCT(instance, INSTANCE);
TABLE(instance, INSTANCE);

/* ---- Pegasus: a required member that is "" is not given ---- */

#define RECALL(X, s)                                  \
    X(s, I64, app_id, "app_id", IN | EMPTY_ABSENT, -) \
    X(s, LIST, keys, "keys", IN | EMPTY_ABSENT, STR)  \
    X(s, I64, seconds, "seconds", IN, -)
STRUCT(recall, RECALL);
TABLE(recall, RECALL);

/* ---- KunlunBase: three wire forms of one struct ---- */

#define HOSTADDR(X, s) X(s, STR, hostaddr, "hostaddr", IN | OUT, -)
STRUCT(hostaddr, HOSTADDR);
TABLE(hostaddr, HOSTADDR);

#define CREATE_CLUSTER(X, s)                          \
    X(s, STR, ha_mode, "ha_mode", IN, -)              \
    X(s, I32, shards, "shards", IN | NUM_OR_STR, -)   \
    X(s, LIST, machines, "machinelist", IN, hostaddr) \
    X(s, LIST, storage_hosts, "storage_iplists", COLUMN_ONLY, STR)
STRUCT(create_cluster, CREATE_CLUSTER);
TABLE(create_cluster, CREATE_CLUSTER);

#define CREATE_CLUSTER_PARAS(X, s)                                     \
    X(s, STR, ha_mode, "ha_mode", IN, -, .nested = "paras")            \
    X(s, I32, shards, "shards", IN | NUM_OR_STR, -, .nested = "paras", \
      .also = "shard_num")                                             \
    X(s, LIST, storage_hosts, "storage_iplists", IN, STR, .nested = "paras")
DECLARE_TABLE(create_cluster_paras);
TABLE_OF(create_cluster_paras, create_cluster, CREATE_CLUSTER_PARAS);

#define META_NODE(X, s)                          \
    X(s, STR, hostaddr, "hostaddr", IN | OUT, -) \
    X(s, STR, port, "port", IN | OUT, -)
STRUCT(meta_node, META_NODE);
TABLE(meta_node, META_NODE);

#define META_NUMBERED(X, s)                  \
    X(s, STR, result, "result", IN | OUT, -) \
    X(s, LIST, metas, "metas", IN | OUT, meta_node, .numbered = "meta")
STRUCT(meta_numbered, META_NUMBERED);
TABLE(meta_numbered, META_NUMBERED);

#define META_ARRAY(X, s)                     \
    X(s, STR, result, "result", IN | OUT, -) \
    X(s, LIST, metas, "metas", IN | OUT, meta_node)
DECLARE_TABLE(meta_array);
TABLE_OF(meta_array, meta_numbered, META_ARRAY);

/* paths0: [..], paths1: [..] */
#define PATH_LIST(X, s) X(s, LIST, v, "", IN | OUT, STR)
STRUCT(path_list, PATH_LIST);
TABLE(path_list, PATH_LIST);
#define PATH_SPACE(X, s) \
    X(s, LIST, paths, "paths", IN | OUT, path_list, .numbered = "paths")
STRUCT(path_space, PATH_SPACE);
TABLE(path_space, PATH_SPACE);

/* ---- Pegasus: every leaf a string, streamed objects by key ---- */

#define APP_REF(X, s)                      \
    X(s, STR, name, "name", IN | QUERY, -) \
    X(s, FLAG, detail, "detail", IN | QUERY, -)
STRUCT(app_ref, APP_REF);
TABLE(app_ref, APP_REF);

#define APP_GENERAL(X, s)                   \
    X(s, STR, app_name, "app_name", OUT, -) \
    X(s, I32, app_id, "app_id", OUT, -)     \
    X(s, LIST, nodes, "nodes", OUT, STR)
STRUCT(app_general, APP_GENERAL);
TABLE(app_general, APP_GENERAL);

#define REPLICA_ROW(X, s)               \
    X(s, I32, pidx, "pidx", OUT, -)     \
    X(s, I64, ballot, "ballot", OUT, -) \
    X(s, STR, primary, "primary", OUT | PRINT_UNSET, -)
STRUCT(replica_row, REPLICA_ROW);
TABLE(replica_row, REPLICA_ROW);

#define NODE_ROW(X, s)              \
    X(s, STR, node, "node", OUT, -) \
    X(s, U64, total, "total", OUT, -)
STRUCT(node_row, NODE_ROW);
TABLE(node_row, NODE_ROW);

#define APP(X, s)                                                              \
    X(s, OBJ, general, "general", OUT, app_general)                            \
    X(s, ROWS, replicas, "replicas", OUT | KEEP_EMPTY, replica_row,            \
      .keyed_by = "pidx")                                                      \
    X(s, LIST, nodes, "nodes", OUT | KEEP_EMPTY, node_row, .keyed_by = "node") \
    X(s, F64, rate, "rate", OUT, -)
STRUCT(app, APP);
TABLE(app, APP);

/* ---- TiCDC: absent, empty and null are three things ---- */

#define DISPATCHER(X, s)                             \
    X(s, LIST, matcher, "matcher", IN | OUT, STR)    \
    X(s, STR, dispatcher, "dispatcher", IN | OUT, -) \
    X(s, STR, partition, "partition", IN | OUT, -)
STRUCT(dispatcher, DISPATCHER);
TABLE(dispatcher, DISPATCHER);

#define CSV(X, s)                                  \
    X(s, STR, delimiter, "delimiter", IN | OUT, -) \
    X(s, BOOL, commit_ts, "include-commit-ts", IN | OUT, -)
STRUCT(csv, CSV);
TABLE(csv, CSV);

#define OPERATIONS(X, s)                      \
    X(s, BOOL, remove, "delete", IN | OUT, -) \
    X(s, U64, ts, "ts", IN | OUT, -)
STRUCT(operations, OPERATIONS);
TABLE(operations, OPERATIONS);
MAP_OF(operations);

#define SINK_CONFIG(X, s)                                             \
    X(s, LIST, dispatchers, "dispatchers", IN | OUT, dispatcher)      \
    X(s, STR, protocol, "protocol", IN | OUT, -)                      \
    X(s, STR, atomicity, "transaction-atomicity", IN | OUT, -)        \
    X(s, I32, index_digit, "file-index-digit", IN | OUT, -, .min = 6, \
      .max = 20)                                                      \
    X(s, OBJ, csv, "csv", IN | OUT, csv)                              \
    X(s, LIST, ignored, "ignore_txn_start_ts", IN | OUT, U64)         \
    X(s, MAP, properties, "properties", IN | OUT, STR, .max = 2)      \
    X(s, MAP, operations, "table_operations", IN | OUT | KEEP_EMPTY,  \
      operations)                                                     \
    X(s, JSON, memo, "memo", IN | OUT, -)                             \
    X(s, STR, error, "error", OUT | NULL_WHEN_ABSENT, -)              \
    X(s, F64, ratio, "ratio", IN | OUT, -)                            \
    X(s, JSON, original, "", IN, -)
STRUCT(sink_config, SINK_CONFIG);
TABLE(sink_config, SINK_CONFIG);

/* A reply that is an array, and a record inside another one's object. */
#define FEED(X, s)                   \
    X(s, STR, id, "id", IN | OUT, -) \
    X(s, OBJ, csv, "", IN | OUT, csv)
STRUCT(feed, FEED);
TABLE(feed, FEED);
#define FEEDS(X, s) X(s, LIST, v, "", IN | OUT, feed)
STRUCT(feeds, FEEDS);
TABLE(feeds, FEEDS);
#define FEED_STREAM(X, s) X(s, ROWS, v, "", OUT, feed)
STRUCT(feed_stream, FEED_STREAM);
TABLE(feed_stream, FEED_STREAM);

#endif
