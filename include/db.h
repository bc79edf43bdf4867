/* Room: store/ */
/* The metadata store: one connection per thread, prepared statements only.
 *
 * On mysql/ (my.h: how statements are known and columns matched) it puts what
 * makes a server the store: several hosts and a deadline, transactions that
 * are never in doubt about their end, statements that wait to leave together
 * (a batch), secrets that are sealed in it, the witness of a COMMIT (the row
 * by which its outcome is found), and a watcher that hears what changes. An
 * ENUM is stored as its name, SECRET columns are decrypted here and nowhere
 * else.
 *
 * The text of a statement is a constant of the program, or lives as long as the
 * handle: what is prepared and cached goes by the address of its text, so that
 * another text that comes to lie there would run the statement before it.
 * db_exec_text alone takes one that is built. */
#ifndef MG_DB_H
#define MG_DB_H

#include "arena.h"
#include "base.h"
#include "my.h"
#include "record.h"

struct db;

struct db_config {
    const char *hosts; /* "unix:/path", "host:port", comma-separated */
    const char *user;
    const char *password; /* "" for socket authentication */
    const char *database;
    unsigned connect_timeout_s;
    unsigned read_timeout_s;      /* DESIGN section 5: 5 */
    unsigned lock_wait_timeout_s; /* 2 */
    bool batch; /* statements may be batched (db_later), if the server can */
};

/* Once per process, before threads: the client library and the settings that
 * every connection uses (copied). */
enum err db_init(const struct db_config *cfg) MUST_USE;
void db_fini(void);

/* The schema that connections use by default. */
const char *db_database(void);

/* A handle without a connection yet; connects at first use. NULL without
 * memory. One thread at a time. */
struct db *db_open(void);
void db_close(struct db *db);

/* As db_open, but its connections have no default schema: to create it. */
struct db *db_open_bare(void);

/* Now, in unix ms, on the database's clock: for leases and claims. */
#define DB_NOW_MS "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"

/* A value for a '?'. */
struct db_value {
    enum { DBV_NULL, DBV_STR, DBV_I64, DBV_U64, DBV_F64, DBV_SECRET } type;
    const char *p;
    size_t n;
    int64_t i;
    uint64_t u;
    double f;
    const char *table, *row, *column; /* of a secret: its AAD */
};
struct db_args {
    const struct db_value *v;
    size_t n;
};
#define DB_ARGS(...)                                                      \
    ((struct db_args){ (const struct db_value[]){ __VA_ARGS__ },          \
                       sizeof((const struct db_value[]){ __VA_ARGS__ }) / \
                           sizeof(struct db_value) })
#define DB_NO_ARGS ((struct db_args){ NULL, 0 })

struct db_value db_null(void);
struct db_value db_str(const char *s); /* NULL = SQL NULL */
struct db_value db_bytes(const void *p, size_t n);
struct db_value db_i64(int64_t v);
struct db_value db_u64(uint64_t v);
struct db_value db_bool(bool v);
struct db_value db_f64(double v);
/* Encrypted with AES-256-GCM before it leaves; NULL text = SQL NULL. The
 * result column that reads it must be `column` of `table` (SQL names), and
 * the SELECT must have a column `secret_row` whose text equals row. */
struct db_value db_secret(const char *table, const char *row,
                          const char *column, const char *text);

/* Every call below answers STORE when the server cannot be reached or fails,
 * TIMEOUT after the deadline, EXISTS for a duplicate key (db_dup_index tells
 * which), BUSY for a lock not obtained (1205) and for a deadlock (1213),
 * STATE for a foreign key, BAD_PARAM for a value that its column does not
 * take, INTERNAL for a statement that does not fit the schema or its record.
 * After BUSY or STORE a transaction is over: what is called in it before
 * db_end answers the same and sends nothing. */

/* Nothing is begun, sent or committed after this time (clock_mono_ms); 0 =
 * none. */
