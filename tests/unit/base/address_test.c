/* host:port, read and printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"

static char host[16];
static unsigned port;

static enum err
take(const char *text, unsigned unless_given)
{
    return address_read(text, strlen(text), unless_given, host, sizeof(host),
                        &port);
}

static void
host_and_port_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(take("db-1:3306", 0), ERR_OK);
    assert_string_equal(host, "db-1");
    assert_int_equal(port, 3306);
    assert_int_equal(take("127.0.0.1:65535", 7), ERR_OK);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 65535);
    assert_int_equal(take("[::1]:8080", 0), ERR_OK);
    assert_string_equal(host, "::1");
    assert_int_equal(port, 8080);
}

static void
a_port_may_be_left_out_where_there_is_another(void **state)
{
    (void)state;
    assert_int_equal(take("db", 3306), ERR_OK);
    assert_int_equal(port, 3306);
    assert_int_equal(take("[fe80::2]", 80), ERR_OK);
    assert_string_equal(host, "fe80::2");
    assert_int_equal(port, 80);
    assert_int_equal(take("db", 0), ERR_BAD_PARAM);
    assert_int_equal(take("[fe80::2]", 0), ERR_BAD_PARAM);
}

static void
what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",        ":80",           "a:",        "a:0",   "a:65536",
        "a:080",   "a:99999999999", "a:+80",     "a: 80", "a:8x",
        "a:80:90", "::1:80",        "[::1:80",   "[]:80", "[abc]:80",
        "[::1]80", "[::1]:",        "[::1]x:80", "]:80:"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (take(bad[i], 80) != ERR_BAD_PARAM)
            fail_msg("taken: %s", bad[i]);
}

static void
a_host_that_does_not_fit_or_holds_nul_is_refused(void **state)
{
    (void)state;
    assert_int_equal(take("abcdefghijklmno:1", 0), ERR_OK);
    assert_int_equal(take("abcdefghijklmnop:1", 0), ERR_BAD_PARAM);
    assert_int_equal(address_read("a\0b:1", 5, 0, host, sizeof(host), &port),
                     ERR_BAD_PARAM);
}

static void
only_its_bytes_are_read(void **state)
{
    (void)state;
    assert_int_equal(address_read("a:1234", 4, 0, host, sizeof(host), &port),
                     ERR_OK);
    assert_int_equal(port, 12);
}

static void
what_is_printed_is_read_again(void **state)
{
    static const struct {
        const char *host;
        int port;
        const char *text;
    } cases[] = {
        { "db-1", 3306, "db-1:3306" },
        { "127.0.0.1", 1, "127.0.0.1:1" },
        { "::1", 65535, "[::1]:65535" },
        { "fe80::2", 80, "[fe80::2]:80" },
    };
    char out[ADDRESS_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_ptr_equal(
            address_print(cases[i].host, cases[i].port, out, sizeof(out)), out);
        assert_string_equal(out, cases[i].text);
        assert_int_equal(take(out, 0), ERR_OK);
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
    }
}

static void
what_is_printed_fits_or_is_cut(void **state)
{
    char long_host[256], out[ADDRESS_BYTES], small[6];

    (void)state;
    memset(long_host, ':', sizeof(long_host) - 1);
    long_host[sizeof(long_host) - 1] = '\0';
    (void)address_print(long_host, 65535, out, sizeof(out));
    assert_int_equal(strlen(out), sizeof(long_host) + 7);
    assert_string_equal(out + sizeof(long_host), "]:65535");
    assert_string_equal(address_print("db-1", 3306, small, sizeof(small)),
                        "db-1:");
    assert_string_equal(address_print("[::1]", 1, out, sizeof(out)), "[::1]:1");
    assert_string_equal(address_print("db", -1, out, sizeof(out)), "db:-1");
}

static void
a_server_may_be_a_socket_by_its_whole_path(void **state)
{
    static const char *const bad[] = { "unix:", "unix:a", "unix:./a",
                                       "unix:/345678901234567" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (address_read_server(bad[i], strlen(bad[i]), 80, host, sizeof(host),
                                &port) != ERR_BAD_PARAM)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(
        address_read_server("unix:/a/b", 8, 80, host, sizeof(host), &port),
        ERR_OK);
    assert_string_equal(host, "/a/");
    assert_int_equal(port, 0);
    assert_int_equal(
        address_read_server("unix", 4, 80, host, sizeof(host), &port), ERR_OK);
    assert_string_equal(host, "unix"); /* a name like another */
    assert_int_equal(port, 80);
}

static void
networks_are_read(void **state)
{
    static const struct {
        const char *text;
        unsigned char first, bits;
        size_t at; /* of the first byte */
    } good[] = {
        { "10.0.0.0/8", 10, 104, 12 },
        { "0.0.0.0/0", 0, 96, 12 },
        { "192.168.1.2", 192, 128, 12 },
        { "fd00::/8", 0xfd, 8, 0 },
        { "::/0", 0, 0, 0 },
        { "2001:db8::1", 0x20, 128, 0 },
    };
    static const char *const bad[] = {
        "",       "/8",          "10.0.0.0/", "10.0.0.0/33", "10.0.0/8",
        "::/129", "10.0.0.0/-1", "a.example", "[::1]",       "10.0.0.0/8/8"
    };
    struct network n;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!network_read(good[i].text, strlen(good[i].text), &n))
            fail_msg("refused: %s", good[i].text);
        assert_int_equal(n.bits, good[i].bits);
        assert_int_equal(n.bytes[good[i].at], good[i].first);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (network_read(bad[i], strlen(bad[i]), &n))
            fail_msg("taken: %s", bad[i]);
    assert_true(network_read("10.0.0.0/24", 10, &n)); /* its bytes alone */
    assert_int_equal(n.bits, 96 + 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_and_port_are_told_apart),
        cmocka_unit_test(a_port_may_be_left_out_where_there_is_another),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_host_that_does_not_fit_or_holds_nul_is_refused),
        cmocka_unit_test(only_its_bytes_are_read),
        cmocka_unit_test(what_is_printed_is_read_again),
        cmocka_unit_test(what_is_printed_fits_or_is_cut),
        cmocka_unit_test(a_server_may_be_a_socket_by_its_whole_path),
        cmocka_unit_test(networks_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
