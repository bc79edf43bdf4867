/* What error numbers, duplicate-key messages and addresses mean; no server
 * needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mysql/my_int.h"

static void
the_index_is_read_from_the_right(void **state)
{
    static const struct {
        const char *message, *index;
    } cases[] = {
        { "Duplicate entry 'a' for key 'doris_cluster_name'",
          "doris_cluster_name" },
        { "Duplicate entry 'c2' for key 'forged' for key 'doris_node'",
          "doris_node" },
        { "Duplicate entry '' for key 'x'", "x" },
        { "Duplicate entry 'a' for key 'doris_cluster.doris_cluster_name'",
          "doris_cluster_name" }, /* MySQL 8 */
        { "Duplicate entry 'a.b' for key 'n'", "n" },
        { "Duplicate entry 'a' for key 'PRIMARY'", "" },
        { "Duplicate entry 'a' for key 'doris_cluster.PRIMARY'", "" },
        { "Duplicate entry 'a' for key ''", "" },
        { "Duplicate entry 'a' for key x", "" },
        { "'", "" },
        { "", "" },
    };
    char out[65];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        my_dup_parse(cases[i].message, out, sizeof(out));
        assert_string_equal(out, cases[i].index);
    }
}

static void
an_index_name_that_does_not_fit_is_none(void **state)
{
    char out[4] = "xxx";

    (void)state;
    my_dup_parse("Duplicate entry 'a' for key 'long'", out, sizeof(out));
    assert_string_equal(out, "");
}

