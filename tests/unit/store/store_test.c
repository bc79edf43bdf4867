/* From the section [mysql] to the settings of the store's connections: whose
 * account, which password, how many hosts. No server needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "log_fixture.h"
#include "own_store.h"
#include "store/store.h"

static char run_dir[] = "/var/tmp/unitstore.XXXXXX";
static char path[128];

/* Where a password lies: path. */
static void
keep(const char *name, const char *text, mode_t mode)
{
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", run_dir, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void
set(const char *key, const char *value)
{
    char why[WHY_BYTES];

    assert_int_equal(setenv(key, value, 1), 0);
    if (config_load(NULL, why) != ERR_OK)
        fail_msg("%s=%s: %s", key, value, why);
}

static int
setup(void **state)
{
    (void)state;
    unsetenv("METAGATE_MYSQL_USER");
    unsetenv("METAGATE_MYSQL_PASSWORD_FILE");
    set("METAGATE_MYSQL_HOSTS", "");
    log_catch();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    log_release();
    (void)unlink(path);
    return 0;
}

static void
the_onebox_has_its_own_account_once_that_has_a_password(void **state)
{
    struct db_config c;

    (void)state;
    assert_int_equal(store_config(&c), ERR_OK);
    assert_string_equal(c.user, "");
    assert_string_equal(c.password, "");
    keep(OWN_STORE_PASSWORD, "of the onebox\n", 0600);
    assert_int_equal(store_config(&c), ERR_OK);
    assert_string_equal(c.user, OWN_STORE_USER);
    assert_string_equal(c.password, "of the onebox");
    set("METAGATE_MYSQL_USER", "somebody");
    assert_int_equal(store_config(&c), ERR_OK);
    assert_string_equal(c.user, "somebody");
    assert_string_equal(c.password, "");
    set("METAGATE_MYSQL_USER", "");
    set("METAGATE_MYSQL_HOSTS", "db1:3306");
    assert_int_equal(store_config(&c), ERR_OK);
    assert_string_equal(c.user, "");
    assert_string_equal(c.password, "");
}

static void
a_named_file_is_taken_before_the_oneboxs_own(void **state)
{
    struct db_config c;
    char own[sizeof(path)];

    (void)state;
    keep(OWN_STORE_PASSWORD, "of the onebox", 0600);
    memcpy(own, path, sizeof(own));
    keep("named", "named\r\nand what follows", 0600);
    set("METAGATE_MYSQL_PASSWORD_FILE", path);
    assert_int_equal(store_config(&c), ERR_OK);
    assert_string_equal(c.user, "");
    assert_string_equal(c.password, "named");
    assert_int_equal(unlink(own), 0);
}

static void
a_password_is_as_long_as_there_is_room(void **state)
{
    struct db_config c;
    char text[513];

    (void)state;
    memset(text, 'p', sizeof(text));
    text[511] = '\0';
    keep("long", text, 0600);
    set("METAGATE_MYSQL_PASSWORD_FILE", path);
    assert_int_equal(store_config(&c), ERR_OK);
    assert_string_equal(c.password, text);
    text[511] = 'p';
    text[512] = '\0';
    keep("long", text, 0600);
    assert_int_equal(store_config(&c), ERR_BAD_PARAM);
    assert_non_null(strstr(logged(), "why=\"too long\""));
}

/* No password that was read before stays. */
static void
a_file_that_cannot_be_trusted_or_read_is_refused(void **state)
{
    static const mode_t others[] = { 0604, 0602, 0601 };
    struct db_config c;

    (void)state;
    keep("named", "named", 0600);
    set("METAGATE_MYSQL_PASSWORD_FILE", path);
    assert_int_equal(store_open(), ERR_OK);
    db_fini();
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(chmod(path, others[i]), 0);
        assert_int_equal(store_config(&c), ERR_BAD_PARAM);
        assert_string_equal(c.password, "");
        assert_non_null(strstr(logged(), "others can read it: chmod 600"));
        assert_int_equal(store_open(), ERR_BAD_PARAM);
        (void)logged();
    }
    assert_int_equal(chmod(path, 0640), 0); /* a group may */
    assert_int_equal(store_config(&c), ERR_OK);
    set("METAGATE_MYSQL_PASSWORD_FILE", run_dir);
    assert_int_equal(store_config(&c), ERR_BAD_PARAM);
    assert_non_null(strstr(logged(), "not a plain file"));
    set("METAGATE_MYSQL_PASSWORD_FILE", "/nonexistent/password");
    assert_int_equal(store_config(&c), ERR_BAD_PARAM);
    assert_non_null(strstr(logged(), "path=/nonexistent/password why=\"No such "
                                     "file or directory\""));
}

static void
hosts_are_one_or_several(void **state)
{
    struct db_config c;

    (void)state;
    set("METAGATE_MYSQL_HOSTS", "db1:3306");
    assert_int_equal(store_config(&c), ERR_OK);
    assert_string_equal(c.hosts, "db1:3306");
    assert_true(store_has_one_host());
    set("METAGATE_MYSQL_HOSTS", "db1:3306, db2:3306");
    assert_int_equal(store_config(&c), ERR_OK);
    assert_false(store_has_one_host());
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_onebox_has_its_own_account_once_that_has_a_password),
        TEST(a_named_file_is_taken_before_the_oneboxs_own),
        TEST(a_password_is_as_long_as_there_is_room),
        TEST(a_file_that_cannot_be_trusted_or_read_is_refused),
        TEST(hosts_are_one_or_several),
    };
    int failed;

    if (mkdtemp(run_dir) == NULL)
        return 1;
    config_place(run_dir, "127.9.8");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(run_dir) != 0 || failed != 0;
}
