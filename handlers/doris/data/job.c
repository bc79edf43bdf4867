/* Jobs of tablets begin: compactions, several at once where they do not touch
 * the same versions, and one schema change. The record of a tablet's jobs is
 * read and written under the tablet's lock. */

#include <string.h>

#include "doris/doris.h"
#include "job.h"
#include "rpc.h"
#include "tablet.h"

/* The spelling of the first is Doris's. */
const struct enum_name doris_compaction_type_names[] = {
    { "UNKOWN", DORIS_COMPACTION_UNKNOWN },
    { "BASE", DORIS_COMPACTION_BASE },
    { "CUMULATIVE", DORIS_COMPACTION_CUMULATIVE },
    { "EMPTY_CUMULATIVE", DORIS_COMPACTION_EMPTY },
    { "FULL", DORIS_COMPACTION_FULL },
    { "STOP_TOKEN", DORIS_COMPACTION_STOP },
    { NULL, 0 }
};

TABLE(doris_compaction, DORIS_COMPACTION);
TABLE(doris_schema_change, DORIS_SCHEMA_CHANGE);
TABLE(doris_job, DORIS_JOB);
TABLE(doris_start_job, DORIS_START_JOB);
TABLE(doris_started, DORIS_STARTED);

NO_CHECKS(doris_start_job); /* in Doris's order, below */

/* ---- the tablet ---- */

static enum err
check_asked(struct req *r, const struct doris_job *asked, struct doris_work *w)
{
    if (asked == NULL ||
        (asked->compaction.n == 0 && asked->schema_change == NULL))
        return req_fail(r, DORIS_JOB_NONE, ARGS());
    w->tablet_id = asked->idx == NULL ? 0 : asked->idx->tablet_id;
    return w->tablet_id > 0 ? ERR_OK : req_fail(r, DORIS_JOB_TABLET, ARGS());
}

/* The index of a tablet, as far as it is named, is the one that it has. */
static enum err
check_index(struct req *r, const struct doris_work *w,
            const struct doris_tablet_idx *asked)
{
    static const char *const no_index[] = { "tablet_id", NULL };
    const char *other =
        record_other(&doris_tablet_idx_rec, asked, w->stats.idx, no_index);

    if (other == NULL)
        return ERR_OK;
    return req_fail(
        r, DORIS_JOB_IDX,
        ARGS(arg("member", other), arg_i64(r, "tablet", w->tablet_id)));
}

static enum err
read_work(struct req *r, struct doris_work *w)
{
    enum err e;

    e = doris_store_tablet_lock(r->db, w->instance_id, w->tablet_id);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, w->instance_id, w->tablet_id);
    if (e == ERR_OK)
        e = doris_store_stats(r->db, r->arena, w->instance_id, w->tablet_id,
                              &w->stats);
    if (e != ERR_OK)
        return e;
    e = doris_store_job(r->db, r->arena, w->instance_id, w->tablet_id, &w->job);
    w->recorded = e == ERR_OK;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
doris_job_open(struct req *r, const char *cloud_unique_id,
               const struct doris_job *asked, struct doris_work *w)
{
    enum err e;

    w->now = doris_now();
    e = doris_rpc_instance(r, cloud_unique_id, DORIS_JOB_CUID, &w->instance_id);
    if (e == ERR_OK)
        e = check_asked(r, asked, w);
    if (e == ERR_OK)
        e = read_work(r, w);
    if (e == ERR_OK)
        e = check_index(r, w, asked->idx);
    if (e != ERR_OK)
        return e;
    doris_audit_id(r, "tablet job", w->instance_id, w->tablet_id);
    if (w->recorded)
        req_audit_before(r, &doris_job_rec, &w->job);
    return ERR_OK;
}

enum err
doris_job_save(struct req *r, struct doris_work *w)
{
    w->job.idx = w->stats.idx;
    req_audit_after(r, &doris_job_rec, &w->job);
    return doris_store_job_put(r->db, r->arena, w->instance_id, w->tablet_id,
                               &w->job);
}

struct doris_compaction *
doris_job_find(const struct doris_job *job, const char *id)
{
    for (size_t i = 0; i < job->compaction.n; i++)
        if (job->compaction.v[i].id != NULL &&
            strcmp(job->compaction.v[i].id, id) == 0)
            return &job->compaction.v[i];
    return NULL;
}

void
doris_job_take_out(struct doris_job *job, const struct doris_compaction *c)
{
    size_t i = (size_t)(c - job->compaction.v);

    memmove(&job->compaction.v[i], &job->compaction.v[i + 1],
            (job->compaction.n - i - 1) * sizeof(*c));
    job->compaction.n--;
}

