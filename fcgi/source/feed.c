/* Events to transactions: which may follow which, and what the taker is told.
 */
#include "feed.h"

#include <inttypes.h>

#include "binlog/rows.h"

/* The number of a table in an event that only ends a statement. */
#define NO_TABLE 0xffffff

enum err
feed_init(struct feed *f, const struct source_taker *taker, void *ctx,
          size_t event_max, size_t tables_max)
{
    *f = (struct feed){ .taker = taker,
                        .ctx = ctx,
                        .tables = { .max = tables_max },
                        .unpacked = BUF_INIT(event_max) };
    f->done = binlog_gtids_new();
    f->list = binlog_gtids_new();
    return f->done != NULL && f->list != NULL ? ERR_OK : ERR_NOMEM;
}

void
feed_fini(struct feed *f)
{
    binlog_gtids_free(f->done);
    binlog_gtids_free(f->list);
    table_forget_all(&f->tables);
    unpacker_close(&f->unpacker);
    buf_free(&f->unpacked);
}

static enum err
fault(struct feed *f, enum binlog_fault id, const char *what)
{
    return binlog_fail(&f->failure, id, "%s", what);
}

/* ---- the taker ---- */

/* What the taker answers is the taker's: it says why itself. */
static enum err
told(struct feed *f, enum err e)
{
    if (e == ERR_OK)
        return ERR_OK;
    (void)binlog_fail(&f->failure, BINLOG_FAULT_TAKER, "%s", err_name(e));
    f->failure.err = e;
    return e;
}

static void
tell_drop(struct feed *f)
{
    if (f->taker->drop != NULL)
        f->taker->drop(f->ctx);
}

static void
drop(struct feed *f)
{
    if (f->group != OUTSIDE)
        tell_drop(f);
    f->group = OUTSIDE;
}

static enum err
tell_commit(struct feed *f)
{
    return f->taker->commit != NULL ? told(f, f->taker->commit(f->ctx, &f->txn))
                                    : ERR_OK;
}

static enum err
commit(struct feed *f)
{
    enum err e;

    f->txn.end_pos = f->pos;
    e = tell_commit(f);
    if (e != ERR_OK)
        return e;
    f->group = OUTSIDE;
    f->commits++;
    e = binlog_gtids_add(f->done, &f->txn.gtid);
    if (e == ERR_OK)
        return ERR_OK;
    return fault(f, e == ERR_NOMEM ? BINLOG_FAULT_MEMORY : BINLOG_FAULT_LIMIT,
                 "the set of GTIDs");
}

/* It has a GTID, which is to be among those that have been taken. */
static enum err
commit_empty(struct feed *f)
{
    enum err e;

    tell_drop(f);
    f->txn.is_prepared = false;
    e = told(f, f->taker->begin(f->ctx, &f->txn));
    return e == ERR_OK ? commit(f) : e;
}

/* ---- the log itself ---- */

static enum err
read_skip(struct feed *f, struct event *e)
{
    (void)f;
    (void)e;
    return ERR_OK;
}

static enum err
read_rotate(struct feed *f, struct event *e)
{
    struct rotation r;
    enum err err = event_rotation(e, &r, &f->failure);

    if (err != ERR_OK)
        return err;
    if (f->group != OUTSIDE && !(e->flags & EVENT_IS_ARTIFICIAL))
        return fault(f, BINLOG_FAULT_ORDER, "a file ends in a transaction");
    if (r.file.n >= sizeof(f->file) || memchr(r.file.p, '\0', r.file.n) != NULL)
        return fault(f, BINLOG_FAULT_CUT, "the name of a file");
    memcpy(f->file, r.file.p, r.file.n);
    f->file[r.file.n] = '\0';
    f->pos = r.pos;
    return ERR_OK;
}

