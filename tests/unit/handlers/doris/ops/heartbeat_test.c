/* When a round of heartbeats begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "doris/ops/heartbeat.c"
#include "config.h"

#define NOW 1000000

static int
setup(void **state)
{
    char why[WHY_BYTES];

    (void)state;
    (void)setenv("METAGATE_DORIS_HEARTBEAT_S", "5", 1);
    config_place("/nonexistent", "127.9.9");
    return config_load(NULL, why) == ERR_OK ? 0 : -1;
}

static void
the_first_round_is_due_at_once(void **state)
{
    struct beats b = { .addr = "" };

    (void)state;
    assert_true(is_due(&b, 1));
}

static void
a_round_that_took_long_does_not_put_off_the_next(void **state)
{
    struct beats b = { .addr = "" };

    (void)state;
    begin_round(&b, NOW);
    (void)snprintf(b.addr, sizeof(b.addr), "h"); /* its second page */
    assert_true(is_due(&b, NOW + 1));
    begin_round(&b, NOW + 4000);
    end_round(&b);
    assert_int_equal(b.rounds, 1);
    assert_false(is_due(&b, NOW + 4999));
    assert_true(is_due(&b, NOW + 5000));
}

static void
a_round_that_took_longer_than_that_is_followed_at_once(void **state)
{
    struct beats b = { .addr = "" };

    (void)state;
    begin_round(&b, NOW);
    end_round(&b);
    assert_true(is_due(&b, NOW + 60000));
    begin_round(&b, NOW + 60000);
    end_round(&b);
    assert_int_equal(b.rounds, 2);
    assert_false(is_due(&b, NOW + 64999));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_round_is_due_at_once),
        cmocka_unit_test(a_round_that_took_long_does_not_put_off_the_next),
        cmocka_unit_test(
            a_round_that_took_longer_than_that_is_followed_at_once),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
