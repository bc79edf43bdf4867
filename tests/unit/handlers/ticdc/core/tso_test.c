/* Numbers for transactions that have only a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ticdc/core/tso.h"

#define MS INT64_C(1585040583740)

static void
a_tso_is_milliseconds_and_a_counter(void **state)
{
    (void)state;
    /* the worked example of the documents: physical 1585040583740, logical 2 */
    assert_true(tso_of_ms(MS) + 2 == UINT64_C(415508878783938562));
    assert_true(tso_ms(UINT64_C(415508878783938562)) == MS);
    assert_true(tso_of_ms(-1) == 0);
    assert_true(tso_ms(tso_of_ms(INT64_MAX)) == (INT64_C(1) << 46) - 1);
}

static void
each_transaction_gets_a_greater_one(void **state)
{
    struct tso_clock c = { 0 };
    uint64_t first = tso_commit(&c, MS);

    (void)state;
    assert_true(first == tso_of_ms(MS));
    assert_true(tso_commit(&c, MS) == first + 1);
    assert_true(tso_commit(&c, MS - 5000) == first + 2); /* a slow statement */
    assert_true(tso_commit(&c, MS + 1) == tso_of_ms(MS + 1));
}

static void
a_full_counter_goes_into_the_milliseconds(void **state)
{
    struct tso_clock c = { tso_of_ms(MS) + (1 << TSO_LOGICAL_BITS) - 1 };

    (void)state;
    assert_true(tso_commit(&c, MS) == tso_of_ms(MS + 1));
    assert_true(tso_commit(&c, MS + 1) == tso_of_ms(MS + 1) + 1);
    c.prev = UINT64_MAX;
    assert_true(tso_commit(&c, MS) == UINT64_MAX);
}

static void
the_same_log_gives_the_same_numbers(void **state)
{
    static const int64_t ms[] = { MS, MS, MS - 1000, MS + 2000, MS + 1000, MS };
    struct tso_clock c = { tso_of_ms(MS - 60000) }, again;
    uint64_t given[COUNT(ms)];

    (void)state;
    for (size_t i = 0; i < COUNT(ms); i++)
        given[i] = tso_commit(&c, ms[i]);
    for (size_t from = 1; from < COUNT(ms); from++) {
        again.prev = given[from - 1]; /* the checkpoint */
        for (size_t i = from; i < COUNT(ms); i++)
            assert_true(tso_commit(&again, ms[i]) == given[i]);
    }
}

static void
what_comes_after_an_idle_time_is_later_than_what_was_told(void **state)
{
    struct tso_clock c = { 0 };
    uint64_t told;

    (void)state;
    assert_true(tso_idle(&c, 10) == 0);
    (void)tso_commit(&c, MS);
    assert_true(tso_idle(&c, MS) == tso_of_ms(MS)); /* not back */
    told = tso_idle(&c, MS + 5000);
    assert_true(told == tso_of_ms(MS + 5000 - TSO_MARGIN_MS));
    /* a statement that began before that, and was committed after it */
    assert_true(tso_commit(&c, MS + 1000) == told + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tso_is_milliseconds_and_a_counter),
        cmocka_unit_test(each_transaction_gets_a_greater_one),
        cmocka_unit_test(a_full_counter_goes_into_the_milliseconds),
        cmocka_unit_test(the_same_log_gives_the_same_numbers),
        cmocka_unit_test(
            what_comes_after_an_idle_time_is_later_than_what_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
