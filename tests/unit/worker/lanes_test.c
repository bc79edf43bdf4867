/* Who may begin, who waits, and who goes on in whose place. */
#include "worker/lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAVY_US  1000
#define THREADS   8
#define MOST_WAIT (THREADS * 64)

enum { CHEAP, READS, WRITES, OTHER, ROWS };

static struct lanes *lanes;
static char things[MOST_WAIT + 1];

static enum lanes_verdict
enter(size_t row, void *thing)
{
    return lanes_enter(lanes, row, row == WRITES, thing);
}

/* One that took as long is served, and nobody goes on in its place. */
static void
measure(size_t row, int64_t us)
{
    size_t next;

    assert_int_equal(enter(row, NULL), LANES_GO);
    assert_null(lanes_leave(lanes, row, us, &next));
}

static int
setup(void **state)
{
    (void)state;
    lanes = lanes_new(ROWS, THREADS, HEAVY_US);
    if (lanes == NULL)
        return -1;
    for (size_t row = READS; row < ROWS; row++)
        measure(row, 100 * HEAVY_US);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    lanes_free(lanes);
    return 0;
}

static void
leave_to(size_t row, void *thing, size_t next)
{
    size_t found = ROWS;

    assert_ptr_equal(lanes_leave(lanes, row, -1, &found), thing);
    if (thing != NULL)
        assert_int_equal(found, next);
}

static void
begin(size_t row, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(enter(row, things), LANES_GO);
}

static void
a_cheap_row_may_hold_all_threads(void **state)
{
    (void)state;
    begin(CHEAP, THREADS);
}

static void
a_heavy_row_holds_a_quarter_when_it_reads(void **state)
{
    (void)state;
    begin(READS, THREADS / 4);
    assert_int_equal(enter(READS, things), LANES_WAITS);
    assert_int_equal(enter(CHEAP, things + 1), LANES_GO);
}

static void
a_heavy_row_holds_half_when_it_writes(void **state)
{
    (void)state;
    begin(WRITES, THREADS / 2);
    assert_int_equal(enter(WRITES, things), LANES_WAITS);
}

static void
heavy_rows_share_and_leave_the_rest_to_others(void **state)
{
    (void)state;
    begin(READS, 1);
    begin(OTHER, 1);
    assert_int_equal(enter(OTHER, things), LANES_WAITS);
    begin(WRITES, 4);
    begin(CHEAP, 2);
}

static void
who_waits_goes_on_in_the_place_of_who_ends(void **state)
{
    (void)state;
    begin(READS, 2);
    assert_int_equal(enter(READS, things), LANES_WAITS);
    assert_int_equal(enter(READS, things + 1), LANES_WAITS);
    leave_to(READS, things, READS);
    leave_to(READS, things + 1, READS);
    leave_to(READS, NULL, 0);
    leave_to(READS, NULL, 0);
    begin(READS, 2); /* all places are free again */
}

static void
rows_that_wait_take_turns(void **state)
{
    (void)state;
    begin(READS, 2);
    begin(WRITES, 1);
    assert_int_equal(enter(READS, things), LANES_WAITS);
    assert_int_equal(enter(READS, things + 1), LANES_WAITS);
    assert_int_equal(enter(OTHER, things + 2), LANES_WAITS);
    leave_to(READS, things + 2, OTHER);
    leave_to(OTHER, things, READS);
    leave_to(WRITES, NULL, 0); /* two that read are under way */
    leave_to(READS, things + 1, READS);
}

static void
a_row_that_became_cheap_may_hold_all_threads_again(void **state)
{
    size_t next;

    (void)state;
    begin(READS, 2);
    assert_int_equal(enter(READS, things), LANES_WAITS);
    assert_ptr_equal(lanes_leave(lanes, READS, 0, &next), things);
    for (int i = 0; i < 100; i++) {
        assert_null(lanes_leave(lanes, READS, 0, &next));
        assert_int_equal(enter(READS, NULL), LANES_GO);
    }
    begin(READS, THREADS - 2);
}

static void
who_holds_a_place_knows_that_others_want_it(void **state)
{
    (void)state;
    assert_false(lanes_wanted());
    begin(READS, 2);
    assert_false(lanes_wanted());
    begin(WRITES, 1);
    assert_int_equal(enter(READS, things), LANES_WAITS);
    assert_false(lanes_wanted()); /* not that of a writer, begun last */
    leave_to(READS, things, READS);
    assert_int_equal(enter(OTHER, things), LANES_WAITS);
    assert_true(lanes_wanted());
    leave_to(READS, things, OTHER);
    leave_to(OTHER, NULL, 0);
    assert_false(lanes_wanted());
}

static void
what_was_not_served_tells_nothing_of_its_row(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        measure(READS, -1);
    begin(READS, 2);
    assert_int_equal(enter(READS, things), LANES_WAITS);
}

static void
no_more_wait_than_there_is_room_for(void **state)
{
    (void)state;
    begin(READS, 2);
    assert_int_equal(enter(READS, NULL), LANES_FULL); /* it cannot wait */
    for (int i = 0; i < MOST_WAIT; i++)
        assert_int_equal(enter(READS, things + i), LANES_WAITS);
    assert_int_equal(enter(READS, things), LANES_FULL);
    leave_to(READS, things, READS);
    assert_int_equal(enter(READS, things), LANES_WAITS);
}

static void
without_a_limit_nothing_is_heavy(void **state)
{
    struct lanes *free_for_all = lanes_new(ROWS, THREADS, 0);
    size_t next;

    (void)state;
    assert_non_null(free_for_all);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(lanes_enter(free_for_all, READS, false, things),
                         LANES_GO);
    for (int i = 0; i < THREADS; i++)
        assert_null(lanes_leave(free_for_all, READS, 1000000, &next));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(lanes_enter(free_for_all, READS, false, things),
                         LANES_GO);
    lanes_free(free_for_all);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cheap_row_may_hold_all_threads),
        TEST(a_heavy_row_holds_a_quarter_when_it_reads),
        TEST(a_heavy_row_holds_half_when_it_writes),
        TEST(heavy_rows_share_and_leave_the_rest_to_others),
        TEST(who_waits_goes_on_in_the_place_of_who_ends),
        TEST(rows_that_wait_take_turns),
        TEST(a_row_that_became_cheap_may_hold_all_threads_again),
        TEST(who_holds_a_place_knows_that_others_want_it),
        TEST(what_was_not_served_tells_nothing_of_its_row),
        TEST(no_more_wait_than_there_is_room_for),
        TEST(without_a_limit_nothing_is_heavy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
