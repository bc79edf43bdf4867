/* A real computing node over two real storage instances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "instance/real_ask.h"
#include "kunlun/shard/computer.h"
#include "pg.h"

static struct instance_spec storage[2], comp;

static void
make(unsigned slot, const struct instance_spec *s)
{
    OK(instance_install(real_arena, s, why));
    assert_true(real_start(slot, s));
    OK(instance_settle(real_arena, s, REAL_WAIT_MS, why));
    if (s->kind == INSTANCE_STORAGE) {
        struct my *my;

        OK(instance_connect(s, REAL_WAIT_MS, &my, why));
        OK(my_do(my, "SET GLOBAL read_only = 0"));
        my_close(my);
    }
}

static void
three_servers_are_made(void **state)
{
    (void)state;
    storage[0] = real_storage(0);
    storage[1] = real_storage(1);
    comp = real_computer(2);
    make(0, &storage[0]);
    make(1, &storage[1]);
    make(2, &comp);
}

static void
a_probe_is_read_through_the_node(void **state)
{
    (void)state;
    assert_int_equal(probe_seen(real_arena, &storage[0], 7, REAL_WAIT_MS, why),
                     ERR_NOT_FOUND);
    OK(probe_write(real_arena, &storage[0], 7, REAL_WAIT_MS, why));
    OK(probe_seen(real_arena, &storage[0], 7, REAL_WAIT_MS, why));
    assert_int_equal(probe_seen(real_arena, &storage[0], 8, REAL_WAIT_MS, why),
                     ERR_NOT_FOUND);
    OK(computer_point(real_arena, &comp, "shard1", &storage[0], 1, REAL_WAIT_MS,
                      why));
    OK(computer_reads(real_arena, &comp, "shard1", 7, REAL_WAIT_MS, why));
    assert_int_equal(
        computer_reads(real_arena, &comp, "shard1", 8, REAL_WAIT_MS, why),
        ERR_NOT_FOUND);
}

/* Another server with another secret: as after a failover. */
static void
a_server_leads_elsewhere_from_one_moment_on(void **state)
{
    (void)state;
    OK(probe_write(real_arena, &storage[1], 9, REAL_WAIT_MS, why));
    OK(computer_point(real_arena, &comp, "shard1", &storage[1], 2, REAL_WAIT_MS,
                      why));
    OK(computer_reads(real_arena, &comp, "shard1", 9, REAL_WAIT_MS, why));
}

/* A control that was held up, and wakes after another has told of the new. */
static void
who_is_late_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(computer_point(real_arena, &comp, "shard1", &storage[0], 1,
                                    REAL_WAIT_MS, why),
                     ERR_STATE);
    OK(computer_reads(real_arena, &comp, "shard1", 9, REAL_WAIT_MS, why));
    OK(computer_point(real_arena, &comp, "shard1", &storage[1], 2, REAL_WAIT_MS,
                      why));
}

static void
one_that_is_gone_is_said_without_its_secret(void **state)
{
    struct instance_spec gone = storage[0];

    (void)state;
    gone.port = 6009;
    OK(computer_point(real_arena, &comp, "shard2", &gone, 9, REAL_WAIT_MS,
                      why));
    assert_int_not_equal(
        computer_reads(real_arena, &comp, "shard2", 7, REAL_WAIT_MS, why),
        ERR_OK);
    assert_null(strstr(why, gone.client_secret));
    assert_true(why[0] != '\0');
    OK(computer_forget(real_arena, &comp, "shard2", false, REAL_WAIT_MS, why));
    /* one of that name that is new begins anew */
    OK(computer_point(real_arena, &comp, "shard2", &gone, 1, REAL_WAIT_MS,
                      why));
    OK(computer_forget(real_arena, &comp, "shard2", false, REAL_WAIT_MS, why));
}

/* The state of its schema, in out, after that. */
static void
state_after(struct pg *pg, const char *sql, char out[64])
{
    const char *state;

    if (sql != NULL)
        OK(pg_do(pg, sql, clock_mono_ms() + REAL_WAIT_MS, why));
    OK(computer_schema_state(real_arena, &comp, REAL_WAIT_MS, &state, why));
    (void)snprintf(out, 64, "%s", state);
}

