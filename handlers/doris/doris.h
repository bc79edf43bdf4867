/* The nouns of the Doris Meta Service: what requests bring, what the store
 * keeps, what replies show. The order of members is the order of output
 * (protobuf field numbers). Whatever a request may leave out has a presence
 * bit, which survives in the store as NULL: a member given as "" or 0 is
 * printed again, one never given is not. */
#ifndef MG_DORIS_H
#define MG_DORIS_H

#include "record.h"
#include "req.h"
#include "doris/data/rpc.h"
#include "doris/ops/store_recycle.h"

/* ---- enumerations ---- */

enum doris_instance_status { DORIS_NORMAL, DORIS_DELETED, DORIS_OVERDUE };
extern const struct enum_name doris_instance_status_names[];

enum doris_cluster_type { DORIS_SQL, DORIS_COMPUTE, DORIS_VIRTUAL };
extern const struct enum_name doris_cluster_type_names[];

enum doris_cluster_status {
    DORIS_STATUS_UNKNOWN,
    DORIS_STATUS_NORMAL,
    DORIS_STATUS_SUSPENDED,
    DORIS_STATUS_TO_RESUME,
    DORIS_STATUS_MANUAL_SHUTDOWN,
    DORIS_STATUS__MAX
};
extern const struct enum_name doris_cluster_status_names[];

enum doris_node_status {
    DORIS_NODE_UNKNOWN,
    DORIS_NODE_RUNNING,
    DORIS_NODE_SHUTDOWN,
    DORIS_NODE_DECOMMISSIONING,
    DORIS_NODE_DECOMMISSIONED
};
extern const struct enum_name doris_node_status_names[];

enum doris_node_type {
    DORIS_NODE_TYPE_UNKNOWN,
    DORIS_FE_MASTER,
    DORIS_FE_OBSERVER,
    DORIS_FE_FOLLOWER
};
extern const struct enum_name doris_node_type_names[];

enum doris_provider { DORIS_PROVIDER_UNKNOWN = -1, DORIS_OSS, DORIS_S3 };
extern const struct enum_name doris_provider_names[];

enum doris_cred {
    DORIS_CRED_DEFAULT = 1,
    DORIS_CRED_SIMPLE,
    DORIS_CRED_INSTANCE_PROFILE
};
extern const struct enum_name doris_cred_names[];

enum doris_policy_type { DORIS_ACTIVE_STANDBY };
extern const struct enum_name doris_policy_type_names[];

/* Numbers of Doris: a client may send them, and 1 is its DROP. */
enum doris_status_op { DORIS_SET_OVERDUE = 6, DORIS_SET_NORMAL = 7 };
extern const struct enum_name doris_status_op_names[];

/* ---- bounds of what a client names; Doris has none ---- */

#define DORIS_ID_BYTES   255    /* ids and names of instance and cluster */
#define DORIS_CUID_BYTES 512    /* cloud_unique_id */
#define DORIS_TEXT_BYTES 1024   /* endpoints, buckets, descriptions */
#define DORIS_OBJ_BYTES  65536  /* of object stores: doris_obj_size decides */
#define DORIS_NODES      4096   /* nodes of one request */
#define DORIS_USERS      1024   /* mysql_user_name of one request */
#define DORIS_CLUSTERS   100000 /* clusters of an instance in one listing */

/* ---- nodes and clusters ---- */

#define DORIS_NODE(X, s)                                                \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN | OUT, -,          \
      .max = DORIS_CUID_BYTES)                                          \
    X(s, STR, name, "name", IN | OUT, -, .max = DORIS_ID_BYTES)         \
    X(s, STR, ip, "ip", IN | OUT, -, .max = DORIS_ID_BYTES)             \
    X(s, STR, vpc_name, "vpc_name", IN | OUT, -, .max = DORIS_ID_BYTES) \
    X(s, I64, ctime, "ctime", IN | OUT, -)                              \
    X(s, I64, mtime, "mtime", IN | OUT, -)                              \
    X(s, ENUM, status, "status", IN | OUT, doris_node_status)           \
    X(s, I32, heartbeat_port, "heartbeat_port", IN | OUT, -, .min = 0,  \
      .max = 65535)                                                     \
    X(s, STR, desc, "desc", IN | OUT, -, .max = DORIS_TEXT_BYTES,       \
      .column = "description")                                          \
    X(s, I32, edit_log_port, "edit_log_port", IN | OUT, -, .min = 0,    \
      .max = 65535)                                                     \
    X(s, ENUM, node_type, "node_type", IN | OUT, doris_node_type)       \
    X(s, BOOL, is_smooth_upgrade, "is_smooth_upgrade", IN | OUT, -)     \
    X(s, STR, host, "host", IN | OUT, -, .max = DORIS_ID_BYTES)         \
    X(s, STR, public_endpoint, "public_endpoint", IN | OUT, -,          \
      .max = DORIS_TEXT_BYTES)                                          \
    X(s, STR, private_endpoint, "private_endpoint", IN | OUT, -,        \
      .max = DORIS_TEXT_BYTES)
