/* Storage instances with the real server: made from a template, with accounts
 * and options of their own. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "instance/real_ask.h"

static struct instance_spec one, two;

static void
one_is_made_and_settles(void **state)
{
    (void)state;
    OK(instance_install(real_arena, &one, why));
    assert_true(real_start(1, &one));
    OK(instance_settle(real_arena, &one, REAL_WAIT_MS, why));
    OK(instance_settle(real_arena, &one, REAL_WAIT_MS, why));
    OK(instance_probe(&one, REAL_WAIT_MS, why));
    assert_true(instance_used_bytes(&one) > 1 << 20);
    assert_string_equal(real_value(&one, "SELECT @@read_only"), "1");
    assert_string_equal(real_value(&one, "SELECT @@gtid_domain_id"), "7");
    assert_string_equal(
        real_value(&one, "SELECT @@rpl_semi_sync_slave_enabled"), "1");
    /* nothing of its making is in the binlog */
    assert_string_equal(real_value(&one, "SELECT @@gtid_binlog_pos"), "");
}

static void
nobody_else_comes_in(void **state)
{
    struct instance_spec s = one;
    struct my *my;

    (void)state;
    assert_string_equal(
        real_value(&one, "SELECT GROUP_CONCAT(User ORDER BY User) FROM "
                         "mysql.global_priv WHERE User <> 'mariadb.sys'"),
        "clustmgr,pgx,repl");
    s.admin_secret = two.admin_secret; /* another instance's */
    assert_int_equal(instance_connect(&s, REAL_WAIT_MS, &my, why), ERR_DENIED);
    assert_null(strstr(why, s.admin_secret));
    s.admin_user = "root";
    assert_int_equal(instance_connect(&s, REAL_WAIT_MS, &my, why), ERR_DENIED);
}

static void
no_secret_is_left_where_it_is_not_needed(void **state)
{
    const char *const grep[] = { "grep",   "-rlaF", "--", one.client_secret,
                                 real_dir, NULL };
    struct proc_result r;

    (void)state;
    assert_int_equal(proc_run(grep, REAL_WAIT_MS, &r), ERR_STATE);
    assert_string_equal(r.output, "");
}

static void
a_variable_lasts(void **state)
{
    (void)state;
    OK(instance_set_variable(real_arena, &one, "max_connections", "77", why));
    OK(instance_set_variable(real_arena, &one, "innodb_buffer_pool_size",
                             "20971520", why));
    OK(instance_set_variable(real_arena, &one, "max_connections", "78", why));
    /* a number is said as one, or the server would not take it */
    OK(instance_set_variable(real_arena, &one, "long_query_time", "2.5", why));
    OK(instance_set_variable(real_arena, &one, "slave_net_timeout", "7", why));
    OK(instance_set_variable(real_arena, &one, "sql_mode", "", why));
    OK(instance_configure(real_arena, &one, why));
    real_stop(1, SIGTERM);
    assert_true(real_start(1, &one));
    assert_string_equal(real_value(&one, "SELECT @@global.long_query_time"),
                        "2.500000");
    assert_string_equal(real_value(&one, "SELECT @@max_connections"), "78");
    assert_string_equal(real_value(&one, "SELECT @@innodb_buffer_pool_size"),
                        "20971520");
}

