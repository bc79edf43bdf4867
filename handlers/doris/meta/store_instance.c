/* The SQL of instances, their object stores and vaults. Keys are sealed by
 * db_secret; secret_row in a SELECT is the row they were sealed for. */
#include "store.h"

#define OBJS_MAX 4096

LIST_OF(doris_obj);
LIST_OF(doris_vault);

enum {
    LOCK,
    LOCK_LIVE,
    EXISTS,
    INSTANCE_ADD,
    INSTANCE,
    STATUS_SET,
    RENAME,
    SSE,
    SSE_OBJS,
    RAM,
    RAM_USER,
    DEFAULT_VAULT,
    LIST,
    LIST_OF,
    NEXT_ID,
    OBJS,
    OBJ_ADD,
    OBJ_KEYS,
    VAULT_NAMES,
    VAULTS,
    VAULT,
    VAULT_ADD,
    VAULT_UPDATE,
    VAULT_DROP,
    SQL__MAX
};

#define VAULT_COLUMNS                                                   \
    "SELECT CAST(id AS CHAR) AS id, name, hdfs_conf, obj_conf, ak, sk," \
    " CONCAT(instance_id, '/', id) AS secret_row FROM doris_vault"

static const char *const sql[SQL__MAX] = {
    [LOCK] = "UPDATE doris_instance SET version = LAST_INSERT_ID(version + 1),"
             " mtime = ? WHERE instance_id = ?",
    [LOCK_LIVE] = "UPDATE doris_instance"
                  " SET version = LAST_INSERT_ID(version + 1), mtime = ?"
                  " WHERE instance_id = ? AND status <> 'DELETED'",
    [EXISTS] = "SELECT 1 FROM doris_instance WHERE instance_id = ?",
    [INSTANCE_ADD] =
        "INSERT INTO doris_instance (instance_id, name, user_id, status,"
        " ram_user_id, ram_ak, ram_sk, ram_external_id, sse_enabled,"
        " enable_storage_vault, ctime, mtime)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [INSTANCE] =
        "SELECT user_id, instance_id, name, ctime, mtime, status,"
        " sse_enabled, default_storage_vault_id, default_storage_vault_name,"
        " enable_storage_vault, ram_user_id, ram_ak, ram_sk,"
        " ram_external_id, instance_id AS secret_row"
        " FROM doris_instance WHERE instance_id = ?",
    [STATUS_SET] = "UPDATE doris_instance SET status = ?,"
                   " dropped = IF(? = 'DELETED', COALESCE(dropped, ?), NULL)"
                   " WHERE instance_id = ?",
    [RENAME] = "UPDATE doris_instance SET name = ? WHERE instance_id = ?",
    [SSE] = "UPDATE doris_instance SET sse_enabled = ? WHERE instance_id = ?",
    [SSE_OBJS] = "UPDATE doris_obj_info SET sse_enabled = ?, mtime = ?"
                 " WHERE instance_id = ?",
    [RAM] = "UPDATE doris_instance SET ram_ak = ?, ram_sk = ?"
            " WHERE instance_id = ?",
    [RAM_USER] = "UPDATE doris_instance SET ram_user_id = ?, ram_ak = ?,"
                 " ram_sk = ?, ram_external_id = ? WHERE instance_id = ?",
    [DEFAULT_VAULT] = "UPDATE doris_instance SET default_storage_vault_id = ?,"
                      " default_storage_vault_name = ? WHERE instance_id = ?",
    [LIST] = "SELECT instance_id, name, user_id, status, ctime, mtime"
             " FROM doris_instance WHERE instance_id > ?"
             " ORDER BY instance_id LIMIT ?",
    [LIST_OF] = "SELECT instance_id, name, user_id, status, ctime, mtime"
                " FROM doris_instance WHERE instance_id > ? AND status = ?"
                " ORDER BY instance_id LIMIT ?",
    [NEXT_ID] = "SELECT 1 + GREATEST("
                "COALESCE((SELECT MAX(id) FROM doris_obj_info"
                " WHERE instance_id = ?), 0),"
                " COALESCE((SELECT MAX(id) FROM doris_vault"
                " WHERE instance_id = ?), 0))",
    [OBJS] = "SELECT ctime, mtime, CAST(id AS CHAR) AS id, ak, sk, bucket,"
             " prefix, endpoint, region, provider, external_endpoint,"
             " user_id, sse_enabled, use_path_style, cred_provider_type,"
             " role_arn, external_id,"
             " CONCAT(instance_id, '/', id) AS secret_row"
             " FROM doris_obj_info WHERE instance_id = ?"
             " ORDER BY doris_obj_info.id",
    [OBJ_ADD] =
        "INSERT INTO doris_obj_info (instance_id, id, ctime, mtime, ak, sk,"
        " bucket, prefix, endpoint, region, provider, external_endpoint,"
        " user_id, sse_enabled, use_path_style, cred_provider_type,"
        " role_arn, external_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [OBJ_KEYS] = "UPDATE doris_obj_info SET ak = ?, sk = ?, user_id = ?,"
                 " role_arn = ?, cred_provider_type = ?, mtime = ?"
                 " WHERE instance_id = ? AND id = ?",
    [VAULT_NAMES] = "SELECT CAST(id AS CHAR) AS id, name FROM doris_vault"
                    " WHERE instance_id = ? ORDER BY doris_vault.id",
    [VAULTS] = VAULT_COLUMNS " WHERE instance_id = ? ORDER BY doris_vault.id",
    [VAULT] = VAULT_COLUMNS " WHERE instance_id = ? AND name = ?",
    [VAULT_ADD] = "INSERT INTO doris_vault (instance_id, id, name, hdfs_conf,"
                  " obj_conf, ak, sk) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [VAULT_UPDATE] = "UPDATE doris_vault SET name = ?, hdfs_conf = ?,"
                     " obj_conf = ?, ak = ?, sk = ?"
                     " WHERE instance_id = ? AND id = ?",
    [VAULT_DROP] = "DELETE FROM doris_vault WHERE instance_id = ? AND id = ?",
};

