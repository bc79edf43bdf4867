/* What a job does next. */
#include "job_plan.h"

bool
job_plan_finished(enum job_state state)
{
    return state == JOB_DONE || state == JOB_FAILED || state == JOB_CANCELLED;
}

static void
undo_from(struct job_plan *p, unsigned begun)
{
    p->state = JOB_UNDOING;
    p->step = begun;
    p->tries = 0;
}

static void
end_if_nothing_is_left(struct job_plan *p)
{
    if (p->state == JOB_RUNNING && p->step >= p->n)
        p->state = JOB_DONE;
    else if (p->state == JOB_UNDOING && p->step == 0)
        p->state = p->failed ? JOB_FAILED : JOB_CANCELLED;
}

void
job_plan_before(struct job_plan *p)
{
    if (p->state == JOB_QUEUED && p->cancel) {
        p->state = JOB_CANCELLED;
        return;
    }
    if (p->state == JOB_QUEUED)
        p->state = JOB_RUNNING;
    /* the present step may have been begun, by us or by who was killed */
    if (p->state == JOB_RUNNING && p->cancel && !p->forward_only &&
        p->step < p->n)
        undo_from(p, p->step + 1);
    end_if_nothing_is_left(p);
}

void
job_plan_after(struct job_plan *p, enum step_answer answer, bool *left)
{
    *left = false;
    if (answer == STEP_AGAIN) {
        p->tries++;
        return;
    }
    if (p->state == JOB_RUNNING && answer == STEP_FAILED) {
        p->failed = true;
        if (p->forward_only)
            p->state = JOB_FAILED;
        else
            undo_from(p, p->step + 1);
        return;
    }
    if (p->state == JOB_UNDOING && answer == STEP_FAILED) {
        if (++p->tries < JOB_UNDO_TRIES)
            return;
        p->failed = *left = true;
    }
    p->tries = 0;
    p->step = p->state == JOB_RUNNING ? p->step + 1 : p->step - 1;
    end_if_nothing_is_left(p);
}

int64_t
job_plan_pause_ms(unsigned tries)
{
    return tries >= 6 ? 10000 : INT64_C(200) << tries;
}
