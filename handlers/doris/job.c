/* Jobs of tablets: compactions, several at once where they do not touch the
 * same versions, and one schema change. The record of a tablet's jobs is read
 * and written under the tablet's lock. */
#include <string.h>

#include "clock.h"
#include "store.h"
#include "store_rpc.h"

/* One request about the jobs of a tablet. */
struct work {
    const char *instance_id;
    int64_t tablet_id, now;
    struct doris_job job;
    struct doris_stats stats;
    bool recorded; /* the tablet has a record of jobs */
};

static bool
empty(const char *s)
{
    return s == NULL || *s == '\0';
}

/* ---- the tablet ---- */

static enum err
open_tablet(struct req *r, const char *cloud_unique_id,
            const struct doris_job *asked, struct work *w)
{
    enum err e;

    w->now = doris_now();
    e = doris_rpc_instance(r, cloud_unique_id, DORIS_JOB_CUID, &w->instance_id);
    if (e != ERR_OK)
        return e;
    if (asked == NULL ||
        (asked->compaction.n == 0 && asked->schema_change == NULL))
        return req_fail(r, DORIS_JOB_NONE, ARGS());
    w->tablet_id = asked->idx == NULL ? 0 : asked->idx->tablet_id;
    if (w->tablet_id <= 0)
        return req_fail(r, DORIS_JOB_TABLET, ARGS());
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

static enum err
save(struct req *r, struct work *w)
{
    w->job.idx = w->stats.idx;
    return doris_store_job_put(r->db, r->arena, w->instance_id, w->tablet_id,
                               &w->job);
}

static struct doris_compaction *
find(struct doris_job *job, const char *id)
{
    for (size_t i = 0; i < job->compaction.n; i++)
        if (job->compaction.v[i].id != NULL &&
            strcmp(job->compaction.v[i].id, id) == 0)
            return &job->compaction.v[i];
    return NULL;
}

static void
take_out(struct doris_job *job, const struct doris_compaction *c)
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
clear_way(struct work *w, const struct doris_compaction *c)
{
    struct doris_job *job = &w->job;

    for (size_t i = job->compaction.n; i > 0; i--)
        if (has_expired(&job->compaction.v[i - 1], w->now) ||
            (c->type == DORIS_COMPACTION_FULL &&
             strcmp(job->compaction.v[i - 1].id, c->id) != 0))
            take_out(job, &job->compaction.v[i - 1]);
}

static bool
knows_range(const struct doris_compaction *c)
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
    if (!knows_range(a) || !knows_range(b))
        return true;
    return a->input_versions.v[0].v <= b->input_versions.v[1].v &&
           b->input_versions.v[0].v <= a->input_versions.v[1].v;
}

