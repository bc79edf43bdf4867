/* What the two halves of a stream share. */
#ifndef TICDC_STREAM_INT_H
#define TICDC_STREAM_INT_H

#include "ticdc/core/tso.h"
#include "stream.h"

struct stream {
    struct stream_config c;
    const struct stream_ops *ops;
    void *ctx;
    struct source *source;
    struct pipe *pipe;
    struct stream_counts counts;
    struct stream_failure failure;

    /* ---- the reading thread's ---- */
    struct tso_clock clock;
    struct piece *piece; /* of the transaction under way */
    bool is_starting;    /* nothing behind start_ts has come yet */
    struct buf told;     /* names of tables that are not ours, in pieces */
    bool skipped;        /* it ended before start_ts */
    bool known;          /* it is in front of the position: read for XA only */
    struct binlog_gtids *position; /* ... that the stream begins behind, when
                                    * reading begins further back; else NULL */
    bool has_unknown;              /* it has rows of a table ... */
    bool may_prepare;              /* its rows may have to be kept */
    bool ends_xa, commits_xa;      /* it is the end of an XA transaction */
    struct binlog_xid xid;
    struct kept *kept; /* what is prepared */
    size_t n_kept, kept_bytes;
    const char *xa_why; /* an XA transaction that cannot be taken: why */
    struct known *tables_known;   /* what columns are called */
    bool is_undescribed;          /* a table whose columns nobody knows */
    char describe_why[WHY_BYTES]; /* it, or why the source cannot be asked */
    struct savepoint *savepoint;  /* of the transaction under way */
    size_t n_savepoints, cap_savepoints;
    bool finished;  /* target_ts is reached */
    struct my *ask; /* a second connection to the source, for what
                     * describe has to ask */
    enum err read_err;
    bool read_failed; /* by the source; else by what we answered */
    _Atomic bool is_reading;

    /* ---- the writing thread's ---- */
    struct binlog_decoder *decoder;
    struct binlog_gtids *taken, *acked; /* given to the sink; acknowledged */
    uint64_t taken_ts, acked_ts;
    struct piece *pending, **pending_last; /* not acknowledged */
    struct piece *next;                    /* of them, to be given next */
    struct stream_xa *open; /* prepared in front of the position */
    bool ends;              /* stream_end was called */
    bool dirty;             /* something was given since the last flush */
    int64_t dirty_ms;       /* ... the first of it then */
    size_t given_bytes;     /* of the pieces since then */
    _Atomic bool lingers;   /* it is not flushed yet, and need not be: till then
                             * the clock of the reading thread stands still */
    _Atomic bool stands;    /* the time that it was told last is not stored: the
                             * reading thread takes its clock back */
    unsigned failed;        /* tries of the sink since it was last well */
};

/* ---- stream_read.c ---- */

extern const struct source_taker stream_taker;
/* The reading thread: until the source ends or the pipe is stopped. */
void *stream_read(void *stream);
/* The table of that name among ours; NULL. */
const struct stream_table *
stream_find(const struct stream *s, const char *schema, const char *name);

/* ---- stream_xa.c ---- */

/* The piece's rows are kept until that XA transaction ends. LIMIT, xa_why;
 * NOMEM; as the spool fails. */
enum err xa_keep(struct stream *s, struct piece *p,
                 const struct binlog_xid *xid) MUST_USE;
/* It has ended: when it commits, what was kept are the piece's rows. False:
 * nothing is known of it. */
bool xa_take(struct stream *s, struct piece *p, const struct binlog_xid *xid,
             bool commits);
void xa_let_all_go(struct stream *s);
/* As statements have it. */
void xa_say(const struct binlog_xid *xid, struct buf *out);
/* A piece is acknowledged: s->open as it is then. NOMEM. */
enum err xa_acknowledged(struct stream *s, struct piece *p) MUST_USE;

/* ---- stream_describe.c ---- */

/* Of struct source_taker: STATE with is_undescribed and describe_why when
 * nothing says how the table was; else as the source fails. */
enum err read_describe(void *ctx, struct binlog_table *t) MUST_USE;
/* A table that only rows had that are not wanted; and what comes of others. */
bool describe_is_unknown(const struct stream *s, const struct binlog_table *t);
enum err
describe_failed(struct stream *s, const struct binlog_table *t) MUST_USE;
/* A statement is read: tables that it is about are others behind it. */
void describe_statement(struct stream *s, const struct binlog_statement *st);
void describe_forget_all(struct stream *s);

/* Notes why; answers e. */
enum err stream_fail(struct stream *s, enum err e, bool fatal, const char *code,
                     const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
