/* Object stores of an instance, and their keys. */
#ifndef MG_DORIS_OBJECT_H
#define MG_DORIS_OBJECT_H

#include "doris/doris.h"

enum doris_provider { DORIS_PROVIDER_UNKNOWN = -1, DORIS_OSS, DORIS_S3 };
extern const struct enum_name doris_provider_names[];

enum doris_cred {
    DORIS_CRED_DEFAULT = 1,
    DORIS_CRED_SIMPLE,
    DORIS_CRED_INSTANCE_PROFILE,
    DORIS_CRED_WEB_IDENTITY,
    DORIS_CRED_CONTAINER,
    DORIS_CRED_ENV,
    DORIS_CRED_SYSTEM_PROPERTIES,
    DORIS_CRED_ANONYMOUS
};
extern const struct enum_name doris_cred_names[];

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
    X(s, STR, external_id, "external_id", IN | OUT | SECRET, -,                \
      .max = DORIS_OBJ_BYTES)                                                  \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)
STRUCT(doris_obj, DORIS_OBJ);

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

/* legacy_update_ak_sk, alter_obj_info and add_obj_info read the same body
 * and refuse in different orders, so each has a record of its own. */
#define DORIS_ALTER_OBJ(X, s)                            \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -, \
      .max = DORIS_CUID_BYTES)                           \
    X(s, OBJ, obj, "obj", IN, doris_obj)
STRUCT(doris_legacy_obj, DORIS_ALTER_OBJ);
STRUCT(doris_alter_obj, DORIS_ALTER_OBJ);
STRUCT(doris_add_obj, DORIS_ALTER_OBJ);

/* Whether it says how it is reached: by keys, by a role, or by a provider of
 * credentials that needs neither. */
bool doris_obj_reached(const struct doris_obj *obj);
/* Refuses keys together with a role, and an external_id that goes with
 * neither. */
enum err doris_obj_one_way(struct req *r, const struct doris_obj *obj) MUST_USE;
/* It is reached from now on as asked says: keys and role exclude each other,
 * external_id goes with the role. */
void doris_obj_reach(struct doris_obj *obj, const struct doris_obj *asked);
/* What an object store of a new instance or vault must have. */
enum err doris_obj_check(struct req *r, const struct doris_obj *obj) MUST_USE;
/* One that is added or altered has 1,024 bytes in protobuf at the most. NULL
 * has none. */
enum err doris_obj_size(struct req *r, const struct doris_obj *obj) MUST_USE;
/* As it is stored: prefix trimmed, external endpoint, id and times set. */
void doris_obj_settle(struct req *r, struct doris_obj *obj, int64_t id,
                      bool sse, int64_t now);

/* Refuses to show what has a secret that cannot be opened (SHUT): the reply
 * says which one. */
enum err doris_secrets_open(struct req *r, const char *instance_id,
                            const char *what, const char *which,
                            const struct record *rec, uint64_t shut) MUST_USE;
/* The same of each. */
enum err doris_objs_open(struct req *r, const char *instance_id, size_t n,
                         const struct doris_obj *v) MUST_USE;

/* ---- the audit row ---- */

/* What a change of keys, object stores or vaults was about. Keys are masked:
 * the instance's version, one higher with each change, tells them apart. */
#define DORIS_STORAGE(X, s)                                     \
    X(s, U64, version, "version", OUT, -)                       \
    X(s, OBJ, ram_user, "ram_user", OUT, doris_user)            \
    X(s, LIST, obj_info, "obj_info", OUT, doris_obj)            \
    X(s, OBJ, storage_vault, "storage_vault", OUT, doris_vault) \
    X(s, STR, default_storage_vault_id, "default_storage_vault_id", OUT, -)
STRUCT(doris_storage, DORIS_STORAGE);

struct doris_storage doris_storage_objs(size_t n, struct doris_obj *v);

/* ---- the store ---- */

/* The row that a key of an object store or vault is sealed for. */
const char *
doris_secret_row(struct arena *a, const char *instance_id, const char *id);

/* The next id of an object store or vault of the instance. */
enum err doris_store_next_id(struct db *db, const char *instance_id,
                             int64_t *out) MUST_USE;

enum err
doris_store_objs(struct db *db, struct arena *a, const char *instance_id,
                 size_t *n, struct doris_obj **out) MUST_USE;
/* db_ahead of it. */
enum err
doris_store_objs_ahead(struct db *db, const char *instance_id) MUST_USE;
enum err
doris_store_obj_add(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_obj *o) MUST_USE;
/* Writes ak, sk, user_id, role_arn, external_id, cred_provider_type, mtime; a
 * secret that could not be opened and is not given stays as it is. */
enum err
doris_store_obj_keys(struct db *db, struct arena *a, const char *instance_id,
                     const struct doris_obj *o) MUST_USE;

#endif