/* The versions that are being compacted, so that the node may try others. */
static enum err
fail_busy(struct req *r, const struct work *w, const struct doris_compaction *c,
          const struct doris_compaction *by)
{
    struct doris_started *more = arena_alloc(r->arena, sizeof(*more));
    struct I64 *v =
        arena_array(r->arena, 2 * w->job.compaction.n + 1, sizeof(*v));
    size_t n = 0;

    if (more == NULL || v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; knows_range(by) && i < w->job.compaction.n; i++) {
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
check_compaction(struct req *r, const struct work *w,
                 const struct doris_compaction *c)
{
    if (empty(c->id))
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
static enum err
check_alter(struct req *r, const struct work *w,
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
    more->alter_version = s->alter_version;
    SET(more, doris_started, alter_version);
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
start_compaction(struct req *r, struct work *w,
                 const struct doris_compaction *c)
{
    enum err e;

    e = check_compaction(r, w, c);
    if (e == ERR_OK)
        e = check_alter(r, w, c);
    if (e != ERR_OK)
        return e;
    clear_way(w, c);
    if (find(&w->job, c->id) != NULL)
        return ERR_OK; /* the same again */
    for (size_t i = 0; i < w->job.compaction.n; i++)
        if (conflict(&w->job.compaction.v[i], c))
            return fail_busy(r, w, c, &w->job.compaction.v[i]);
    e = append(r, &w->job, c);
    return e == ERR_OK ? save(r, w) : e;
}

/* ---- start a schema change ---- */

static enum err
check_schema_change(struct req *r, const struct work *w,
                    const struct doris_schema_change *s)
{
    struct doris_tablet t;
    int64_t id = s->new_tablet_idx == NULL ? 0 : s->new_tablet_idx->tablet_id;
    enum err e;

    if (empty(s->id))
        return req_fail(r, DORIS_JOB_NO_ID, ARGS());
    if (empty(s->initiator))
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
start_schema_change(struct req *r, struct work *w,
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
    return save(r, w);
}

enum err
doris_job_start(struct req *r, const struct doris_start_job *in)
{
    struct work w = { 0 };
    enum err e;

    e = open_tablet(r, in->cloud_unique_id, in->job, &w);
    for (size_t i = 0; e == ERR_OK && i < in->job->compaction.n; i++)
        e = start_compaction(r, &w, &in->job->compaction.v[i]);
    if (e == ERR_OK && in->job->schema_change != NULL)
        e = start_schema_change(r, &w, in->job->schema_change);
    return e == ERR_OK ? req_ok(r) : e;
}

/* ---- the job that is to end ---- */

static enum err
fail_job(struct req *r, int id, const struct work *w,
         const struct doris_job *asked)
{
    return req_fail(r, id,
                    ARGS(arg_i64(r, "tablet", w->tablet_id),
                         arg("instance", w->instance_id),
                         arg_json(r, "recorded", &doris_job_rec, &w->job),
                         arg_json(r, "given", &doris_job_rec, asked)));
}

/* The recorded compaction of a given one. */
static enum err
find_running(struct req *r, struct work *w, const struct doris_job *asked,
             const struct doris_compaction *given,
             struct doris_compaction **out)
{
    if (!w->recorded)
        return fail_job(r, DORIS_JOB_UNKNOWN, w, asked);
    if (w->job.compaction.n == 0)
        return fail_job(r, DORIS_JOB_NOT_RUNNING, w, asked);
    *out = empty(given->id) ? NULL : find(&w->job, given->id);
    if (*out == NULL)
        return fail_job(r, DORIS_JOB_UNMATCHED, w, asked);
    if ((*out)->expiration > 0 && (*out)->expiration < w->now)
        return fail_job(r, DORIS_JOB_EXPIRED, w, asked);
    return ERR_OK;
}

/* ---- commit a compaction ---- */

/* The counters, and how far cumulative compaction has come. */
static void
count(struct doris_stats *s, const struct doris_compaction *c,
      enum doris_compaction_type type)
{
    int64_t now_ms = clock_unix_ms();

    if (type == DORIS_COMPACTION_BASE) {
        s->base_compaction_cnt++;
        s->last_base_compaction_time_ms = now_ms;
        SET(s, doris_stats, last_base_compaction_time_ms);
    } else if (type == DORIS_COMPACTION_FULL) {
        s->full_compaction_cnt++;
        s->base_compaction_cnt++;
        s->last_full_compaction_time_ms = now_ms;
        SET(s, doris_stats, full_compaction_cnt);
        SET(s, doris_stats, last_full_compaction_time_ms);
    } else {
        s->cumulative_compaction_cnt++;
        s->last_cumu_compaction_time_ms = now_ms;
        SET(s, doris_stats, last_cumu_compaction_time_ms);
    }
    if (type != DORIS_COMPACTION_BASE &&
        c->output_cumulative_point > s->cumulative_point)
        s->cumulative_point = c->output_cumulative_point;
}

static struct doris_stats
difference(const struct doris_compaction *c)
{
    struct doris_stats d = {
        .data_size = c->size_output_rowsets - c->size_input_rowsets,
        .num_rows = c->num_output_rows - c->num_input_rows,
        .num_rowsets = c->num_output_rowsets - c->num_input_rowsets,
        .num_segments = c->num_output_segments - c->num_input_segments,
        .index_size =
            c->index_size_output_rowsets - c->index_size_input_rowsets,
        .segment_size =
            c->segment_size_output_rowsets - c->segment_size_input_rowsets,
    };

    if (HAS(c, doris_compaction, index_size_output_rowsets))
        SET(&d, doris_stats, index_size);
    if (HAS(c, doris_compaction, segment_size_output_rowsets))
        SET(&d, doris_stats, segment_size);
    return d;
}

/* The rowset that the compaction wrote takes the place of its input. */
static enum err
replace_rowsets(struct req *r, const struct work *w,
                const struct doris_compaction *c)
{
    struct doris_rowset rs;
    uint64_t n;
    enum err e;

    if (c->input_versions.n != 2 || c->txn_id.n != 1 ||
        c->output_rowset_ids.n != 1)
        return req_fail(r, DORIS_JOB_OUTPUT, ARGS());
    e = doris_store_tmp(r->db, r->arena, w->instance_id, c->txn_id.v[0].v,
                        w->tablet_id, &rs);
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && strcmp(doris_rowset_name(r->arena, &rs),
                               c->output_rowset_ids.v[0].v) != 0))
        return req_fail(r, DORIS_JOB_NO_ROWSET,
                        ARGS(arg_i64(r, "tablet", w->tablet_id)));
    if (e == ERR_OK)
        e = doris_store_rowsets_replace(r->db, w->instance_id, w->tablet_id,
                                        c->input_versions.v[0].v,
                                        c->input_versions.v[1].v, w->now, &n);
    if (e == ERR_OK && n == 0)
        return req_fail(r, DORIS_JOB_FEW,
                        ARGS(arg_i64(r, "tablet", w->tablet_id)));
    if (e == ERR_OK)
        e = doris_store_tmp_drop(r->db, w->instance_id, c->txn_id.v[0].v,
                                 w->tablet_id);
    rs.start_version = c->input_versions.v[0].v;
    rs.end_version = c->input_versions.v[1].v;
    rs.rowset_state = 2;
    SET(&rs, doris_rowset, start_version);
    SET(&rs, doris_rowset, end_version);
    SET(&rs, doris_rowset, rowset_state);
    return e == ERR_OK
               ? doris_store_rowset_add(r->db, r->arena, w->instance_id, &rs)
               : e;
}

/* given has the outcome; what was recorded at the start says of which kind it
 * is. */
static enum err
commit_compaction(struct req *r, struct work *w,
                  const struct doris_compaction *given,
                  struct doris_compaction *recorded)
{
    struct doris_stats d = difference(given);
    enum doris_compaction_type type =
        (enum doris_compaction_type)recorded->type;
    enum err e;

    e = check_alter(r, w, given);
    if (e == ERR_OK && type != DORIS_COMPACTION_EMPTY)
        e = replace_rowsets(r, w, given);
    if (e == ERR_OK && type != DORIS_COMPACTION_EMPTY)
        e = doris_store_stats_add(r->db, w->instance_id, w->tablet_id, &d);
    if (e != ERR_OK)
        return e;
    count(&w->stats, given, type);
    take_out(&w->job, recorded);
    return doris_store_stats_set(r->db, w->instance_id, &w->stats);
}

static enum err
finish_compaction(struct req *r, struct work *w,
                  const struct doris_finish_job *in,
                  const struct doris_compaction *given)
{
    struct doris_compaction *recorded = NULL;
    enum err e;

    e = find_running(r, w, in->job, given, &recorded);
    if (e != ERR_OK)
        return e;
    if (in->action == DORIS_COMMIT)
        return commit_compaction(r, w, given, recorded);
    if (in->action == DORIS_ABORT) {
        take_out(&w->job, recorded);
        return ERR_OK;
    }
    if (given->lease <= 0)
        return req_fail(r, DORIS_JOB_NO_LEASE, ARGS());
    recorded->lease = given->lease;
    return ERR_OK;
}

/* ---- end a schema change ---- */

/* The new tablet runs, with the rowsets that were written for it. */
static enum err
commit_schema_change(struct req *r, struct work *w,
                     const struct doris_schema_change *s)
{
    int64_t id = w->job.schema_change->new_tablet_idx->tablet_id;
    struct doris_stats d = { .data_size = s->size_output_rowsets,
                             .num_rows = s->num_output_rows,
                             .num_rowsets = s->num_output_rowsets,
                             .num_segments = s->num_output_segments };
    struct doris_tablet t;
    struct doris_stats now;
    struct doris_rowset rs;
    enum err e;

    if (s->txn_ids.n != s->output_versions.n)
        return req_fail(r, DORIS_JOB_OUTPUT, ARGS());
    e = doris_store_stats_add(r->db, w->instance_id, id, &d);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, w->instance_id, id);
    for (size_t i = 0; e == ERR_OK && i < s->txn_ids.n; i++) {
        e = doris_store_tmp(r->db, r->arena, w->instance_id, s->txn_ids.v[i].v,
                            id, &rs);
        if (e == ERR_NOT_FOUND)
            return req_fail(r, DORIS_JOB_NO_ROWSET,
                            ARGS(arg_i64(r, "tablet", id)));
        rs.end_version = s->output_versions.v[i].v;
        SET(&rs, doris_rowset, end_version);
        if (!HAS(&rs, doris_rowset, start_version)) {
            rs.start_version = rs.end_version;
            SET(&rs, doris_rowset, start_version);
        }
        if (e == ERR_OK)
            e = doris_store_tmp_drop(r->db, w->instance_id, s->txn_ids.v[i].v,
                                     id);
        if (e == ERR_OK)
            e = doris_store_rowset_add(r->db, r->arena, w->instance_id, &rs);
    }
    if (e == ERR_OK)
        e = doris_store_tablet(r->db, r->arena, w->instance_id, id, &t);
    if (e == ERR_OK)
        e = doris_store_stats(r->db, r->arena, w->instance_id, id, &now);
    if (e != ERR_OK)
        return e;
    t.tablet_state = DORIS_TABLET_RUNNING;
    SET(&t, doris_tablet, tablet_state);
    if (s->output_cumulative_point > now.cumulative_point)
        now.cumulative_point = s->output_cumulative_point;
    e = doris_store_stats_set(r->db, w->instance_id, &now);
    return e == ERR_OK
               ? doris_store_tablet_save(r->db, r->arena, w->instance_id, &t)
               : e;
}

static enum err
finish_schema_change(struct req *r, struct work *w,
                     const struct doris_finish_job *in)
{
    const struct doris_schema_change *given = in->job->schema_change;
    struct doris_schema_change *there = w->job.schema_change;
    enum err e = ERR_OK;

    if (!w->recorded)
        return fail_job(r, DORIS_JOB_UNKNOWN, w, in->job);
    if (there == NULL)
        return fail_job(r, DORIS_JOB_NO_CHANGE, w, in->job);
    if (empty(given->id) || strcmp(given->id, there->id) != 0)
        return fail_job(r, DORIS_JOB_UNMATCHED, w, in->job);
    if (there->expiration > 0 && there->expiration < w->now)
        return fail_job(r, DORIS_JOB_EXPIRED, w, in->job);
    if (in->action == DORIS_LEASE)
        return ERR_OK; /* a schema change has no lease */
    if (in->action == DORIS_COMMIT)
        e = commit_schema_change(r, w, given);
    w->job.schema_change = NULL;
    UNSET(&w->job, doris_job, schema_change);
    return e;
}

/* ---- finish, abort ---- */

static enum err
finish(struct req *r, const struct doris_finish_job *in, struct work *w)
{
    enum err e;

    e = open_tablet(r, in->cloud_unique_id, in->job, w);
    for (size_t i = 0; e == ERR_OK && i < in->job->compaction.n; i++)
        e = finish_compaction(r, w, in, &in->job->compaction.v[i]);
    if (e == ERR_OK && in->job->schema_change != NULL)
        e = finish_schema_change(r, w, in);
    if (e == ERR_OK)
        e = save(r, w);
    if (e == ERR_OK)
        e = doris_store_stats(r->db, r->arena, w->instance_id, w->tablet_id,
                              &w->stats);
    return e;
}

enum err
doris_job_finish(struct req *r, const struct doris_finish_job *in)
{
    struct doris_finished *out = arena_alloc(r->arena, sizeof(*out));
    struct work *w = arena_alloc(r->arena, sizeof(*w));
    enum err e;

    if (out == NULL || w == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = finish(r, in, w);
    if (e == ERR_OK && in->action == DORIS_COMMIT)
        out->stats = &w->stats;
    return req_send_or_fail(r, e, &doris_finished_rec, out);
}

enum err
doris_job_abort(struct req *r, const struct doris_abort_job *in)
{
    struct doris_finish_job as = { .cloud_unique_id = in->cloud_unique_id,
                                   .action = DORIS_ABORT,
                                   .job = in->job };
    struct work w = { 0 };
    enum err e;

    e = finish(r, &as, &w);
    return e == ERR_OK ? doris_send_text(r, NULL, NULL) : e;
}
