/* Who holds a port, as /proc tells it. */
#include "host/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"
#include "port_idle.h"

#define HEADING                                                  \
    "  sl  local_address rem_address   st tx_queue rx_queue tr " \
    "tm->when retrnsmt   uid  timeout inode\n"
#define REST " 00000000:00000000 00:00000000 00000000  1000        0 "
/* 127.0.0.1:5000, 0.0.0.0:5000 and a connection from 127.0.0.1:5000 */
#define HERE       "   0: 0100007F:1388 00000000:0000 0A" REST "111 1 0 100\n"
#define ANY        "   1: 00000000:1388 00000000:0000 0A" REST "222 1 0 100\n"
#define CONNECTION "  12: 0100007F:1388 0200007F:0050 01" REST "333 1 0 20\n"
#define ELSEWHERE  "   3: 0200007F:1388 00000000:0000 0A" REST "444 1 0 100\n"
#define OTHER_PORT "   4: 0100007F:1389 00000000:0000 0A" REST "555 1 0 100\n"
#define ANY6                                       \
    "   0: 00000000000000000000000000000000:1388 " \
    "00000000000000000000000000000000:0000 0A" REST "666 1 0 100\n"

static struct in6_addr
v4(const char *text)
{
    char mapped[64];
    struct in6_addr a;

    (void)snprintf(mapped, sizeof(mapped), "::ffff:%s", text);
    assert_int_equal(inet_pton(AF_INET6, mapped, &a), 1);
    return a;
}

static void
a_line_gives_address_port_state_owner_and_inode(void **state)
{
    struct in6_addr want = v4("127.0.0.1");
    struct port_entry e;

    (void)state;
    assert_true(port_parse_line(HERE, &e));
    assert_memory_equal(&e.addr, &want, sizeof(want));
    assert_int_equal(e.port, 5000);
    assert_int_equal(e.state, PORT_STATE_LISTEN);
    assert_int_equal(e.uid, 1000);
    assert_int_equal(e.inode, 111);
}

static void
an_ipv6_line_is_read_too(void **state)
{
    struct in6_addr any = IN6ADDR_ANY_INIT;
    struct port_entry e;

    (void)state;
    assert_true(port_parse_line(ANY6, &e));
    assert_memory_equal(&e.addr, &any, sizeof(any));
    assert_int_equal(e.inode, 666);
}

static void
what_is_no_such_line_is_passed_over(void **state)
{
    struct port_entry e;

    (void)state;
    assert_false(port_parse_line(HEADING, &e));
    assert_false(port_parse_line("", &e));
    assert_false(port_parse_line("   0: 0100007F:1388 00000000:0000", &e));
    assert_false(
        port_parse_line("   0: 01007F:1388 00000000:0000 0A" REST "1 1", &e));
}

static enum port_use
search(const char *text, unsigned long *inode)
{
    struct in6_addr addr = v4("127.0.0.1");
    struct port_entry e = { .inode = 0 };
    enum port_use use;

    if (!port_search(text, &addr, 5000, &e, &use))
        assert_int_equal(use, PORT_FREE);
    *inode = e.inode;
    return use;
}

static void
the_three_ways_to_hold_a_port_are_told_apart(void **state)
{
    unsigned long inode;

    (void)state;
    assert_int_equal(search(HEADING HERE, &inode), PORT_HERE);
    assert_int_equal(inode, 111);
    assert_int_equal(search(HEADING ANY, &inode), PORT_ANYWHERE);
    assert_int_equal(inode, 222);
    assert_int_equal(search(HEADING ANY6, &inode), PORT_ANYWHERE);
    assert_int_equal(inode, 666);
    assert_int_equal(search(HEADING CONNECTION, &inode), PORT_OUTGOING);
    assert_int_equal(inode, 333);
}

static void
another_address_or_port_holds_nothing(void **state)
{
    unsigned long inode;

    (void)state;
    assert_int_equal(search(HEADING ELSEWHERE OTHER_PORT, &inode), PORT_FREE);
    assert_int_equal(search("", &inode), PORT_FREE);
}

static void
a_listener_is_told_before_its_connections(void **state)
{
    unsigned long inode;

    (void)state;
    assert_int_equal(search(HEADING CONNECTION ANY HERE, &inode), PORT_HERE);
    assert_int_equal(inode, 111);
    assert_int_equal(search(HEADING HERE CONNECTION, &inode), PORT_HERE);
    assert_int_equal(search(HEADING CONNECTION ANY, &inode), PORT_ANYWHERE);
}

static bool
reads_as(const char *text, const char *in6)
{
    struct port_address a;
    struct in6_addr want;

    assert_int_equal(inet_pton(AF_INET6, in6, &want), 1);
    return port_address(text, &a) == ERR_OK &&
           memcmp(&a.in6, &want, sizeof(want)) == 0;
}

