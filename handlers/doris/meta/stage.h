/* Stages: where files lie that are loaded. */
#ifndef MG_DORIS_STAGE_H
#define MG_DORIS_STAGE_H

#include "doris/data/rpc.h"
#include "doris/doris.h"
#include "doris/meta/object.h"

enum doris_stage_type { DORIS_STAGE_INTERNAL, DORIS_STAGE_EXTERNAL };
extern const struct enum_name doris_stage_type_names[];

enum doris_stage_access {
    DORIS_ACCESS_UNKNOWN,
    DORIS_ACCESS_AKSK,
    DORIS_ACCESS_IAM,
    DORIS_ACCESS_BUCKET_ACL
};
extern const struct enum_name doris_stage_access_names[];

/* The value of a property may be a key or a password. */
#define DORIS_SECRET_TEXT(X, s) X(s, STR, v, "", IN | OUT | SECRET, -)
STRUCT(doris_secret_text, DORIS_SECRET_TEXT);
MAP_OF(doris_secret_text);

#define DORIS_STAGE(X, s)                                                   \
    X(s, ENUM, type, "type", IN | OUT, doris_stage_type)                    \
    X(s, LIST, mysql_user_name, "mysql_user_name", IN | OUT, STR, .max = 1) \
    X(s, STR, name, "name", IN | OUT, -, .max = DORIS_ID_BYTES)             \
    X(s, OBJ, obj_info, "obj_info", IN | OUT, doris_obj)                    \
    X(s, STR, stage_id, "stage_id", IN | OUT, -, .max = DORIS_ID_BYTES)     \
    X(s, MAP, properties, "properties", IN | OUT, doris_secret_text,        \
      .max = 256)                                                           \
    X(s, LIST, mysql_user_id, "mysql_user_id", IN | OUT, STR, .max = 1)     \
    X(s, STR, comment, "comment", IN | OUT, -, .max = DORIS_TEXT_BYTES)     \
    X(s, I64, create_time, "create_time", IN | OUT, -)                      \
    X(s, ENUM, access_type, "access_type", IN | OUT, doris_stage_access)    \
    X(s, STR, role_name, "role_name", IN | OUT, -, .max = DORIS_TEXT_BYTES) \
    X(s, STR, arn, "arn", IN | OUT, -, .max = DORIS_TEXT_BYTES)             \
    X(s, STR, external_id, "external_id", IN | OUT | SECRET, -,             \
      .max = DORIS_TEXT_BYTES)                                              \
    X(s, STR, body, "body", COLUMN_ONLY | SECRET, -)                        \
    X(s, STR, ak, "ak", COLUMN_ONLY | SECRET, -)                            \
    X(s, STR, sk, "sk", COLUMN_ONLY | SECRET, -)                            \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)
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

#define DORIS_STAGE_REF(X, s)                                         \
    RPC_CUID(X, s)                                                    \
    X(s, STR, stage_name, "stage_name", IN, -, .max = DORIS_ID_BYTES) \
    X(s, STR, mysql_user_name, "mysql_user_name", IN, -,              \
      .max = DORIS_ID_BYTES)                                          \
    X(s, ENUM, type, "type", IN, doris_stage_type)                    \
    X(s, STR, mysql_user_id, "mysql_user_id", IN, -, .max = DORIS_ID_BYTES)
STRUCT(doris_stage_ref, DORIS_STAGE_REF);

#define DORIS_DROP_STAGE(X, s) \
    DORIS_STAGE_REF(X, s)      \
    X(s, STR, reason, "reason", IN, -, .max = DORIS_TEXT_BYTES)
STRUCT(doris_drop_stage, DORIS_DROP_STAGE);

#define DORIS_STAGE_LIST(X, s) X(s, LIST, stage, "stage", OUT, doris_stage)
STRUCT(doris_stage_list, DORIS_STAGE_LIST);

/* doris_secrets_open of a stage. */
enum err doris_stage_open(struct req *r, const char *instance_id,
                          const struct doris_stage *s) MUST_USE;

/* ---- the store ---- */

/* All of an instance, in order of creation. */
enum err
doris_store_stages(struct db *db, struct arena *a, const char *instance_id,
                   size_t *n, struct doris_stage **out) MUST_USE;
/* db_ahead of it. */
enum err
doris_store_stages_ahead(struct db *db, const char *instance_id) MUST_USE;
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
/* One that was dropped and is not recycled yet; without its secrets. NOT_FOUND.
 */
enum err
doris_store_stage_dropped(struct db *db, struct arena *a,
                          const char *instance_id, const char *stage_id,
                          struct doris_stage_recycle *out) MUST_USE;
/* Noted for the recycler, without its secrets. */
enum err
doris_store_stage_drop(struct db *db, struct arena *a, const char *instance_id,
                       const struct doris_stage *s, int64_t now,
                       const char *reason) MUST_USE;

#endif
