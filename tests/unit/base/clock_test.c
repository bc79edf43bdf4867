/* What the clocks promise: units and direction, never a duration. */
#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void
the_wall_clock_agrees_with_the_library(void **state)
{
    time_t before = time(NULL);
    int64_t s = clock_unix_s(), ms = clock_unix_ms();

    (void)state;
    /* time() may read a coarser clock, which lags by a tick */
    assert_true(s >= before && s <= time(NULL) + 1);
    assert_true(ms / 1000 >= s && ms / 1000 <= time(NULL) + 1);
}

static void
the_monotonic_clock_does_not_go_back(void **state)
{
    int64_t ms = clock_mono_ms(), us = clock_mono_us();

    (void)state;
    assert_true(us / 1000 >= ms);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_us();

        assert_true(now >= us);
        us = now;
    }
}

static void
a_moment_is_told_in_local_time(void **state)
{
    char text[CLOCK_TEXT];

    (void)state;
    assert_int_equal(setenv("TZ", "UTC-8", 1), 0);
    tzset();
    assert_string_equal(clock_text(0, text), "1970-01-01 08:00:00");
    assert_string_equal(clock_text(1798732799, text), "2026-12-31 23:59:59");
    assert_string_equal(clock_text(INT64_MAX, text), "");
    assert_string_equal(clock_stamp(7, text), "1970-01-01T08:00:00.007+0800");
    assert_string_equal(clock_stamp(1798732799120, text),
                        "2026-12-31T23:59:59.120+0800");
    assert_string_equal(clock_stamp(INT64_MAX, text), "");
}

static void
what_people_read_is_read_again(void **state)
{
    static const char *const none[] = { "",
                                        "now",
                                        "2026-01-31",
                                        "2026-01-31 23:59:59x",
                                        "2026-13-01 00:00:00",
                                        "2026-02-30 00:00:00",
                                        "2027-02-29 12:00:00" };
    char text[CLOCK_TEXT];
    int64_t at;

    (void)state;
    assert_true(clock_read(clock_text(1700000000, text), &at));
    assert_true(at == 1700000000);
    for (size_t i = 0; i < COUNT(none); i++)
        if (clock_read(none[i], &at))
            fail_msg("read: %s", none[i]);
}

/* A tick is at most 10 ms. */
static void
the_last_tick_is_near(void **state)
{
    int64_t before = clock_unix_ms(), tick = clock_unix_tick_ms();

    (void)state;
    assert_true(tick >= before - 10);
    assert_true(tick <= clock_unix_ms());
}

static void
a_stamp_is_read_again_whoever_wrote_it(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } stamps[] = {
        { "2026-12-31T23:59:59.120+0800", 1798732799120 },
        { "2026-12-31T15:59:59+00:00 and more", 1798732799000 },
        { "2026-12-31T07:29:59.007-08:30", 1798732799007 },
        { "2026-12-31T23:59:59", 0 }, /* where? */
        { "2026-12-31 23:59:59+0800", 0 },
        { "", 0 },
    };
    char text[CLOCK_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(stamps); i++)
        if (clock_stamp_read(stamps[i].text) != stamps[i].ms)
            fail_msg("%s", stamps[i].text);
    assert_int_equal(clock_stamp_read(clock_stamp(1700000000123, text)),
                     1700000000123);
}

static void
a_moment_has_the_form_that_is_asked_for(void **state)
{
    char text[CLOCK_TEXT];

    (void)state;
    assert_string_equal(clock_print(0, true, CLOCK_NAME, text),
                        "19700101_080000");
    assert_string_equal(clock_print(0, false, CLOCK_NAME, text),
                        "19700101_000000");
    assert_string_equal(clock_print(1798732799, false, CLOCK_DAY, text),
                        "2026-12-31");
    assert_string_equal(clock_print(1798732799, false, CLOCK_MINUTE, text),
                        "2026-12-31 15:59");
    assert_string_equal(clock_print(1798732799, false, CLOCK_MINUTE_Z, text),
                        "2026-12-31T15:59Z");
    assert_string_equal(clock_print(INT64_MAX, false, CLOCK_DAY, text), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_agrees_with_the_library),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(a_moment_is_told_in_local_time),
        cmocka_unit_test(what_people_read_is_read_again),
        cmocka_unit_test(the_last_tick_is_near),
        cmocka_unit_test(a_stamp_is_read_again_whoever_wrote_it),
        cmocka_unit_test(a_moment_has_the_form_that_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
