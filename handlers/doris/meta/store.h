/* What the store keeps for the Meta Service; all SQL of this folder is in
 * store_instance.c and store_cluster.c.
 *
 * Every write of a handler begins with one of the two locks below: they bump
 * the instance's version, so that writes to one instance run one after the
 * other (on a cluster of servers: so that the later one is refused). What is
 * read after the lock stays true until the end of the transaction.
 *
 * Writes answer what single statements would; but where only success is asked
 * they may wait (db_later), so that a handler's error of its own after them
 * costs a second run. */
#ifndef MG_DORIS_STORE_H
#define MG_DORIS_STORE_H

#include "db.h"
#include "doris/doris.h"

/* ---- instances: store_instance.c ---- */

/* Locks an instance whatever its status. *version is the new one: a number
 * that grows, by which what is added now is put in order. NOT_FOUND. */
enum err doris_store_lock(struct db *db, const char *instance_id, int64_t now,
                          uint64_t *version) MUST_USE;
/* The same, and STATE when the instance is DELETED. */
enum err doris_store_lock_live(struct db *db, const char *instance_id,
                               int64_t now, uint64_t *version) MUST_USE;

/* The same, to leave with what is read next: the version is LAST_INSERT_ID()
 * then. */
enum err doris_store_lock_first(struct db *db, const char *instance_id,
                                int64_t now) MUST_USE;

/* EXISTS when there is one of that id. */
enum err doris_store_instance_add(struct db *db,
                                  const struct doris_instance *i) MUST_USE;
/* The row alone: lists are left empty. NOT_FOUND. */
enum err
doris_store_instance(struct db *db, struct arena *a, const char *instance_id,
                     struct doris_instance *out) MUST_USE;
/* OK or NOT_FOUND. */
enum err
doris_store_instance_exists(struct db *db, const char *instance_id) MUST_USE;
enum err
doris_store_instance_status(struct db *db, const char *instance_id,
                            enum doris_instance_status s, int64_t now) MUST_USE;
enum err doris_store_instance_rename(struct db *db, const char *instance_id,
                                     const char *name) MUST_USE;
/* The instance's switch and that of its object stores. */
enum err doris_store_instance_sse(struct db *db, const char *instance_id,
                                  bool on, int64_t now) MUST_USE;
enum err doris_store_instance_ram(struct db *db, const char *instance_id,
                                  const struct doris_user *u) MUST_USE;
/* Another ram user in its place, or the first. */
enum err doris_store_instance_ram_user(struct db *db, const char *instance_id,
                                       const struct doris_user *u) MUST_USE;
/* id NULL: no default vault. */
enum err
doris_store_instance_default(struct db *db, const char *instance_id,
                             const char *id, const char *name) MUST_USE;
/* At most max lines with an id greater than after, status NULL = any. */
enum err
doris_store_instance_list(struct db *db, struct arena *a, const char *after,
                          const char *status, size_t max,
                          struct doris_instance_page *out) MUST_USE;

/* The next id of an object store or vault of the instance. */
enum err doris_store_next_id(struct db *db, const char *instance_id,
                             int64_t *out) MUST_USE;

enum err
doris_store_objs(struct db *db, struct arena *a, const char *instance_id,
                 size_t *n, struct doris_obj **out) MUST_USE;
enum err
doris_store_obj_add(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_obj *o) MUST_USE;
/* Writes ak, sk, user_id, role_arn, cred_provider_type and mtime. */
enum err
doris_store_obj_keys(struct db *db, struct arena *a, const char *instance_id,
                     const struct doris_obj *o) MUST_USE;

/* Vaults in order of id; without bodies only id and name are filled. */
enum err
doris_store_vaults(struct db *db, struct arena *a, const char *instance_id,
                   bool bodies, size_t *n, struct doris_vault **out) MUST_USE;
enum err
doris_store_vault(struct db *db, struct arena *a, const char *instance_id,
                  const char *name, struct doris_vault *out) MUST_USE;
/* EXISTS when the name is taken. */
enum err
doris_store_vault_add(struct db *db, struct arena *a, const char *instance_id,
                      const struct doris_vault *v) MUST_USE;
enum err doris_store_vault_update(struct db *db, struct arena *a,
                                  const char *instance_id,
                                  const struct doris_vault *v) MUST_USE;
enum err doris_store_vault_drop(struct db *db, const char *instance_id,
                                const char *id) MUST_USE;

/* ---- stages: store_stage.c ---- */

/* All of an instance, in order of creation. */
enum err
doris_store_stages(struct db *db, struct arena *a, const char *instance_id,
                   size_t *n, struct doris_stage **out) MUST_USE;
/* Internal ones by user id, external ones by name. NOT_FOUND. */
enum err doris_store_stage(struct db *db, struct arena *a,
                           const char *instance_id, enum doris_stage_type type,
                           const char *value, struct doris_stage *out) MUST_USE;
/* The oldest internal one of a user of that name. NOT_FOUND. */
enum err
doris_store_stage_of(struct db *db, struct arena *a, const char *instance_id,
                     const char *user_name, struct doris_stage *out) MUST_USE;
