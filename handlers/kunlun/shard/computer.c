/* A computing node's foreign servers, and the probe of a cluster. */
#include "computer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "my.h"
#include "pg.h"

#define DATABASE "postgres"
#define PROBE    "metagate_probe"
#define TOLD     "metagate.told" /* of each shard: up to which epoch */
#define ROWS_MAX 1000

/* A connection, its arena and what is left of the time. */
struct to_computer {
    struct pg *pg;
    struct arena *a;
    int64_t until;
    char *why;
};

static enum err
open_as(struct to_computer *t, struct arena *a,
        const struct instance_spec *comp, const char *user, const char *secret,
        int timeout_ms, char why[WHY_BYTES])
{
    struct pg_server server = { comp->address, (unsigned)comp->port, user,
                                secret, DATABASE };

    *t = (struct to_computer){ .a = a,
                               .until = clock_mono_ms() + timeout_ms,
                               .why = why };
    return pg_connect(&server, t->until, &t->pg, why);
}

static enum err
open_admin(struct to_computer *t, struct arena *a,
           const struct instance_spec *comp, int timeout_ms,
           char why[WHY_BYTES])
{
    return open_as(t, a, comp, comp->admin_user, comp->admin_secret, timeout_ms,
                   why);
}

static enum err
run(struct to_computer *t, const char *sql)
{
    if (sql == NULL)
        return why_fail(t->why, ERR_NOMEM, "out of memory");
    return pg_do(t->pg, sql, t->until, t->why);
}

/* Whether the statement, with that one value, has a row. */
static enum err
exists(struct to_computer *t, const char *sql, const char *value, bool *out)
{
    struct pg_table rows;
    enum err e = pg_query(t->pg, t->a, sql, &value, 1, ROWS_MAX, &rows,
                          t->until, t->why);

    *out = e == ERR_OK && rows.n > 0;
    return e;
}

static const char *
name(struct to_computer *t, const char *text)
{
    const char *q = pg_quote_name(t->pg, t->a, text);

    return q != NULL ? q : "\"\"";
}

static const char *
quote(struct to_computer *t, const char *text)
{
    const char *q = pg_quote(t->pg, t->a, text);

    return q != NULL ? q : "''";
}

/* ---- servers ---- */

static enum err
put_server(struct to_computer *t, const char *shard,
           const struct instance_spec *primary)
{
    bool there;
    enum err e = exists(t, "SELECT 1 FROM pg_foreign_server WHERE srvname = $1",
                        shard, &there);
    char port[16];

    if (e != ERR_OK)
        return e;
    (void)snprintf(port, sizeof(port), "%d", (int)primary->port);
    return run(t, there ? arena_printf(t->a,
                                       "ALTER SERVER %s OPTIONS"
                                       " (SET host %s, SET port '%s')",
                                       name(t, shard),
                                       quote(t, primary->address), port)
                        : arena_printf(t->a,
                                       "CREATE SERVER %s FOREIGN DATA WRAPPER"
                                       " mysql_fdw OPTIONS (host %s, port '%s',"
                                       " reconnect 'true')",
                                       name(t, shard),
                                       quote(t, primary->address), port));
}

static enum err
put_mapping(struct to_computer *t, const char *shard, const char *user,
            const struct instance_spec *primary)
{
    enum err e = run(
        t, arena_printf(t->a, "DROP USER MAPPING IF EXISTS FOR %s SERVER %s",
                        name(t, user), name(t, shard)));

    return e == ERR_OK
               ? run(t, arena_printf(t->a,
                                     "CREATE USER MAPPING FOR %s SERVER %s"
                                     " OPTIONS (username %s, password %s)",
                                     name(t, user), name(t, shard),
                                     quote(t, primary->client_user),
                                     quote(t, primary->client_secret)))
               : e;
}

/* ---- which epoch it was told of ---- */

static enum err
make_told(struct to_computer *t)
{
    enum err e = run(t, "CREATE SCHEMA IF NOT EXISTS metagate");

    return e == ERR_OK ? run(t, "CREATE TABLE IF NOT EXISTS " TOLD
                                " (shard text PRIMARY KEY,"
                                " epoch bigint NOT NULL)")
                       : e;
}

