/* Jobs of all dialects, by their rows in the store; a kind's name says whose
 * it is. */
#include "jobs.h"

#include <string.h>

#include "console.h"
#include "number.h"

#define PARTS_MAX 1000

TABLE(console_jobs_asked, CONSOLE_JOBS_ASKED);
NO_CHECKS(console_jobs_asked);
TABLE(console_job, CONSOLE_JOB);
TABLE(console_jobs, CONSOLE_JOBS);
TABLE(console_job_ref, CONSOLE_JOB_REF);
NO_CHECKS(console_job_ref);
TABLE(console_job_whole, CONSOLE_JOB_WHOLE);

/* The kind of that name, and whose it is; NULL for one that this version does
 * not know. */
static const struct job_kind *
kind_of(const char *name, const char **dialect)
{
    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct job_kind *const *k = dialects[i]->jobs;

        *dialect = dialects[i]->name;
        for (; k != NULL && *k != NULL; k++)
            if (strcmp((*k)->name, name) == 0)
                return *k;
    }
    return NULL;
}

static void
tell_dialect(struct console_job *j)
{
    const char *name;

    if (kind_of(j->kind, &name) != NULL)
        PUT(j, console_job, dialect, name);
}

enum err
console_jobs_get(struct req *r, const struct console_jobs_asked *in)
{
    size_t limit = CONSOLE_LIMIT_OF(in, console_jobs_asked);
    struct console_jobs *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_console_job all = { 0 };
    struct console_key key;
    uint64_t before = 0;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = console_key_read(r, in->cursor, &key);
    if (e == ERR_OK && !str_empty(key.part[0]) &&
        json_to_u64(key.part[0], false, &before) != ERR_OK)
        return req_fail(r, CONSOLE_CURSOR, ARGS());
    if (e == ERR_OK)
        e = console_store_jobs(r->db, r->arena, in, before, limit + 1, &all);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < all.n; i++)
        tell_dialect(&all.v[i]);
    if (all.n > limit) {
        all.n = limit;
        key = (struct console_key){ { console_key_u64(r->arena,
                                                      all.v[limit - 1].id) } };
        PUT(out, console_jobs, next, console_key_write(r->arena, &key));
    }
    PUT_LIST(out, console_jobs, items, all.n, all.v);
    return req_send(r, &console_jobs_rec, out);
}

static enum err
refuse_unknown(struct req *r, enum err e)
{
    return e == ERR_NOT_FOUND ? req_fail(r, CONSOLE_JOB_UNKNOWN, ARGS()) : e;
}

static enum err
fill(struct req *r, uint64_t id, struct console_job_whole *out)
{
    struct console_jobs_asked parts = { 0 };
    struct job kept = { 0 };
    struct list_of_job_step_row steps = { 0 };
    struct list_of_console_job of = { 0 };
    enum err e = console_store_job(r->db, r->arena, id, out->job);

    PUT(&parts, console_jobs_asked, parent, id);
    if (e == ERR_OK)
        e = job_get(r->db, r->arena, id, &kept);
    if (e == ERR_OK)
        e = job_steps(r->db, r->arena, id, &steps);
    if (e == ERR_OK)
        e = console_store_jobs(r->db, r->arena, &parts, 0, PARTS_MAX, &of);
    if (e != ERR_OK)
        return refuse_unknown(r, e);
    tell_dialect(out->job);
    for (size_t i = 0; i < of.n; i++)
        tell_dialect(&of.v[i]);
    if (HAS(&kept, job, shown))
        PUT(out, console_job_whole, args, kept.shown);
    if (HAS(&kept, job, result))
        PUT(out, console_job_whole, result, kept.result);
    PUT_LIST(out, console_job_whole, done, steps.n, steps.v);
    PUT_LIST(out, console_job_whole, parts, of.n, of.v);
    return ERR_OK;
}

enum err
console_job_get(struct req *r, const struct console_job_ref *in)
{
    struct console_job_whole *out = arena_alloc(r->arena, sizeof(*out));
    struct console_job *job = arena_alloc(r->arena, sizeof(*job));
    enum err e;

    if (out == NULL || job == NULL)
        return ERR_NOMEM;
    PUT(out, console_job_whole, job, job);
    e = fill(r, in->id, out);
    return req_send_or_fail(r, e, &console_job_whole_rec, out);
}

/* Whether it has begun and is of a kind that is not undone. */
static bool
goes_on(const struct console_job *j)
{
    const char *dialect;
    const struct job_kind *k = kind_of(j->kind, &dialect);

    return k != NULL && k->forward_only && j->state == JOB_RUNNING;
}

/* The job and its parts. */
enum err
console_job_cancel(struct req *r, const struct console_job_ref *in)
{
    struct console_job before = { 0 };
    const char *target =
        arena_printf(r->arena, "job %llu", (unsigned long long)in->id);
    enum err e = console_store_job(r->db, r->arena, in->id, &before);

    if (target == NULL)
        return ERR_NOMEM;
    req_audit(r, target, NULL, NULL);
    req_audit_before(r, &console_job_rec, &before);
    if (e == ERR_OK && goes_on(&before))
        return req_fail(r, CONSOLE_JOB_GOES_ON, ARGS());
    if (e == ERR_OK)
        e = job_cancel(r->db, in->id);
    if (e == ERR_STATE)
        return req_fail(r, CONSOLE_JOB_FINISHED, ARGS());
    if (e != ERR_OK)
        return refuse_unknown(r, e);
    PUT(&before, console_job, cancel, true);
    req_audit_after(r, &console_job_rec, &before);
    req_wake(r);
    return req_ok(r);
}
