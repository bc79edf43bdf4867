/* Replicas counted per address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "pegasus/node/holders.h"

static void
replicas_are_counted_where_they_are(void **state)
{
    struct pg_holders t;

    (void)state;
    pg_holders_init(&t, arena);
    assert_null(pg_holders_find(&t, "x"));
    pg_holders_add(&t, "10.0.0.2:1", "10.0.0.10:1,10.0.0.3:1", 5);
    pg_holders_add(&t, NULL, "10.0.0.2:1", 2);
    pg_holders_add(&t, "10.0.0.2:1", "", -1);
    pg_holders_add(&t, NULL, NULL, 7); /* a row that is broken */
    pg_holders_count(&t, "10.0.0.3:1", 7, -2);
    assert_int_equal(t.n, 3);
    assert_int_equal(pg_holders_find(&t, "10.0.0.2:1")->primaries, 4);
    assert_int_equal(pg_holders_find(&t, "10.0.0.2:1")->secondaries, 2);
    assert_int_equal(pg_holders_find(&t, "10.0.0.10:1")->secondaries, 5);
    assert_int_equal(pg_holders_find(&t, "10.0.0.3:1")->primaries, 7);
    assert_int_equal(pg_holders_find(&t, "10.0.0.3:1")->secondaries, 3);
}

static void
they_are_found_after_they_were_sorted(void **state)
{
    char address[32];
    struct pg_holders t;

    (void)state;
    pg_holders_init(&t, arena);
    for (int i = 200; i > 0; i--) {
        (void)snprintf(address, sizeof(address), "10.0.0.%d:1", i);
        pg_holders_count(&t, address, i, 0);
    }
    pg_holders_sort(&t);
    assert_string_equal(t.line[0].address, "10.0.0.1:1");
    assert_string_equal(t.line[9].address, "10.0.0.10:1");
    for (int i = 1; i <= 200; i++) {
        (void)snprintf(address, sizeof(address), "10.0.0.%d:1", i);
        assert_int_equal(pg_holders_find(&t, address)->primaries, i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replicas_are_counted_where_they_are,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(they_are_found_after_they_were_sorted,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