STRUCT(doris_node, DORIS_NODE);

/* How a virtual cluster fails over between its two members. */
#define DORIS_POLICY(X, s)                                                    \
    X(s, ENUM, type, "type", IN | OUT, doris_policy_type)                     \
    X(s, STR, active_cluster_name, "active_cluster_name", IN | OUT, -,        \
      .max = DORIS_ID_BYTES)                                                  \
    X(s, LIST, standby_cluster_names, "standby_cluster_names", IN | OUT, STR, \
      .max = 16)                                                              \
    X(s, I64, failover_failure_threshold, "failover_failure_threshold",       \
      IN | OUT, -)                                                            \
    X(s, I64, unhealthy_node_threshold_percent,                               \
      "unhealthy_node_threshold_percent", IN | OUT, -)                        \
    X(s, LIST, cache_warmup_jobids, "cache_warmup_jobids", IN | OUT, STR,     \
      .max = 64)
STRUCT(doris_policy, DORIS_POLICY);

#define DORIS_CLUSTER(X, s)                                                 \
    X(s, STR, cluster_id, "cluster_id", IN | OUT, -, .max = DORIS_ID_BYTES) \
    X(s, STR, cluster_name, "cluster_name", IN | OUT, -,                    \
      .max = DORIS_ID_BYTES)                                                \
    X(s, ENUM, type, "type", IN | OUT, doris_cluster_type)                  \
    X(s, STR, desc, "desc", IN | OUT, -, .max = DORIS_TEXT_BYTES,           \
      .column = "description")                                              \
    X(s, LIST, nodes, "nodes", IN | OUT, doris_node, .max = DORIS_NODES)    \
    X(s, LIST, mysql_user_name, "mysql_user_name", IN | OUT, STR,           \
      .max = DORIS_USERS)                                                   \
    X(s, STR, public_endpoint, "public_endpoint", IN | OUT, -,              \
      .max = DORIS_TEXT_BYTES)                                              \
    X(s, STR, private_endpoint, "private_endpoint", IN | OUT, -,            \
      .max = DORIS_TEXT_BYTES)                                              \
    X(s, ENUM, cluster_status, "cluster_status", IN | OUT,                  \
      doris_cluster_status)                                                 \
    X(s, I64, ctime, "ctime", IN | OUT, -)                                  \
    X(s, I64, mtime, "mtime", IN | OUT, -)                                  \
    X(s, LIST, cluster_names, "cluster_names", IN | OUT, STR, .max = 16)    \
    X(s, OBJ, cluster_policy, "cluster_policy", IN | OUT, doris_policy)     \
    X(s, MAP, properties, "properties", IN | OUT, STR, .max = 256)
STRUCT(doris_cluster, DORIS_CLUSTER);

/* ---- object stores, vaults ---- */

#define DORIS_OBJ(X, s)                                                        \
    X(s, I64, ctime, "ctime", IN | OUT, -)                                     \
    X(s, I64, mtime, "mtime", IN | OUT, -)                                     \
    X(s, STR, id, "id", IN | OUT, -, .max = 32)                                \
    X(s, STR, ak, "ak", IN | OUT | SECRET, -, .max = DORIS_OBJ_BYTES)          \
    X(s, STR, sk, "sk", IN | OUT | SECRET, -, .max = DORIS_OBJ_BYTES)          \
    X(s, STR, bucket, "bucket", IN | OUT, -, .max = DORIS_OBJ_BYTES)           \
    X(s, STR, prefix, "prefix", IN | OUT, -, .max = DORIS_OBJ_BYTES)           \
    X(s, STR, endpoint, "endpoint", IN | OUT, -, .max = DORIS_OBJ_BYTES)       \
    X(s, STR, region, "region", IN | OUT, -, .max = DORIS_OBJ_BYTES)           \
    X(s, ENUM, provider, "provider", IN | OUT, doris_provider)                 \
    X(s, STR, external_endpoint, "external_endpoint", IN | OUT, -,             \
      .max = DORIS_OBJ_BYTES)                                                  \
    X(s, STR, user_id, "user_id", IN | OUT, -, .max = DORIS_OBJ_BYTES)         \
    X(s, BOOL, sse_enabled, "sse_enabled", IN | OUT, -)                        \
    X(s, BOOL, use_path_style, "use_path_style", IN | OUT, -)                  \
    X(s, ENUM, cred_provider_type, "cred_provider_type", IN | OUT, doris_cred) \
    X(s, STR, role_arn, "role_arn", IN | OUT, -, .max = DORIS_OBJ_BYTES)       \
    X(s, STR, external_id, "external_id", IN | OUT, -, .max = DORIS_OBJ_BYTES)
STRUCT(doris_obj, DORIS_OBJ);

#define DORIS_HDFS_CONF(X, s)          \
    X(s, STR, key, "key", IN | OUT, -) \
    X(s, STR, value, "value", IN | OUT, -)
STRUCT(doris_hdfs_conf, DORIS_HDFS_CONF);

