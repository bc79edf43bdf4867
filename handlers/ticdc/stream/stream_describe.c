/* What columns of a table are called, where the log does not tell (MySQL 5).
 * The source says how its tables are now; that is how one was at the place
 * that is read when no statement in between is about it, for which the log is
 * read ahead. What is known of a table holds until a statement about it comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream_int.h"
#include "ticdc/core/ddl.h"

#define ASK_BYTES     ((size_t)256 << 20)
#define COLUMNS_MAX   1000000
#define TOUCHED_BYTES ((size_t)4 << 20)
#define ASK_TIMEOUT_S 30
/* Of the connection that reads ahead: above those of changefeeds, below those
 * of the interface's own. */
#define AHEAD_ID 0x40000000u

struct known {
    struct known *next;
    char *schema, *name;
    struct binlog_description *v;
    size_t n;
};

static void
let_go(struct known **at)
{
    struct known *k = *at;

    *at = k->next;
    for (size_t i = 0; i < k->n; i++) {
        free((void *)(uintptr_t)k->v[i].name);
        free((void *)(uintptr_t)k->v[i].charset);
    }
    free(k->v);
    free(k->schema);
    free(k->name);
    free(k);
}

void
describe_forget_all(struct stream *s)
{
    while (s->tables_known != NULL)
        let_go(&s->tables_known);
}

/* name "": all of the schema. */
static void
forget(struct stream *s, const char *schema, const char *name)
{
    struct known **at = &s->tables_known;

    while (*at != NULL)
        if (strcmp((*at)->schema, schema) == 0 &&
            (str_empty(name) || strcmp((*at)->name, name) == 0))
            let_go(at);
        else
            at = &(*at)->next;
}

static struct known *
find(const struct stream *s, const char *schema, const char *name)
{
    struct known *k = s->tables_known;

    while (k != NULL &&
           (strcmp(k->schema, schema) != 0 || strcmp(k->name, name) != 0))
        k = k->next;
    return k;
}

/* ---- statements ---- */

/* Tells of each table that the statement is about; false when that cannot be
 * said, or without memory. */
static bool
each_name(const struct binlog_statement *st,
          void (*f)(void *ctx, const char *schema, const char *name), void *ctx)
{
    struct ddl ddl = { .name = calloc(DDL_NAMES_MAX, sizeof(*ddl.name)) };
    bool ok = ddl.name != NULL && ddl_read(st->sql, st->n, st->schema,
                                           st->sql_mode, &ddl) == ERR_OK;

    for (size_t i = 0; ok && ddl.kind != DDL_OTHER && i < ddl.n; i++) {
        f(ctx, ddl.name[i].schema, ddl.name[i].name);
        if (!str_empty(ddl.name[i].to_name))
            f(ctx, ddl.name[i].to_schema, ddl.name[i].to_name);
    }
    free(ddl.name);
    return ok;
}

static void
forget_one(void *ctx, const char *schema, const char *name)
{
    forget(ctx, schema, name);
}

void
describe_statement(struct stream *s, const struct binlog_statement *st)
{
    if (s->tables_known != NULL && !each_name(st, forget_one, s))
        describe_forget_all(s);
}

/* ---- reading ahead ---- */

struct ahead {
    struct stream *s;
    struct source *source;
    const struct binlog_gtids *until;
    struct buf touched; /* "schema\0name\0" each, name "" for a schema */
    bool all;           /* a statement that may be about any */
    bool done;
    char why[WHY_BYTES];
};

static bool
is_there(struct ahead *a)
{
    a->done =
        a->done || binlog_gtids_within(a->until, source_position(a->source));
    return a->done || pipe_is_stopped(a->s->pipe);
}

static bool
ahead_wants(void *ctx, const char *schema, const char *table)
{
    (void)ctx;
    (void)schema;
    (void)table;
    return false;
}

static enum err
ahead_begin(void *ctx, const struct source_txn *txn)
{
    (void)txn;
    return is_there(ctx) ? ERR_LIMIT : ERR_OK;
}

static enum err
ahead_rows(void *ctx, const struct binlog_rows *rows)
{
    (void)ctx;
    (void)rows;
    return ERR_OK;
}

static void
touch(void *ctx, const char *schema, const char *name)
{
    struct ahead *a = ctx;

    if (pipe_names_have(a->touched.p, a->touched.n, schema, name))
        return;
    buf_put(&a->touched, schema, strlen(schema) + 1);
    buf_put(&a->touched, name, strlen(name) + 1);
}

static enum err
ahead_statement(void *ctx, const struct binlog_statement *st)
{
    struct ahead *a = ctx;

    if (!each_name(st, touch, a))
        a->all = true;
    return buf_err(&a->touched);
}

static enum err
ahead_idle(void *ctx)
{
    return is_there(ctx) ? ERR_LIMIT : ERR_OK;
}

