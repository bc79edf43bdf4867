/* Who follows whom, on real servers: nothing that was acknowledged is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "arena_fixture.h"
#include "instance/real_ask.h"

static struct instance_spec one, two;

#define ROWS "SELECT COUNT(*) FROM app.t"

/* Until the second has what the first has. */
static void
await_rows(const struct instance_spec *s, const char *n)
{
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;

    while (strcmp(real_value(s, ROWS), n) != 0) {
        if (clock_mono_ms() > until)
            fail_msg("%s rows, not %s", real_value(s, ROWS), n);
        (void)usleep(20000);
    }
}

static void
a_position_is_read_by_its_domain(void **state)
{
    static const struct {
        const char *list;
        int64_t domain;
        bool found;
        uint32_t server;
        uint64_t seq;
    } cases[] = {
        { "0-1-5", 0, true, 1, 5 },
        { "0-1-5,7-3-90", 7, true, 3, 90 },
        { "17-1-5,7-4294967295-18446744073709551615", 7, true, UINT32_MAX,
          UINT64_MAX },
        { "17-1-5,71-2-6", 7, false, 0, 0 },
        { "", 0, false, 0, 0 },
        { NULL, 0, false, 0, 0 },
        { "7-3", 7, false, 0, 0 },
        { "-1-5", 0, false, 0, 0 },
        { ",x,0-2-9", 0, true, 2, 9 },
        { "0-1-5, 7-3-90", 7, true, 3, 90 },
        /* no number is cut to what fits, and none has a sign or a blank */
        { "7-4294967297-5", 7, false, 0, 0 },
        { "7-3-18446744073709551616", 7, false, 0, 0 },
        { "4294967303-3-5", 7, false, 0, 0 },
        { "7--3-5", 7, false, 0, 0 },
        { "7-3-+5", 7, false, 0, 0 },
        { "7-3- 5", 7, false, 0, 0 },
        { "7-3-5x", 7, false, 0, 0 },
    };
    struct instance_gtid at;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(instance_gtid_of(cases[i].list, cases[i].domain, &at),
                         cases[i].found);
        assert_int_equal(at.server, cases[i].server);
        assert_true(at.seq == cases[i].seq);
    }
}

static void
only_a_position_is_begun_at(void **state)
{
    char *edge = arena_alloc(arena, 4097);

    (void)state;
    assert_string_equal(instance_begin_at(arena, "0-1-5,7-3-90"),
                        "SET GLOBAL gtid_slave_pos = '0-1-5,7-3-90'");
    assert_null(instance_begin_at(arena, "0-1-5'"));
    assert_null(instance_begin_at(arena, "0-1-5 "));
    assert_non_null(memset(edge, '1', 4096));
    assert_null(instance_begin_at(arena, edge));
    edge[4095] = '\0';
    assert_non_null(instance_begin_at(arena, edge));
}

/* As the server tells it, by a connection of the test's own. */
static struct instance_replica
replica(const struct instance_spec *s)
{
    struct instance_replica r;
    struct my *my;

    OK(instance_connect(s, REAL_WAIT_MS, &my, why));
    OK(instance_replica(my, arena, &r));
    my_close(my);
    return r;
}

/* Its source has nothing to say, and says so. */
static void
await_heartbeat(const struct instance_spec *s)
{
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;
    struct instance_replica was = replica(s);

    assert_true(was.beat_ms > 0);
    while (replica(s).heard == was.heard) {
        if (clock_mono_ms() > until)
            fail_msg("nothing was heard since %llu",
                     (unsigned long long)was.heard);
        (void)usleep(20000);
    }
}

static void
the_secret_is_said_last(void **state)
{
    const char *sql = instance_change_master(arena, &one, "u", "hush");

    (void)state;
    assert_non_null(sql);
    assert_string_equal(strstr(sql, "hush"), "hush'");
    assert_null(instance_change_master(arena, &one, NULL, "hush"));
    assert_null(instance_change_master(arena, &one, "u", NULL));
}

/* "slave_enabled master_enabled" */
static const char *
semi_sync(const struct instance_spec *s)
{
    return real_value(s, "SELECT CONCAT(@@rpl_semi_sync_slave_enabled, ' ', "
                         "@@rpl_semi_sync_master_enabled)");
}