/* Every number that has a row, and some that have none. */
static void
numbers_have_their_class_and_traits(void **state)
{
    enum {
        LOST = MY_LOST,
        DOWN = MY_LOST | MY_NEXT,
        AWAY = MY_LOST | MY_NEXT | MY_UNDONE,
        RO = MY_LOST | MY_NEXT | MY_UNDONE | MY_RO,
    };
    static const struct {
        unsigned code;
        enum err err;
        unsigned traits;
    } cases[] = {
        /* collisions */
        { 1020, ERR_BUSY, MY_UNDONE },
        { 1205, ERR_BUSY, MY_UNDONE },
        { 1206, ERR_BUSY, MY_UNDONE },
        { 1213, ERR_BUSY, MY_UNDONE },
        { 1613, ERR_BUSY, MY_UNDONE },
        { 1614, ERR_BUSY, MY_UNDONE },
        { 1637, ERR_BUSY, MY_UNDONE },
        { 3101, ERR_BUSY, MY_UNDONE },
        { 3572, ERR_BUSY, MY_UNDONE },
        /* what tables do not take */
        { 1022, ERR_EXISTS, MY_QUIET },
        { 1062, ERR_EXISTS, MY_QUIET },
        { 1586, ERR_EXISTS, MY_QUIET },
        { 1761, ERR_EXISTS, MY_QUIET },
        { 1762, ERR_EXISTS, MY_QUIET },
        { 1859, ERR_EXISTS, MY_QUIET },
        { 1216, ERR_STATE, 0 },
        { 1217, ERR_STATE, 0 },
        { 1451, ERR_STATE, 0 },
        { 1452, ERR_STATE, 0 },
        { 1264, ERR_BAD_PARAM, 0 },
        { 1265, ERR_BAD_PARAM, 0 },
        { 1292, ERR_BAD_PARAM, 0 },
        { 1300, ERR_BAD_PARAM, 0 },
        { 1366, ERR_BAD_PARAM, 0 },
        { 1367, ERR_BAD_PARAM, 0 },
        { 1406, ERR_BAD_PARAM, 0 },
        { 1411, ERR_BAD_PARAM, 0 },
        { 3140, ERR_BAD_PARAM, 0 },
        { 3819, ERR_BAD_PARAM, 0 },
        { 4025, ERR_BAD_PARAM, 0 },
        { 1690, ERR_LIMIT, 0 },
        /* too large */
        { 1118, ERR_LIMIT, 0 },
        { 1153, ERR_LIMIT, LOST },
        { 1197, ERR_LIMIT, 0 },
        { 1301, ERR_LIMIT, 0 },
        { 1705, ERR_LIMIT, 0 },
        { 2020, ERR_LIMIT, LOST },
        /* asked for by name */
        { 1193, ERR_BAD_PARAM, 0 },
        { 1231, ERR_BAD_PARAM, 0 },
        { 1232, ERR_BAD_PARAM, 0 },
        { 1238, ERR_BAD_PARAM, 0 },
        { 1094, ERR_NOT_FOUND, 0 },
        { 1198, ERR_STATE, 0 },
        { 1199, ERR_STATE, 0 },
        { 1200, ERR_STATE, 0 },
        /* our own mistakes */
        { 1048, ERR_INTERNAL, 0 },
        { 1052, ERR_INTERNAL, 0 },
        { 1054, ERR_INTERNAL, 0 },
        { 1064, ERR_INTERNAL, 0 },
        { 1065, ERR_INTERNAL, 0 },
        { 1109, ERR_INTERNAL, 0 },
        { 1136, ERR_INTERNAL, 0 },
        { 1146, ERR_INTERNAL, 0 },
        { 1210, ERR_INTERNAL, 0 },
        { 1267, ERR_INTERNAL, 0 },
        { 1305, ERR_INTERNAL, 0 },
        { 1364, ERR_INTERNAL, 0 },
        { 2014, ERR_INTERNAL, LOST },
        { 2031, ERR_INTERNAL, 0 },
        { 2036, ERR_INTERNAL, 0 },
        { 2008, ERR_NOMEM, LOST },
        /* read-only servers */
        { 1036, ERR_PEER, RO },
        { 1207, ERR_PEER, RO },
        { 1290, ERR_PEER, RO },
        { 1792, ERR_PEER, RO },
        { 1836, ERR_PEER, RO },
        { 1874, ERR_PEER, RO },
        /* servers that do not serve us */
        { 1047, ERR_PEER, AWAY },
        { 3100, ERR_PEER, AWAY },
        { 1040, ERR_PEER, DOWN },
        { 1053, ERR_PEER, DOWN },
        { 1129, ERR_PEER, DOWN },
        { 1135, ERR_PEER, DOWN },
        { 1203, ERR_PEER, DOWN },
        { 1226, ERR_PEER, DOWN },
        { 1045, ERR_DENIED, DOWN },
        { 1130, ERR_DENIED, DOWN },
        { 1698, ERR_DENIED, DOWN },
        { 1820, ERR_DENIED, DOWN },
        { 3118, ERR_DENIED, DOWN },
        { 4151, ERR_DENIED, DOWN },
        { 1044, ERR_DENIED, 0 },
        { 1142, ERR_DENIED, 0 },
        { 1143, ERR_DENIED, 0 },
        { 1227, ERR_DENIED, 0 },
        { 1370, ERR_DENIED, 0 },
        /* connections and statements that are over */
        { 1152, ERR_PEER, LOST },
        { 1158, ERR_PEER, LOST },
        { 1159, ERR_PEER, LOST },
        { 1160, ERR_PEER, LOST },
        { 1161, ERR_PEER, LOST },
        { 1184, ERR_PEER, LOST },
        { 1835, ERR_PEER, LOST },
        { 1927, ERR_PEER, LOST },
        { 2055, ERR_PEER, LOST },
        { 4031, ERR_PEER, LOST },
        { 1021, ERR_PEER, 0 },
        { 1114, ERR_PEER, 0 },
        { 1317, ERR_PEER, 0 },
        { 1969, ERR_PEER, 0 },
        { 3024, ERR_PEER, 0 },
        /* no row: the library's, the server's */
        { 2000, ERR_PEER, DOWN },
        { 2002, ERR_PEER, DOWN },
        { 2003, ERR_PEER, DOWN },
        { 2006, ERR_PEER, DOWN },
        { 2013, ERR_PEER, DOWN },
        { 2999, ERR_PEER, DOWN },
        { 1999, ERR_PEER, 0 },
        { 3000, ERR_PEER, 0 },
        { 1105, ERR_PEER, 0 },
    };
    unsigned traits;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err e = my_classify(cases[i].code, &traits);

        if (e != cases[i].err || traits != cases[i].traits)
            fail_msg("%u is %s, traits %x", cases[i].code, err_name(e), traits);
    }
}