static void
what_clients_make_is_noticed(void **state)
{
    static const char *const makes[] = {
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int)",
        "ALTER TABLE s.t ADD b text DEFAULT 'x'",
        "ALTER TABLE s.t ALTER b SET DEFAULT 'y'",
        "CREATE VIEW s.v AS SELECT a FROM s.t",
        "CREATE OR REPLACE VIEW s.v AS SELECT a + 1 AS a FROM s.t",
        "CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION s.f() RETURNS int LANGUAGE sql AS"
        " 'SELECT 2'",
        "CREATE FOREIGN TABLE s.e (id bigint) SERVER shard1 OPTIONS"
        " (dbname 'd', table_name 't')",
        "ALTER FOREIGN TABLE s.e OPTIONS (SET table_name 'u')",
        "CREATE TYPE s.c AS ENUM ('red')",
        "ALTER TYPE s.c ADD VALUE 'blue'",
        "GRANT SELECT ON s.v TO PUBLIC",
        "COMMENT ON VIEW s.v IS 'a view'",
        "DROP SCHEMA s CASCADE",
    };
    static const char *const others[] = {
        "CREATE TABLE kept (a int)",
        "INSERT INTO kept SELECT generate_series(1, 1000)",
        "ANALYZE kept",
        "VACUUM kept",
        "CREATE TEMPORARY TABLE mine (a int)",
    };
    const char *text;
    char was[64], is[64];
    struct pg *pg;

    (void)state;
    OK(instance_pg_connect(&comp, "postgres", REAL_WAIT_MS, &pg, why));
    for (size_t i = 0; i < COUNT(makes); i++) {
        state_after(pg, NULL, was);
        state_after(pg, makes[i], is);
        if (strcmp(was, is) == 0)
            fail_msg("not noticed: %s", makes[i]);
    }
    state_after(pg, others[0], was);
    for (size_t i = 1; i < COUNT(others); i++) {
        state_after(pg, others[i], is);
        if (strcmp(was, is) != 0)
            fail_msg("no change: %s", others[i]);
    }
    /* what we make ourselves, when another one leads and when it is proved */
    OK(computer_point(real_arena, &comp, "shard1", &storage[1], 3, REAL_WAIT_MS,
                      why));
    OK(computer_reads(real_arena, &comp, "shard1", 9, REAL_WAIT_MS, why));
    OK(probe_remove_computer(real_arena, &comp, REAL_WAIT_MS, why));
    state_after(pg, NULL, is);
    assert_string_equal(is, was);
    /* one that has not committed */
    OK(pg_do(pg, "BEGIN", clock_mono_ms() + REAL_WAIT_MS, why));
    OK(pg_do(pg, "ALTER TABLE kept ADD b int", clock_mono_ms() + REAL_WAIT_MS,
             why));
    assert_int_equal(
        computer_schema_state(real_arena, &comp, REAL_WAIT_MS, &text, why),
        ERR_TIMEOUT);
    OK(pg_do(pg, "ROLLBACK", clock_mono_ms() + REAL_WAIT_MS, why));
    state_after(pg, "DROP TABLE kept", is);
    pg_close(pg);
}

static void
one_with_tables_is_kept_unless_told_otherwise(void **state)
{
    struct pg *pg;

    (void)state;
    OK(instance_pg_connect(&comp, "postgres", REAL_WAIT_MS, &pg, why));
    OK(pg_do(pg,
             "CREATE FOREIGN TABLE t (id bigint) SERVER shard1 OPTIONS "
             "(dbname 'd', table_name 't')",
             clock_mono_ms() + REAL_WAIT_MS, why));
    pg_close(pg);
    assert_int_equal(
        computer_forget(real_arena, &comp, "shard1", false, REAL_WAIT_MS, why),
        ERR_STATE);
    assert_string_equal(why, "shard1 has tables");
    OK(computer_forget(real_arena, &comp, "shard1", true, REAL_WAIT_MS, why));
    OK(computer_forget(real_arena, &comp, "shard1", true, REAL_WAIT_MS, why));
}

static void
the_probe_leaves_nothing(void **state)
{
    (void)state;
    OK(probe_remove_computer(real_arena, &comp, REAL_WAIT_MS, why));
    OK(probe_remove(real_arena, &storage[1], REAL_WAIT_MS, why));
    OK(probe_remove(real_arena, &storage[1], REAL_WAIT_MS, why));
    assert_int_equal(probe_seen(real_arena, &storage[1], 9, REAL_WAIT_MS, why),
                     ERR_NOT_FOUND);
}

static int
begin(void **state)
{
    (void)state;
    return real_begin() ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_servers_are_made),
        cmocka_unit_test(a_probe_is_read_through_the_node),
        cmocka_unit_test(a_server_leads_elsewhere_from_one_moment_on),
        cmocka_unit_test(who_is_late_changes_nothing),
        cmocka_unit_test(one_that_is_gone_is_said_without_its_secret),
        cmocka_unit_test(what_clients_make_is_noticed),
        cmocka_unit_test(one_with_tables_is_kept_unless_told_otherwise),
        cmocka_unit_test(the_probe_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, begin, real_over);
}