void db_deadline(struct db *db, int64_t mono_ms);

/* A transaction. db_begin only notes it: START TRANSACTION leaves with the
 * first statement (db_batch: in one round trip). db_end commits when e is
 * ERR_OK, otherwise rolls back; returns e or why the commit failed. When the
 * reply to COMMIT is lost, the outcome is looked up by the request id (below):
 * OK if it took effect. */
enum err db_begin(struct db *db) MUST_USE;
/* A read-only snapshot for listings that need several statements. */
enum err db_begin_snapshot(struct db *db) MUST_USE;
enum err db_end(struct db *db, enum err e) MUST_USE;

/* Reads of a snapshot that leave together. Each is announced with its values
 * before the first of them runs; then they run in that order, by the calls that
 * would run each by itself, of the same statement. On a server with compound
 * statements the first call sends them all, in one round trip, and the snapshot
 * ends with the last of them; elsewhere announcing them does nothing. Another
 * statement between them is a mistake (INTERNAL). */
#define DB_AHEAD_MAX 7
enum err db_ahead(struct db *db, const char *sql, struct db_args args) MUST_USE;

/* Who keeps what was read is told of the COMMITs that change it. */
#define DB_TOUCHED_MAX 16
struct db_touched { /* by one transaction, in the watcher's numbers */
    unsigned n;
    uint16_t slot[DB_TOUCHED_MAX];
};
struct db_watch {
    void (*touch)(struct db_touched *t, const char *thing);
    /* Whether a change may be seen by others now. If not, it is not committed:
     * it is rolled back, settled, and BUSY, to be run again. */
    bool (*ready)(void);
    /* Around a COMMIT: before it is sent; when its outcome is known, whatever
     * it is. An outcome that stays unknown has no end. */
    void (*begin)(const struct db_touched *t);
    void (*end)(const struct db_touched *t);
    /* After a COMMIT that took effect: the caller is answered when this
     * returns. TIMEOUT when it cannot be settled by `until` (monotonic), or an
     * error of the store: the change is made, but not acknowledged. Or before
     * one: then it is not made. */
    enum err (*settle)(struct db *db, int64_t until);
};
/* Once per process, before threads. */
void db_watch(const struct db_watch *watch);

/* The transaction changes that thing of the watcher's: "i1", an instance's
 * id. As long as it has not committed, that is nobody's business. Without a
 * watcher it cannot be committed (INTERNAL). */
void db_touch(struct db *db, const char *thing);

bool db_in_transaction(const struct db *db);

/* The unique id under which this thread's next transactions write their
 * audit row; "" = none. Copied. What failed before it is forgotten: the log
 * of a request tells nothing of another one. */
void db_request_id(struct db *db, const char *request_id);

/* The transaction writes a row of that id, and `look` says whether it is
 * there: OK or NOT_FOUND. Only then can COMMIT's outcome be looked up. */
void db_witness(struct db *db,
                enum err (*look)(struct db *db, const char *request_id));

/* Runs a statement without result. */
enum err db_exec(struct db *db, const char *sql, struct db_args args) MUST_USE;
/* As db_exec; NOT_FOUND when no row matched (matched, not changed). */
enum err
db_exec_one(struct db *db, const char *sql, struct db_args args) MUST_USE;
/* As db_exec and db_exec_one, for statements of which nothing but success is
 * asked. In a transaction of a caller who can run it again (db_batch) they
 * wait, with a copy of their values, and leave with the next statement whose
 * answer is needed, or with COMMIT: one round trip (two when the transaction
 * has had no answer yet: a server that hangs must not have all of it, and do
 * it when it goes on). Until then they are not said to have failed; see
 * db_batch_undone. */
enum err db_later(struct db *db, const char *sql, struct db_args args) MUST_USE;
enum err
db_later_one(struct db *db, const char *sql, struct db_args args) MUST_USE;