/* One try: what is wrong is said. */
static void
ahead_state(void *ctx, enum source_state state,
            const struct binlog_failure *why, int64_t wait_ms)
{
    struct ahead *a = ctx;

    (void)wait_ms;
    if (state != SOURCE_WAITING)
        return;
    (void)snprintf(a->why, sizeof(a->why), "%s", why->why);
    source_stop(a->source);
}

static enum err
ahead_savepoint(void *ctx, const char *name, size_t n)
{
    (void)ctx;
    (void)name;
    (void)n;
    return ERR_OK;
}

static enum err
ahead_xa(void *ctx, const struct binlog_xid *xid, bool commit)
{
    (void)ctx;
    (void)xid;
    (void)commit;
    return ERR_OK;
}

static const struct source_taker ahead_taker = {
    .wants = ahead_wants,
    .begin = ahead_begin,
    .rows = ahead_rows,
    .statement = ahead_statement,
    .idle = ahead_idle,
    .state = ahead_state,
    .rollback_to = ahead_savepoint,
    .xa = ahead_xa,
};

/* Which tables statements are about from the one that is read now on, up to
 * a->until. */
static enum err
read_ahead(struct stream *s, struct ahead *a, const struct binlog_gtids *here)
{
    struct source_config c = s->c.source;
    struct buf from = BUF_INIT(TOUCHED_BYTES);
    enum err e;

    if (binlog_gtids_within(a->until, here))
        return ERR_OK;
    c.server_id |= AHEAD_ID;
    c.retry_s = 1;
    binlog_gtids_print(here, &from);
    if (buf_err(&from) == ERR_OK)
        a->source = source_open(&c, buf_text(&from), &ahead_taker, a);
    buf_free(&from);
    if (a->source == NULL)
        return ERR_NOMEM;
    e = source_run(a->source);
    if (!a->done && str_empty(a->why))
        (void)snprintf(a->why, sizeof(a->why), "%s",
                       source_failure(a->source)->why);
    source_close(a->source);
    return a->done ? ERR_OK : e != ERR_OK ? e : ERR_PEER;
}

/* ---- the source, asked ---- */

/* The position behind which: so whatever the first has is in the second. */
static const char columns_sql[] =
    "SELECT c.TABLE_SCHEMA AS s, c.TABLE_NAME AS t, c.COLUMN_NAME AS n,"
    " c.COLUMN_TYPE AS y, c.CHARACTER_SET_NAME AS cs, k.ID AS id,"
    " c.COLUMN_KEY AS p FROM information_schema.COLUMNS c"
    " LEFT JOIN information_schema.COLLATIONS k"
    " ON k.COLLATION_NAME = c.COLLATION_NAME WHERE c.TABLE_SCHEMA NOT IN"
    " ('mysql', 'information_schema', 'performance_schema', 'sys')"
    " ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION";

static enum err
ask(struct stream *s, struct arena *a, struct my_table *columns,
    struct binlog_gtids *until)
{
    struct my_server server = s->c.source.server;
    struct my_table now;
    enum err e = ERR_OK;

    server.read_timeout_s = ASK_TIMEOUT_S;
    if (!my_is_connected(s->ask) || my_is_stale(s->ask))
        e = my_connect(s->ask, &server, 0);
    if (e == ERR_OK)
        e = my_query(s->ask, a, columns_sql, COLUMNS_MAX, columns);
    if (e == ERR_OK)
        e = my_query(s->ask, a,
                     my_is_mariadb(s->ask)
                         ? "SELECT CAST(@@GLOBAL.gtid_binlog_pos AS CHAR)"
                         : "SELECT CAST(@@GLOBAL.gtid_executed AS CHAR)",
                     1, &now);
    if (e == ERR_OK)
        return now.n == 1 && now.cell[0].p != NULL
                   ? binlog_gtids_parse(until, now.cell[0].p)
                   : ERR_PEER;
    (void)snprintf(s->describe_why, sizeof(s->describe_why), "%.1000s",
                   my_failure(s->ask)->text);
    my_hangup(s->ask);
    return e;
}

static bool
is_bytes(const char *type)
{
    return strncmp(type, "binary", 6) == 0 ||
           strncmp(type, "varbinary", 9) == 0 || strstr(type, "blob") != NULL;
}

static enum err
describe_column(const struct my_table *t, size_t row,
                struct binlog_description *out)
{
    const char *type = my_cell(t, row, "y"), *charset = my_cell(t, row, "cs");
    const char *name = my_cell(t, row, "n"), *key = my_cell(t, row, "p");

    type = type != NULL ? type : "";
    out->is_unsigned = strstr(type, " unsigned") != NULL;
    out->is_key = key != NULL && strcmp(key, "PRI") == 0;
    out->collation = (unsigned)my_cell_u64(t, row, "id");
    if (charset == NULL && is_bytes(type)) {
        charset = "binary";
        out->collation = BINLOG_BINARY;
    }
    out->name = strdup(name != NULL ? name : "");
    out->charset = charset != NULL ? strdup(charset) : NULL;
    return out->name != NULL && (charset == NULL || out->charset != NULL)
               ? ERR_OK
               : ERR_NOMEM;
}

