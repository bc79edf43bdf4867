/* The reading half: what a source tells becomes pieces, each with its TSO. */
#include "stream_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "log.h"

#define GTIDS_BYTES ((size_t)4 << 20)
/* More of them in one transaction than anybody has. */
#define SAVEPOINTS_MAX 100000
/* Of the quota for the transaction that is being read, before it goes to a
 * file: the rest is for those that wait. */
#define SPOOL_PART 8

const struct stream_table *
stream_find(const struct stream *s, const char *schema, const char *name)
{
    size_t low = 0, high = s->c.n_tables;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct sink_table *t = &s->c.tables[mid].t;
        int way = strcmp(schema, t->schema);

        if (way == 0)
            way = strcmp(name, t->name);
        if (way == 0)
            return &s->c.tables[mid];
        if (way < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* ---- transactions ---- */

/* A whole second is when the committing statement began: it may have ended
 * until that second's end. So one that may be later is taken. */
static bool
is_before_start(const struct stream *s, const struct source_txn *txn)
{
    int64_t end_us = txn->at_us + (txn->is_exact ? 0 : 999999);

    return s->is_starting && tso_of_ms(end_us / 1000) <= s->c.passes_ts;
}

static enum err
read_begin(void *ctx, const struct source_txn *txn)
{
    struct stream *s = ctx;

    s->piece = piece_new(PIECE_TXN);
    if (s->piece == NULL)
        return ERR_NOMEM;
    s->piece->gtid = txn->gtid;
    s->known =
        s->position != NULL && binlog_gtids_have(s->position, &txn->gtid);
    s->skipped = !s->known && is_before_start(s, txn);
    /* MySQL says it when it ends */
    s->may_prepare = txn->is_prepared || txn->gtid.is_uuid;
    s->ends_xa = s->has_unknown = false;
    s->n_savepoints = 0;
    return pipe_is_stopped(s->pipe) ? ERR_STATE : ERR_OK;
}

static bool
read_wants(void *ctx, const char *schema, const char *table)
{
    struct stream *s = ctx;

    return s->ops->wants(s->ctx, schema, table);
}

/* One that another writes comes again and again, and whoever is told of it
 * wants all before it to be written: so it is told once. */
static enum err
read_unknown(struct stream *s, const struct binlog_table *t)
{
    return !s->c.finds ||
                   pipe_names_have(s->told.p, s->told.n, t->schema, t->name)
               ? ERR_OK
               : piece_unknown(s->piece, t->schema, t->name);
}

static enum err
read_rows(void *ctx, const struct binlog_rows *rows)
{
    struct stream *s = ctx;
    struct piece *p = s->piece;

    if ((s->skipped || s->known) && !s->may_prepare)
        return ERR_OK;
    if (describe_is_unknown(s, rows->table)) {
        s->has_unknown = true; /* told if it is prepared only */
        return s->skipped || s->known ? ERR_OK
                                      : describe_failed(s, rows->table);
    }
    if (stream_find(s, rows->table->schema, rows->table->name) == NULL)
        return s->skipped || s->known ? ERR_OK : read_unknown(s, rows->table);
    atomic_fetch_add(&s->counts.rows, 1);
    if (p->rows == NULL)
        p->rows = spool_new(s->c.folder, s->c.quota / SPOOL_PART);
    return p->rows != NULL ? spool_add(p->rows, rows) : ERR_NOMEM;
}

static enum err
read_statement(void *ctx, const struct binlog_statement *st)
{
    struct stream *s = ctx;

    describe_statement(s, st);
    if (s->skipped || s->known || st->error != 0)
        return ERR_OK;
    if (s->piece->st != NULL)
        return ERR_STATE; /* no server writes two */
    return piece_statement(s->piece, st);
}

static void
read_drop(void *ctx)
{
    struct stream *s = ctx;

    piece_free(s->piece);
    s->piece = NULL;
}

static bool
is_ignored(const struct stream *s, uint64_t ts)
{
    for (size_t i = 0; i < s->c.n_ignore; i++)
        if (s->c.ignore[i] == ts)
            return true;
    return false;
}

static void
make_empty(struct piece *p)
{
    struct piece old = *p;

    *p = (struct piece){
        .kind = PIECE_TXN, .gtid = old.gtid, .ts = old.ts, .xa = old.xa
    };
    old.next = NULL;
    spool_free(old.rows);
    if (old.st != NULL)
        free(old.st->text);
    free(old.st);
    free(old.unknown);
}

/* Everything up to target_ts has been read. */
static enum err
finish(struct stream *s)
{
    struct piece *p = piece_new(PIECE_LAST);

    s->finished = true;
    if (p == NULL)
        return ERR_NOMEM;
    p->ts = s->c.target_ts;
    return pipe_push(s->pipe, p) == ERR_OK ? ERR_LIMIT : ERR_STATE;
}

/* ---- parts of transactions, and what comes of them later ---- */

/* As much of the rows as there was then. */
struct savepoint {
    uint64_t mark;
    size_t n;
    char name[256];
};

static enum err
read_savepoint(void *ctx, const char *name, size_t n)
{
    struct stream *s = ctx;
    size_t cap = s->cap_savepoints == 0 ? 8 : 2 * s->cap_savepoints;
    struct savepoint *more, *p;

    if (n > sizeof(p->name) || s->n_savepoints == SAVEPOINTS_MAX)
        return ERR_LIMIT;
    if (s->n_savepoints == s->cap_savepoints) {
        more = reallocarray(s->savepoint, cap, sizeof(*more));
        if (more == NULL)
            return ERR_NOMEM;
        s->savepoint = more;
        s->cap_savepoints = cap;
    }
    p = &s->savepoint[s->n_savepoints++];
    p->mark = s->piece->rows != NULL ? spool_mark(s->piece->rows) : 0;
    p->n = n;
    memcpy(p->name, name, n);
    return ERR_OK;
}

/* The newest of that name; those behind it are gone, it is not. */
static enum err
read_rollback_to(void *ctx, const char *name, size_t n)
{
    struct stream *s = ctx;
    size_t i = s->n_savepoints;

    while (i > 0 && (s->savepoint[i - 1].n != n ||
                     strncasecmp(s->savepoint[i - 1].name, name, n) != 0))
        i--;
    if (i == 0)
        return ERR_STATE; /* it was not written: what is taken back? */
    s->n_savepoints = i;
    if (s->piece->rows != NULL)
        spool_cut(s->piece->rows, s->savepoint[i - 1].mark);
    return ERR_OK;
}

static enum err
read_xa(void *ctx, const struct binlog_xid *xid, bool commit)
{
    struct stream *s = ctx;

    s->ends_xa = true;
    s->commits_xa = commit;
    s->xid = *xid;
    return ERR_OK;
}

static enum err
prepare(struct stream *s, struct piece *p, const struct source_txn *txn)
{
    struct buf before = BUF_INIT(GTIDS_BYTES);
    enum err e;

    if (s->has_unknown) {
        s->xa_why = "nobody knows what columns its tables had";
        s->xid = txn->xid;
        return ERR_STATE;
    }
    binlog_gtids_print(source_position(s->source), &before);
    e = buf_err(&before);
    if (e == ERR_OK)
        e = piece_xa(p, &txn->xid, buf_text(&before), s->known);
    buf_free(&before);
    return e == ERR_OK ? xa_keep(s, p, &txn->xid) : e;
}

/* Its rows stand where reading did not begin: a commit would be lost. */
static enum err
end_xa(struct stream *s, struct piece *p)
{
    bool found = xa_take(s, p, &s->xid, s->commits_xa);

    if (s->known || s->skipped) { /* written, or not wanted */
        spool_free(p->rows);
        p->rows = NULL;
    } else if (!found && s->commits_xa && !is_ignored(s, p->ts)) {
        s->xa_why = "it was prepared before what has been read";
        return ERR_STATE;
    }
    return piece_xa(p, &s->xid, NULL, s->known);
}

static enum err
settle_xa(struct stream *s, struct piece *p, const struct source_txn *txn)
{
    if (txn->is_prepared)
        return prepare(s, p, txn);
    if (s->ends_xa)
        return end_xa(s, p);
    if (s->known || s->skipped) {
        spool_free(p->rows);
        p->rows = NULL;
    }
    return ERR_OK;
}

/* In front of the position: nothing but what is prepared there counts. */
static enum err
commit_known(struct stream *s, struct piece *p, const struct source_txn *txn)
{
    enum err e = settle_xa(s, p, txn);

    p->ts = s->clock.prev;
    if (e != ERR_OK || p->xa == NULL) {
        read_drop(s);
        return e;
    }
    s->piece = NULL;
    return pipe_push(s->pipe, p);
}

/* Tables that have not had the transaction: it gets more than was given out
 * where they are, whoever did that (core/tso.h). */
static enum err
pass_marks(struct stream *s, const struct binlog_gtid *gtid)
{
    size_t n = 0, had = s->c.n_marks;
    struct piece *p;

    for (size_t i = 0; i < had; i++) {
        struct stream_mark m = s->c.marks[i];

        if (binlog_gtids_have(m.at, gtid)) {
            s->c.marks[i] = s->c.marks[n];
            s->c.marks[n++] = m;
        } else
            tso_pass(&s->clock, m.ts);
    }
    s->c.n_marks = n;
    if (n == had)
        return ERR_OK;
    p = piece_new(PIECE_PASSED);
    if (p == NULL)
        return ERR_NOMEM;
    p->ts = s->clock.prev;
    return pipe_push(s->pipe, p);
}

static enum err
read_commit(void *ctx, const struct source_txn *txn)
{
    struct stream *s = ctx;
    struct piece *p = s->piece;
    struct tso_clock before = s->clock;
    enum err e;

    if (s->known)
        return commit_known(s, p, txn);
    if (!s->skipped) {
        s->is_starting = false;
        e = pass_marks(s, &p->gtid);
        if (e != ERR_OK)
            return e;
        p->ts = tso_commit(&s->clock, txn->at_us / 1000);
    }
    if (!s->skipped && s->c.target_ts != 0 && p->ts > s->c.target_ts) {
        s->clock = before;
        read_drop(s);
        return finish(s);
    }
    if (s->skipped)
        p->ts = s->clock.prev;
    e = settle_xa(s, p, txn);
    if (e != ERR_OK)
        return e;
    if (is_ignored(s, p->ts))
        make_empty(p);
    s->piece = NULL;
    /* what the list has no room for is told again */
    if (p->unknown != NULL && s->told.max - s->told.n >= p->unknown_n)
        buf_put(&s->told, p->unknown, p->unknown_n);
    atomic_fetch_add(&s->counts.txns, 1);
    if (p->rows != NULL)
        atomic_fetch_add(&s->counts.bytes_spilled, spool_on_disk(p->rows));
    atomic_store(&s->counts.resolved, p->ts);
    return pipe_push(s->pipe, p);
}

/* ---- nothing to read ---- */

static bool
has_all(struct stream *s, int64_t *now_ms)
{
    struct binlog_gtids *has = binlog_gtids_new();
    int64_t ms;
    bool all =
        has != NULL &&
        source_clock_ask(s->c.clock, &s->c.source.server, &ms, has) == ERR_OK &&
        binlog_gtids_within(has, source_position(s->source));

    if (all)
        *now_ms = ms;
    binlog_gtids_free(has);
    return all;
}

/* The clock goes on only when that is stored: else the same transactions
 * could get other numbers after a restart. */
static enum err
read_idle(void *ctx)
{
    struct stream *s = ctx;
    uint64_t before = s->clock.prev;
    struct piece *p;
    int64_t now_ms;
    enum err e;

    if (pipe_is_stopped(s->pipe))
        return ERR_STATE;
    if (atomic_load(&s->lingers) || !has_all(s, &now_ms) ||
        tso_idle(&s->clock, now_ms) == before)
        return ERR_OK;
    if (s->c.target_ts != 0 && s->clock.prev >= s->c.target_ts)
        return finish(s);
    p = piece_new(PIECE_IDLE);
    if (p == NULL)
        return ERR_NOMEM;
    p->ts = s->clock.prev;
    e = pipe_push(s->pipe, p);
    if (e == ERR_OK && !pipe_wait_empty(s->pipe))
        e = ERR_STATE;
    if (atomic_exchange(&s->stands, false))
        s->clock.prev = before;
    atomic_store(&s->counts.resolved, s->clock.prev);
    return e;
}

static void
read_state(void *ctx, enum source_state state, const struct binlog_failure *why,
           int64_t wait_ms)
{
    struct stream *s = ctx;

    atomic_store(&s->is_reading, state == SOURCE_STREAMING);
    if (state == SOURCE_WAITING)
        log_warn("ticdc.source wait_ms=%" PRId64 " why=\"%.300s\"", wait_ms,
                 why->why);
}

const struct source_taker stream_taker = {
    .wants = read_wants,
    .begin = read_begin,
    .rows = read_rows,
    .statement = read_statement,
    .commit = read_commit,
    .drop = read_drop,
    .idle = read_idle,
    .state = read_state,
    .describe = read_describe,
    .savepoint = read_savepoint,
    .rollback_to = read_rollback_to,
    .xa = read_xa,
};

/* ---- the thread ---- */

void *
stream_read(void *stream)
{
    struct stream *s = stream;

    s->read_err = source_run(s->source);
    s->read_failed =
        s->read_err != ERR_OK && !s->finished && !pipe_is_stopped(s->pipe);
    atomic_store(&s->is_reading, false);
    read_drop(s);
    pipe_end(s->pipe);
    return NULL;
}
