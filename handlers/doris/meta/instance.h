/* The room is what operators change: instances (here), and what an instance has
 * beside its clusters: object stores and their keys (object.h), storage vaults
 * (vault.h), stages (stage.h).
 *
 * Instances: what requests bring, what replies show, what the store keeps.
 *
 * Every write of a handler begins with one of the locks below: they bump the
 * instance's version, so that writes to one instance run one after the other
 * (on a cluster of servers: so that the later one is refused). What is read
 * after the lock stays true until the end of the transaction.
 *
 * Writes answer what single statements would; but where only success is asked
 * they may wait (db_later), so that a handler's error of its own after them
 * costs a second run. */
#ifndef MG_DORIS_INSTANCE_H
#define MG_DORIS_INSTANCE_H

#include "doris/doris.h"
#include "doris/meta/object.h"
#include "doris/meta/stage.h"

enum doris_instance_status { DORIS_NORMAL, DORIS_DELETED, DORIS_OVERDUE };
extern const struct enum_name doris_instance_status_names[];

/* Numbers of Doris: a client may send them, and 1 is its DROP. */
enum doris_status_op { DORIS_SET_OVERDUE = 6, DORIS_SET_NORMAL = 7 };
extern const struct enum_name doris_status_op_names[];

#define DORIS_USER(X, s)                                                \
    X(s, STR, user_id, "user_id", IN | OUT, -, .max = DORIS_TEXT_BYTES) \
    X(s, STR, ak, "ak", IN | OUT | SECRET, -, .max = DORIS_TEXT_BYTES)  \
    X(s, STR, sk, "sk", IN | OUT | SECRET, -, .max = DORIS_TEXT_BYTES)  \
    X(s, STR, external_id, "external_id", IN | OUT | SECRET, -,         \
      .max = DORIS_TEXT_BYTES)
STRUCT(doris_user, DORIS_USER);

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
    X(s, STR, ram_external_id, "ram_external_id", COLUMN_ONLY | SECRET, -)   \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)
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

#define DORIS_ALTER_RAM_USER(X, s)                                      \
    X(s, STR, instance_id, "instance_id", IN, -, .max = DORIS_ID_BYTES) \
    X(s, OBJ, ram_user, "ram_user", IN, doris_user)
STRUCT(doris_alter_ram_user, DORIS_ALTER_RAM_USER);

/* ---- what other nouns need of an instance ---- */

/* An instance with all that get_instance shows; its clusters are streamed, so
 * nothing else may be read before they are. NOT_FOUND. */
enum err doris_instance_load(struct req *r, const char *instance_id,
                             struct doris_instance *out) MUST_USE;

/* What the store says of an instance, as most operations word it: unknown, or
 * DELETED; else e. */
enum err doris_fail_instance(struct req *r, enum err e,
                             const char *instance_id) MUST_USE;

/* doris_secrets_open of the row. */
enum err
doris_instance_open(struct req *r, const struct doris_instance *i) MUST_USE;

/* A live instance that is being changed. */
struct doris_change {
    const char *instance_id;
    int64_t now;
    uint64_t version; /* its new one */
    struct doris_instance i;
};
/* Locks and reads it, and names it in the audit row. Refused as
 * doris_fail_instance does. */
enum err doris_change_begin(struct req *r, const char *instance_id,
                            struct doris_change *ch) MUST_USE;
/* The same of the instance that a cloud_unique_id leads to. */
enum err doris_change_begin_by(struct req *r, const char *cloud_unique_id,
                               struct doris_change *ch) MUST_USE;
/* For the audit row: what is about to change, as it is. */
void doris_change_was(struct req *r, const struct doris_change *ch,
                      struct doris_storage *s);
/* Success: as it has become. A kind (and name) is a target of its own. */
enum err doris_change_save(struct req *r, const struct doris_change *ch,
                           const char *kind, const char *name,
                           struct doris_storage *s) MUST_USE;

/* ---- the store ---- */

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

/* EXISTS when there is one of that id, or was. */
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
/* Its ram user's keys, and external_id when it is given. */
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

/* db_ahead of doris_store_instance. */
enum err
doris_store_instance_ahead(struct db *db, const char *instance_id) MUST_USE;
/* Until the end of the transaction the instance is not dropped. NOT_FOUND;
 * STATE when it is DELETED already. */
enum err doris_store_instance_share(struct db *db, struct arena *a,
                                    const char *instance_id) MUST_USE;

#endif
