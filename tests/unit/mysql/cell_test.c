/* A cell of a result, found by its column, as a text and as a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "my.h"

static const char *const columns[] = { "a", "b" };
static const struct span cells[] = {
    { "17", 2 },   { "18446744073709551615", 20 }, { NULL, 0 }, { "ON", 2 },
    { "42 s", 4 }, { "18446744073709551616", 20 },
};
static const struct my_table table = {
    .n = 3, .n_columns = 2, .column = columns, .cell = cells
};

static void
a_number_is_the_digits_that_a_cell_begins_with(void **state)
{
    (void)state;
    assert_int_equal(my_cell_u64(&table, 0, "a"), 17);
    assert_true(my_cell_u64(&table, 0, "b") == UINT64_MAX);
    assert_int_equal(my_cell_u64(&table, 2, "a"), 42);
    assert_true(my_cell_u64(&table, 2, "b") == UINT64_MAX);
    assert_int_equal(my_u64("307"), 307);
}

static void
what_is_no_number_is_0(void **state)
{
    (void)state;
    assert_null(my_cell(&table, 1, "a"));
    assert_int_equal(my_cell_u64(&table, 1, "a"), 0);
    assert_int_equal(my_cell_u64(&table, 1, "b"), 0);
    assert_int_equal(my_cell_u64(&table, 0, "c"), 0); /* no such column */
    assert_int_equal(my_cell_u64(&table, 3, "a"), 0); /* no such row */
    assert_int_equal(my_u64(NULL), 0);
    assert_int_equal(my_u64(""), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_the_digits_that_a_cell_begins_with),
        cmocka_unit_test(what_is_no_number_is_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