/* ---- start a compaction ---- */

static bool
has_expired(const struct doris_compaction *c, int64_t now)
{
    return (c->expiration > 0 && c->expiration < now) ||
           (c->lease > 0 && c->lease < now);
}

/* A full compaction puts an end to all others. */
static void
clear_way(struct doris_work *w, const struct doris_compaction *c)
{
    struct doris_job *job = &w->job;

    for (size_t i = job->compaction.n; i > 0; i--)
        if (has_expired(&job->compaction.v[i - 1], w->now) ||
            (c->type == DORIS_COMPACTION_FULL &&
             strcmp(job->compaction.v[i - 1].id, c->id) != 0))
            doris_job_take_out(job, &job->compaction.v[i - 1]);
}

bool
doris_job_knows_range(const struct doris_compaction *c)
{
    return c->input_versions.n == 2 &&
           (!HAS(c, doris_compaction, check_input_versions_range) ||
            c->check_input_versions_range);
}

/* Whether both may run: of one kind only where their versions differ. */
static bool
conflict(const struct doris_compaction *a, const struct doris_compaction *b)
{
    if (a->type != b->type && a->type != DORIS_COMPACTION_FULL)
        return false;
    if (!doris_job_knows_range(a) || !doris_job_knows_range(b))
        return true;
    return a->input_versions.v[0].v <= b->input_versions.v[1].v &&
           b->input_versions.v[0].v <= a->input_versions.v[1].v;
}

/* The versions that are being compacted, so that the node may try others. */
static enum err
fail_busy(struct req *r, const struct doris_work *w,
          const struct doris_compaction *c, const struct doris_compaction *by)
{
    struct doris_started *more = arena_alloc(r->arena, sizeof(*more));
    struct I64 *v =
        arena_array(r->arena, 2 * w->job.compaction.n + 1, sizeof(*v));
    size_t n = 0;

    if (more == NULL || v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; doris_job_knows_range(by) && i < w->job.compaction.n;
         i++) {
        const struct doris_compaction *o = &w->job.compaction.v[i];

        if (!conflict(o, o) || o->input_versions.n != 2 ||
            (o->type != c->type && o->type != DORIS_COMPACTION_FULL))
            continue;
        v[n++].v = o->input_versions.v[0].v;
        v[n++].v = o->input_versions.v[1].v;
    }
    more->version_in_compaction.n = n;
    more->version_in_compaction.v = v;
    return req_fail_with(r, DORIS_JOB_BUSY,
                         ARGS(arg_i64(r, "tablet", w->tablet_id),
                              arg_json(r, "job", &doris_compaction_rec, by)),
                         &doris_started_rec, more);
}

static enum err
check_compaction(struct req *r, const struct doris_work *w,
                 const struct doris_compaction *c)
{
    if (str_empty(c->id))
        return req_fail(r, DORIS_JOB_NO_ID, ARGS());
    if (!HAS(c, doris_compaction, base_compaction_cnt) ||
        !HAS(c, doris_compaction, cumulative_compaction_cnt))
        return req_fail(r, DORIS_JOB_NO_COUNT, ARGS());
    if (c->expiration <= 0 && c->type != DORIS_COMPACTION_EMPTY)
        return req_fail(r, DORIS_JOB_NO_EXPIRATION, ARGS());
    if (c->lease <= 0)
        return req_fail(r, DORIS_JOB_NO_LEASE, ARGS());
    if (c->input_versions.n == 1 ||
        (c->input_versions.n == 2 &&
         c->input_versions.v[0].v > c->input_versions.v[1].v))
        return req_fail(r, DORIS_JOB_RANGE, ARGS());
    if (c->base_compaction_cnt < w->stats.base_compaction_cnt ||
        c->cumulative_compaction_cnt < w->stats.cumulative_compaction_cnt)
        return req_fail(
            r, DORIS_JOB_STALE,
            ARGS(arg_i64(r, "req_base", c->base_compaction_cnt),
                 arg_i64(r, "base", w->stats.base_compaction_cnt),
                 arg_i64(r, "req_cumu", c->cumulative_compaction_cnt),
                 arg_i64(r, "cumu", w->stats.cumulative_compaction_cnt)));
    return ERR_OK;
}

/* While a schema change copies versions up to alter_version, these may only
 * be compacted among themselves, and those after them likewise. */
