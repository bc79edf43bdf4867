/* A fixed set of threads waits in one epoll set (fcgi/worker/park.c); whoever
 * gets a connection reads one request from it and answers it. Requests that may
 * take long go to a second set through a bounded queue, so that they cannot use
 * up the first. */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "db.h"
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
    atomic_bool draining, hurry;
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

/* Serves one request; gives the object for the next, another one when this
 * went to the slow threads. */
static struct request *
serve_next(struct worker *w, struct request *q, int fd, struct db *db)
{
    switch (request_read(q, fd)) {
    case REQUEST_GONE:
        park_gone(w->park);
        return q;
    case REQUEST_SLOW:
        if (hand_over(w, q))
            return queue_take(w->idle); /* there is one: see make_requests */
        request_refuse_busy(q, db);
        break;
    case REQUEST_FAST:
        serve(w, q, db);
        break;
    case REQUEST_ANSWERED:
        break;
    }
    finish(w, q);
    return q;
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
    struct db *db = open_store();
    struct request *q = queue_take(w->idle);
    int fd;

    while (db != NULL && park_wait(w->park, &fd))
        q = serve_next(w, q, fd, db);
    give_idle(w, q);
    db_close(db);
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
    if (!make_requests(w)) {
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
    park_close(w->park);
    free(w);
}
