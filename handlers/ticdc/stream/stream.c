/* The writing half: pieces to the sink, flushed when there is nothing more to
 * take or the sink is full, and given again when it has failed. */
#include "stream_int.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

#define TAKE_MS       200
#define ROW_BYTES     ((size_t)2 << 30) /* of one row, decoded */
#define TRIES         8
#define WAIT_FIRST_MS 500
#define WAIT_MOST_MS  60000
#define GTIDS_BYTES   ((size_t)4 << 20)
#define TOLD_BYTES    ((size_t)4 << 20)

enum err
stream_fail(struct stream *s, enum err e, bool fatal, const char *code,
            const char *fmt, ...)
{
    va_list ap;

    s->failure = (struct stream_failure){ .err = e, .fatal = fatal };
    (void)snprintf(s->failure.code, sizeof(s->failure.code), "%s", code);
    va_start(ap, fmt);
    (void)vsnprintf(s->failure.why, sizeof(s->failure.why), fmt, ap);
    va_end(ap);
    return e;
}

static enum err
no_memory(struct stream *s)
{
    return stream_fail(s, ERR_NOMEM, false, "CDC:ErrInternalServerError",
                       "no memory");
}

/* ---- positions ---- */

static enum err
progress(struct stream *s, bool idle, bool last)
{
    struct stream_progress p = { .position = s->acked,
                                 .checkpoint = s->acked_ts,
                                 .resolved = atomic_load(&s->counts.resolved),
                                 .idle = idle,
                                 .last = last };
    enum err e;

    if (p.resolved < p.checkpoint)
        p.resolved = p.checkpoint;
    atomic_store(&s->counts.checkpoint, p.checkpoint);
    e = s->ops->progress(s->ctx, &p);
    return e == ERR_OK ? ERR_OK
                       : stream_fail(s, e, false, "CDC:ErrPDEtcdAPIError",
                                     "the checkpoint cannot be stored: %s",
                                     err_name(e));
}

/* Before the piece is done with, which the reading thread waits for. What is
 * not stored has not passed: the clock goes back, and everything stamped behind
 * it has the number that another capture gives it, too. */
static enum err
progress_idle(struct stream *s, bool last)
{
    uint64_t before = s->acked_ts;
    enum err e;

    s->acked_ts = s->taken_ts;
    e = progress(s, true, last);
    if (e == ERR_OK || e == ERR_STATE || last)
        return e;
    s->failure.err = ERR_OK;
    s->acked_ts = s->taken_ts = before;
    atomic_store(&s->stands, true);
    return ERR_OK;
}

/* What comes behind it must not be given before that is stored; and it cannot
 * be taken back, so without the store nothing is given. */
static enum err
progress_passed(struct stream *s)
{
    enum err e;

    s->acked_ts = s->taken_ts;
    while ((e = progress(s, true, false)) != ERR_OK && e != ERR_STATE) {
        log_warn("ticdc.clock err=%s", err_name(e));
        s->failure.err = ERR_OK;
        if (!pipe_sleep(s->pipe, WAIT_FIRST_MS))
            return ERR_STATE;
    }
    return e;
}

/* Of the pieces that are not acknowledged, the first ones are: those in front
 * of `next`. */
static enum err
acknowledge(struct stream *s)
{
    enum err e = binlog_gtids_copy(s->acked, s->taken);

    if (e != ERR_OK)
        return no_memory(s);
    s->acked_ts = s->taken_ts;
    while (s->pending != s->next) {
        struct piece *p = s->pending;

        if (xa_acknowledged(s, p) != ERR_OK)
            return no_memory(s);
        s->pending = p->next;
        pipe_done(s->pipe, p);
    }
    if (s->pending == NULL)
        s->pending_last = &s->pending;
    return ERR_OK;
}

/* ---- the sink ---- */

static enum err
sink_failed(struct stream *s)
{
    const struct sink_failure *f = &s->c.sink->failure;

    return stream_fail(s, f->err != ERR_OK ? f->err : ERR_INTERNAL, false,
                       f->code != NULL ? f->code : "CDC:ErrMySQLTxnError", "%s",
                       f->why);
}

