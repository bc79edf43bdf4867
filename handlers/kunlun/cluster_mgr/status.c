/* get_status: what has become of a job, as its row says; and its end before its
 * time. */
#include <string.h>

#include "cluster_mgr.h"
#include "store.h"

#define STEPS_WORDS "shard,computer"
#define DOC_BYTES   ((size_t)1 << 20)

TABLE(cluster_status, CLUSTER_STATUS);

/* ---- in words ---- */

/* What a job has left behind when it was done. */
static const char *
last_word(struct arena *a, const struct cluster_job *j, const struct job *job)
{
    struct cluster_result out;

    if (HAS(job, job, result) &&
        record_read(a, &cluster_result_rec, job->result.p, job->result.n, 0,
                    &out) == ERR_OK &&
        HAS(&out, cluster_result, info))
        return out.info;
    return j->log;
}

const char *
cluster_job_info(struct arena *a, const struct cluster_job *j,
                 const struct job *job)
{
    switch (job->state) {
    case JOB_DONE:
        return last_word(a, j, job);
    case JOB_FAILED:
    case JOB_CANCELLED:
        return HAS(job, job, error) ? job->error : "cancelled";
    case JOB_QUEUED:
        return j->start;
    default:
        return job->state == JOB_RUNNING && job->step == 0 ? j->start
                                                           : j->working;
    }
}

static const char *
progress(struct arena *a, const struct job *job)
{
    const char *s;

    if (job->state == JOB_QUEUED)
        return !str_empty(job->progress) ? job->progress : "waits for a runner";
    s = job->state == JOB_UNDOING
            ? arena_printf(a, "undoes step %d of %d: %s", (int)job->step,
                           (int)job->steps, job->doing)
            : arena_printf(a, "step %d of %d: %s", (int)job->step + 1,
                           (int)job->steps, job->doing);
    if (s != NULL && !str_empty(job->progress))
        s = arena_printf(a, "%s: %s", s, job->progress);
    return s != NULL ? s : "";
}

static const char *
word(const struct job *job)
{
    return job->state == JOB_DONE  ? "done"
           : job->state > JOB_DONE ? "failed"
                                   : "ongoing";
}

/* ---- flat: by the client's id ---- */

static enum err
status_flat(struct req *r)
{
    struct cluster_status *out = arena_alloc(r->arena, sizeof(*out));
    const struct json *id = json_member(r->json, "job_id");
    const struct cluster_job *j;
    struct job job;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    if (id == NULL || json_type(id) != JSON_STRING || str_empty(json_text(id)))
        return req_fail(r, CLUSTER_GET_JOB_ID, ARGS());
    *out = (struct cluster_status){ 0 };
    e = job_find(r->db, r->arena, CLUSTER_QUEUE, NULL, json_text(id), &job);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    j = e == ERR_OK ? cluster_job_of_kind(job.kind) : NULL;
    PUT(out, cluster_status, result, j != NULL ? word(&job) : "ongoing");
    PUT(out, cluster_status, info,
        j != NULL ? cluster_job_info(r->arena, j, &job) : "job id no find");
    if (j != NULL && job.state < JOB_DONE)
        PUT(out, cluster_status, progress, progress(r->arena, &job));
    return req_send(r, &cluster_status_rec, out);
}

/* ---- in paras: by our number ---- */

static void
put_id(struct json_writer *w, const char *key, int64_t id)
{
    char text[32];
    struct buf b = BUF_ON(text);

    buf_i64(&b, id);
    jw_key_str(w, key, buf_text(&b));
}

