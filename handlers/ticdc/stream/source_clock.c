#include "source_clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "clock.h"
#include "record.h"

#define ASK_TIMEOUT_S 5
#define CALL_BYTES    ((size_t)8 << 20)

#define NOW(X, s)                       \
    X(s, I64, ms, "ms", COLUMN_ONLY, -) \
    X(s, STR, gtids, "gtids", COLUMN_ONLY, -)
STRUCT(now, NOW);
TABLE(now, NOW);

static const char now_mariadb_sql[] =
    "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS ms,"
    " CAST(@@GLOBAL.gtid_binlog_pos AS CHAR) AS gtids";
static const char now_mysql_sql[] =
    "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS ms,"
    " CAST(@@GLOBAL.gtid_executed AS CHAR) AS gtids";

struct source_clock {
    pthread_mutex_t lock;
    struct my *my;
    char at[sizeof(((struct my_address *)0)->label)]; /* it is connected to */
    struct binlog_gtids *has;                         /* the last answer */
    enum err err;
    int64_t ms, asked_ms; /* asked_ms: monotonic; 0: never */
};

struct source_clock *
source_clock_open(void)
{
    struct source_clock *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    (void)pthread_mutex_init(&c->lock, NULL);
    c->my = my_open();
    c->has = binlog_gtids_new();
    if (c->my != NULL && c->has != NULL)
        return c;
    source_clock_close(c);
    return NULL;
}

void
source_clock_close(struct source_clock *c)
{
    if (c == NULL)
        return;
    my_close(c->my);
    binlog_gtids_free(c->has);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static enum err
connect_to(struct source_clock *c, const struct my_server *server)
{
    struct my_server s = *server;

    if (my_is_connected(c->my) && !my_is_stale(c->my))
        return ERR_OK;
    s.read_timeout_s = ASK_TIMEOUT_S;
    (void)snprintf(c->at, sizeof(c->at), "%s", server->at.label);
    return my_connect(c->my, &s, 0);
}

static enum err
read_answer(struct source_clock *c, struct arena *a)
{
    bool mariadb = my_is_mariadb(c->my);
    struct my_stmt *st;
    struct now now;
    enum err e =
        my_send(c->my, MY_SQL(mariadb ? now_mariadb_sql : now_mysql_sql),
                MY_NO_ARGS, &now_rec, &st);

    if (e != ERR_OK)
        return e;
    e = my_fetch(c->my, st, a, &now);
    if (e != ERR_OK)
        return e;
    my_finish(c->my, st);
    c->ms = now.ms;
    return now.gtids != NULL ? binlog_gtids_parse(c->has, now.gtids) : ERR_PEER;
}

static enum err
ask(struct source_clock *c, const struct my_server *server)
{
    struct arena *a = arena_new(CALL_BYTES);
    enum err e = a != NULL ? connect_to(c, server) : ERR_NOMEM;

    if (e == ERR_OK)
        e = read_answer(c, a);
    if (e != ERR_OK)
        my_hangup(c->my);
    if (a != NULL)
        arena_free(a);
    return e;
}

enum err
source_clock_ask(struct source_clock *c, const struct my_server *server,
                 int64_t *ms, struct binlog_gtids *has)
{
    enum err e;

    (void)pthread_mutex_lock(&c->lock);
    if (strcmp(c->at, server->at.label) != 0) {
        my_hangup(c->my);
        c->asked_ms = 0;
    }
    if (c->asked_ms == 0 || clock_mono_ms() - c->asked_ms >= SOURCE_CLOCK_MS) {
        c->err = ask(c, server);
        c->asked_ms = clock_mono_ms();
    }
    e = c->err;
    *ms = c->ms;
    if (e == ERR_OK)
        e = binlog_gtids_copy(has, c->has);
    (void)pthread_mutex_unlock(&c->lock);
    return e;
}