static enum err
adopt(struct stream *s, const struct stream_table *t)
{
    struct buf text = BUF_INIT(GTIDS_BYTES);
    struct binlog_gtids *there = binlog_gtids_new();
    enum err e = s->c.sink->ops->adopt(s->c.sink, &t->t, &text);

    if (e != ERR_OK)
        e = sink_failed(s);
    else if (there == NULL ||
             binlog_gtids_parse(there, buf_text(&text)) == ERR_NOMEM)
        e = no_memory(s);
    else if (binlog_gtids_within(t->done, there) &&
             binlog_gtids_copy(t->done, there) != ERR_OK)
        e = no_memory(s);
    else if (binlog_gtids_copy(t->t.given, t->done) != ERR_OK)
        e = no_memory(s);
    binlog_gtids_free(there);
    buf_free(&text);
    return e;
}

/* How long the sink is to be given more before it is flushed; what it was
 * given already is kept till then, and who reads must not stand still for it.
 */
static int64_t
linger_left(const struct stream *s)
{
    int64_t left = s->dirty_ms + s->c.sink->linger_ms - clock_mono_ms();

    return !s->dirty || left < 0 || s->given_bytes >= s->c.quota / 4 ? 0 : left;
}

static void
now_dirty(struct stream *s)
{
    if (!s->dirty)
        s->dirty_ms = clock_mono_ms();
    s->dirty = true;
    atomic_store(&s->lingers, s->c.sink->linger_ms > 0);
}

static void
now_clean(struct stream *s)
{
    s->dirty = false;
    s->given_bytes = 0;
    atomic_store(&s->lingers, false);
}

/* What was not acknowledged is given again, but for what the sink has. */
static enum err
open_sink(struct stream *s)
{
    enum err e;

    if (!s->ops->may_write(s->ctx))
        return stream_fail(s, ERR_STATE, false, "", "no right to write");
    e = s->c.sink->ops->open(s->c.sink);
    if (e != ERR_OK)
        return sink_failed(s);
    for (size_t i = 0; i < s->c.n_tables && e == ERR_OK; i++)
        e = adopt(s, &s->c.tables[i]);
    if (e != ERR_OK)
        return e;
    s->next = s->pending;
    s->taken_ts = s->acked_ts;
    now_clean(s);
    return binlog_gtids_copy(s->taken, s->acked) == ERR_OK ? ERR_OK
                                                           : no_memory(s);
}

static int64_t
next_wait(const struct stream *s)
{
    int64_t ms = WAIT_FIRST_MS;

    for (unsigned i = 1; i < s->failed && ms < WAIT_MOST_MS; i++)
        ms *= 2;
    return ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS;
}

/* After a failure of the sink: OK when it is worth to go on. */
static enum err
recover(struct stream *s, enum err e)
{
    unsigned most = s->c.tries != 0 ? s->c.tries : TRIES;

    while (e != ERR_OK) {
        const struct sink_failure *f = &s->c.sink->failure;

        if (f->err == ERR_OK || !f->again || f->fenced || ++s->failed >= most)
            return e;
        log_warn("ticdc.sink try=%u err=%s why=\"%.300s\"", s->failed,
                 err_name(f->err), f->why);
        if ((s->failed > 1 || err_may_retry(f->err)) &&
            !pipe_sleep(s->pipe, next_wait(s)))
            return ERR_STATE;
        s->c.sink->failure.err = ERR_OK;
        e = open_sink(s);
    }
    return ERR_OK;
}

static enum err
flush_sink(struct stream *s)
{
    if (!s->ops->may_write(s->ctx))
        return stream_fail(s, ERR_STATE, false, "", "no right to write");
    return s->c.sink->ops->flush(s->c.sink, s->taken_ts) == ERR_OK
               ? ERR_OK
               : sink_failed(s);
}

static enum err
flush(struct stream *s)
{
    enum err e = s->dirty ? flush_sink(s) : ERR_OK;

    if (e != ERR_OK)
        return e;
    now_clean(s);
    s->failed = 0;
    e = acknowledge(s);
    return e == ERR_OK ? progress(s, false, false) : e;
}

