/* What the parts of the store's client share; included by db*.c and their
 * unit tests alone. */
#ifndef MG_DB_IMPL_H
#define MG_DB_IMPL_H

#include <mariadb/mysql.h>

#include "db.h"

#define DB_HOSTS_MAX  16
#define DB_STMTS_MAX  128 /* prepared at a time by one connection */
#define DB_JOINED_MAX 48  /* ... of them batches */
#define DB_BUCKETS    128 /* a power of two */

struct db_host {
    char name[256];  /* address, or path of the socket */
    char label[272]; /* for logs: "host:port", "unix:/path" */
    unsigned port;   /* 0 = unix socket */
};

/* The settings of db_init; constant while connections exist. */
struct db_settings {
    struct db_host host[DB_HOSTS_MAX];
    size_t n_hosts;
    char user[128], password[512], database[65];
    unsigned connect_timeout_s, read_timeout_s, lock_wait_timeout_s;
    bool batch;
};
extern struct db_settings db_settings;

/* Statements that leave together in one round trip, START TRANSACTION and
 * COMMIT among them: db_batch.c. */
#define DB_LATER_MAX   8
#define DB_PARTS_MAX   (DB_LATER_MAX + 2)
#define DB_VALUES_MAX  256
#define DB_BATCH_BYTES (64u << 10) /* of their values */

struct parts {
    const char *sql[DB_PARTS_MAX]; /* constants, known by their address */
    unsigned one;                  /* bit i: fails when no row matched */
    unsigned n;
};

struct batch {
    bool wanted; /* by the caller, who can run everything again */
    bool able;   /* this connection's server has compound statements */
    bool joined; /* what was sent last was a batch: see db_fail */
    bool undone; /* the transaction failed because statements were joined */
    struct parts waiting;
    struct db_value v[DB_VALUES_MAX]; /* theirs, then those of the present */
    size_t n_v, bytes;
    struct arena *arena; /* what v points to */
};

enum db_tx {
    TX_NONE,
    TX_NOTED, /* begun by the caller, unknown to the server */
    TX_OPEN,
    TX_BROKEN, /* cannot be committed: db->tx_err says why */
};

struct stmt;
struct rows_state;

struct db {
    MYSQL *my; /* NULL while not connected */
    struct db_session session;
    bool bare;          /* no default schema */
    bool counted;       /* in the gauge of open connections */
    bool fine_timeouts; /* the read time-out can be set by the call */
    size_t host;        /* the one to try first */
    int64_t used_ms;    /* when a reply last came */
    int64_t retry_ms;   /* no connection is tried before */
    int64_t backoff_ms;

    int64_t deadline_ms;
    int64_t sent_ms, wait_ms; /* of the call under way */
    enum db_tx tx;
    enum err tx_err;
    bool snapshot, wrote, audited;
    bool rerun;
    char request_id[65]; /* as wide as its column */
    struct db_touched touched;

    unsigned code;
    char text[MYSQL_ERRMSG_SIZE];
    char dup[65];
    uint64_t matched, insert_id;

    struct arena *scratch;   /* of one call: sealed parameters */
    struct arena *row_arena; /* of one row of db_each, db_rows */
    struct rows_state *open; /* the result that is being read */
    struct stmt *bucket[DB_BUCKETS];
    size_t n_stmts, n_joined;
    uint64_t tick;
    struct batch batch;
};

/* ---- db_errors.c ---- */

enum db_trait {
    DB_LOST = 1 << 0,   /* the connection is of no use any more */
    DB_NEXT = 1 << 1,   /* another host may do better */
    DB_UNDONE = 1 << 2, /* nothing of the transaction took effect */
    DB_QUIET = 1 << 3,  /* not worth a line in the log */
};

/* Class and traits of a server's or the library's error number. */
enum err db_classify(unsigned code, unsigned *traits);

/* The index named at the end of a duplicate-key message, "" for PRIMARY. */
void db_dup_parse(const char *message, char *out, size_t out_size);

/* Keeps number and text of a failure, for db_errno and db_error. */
void db_note(struct db *db, unsigned code, const char *text);

/* Judges a failure: class, log line, what becomes of the connection and of
 * the transaction. `what` is for the log; writes: an effect was possible. */
enum err db_fail(struct db *db, unsigned code, const char *text,
                 const char *what, bool writes);
/* The transaction, if there is one, cannot be committed any more. */
void db_break(struct db *db, enum err e);
/* A failure of our own: no number. */
enum err
db_fail_own(struct db *db, enum err e, const char *text, const char *what);

/* ---- db.c ---- */

/* Ready to send: no result open, before the deadline, connected, and within
 * the transaction that was begun; when statements are joined, BEGIN leaves
 * with the next of them. */
enum err db_ready(struct db *db) MUST_USE;

