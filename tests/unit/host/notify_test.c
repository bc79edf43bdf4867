/* What systemd would be told. */
#include "host/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct sockaddr_un sa;

/* A socket of that name, '@' for an abstract one, in NOTIFY_SOCKET. */
static int
listen_at(const char *name)
{
    socklen_t n =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", name);
    if (name[0] == '@')
        sa.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void
expect_words(int fd, const char *words)
{
    char got[128];
    ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

    assert_true(n > 0);
    got[n] = '\0';
    assert_string_equal(got, words);
}

static void
words_are_heard_at_a_path_and_at_an_abstract_name(void **state)
{
    char path[64], abstract[64];
    int fd;

    (void)state;
    (void)snprintf(path, sizeof(path), "/var/tmp/notify-unit.%d", getpid());
    (void)snprintf(abstract, sizeof(abstract), "@notify-unit.%d", getpid());
    fd = listen_at(path);
    notify("READY=1");
    notify("WATCHDOG=1\nSTATUS=waits");
    expect_words(fd, "READY=1");
    expect_words(fd, "WATCHDOG=1\nSTATUS=waits");
    (void)close(fd);
    (void)unlink(path);
    fd = listen_at(abstract);
    notify("STOPPING=1");
    expect_words(fd, "STOPPING=1");
    (void)close(fd);
}

static void
nobody_to_hear_is_no_trouble(void **state)
{
    char name[200];

    (void)state;
    (void)unsetenv("NOTIFY_SOCKET");
    notify("READY=1");
    (void)setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    notify("READY=1");
    (void)setenv("NOTIFY_SOCKET", "relative", 1);
    notify("READY=1");
    (void)memset(name, 'x', sizeof(name));
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    (void)setenv("NOTIFY_SOCKET", name, 1);
    notify("READY=1");
}

static void
who_does_not_read_holds_nobody_up(void **state)
{
    char name[64];
    int fd;

    (void)state;
    (void)snprintf(name, sizeof(name), "@notify-full.%d", getpid());
    fd = listen_at(name);
    for (int i = 0; i < 10000; i++)
        notify("WATCHDOG=1");
    expect_words(fd, "WATCHDOG=1");
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_heard_at_a_path_and_at_an_abstract_name),
        cmocka_unit_test(nobody_to_hear_is_no_trouble),
        cmocka_unit_test(who_does_not_read_holds_nobody_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
