/* A variable of an instance is set, at once and for its later starts: what
 * cluster_mgr's set_variable has its machine do. */
#include <ctype.h>
#include <string.h>

#include "jobs.h"
#include "node_mgr.h"

TABLE(node_variable, NODE_VARIABLE);

/* Servers know them in any case; our options have one. */
static const char *
lower(struct arena *a, const char *name)
{
    char *s = arena_strdup(a, name);

    for (char *p = s; p != NULL && *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return s;
}

static enum step_answer
set(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    struct node_variable in;
    char why[WHY_BYTES] = "";
    const char *name;
    enum err e;

    if (!node_args(run, &node_variable_rec, &in))
        return STEP_FAILED;
    name = lower(run->arena, in.variable);
    e = name != NULL
            ? keeper_spec(m->keeper, run->arena, (unsigned)in.port, &spec)
            : ERR_NOMEM;
    if (e == ERR_OK)
        e = instance_set_variable(run->arena, &spec, name, in.value, why);
    if (e == ERR_OK)
        return node_done(run, "set variable succeed");
    job_fails(run, "set variable error: %s",
              !str_empty(why) ? why : err_name(e));
    return STEP_FAILED;
}

static const struct job_step steps[] = { { "set variable", set, NULL } };

NODE_JOB(node_variable_kind, set_variable, steps, .forward_only = true);
