/* Jobs of tablets end: a compaction's output takes the place of its input, a
 * schema change's new tablet runs; or they are aborted, or their lease is
 * prolonged. One that ends again, or late, finds no job and changes nothing. */

#include <string.h>

#include "clock.h"
#include "doris/doris.h"
#include "job.h"
#include "rowset.h"
#include "rpc.h"
#include "tablet.h"

const struct enum_name doris_action_names[] = { { "UNKONWN",
                                                  DORIS_ACTION_UNKNOWN },
                                                { "COMMIT", DORIS_COMMIT },
                                                { "ABORT", DORIS_ABORT },
                                                { "LEASE", DORIS_LEASE },
                                                { NULL, 0 } };

TABLE(doris_finish_job, DORIS_FINISH_JOB);
TABLE(doris_abort_job, DORIS_START_JOB);
TABLE(doris_finished, DORIS_FINISHED);

NO_CHECKS(doris_abort_job);

static enum err
action_known(struct req *r, const void *in)
{
    const struct doris_finish_job *f = in;

    return f->action == DORIS_ACTION_UNKNOWN
               ? req_fail(r, DORIS_JOB_ACTION, ARGS())
               : ERR_OK;
}

CHECKS(doris_finish_job, NEED(action, DORIS_JOB_ACTION), FN(action_known));

/* ---- the job that is to end ---- */

static enum err
fail_job(struct req *r, int id, const struct doris_work *w,
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
find_running(struct req *r, struct doris_work *w, const struct doris_job *asked,
             const struct doris_compaction *given,
             struct doris_compaction **out)
{
    if (!w->recorded)
        return fail_job(r, DORIS_JOB_UNKNOWN, w, asked);
    if (w->job.compaction.n == 0)
        return fail_job(r, DORIS_JOB_NOT_RUNNING, w, asked);
    *out = str_empty(given->id) ? NULL : doris_job_find(&w->job, given->id);
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
        PUT(s, doris_stats, last_base_compaction_time_ms, now_ms);
    } else if (type == DORIS_COMPACTION_FULL) {
        PUT(s, doris_stats, full_compaction_cnt, s->full_compaction_cnt + 1);
        s->base_compaction_cnt++;
        PUT(s, doris_stats, last_full_compaction_time_ms, now_ms);
    } else {
        s->cumulative_compaction_cnt++;
        PUT(s, doris_stats, last_cumu_compaction_time_ms, now_ms);
    }
    if (type != DORIS_COMPACTION_BASE &&
        c->output_cumulative_point > s->cumulative_point)
        s->cumulative_point = c->output_cumulative_point;
}

/* Whether output less input is a number. */
static bool
difference(const struct doris_compaction *c, struct doris_stats *d)
{
    *d = (struct doris_stats){ 0 };
    if (HAS(c, doris_compaction, index_size_output_rowsets))
        SET(d, doris_stats, index_size);
    if (HAS(c, doris_compaction, segment_size_output_rowsets))
        SET(d, doris_stats, segment_size);
    return !__builtin_sub_overflow(c->size_output_rowsets,
                                   c->size_input_rowsets, &d->data_size) &&
           !__builtin_sub_overflow(c->num_output_rows, c->num_input_rows,
                                   &d->num_rows) &&
           !__builtin_sub_overflow(c->num_output_rowsets, c->num_input_rowsets,
                                   &d->num_rowsets) &&
           !__builtin_sub_overflow(c->num_output_segments,
                                   c->num_input_segments, &d->num_segments) &&
           !__builtin_sub_overflow(c->index_size_output_rowsets,
                                   c->index_size_input_rowsets,
                                   &d->index_size) &&
           !__builtin_sub_overflow(c->segment_size_output_rowsets,
                                   c->segment_size_input_rowsets,
                                   &d->segment_size);
}

/* What it says it has written must fit, and be of the versions that it took
 * at its start: others may have been given to another compaction. */
