/* The SQL of instances, their object stores and vaults. Keys are sealed by
 * db_secret; secret_row in a SELECT is the row they were sealed for. */
#include "instance.h"

enum {
    LOCK,
    LOCK_LIVE,
    EXISTS,
    INSTANCE_ADD,
    BURIED,
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
    SQL__MAX
};

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
    /* locking: what a recycler has committed a moment ago is seen */
    [BURIED] = "SELECT 1 FROM doris_tombstone WHERE instance_id = ?"
               " LOCK IN SHARE MODE",
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
    [RAM] = "UPDATE doris_instance SET ram_ak = ?, ram_sk = ?,"
            " ram_external_id = IF(?, ?, ram_external_id)"
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
};

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
    int64_t buried;
    enum err e;

    e = db_exec(
        db, sql[INSTANCE_ADD],
        DB_ARGS(db_str(i->instance_id), db_str(i->name), db_str(i->user_id),
                db_str(enum_text(doris_instance_status_names, i->status)),
                db_str(u->user_id), ram_secret(i->instance_id, "ram_ak", u->ak),
                ram_secret(i->instance_id, "ram_sk", u->sk),
                ram_secret(i->instance_id, "ram_external_id", u->external_id),
                db_bool(i->sse_enabled), db_bool(i->enable_storage_vault),
                db_i64(i->ctime), db_i64(i->mtime)));
    if (e != ERR_OK)
        return e;
    /* after it: a recycler that held the id has ended by now */
    e = db_one_i64(db, sql[BURIED], DB_ARGS(db_str(i->instance_id)), &buried);
    return e == ERR_OK ? ERR_EXISTS : e == ERR_NOT_FOUND ? ERR_OK : e;
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
    if (HAS(i, doris_instance, ram_ak))
        PUT(u, doris_user, ak, i->ram_ak);
    if (HAS(i, doris_instance, ram_sk))
        PUT(u, doris_user, sk, i->ram_sk);
    if (HAS(i, doris_instance, ram_external_id))
        PUT(u, doris_user, external_id, i->ram_external_id);
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

enum err
doris_store_instance_ahead(struct db *db, const char *instance_id)
{
    return db_ahead(db, sql[INSTANCE], DB_ARGS(db_str(instance_id)));
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
    return db_later_one(
        db, sql[RAM],
        DB_ARGS(ram_secret(instance_id, "ram_ak", u->ak),
                ram_secret(instance_id, "ram_sk", u->sk),
                db_bool(HAS(u, doris_user, external_id)),
                ram_secret(instance_id, "ram_external_id", u->external_id),
                db_str(instance_id)));
}

enum err
doris_store_instance_ram_user(struct db *db, const char *instance_id,
                              const struct doris_user *u)
{
    return db_later_one(
        db, sql[RAM_USER],
        DB_ARGS(db_str(u->user_id), ram_secret(instance_id, "ram_ak", u->ak),
                ram_secret(instance_id, "ram_sk", u->sk),
                ram_secret(instance_id, "ram_external_id", u->external_id),
                db_str(instance_id)));
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
