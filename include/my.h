/* Room: mysql/ */
/* A client for any MySQL or MariaDB server: the metadata store, an instance
 * of a shard, the source or the target of a changefeed.
 *
 * A connection is with one server and does what it is told: it does not
 * connect, try, wait, log or count by itself. A call that fails answers the
 * class of the failure, and my_failure has the rest: the server's number and
 * text, and traits, which say what became of the connection (MY_LOST: to be
 * hung up), of the transaction (MY_UNDONE) and of the statement (MY_UNSENT).
 * What follows from that is the caller's business. PEER: the server, or the
 * way to it, failed.
 *
 * Statements are texts (my_query) or prepared (my_send and those on it).
 * Prepared ones are constants: their address is the key of the connection's
 * cache of them. Result columns are matched to record fields by name
 * (field.column, else member key), once per statement and record; a column
 * that no field takes is a mistake (INTERNAL). NULL leaves the field absent,
 * an ENUM is read as its name. One thread at a time. */
#ifndef MG_MY_H
#define MG_MY_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "record.h"

struct my;

/* ---- connections ---- */

struct my_address {
    char name[256];  /* host, or path of the socket */
    char label[272]; /* for logs: as it was written, or "host:port" */
    unsigned port;   /* 0 = unix socket */
};
/* "unix:/path", "host", "host:port", "[v6]", "[v6]:port"; BAD_PARAM. */
enum err
my_address_parse(const char *text, size_t n, struct my_address *out) MUST_USE;
/* A server's TCP listener: a name or an address without brackets, and a port.
 * BAD_PARAM when the host is empty or does not fit, or the port is none. */
enum err
my_address_of(const char *host, int port, struct my_address *out) MUST_USE;

struct my_server {
    struct my_address at;
    const char *user;
    const char *password; /* "" or NULL: none, or socket authentication */
    const char *database; /* default schema; NULL = none */
    const char *bind;     /* our address for it (TCP); NULL = any */
    unsigned connect_timeout_s;
    unsigned read_timeout_s; /* of each reply; 0 = none */
    size_t packet_max;       /* bytes of one, either way; 0 = as the library */
    /* TLS: with a CA the server must prove its name by it. All NULL = as the
     * server likes, without proof. */
    const char *tls_ca, *tls_cert, *tls_key;
};

/* A handle without a connection. NULL without memory. */
struct my *my_open(void);
void my_close(struct my *my); /* NULL: does nothing */

/* Connects, at most until then (monotonic, 0 = connect_timeout_s alone); a
 * connection that there was is hung up. Nothing of `server` is kept. A
 * session of ours is in utf8mb4, counts rows that matched, not those that
 * changed, sends no files, and takes one statement per text. */
enum err my_connect(struct my *my, const struct my_server *server,
                    int64_t until) MUST_USE;
void my_hangup(struct my *my);
bool my_is_connected(const struct my *my);

/* Whether the server has hung up since the last reply, as far as one can see
 * without asking it. */
bool my_is_stale(const struct my *my);

/* From here on calls answer TIMEOUT once that time (monotonic) has passed and
 * send nothing; a reply is waited for until then, and no longer than the read
 * time-out. 0 = that alone. */
void my_until(struct my *my, int64_t mono_ms);

/* Of the present connection, or the last one. */
unsigned my_version(const struct my *my); /* 101119 = 10.11.19 */
const char *my_version_text(const struct my *my);
bool my_is_mariadb(const struct my *my);
/* BEGIN NOT ATOMIC ... END outside of stored programs, with parameters. */
bool my_has_compounds(const struct my *my);

/* ---- failures ---- */

enum my_trait {
    MY_LOST = 1 << 0,    /* the connection is of no use any more */
    MY_NEXT = 1 << 1,    /* another server may do better */
    MY_UNDONE = 1 << 2,  /* nothing of the transaction took effect */
    MY_QUIET = 1 << 3,   /* not worth a line in the log */
    MY_RO = 1 << 4,      /* the server takes no writes now */
    MY_TIMEOUT = 1 << 5, /* we did not wait longer; it may still be at work */
    MY_UNSENT = 1 << 6,  /* the statement has not been sent */
    MY_WRITES = 1 << 7,  /* ... is one that may change something */
};

