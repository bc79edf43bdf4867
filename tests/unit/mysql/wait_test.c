/* How long a call may wait, and whether an idle connection still is one. The
 * clock is the test's; the library's part is a socket of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "fake_clock.h"
#include "mysql/wait.c"

static struct my my;
static MYSQL library;
static MARIADB_PVIO pvio;
static int ends[2];

my_socket
mysql_get_socket(MYSQL *c)
{
    assert_ptr_equal(c, &library);
    return ends[0];
}

static int
setup(void **state)
{
    (void)state;
    memset(&library, 0, sizeof(library));
    memset(&pvio, 0, sizeof(pvio));
    library.net.pvio = &pvio;
    my = (struct my){ .c = &library,
                      .fine_timeouts = true,
                      .read_timeout_s = 7,
                      .used_ms = clock_mono_ms() };
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int
teardown(void **state)
{
    (void)state;
    (void)close(ends[0]);
    if (ends[1] >= 0)
        (void)close(ends[1]);
    return 0;
}

static int
waits(void)
{
    assert_int_equal(my_arm(&my, "DO 1"), ERR_OK);
    assert_int_equal(my.sent_ms, clock_mono_ms());
    assert_int_equal(my.wait_ms, pvio.timeout[PVIO_READ_TIMEOUT]);
    return pvio.timeout[PVIO_READ_TIMEOUT];
}

static void
a_call_waits_as_long_as_it_may(void **state)
{
    (void)state;
    assert_int_equal(waits(), 7000);
    my_until(&my, clock_mono_ms() + 7001);
    assert_int_equal(waits(), 7000);
    my_until(&my, clock_mono_ms() + 6999);
    assert_int_equal(waits(), 6999);
    my_until(&my, clock_mono_ms() + 1);
    assert_int_equal(waits(), 1);
    my.read_timeout_s = 0;
    my_until(&my, 0);
    assert_int_equal(waits(), MY_NO_LIMIT_MS);
}

static void
nothing_is_sent_when_time_is_over(void **state)
{
    (void)state;
    my_until(&my, clock_mono_ms());
    assert_int_equal(my_arm(&my, "DO 1"), ERR_TIMEOUT);
    assert_int_equal(pvio.timeout[PVIO_READ_TIMEOUT], 0);
    assert_string_equal(my.failure.text, "deadline passed");
    assert_string_equal(my.failure.sql, "DO 1");
    my_until(&my, clock_mono_ms() + 1);
    pass_ms(2);
    assert_int_equal(my_arm(&my, "DO 1"), ERR_TIMEOUT);
    my.c = NULL;
    assert_int_equal(my_arm(&my, "DO 1"), ERR_PEER);
    assert_string_equal(my.failure.text, "not connected");
}

/* Where the library's header is not to be trusted, and when it has lost the
 * connection, its own time-out stays. */
static void
what_cannot_be_set_is_left(void **state)
{
    (void)state;
    my_until(&my, clock_mono_ms() + 10);
    my.fine_timeouts = false;
    assert_int_equal(my_arm(&my, "DO 1"), ERR_OK);
    assert_int_equal(my.wait_ms, 7000);
    assert_int_equal(pvio.timeout[PVIO_READ_TIMEOUT], 0);
    my.fine_timeouts = true;
    library.net.pvio = NULL;
    assert_int_equal(my_arm(&my, "DO 1"), ERR_OK);
    assert_int_equal(my.wait_ms, 7000);
}

static void
an_idle_connection_is_stale_when_the_server_hung_up(void **state)
{
    (void)state;
    assert_int_equal(close(ends[1]), 0);
    ends[1] = -1;
    pass_ms(IDLE_MS);
    assert_false(my_is_stale(&my)); /* it was used a moment ago */
    pass_ms(1);
    assert_true(my_is_stale(&my));
    my.c = NULL;
    assert_false(my_is_stale(&my));
}

static void
an_idle_connection_has_nothing_to_read(void **state)
{
    (void)state;
    pass_ms(IDLE_MS + 1);
    assert_false(my_is_stale(&my));
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(my_is_stale(&my));
    assert_true(my_is_stale(&my)); /* a look takes nothing */
}

static void
what_is_no_socket_any_more_is_stale(void **state)
{
    int was = ends[0];

    (void)state;
    pass_ms(IDLE_MS + 1);
    ends[0] = -1;
    assert_true(my_is_stale(&my));
    ends[0] = was;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_call_waits_as_long_as_it_may),
        TEST(nothing_is_sent_when_time_is_over),
        TEST(what_cannot_be_set_is_left),
        TEST(an_idle_connection_is_stale_when_the_server_hung_up),
        TEST(an_idle_connection_has_nothing_to_read),
        TEST(what_is_no_socket_any_more_is_stale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
