/* The list of the store's hosts; no server needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/db_impl.h"

static void
bad_lists_of_hosts_are_refused(void **state)
{
    static const char *const bad[] = { "", "a,,b", "a,", "a b", ",a", "a,:1" };
    struct db_config c = { .user = "u", .password = "", .database = "d" };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
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

    (void)state;
    assert_int_equal(db_init(&c), ERR_OK);
    assert_int_equal(db_settings.n_hosts, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_string_equal(db_settings.server[i].at.name, want[i].name);
        assert_int_equal(db_settings.server[i].at.port, want[i].port);
        assert_string_equal(db_settings.server[i].user, "u");
    }
    db_fini();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_lists_of_hosts_are_refused),
        cmocka_unit_test(lists_of_hosts_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
