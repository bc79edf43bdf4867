#include "pipe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct piece *first, **last;
    size_t quota, bytes, most, n; /* n: put in and not done with */
    bool stopped, ended;
};

/* ---- pieces ---- */

struct piece *
piece_new(enum piece_kind kind)
{
    struct piece *p = calloc(1, sizeof(*p));

    if (p != NULL)
        p->kind = kind;
    return p;
}

void
piece_free(struct piece *p)
{
    if (p == NULL)
        return;
    spool_free(p->rows);
    if (p->st != NULL)
        free(p->st->text);
    free(p->st);
    free(p->unknown);
    if (p->xa != NULL)
        free(p->xa->before);
    free(p->xa);
    free(p);
}

static const char *
put_text(char **to, const char *p, size_t n)
{
    char *at = *to;

    memcpy(at, p, n);
    at[n] = '\0';
    *to = at + n + 1;
    return at;
}

enum err
piece_statement(struct piece *p, const struct binlog_statement *st)
{
    const char *schema = st->schema != NULL ? st->schema : "";
    const char *zone = st->time_zone != NULL ? st->time_zone : "";
    struct piece_statement *own = calloc(1, sizeof(*own));
    char *to;

    if (own == NULL)
        return ERR_NOMEM;
    to = own->text = malloc(st->n + strlen(schema) + strlen(zone) + 3);
    if (to == NULL) {
        free(own);
        return ERR_NOMEM;
    }
    own->st = *st;
    own->st.sql = put_text(&to, st->sql, st->n);
    own->st.schema = put_text(&to, schema, strlen(schema));
    if (st->time_zone != NULL)
        own->st.time_zone = put_text(&to, zone, strlen(zone));
    p->st = own;
    return ERR_OK;
}

enum err
piece_xa(struct piece *p, const struct binlog_xid *xid, const char *before,
         bool known)
{
    struct piece_xa *xa = calloc(1, sizeof(*xa));

    if (xa == NULL)
        return ERR_NOMEM;
    xa->xid = *xid;
    xa->ends = before == NULL;
    xa->known = known;
    if (before != NULL && (xa->before = strdup(before)) == NULL) {
        free(xa);
        return ERR_NOMEM;
    }
    p->xa = xa;
    return ERR_OK;
}

bool
pipe_names_have(const char *names, size_t n, const char *schema,
                const char *name)
{
    const char *at = names;

    while (at != NULL && at < names + n) {
        const char *its = at + strlen(at) + 1;

        if (strcmp(at, schema) == 0 && strcmp(its, name) == 0)
            return true;
        at = its + strlen(its) + 1;
    }
    return false;
}

enum err
piece_unknown(struct piece *p, const char *schema, const char *name)
{
    size_t n = strlen(schema) + strlen(name) + 2;
    char *more;

    if (pipe_names_have(p->unknown, p->unknown_n, schema, name))
        return ERR_OK;
    more = realloc(p->unknown, p->unknown_n + n);
    if (more == NULL)
        return ERR_NOMEM;
    p->unknown = more;
    more += p->unknown_n;
    (void)put_text(&more, schema, strlen(schema));
    (void)put_text(&more, name, strlen(name));
    p->unknown_n += n;
    return ERR_OK;
}

static size_t
piece_bytes(const struct piece *p)
{
    return sizeof(*p) + (p->rows != NULL ? spool_memory(p->rows) : 0) +
           (p->st != NULL ? sizeof(*p->st) + p->st->st.n : 0) + p->unknown_n;
}

/* ---- the pipe ---- */

struct pipe *
pipe_new(size_t quota)
{
    struct pipe *p = calloc(1, sizeof(*p));
    pthread_condattr_t attr;

    if (p == NULL)
        return NULL;
    p->quota = quota;
    p->last = &p->first;
    if (pthread_condattr_init(&attr) != 0) {
        free(p);
        return NULL;
    }
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    return p;
}

void
pipe_free(struct pipe *p)
{
    if (p == NULL)
        return;
    while (p->first != NULL) {
        struct piece *x = p->first;

        p->first = x->next;
        piece_free(x);
    }
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Until then (monotonic, 0 = for ever); false when that has come. */
static bool
wait_change(struct pipe *p, int64_t until_ms)
{
    struct timespec t = { until_ms / 1000, until_ms % 1000 * 1000000 };

    if (until_ms == 0)
        return pthread_cond_wait(&p->changed, &p->lock) == 0;
    return pthread_cond_timedwait(&p->changed, &p->lock, &t) == 0;
}

enum err
pipe_push(struct pipe *p, struct piece *x)
{
    bool stopped;

    x->bytes = piece_bytes(x);
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stopped && p->n > 0 && p->bytes + x->bytes > p->quota)
        (void)wait_change(p, 0);
    stopped = p->stopped;
    if (!stopped) {
        x->next = NULL;
        *p->last = x;
        p->last = &x->next;
        p->bytes += x->bytes;
        if (p->bytes > p->most)
            p->most = p->bytes;
        p->n++;
        (void)pthread_cond_broadcast(&p->changed);
    }
    (void)pthread_mutex_unlock(&p->lock);
    if (stopped)
        piece_free(x);
    return stopped ? ERR_STATE : ERR_OK;
}

bool
pipe_wait_empty(struct pipe *p)
{
    bool stopped;

    (void)pthread_mutex_lock(&p->lock);
    while (!p->stopped && p->n > 0)
        (void)wait_change(p, 0);
    stopped = p->stopped;
    (void)pthread_mutex_unlock(&p->lock);
    return !stopped;
}

struct piece *
pipe_take(struct pipe *p, int64_t wait_ms, bool *ended)
{
    int64_t until = clock_mono_ms() + wait_ms;
    struct piece *x;

    (void)pthread_mutex_lock(&p->lock);
    while (p->first == NULL && !p->stopped && !p->ended && wait_ms > 0 &&
           wait_change(p, until))
        continue;
    x = p->first;
    if (x != NULL) {
        p->first = x->next;
        if (p->first == NULL)
            p->last = &p->first;
        x->next = NULL;
    }
    *ended = x == NULL && p->ended;
    (void)pthread_mutex_unlock(&p->lock);
    return x;
}

void
pipe_done(struct pipe *p, struct piece *x)
{
    (void)pthread_mutex_lock(&p->lock);
    p->bytes -= x->bytes;
    p->n--;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
    piece_free(x);
}

static void
set(struct pipe *p, bool *what)
{
    (void)pthread_mutex_lock(&p->lock);
    *what = true;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
}

void
pipe_end(struct pipe *p)
{
    set(p, &p->ended);
}

void
pipe_stop(struct pipe *p)
{
    set(p, &p->stopped);
}

bool
pipe_is_stopped(struct pipe *p)
{
    bool stopped;

    (void)pthread_mutex_lock(&p->lock);
    stopped = p->stopped;
    (void)pthread_mutex_unlock(&p->lock);
    return stopped;
}

bool
pipe_sleep(struct pipe *p, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    bool stopped;

    (void)pthread_mutex_lock(&p->lock);
    while (!p->stopped && clock_mono_ms() < until)
        (void)wait_change(p, until);
    stopped = p->stopped;
    (void)pthread_mutex_unlock(&p->lock);
    return !stopped;
}

size_t
pipe_bytes(struct pipe *p, size_t *most)
{
    size_t n;

    (void)pthread_mutex_lock(&p->lock);
    n = p->bytes;
    *most = p->most;
    (void)pthread_mutex_unlock(&p->lock);
    return n;
}