#define OPT_BOOL(p, s, m) (HAS(p, s, m) ? db_bool((p)->m) : db_null())
#define OPT_ENUM(p, s, m, names) \
    (HAS(p, s, m) ? db_str(enum_text(names, (p)->m)) : db_null())

/* ---- locks ---- */

enum err
doris_store_lock(struct db *db, const char *instance_id, int64_t now,
                 uint64_t *version)
{
    enum err e;

    db_touch(db, instance_id);
    e = db_exec_one(db, sql[LOCK], DB_ARGS(db_i64(now), db_str(instance_id)));
    *version = db_insert_id(db);
    return e;
}

static enum err
not_live(struct db *db, const char *instance_id)
{
    enum err e = doris_store_instance_exists(db, instance_id);

    return e == ERR_OK ? ERR_STATE : e;
}

enum err
doris_store_lock_live(struct db *db, const char *instance_id, int64_t now,
                      uint64_t *version)
{
    enum err e;

    db_touch(db, instance_id);
    e = db_exec_one(db, sql[LOCK_LIVE],
                    DB_ARGS(db_i64(now), db_str(instance_id)));
    *version = db_insert_id(db);
    return e == ERR_NOT_FOUND ? not_live(db, instance_id) : e;
}

enum err
doris_store_lock_first(struct db *db, const char *instance_id, int64_t now)
{
    enum err e;

    db_touch(db, instance_id);
    e = db_later_one(db, sql[LOCK_LIVE],
                     DB_ARGS(db_i64(now), db_str(instance_id)));
    return e == ERR_NOT_FOUND ? not_live(db, instance_id) : e;
}

/* ---- instances ---- */

enum err
doris_store_instance_exists(struct db *db, const char *instance_id)
{
    int64_t one;

    return db_one_i64(db, sql[EXISTS], DB_ARGS(db_str(instance_id)), &one);
}

static struct db_value
ram_secret(const char *instance_id, const char *column, const char *text)
{
    return db_secret("doris_instance", instance_id, column, text);
}

enum err
doris_store_instance_add(struct db *db, const struct doris_instance *i)
{
    static const struct doris_user nobody;
    const struct doris_user *u = i->ram_user == NULL ? &nobody : i->ram_user;

    return db_later(
        db, sql[INSTANCE_ADD],
        DB_ARGS(db_str(i->instance_id), db_str(i->name), db_str(i->user_id),
                db_str(enum_text(doris_instance_status_names, i->status)),
                db_str(u->user_id), ram_secret(i->instance_id, "ram_ak", u->ak),
                ram_secret(i->instance_id, "ram_sk", u->sk),
                db_str(u->external_id), db_bool(i->sse_enabled),
                db_bool(i->enable_storage_vault), db_i64(i->ctime),
                db_i64(i->mtime)));
}

/* The ram user's columns as the object that replies have. */
static enum err
gather_ram_user(struct arena *a, struct doris_instance *i)
{
    struct doris_user *u;

    if (!HAS(i, doris_instance, ram_user_id))
        return ERR_OK;
    u = arena_alloc(a, sizeof(*u));
    if (u == NULL)
        return ERR_NOMEM;
    PUT(u, doris_user, user_id, i->ram_user_id);
    PUT(u, doris_user, ak, i->ram_ak);
    PUT(u, doris_user, sk, i->ram_sk);
    u->external_id = i->ram_external_id;
    if (HAS(i, doris_instance, ram_external_id))
        SET(u, doris_user, external_id);
    PUT(i, doris_instance, ram_user, u);
    return ERR_OK;
}