static void
every_form_of_an_address_is_read(void **state)
{
    (void)state;
    assert_true(reads_as("127.0.0.1:8080", "::ffff:127.0.0.1"));
    assert_true(reads_as("0.0.0.0:1", "::ffff:0.0.0.0"));
    assert_true(reads_as("[::1]:8080", "::1"));
    assert_true(reads_as("[::]:65535", "::"));
    assert_true(reads_as("[2001:DB8::a:b]:80", "2001:db8::a:b"));
    assert_true(reads_as("[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1"));
}

static void
what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "127.0.0.1",
        ":80",
        "127.0.0.1:",
        "127.0.0:80",
        "127.0.0.1:0",
        "localhost:80",
        "127.0.0.1:65536",
        "::1:80",
        "[::1]",
        "[::1]:",
        "[::1]:x",
        "[]:80",
        "[127.0.0.1]:80",
        "[::1:80",
        "::1]:80",
        "[::1]80",
        "[::g]:80",
        "*:80",
        "127.0.0.1:+80",
        "[::1%lo]:80",
        "127.0.0.1: 80",
    };
    struct port_address a;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (port_address(bad[i], &a) == ERR_OK)
            fail_msg("taken: \"%s\"", bad[i]);
    }
}

/* Listens on the address with a port of the system's choice, and says what
 * it then is called. */
static int
listen_on(const char *text, struct port_address *out)
{
    struct port_address a;
    int fd;

    assert_int_equal(port_address(text, &a), ERR_OK);
    if (a.sa.ss_family == AF_INET)
        ((struct sockaddr_in *)&a.sa)->sin_port = 0;
    else
        ((struct sockaddr_in6 *)&a.sa)->sin6_port = 0;
    fd = socket(a.sa.ss_family, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a.sa, a.n), 0);
    assert_int_equal(listen(fd, 1), 0);
    *out = a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&out->sa, &out->n), 0);
    return fd;
}

static void
a_listener_of_every_form_is_reached(void **state)
{
    static const char *const forms[] = { "127.0.0.1:1", "0.0.0.0:1", "[::1]:1",
                                         "[::]:1" };
    struct port_address a;
    int fd, near;

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        fd = listen_on(forms[i], &a);
        near = port_connect(&a, 1000);
        if (near < 0)
            fail_msg("not reached: %s", forms[i]);
        (void)close(near);
        (void)close(fd);
        assert_int_equal(port_connect(&a, 1000), -1);
    }
}

static void
our_own_listener_is_found_with_its_process(void **state)
{
    static const char *const forms[] = { "127.0.0.1:1", "[::1]:1" };
    struct port_address a;
    struct port_holder h;
    int fd;

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        fd = listen_on(forms[i], &a);
        port_probe(&a, &h);
        assert_int_equal(h.use, PORT_HERE);
        assert_int_equal(h.pid, getpid());
        assert_non_null(strstr(h.command, program_invocation_short_name));
        (void)close(fd);
        port_probe(&a, &h);
        assert_int_equal(h.use, PORT_FREE);
    }
}

static void
a_port_is_idle_while_nobody_listens_there(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "::1" };
    struct port_address a;
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        bool idle = false;

        /* somebody else may take it meanwhile */
        for (int tries = 0; !idle && tries < 20; tries++) {
            int fd =
                listen_on(address_print(hosts[i], 1, text, sizeof(text)), &a);

            assert_false(port_is_idle(hosts[i], port_number(&a)));
            (void)close(fd);
            idle = port_is_idle(hosts[i], port_number(&a));
        }
        assert_true(idle);
    }
    assert_false(port_is_idle("192.0.2.1", 5000));
    assert_false(port_is_idle("localhost", port_number(&a)));
    assert_false(port_is_idle("127.0.0.1", 65536));
}

static void
an_address_of_another_machine_is_absent(void **state)
{
    struct port_address a;
    struct port_holder h;

    (void)state;
    assert_int_equal(port_address("192.0.2.1:5000", &a), ERR_OK);
    port_probe(&a, &h);
    assert_int_equal(h.use, PORT_ABSENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_gives_address_port_state_owner_and_inode),
        cmocka_unit_test(an_ipv6_line_is_read_too),
        cmocka_unit_test(what_is_no_such_line_is_passed_over),
        cmocka_unit_test(the_three_ways_to_hold_a_port_are_told_apart),
        cmocka_unit_test(another_address_or_port_holds_nothing),
        cmocka_unit_test(a_listener_is_told_before_its_connections),
        cmocka_unit_test(every_form_of_an_address_is_read),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_listener_of_every_form_is_reached),
        cmocka_unit_test(our_own_listener_is_found_with_its_process),
        cmocka_unit_test(a_port_is_idle_while_nobody_listens_there),
        cmocka_unit_test(an_address_of_another_machine_is_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
