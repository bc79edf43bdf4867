/* The room is clusters of an instance, SQL, compute and virtual ones (here),
 * and the nodes in them: each of its nouns is a row of the store with an audit
 * row, and a change of one is written into the document that get_cluster
 * answers. */
#ifndef MG_DORIS_CLUSTER_H
#define MG_DORIS_CLUSTER_H

#include "doris/doris.h"
#include "node.h"

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

enum doris_policy_type { DORIS_ACTIVE_STANDBY };
extern const struct enum_name doris_policy_type_names[];

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

/* A cluster as its rendered text (the column doc). */
#define DORIS_DOC(X, s) X(s, JSON, doc, "", OUT, -, .column = "doc")
STRUCT(doris_doc, DORIS_DOC);

/* One that was searched for, and where it was found. */
#define DORIS_FOUND_DOC(X, s)              \
    X(s, JSON, doc, "doc", COLUMN_ONLY, -) \
    X(s, STR, instance_id, "instance_id", COLUMN_ONLY, -)
STRUCT(doris_found_doc, DORIS_FOUND_DOC);

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

#define DORIS_STATUS_LINE(X, s)                                             \
    X(s, STR, cluster_id, "cluster_id", OUT, -)                             \
    X(s, STR, cluster_name, "cluster_name", OUT, -)                         \
    X(s, ENUM, cluster_status, "cluster_status", OUT, doris_cluster_status) \
    X(s, I64, mtime, "mtime", OUT, -)
STRUCT(doris_status_line, DORIS_STATUS_LINE);

#define DORIS_STATUS_DETAIL(X, s)                 \
    X(s, STR, instance_id, "instance_id", OUT, -) \
    X(s, LIST, clusters, "clusters", OUT, doris_status_line)
STRUCT(doris_status_detail, DORIS_STATUS_DETAIL);

#define DORIS_STATUS_REPORT(X, s) \
    X(s, LIST, details, "details", OUT, doris_status_detail)
STRUCT(doris_status_report, DORIS_STATUS_REPORT);

/* Where a cluster stands in the store. */
struct doris_cluster_at {
    const char *instance_id;
    uint64_t seq;    /* the instance's version when it was added: their order */
    const char *doc; /* as last read or written here; NULL = never */
};

/* ---- what may be said and stored ---- */

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
/* LIMIT when a user's name is too long: the elements of a list have no bound of
 * their own. */
enum err doris_cluster_users_size(const struct doris_cluster *c) MUST_USE;
/* Refuses what in says of the cluster and is not so, apart from members whose
 * keys are among changes: they are what the operation is for. Names and times
 * of a cluster that is found by its id are passed over. */
enum err doris_cluster_rest(struct req *r, const struct doris_alter_cluster *in,
                            const struct doris_cluster *have,
                            const char *const *changes) MUST_USE;
/* After the instance was not found: the message about a node that names it
 * comes first. OK when there is none. */
enum err doris_node_names_unknown(struct req *r, const char *instance_id,
                                  const struct doris_cluster *c) MUST_USE;

/* Whether a compute cluster may go to that status. */
enum err doris_status_change(struct req *r, const struct doris_cluster *c,
                             int to) MUST_USE;

/* Virtual clusters: what the request says, and its members in the store. */
enum err
doris_virtual_params(struct req *r, const struct doris_cluster *c) MUST_USE;
enum err doris_virtual_members(struct req *r, const char *instance_id,
                               const struct doris_cluster *c) MUST_USE;
/* Members and policy of c with what is asked of them; the whole is refused as
 * a new one is, unknown members first. */
enum err doris_virtual_merge(struct req *r, const char *instance_id,
                             struct doris_cluster *c,
                             const struct doris_cluster *asked) MUST_USE;
/* As it is stored: thresholds that were left out are 3 and 100. */
enum err doris_virtual_settle(struct req *r, struct doris_cluster *c) MUST_USE;
/* A member got another name: its virtual cluster, if any, says so. */
enum err doris_virtual_member_renamed(struct req *r, const char *instance_id,
                                      const char *from, const char *to,
                                      int64_t now) MUST_USE;

/* Whether a cluster's name may be used: ^[a-zA-Z][a-zA-Z0-9_]*$ unless the
 * configuration says otherwise. */