/* ---- rows ---- */

static enum err
give_event(struct stream *s, const struct stream_table *t,
           const struct binlog_rows *rows)
{
    struct binlog_row row;
    enum err e = binlog_decode(s->decoder, rows);

    while (e == ERR_OK) {
        e = binlog_decode_next(s->decoder, &row);
        if (e == ERR_NOT_FOUND)
            return ERR_OK;
        if (e != ERR_OK)
            break;
        if (s->c.sink->ops->row(s->c.sink, &t->t, rows->table, rows->kind,
                                &row) != ERR_OK)
            return sink_failed(s);
        atomic_fetch_add(&s->counts.rows_written, 1);
    }
    return stream_fail(s, e, true, "CDC:ErrCorruptedDataMutation", "%s",
                       binlog_decoder_failure(s->decoder)->why);
}

static enum err
give_rows(struct stream *s, struct piece *p)
{
    const struct stream_table *last = NULL;
    struct binlog_rows rows;
    enum err e;

    spool_rewind(p->rows);
    while ((e = spool_next(p->rows, &rows)) == ERR_OK) {
        const struct stream_table *t =
            stream_find(s, rows.table->schema, rows.table->name);

        if (t == NULL || binlog_gtids_have(t->done, &p->gtid))
            continue;
        if (pipe_is_stopped(s->pipe))
            return ERR_STATE;
        if (last != t && binlog_gtids_add(t->t.given, &p->gtid) != ERR_OK)
            return no_memory(s);
        last = t;
        e = give_event(s, t, &rows);
        if (e != ERR_OK)
            return e;
    }
    return e == ERR_NOT_FOUND
               ? ERR_OK
               : stream_fail(s, e, false, "CDC:ErrInternalServerError",
                             "what was spilled cannot be read");
}

static enum err
give_txn(struct stream *s, struct piece *p)
{
    struct sink_txn txn = { .commit_ts = p->ts };

    if (s->c.sink->ops->begin(s->c.sink, &txn) != ERR_OK)
        return sink_failed(s);
    now_dirty(s);
    if (p->rows != NULL) {
        enum err e = give_rows(s, p);

        if (e != ERR_OK)
            return e;
    }
    return s->c.sink->ops->end(s->c.sink) == ERR_OK ? ERR_OK : sink_failed(s);
}

/* ---- what needs that everything before it is written ---- */

static struct stream_progress
here(const struct stream *s)
{
    return (struct stream_progress){ .position = s->acked,
                                     .checkpoint = s->acked_ts,
                                     .resolved =
                                         atomic_load(&s->counts.resolved) };
}

static enum err
tell_unknown(struct stream *s, const struct piece *p)
{
    struct stream_progress at = here(s);
    const char *schema = p->unknown, *name;
    enum err e = ERR_OK;

    while (schema < p->unknown + p->unknown_n && e == ERR_OK) {
        name = schema + strlen(schema) + 1;
        e = s->ops->unknown(s->ctx, schema, name, &at);
        schema = name + strlen(name) + 1;
    }
    return e == ERR_OK || s->failure.err != ERR_OK
               ? e
               : stream_fail(s, e, false, "CDC:ErrPDEtcdAPIError",
                             "a table cannot be stored: %s", err_name(e));
}

static enum err
do_statement(struct stream *s, struct piece *p)
{
    struct stream_progress before = here(s);
    enum err e = s->ops->ddl(s->ctx, p, &before);

    if (e == ERR_OK)
        atomic_fetch_add(&s->counts.ddls, 1);
    if (e != ERR_OK && s->c.sink->failure.err != ERR_OK)
        (void)sink_failed(s);
    else if (e != ERR_OK && s->failure.err == ERR_OK && e != ERR_STATE)
        (void)stream_fail(s, e, false, "CDC:ErrExecDDLFailed", "%s: %.1000s",
                          err_name(e), p->st->st.sql);
    return e;
}

/* ---- pieces ---- */

