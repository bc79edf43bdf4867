/* A child's line of "status", written and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "onebox/up.h"

static void
lines_that_are_written_are_read_again(void **state)
{
    static const struct status_line wrote[] = {
        { .name = "serve-0",
          .state = "running",
          .pid = 4711,
          .restarts = 3,
          .seconds = 5000000000 },
        { .name = "setup", .state = "done" },
        { .name = "a-name-of-thirty-one-characters",
          .state = "fifteen-letters",
          .pid = 1,
          .restarts = 2,
          .seconds = 3 },
    };
    struct buf b = BUF_INIT(4096);
    struct status_line l;
    const char *at;

    (void)state;
    for (size_t i = 0; i < COUNT(wrote); i++)
        up_status_put(&b, &wrote[i]);
    at = buf_text(&b);
    assert_int_equal(strncmp(at, "serve-0 running 4711 5000000000 3\n", 34), 0);
    for (size_t i = 0; i < COUNT(wrote); i++) {
        assert_true(up_status_next(&at, &l));
        assert_string_equal(l.name, wrote[i].name);
        assert_string_equal(l.state, wrote[i].state);
        assert_int_equal(l.pid, wrote[i].pid);
        assert_int_equal(l.restarts, wrote[i].restarts);
        assert_int_equal(l.seconds, wrote[i].seconds);
    }
    assert_false(up_status_next(&at, &l));
    buf_free(&b);
}

static void
what_is_no_such_line_ends_them(void **state)
{
    static const char *const bad[] = { "", "\n", "error unknown command\n",
                                       "serve-0 running 1 2\n",
                                       "serve-0 running 1 2 3" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *at = bad[i];
        struct status_line l;

        assert_false(up_status_next(&at, &l));
        assert_ptr_equal(at, bad[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_are_written_are_read_again),
        cmocka_unit_test(what_is_no_such_line_ends_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
