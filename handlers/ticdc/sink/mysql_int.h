/* What the parts of the MySQL sink share: sink.h has what it does.
 *
 * Words. A *target* is a table of the downstream as rows of one definition are
 * written to it. A *change* is a row to be written. A *run* is changes of one
 * kind to one target that are sent one behind the other. A *strand* is a
 * connection and what goes over it: a stretch of the source's transactions. */
#ifndef TICDC_MYSQL_INT_H
#define TICDC_MYSQL_INT_H

#include <pthread.h>

#include "arena.h"
#include "conflict.h"
#include "sink.h"

/* Where our rows are kept: never replicated (spec 3). */
#define MARKS_SCHEMA "tidb_cdc"
#define MARKS_TABLE  "`tidb_cdc`.`metagate_checkpoint_v1`"

#define KEYS_MAX  64 /* unique keys of a table: the server's own bound */
#define PARTS_MAX 32

struct key_part {
    size_t column; /* of the definition */
    size_t prefix;
    enum conflict_rule rule;
    bool unknown; /* generated, or not in the log: equal to all */
};

struct unique_key {
    size_t n;
    struct key_part part[PARTS_MAX];
};

/* How a column is written. */
enum column_way {
    WAY_PLAIN,
    WAY_TEXT, /* bytes of another charset than UTF-8 */
    WAY_UUID, /* 16 bytes that have to be a text again */
    WAY_INET4,
    WAY_INET6,
    WAY_LEFT_OUT, /* generated */
};

enum change_sql { SQL_INSERT, SQL_REPLACE, SQL_UPDATE, SQL_DELETE, SQL__MAX };

struct target {
    struct target *next;
    const struct sink_table *table;
    const char *name; /* for people: it lives as long as the statements */
    struct binlog_table *def; /* held */
    size_t n;                 /* columns of the definition */
    enum column_way *way;     /* each */
    struct unique_key *key;
    size_t n_keys;
    size_t *handle; /* columns that say which row it is */
    size_t n_handle;
    bool has_key; /* else all columns do, and one row of several */
    const char *sql[SQL__MAX];
    bool touched;       /* by the present transaction */
    size_t last_run[3]; /* by kind: its number + 1; 0 = none */
};

struct change {
    struct change *next;
    const struct binlog_value *before, *after;
};

struct run {
    struct target *target;
    enum binlog_kind kind;
    struct change *first, *last;
    size_t n;
};

struct slot {
    uint64_t hash;
    size_t run; /* number + 1; 0: the slot is free */
};

/* Changes that are not sent yet, in runs. */
struct batch {
    struct arena *a;
    struct run *run;
    size_t n_runs, cap_runs;
    struct slot *slot; /* by values of unique keys; a power of two */
    size_t n_slots, cap_slots;
    size_t n_changes, bytes;
    bool sealed;
};

/* How far a table is behind what a strand has. */
struct strand_mark {
    struct strand_mark *next;
    const struct sink_table *table;
    const char *gtids;
};

struct strand {
    const struct sink_mysql_config *c;
    struct my *my;
    struct arena *a; /* of one call */
    struct batch batch;
    struct strand_mark *marks;
    struct arena *kept; /* marks are there until it is committed */
    uint64_t ts;        /* of its last transaction */
    bool in_txn;        /* a transaction is open downstream */
    bool replaces;      /* rows may be there already */
    bool hurries;       /* it waits for locks no longer than seconds */
    pthread_t thread;   /* which sends it */
    bool is_sending;
    enum err sent;
    struct sink_failure failure;
};

struct mysql_sink {
    struct outlet s; /* first */
    struct sink_mysql_config c;
    struct my *my;   /* the first strand's, too */
    struct arena *a; /* of one call */
    struct target *targets;
    struct text *texts; /* of statements: they live as long as connections */
    size_t n_texts;
    struct strand **strand; /* n_strands of c.workers are made */
    size_t n_strands, at;   /* strand[at] is being filled */
    struct batch flight;    /* what those in front of it have */
    size_t flight_bytes;
    bool waits;       /* strand[at] has what one of those has, too */
    unsigned careful; /* so many flushes over one strand */
    bool replaces;    /* rows may be there already: until the next flush */
    uint64_t ts;      /* of the transaction under way */
};

/* ---- mysql_target.c ---- */

/* The target of rows of that table and definition; NULL after a failure. */
struct target *sink_target_of(struct mysql_sink *m, const struct sink_table *t,
                              struct binlog_table *def);
/* Definitions may have changed, or the connection. */
void sink_targets_forget(struct mysql_sink *m);
/* A statement's text, which lives until texts_forget. NULL without memory. */
const char *text_keep(struct mysql_sink *m, const char *text);
void texts_forget(struct mysql_sink *m);

/* ---- mysql_batch.c ---- */

enum err batch_open(struct batch *b, size_t bytes) MUST_USE;
void batch_close(struct batch *b);
/* Behind all that it may not overtake. NOMEM. */
enum err batch_add(struct batch *b, struct target *t, enum binlog_kind kind,
                   const struct binlog_row *row) MUST_USE;
void batch_clear(struct batch *b);
/* Nothing more is added: its targets may be in another. */
void batch_seal(struct batch *b);
/* `all`, to which no changes are added, has what `b` has, too. NOMEM. */
enum err batch_join(struct batch *all, const struct batch *b) MUST_USE;
/* Whether the row may have a value in common with what is in there. */
bool batch_meets(struct batch *all, const struct target *t,
                 const struct binlog_row *row);

/* ---- mysql_send.c ---- */

/* Sends all of the batch, in the transaction that is open. */
enum err batch_send(struct strand *l) MUST_USE;
/* What the server said, as a failure of the strand. */
enum err strand_failed(struct strand *l, const char *what);

/* ---- mysql_strand.c ---- */

/* By the first call for m->at: NULL after a failure. Its connection is made
 * when it is first used. */
struct strand *strand_now(struct mysql_sink *m);
/* Sends what the strand has so far, in its transaction, which it begins. */
enum err strand_send(struct mysql_sink *m, struct strand *l) MUST_USE;
/* strand[at] has as much as belongs in a transaction. */
bool strands_are_full(const struct mysql_sink *m);
/* ... and none is filled behind it before they are flushed. */
bool strands_are_last(const struct mysql_sink *m);
/* strand[at] goes, the next one is filled. */
enum err strands_go(struct mysql_sink *m) MUST_USE;
/* Those in front of strand[at] are written. */
enum err strands_front(struct mysql_sink *m) MUST_USE;
/* All of them are written, in their order. */
enum err strands_flush(struct mysql_sink *m) MUST_USE;
/* Before m->my is used for something else. */
void strands_leave(struct mysql_sink *m);
/* What they have is forgotten, and their connections, but for m->my. */
void strands_forget(struct mysql_sink *m);
void strands_free(struct mysql_sink *m);

/* ---- mysql.c ---- */

/* read_s: 0, or how long its answers may take. */
enum err
mysql_connect(struct mysql_sink *m, struct my *my, unsigned read_s) MUST_USE;
/* What the server said over m->my, as a failure of the sink. */
enum err mysql_failed(struct mysql_sink *m, const char *what);
/* In the strand's transaction. */
enum err mysql_advance(struct mysql_sink *m, struct strand *l,
                       const struct strand_mark *k) MUST_USE;

#endif
