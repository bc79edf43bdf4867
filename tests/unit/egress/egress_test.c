/* Which addresses may be connected to, and what a client's URL names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "egress.h"

static char why[WHY_BYTES];

static int
setup(void **state)
{
    (void)state;
    config_place("/nonexistent", "127.9.9");
    return config_load(NULL, why) == ERR_OK ? 0 : -1;
}

static void
rules(const char *allow, const char *deny)
{
    assert_int_equal(egress_rules(allow, deny, why), ERR_OK);
}

static bool
may(const char *address, unsigned port)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    in.sin_port = in6.sin6_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
        return egress_allowed((struct sockaddr *)&in, why);
    assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
    return egress_allowed((struct sockaddr *)&in6, why);
}

static void
link_local_is_refused_whatever_is_allowed(void **state)
{
    static const char *const never[] = {
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "febf::1",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::ffff:0.0.0.0",
        "fd00:ec2::254",
        "100.100.100.200",
        "::ffff:100.100.100.200",
        "fd20:ce::254",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "192.0.0.192",
        "::ffff:192.0.0.192",
        "::ffff:0:10.1.2.3",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    };

    (void)state;
    rules("0.0.0.0/0, ::/0", "");
    for (size_t i = 0; i < COUNT(never); i++)
        if (may(never[i], 3306))
            fail_msg("%s", never[i]);
}

static void
everything_else_may_be_connected_to(void **state)
{
    static const char *const fine[] = {
        "127.0.0.1",    "10.1.2.3",      "8.8.8.8",         "::1",
        "2001:db8::1",  "fd00::1",       "::ffff:10.1.2.3", "fec0::1",
        "fd20:ce::253", "168.63.129.17", "192.0.0.191",     "fd20:ce:1::254"
    };

    (void)state;
    rules("", "");
    for (size_t i = 0; i < COUNT(fine); i++)
        if (!may(fine[i], 3306))
            fail_msg("%s: %s", fine[i], why);
}

static void
our_own_listeners_are_refused(void **state)
{
    (void)state;
    rules("", "");
    assert_false(may("127.9.9.1", 8080));
    assert_string_equal(why, "a listener of metagate itself");
    assert_false(may("::ffff:127.9.9.1", 5000));
    assert_false(may("127.9.9.1", 12100));
    assert_true(may("127.9.8.1", 8080));
}

static void
the_metadata_store_is_refused(void **state)
{
    (void)state;
    (void)setenv("METAGATE_MYSQL_PORT", "13306", 1); /* it has none by itself */
    assert_int_equal(config_load(NULL, why), ERR_OK);
    assert_int_equal(egress_init(why), ERR_OK);
    assert_false(may("127.9.9.1", 13306));
    assert_string_equal(why, "the metadata store");
    assert_false(may("::ffff:127.9.9.1", 13306));
    assert_true(may("127.9.9.1", 13307));
    (void)setenv("METAGATE_MYSQL_HOSTS", "unix:/x,10.1.1.1:3306,[fd01::1]:3307",
                 1);
    assert_int_equal(config_load(NULL, why), ERR_OK);
    assert_int_equal(egress_init(why), ERR_OK);
    assert_false(may("10.1.1.1", 3306));
    assert_false(may("fd01::1", 3307));
    assert_true(may("10.1.1.1", 3307));
    assert_true(may("127.9.9.1", 13306));
    (void)unsetenv("METAGATE_MYSQL_HOSTS");
    assert_int_equal(config_load(NULL, why), ERR_OK);
}

/* A server that is asked at one address of this host may hear at all. */
static void
a_store_on_this_host_is_refused_at_each_address(void **state)
{
    static const char *const told[] = { "127.0.0.1:3308", "localhost:3308",
                                        "0.0.0.0:3308", "127.4.4.4:3308" };
    static const char *const ways[] = { "127.0.0.1", "127.4.4.4", "127.9.8.1",
                                        "::ffff:127.0.0.2" };

    (void)state;
    rules("", "");
    for (size_t i = 0; i < COUNT(told); i++) {
        (void)setenv("METAGATE_MYSQL_HOSTS", told[i], 1);
        assert_int_equal(config_load(NULL, why), ERR_OK);
        assert_int_equal(egress_init(why), ERR_OK);
        for (size_t k = 0; k < COUNT(ways); k++) {
            if (may(ways[k], 3308))
                fail_msg("%s by %s", told[i], ways[k]);
            assert_string_equal(why, "the metadata store");
            assert_true(may(ways[k], 3309));
        }
        assert_true(may("192.0.2.1", 3308)); /* another host's */
    }
    (void)unsetenv("METAGATE_MYSQL_HOSTS");
    assert_int_equal(config_load(NULL, why), ERR_OK);
    assert_int_equal(egress_init(why), ERR_OK);
}

