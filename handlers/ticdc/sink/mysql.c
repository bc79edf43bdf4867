/* mysql://: rows as statements in the order that matters, several transactions
 * of the source in one of the downstream, several of those at a time
 * (mysql_strand.c), and in each of them, for each table in it, how far that has
 * come: so that after any end it is known exactly what has been written. The
 * row that says so also has the fence of who may write the table. */
#include "mysql_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define CALL_BYTES  ((size_t)64 << 20)
#define TEXTS_MAX   2000 /* then the connection is made anew */
#define DDL_READ_S  3600
#define GTIDS_BYTES ((size_t)4 << 20)

#define MARK(X, s)                            \
    X(s, U64, fence, "fence", COLUMN_ONLY, -) \
    X(s, STR, gtids, "gtids", COLUMN_ONLY, -)
STRUCT(mark, MARK);
TABLE(mark, MARK);

static const char schema_sql[] = "CREATE DATABASE IF NOT EXISTS " MARKS_SCHEMA;
static const char table_sql[] =
    "CREATE TABLE IF NOT EXISTS " MARKS_TABLE
    " (deployment VARCHAR(64) CHARACTER SET ascii NOT NULL,"
    " feed BIGINT UNSIGNED NOT NULL, table_id BIGINT NOT NULL,"
    " fence BIGINT UNSIGNED NOT NULL,"
    " gtids MEDIUMTEXT CHARACTER SET ascii NOT NULL,"
    " commit_ts BIGINT UNSIGNED NOT NULL,"
    " PRIMARY KEY (deployment, feed, table_id)) ENGINE = InnoDB";
static const char claim_sql[] =
    "INSERT INTO " MARKS_TABLE
    " (deployment, feed, table_id, fence, gtids, commit_ts)"
    " VALUES (?, ?, ?, ?, '', 0)"
    " ON DUPLICATE KEY UPDATE gtids = IF(fence < ?, '', gtids),"
    " fence = GREATEST(fence, VALUES(fence))";
static const char mark_sql[] =
    "SELECT fence, gtids FROM " MARKS_TABLE " WHERE deployment = ? AND feed = ?"
    " AND table_id = ?";
static const char advance_sql[] =
    "UPDATE " MARKS_TABLE " SET gtids = ?, commit_ts = ? WHERE deployment = ?"
    " AND feed = ? AND table_id = ? AND fence = ?";

/* Dates as they are, and nothing cut: what does not fit is a failure. */
static const char session_sql[] =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
static const char session_more_sql[] =
    "SET foreign_key_checks = 0, unique_checks = 1, time_zone = '+00:00',"
    " sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,"
    "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'";

static struct mysql_sink *
self(struct outlet *s)
{
    return (struct mysql_sink *)s;
}

static struct my_arg
text_arg(const char *p)
{
    return (struct my_arg){ .type = MY_STR, .p = p, .n = strlen(p) };
}

static struct my_arg
number_arg(uint64_t v)
{
    return (struct my_arg){ .type = MY_U64, .u = v };
}

/* ---- connections ---- */

static void
forget(struct mysql_sink *m)
{
    strands_forget(m);
    sink_targets_forget(m);
    m->s.full = false;
}

enum err
mysql_failed(struct mysql_sink *m, const char *what)
{
    struct strand l = { .my = m->my };
    enum err e = strand_failed(&l, what);

    m->s.failure = l.failure;
    return e;
}

enum err
mysql_connect(struct mysql_sink *m, struct my *my, unsigned read_s)
{
    struct my_server server = m->c.server;
    char why[WHY_BYTES] = "";
    enum err e = ERR_OK;

    if (m->c.resolve != NULL)
        e = m->c.resolve(m->c.ctx, &server, why);
    if (e != ERR_OK)
        return sink_fail(&m->s, e, e != ERR_DENIED,
                         "CDC:ErrMySQLConnectionError", "%.3000s", why);
    if (read_s != 0)
        server.read_timeout_s = read_s;
    e = my_connect(my, &server, 0);
    if (e == ERR_OK)
        e = my_do(my, session_sql);
    if (e == ERR_OK)
        e = my_do(my, session_more_sql);
    if (e == ERR_OK)
        return ERR_OK;
    return sink_fail(&m->s, e, true, "CDC:ErrMySQLConnectionError", "%s (%u)",
                     my_failure(my)->text, my_failure(my)->code);
}

static enum err
mysql_open(struct outlet *s)
{
    struct mysql_sink *m = self(s);
    enum err e;

    forget(m);
    my_hangup(m->my);
    texts_forget(m);
    e = mysql_connect(m, m->my, 0);
    if (e != ERR_OK)
        return e;
    e = my_do(m->my, schema_sql);
    if (e == ERR_OK)
        e = my_do(m->my, table_sql);
    return e == ERR_OK ? ERR_OK : mysql_failed(m, MARKS_TABLE);
}