enum err
doris_store_instance(struct db *db, struct arena *a, const char *instance_id,
                     struct doris_instance *out)
{
    enum err e;

    e = db_one(db, a, sql[INSTANCE], DB_ARGS(db_str(instance_id)),
               &doris_instance_rec, out);
    return e == ERR_OK ? gather_ram_user(a, out) : e;
}

/* dropped keeps the time of the first drop: the recycler counts from it. */
enum err
doris_store_instance_status(struct db *db, const char *instance_id,
                            enum doris_instance_status s, int64_t now)
{
    const char *name = enum_text(doris_instance_status_names, (int)s);

    return db_later_one(
        db, sql[STATUS_SET],
        DB_ARGS(db_str(name), db_str(name), db_i64(now), db_str(instance_id)));
}

enum err
doris_store_instance_rename(struct db *db, const char *instance_id,
                            const char *name)
{
    return db_later_one(db, sql[RENAME],
                        DB_ARGS(db_str(name), db_str(instance_id)));
}

enum err
doris_store_instance_sse(struct db *db, const char *instance_id, bool on,
                         int64_t now)
{
    enum err e;

    e = db_later_one(db, sql[SSE], DB_ARGS(db_bool(on), db_str(instance_id)));
    if (e == ERR_OK)
        e = db_later(db, sql[SSE_OBJS],
                     DB_ARGS(db_bool(on), db_i64(now), db_str(instance_id)));
    return e;
}

enum err
doris_store_instance_ram(struct db *db, const char *instance_id,
                         const struct doris_user *u)
{
    return db_later_one(db, sql[RAM],
                        DB_ARGS(ram_secret(instance_id, "ram_ak", u->ak),
                                ram_secret(instance_id, "ram_sk", u->sk),
                                db_str(instance_id)));
}

enum err
doris_store_instance_ram_user(struct db *db, const char *instance_id,
                              const struct doris_user *u)
{
    return db_later_one(db, sql[RAM_USER],
                        DB_ARGS(db_str(u->user_id),
                                ram_secret(instance_id, "ram_ak", u->ak),
                                ram_secret(instance_id, "ram_sk", u->sk),
                                db_str(u->external_id), db_str(instance_id)));
}

enum err
doris_store_instance_default(struct db *db, const char *instance_id,
                             const char *id, const char *name)
{
    return db_later_one(db, sql[DEFAULT_VAULT],
                        DB_ARGS(db_str(id), db_str(name), db_str(instance_id)));
}

enum err
doris_store_instance_list(struct db *db, struct arena *a, const char *after,
                          const char *status, size_t max,
                          struct doris_instance_page *out)
{
    if (status == NULL)
        return db_list(db, a, sql[LIST], DB_ARGS(db_str(after), db_u64(max)),
                       &doris_instance_line_rec, max, &out->instances);
    return db_list(db, a, sql[LIST_OF],
                   DB_ARGS(db_str(after), db_str(status), db_u64(max)),
                   &doris_instance_line_rec, max, &out->instances);
}

/* ---- object stores ---- */

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

/* The row that a key is sealed for: "<instance>/<id>". */
static const char *
secret_row(struct arena *a, const char *instance_id, const char *id)
{
    return arena_printf(a, "%s/%s", instance_id, id);
}

enum err
doris_store_obj_add(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_obj *o)
{
    const char *row = secret_row(a, instance_id, o->id);

    if (row == NULL)
        return ERR_NOMEM;
    return db_later(
        db, sql[OBJ_ADD],
        DB_ARGS(db_str(instance_id), db_str(o->id), db_i64(o->ctime),
                db_i64(o->mtime), db_secret("doris_obj_info", row, "ak", o->ak),
                db_secret("doris_obj_info", row, "sk", o->sk),
                db_str(o->bucket), db_str(o->prefix), db_str(o->endpoint),
                db_str(o->region),
                OPT_ENUM(o, doris_obj, provider, doris_provider_names),
                db_str(o->external_endpoint), db_str(o->user_id),
                OPT_BOOL(o, doris_obj, sse_enabled),
                OPT_BOOL(o, doris_obj, use_path_style),
                OPT_ENUM(o, doris_obj, cred_provider_type, doris_cred_names),
                db_str(o->role_arn), db_str(o->external_id)));
}

enum err
doris_store_obj_keys(struct db *db, struct arena *a, const char *instance_id,
                     const struct doris_obj *o)
{
    const char *row = secret_row(a, instance_id, o->id);

    if (row == NULL)
        return ERR_NOMEM;
    return db_later_one(
        db, sql[OBJ_KEYS],
        DB_ARGS(db_secret("doris_obj_info", row, "ak", o->ak),
                db_secret("doris_obj_info", row, "sk", o->sk),
                db_str(o->user_id), db_str(o->role_arn),
                OPT_ENUM(o, doris_obj, cred_provider_type, doris_cred_names),
                db_i64(o->mtime), db_str(instance_id), db_str(o->id)));
}