/* Whoever is late finds a higher one, and changes nothing. */
static enum err
note_epoch(struct to_computer *t, const char *shard, uint64_t epoch)
{
    bool noted = false;
    enum err e = make_told(t);

    if (e == ERR_OK)
        e = exists(t,
                   arena_printf(t->a,
                                "INSERT INTO " TOLD " AS t VALUES ($1, %llu)"
                                " ON CONFLICT (shard) DO UPDATE"
                                " SET epoch = EXCLUDED.epoch"
                                " WHERE t.epoch <= EXCLUDED.epoch RETURNING 1",
                                (unsigned long long)epoch),
                   shard, &noted);
    return e == ERR_OK && !noted
               ? why_fail(t->why, ERR_STATE,
                          "it was told of a later primary of %s", shard)
               : e;
}

static enum err
forget_epoch(struct to_computer *t, const char *shard)
{
    enum err e = make_told(t);

    return e == ERR_OK
               ? run(t,
                     arena_printf(t->a, "DELETE FROM " TOLD " WHERE shard = %s",
                                  quote(t, shard)))
               : e;
}

static enum err
end(struct to_computer *t, enum err e)
{
    if (e == ERR_OK)
        e = run(t, "COMMIT");
    pg_close(t->pg); /* which rolls back what was not committed */
    return e;
}

enum err
computer_point(struct arena *a, const struct instance_spec *comp,
               const char *shard, const struct instance_spec *primary,
               uint64_t epoch, int timeout_ms, char why[WHY_BYTES])
{
    struct to_computer t;
    enum err e = open_admin(&t, a, comp, timeout_ms, why);

    if (e != ERR_OK)
        return e;
    e = run(&t, "BEGIN");
    if (e == ERR_OK)
        e = note_epoch(&t, shard, epoch);
    if (e == ERR_OK)
        e = put_server(&t, shard, primary);
    if (e == ERR_OK)
        e = put_mapping(&t, shard, comp->admin_user, primary);
    if (e == ERR_OK)
        e = put_mapping(&t, shard, comp->client_user, primary);
    if (e == ERR_OK)
        e = run(&t, arena_printf(a, "GRANT USAGE ON FOREIGN SERVER %s TO %s",
                                 name(&t, shard), name(&t, comp->client_user)));
    return end(&t, e);
}

enum err
computer_forget(struct arena *a, const struct instance_spec *comp,
                const char *shard, bool force, int timeout_ms,
                char why[WHY_BYTES])
{
    struct to_computer t;
    bool there, used;
    enum err e = open_admin(&t, a, comp, timeout_ms, why);

    if (e != ERR_OK)
        return e;
    e = run(&t, "BEGIN");
    if (e == ERR_OK)
        e = exists(&t, "SELECT 1 FROM pg_foreign_server WHERE srvname = $1",
                   shard, &there);
    if (e == ERR_OK)
        e = exists(&t,
                   "SELECT 1 FROM pg_foreign_table f JOIN pg_foreign_server s"
                   " ON s.oid = f.ftserver JOIN pg_class c ON c.oid = f.ftrelid"
                   " JOIN pg_namespace n ON n.oid = c.relnamespace"
                   " WHERE s.srvname = $1 AND n.nspname <> '" PROBE "'",
                   shard, &used);
    if (e == ERR_OK && used && !force)
        e = why_fail(why, ERR_STATE, "%s has tables", shard);
    if (e == ERR_OK && there)
        e = run(&t, arena_printf(a, "DROP SERVER %s CASCADE", name(&t, shard)));
    if (e == ERR_OK)
        e = forget_epoch(&t, shard);
    return end(&t, e);
}

/* ---- what clients have made ---- */

/* Rows of a catalog that belong to a relation, a function ... of theirs. What
 * ANALYZE writes of a table it writes in place: that is no other version. */
#define OF_SPACE(catalog, column)                                  \
    " UNION ALL SELECT '" catalog "', t.oid, t.xmin FROM " catalog \
    " t JOIN n ON n.oid = t." column
#define OF_CLASS(catalog, column)                                         \
    " UNION ALL SELECT '" catalog "', t." column ", t.xmin FROM " catalog \
    " t JOIN pg_class c ON c.oid = t." column                             \
    " JOIN n ON n.oid = c.relnamespace"

