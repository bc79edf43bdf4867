/* A client for PostgreSQL servers: the one door of libpq. */
#include "pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <postgresql/libpq-fe.h>

#include "clock.h"

struct pg {
    PGconn *conn;
};

/* ---- waiting ---- */

static enum err
await(PGconn *conn, short events, int64_t until)
{
    struct pollfd p = { .fd = PQsocket(conn), .events = events };

    for (;;) {
        int64_t left = until - clock_mono_ms();
        int n;

        if (p.fd < 0)
            return ERR_PEER;
        if (left <= 0)
            return ERR_TIMEOUT;
        n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (n > 0)
            return ERR_OK;
        if (n < 0 && errno != EINTR)
            return ERR_PEER;
    }
}

/* ---- failures ---- */

/* https://www.postgresql.org/docs/15/errcodes-appendix.html */
static enum err
classify(const char *state)
{
    static const struct {
        const char *begin; /* the first that fits counts */
        enum err e;
    } classes[] = {
        { "28", ERR_DENIED },       /* invalid authorization */
        { "42501", ERR_DENIED },    /* insufficient privilege */
        { "42P04", ERR_EXISTS },    /* duplicate database */
        { "42P06", ERR_EXISTS },    /* duplicate schema */
        { "42P07", ERR_EXISTS },    /* duplicate table */
        { "42710", ERR_EXISTS },    /* duplicate object */
        { "42723", ERR_EXISTS },    /* duplicate function */
        { "23505", ERR_EXISTS },    /* unique violation */
        { "42P01", ERR_NOT_FOUND }, /* undefined table */
        { "42704", ERR_NOT_FOUND }, /* undefined object */
        { "3D000", ERR_NOT_FOUND }, /* no such database */
        { "3F000", ERR_NOT_FOUND }, /* no such schema */
        { "58P01", ERR_NOT_FOUND }, /* a file that is missing */
        { "0A000", ERR_NOT_FOUND }, /* an extension that is missing */
        { "57P03", ERR_BUSY },      /* it is starting */
        { "53300", ERR_BUSY },      /* too many connections */
        { "40", ERR_BUSY },         /* serialization, deadlock */
        { "53100", ERR_LIMIT },     /* disk full */
        { "08", ERR_PEER },
        { "57", ERR_PEER }, /* shut down by somebody */
        { "58", ERR_PEER },
        { "XX", ERR_PEER },
    };

    for (size_t i = 0; i < COUNT(classes); i++) {
        if (strncmp(state, classes[i].begin, strlen(classes[i].begin)) == 0)
            return classes[i].e;
    }
    return ERR_BAD_PARAM;
}

/* The library's texts end with a newline, and may have several lines. */
static void
first_line(const char *text, char why[WHY_BYTES])
{
    why_say(why, "%.*s", (int)strcspn(text, "\n"), text);
}

static enum err
conn_failed(PGconn *conn, char why[WHY_BYTES])
{
    const char *text = PQerrorMessage(conn);

    first_line(!str_empty(text) ? text : "no answer", why);
    /* before a session there is no code to be had, only the sentence */
    if (strstr(text, "the database system is") != NULL ||
        strstr(text, "too many clients") != NULL)
        return ERR_BUSY;
    if (strstr(text, "authentication failed") != NULL ||
        strstr(text, "no pg_hba.conf entry") != NULL ||
        strstr(text, "is not permitted to log in") != NULL)
        return ERR_DENIED;
    return strstr(text, "does not exist") != NULL ? ERR_NOT_FOUND : ERR_PEER;
}

static enum err
result_failed(const PGresult *r, char why[WHY_BYTES])
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    first_line(text != NULL ? text : "connection lost", why);
    return state != NULL ? classify(state) : ERR_PEER;
}

/* ---- connections ---- */

