/* One lock: it is held for a few additions, and for a walk over what waits
 * when a heavy request ends. */
#include "lanes.h"

#include <pthread.h>
#include <stdlib.h>

#include "metrics.h"

#define WAITING_PER_THREAD 64

/* A request counts for an eighth of the mean. */
#define MEAN_SHIFT 3

struct lane {
    int64_t mean_us;
    int busy;
    bool writes;
};

struct waiting {
    size_t row;
    void *thing;
};

struct lanes {
    pthread_mutex_t lock;
    int64_t heavy_us;
    int most[2]; /* heavy requests that read, that write */
    size_t rows, n_waiting, max_waiting;
    struct waiting *waiting; /* who came first stands first */
    struct lane lane[];
};

/* The place that this thread is in. */
static _Thread_local struct lanes *held;
static _Thread_local size_t held_row;

static int
share(size_t threads, size_t part)
{
    return threads > part ? (int)(threads / part) : 1;
}

struct lanes *
lanes_new(size_t rows, size_t threads, int64_t heavy_us)
{
    struct lanes *l = calloc(1, sizeof(*l) + rows * sizeof(l->lane[0]));

    if (l == NULL)
        return NULL;
    l->max_waiting = threads * WAITING_PER_THREAD;
    l->waiting = calloc(l->max_waiting, sizeof(*l->waiting));
    if (l->waiting == NULL) {
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    l->heavy_us = heavy_us;
    l->rows = rows;
    l->most[false] = share(threads, 4);
    l->most[true] = share(threads, 2);
    return l;
}

void
lanes_free(struct lanes *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->waiting);
    free(l);
}

static bool
is_heavy(const struct lanes *l, const struct lane *lane)
{
    return l->heavy_us > 0 && lane->mean_us >= l->heavy_us;
}

/* Requests under way count for their row also when they began before it was
 * known to be heavy. */
static bool
has_place(const struct lanes *l, const struct lane *lane)
{
    int heavy = 0;

    if (!is_heavy(l, lane))
        return true;
    for (size_t i = 0; i < l->rows; i++)
        if (l->lane[i].writes == lane->writes && is_heavy(l, &l->lane[i]))
            heavy += l->lane[i].busy;
    return heavy < l->most[lane->writes];
}

enum lanes_verdict
lanes_enter(struct lanes *l, size_t row, bool writes, void *thing)
{
    enum lanes_verdict v = LANES_GO;
    struct lane *lane = &l->lane[row];

    pthread_mutex_lock(&l->lock);
    lane->writes = writes;
    if (has_place(l, lane)) {
        lane->busy++;
        held = l;
        held_row = row;
    } else if (thing == NULL || l->n_waiting == l->max_waiting) {
        v = LANES_FULL;
    } else {
        v = LANES_WAITS;
    }
    if (v == LANES_WAITS) {
        l->waiting[l->n_waiting++] = (struct waiting){ row, thing };
        metrics_gauge(METRIC_HEAVY_WAITING, 1);
    }
    pthread_mutex_unlock(&l->lock);
    if (v == LANES_FULL)
        metrics_add(METRIC_HEAVY_FULL, 1);
    return v;
}

/* The first that has a place, of another row than the one that has just had
 * its turn; else the first. */
static size_t
choose(const struct lanes *l, size_t row)
{
    size_t found = l->n_waiting;

    for (size_t i = 0; i < l->n_waiting; i++) {
        if (!has_place(l, &l->lane[l->waiting[i].row]))
            continue;
        if (l->waiting[i].row != row)
            return i;
        if (found == l->n_waiting)
            found = i;
    }
    return found;
}

static void *
take(struct lanes *l, size_t i, size_t *row)
{
    void *thing = l->waiting[i].thing;

    *row = l->waiting[i].row;
    l->lane[*row].busy++;
    held = l;
    held_row = *row;
    l->n_waiting--;
    for (; i < l->n_waiting; i++)
        l->waiting[i] = l->waiting[i + 1];
    metrics_gauge(METRIC_HEAVY_WAITING, -1);
    return thing;
}

void *
lanes_leave(struct lanes *l, size_t row, int64_t took_us, size_t *next_row)
{
    struct lane *lane = &l->lane[row];
    void *thing = NULL;
    size_t i;

    pthread_mutex_lock(&l->lock);
    lane->busy--;
    held = NULL;
    if (took_us >= 0)
        lane->mean_us += (took_us - lane->mean_us) >> MEAN_SHIFT;
    if (l->n_waiting > 0 && (i = choose(l, row)) < l->n_waiting)
        thing = take(l, i, next_row);
    pthread_mutex_unlock(&l->lock);
    return thing;
}

bool
lanes_wanted(void)
{
    struct lanes *l = held;
    bool wanted = false;

    if (l == NULL)
        return false;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->n_waiting && !wanted; i++)
        wanted = l->lane[l->waiting[i].row].writes == l->lane[held_row].writes;
    wanted = wanted && is_heavy(l, &l->lane[held_row]);
    pthread_mutex_unlock(&l->lock);
    return wanted;
}
