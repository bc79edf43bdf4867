/* The keeper's thread and the list of what it keeps, begin and end. */
#include "keeper_int.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

#define IDLE_MS  60000
#define KEEP_MAX 4096 /* instances of a machine */

/* ---- the list ---- */

struct keep *
keeper_find(struct keeper *k, unsigned port)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i]->port == port)
            return k->v[i];
    return NULL;
}

struct keep *
keeper_find_uuid(struct keeper *k, const char *uuid)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->v[i]->uuid, uuid) == 0)
            return k->v[i];
    return NULL;
}

static int
by_port(const void *a, const void *b)
{
    const struct keep *const *x = a, *const *y = b;

    return ((*x)->port > (*y)->port) - ((*x)->port < (*y)->port);
}

enum err
keeper_put(struct keeper *k, struct keep *one)
{
    struct keep **v = k->n < KEEP_MAX
                          ? realloc(k->v, (k->n + 1) * sizeof(struct keep *))
                          : NULL;

    if (v == NULL) {
        keep_free(one);
        return ERR_NOMEM;
    }
    k->v = v;
    k->v[k->n++] = one;
    qsort(k->v, k->n, sizeof(struct keep *), by_port);
    one->state = KEPT__MAX; /* shown for the first time */
    k->list_changed = true;
    return ERR_OK;
}

static const int gauge_of[KEPT__MAX + 1] = {
    [KEPT_RUNNING] = METRIC_INSTANCES_RUNNING,
    [KEPT_FAILED] = METRIC_INSTANCES_FAILED,
    [KEPT_LOST] = METRIC_INSTANCES_FAILED,
    [KEPT_PAUSED] = METRIC_INSTANCES_PAUSED,
};

static void
count(enum kept_state s, int n)
{
    if (s == KEPT__MAX)
        return;
    metrics_gauge(METRIC_INSTANCES, n);
    if (gauge_of[s] != 0)
        metrics_gauge((enum metric)gauge_of[s], n);
}

void
keeper_take_out(struct keeper *k, struct keep *one)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->v[i] != one)
            continue;
        k->n--;
        memmove(&k->v[i], &k->v[i + 1], (k->n - i) * sizeof(struct keep *));
        break;
    }
    count(one->state, -1);
    keep_free(one);
    k->list_changed = true;
}

enum err
keeper_note_dropped(struct keeper *k, const char *uuid)
{
    char(*v)[65] = realloc(k->dropped, (k->n_dropped + 1) * sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    k->dropped = v;
    (void)snprintf(v[k->n_dropped++], sizeof(*v), "%s", uuid);
    return ERR_OK;
}

void
keeper_poke(struct keeper *k)
{
    const uint64_t one = 1;

    (void)!write(k->event_fd, &one, sizeof(one));
}

/* ---- the thread ---- */

/* What has become of it is told to those who wait, and written down. */
static void
look(struct keeper *k, struct keep *one)
{
    enum kept_state now = keep_state(one);
    int restarts = one->restarts_before + one->child.restarts;

    if (now == one->state && one->pid == (int)one->child.group &&
        one->restarts == restarts)
        return;
    if (now != one->state) {
        count(one->state, -1);
        count(now, 1);
        one->since_ms = clock_unix_ms();
        log_info("keeper.state name=%s uuid=%s state=%s why=\"%s\"", one->name,
                 one->uuid, enum_text(kept_state_names, (int)now), one->why);
        if (now == KEPT_RUNNING)
            one->why[0] = '\0';
    }
    one->state = now;
    one->pid = (int)one->child.group;
    one->restarts = restarts;
    one->unsaved = true;
    k->list_changed = true;
    k->sync_now = true;
    pthread_cond_broadcast(&k->change);
    pthread_cond_broadcast(&k->sync_change);
}

static bool
all_down(const struct keeper *k)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i]->child.group != 0)
            return false;
    return true;
}

/* Computing nodes have sessions on storage nodes: they go first. Whether there
 * are more that end now. */
static bool
end_in_order(struct keeper *k)
{
    bool computers = false, more = false;

    for (size_t i = 0; i < k->n; i++)
        computers = computers || (k->v[i]->child.group != 0 && !k->v[i]->lost &&
                                  k->v[i]->spec.kind == INSTANCE_COMPUTER);
    for (size_t i = 0; i < k->n; i++) {
        if (k->v[i]->ending || (computers && !k->v[i]->lost &&
                                k->v[i]->spec.kind != INSTANCE_COMPUTER))
            continue;
        k->v[i]->ending = more = true;
    }
    return more;
}

static void
save_list(struct keeper *k)
{
    if (k->list_changed)
        keeper_save_list(k);
    k->list_changed = false;
}

/* When it is to be called again; 0: after an event. */
static int64_t
turn(struct keeper *k)
{
    int64_t now = clock_mono_ms(), next = 0, t;

    if (k->stopping)
        (void)end_in_order(k);
    for (size_t i = 0; i < k->n; i++) {
        keep_step(k, k->v[i], now, &t);
        if (t != 0 && (next == 0 || t < next))
            next = t;
        look(k, k->v[i]);
    }
    save_list(k);
    if (k->stopping && all_down(k) && !k->ended) {
        k->ended = true;
        pthread_cond_broadcast(&k->change);
    }
    /* the last computing node has ended: no event tells the others */
    return k->stopping && end_in_order(k) ? now : next;
}

