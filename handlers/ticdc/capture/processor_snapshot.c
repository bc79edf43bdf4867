/* Rows that are there before a changefeed begins: of a consistent snapshot,
 * written as INSERTs of one commit_ts by whoever has the span of statements,
 * before any table is given out. The stream goes on behind the GTIDs of the
 * snapshot. They are stored before the first row is written, and stay those of
 * the first attempt: one that was broken off is begun anew with a snapshot of
 * its own, and what was changed between the two comes again behind it. */
#include "processor_int.h"

#include <inttypes.h>
#include <string.h>

#include "log.h"
#include "ticdc/core/schedule.h"

#define TXN_ROWS 1000
#define READ_S   60

/* A table whose rows are being written; nobody has it yet, so it goes by a
 * number that no table has. */
struct loading {
    struct processor *p;
    struct sink_table t;
    uint64_t ts, rows;
    bool begun;
};

static bool
must_turn(struct processor *p)
{
    bool turned;

    (void)pthread_mutex_lock(&p->lock);
    turned = p->told != p->signature;
    (void)pthread_mutex_unlock(&p->lock);
    return turned || processor_must_stop(p);
}

static enum err
end_txn(struct loading *l, bool flushes)
{
    struct outlet *o = l->p->outlet;
    enum err e = ERR_OK;

    if (l->begun)
        e = o->ops->end(o);
    l->begun = false;
    if (e == ERR_OK && must_turn(l->p))
        return ERR_STATE;
    return e == ERR_OK && (flushes || o->full) ? o->ops->flush(o, l->ts) : e;
}

static enum err
load_row(void *ctx, struct binlog_table *def, const struct binlog_row *row)
{
    struct loading *l = ctx;
    struct outlet *o = l->p->outlet;
    const struct sink_txn txn = { .commit_ts = l->ts, .repeats = true };
    enum err e = l->begun ? ERR_OK : o->ops->begin(o, &txn);

    l->begun = true;
    if (e == ERR_OK)
        e = o->ops->row(o, &l->t, def, BINLOG_INSERT, row);
    if (e == ERR_OK && ++l->rows % TXN_ROWS == 0)
        e = end_txn(l, false);
    return e;
}

static enum err
snapshot_failed(struct processor *p, enum err e, const char *why)
{
    const struct sink_failure *f = &p->outlet->failure;

    if (e == ERR_STATE && must_turn(p))
        return e;
    if (f->err != ERR_OK)
        return processor_fail(p, f->err, f->code, "%s", f->why);
    return processor_fail(p, e, "CDC:ErrInternalServerError",
                          "the initial snapshot: %s", why);
}

static enum err
load_table(struct processor *p, struct snapshot *s,
           const struct source_table *table, int64_t number, uint64_t ts)
{
    char why[WHY_BYTES] = "";
    struct buf gtids = BUF_INIT((size_t)4 << 20);
    struct loading l = { .p = p,
                         .ts = ts,
                         .t = { .id = number,
                                .fence = p->epoch << 32,
                                .schema = table->schema_name,
                                .name = table->table_name,
                                .given = binlog_gtids_new() } };
    struct outlet *o = p->outlet;
    enum err e = l.t.given != NULL ? o->ops->adopt(o, &l.t, &gtids) : ERR_NOMEM;

    if (e == ERR_OK)
        e = snapshot_table(s, table->schema_name, table->table_name, load_row,
                           &l, why);
    if (e == ERR_OK)
        e = end_txn(&l, true);
    p->row_count += l.rows;
    log_info(
        "ticdc.snapshot feed=%" PRIu64 " table=%s.%s rows=%" PRIu64 " err=%s",
        p->feed, table->schema_name, table->table_name, l.rows, err_name(e));
    if (e != ERR_OK)
        e = snapshot_failed(p, e, why);
    binlog_gtids_free(l.t.given);
    buf_free(&gtids);
    return e;
}

static enum err
load_all(struct processor *p, struct snapshot *s, uint64_t ts)
{
    struct list_of_source_table tables = { 0 };
    enum err e = processor_source_tables(p, &tables);

    if (e == ERR_OK && p->outlet->ops->open(p->outlet) != ERR_OK)
        e = snapshot_failed(p, ERR_PEER, "");
    for (size_t i = 0; i < tables.n && e == ERR_OK; i++)
        if (processor_takes(p, &tables.v[i]))
            e = load_table(p, s, &tables.v[i], -1 - (int64_t)i, ts);
    return e;
}

/* The TSO behind start_ts says that there is a moment, the one behind that is
 * of its rows: so nothing counts as written before they are, and another
 * attempt gives them the same one. */
static enum err
store_moment(struct processor *p, struct held *span, const struct snapshot *s)
{
    struct work_row w = { .feed = p->feed,
                          .epoch = p->epoch,
                          .capture_id = p->capture_id,
                          .gtid = snapshot_gtids(s),
                          .quota_bytes = processor_quota(p) };
    enum err e = binlog_gtids_parse(span->done, w.gtid);

    if (e != ERR_OK)
        return snapshot_failed(p, e, "its position cannot be read");
    span->ts = p->row.start_ts + 1;
    w.checkpoint_ts = w.resolved_ts = span->ts;
    e = rows_work_advance(p->db, &w);
    return e == ERR_OK || e == ERR_STATE ? e : processor_store_failed(p, e);
}

static enum err
take_snapshot(struct processor *p, struct held *span)
{
    struct my_server server = p->upstream;
    char why[WHY_BYTES] = "";
    struct snapshot *s = NULL;
    enum err e;

    server.read_timeout_s = READ_S;
    e = snapshot_open(&server, &s, why);
    if (e != ERR_OK)
        return processor_fail(p, e, "CDC:ErrInternalServerError",
                              "the initial snapshot: %s", why);
    if (span->ts <= p->row.start_ts)
        e = store_moment(p, span, s);
    if (e == ERR_OK)
        e = load_all(p, s, span->ts + 1);
    snapshot_close(s);
    if (e == ERR_OK)
        span->ts++;
    return e;
}

/* Whether any table was given out: then the snapshot has been written. */
static enum err
is_due(struct processor *p, bool *yes)
{
    struct list_of_table_row rows = { 0 };
    enum err e = rows_tables(p->db, p->step, p->feed, &rows);

    *yes = e == ERR_OK && p->config.initial_snapshot;
    for (size_t i = 0; i < rows.n; i++)
        if (rows.v[i].table_id != DDL_SPAN)
            *yes = false;
    arena_reset(p->step);
    return e == ERR_OK ? ERR_OK : processor_store_failed(p, e);
}

enum err
processor_snapshot(struct processor *p, bool *turned)
{
    struct held *span = NULL;
    bool due;
    enum err e = is_due(p, &due);

    *turned = false;
    for (size_t i = 0; i < p->n_held; i++)
        if (p->held[i].id == DDL_SPAN)
            span = &p->held[i];
    if (e != ERR_OK || !due || span == NULL)
        return e;
    e = take_snapshot(p, span);
    arena_reset(p->step);
    *turned = e == ERR_STATE && str_empty(p->code) && must_turn(p);
    return *turned ? ERR_OK : e;
}
