/* What is dropped goes for good: instances after their retention, or at once
 * when somebody asks; records of finished transactions and replaced rowsets
 * after theirs, counters of rates after a minute. A live instance that somebody
 * asks for gets a round over what it has dropped. Overdue transactions are
 * aborted here too. Each step is one short transaction under the lease, so
 * that a recycler that is killed is followed by another that goes on where it
 * was. */
#include <string.h>

#include "doris/settings.h"
#include "clock.h"
#include "doris/txn/txn.h"
#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "duties.h"
#include "log.h"
#include "recycle.h"

TABLE(doris_recycle_instances, DORIS_RECYCLE_INSTANCES);
TABLE(doris_recycle_ref, DORIS_RECYCLE_REF);

#define TXNS         64
#define RATES_KEPT_S 60 /* what a second used of a limit, after it */

/* ---- the duty ---- */

/* begin, hold, f, end: what each step of the duty is. */
static enum err
under_lease(struct duty_run *run, enum err (*f)(struct duty_run *run, void *p),
            void *p)
{
    enum err e = lease_begin(run->db, run->lease);

    if (e == ERR_OK)
        e = f(run, p);
    return db_end(run->db, e);
}

struct end {
    const char *instance_id;
    bool done;
};

static enum err
end_instance(struct duty_run *run, void *p)
{
    struct end *end = p;
    enum err e;

    e = doris_store_recycle_step(run->db, end->instance_id, run->id,
                                 clock_unix_ms(), &end->done);
    /* STATE would say that the lease is lost; a row that somebody added to
     * the instance meanwhile goes with the next step */
    return e == ERR_STATE ? ERR_BUSY : e;
}

/* NOT_FOUND when no instance is to be finished. */
static enum err
recycle_instance(struct duty_run *run)
{
    int64_t keep_s = doris_settings()->retention_s;
    struct end end;
    enum err e;

    e = doris_store_recycle_next(run->db, run->arena, doris_now() - keep_s,
                                 &end.instance_id);
    if (e != ERR_OK)
        return e;
    e = under_lease(run, end_instance, &end);
    if (e == ERR_OK && end.done)
        log_info("doris.recycled instance=%s", end.instance_id);
    return e;
}

static enum err
clear_instance(struct duty_run *run, void *p)
{
    struct end *round = p;
    int64_t now_ms = clock_unix_ms();

    return doris_store_recycle_round(
        run->db, round->instance_id, run->id, now_ms,
        now_ms - doris_settings()->record_retention_s * 1000, &round->done);
}

/* A live instance that somebody asks for: a round over what is recyclable in
 * it. NOT_FOUND when there is none. */
static enum err
recycle_live(struct duty_run *run)
{
    struct end round;
    enum err e;

    e = doris_store_recycle_next_live(run->db, run->arena, &round.instance_id);
    return e == ERR_OK ? under_lease(run, clear_instance, &round) : e;
}

