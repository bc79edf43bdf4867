/* delete_storage, delete_computer: an instance is stopped, and its own
 * directories are removed. One that is not there is deleted already. */
#include <string.h>

#include "jobs.h"
#include "node_mgr.h"
#include "store.h"

TABLE(node_at, NODE_AT);

static const char *
sentence_of(enum instance_kind kind)
{
    return kind == INSTANCE_STORAGE ? "delete storage error"
                                    : "delete computer error";
}

static enum step_answer
check(struct job_run *run, enum instance_kind kind)
{
    static const char *const at[] = { "ip", "port", NULL };
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    struct node_at in;
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    if (!node_args(run, &node_at_rec, &in) ||
        !node_wants(run, &node_at_rec, &in, at) || !node_is_ours(run, in.ip))
        return STEP_FAILED;
    e = keeper_spec(m->keeper, run->arena, (unsigned)in.port, &spec);
    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e == ERR_OK && spec.kind != (int)kind) {
        job_fails(run, "%s: another kind of instance listens there",
                  sentence_of(kind));
        return STEP_FAILED;
    }
    if (e == ERR_OK)
        e = keeper_hold(m->keeper, (unsigned)in.port, run->job->id);
    if (e == ERR_OK)
        e = node_keep_spec(run, &spec);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, sentence_of(kind), NULL);
}

/* NOT_FOUND: the keeper has let go of it already. */
static enum step_answer
stop(struct job_run *run, enum instance_kind kind)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e == ERR_OK)
        e = keeper_hold(m->keeper, (unsigned)spec.port, run->job->id);
    if (e == ERR_OK)
        e = keeper_tell(m->keeper, (unsigned)spec.port, ORDER_STOP,
                        run->job->id);
    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e != ERR_OK)
        return node_failed(run, e, sentence_of(kind), NULL);
    return node_await(run, (unsigned)spec.port, KEPT_STOPPED,
                      sentence_of(kind));
}

static enum err
drop_row(struct job_run *run, const struct instance_spec *spec)
{
    enum err e = db_begin(run->db);

    if (e == ERR_OK)
        e = job_hold(run);
    if (e == ERR_OK)
        e = node_store_drop(run->db, spec->address, (unsigned)spec->port);
    return db_end(run->db, e);
}

static enum step_answer
clear(struct job_run *run, enum instance_kind kind)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    char why[WHY_BYTES] = "";
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_OK) {
        e = keeper_drop(m->keeper, (unsigned)spec.port, run->job->id);
        if (e == ERR_OK)
            e = instance_remove(&spec, why);
        if (e == ERR_OK)
            e = drop_row(run, &spec);
        if (e != ERR_OK)
            return node_failed(run, e, sentence_of(kind), why);
    } else if (e != ERR_NOT_FOUND) {
        return node_failed(run, e, sentence_of(kind), NULL);
    }
    return node_done(run, kind == INSTANCE_STORAGE ? "delete storage succeed"
                                                   : "delete computer succeed");
}

#define KIND(word, KIND_)                                     \
    static enum step_answer word##_check(struct job_run *run) \
    {                                                         \
        return check(run, KIND_);                             \
    }                                                         \
    static enum step_answer word##_stop(struct job_run *run)  \
    {                                                         \
        return stop(run, KIND_);                              \
    }                                                         \
    static enum step_answer word##_clear(struct job_run *run) \
    {                                                         \
        return clear(run, KIND_);                             \
    }                                                         \
    static const struct job_step word##_steps[] = {           \
        { "delete " #word " start", word##_check, NULL },     \
        { "delete " #word " stopping", word##_stop, NULL },   \
        { "delete " #word " working", word##_clear, NULL },   \
    };                                                        \
    const struct job_kind node_delete_##word##_kind = {       \
        .name = "node_mgr.delete_" #word,                     \
        .queue = MACHINE_QUEUE,                               \
        .steps = word##_steps,                                \
        .n = COUNT(word##_steps),                             \
        .forward_only = true,                                 \
    }

KIND(storage, INSTANCE_STORAGE);
KIND(computer, INSTANCE_COMPUTER);