bool doris_cluster_name_ok(const char *name);

/* What a change of a cluster writes. */
enum doris_written { DORIS_WHOLE, DORIS_NODES_ONLY };
/* Success: the cluster as it has become, from now on; name is what the audit
 * row calls it. */
enum err doris_cluster_save(struct req *r, struct doris_cluster_at *at,
                            struct doris_cluster *c, int64_t now,
                            enum doris_written what, const char *name) MUST_USE;

/* ---- the store ---- */

/* Which cluster of get_cluster. */
enum doris_selector { DORIS_BY_ID, DORIS_BY_NAME, DORIS_BY_USER };

/* The document of one cluster, in one statement: of the instance that holds
 * cloud_unique_id, else of otherwise (NULL = none). NOT_FOUND. */
enum err
doris_store_cluster_get(struct db *db, struct arena *a,
                        const char *cloud_unique_id, const char *otherwise,
                        enum doris_selector by, const char *value,
                        struct doris_found_doc *out) MUST_USE;
/* The documents of all clusters in order of creation. */
enum err
doris_store_cluster_rows(struct db *db, struct arena *a,
                         const char *instance_id, struct rows *out) MUST_USE;
/* db_ahead of it. */
enum err
doris_store_cluster_rows_ahead(struct db *db, const char *instance_id) MUST_USE;
enum err doris_store_has_clusters(struct db *db, const char *instance_id,
                                  bool *out) MUST_USE;
/* Compute clusters of the status (-1 = any), in order of creation. */
enum err doris_store_cluster_statuses(struct db *db, struct arena *a,
                                      const char *instance_id, int status,
                                      struct doris_status_detail *out) MUST_USE;

/* doris_store_lock_live of at's instance, and the cluster as it then stands,
 * by id, else by name, in one round trip; at->doc is NULL when there is no
 * such cluster. */
enum err
doris_store_lock_cluster(struct db *db, struct arena *a,
                         struct doris_cluster_at *at, const char *cluster_id,
                         const char *cluster_name, int64_t now,
                         uint64_t *version, struct doris_cluster *out) MUST_USE;
/* One cluster as it stands, by id, else by name; either may be NULL. This and
 * the writes below leave its document in at->doc. */
enum err
doris_store_cluster(struct db *db, struct arena *a, const char *instance_id,
                    const char *cluster_id, const char *cluster_name,
                    struct doris_cluster_at *at,
                    struct doris_cluster *out) MUST_USE;
/* The cluster with its users and members, not its nodes. EXISTS when id or
 * name is taken. */
enum err doris_store_cluster_add(struct db *db, struct arena *a,
                                 struct doris_cluster_at *at,
                                 const struct doris_cluster *c) MUST_USE;
/* Writes the cluster's own columns and its document. */
enum err doris_store_cluster_save(struct db *db, struct arena *a,
                                  struct doris_cluster_at *at,
                                  const struct doris_cluster *c) MUST_USE;
/* Writes its document and mtime: enough when only nodes have changed. */
enum err doris_store_cluster_doc(struct db *db, struct arena *a,
                                 struct doris_cluster_at *at,
                                 const struct doris_cluster *c) MUST_USE;
enum err
doris_store_cluster_users(struct db *db, const struct doris_cluster_at *at,
                          const struct doris_cluster *c) MUST_USE;
enum err
doris_store_cluster_members(struct db *db, const struct doris_cluster_at *at,
                            const struct doris_cluster *c) MUST_USE;
/* The cluster, its nodes, and what they held. */
enum err doris_store_cluster_drop(struct db *db,
                                  const struct doris_cluster_at *at) MUST_USE;
/* Whether this is the SQL cluster that was created first. */
enum err
doris_store_is_first_sql(struct db *db, const struct doris_cluster_at *at,
                         bool *out) MUST_USE;
/* The virtual cluster that has the cluster of that name. NOT_FOUND. */
enum err
doris_store_owner(struct db *db, struct arena *a, const char *instance_id,
                  const char *cluster_name, const char **owner) MUST_USE;
/* Replaces a member's name in the virtual cluster that has it. */
enum err doris_store_member_rename(struct db *db, const char *instance_id,
                                   const char *from, const char *to) MUST_USE;

#endif
