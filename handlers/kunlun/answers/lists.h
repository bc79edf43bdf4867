/* What cluster_mgr lists: machines, clusters and what is in them, the servers
 * of its own metadata. Numbers are texts, but for the ports of
 * get_instance and get_node. */
#ifndef CLUSTER_LISTS_H
#define CLUSTER_LISTS_H

#include "db.h"
#include "record.h"

/* ---- what is asked ---- */

/* In paras an id may stand for the name. */
#define CLUSTER_REF_PARAS(X, s)                                           \
    X(s, STR, name, "cluster_name", IN, -, .nested = "paras", .max = 120) \
    X(s, I64, id, "cluster_id", IN, -, .nested = "paras")
STRUCT(cluster_ref, CLUSTER_REF_PARAS);
DECLARE_TABLE(cluster_ref_paras);
#define CLUSTER_REF(X, s) X(s, STR, name, "cluster_name", IN, -, .max = 120)

/* Which kind; node_ip0, node_ip1 ... are read by the handler. */
#define CLUSTER_INSTANCES_REF(X, s) X(s, STR, type, "instance_type", IN, -)
STRUCT(cluster_instances_ref, CLUSTER_INSTANCES_REF);
#define CLUSTER_INSTANCES_PARAS(X, s) \
    X(s, STR, type, "instance_type", IN, -, .nested = "paras")
DECLARE_TABLE(cluster_instances_paras);
#define CLUSTER_NODES_REF(X, s) X(s, STR, type, "node_type", IN, -)
DECLARE_TABLE(cluster_nodes_ref);
#define CLUSTER_NODES_PARAS(X, s) \
    X(s, STR, type, "node_type", IN, -, .nested = "paras")
DECLARE_TABLE(cluster_nodes_paras);

/* ---- what is told ---- */

#define CLUSTER_MODE(X, s) X(s, STR, mode, "mode", OUT, -)
STRUCT(cluster_mode, CLUSTER_MODE);

/* A server and its login; pwd is "" for who may not see secrets. */
#define CLUSTER_SERVER(X, s)        \
    X(s, STR, ip, "ip", OUT, -)     \
    X(s, STR, port, "port", OUT, -) \
    X(s, STR, user, "user", OUT, -) \
    X(s, STR, pwd, "pwd", OUT, -)
STRUCT(cluster_server, CLUSTER_SERVER);

#define CLUSTER_METAS(X, s) \
    X(s, LIST, v, "meta", OUT, cluster_server, .numbered = "meta")
STRUCT(cluster_servers, CLUSTER_METAS);
#define CLUSTER_STORAGES(X, s) \
    X(s, LIST, v, "storage", OUT, cluster_server, .numbered = "storage")
DECLARE_TABLE(cluster_storages);
#define CLUSTER_COMPUTERS(X, s) \
    X(s, LIST, v, "computer", OUT, cluster_server, .numbered = "computer")
DECLARE_TABLE(cluster_computers);

/* The same as a list, and whether each answers and is written to. */
#define CLUSTER_META(X, s)              \
    X(s, STR, ip, "ip", OUT, -)         \
    X(s, STR, port, "port", OUT, -)     \
    X(s, STR, status, "status", OUT, -) \
    X(s, STR, master, "master", OUT, -)
STRUCT(cluster_meta, CLUSTER_META);
#define CLUSTER_META_PARAS(X, s)        \
    X(s, STR, ip, "hostaddr", OUT, -)   \
    X(s, STR, port, "port", OUT, -)     \
    X(s, STR, status, "status", OUT, -) \
    X(s, STR, master, "master", OUT, -)
DECLARE_TABLE(cluster_meta_paras);
#define CLUSTER_META_LIST(X, s) \
    X(s, LIST, v, "", OUT | KEEP_EMPTY, cluster_meta)
STRUCT(cluster_meta_list, CLUSTER_META_LIST);
#define CLUSTER_META_SUMMARY(X, s) \
    X(s, LIST, v, "list_meta", OUT | KEEP_EMPTY, cluster_meta_paras)
DECLARE_TABLE(cluster_meta_summary);

#define CLUSTER_SHORT(X, s)             \
    X(s, STR, name, "name", OUT, -)     \
    X(s, STR, shards, "shards", OUT, -) \
    X(s, STR, comps, "comps", OUT, -)
