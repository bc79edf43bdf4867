/* What the parts of a processor share. */
#ifndef TICDC_PROCESSOR_INT_H
#define TICDC_PROCESSOR_INT_H

#include <pthread.h>

#include "log.h"
#include "processor.h"
#include "ticdc/stream/stream.h"
#include "ticdc/files/files.h"
#include "ticdc/mq/mq.h"
#include "ticdc/rules/filter.h"
#include "ticdc/rules/sink.h"
#include "ticdc/rules/sink_config.h"
#include "ticdc/store/tables.h"

/* A table that we write: how far it is, from one stream to the next. */
struct held {
    int64_t id;
    uint64_t term;
    char *schema, *name;
    struct binlog_gtids *done, *given;
    uint64_t ts;
    bool told; /* in the present look at the rows */
};

struct processor {
    const struct capture *c;
    char capture_id[CAPTURE_ID_BYTES]; /* as it was at the start */
    uint64_t feed, epoch, server_id;
    char work[32];      /* what its lines and calls are known by */
    struct trace trace; /* ... as the log has it */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stream *stream; /* under the lock */
    bool stop, ended, joined;
    uint64_t signature, told; /* what is done; what is told now */

    /* ---- the thread's own ---- */
    struct db *db;
    struct arena *a;    /* as long as it lives */
    struct arena *step; /* of a call */
    struct ticdc_feed row;
    struct ticdc_config config;
    const struct filter *filter;
    uint64_t *ignore; /* config.ignore_txn_start_ts */
    struct sink sink; /* as the client has it */
    struct outlet *outlet;
    struct mq_config mq; /* of Kafka */
    struct files_config files;
    struct my_server upstream;
    struct held *held;
    size_t n_held, n_tables; /* n_tables: without the DDL span */
    bool has_span, listed, finished;
    bool fatal, lost; /* of the failure */
    bool xa_ended;    /* XA transactions are noted whose end is behind us */
    bool restart;     /* names have changed: the stream is to begin anew */
    struct buf seen;  /* tables that are passed over, "schema\0name\0" each */
    int64_t stored_ms;
    uint64_t row_count;            /* written by streams that have ended */
    char code[64], why[WHY_BYTES]; /* of a failure that is not the stream's */
};

/* Whether the feed takes a table. */
bool processor_wants(void *ctx, const char *schema, const char *table);

/* ---- processor_held.c: tables that are told and held ---- */

void held_free(struct held *h);
/* Reads the rows anew, takes up and drops tables as they say, and reports; what
 * is reported is committed. STATE when the changefeed has another epoch. */
enum err processor_look(struct processor *p) MUST_USE;

/* ---- processor_tables.c: tables of the source ---- */

/* Registers those that are there, once; and one that has appeared. */
enum err processor_list_tables(struct processor *p, const char *gtid,
                               uint64_t ts) MUST_USE;
enum err processor_unknown(void *ctx, const char *schema, const char *table,
                           const struct stream_progress *at);
/* A table that a statement makes or renames: OK with *yes false when it is to
 * be passed over. */
enum err processor_is_eligible(struct processor *p, const char *schema,
                               const char *table, bool *yes) MUST_USE;

/* Those of the source that are there now, and whether the changefeed takes one.
 */
#define SOURCE_TABLE(X, s)                                \
    X(s, STR, schema_name, "schema_name", COLUMN_ONLY, -) \
    X(s, STR, table_name, "table_name", COLUMN_ONLY, -)   \
    X(s, I64, eligible, "eligible", COLUMN_ONLY, -)
STRUCT(source_table, SOURCE_TABLE);
LIST_OF(source_table);
enum err processor_source_tables(struct processor *p,
                                 struct list_of_source_table *out) MUST_USE;
bool processor_takes(struct processor *p, const struct source_table *t);

/* ---- processor_snapshot.c ---- */

/* Writes what is there already, if that is wanted and has not been done. Not
 * done, OK: *turned, by what it was told meanwhile. */
enum err processor_snapshot(struct processor *p, bool *turned) MUST_USE;

/* ---- processor_begin.c ---- */

struct begin {
    char *gtids; /* behind which everything is that any table has not had */
    uint64_t ts;
    struct stream_table *tables;
    struct stream_mark *marks;
    size_t n_marks;
};

/* Where the tables that are held are, of which there is one at least. Freed
 * also after a failure. */
enum err processor_begin(struct processor *p, struct begin *b) MUST_USE;
void processor_begin_free(struct begin *b);
/* struct stream_config, of a stream that begins at that TSO. */
uint64_t processor_passes(const struct processor *p, uint64_t ts);
/* What has been written meanwhile. */
void processor_keep(struct processor *p, const struct stream *s);

/* ---- processor_ddl.c ---- */

enum err processor_ddl(void *ctx, const struct piece *piece,
                       const struct stream_progress *before);

/* ---- processor_xa.c ---- */

/* Before a position of the stream is stored: what is prepared in front of it,
 * and what of that has ended. */
enum err processor_note_xa(struct processor *p, struct stream *s) MUST_USE;
/* From where the stream has to read for the sake of those: c->from lives until
 * the step ends, what else is set in `stored`. */
enum err processor_begin_xa(struct processor *p, struct stream_config *c,
                            struct buf *stored) MUST_USE;

/* ---- processor_sink.c ---- */

/* p->outlet, of p->sink. */
enum err processor_open_sink(struct processor *p) MUST_USE;

/* ---- processor.c ---- */

/* Bytes in memory, of all that is on its way. */
size_t processor_quota(const struct processor *p);
/* It was told to stop, or may not write any more. */
bool processor_must_stop(struct processor *p);
/* Notes why; answers e. */
enum err processor_fail(struct processor *p, enum err e, const char *code,
                        const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The store did not do what was asked: notes so, answers e. */
enum err processor_store_failed(struct processor *p, enum err e);
/* How far it is, as it is stored; gtid NULL without memory. */
struct work_row
processor_work(struct processor *p, const struct stream_progress *at);
/* A position as text in the arena of the step; NULL without memory. */
const char *
processor_position(struct processor *p, const struct binlog_gtids *s);

#endif
