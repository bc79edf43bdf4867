/* Decimal digits, read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "number.h"

static void
digits_alone_are_a_number(void **state)
{
    int64_t n = -1;

    (void)state;
    assert_true(number_read("0", 0, &n));
    assert_int_equal(n, 0);
    assert_true(number_read("0017", 17, &n));
    assert_int_equal(n, 17);
    assert_true(number_read("9223372036854775807", INT64_MAX, &n));
    assert_true(n == INT64_MAX);
}

static void
anything_else_is_none(void **state)
{
    static const char *const bad[] = {
        "",     "-1",
        "+1",   " 1",
        "1 ",   "1\n",
        "0x10", "1e3",
        "256",  "18446744073709551617", /* 1, were it to wrap */
    };
    int64_t n = 5;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (number_read(bad[i], 255, &n))
            fail_msg("taken: \"%s\"", bad[i]);
    assert_false(number_read("9223372036854775808", INT64_MAX, &n));
    assert_false(number_read(NULL, 255, &n));
    assert_int_equal(n, 5);
}

static void
digits_are_taken_up_to_what_is_none(void **state)
{
    static const char text[] = "12-300";
    const char *p = text;
    uint64_t n = 5;

    (void)state;
    assert_true(number_take(&p, NULL, 12, &n));
    assert_int_equal(n, 12);
    assert_ptr_equal(p, text + 2);
    assert_false(number_take(&p, NULL, 12, &n)); /* none */
    p++;
    assert_true(number_take(&p, text + 5, 99, &n)); /* not beyond the end */
    assert_int_equal(n, 30);
    assert_false(number_take(&p, text + 5, 99, &n));
    p = text + 3;
    assert_false(number_take(&p, NULL, 299, &n));
    p = text;
    assert_false(number_take(&p, NULL, 0, &n)); /* no digit is so small */
    assert_int_equal(n, 30);
    p = "18446744073709551615,";
    assert_true(number_take(&p, NULL, UINT64_MAX, &n));
    assert_true(n == UINT64_MAX && *p == ',');
    p = "18446744073709551616";
    assert_false(number_take(&p, NULL, UINT64_MAX, &n));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_alone_are_a_number),
        cmocka_unit_test(digits_are_taken_up_to_what_is_none),
        cmocka_unit_test(anything_else_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
