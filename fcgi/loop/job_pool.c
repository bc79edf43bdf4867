/* Performing jobs: threads that take one each, and one that prolongs their
 * leases. Whatever a step does, its outcome is written under the lease. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "host/wake.h"
#include "job_plan.h"
#include "job_run.h"
#include "job_store.h"
#include "log.h"
#include "runner.h"

#define LOOK_MS     1000
#define RENEW_MS    2500
#define THREADS_MAX 64

/* One thread, and the job that it performs. */
struct hand {
    struct job_pool *pool;
    struct runner_task task;
    struct runner *runner;
    struct job_hand held;
    bool fresh;      /* just taken: nothing is written yet */
    int64_t look_ms; /* monotonic: when a job that was let go is due */
};

struct job_pool {
    struct job_pool_config cfg;
    atomic_bool stopping;
    struct runner_task keeper_task;
    struct runner *keeper;
    unsigned n;
    struct hand hand[];
};

static const struct job_kind *
find_kind(const struct job_pool *p, const char *name)
{
    for (size_t i = 0; p->cfg.kinds[i] != NULL; i++)
        if (strcmp(p->cfg.kinds[i]->name, name) == 0)
            return p->cfg.kinds[i];
    return NULL;
}

/* ---- what a hand holds ---- */

static void
take_up(struct hand *h, uint64_t id, uint64_t epoch, int64_t asked_ms)
{
    struct job_hand *j = &h->held;

    pthread_mutex_lock(&j->mutex);
    j->id = id;
    j->epoch = epoch;
    j->renewed_ms = asked_ms;
    j->lost = false;
    atomic_store(&j->cancel, false);
    pthread_mutex_unlock(&j->mutex);
    h->fresh = true;
}

static void
let_go(struct hand *h)
{
    pthread_mutex_lock(&h->held.mutex);
    h->held.id = 0;
    pthread_mutex_unlock(&h->held.mutex);
}

static void
renewed(struct job_hand *j, uint64_t id, uint64_t epoch, int64_t asked_ms,
        enum err e, bool cancel)
{
    pthread_mutex_lock(&j->mutex);
    if (j->id == id && j->epoch == epoch) {
        if (e == ERR_OK && asked_ms > j->renewed_ms)
            j->renewed_ms = asked_ms;
        if (e == ERR_STATE)
            j->lost = true;
        if (e == ERR_OK && cancel)
            atomic_store(&j->cancel, true);
    }
    pthread_mutex_unlock(&j->mutex);
}

/* The keeper's step. A failure is made up for by the next one: there are
 * three within a lease. */
static enum turn
keep(void *ctx, struct db *db, struct arena *a, void **memory)
{
    struct job_pool *p = ctx;

    (void)a;
    (void)memory;
    for (unsigned i = 0; i < p->n; i++) {
        struct job_hand *j = &p->hand[i].held;
        int64_t asked_ms = clock_mono_ms();
        bool cancel = false;
        uint64_t id, epoch;
        enum err e;

        pthread_mutex_lock(&j->mutex);
        id = j->id;
        epoch = j->epoch;
        pthread_mutex_unlock(&j->mutex);
        if (id == 0)
            continue;
        e = job_store_renew(db, id, epoch, &cancel);
        renewed(j, id, epoch, asked_ms, e, cancel);
        if (e == ERR_STATE) /* or its outcome was written just now */
            log_debug("job.lease_over id=%llu", (unsigned long long)id);
        else if (e != ERR_OK)
            log_warn("job.renew id=%llu err=%s errno=%u",
                     (unsigned long long)id, err_name(e), db_errno(db));
    }
    return TURN_IDLE;
}

/* ---- one call of a step ---- */

static struct job_plan
plan_of(const struct job *j, const struct job_kind *k)
{
    return (struct job_plan){
        .state = (enum job_state)j->state,
        .step = (unsigned)j->step,
        .n = (unsigned)k->n,
        .tries = (unsigned)j->tries,
        .cancel = j->cancel,
        .failed = HAS(j, job, error),
        .forward_only = k->forward_only,
    };
}

/* The step that a plan means: running counts up to it, undoing down. */
static unsigned
called(const struct job_plan *p)
{
    return p->state == JOB_RUNNING ? p->step : p->step - 1;
}