/* order is the instance's version. EXISTS: name, user or id is taken; STATE:
 * the stage of that id was dropped. */
enum err
doris_store_stage_add(struct db *db, struct arena *a, const char *instance_id,
                      uint64_t order, const struct doris_stage *s) MUST_USE;
/* One that was dropped and is not recycled yet; without its keys. NOT_FOUND. */
enum err
doris_store_stage_dropped(struct db *db, struct arena *a,
                          const char *instance_id, const char *stage_id,
                          struct doris_stage_recycle *out) MUST_USE;
/* Noted for the recycler, without its keys. */
enum err doris_store_stage_drop(struct db *db, const char *instance_id,
                                const char *stage_id, int64_t now,
                                const char *reason) MUST_USE;

/* ---- clusters and nodes: store_cluster.c ---- */

/* Where a node is registered. */
#define DORIS_HOLDER(X, s)                                \
    X(s, STR, instance_id, "instance_id", COLUMN_ONLY, -) \
    X(s, STR, cluster_id, "cluster_id", COLUMN_ONLY, -)   \
    X(s, STR, cluster_name, "cluster_name", COLUMN_ONLY, -)
STRUCT(doris_holder, DORIS_HOLDER);

/* Which cluster of get_cluster. */
enum doris_selector { DORIS_BY_ID, DORIS_BY_NAME, DORIS_BY_USER };

/* The instance that holds the cloud_unique_id. NOT_FOUND. */
enum err
doris_store_resolve(struct db *db, struct arena *a, const char *cloud_unique_id,
                    const char **out) MUST_USE;

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
enum err doris_store_has_clusters(struct db *db, const char *instance_id,
                                  bool *out) MUST_USE;
/* Compute clusters of the status (-1 = any), in order of creation. */
enum err doris_store_cluster_statuses(struct db *db, struct arena *a,
                                      const char *instance_id, int status,
                                      struct doris_status_detail *out) MUST_USE;

/* doris_store_lock_live of place's instance, and the cluster as it then stands,
 * by id, else by name, in one round trip; place->doc is NULL when there is no
 * such cluster. */
enum err
doris_store_lock_cluster(struct db *db, struct arena *a,
                         struct doris_place *place, const char *cluster_id,
                         const char *cluster_name, int64_t now,
                         uint64_t *version, struct doris_cluster *out) MUST_USE;
/* One cluster as it stands, by id, else by name; either may be NULL. This and
 * the writes below leave its document in place->doc. */
enum err
doris_store_cluster(struct db *db, struct arena *a, const char *instance_id,
                    const char *cluster_id, const char *cluster_name,
                    struct doris_place *place,
                    struct doris_cluster *out) MUST_USE;
/* The cluster with its users and members, not its nodes. EXISTS when id or
 * name is taken. */
enum err doris_store_cluster_add(struct db *db, struct arena *a,
                                 struct doris_place *place,
                                 const struct doris_cluster *c) MUST_USE;
/* Writes the cluster's own columns and its document. */
enum err doris_store_cluster_save(struct db *db, struct arena *a,
                                  struct doris_place *place,
                                  const struct doris_cluster *c) MUST_USE;
/* Writes its document and mtime: enough when only nodes have changed. */
enum err doris_store_cluster_doc(struct db *db, struct arena *a,
                                 struct doris_place *place,
                                 const struct doris_cluster *c) MUST_USE;
enum err
doris_store_cluster_users(struct db *db, const struct doris_place *place,
                          const struct doris_cluster *c) MUST_USE;
enum err
doris_store_cluster_members(struct db *db, const struct doris_place *place,
                            const struct doris_cluster *c) MUST_USE;
/* The cluster, its nodes, and what they held. */
enum err doris_store_cluster_drop(struct db *db,
                                  const struct doris_place *place) MUST_USE;
/* Whether this is the SQL cluster that was created first. */
enum err
doris_store_is_first_sql(struct db *db, const struct doris_place *place,
                         bool *out) MUST_USE;
/* The virtual cluster that has the cluster of that name. NOT_FOUND. */
enum err
doris_store_owner(struct db *db, struct arena *a, const char *instance_id,
                  const char *cluster_name, const char **owner) MUST_USE;
/* Replaces a member's name in the virtual cluster that has it. */
enum err doris_store_member_rename(struct db *db, const char *instance_id,
                                   const char *from, const char *to) MUST_USE;

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
doris_store_node_add(struct db *db, const struct doris_place *place, int type,
                     uint64_t order, const struct doris_node *n) MUST_USE;
enum err doris_store_node_drop(struct db *db, const struct doris_place *place,
                               int type, const struct doris_node *n) MUST_USE;
enum err doris_store_node_status(struct db *db, const struct doris_place *place,
                                 int type, const struct doris_node *n) MUST_USE;
/* Whether the endpoint is taken. */
enum err
doris_store_endpoint_taken(struct db *db, const char *instance_id, int type,
                           const struct doris_node *n, bool *out) MUST_USE;

#endif
