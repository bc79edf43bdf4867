/* What a job does next: a pure decision, tried under a simulator. */
#ifndef MG_JOB_PLAN_H
#define MG_JOB_PLAN_H

#include "job.h"

/* Where a job stands. */
struct job_plan {
    enum job_state state;
    /* RUNNING: the number of the step to be called. UNDOING: how many are
     * left; the one to be taken back is step - 1. */
    unsigned step;
    unsigned n;     /* steps of its kind */
    unsigned tries; /* calls of this step that did not end it */
    bool cancel;
    bool failed; /* a step has failed */
    bool forward_only;
};

/* Whether it is over. */
bool job_plan_finished(enum job_state state);

/* Before a step is called: takes up what is queued, obeys a cancellation.
 * Afterwards it is RUNNING or UNDOING with a step to call, or finished. */
void job_plan_before(struct job_plan *p);

/* After a step has answered. An undo that was given up is `left` behind. */
void job_plan_after(struct job_plan *p, enum step_answer answer, bool *left);

/* How long to wait before the next try of an undo that failed, in ms. */
int64_t job_plan_pause_ms(unsigned tries);

#endif
