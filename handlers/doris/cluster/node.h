/* Nodes of clusters, and who holds their cloud_unique_ids. */
#ifndef MG_DORIS_NODE_H
#define MG_DORIS_NODE_H

#include "doris/doris.h"

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

struct doris_cluster_at; /* cluster.h */

/* A node as compact JSON, for messages. */
struct arg doris_node_arg(struct req *r, const struct doris_node *n);

/* Stores the nodes v of a cluster, each unless its endpoint is taken. version
 * is the instance's; asked are the same nodes as the client gave them, for
 * messages. */
enum err
doris_nodes_register(struct req *r, const struct doris_cluster_at *at,
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

/* The address of a node: host when it has one, else ip; "" when neither. */
const char *doris_node_addr(const struct doris_node *n);
int32_t doris_node_port(const struct doris_node *n, int type);

/* ---- the store ---- */

/* Where a node is registered. */
#define DORIS_HOLDER(X, s)                                \
    X(s, STR, instance_id, "instance_id", COLUMN_ONLY, -) \
    X(s, STR, cluster_id, "cluster_id", COLUMN_ONLY, -)   \
    X(s, STR, cluster_name, "cluster_name", COLUMN_ONLY, -)
STRUCT(doris_holder, DORIS_HOLDER);

/* The instance that holds the cloud_unique_id. NOT_FOUND. */
enum err
doris_store_resolve(struct db *db, struct arena *a, const char *cloud_unique_id,
                    const char **out) MUST_USE;

/* Takes the cloud_unique_id for the instance; EXISTS when another has it. */
enum err
doris_store_claim(struct db *db, struct arena *a, const char *instance_id,
                  const char *cloud_unique_id) MUST_USE;
/* Lets it go when no node of the instance has it any more. */
enum err
doris_store_release(struct db *db, const char *cloud_unique_id) MUST_USE;
/* Who has it, if not the instance itself. NOT_FOUND. */
enum err
doris_store_holder(struct db *db, struct arena *a, const char *cloud_unique_id,
                   const char *not_instance, struct doris_holder *out) MUST_USE;

/* EXISTS when the endpoint is taken. order grows within the cluster. */
enum err
doris_store_node_add(struct db *db, const struct doris_cluster_at *at, int type,
                     uint64_t order, const struct doris_node *n) MUST_USE;
enum err doris_store_node_drop(struct db *db, const struct doris_cluster_at *at,
                               int type, const struct doris_node *n) MUST_USE;
enum err
doris_store_node_status(struct db *db, const struct doris_cluster_at *at,
                        int type, const struct doris_node *n) MUST_USE;
/* Whether the endpoint is taken. */
enum err
doris_store_endpoint_taken(struct db *db, const char *instance_id, int type,
                           const struct doris_node *n, bool *out) MUST_USE;

#endif