#define DORIS_HDFS_BUILD(X, s)                                                 \
    X(s, STR, fs_name, "fs_name", IN | OUT, -)                                 \
    X(s, STR, user, "user", IN | OUT, -)                                       \
    X(s, STR, hdfs_kerberos_principal, "hdfs_kerberos_principal", IN | OUT, -) \
    X(s, STR, hdfs_kerberos_keytab, "hdfs_kerberos_keytab", IN | OUT, -)       \
    X(s, LIST, hdfs_confs, "hdfs_confs", IN | OUT, doris_hdfs_conf, .max = 1024)
STRUCT(doris_hdfs_build, DORIS_HDFS_BUILD);

#define DORIS_HDFS(X, s)                                            \
    X(s, OBJ, build_conf, "build_conf", IN | OUT, doris_hdfs_build) \
    X(s, STR, prefix, "prefix", IN | OUT, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_hdfs, DORIS_HDFS);

/* In the store a vault's body is JSON (hdfs_conf, obj_conf) and its keys lie
 * beside it, sealed. */
#define DORIS_VAULT(X, s)                                             \
    X(s, STR, id, "id", IN | OUT, -, .max = 32)                       \
    X(s, STR, name, "name", IN | OUT, -, .max = DORIS_ID_BYTES)       \
    X(s, OBJ, hdfs_info, "hdfs_info", IN | OUT, doris_hdfs)           \
    X(s, OBJ, obj_info, "obj_info", IN | OUT, doris_obj)              \
    X(s, STR, alter_name, "alter_name", IN, -, .max = DORIS_ID_BYTES) \
    X(s, STR, hdfs_conf, "hdfs_conf", COLUMN_ONLY, -)                 \
    X(s, STR, obj_conf, "obj_conf", COLUMN_ONLY, -)                   \
    X(s, STR, ak, "ak", COLUMN_ONLY | SECRET, -)                      \
    X(s, STR, sk, "sk", COLUMN_ONLY | SECRET, -)
STRUCT(doris_vault, DORIS_VAULT);

/* ---- stages ---- */

#define DORIS_STAGE(X, s)                                                   \
    X(s, ENUM, type, "type", IN | OUT, doris_stage_type)                    \
    X(s, LIST, mysql_user_name, "mysql_user_name", IN | OUT, STR, .max = 1) \
    X(s, STR, name, "name", IN | OUT, -, .max = DORIS_ID_BYTES)             \
    X(s, OBJ, obj_info, "obj_info", IN | OUT, doris_obj)                    \
    X(s, STR, stage_id, "stage_id", IN | OUT, -, .max = DORIS_ID_BYTES)     \
    X(s, MAP, properties, "properties", IN | OUT, STR, .max = 256)          \
    X(s, LIST, mysql_user_id, "mysql_user_id", IN | OUT, STR, .max = 1)     \
    X(s, STR, comment, "comment", IN | OUT, -, .max = DORIS_TEXT_BYTES)     \
    X(s, I64, create_time, "create_time", IN | OUT, -)                      \
    X(s, ENUM, access_type, "access_type", IN | OUT, doris_stage_access)    \
    X(s, STR, role_name, "role_name", IN | OUT, -, .max = DORIS_TEXT_BYTES) \
    X(s, STR, arn, "arn", IN | OUT, -, .max = DORIS_TEXT_BYTES)             \
    X(s, STR, external_id, "external_id", IN | OUT, -,                      \
      .max = DORIS_TEXT_BYTES)                                              \
    X(s, STR, body, "body", COLUMN_ONLY, -)                                 \
    X(s, STR, ak, "ak", COLUMN_ONLY | SECRET, -)                            \
    X(s, STR, sk, "sk", COLUMN_ONLY | SECRET, -)
STRUCT(doris_stage, DORIS_STAGE);

/* A dropped one, as Doris keeps it for its recycler. */
#define DORIS_STAGE_RECYCLE(X, s)                 \
    X(s, STR, instance_id, "instance_id", OUT, -) \
    X(s, STR, reason, "reason", OUT, -)           \
    X(s, OBJ, stage, "stage", OUT, doris_stage)   \
    X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_stage_recycle, DORIS_STAGE_RECYCLE);

#define DORIS_CREATE_STAGE(X, s) \
    RPC_CUID(X, s)               \
    X(s, OBJ, stage, "stage", IN, doris_stage)
STRUCT(doris_create_stage, DORIS_CREATE_STAGE);

/* get_stage and drop_stage */
#define DORIS_STAGE_REF(X, s)                                               \
    RPC_CUID(X, s)                                                          \
    X(s, STR, stage_name, "stage_name", IN, -, .max = DORIS_ID_BYTES)       \
    X(s, STR, mysql_user_name, "mysql_user_name", IN, -,                    \
      .max = DORIS_ID_BYTES)                                                \
    X(s, ENUM, type, "type", IN, doris_stage_type)                          \
    X(s, STR, mysql_user_id, "mysql_user_id", IN, -, .max = DORIS_ID_BYTES) \
    X(s, STR, reason, "reason", IN, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_stage_ref, DORIS_STAGE_REF);

