/* Where a changefeed writes to. A sink takes transactions in the order of the
 * source, keeps of them what it likes, and has written all of it when flush
 * answers OK: only then is it acknowledged. What it has taken and not
 * acknowledged is given again after a failure, so a sink says of each table
 * how far it has come (adopt), and whoever gives leaves out what it has.
 *
 * Words. An *outlet* is a sink that is open. A *fence* is the right to write a
 * table, as a number: who adopts a table with a greater one takes it from
 * whoever wrote it before, and what that one has not finished by then never
 * takes effect.
 *
 * A sink is used by one thread. It may stand in front of another (`next`): then
 * it hands on what it is given, changed or counted, and answers what that one
 * answers. No store is known here. */
#ifndef TICDC_OUTLET_H
#define TICDC_OUTLET_H

#include <stdarg.h>

#include "base.h"
#include "binlog.h"
#include "buf.h"
#include "my.h"

/* Why a sink could not: `again` may help, `fenced` says that another writes. */
struct sink_failure {
    enum err err;
    bool again, fenced;
    const char *code; /* "CDC:ErrMySQLTxnError"; static */
    char why[WHY_BYTES];
};

/* A table as the feed knows it. It lives as long as it is adopted. */
struct sink_table {
    int64_t id;
    uint64_t fence;
    uint64_t since; /* what was written under a lesser fence does not count:
                     * the changefeed was set to another checkpoint */
    const char *schema, *name;
    struct binlog_gtids *given; /* which transactions the sink has of it, at
                                 * the next flush */
};

struct sink_txn {
    uint64_t commit_ts;
    bool repeats; /* it may have been written before, as a whole or in part */
};

struct sink_ddl {
    const struct binlog_statement *st;
    const char *sql; /* what of it is to be done: st->sql, or a part */
    uint64_t commit_ts;
    bool is_schema; /* it makes or drops st->schema itself */
    bool repeats;   /* it was begun before, and may have been done */
};

struct outlet;
struct outlet_ops {
    const char *name;
    /* Connects, or does so anew: what was not acknowledged is forgotten, and
     * every table has to be adopted again. */
    enum err (*open)(struct outlet *s);
    /* Takes the table, and says behind which position it has been written
     * here: nothing is added to `gtids` when that is not known. */
    enum err (*adopt)(struct outlet *s, const struct sink_table *t,
                      struct buf *gtids);
    enum err (*begin)(struct outlet *s, const struct sink_txn *txn);
    /* A row; its values are read before this returns. `def` is how the table
     * was then. */
    enum err (*row)(struct outlet *s, const struct sink_table *t,
                    struct binlog_table *def, enum binlog_kind kind,
                    const struct binlog_row *row);
    enum err (*end)(struct outlet *s);
    /* All that it was given is written, up to that TSO. */
    enum err (*flush)(struct outlet *s, uint64_t ts);
    /* Behind a flush. */
    enum err (*ddl)(struct outlet *s, const struct sink_ddl *d);
    /* All of the changefeed is written up to that TSO, whoever writes it: told
     * about once a second by whoever has the span of its statements. NULL: a
     * sink that does not pass it on. */
    enum err (*resolved)(struct outlet *s, uint64_t ts);
    /* Before it, when by_table says so: a table of the changefeed, whoever
     * writes it. Where its rows go is told, too. */
    enum err (*knows)(struct outlet *s, const char *schema, const char *table);
    void (*close)(struct outlet *s);
};

struct outlet {
    const struct outlet_ops *ops;
    struct outlet *next; /* which it stands in front of; NULL: the last */
    bool by_table;       /* resolved goes where tables do: see knows */
    bool full;           /* it wants to be flushed before it is given more */
    int64_t linger_ms;   /* else it wants to be given that long what comes
                          * before it is flushed; 0: as soon as nothing comes */
    struct sink_failure failure;
};

/* As sink_fail does, of a failure that is no outlet's yet. */
void sink_say(struct sink_failure *f, enum err e, bool again, const char *code,
              const char *fmt, va_list ap);
/* Notes the failure; answers its class. */
enum err sink_fail(struct outlet *s, enum err e, bool again, const char *code,
                   const char *fmt, ...) PRINTF_LIKE(5, 6);

/* ---- the sinks; NULL without memory. close frees them. ---- */

struct outlet *sink_blackhole(void);

struct sink_mysql_config {
    struct my_server server; /* its texts live as long as the sink */
    /* Where to connect to at each attempt, when names have to be looked up
     * anew; may be NULL. */
    enum err (*resolve)(void *ctx, struct my_server *server,
                        char why[WHY_BYTES]);
    void *ctx;
    const char *deployment; /* whose changefeed it is, among those that write
                             * to that server */
    uint64_t feed;
    unsigned workers;  /* downstream transactions at a time */
    unsigned txn_rows; /* rows of one of them */
    size_t txn_bytes;  /* about how much memory all of them need */
    bool safe_mode, force_replicate;
    const char *time_zone; /* of DDL; NULL: as the source says */
};
struct outlet *sink_mysql(const struct sink_mysql_config *c);

#endif
