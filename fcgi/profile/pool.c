/* Questions to the other workers, and what they answer. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "log.h"
#include "profile_sum.h"
#include "request/req_io.h"

#define ANSWER_MAX ((size_t)64 << 20)

struct pool_peer {
    unsigned worker;
    int fd; /* -1 when its answer is there */
    struct buf profile;
};

static void
end(void *pool)
{
    struct pool *p = pool;

    for (size_t i = 0; i < p->n; i++) {
        if (p->peer[i].fd >= 0)
            (void)close(p->peer[i].fd);
        buf_free(&p->peer[i].profile);
    }
}

struct pool *
pool_new(struct arena *a)
{
    size_t workers = (size_t)config()->serve_workers;
    struct pool *p = arena_alloc(a, sizeof(*p));

    if (p == NULL)
        return NULL;
    *p = (struct pool){ .peer = arena_alloc(a, workers * sizeof(*p->peer)),
                        .look = arena_alloc(a, workers * sizeof(*p->look)) };
    return p->peer != NULL && p->look != NULL &&
                   arena_defer(a, end, p) == ERR_OK
               ? p
               : NULL;
}

static bool
refuse(struct pool *p, unsigned worker, const char *why)
{
    p->refused = arena_printf(p->r->arena, "%u", worker);
    p->why = why != NULL ? why : "no memory";
    if (p->refused == NULL)
        p->refused = "?";
    return false;
}

/* The number in "serve-<n>"; SIZE_MAX for a process that is no worker. */
static size_t
own_number(void)
{
    static const char serve[] = "serve-";
    const char *own = log_process();

    return strncmp(own, serve, sizeof(serve) - 1) == 0
               ? (size_t)strtoul(own + sizeof(serve) - 1, NULL, 10)
               : SIZE_MAX;
}

enum err
pool_ask(struct pool *p, struct req *r, const char *name, int seconds)
{
    size_t own = own_number();

    p->r = r;
    for (size_t i = 0; i < (size_t)config()->serve_workers; i++) {
        const char *target, *query = "";
        struct pool_peer *peer = &p->peer[p->n];

        if (i == own)
            continue;
        if (seconds >= 0)
            query = arena_printf(r->arena, "?seconds=%d", seconds);
        target = arena_printf(r->arena, "/worker/%zu/pprof/%s%s", i, name,
                              query != NULL ? query : "");
        if (query == NULL || target == NULL)
            return ERR_NOMEM;
        *peer = (struct pool_peer){ .worker = (unsigned)i,
                                    .profile = BUF_INIT(ANSWER_MAX) };
        peer->fd = r->io->ask_peer(r->io, peer->worker, target);
        if (peer->fd < 0) {
            (void)refuse(p, peer->worker, "it does not answer");
            return ERR_BUSY;
        }
        p->n++;
    }
    return ERR_OK;
}

/* The first line of what it has said, which is short. */
static const char *
first_line(struct arena *a, const struct buf *b)
{
    const char *text = buf_text(b);

    return arena_strndup(a, text, strcspn(text, "\n"));
}

static bool
take(struct pool *p, struct pool_peer *peer)
{
    int status = 0;
    enum err e = p->r->io->take_peer(peer->fd, &status, &peer->profile);

    (void)close(peer->fd);
    peer->fd = -1;
    if (e != ERR_OK)
        return refuse(p, peer->worker, "its answer breaks off");
    return status == 200 ||
           refuse(p, peer->worker, first_line(p->r->arena, &peer->profile));
}

/* Whether one answers within ms; taken is what became of its answer. */
static bool
take_next(struct pool *p, int ms, bool *taken)
{
    struct pool_peer *speaks = NULL;

    for (size_t i = 0; i < p->n; i++)
        p->look[i] = (struct pollfd){ .fd = p->peer[i].fd, .events = POLLIN };
    if (poll(p->look, p->n, ms) <= 0)
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (p->look[i].fd >= 0 && p->look[i].revents != 0)
            speaks = &p->peer[i];
    *taken = speaks != NULL && take(p, speaks);
    return speaks != NULL;
}

static const struct pool_peer *
missing(const struct pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->peer[i].fd >= 0)
            return &p->peer[i];
    return NULL;
}

bool
pool_look(struct pool *p, int ms)
{
    int64_t end_ms = clock_mono_ms() + ms;
    bool taken = true;

    while (missing(p) != NULL) {
        int64_t left = end_ms - clock_mono_ms();

        if (!take_next(p, left > 0 ? (int)left : 0, &taken))
            return ms == 0 ||
                   refuse(p, missing(p)->worker, "its answer does not come");
        if (!taken)
            return false;
    }
    return true;
}

enum err
pool_sum(struct pool *p, const char *own, size_t n, struct buf *out)
{
    struct profile_sum *s = profile_sum_new();
    enum err e = s != NULL ? profile_sum_add(s, own, n) : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < p->n; i++)
        e = profile_sum_add(s, p->peer[i].profile.p, p->peer[i].profile.n);
    if (e == ERR_OK)
        e = profile_sum_write(s, out);
    profile_sum_free(s);
    return e;
}
