/* The job that the interface has closed for ever: it is accepted, as any other,
 * and fails in its first step. */
#include "jobs.h"

static enum step_answer
disabled(struct job_run *run)
{
    job_fails(run, "restore_cluster is disabled");
    return STEP_FAILED;
}

static const struct job_step steps[] = { { "refuse", disabled, NULL } };

CLUSTER_JOB(restore_cluster, steps, COUNT(steps), .of = NULL);
