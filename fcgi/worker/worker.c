/* A fixed set of threads waits in one epoll set (fcgi/worker/park.c); whoever
 * gets a connection reads one request from it and answers it. Requests that may
 * take long go to a second set through a bounded queue, so that they cannot use
 * up the first; those that turn out to take long keep to their share of it
 * (fcgi/worker/lanes.c). */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "api/tables.h"
#include "clock.h"
#include "db.h"
#include "lanes.h"
#include "log.h"
#include "metrics.h"
#include "park.h"
#include "base/queue.h"

/* Slow requests that wait for each thread that serves them. */
#define SLOW_QUEUED_PER_THREAD 4

/* After worker_stop: kept connections are served this long, and slow requests
 * have this long to end before they are cut short. `up` kills a worker that is
 * still there 10 s after SIGTERM. */
#define DRAIN_MS    1000
#define SLOW_END_MS 6000

struct worker {
    struct worker_plan plan;
    struct park *park;
    struct queue *idle; /* request objects */
    struct queue *slow; /* requests */
    struct lanes *lanes;
    atomic_bool draining, closing, hurry;
    atomic_int n_slow; /* slow requests, waiting or being served */
    size_t n_started;
    pthread_t thread[]; /* the fast ones first */
};

/* ---- threads ---- */

static void
finish(struct worker *w, struct request *q)
{
    int fd = request_finish(q, !atomic_load(&w->draining));

    if (fd >= 0)
        park_back(w->park, fd);
    else
        park_gone(w->park);
}

static void
count_thread(const struct worker *w, enum metric m, int64_t n)
{
    if (!w->plan.aside)
        metrics_gauge(m, n);
}

static void
serve(struct worker *w, struct request *q, struct db *db)
{
    count_thread(w, METRIC_THREADS_BUSY, 1);
    request_serve(q, db);
    count_thread(w, METRIC_THREADS_BUSY, -1);
}

/* False when all slow threads are taken and their queue is full. */
static bool
hand_over(struct worker *w, struct request *q)
{
    metrics_gauge(METRIC_SLOW_QUEUED, 1); /* before it can be taken */
    atomic_fetch_add(&w->n_slow, 1);
    if (queue_put(w->slow, q))
        return true;
    atomic_fetch_sub(&w->n_slow, 1);
    metrics_gauge(METRIC_SLOW_QUEUED, -1);
    metrics_add(METRIC_POOL_FULL, 1);
    return false;
}

/* What a fast thread has in hand. */
struct hands {
    struct worker *w;
    struct db *db;
    struct request *q;     /* for the next request */
    struct request *spare; /* in its place when that waits; NULL: none made */
};

/* In the lane of its row, then those that wait for its place. */
static void
serve_lane(struct hands *h, size_t row)
{
    struct worker *w = h->w;
    struct request *next;
    int64_t took_us;

    for (;;) {
        took_us = -1;
        if (atomic_load(&w->closing)) {
            request_refuse_busy(h->q, h->db);
        } else {
            int64_t start_us = clock_mono_us();

            serve(w, h->q, h->db);
            took_us = clock_mono_us() - start_us;
        }
        finish(w, h->q);
        next = lanes_leave(w->lanes, row, took_us, &row);
        if (next == NULL)
            return;
        request_free(h->q);
        h->q = next;
    }
}

static void
serve_fast(struct hands *h)
{
    struct worker *w = h->w;
    size_t row;
    bool writes;

    if (!request_row(h->q, &row, &writes)) {
        serve(w, h->q, h->db);
        finish(w, h->q);
        return;
    }
    if (h->spare == NULL)
        h->spare = request_new(&w->plan.rules);
    switch (
        lanes_enter(w->lanes, row, writes, h->spare != NULL ? h->q : NULL)) {
    case LANES_GO:
        serve_lane(h, row);
        break;
    case LANES_WAITS: /* it is another thread's from now on */
        h->q = h->spare;
        h->spare = NULL;
        break;
    case LANES_FULL:
        request_refuse_busy(h->q, h->db);
        finish(w, h->q);
        break;
    }
}

/* Serves one request; the object for the next is another one when this went to
 * the slow threads, or waits. */
static void
serve_next(struct hands *h, int fd)
{
    struct worker *w = h->w;

    switch (request_read(h->q, fd)) {
    case REQUEST_GONE:
        park_gone(w->park);
        return;
    case REQUEST_SLOW:
        if (hand_over(w, h->q)) {
            h->q = queue_take(w->idle); /* there is one: see make_requests */
            return;
        }
        request_refuse_busy(h->q, h->db);
        break;
    case REQUEST_FAST:
        serve_fast(h);
        return;
    case REQUEST_ANSWERED:
        break;
    }
    finish(w, h->q);
}

static void
give_idle(struct worker *w, struct request *q)
{
    if (!queue_put(w->idle, q)) /* it has room for all there are */
        abort();
}

/* Connects at the first request that needs it. */
static struct db *
open_store(void)
{
    struct db *db = db_open();

    if (db == NULL)
        log_error("worker.memory");
    return db;
}