/* The whole event: how long its checksum is it says itself. */
static enum err
open_format(struct feed *f, const uint8_t *p, size_t n)
{
    struct format format;
    enum err e = event_format(p, n, &format, &f->failure);

    if (e != ERR_OK)
        return e;
    if (f->group != OUTSIDE && format.made_s == 0)
        return fault(f, BINLOG_FAULT_ORDER, "a file begins in a transaction");
    /* the server has died in it, and begins anew without it */
    drop(f);
    f->crc = format.crc;
    f->is_format = true;
    table_scope_end(&f->tables);
    return ERR_OK;
}

static enum err
read_heartbeat(struct feed *f, struct event *e)
{
    (void)e;
    return f->group == OUTSIDE && f->taker->idle != NULL
               ? told(f, f->taker->idle(f->ctx))
               : ERR_OK;
}

/* What stands in front of a file has been taken: else something is missing. */
static enum err
read_gtid_list(struct feed *f, struct event *e)
{
    enum err err;

    if (e->flags & EVENT_IS_ARTIFICIAL)
        return ERR_OK;
    gtids_clear(f->list);
    err = event_gtid_list(e, f->list, &f->failure);
    for (size_t i = 0; i < f->list->n_domains && err == ERR_OK; i++)
        if (!binlog_gtids_have(f->done, &f->list->domain[i]))
            err = fault(f, BINLOG_FAULT_GAP, "before this file");
    return err;
}

static enum err
read_previous_gtids(struct feed *f, struct event *e)
{
    enum err err;

    gtids_clear(f->list);
    err = event_previous_gtids(e, f->list, &f->failure);
    if (err == ERR_OK && !gtids_within(f->list, f->done))
        err = fault(f, BINLOG_FAULT_GAP, "before this file");
    return err;
}

/* ---- where a transaction begins ---- */

static enum err
begin(struct feed *f, const struct event *e, const struct gtid_event *g,
      enum group group)
{
    enum err err;

    if (f->group != OUTSIDE)
        return fault(f, BINLOG_FAULT_ORDER, "a GTID in a transaction");
    f->txn = (struct source_txn){
        .gtid = g->gtid,
        .at_us = g->at_us != 0 ? (int64_t)g->at_us : e->at_s * INT64_C(1000000),
        .is_exact = g->at_us != 0,
        .is_prepared = g->prepared,
        .xid = g->xid,
        .file = f->file,
        .pos = e->pos,
    };
    if (binlog_gtids_have(f->done, &g->gtid))
        return fault(f, BINLOG_FAULT_BACKWARDS, "it has been taken");
    if (g->prepared && f->taker->xa == NULL)
        return fault(f, BINLOG_FAULT_XA, "XA PREPARE");
    err = told(f, f->taker->begin(f->ctx, &f->txn));
    if (err != ERR_OK)
        return err;
    f->group = group;
    f->is_silent = g->alter_begins || g->alter_fails;
    table_scope_end(&f->tables);
    return ERR_OK;
}

static enum err
read_gtid(struct feed *f, struct event *e)
{
    struct gtid_event g;
    enum err err = event_gtid(e, &g, &f->failure);

    return err == ERR_OK ? begin(f, e, &g, g.alone ? ALONE : INSIDE) : err;
}

static enum err
read_gtid_mysql(struct feed *f, struct event *e)
{
    struct gtid_event g;
    enum err err = event_gtid_mysql(e, &g, &f->failure);

    return err == ERR_OK ? begin(f, e, &g, FIRST) : err;
}

/* ---- where it ends ---- */

static enum err
read_xid(struct feed *f, struct event *e)
{
    (void)e;
    return f->group == INSIDE ? commit(f)
                              : fault(f, BINLOG_FAULT_ORDER, "a COMMIT");
}