struct my_failure {
    enum err err;
    unsigned code; /* of the server or the library; 0 = our own */
    unsigned traits;
    char text[512];
    char sql[96]; /* where the statement begins; "" = none */
    char dup[65]; /* after EXISTS: the index violated; "" = PRIMARY */
};

/* The last one of this handle; code 0 and "" before the first. */
const struct my_failure *my_failure(const struct my *my);

/* Class and traits of a server's or the library's error number. */
enum err my_classify(unsigned code, unsigned *traits);

/* ---- texts ---- */

/* A result as texts, row by row; a cell of NULL has p == NULL. */
struct my_table {
    size_t n, n_columns;
    const char *const *column;
    const struct span *cell; /* n * n_columns */
};

/* One statement as a text, which has no place for outside bytes but as
 * my_quote makes them. The result goes to the arena, LIMIT (and MY_LOST, for
 * the rest of it is not waited for) when it has more than max rows or the
 * arena no room; out NULL: it is dropped. */
enum err my_query(struct my *my, struct arena *a, const char *sql, size_t max,
                  struct my_table *out) MUST_USE;
/* The rows of a result as they come, however many: cells as those of a table,
 * until `row` returns. An error of it breaks off, is answered, and the
 * connection is hung up (MY_LOST). */
typedef enum err my_row_fn(void *ctx, const struct span *cell, size_t n);
enum err my_query_each(struct my *my, const char *sql, my_row_fn *row,
                       void *ctx) MUST_USE;
/* As my_query without a result. */
enum err my_do(struct my *my, const char *sql) MUST_USE;
/* The first column of the first row as text, cut to the size; "" without
 * one. */
enum err
my_value_of(struct my *my, const char *sql, char *out, size_t size) MUST_USE;

/* The text in a column of that name ("Gtid_IO_Pos"); NULL when there is no
 * such row or column, or it is NULL. */
const char *my_cell(const struct my_table *t, size_t row, const char *column);
/* The same as a number: the digits that it begins with; 0 where my_cell has
 * NULL or there are none, UINT64_MAX when they are more than that. */
uint64_t
my_cell_u64(const struct my_table *t, size_t row, const char *column);
/* So of any cell's text; NULL is 0. */
uint64_t my_u64(const char *text);

/* MariaDB: the GTIDs that stand before a binlog of that name ("0-1-42,7-1-3"),
 * "" when nothing does. As my_query. */
enum err my_binlog_begins(struct my *my, struct arena *a, const char *file,
                          const char **out) MUST_USE;

/* 'text' and `name` for a statement of this connection, whatever the bytes;
 * NULL without memory. */
const char *
my_quote(const struct my *my, struct arena *a, const char *text) MUST_USE;
const char *my_quote_name(struct arena *a, const char *name) MUST_USE;
void my_put_name(struct buf *out, const char *name);

/* Of the last statement: rows that matched, AUTO_INCREMENT value, warnings
 * (SHOW WARNINGS tells them). */
uint64_t my_matched(const struct my *my);
uint64_t my_insert_id(const struct my *my);
unsigned my_warnings(const struct my *my);

/* ---- prepared ---- */

/* A value for a '?'. */
struct my_arg {
    /* BYTES have no charset; STR is UTF-8. */
    enum { MY_NULL, MY_STR, MY_I64, MY_U64, MY_F64, MY_BYTES } type;
    union {
        const char *p;
        int64_t i;
        uint64_t u;
        double f;
    };
    size_t n; /* bytes of p */
};
struct my_args {
    const struct my_arg *v;
    size_t n;
};
#define MY_ARGS(...)                                                    \
    ((struct my_args){ (const struct my_arg[]){ __VA_ARGS__ },          \
                       sizeof((const struct my_arg[]){ __VA_ARGS__ }) / \
                           sizeof(struct my_arg) })
