/* What a step may ask of its job and say about it. */
#include "job_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "host/wake.h"
#include "job_plan.h"
#include "job_store.h"
#include "json.h"
#include "log.h"
#include "utf8.h"

#define PROGRESS_EVERY_MS 1000
#define PARTS_WAIT_MS     1000

/* Ends a text that did not fit behind its last whole character. */
static void
say(char *to, size_t size, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

static void
say(char *to, size_t size, const char *fmt, va_list ap)
{
    size_t n, i, step;

    (void)vsnprintf(to, size, fmt, ap);
    n = strlen(to);
    for (i = 0; i < n; i += step) {
        step = utf8_len(to + i, n - i);
        if (step == 0 && n - i < 4 && n == size - 1)
            break;
        if (step == 0) { /* bytes of somebody else's */
            to[i] = '?';
            step = 1;
        }
    }
    to[i] = '\0';
}

enum err
job_args(struct job_run *run, const struct record *rec, void *out)
{
    const struct json *tree;
    struct json_error syntax;
    struct bind_error why;
    enum err e;

    e = json_parse(run->arena, run->args, strlen(run->args), JSON_OWN, &tree,
                   &syntax);
    if (e == ERR_OK) {
        e = record_bind(run->arena, rec, tree, 0, out, &why);
        if (e == ERR_BAD_PARAM)
            job_fails(run, "%s %s", why.field, why.reason);
    } else if (e == ERR_BAD_PARAM || e == ERR_LIMIT) {
        job_fails(run, "arguments cannot be read: %s", syntax.reason);
        e = ERR_BAD_PARAM;
    }
    return e;
}

bool
job_hand_holds(struct job_hand *h)
{
    bool holds;

    pthread_mutex_lock(&h->mutex);
    holds = !h->lost && clock_mono_ms() - h->renewed_ms < JOB_LEASE_MS;
    pthread_mutex_unlock(&h->mutex);
    return holds;
}

/* What a step was told of its lease. */
static enum err
told(struct job_run *run, enum err e)
{
    if (e == ERR_STATE)
        run->private->lost = true;
    return e;
}

enum err
job_hold(struct job_run *run)
{
    if (!job_hand_holds(run->private->hand))
        return told(run, ERR_STATE);
    return told(run, job_store_hold(run->db, run->job->id, run->job->epoch));
}

enum err
job_begin(struct job_run *run)
{
    enum err e = db_begin(run->db);

    return e == ERR_OK ? job_hold(run) : e;
}

bool
job_go_on(struct job_run *run)
{
    const struct job_private *p = run->private;

    return !atomic_load(p->hand->stopping) && job_hand_holds(p->hand) &&
           (p->undoing || !atomic_load(&p->hand->cancel));
}

void
job_waits(struct job_run *run, int64_t retry_ms, const char *fmt, ...)
{
    struct job_private *p = run->private;
    va_list ap;

    va_start(ap, fmt);
    say(p->progress, sizeof(p->progress), fmt, ap);
    va_end(ap);
    p->waits = true;
    p->retry_ms = retry_ms < JOB_WAIT_MAX_MS ? retry_ms : JOB_WAIT_MAX_MS;
}

bool
job_store_failed(enum err e, const char *why)
{
    return e == ERR_STORE || e == ERR_BUSY || e == ERR_NOMEM ||
           (e == ERR_TIMEOUT && str_empty(why));
}

enum step_answer
job_waits_for_store(struct job_run *run, int64_t retry_ms, enum err e)
{
    job_waits(run, retry_ms, JOB_STORE_WAIT, err_name(e));
    return STEP_AGAIN;
}

void
job_fails(struct job_run *run, const char *fmt, ...)
{
    struct job_private *p = run->private;
    va_list ap;

    va_start(ap, fmt);
    say(p->error, sizeof(p->error), fmt, ap);
    va_end(ap);
    p->fails = true;
}

int64_t
job_step_ms(struct job_run *run)
{
    int64_t ms = 0;

    return job_store_step_ms(run->db, run->job->id, (unsigned)run->job->step,
                             &ms) == ERR_OK
               ? ms
               : 0;
}

void
job_progress(struct job_run *run, const char *fmt, ...)
{
    struct job_private *p = run->private;
    int64_t now = clock_mono_ms();
    char text[JOB_PROGRESS_BYTES];
    va_list ap;
    enum err e;

    va_start(ap, fmt);
    say(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (now - p->progress_ms < PROGRESS_EVERY_MS || !job_hand_holds(p->hand))
        return;
    p->progress_ms = now;
    e = job_store_progress(run->db, run->job->id, run->job->epoch, text);
    if (e != ERR_OK) /* the next one will tell */
        log_debug("job.progress id=%llu err=%s",
                  (unsigned long long)run->job->id, err_name(e));
}

enum err
job_remember(struct job_run *run, const char *json)
{
    enum err e;

    if (!job_hand_holds(run->private->hand))
        return told(run, ERR_STATE);
    e = told(run, job_store_remember(run->db, run->job->id, run->job->epoch,
                                     run->private->uid, json));
    if (e == ERR_OK)
        run->memo = json;
    return e;
}

enum err
job_remember_record(struct job_run *run, const struct record *rec,
                    const void *in)
{
    const char *json;
    enum err e = record_text(run->arena, &json_compact, rec, in, SECRETS_FULL,
                             JOB_TEXT_MAX, &json);

    return e == ERR_OK ? job_remember(run, json) : e;
}

enum err
job_recall_record(struct job_run *run, const struct record *rec, void *out)
{
    memset(out, 0, rec->size);
    return run->memo != NULL ? record_read(run->arena, rec, run->memo,
                                           strlen(run->memo), 0, out)
                             : ERR_NOT_FOUND;
}

void
job_result(struct job_run *run, const char *json)
{
    run->private->result = json;
}

void
job_wakes(struct job_run *run)
{
    run->private->wakes = true;
}

/* ---- parts ---- */

enum err
job_part(struct job_run *run, const char *part, struct job_new *n, uint64_t *id)
{
    const struct trace t = job_trace(run->job);
    enum err e;

    n->parent_id = run->job->id;
    n->part = part;
    n->token_name = run->job->token_name;
    n->trace = &t;
    e = job_begin(run);
    if (e == ERR_OK)
        e = job_accept(run->db, run->arena, n, id);
    e = db_end(run->db, e);
    n->trace = NULL; /* it ends here */
    if (e == ERR_OK)
        wake_send();
    return e;
}

enum err
job_parts(struct job_run *run, const char *prefix, struct list_of_job *out)
{
    return job_store_parts(run->db, run->arena, run->job->id, prefix, out);
}

enum step_answer
job_parts_wait(struct job_run *run, const char *prefix)
{
    const struct job *under_way = NULL, *bad = NULL;
    struct list_of_job parts;
    size_t n_done = 0;
    enum err e = job_parts(run, prefix, &parts);

    if (e != ERR_OK)
        return job_waits_for_store(run, PARTS_WAIT_MS, e);
    for (size_t i = 0; i < parts.n; i++) {
        const struct job *j = &parts.v[i];

        if (j->state == JOB_DONE)
            n_done++;
        else if (j->state < JOB_DONE)
            under_way = under_way != NULL ? under_way : j;
        else
            bad = bad != NULL ? bad : j;
    }
    if (under_way != NULL) {
        job_waits(run, 1000, "%zu of %zu done; %s on %s: %s %s", n_done,
                  parts.n, under_way->part, under_way->machine,
                  under_way->doing, under_way->progress);
        return STEP_AGAIN;
    }
    if (bad == NULL)
        return STEP_DONE;
    job_fails(run, "%s", bad->error != NULL ? bad->error : "cancelled");
    return STEP_FAILED;
}

enum step_answer
job_parts_cancel(struct job_run *run, const char *prefix)
{
    struct list_of_job parts;
    size_t left = 0;
    enum err e = job_parts(run, prefix, &parts);

    for (size_t i = 0; e == ERR_OK && i < parts.n; i++) {
        if (job_plan_finished((enum job_state)parts.v[i].state))
            continue;
        left++;
        e = job_cancel(run->db, parts.v[i].id);
        if (e == ERR_STATE)
            e = ERR_OK; /* ended just now */
    }
    if (e != ERR_OK)
        return job_waits_for_store(run, PARTS_WAIT_MS, e);
    if (left == 0)
        return STEP_DONE;
    job_waits(run, 500, "waits for %zu of %zu parts to end", left, parts.n);
    return STEP_AGAIN;
}