static enum err
read_xa_prepare(struct feed *f, struct event *e)
{
    bool one_phase;
    enum err err = event_xa_prepare(e, &f->txn.xid, &one_phase, &f->failure);

    if (err != ERR_OK)
        return err;
    if (f->group != INSIDE)
        return fault(f, BINLOG_FAULT_ORDER, "XA PREPARE");
    f->txn.is_prepared = !one_phase;
    return !one_phase && f->taker->xa == NULL
               ? fault(f, BINLOG_FAULT_XA, "XA PREPARE")
               : commit(f);
}

/* ---- statements ---- */

/* In a transaction that is more than this statement. */
static enum err
inside(struct feed *f, const struct query *q)
{
    const struct source_taker *t = f->taker;

    switch (q->kind) {
    case QUERY_NOTHING:
    case QUERY_XA_END:
        return ERR_OK;
    case QUERY_COMMIT:
        return commit(f);
    case QUERY_ROLLBACK:
        return commit_empty(f);
    case QUERY_SAVEPOINT:
        return t->savepoint != NULL
                   ? told(f, t->savepoint(f->ctx, q->name.p, q->name.n))
                   : ERR_OK;
    case QUERY_ROLLBACK_TO:
        return t->rollback_to != NULL
                   ? told(f, t->rollback_to(f->ctx, q->name.p, q->name.n))
                   : fault(f, BINLOG_FAULT_SAVEPOINT, "");
    case QUERY_OTHER:
        return t->statement != NULL ? told(f, t->statement(f->ctx, &q->st))
                                    : ERR_OK;
    case QUERY_DML:
        return t->dml != NULL ? told(f, t->dml(f->ctx, &q->st))
                              : fault(f, BINLOG_FAULT_STATEMENT, "");
    default:
        return fault(f, BINLOG_FAULT_ORDER, "a statement in a transaction");
    }
}

/* All that its transaction has. */
static enum err
alone(struct feed *f, const struct query *q)
{
    const struct source_taker *t = f->taker;
    enum err e;

    switch (q->kind) {
    case QUERY_NOTHING:
        return commit(f);
    case QUERY_XA_COMMIT:
    case QUERY_XA_ROLLBACK:
        e = t->xa != NULL
                ? told(f, t->xa(f->ctx, &q->xid, q->kind == QUERY_XA_COMMIT))
                : fault(f, BINLOG_FAULT_XA, "the end of an XA transaction");
        break;
    case QUERY_OTHER:
    case QUERY_DML:
        e = f->is_silent ? ERR_OK : inside(f, q);
        break;
    default:
        return fault(f, BINLOG_FAULT_ORDER, "a statement by itself");
    }
    return e == ERR_OK ? commit(f) : e;
}

static enum err
statement(struct feed *f, const struct query *q)
{
    if (f->group == INSIDE)
        return inside(f, q);
    if (f->group == FIRST &&
        (q->kind == QUERY_BEGIN || q->kind == QUERY_XA_START)) {
        f->group = INSIDE;
        return ERR_OK;
    }
    return f->group != OUTSIDE
               ? alone(f, q)
               : fault(f, BINLOG_FAULT_ORDER, "a statement without a GTID");
}

/* The event's rest into `unpacked`, behind what that has. */
static enum err
unpack(struct feed *f, struct cursor c)
{
    switch (unpack_event(&f->unpacker, c, &f->unpacked)) {
    case ERR_OK:
        return ERR_OK;
    case ERR_LIMIT:
        return fault(f, BINLOG_FAULT_LIMIT, "an event, unpacked");
    case ERR_NOMEM:
        return fault(f, BINLOG_FAULT_MEMORY, "an event, unpacked");
    default:
        return fault(f, BINLOG_FAULT_PACKED, "an event");
    }
}

