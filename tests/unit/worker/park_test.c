/* What the set of waiting connections promises. */
#include "worker/park.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct park *park;
static int listen_fd;
static struct sockaddr_un address;

static int
setup(void **state)
{
    (void)state;
    address.sun_family = AF_UNIX; /* an abstract name, chosen by the kernel */
    listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
                   "metagate-park-test.%d", (int)getpid());
    if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listen_fd, 64) != 0)
        return -1;
    park = park_open(listen_fd);
    return park == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    park_close(park);
    (void)close(listen_fd);
    return 0;
}

static int
client(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    return fd;
}

static void
say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
                     (ssize_t)strlen(text));
}

static void
expect_read(int fd, const char *text)
{
    char got[16] = "";

    assert_int_equal(read(fd, got, sizeof(got) - 1), (ssize_t)strlen(text));
    assert_string_equal(got, text);
}

static void
end(int fd)
{
    (void)close(fd);
    park_gone(park);
}

static void
only_a_connection_with_something_to_read_is_given(void **state)
{
    int silent = client(), speaking = client(), fd;

    (void)state;
    say(speaking, "one");
    assert_true(park_wait(park, &fd));
    expect_read(fd, "one");
    assert_int_equal(park_open_count(park), 2);
    end(fd);
    assert_int_equal(park_open_count(park), 1);
    (void)close(silent);
    (void)close(speaking);
}

static void
a_connection_is_given_again_only_after_it_came_back(void **state)
{
    int a = client(), b, fd, other;

    (void)state;
    say(a, "one");
    assert_true(park_wait(park, &fd));
    expect_read(fd, "one");
    say(a, "two"); /* while it is being served */
    b = client();
    say(b, "b");
    assert_true(park_wait(park, &other));
    assert_int_not_equal(other, fd);
    expect_read(other, "b");
    park_back(park, fd);
    assert_true(park_wait(park, &other));
    assert_int_equal(other, fd);
    expect_read(fd, "two");
    (void)close(a);
    (void)close(b);
}

static void
a_closed_connection_is_given_too(void **state)
{
    int a = client(), fd;
    char c;

    (void)state;
    (void)close(a);
    assert_true(park_wait(park, &fd));
    assert_int_equal(read(fd, &c, 1), 0);
    end(fd);
}

static void *
wait_for_stop(void *arg)
{
    int fd;

    (void)arg;
    return park_wait(park, &fd) ? NULL : &park;
}

static void
stop_wakes_every_thread_and_those_who_come_later(void **state)
{
    pthread_t t[4];
    void *stopped;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, wait_for_stop, NULL), 0);
    park_stop(park);
    for (size_t i = 0; i < COUNT(t); i++) {
        assert_int_equal(pthread_join(t[i], &stopped), 0);
        assert_non_null(stopped);
    }
    assert_non_null(wait_for_stop(NULL));
}

static void
a_request_that_came_before_the_stop_is_given_first(void **state)
{
    int a = client(), fd;

    (void)state;
    say(a, "one");
    assert_true(park_wait(park, &fd)); /* accepted */
    expect_read(fd, "one");
    park_back(park, fd);
    say(a, "two");
    park_stop(park);
    assert_true(park_wait(park, &fd));
    expect_read(fd, "two");
    assert_false(park_wait(park, &fd));
    (void)close(a);
}

/* What a front end needs to know: taken, or not. */
static void
after_the_stop_nobody_can_send_into_the_void(void **state)
{
    int a = client(), b = client(), fd;
    char c;

    (void)state;
    say(a, "one");
    assert_true(park_wait(park, &fd));
    expect_read(fd, "one");
    park_back(park, fd);
    assert_int_equal(park_open_count(park), 2); /* b has never said a word */
    park_stop(park);
    for (int i = 0; i < 2; i++) {
        int from = i == 0 ? a : b;

        assert_int_equal(send(from, "two", 3, MSG_NOSIGNAL), -1);
        assert_int_equal(errno, EPIPE);
        assert_true(park_wait(park, &fd));
        assert_int_equal(read(fd, &c, 1), 0);
        end(fd);
    }
    assert_false(park_wait(park, &fd));
    (void)close(a);
    (void)close(b);
}

static void *
send_until_refused(void *arg)
{
    const int *fd = arg;
    intptr_t n = 0;

    while (send(*fd, "x", 1, MSG_NOSIGNAL) == 1)
        n++;
    return (void *)n;
}

/* In whichever moment the stop comes: what was sent is read. */
static void
what_was_sent_at_the_stop_is_read_to_the_last_byte(void **state)
{
    int a = client(), fd;
    pthread_t t;
    void *sent;
    intptr_t got = 0;
    char part[256];
    ssize_t n;

    (void)state;
    say(a, "x");
    assert_true(park_wait(park, &fd));
    expect_read(fd, "x");
    park_back(park, fd);
    assert_int_equal(pthread_create(&t, NULL, send_until_refused, &a), 0);
    for (int round = 0;; round++) {
        assert_true(park_wait(park, &fd));
        n = read(fd, part, sizeof(part));
        if (n <= 0)
            break;
        got += n;
        park_back(park, fd);
        if (round >= 100)
            park_stop(park);
    }
    assert_int_equal(pthread_join(t, &sent), 0);
    assert_int_equal(got, (intptr_t)sent);
    end(fd);
    (void)close(a);
}

static void
draining_accepts_nothing_and_serves_what_is_open(void **state)
{
    int open = client(), late, fd;

    (void)state;
    say(open, "one");
    assert_true(park_wait(park, &fd));
    expect_read(fd, "one");
    park_back(park, fd);
    park_drain(park);
    late = client(); /* stays in the backlog, for the next process */
    say(late, "late");
    say(open, "two");
    assert_true(park_wait(park, &fd));
    expect_read(fd, "two");
    assert_int_equal(park_open_count(park), 1);
    park_stop(park);
    assert_false(park_wait(park, &fd));
    (void)close(open);
    (void)close(late);
}

static void
without_descriptors_a_connection_is_refused_and_the_rest_goes_on(void **state)
{
    struct rlimit limit, none;
    int a = client(), refused = client(), fd;
    char c;

    (void)state;
    say(a, "one");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    fd = dup(0);
    none = limit;
    none.rlim_cur = (rlim_t)fd + 1; /* room for one more */
    (void)close(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_true(park_wait(park, &fd));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect_read(fd, "one");
    assert_int_equal(read(refused, &c, 1), 0);
    (void)close(a);
    (void)close(refused);
    (void)close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_a_connection_with_something_to_read_is_given),
        TEST(a_connection_is_given_again_only_after_it_came_back),
        TEST(a_closed_connection_is_given_too),
        TEST(stop_wakes_every_thread_and_those_who_come_later),
        TEST(a_request_that_came_before_the_stop_is_given_first),
        TEST(after_the_stop_nobody_can_send_into_the_void),
        TEST(what_was_sent_at_the_stop_is_read_to_the_last_byte),
        TEST(draining_accepts_nothing_and_serves_what_is_open),
        TEST(without_descriptors_a_connection_is_refused_and_the_rest_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
