/* A changefeed's stream on one capture: a thread reads the source, stamps
 * transactions and puts them into a pipe; the caller's writes them to a sink.
 * What is asked and told on the way is a row of operations of the caller's, so
 * that nothing of a store is known here.
 *
 * Words. A *position* is what has been taken, as GTIDs. The *checkpoint* is the
 * TSO up to which all of it is written and acknowledged, *resolved* that up to
 * which it has been read. A *barrier* is a statement: what came before it is
 * written before it is done, what comes behind it after. */
#ifndef TICDC_STREAM_H
#define TICDC_STREAM_H

#include <stdatomic.h>

#include "base.h"
#include "ticdc/sink/sink.h"
#include "ticdc/sort/pipe.h"
#include "source.h"
#include "source_clock.h"

/* A table that this stream writes; by schema and name in rising order. */
struct stream_table {
    struct sink_table t;
    struct binlog_gtids *done; /* what has been written of it already */
};

/* How far some of the tables were, and the last TSO that was given out there.
 */
struct stream_mark {
    struct binlog_gtids *at;
    uint64_t ts;
};

struct stream_progress {
    const struct binlog_gtids *position;
    uint64_t checkpoint, resolved;
    bool idle; /* to be stored before anything is stamped behind it */
    bool last; /* target_ts is reached */
};

/* An XA transaction that was prepared in front of the position. Whoever stores
 * a position stores those first: one who goes on from there reads from
 * `before` on. */
struct stream_xa {
    struct stream_xa *next;
    struct binlog_xid xid;
    char prepared[BINLOG_GTID_MAX];
    char ended[BINLOG_GTID_MAX]; /* "": not yet */
    char *before;                /* a position */
    bool stored;                 /* one that ends and is not is forgotten */
};

struct stream;
struct stream_ops {
    /* Whether the feed's rules take a table: by the reading thread, too. */
    bool (*wants)(void *ctx, const char *schema, const char *table);
    /* A row of a table that the feed takes and that is not among ours, for the
     * first time since the stream began; everything before it is written.
     * Only when `finds` is set. */
    enum err (*unknown)(void *ctx, const char *schema, const char *table,
                        const struct stream_progress *at);
    /* A statement; everything before it is written. OK: it is done. */
    enum err (*ddl)(void *ctx, const struct piece *p,
                    const struct stream_progress *before);
    enum err (*progress)(void *ctx, const struct stream_progress *p);
    /* Whether we may still write; by the writing thread, before each flush. */
    bool (*may_write)(void *ctx);
};

struct stream_config {
    struct source_config source;
    struct source_clock *clock; /* the caller's, of all its streams */
    const char *gtids;          /* behind which to begin */
    const char *from;   /* the same or further back: where reading begins, of
                         * which only what was prepared is taken */
    const char *stored; /* struct stream_xa: `prepared` of those that are, each
                         * with its NUL */
    size_t stored_n;
    uint64_t ts; /* the least that was given out last to any of the tables */
    struct stream_mark *marks; /* of all of them: the reading thread's, which
                                * leaves those out that it has passed */
    size_t n_marks;
    uint64_t passes_ts; /* when which was given out there is not known: what is
                         * up to this is passed over; else 0 */
    uint64_t target_ts; /* 0: none */
    const struct stream_table *tables;
    size_t n_tables;
    bool finds;             /* it tells of tables that are not among `tables` */
    const uint64_t *ignore; /* commit_ts that are passed over */
    size_t n_ignore;
    struct outlet *sink; /* the caller's */
    size_t quota;        /* bytes in memory, about */
    const char *folder;  /* for what is spilled */
    unsigned tries;      /* of the sink, before it is given up; 0: 8 */
};

/* Why it has ended. */
struct stream_failure {
    enum err err;
    bool fatal; /* will not be better by itself */
    bool lost;  /* the source has thrown away what comes next */
    char code[64], why[WHY_BYTES];
};

struct stream_counts {
    _Atomic uint64_t txns, rows, rows_written, ddls, bytes_spilled;
    _Atomic uint64_t resolved, checkpoint;
};

/* NULL without memory. Everything of the config lives as long as it does. */
struct stream *stream_new(const struct stream_config *c,
                          const struct stream_ops *ops, void *ctx);
void stream_free(struct stream *s);

/* Reads and writes until it is stopped (OK), target_ts is reached (OK; last
 * was told) or something fails. */
enum err stream_run(struct stream *s) MUST_USE;
/* By any thread; what is being written is finished or given up. */
void stream_stop(struct stream *s);

/* In a call of the operations: ends the run (OK) once what it is called about
 * is taken; what came behind it comes again in the next one. */
void stream_end(struct stream *s);

/* In a call of the operations, or outside of a run: those of the position,
 * the caller's to mark as stored, and to drop when they have ended. */
struct stream_xa **stream_xas(struct stream *s);
void stream_xa_drop(struct stream_xa **at);

/* What has been written and acknowledged: outside of a run. */
const struct binlog_gtids *stream_position(const struct stream *s);
const struct stream_failure *stream_failure(const struct stream *s);
const struct stream_counts *stream_counts(const struct stream *s);
/* Bytes that wait between the two threads, and the most there were. */
size_t stream_bytes(const struct stream *s, size_t *most);
/* Whether the source has been reached and sends. */
bool stream_is_reading(const struct stream *s);
/* Sleeps in a call of the operations; false when the stream was stopped. */
bool stream_sleep(struct stream *s, int64_t ms);

#endif