enum err
doris_job_check_alter(struct req *r, const struct doris_work *w,
                      const struct doris_compaction *c)
{
    const struct doris_schema_change *s = w->job.schema_change;
    struct doris_started *more;
    bool legal;

    if (s == NULL || !HAS(s, doris_schema_change, alter_version) ||
        c->type == DORIS_COMPACTION_EMPTY)
        return ERR_OK;
    legal = c->input_versions.n == 2 &&
            (c->type == DORIS_COMPACTION_BASE
                 ? c->input_versions.v[1].v <= s->alter_version
                 : c->type == DORIS_COMPACTION_CUMULATIVE &&
                       c->input_versions.v[0].v > s->alter_version);
    if (legal)
        return ERR_OK;
    more = arena_alloc(r->arena, sizeof(*more));
    if (more == NULL)
        return ERR_NOMEM;
    PUT(more, doris_started, alter_version, s->alter_version);
    return req_fail_with(r, DORIS_JOB_ALTER,
                         ARGS(arg_i64(r, "alter", s->alter_version)),
                         &doris_started_rec, more);
}

/* The list with one more. */
static enum err
append(struct req *r, struct doris_job *job, const struct doris_compaction *c)
{
    size_t n = job->compaction.n;
    struct doris_compaction *v = arena_array(r->arena, n + 1, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    if (n > 0)
        memcpy(v, job->compaction.v, n * sizeof(*v));
    v[n] = *c;
    job->compaction.v = v;
    job->compaction.n = n + 1;
    return ERR_OK;
}

static enum err
start_compaction(struct req *r, struct doris_work *w,
                 const struct doris_compaction *c)
{
    enum err e;

    e = check_compaction(r, w, c);
    if (e == ERR_OK)
        e = doris_job_check_alter(r, w, c);
    if (e != ERR_OK)
        return e;
    clear_way(w, c);
    if (doris_job_find(&w->job, c->id) != NULL)
        return ERR_OK; /* the same again */
    for (size_t i = 0; i < w->job.compaction.n; i++)
        if (conflict(&w->job.compaction.v[i], c))
            return fail_busy(r, w, c, &w->job.compaction.v[i]);
    return append(r, &w->job, c);
}

/* ---- start a schema change ---- */

static enum err
check_schema_change(struct req *r, const struct doris_work *w,
                    const struct doris_schema_change *s)
{
    struct doris_tablet t;
    int64_t id = s->new_tablet_idx == NULL ? 0 : s->new_tablet_idx->tablet_id;
    enum err e;

    if (str_empty(s->id))
        return req_fail(r, DORIS_JOB_NO_ID, ARGS());
    if (str_empty(s->initiator))
        return req_fail(r, DORIS_JOB_NO_INITIATOR, ARGS());
    if (id <= 0)
        return req_fail(r, DORIS_JOB_NEW_TABLET, ARGS());
    if (id == w->tablet_id)
        return req_fail(r, DORIS_JOB_SAME_TABLET, ARGS());
    e = doris_store_tablet(r->db, r->arena, w->instance_id, id, &t);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, w->instance_id, id);
    if (e != ERR_OK)
        return e;
    if (t.tablet_state == DORIS_TABLET_RUNNING)
        return req_fail(r, DORIS_JOB_DONE, ARGS());
    if (!HAS(&t, doris_tablet, tablet_state) ||
        t.tablet_state != DORIS_TABLET_NOTREADY)
        return req_fail(r, DORIS_JOB_TABLET_STATE, ARGS());
    return ERR_OK;
}

/* A change that was begun by another node, or under another id, is replaced:
 * the front end decides who does it. */
static enum err
start_schema_change(struct req *r, struct doris_work *w,
                    const struct doris_schema_change *s)
{
    struct doris_schema_change *copy = arena_alloc(r->arena, sizeof(*copy));
    enum err e;

    if (copy == NULL)
        return ERR_NOMEM;
    e = check_schema_change(r, w, s);
    if (e != ERR_OK)
        return e;
    *copy = *s;
    w->job.schema_change = copy;
    return ERR_OK;
}

enum err
doris_job_start(struct req *r, const struct doris_start_job *in)
{
    struct doris_work w = { 0 };
    enum err e;

    e = doris_job_open(r, in->cloud_unique_id, in->job, &w);
    for (size_t i = 0; e == ERR_OK && i < in->job->compaction.n; i++)
        e = start_compaction(r, &w, &in->job->compaction.v[i]);
    if (e == ERR_OK && in->job->schema_change != NULL)
        e = start_schema_change(r, &w, in->job->schema_change);
    if (e == ERR_OK)
        e = doris_job_save(r, &w);
    return e == ERR_OK ? req_ok(r) : e;
}
