/* A source: connections made one after the other, each read behind what has
 * been taken by then, until it is told to stop or nothing helps any more. */
#include "source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "feed.h"
#include "mysql/dump.h"
#include "upstream.h"

#define WAIT_FIRST_MS 200
#define WAIT_MAX_MS   30000
#define QUIET_BEATS   5 /* so many heartbeats missed: the server is dead */
#define QUIET_MIN_S   5 /* a first one may take longer than its period */
#define ARENA_MAX     (64u << 20)
#define TABLES_MIN    256
#define EVENT_MIN     (1u << 20)
#define PACKET_MORE   4096 /* of what is around an event */

struct source {
    struct source_config c;
    struct my *my;
    struct feed feed;
    struct binlog_failure failure;
    struct arena *a;  /* of one connection */
    uint64_t commits; /* when the last failure was */
    int64_t since;    /* of which time on there was no progress */
    unsigned wait_ms;

    atomic_bool stop;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t stopped;
    int fd; /* of the connection; -1 = none */
};

/* ---- making ---- */

static struct source_config
sensible(const struct source_config *c)
{
    struct source_config s = *c;
    unsigned quiet_s;

    if (s.heartbeat_ms == 0)
        s.heartbeat_ms = 1000;
    if (s.event_max < EVENT_MIN)
        s.event_max = EVENT_MIN;
    if (s.tables_max < TABLES_MIN)
        s.tables_max = TABLES_MIN;
    quiet_s = s.heartbeat_ms * QUIET_BEATS / 1000;
    if (quiet_s < QUIET_MIN_S)
        quiet_s = QUIET_MIN_S;
    if (s.server.read_timeout_s < quiet_s)
        s.server.read_timeout_s = quiet_s;
    if (s.server.connect_timeout_s == 0)
        s.server.connect_timeout_s = QUIET_MIN_S;
    s.server.packet_max = s.event_max + PACKET_MORE;
    return s;
}

static bool
make_lock(struct source *s)
{
    pthread_condattr_t attr;
    bool ok;

    if (pthread_condattr_init(&attr) != 0)
        return false;
    ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(&s->stopped, &attr) == 0;
    (void)pthread_condattr_destroy(&attr);
    if (ok && pthread_mutex_init(&s->lock, NULL) == 0)
        return true;
    if (ok)
        (void)pthread_cond_destroy(&s->stopped);
    return false;
}

struct source *
source_open(const struct source_config *c, const char *gtids,
            const struct source_taker *taker, void *ctx)
{
    struct source *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    if (!make_lock(s)) {
        free(s);
        return NULL;
    }
    s->c = sensible(c);
    s->fd = -1;
    s->my = my_open();
    s->a = arena_new(ARENA_MAX);
    if (feed_init(&s->feed, taker, ctx, s->c.event_max, s->c.tables_max) ==
            ERR_OK &&
        s->my != NULL && s->a != NULL &&
        binlog_gtids_parse(s->feed.done, gtids) == ERR_OK)
        return s;
    source_close(s);
    return NULL;
}