/* NOTICE: not for our standard error. */
static void
ignore(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

enum err
pg_connect(const struct pg_server *s, int64_t until, struct pg **out,
           char why[WHY_BYTES])
{
    char port[16];
    /* what is not said here would come from the environment */
    const char *const keys[] = { "hostaddr",
                                 "port",
                                 "user",
                                 "password",
                                 "dbname",
                                 "application_name",
                                 "client_encoding",
                                 "sslmode",
                                 "gssencmode",
                                 "options",
                                 "passfile",
                                 "host",
                                 NULL };
    const char *const values[] = {
        s->address,       port,       s->user,  s->password, s->database,
        "metagate",       "UTF8",     "prefer", "disable",   "",
        "/dev/null/none", s->address, NULL
    };
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    struct pg *pg = calloc(1, sizeof(*pg));
    enum err e = ERR_OK;

    (void)snprintf(port, sizeof(port), "%u", s->port);
    *out = pg;
    if (pg != NULL)
        pg->conn = PQconnectStartParams(keys, values, 0);
    if (pg == NULL || pg->conn == NULL) {
        free(pg);
        *out = NULL;
        return why_fail(why, ERR_NOMEM, "out of memory");
    }
    (void)PQsetNoticeReceiver(pg->conn, ignore, NULL);
    while (e == ERR_OK && PQstatus(pg->conn) != CONNECTION_BAD &&
           next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
        e = await(pg->conn, next == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                  until);
        if (e == ERR_OK)
            next = PQconnectPoll(pg->conn);
    }
    if (e == ERR_TIMEOUT)
        why_say(why, "no answer in time");
    else if (next != PGRES_POLLING_OK)
        e = conn_failed(pg->conn, why);
    if (e == ERR_OK && PQsetnonblocking(pg->conn, 1) != 0)
        e = conn_failed(pg->conn, why);
    if (e != ERR_OK) {
        pg_close(pg);
        *out = NULL;
    }
    return e;
}

void
pg_close(struct pg *pg)
{
    if (pg == NULL)
        return;
    PQfinish(pg->conn);
    free(pg);
}

/* ---- statements ---- */

/* Sends what is waiting and reads until a result is whole. */
static enum err
await_result(PGconn *conn, int64_t until)
{
    enum err e = ERR_OK;

    while (e == ERR_OK && PQflush(conn) == 1) {
        e = await(conn, POLLIN | POLLOUT, until);
        if (e == ERR_OK && PQconsumeInput(conn) != 1)
            e = ERR_PEER;
    }
    while (e == ERR_OK && PQisBusy(conn)) {
        e = await(conn, POLLIN, until);
        if (e == ERR_OK && PQconsumeInput(conn) != 1)
            e = ERR_PEER;
    }
    return e;
}

static enum err
take_rows(struct arena *a, const PGresult *r, size_t max, struct pg_table *out)
{
    size_t n = (size_t)PQntuples(r), columns = (size_t)PQnfields(r);
    struct span *cell;

    if (n > max)
        return ERR_LIMIT;
    cell = arena_array(a, n * columns, sizeof(*cell));
    if (cell == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n * columns; i++) {
        int row = (int)(i / columns), column = (int)(i % columns);

        if (PQgetisnull(r, row, column))
            continue;
        cell[i].n = (size_t)PQgetlength(r, row, column);
        cell[i].p = arena_strndup(a, PQgetvalue(r, row, column), cell[i].n);
        if (cell[i].p == NULL)
            return ERR_NOMEM;
    }
    *out = (struct pg_table){ n, columns, cell };
    return ERR_OK;
}

static enum err
take_result(struct arena *a, const PGresult *r, size_t max,
            struct pg_table *out, char why[WHY_BYTES])
{
    ExecStatusType status = PQresultStatus(r);
    enum err e;

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK &&
        status != PGRES_EMPTY_QUERY)
        return result_failed(r, why);
    if (out == NULL)
        return ERR_OK;
    e = take_rows(a, r, max, out);
    if (e != ERR_OK)
        why_say(why, "%s", e == ERR_LIMIT ? "too many rows" : "out of memory");
    return e;
}

/* To the end, so that the connection can be used again; the first failure of
 * several counts. */
static enum err
take_results(struct pg *pg, struct arena *a, size_t max, struct pg_table *out,
             int64_t until, char why[WHY_BYTES])
{
    PGresult *r;
    enum err e = ERR_OK, waited;

    for (;;) {
        waited = await_result(pg->conn, until);
        if (waited != ERR_OK || (r = PQgetResult(pg->conn)) == NULL)
            break;
        if (e == ERR_OK)
            e = take_result(a, r, max, out, why);
        PQclear(r);
    }
    if (waited == ERR_TIMEOUT)
        return why_fail(why, ERR_TIMEOUT, "no answer in time");
    return waited != ERR_OK ? conn_failed(pg->conn, why) : e;
}

enum err
pg_query(struct pg *pg, struct arena *a, const char *sql,
         const char *const *values, size_t n, size_t max, struct pg_table *out,
         int64_t until, char why[WHY_BYTES])
{
    if (out != NULL)
        *out = (struct pg_table){ 0 };
    if (PQsendQueryParams(pg->conn, sql, (int)n, NULL, values, NULL, NULL, 0) !=
        1)
        return conn_failed(pg->conn, why);
    return take_results(pg, a, max, out, until, why);
}

enum err
pg_script(struct pg *pg, const char *sql, int64_t until, char why[WHY_BYTES])
{
    if (PQsendQuery(pg->conn, sql) != 1)
        return conn_failed(pg->conn, why);
    return take_results(pg, NULL, 0, NULL, until, why);
}

enum err
pg_do(struct pg *pg, const char *sql, int64_t until, char why[WHY_BYTES])
{
    return pg_query(pg, NULL, sql, NULL, 0, 0, NULL, until, why);
}

/* ---- texts ---- */

static const char *
settle(struct arena *a, char *made)
{
    const char *out = made != NULL ? arena_strdup(a, made) : NULL;

    PQfreemem(made);
    return out;
}

const char *
pg_quote_name(struct pg *pg, struct arena *a, const char *name)
{
    return settle(a, PQescapeIdentifier(pg->conn, name, strlen(name)));
}

const char *
pg_quote(struct pg *pg, struct arena *a, const char *text)
{
    return settle(a, PQescapeLiteral(pg->conn, text, strlen(text)));
}
