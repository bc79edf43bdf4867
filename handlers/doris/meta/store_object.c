/* The SQL of object stores. Keys are sealed by db_secret; secret_row in a
 * SELECT is the row they were sealed for. */
#include "object.h"
#include "vault.h"

#define OBJS_MAX 4096

LIST_OF(doris_obj);

enum { NEXT_ID, OBJS, OBJ_ADD, OBJ_KEYS, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [NEXT_ID] = "SELECT 1 + GREATEST("
                "COALESCE((SELECT MAX(id) FROM doris_obj_info"
                " WHERE instance_id = ?), 0),"
                " COALESCE((SELECT MAX(id) FROM doris_vault"
                " WHERE instance_id = ?), 0))",
    [OBJS] = "SELECT ctime, mtime, CAST(id AS CHAR) AS id, ak, sk, bucket,"
             " prefix, endpoint, region, provider, external_endpoint,"
             " user_id, sse_enabled, use_path_style, cred_provider_type,"
             " role_arn,"
             " external_id,"
             " CONCAT(instance_id, '/', id) AS secret_row"
             " FROM doris_obj_info WHERE instance_id = ?"
             " ORDER BY doris_obj_info.id",
    [OBJ_ADD] =
        "INSERT INTO doris_obj_info (instance_id, id, ctime, mtime, ak, sk,"
        " bucket, prefix, endpoint, region, provider, external_endpoint,"
        " user_id, sse_enabled, use_path_style, cred_provider_type,"
        " role_arn, external_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [OBJ_KEYS] = "UPDATE doris_obj_info SET ak = IF(?, ak, ?),"
                 " sk = IF(?, sk, ?), user_id = ?,"
                 " role_arn = ?, external_id = IF(?, external_id, ?), "
                 "cred_provider_type = ?,"
                 " mtime = ?"
                 " WHERE instance_id = ? AND id = ?",
};

enum err
doris_store_next_id(struct db *db, const char *instance_id, int64_t *out)
{
    return db_one_i64(db, sql[NEXT_ID],
                      DB_ARGS(db_str(instance_id), db_str(instance_id)), out);
}

enum err
doris_store_objs(struct db *db, struct arena *a, const char *instance_id,
                 size_t *n, struct doris_obj **out)
{
    struct list_of_doris_obj list = { 0, NULL };
    enum err e;

    e = db_list(db, a, sql[OBJS], DB_ARGS(db_str(instance_id)), &doris_obj_rec,
                OBJS_MAX, &list);
    *n = list.n;
    *out = list.v;
    return e;
}

enum err
doris_store_objs_ahead(struct db *db, const char *instance_id)
{
    return db_ahead(db, sql[OBJS], DB_ARGS(db_str(instance_id)));
}

#define OPT_BOOL(p, s, m) (HAS(p, s, m) ? db_bool((p)->m) : db_null())
#define OPT_ENUM(p, s, m, names) \
    (HAS(p, s, m) ? db_str(enum_text(names, (p)->m)) : db_null())

const char *
doris_secret_row(struct arena *a, const char *instance_id, const char *id)
{
    return arena_printf(a, "%s/%s", instance_id, id);
}

enum err
doris_store_obj_add(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_obj *o)
{
    const char *row = doris_secret_row(a, instance_id, o->id);

    if (row == NULL)
        return ERR_NOMEM;
    return db_later(
        db, sql[OBJ_ADD],
        DB_ARGS(
            db_str(instance_id), db_str(o->id), db_i64(o->ctime),
            db_i64(o->mtime), db_secret("doris_obj_info", row, "ak", o->ak),
            db_secret("doris_obj_info", row, "sk", o->sk), db_str(o->bucket),
            db_str(o->prefix), db_str(o->endpoint), db_str(o->region),
            OPT_ENUM(o, doris_obj, provider, doris_provider_names),
            db_str(o->external_endpoint), db_str(o->user_id),
            OPT_BOOL(o, doris_obj, sse_enabled),
            OPT_BOOL(o, doris_obj, use_path_style),
            OPT_ENUM(o, doris_obj, cred_provider_type, doris_cred_names),
            db_str(o->role_arn),
            db_secret("doris_obj_info", row, "external_id", o->external_id)));
}

#define KEEP(o, m) db_bool(SHUT(o, doris_obj, m) && !HAS(o, doris_obj, m))

enum err
doris_store_obj_keys(struct db *db, struct arena *a, const char *instance_id,
                     const struct doris_obj *o)
{
    const char *row = doris_secret_row(a, instance_id, o->id);

    if (row == NULL)
        return ERR_NOMEM;
    return db_later_one(
        db, sql[OBJ_KEYS],
        DB_ARGS(KEEP(o, ak), db_secret("doris_obj_info", row, "ak", o->ak),
                KEEP(o, sk), db_secret("doris_obj_info", row, "sk", o->sk),
                db_str(o->user_id), db_str(o->role_arn), KEEP(o, external_id),
                db_secret("doris_obj_info", row, "external_id", o->external_id),
                OPT_ENUM(o, doris_obj, cred_provider_type, doris_cred_names),
                db_i64(o->mtime), db_str(instance_id), db_str(o->id)));
}