#define DORIS_STAGE_LIST(X, s) X(s, LIST, stage, "stage", OUT, doris_stage)
STRUCT(doris_stage_list, DORIS_STAGE_LIST);

/* ---- instances ---- */

#define DORIS_USER(X, s)                                                \
    X(s, STR, user_id, "user_id", IN | OUT, -, .max = DORIS_TEXT_BYTES) \
    X(s, STR, ak, "ak", IN | OUT | SECRET, -, .max = DORIS_TEXT_BYTES)  \
    X(s, STR, sk, "sk", IN | OUT | SECRET, -, .max = DORIS_TEXT_BYTES)  \
    X(s, STR, external_id, "external_id", IN | OUT, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_user, DORIS_USER);

/* A cluster as its rendered text (the column doc). */
#define DORIS_DOC(X, s) X(s, JSON, doc, "", OUT, -, .column = "doc")
STRUCT(doris_doc, DORIS_DOC);

/* One that was searched for, and where it was found. */
#define DORIS_FOUND_DOC(X, s)              \
    X(s, JSON, doc, "doc", COLUMN_ONLY, -) \
    X(s, STR, instance_id, "instance_id", COLUMN_ONLY, -)
STRUCT(doris_found_doc, DORIS_FOUND_DOC);

#define DORIS_INSTANCE(X, s)                                                 \
    X(s, STR, user_id, "user_id", OUT, -)                                    \
    X(s, STR, instance_id, "instance_id", OUT, -)                            \
    X(s, STR, name, "name", OUT, -)                                          \
    X(s, I64, ctime, "ctime", OUT, -)                                        \
    X(s, I64, mtime, "mtime", OUT, -)                                        \
    X(s, ROWS, clusters, "clusters", OUT, doris_doc)                         \
    X(s, LIST, obj_info, "obj_info", OUT, doris_obj)                         \
    X(s, LIST, stages, "stages", OUT, doris_stage)                           \
    X(s, ENUM, status, "status", OUT, doris_instance_status)                 \
    X(s, OBJ, ram_user, "ram_user", OUT, doris_user)                         \
    X(s, BOOL, sse_enabled, "sse_enabled", OUT, -)                           \
    X(s, LIST, resource_ids, "resource_ids", OUT, STR)                       \
    X(s, LIST, storage_vault_names, "storage_vault_names", OUT, STR)         \
    X(s, STR, default_storage_vault_id, "default_storage_vault_id", OUT, -)  \
    X(s, STR, default_storage_vault_name, "default_storage_vault_name", OUT, \
      -)                                                                     \
    X(s, BOOL, enable_storage_vault, "enable_storage_vault", OUT, -)         \
    X(s, STR, ram_user_id, "ram_user_id", COLUMN_ONLY, -)                    \
    X(s, STR, ram_ak, "ram_ak", COLUMN_ONLY | SECRET, -)                     \
    X(s, STR, ram_sk, "ram_sk", COLUMN_ONLY | SECRET, -)                     \
    X(s, STR, ram_external_id, "ram_external_id", COLUMN_ONLY, -)
STRUCT(doris_instance, DORIS_INSTANCE);

#define DORIS_CREATE_INSTANCE(X, s)                                     \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES) \
    X(s, STR, user_id, "user_id", IN, -, .max = DORIS_TEXT_BYTES)       \
    X(s, STR, name, "name", IN, -, .max = DORIS_TEXT_BYTES)             \
    X(s, OBJ, obj_info, "obj_info", IN, doris_obj)                      \
    X(s, OBJ, ram_user, "ram_user", IN, doris_user)                     \
    X(s, BOOL, sse_enabled, "sse_enabled", IN, -)                       \
    X(s, OBJ, vault, "vault", IN, doris_vault)
STRUCT(doris_create_instance, DORIS_CREATE_INSTANCE);

/* Operations on an instance as a whole, by its id. */
#define DORIS_INSTANCE_ID(X, s) \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES)
STRUCT(doris_instance_id, DORIS_INSTANCE_ID);

#define DORIS_GET_INSTANCE(X, s)                                        \
    X(s, STR, instance_id, "instance_id", IN | QUERY | BODY, -,         \
      .max = DORIS_ID_BYTES)                                            \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN | QUERY | BODY, -, \
      .max = DORIS_CUID_BYTES)
STRUCT(doris_get_instance, DORIS_GET_INSTANCE);

#define DORIS_RENAME_INSTANCE(X, s)                                     \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES) \
    X(s, STR, name, "name", IN, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_rename_instance, DORIS_RENAME_INSTANCE);

#define DORIS_SET_INSTANCE_STATUS(X, s)                                 \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES) \
    X(s, ENUM, op, "op", IN, doris_status_op)
STRUCT(doris_set_instance_status, DORIS_SET_INSTANCE_STATUS);

/* ---- listing of instances ---- */