/* ---- who may write a table, and how far it is ---- */

static enum err
fenced(struct mysql_sink *m, const struct sink_table *t)
{
    (void)sink_fail(&m->s, ERR_STATE, false, "CDC:ErrMySQLTxnError",
                    "another capture writes %s.%s now", t->schema, t->name);
    m->s.failure.fenced = true;
    return ERR_STATE;
}

static enum err
read_mark(struct mysql_sink *m, const struct sink_table *t, struct mark *out)
{
    struct my_stmt *st;
    enum err e;

    e = my_send(m->my, MY_SQL(mark_sql),
                MY_ARGS(text_arg(m->c.deployment), number_arg(m->c.feed),
                        { .type = MY_I64, .i = t->id }),
                &mark_rec, &st);
    if (e != ERR_OK)
        return e;
    e = my_fetch(m->my, st, m->a, out);
    my_finish(m->my, st);
    return e;
}

static enum err
mysql_adopt(struct outlet *s, const struct sink_table *t, struct buf *gtids)
{
    struct mysql_sink *m = self(s);
    struct mark mark;
    enum err e;

    e = my_exec(m->my, claim_sql,
                MY_ARGS(text_arg(m->c.deployment), number_arg(m->c.feed),
                        { .type = MY_I64, .i = t->id }, number_arg(t->fence),
                        number_arg(t->since)));
    if (e == ERR_OK)
        e = read_mark(m, t, &mark);
    if (e != ERR_OK)
        return mysql_failed(m, MARKS_TABLE);
    if (mark.fence == t->fence)
        buf_puts(gtids, mark.gtids);
    arena_reset(m->a);
    return mark.fence == t->fence ? buf_err(gtids) : fenced(m, t);
}

enum err
mysql_advance(struct mysql_sink *m, struct strand *l,
              const struct strand_mark *k)
{
    const struct sink_table *t = k->table;

    if (my_exec(l->my, advance_sql,
                MY_ARGS(text_arg(k->gtids), number_arg(l->ts),
                        text_arg(m->c.deployment), number_arg(m->c.feed),
                        { .type = MY_I64, .i = t->id },
                        number_arg(t->fence))) != ERR_OK) {
        enum err e = strand_failed(l, MARKS_TABLE);

        m->s.failure = l->failure;
        return e;
    }
    return my_matched(l->my) > 0 ? ERR_OK : fenced(m, t);
}

/* ---- rows ---- */

static enum err
mysql_begin(struct outlet *s, const struct sink_txn *txn)
{
    self(s)->ts = txn->commit_ts;
    if (txn->repeats) /* its rows may be there */
        self(s)->replaces = true;
    return ERR_OK;
}

/* A transaction larger than the bound leaves in several parts, which are one
 * transaction downstream too. */
static bool
is_large(const struct mysql_sink *m, const struct strand *l)
{
    size_t rows = m->at == 0 ? m->c.txn_rows : 4 * (size_t)m->c.txn_rows;

    return l->batch.n_changes >= rows ||
           m->flight_bytes + l->batch.bytes >= m->c.txn_bytes;
}

static enum err
mysql_row(struct outlet *s, const struct sink_table *t,
          struct binlog_table *def, enum binlog_kind kind,
          const struct binlog_row *row)
{
    struct mysql_sink *m = self(s);
    struct target *target = sink_target_of(m, t, def);
    struct strand *l = target != NULL ? strand_now(m) : NULL;
    enum err e;

    if (l == NULL)
        return m->s.failure.err;
    target->touched = true;
    m->waits = m->waits || batch_meets(&m->flight, target, row);
    e = batch_add(&l->batch, target, kind, row);
    if (e != ERR_OK)
        return sink_fail(s, e, true, "CDC:ErrMySQLTxnError",
                         "no memory for a row of %s.%s", t->schema, t->name);
    if (!is_large(m, l))
        return ERR_OK;
    if (m->at > 0) /* whose rows it may have to wait for */
        e = strands_front(m);
    return e == ERR_OK ? strand_send(m, l) : e;
}

static enum err
mysql_end(struct outlet *s)
{
    struct mysql_sink *m = self(s);
    struct strand *l = strand_now(m);

    if (l == NULL)
        return m->s.failure.err;
    if (!l->in_txn && !strands_are_full(m))
        return ERR_OK;
    s->full = strands_are_last(m);
    return s->full ? ERR_OK : strands_go(m);
}

