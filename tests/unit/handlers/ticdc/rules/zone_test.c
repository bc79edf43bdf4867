/* Time zones beside the one of the process, held against the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "ticdc/rules/sink.h"
#include "ticdc/rules/zone.h"

#define FILES "/usr/share/zoneinfo/"
#define END   INT64_C(2147483647) /* of a TIMESTAMP */

static int
arena_setup(void **state)
{
    *state = arena_new(16 << 20);
    return *state == NULL;
}

static int
arena_teardown(void **state)
{
    (void)unsetenv("TZ");
    tzset();
    arena_free(*state);
    return 0;
}

static void
every_moment_is_told_as_the_library_tells_it(void **state)
{
    static const char *const names[] = {
        "America/New_York",    "Asia/Shanghai",
        "Europe/Dublin",       "Australia/Sydney",
        "Australia/Lord_Howe", "Asia/Kathmandu",
        "America/Caracas",     "Africa/Casablanca",
        "Pacific/Apia",        "Antarctica/Troll",
        "Etc/GMT+12",          "Pacific/Kiritimati",
        "Asia/Tehran",         "Etc/UTC",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        struct sink_fault why;
        struct zone_choice c;

        assert_int_equal(zone_choose(*state, names[i], &c, &why), ERR_OK);
        assert_non_null(c.zone);
        assert_int_equal(setenv("TZ", names[i], 1), 0);
        tzset();
        /* a step that no rule is a multiple of */
        for (int64_t s = 1; s < END; s += 10007) {
            time_t t = (time_t)s;
            struct tm tm;

            (void)localtime_r(&t, &tm);
            if (tm.tm_gmtoff != zone_offset_s(c.zone, s))
                fail_msg("%s at %lld: %d, not %ld", names[i], (long long)s,
                         zone_offset_s(c.zone, s), tm.tm_gmtoff);
        }
    }
}

static void
names_are_those_of_the_database_and_no_path(void **state)
{
    static const char *const bad[] = { "Mars/Base",      "../zoneinfo/UTC",
                                       "/etc/localtime", "America",
                                       "leapseconds",    "America/",
                                       "Asia/Tokyo\n",   "utc" };
    struct sink_fault why;
    static const char *const local[] = { "system", "System", "LOCAL" };
    struct zone_choice c;

    assert_int_equal(zone_choose(*state, "", &c, &why), ERR_OK);
    assert_true(c.local && c.zone == NULL);
    for (size_t i = 0; i < COUNT(local); i++) {
        assert_int_equal(zone_choose(*state, local[i], &c, &why), ERR_OK);
        assert_true(c.local);
    }
    assert_int_equal(zone_choose(*state, "UTC", &c, &why), ERR_OK);
    assert_true(!c.local && c.zone == NULL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        why = (struct sink_fault){ "", "" };
        assert_int_equal(zone_choose(*state, bad[i], &c, &why), ERR_BAD_PARAM);
        assert_string_equal(why.code, "CDC:ErrAPIInvalidParam");
        assert_string_equal(
            why.text, arena_printf(*state, "invalid timezone:%s", bad[i]));
    }
}

/* However a file is cut or changed, nothing outside of it is read. */
static void
a_broken_file_is_refused_or_read_within_its_bounds(void **state)
{
    const struct zone *z;
    char *text, *copy;
    size_t n;

    assert_int_equal(
        file_read(*state, FILES "Europe/Dublin", 1 << 20, &text, &n), ERR_OK);
    for (size_t k = 0; k < n; k++) {
        copy = malloc(k + 1); /* so that the sanitizer sees its end */
        assert_non_null(copy);
        memcpy(copy, text, k);
        if (zone_parse(*state, copy, k, &z) == ERR_OK)
            (void)zone_offset_s(z, 1);
        free(copy);
    }
    copy = malloc(n);
    assert_non_null(copy);
    for (size_t k = 0; k < n; k++) {
        memcpy(copy, text, n);
        copy[k] = (char)(copy[k] ^ 0x41);
        if (zone_parse(*state, copy, n, &z) == ERR_OK)
            for (int64_t s = -1; s < END; s += END / 7)
                (void)zone_offset_s(z, s);
    }
    free(copy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_moment_is_told_as_the_library_tells_it),
        cmocka_unit_test(names_are_those_of_the_database_and_no_path),
        cmocka_unit_test(a_broken_file_is_refused_or_read_within_its_bounds),
    };

    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