static enum err
check_output(struct req *r, const struct doris_compaction *given,
             const struct doris_compaction *recorded)
{
    const struct I64 *v = given->input_versions.v;
    const struct I64 *was = recorded->input_versions.v;

    if (given->input_versions.n == 2 && given->txn_id.n == 1 &&
        given->output_rowset_ids.n == 1 &&
        (!doris_job_knows_range(recorded) ||
         (v[0].v == was[0].v && v[1].v == was[1].v)))
        return ERR_OK;
    return req_fail(r, DORIS_JOB_OUTPUT, ARGS());
}

static enum err
fail_tablet(struct req *r, int id, int64_t tablet_id)
{
    return req_fail(r, id, ARGS(arg_i64(r, "tablet", tablet_id)));
}

/* The rowset that was committed for it. */
static enum err
find_output(struct req *r, const struct doris_work *w,
            const struct doris_compaction *c, struct doris_rowset *out)
{
    enum err e;

    e = doris_store_tmp(r->db, r->arena, w->instance_id, c->txn_id.v[0].v,
                        w->tablet_id, out);
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && strcmp(doris_rowset_name(r->arena, out),
                               c->output_rowset_ids.v[0].v) != 0))
        return fail_tablet(r, DORIS_JOB_NO_ROWSET, w->tablet_id);
    return e;
}

static enum err
remove_input(struct req *r, const struct doris_work *w, int64_t from,
             int64_t to)
{
    enum err e;

    e = doris_store_rowsets_whole(r->db, r->arena, w->instance_id, w->tablet_id,
                                  from, to);
    if (e == ERR_NOT_FOUND)
        return fail_tablet(r, DORIS_JOB_FEW, w->tablet_id);
    if (e == ERR_STATE)
        return fail_tablet(r, DORIS_JOB_TORN, w->tablet_id);
    if (e != ERR_OK)
        return e;
    return doris_store_rowsets_recycle(r->db, w->instance_id, w->tablet_id,
                                       from, to, w->now);
}

/* The rowset that the compaction wrote takes the place of its input. */
static enum err
replace_rowsets(struct req *r, const struct doris_work *w,
                const struct doris_compaction *c)
{
    int64_t from = c->input_versions.v[0].v, to = c->input_versions.v[1].v;
    struct doris_rowset rs;
    enum err e;

    e = find_output(r, w, c, &rs);
    if (e == ERR_OK)
        e = remove_input(r, w, from, to);
    if (e == ERR_OK)
        e = doris_store_tmp_drop(r->db, w->instance_id, c->txn_id.v[0].v,
                                 w->tablet_id);
    if (e != ERR_OK)
        return e;
    doris_rowset_visible(&rs, from, to);
    return doris_store_rowset_add(r->db, r->arena, w->instance_id, &rs);
}

/* The rowsets, and the sizes of the statistics. */
static enum err
apply_output(struct req *r, const struct doris_work *w,
             const struct doris_compaction *given,
             const struct doris_compaction *recorded)
{
    struct doris_stats d;
    enum err e;

    e = check_output(r, given, recorded);
    if (e == ERR_OK && !difference(given, &d))
        return req_fail(r, DORIS_JOB_FIGURES, ARGS());
    if (e == ERR_OK)
        e = replace_rowsets(r, w, given);
    return e == ERR_OK
               ? doris_store_stats_add(r->db, w->instance_id, w->tablet_id, &d)
               : e;
}

/* given has the outcome; what was recorded at the start says of which kind it
 * is. */
static enum err
commit_compaction(struct req *r, struct doris_work *w,
                  const struct doris_compaction *given,
                  struct doris_compaction *recorded)
{
    enum doris_compaction_type type =
        (enum doris_compaction_type)recorded->type;
    enum err e;

    e = doris_job_check_alter(r, w, given);
    if (e == ERR_OK && type != DORIS_COMPACTION_EMPTY)
        e = apply_output(r, w, given, recorded);
    if (e != ERR_OK)
        return e;
    count(&w->stats, given, type);
    doris_job_take_out(&w->job, recorded);
    return doris_store_stats_set(r->db, w->instance_id, &w->stats);
}

