/* Which ports a machine tells as taken: by who listens, and by directories. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "kunlun/machine/survey.c"

#include "run_dir_fixture.h"

static void
a_range_of_ports_has_bounds(void **state)
{
    (void)state;
    assert_true(is_range(1, 0));
    assert_true(is_range(65535, PORTS_MAX));
    assert_false(is_range(0, 1));
    assert_false(is_range(-1, 1));
    assert_false(is_range(65536, 1));
    assert_false(is_range(1, -1));
    assert_false(is_range(1, PORTS_MAX + 1));
}

/* A listener of the test's own, on a port that the kernel gives. */
static int
listen_on(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void
who_listens_and_whose_directory_is_there_is_told(void **state)
{
    struct I32 busy[8];
    struct machine_dir d = { .class = PLACEMENT_DATA, .real = dir };
    struct looking l = { .a = arena, .out.busy.v = busy };
    const char *below = arena_printf(arena, "%s/instance_data", dir);
    int port, fd = listen_on(&port);

    (void)state;
    look_at_ports(&l, "127.0.0.1", false, port, 1);
    assert_int_equal(l.out.busy.n, 1);
    assert_int_equal(busy[0].v, port);
    look_at_ports(&l, "127.0.0.1", false, port, 0);
    assert_int_equal(l.out.busy.n, 1);
    (void)close(fd);
    l.dirs.v = &d;
    l.dirs.n = 1;
    assert_false(has_directory(&l, false, 6001));
    assert_int_equal(mkdir(below, 0700), 0);
    below = arena_printf(arena, "%s/data_dir_path", below);
    assert_int_equal(mkdir(below, 0700), 0);
    assert_int_equal(mkdir(arena_printf(arena, "%s/6001", below), 0700), 0);
    assert_true(has_directory(&l, false, 6001));
    assert_false(has_directory(&l, false, 6002));
    assert_false(has_directory(&l, true, 6001));
    d.class = PLACEMENT_COMP;
    assert_false(has_directory(&l, true, 6001));
    assert_false(has_directory(&l, false, 6001));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_of_ports_has_bounds),
        cmocka_unit_test_setup_teardown(
            who_listens_and_whose_directory_is_there_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