static void
one_leads_and_the_other_follows(void **state)
{
    struct instance_position p;
    struct instance_replica r;

    (void)state;
    OK(instance_promote(arena, &one, false, REAL_WAIT_MS, why));
    real_do(&one, "CREATE DATABASE app");
    real_do(&one, "CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT)");
    OK(instance_follow(arena, &two, &one, NULL, REAL_WAIT_MS, why));
    OK(instance_follow(arena, &two, &one, NULL, REAL_WAIT_MS, why));
    OK(instance_promote(arena, &one, true, REAL_WAIT_MS, why));
    OK(instance_promote(arena, &one, true, REAL_WAIT_MS, why));
    real_do(&one, "INSERT INTO app.t VALUES ()");
    await_rows(&two, "1");
    OK(instance_position(arena, &one, REAL_WAIT_MS, &p, why));
    assert_true(!p.read_only && p.asks_acks && p.acking == 1);
    assert_null(p.source_host);
    OK(instance_position(arena, &two, REAL_WAIT_MS, &p, why));
    assert_true(p.read_only && p.receives && p.applies && !p.asks_acks);
    assert_string_equal(p.source_host, one.address);
    assert_int_equal(p.source_port, one.port);
    assert_string_equal(p.gtid_slave,
                        real_value(&one, "SELECT @@gtid_binlog_pos"));
    assert_false(replica(&one).is_one);
    r = replica(&two);
    assert_true(r.is_one && r.receiving && r.connected && r.applying);
    assert_string_equal(r.source_host, one.address);
    assert_int_equal(r.source_port, one.port);
    assert_non_null(r.source_log);
    assert_string_equal(r.gtid_io, p.gtid_slave);
    assert_true(r.io_errno == 0 && r.io_error == NULL);
    assert_true(r.sql_errno == 0 && r.sql_error == NULL);
    await_heartbeat(&two);
    real_do(&two, "STOP SLAVE");
    r = replica(&two);
    assert_true(r.is_one && !r.receiving && !r.connected && !r.applying);
    assert_int_equal(r.behind_s, -1);
    real_do(&two, "START SLAVE");
    OK(instance_follow(arena, &two, &one, NULL, REAL_WAIT_MS, why));
}

static void
what_lies_in_a_relay_log_is_not_lost(void **state)
{
    struct instance_position p;

    (void)state;
    /* received and acknowledged, not applied */
    real_do(&two, "STOP SLAVE SQL_THREAD");
    real_do(&one, "INSERT INTO app.t VALUES ()");
    assert_string_equal(real_value(&two, ROWS), "1");
    real_stop(1, SIGKILL);
    OK(instance_promote(arena, &two, false, REAL_WAIT_MS, why));
    assert_string_equal(real_value(&two, ROWS), "2");
    OK(instance_position(arena, &two, REAL_WAIT_MS, &p, why));
    assert_true(!p.read_only && p.source_host == NULL);
    assert_string_equal(semi_sync(&two), "OFF OFF");
}

static void
the_old_one_comes_back_as_a_replica(void **state)
{
    struct my *client[4];

    (void)state;
    real_do(&two, "INSERT INTO app.t VALUES ()");
    assert_true(real_start(1, &one));
    assert_string_equal(real_value(&one, "SELECT @@read_only"), "1");
    OK(instance_follow(arena, &one, &two, NULL, REAL_WAIT_MS, why));
    await_rows(&one, "3");
    /* and takes over again, the other leaving in good order */
    OK(instance_promote(arena, &two, true, REAL_WAIT_MS, why));
    assert_string_equal(semi_sync(&two), "OFF ON");
    for (size_t i = 0; i < COUNT(client); i++)
        OK(instance_connect(&two, REAL_WAIT_MS, &client[i], why));
    OK(instance_demote(arena, &two, REAL_WAIT_MS, why));
    OK(instance_demote(arena, &two, REAL_WAIT_MS, why));
    for (size_t i = 0; i < COUNT(client); i++) {
        assert_int_not_equal(my_do(client[i], "DO 1"), ERR_OK);
        my_close(client[i]);
    }
    OK(instance_promote(arena, &one, true, REAL_WAIT_MS, why));
    OK(instance_follow(arena, &two, &one, NULL, REAL_WAIT_MS, why));
    assert_string_equal(semi_sync(&two), "ON OFF");
    real_do(&one, "INSERT INTO app.t VALUES ()");
    await_rows(&two, "4");
}

/* ---- a commit that nobody acknowledges ---- */

static _Atomic int outcome;

static void *
insert(void *ctx)
{
    struct my *my;
    char text[WHY_BYTES];

    (void)ctx;
    if (instance_connect(&one, REAL_WAIT_MS, &my, text) != ERR_OK) {
        outcome = 2;
        return NULL;
    }
    my_until(my, 0);
    outcome = my_do(my, "INSERT INTO app.t VALUES (777)") == ERR_OK ? 1 : 2;
    my_close(my);
    return NULL;
}