static enum err
finish_compaction(struct req *r, struct doris_work *w,
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
        doris_job_take_out(&w->job, recorded);
        return ERR_OK;
    }
    if (given->lease <= 0)
        return req_fail(r, DORIS_JOB_NO_LEASE, ARGS());
    if (given->lease > recorded->lease) /* else it comes late */
        recorded->lease = given->lease;
    return ERR_OK;
}

/* ---- end a schema change ---- */

/* What the change is about: its new tablet, and how much that grows. */
struct altered {
    int64_t tablet_id;
    struct doris_stats grows;
};

/* Whether what is left is a number. */
static bool
subtract(struct doris_stats *from, const struct doris_stats *s)
{
    if (__builtin_sub_overflow(from->data_size, s->data_size,
                               &from->data_size) ||
        __builtin_sub_overflow(from->num_rows, s->num_rows, &from->num_rows) ||
        __builtin_sub_overflow(from->num_rowsets, s->num_rowsets,
                               &from->num_rowsets) ||
        __builtin_sub_overflow(from->num_segments, s->num_segments,
                               &from->num_segments))
        return false;
    if (!HAS(s, doris_stats, index_size))
        return true;
    SET(from, doris_stats, index_size);
    SET(from, doris_stats, segment_size);
    return !__builtin_sub_overflow(from->index_size, s->index_size,
                                   &from->index_size) &&
           !__builtin_sub_overflow(from->segment_size, s->segment_size,
                                   &from->segment_size);
}

/* Up to which version the change has copied. */
static int64_t
copied_to(const struct doris_schema_change *recorded,
          const struct doris_schema_change *given)
{
    size_t n = given->output_versions.n;

    if (HAS(recorded, doris_schema_change, alter_version))
        return recorded->alter_version;
    return n > 0 ? given->output_versions.v[n - 1].v : 0;
}

/* Loads write to both tablets while the change goes on: those of the new one
 * that the change has copied too go. Its first rowset (0-1) stays. */
static enum err
remove_doubles(struct req *r, const struct doris_work *w, int64_t to,
               struct altered *a)
{
    struct list_of_doris_rowset list;
    enum err e;

    e = doris_store_rowsets(r->db, r->arena, w->instance_id, a->tablet_id, 2,
                            to, &list);
    if (e != ERR_OK || list.n == 0)
        return e;
    for (size_t i = 0; i < list.n; i++) {
        struct doris_stats one = doris_rowset_figures(&list.v[i]);

        if (!subtract(&a->grows, &one))
            return req_fail(r, DORIS_JOB_FIGURES, ARGS());
    }
    return doris_store_rowsets_recycle(r->db, w->instance_id, a->tablet_id, 2,
                                       to, w->now);
}

/* A rowset that was written for the new tablet is visible in it. */
static enum err
publish(struct req *r, const struct doris_work *w, int64_t tablet_id,
        int64_t txn_id, int64_t version)
{
    struct doris_rowset rs;
    int64_t from = version;
    enum err e;

    e = doris_store_tmp(r->db, r->arena, w->instance_id, txn_id, tablet_id,
                        &rs);
    if (e == ERR_NOT_FOUND)
        return fail_tablet(r, DORIS_JOB_NO_ROWSET, tablet_id);
    if (e == ERR_OK)
        e = doris_store_tmp_drop(r->db, w->instance_id, txn_id, tablet_id);
    if (e != ERR_OK)
        return e;
    if (HAS(&rs, doris_rowset, start_version))
        from = rs.start_version;
    doris_rowset_visible(&rs, from, version);
    return doris_store_rowset_add(r->db, r->arena, w->instance_id, &rs);
}

