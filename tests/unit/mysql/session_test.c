/* The end of another session, by what the server answers: this one is the
 * test's, and so is time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fake_clock.h"
#include "mysql/session.c"

#define UNTIL_MS 100 /* from the beginning of each test */

static struct my my;
static struct my_session old;
static const char *up_s; /* what either server says; NULL: it does not know */
static bool is_mysql;
static enum err kill_says, find_says;
static int kills, found_for, finds; /* it is there so many times */
static char killed[64];
static int64_t until;

enum err
my_do(struct my *m, const char *sql)
{
    assert_ptr_equal(m, &my);
    (void)snprintf(killed, sizeof(killed), "%s", sql);
    kills++;
    return kill_says;
}

enum err
my_value_of(struct my *m, const char *sql, char *out, size_t size)
{
    assert_ptr_equal(m, &my);
    out[0] = '\0';
    if (strstr(sql, "PROCESSLIST") != NULL) {
        assert_non_null(strstr(sql, "WHERE ID = 42"));
        (void)snprintf(out, size, "%d", finds < found_for);
        finds++;
        return find_says;
    }
    if (is_mysql != (strstr(sql, "performance_schema") != NULL) || up_s == NULL)
        return ERR_PEER;
    (void)snprintf(out, size, "%s", up_s);
    return ERR_OK;
}

int
nanosleep(const struct timespec *t, struct timespec *left)
{
    assert_null(left);
    pass_ms(t->tv_sec * 1000 + t->tv_nsec / 1000000);
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    old = (struct my_session){ .id = 42, .since_ms = clock_mono_ms() };
    (void)snprintf(old.server, sizeof(old.server), "h:3306:1");
    my = (struct my){ .session = { .id = 43 } };
    (void)snprintf(my.session.server, sizeof(my.session.server), "h:3306:1");
    pass_ms(60000);
    up_s = "3600";
    is_mysql = false;
    kill_says = find_says = ERR_OK;
    kills = found_for = finds = 0;
    until = clock_mono_ms() + UNTIL_MS;
    return 0;
}

static void
it_is_killed_and_waited_for(void **state)
{
    int64_t began = clock_mono_ms();

    (void)state;
    found_for = 3;
    assert_int_equal(my_session_end(&my, &old, until), ERR_OK);
    assert_string_equal(killed, "KILL CONNECTION 42");
    assert_int_equal(kills, 1);
    assert_int_equal(finds, 4);
    assert_int_equal(clock_mono_ms() - began, 3 * POLL_MS);
}

static void
what_stays_is_not_waited_for_any_longer(void **state)
{
    (void)state;
    found_for = 1000;
    assert_int_equal(my_session_end(&my, &old, until), ERR_TIMEOUT);
    assert_int_equal(clock_mono_ms(), until);
}

static void
what_the_server_does_not_know_is_gone(void **state)
{
    (void)state;
    kill_says = ERR_NOT_FOUND;
    assert_int_equal(my_session_end(&my, &old, until), ERR_OK);
    assert_int_equal(finds, 1);
    kill_says = ERR_DENIED;
    assert_int_equal(my_session_end(&my, &old, until), ERR_DENIED);
    assert_int_equal(finds, 1);
    kill_says = ERR_OK;
    find_says = ERR_PEER;
    assert_int_equal(my_session_end(&my, &old, until), ERR_PEER);
}

static void
another_server_is_not_asked(void **state)
{
    (void)state;
    old.server[0] = 'x';
    assert_int_equal(my_session_end(&my, &old, until), ERR_STATE);
    assert_int_equal(kills, 0);
}

/* The old session is 60 s old; a server that is up for 59 s by its own count
 * may have begun before that. */
static void
a_server_that_began_after_it_has_ended_it(void **state)
{
    (void)state;
    up_s = "58";
    assert_int_equal(my_session_end(&my, &old, until), ERR_OK);
    assert_int_equal(kills, 0);
    up_s = "59";
    assert_int_equal(my_session_end(&my, &old, until), ERR_OK);
    assert_int_equal(kills, 1);
    pass_ms(1);
    assert_int_equal(my_session_end(&my, &old, until + 1), ERR_OK);
    assert_int_equal(kills, 1);
}

static void
mysql_keeps_its_age_elsewhere(void **state)
{
    (void)state;
    is_mysql = true;
    assert_int_equal(my_session_end(&my, &old, until), ERR_OK);
    assert_int_equal(kills, 1);
    up_s = "1";
    assert_int_equal(my_session_end(&my, &old, until), ERR_OK);
    assert_int_equal(kills, 1);
    up_s = NULL;
    assert_int_equal(my_session_end(&my, &old, until), ERR_PEER);
    assert_int_equal(kills, 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(it_is_killed_and_waited_for),
        TEST(what_stays_is_not_waited_for_any_longer),
        TEST(what_the_server_does_not_know_is_gone),
        TEST(another_server_is_not_asked),
        TEST(a_server_that_began_after_it_has_ended_it),
        TEST(mysql_keeps_its_age_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