static void
a_commit_that_waits_is_not_told_that_it_is_safe(void **state)
{
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;
    pthread_t thread;

    (void)state;
    real_do(&two, "STOP SLAVE");
    while (strcmp(real_value(&one,
                             "SELECT VARIABLE_VALUE FROM "
                             "information_schema.GLOBAL_STATUS WHERE "
                             "VARIABLE_NAME = 'Rpl_semi_sync_master_clients'"),
                  "0") != 0 &&
           clock_mono_ms() < until)
        (void)usleep(20000);
    outcome = 0;
    assert_int_equal(pthread_create(&thread, NULL, insert, NULL), 0);
    while (strcmp(real_value(&one, "SELECT COUNT(*) FROM information_schema."
                                   "PROCESSLIST WHERE STATE LIKE "
                                   "'Waiting for semi-sync ACK%'"),
                  "1") != 0 &&
           clock_mono_ms() < until)
        (void)usleep(20000);
    assert_int_equal(outcome, 0);
    OK(instance_demote(arena, &one, REAL_WAIT_MS, why));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(outcome, 2); /* its connection was ended */
    assert_string_equal(
        real_value(&one, "SELECT @@rpl_semi_sync_master_enabled"), "1");
}

static void
who_has_diverged_cannot_follow(void **state)
{
    (void)state;
    OK(instance_promote(arena, &two, false, REAL_WAIT_MS, why));
    real_do(&two, "INSERT INTO app.t VALUES (888)");
    real_do(&two, "INSERT INTO app.t VALUES (889)");
    /* it has 777, which nobody else has */
    assert_int_equal(
        instance_follow(arena, &one, &two, NULL, REAL_WAIT_MS, why), ERR_STATE);
    assert_true(why[0] != '\0');
    assert_null(strstr(why, two.repl_secret));
    assert_int_not_equal(replica(&one).io_errno, 0);
    assert_non_null(replica(&one).io_error);
    assert_string_equal(real_value(&two, ROWS), "6");
}

/* ---- old binlogs ---- */

static void
only_binlogs_that_nobody_needs_go(void **state)
{
    const char *pos, *kept, *same, *ahead[2];
    char sql[256], start[256];
    struct my_table t;
    struct my *my;
    int64_t until;

    (void)state;
    OK(instance_connect(&two, REAL_WAIT_MS, &my, why));
    my_until(my, 0);
    assert_int_equal(my_do(my, "FLUSH BINARY LOGS"), ERR_OK);
    pos = arena_strdup(arena, real_value(&two, "SELECT @@gtid_binlog_pos"));
    assert_int_equal(my_do(my, "INSERT INTO app.t VALUES ()"), ERR_OK);
    assert_int_equal(my_do(my, "FLUSH BINARY LOGS"), ERR_OK);
    assert_int_equal(my_do(my, "INSERT INTO app.t VALUES ()"), ERR_OK);
    assert_int_equal(my_do(my, "FLUSH BINARY LOGS"), ERR_OK);
    /* one replica has all, another only what was there at pos */
    ahead[0] =
        arena_strdup(arena, real_value(&two, "SELECT @@gtid_binlog_pos"));
    ahead[1] = pos;
    /* what is left begins where the slower one is */
    until = clock_mono_ms() + REAL_WAIT_MS;
    do {
        OK(instance_purge(my, arena, ahead, 2, &kept, why));
        (void)snprintf(sql, sizeof(sql), "SELECT BINLOG_GTID_POS('%s', 4)",
                       kept);
        assert_int_equal(my_value_of(my, sql, start, sizeof(start)), ERR_OK);
    } while (strcmp(start, pos) != 0 && clock_mono_ms() < until);
    assert_string_equal(start, pos);
    /* nobody has been anywhere: nothing goes */
    ahead[1] = "";
    OK(instance_purge(my, arena, ahead, 2, &same, why));
    assert_string_equal(same, kept);
    /* all have all of it: what is written now is left. The server needs a
     * binlog itself until the engine has what it says. */
    until = clock_mono_ms() + REAL_WAIT_MS;
    do {
        OK(instance_purge(my, arena, ahead, 1, &kept, why));
        assert_int_equal(my_query(my, arena, "SHOW BINARY LOGS", 10, &t),
                         ERR_OK);
        (void)usleep(20000);
    } while (t.n > 1 && clock_mono_ms() < until);
    assert_int_equal(t.n, 1);
    assert_string_equal(kept, my_cell(&t, 0, "Log_name"));
    my_close(my);
}

static int
begin(void **state)
{
    (void)state;
    return real_begin() && real_up(1, &one) && real_up(2, &two) ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_position_is_read_by_its_domain),
        TEST(only_a_position_is_begun_at),
        TEST(the_secret_is_said_last),
        TEST(one_leads_and_the_other_follows),
        TEST(what_lies_in_a_relay_log_is_not_lost),
        TEST(the_old_one_comes_back_as_a_replica),
        TEST(a_commit_that_waits_is_not_told_that_it_is_safe),
        TEST(who_has_diverged_cannot_follow),
        TEST(only_binlogs_that_nobody_needs_go),
    };

    return cmocka_run_group_tests(tests, begin, real_over);
}