/* ---- vaults ---- */

/* The vault's body from its two texts and its keys. */
static enum err
gather_vault(struct arena *a, struct doris_vault *v)
{
    enum err e = ERR_OK;

    if (v->hdfs_conf != NULL) {
        PUT(v, doris_vault, hdfs_info, arena_alloc(a, sizeof(*v->hdfs_info)));
        if (v->hdfs_info == NULL)
            return ERR_NOMEM;
        e = doris_doc_parse(a, v->hdfs_conf, &doris_hdfs_rec, v->hdfs_info);
    }
    if (e != ERR_OK || v->obj_conf == NULL)
        return e;
    PUT(v, doris_vault, obj_info, arena_alloc(a, sizeof(*v->obj_info)));
    if (v->obj_info == NULL)
        return ERR_NOMEM;
    e = doris_doc_parse(a, v->obj_conf, &doris_obj_rec, v->obj_info);
    v->obj_info->ak = v->ak;
    v->obj_info->sk = v->sk;
    if (v->ak != NULL)
        SET(v->obj_info, doris_obj, ak);
    if (v->sk != NULL)
        SET(v->obj_info, doris_obj, sk);
    return e;
}

enum err
doris_store_vaults(struct db *db, struct arena *a, const char *instance_id,
                   bool bodies, size_t *n, struct doris_vault **out)
{
    struct list_of_doris_vault list = { 0, NULL };
    enum err e;

    e = db_list(db, a, sql[bodies ? VAULTS : VAULT_NAMES],
                DB_ARGS(db_str(instance_id)), &doris_vault_rec, OBJS_MAX,
                &list);
    for (size_t i = 0; i < list.n && e == ERR_OK; i++)
        e = gather_vault(a, &list.v[i]);
    *n = list.n;
    *out = list.v;
    return e;
}

enum err
doris_store_vault(struct db *db, struct arena *a, const char *instance_id,
                  const char *name, struct doris_vault *out)
{
    enum err e;

    e = db_one(db, a, sql[VAULT], DB_ARGS(db_str(instance_id), db_str(name)),
               &doris_vault_rec, out);
    return e == ERR_OK ? gather_vault(a, out) : e;
}

/* A vault's columns: its body as text without the keys, and these. */
struct vault_columns {
    const char *row, *hdfs, *obj, *ak, *sk;
};

static enum err
spread_vault(struct arena *a, const char *instance_id,
             const struct doris_vault *v, struct vault_columns *out)
{
    struct doris_obj plain;
    enum err e = ERR_OK;

    *out = (struct vault_columns){ .row = secret_row(a, instance_id, v->id) };
    if (out->row == NULL)
        return ERR_NOMEM;
    if (v->hdfs_info != NULL)
        e = doris_doc_render(a, &doris_hdfs_rec, v->hdfs_info, &out->hdfs);
    if (e != ERR_OK || v->obj_info == NULL)
        return e;
    plain = *v->obj_info;
    out->ak = plain.ak;
    out->sk = plain.sk;
    UNSET(&plain, doris_obj, ak);
    UNSET(&plain, doris_obj, sk);
    return doris_doc_render(a, &doris_obj_rec, &plain, &out->obj);
}

enum err
doris_store_vault_add(struct db *db, struct arena *a, const char *instance_id,
                      const struct doris_vault *v)
{
    struct vault_columns c;
    enum err e;

    e = spread_vault(a, instance_id, v, &c);
    if (e != ERR_OK)
        return e;
    return db_later(db, sql[VAULT_ADD],
                    DB_ARGS(db_str(instance_id), db_str(v->id), db_str(v->name),
                            db_str(c.hdfs), db_str(c.obj),
                            db_secret("doris_vault", c.row, "ak", c.ak),
                            db_secret("doris_vault", c.row, "sk", c.sk)));
}

enum err
doris_store_vault_update(struct db *db, struct arena *a,
                         const char *instance_id, const struct doris_vault *v)
{
    struct vault_columns c;
    enum err e;

    e = spread_vault(a, instance_id, v, &c);
    if (e != ERR_OK)
        return e;
    return db_later_one(db, sql[VAULT_UPDATE],
                        DB_ARGS(db_str(v->name), db_str(c.hdfs), db_str(c.obj),
                                db_secret("doris_vault", c.row, "ak", c.ak),
                                db_secret("doris_vault", c.row, "sk", c.sk),
                                db_str(instance_id), db_str(v->id)));
}

enum err
doris_store_vault_drop(struct db *db, const char *instance_id, const char *id)
{
    return db_later_one(db, sql[VAULT_DROP],
                        DB_ARGS(db_str(instance_id), db_str(id)));
}
