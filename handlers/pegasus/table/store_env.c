/* The SQL of tables' variables. */
#include "env.h"

#define ENVS_MAX 100000

enum { ENVS, ENV_ROWS, ENV_SET, ENV_DEL, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [ENVS] = "SELECT e.k, e.v FROM pegasus_app a"
             " JOIN pegasus_app_env e ON e.app_id = a.app_id"
             " WHERE a.live_name = ? AND a.status = 'AVAILABLE'"
             " ORDER BY e.k",
    [ENV_ROWS] = "SELECT k, v FROM pegasus_app_env WHERE app_id = ?"
                 " ORDER BY k",
    [ENV_SET] = "INSERT INTO pegasus_app_env (app_id, k, v) VALUES (?, ?, ?)"
                " ON DUPLICATE KEY UPDATE v = VALUES(v)",
    [ENV_DEL] = "DELETE FROM pegasus_app_env WHERE app_id = ? AND k = ?",
};

#define ENV_ROW(X, s)                 \
    X(s, STR, k, "k", COLUMN_ONLY, -) \
    X(s, STR, v, "v", COLUMN_ONLY, -)
STRUCT(pegasus_env_row, ENV_ROW);
TABLE(pegasus_env_row, ENV_ROW);

LIST_OF(pegasus_env_row);

static enum err
to_map(struct arena *a, const struct list_of_pegasus_env_row *list,
       struct list_of_map_of_STR *out)
{
    out->n = list->n;
    out->v = arena_array(a, list->n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < list->n; i++)
        out->v[i] =
            (struct map_of_STR){ list->v[i].k,
                                 { .has = UINT64_MAX, .v = list->v[i].v } };
    return ERR_OK;
}

enum err
pegasus_store_envs(struct db *db, struct arena *a, const char *name,
                   struct list_of_map_of_STR *out)
{
    struct list_of_pegasus_env_row list;
    enum err e;

    e = db_list(db, a, sql[ENVS], DB_ARGS(db_str(name)), &pegasus_env_row_rec,
                ENVS_MAX, &list);
    return e == ERR_OK ? to_map(a, &list, out) : e;
}

enum err
pegasus_store_env_rows(struct db *db, struct arena *a, int32_t app_id,
                       struct list_of_map_of_STR *out)
{
    struct list_of_pegasus_env_row list;
    enum err e;

    e = db_list(db, a, sql[ENV_ROWS], DB_ARGS(db_i64(app_id)),
                &pegasus_env_row_rec, ENVS_MAX, &list);
    return e == ERR_OK ? to_map(a, &list, out) : e;
}

enum err
pegasus_store_env_set(struct db *db, int32_t app_id, const char *k,
                      const char *v)
{
    return db_later(db, sql[ENV_SET],
                    DB_ARGS(db_i64(app_id), db_str(k), db_str(v)));
}

enum err
pegasus_store_env_del(struct db *db, int32_t app_id, const char *k)
{
    return db_exec_one(db, sql[ENV_DEL], DB_ARGS(db_i64(app_id), db_str(k)));
}