STRUCT(cluster_short, CLUSTER_SHORT);
#define CLUSTER_SHORTS(X, s) \
    X(s, LIST, v, "cluster", OUT, cluster_short, .numbered = "cluster")
STRUCT(cluster_shorts, CLUSTER_SHORTS);

/* How many of its servers do not run; so spelt. */
#define CLUSTER_SUMMARY(X, s)                              \
    X(s, STR, name, "name", OUT, -)                        \
    X(s, STR, nick_name, "nick_name", OUT, -)              \
    X(s, STR, shards, "shards", OUT, -)                    \
    X(s, STR, comps, "comps", OUT, -)                      \
    X(s, STR, storage_offline, "storage_offine", OUT, -,   \
      .column = "storage_offline")                         \
    X(s, STR, computer_offline, "computer_offine", OUT, -, \
      .column = "computer_offline")
STRUCT(cluster_summary, CLUSTER_SUMMARY);
LIST_OF(cluster_summary);
#define CLUSTER_SUMMARIES(X, s) \
    X(s, LIST, v, "", OUT | KEEP_EMPTY, cluster_summary)
STRUCT(cluster_summaries, CLUSTER_SUMMARIES);
#define CLUSTER_SUMMARIES_PARAS(X, s) \
    X(s, LIST, v, "list_cluster", OUT | KEEP_EMPTY, cluster_summary)
DECLARE_TABLE(cluster_summaries_paras);

#define CLUSTER_MACHINE(X, s)   \
    X(s, STR, ip, "ip", OUT, -) \
    X(s, STR, status, "status", OUT, -)
STRUCT(cluster_machine, CLUSTER_MACHINE);
LIST_OF(cluster_machine);
#define CLUSTER_MACHINES(X, s) \
    X(s, LIST, v, "", OUT | KEEP_EMPTY, cluster_machine)
STRUCT(cluster_machines, CLUSTER_MACHINES);
#define CLUSTER_MACHINES_PARAS(X, s) \
    X(s, LIST, v, "list_machine", OUT | KEEP_EMPTY, cluster_machine)
DECLARE_TABLE(cluster_machines_paras);

/* An instance with what it belongs to. */
#define CLUSTER_INSTANCE(X, s)            \
    X(s, STR, ip, "ip", OUT, -)           \
    X(s, I32, port, "port", OUT, -)       \
    X(s, STR, user, "user", OUT, -)       \
    X(s, STR, pwd, "pwd", OUT, -)         \
    X(s, STR, cluster, "cluster", OUT, -) \
    X(s, STR, shard, "shard", OUT, -)     \
    X(s, STR, comp, "comp", OUT, -)       \
    X(s, STR, status, "status", OUT, -)
STRUCT(cluster_instance, CLUSTER_INSTANCE);
#define CLUSTER_INSTANCES(X, s)                             \
    X(s, LIST, meta, "meta", OUT, cluster_instance,         \
      .numbered = "meta_instance")                          \
    X(s, LIST, storage, "storage", OUT, cluster_instance,   \
      .numbered = "storage_instance")                       \
    X(s, LIST, computer, "computer", OUT, cluster_instance, \
      .numbered = "computer_instance")
STRUCT(cluster_instances, CLUSTER_INSTANCES);
#define CLUSTER_NODES(X, s)                                                  \
    X(s, LIST, meta, "meta", OUT, cluster_instance, .numbered = "meta_node") \
    X(s, LIST, storage, "storage", OUT, cluster_instance,                    \
      .numbered = "storage_node")                                            \
    X(s, LIST, computer, "computer", OUT, cluster_instance,                  \
      .numbered = "computer_node")
DECLARE_TABLE(cluster_nodes);

/* A cluster in detail: its shards as they are watched over, their servers, its
 * computing nodes. */
#define CLUSTER_NODE(X, s)              \
    X(s, STR, ip, "ip", OUT, -)         \
    X(s, STR, port, "port", OUT, -)     \
    X(s, STR, status, "status", OUT, -) \
    X(s, STR, master, "master", OUT, -) \
    X(s, STR, state, "state", OUT, -)
