/* What the parts of the store's client share. They are a stack, fcgi/stacks
 * says in which order: the settings, values, connections (db_link.c), what
 * waits (db_batch.c), what a failure means (db_fail.c), how a statement leaves
 * (db_send.c), reads that leave together (db_ahead.c), results (db_rows.c),
 * statements (db_stmt.c), the end of a transaction (db_tx.c). Each calls those
 * before it. */
#ifndef MG_DB_IMPL_H
#define MG_DB_IMPL_H

#include "db.h"
#include "my.h"

#define DB_HOSTS_MAX 16

/* The settings of db_init; constant while connections exist. */
struct db_settings {
    struct my_server server[DB_HOSTS_MAX]; /* their texts are those below */
    size_t n_hosts;
    char user[128], password[512], database[65];
    unsigned lock_wait_timeout_s;
    bool batch;
};
extern struct db_settings db_settings;

/* Statements that leave together in one round trip, START TRANSACTION and
 * COMMIT among them: db_batch.c. */
#define DB_LATER_MAX   8
#define DB_VALUES_MAX  256
#define DB_BATCH_BYTES (64u << 10) /* of their values */
_Static_assert(DB_LATER_MAX + 2 <= MY_PARTS_MAX, "a whole transaction");

struct batch {
    bool wanted;  /* by the caller, who can run everything again */
    bool able;    /* this connection's server has compound statements */
    bool batched; /* what was sent last was a batch: see db_judge */
    bool undone;  /* the transaction failed because statements were batched */
    struct my_parts waiting;
    struct db_value v[DB_VALUES_MAX]; /* theirs, then those of the present */
    size_t n_v, bytes;
    struct arena *arena; /* what v points to */
};

_Static_assert(DB_AHEAD_MAX + 3 <= MY_PARTS_MAX, "a whole snapshot");

/* Reads that were announced: db_ahead.c. Their values are in the batch, which
 * a snapshot has no other use for. */
struct ahead {
    struct my_parts parts; /* n == 0: none */
    unsigned at;           /* how many of them have run */
    struct my_stmt *st;    /* sent; at the result of the last that has run */
};

enum db_tx {
    TX_NONE,
    TX_NOTED, /* begun by the caller, unknown to the server */
    TX_OPEN,
    TX_BROKEN, /* cannot be committed: db->tx_err says why */
};

struct rows_state;

struct db {
    struct my *my;
    bool bare;        /* no default schema */
    bool counted;     /* in the gauge of open connections */
    size_t host;      /* the one to try first */
    size_t at;        /* that of the connection, or of the last one */
    int64_t retry_ms; /* no connection is tried before */
    int64_t backoff_ms;

    int64_t deadline_ms;
    enum db_tx tx;
    enum err tx_err;
    bool snapshot, wrote, rerun;
    char request_id[65]; /* as wide as its column */
    enum err (*witness)(struct db *db, const char *request_id);
    struct db_touched touched;
    struct my_failure failure; /* the last one, of the server or our own */

    struct arena *scratch;   /* of one call: sealed parameters */
    struct arena *row_arena; /* of one row of db_each, db_rows */
    struct rows_state *open; /* the result that is being read */
    uint64_t matched, insert_id;
    struct batch batch;
    struct ahead ahead;
};

/* ---- db_value.c ---- */

/* A value as the server gets it; a secret is sealed into db->scratch. */
enum err
db_plain(struct db *db, const struct db_value *v, struct my_arg *out) MUST_USE;
extern const struct my_seal db_seal;

/* ---- db_link.c ---- */

/* Connected, to whichever host serves, before the deadline. Its own failure
 * is noted and logged; TIMEOUT after the deadline. */
enum err db_link(struct db *db) MUST_USE;
/* Connects to that host, waiting until then at most (0 = the time-outs). */
enum err db_link_host(struct db *db, size_t host, int64_t until) MUST_USE;
void db_hangup(struct db *db);

/* A text statement, counted; its failure is left at db->my. */
enum err db_text(struct db *db, const char *sql) MUST_USE;

/* ---- db_batch.c ---- */

extern const char db_begin_sql[], db_commit_sql[];
extern const char db_repeatable_sql[], db_snapshot_sql[];

/* Whether statements of the transaction may wait for others. */
bool db_batch_may(const struct db *db);
/* Whether the next statement would not leave alone. */
bool db_batch_waits(const struct db *db);
/* Whether there is space for these values beside those that wait; and for
 * one more statement. */
bool db_batch_fits(const struct db *db, struct db_args args);
bool db_batch_has_room(const struct db *db, struct db_args args);
/* A statement waits, with a copy of its values. NOMEM. */
enum err db_batch_keep(struct db *db, const char *sql, struct db_args args,
                       bool one) MUST_USE;
/* A copy of the values beside those that wait. NOMEM. */
enum err db_batch_copy(struct db *db, struct db_args args) MUST_USE;
/* What leaves next, with sql (may be NULL) as the last of it. */
void db_batch_gather(struct db *db, const char *sql, struct db_args args,
                     struct my_parts *p, struct db_args *all);
/* Nothing waits any more. */
void db_batch_forget(struct db *db);

/* ---- db_fail.c ---- */

/* Judges db->failure: class, log line, what becomes of the connection and of
 * the transaction. */
enum err db_judge(struct db *db);
/* Takes db->my's last failure as the handle's, and judges it. */
enum err db_fail(struct db *db);
/* A failure of our own: no number. */
void db_note_own(struct db *db, enum err e, const char *text, const char *what);
enum err
db_fail_own(struct db *db, enum err e, const char *text, const char *what);
/* The transaction, if there is one, cannot be committed any more. */
void db_break(struct db *db, enum err e);
/* A batch cannot leave or has failed; which of its statements it was is not
 * guessed. */
enum err db_batch_fail(struct db *db);

/* ---- db_send.c ---- */

/* Ready to send: no result open, before the deadline, connected, and within
 * the transaction that was begun; when statements are batched, BEGIN leaves
 * with the next of them. */
enum err db_ready(struct db *db) MUST_USE;
/* What waits leaves, with sql and its values (NULL: alone). A failure is
 * noted, not judged. */
enum err db_leave(struct db *db, const char *sql, struct db_args args,
                  const struct record *rec, struct my_stmt **out) MUST_USE;
/* These parts leave, with their values. A failure is noted, not judged. */
enum err
db_send_parts(struct db *db, const struct my_parts *p, struct db_args all,
              const struct record *rec, struct my_stmt **out) MUST_USE;
/* db_ready, db_leave, and a failure is judged. */
enum err db_run(struct db *db, const char *sql, struct db_args args,
                const struct record *rec, struct my_stmt **out) MUST_USE;
/* Sends what waits, and begins what is only noted. */
enum err db_flush(struct db *db) MUST_USE;

/* ---- db_ahead.c ---- */

/* As db_run, of a statement that reads: when reads were announced this has to
 * be the next of them, and they are sent, or its result is at hand. */
enum err db_read(struct db *db, const char *sql, struct db_args args,
                 const struct record *rec, struct my_stmt **out) MUST_USE;
/* Ends a result, and with the last one those reads. */
void db_finish(struct db *db, struct my_stmt *st);
/* What was announced is not read any more. */
void db_ahead_forget(struct db *db);

/* ---- db_rows.c ---- */

/* Ends the streamed result, if there is one. */
void db_rows_end(struct db *db);

#endif
