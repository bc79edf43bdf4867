/* Computing instances with the real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backup.h"
#include "instance/real.h"
#include "ok.h"
#include "pg.h"

static struct instance_spec one;

static int64_t
soon(void)
{
    return clock_mono_ms() + REAL_WAIT_MS;
}

/* The first cell; "" without a row. */
static const char *
value(const char *sql)
{
    struct pg_table t;
    struct pg *pg;

    OK(instance_pg_connect(&one, "postgres", REAL_WAIT_MS, &pg, why));
    OK(pg_query(pg, real_arena, sql, NULL, 0, 10, &t, soon(), why));
    pg_close(pg);
    return t.n > 0 && t.cell[0].p != NULL ? t.cell[0].p : "";
}

static void
one_is_made_and_settles(void **state)
{
    (void)state;
    OK(instance_install(real_arena, &one, why));
    OK(instance_install(real_arena, &one, why));
    assert_true(real_start(1, &one));
    OK(instance_settle(real_arena, &one, REAL_WAIT_MS, why));
    OK(instance_settle(real_arena, &one, REAL_WAIT_MS, why));
    OK(instance_probe(&one, REAL_WAIT_MS, why));
    assert_string_equal(
        value("SELECT extname FROM pg_extension WHERE extname = 'mysql_fdw'"),
        "mysql_fdw");
    assert_string_equal(value("SHOW unix_socket_directories"), "");
    assert_true(instance_used_bytes(&one) > 1 << 20);
}

static enum err
log_in(const char *user, const char *secret)
{
    struct pg_server server = { one.address, (unsigned)one.port, user, secret,
                                "postgres" };
    struct pg *pg;
    enum err e = pg_connect(&server, soon(), &pg, why);

    if (e == ERR_OK)
        pg_close(pg);
    return e;
}

static void
nobody_else_comes_in(void **state)
{
    (void)state;
    assert_int_equal(log_in("abc", one.client_secret), ERR_OK);
    assert_int_equal(log_in("abc", one.admin_secret), ERR_DENIED);
    assert_null(strstr(why, one.admin_secret));
    assert_int_equal(log_in("abc", ""), ERR_PEER); /* nothing to send */
    assert_int_equal(log_in("postgres", one.admin_secret), ERR_DENIED);
    assert_string_equal(
        value("SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles "
              "WHERE rolcanlogin"),
        "abc,clustmgr");
}

/* Tables and databases, not the host. */
static void
clients_are_no_superusers(void **state)
{
    static const struct {
        const char *sql;
        enum err e;
    } asked[] = {
        { "CREATE TABLE mine (a int)", ERR_OK },
        { "CREATE SCHEMA theirs", ERR_OK },
        { "CREATE DATABASE other", ERR_OK },
        { "COPY mine TO PROGRAM 'cat'", ERR_DENIED },
        { "COPY mine FROM '/etc/passwd'", ERR_DENIED },
        { "SELECT pg_read_file('/etc/passwd')", ERR_DENIED },
        { "CREATE ROLE more SUPERUSER", ERR_DENIED },
        { "GRANT pg_execute_server_program TO abc", ERR_DENIED },
        { "ALTER SYSTEM SET work_mem = '1MB'", ERR_DENIED },
        { "DROP SCHEMA theirs", ERR_OK },
        { "DROP TABLE mine", ERR_OK },
        { "DROP DATABASE other", ERR_OK },
    };
    struct pg_server server = { one.address, (unsigned)one.port, "abc",
                                one.client_secret, "postgres" };
    struct pg *pg;

    (void)state;
    OK(pg_connect(&server, soon(), &pg, why));
    for (size_t i = 0; i < COUNT(asked); i++) {
        enum err e = pg_do(pg, asked[i].sql, soon(), why);

        if (e != asked[i].e)
            fail_msg("%s: %s", asked[i].sql, e == ERR_OK ? "done" : why);
    }
    pg_close(pg);
}

static void
a_second_one_has_other_secrets(void **state)
{
    struct instance_spec two = real_computer(2);
    const char *mine = value("SELECT rolpassword FROM pg_authid WHERE rolname "
                             "= 'abc'");
    struct instance_spec first = one;

    (void)state;
    assert_non_null(strstr(mine, "SCRAM-SHA-256"));
    OK(instance_install(real_arena, &two, why));
    assert_true(real_start(2, &two));
    OK(instance_settle(real_arena, &two, REAL_WAIT_MS, why));
    one = two;
    assert_int_equal(log_in("abc", first.client_secret), ERR_DENIED);
    assert_int_equal(log_in("abc", two.client_secret), ERR_OK);
    one = first;
    real_stop(2, SIGINT);
    OK(instance_remove(&two, why));
}

