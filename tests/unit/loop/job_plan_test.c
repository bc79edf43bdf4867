/* What a job does next, in thousands of lives: steps that fail and wait, kills
 * between a step and its record, cancellations at any time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "loop/job_plan.h"

#define STEPS     6
#define HISTORIES 200000

/* The world that the steps of one job change. */
struct world {
    bool there[STEPS]; /* the effect of step i */
    bool left[STEPS];  /* ... which could not be taken back */
};

static unsigned seed = 20261129;

static unsigned
dice(unsigned sides)
{
    return (unsigned)rand_r(&seed) % sides;
}

/* A step takes effect, in part, or not, whatever it answers; twice is once. */
static enum step_answer
call(struct world *w, const struct job_plan *p, unsigned bad_in)
{
    unsigned i = p->state == JOB_RUNNING ? p->step : p->step - 1;
    enum step_answer a = STEP_DONE;

    if (dice(3) == 0)
        a = STEP_AGAIN;
    else if (bad_in > 0 && dice(bad_in) == 0)
        a = STEP_FAILED;
    if (p->state == JOB_RUNNING)
        w->there[i] = a == STEP_DONE || dice(2) == 0;
    else if (a == STEP_DONE)
        w->there[i] = false;
    return a;
}

static void
check_end(const struct world *w, const struct job_plan *p, bool cancelled)
{
    for (unsigned i = 0; i < STEPS; i++) {
        if (p->state == JOB_DONE)
            assert_true(w->there[i]);
        else if (!p->forward_only)
            assert_true(!w->there[i] || w->left[i]);
    }
    if (p->state == JOB_CANCELLED)
        assert_true(cancelled && !p->failed);
    if (p->state == JOB_FAILED)
        assert_true(p->failed);
    if (p->forward_only && p->state == JOB_CANCELLED)
        assert_int_equal(p->step, 0); /* before anything was begun */
}

static void
one_history(unsigned bad_in, unsigned cancel_in, bool forward_only)
{
    struct job_plan stored = { .n = STEPS, .forward_only = forward_only };
    struct world w = { { false }, { false } };
    unsigned steps = 0;

    while (!job_plan_finished(stored.state)) {
        struct job_plan p = stored;
        bool left = false;
        unsigned i = 0;

        assert_true(steps++ < 10000);
        if (cancel_in > 0 && dice(cancel_in) == 0)
            stored.cancel = p.cancel = true;
        job_plan_before(&p);
        /* a new state is written before the first call of a step */
        if (p.state == stored.state) {
            i = p.state == JOB_RUNNING ? p.step : p.step - 1;
            assert_true(i < STEPS);
            job_plan_after(&p, call(&w, &p, bad_in), &left);
            if (left)
                w.left[i] = true;
        }
        if (dice(8) != 0) /* else it was killed before it could record that */
            stored = p;
        else if (left)
            w.left[i] = false;
    }
    check_end(&w, &stored, stored.cancel);
}

static void
whatever_happens_all_took_effect_or_nothing_is_left(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HISTORIES; i++)
        one_history(dice(4) == 0 ? 0 : 2 + dice(20),
                    dice(2) == 0 ? 0 : 5 + dice(100), dice(5) == 0);
}

static void
a_job_cancelled_in_the_queue_never_begins(void **state)
{
    struct job_plan p = { .n = 2, .cancel = true };

    (void)state;
    job_plan_before(&p);
    assert_int_equal(p.state, JOB_CANCELLED);
}

static void
the_step_that_failed_is_taken_back_too(void **state)
{
    struct job_plan p = { .state = JOB_RUNNING, .step = 1, .n = 3 };
    bool left;

    (void)state;
    job_plan_after(&p, STEP_FAILED, &left);
    assert_int_equal(p.state, JOB_UNDOING);
    assert_int_equal(p.step, 2);
    job_plan_after(&p, STEP_DONE, &left);
    job_plan_after(&p, STEP_DONE, &left);
    assert_int_equal(p.state, JOB_FAILED);
}

static void
an_undo_is_given_up_after_so_many_tries(void **state)
{
    struct job_plan p = { .state = JOB_UNDOING, .step = 1, .n = 1 };
    bool left = false;

    (void)state;
    for (int i = 1; i < JOB_UNDO_TRIES; i++) {
        job_plan_after(&p, STEP_FAILED, &left);
        assert_false(left);
        assert_int_equal(p.step, 1);
    }
    job_plan_after(&p, STEP_FAILED, &left);
    assert_true(left);
    assert_int_equal(p.state, JOB_FAILED);
}

static void
what_goes_forward_only_is_not_undone(void **state)
{
    struct job_plan p = {
        .state = JOB_RUNNING, .step = 1, .n = 3, .forward_only = true
    };
    bool left;

    (void)state;
    p.cancel = true;
    job_plan_before(&p);
    assert_int_equal(p.state, JOB_RUNNING);
    job_plan_after(&p, STEP_FAILED, &left);
    assert_int_equal(p.state, JOB_FAILED);
}

static void
pauses_grow_and_end(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 40; i++) {
        assert_true(job_plan_pause_ms(i) >= job_plan_pause_ms(i - 1));
        assert_true(job_plan_pause_ms(i) <= 10000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_all_took_effect_or_nothing_is_left),
        cmocka_unit_test(a_job_cancelled_in_the_queue_never_begins),
        cmocka_unit_test(the_step_that_failed_is_taken_back_too),
        cmocka_unit_test(an_undo_is_given_up_after_so_many_tries),
        cmocka_unit_test(what_goes_forward_only_is_not_undone),
        cmocka_unit_test(pauses_grow_and_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
