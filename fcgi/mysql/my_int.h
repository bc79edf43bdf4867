/* What the parts of the client share; nobody else sees the library. They are a
 * stack, fcgi/stacks says in which order. */
#ifndef MG_MY_INT_H
#define MG_MY_INT_H

#include <mariadb/mysql.h>

#include "my.h"

#define STMTS_MAX    128 /* prepared at a time by one connection */
#define COMPOUND_MAX 48  /* ... of them of several parts */
#define BUCKETS      128 /* a power of two */

#define MY_NO_LIMIT_MS INT64_C(86400000) /* of a wait without an end */

struct my {
    MYSQL *c; /* NULL while not connected */
    bool is_mariadb;
    bool bulk;          /* takes the values of many rows in one packet */
    bool fine_timeouts; /* the read time-out can be set by the call */
    unsigned read_timeout_s, version;
    char version_text[64];
    struct my_session session;
    struct my_failure failure;
    const struct my_seal *seal;

    int64_t until;
    int64_t sent_ms, wait_ms; /* of the call under way */
    int64_t used_ms;          /* when a reply last came */
    uint64_t matched, insert_id;
    unsigned warnings;
    uint64_t packet_bytes; /* the most that the server takes at once */

    struct arena *scratch; /* of one call */
    struct my_stmt *bucket[BUCKETS];
    size_t n_stmts, n_compound;
    uint64_t tick;
};

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

struct my_stmt {
    struct my_stmt *next; /* in its bucket */
    struct my_parts key;
    const char *sql; /* it, or the beginning of several */
    char start[96];
    MYSQL_STMT *c;
    uint64_t used;
    unsigned writes; /* MY_WRITES */
    MYSQL_BIND *param;
    size_t n_params;
    const struct record *rec; /* what the columns are matched to */
    const struct field *shut; /* NULL = a shut secret is a failure */
    MYSQL_BIND *bind;
    struct cell *cell;
    struct column *column;
    size_t n_columns, secret_row; /* secret_row == n_columns: none */
    bool secrets;
    bool several; /* results, whose columns may be matched to one record */
};

/* ---- errors.c ---- */

/* Notes a failure: of the server or the library by its number, or our own by
 * its class. Answers the class. */
enum err my_fail(struct my *my, unsigned code, const char *text,
                 const char *sql, unsigned traits);
enum err my_fail_own(struct my *my, enum err e, const char *text,
                     const char *sql, unsigned traits);

/* The index named at the end of a duplicate-key message, "" for PRIMARY. */
void my_dup_parse(const char *message, char *out, size_t out_size);

/* ---- value.c ---- */

void my_bind(MYSQL_BIND *b, const struct my_arg *v);

/* ---- wait.c ---- */

/* Before anything is sent: connected, in time; sets how long the reply may
 * take. */
enum err my_arm(struct my *my, const char *sql) MUST_USE;

/* ---- columns.c ---- */

/* Matches the result's columns to rec and binds them. Several parts have
 * columns once they have been executed, and are bound each time. */
enum err
my_match(struct my *my, struct my_stmt *st, const struct record *rec) MUST_USE;
/* The same of the result that is at hand, of several parts. */
enum err my_open_result(struct my *my, struct my_stmt *st,
                        const struct record *rec) MUST_USE;
void my_unmatch(struct my_stmt *st);
/* Whether the column is fetched as text; NULL is secret_row. */
bool my_is_text(const struct field *f);

/* ---- stmt.c ---- */

/* Found, or prepared; and then in time for what is sent next. */
enum err my_stmt_find(struct my *my, const struct my_parts *p,
                      struct my_stmt **out) MUST_USE;
void my_stmts_drop(struct my *my);
/* MY_WRITES when it may change something. */
unsigned my_writes(const char *sql);

#endif