static void
values_are_no_part_of_the_statement(void **state)
{
    const char *const values[] = { "a'; DROP TABLE t; --", NULL };
    struct pg_table t;
    struct pg *pg;

    (void)state;
    OK(instance_pg_connect(&one, "postgres", REAL_WAIT_MS, &pg, why));
    OK(pg_do(pg, "CREATE TABLE t (a text, b text)", soon(), why));
    OK(pg_query(pg, NULL, "INSERT INTO t VALUES ($1, $2)", values, 2, 0, NULL,
                soon(), why));
    OK(pg_query(pg, real_arena, "SELECT a, b FROM t", NULL, 0, 1, &t, soon(),
                why));
    assert_int_equal(t.n, 1);
    assert_int_equal(t.n_columns, 2);
    assert_string_equal(t.cell[0].p, values[0]);
    assert_null(t.cell[1].p);
    assert_string_equal(pg_quote(pg, real_arena, "a'b"), "'a''b'");
    assert_string_equal(pg_quote_name(pg, real_arena, "a\"b"), "\"a\"\"b\"");
    assert_null(pg_quote(pg, real_arena, "\xff"));
    pg_close(pg);
}

static void
a_failure_has_its_class_and_no_statement(void **state)
{
    static const struct {
        const char *sql;
        enum err e;
    } bad[] = {
        { "CREATE TABLE t (a text)", ERR_EXISTS },
        { "SELECT * FROM nowhere", ERR_NOT_FOUND },
        { "DROP ROLE nobody_of_that_name", ERR_NOT_FOUND },
        { "SELECT 'secret' FROM", ERR_BAD_PARAM },
        { "SELECT 1; SELECT 'secret'", ERR_BAD_PARAM },
    };
    struct pg_table t;
    struct pg *pg;

    (void)state;
    OK(instance_pg_connect(&one, "postgres", REAL_WAIT_MS, &pg, why));
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(pg_do(pg, bad[i].sql, soon(), why), bad[i].e);
        assert_null(strstr(why, "secret"));
        assert_true(why[0] != '\0');
    }
    assert_int_equal(pg_query(pg, real_arena, "SELECT generate_series(1, 3)",
                              NULL, 0, 2, &t, soon(), why),
                     ERR_LIMIT);
    OK(pg_do(pg, "SELECT 1", soon(), why)); /* the connection is as before */
    assert_int_equal(
        pg_do(pg, "SELECT pg_sleep(600)", clock_mono_ms() + 50, why),
        ERR_TIMEOUT);
    pg_close(pg);
}