/* TIMEOUT after the deadline; else sets how long the next reply may take. */
enum err db_in_time(struct db *db) MUST_USE;

/* Connects to one host, waiting until then at most; db_hangup drops the
 * connection with its statements. */
enum err db_connect_host(struct db *db, size_t host, int64_t until) MUST_USE;
void db_hangup(struct db *db);

/* Before a call on the connection: a reply may take until then, and no longer
 * than the read time-out; 0 = the read time-out alone. */
void db_arm(struct db *db, int64_t now, int64_t until);

/* A text statement without outside bytes, its result dropped; 0 or the
 * error's number, which is not judged. */
unsigned db_query(struct db *db, const char *text) MUST_USE;

/* The first column of the first row as text; "" without one. */
unsigned db_query_value(struct db *db, const char *text, char *out,
                        size_t out_size) MUST_USE;

/* ---- db_value.c ---- */

/* One parameter; a secret is sealed into db->scratch. */
enum err
db_bind_value(struct db *db, MYSQL_BIND *b, const struct db_value *v) MUST_USE;

/* ---- db_stmt.c ---- */

/* A prepared statement; its columns as matched to rec. */
struct cell {
    union {
        int64_t i;
        uint64_t u;
        double f;
    } v;
    unsigned long n;
    my_bool null, cut;
};

struct column {
    const struct field *field;    /* NULL = secret_row */
    char *org_table, *org_column; /* of a secret */
};

struct stmt {
    struct stmt *next; /* in its bucket */
    struct parts key;
    const char *sql; /* for logs: it, or the beginning of a batch */
    char start[96];
    MYSQL_STMT *my;
    uint64_t used;
    bool writes;
    MYSQL_BIND *param;
    size_t n_params;
    const struct record *rec; /* what the columns are matched to */
    MYSQL_BIND *bind;
    struct cell *cell;
    struct column *column;
    size_t n_columns, secret_row; /* secret_row == n_columns: none */
    bool secrets;
};

/* Sends what waits and sql with its values (NULL: what waits alone); *out is
 * the statement, its result unread. With rec, columns are matched to it. The
 * server's failure is left in *code, to be judged. */
enum err
db_send(struct db *db, const char *sql, struct db_args args,
        const struct record *rec, struct stmt **out, unsigned *code) MUST_USE;
/* The same, and a failure is judged. */
enum err db_run(struct db *db, const char *sql, struct db_args args,
                const struct record *rec, struct stmt **out) MUST_USE;
void db_stmts_drop(struct db *db);
/* Reads what is left of the result; nothing when the connection is gone, for
 * then the statement is too. */
void db_finish(struct db *db, struct stmt *st);
/* Whether a lost reply to it leaves open if something was changed. */
bool db_writes(const struct parts *p);

/* ---- db_batch.c ---- */

extern const char db_begin_sql[], db_commit_sql[];

/* Whether statements of the transaction may wait for others. */
bool db_batches(const struct db *db);
/* Whether the next statement would not leave alone. */
bool db_has_company(const struct db *db);
/* Whether there is space for these values beside those that wait. */
bool db_batch_fits(const struct db *db, struct db_args args);
/* What leaves next, with sql (may be NULL) as the last of it. */
void db_batch_gather(struct db *db, const char *sql, struct db_args args,
                     struct parts *p, struct db_args *all);
/* The text of several. NULL without memory. */
const char *db_batch_text(struct arena *a, const struct parts *p) MUST_USE;
/* Whether one more statement can wait. */
bool db_batch_has_room(const struct db *db, struct db_args args);
/* db_exec of a statement that does not leave alone. */
enum err
db_exec_joined(struct db *db, const char *sql, struct db_args args) MUST_USE;
/* Sends what waits, and begins what is only noted. */
enum err db_flush(struct db *db) MUST_USE;
/* Nothing waits any more. */
void db_batch_forget(struct db *db);
/* A batch has failed; which of its statements it was is not guessed. */
enum err db_batch_fail(struct db *db);

/* ---- db_columns.c ---- */

/* Matches the result's columns to rec and binds them. A batch has columns
 * once it has been executed, and is bound each time. */
enum err
db_match(struct db *db, struct stmt *st, const struct record *rec) MUST_USE;
void db_unmatch(struct stmt *st);
/* Whether the column is fetched as text; NULL is secret_row. */
bool db_is_text(const struct field *f);

/* ---- db_fetch.c ---- */

/* Ends the streamed result, if there is one. */
void db_rows_end(struct db *db);

/* ---- db_tx.c ---- */

/* START TRANSACTION by itself for a transaction that is only noted. */
enum err db_tx_open(struct db *db) MUST_USE;

/* As db_session_end for a session whose statement we no longer wait for, on
 * a new connection: it shall not take effect after we said it failed. */
void db_session_abandon(struct db *db, const struct db_session *old);

#endif
