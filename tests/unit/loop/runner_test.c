/* A background loop: when it steps, and how it ends. Its connection is never
 * used, so no server is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "log.h"
#include "runner.h"

#define HOUR_MS 3600000

static atomic_int steps, forgotten;
static char works[2][80]; /* what the last two steps were known by */
static atomic_bool held;
static enum turn answer;
static int64_t busy_ms;

static void
nap(long ms)
{
    const struct timespec t = { 0, ms * 1000000L };

    (void)nanosleep(&t, NULL);
}

static enum turn
step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    assert_ptr_equal(ctx, &steps);
    assert_non_null(db);
    assert_non_null(arena_alloc(a, 1 << 20)); /* room for it each time */
    assert_non_null(log_traced());
    memcpy(works[0], works[1], sizeof(works[0]));
    (void)snprintf(works[1], sizeof(works[1]), "%s", log_traced()->request);
    assert_ptr_equal(*memory, steps == 0 ? NULL : &forgotten);
    *memory = &forgotten;
    steps++;
    while (atomic_load(&held))
        nap(1);
    return answer;
}

static void
forget(void *memory)
{
    assert_ptr_equal(memory, &forgotten);
    forgotten++;
}

static struct runner *
started(enum turn t, int64_t every_ms)
{
    static struct runner_task task;
    struct runner *r;

    steps = forgotten = 0;
    answer = t;
    task = (struct runner_task){ "unit", every_ms, &steps, step, forget };
    r = runner_start(&task);
    assert_non_null(r);
    return r;
}

static void
until_steps(int n)
{
    while (steps < n)
        nap(1);
}

static void
joined(struct runner *r)
{
    runner_stop(r);
    assert_true(runner_join(r, 60000));
    assert_int_equal(forgotten, 1);
}

static void
it_steps_at_once_and_then_when_it_is_woken(void **state)
{
    struct runner *r = started(TURN_IDLE, HOUR_MS);

    (void)state;
    until_steps(1);
    nap(50);
    assert_int_equal(steps, 1);
    runner_wake(r);
    until_steps(2);
    nap(50); /* once only */
    assert_int_equal(steps, 2);
    joined(r);
    assert_int_equal(steps, 2);
}

static void
each_step_is_known_by_an_id_of_its_own(void **state)
{
    struct runner *r = started(TURN_MORE, HOUR_MS);

    (void)state;
    until_steps(2);
    joined(r);
    assert_int_equal(strlen(works[1]), strlen("unit-") + 16);
    assert_int_equal(strncmp(works[0], "unit-", 5), 0);
    assert_int_equal(strncmp(works[1], "unit-", 5), 0);
    assert_string_not_equal(works[0], works[1]);
}

static void
who_has_more_to_do_does_not_idle(void **state)
{
    struct runner *r = started(TURN_MORE, HOUR_MS);

    (void)state;
    until_steps(20);
    joined(r);
}

static void
a_short_pause_is_kept_and_a_failure_waits_no_longer(void **state)
{
    struct runner *r = started(TURN_FAILED, 1);

    (void)state;
    until_steps(1);
    assert_false(runner_ended(r));
    joined(r);
    r = started(TURN_IDLE, 1);
    until_steps(5);
    joined(r);
}

static void
what_is_over_ends_by_itself(void **state)
{
    struct runner *r = started(TURN_OVER, 1);

    (void)state;
    while (!runner_ended(r))
        nap(1);
    assert_int_equal(steps, 1);
    assert_true(runner_join(r, 60000));
    assert_int_equal(forgotten, 1);
}

static void
a_step_that_goes_on_is_seen_and_not_torn(void **state)
{
    struct runner *r;

    (void)state;
    atomic_store(&held, true);
    r = started(TURN_IDLE, HOUR_MS);
    until_steps(1);
    do {
        nap(1);
        busy_ms = runner_busy_ms(r);
    } while (busy_ms < 5);
    runner_stop(r);
    assert_false(runner_join(r, 5));
    assert_false(runner_ended(r));
    atomic_store(&held, false);
    assert_true(runner_join(r, 60000));
}

static void
between_two_steps_nothing_is_busy(void **state)
{
    struct runner *r = started(TURN_IDLE, HOUR_MS);

    (void)state;
    until_steps(1);
    while (runner_busy_ms(r) > 0)
        nap(1);
    nap(5);
    assert_int_equal(runner_busy_ms(r), 0);
    joined(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_steps_at_once_and_then_when_it_is_woken),
        cmocka_unit_test(each_step_is_known_by_an_id_of_its_own),
        cmocka_unit_test(who_has_more_to_do_does_not_idle),
        cmocka_unit_test(a_short_pause_is_kept_and_a_failure_waits_no_longer),
        cmocka_unit_test(what_is_over_ends_by_itself),
        cmocka_unit_test(a_step_that_goes_on_is_seen_and_not_torn),
        cmocka_unit_test(between_two_steps_nothing_is_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
