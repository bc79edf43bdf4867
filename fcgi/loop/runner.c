/* The thread around a step. */
#include "runner.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "hex.h"
#include "log.h"
#include "metrics.h"

#define STEP_ARENA_BYTES ((size_t)256 << 20)
#define RETRY_MS         1000
#define WORK_BYTES       64 /* as a request's id */
#define CHANCE_BYTES     8

struct runner {
    const struct runner_task *task;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool stop, woken, ended;
    int64_t began_ms; /* of the present step; 0 while idle */
    void *memory;     /* the steps' */
};

/* A tenth more or less, so that many processes do not ask at one instant. */
static int64_t
jitter(int64_t ms)
{
    static _Thread_local unsigned seed;

    if (seed == 0)
        seed = (unsigned)clock_mono_us();
    return ms - ms / 10 + rand_r(&seed) % (ms / 5 + 1);
}

/* When ms from now have passed. */
static struct timespec
after_ms(int64_t ms)
{
    int64_t at_ms = clock_mono_ms() + ms;

    return (struct timespec){ at_ms / 1000, at_ms % 1000 * 1000000 };
}

/* Answers whether to go on. */
static bool
idle(struct runner *r, int64_t ms)
{
    const struct timespec until = after_ms(ms);
    bool stop;

    pthread_mutex_lock(&r->mutex);
    r->began_ms = 0;
    while (!r->stop && !r->woken && ms > 0 &&
           pthread_cond_timedwait(&r->change, &r->mutex, &until) == 0)
        ;
    r->woken = false;
    r->began_ms = clock_mono_ms();
    stop = r->stop;
    pthread_mutex_unlock(&r->mutex);
    return !stop;
}

static int64_t
pause_after(const struct runner_task *task, enum turn t)
{
    if (t == TURN_MORE)
        return 0;
    if (t == TURN_IDLE || task->every_ms > RETRY_MS)
        return jitter(task->every_ms);
    return jitter(RETRY_MS);
}

static void
count_step(enum turn t)
{
    if (t == TURN_MORE)
        metrics_add(METRIC_STEPS, 1);
    else if (t == TURN_FAILED)
        metrics_add(METRIC_STEP_FAILURES, 1);
}

/* A step is a piece of work of its own, as a request is one: its lines, its
 * calls and the jobs that it makes have an id, "mine.watch-5f0c...". */
static enum turn
perform(struct runner *r, struct db *db, struct arena *a)
{
    char id[WORK_BYTES], chance[2 * CHANCE_BYTES + 1];
    const struct trace work = { .request = id };
    enum turn t;

    if (hex_random(chance, CHANCE_BYTES) != ERR_OK)
        chance[0] = '\0';
    (void)snprintf(id, sizeof(id), "%.40s-%s", r->task->name, chance);
    log_trace(&work);
    t = r->task->step(r->task->ctx, db, a, &r->memory);
    log_trace(NULL);
    return t;
}

static void
run(struct runner *r, struct db *db, struct arena *a)
{
    int64_t pause_ms = 0;
    enum turn t = TURN_MORE;

    while (t != TURN_OVER && idle(r, pause_ms)) {
        t = perform(r, db, a);
        count_step(t);
        if (db_in_transaction(db)) /* a step that left one open is wrong */
            log_error("runner.transaction task=%s err=%s", r->task->name,
                      err_name(db_end(db, ERR_INTERNAL)));
        arena_reset(a);
        pause_ms = pause_after(r->task, t);
    }
}

static void *
runner_main(void *arg)
{
    struct runner *r = arg;
    struct db *db = db_open();
    struct arena *a = arena_new(STEP_ARENA_BYTES);

    if (db != NULL && a != NULL)
        run(r, db, a);
    else
        log_error("runner.memory task=%s", r->task->name);
    arena_free(a);
    if (db != NULL)
        db_close(db);
    if (r->task->forget != NULL && r->memory != NULL)
        r->task->forget(r->memory);
    pthread_mutex_lock(&r->mutex);
    r->ended = true;
    pthread_cond_broadcast(&r->change);
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

struct runner *
runner_start(const struct runner_task *task)
{
    struct runner *r = calloc(1, sizeof(*r));
    pthread_condattr_t monotonic;

    if (r == NULL)
        return NULL;
    r->task = task;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&r->thread, NULL, runner_main, r) == 0)
        return r;
    pthread_cond_destroy(&r->change);
    pthread_mutex_destroy(&r->mutex);
    free(r);
    return NULL;
}

static void
tell(struct runner *r, bool *flag)
{
    pthread_mutex_lock(&r->mutex);
    *flag = true;
    pthread_cond_broadcast(&r->change);
    pthread_mutex_unlock(&r->mutex);
}

void
runner_wake(struct runner *r)
{
    tell(r, &r->woken);
}

void
runner_stop(struct runner *r)
{
    tell(r, &r->stop);
}

bool
runner_ended(struct runner *r)
{
    bool ended;

    pthread_mutex_lock(&r->mutex);
    ended = r->ended;
    pthread_mutex_unlock(&r->mutex);
    return ended;
}

int64_t
runner_busy_ms(struct runner *r)
{
    int64_t began;

    pthread_mutex_lock(&r->mutex);
    began = r->began_ms;
    pthread_mutex_unlock(&r->mutex);
    return began == 0 ? 0 : clock_mono_ms() - began;
}

static bool
wait_ended(struct runner *r, int64_t timeout_ms)
{
    const struct timespec until = after_ms(timeout_ms);
    bool ended;

    pthread_mutex_lock(&r->mutex);
    while (!r->ended &&
           pthread_cond_timedwait(&r->change, &r->mutex, &until) == 0)
        ;
    ended = r->ended;
    pthread_mutex_unlock(&r->mutex);
    return ended;
}

bool
runner_join(struct runner *r, int64_t timeout_ms)
{
    if (!wait_ended(r, timeout_ms))
        return false;
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->change);
    pthread_mutex_destroy(&r->mutex);
    free(r);
    return true;
}
