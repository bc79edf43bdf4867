/* delete_storage, delete_computer: an instance is stopped, and its own
 * directories are removed. One that is not there is deleted already. */
#include <string.h>

#include "jobs.h"
#include "node_mgr.h"
#include "store.h"

TABLE(node_at, NODE_AT);

static enum step_answer
check(struct job_run *run)
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
    if (e == ERR_NOT_FOUND || (e == ERR_OK && HAS(&in, node_at, uuid) &&
                               strcmp(in.uuid, spec.uuid) != 0))
        return STEP_DONE;
    if (e == ERR_OK && spec.kind != (int)node_own(run)->kind) {
        job_fails(run, "%s: another kind of instance listens there",
                  node_own(run)->error);
        return STEP_FAILED;
    }
    if (e == ERR_OK)
        e = keeper_hold(m->keeper, (unsigned)in.port, run->job->id);
    if (e == ERR_OK)
        e = node_keep_spec(run, &spec);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, node_own(run)->error, NULL);
}

/* NOT_FOUND: the keeper has let go of it already. */
static enum step_answer
stop(struct job_run *run)
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
        return node_failed(run, e, node_own(run)->error, NULL);
    return node_await(run, (unsigned)spec.port, KEPT_STOPPED,
                      node_own(run)->error);
}

static enum err
drop_row(struct job_run *run, const char *uuid)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = node_store_drop(run->db, uuid);
    return db_end(run->db, e);
}

/* What was never here, or is gone, may still have a row that keeps its place.
 */
static enum err
drop_rest(struct job_run *run)
{
    struct node_at in;

    if (!node_args(run, &node_at_rec, &in))
        return ERR_BAD_PARAM;
    return HAS(&in, node_at, uuid) ? drop_row(run, in.uuid) : ERR_OK;
}

static enum step_answer
clear(struct job_run *run)
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
            e = drop_row(run, spec.uuid);
    } else if (e == ERR_NOT_FOUND) {
        e = drop_rest(run);
    }
    if (e != ERR_OK)
        return node_failed(run, e, node_own(run)->error, why);
    return node_done(run, node_own(run)->succeed);
}

static const struct job_step storage_steps[] = {
    { "delete storage start", check, NULL },
    { "delete storage stopping", stop, NULL },
    { "delete storage working", clear, NULL },
};
NODE_JOB(node_delete_storage_kind, delete_storage, storage_steps,
         .forward_only = true,
         .of = &(const struct node_own){ INSTANCE_STORAGE,
                                         "delete storage error",
                                         "delete storage succeed" });

static const struct job_step computer_steps[] = {
    { "delete computer start", check, NULL },
    { "delete computer stopping", stop, NULL },
    { "delete computer working", clear, NULL },
};
NODE_JOB(node_delete_computer_kind, delete_computer, computer_steps,
         .forward_only = true,
         .of = &(const struct node_own){ INSTANCE_COMPUTER,
                                         "delete computer error",
                                         "delete computer succeed" });