static void
a_variable_lasts(void **state)
{
    char long_text[514];

    (void)state;
    (void)memset(long_text, 'x', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    OK(instance_set_variable(real_arena, &one, "work_mem", "5MB", why));
    assert_int_equal(
        instance_set_variable(real_arena, &one, "shared_buffers", "64MB", why),
        ERR_BAD_PARAM);
    assert_int_equal(instance_set_variable(real_arena, &one, "archive_command",
                                           "touch /tmp/x", why),
                     ERR_DENIED);
    assert_int_equal(instance_set_variable(real_arena, &one,
                                           "session_preload_libraries", "x",
                                           why),
                     ERR_DENIED);
    assert_int_equal(
        instance_set_variable(real_arena, &one, "work_mem", "much", why),
        ERR_BAD_PARAM);
    assert_int_equal(
        instance_set_variable(real_arena, &one, "no_such", "1", why),
        ERR_BAD_PARAM);
    assert_non_null(strstr(why, "no variable no_such"));
    assert_int_equal(
        instance_set_variable(real_arena, &one, "shared_buffers", "1", why),
        ERR_BAD_PARAM);
    assert_non_null(strstr(why, "while the server runs"));
    /* what is not well formed is told before whose it is */
    assert_int_equal(instance_set_variable(real_arena, &one, "archive_command",
                                           long_text, why),
                     ERR_BAD_PARAM);
    assert_int_equal(
        instance_set_variable(real_arena, &one, "work_mem", "\xff", why),
        ERR_BAD_PARAM);
    assert_non_null(strstr(why, "UTF-8"));
    OK(instance_configure(real_arena, &one, why));
    real_stop(1, SIGINT);
    assert_true(real_start(1, &one));
    assert_string_equal(value("SHOW work_mem"), "5MB");
    assert_string_equal(value("SHOW shared_buffers"), "16MB");
}

static struct blob_store *
target(void)
{
    struct blob_config cfg = { .url = arena_printf(
                                   real_arena, "file://%s/target", real_dir) };
    struct blob_store *out;

    (void)mkdir(real_path("target"), 0750);
    OK(blob_open(real_arena, &cfg, &out, why));
    return out;
}

static bool
secret_is_left(void)
{
    const char *const grep[] = { "grep",           "-rlaF",  "--",
                                 one.admin_secret, real_dir, NULL };
    struct proc_result r;

    return proc_run(grep, REAL_WAIT_MS, &r) == ERR_OK;
}

static void
a_schema_is_made_again_elsewhere(void **state)
{
    static const char script[] =
        "CREATE SCHEMA shop;"
        "CREATE SERVER s1 FOREIGN DATA WRAPPER mysql_fdw OPTIONS (host "
        "'127.0.0.1', port '6001');"
        "CREATE USER MAPPING FOR abc SERVER s1 OPTIONS (username 'pgx', "
        "password 'x');"
        "CREATE FOREIGN TABLE shop.orders (id int, v text) SERVER s1 OPTIONS "
        "(dbname 'shop', table_name 'orders');"
        "CREATE FUNCTION shop.f() RETURNS text LANGUAGE sql AS $$ SELECT "
        "'\\restrict a' $$;";
    struct instance_spec two = real_computer(2), first = one;
    struct blob_store *to = target();
    struct instance_backup b;
    struct pg *pg;

    (void)state;
    OK(instance_pg_connect(&one, "postgres", REAL_WAIT_MS, &pg, why));
    OK(pg_script(pg, script, soon(), why));
    pg_close(pg);
    OK(instance_backup(real_arena, &one, to, "c.tgz", NULL, &b, why));
    assert_string_equal(b.engine, "postgres");
    assert_false(secret_is_left());
    OK(instance_install(real_arena, &two, why));
    assert_true(real_start(2, &two));
    OK(instance_settle(real_arena, &two, REAL_WAIT_MS, why));
    OK(instance_load_schema(real_arena, &two, to, "c.tgz", NULL, why));
    one = two;
    assert_string_equal(value("SELECT count(*) FROM pg_foreign_table"), "1");
    assert_string_equal(value("SELECT shop.f()"), "\\restrict a");
    /* a second time it is known to be there: nothing of it is made */
    OK(instance_pg_connect(&two, "postgres", REAL_WAIT_MS, &pg, why));
    OK(pg_script(pg, "DROP FUNCTION shop.f()", soon(), why));
    pg_close(pg);
    OK(instance_load_schema(real_arena, &two, to, "c.tgz", NULL, why));
    assert_string_equal(
        value("SELECT count(*) FROM pg_proc WHERE proname = 'f'"), "0");
    one = first;
    real_stop(2, SIGINT);
    OK(instance_remove(&two, why));
    assert_int_equal(
        instance_load_schema(real_arena, &one, to, "no.tgz", NULL, why),
        ERR_NOT_FOUND);
}

static void
a_schema_is_made_whole_or_not(void **state)
{
    struct blob_store *to = target();
    struct instance_backup b;
    struct pg *pg;

    (void)state;
    OK(instance_backup(real_arena, &one, to, "d.tgz", NULL, &b, why));
    OK(instance_pg_connect(&one, "postgres", REAL_WAIT_MS, &pg, why));
    /* what is made first is gone, what is made last is in the way */
    OK(pg_script(pg, "DROP FUNCTION shop.f(); DROP TABLE t", soon(), why));
    assert_int_equal(
        instance_load_schema(real_arena, &one, to, "d.tgz", NULL, why),
        ERR_EXISTS);
    assert_int_equal(pg_do(pg, "SELECT shop.f()", soon(), why), ERR_BAD_PARAM);
    pg_close(pg);
}

static void
nothing_answers_where_nothing_runs(void **state)
{
    struct instance_spec s = one;

    (void)state;
    s.port++;
    assert_int_equal(instance_probe(&s, REAL_WAIT_MS, why), ERR_PEER);
    assert_non_null(strstr(why, "error"));
}

static void
without_the_programs_it_says_what_to_install(void **state)
{
    struct instance_spec s = real_computer(3);

    (void)state;
    (void)setenv("METAGATE_INSTANCE_POSTGRES_BIN", "/nonexistent", 1);
    OK(config_load(NULL, why));
    assert_int_equal(instance_install(real_arena, &s, why), ERR_NOT_FOUND);
    assert_non_null(strstr(why, "postgres binaries not found"));
    assert_non_null(strstr(why, "make deps GROUPS=comp"));
    (void)unsetenv("METAGATE_INSTANCE_POSTGRES_BIN");
    OK(config_load(NULL, why));
    OK(instance_remove(&s, why));
}

static int
begin(void **state)
{
    (void)state;
    if (!real_begin())
        return -1;
    one = real_computer(1);
    return one.uuid != NULL ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    real_stop(1, SIGINT);
    real_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_made_and_settles),
        cmocka_unit_test(nobody_else_comes_in),
        cmocka_unit_test(clients_are_no_superusers),
        cmocka_unit_test(a_second_one_has_other_secrets),
        cmocka_unit_test(values_are_no_part_of_the_statement),
        cmocka_unit_test(a_failure_has_its_class_and_no_statement),
        cmocka_unit_test(a_variable_lasts),
        cmocka_unit_test(a_schema_is_made_again_elsewhere),
        cmocka_unit_test(a_schema_is_made_whole_or_not),
        cmocka_unit_test(without_the_programs_it_says_what_to_install),
        cmocka_unit_test(nothing_answers_where_nothing_runs),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