static size_t
fill(const struct keeper *k, struct pollfd *p)
{
    size_t n = 0;

    p[n++] = (struct pollfd){ .fd = k->event_fd, .events = POLLIN };
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i]->child.pidfd >= 0 && k->v[i]->child.id.pid != 0)
            p[n++] =
                (struct pollfd){ .fd = k->v[i]->child.pidfd, .events = POLLIN };
    return n;
}

static void *
keeper_main(void *arg)
{
    static struct pollfd p[KEEP_MAX + 1];
    struct keeper *k = arg;
    uint64_t drained;

    for (;;) {
        int64_t next, left;
        size_t n;

        pthread_mutex_lock(&k->mutex);
        if (k->leave) {
            save_list(k);
            pthread_mutex_unlock(&k->mutex);
            return NULL;
        }
        next = turn(k);
        n = fill(k, p);
        pthread_mutex_unlock(&k->mutex);
        left = next == 0 ? IDLE_MS : next - clock_mono_ms();
        if (left > IDLE_MS)
            left = IDLE_MS;
        (void)poll(p, n, left > 0 ? (int)left : 0);
        if (p[0].revents != 0)
            (void)!read(k->event_fd, &drained, sizeof(drained));
    }
}

/* ---- begin and end ---- */

static bool
make(struct keeper *k)
{
    pthread_condattr_t monotonic;

    k->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&k->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&k->change, &monotonic);
    (void)pthread_cond_init(&k->sync_change, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return k->event_fd >= 0 && keeper_load_list(k) == ERR_OK;
}

static void
destroy(struct keeper *k)
{
    for (size_t i = 0; i < k->n; i++) {
        count(k->v[i]->state, -1);
        keep_free(k->v[i]);
    }
    free(k->v);
    free(k->pauses.v);
    free(k->dropped);
    if (k->event_fd >= 0)
        (void)close(k->event_fd);
    (void)pthread_cond_destroy(&k->change);
    (void)pthread_cond_destroy(&k->sync_change);
    (void)pthread_mutex_destroy(&k->mutex);
    free(k);
}

/* A thread that hangs in the store, or at a server, is left behind. */
static bool
join(pthread_t thread, bool *began, int64_t until_ms)
{
    int64_t left = until_ms - clock_mono_ms();
    struct timespec t;

    if (!*began)
        return true;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    left = left > 0 ? left : 0;
    t.tv_sec += left / 1000;
    t.tv_nsec += left % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &t) != 0)
        return false;
    *began = false;
    return true;
}

struct keeper *
keeper_start(const struct keeper_config *cfg)
{
    struct keeper *k = calloc(1, sizeof(*k));

    if (k == NULL)
        return NULL;
    k->cfg = *cfg;
    if (k->cfg.driver == NULL)
        k->cfg.driver = instance_driver_find;
    if (make(k)) {
        k->began = pthread_create(&k->thread, NULL, keeper_main, k) == 0;
        k->probe_began =
            pthread_create(&k->probe_thread, NULL, keeper_probe_main, k) == 0;
        if (cfg->store)
            k->sync_began =
                pthread_create(&k->sync_thread, NULL, keeper_sync_main, k) == 0;
        if (k->began && k->probe_began && k->sync_began == cfg->store)
            return k;
    }
    log_error("keeper.start machine=%s errno=%d", cfg->machine, errno);
    if (!keeper_stop(k, IDLE_MS))
        log_error("keeper.stop machine=%s", cfg->machine);
    return NULL;
}

void
keeper_wake(struct keeper *k)
{
    pthread_mutex_lock(&k->mutex);
    k->sync_now = true;
    pthread_cond_broadcast(&k->sync_change);
    pthread_mutex_unlock(&k->mutex);
}

static struct timespec
at(int64_t mono_ms)
{
    return (struct timespec){ mono_ms / 1000, mono_ms % 1000 * 1000000 };
}

bool
keeper_wait(struct keeper *k, int64_t until_ms)
{
    const struct timespec t = at(until_ms);

    return pthread_cond_timedwait(&k->change, &k->mutex, &t) == 0;
}

bool
keeper_end_all(struct keeper *k, int64_t timeout_ms)
{
    int64_t until_ms = clock_mono_ms() + timeout_ms;
    bool in_time = true;

    pthread_mutex_lock(&k->mutex);
    k->stopping = true;
    keeper_poke(k);
    while (!k->ended && in_time)
        in_time = keeper_wait(k, until_ms);
    pthread_mutex_unlock(&k->mutex);
    return in_time;
}

bool
keeper_stop(struct keeper *k, int64_t timeout_ms)
{
    int64_t until_ms = clock_mono_ms() + timeout_ms;
    bool parted;

    pthread_mutex_lock(&k->mutex);
    k->leave = true;
    keeper_poke(k);
    pthread_cond_broadcast(&k->change);
    pthread_cond_broadcast(&k->sync_change);
    while (k->parting > 0 && keeper_wait(k, until_ms))
        ;
    parted = k->parting == 0;
    pthread_mutex_unlock(&k->mutex);
    if (!parted || !join(k->thread, &k->began, until_ms) ||
        !join(k->sync_thread, &k->sync_began, until_ms) ||
        !join(k->probe_thread, &k->probe_began, until_ms))
        return false;
    destroy(k);
    return true;
}