void
source_close(struct source *s)
{
    if (s == NULL)
        return;
    my_close(s->my);
    feed_fini(&s->feed);
    if (s->a != NULL)
        arena_free(s->a);
    (void)pthread_cond_destroy(&s->stopped);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct binlog_failure *
source_failure(const struct source *s)
{
    return &s->failure;
}

const struct binlog_gtids *
source_position(const struct source *s)
{
    return s->feed.done;
}

const char *
source_file(const struct source *s, uint64_t *pos)
{
    *pos = s->feed.pos;
    return s->feed.file;
}

/* ---- stopping ---- */

void
source_stop(struct source *s)
{
    (void)pthread_mutex_lock(&s->lock);
    atomic_store(&s->stop, true);
    if (s->fd >= 0)
        (void)shutdown(s->fd, SHUT_RDWR);
    (void)pthread_cond_broadcast(&s->stopped);
    (void)pthread_mutex_unlock(&s->lock);
}

static bool
is_stopped(struct source *s)
{
    return atomic_load(&s->stop);
}

/* The connection can be ended by source_stop from here on; or not any more. */
static void
show_connection(struct source *s, int fd)
{
    (void)pthread_mutex_lock(&s->lock);
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = fd;
    if (fd >= 0 && is_stopped(s))
        (void)shutdown(fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&s->lock);
}

static void
wait_ms(struct source *s, int64_t ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&s->lock);
    while (!is_stopped(s) &&
           pthread_cond_timedwait(&s->stopped, &s->lock, &until) == 0)
        continue;
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- one connection ---- */

static void
tell(struct source *s, enum source_state state, int64_t ms)
{
    if (s->feed.taker->state != NULL)
        s->feed.taker->state(s->feed.ctx, state,
                             state == SOURCE_WAITING ? &s->failure : NULL, ms);
}

static enum err
look(struct source *s, struct source_upstream *u)
{
    enum err e = upstream_look(s->my, &s->c, s->a, u, &s->failure);

    if (e == ERR_OK)
        e = upstream_has(u, s->feed.done, &s->failure);
    if (e == ERR_OK)
        e = upstream_collations(s->my, s->a, &s->feed.collations, &s->failure);
    return e;
}

static enum err
begin(struct source *s)
{
    struct source_upstream u;
    bool crc;
    enum err e = look(s, &u);

    if (e == ERR_OK)
        e = upstream_dump(s->my, &s->c, s->feed.done, false, s->a, &crc,
                          &s->failure);
    if (e == ERR_OK)
        feed_begin(&s->feed, u.is_mariadb, crc);
    return e;
}

static enum err
read_on(struct source *s)
{
    enum err e;

    do {
        const unsigned char *p;
        size_t n;

        e = my_dump_next(s->my, &p, &n);
        if (e == ERR_NOT_FOUND)
            return binlog_fail(&s->failure, BINLOG_FAULT_LOST,
                               "it has ended the stream");
        if (e != ERR_OK)
            return upstream_failed(s->my, &s->failure);
        e = feed_event(&s->feed, p, n);
    } while (e == ERR_OK && !is_stopped(s));
    if (e != ERR_OK)
        s->failure = s->feed.failure;
    return e;
}

static enum err
connection(struct source *s)
{
    enum err e;

    tell(s, SOURCE_CONNECTING, 0);
    e = my_connect(s->my, &s->c.server, 0);
    if (e != ERR_OK)
        return upstream_failed(s->my, &s->failure);
    show_connection(s, my_descriptor(s->my));
    e = begin(s);
    if (e == ERR_OK) {
        tell(s, SOURCE_STREAMING, 0);
        e = read_on(s);
        feed_end(&s->feed);
    }
    show_connection(s, -1);
    my_hangup(s->my);
    arena_reset(s->a);
    return e;
}

/* ---- one after the other ---- */

/* How long until the next; longer each time in which nothing was achieved, and
 * not the same for all that lost the same server. */
static int64_t
next_wait(struct source *s)
{
    int64_t now = clock_mono_ms();

    if (s->feed.commits != s->commits || s->wait_ms == 0) {
        s->commits = s->feed.commits;
        s->since = now;
        s->wait_ms = WAIT_FIRST_MS;
    } else if (s->wait_ms < WAIT_MAX_MS) {
        s->wait_ms =
            s->wait_ms * 2 < WAIT_MAX_MS ? s->wait_ms * 2 : WAIT_MAX_MS;
    }
    return s->wait_ms - s->wait_ms / 10 + now % (s->wait_ms / 5 + 1);
}

enum err
source_run(struct source *s)
{
    s->wait_ms = 0;
    s->since = clock_mono_ms();
    while (!is_stopped(s)) {
        enum err e = connection(s);
        int64_t ms;

        if (is_stopped(s))
            break;
        if (binlog_fault_is_final(s->failure.fault))
            return e;
        ms = next_wait(s);
        if (s->c.retry_s != 0 &&
            clock_mono_ms() + ms - s->since > s->c.retry_s * INT64_C(1000))
            return e;
        tell(s, SOURCE_WAITING, ms);
        wait_ms(s, ms);
    }
    return ERR_OK;
}

/* ---- without reading ---- */

/* The server's own word on whether it would send. */
static enum err
try_dump(struct my *my, const struct source_config *c,
         const struct binlog_gtids *position, struct arena *a,
         struct binlog_failure *why)
{
    const unsigned char *p;
    bool crc;
    size_t n;
    enum err e = upstream_dump(my, c, position, true, a, &crc, why);

    if (e != ERR_OK)
        return e;
    e = my_dump_next(my, &p, &n);
    return e == ERR_OK || e == ERR_NOT_FOUND ? ERR_OK
                                             : upstream_failed(my, why);
}

static enum err
look_behind(struct my *my, const struct source_config *c,
            struct binlog_gtids *position, const char *gtids, struct arena *a,
            struct source_upstream *out, struct binlog_failure *why)
{
    enum err e = my_connect(my, &c->server, 0);

    if (e != ERR_OK)
        return upstream_failed(my, why);
    e = upstream_look(my, c, a, out, why);
    if (e != ERR_OK)
        return e;
    if (binlog_gtids_parse(position, gtids != NULL ? gtids : out->now) !=
        ERR_OK)
        return binlog_fail(why, BINLOG_FAULT_POSITION, "%.200s",
                           gtids != NULL ? gtids : out->now);
    e = upstream_has(out, position, why);
    return e == ERR_OK ? try_dump(my, c, position, a, why) : e;
}

enum err
source_look(const struct source_config *c, const char *gtids, struct arena *a,
            struct source_upstream *out, struct binlog_failure *why)
{
    struct source_config s = sensible(c);
    struct binlog_gtids *position = binlog_gtids_new();
    struct my *my = my_open();
    enum err e;

    *out = (struct source_upstream){ 0 };
    e = position != NULL && my != NULL
            ? look_behind(my, &s, position, gtids, a, out, why)
            : binlog_fail(why, BINLOG_FAULT_MEMORY, "%s", "");
    my_close(my);
    binlog_gtids_free(position);
    return e;
}
