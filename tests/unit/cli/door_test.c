/* Where a dialect's listener of another host is reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/door.c"

static void
settled(const char *console, const char *listens, const char *want)
{
    struct door d = { 0 };
    char out[256];

    (void)snprintf(d.console, sizeof(d.console), "%s", console);
    settle_host(&d, listens, out, sizeof(out));
    assert_string_equal(out, want);
}

static void
who_listens_everywhere_is_reached_where_the_console_is(void **state)
{
    (void)state;
    settled("http://10.0.0.7:8080", "0.0.0.0:5000", "http://10.0.0.7:5000");
    settled("https://db.example/", "0.0.0.0:5000", "https://db.example:5000");
    settled("http://[fd00::7]:8080/", "[::]:5000", "http://[fd00::7]:5000");
    settled("http://[fd00::7]", "0.0.0.0:5000", "http://[fd00::7]:5000");
    settled("127.0.0.1:8080", "[::]:5000", "127.0.0.1:5000");
}

static void
who_listens_somewhere_is_reached_there(void **state)
{
    (void)state;
    settled("http://10.0.0.7:8080", "10.0.0.8:5000", "http://10.0.0.8:5000");
    settled("https://10.0.0.7:8080", "[::1]:5000", "https://[::1]:5000");
    settled("127.0.0.1:8080", "127.0.0.2:5000", "127.0.0.2:5000");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            who_listens_everywhere_is_reached_where_the_console_is),
        cmocka_unit_test(who_listens_somewhere_is_reached_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