/* Texts of definitions that are long gone go with the connections. */
static enum err
renew(struct mysql_sink *m)
{
    sink_targets_forget(m);
    strands_forget(m);
    my_hangup(m->my);
    texts_forget(m);
    return mysql_connect(m, m->my, 0);
}

static enum err
mysql_flush(struct outlet *s, uint64_t ts)
{
    struct mysql_sink *m = self(s);
    enum err e;

    s->full = false;
    m->ts = ts > m->ts ? ts : m->ts;
    e = strands_flush(m);
    return e == ERR_OK && m->n_texts > TEXTS_MAX ? renew(m) : e;
}

/* ---- statements ---- */

/* What is there already, or gone already. */
static bool
is_done(unsigned code)
{
    static const unsigned codes[] = { 1007, 1008, 1050, 1051, 1054, 1060, 1061,
                                      1068, 1091, 1176, 1507, 1517, 1831 };

    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

static enum err
prepare_session(struct mysql_sink *m, struct my *my, const struct sink_ddl *d)
{
    const struct binlog_statement *st = d->st;
    struct buf sql = BUF_INIT(4096);
    const char *zone = m->c.time_zone != NULL ? m->c.time_zone : st->time_zone;
    const char *quoted;
    enum err e = ERR_OK;

    buf_printf(&sql, "SET timestamp = %" PRId64, st->at_s);
    if (st->has_sql_mode)
        buf_printf(&sql, ", sql_mode = %" PRIu64, st->sql_mode);
    if (st->client != 0)
        buf_printf(&sql,
                   ", character_set_client = %u, collation_connection = %u",
                   st->client, st->connection);
    if (zone != NULL) {
        quoted = my_quote(my, m->a, zone);
        buf_printf(&sql, ", time_zone = %s", quoted != NULL ? quoted : "''");
    }
    e = buf_err(&sql);
    if (e == ERR_OK)
        e = my_do(my, buf_text(&sql));
    if (e == ERR_OK && !d->is_schema && !str_empty(st->schema)) {
        const char *name = my_quote_name(m->a, st->schema);

        buf_reset(&sql);
        buf_printf(&sql, "USE %s", name != NULL ? name : "``");
        e = my_do(my, buf_text(&sql));
    }
    buf_free(&sql);
    arena_reset(m->a);
    return e;
}

/* Over a connection of its own: it may take long, and leaves a session that is
 * not ours. */
static enum err
mysql_ddl(struct outlet *s, const struct sink_ddl *d)
{
    struct mysql_sink *m = self(s);
    struct my *my = my_open();
    enum err e;

    if (my == NULL)
        return sink_fail(s, ERR_NOMEM, true, "CDC:ErrExecDDLFailed",
                         "no memory");
    e = mysql_connect(m, my, DDL_READ_S);
    if (e != ERR_OK) {
        my_close(my);
        return e;
    }
    e = prepare_session(m, my, d);
    if (e == ERR_OK)
        e = my_do(my, d->sql);
    if (e != ERR_OK && is_done(my_failure(my)->code)) {
        log_warn("ticdc.ddl done_before=%u feed=%" PRIu64, my_failure(my)->code,
                 m->c.feed);
        e = ERR_OK;
    }
    if (e != ERR_OK)
        (void)sink_fail(s, e, true, "CDC:ErrExecDDLFailed", "%s (%u): %.1000s",
                        my_failure(my)->text, my_failure(my)->code, d->sql);
    my_close(my);
    sink_targets_forget(m);
    return e;
}

/* ---- */

static void
mysql_close_sink(struct outlet *s)
{
    struct mysql_sink *m = self(s);

    strands_free(m);
    sink_targets_forget(m);
    my_close(m->my);
    texts_forget(m);
    if (m->a != NULL)
        arena_free(m->a);
    free(m);
}

static const struct outlet_ops mysql_ops = {
    .name = "mysql",
    .open = mysql_open,
    .adopt = mysql_adopt,
    .begin = mysql_begin,
    .row = mysql_row,
    .end = mysql_end,
    .flush = mysql_flush,
    .ddl = mysql_ddl,
    .close = mysql_close_sink,
};

struct outlet *
sink_mysql(const struct sink_mysql_config *c)
{
    struct mysql_sink *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->s.ops = &mysql_ops;
    m->c = *c;
    m->my = my_open();
    m->a = arena_new(CALL_BYTES);
    m->strand = calloc(c->workers, sizeof(struct strand *));
    if (batch_open(&m->flight, 4096) == ERR_OK && m->strand != NULL &&
        m->my != NULL && m->a != NULL)
        return &m->s;
    mysql_close_sink(&m->s);
    return NULL;
}