#define DORIS_LIST_INSTANCES(X, s)                                         \
    X(s, STR, after, "after", IN | QUERY | BODY, -, .max = DORIS_ID_BYTES) \
    X(s, I32, limit, "limit", IN | QUERY | BODY, -, .min = 1, .max = 1000) \
    X(s, STR, status, "status", IN | QUERY | BODY, -, .max = 16)
STRUCT(doris_list_instances, DORIS_LIST_INSTANCES);

#define DORIS_INSTANCE_LINE(X, s)                            \
    X(s, STR, instance_id, "instance_id", OUT, -)            \
    X(s, STR, name, "name", OUT, -)                          \
    X(s, STR, user_id, "user_id", OUT, -)                    \
    X(s, ENUM, status, "status", OUT, doris_instance_status) \
    X(s, I64, ctime, "ctime", OUT, -)                        \
    X(s, I64, mtime, "mtime", OUT, -)
STRUCT(doris_instance_line, DORIS_INSTANCE_LINE);

#define DORIS_INSTANCE_PAGE(X, s)                                             \
    X(s, LIST, instances, "instances", OUT | KEEP_EMPTY, doris_instance_line) \
    X(s, STR, next, "next", OUT, -)
STRUCT(doris_instance_page, DORIS_INSTANCE_PAGE);

/* ---- hosts: service.c ---- */

#define DORIS_SERVICE(X, s)               \
    X(s, STR, host, "host", OUT, -)       \
    X(s, STR, address, "address", OUT, -) \
    X(s, STR, version, "version", OUT, -) \
    X(s, I64, start_time_ms, "start_time_ms", OUT, -)
STRUCT(doris_service, DORIS_SERVICE);

#define DORIS_SERVICES(X, s) \
    X(s, LIST, meta_services, "meta_services", OUT | KEEP_EMPTY, doris_service)
STRUCT(doris_services, DORIS_SERVICES);

/* ---- settings: config.c ---- */

#define DORIS_SHOW_CONFIG(X, s) \
    X(s, STR, conf_key, "conf_key", IN | QUERY, -, .max = 128)
STRUCT(doris_show_config, DORIS_SHOW_CONFIG);

#define DORIS_CONFIG_ROWS(X, s)                                  \
    X(s, JSON, rows, "", OUT, -,                                 \
      .doc = "an array of [name, type, value, whether it can be" \
             " changed]")
STRUCT(doris_config_rows, DORIS_CONFIG_ROWS);

#define DORIS_UPDATE_CONFIG(X, s)                             \
    X(s, STR, configs, "configs", IN | QUERY, -, .max = 4096) \
    X(s, STR, persist, "persist", IN | QUERY, -, .max = 16)   \
    X(s, STR, reason, "reason", IN | QUERY, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_update_config, DORIS_UPDATE_CONFIG);

/* What the audit shows of a change. */
#define DORIS_CONFIG_VALUES(X, s) X(s, MAP, values, "configs", OUT, STR)
STRUCT(doris_config_values, DORIS_CONFIG_VALUES);

/* ---- object stores and keys ---- */

#define DORIS_GET_OBJ(X, s)                              \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -, \
      .max = DORIS_CUID_BYTES)
STRUCT(doris_get_obj, DORIS_GET_OBJ);

#define DORIS_OBJ_STORES(X, s)                                               \
    X(s, LIST, obj_info, "obj_info", OUT, doris_obj)                         \
    X(s, LIST, storage_vault, "storage_vault", OUT, doris_vault)             \
    X(s, STR, default_storage_vault_id, "default_storage_vault_id", OUT, -)  \
    X(s, STR, default_storage_vault_name, "default_storage_vault_name", OUT, \
      -)                                                                     \
    X(s, BOOL, enable_storage_vault, "enable_storage_vault", OUT, -)
STRUCT(doris_obj_stores, DORIS_OBJ_STORES);

#define DORIS_UPDATE_AK_SK(X, s)                                             \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES)      \
    X(s, LIST, internal_bucket_user, "internal_bucket_user", IN, doris_user, \
      .max = 64)                                                             \
    X(s, OBJ, ram_user, "ram_user", IN, doris_user)
STRUCT(doris_update_ak_sk, DORIS_UPDATE_AK_SK);

#define DORIS_ALTER_RAM_USER(X, s)                                      \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES) \
    X(s, OBJ, ram_user, "ram_user", IN, doris_user)
STRUCT(doris_alter_ram_user, DORIS_ALTER_RAM_USER);

/* legacy_update_ak_sk, alter_obj_info and add_obj_info read the same body
 * and refuse in different orders, so each has a record of its own. */
#define DORIS_ALTER_OBJ(X, s)                            \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -, \
      .max = DORIS_CUID_BYTES)                           \
    X(s, OBJ, obj, "obj", IN, doris_obj)
STRUCT(doris_legacy_obj, DORIS_ALTER_OBJ);
STRUCT(doris_alter_obj, DORIS_ALTER_OBJ);
STRUCT(doris_add_obj, DORIS_ALTER_OBJ);

