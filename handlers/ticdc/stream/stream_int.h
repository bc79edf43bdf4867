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
    bool finished;       /* target_ts is reached */
    struct my *ask;      /* a second connection to the source */
    enum err read_err;
    bool read_failed; /* by the source; else by what we answered */
    _Atomic bool is_reading;

    /* ---- the writing thread's ---- */
    struct binlog_decoder *decoder;
    struct binlog_gtids *taken, *acked; /* given to the sink; acknowledged */
    uint64_t taken_ts, acked_ts;
    struct piece *pending, **pending_last; /* not acknowledged */
    struct piece *next;                    /* of them, to be given next */
    bool ends;                             /* stream_end was called */
    bool dirty;           /* something was given since the last flush */
    int64_t dirty_ms;     /* ... the first of it then */
    size_t given_bytes;   /* of the pieces since then */
    _Atomic bool lingers; /* it is not flushed yet, and need not be: till then
                           * the clock of the reading thread stands still */
    unsigned failed;      /* tries of the sink since it was last well */
};

/* ---- stream_read.c ---- */

extern const struct source_taker stream_taker;
/* The reading thread: until the source ends or the pipe is stopped. */
void *stream_read(void *stream);
/* The table of that name among ours; NULL. */
const struct stream_table *
stream_find(const struct stream *s, const char *schema, const char *name);

/* Notes why; answers e. */
enum err stream_fail(struct stream *s, enum err e, bool fatal, const char *code,
                     const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
