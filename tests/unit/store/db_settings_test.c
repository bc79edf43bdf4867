/* The list of the store's hosts and who we are there; no server needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/db_impl.h"

/* The account that we run as; NULL: it has no name. */
static const char *account;
static int account_error;

int
getpwuid_r(uid_t uid, struct passwd *pw, char *space, size_t n,
           struct passwd **out)
{
    static char name[64];

    (void)space;
    assert_true(uid == geteuid() && n > 1000);
    *out = NULL;
    if (account == NULL)
        return account_error;
    (void)snprintf(name, sizeof(name), "%s", account);
    pw->pw_name = name;
    *out = pw;
    return account_error;
}

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

static enum err
init(const char *user)
{
    const struct db_config c = { .hosts = "unix:/nonexistent/s",
                                 .user = user,
                                 .database = "d" };

    return db_init(&c);
}

static void
who_is_not_named_is_who_we_run_as(void **state)
{
    (void)state;
    account = "us";
    account_error = 0;
    assert_int_equal(init("named"), ERR_OK);
    assert_string_equal(db_settings.user, "named");
    assert_int_equal(init(""), ERR_OK);
    assert_string_equal(db_settings.user, "us");
    assert_string_equal(db_settings.password, "");
    assert_int_equal(init(NULL), ERR_OK);
    account_error = EIO;
    assert_int_equal(init(""), ERR_BAD_PARAM);
    account = NULL;
    assert_int_equal(init(""), ERR_BAD_PARAM);
    account_error = 0; /* looked up, and not there */
    assert_int_equal(init(""), ERR_BAD_PARAM);
    db_fini();
}

static void
what_does_not_fit_is_refused(void **state)
{
    static char user[sizeof(db_settings.user) + 1];

    (void)state;
    memset(user, 'u', sizeof(user) - 1);
    assert_int_equal(init(user), ERR_BAD_PARAM);
    user[sizeof(user) - 2] = '\0';
    assert_int_equal(init(user), ERR_OK);
    assert_string_equal(db_settings.user, user);
    db_fini();
}

static void
hosts_are_looked_at_by_their_numbers(void **state)
{
    const struct db_config c = { .hosts = "unix:/nonexistent/s,127.0.0.1:1",
                                 .user = "u",
                                 .database = "d",
                                 .connect_timeout_s = 1 };
    struct db_host h;

    (void)state;
    assert_int_equal(db_init(&c), ERR_OK);
    assert_string_equal(db_database(), "d");
    assert_int_equal(db_look_at(0, 1000, &h), ERR_OK);
    assert_string_equal(h.name, "/nonexistent/s");
    assert_int_equal(h.port, 0);
    assert_false(h.answers || h.writes);
    assert_int_equal(db_look_at(1, 1000, &h), ERR_OK);
    assert_int_equal(h.port, 1);
    assert_int_equal(db_look_at(2, 1000, &h), ERR_NOT_FOUND);
    db_fini();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_lists_of_hosts_are_refused),
        cmocka_unit_test(lists_of_hosts_are_read),
        cmocka_unit_test(who_is_not_named_is_who_we_run_as),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(hosts_are_looked_at_by_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
