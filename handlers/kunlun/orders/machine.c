/* create_machine, update_machine, delete_machine. The directories are looked at
 * by the machine itself; nothing is registered that it has not found good. */
#include <string.h>

#include "clock.h"
#include "keeper.h"
#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "kunlun/node_mgr/jobs.h"
#include "store.h"

#define PART       "paths"
#define SILENT_MS  10000 /* nobody has begun to look: nobody is there */
#define LONGEST_MS 60000
#define RETRY_MS   200

struct order {
    enum err (*write)(struct db *db, const struct cluster_want *w);
    enum err before; /* what looking for the machine has to answer */
    const char *refusal;
};
static const struct order create = { orders_machine_add, ERR_NOT_FOUND,
                                     SAYS_MACHINE_IS_THERE };
static const struct order update = { orders_machine_set, ERR_OK,
                                     SAYS_NO_MACHINE };

static enum step_answer
find(struct job_run *run)
{
    const struct order *o = run->kind->of;
    struct cluster_want w;
    enum err e;

    if (!cluster_wants(run, &w))
        return STEP_FAILED;
    e = orders_machine(run->db, &w);
    if (e == o->before)
        return STEP_DONE;
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return job_waits_for_store(run, RETRY_MS, e);
    job_fails(run, "%s", o->refusal);
    return STEP_FAILED;
}

static enum err
ask(struct job_run *run, const struct cluster_want *w)
{
    struct node_roots_asked in = { 0 };
    struct job_new n = { .kind = &node_paths_kind, .machine = w->ip };
    uint64_t id;
    enum err e;

    PUT(&in, node_roots_asked, datadir, w->datadir);
    PUT(&in, node_roots_asked, logdir, w->logdir);
    PUT(&in, node_roots_asked, wal_log_dir, w->wal_log_dir);
    PUT(&in, node_roots_asked, comp_datadir, w->comp_datadir);
    e = job_new_args(run->arena, &n, &node_roots_asked_rec, &in);
    return e == ERR_OK ? job_part(run, PART, &n, &id) : e;
}

/* The bad ones, as the machine has told; NULL: it has not. */
static const char *
told(struct job_run *run, const struct job *part)
{
    const struct json *tree, *info;
    struct json_error why;

    if (part->state != JOB_DONE || !HAS(part, job, result) ||
        json_parse(run->arena, part->result.p, part->result.n, JSON_OWN, &tree,
                   &why) != ERR_OK)
        return NULL;
    info = json_member(tree, "info");
    return info != NULL ? json_text(info) : NULL;
}

static enum step_answer
judge(struct job_run *run, const struct cluster_want *w, const struct job *part)
{
    int64_t age_ms = clock_unix_ms() - part->created_ms;
    int64_t most_ms = part->state == JOB_QUEUED ? SILENT_MS : LONGEST_MS;
    const char *bad = told(run, part);

    if (bad != NULL && str_empty(bad))
        return STEP_DONE;
    if (part->state < JOB_DONE && age_ms <= most_ms) {
        job_waits(run, RETRY_MS, "waits for %s", w->ip);
        return STEP_AGAIN;
    }
    job_fails(run, "%s is error", bad != NULL ? bad : w->ip);
    return STEP_FAILED;
}

static enum step_answer
look(struct job_run *run)
{
    struct list_of_job parts = { 0 };
    struct cluster_want w;
    enum err e;

    if (!cluster_wants(run, &w))
        return STEP_FAILED;
    e = ask(run, &w);
    if (e == ERR_OK)
        e = job_parts(run, PART, &parts);
    if (e != ERR_OK || parts.n != 1)
        return job_waits_for_store(run, RETRY_MS, e);
    return judge(run, &w, &parts.v[0]);
}

/* Nobody is to look for a job that is over. */
static enum step_answer
look_undo(struct job_run *run)
{
    struct list_of_job parts;
    enum err e = job_parts(run, PART, &parts);

    for (size_t i = 0; e == ERR_OK && i < parts.n; i++) {
        e = job_cancel(run->db, parts.v[i].id);
        if (e == ERR_STATE)
            e = ERR_OK; /* it is over */
    }
    return e == ERR_OK ? STEP_DONE : job_waits_for_store(run, RETRY_MS, e);
}

static enum step_answer
write(struct job_run *run)
{
    const struct order *o = run->kind->of;
    struct cluster_want w;
    enum err e;

    if (!cluster_wants(run, &w))
        return STEP_FAILED;
    e = job_begin(run);
    if (e == ERR_OK)
        e = o->write(run->db, &w);
    e = db_end(run->db, e);
    if (e == ERR_OK)
        return cluster_done(run, NULL);
    if (e != ERR_EXISTS && e != ERR_NOT_FOUND)
        return job_waits_for_store(run, RETRY_MS, e);
    job_fails(run, "%s", o->refusal);
    return STEP_FAILED;
}

static const struct job_step steps[] = {
    { "find the machine", find, NULL },
    { "look at its directories", look, look_undo },
    { "register it", write, NULL },
};

CLUSTER_JOB(create_machine, steps, COUNT(steps), .of = &create);
CLUSTER_JOB(update_machine, steps, COUNT(steps), .of = &update);

/* ---- and away ---- */

static enum step_answer
drop(struct job_run *run)
{
    struct cluster_want w;
    enum err e;

    if (!cluster_wants(run, &w))
        return STEP_FAILED;
    e = job_begin(run);
    if (e == ERR_OK)
        e = orders_machine_drop(run->db, &w);
    e = db_end(run->db, e);
    if (e == ERR_OK)
        return cluster_done(run, NULL);
    if (e != ERR_STATE || !job_go_on(run))
        return job_waits_for_store(run, RETRY_MS, e);
    job_fails(run, SAYS_MACHINE_IN_USE);
    return STEP_FAILED;
}

static const struct job_step drop_steps[] = { { "forget it", drop, NULL } };

CLUSTER_JOB(delete_machine, drop_steps, COUNT(drop_steps), .of = NULL);
