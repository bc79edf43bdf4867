/* What a worker asks before it serves: does this schema suit this binary? */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "migrate.h"
#include "migrate_rows.h"

#define ARENA_BYTES (4u << 20)
#define ROWS_MAX    8192

TABLE(migration_row, MIGRATION_ROW);

static const char rows_sql[] =
    "SELECT id, step, min_reader, digest, server, session_id,"
    " " DB_NOW_MS " - started_ms AS age_ms, finished_ms"
    " FROM schema_migration ORDER BY id, step";
static const char tables_sql[] =
    "SELECT COUNT(*) FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA = DATABASE()"
    " AND TABLE_NAME IN ('schema_migration', 'deployment')";
static const char deployment_sql[] =
    "SELECT deployment_id FROM deployment WHERE one = 1";

enum err
migration_owner(struct db *db, struct arena *a, const char **out)
{
    return db_one_str(db, a, deployment_sql, DB_NO_ARGS, out);
}

enum err
migration_rows(struct db *db, struct arena *a,
               struct list_of_migration_row *out)
{
    return db_list(db, a, rows_sql, DB_NO_ARGS, &migration_row_rec, ROWS_MAX,
                   out);
}

const struct migration_row *
migration_row_find(const struct list_of_migration_row *rows, unsigned id,
                   size_t step)
{
    for (size_t i = 0; i < rows->n; i++)
        if (rows->v[i].id == (int64_t)id && rows->v[i].step == (int64_t)step)
            return &rows->v[i];
    return NULL;
}

bool
migration_row_done(const struct migration_row *row)
{
    return row != NULL && HAS(row, migration_row, finished_ms);
}

/* ---- the questions ---- */

struct check {
    struct db *db;
    struct arena *a;
    struct migrations known;
    struct list_of_migration_row rows;
    char *why;
};

static enum err
check_tables(struct check *c)
{
    int64_t n;
    enum err e = db_one_i64(c->db, tables_sql, DB_NO_ARGS, &n);

    if (e == ERR_OK && n != 2)
        return why_fail(c->why, ERR_BUSY,
                        "the schema is empty: run `metagate migrate`");
    return e;
}

static enum err
check_deployment(struct check *c, const char *ours)
{
    const char *id;
    enum err e = migration_owner(c->db, c->a, &id);

    if (e == ERR_NOT_FOUND)
        return why_fail(c->why, ERR_BUSY,
                        "no deployment owns the schema yet: run `metagate "
                        "migrate`");
    if (e == ERR_OK && strcmp(id, ours) != 0)
        return why_fail(c->why, ERR_STATE,
                        "the schema belongs to deployment %.64s, this is %.64s:"
                        " name another [mysql] database, or copy that "
                        "deployment's deployment_id file",
                        id, ours);
    return e;
}

static enum err
check_done(struct check *c)
{
    const struct migration *m;

    for (size_t i = 0; i < c->known.n; i++) {
        m = &c->known.v[i];
        for (size_t step = 1; step <= m->n_steps; step++) {
            if (migration_row_done(migration_row_find(&c->rows, m->id, step)))
                continue;
            return why_fail(c->why, ERR_BUSY,
                            "migration %04u_%s is not done: run `metagate "
                            "migrate`",
                            m->id, m->name);
        }
    }
    return ERR_OK;
}

/* Unfinished ones count: what they change may have changed already. */
static enum err
check_reader(struct check *c)
{
    int64_t need = 0;

    for (size_t i = 0; i < c->rows.n; i++)
        if (c->rows.v[i].min_reader > need)
            need = c->rows.v[i].min_reader;
    if (need <= (int64_t)c->known.version)
        return ERR_OK;
    return why_fail(c->why, ERR_STATE,
                    "the schema wants version %lld, this binary knows %u: "
                    "install a newer metagate",
                    (long long)need, c->known.version);
}

static enum err
check_all(struct check *c, const char *deployment_id)
{
    enum err e;

    e = migrations_parse(c->a, embed_sql, &c->known, c->why);
    if (e != ERR_OK)
        return ERR_INTERNAL;
    e = check_tables(c);
    if (e == ERR_OK)
        e = check_deployment(c, deployment_id);
    if (e == ERR_OK)
        e = migration_rows(c->db, c->a, &c->rows);
    if (e == ERR_OK)
        e = check_reader(c);
    if (e == ERR_OK)
        e = check_done(c);
    return e;
}

enum err
migrate_check(struct db *db, const char *deployment_id, char why[WHY_BYTES])
{
    struct check c = { .db = db, .why = why };
    enum err e;

    why_say(why, "the metadata store cannot be asked");
    c.a = arena_new(ARENA_BYTES);
    if (c.a == NULL)
        return ERR_NOMEM;
    e = check_all(&c, deployment_id);
    arena_free(c.a);
    if (e == ERR_OK)
        why[0] = '\0';
    return e;
}
