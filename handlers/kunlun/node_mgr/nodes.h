/* The instances of a machine, as its clients ask for them. */
#ifndef NODE_MGR_NODES_H
#define NODE_MGR_NODES_H

#include "db.h"
#include "record.h"

/* "meta_node", "storage_node", "computer_node"; absent: all. */
#define NODE_TYPE(X, s)                            \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, STR, type, "node_type", IN, -)
STRUCT(node_type, NODE_TYPE);
#define NODE_INSTANCE_TYPE(X, s)                   \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, STR, type, "instance_type", IN, -)
DECLARE_TABLE(node_instance_type);

/* pwd is "" for who may not see secrets. state and what follows: as the
 * machine's keeper has last told. */
#define NODE_ENTRY(X, s)                      \
    X(s, STR, ip, "ip", OUT, -)               \
    X(s, I32, port, "port", OUT, -)           \
    X(s, STR, user, "user", OUT, -)           \
    X(s, STR, pwd, "pwd", OUT, -)             \
    X(s, STR, path, "path", OUT, -)           \
    X(s, STR, cluster, "cluster", OUT, -)     \
    X(s, STR, shard, "shard", OUT, -)         \
    X(s, STR, disk_used, "disk_used", OUT, -) \
    X(s, STR, disk_free, "disk_free", OUT, -) \
    X(s, STR, state, "state", OUT, -)         \
    X(s, I32, restarts, "restarts", OUT, -)   \
    X(s, STR, why, "why", OUT, -)
STRUCT(node_entry, NODE_ENTRY);

#define NODE_LIST(X, s)                                                \
    X(s, LIST, meta, "meta", OUT, node_entry, .numbered = "meta_node") \
    X(s, LIST, storage, "storage", OUT, node_entry,                    \
      .numbered = "storage_node")                                      \
    X(s, LIST, computer, "computer", OUT, node_entry,                  \
      .numbered = "computer_node")
STRUCT(node_list, NODE_LIST);
#define NODE_INSTANCES(X, s)                                               \
    X(s, LIST, meta, "meta", OUT, node_entry, .numbered = "meta_instance") \
    X(s, LIST, storage, "storage", OUT, node_entry,                        \
      .numbered = "storage_instance")                                      \
    X(s, LIST, computer, "computer", OUT, node_entry,                      \
      .numbered = "computer_instance")
DECLARE_TABLE(node_instances);

#define NODE_PAUSE(X, s)                                             \
    X(s, STR, job_id, "job_id", IN, -, .max = 128)                   \
    X(s, I32, minutes, "minutes", IN, -, .min = -1, .max = 52560000) \
    X(s, I32, port, "port", IN, -)
STRUCT(node_pause, NODE_PAUSE);

#define NODE_EXPORTER(X, s)                        \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, I32, port, "prometheus_port", IN, -, .min = 1, .max = 65534)
STRUCT(node_exporter, NODE_EXPORTER);

/* A directory that the machine was registered with; MB. */
#define NODE_ROOT(X, s)               \
    X(s, STR, class, "class", OUT, -) \
    X(s, STR, path, "path", OUT, -)   \
    X(s, I64, used, "used", OUT, -)   \
    X(s, I64, free, "free", OUT, -)
STRUCT(node_root, NODE_ROOT);

/* An instance, for get_info; used: MB of its data. */
#define NODE_SHORT(X, s)              \
    X(s, I32, port, "port", OUT, -)   \
    X(s, STR, kind, "kind", OUT, -)   \
    X(s, STR, state, "state", OUT, -) \
    X(s, I64, used, "used", OUT, -)
STRUCT(node_short, NODE_SHORT);

/* Fills the counts and lists of get_info. */
struct node_info;
struct req;
enum err node_figures(struct req *r, struct node_info *out) MUST_USE;

#endif