static enum err
take_position(struct stream *s, const struct piece *p)
{
    s->taken_ts = p->ts > s->taken_ts ? p->ts : s->taken_ts;
    if (p->kind != PIECE_TXN || (p->xa != NULL && p->xa->known))
        return ERR_OK;
    return binlog_gtids_add(s->taken, &p->gtid) == ERR_OK ? ERR_OK
                                                          : no_memory(s);
}

/* Everything in front of it is acknowledged; then, itself not given yet, it is
 * still the first of those that are not. */
static enum err
give_piece(struct stream *s, struct piece *p)
{
    enum piece_kind kind = p->kind; /* it may be freed below */
    bool flushes = p->st != NULL;
    enum err e = ERR_OK;

    if (p->unknown != NULL || p->st != NULL || p->kind != PIECE_TXN) {
        e = flush(s);
        if (e == ERR_OK && p->unknown != NULL)
            e = tell_unknown(s, p);
        if (e == ERR_OK && p->st != NULL)
            e = do_statement(s, p);
    }
    if (e == ERR_OK && p->rows != NULL)
        e = give_txn(s, p);
    if (e == ERR_OK)
        e = take_position(s, p);
    if (e != ERR_OK)
        return e;
    s->given_bytes += p->bytes;
    s->next = p->next;
    if (kind != PIECE_TXN) {
        e = kind == PIECE_PASSED ? progress_passed(s)
                                 : progress_idle(s, kind == PIECE_LAST);
        return e == ERR_OK ? acknowledge(s) : e;
    }
    if (s->c.sink->linger_ms > 0 && s->dirty && linger_left(s) == 0)
        flushes = true;
    return s->c.sink->full || flushes ? flush(s) : ERR_OK;
}

static void
keep(struct stream *s, struct piece *p)
{
    *s->pending_last = p;
    s->pending_last = &p->next;
    if (s->next == NULL)
        s->next = p;
}

/* The next piece, or what there is to do without one. */
static enum err
turn(struct stream *s, bool *ended)
{
    struct piece *p;
    int64_t wait_ms = s->pending != NULL ? linger_left(s) : TAKE_MS;

    if (s->next != NULL)
        return give_piece(s, s->next);
    p = pipe_take(s->pipe, wait_ms < TAKE_MS ? wait_ms : TAKE_MS, ended);
    if (p == NULL)
        return s->pending != NULL && (*ended || linger_left(s) == 0) ? flush(s)
                                                                     : ERR_OK;
    keep(s, p);
    return ERR_OK;
}

static enum err
write_all(struct stream *s)
{
    bool ended = false;
    enum err e = recover(s, open_sink(s));

    while (e == ERR_OK && !pipe_is_stopped(s->pipe) && !s->ends &&
           !(ended && s->pending == NULL)) {
        s->failure.err = ERR_OK;
        s->c.sink->failure.err = ERR_OK;
        e = turn(s, &ended);
        if (e != ERR_OK && !pipe_is_stopped(s->pipe))
            e = recover(s, e);
    }
    return e;
}

/* ---- both threads ---- */

static enum err
xa_failed(struct stream *s)
{
    const struct binlog_failure *f = source_failure(s->source);
    struct buf xid = BUF_INIT(1024);

    xa_say(&s->xid, &xid);
    (void)stream_fail(s, f->err, f->err == ERR_STATE,
                      "CDC:ErrChangefeedUnretryable",
                      "XA transaction %s (commit_ts %" PRIu64
                      ", to be left out by ignore_txn_start_ts): %s; %s",
                      buf_text(&xid), s->clock.prev, s->xa_why, f->why);
    buf_free(&xid);
    return f->err;
}