/* From the next db_begin on, statements of a transaction may be batched: its
 * caller promises to look at db_batch_undone when it has failed. Off at first;
 * then, as on a server without compound statements (MySQL), each is sent by
 * itself at once. */
void db_batch(struct db *db, bool on);
/* Whether the last transaction failed while statements of it were batched, so
 * that its error is not the one that single statements would have given:
 * whatever it was, it is to be run again with db_batch off. False when the
 * reason was a lock, a lost connection or the deadline: see db_may_rerun. */
bool db_batch_undone(const struct db *db);

/* Rows matched by the last db_exec; its AUTO_INCREMENT value. */
uint64_t db_matched(const struct db *db);
uint64_t db_insert_id(const struct db *db);

/* The first row into *out (zeroed first; strings in the arena). NOT_FOUND
 * when there is none. */
enum err
db_one(struct db *db, struct arena *a, const char *sql, struct db_args args,
       const struct record *rec, void *out) MUST_USE;

/* All rows as an array of records in the arena; LIMIT past max rows. */
enum err db_list(struct db *db, struct arena *a, const char *sql,
                 struct db_args args, const struct record *rec, size_t max,
                 void *list) MUST_USE; /* &struct { size_t n; struct x *v; } */

/* Row by row: f is called with a record that lives until it returns; it must
 * not call db, whose connection is still reading. What f answers ends it. */
enum err db_each(struct db *db, struct arena *a, const char *sql,
                 struct db_args args, const struct record *rec,
                 enum err (*f)(void *ctx, const void *row), void *ctx) MUST_USE;

/* Streamed rows for a ROWS field: the statement's result is read unbuffered;
 * no other call on db until the end or db_rows_close (deferred on a). */
enum err
db_rows(struct db *db, struct arena *a, const char *sql, struct db_args args,
        const struct record *rec, struct rows *out) MUST_USE;

/* One integer, one text: the only column of the first row; NOT_FOUND when
 * there is no row or it is NULL. */
enum err db_one_i64(struct db *db, const char *sql, struct db_args args,
                    int64_t *out) MUST_USE;
enum err db_one_str(struct db *db, struct arena *a, const char *sql,
                    struct db_args args, const char **out) MUST_USE;

/* A statement that is built at run time (DDL of a migration): not cached, no
 * parameters, never with outside bytes. */
enum err db_exec_text(struct db *db, const char *sql) MUST_USE;

/* After EXISTS: the violated unique index's name; "" otherwise. */
const char *db_dup_index(const struct db *db);

/* Server's number and text of the last failure, for logs only. */
unsigned db_errno(const struct db *db);
const char *db_error(const struct db *db);

/* Whether running the whole handler again is right: deadlock, lock wait
 * time-out, a connection that was lost before COMMIT (never our own read
 * time-out), with time left before the deadline. */
bool db_may_rerun(const struct db *db);

/* "host:port" or socket of the present connection; "" when none. */
const char *db_peer(const struct db *db);

/* The present connection, or the last one. */
const struct my_session *db_session(const struct db *db);
unsigned db_version(const struct db *db); /* as my_version */
bool db_is_mariadb(const struct db *db);

/* Ends another session (KILL) and waits until it is gone, at most until then
 * (monotonic; TIMEOUT). After OK no statement of it can take effect any more.
 * STATE when db is connected to another server. */
enum err db_session_end(struct db *db, const struct my_session *old,
                        int64_t until) MUST_USE;

/* The i-th host of the store: NOT_FOUND past the last. Whether it answers, and
 * takes writes, is asked over a connection of its own, at most timeout_ms. The
 * name and port are as configured: a socket's path, and 0. */
struct db_host {
    char name[256];
    unsigned port;
    bool answers, writes;
};
enum err db_look_at(size_t i, int timeout_ms, struct db_host *out) MUST_USE;

/* Prepares a statement without running it (the test of store.c). */
enum err db_prepare_only(struct db *db, const char *sql) MUST_USE;

#endif