/* Who was told in between that the job is somebody else's has not failed, even
 * when the row is still his: a host that stood still for longer than a lease
 * goes on where it was. */
static enum step_answer
call(const struct job_plan *p, const struct job_kind *k, struct job_run *run)
{
    const struct job_step *s = &k->steps[called(p)];
    enum step_answer answer = STEP_DONE;

    run->private->undoing = p->state == JOB_UNDOING;
    if (p->state == JOB_RUNNING)
        answer = s->run(run);
    else if (s->undo != NULL)
        answer = s->undo(run);
    if (answer == STEP_FAILED && run->private->lost) {
        job_waits(run, LOOK_MS, "its lease was over: once more");
        return STEP_AGAIN;
    }
    return answer;
}

static void
nap(void)
{
    const struct timespec t = { 0, 300000000L };

    (void)nanosleep(&t, NULL);
}

/* Writes what became of it, as long as the lease runs: a store that is away
 * for a moment costs nothing. */
static enum err
record(struct hand *h, struct db *db, const struct job_record *r)
{
    enum err e;

    while ((e = job_store_record(db, r)) != ERR_OK && e != ERR_STATE &&
           job_hand_holds(&h->held))
        nap();
    if (e != ERR_OK)
        log_warn("job.abandoned id=%llu epoch=%llu err=%s errno=%u",
                 (unsigned long long)r->id, (unsigned long long)r->epoch,
                 err_name(e), db_errno(db));
    return e;
}

static const char *
outcome_of(const struct job_plan *was, enum step_answer answer, bool left)
{
    if (was->state == JOB_RUNNING)
        return answer == STEP_DONE ? "done" : "failed";
    return left ? "left" : "undone";
}

/* The error that stays in the row, in the arena: what failed first, and what
 * could not be taken back. */
static const char *
error_of(struct arena *a, const struct job *j, const struct job_run *run,
         const struct job_kind *k, unsigned step, bool left)
{
    const struct job_private *p = run->private;

    if (!left)
        return HAS(j, job, error) ? NULL : p->error;
    return arena_printf(a, "%.1000s; left behind by \"%s\": %.900s",
                        HAS(j, job, error) ? j->error : "cancelled",
                        k->steps[step].name, p->error);
}

static int64_t
due_in(const struct job_plan *now, const struct job_private *p,
       enum step_answer answer, bool stopping)
{
    if (answer == STEP_AGAIN)
        return stopping ? 0 : p->retry_ms;
    if (now->state == JOB_UNDOING && now->tries > 0)
        return job_plan_pause_ms(now->tries);
    return stopping ? 0 : -1;
}

static void
log_end(const struct job *j, const struct job_plan *p, const char *error)
{
    log_info("job.end id=%llu kind=%s state=%s client_id=\"%s\" why=\"%s\"",
             (unsigned long long)j->id, j->kind,
             enum_text(job_state_names, (int)p->state),
             j->client_id != NULL ? j->client_id : "",
             error != NULL ? error : "");
}

/* One step of the job that the hand holds. OK: it goes on; else it is let
 * go, done or not. */
