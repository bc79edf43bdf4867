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
        cmocka_unit_test(one_with_tables_is_kept_unless_told_otherwise),
        cmocka_unit_test(the_probe_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, begin, real_over);
}
