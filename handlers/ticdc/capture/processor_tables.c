/* Tables of the source that nobody writes yet: those that were there when the
 * changefeed began, and those that appear. A table without a key that tells
 * its rows apart is passed over, unless the changefeed says that it is not. */
#include "processor_int.h"

#include <string.h>

#define TABLES_MAX 100000

TABLE(source_table, SOURCE_TABLE);

/* Eligible: it has a unique key of which no column may be NULL. */
static const char all_sql[] =
    "SELECT t.TABLE_SCHEMA AS schema_name, t.TABLE_NAME AS table_name,"
    " CAST(k.TABLE_NAME IS NOT NULL AS SIGNED) AS eligible"
    " FROM information_schema.TABLES t LEFT JOIN"
    " (SELECT DISTINCT u.TABLE_SCHEMA, u.TABLE_NAME FROM"
    " (SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME,"
    " SUM(NULLABLE = 'YES') AS n FROM information_schema.STATISTICS"
    " WHERE NON_UNIQUE = 0 GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME) u"
    " WHERE u.n = 0) k ON k.TABLE_SCHEMA = t.TABLE_SCHEMA"
    " AND k.TABLE_NAME = t.TABLE_NAME WHERE t.TABLE_TYPE = 'BASE TABLE'";
static const char one_sql[] =
    "SELECT t.TABLE_SCHEMA AS schema_name, t.TABLE_NAME AS table_name,"
    " CAST(k.TABLE_NAME IS NOT NULL AS SIGNED) AS eligible"
    " FROM information_schema.TABLES t LEFT JOIN"
    " (SELECT DISTINCT u.TABLE_SCHEMA, u.TABLE_NAME FROM"
    " (SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME,"
    " SUM(NULLABLE = 'YES') AS n FROM information_schema.STATISTICS"
    " WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    " GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME) u"
    " WHERE u.n = 0) k ON k.TABLE_SCHEMA = t.TABLE_SCHEMA"
    " AND k.TABLE_NAME = t.TABLE_NAME WHERE t.TABLE_SCHEMA = ?"
    " AND t.TABLE_NAME = ?";

static enum err
ask(struct processor *p, const char *sql, struct my_args args,
    struct list_of_source_table *out)
{
    struct my *my = my_open();
    struct my_stmt *st;
    enum err e;

    if (my == NULL)
        return processor_fail(p, ERR_NOMEM, "CDC:ErrInternalServerError",
                              "no memory");
    e = my_connect(my, &p->upstream, 0);
    if (e == ERR_OK)
        e = my_send(my, MY_SQL(sql), args, &source_table_rec, &st);
    if (e == ERR_OK)
        e = my_fetch_all(my, st, p->step, TABLES_MAX, out);
    if (e != ERR_OK)
        (void)processor_fail(p, e, "CDC:ErrInternalServerError",
                             "the source's tables: %s (%u)",
                             my_failure(my)->text, my_failure(my)->code);
    my_close(my);
    return e;
}

enum err
processor_source_tables(struct processor *p, struct list_of_source_table *out)
{
    return ask(p, all_sql, MY_NO_ARGS, out);
}

bool
processor_takes(struct processor *p, const struct source_table *t)
{
    return processor_wants(p, t->schema_name, t->table_name) &&
           (t->eligible != 0 || p->config.force_replicate);
}

/* One that is there no more: what comes of it is taken, and its end as well. */
enum err
processor_is_eligible(struct processor *p, const char *schema,
                      const char *table, bool *yes)
{
    const struct my_arg s = { .type = MY_STR,
                              .p = schema,
                              .n = strlen(schema) };
    const struct my_arg t = { .type = MY_STR, .p = table, .n = strlen(table) };
    struct list_of_source_table rows = { 0 };
    enum err e;

    *yes = p->config.force_replicate;
    if (*yes)
        return ERR_OK;
    e = ask(p, one_sql, MY_ARGS(s, t, s, t), &rows);
    if (e == ERR_OK)
        *yes = rows.n == 0 || rows.v[0].eligible != 0;
    return e;
}

static enum err
add(struct processor *p, const char *schema, const char *table,
    const char *incarnation, const char *gtid, uint64_t ts)
{
    enum err e = rows_feed_begin(p->db, p->feed, p->epoch);

    if (e == ERR_OK)
        e = rows_table_add(p->db, p->feed, schema, table, incarnation, gtid,
                           ts);
    return db_end(p->db, e);
}

static enum err
add_all(struct processor *p, const struct list_of_source_table *rows,
        const char *gtid, uint64_t ts)
{
    enum err e = rows_feed_begin(p->db, p->feed, p->epoch);

    for (size_t i = 0; i < rows->n && e == ERR_OK; i++) {
        const struct source_table *t = &rows->v[i];

        if (processor_takes(p, t))
            e = rows_table_add(p->db, p->feed, t->schema_name, t->table_name,
                               "", gtid, ts);
    }
    return db_end(p->db, e);
}

enum err
processor_list_tables(struct processor *p, const char *gtid, uint64_t ts)
{
    struct list_of_source_table rows = { 0 };
    enum err e = processor_source_tables(p, &rows);

    if (e != ERR_OK)
        return e;
    e = add_all(p, &rows, gtid, ts);
    if (e != ERR_OK)
        return e == ERR_STATE ? e
                              : processor_fail(p, e, "CDC:ErrPDEtcdAPIError",
                                               "etcd api call error");
    p->listed = true;
    return ERR_OK;
}

/* ---- what appears ---- */

/* Rows of it come behind that position, so there it is to begin. */
enum err
processor_unknown(void *ctx, const char *schema, const char *table,
                  const struct stream_progress *at)
{
    struct processor *p = ctx;
    const char *gtid;
    bool yes;
    enum err e;

    if (pipe_names_have(p->seen.p, p->seen.n, schema, table))
        return ERR_OK;
    gtid = processor_position(p, at->position);
    e = gtid != NULL ? processor_is_eligible(p, schema, table, &yes)
                     : ERR_NOMEM;
    if (e == ERR_OK && yes)
        e = processor_note_xa(p, p->stream);
    if (e == ERR_OK && yes)
        e = add(p, schema, table, "", gtid, at->checkpoint);
    if (e == ERR_OK) {
        buf_put(&p->seen, schema, strlen(schema) + 1);
        buf_put(&p->seen, table, strlen(table) + 1);
        e = buf_err(&p->seen);
    }
    arena_reset(p->step);
    return e;
}
