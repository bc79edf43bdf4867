/* control_instance: start, stop, restart. A stop by it lasts until a start by
 * it, whatever pauses of the watchdog end. */
#include <string.h>

#include "jobs.h"
#include "node_mgr.h"

#define SENTENCE "control instance error"

TABLE(node_control, NODE_CONTROL);

static const struct {
    const char *word;
    enum keeper_order order;
    enum kept_state up;
} controls[] = {
    { "start", ORDER_START, KEPT_RUNNING },
    { "stop", ORDER_STOP, KEPT_STOPPED },
    { "restart", ORDER_RESTART, KEPT_RUNNING },
};

/* The index of a word of `control`; -1. */
static int
control_of(const char *word)
{
    for (size_t i = 0; i < COUNT(controls); i++)
        if (strcmp(controls[i].word, word) == 0)
            return (int)i;
    return -1;
}

static bool
read_control(struct job_run *run, struct node_control *in)
{
    static const char *const at[] = { "ip", "port", NULL };
    static const char *const rest[] = { "type", "control", NULL };

    if (!node_args(run, &node_control_rec, in) ||
        !node_wants(run, &node_control_rec, in, at) ||
        !node_is_ours(run, in->ip) ||
        !node_wants(run, &node_control_rec, in, rest))
        return false;
    if (strcmp(in->type, "storage") != 0 && strcmp(in->type, "computer") != 0) {
        job_fails(run, "type item error");
        return false;
    }
    if (control_of(in->control) < 0) {
        job_fails(run, "control item error");
        return false;
    }
    return true;
}

static enum step_answer
check(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    struct node_control in;
    enum err e;

    if (!read_control(run, &in))
        return STEP_FAILED;
    e = keeper_spec(m->keeper, run->arena, (unsigned)in.port, &spec);
    if (e == ERR_NOT_FOUND)
        return node_failed(run, e, SENTENCE, "there is no instance");
    if (e != ERR_OK)
        return node_failed(run, e, SENTENCE, NULL);
    if (strcmp(enum_text(instance_kind_names, spec.kind), in.type) != 0) {
        job_fails(run, "type item error");
        return STEP_FAILED;
    }
    return STEP_DONE;
}

/* Told once, also by who goes on after another was killed: but for the moment
 * between telling and remembering, when a restart is made twice. */
static enum step_answer
perform(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct node_control in;
    enum step_answer done;
    enum err e;
    int c;

    if (!read_control(run, &in))
        return STEP_FAILED;
    c = control_of(in.control);
    if (run->memo == NULL) {
        e = keeper_tell(m->keeper, (unsigned)in.port, controls[c].order,
                        run->job->id);
        if (e == ERR_OK)
            e = job_remember(run, "{\"told\":true}");
        if (e != ERR_OK)
            return node_not_kept(run, e, SENTENCE);
    }
    done = node_await(run, (unsigned)in.port, controls[c].up, SENTENCE);
    return done == STEP_DONE ? node_done(run, "control instance succeed")
                             : done;
}

static const struct job_step steps[] = {
    { "control instance start", check, NULL },
    { "control instance working", perform, NULL },
};

/* What was stopped is not started again because it was cancelled. */
NODE_JOB(node_control_kind, control_instance, steps, .forward_only = true);