static enum err
read_query(struct feed *f, struct event *e)
{
    struct query q;
    enum err err = query_head(&e->body, e->at_s, &q, &f->failure);

    if (err != ERR_OK)
        return err;
    buf_reset(&f->unpacked);
    if (e->type == EVENT_QUERY_COMPRESSED)
        err = unpack(f, e->body);
    else /* for the NUL behind it */
        buf_put(&f->unpacked, (const char *)e->body.p, cursor_left(&e->body));
    if (err == ERR_OK && f->unpacked.failed)
        err = fault(f, BINLOG_FAULT_LIMIT, "a statement");
    if (err == ERR_OK)
        err =
            query_text(&q, buf_text(&f->unpacked), f->unpacked.n, &f->failure);
    return err == ERR_OK ? statement(f, &q) : err;
}

/* ---- rows ---- */

static enum err
describe(struct feed *f, struct binlog_table *t)
{
    enum err e = f->taker->describe != NULL
                     ? told(f, f->taker->describe(f->ctx, t))
                     : ERR_OK;

    return e == ERR_OK && !t->is_described
               ? binlog_fail(&f->failure, BINLOG_FAULT_METADATA, "%s.%s",
                             t->schema, t->name)
               : e;
}

static enum err
new_table(struct feed *f, const struct table_head *h, struct cursor map)
{
    struct binlog_table *t = NULL;
    enum err e = ERR_OK;

    if (f->taker->wants(f->ctx, h->schema, h->name))
        e = table_parse(h, &f->collations, !f->is_mariadb, &t, &f->failure);
    if (e == ERR_OK && t != NULL && !t->is_described)
        e = describe(f, t);
    if (e != ERR_OK) {
        binlog_table_let_go(t);
        return e;
    }
    switch (table_keep(&f->tables, h->id, map, t)) {
    case ERR_OK:
        return ERR_OK;
    case ERR_LIMIT:
        return fault(f, BINLOG_FAULT_LIMIT, "tables of one statement");
    default:
        return fault(f, BINLOG_FAULT_MEMORY, "a table");
    }
}

static enum err
read_table_map(struct feed *f, struct event *e)
{
    struct table_head h;
    enum err err = table_head(e->body, &h, &f->failure);

    if (err != ERR_OK)
        return err;
    if (f->group != INSIDE)
        return fault(f, BINLOG_FAULT_ORDER, "a table outside of a transaction");
    return table_again(&f->tables, h.id, e->body) != NULL
               ? ERR_OK
               : new_table(f, &h, e->body);
}

/* What the number of an event says of its rows. */
struct form {
    enum binlog_kind kind;
    bool v2, packed;
};

static struct form
form_of(unsigned type)
{
    static const struct {
        unsigned first; /* of three: WRITE, UPDATE, DELETE */
        bool v2, packed;
    } forms[] = {
        { EVENT_WRITE_ROWS_V1, false, false },
        { EVENT_WRITE_ROWS, true, false },
        { EVENT_WRITE_ROWS_COMPRESSED_V1, false, true },
        { EVENT_WRITE_ROWS_COMPRESSED, true, true },
    };
    size_t i = 0;

    while (type - forms[i].first > 2)
        i++;
    return (struct form){ type - forms[i].first, forms[i].v2, forms[i].packed };
}

static enum err
give_rows(struct feed *f, struct binlog_table *t, struct form form,
          struct cursor c)
{
    struct binlog_rows rows = { t, form.kind, c.p, cursor_left(&c) };
    size_t prefix;
    enum err e;

    if (form.packed) {
        prefix = rows_prefix(c, form.kind == BINLOG_UPDATE);
        buf_reset(&f->unpacked);
        buf_put(&f->unpacked, (const char *)take(&c, prefix), prefix);
        e = prefix > 0 ? unpack(f, c)
                       : fault(f, BINLOG_FAULT_CUT, "a rows event");
        if (e != ERR_OK)
            return e;
        rows.p = (const uint8_t *)f->unpacked.p;
        rows.n = f->unpacked.n;
    }
    e = rows_open(&rows, &c, &f->failure);
    return e == ERR_OK && f->taker->rows != NULL
               ? told(f, f->taker->rows(f->ctx, &rows))
               : e;
}

