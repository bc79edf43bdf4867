/* Jobs that nobody performs yet: accepted, since their members and what became
 * of them are told as of any other, and failed in their first step. */
#include "jobs.h"

static enum step_answer
refuse(struct job_run *run)
{
    const struct cluster_job *j = cluster_job_of_kind(run->job->kind);
    struct cluster_want want;

    if (cluster_wants(run, &want))
        job_fails(run, "%s is not served yet", j->type);
    return STEP_FAILED;
}

static const struct job_step steps[] = { { "refuse", refuse, NULL } };

#define UNSERVED(type)                              \
    const struct job_kind cluster_##type##_kind = { \
        .name = CLUSTER_KIND #type,                 \
        .queue = CLUSTER_QUEUE,                     \
        .steps = steps,                             \
        .n = COUNT(steps),                          \
    }

UNSERVED(add_nodes);

/* For ever: the interface has it closed. */
static enum step_answer
disabled(struct job_run *run)
{
    job_fails(run, "restore_cluster is disabled");
    return STEP_FAILED;
}

static const struct job_step disabled_steps[] = {
    { "refuse", disabled, NULL },
};

const struct job_kind cluster_restore_cluster_kind = {
    .name = CLUSTER_KIND "restore_cluster",
    .queue = CLUSTER_QUEUE,
    .steps = disabled_steps,
    .n = COUNT(disabled_steps),
};