/* It may have ended by itself meanwhile. */
static enum err
abort_overdue(struct duty_run *run, void *p)
{
    const struct doris_overdue_txn *o = p;
    struct doris_txn t = { .txn_id = o->txn_id };
    enum err e = doris_txn_expire(run->db, run->arena, o->instance_id,
                                  clock_unix_ms(), &t);

    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* NOT_FOUND when none is overdue. */
static enum err
abort_all_overdue(struct duty_run *run)
{
    struct list_of_doris_overdue_txn list = { 0, NULL };
    enum err e;

    e = doris_store_txn_overdue(run->db, run->arena, clock_unix_ms(), TXNS,
                                &list);
    for (size_t i = 0; i < list.n && e == ERR_OK; i++)
        e = under_lease(run, abort_overdue, &list.v[i]);
    if (e == ERR_OK && list.n > 0)
        log_info("doris.overdue txns=%zu", list.n);
    return e == ERR_OK && list.n == 0 ? ERR_NOT_FOUND : e;
}

static enum err
forget_batch(struct duty_run *run, void *p)
{
    int64_t now = doris_now();
    int64_t keep_s = doris_settings()->record_retention_s;

    return doris_store_forget(run->db, (now - keep_s) * 1000, now - keep_s,
                              now - keep_s, (now - keep_s) * 1000,
                              now - RATES_KEPT_S, p);
}

static enum err
forget_old(struct duty_run *run)
{
    uint64_t n;
    enum err e = under_lease(run, forget_batch, &n);

    return e == ERR_OK && n == 0 ? ERR_NOT_FOUND : e;
}

enum turn
doris_recycle(struct duty_run *run)
{
    static enum err (*const what[])(struct duty_run *) = {
        abort_all_overdue, recycle_instance, recycle_live, forget_old
    };
    bool worked = false;

    for (size_t i = 0; i < COUNT(what); i++) {
        enum err e = what[i](run);

        if (e != ERR_OK && e != ERR_NOT_FOUND) {
            if (e != ERR_STATE)
                log_warn("doris.recycler err=%s errno=%u why=\"%s\"",
                         err_name(e), db_errno(run->db), db_error(run->db));
            return turn_of(e, false);
        }
        worked = worked || e == ERR_OK;
    }
    return worked ? TURN_MORE : TURN_IDLE;
}

/* ---- /RecyclerService/http ---- */

CHECKS(doris_recycle_instances, NEED(instance_ids, DORIS_RECYCLE_NONE));

/* The jobs that were asked for, as the audit row has them. */
#define DORIS_JOBS(X, s) X(s, LIST, jobs, "jobs", OUT, doris_recycle_job)
STRUCT(doris_jobs, DORIS_JOBS);
TABLE(doris_jobs, DORIS_JOBS);

/* Adds the instance's job, if there is one: jobs has room. */
static enum err
note_job(struct req *r, const char *instance_id, struct doris_jobs *jobs)
{
    enum err e;

    e = doris_store_recycle_job(r->db, r->arena, instance_id,
                                &jobs->jobs.v[jobs->jobs.n]);
    jobs->jobs.n += e == ERR_OK ? 1 : 0;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
ask_for(struct req *r, const char *instance_id, struct doris_jobs *before,
        struct doris_jobs *after)
{
    struct doris_instance i;
    enum err e;

    e = doris_store_instance(r->db, r->arena, instance_id, &i);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_INSTANCE_UNKNOWN,
                        ARGS(arg("instance_id", instance_id)));
    if (e == ERR_OK)
        e = note_job(r, instance_id, before);
    if (e == ERR_OK)
        e = doris_store_recycle_ask(r->db, instance_id);
    return e == ERR_OK ? note_job(r, instance_id, after) : e;
}

/* All of them or none. */
enum err
doris_recycle_ask(struct req *r, const struct doris_recycle_instances *in)
{
    size_t n = in->instance_ids.n;
    struct doris_jobs before = { 0 }, after = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    doris_audit_target(r, "instance", in->instance_ids.v[0].v, NULL);
    before.jobs.v = arena_array(r->arena, n, sizeof(*before.jobs.v));
    after.jobs.v = arena_array(r->arena, n, sizeof(*after.jobs.v));
    if (before.jobs.v == NULL || after.jobs.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = ask_for(r, in->instance_ids.v[i].v, &before, &after);
    if (e != ERR_OK)
        return e;
    if (before.jobs.n > 0)
        req_audit_before(r, &doris_jobs_rec, &before);
    req_audit_after(r, &doris_jobs_rec, &after);
    req_wake(r);
    if (req_wants_json(r))
        return req_ok(r);
    return req_send_text(r, "text/plain; charset=utf-8", "OK\n", 3);
}

/* Job and counts as text: the record on one line. */
static enum err
send_record(struct req *r, const struct record *rec, const void *out)
{
    struct buf b = BUF_INIT(65536);
    struct json_writer w;
    enum err e;

    if (req_wants_json(r))
        return req_send(r, rec, out);
    jw_init(&w, &b, &json_protobuf);
    e = record_render(&w, rec, out, SECRETS_STARS, false, r->arena);
    buf_putc(&b, '\n');
    return doris_send_buf(r, e, &b);
}

CHECKS(doris_recycle_ref, NEED(instance_id, DORIS_RECYCLE_IID));

enum err
doris_recycle_info(struct req *r, const struct doris_recycle_ref *in)
{
    struct doris_recycle_job *out = arena_alloc(r->arena, sizeof(*out));
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_store_recycle_job(r->db, r->arena, in->instance_id, out);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_RECYCLE_UNKNOWN, ARGS());
    return e == ERR_OK ? send_record(r, &doris_recycle_job_rec, out) : e;
}

enum err
doris_recycle_statistics(struct req *r, const struct doris_recycle_ref *in)
{
    struct doris_recycle_counts *out = arena_alloc(r->arena, sizeof(*out));
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_store_recycle_counts(r->db, r->arena, in->instance_id,
                                       clock_unix_ms(), out);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_INSTANCE_UNKNOWN, ARGS());
    return e == ERR_OK ? send_record(r, &doris_recycle_counts_rec, out) : e;
}

/* What a checker would do is to look into object stores, whose keys are kept
 * here for others. */
enum err
doris_recycle_check(struct req *r, const struct doris_recycle_ref *in)
{
    enum err e = req_check(r, in);

    return e == ERR_OK ? req_fail(r, DORIS_NO_CHECKER, ARGS()) : e;
}