static void
addresses_are_read(void **state)
{
    static const struct {
        const char *text, *name;
        unsigned port;
    } cases[] = {
        { "unix:/a/b", "/a/b", 0 },
        { "10.0.0.1:3307", "10.0.0.1", 3307 },
        { "db.example", "db.example", 3306 },
        { "[::1]:3308", "::1", 3308 },
        { "[::1]", "::1", 3306 },
    };
    struct my_address out;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *text = cases[i].text;

        assert_int_equal(my_address_parse(text, strlen(text), &out), ERR_OK);
        assert_string_equal(out.name, cases[i].name);
        assert_string_equal(out.label, text);
        assert_int_equal(out.port, cases[i].port);
    }
}

static void
bad_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
        "",      "unix:",   "unix:a", "h:",   "h:0",       "[]:1",  "h:1x",
        ":3306", "h:65536", "a:b",    "[::1", "[::1:3306", "[::1]x"
    };
    static char name[400];
    struct my_address out;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (my_address_parse(bad[i], strlen(bad[i]), &out) != ERR_BAD_PARAM)
            fail_msg("taken: \"%s\"", bad[i]);
    memset(name, 'a', sizeof(name));
    assert_int_equal(my_address_parse(name, sizeof(out.name), &out),
                     ERR_BAD_PARAM);
    assert_int_equal(my_address_parse(name, sizeof(out.name) - 1, &out),
                     ERR_OK);
}

static void
an_address_is_made_of_host_and_port(void **state)
{
    static const struct {
        const char *host;
        int port;
        const char *label;
    } cases[] = {
        { "10.0.0.1", 3307, "10.0.0.1:3307" },
        { "db.example", 1, "db.example:1" },
        { "fe80::2", 65535, "[fe80::2]:65535" },
    };
    struct my_address out, read;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *label = cases[i].label;

        assert_int_equal(my_address_of(cases[i].host, cases[i].port, &out),
                         ERR_OK);
        assert_string_equal(out.name, cases[i].host);
        assert_string_equal(out.label, label);
        assert_int_equal(out.port, cases[i].port);
        assert_int_equal(my_address_parse(label, strlen(label), &read), ERR_OK);
        assert_string_equal(read.name, out.name);
        assert_int_equal(read.port, out.port);
    }
}

static void
an_address_is_made_of_nothing_else(void **state)
{
    struct my_address out;
    char name[sizeof(out.name) + 1];

    (void)state;
    assert_int_equal(my_address_of(NULL, 3306, &out), ERR_BAD_PARAM);
    assert_int_equal(my_address_of("", 3306, &out), ERR_BAD_PARAM);
    assert_int_equal(my_address_of("h", 65536, &out), ERR_BAD_PARAM);
    assert_int_equal(my_address_of("h", -1, &out), ERR_BAD_PARAM);
    /* that would be a socket's path */
    assert_int_equal(my_address_of("/tmp/s", 0, &out), ERR_BAD_PARAM);
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(my_address_of(name, 3306, &out), ERR_BAD_PARAM);
    assert_int_equal(my_address_of(name + 1, 3306, &out), ERR_OK);
    assert_int_equal(strlen(out.label), sizeof(out.name) - 1 + 5);
}

static void
names_are_quoted_whatever_they_hold(void **state)
{
    struct arena *a = arena_new(1 << 16);

    (void)state;
    assert_string_equal(my_quote_name(a, "t"), "`t`");
    assert_string_equal(my_quote_name(a, "a`; DROP `b"), "`a``; DROP ``b`");
    assert_string_equal(my_quote_name(a, ""), "``");
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_is_read_from_the_right),
        cmocka_unit_test(an_index_name_that_does_not_fit_is_none),
        cmocka_unit_test(numbers_have_their_class_and_traits),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(an_address_is_made_of_host_and_port),
        cmocka_unit_test(an_address_is_made_of_nothing_else),
        cmocka_unit_test(names_are_quoted_whatever_they_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
