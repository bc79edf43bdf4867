/* The stream of events put together again: transactions for a taker. It knows
 * no connection: packets come from wherever its owner has them. */
#ifndef MG_SOURCE_FEED_H
#define MG_SOURCE_FEED_H

#include "binlog/charset.h"
#include "binlog/event.h"
#include "binlog/gtid.h"
#include "binlog/query.h"
#include "binlog/table.h"
#include "binlog/unpack.h"
#include "source.h"

/* Where the stream is:
 *
 *   state    what ends it                      by then
 *   OUTSIDE  a GTID                            -> FIRST (MySQL), ALONE or
 *                                                 INSIDE (MariaDB)
 *   FIRST    the first statement               BEGIN, XA START -> INSIDE; any
 *                                              other is all there is
 *   ALONE    one statement                     -> OUTSIDE, committed
 *   INSIDE   XID, COMMIT, XA PREPARE           -> OUTSIDE, committed
 *            ROLLBACK                          -> OUTSIDE, committed as empty
 *            a server that has started anew    -> OUTSIDE, dropped
 *
 * Whatever else comes is out of place. */
enum group { OUTSIDE, FIRST, ALONE, INSIDE };

struct feed {
    const struct source_taker *taker;
    void *ctx;
    bool is_mariadb;
    struct collations collations;

    bool crc;       /* events have checksums */
    bool is_format; /* that has been said */
    struct binlog_gtids *done, *list;
    char file[512];
    uint64_t pos; /* behind the last event */
    uint64_t commits;

    enum group group;
    bool is_silent; /* its statement is another's, ALTER in two parts */
    struct source_txn txn;
    struct table_cache tables;
    struct unpacker unpacker;
    struct buf unpacked; /* an event's rest */
    struct binlog_failure failure;
};

/* With a position of its own, empty. NOMEM. */
enum err feed_init(struct feed *f, const struct source_taker *taker, void *ctx,
                   size_t event_max, size_t tables_max) MUST_USE;
void feed_fini(struct feed *f);

/* A connection has begun; crc: whether checksums were agreed on. */
void feed_begin(struct feed *f, bool is_mariadb, bool crc);
/* It has ended: what was begun is dropped. */
void feed_end(struct feed *f);
/* One event. Any other answer than OK is a failure, f->failure. */
enum err feed_event(struct feed *f, const uint8_t *p, size_t n) MUST_USE;

#endif
