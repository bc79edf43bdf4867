/* Room: source/ */
/* Change data: the binlog of a server, read as a replica reads it and put
 * together again as transactions of rows. Made for captures and sinks, which
 * stand on this header and on binlog.h, and on no other of the two rooms.
 *
 * Words. A *taker* is who is given what has been read: a row of operations. A
 * *transaction* is what has one GTID.
 *
 * Promises. Transactions come whole and in the order of the binlog, each
 * behind the position that the source began with, none twice as long as the
 * taker keeps its position. Nothing is passed over: what cannot be read, and
 * what the taker has no operation for, is a fault. Rows come as they arrive,
 * so a transaction of any size needs no more memory than its largest event;
 * before `commit` they are no more than an announcement, and `drop` takes them
 * back. Bounds are those of struct source_config. */
#ifndef MG_SOURCE_H
#define MG_SOURCE_H

#include "arena.h"
#include "base.h"
#include "binlog.h"
#include "my.h"

/* ---- transactions ---- */

struct source_txn {
    struct binlog_gtid gtid;
    /* When the server says that it was committed, microseconds since 1970:
     * MySQL 8 says it so; else it is a whole second, in which the statement
     * that committed had begun. */
    int64_t at_us;
    bool is_exact;
    /* XA PREPARE: to be kept until `xa` says what became of it. */
    bool is_prepared;
    struct binlog_xid xid;
    /* Where it begins, and after `commit` where it ends. The position modulo
     * 2^32, as the server tells it. */
    const char *file;
    uint64_t pos, end_pos;
};

enum source_state {
    SOURCE_CONNECTING,
    SOURCE_STREAMING,
    SOURCE_WAITING, /* before it connects again */
};

/* Called by the thread of source_run, one at a time. An error ends the run:
 * nothing has been taken since the last `commit`. */
struct source_taker {
    /* Whether rows of a table are wanted; asked now and then, and to be
     * answered alike as long as the source is open. */
    bool (*wants)(void *ctx, const char *schema, const char *table);
    enum err (*begin)(void *ctx, const struct source_txn *txn);
    /* From here to idle NULL is: nothing to do. */
    enum err (*rows)(void *ctx, const struct binlog_rows *rows);
    /* In a transaction that may have rows too (CREATE TABLE ... SELECT). */
    enum err (*statement)(void *ctx, const struct binlog_statement *st);
    enum err (*commit)(void *ctx, const struct source_txn *txn);
    /* The transaction that was begun is none: it was rolled back, or the
     * connection was lost and it will be begun again. */
    void (*drop)(void *ctx);
    /* Between transactions, when the server had nothing to send for a while.
     * That may be because it looks for where to begin: who has to know that
     * all has been taken compares source_position with what the server has. */
    enum err (*idle)(void *ctx);
    /* WAITING: for how long, and why. */
    void (*state)(void *ctx, enum source_state state,
                  const struct binlog_failure *why, int64_t wait_ms);

    /* From here on NULL is an answer: what would be told is a fault. */
    /* Describes a table, where the log does not: binlog_table_describe. */
    enum err (*describe)(void *ctx, struct binlog_table *table);
    enum err (*dml)(void *ctx, const struct binlog_statement *st);
    enum err (*savepoint)(void *ctx, const char *name, size_t n);
    enum err (*rollback_to)(void *ctx, const char *name, size_t n);
    enum err (*xa)(void *ctx, const struct binlog_xid *xid, bool commit);
};

/* ---- sources ---- */

struct source_config {
    struct my_server server; /* its texts live as long as the source */
    uint32_t server_id;      /* of its own among all replicas of the server:
                              * who comes with the same ends the other one */
    unsigned heartbeat_ms;   /* how often an idle server says so */
    size_t event_max;        /* bytes of the largest event */
    size_t tables_max;       /* definitions kept */
    unsigned retry_s;        /* without any progress; 0 = for ever */
    bool describes;          /* a server that cannot write what columns are
                              * called (MySQL 5) is one that can be read */
};

/* What a server says of itself, and whether it can be read. */
struct source_upstream {
    bool is_mariadb;
    unsigned version;
    uint32_t server_id;
    const char *version_text;
    const char *now;   /* its present position */
    const char *first; /* the position before all that it still has */
};

/* Asks a server whether it can be read, behind `gtids` when that is not NULL,
 * and what it says of itself. The class and *why of the failure when not. */
enum err
source_look(const struct source_config *c, const char *gtids, struct arena *a,
            struct source_upstream *out, struct binlog_failure *why) MUST_USE;

struct source;

/* Begins behind those; "" is before everything, which is refused unless the
 * server still has everything. NULL without memory or a position. Nothing is
 * asked of the server yet. */
struct source *source_open(const struct source_config *c, const char *gtids,
                           const struct source_taker *taker, void *ctx);
void source_close(struct source *s);

/* Reads until it is told to stop (OK) or there is a fault that does not go
 * away; connects again with a back-off, behind what the taker has taken. May
 * be called again then. */
enum err source_run(struct source *s) MUST_USE;
/* By any thread, at any time; the run ends within the time-outs of the server
 * at most, within milliseconds as a rule. */
void source_stop(struct source *s);

/* Why the last run has ended; of the last failure that it went on from. */
const struct binlog_failure *source_failure(const struct source *s);
/* In a call of the taker, or outside of a run: what has been taken. */
const struct binlog_gtids *source_position(const struct source *s);
const char *source_file(const struct source *s, uint64_t *pos);

/* ---- what is there before any log ---- */

/* A server as it is at one moment, whatever is written meanwhile: one
 * transaction on a connection of its own, of InnoDB tables. Statements about a
 * table wait for its rows to be read, and no longer. A MySQL is locked (FLUSH
 * TABLES WITH READ LOCK: the account has RELOAD) while the transaction begins.
 */
struct snapshot;

/* STATE: a server that does not say at which GTIDs that moment is. The class
 * and why when it fails. */
enum err snapshot_open(const struct my_server *server, struct snapshot **out,
                       char why[WHY_BYTES]) MUST_USE;
void snapshot_close(struct snapshot *s);
/* Everything up to there is in it, nothing behind. As long as it is open. */
const char *snapshot_gtids(const struct snapshot *s);

/* A row, as an INSERT of it would be in a log but that characters are UTF-8
 * whatever the column's charset. */
typedef enum err snapshot_row_fn(void *ctx, struct binlog_table *def,
                                 const struct binlog_row *row);
/* All rows of a table, in no order. An error of `row` breaks off, is answered,
 * and ends the snapshot. NOT_FOUND: there is no such table; STATE: it has been
 * changed since; LIMIT, NOMEM, or as the server fails; why. */
enum err
snapshot_table(struct snapshot *s, const char *schema, const char *table,
               snapshot_row_fn *row, void *ctx, char why[WHY_BYTES]) MUST_USE;

#endif