#define DORIS_ALTER_VAULT(X, s)                                              \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -,                     \
      .max = DORIS_CUID_BYTES)                                               \
    X(s, OBJ, vault, "vault", IN, doris_vault)                               \
    X(s, BOOL, set_as_default_storage_vault, "set_as_default_storage_vault", \
      IN, -)
STRUCT(doris_alter_vault, DORIS_ALTER_VAULT);

/* ---- clusters ---- */

#define DORIS_ALTER_CLUSTER(X, s)                                       \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -,                \
      .max = DORIS_CUID_BYTES)                                          \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES) \
    X(s, OBJ, cluster, "cluster", IN, doris_cluster)                    \
    X(s, BOOL, replace_if_existing_empty_target_cluster,                \
      "replace_if_existing_empty_target_cluster", IN, -)
STRUCT(doris_alter_cluster, DORIS_ALTER_CLUSTER);

/* The order of members is that of "fail to get cluster with ...". */
#define DORIS_GET_CLUSTER(X, s)                                           \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES)   \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -,                  \
      .max = DORIS_CUID_BYTES)                                            \
    X(s, STR, cluster_id, "cluster_id", IN, -, .max = DORIS_ID_BYTES)     \
    X(s, STR, cluster_name, "cluster_name", IN, -, .max = DORIS_ID_BYTES) \
    X(s, STR, mysql_user_name, "mysql_user_name", IN, -, .max = DORIS_ID_BYTES)
STRUCT(doris_get_cluster, DORIS_GET_CLUSTER);

#define DORIS_CLUSTER_LIST(X, s)                   \
    X(s, ROWS, cluster, "cluster", OUT, doris_doc) \
    X(s, BOOL, enable_storage_vault, "enable_storage_vault", OUT, -)
STRUCT(doris_cluster_list, DORIS_CLUSTER_LIST);

#define DORIS_GET_CLUSTER_STATUS(X, s)                                     \
    X(s, LIST, cloud_unique_ids, "cloud_unique_ids", IN, STR, .max = 1024) \
    X(s, LIST, instance_ids, "instance_ids", IN, STR, .max = 1024)         \
    X(s, ENUM, status, "status", IN, doris_cluster_status)
STRUCT(doris_get_cluster_status, DORIS_GET_CLUSTER_STATUS);

#define DORIS_STATUS_LINE(X, s)                     \
    X(s, STR, cluster_id, "cluster_id", OUT, -)     \
    X(s, STR, cluster_name, "cluster_name", OUT, -) \
    X(s, ENUM, cluster_status, "cluster_status", OUT, doris_cluster_status)
STRUCT(doris_status_line, DORIS_STATUS_LINE);

#define DORIS_STATUS_DETAIL(X, s)                 \
    X(s, STR, instance_id, "instance_id", OUT, -) \
    X(s, LIST, clusters, "clusters", OUT, doris_status_line)
STRUCT(doris_status_detail, DORIS_STATUS_DETAIL);

#define DORIS_STATUS_REPORT(X, s) \
    X(s, LIST, details, "details", OUT, doris_status_detail)
STRUCT(doris_status_report, DORIS_STATUS_REPORT);

/* ---- keys of the original's key-value store ---- */

#define DORIS_DECODE_KEY(X, s)      \
    X(s, STR, key, "key", QUERY, -) \
    X(s, STR, unicode, "unicode", QUERY, -)
STRUCT(doris_decode_key, DORIS_DECODE_KEY);

/* The parameters of a key are those of its type (key_types.def), so they are
 * read by name. */
#define DORIS_ENCODE_KEY(X, s)                \
    X(s, STR, key_type, "key_type", QUERY, -) \
    X(s, STR, unicode, "unicode", QUERY, -)
STRUCT(doris_encode_key, DORIS_ENCODE_KEY);

/* ---- the recycler ---- */

#define DORIS_RECYCLE_INSTANCES(X, s) \
    X(s, LIST, instance_ids, "instance_ids", IN, STR, .max = 1024)
STRUCT(doris_recycle_instances, DORIS_RECYCLE_INSTANCES);

#define DORIS_RECYCLE_REF(X, s)                                 \
    X(s, STR, instance_id, "instance_id", IN | QUERY | BODY, -, \
      .max = DORIS_ID_BYTES)
STRUCT(doris_recycle_ref, DORIS_RECYCLE_REF);

/* decode_key and encode_key as JSON */
#define DORIS_KEY_FIELDS(X, s)    \
    X(s, STR, key, "key", OUT, -) \
    X(s, LIST, fields, "fields", OUT, STR)
STRUCT(doris_key_fields, DORIS_KEY_FIELDS);

#define DORIS_GET_VALUE(X, s)                 \
    X(s, STR, key_type, "key_type", QUERY, -) \
    X(s, STR, key, "key", QUERY, -)
STRUCT(doris_get_value, DORIS_GET_VALUE);

#define DORIS_VALUE(X, s)         \
    X(s, STR, key, "key", OUT, -) \
    X(s, JSON, value, "value", OUT, -)