static void *
fast_thread(void *arg)
{
    struct worker *w = arg;
    struct hands h = { w, open_store(), queue_take(w->idle), NULL };
    int fd;

    while (h.db != NULL && park_wait(w->park, &fd))
        serve_next(&h, fd);
    give_idle(w, h.q);
    if (h.spare != NULL)
        request_free(h.spare);
    db_close(h.db);
    return NULL;
}

static void *
slow_thread(void *arg)
{
    struct worker *w = arg;
    struct db *db = open_store();
    struct request *q;

    while (db != NULL && (q = queue_take(w->slow)) != NULL) {
        metrics_gauge(METRIC_SLOW_QUEUED, -1);
        if (atomic_load(&w->hurry))
            request_refuse_busy(q, db);
        else
            serve(w, q, db);
        finish(w, q);
        give_idle(w, q);
        atomic_fetch_sub(&w->n_slow, 1);
    }
    db_close(db);
    return NULL;
}

/* ---- the start ---- */

/* One object for each thread and each place in the queue, so that a thread
 * that has handed its own over always finds another. */
static bool
make_requests(struct worker *w)
{
    size_t queued = w->plan.slow_threads * SLOW_QUEUED_PER_THREAD;
    size_t n = w->plan.threads + w->plan.slow_threads + queued;
    struct request *q;

    w->idle = queue_new(n);
    w->slow = queue_new(queued);
    if (w->idle == NULL || w->slow == NULL)
        return false;
    for (; n > 0; n--) {
        q = request_new(&w->plan.rules);
        if (q == NULL)
            return false;
        give_idle(w, q);
    }
    return true;
}

static bool
start_threads(struct worker *w)
{
    size_t n = w->plan.threads + w->plan.slow_threads;
    int error;

    for (; w->n_started < n; w->n_started++) {
        error = pthread_create(
            &w->thread[w->n_started], NULL,
            w->n_started < w->plan.threads ? fast_thread : slow_thread, w);
        if (error != 0) {
            log_error("worker.thread errno=%d", error);
            return false;
        }
        count_thread(w, METRIC_THREADS, 1);
    }
    return true;
}

static bool
start(struct worker *w)
{
    w->lanes = lanes_new(tables_rows(), w->plan.threads, w->plan.heavy_us);
    if (w->lanes == NULL || !make_requests(w)) {
        log_error("worker.memory");
        return false;
    }
    w->park = park_open(w->plan.listen_fd);
    if (w->park == NULL) {
        log_error("worker.park errno=%d", errno);
        return false;
    }
    return start_threads(w);
}

struct worker *
worker_start(const struct worker_plan *plan)
{
    size_t n = plan->threads + plan->slow_threads;
    struct worker *w = calloc(1, sizeof(*w) + n * sizeof(w->thread[0]));

    if (w == NULL)
        return NULL;
    w->plan = *plan;
    w->plan.rules.hurry = &w->hurry;
    w->plan.rules.may_wait = plan->threads > 1 ? (int)(plan->threads / 2) : 1;
    if (start(w))
        return w;
    worker_stop(w);
    return NULL;
}

/* ---- the end ---- */

/* Waits until there are none left, or until that time. */
static void
wait_for_none(int (*count)(struct worker *w), struct worker *w, int64_t mono_ms)
{
    const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };

    while (count(w) > 0 && clock_mono_ms() < mono_ms)
        (void)nanosleep(&tick, NULL);
}

static int
open_connections(struct worker *w)
{
    return park_open_count(w->park);
}

static int
slow_requests(struct worker *w)
{
    return atomic_load(&w->n_slow);
}

static void
join_threads(struct worker *w, size_t from, size_t to)
{
    for (; from < to && from < w->n_started; from++)
        (void)pthread_join(w->thread[from], NULL);
}

static void
drain(struct worker *w)
{
    int64_t start_ms = clock_mono_ms();

    log_info("worker.drain open=%d", park_open_count(w->park));
    atomic_store(&w->draining, true);
    park_drain(w->park);
    /* a kept connection may carry a request at any moment */
    wait_for_none(open_connections, w, start_ms + DRAIN_MS);
    atomic_store(&w->closing, true); /* who waits for its row is refused */
    park_stop(w->park);
    join_threads(w, 0, w->plan.threads);
    queue_close(w->slow); /* after those who put into it */
    wait_for_none(slow_requests, w, start_ms + SLOW_END_MS);
    atomic_store(&w->hurry, true);
    join_threads(w, w->plan.threads, w->n_started);
}

static void
free_requests(struct queue *idle)
{
    struct request *q;

    if (idle == NULL)
        return;
    queue_close(idle);
    while ((q = queue_take(idle)) != NULL)
        request_free(q);
    queue_free(idle);
}

void
worker_stop(struct worker *w)
{
    if (w->park != NULL)
        drain(w);
    free_requests(w->idle);
    queue_free(w->slow);
    lanes_free(w->lanes);
    park_close(w->park);
    free(w);
}