#define MY_NO_ARGS ((struct my_args){ NULL, 0 })

/* One statement; or, on servers that have compounds, several that leave in
 * one round trip and are prepared as one: the server ends at the first that
 * fails, and does not say which it was. */
#define MY_PARTS_MAX 10
struct my_parts {
    const char *sql[MY_PARTS_MAX]; /* constants, known by their address */
    unsigned one;                  /* bit i: fails when no row matched */
    unsigned n;
};
#define MY_SQL(text) (&(const struct my_parts){ .sql = { text }, .n = 1 })

struct my_stmt;

/* Prepares it unless that is done, and sends it with its values. With rec a
 * part has a result (of several: the first is at hand, my_next goes on), and
 * *out is to be fetched from; it lives until the next my_send or the end of the
 * connection. Without, a result is dropped. */
enum err my_send(struct my *my, const struct my_parts *p, struct my_args args,
                 const struct record *rec, struct my_stmt **out) MUST_USE;
enum err my_exec(struct my *my, const char *sql, struct my_args args) MUST_USE;
/* The same statement for each of n rows of values, as one packet where the
 * server takes that: it may change something and has no result. Ends at the
 * first that fails; which one that was, and whether those behind it took
 * effect, is not known: so within a transaction. my_matched: of all rows. */
#define MY_MANY_VALUES 4096 /* of a row in a packet of many */
enum err my_exec_many(struct my *my, const char *sql,
                      const struct my_args *rows, size_t n) MUST_USE;
/* As my_send without sending. */
enum err my_prepare(struct my *my, const struct my_parts *p) MUST_USE;

/* The next row into *out, zeroed first, strings in the arena; NOT_FOUND at
 * the end. */
enum err my_fetch(struct my *my, struct my_stmt *st, struct arena *a,
                  void *out) MUST_USE;
/* All rows; LIMIT past max of them. */
enum err my_fetch_all(struct my *my, struct my_stmt *st, struct arena *a,
                      size_t max, void *list) MUST_USE;
/* Of several parts that have results: leaves the present one for the next,
 * which is of rec. NOT_FOUND: there is none. */
enum err my_next(struct my *my, struct my_stmt *st,
                 const struct record *rec) MUST_USE;
/* Reads what is left of a result and what is behind it: before anything else
 * is sent. */
void my_finish(struct my *my, struct my_stmt *st);

/* Whether it is one that may change something. */
bool my_stmt_writes(const struct my_stmt *st);

/* What a column for a field of flag SECRET is opened by: its table and column
 * in the schema, and the text that the row has in the column `row_column`.
 * Without it such a column is a mistake. One that cannot be opened (STATE) is
 * a failure of the statement, unless the record has a U64 of the key
 * `shut_field`: there it leaves its bit (SHUT), and its member is absent. Kept
 * by reference. */
struct my_seal {
    const char *row_column, *shut_field;
    enum err (*open)(struct arena *a, const char *table, const char *row,
                     const char *column, const char *sealed, const char **out);
};
void my_seal(struct my *my, const struct my_seal *seal);

/* ---- sessions ---- */

/* What a connection is known by when its fate must be settled later. */
struct my_session {
    unsigned long long id; /* CONNECTION_ID() */
    char server[160];      /* the server that gave it */
    int64_t since_ms;      /* monotonic */
};
/* The present one, or the last. */
const struct my_session *my_session(const struct my *my);

/* Ends another session (KILL) and waits until it is gone, at most until then
 * (monotonic; TIMEOUT). After OK no statement of it can take effect any more:
 * so a statement that was given up (MY_TIMEOUT) is ended from a connection
 * anew. STATE when this is another server than the session's. */
enum err my_session_end(struct my *my, const struct my_session *old,
                        int64_t until) MUST_USE;

/* ---- the library: once per process, before threads; at the end ---- */

enum err my_library_begin(void) MUST_USE;
void my_library_end(void);

#endif