STRUCT(doris_value, DORIS_VALUE);

/* ---- rates ---- */

#define DORIS_ADJUST_RATE(X, s)                          \
    X(s, STR, qps_limit, "qps_limit", QUERY, -)          \
    X(s, STR, rpc_name, "rpc_name", QUERY, -, .max = 64) \
    X(s, STR, instance_id, "instance_id", QUERY, -, .max = DORIS_ID_BYTES)
STRUCT(doris_adjust_rate, DORIS_ADJUST_RATE);

MAP_OF(I32);
#define DORIS_RATE(X, s)                    \
    X(s, I32, qps, "RPC qps limit", OUT, -) \
    X(s, MAP, instances, "instance specific qps limit", OUT | KEEP_EMPTY, I32)
STRUCT(doris_rate, DORIS_RATE);
MAP_OF(doris_rate);
#define DORIS_RATES(X, s) X(s, MAP, rates, "", OUT, doris_rate)
STRUCT(doris_rates, DORIS_RATES);

/* ---- what the files of this folder share ---- */

/* Unix time in seconds, the unit of every ctime and mtime. */
int64_t doris_now(void);

/* A text that is not given, or "". */
static inline bool
doris_empty(const char *s)
{
    return s == NULL || *s == '\0';
}

/* The style of replies and of stored documents; the forms of the mounts. */
extern const struct form doris_form, doris_text_form, doris_rpc_form;

/* How every form of this dialect takes a body. */
#define DORIS_INPUT                                                        \
    .lenient = JSON_TRAILING_COMMA | JSON_BARE_KEYS | JSON_SINGLE_QUOTES | \
               JSON_CAMEL_SNAKE,                                           \
    .bind = BIND_STR_FROM_NUM | BIND_INT_FROM_STR | BIND_INTEGRAL |        \
            BIND_CAMEL | BIND_UNKNOWN_ENUM_UNSET | BIND_NULL_UNSET

/* The record as the text of a doc column, in the arena. LIMIT when what it
 * makes could not be read back, which is tried. */
enum err doris_doc_render(struct arena *a, const struct record *rec,
                          const void *in, const char **out) MUST_USE;

/* The record that such a text describes. */
enum err doris_doc_parse(struct arena *a, const char *doc,
                         const struct record *rec, void *out) MUST_USE;

/* The record as one line of protobuf text: name: "value" name { ... } */
const char *doris_text(struct req *r, const struct record *rec, const void *in);

/* The same on lines of their own, two blanks deeper in each message. */
void doris_text_lines(struct buf *b, const struct record *rec, const void *in);

/* Answers with the text, which ends here, unless e says what went wrong. */
enum err doris_send_buf(struct req *r, enum err e, struct buf *b) MUST_USE;

/* Whether a request may pass its limits of rate; the dialect's admit. */
enum err doris_admit(struct req *r, const void *in) MUST_USE;

/* An instance with all that get_instance shows; its clusters are streamed, so
 * nothing else may be read before they are. NOT_FOUND. */
enum err doris_instance_load(struct req *r, const char *instance_id,
                             struct doris_instance *out) MUST_USE;

/* What the store says of an instance, as most operations word it: unknown, or
 * DELETED; else e. */
enum err doris_fail_instance(struct req *r, enum err e,
                             const char *instance_id) MUST_USE;

/* The live instance as it is, locked for a change and named in the audit row;
 * its new version. Refused as doris_fail_instance does. */
enum err
doris_instance_lock(struct req *r, const char *id, int64_t now,
                    uint64_t *version, struct doris_instance *out) MUST_USE;

/* The instance that holds a cloud_unique_id, or the one named inside it
 * ("1:<instance>:<any>"); NOT_FOUND when neither is there. */
enum err doris_resolve(struct req *r, const char *cloud_unique_id,
                       const char **out) MUST_USE;

/* The instance named inside a cloud_unique_id; NULL when it has not that
 * form. Whether there is such an instance is not looked at. */
const char *doris_degraded(struct arena *a, const char *cloud_unique_id);

/* Neither absent nor "". */
bool doris_given(const char *s);

/* Blanks, tabs and slashes off both ends, in the arena. */
const char *doris_trim(struct arena *a, const char *text);

/* What an object store of a new instance or vault must have. */
enum err doris_obj_check(struct req *r, const struct doris_obj *obj) MUST_USE;
/* One that is added or altered has 1,024 bytes in protobuf at the most. NULL
 * has none. */
enum err doris_obj_size(struct req *r, const struct doris_obj *obj) MUST_USE;
/* As it is stored: prefix trimmed, external endpoint, id and times set. */
void doris_obj_settle(struct req *r, struct doris_obj *obj, int64_t id,
                      bool sse, int64_t now);

/* What a vault must have, and as it is stored. */
enum err doris_vault_check(struct req *r, const struct doris_vault *v) MUST_USE;
enum err doris_vault_settle(struct req *r, struct doris_vault *v,
                            const char *name, int64_t id, int64_t now) MUST_USE;