enum err
computer_schema_state(struct arena *a, const struct instance_spec *comp,
                      int timeout_ms, const char **out, char why[WHY_BYTES])
{
    static const char sql[] =
        "WITH n AS (SELECT oid, xmin FROM pg_namespace"
        " WHERE nspname !~ '^pg_' AND nspname NOT IN"
        " ('information_schema', 'metagate', '" PROBE "')),"
        " r (what, oid, xmin) AS (SELECT 'pg_namespace', oid, xmin FROM "
        "n" OF_SPACE("pg_class", "relnamespace") OF_SPACE(
            "pg_constraint", "connamespace") OF_SPACE("pg_proc", "pronamespace")
            OF_SPACE("pg_type", "typnamespace") OF_SPACE("pg_operator",
                                                         "oprnamespace")
                OF_CLASS("pg_attribute", "attrelid") OF_CLASS("pg_attrdef",
                                                              "adrelid")
                    OF_CLASS("pg_foreign_table",
                             "ftrelid") OF_CLASS("pg_policy", "polrelid")
                        OF_CLASS("pg_rewrite", "ev_class") OF_CLASS(
                            "pg_trigger",
                            "tgrelid") " UNION ALL SELECT 'pg_enum', e.oid, "
                                       "e.xmin FROM pg_enum e"
                                       " JOIN pg_type t ON t.oid = e.enumtypid"
                                       " JOIN n ON n.oid = t.typnamespace"
                                       " UNION ALL SELECT 'pg_description', "
                                       "objoid, xmin FROM pg_description"
                                       " WHERE objoid >= 16384"
                                       " UNION ALL SELECT 'pg_default_acl', "
                                       "oid, xmin FROM pg_default_acl)"
                                       " SELECT "
                                       "COALESCE(md5(string_agg(concat_ws(' ', "
                                       "what, oid, xmin), ','"
                                       " ORDER BY what, oid, "
                                       "xmin::text::bigint)), '-') FROM r";
    struct to_computer t;
    struct pg_table rows;
    bool changes;
    enum err e = open_admin(&t, a, comp, timeout_ms, why);

    if (e != ERR_OK)
        return e;
    /* whoever makes or changes a relation has it until he commits */
    e = exists(&t,
               "SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND granted"
               " AND mode = 'AccessExclusiveLock' AND relation >= 16384"
               " AND database = (SELECT oid FROM pg_database"
               " WHERE datname = $1)",
               DATABASE, &changes);
    if (e == ERR_OK && changes)
        e = why_fail(why, ERR_TIMEOUT, "a client is changing the schema of %s",
                     comp->shard);
    if (e == ERR_OK)
        e = pg_query(t.pg, a, sql, NULL, 0, 1, &rows, t.until, why);
    pg_close(t.pg);
    if (e == ERR_OK && (rows.n != 1 || rows.cell[0].p == NULL))
        e = why_fail(why, ERR_PEER, "it does not tell its schema");
    *out = e == ERR_OK ? arena_strdup(a, rows.cell[0].p) : NULL;
    return e == ERR_OK && *out == NULL ? ERR_NOMEM : e;
}

/* ---- the probe ---- */

static enum err
put_probe_table(struct to_computer *t, const struct instance_spec *comp,
                const char *shard)
{
    const char *user = name(t, comp->client_user);
    enum err e = run(t, "BEGIN");

    if (e == ERR_OK)
        e = run(t, "CREATE SCHEMA IF NOT EXISTS " PROBE);
    if (e == ERR_OK)
        e = run(t, arena_printf(t->a,
                                "CREATE FOREIGN TABLE IF NOT EXISTS " PROBE
                                ".%s (id bigint, value bigint) SERVER %s"
                                " OPTIONS (dbname '" PROBE
                                "', table_name 'probe')",
                                name(t, shard), name(t, shard)));
    if (e == ERR_OK)
        e = run(t, arena_printf(t->a, "GRANT USAGE ON SCHEMA " PROBE " TO %s",
                                user));
    if (e == ERR_OK)
        e = run(t, arena_printf(t->a, "GRANT SELECT ON " PROBE ".%s TO %s",
                                name(t, shard), user));
    return end(t, e);
}

