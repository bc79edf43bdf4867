/* The names that clusters and what they have are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kunlun/core/names.h"

static unsigned
next_of(const char *const *names, size_t n)
{
    unsigned next = 1;

    for (size_t i = 0; i < n; i++)
        next = names_above(next, "shard", names[i]);
    return next;
}

static void
the_next_is_above_the_largest_and_gaps_stay(void **state)
{
    static const char *const names[] = { "shard1", "shard7", "shard3" };

    (void)state;
    assert_int_equal(next_of(names, 0), 1);
    assert_int_equal(next_of(names, 1), 2);
    assert_int_equal(next_of(names, 3), 8);
}

static void
what_is_no_such_name_does_not_count(void **state)
{
    static const char *const names[] = {
        "shard",
        "shard9x",
        "comp8",
        "shard-7",
        "shar",
        "xshard6",
        "shard99999999999999999999",
        "shard2",
    };

    (void)state;
    assert_int_equal(next_of(names, COUNT(names)), 3);
    for (size_t i = 0; i + 1 < COUNT(names); i++)
        assert_int_equal(names_number("shard", names[i]), 0);
    assert_int_equal(names_number("shard", "shard12"), 12);
    assert_int_equal(names_number("shard", "shard999999999"), 999999999);
}

static void
a_cluster_is_named_by_time_and_six_digits(void **state)
{
    char name[NAMES_CLUSTER_BYTES];

    (void)state;
    names_cluster(1646360423, 7, name);
    assert_string_equal(name, "cluster_1646360423_000007");
    names_cluster(1, 12345678, name);
    assert_string_equal(name, "cluster_1_345678");
    names_cluster(INT64_MAX, INT64_MAX, name);
    assert_string_equal(name, "cluster_9223372036854775807_775807");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_is_above_the_largest_and_gaps_stay),
        cmocka_unit_test(what_is_no_such_name_does_not_count),
        cmocka_unit_test(a_cluster_is_named_by_time_and_six_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
