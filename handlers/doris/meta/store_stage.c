/* The SQL of stages. The body is the record as JSON without its keys, which lie
 * beside it; all three are sealed. */
#include "doris/doris.h"
#include "object.h"
#include "stage.h"

#define STAGES_MAX 4096

LIST_OF(doris_stage);

enum {
    ALL,
    BY_NAME,
    BY_USER,
    BY_USER_NAME,
    DROPPED,
    ADD,
    RECYCLE,
    DROP,
    SQL__MAX
};

#define COLUMNS                                                           \
    "SELECT stage_id, type, name, body, ak, sk,"                          \
    " CONCAT(instance_id, '/', stage_id) AS secret_row FROM doris_stage " \
    "WHERE instance_id = ?"

static const char *const sql[SQL__MAX] = {
    [ALL] = COLUMNS " ORDER BY ord, stage_id",
    [BY_NAME] = COLUMNS " AND name = ?",
    [BY_USER] = COLUMNS " AND user_id = ?",
    [BY_USER_NAME] = COLUMNS " AND user_name = ? ORDER BY ord LIMIT 1",
    [DROPPED] = "SELECT instance_id, reason, body FROM doris_stage_recycle"
                " WHERE instance_id = ? AND stage_id = ?",
    [ADD] = "INSERT INTO doris_stage (instance_id, stage_id, ord, type, name,"
            " user_name, user_id, body, ak, sk)"
            " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM DUAL WHERE NOT EXISTS"
            " (SELECT 1 FROM doris_stage_recycle WHERE instance_id = ?"
            " AND stage_id = ?)",
    [RECYCLE] = "INSERT INTO doris_stage_recycle (instance_id, stage_id,"
                " dropped, reason, body)"
                " VALUES (?, ?, ?, ?, ?)"
                " ON DUPLICATE KEY UPDATE dropped = VALUES(dropped),"
                " reason = VALUES(reason), body = VALUES(body)",
    [DROP] = "DELETE FROM doris_stage WHERE instance_id = ?"
             " AND stage_id = ?",
};

/* The record from its columns. */
static enum err
gather(struct arena *a, struct doris_stage *s)
{
    const struct doris_stage row = *s;
    enum err e;

    if (row.body == NULL) /* shut: what its other columns say */
        return ERR_OK;
    e = doris_doc_parse(a, row.body, &doris_stage_rec, s);
    s->shut = row.shut;
    if (e != ERR_OK || s->obj_info == NULL)
        return e;
    s->obj_info->ak = row.ak;
    s->obj_info->sk = row.sk;
    if (row.ak != NULL)
        SET(s->obj_info, doris_obj, ak);
    if (row.sk != NULL)
        SET(s->obj_info, doris_obj, sk);
    return ERR_OK;
}

enum err
doris_store_stages(struct db *db, struct arena *a, const char *instance_id,
                   size_t *n, struct doris_stage **out)
{
    struct list_of_doris_stage list = { 0, NULL };
    enum err e;

    e = db_list(db, a, sql[ALL], DB_ARGS(db_str(instance_id)), &doris_stage_rec,
                STAGES_MAX, &list);
    for (size_t i = 0; i < list.n && e == ERR_OK; i++)
        e = gather(a, &list.v[i]);
    *n = list.n;
    *out = list.v;
    return e;
}

enum err
doris_store_stages_ahead(struct db *db, const char *instance_id)
{
    return db_ahead(db, sql[ALL], DB_ARGS(db_str(instance_id)));
}

enum err
doris_store_stage(struct db *db, struct arena *a, const char *instance_id,
                  enum doris_stage_type type, const char *value,
                  struct doris_stage *out)
{
    enum err e;

    e = db_one(db, a, sql[type == DORIS_STAGE_INTERNAL ? BY_USER : BY_NAME],
               DB_ARGS(db_str(instance_id), db_str(value)), &doris_stage_rec,
               out);
    return e == ERR_OK ? gather(a, out) : e;
}