static void
put_shard_steps(struct json_writer *w, const struct cluster_told *t)
{
    jw_key(w, "shard_step");
    jw_array(w);
    for (size_t i = 0; i < t->shards.n; i++) {
        const struct cluster_part_step *s = &t->shards.v[i];

        jw_object(w);
        jw_key(w, "shard_ids");
        jw_array(w);
        jw_object(w);
        put_id(w, or_empty(s->name), s->id);
        jw_object_end(w);
        jw_array_end(w);
        jw_key_str(w, "storage_state", or_empty(s->state));
        jw_key_str(w, "storage_hosts", or_empty(s->hosts));
        jw_key_str(w, "error_info", or_empty(s->error));
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void
put_computer_steps(struct json_writer *w, const struct cluster_told *t)
{
    jw_key(w, "computer_step");
    jw_array(w);
    for (size_t i = 0; i < t->comps.n; i++) {
        const struct cluster_part_step *s = &t->comps.v[i];

        jw_object(w);
        jw_key_str(w, "computer_hosts", or_empty(s->hosts));
        put_id(w, "computer_id", s->id);
        jw_key_str(w, "computer_state", or_empty(s->state));
        jw_key_str(w, "error_info", or_empty(s->error));
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* Whatever was told, the members are there: XPanel takes them for granted. */
static enum err
read_told(struct req *r, const struct job *job, struct cluster_told *out)
{
    const char *doc, *state = job->state == JOB_DONE  ? "done"
                              : job->state > JOB_DONE ? "failed"
                                                      : "prepare";
    enum err e = cluster_store_told(r->db, r->arena, job->id, &doc);

    *out = (struct cluster_told){ .storage_state = state,
                                  .computer_state = state };
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    e = record_read(r->arena, &cluster_told_rec, doc, strlen(doc), 0, out);
    if (job->state >= JOB_DONE) /* whoever was killed has told an older one */
        out->storage_state = out->computer_state = state;
    return e;
}

static enum err
attachment(struct req *r, const struct cluster_job *j, const struct job *job,
           struct span *out)
{
    struct buf b = BUF_INIT(DOC_BYTES);
    struct cluster_told told;
    struct json_writer w;
    const char *text;
    enum err e = ERR_OK;

    jw_init(&w, &b, &json_compact);
    jw_object(&w);
    if (j->shows_steps)
        e = read_told(r, job, &told);
    if (e == ERR_OK && j->shows_steps) {
        jw_key_str(&w, "job_steps", STEPS_WORDS);
        jw_key_str(&w, "storage_state", or_empty(told.storage_state));
        jw_key_str(&w, "computer_state", or_empty(told.computer_state));
        put_shard_steps(&w, &told);
        put_computer_steps(&w, &told);
    }
    jw_key_str(&w, "info", cluster_job_info(r->arena, j, job));
    if (job->state < JOB_DONE)
        jw_key_str(&w, "progress", progress(r->arena, job));
    jw_object_end(&w);
    if (e != ERR_OK) {
        buf_free(&b);
        return e;
    }
    e = buf_settle(&b, r->arena, &text);
    if (e == ERR_OK)
        *out = (struct span){ text, strlen(text) };
    return e;
}

/* Whether the cluster was named by its id. */
static bool
by_id(struct req *r, const struct job *job)
{
    const struct json *tree, *paras;
    struct json_error why;

    if (json_parse(r->arena, job->shown.p, job->shown.n, JSON_OWN, &tree,
                   &why) != ERR_OK)
        return false;
    paras = json_member(tree, "paras");
    return paras != NULL && json_member(paras, "cluster_id") != NULL;
}

static enum err
find_by_number(struct req *r, struct job *job)
{
    const struct json *id = json_member(r->json, "job_id");
    uint64_t number;
    enum err e = ERR_NOT_FOUND;

    if (id != NULL && json_to_u64(json_text(id), false, &number) == ERR_OK)
        e = job_get(r->db, r->arena, number, job);
    if (e == ERR_OK &&
        (HAS(job, job, parent_id) || cluster_job_of_kind(job->kind) == NULL))
        e = ERR_NOT_FOUND;
    return e == ERR_NOT_FOUND ? req_fail(r, CLUSTER_NO_JOB, ARGS()) : e;
}

static enum err
status_paras(struct req *r)
{
    struct cluster_envelope *out = arena_alloc(r->arena, sizeof(*out));
    const struct cluster_job *j;
    struct job job;
    const char *info;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = find_by_number(r, &job);
    if (e != ERR_OK)
        return e;
    j = cluster_job_of_kind(job.kind);
    info = job.state > JOB_DONE ? cluster_job_info(r->arena, j, &job) : "";
    *out = (struct cluster_envelope){ 0 };
    PUT(out, cluster_envelope, version, "1.0");
    PUT(out, cluster_envelope, error_code,
        job.state > JOB_DONE ? cluster_code(j->type, info, by_id(r, &job))
                             : "0");
    PUT(out, cluster_envelope, error_info, info);
    PUT(out, cluster_envelope, status, word(&job));
    PUT(out, cluster_envelope, job_id,
        arena_printf(r->arena, "%llu", (unsigned long long)job.id));
    PUT(out, cluster_envelope, job_type, j->type);
    e = attachment(r, j, &job, &out->attachment);
    SET(out, cluster_envelope, attachment);
    return req_send_or_fail(r, e, &cluster_envelope_rec, out);
}

enum err
cluster_status_get(struct req *r, const struct cluster_ask *in)
{
    (void)in;
    return cluster_in_paras(r) ? status_paras(r) : status_flat(r);
}

/* ---- its end ---- */

/* By the client's id, or by our number. */
static enum err
find(struct req *r, struct job *job)
{
    const struct json *id = json_member(r->json, "job_id");
    enum err e;

    if (cluster_in_paras(r))
        return find_by_number(r, job);
    if (id == NULL || json_type(id) != JSON_STRING || str_empty(json_text(id)))
        return req_fail(r, CLUSTER_GET_JOB_ID, ARGS());
    e = job_find(r->db, r->arena, CLUSTER_QUEUE, NULL, json_text(id), job);
    if (e == ERR_OK && cluster_job_of_kind(job->kind) == NULL)
        e = ERR_NOT_FOUND;
    return e == ERR_NOT_FOUND ? req_fail(r, CLUSTER_NO_JOB, ARGS()) : e;
}

/* Undone as if it had failed; what only goes forward stops for nobody. */
enum err
cluster_cancel(struct req *r, const struct cluster_ask *in)
{
    const struct cluster_job *j;
    struct job job;
    enum err e = find(r, &job);

    (void)in;
    if (e != ERR_OK)
        return e;
    j = cluster_job_of_kind(job.kind);
    if (j->kind->forward_only && job.state == JOB_RUNNING)
        return req_fail(r, CLUSTER_JOB_GOES_ON, ARGS());
    e = job_cancel(r->db, job.id);
    if (e == ERR_STATE)
        return req_fail(r, CLUSTER_JOB_OVER, ARGS());
    if (e != ERR_OK)
        return e;
    req_audit(r, arena_printf(r->arena, "job %llu", (unsigned long long)job.id),
              NULL, NULL);
    req_wake(r);
    return kunlun_say(r, "done", "cancel job accepted");
}