static void
a_variable_that_is_refused_changes_nothing(void **state)
{
    static const struct {
        const char *name, *value;
        enum err e;
    } bad[] = {
        { "read_only", "0", ERR_DENIED },
        { "gtid_strict_mode", "0", ERR_DENIED },
        { "rpl_semi_sync_master_enabled", "0", ERR_DENIED },
        { "datadir", "/tmp", ERR_DENIED },
        { "datadir", "x\"", ERR_BAD_PARAM }, /* the value is looked at first */
        { "relay_log_purge", "0", ERR_DENIED },
        { "skip_name_resolve", "0", ERR_DENIED },
        { "no_such_variable", "1", ERR_BAD_PARAM },
        { "long_query_time", "2.", ERR_BAD_PARAM },
        { "long_query_time", "2.x", ERR_BAD_PARAM },
        { "", "1", ERR_BAD_PARAM },
        { "sql_mode", "\x7f", ERR_BAD_PARAM },
        { "sql_mode", "a\\", ERR_BAD_PARAM },
        { "innodb_page_size", "4096", ERR_BAD_PARAM }, /* at start only */
        { "max_connections", "many", ERR_BAD_PARAM },
        { "max_connections", "1; DROP TABLE x", ERR_BAD_PARAM },
        { "sql_mode", "x'\nport=1", ERR_BAD_PARAM },
        { "max_connections = 1, max_user_connections", "1", ERR_BAD_PARAM },
        { "Max_Connections", "1", ERR_BAD_PARAM },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        why[0] = '\0';
        assert_int_equal(instance_set_variable(real_arena, &one, bad[i].name,
                                               bad[i].value, why),
                         bad[i].e);
        assert_true(why[0] != '\0');
    }
    /* the server is not even asked */
    assert_int_equal(
        instance_set_variable(real_arena, &one, "sql_mode", "ANSI\'", why),
        ERR_BAD_PARAM);
    assert_non_null(strstr(why, "not well formed"));
    assert_string_equal(real_value(&one, "SELECT @@max_connections"), "78");
    real_stop(1, SIGKILL);
    assert_true(real_start(1, &one));
}

static size_t
open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

static void
the_template_is_made_once(void **state)
{
    const char *const ls[] = { "ls", real_path("templates"), NULL };
    struct proc_result first, second;
    size_t n;

    (void)state;
    assert_int_equal(proc_run(ls, REAL_WAIT_MS, &first), ERR_OK);
    OK(instance_install(real_arena, &two, why));
    n = open_files();
    OK(instance_install(real_arena, &two, why)); /* again */
    assert_int_equal(open_files(), n);
    assert_int_equal(proc_run(ls, REAL_WAIT_MS, &second), ERR_OK);
    assert_string_equal(first.output, second.output);
    assert_true(real_start(2, &two));
    OK(instance_settle(real_arena, &two, REAL_WAIT_MS, why));
    assert_string_equal(real_value(&two, "SELECT @@server_id"), "3");
}

static void
one_that_is_broken_off_is_made_again(void **state)
{
    struct instance_spec s = real_storage(3);
    const char *home;
    char path[256];

    (void)state;
    OK(instance_install(real_arena, &s, why));
    /* as if killed before the data directory had its name */
    OK(instance_home(real_arena, &s, &home));
    (void)snprintf(path, sizeof(path), "%s/data", home);
    assert_int_equal(rename(path, real_path("half")), 0);
    (void)snprintf(path, sizeof(path), "%s/data.new", home);
    assert_int_equal(mkdir(path, 0700), 0);
    OK(instance_install(real_arena, &s, why));
    assert_true(real_start(3, &s));
    OK(instance_settle(real_arena, &s, REAL_WAIT_MS, why));
    real_stop(3, SIGTERM);
    OK(instance_remove(&s, why));
    OK(instance_remove(&s, why));
    assert_int_equal(access(home, F_OK), -1);
}

/* By a limit that the kernel answers alike: no file beyond 1 MiB. */
static void
a_disk_without_room_is_told_and_nothing_is_left(void **state)
{
    struct instance_spec s = real_storage(4);
    struct rlimit before, small;
    const char *home;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(instance_install(real_arena, &s, why), ERR_LIMIT);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    OK(instance_home(real_arena, &s, &home));
    assert_int_equal(
        access(arena_printf(real_arena, "%s/data.new", home), F_OK), -1);
    assert_int_equal(access(arena_printf(real_arena, "%s/data", home), F_OK),
                     -1);
    OK(instance_remove(&s, why));
}

/* Its tool says why, among much else. */
static void
a_template_that_cannot_be_made_says_why(void **state)
{
    struct instance_spec s = real_storage(4);

    (void)state;
    (void)setenv("METAGATE_INSTANCE_MARIADB_INSTALL_DB", "false", 1);
    (void)setenv("METAGATE_INSTANCE_TEMPLATES", real_path("others"), 1);
    OK(config_load(NULL, why));
    assert_int_equal(instance_install(real_arena, &s, why), ERR_STATE);
    assert_non_null(strstr(why, "false failed with status 1"));
    (void)setenv("METAGATE_INSTANCE_MARIADB_INSTALL_DB", "/nonexistent", 1);
    OK(config_load(NULL, why));
    assert_int_equal(instance_install(real_arena, &s, why), ERR_NOT_FOUND);
    (void)unsetenv("METAGATE_INSTANCE_MARIADB_INSTALL_DB");
    (void)unsetenv("METAGATE_INSTANCE_TEMPLATES");
    OK(config_load(NULL, why));
    OK(instance_remove(&s, why));
}