static enum err
read_rows(struct feed *f, struct event *e)
{
    struct form form = form_of(e->type);
    struct rows_head h;
    struct table_entry *entry;
    enum err err = rows_head(&e->body, form.v2, &h, &f->failure);

    if (err != ERR_OK)
        return err;
    if (f->group != INSIDE)
        return fault(f, BINLOG_FAULT_ORDER, "rows outside of a transaction");
    entry = table_find(&f->tables, h.table_id);
    if (entry == NULL && !(h.table_id == NO_TABLE && h.ends))
        return fault(f, BINLOG_FAULT_TABLE, "");
    if (entry != NULL && entry->table != NULL)
        err = give_rows(f, entry->table, form, e->body);
    if (h.ends)
        table_scope_end(&f->tables);
    return err;
}

/* ---- all of them ---- */

typedef enum err read_fn(struct feed *f, struct event *e);

/* FORMAT_DESCRIPTION is read before; nothing reads those that are refused. */
#define read_format  NULL
#define read_refused NULL

static const struct {
    read_fn *read;
    enum binlog_fault fault;
    const char *name; /* NULL: no such event */
} events[256] = {
#define EVENT(code, id, how, fault) \
    [code] = { read_##how, BINLOG_FAULT_##fault, #id },
#include "binlog/events.def"
#undef EVENT
};

static enum err
read_event(struct feed *f, struct event *e)
{
    if (events[e->type].read != NULL)
        return events[e->type].read(f, e);
    if (events[e->type].name != NULL)
        return fault(f, events[e->type].fault, events[e->type].name);
    if (e->flags & EVENT_IS_IGNORABLE)
        return ERR_OK;
    return binlog_fail(&f->failure, BINLOG_FAULT_UNKNOWN, "%u", e->type);
}

/* Where it was. */
static void
locate(struct feed *f)
{
    char gtid[BINLOG_GTID_MAX] = "", said[WHY_BYTES];

    if (f->group != OUTSIDE || f->failure.fault == BINLOG_FAULT_BACKWARDS)
        binlog_gtid_text(&f->txn.gtid, gtid);
    memcpy(said, f->failure.why, sizeof(said));
    why_say(f->failure.why, "%s (%s:%" PRIu64 "%s%s)", said, f->file, f->pos,
            !str_empty(gtid) ? ", GTID " : "", gtid);
}

enum err
feed_event(struct feed *f, const uint8_t *p, size_t n)
{
    bool crc = f->crc;
    struct event e;
    enum err err;

    if (n > 4 && p[4] == EVENT_ROTATE)
        crc = event_has_sum(p, n, crc);
    if (n > 4 && p[4] == EVENT_FORMAT_DESCRIPTION) {
        err = event_open(p, n, false, &e, &f->failure);
        if (err == ERR_OK)
            err = open_format(f, p, n);
    } else {
        err = event_open(p, n, crc, &e, &f->failure);
        if (err == ERR_OK && !f->is_format && e.type != EVENT_ROTATE &&
            e.type != EVENT_HEARTBEAT && e.type != EVENT_HEARTBEAT_V2)
            err = fault(f, BINLOG_FAULT_ORDER, "an event before the format");
        if (err == ERR_OK && e.next_pos != 0 && e.type != EVENT_ROTATE)
            f->pos = e.next_pos;
        if (err == ERR_OK)
            err = read_event(f, &e);
    }
    if (err != ERR_OK)
        locate(f);
    return err;
}

void
feed_begin(struct feed *f, bool is_mariadb, bool crc)
{
    f->is_mariadb = is_mariadb;
    f->crc = crc;
    f->is_format = false;
    f->group = OUTSIDE;
    f->failure.fault = BINLOG_FAULT_NONE;
    table_scope_end(&f->tables);
}

void
feed_end(struct feed *f)
{
    drop(f);
}
