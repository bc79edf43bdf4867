/* The SQL of vaults. Keys are sealed by db_secret; secret_row in a SELECT is
 * the row they were sealed for. */
#include "doris/doris.h"
#include "object.h"
#include "vault.h"

#define VAULTS_MAX 4096

LIST_OF(doris_vault);

enum {
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
    " external_id,"                                                     \
    " CONCAT(instance_id, '/', id) AS secret_row FROM doris_vault"

static const char *const sql[SQL__MAX] = {
    [VAULT_NAMES] = "SELECT CAST(id AS CHAR) AS id, name FROM doris_vault"
                    " WHERE instance_id = ? ORDER BY doris_vault.id",
    [VAULTS] = VAULT_COLUMNS " WHERE instance_id = ? ORDER BY doris_vault.id",
    [VAULT] = VAULT_COLUMNS " WHERE instance_id = ? AND name = ?",
    [VAULT_ADD] = "INSERT INTO doris_vault (instance_id, id, name, hdfs_conf,"
                  " obj_conf, ak, sk, external_id)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    [VAULT_UPDATE] = "UPDATE doris_vault SET name = ?, obj_conf = ?,"
                     " ak = IF(?, ak, ?), sk = IF(?, sk, ?),"
                     " external_id = IF(?, external_id, ?)"
                     " WHERE instance_id = ? AND id = ?",
    [VAULT_DROP] = "DELETE FROM doris_vault WHERE instance_id = ? AND id = ?",
};

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
    if (v->external_id != NULL) /* otherwise it may be a member of the body */
        PUT(v->obj_info, doris_obj, external_id, v->external_id);
    v->obj_info->shut = (uint64_t)SHUT(v, doris_vault, ak) << doris_obj_has_ak |
                        (uint64_t)SHUT(v, doris_vault, sk) << doris_obj_has_sk |
                        (uint64_t)SHUT(v, doris_vault, external_id)
                            << doris_obj_has_external_id;
    return e;
}

enum err
doris_store_vaults(struct db *db, struct arena *a, const char *instance_id,
                   bool bodies, size_t *n, struct doris_vault **out)
{
    struct list_of_doris_vault list = { 0, NULL };
    enum err e;

    e = db_list(db, a, sql[bodies ? VAULTS : VAULT_NAMES],
                DB_ARGS(db_str(instance_id)), &doris_vault_rec, VAULTS_MAX,
                &list);
    for (size_t i = 0; i < list.n && e == ERR_OK; i++)
        e = gather_vault(a, &list.v[i]);
    *n = list.n;
    *out = list.v;
    return e;
}

enum err
doris_store_vaults_ahead(struct db *db, const char *instance_id, bool bodies)
{
    return db_ahead(db, sql[bodies ? VAULTS : VAULT_NAMES],
                    DB_ARGS(db_str(instance_id)));
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
    const char *row, *hdfs, *obj, *ak, *sk, *external_id;
};

static enum err
spread_vault(struct arena *a, const char *instance_id,
             const struct doris_vault *v, struct vault_columns *out)
{
    struct doris_obj plain;
    enum err e = ERR_OK;

    *out = (struct vault_columns){ .row = doris_secret_row(a, instance_id,
                                                           v->id) };
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
    out->external_id = plain.external_id;
    UNSET(&plain, doris_obj, sk);
    UNSET(&plain, doris_obj, external_id);
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
    return db_later(
        db, sql[VAULT_ADD],
        DB_ARGS(db_str(instance_id), db_str(v->id), db_str(v->name),
                db_secret("doris_vault", c.row, "hdfs_conf", c.hdfs),
                db_str(c.obj), db_secret("doris_vault", c.row, "ak", c.ak),
                db_secret("doris_vault", c.row, "sk", c.sk),
                db_secret("doris_vault", c.row, "external_id", c.external_id)));
}

#define KEEP(o, m) db_bool(SHUT(o, doris_obj, m) && !HAS(o, doris_obj, m))

enum err
doris_store_vault_update(struct db *db, struct arena *a,
                         const char *instance_id, const struct doris_vault *v)
{
    struct vault_columns c;
    enum err e;

    e = spread_vault(a, instance_id, v, &c);
    if (e != ERR_OK)
        return e;
    return db_later_one(
        db, sql[VAULT_UPDATE],
        DB_ARGS(db_str(v->name), db_str(c.obj), KEEP(v->obj_info, ak),
                db_secret("doris_vault", c.row, "ak", c.ak),
                KEEP(v->obj_info, sk),
                db_secret("doris_vault", c.row, "sk", c.sk),
                KEEP(v->obj_info, external_id),
                db_secret("doris_vault", c.row, "external_id", c.external_id),
                db_str(instance_id), db_str(v->id)));
}

enum err
doris_store_vault_drop(struct db *db, const char *instance_id, const char *id)
{
    return db_later_one(db, sql[VAULT_DROP],
                        DB_ARGS(db_str(instance_id), db_str(id)));
}
