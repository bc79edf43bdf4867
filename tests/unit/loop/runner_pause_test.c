/* How long a loop pauses, what it counts, and what it says when it cannot
 * run or a step leaves something open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "log_fixture.h"

#include "loop/runner.c"

/* ---- a connection that is none ---- */

static int opened, closed;
static bool no_store, open_transaction;

struct db *
db_open(void)
{
    opened++;
    return no_store ? NULL : (struct db *)&opened;
}

void
db_close(struct db *db)
{
    assert_ptr_equal(db, &opened);
    closed++;
}

bool
db_in_transaction(const struct db *db)
{
    assert_ptr_equal(db, &opened);
    return open_transaction;
}

enum err
db_end(struct db *db, enum err e)
{
    assert_ptr_equal(db, &opened);
    assert_int_equal(e, ERR_INTERNAL);
    open_transaction = false;
    return e;
}

static uint64_t counted[METRIC__MAX];

void
metrics_add(enum metric m, uint64_t n)
{
    counted[m] += n;
}

/* ---- pauses ---- */

static void
a_pause_is_a_tenth_more_or_less(void **state)
{
    unsigned seed = (unsigned)clock_mono_us();
    int64_t least = 1000, most = 1000;

    (void)state;
    assert_int_not_equal(seed, 0);
    for (int i = 0; i < 1000; i++) {
        int64_t ms = jitter(1000);

        assert_int_equal(ms, 900 + rand_r(&seed) % 201);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_true(least < 920 && most > 1080);
    for (int i = 0; i < 100; i++) {
        int64_t ms = jitter(2);

        assert_int_equal(ms, 2 + rand_r(&seed) % 1);
    }
    assert_int_equal(jitter(0), 0);
}

static void
within(enum turn t, int64_t every_ms, int64_t least, int64_t most)
{
    const struct runner_task task = { .name = "unit", .every_ms = every_ms };

    for (int i = 0; i < 100; i++)
        assert_in_range(pause_after(&task, t), least, most);
}

static void
a_failure_waits_a_second_at_least(void **state)
{
    (void)state;
    within(TURN_MORE, 5000, 0, 0);
    within(TURN_IDLE, 5000, 4500, 5500);
    within(TURN_IDLE, 100, 90, 110);
    within(TURN_FAILED, 5000, 4500, 5500);
    within(TURN_FAILED, 100, 900, 1100);
    within(TURN_FAILED, RETRY_MS + 1000, 1800, 2200);
}

static void
an_end_of_a_pause_is_a_time(void **state)
{
    struct timespec t;

    (void)state;
    fake_mono_us = INT64_C(7000) * 1000;
    t = after_ms(1234);
    assert_int_equal(t.tv_sec, 8);
    assert_int_equal(t.tv_nsec, 234000000);
    t = after_ms(0);
    assert_int_equal(t.tv_sec, 7);
    assert_int_equal(t.tv_nsec, 0);
    fake_mono_us = INT64_C(1000000000);
}

static void
steps_and_failures_are_counted(void **state)
{
    (void)state;
    assert_int_equal(counted[METRIC_STEPS], 0);
    count_step(TURN_MORE);
    count_step(TURN_IDLE);
    count_step(TURN_OVER);
    assert_int_equal(counted[METRIC_STEPS], 1);
    assert_int_equal(counted[METRIC_STEP_FAILURES], 0);
    count_step(TURN_FAILED);
    assert_int_equal(counted[METRIC_STEPS], 1);
    assert_int_equal(counted[METRIC_STEP_FAILURES], 1);
}

/* ---- a thread ---- */

static int steps;

static enum turn
step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    (void)ctx;
    assert_ptr_equal(db, &opened);
    assert_non_null(arena_alloc(a, 1));
    assert_null(*memory);
    open_transaction = ++steps == 1;
    return steps < 3 ? TURN_MORE : TURN_OVER;
}

static const struct runner_task task = { .name = "unit", .step = step };

/* The clock of the thread stands still: waits of this test are naps. */
static void
ran(void)
{
    const struct timespec nap = { 0, 1000000L };
    struct runner *r;

    opened = closed = steps = 0;
    r = runner_start(&task);
    assert_non_null(r);
    while (!runner_join(r, 0))
        (void)nanosleep(&nap, NULL);
}

static void
a_transaction_that_a_step_left_open_is_taken_back(void **state)
{
    const char *log;

    (void)state;
    log_catch();
    ran();
    assert_int_equal(steps, 3);
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
    assert_false(open_transaction);
    log = logged();
    assert_int_equal(times("runner.transaction task=unit err=internal", log),
                     1);
    assert_null(strstr(log, "runner.memory"));
    log_release();
}

static void
without_a_connection_no_step_is_made(void **state)
{
    (void)state;
    log_catch();
    no_store = true;
    ran();
    no_store = false;
    assert_int_equal(steps, 0);
    assert_int_equal(closed, 0);
    assert_non_null(strstr(logged(), "runner.memory task=unit"));
    log_release();
}

/* It has been told so before it began to wait. */
static void
who_is_to_stop_does_not_idle(void **state)
{
    struct runner r = { .mutex = PTHREAD_MUTEX_INITIALIZER,
                        .change = PTHREAD_COND_INITIALIZER,
                        .stop = true };

    (void)state;
    fake_mono_us = 5000000; /* long over by the machine's own */
    assert_false(idle(&r, INT64_C(1) << 40));
    r.stop = false;
    r.woken = true;
    assert_int_equal(runner_busy_ms(&r), 0);
    pass_ms(7);
    r.began_ms = 0;
    assert_true(idle(&r, INT64_C(1) << 40));
    assert_false(r.woken);
    assert_int_equal(r.began_ms, clock_mono_ms());
    assert_int_equal(runner_busy_ms(&r), 0);
    pass_ms(7);
    assert_int_equal(runner_busy_ms(&r), 7);
    assert_true(idle(&r, 0));
    assert_int_equal(runner_busy_ms(&r), 0);
    assert_false(runner_ended(&r));
    assert_false(wait_ended(&r, -1000)); /* a time that is over */
    r.ended = true;
    assert_true(runner_ended(&r));
    assert_true(wait_ended(&r, -1000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_is_a_tenth_more_or_less),
        cmocka_unit_test(a_failure_waits_a_second_at_least),
        cmocka_unit_test(an_end_of_a_pause_is_a_time),
        cmocka_unit_test(steps_and_failures_are_counted),
        cmocka_unit_test(a_transaction_that_a_step_left_open_is_taken_back),
        cmocka_unit_test(without_a_connection_no_step_is_made),
        cmocka_unit_test(who_is_to_stop_does_not_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