/* The rows [from, to) are one table's. */
static enum err
note(struct stream *s, const struct my_table *t, size_t from, size_t to)
{
    const char *schema = my_cell(t, from, "s"), *name = my_cell(t, from, "t");
    struct known *k = calloc(1, sizeof(*k));
    enum err e = ERR_OK;

    if (k == NULL)
        return ERR_NOMEM;
    k->next = s->tables_known;
    s->tables_known = k;
    k->schema = strdup(schema);
    k->name = strdup(name);
    k->v = calloc(to - from, sizeof(*k->v));
    if (k->schema == NULL || k->name == NULL || k->v == NULL)
        e = ERR_NOMEM;
    for (size_t i = from; i < to && e == ERR_OK; i++)
        e = describe_column(t, i, &k->v[k->n++]);
    if (e != ERR_OK)
        let_go(&s->tables_known);
    return e;
}

static bool
is_touched(const struct ahead *a, const char *schema, const char *name)
{
    return a->all ||
           pipe_names_have(a->touched.p, a->touched.n, schema, name) ||
           pipe_names_have(a->touched.p, a->touched.n, schema, "");
}

/* Of what no statement ahead is about, all that the feed takes; of the rest
 * what was known stays. */
static enum err
note_all(struct stream *s, const struct ahead *a, const struct my_table *t)
{
    enum err e = ERR_OK;
    size_t to;

    for (size_t from = 0; from < t->n && e == ERR_OK; from = to) {
        const char *schema = my_cell(t, from, "s");
        const char *name = my_cell(t, from, "t");

        if (schema == NULL || name == NULL)
            return ERR_PEER;
        for (to = from + 1; to < t->n; to++)
            if (strcmp(my_cell(t, to, "t"), name) != 0 ||
                strcmp(my_cell(t, to, "s"), schema) != 0)
                break;
        if (is_touched(a, schema, name) || !s->ops->wants(s->ctx, schema, name))
            continue;
        forget(s, schema, name);
        e = note(s, t, from, to);
    }
    return e;
}

/* Behind the transaction that is read: its rows are as the table was then. */
static enum err
refresh(struct stream *s)
{
    struct arena *a = arena_new(ASK_BYTES);
    struct binlog_gtids *here = binlog_gtids_new(), *until = binlog_gtids_new();
    struct ahead ahead = { .s = s,
                           .until = until,
                           .touched = BUF_INIT(TOUCHED_BYTES) };
    struct my_table columns;
    enum err e = a != NULL && here != NULL && until != NULL
                     ? binlog_gtids_copy(here, source_position(s->source))
                     : ERR_NOMEM;

    if (e == ERR_OK)
        e = binlog_gtids_add(here, &s->piece->gtid);
    if (e == ERR_OK)
        e = ask(s, a, &columns, until);
    if (e == ERR_OK) {
        e = read_ahead(s, &ahead, here);
        if (e != ERR_OK)
            (void)snprintf(s->describe_why, sizeof(s->describe_why), "%.1000s",
                           ahead.why);
    }
    if (e == ERR_OK)
        e = note_all(s, &ahead, &columns);
    buf_free(&ahead.touched);
    binlog_gtids_free(here);
    binlog_gtids_free(until);
    if (a != NULL)
        arena_free(a);
    return e;
}

/* Of rows that are not wanted themselves nobody has to know it: but of those
 * that come behind them by the same definition. */
static enum err
describe_as_unknown(struct stream *s, struct binlog_table *t)
{
    struct binlog_description *v = calloc(t->n + 1, sizeof(*v));
    enum err e = v != NULL ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; i < t->n && v != NULL; i++)
        v[i].name = "?";
    if (e == ERR_OK)
        e = binlog_table_describe(t, v, t->n);
    free(v);
    t->user = &s->is_undescribed;
    return e;
}

bool
describe_is_unknown(const struct stream *s, const struct binlog_table *t)
{
    return t->user == &s->is_undescribed;
}

enum err
describe_failed(struct stream *s, const struct binlog_table *t)
{
    s->is_undescribed = true;
    (void)snprintf(s->describe_why, sizeof(s->describe_why),
                   "the log does not say what columns %s.%s had, and it has "
                   "been changed since",
                   t->schema, t->name);
    return ERR_STATE;
}

enum err
read_describe(void *ctx, struct binlog_table *t)
{
    struct stream *s = ctx;
    const struct known *k = find(s, t->schema, t->name);
    enum err e = k != NULL ? ERR_OK : refresh(s);

    if (e != ERR_OK)
        return e;
    k = find(s, t->schema, t->name);
    e = k != NULL ? binlog_table_describe(t, k->v, k->n) : ERR_BAD_PARAM;
    if (e != ERR_BAD_PARAM)
        return e;
    return s->skipped || s->known ? describe_as_unknown(s, t)
                                  : describe_failed(s, t);
}