/* The instance that a change of clusters is about, and that a cluster is
 * given. */
enum err
doris_cluster_target(struct req *r, const struct doris_alter_cluster *in,
                     const char **instance_id) MUST_USE;

/* What may be said about a cluster and its nodes without looking at the
 * instance. A new one needs a name and, of SQL type, its one master. */
enum doris_params { DORIS_NEW_CLUSTER, DORIS_CHANGED_CLUSTER };
enum err doris_cluster_params(struct req *r, const char *instance_id,
                              const struct doris_cluster *c,
                              enum doris_params what) MUST_USE;
/* After the instance was not found: the message about a node that names it
 * comes first. OK when there is none. */
enum err doris_node_names_unknown(struct req *r, const char *instance_id,
                                  const struct doris_cluster *c) MUST_USE;

/* A node as compact JSON, for messages. */
struct arg doris_node_arg(struct req *r, const struct doris_node *n);

/* Whether a compute cluster may go to that status. */
enum err doris_status_change(struct req *r, const struct doris_cluster *c,
                             int to) MUST_USE;

/* Virtual clusters: what the request says, and its members in the store. */
enum err
doris_virtual_params(struct req *r, const struct doris_cluster *c) MUST_USE;
enum err doris_virtual_members(struct req *r, const char *instance_id,
                               const struct doris_cluster *c) MUST_USE;
/* As it is stored: thresholds that were left out are 3 and 100. */
enum err doris_virtual_settle(struct req *r, struct doris_cluster *c) MUST_USE;
/* A member got another name: its virtual cluster, if any, says so. */
enum err doris_virtual_member_renamed(struct req *r, const char *instance_id,
                                      const char *from, const char *to,
                                      int64_t now) MUST_USE;

/* A cluster's place in the store. */
struct doris_place {
    const char *instance_id;
    uint64_t seq;    /* the instance's version when it was added: their order */
    const char *doc; /* as last read or written here; NULL = never */
};

/* ---- the audit row, audit.c ---- */

/* What a change of keys, object stores or vaults was about. Keys are masked:
 * the instance's version, one higher with each change, tells them apart. */
#define DORIS_STORAGE(X, s)                                     \
    X(s, U64, version, "version", OUT, -)                       \
    X(s, OBJ, ram_user, "ram_user", OUT, doris_user)            \
    X(s, LIST, obj_info, "obj_info", OUT, doris_obj)            \
    X(s, OBJ, storage_vault, "storage_vault", OUT, doris_vault) \
    X(s, STR, default_storage_vault_id, "default_storage_vault_id", OUT, -)
STRUCT(doris_storage, DORIS_STORAGE);

struct doris_storage
doris_storage_objs(uint64_t version, size_t n, struct doris_obj *v);
/* With the default vault of the instance as i has it. */
struct doris_storage
doris_storage_vault(uint64_t version, const struct doris_instance *i,
                    struct doris_vault *v);

/* "stage i1/s1"; without a name "instance i1". */
void doris_audit_target(struct req *r, const char *kind,
                        const char *instance_id, const char *name);
/* "tablet i1/50": a thing that has a number. */
void doris_audit_id(struct req *r, const char *kind, const char *instance_id,
                    int64_t id);
/* A cluster's documents; NULL before its creation and after its removal. */
void doris_audit_cluster(struct req *r, const struct doris_place *place,
                         const char *cluster_id, const char *before,
                         const char *after);
/* The instance as it is before the change. */
void doris_audit_instance(struct req *r, const struct doris_instance *i);
/* Success: the instance as it has become. */
enum err
doris_instance_changed(struct req *r, const struct doris_instance *i) MUST_USE;

/* Stores the nodes v of a cluster, each unless its endpoint is taken. version
 * is the instance's; asked are the same nodes as the client gave them, for
 * messages. */
enum err
doris_nodes_register(struct req *r, const struct doris_place *place,
                     uint64_t version, int type, const struct doris_node *asked,
                     const struct doris_node *v, size_t n) MUST_USE;
/* Takes the nodes' cloud_unique_ids; taken is the error that says that
 * another instance has one. */
enum err
doris_nodes_claim(struct req *r, const char *instance_id,
                  const struct doris_node *v, size_t n, int taken) MUST_USE;
/* Only looks whether another instance has one. */
enum err
doris_nodes_unclaimed(struct req *r, const char *instance_id,
                      const struct doris_node *v, size_t n, int taken) MUST_USE;

/* Whether a cluster's name may be used: ^[a-zA-Z][a-zA-Z0-9_]*$ unless the
 * configuration says otherwise. */
bool doris_cluster_name_ok(const char *name);

/* The address of a node: host when it has one, else ip; "" when neither. */
const char *doris_node_addr(const struct doris_node *n);
int32_t doris_node_port(const struct doris_node *n, int type);

#define ENDPOINT_FILE "doris/endpoints.def"
#define ERROR_FILE    "doris/errors.def"
#include "endpoint_protos.h"

#endif