static enum err
perform(struct hand *h, struct db *db, struct arena *a, const struct job *j,
        const struct job_kind *k, const struct job_kept *kept)
{
    struct job_private private = { .hand = &h->held,
                                   .uid = kept->uid,
                                   .retry_ms = LOOK_MS };
    struct job_run run = { .db = db,
                           .arena = a,
                           .job = j,
                           .kind = k,
                           .args = kept->args,
                           .memo = kept->memo,
                           .ctx = h->pool->cfg.ctx,
                           .private = &private };
    struct job_plan p = plan_of(j, k), was;
    struct job_record r = { .id = j->id,
                            .epoch = j->epoch,
                            .parent_id = j->parent_id };
    enum step_answer answer = STEP_DONE;
    bool left = false, announce;
    enum err e;

    job_plan_before(&p);
    was = p;
    /* that it has begun, or is being undone, shows before the first call */
    announce = (int)p.state != j->state && !job_plan_finished(p.state);
    if (!announce && !job_plan_finished(p.state)) {
        answer = call(&p, k, &run);
        job_plan_after(&p, answer, &left);
        r.called = called(&was);
        r.name = k->steps[r.called].name;
        r.ended = answer != STEP_AGAIN &&
                  (was.state == JOB_RUNNING || left || answer == STEP_DONE);
        r.outcome = outcome_of(&was, answer, left);
        r.text = answer == STEP_FAILED ? private.error : NULL;
    }
    if (answer == STEP_FAILED && !private.fails)
        job_fails(&run, "%s has failed", r.name);
    if (answer == STEP_AGAIN && !private.waits && job_go_on(&run))
        log_warn("job.silent_wait kind=%s step=\"%s\"", k->name, r.name);
    r.state = p.state;
    r.step = p.step;
    r.tries = p.tries;
    r.begins = p.state == JOB_RUNNING && (announce || p.step != was.step);
    r.next = p.step;
    r.doing = job_plan_finished(p.state) ? "" : k->steps[called(&p)].name;
    r.progress = private.waits ? private.progress : "";
    if (answer == STEP_FAILED && was.state == JOB_UNDOING && !left)
        r.progress = private.error;
    r.error = answer == STEP_FAILED && (left || was.state == JOB_RUNNING)
                  ? error_of(a, j, &run, k, r.called, left)
                  : NULL;
    r.result = private.result;
    r.due_in_ms = due_in(&p, &private, answer, atomic_load(&h->pool->stopping));
    e = record(h, db, &r);
    if (e != ERR_OK)
        return e;
    if (job_plan_finished(p.state))
        log_end(j, &p, r.error != NULL ? r.error : j->error);
    if (job_plan_finished(p.state) || private.wakes)
        wake_send();
    if (!job_plan_finished(p.state) && r.due_in_ms < 0)
        return ERR_OK;
    h->look_ms = clock_mono_ms() + r.due_in_ms;
    return ERR_NOT_FOUND;
}

/* ---- a hand's thread ---- */

/* A job of a kind that this version does not know waits for one that does. */
static enum err
unknown_kind(struct hand *h, struct db *db, const struct job *j)
{
    const struct job_record r = { .id = j->id,
                                  .epoch = j->epoch,
                                  .state = (enum job_state)j->state,
                                  .step = (unsigned)j->step,
                                  .tries = (unsigned)j->tries,
                                  .doing = j->doing,
                                  .progress = "waits for a metagate that "
                                              "knows this kind of job",
                                  .due_in_ms = 10000 };

    log_warn("job.unknown_kind id=%llu kind=%s", (unsigned long long)j->id,
             j->kind);
    (void)record(h, db, &r);
    return ERR_NOT_FOUND;
}

static enum err
go_on_with(struct hand *h, struct db *db, struct arena *a, const struct job *j)
{
    const struct job_kind *k = find_kind(h->pool, j->kind);
    struct job_kept kept;
    enum err e = job_store_kept(db, a, j->id, &kept);

    if (e != ERR_OK)
        return e;
    if (k == NULL || (unsigned)j->step > k->n)
        return unknown_kind(h, db, j);
    if (h->fresh && j->state == JOB_QUEUED)
        log_info("job.begin id=%llu kind=%s client_id=\"%s\"",
                 (unsigned long long)j->id, j->kind,
                 j->client_id != NULL ? j->client_id : "");
    h->fresh = false;
    return perform(h, db, a, j, k, &kept);
}

/* What it does is told as the work of the request that made it, or of the step
 * of a duty that did. */
static enum err
go_on(struct hand *h, struct db *db, struct arena *a)
{
    const struct trace *own = log_traced();
    struct trace t;
    struct job j;
    enum err e;

    if (!job_hand_holds(&h->held))
        return ERR_NOT_FOUND;
    e = job_get(db, a, h->held.id, &j);
    if (e == ERR_OK && j.epoch != h->held.epoch)
        return ERR_NOT_FOUND; /* another has followed us */
    if (e != ERR_OK)
        return e;
    t = job_trace(&j);
    log_trace(!str_empty(t.request) ? &t : own);
    e = go_on_with(h, db, a, &j);
    log_trace(own);
    return e;
}