STRUCT(cluster_node, CLUSTER_NODE);
#define CLUSTER_SHARD(X, s)                            \
    X(s, STR, name, "shard_name", OUT, -)              \
    X(s, STR, id, "shard_id", OUT, -)                  \
    X(s, STR, verdict, "verdict", OUT, -)              \
    X(s, STR, why, "why", OUT, -)                      \
    X(s, STR, since, "since_ms", OUT, -)               \
    X(s, STR, paused_until, "paused_until_ms", OUT, -) \
    X(s, STR, paused_why, "paused_why", OUT, -)        \
    X(s, LIST, nodes, "nodes", OUT | KEEP_EMPTY, cluster_node)
STRUCT(cluster_shard, CLUSTER_SHARD);
#define CLUSTER_COMP(X, s)               \
    X(s, STR, name, "comp_name", OUT, -) \
    X(s, STR, id, "comp_id", OUT, -)     \
    X(s, STR, ip, "ip", OUT, -)          \
    X(s, STR, port, "port", OUT, -)      \
    X(s, STR, status, "status", OUT, -)  \
    X(s, STR, state, "state", OUT, -)
STRUCT(cluster_comp, CLUSTER_COMP);
#define CLUSTER_DETAIL(X, s)                                      \
    X(s, STR, name, "cluster_name", OUT, -)                       \
    X(s, STR, id, "cluster_id", OUT, -)                           \
    X(s, STR, nick_name, "nick_name", OUT, -)                     \
    X(s, STR, ha_mode, "ha_mode", OUT, -)                         \
    X(s, LIST, shards, "shards", OUT | KEEP_EMPTY, cluster_shard) \
    X(s, LIST, comps, "comps", OUT | KEEP_EMPTY, cluster_comp)
STRUCT(cluster_detail, CLUSTER_DETAIL);

/* ---- rows ---- */

/* A server of a cluster. master: of a shard, is written to. state: as its
 * keeper has last told; told_ms: how long ago its machine has given a sign. */
#define CLUSTER_ROW(X, s)                                    \
    X(s, STR, kind, "kind", COLUMN_ONLY, -)                  \
    X(s, I64, id, "id", COLUMN_ONLY, -)                      \
    X(s, STR, cluster, "cluster", COLUMN_ONLY, -)            \
    X(s, STR, name, "name", COLUMN_ONLY, -)                  \
    X(s, I64, group_id, "group_id", COLUMN_ONLY, -)          \
    X(s, STR, ip, "hostaddr", COLUMN_ONLY, -)                \
    X(s, I32, port, "port", COLUMN_ONLY, -)                  \
    X(s, STR, status, "status", COLUMN_ONLY, -)              \
    X(s, STR, member_state, "member_state", COLUMN_ONLY, -)  \
    X(s, STR, user, "user_name", COLUMN_ONLY, -)             \
    X(s, STR, pwd, "client_secret", COLUMN_ONLY | SECRET, -) \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)           \
    X(s, STR, state, "state", COLUMN_ONLY, -)                \
    X(s, BOOL, runs, "runs", COLUMN_ONLY, -)
STRUCT(cluster_row, CLUSTER_ROW);
LIST_OF(cluster_row);

/* Those of the storage, those of the computing; cluster NULL: of all. In the
 * order in which they were made. */
enum err
cluster_store_storages(struct db *db, struct arena *a, const char *cluster,
                       struct list_of_cluster_row *out) MUST_USE;
enum err
cluster_store_computers(struct db *db, struct arena *a, const char *cluster,
                        struct list_of_cluster_row *out) MUST_USE;

enum err cluster_store_summaries(struct db *db, struct arena *a,
                                 struct list_of_cluster_summary *out) MUST_USE;
enum err cluster_store_machines(struct db *db, struct arena *a,
                                struct list_of_cluster_machine *out) MUST_USE;

/* The servers of the metadata; state NULL: it does not answer. */
#define CLUSTER_META_ROW(X, s)                   \
    X(s, STR, ip, "hostaddr", COLUMN_ONLY, -)    \
    X(s, I32, port, "port", COLUMN_ONLY, -)      \
    X(s, STR, user, "user_name", COLUMN_ONLY, -) \
    X(s, STR, state, "member_state", COLUMN_ONLY, -)
STRUCT(cluster_meta_row, CLUSTER_META_ROW);
LIST_OF(cluster_meta_row);
enum err cluster_store_metas(struct db *db, struct arena *a,
                             struct list_of_cluster_meta_row *out) MUST_USE;

#endif