enum err
doris_store_stage_of(struct db *db, struct arena *a, const char *instance_id,
                     const char *user_name, struct doris_stage *out)
{
    enum err e;

    e = db_one(db, a, sql[BY_USER_NAME],
               DB_ARGS(db_str(instance_id), db_str(user_name)),
               &doris_stage_rec, out);
    return e == ERR_OK ? gather(a, out) : e;
}

enum err
doris_store_stage_dropped(struct db *db, struct arena *a,
                          const char *instance_id, const char *stage_id,
                          struct doris_stage_recycle *out)
{
    enum err e;

    e = db_one(db, a, sql[DROPPED],
               DB_ARGS(db_str(instance_id), db_str(stage_id)),
               &doris_stage_recycle_rec, out);
    if (e != ERR_OK)
        return e;
    out->stage = arena_alloc(a, sizeof(*out->stage));
    if (out->stage == NULL)
        return ERR_NOMEM;
    return doris_doc_parse(a, out->body, &doris_stage_rec, out->stage);
}

/* The body without the keys. */
static enum err
spread(struct arena *a, const struct doris_stage *s, const char **body,
       const char **ak, const char **sk)
{
    struct doris_stage plain = *s;
    struct doris_obj obj;

    *ak = *sk = NULL;
    if (s->obj_info != NULL) {
        obj = *s->obj_info;
        *ak = obj.ak;
        *sk = obj.sk;
        UNSET(&obj, doris_obj, ak);
        UNSET(&obj, doris_obj, sk);
        plain.obj_info = &obj;
    }
    return doris_doc_render(a, &doris_stage_rec, &plain, body);
}

enum err
doris_store_stage_add(struct db *db, struct arena *a, const char *instance_id,
                      uint64_t order, const struct doris_stage *s)
{
    const char *row = arena_printf(a, "%s/%s", instance_id, s->stage_id);
    bool internal = s->type == DORIS_STAGE_INTERNAL;
    const char *body, *ak, *sk;
    enum err e;

    if (row == NULL)
        return ERR_NOMEM;
    e = spread(a, s, &body, &ak, &sk);
    if (e != ERR_OK)
        return e;
    e = db_exec(
        db, sql[ADD],
        DB_ARGS(db_str(instance_id), db_str(s->stage_id), db_u64(order),
                db_str(enum_text(doris_stage_type_names, s->type)),
                internal ? db_null() : db_str(s->name),
                internal ? db_str(s->mysql_user_name.v[0].v) : db_null(),
                internal ? db_str(s->mysql_user_id.v[0].v) : db_null(),
                db_secret("doris_stage", row, "body", body),
                db_secret("doris_stage", row, "ak", ak),
                db_secret("doris_stage", row, "sk", sk), db_str(instance_id),
                db_str(s->stage_id)));
    return e == ERR_OK && db_matched(db) == 0 ? ERR_STATE : e;
}

enum err
doris_store_stage_drop(struct db *db, struct arena *a, const char *instance_id,
                       const struct doris_stage *s, int64_t now,
                       const char *reason)
{
    struct doris_stage plain = *s;
    struct doris_obj obj;
    const char *body;
    enum err e;

    plain.properties.n = 0;
    UNSET(&plain, doris_stage, external_id);
    if (s->obj_info != NULL) {
        obj = *s->obj_info;
        UNSET(&obj, doris_obj, ak);
        UNSET(&obj, doris_obj, sk);
        UNSET(&obj, doris_obj, external_id);
        plain.obj_info = &obj;
    }
    e = doris_doc_render(a, &doris_stage_rec, &plain, &body);
    if (e == ERR_OK)
        e = db_later(db, sql[RECYCLE],
                     DB_ARGS(db_str(instance_id), db_str(s->stage_id),
                             db_i64(now), db_str(reason), db_str(body)));
    if (e == ERR_OK)
        e = db_later_one(db, sql[DROP],
                         DB_ARGS(db_str(instance_id), db_str(s->stage_id)));
    return e;
}