static enum err
look_for_one(struct hand *h, struct db *db, struct arena *a)
{
    const struct job_pool_config *cfg = &h->pool->cfg;
    int64_t asked_ms;
    struct list_of_job_due due;
    enum err e;

    e = job_store_due(db, a, cfg->queue, cfg->machine, &due);
    for (size_t i = 0; e == ERR_OK && i < due.n; i++) {
        asked_ms = clock_mono_ms();
        e = job_store_claim(db, a, &due.v[i], cfg->owner);
        if (e == ERR_OK) {
            take_up(h, due.v[i].id, due.v[i].epoch, asked_ms);
            return ERR_OK;
        }
        if (e == ERR_BUSY)
            e = ERR_OK; /* another was quicker, or it waits for a lock */
    }
    return e == ERR_OK ? ERR_NOT_FOUND : e;
}

/* Until the job that this hand let go is due, if that is soon. */
static int64_t
idle_ms(const struct hand *h)
{
    int64_t ms = h->look_ms - clock_mono_ms();

    return ms > 0 && ms < LOOK_MS ? ms + 1 : LOOK_MS;
}

static enum turn
hand_step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    struct hand *h = ctx;
    enum err e;

    (void)memory;
    if (h->held.id == 0) {
        e = atomic_load(&h->pool->stopping) ? ERR_NOT_FOUND
                                            : look_for_one(h, db, a);
        if (e != ERR_OK && e != ERR_NOT_FOUND)
            log_debug("job.look err=%s errno=%u", err_name(e), db_errno(db));
        h->task.every_ms = idle_ms(h);
        if (e == ERR_OK)
            return TURN_MORE;
        return e == ERR_NOT_FOUND ? TURN_IDLE : TURN_FAILED;
    }
    e = go_on(h, db, a);
    if (e == ERR_NOT_FOUND || !job_hand_holds(&h->held)) {
        let_go(h);
        return TURN_MORE; /* look for the next one at once */
    }
    return e == ERR_OK ? TURN_MORE : TURN_FAILED;
}

/* ---- the pool ---- */

static bool
start_hand(struct job_pool *p, struct hand *h)
{
    h->pool = p;
    pthread_mutex_init(&h->held.mutex, NULL);
    h->held.stopping = &p->stopping;
    h->task = (struct runner_task){
        .name = p->cfg.queue, .every_ms = LOOK_MS, .ctx = h, .step = hand_step
    };
    h->runner = runner_start(&h->task);
    return h->runner != NULL;
}

struct job_pool *
job_pool_start(const struct job_pool_config *cfg)
{
    unsigned n = cfg->threads < THREADS_MAX ? cfg->threads : THREADS_MAX;
    struct job_pool *p = calloc(1, sizeof(*p) + n * sizeof(p->hand[0]));

    if (p == NULL)
        return NULL;
    p->cfg = *cfg;
    while (p->n < n && start_hand(p, &p->hand[p->n]))
        p->n++;
    p->keeper_task = (struct runner_task){
        .name = "job.keeper", .every_ms = RENEW_MS, .ctx = p, .step = keep
    };
    p->keeper = p->n == n ? runner_start(&p->keeper_task) : NULL;
    if (p->keeper != NULL)
        return p;
    log_error("job.threads started=%u of=%u", p->n, n);
    if (!job_pool_stop(p, INT64_MAX / 2))
        return NULL;
    return NULL;
}

void
job_pool_wake(struct job_pool *p)
{
    for (unsigned i = 0; i < p->n; i++)
        runner_wake(p->hand[i].runner);
}

bool
job_pool_stop(struct job_pool *p, int64_t timeout_ms)
{
    int64_t until_ms = clock_mono_ms() + timeout_ms;

    atomic_store(&p->stopping, true);
    for (unsigned i = 0; i < p->n; i++)
        runner_stop(p->hand[i].runner);
    for (unsigned i = 0; i < p->n; i++)
        if (!runner_join(p->hand[i].runner, until_ms - clock_mono_ms()))
            return false;
    if (p->keeper != NULL) {
        runner_stop(p->keeper);
        if (!runner_join(p->keeper, until_ms - clock_mono_ms()))
            return false;
    }
    for (unsigned i = 0; i < p->n; i++)
        pthread_mutex_destroy(&p->hand[i].held.mutex);
    free(p);
    return true;
}