static void
deny_beats_allow(void **state)
{
    (void)state;
    rules("10.0.0.0/8,fd00::/16", "10.1.0.0/16");
    assert_true(may("10.2.3.4", 1));
    assert_true(may("::ffff:10.2.3.4", 1));
    assert_true(may("fd00::5", 1));
    assert_false(may("10.1.3.4", 1));
    assert_string_equal(why, "in [egress] deny");
    assert_false(may("11.0.0.1", 1));
    assert_string_equal(why, "not in [egress] allow");
    assert_false(may("fd01::5", 1));
    rules("", "10.1.2.3");
    assert_false(may("10.1.2.3", 1));
    assert_true(may("10.1.2.2", 1));
    rules("10.128.0.0/9", "");
    assert_true(may("10.200.0.1", 1));
    assert_false(may("10.127.0.1", 1));
}

static void
a_list_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = { "x",      "10.0.0.0/33", "10.0.0/8",
                                       "::/129", "10.0.0.0/",   "10.0.0.0/-1",
                                       "/8",     "10.0.0.0/8x" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (egress_rules(bad[i], "", why) != ERR_BAD_PARAM)
            fail_msg("%s", bad[i]);
    rules("", "");
}

static void
parsed(const char *url, const char *scheme, const char *host, unsigned port)
{
    struct egress_target t;

    if (egress_parse(url, "mysql,tcp", 3306, &t, why) != ERR_OK)
        fail_msg("%s: %s", url, why);
    assert_string_equal(t.scheme, scheme);
    assert_string_equal(t.host, host);
    assert_int_equal(t.port, port);
}

static void
a_url_names_scheme_host_and_port(void **state)
{
    (void)state;
    parsed("mysql://db", "mysql", "db", 3306);
    parsed("tcp://db:1/x?y#z", "tcp", "db", 1);
    parsed("mysql://u:p@h:33@db:5/", "mysql", "db", 5);
    parsed("mysql://[fd00::1]:7", "mysql", "fd00::1", 7);
    parsed("mysql://[::1]", "mysql", "::1", 3306);
    parsed("mysql://db?a@b:c", "mysql", "db", 3306);
}

static void
another_url_is_refused(void **state)
{
    static const char *const bad[] = {
        "db:3306",           "http://db",     "MYSQL://db",
        "mysql:db",          "://db",         "mysql://",
        "mysql://:1",        "mysql://db:",   "mysql://db:0",
        "mysql://db:65536",  "mysql://db:1x", "mysql://db:-1",
        "mysql://[::1",      "mysql://[]:1",  "mysql://[::1]x",
        "mysql://u:secret@", "tc://db",       "",
    };
    struct egress_target t;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (egress_parse(bad[i], "mysql,tcp", 3306, &t, why) != ERR_BAD_PARAM)
            fail_msg("%s", bad[i]);
        assert_null(strstr(why, "secret"));
    }
    assert_int_equal(egress_parse("tcp://db", "tcp", 0, &t, why),
                     ERR_BAD_PARAM);
}

/* A listening socket on 127.9.9.1; its port. */
static int
listener(unsigned *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t n = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, "127.9.9.1", &in.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

static void
connecting_ends_in_time(void **state)
{
    unsigned port;
    int server = listener(&port), fd;
    int64_t until = clock_mono_ms() + 5000;

    (void)state;
    rules("", "");
    assert_int_equal(egress_connect("127.9.9.1", port, until, &fd, why),
                     ERR_OK);
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(server), 0);
    assert_int_equal(egress_connect("127.9.9.1", port, until, &fd, why),
                     ERR_PEER); /* nobody listens any more */
    assert_int_equal(fd, -1);
    assert_int_equal(egress_connect("127.9.9.1", 5000, until, &fd, why),
                     ERR_DENIED);
    assert_int_equal(egress_connect("127.9.9.1", port, 1, &fd, why),
                     ERR_TIMEOUT);
    assert_int_equal(egress_connect("no.such.host.invalid", 1, until, &fd, why),
                     ERR_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_local_is_refused_whatever_is_allowed),
        cmocka_unit_test(everything_else_may_be_connected_to),
        cmocka_unit_test(our_own_listeners_are_refused),
        cmocka_unit_test(the_metadata_store_is_refused),
        cmocka_unit_test(a_store_on_this_host_is_refused_at_each_address),
        cmocka_unit_test(deny_beats_allow),
        cmocka_unit_test(a_list_that_is_none_is_refused),
        cmocka_unit_test(a_url_names_scheme_host_and_port),
        cmocka_unit_test(another_url_is_refused),
        cmocka_unit_test(connecting_ends_in_time),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