/* The new tablet runs from now on. */
static enum err
let_run(struct req *r, const struct doris_work *w,
        const struct doris_schema_change *s, const struct altered *a)
{
    struct doris_tablet t;
    struct doris_stats now;
    enum err e;

    e = doris_store_stats_add(r->db, w->instance_id, a->tablet_id, &a->grows);
    if (e == ERR_OK)
        e = doris_store_tablet(r->db, r->arena, w->instance_id, a->tablet_id,
                               &t);
    if (e == ERR_OK)
        e = doris_store_stats(r->db, r->arena, w->instance_id, a->tablet_id,
                              &now);
    if (e != ERR_OK)
        return e;
    PUT(&t, doris_tablet, tablet_state, DORIS_TABLET_RUNNING);
    if (s->output_cumulative_point > now.cumulative_point)
        now.cumulative_point = s->output_cumulative_point;
    e = doris_store_stats_set(r->db, w->instance_id, &now);
    return e == ERR_OK
               ? doris_store_tablet_save(r->db, r->arena, w->instance_id, &t)
               : e;
}

static enum err
commit_schema_change(struct req *r, const struct doris_work *w,
                     const struct doris_schema_change *s)
{
    const struct doris_schema_change *recorded = w->job.schema_change;
    struct altered a = {
        .tablet_id = recorded->new_tablet_idx->tablet_id,
        .grows = { .data_size = s->size_output_rowsets,
                   .num_rows = s->num_output_rows,
                   .num_rowsets = s->num_output_rowsets,
                   .num_segments = s->num_output_segments },
    };
    enum err e;

    if (s->txn_ids.n != s->output_versions.n)
        return req_fail(r, DORIS_JOB_OUTPUT, ARGS());
    e = doris_store_tablet_lock(r->db, w->instance_id, a.tablet_id);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, w->instance_id, a.tablet_id);
    if (e == ERR_OK)
        e = remove_doubles(r, w, copied_to(recorded, s), &a);
    for (size_t i = 0; e == ERR_OK && i < s->txn_ids.n; i++)
        e = publish(r, w, a.tablet_id, s->txn_ids.v[i].v,
                    s->output_versions.v[i].v);
    return e == ERR_OK ? let_run(r, w, s, &a) : e;
}

static enum err
finish_schema_change(struct req *r, struct doris_work *w,
                     const struct doris_finish_job *in)
{
    const struct doris_schema_change *given = in->job->schema_change;
    struct doris_schema_change *there = w->job.schema_change;
    enum err e = ERR_OK;

    if (!w->recorded)
        return fail_job(r, DORIS_JOB_UNKNOWN, w, in->job);
    if (there == NULL)
        return fail_job(r, DORIS_JOB_NO_CHANGE, w, in->job);
    if (str_empty(given->id) || strcmp(given->id, there->id) != 0)
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

/* What compactions have written and will not commit any more. A tablet that is
 * not running yet has rowsets of the schema change that fills it. */
static enum err
clear_output(struct req *r, const struct doris_work *w)
{
    if (w->job.compaction.n > 0 || w->stats.state != DORIS_TABLET_RUNNING)
        return ERR_OK;
    return doris_store_tmp_stray(r->db, w->instance_id, w->tablet_id, w->now);
}

static enum err
finish(struct req *r, const struct doris_finish_job *in, struct doris_work *w)
{
    enum err e;

    e = doris_job_open(r, in->cloud_unique_id, in->job, w);
    for (size_t i = 0; e == ERR_OK && i < in->job->compaction.n; i++)
        e = finish_compaction(r, w, in, &in->job->compaction.v[i]);
    if (e == ERR_OK && in->job->schema_change != NULL)
        e = finish_schema_change(r, w, in);
    if (e == ERR_OK && in->action == DORIS_ABORT)
        e = clear_output(r, w);
    if (e == ERR_OK)
        e = doris_job_save(r, w);
    if (e == ERR_OK)
        e = doris_store_stats(r->db, r->arena, w->instance_id, w->tablet_id,
                              &w->stats);
    return e;
}

enum err
doris_job_finish(struct req *r, const struct doris_finish_job *in)
{
    struct doris_finished *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_work *w = arena_alloc(r->arena, sizeof(*w));
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
    struct doris_work w = { 0 };
    enum err e;

    e = finish(r, &as, &w);
    return e == ERR_OK ? doris_send_text(r, NULL, NULL) : e;
}