static void
what_is_not_ours_is_refused(void **state)
{
    struct instance_spec s = one;

    (void)state;
    s.uuid = two.uuid;
    assert_int_equal(instance_install(real_arena, &s, why), ERR_EXISTS);
    assert_int_equal(instance_remove(&s, why), ERR_DENIED);
    OK(instance_probe(&one, REAL_WAIT_MS, why));
    s = one;
    s.port = 80;
    assert_int_equal(instance_install(real_arena, &s, why), ERR_LIMIT);
}

/* A client writes, is told so, and the server is killed at that moment. */
static void
write_and_kill(const struct instance_spec *s, unsigned slot, int n)
{
    struct instance_spec client = *s;
    struct my *my;

    client.admin_user = s->client_user;
    client.admin_secret = s->client_secret;
    OK(instance_connect(&client, REAL_WAIT_MS, &my, why));
    if (my_do(my, arena_printf(real_arena, "INSERT INTO app.t VALUES (%d)",
                               n)) != ERR_OK)
        fail_msg("%s", my_failure(my)->text);
    real_stop(slot, SIGKILL);
    my_close(my);
    assert_true(real_start(slot, s));
}

/* As a replica it would take its newest row for one that nobody has seen. */
static void
a_lone_one_has_after_a_crash_what_it_had_acknowledged(void **state)
{
    struct instance_spec s = real_storage(5);
    struct my *my;

    (void)state;
    PUT(&s, instance_spec, lone, true);
    (void)setenv("METAGATE_INSTANCE_DURABLE", "yes", 1);
    OK(config_load(NULL, why));
    OK(instance_install(real_arena, &s, why));
    assert_true(real_start(5, &s));
    OK(instance_settle(real_arena, &s, REAL_WAIT_MS, why));
    assert_string_equal(real_value(&s, "SELECT @@gtid_binlog_pos"), "");
    OK(instance_connect(&s, REAL_WAIT_MS, &my, why));
    assert_int_equal(my_do(my, "CREATE DATABASE app"), ERR_OK);
    assert_int_equal(my_do(my, "CREATE TABLE app.t (id INT PRIMARY KEY)"),
                     ERR_OK);
    my_close(my);
    write_and_kill(&s, 5, 1);
    write_and_kill(&s, 5, 2); /* it is writable again by itself */
    assert_string_equal(real_value(&s, "SELECT GROUP_CONCAT(id ORDER BY id)"
                                       " FROM app.t"),
                        "1,2");
    (void)setenv("METAGATE_INSTANCE_DURABLE", "no", 1);
    OK(config_load(NULL, why));
    real_stop(5, SIGTERM);
    OK(instance_remove(&s, why));
}

static int
begin(void **state)
{
    (void)state;
    if (!real_begin())
        return -1;
    one = real_storage(1);
    two = real_storage(2);
    return one.uuid != NULL && two.uuid != NULL ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_made_and_settles),
        cmocka_unit_test(nobody_else_comes_in),
        cmocka_unit_test(no_secret_is_left_where_it_is_not_needed),
        cmocka_unit_test(a_variable_lasts),
        cmocka_unit_test(a_variable_that_is_refused_changes_nothing),
        cmocka_unit_test(the_template_is_made_once),
        cmocka_unit_test(one_that_is_broken_off_is_made_again),
        cmocka_unit_test(a_disk_without_room_is_told_and_nothing_is_left),
        cmocka_unit_test(a_template_that_cannot_be_made_says_why),
        cmocka_unit_test(what_is_not_ours_is_refused),
        cmocka_unit_test(a_lone_one_has_after_a_crash_what_it_had_acknowledged),
    };

    return cmocka_run_group_tests(tests, begin, real_over);
}
