/* Room: pgsql/ */
/* A client for PostgreSQL servers: computing instances. As my.h is for MariaDB:
 * a connection is with one server and does what it is told. Every call has an
 * end: `until` is a time of clock_mono_ms() after which it answers TIMEOUT and
 * the connection is of no use any more. One thread at a time.
 *
 * A failure is a class, and a sentence of the server's in why: its primary
 * message, never the statement, which may hold a secret. PEER: the server or
 * the way to it; DENIED: it does not let us in; EXISTS, NOT_FOUND: of a
 * duplicate or an unknown object; BAD_PARAM: it refuses the statement; BUSY:
 * it is starting, or has no connection to spare. */
#ifndef MG_PG_H
#define MG_PG_H

#include "arena.h"
#include "base.h"

struct pg;

struct pg_server {
    const char *address; /* numeric */
    unsigned port;
    const char *user, *password, *database;
};

/* The caller closes *out. */
enum err pg_connect(const struct pg_server *server, int64_t until,
                    struct pg **out, char why[WHY_BYTES]) MUST_USE;
void pg_close(struct pg *pg);

/* Rows as texts; a cell of NULL has p == NULL. */
struct pg_table {
    size_t n, n_columns;
    const struct span *cell; /* n * n_columns */
};

/* One statement with its values ($1 ...; NULL is NULL). The rows go to the
 * arena; out NULL: they are dropped, and a may be NULL. LIMIT past max rows. */
enum err
pg_query(struct pg *pg, struct arena *a, const char *sql,
         const char *const *values, size_t n, size_t max, struct pg_table *out,
         int64_t until, char why[WHY_BYTES]) MUST_USE;

/* One statement without values and rows. */
enum err pg_do(struct pg *pg, const char *sql, int64_t until,
               char why[WHY_BYTES]) MUST_USE;

/* Several statements, in one transaction unless they say otherwise; their rows
 * are dropped. */
enum err pg_script(struct pg *pg, const char *sql, int64_t until,
                   char why[WHY_BYTES]) MUST_USE;

/* "name" and 'text' for a statement, whatever the bytes; NULL without memory
 * or when it is no UTF-8. */
const char *
pg_quote_name(struct pg *pg, struct arena *a, const char *name) MUST_USE;
const char *pg_quote(struct pg *pg, struct arena *a, const char *text) MUST_USE;

#endif