enum err
computer_reads(struct arena *a, const struct instance_spec *comp,
               const char *shard, int64_t value, int timeout_ms,
               char why[WHY_BYTES])
{
    struct to_computer t;
    struct pg_table rows;
    char text[24];
    enum err e = open_admin(&t, a, comp, timeout_ms, why);

    if (e == ERR_OK)
        e = put_probe_table(&t, comp, shard);
    if (e == ERR_OK)
        e = open_as(&t, a, comp, comp->client_user, comp->client_secret,
                    timeout_ms, why);
    if (e != ERR_OK)
        return e;
    e = pg_query(
        t.pg, a,
        arena_printf(a, "SELECT value FROM " PROBE ".%s", name(&t, shard)),
        NULL, 0, ROWS_MAX, &rows, t.until, why);
    pg_close(t.pg);
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    if (e == ERR_OK && (rows.n != 1 || rows.cell[0].p == NULL ||
                        strcmp(rows.cell[0].p, text) != 0))
        e = why_fail(why, ERR_NOT_FOUND, "%s does not show the probe's row",
                     shard);
    return e;
}

enum err
probe_remove_computer(struct arena *a, const struct instance_spec *comp,
                      int timeout_ms, char why[WHY_BYTES])
{
    struct to_computer t;
    enum err e = open_admin(&t, a, comp, timeout_ms, why);

    if (e != ERR_OK)
        return e;
    e = run(&t, "BEGIN");
    if (e == ERR_OK)
        e = run(&t, "DROP SCHEMA IF EXISTS " PROBE " CASCADE");
    return end(&t, e);
}

static enum err
failed(struct my *my, const char *doing, char why[WHY_BYTES])
{
    const struct my_failure *f = my_failure(my);

    return why_fail(why, f->err != ERR_OK ? f->err : ERR_PEER, "%s: %.300s",
                    doing, f->text);
}

/* As a client writes it: the commit returns when a replica has it. */
enum err
probe_write(struct arena *a, const struct instance_spec *primary, int64_t value,
            int timeout_ms, char why[WHY_BYTES])
{
    const char *const sql[] = {
        "CREATE DATABASE IF NOT EXISTS " PROBE,
        "CREATE TABLE IF NOT EXISTS " PROBE
        ".probe (id BIGINT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)",
        arena_printf(a, "REPLACE INTO " PROBE ".probe VALUES (1, %" PRId64 ")",
                     value),
    };
    struct my *my;
    enum err e = instance_connect(primary, timeout_ms, &my, why);

    if (e != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < COUNT(sql); i++)
        if (sql[i] == NULL || my_do(my, sql[i]) != ERR_OK)
            e = failed(my, "write the probe's row", why);
    my_close(my);
    return e;
}

enum err
probe_seen(struct arena *a, const struct instance_spec *member, int64_t value,
           int timeout_ms, char why[WHY_BYTES])
{
    struct my_table rows;
    char text[24], at[ADDRESS_BYTES];
    struct my *my;
    enum err e = instance_connect(member, timeout_ms, &my, why);

    if (e != ERR_OK)
        return e;
    e = my_query(my, a, "SELECT value FROM " PROBE ".probe", ROWS_MAX, &rows);
    if (e != ERR_OK && my_failure(my)->code != 0 &&
        (my_failure(my)->traits & MY_LOST) == 0)
        e = ERR_NOT_FOUND; /* neither table nor database yet */
    else if (e != ERR_OK)
        e = failed(my, "read the probe's row", why);
    my_close(my);
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    if (e == ERR_OK &&
        (rows.n != 1 || strcmp(my_cell(&rows, 0, "value"), text) != 0))
        e = ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        (void)why_fail(
            why, e, "%s has not got the probe's row",
            address_print(member->address, member->port, at, sizeof(at)));
    return e;
}

enum err
probe_remove(struct arena *a, const struct instance_spec *primary,
             int timeout_ms, char why[WHY_BYTES])
{
    struct my *my;
    enum err e = instance_connect(primary, timeout_ms, &my, why);

    (void)a;
    if (e != ERR_OK)
        return e;
    if (my_do(my, "DROP DATABASE IF EXISTS " PROBE) != ERR_OK)
        e = failed(my, "remove the probe", why);
    my_close(my);
    return e;
}
