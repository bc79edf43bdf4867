/* Tries within a minute, in a table that does not grow. */
#include "doris/fe/tries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tries t;

static int
start(void **state)
{
    (void)state;
    t = (struct tries){ 0 };
    return 0;
}

static void
so_many_and_then_none(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(tries_take(&t, 7, 3, 1000 + i), 0);
    assert_int_equal(tries_take(&t, 7, 3, 1010), 59990);
    assert_int_equal(tries_take(&t, 8, 3, 1010), 0);
    assert_int_equal(tries_take(&t, 7, 3, 60999), 1);
    assert_int_equal(tries_take(&t, 7, 3, 61000), 0);
}

static void
a_refused_one_does_not_count(void **state)
{
    (void)state;
    assert_int_equal(tries_take(&t, 7, 1, 1), 0);
    for (int i = 0; i < 100; i++)
        assert_true(tries_take(&t, 7, 1, 2) > 0);
    tries_give_back(&t, 7);
    assert_int_equal(tries_take(&t, 7, 1, 3), 0);
}

static void
what_began_before_a_restart_of_the_machine_is_over(void **state)
{
    (void)state;
    assert_int_equal(tries_take(&t, 7, 1, 5000000), 0);
    assert_int_equal(tries_take(&t, 7, 1, 100), 0);
    assert_int_equal(tries_take(&t, 7, 1, 200), 59900);
}

static void
giving_back_makes_no_credit(void **state)
{
    (void)state;
    tries_give_back(&t, 7);
    assert_int_equal(tries_take(&t, 7, 1, 1), 0);
    tries_give_back(&t, 7);
    tries_give_back(&t, 7);
    assert_int_equal(tries_take(&t, 7, 1, 1), 0);
    assert_true(tries_take(&t, 7, 1, 1) > 0);
}

static void
the_oldest_of_a_place_is_forgotten(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 5; k++) /* all in one place */
        assert_int_equal(tries_take(&t, k * 256, 1, 10 + (int64_t)k), 0);
    for (uint64_t k = 1; k < 5; k++)
        assert_true(tries_take(&t, k * 256, 1, 20) > 0);
    assert_int_equal(tries_take(&t, 0, 1, 20), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(so_many_and_then_none, start),
        cmocka_unit_test_setup(a_refused_one_does_not_count, start),
        cmocka_unit_test_setup(
            what_began_before_a_restart_of_the_machine_is_over, start),
        cmocka_unit_test_setup(giving_back_makes_no_credit, start),
        cmocka_unit_test_setup(the_oldest_of_a_place_is_forgotten, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
