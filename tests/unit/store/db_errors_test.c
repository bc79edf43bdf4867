/* What error numbers and duplicate-key messages mean; no server needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/db_impl.h"

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
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        db_dup_parse(cases[i].message, out, sizeof(out));
        assert_string_equal(out, cases[i].index);
    }
}

static void
an_index_name_that_does_not_fit_is_none(void **state)
{
    char out[4] = "xxx";

    (void)state;
    db_dup_parse("Duplicate entry 'a' for key 'long'", out, sizeof(out));
    assert_string_equal(out, "");
}

static void
numbers_have_their_class(void **state)
{
    static const struct {
        unsigned code;
        enum err err;
        bool lost;
    } cases[] = {
        { 1213, ERR_BUSY, false },      { 1205, ERR_BUSY, false },
        { 1062, ERR_EXISTS, false },    { 1586, ERR_EXISTS, false },
        { 1452, ERR_STATE, false },     { 1451, ERR_STATE, false },
        { 1406, ERR_BAD_PARAM, false }, { 1146, ERR_INTERNAL, false },
        { 1047, ERR_STORE, true },      { 2002, ERR_STORE, true },
        { 2003, ERR_STORE, true },      { 2006, ERR_STORE, true },
        { 2013, ERR_STORE, true },      { 1927, ERR_STORE, true },
        { 1290, ERR_STORE, true },      { 1021, ERR_STORE, false },
        { 2008, ERR_NOMEM, true },      { 1153, ERR_LIMIT, true },
        { 1690, ERR_LIMIT, false },
    };
    unsigned traits;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        assert_int_equal(db_classify(cases[i].code, &traits), cases[i].err);
        assert_int_equal((traits & DB_LOST) != 0, cases[i].lost);
    }
}

static void
bad_lists_of_hosts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",      "unix:", "h:", "h:0", "h:65536",   "h:1x",
        ":3306", "a,,b",  "a,", "a b", "[::1:3306", "[]:1"
    };
    struct db_config c = { .user = "u", .password = "", .database = "d" };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        c.hosts = bad[i];
        if (db_init(&c) != ERR_BAD_PARAM)
            fail_msg("taken: \"%s\"", bad[i]);
    }
}

static void
lists_of_hosts_are_read(void **state)
{
    const struct db_config c = {
        .hosts = "unix:/a/b, 10.0.0.1:3307,db.example ,[::1]:3308",
        .user = "u",
        .password = "",
        .database = "d",
    };
    static const struct {
        const char *name;
        unsigned port;
    } want[] = {
        { "/a/b", 0 },
        { "10.0.0.1", 3307 },
        { "db.example", 3306 },
        { "::1", 3308 },
    };
    size_t i;

    (void)state;
    assert_int_equal(db_init(&c), ERR_OK);
    assert_int_equal(db_settings.n_hosts, COUNT(want));
    for (i = 0; i < COUNT(want); i++) {
        assert_string_equal(db_settings.host[i].name, want[i].name);
        assert_int_equal(db_settings.host[i].port, want[i].port);
    }
    db_fini();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_is_read_from_the_right),
        cmocka_unit_test(an_index_name_that_does_not_fit_is_none),
        cmocka_unit_test(numbers_have_their_class),
        cmocka_unit_test(bad_lists_of_hosts_are_refused),
        cmocka_unit_test(lists_of_hosts_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
