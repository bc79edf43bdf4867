/* Between the thread that reads a source and the one that writes to a sink:
 * transactions in their order, no more bytes of them than a quota. Who reads
 * waits when it is full, and by that the server that is read. What was taken
 * out counts until it is done with, since it may be wanted again. */
#ifndef TICDC_PIPE_H
#define TICDC_PIPE_H

#include "base.h"
#include "binlog.h"
#include "spool.h"

/* A statement that outlives the call that told it; its texts are in `text`. */
struct piece_statement {
    struct binlog_statement st;
    char *text;
};

/* What a transaction does to an XA transaction: its rows are kept by who reads
 * until it is committed, and are the rows of the piece that commits it. */
struct piece_xa {
    bool ends;  /* else it is prepared */
    bool known; /* it is in front of the position: there for what comes of it */
    struct binlog_xid xid;
    char *before; /* prepared: the position in front of it, as text */
};

enum piece_kind {
    PIECE_TXN,    /* a transaction, which may be empty */
    PIECE_IDLE,   /* the source has nothing more up to ts */
    PIECE_LAST,   /* ... and nothing more is wanted */
    PIECE_PASSED, /* what comes behind it is later than ts, which is stored
                   * before any of that is given */
};

struct piece {
    struct piece *next;
    enum piece_kind kind;
    struct binlog_gtid gtid;
    uint64_t ts;
    struct spool *rows;         /* NULL: none */
    struct piece_statement *st; /* NULL: none */
    char *unknown;              /* "schema.table", NUL-terminated each, an empty
                                 * one behind the last; NULL: none */
    size_t unknown_n;
    struct piece_xa *xa; /* NULL: it is none */
    size_t bytes;
};

struct piece *piece_new(enum piece_kind kind);
void piece_free(struct piece *p);
/* NOMEM. */
enum err
piece_statement(struct piece *p, const struct binlog_statement *st) MUST_USE;
/* With a copy of those texts; before: NULL when it ends. NOMEM. */
enum err piece_xa(struct piece *p, const struct binlog_xid *xid,
                  const char *before, bool known) MUST_USE;
/* Whether a table is among "schema\0name\0" ... */
bool pipe_names_have(const char *names, size_t n, const char *schema,
                     const char *name);
/* Notes a name once. */
enum err
piece_unknown(struct piece *p, const char *schema, const char *name) MUST_USE;

struct pipe;
struct pipe *pipe_new(size_t quota);
/* With all that is in it. */
void pipe_free(struct pipe *p);

/* Puts it in, which takes it over also when it fails; waits for room. One that
 * is larger than the quota goes in by itself. STATE: stopped. */
enum err pipe_push(struct pipe *p, struct piece *piece) MUST_USE;
/* Waits until all that was put in is done with; false when stopped. */
bool pipe_wait_empty(struct pipe *p);
/* No more comes. */
void pipe_end(struct pipe *p);

/* The next, at most after wait_ms; NULL: there is none now (*ended: and none
 * will be). */
struct piece *pipe_take(struct pipe *p, int64_t wait_ms, bool *ended);
/* What was taken is not wanted any more: freed. */
void pipe_done(struct pipe *p, struct piece *piece);

/* By any thread: whoever waits goes on. */
void pipe_stop(struct pipe *p);
bool pipe_is_stopped(struct pipe *p);
/* Sleeps unless it is stopped; false when it is. */
bool pipe_sleep(struct pipe *p, int64_t ms);
/* Bytes of what is in it or not done with, and the most there ever were. */
size_t pipe_bytes(struct pipe *p, size_t *most);

#endif