/* What the notes say of positions that the source has not. */
static enum err
source_failed(struct stream *s)
{
    const struct binlog_failure *f = source_failure(s->source);
    bool lost = f->fault == BINLOG_FAULT_PURGED;
    const char *code = "CDC:ErrInternalServerError";

    if (s->xa_why != NULL)
        return xa_failed(s);
    if (!str_empty(s->describe_why))
        return stream_fail(s, f->err, s->is_undescribed,
                           s->is_undescribed ? "CDC:ErrSchemaSnapshotNotFound"
                                             : code,
                           "%.1000s; %s", s->describe_why, f->why);
    if (lost)
        code = "CDC:ErrSnapshotLostByGC";
    else if (f->fault == BINLOG_FAULT_SETTING)
        code = "CDC:ErrInvalidReplicaConfig";
    else if (binlog_fault_is_final(f->fault) && f->err == ERR_STATE)
        code = "CDC:ErrCorruptedDataMutation";
    (void)stream_fail(s, f->err, false, code, "%s: %s",
                      binlog_fault_name(f->fault), f->why);
    s->failure.lost = lost;
    s->failure.fatal = strcmp(code, "CDC:ErrCorruptedDataMutation") == 0;
    return f->err;
}

enum err
stream_run(struct stream *s)
{
    pthread_t reader;
    enum err e;

    if (!log_thread(&reader, stream_read, s))
        return no_memory(s);
    e = write_all(s);
    if (pipe_is_stopped(s->pipe)) /* whatever was broken off by that */
        e = ERR_OK;
    /* the reader may wait for room, or for the server */
    if (e != ERR_OK || s->ends)
        stream_stop(s);
    (void)pthread_join(reader, NULL);
    if (e == ERR_OK && s->read_failed)
        e = source_failed(s);
    return e;
}

void
stream_stop(struct stream *s)
{
    pipe_stop(s->pipe);
    source_stop(s->source);
}

struct stream *
stream_new(const struct stream_config *c, const struct stream_ops *ops,
           void *ctx)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->c = *c;
    s->ops = ops;
    s->ctx = ctx;
    s->pending_last = &s->pending;
    s->told.max = TOLD_BYTES;
    s->is_starting = c->passes_ts != 0;
    s->clock.prev = c->passes_ts > c->ts ? c->passes_ts : c->ts;
    s->acked_ts = s->taken_ts = s->clock.prev;
    atomic_store(&s->counts.resolved, s->clock.prev);
    atomic_store(&s->counts.checkpoint, s->clock.prev);
    s->pipe = pipe_new(c->quota / 2);
    s->decoder = binlog_decoder_new(ROW_BYTES);
    s->taken = binlog_gtids_new();
    s->acked = binlog_gtids_new();
    s->ask = my_open();
    s->source = source_open(&s->c.source, c->from != NULL ? c->from : c->gtids,
                            &stream_taker, s);
    if (c->from != NULL)
        s->position = binlog_gtids_new();
    if (s->pipe != NULL && s->decoder != NULL && s->taken != NULL &&
        s->acked != NULL && s->ask != NULL && s->source != NULL &&
        binlog_gtids_parse(s->acked, c->gtids) == ERR_OK &&
        (c->from == NULL ||
         (s->position != NULL &&
          binlog_gtids_parse(s->position, c->gtids) == ERR_OK)))
        return s;
    stream_free(s);
    return NULL;
}

void
stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    while (s->pending != NULL) {
        struct piece *p = s->pending;

        s->pending = p->next;
        piece_free(p);
    }
    pipe_free(s->pipe);
    xa_let_all_go(s);
    describe_forget_all(s);
    while (s->open != NULL)
        stream_xa_drop(&s->open);
    binlog_gtids_free(s->position);
    free(s->savepoint);
    buf_free(&s->told);
    binlog_decoder_free(s->decoder);
    binlog_gtids_free(s->taken);
    binlog_gtids_free(s->acked);
    my_close(s->ask);
    source_close(s->source);
    free(s);
}

void
stream_end(struct stream *s)
{
    s->ends = true;
}

const struct binlog_gtids *
stream_position(const struct stream *s)
{
    return s->acked;
}

const struct stream_failure *
stream_failure(const struct stream *s)
{
    return &s->failure;
}

const struct stream_counts *
stream_counts(const struct stream *s)
{
    return &s->counts;
}

size_t
stream_bytes(const struct stream *s, size_t *most)
{
    return pipe_bytes(s->pipe, most);
}

bool
stream_is_reading(const struct stream *s)
{
    return atomic_load(&s->is_reading);
}

bool
stream_sleep(struct stream *s, int64_t ms)
{
    return pipe_sleep(s->pipe, ms);
}
