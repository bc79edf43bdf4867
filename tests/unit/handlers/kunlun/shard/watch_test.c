/* The duty cluster.failover with a store, three real servers and a client that
 * writes: a shard whose primary is killed has another one, and the store says
 * what has happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypt.h"
#include "json.h"
#include "store_server.h"
#include "store_fixture.h"

#include "instance/real.h"
#include "ok.h"
#include "kunlun/shard/shard.h"
#include "kunlun/shard/watch.h"

#define N       3
#define LOOK_US 100000

static struct instance_spec spec[N];
static struct kunlun_shard shard;
static struct db *db;
static struct arena *arena;
static struct lease lease = { .name = "cluster.failover",
                              .owner = "unit",
                              .ttl_ms = 600000 };
static struct duty_run run;

/* What `control` does once a second. */
static void
step(void)
{
    arena_reset(arena);
    assert_int_not_equal(kunlun_watch_step(&run), TURN_OVER);
    (void)usleep(LOOK_US);
    OK(kunlun_store_shard(db, arena, shard.id, &shard));
}

static int64_t
value_on(int i, const char *sql)
{
    char text[64] = "-1";
    struct my *my;

    if (instance_connect(&spec[i], 2000, &my, why) != ERR_OK)
        return -1;
    if (my_value_of(my, sql, text, sizeof(text)) != ERR_OK)
        (void)snprintf(text, sizeof(text), "-1");
    my_close(my);
    return strtoll(text, NULL, 10);
}

static bool
is_whole(void)
{
    for (int i = 0; i < N; i++) {
        if (value_on(i, "SELECT @@read_only") != (i == shard.s.primary ? 0 : 1))
            return false;
        if (i != shard.s.primary &&
            (shard.s.member[i].role != FO_IN ||
             value_on(i, "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                         " WHERE COMMAND LIKE 'Slave_%'") != 2))
            return false;
    }
    return true;
}

static void
until_whole(void)
{
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;

    do {
        step();
    } while (!is_whole() && clock_mono_ms() < until);
    assert_true(is_whole());
}

/* Of the member's own run; its machine would say it. */
static uint64_t
start_of(int i)
{
    char text[64] = "";
    struct my *my;

    OK(instance_connect(&spec[i], REAL_WAIT_MS, &my, why));
    OK(my_value_of(my, "SELECT CONV(@@report_user, 16, 10)", text,
                   sizeof(text)));
    my_close(my);
    return strtoull(text, NULL, 10);
}

static void
a_stored_shard_is_put_to_work(void **state)
{
    (void)state;
    shard.cluster = "c1";
    shard.name = "shard1";
    shard.s = (struct fo_shard){
        .epoch = 1, .order = 1, .n = N, .switch_to = FO_NOBODY
    };
    for (unsigned i = 0; i < N; i++) {
        spec[i] = real_storage(i);
        shard.spec[i] = spec[i];
        OK(instance_install(real_arena, &spec[i], why));
        assert_true(real_start(i, &spec[i]));
        OK(instance_settle(real_arena, &spec[i], REAL_WAIT_MS, why));
        shard.s.member[i].start = start_of((int)i);
    }
    shard.s.member[0].role = FO_PRIMARY;
    OK(kunlun_store_shard_add(db, arena, &shard));
    OK(lease_take(db, &lease));
    run = (struct duty_run){
        .db = db, .arena = arena, .id = "m1", .lease = &lease
    };
    until_whole();
}

static void
write_row(int id)
{
    char sql[128];
    struct my *my;

    OK(instance_connect(&spec[shard.s.primary], REAL_WAIT_MS, &my, why));
    (void)snprintf(sql, sizeof(sql), "INSERT INTO d.t VALUES (%d)", id);
    if (id == 1) {
        OK(my_do(my, "CREATE DATABASE d"));
        OK(my_do(my, "CREATE TABLE d.t (id INT PRIMARY KEY)"));
    }
    OK(my_do(my, sql));
    my_close(my);
}

/* Each member says why it is silent, or nothing. */
static void
assert_seen(const struct span *seen)
{
    const struct json *tree;
    struct json_error syntax;
    unsigned silent = 0;

    OK(json_parse(arena, seen->p, seen->n, JSON_OWN, &tree, &syntax));
    for (const struct json *j = json_first(tree); j != NULL; j = json_next(j)) {
        bool answered =
            strcmp(json_text(json_member(j, "answered")), "true") == 0;
        int64_t ms;

        OK(json_to_i64(json_text(json_member(j, "silent_ms")), false, &ms));
        assert_int_equal(*json_text(json_member(j, "why")) == '\0', answered);
        assert_true(answered ? ms == 0 : ms > 0 && ms < 2 * REAL_WAIT_MS);
        silent += !answered;
    }
    assert_int_equal(silent, 1);
}

static void
a_dead_primary_is_replaced_and_it_is_told(void **state)
{
    int was = shard.s.primary;
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;
    struct list_of_kunlun_failover list;

    (void)state;
    for (int id = 1; id <= 20; id++)
        write_row(id);
    /* whoever hangs now may have what nobody else has */
    for (int i = 0; i < N; i++)
        assert_false(kunlun_may_end(db, arena, spec[i].uuid));
    assert_true(kunlun_may_end(db, arena, "no-member"));
    real_stop((unsigned)was, SIGKILL);
    while (shard.s.primary == was && clock_mono_ms() < until)
        step();
    assert_int_not_equal(shard.s.primary, was);
    assert_true(kunlun_may_end(db, arena, spec[was].uuid));
    assert_false(kunlun_may_end(db, arena, spec[shard.s.primary].uuid));
    assert_int_equal(shard.s.epoch, 2);
    assert_true(real_start((unsigned)was, &spec[was]));
    until_whole();
    assert_int_equal(value_on(shard.s.primary, "SELECT COUNT(*) FROM d.t"), 20);
    do {
        step();
        OK(kunlun_store_failovers(db, arena, shard.id, &list));
        assert_int_equal(list.n, 1);
    } while (!HAS(&list.v[0], kunlun_failover, writable_ms) &&
             clock_mono_ms() < until);
    assert_true(list.v[0].writable_ms >= list.v[0].decided_ms);
    assert_true(list.v[0].decided_ms >= list.v[0].suspected_ms);
    assert_string_equal(list.v[0].kind, "failover");
    assert_non_null(strstr(list.v[0].was, ":"));
    assert_string_not_equal(list.v[0].was, list.v[0].is);
    assert_non_null(strstr(list.v[0].why, "primary"));
    assert_non_null(memmem(list.v[0].seen.p, list.v[0].seen.n, "received", 8));
    assert_seen(&list.v[0].seen);
}

static bool
is_told(const char *verdict)
{
    int64_t n = 0;

    OK(db_one_i64(db, "SELECT COUNT(*) FROM kunlun_shard WHERE verdict = ?",
                  DB_ARGS(db_str(verdict)), &n));
    return n == 1;
}

/* It stood still before it could take it back. */
static void
what_another_control_has_told_is_told_anew(void **state)
{
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;

    (void)state;
    kunlun_watch_forget(run.memory);
    run.memory = NULL;
    OK(kunlun_store_shard_verdict(db, shard.id, FO_WORKS, "it was so"));
    assert_false(is_told("fine"));
    while (!is_told("fine") && clock_mono_ms() < until)
        step();
    assert_true(is_told("fine"));
}

/* Another control has it: this one decides nothing any more. */
static void
without_the_lease_nothing_is_decided(void **state)
{
    struct lease other = lease;
    int was = shard.s.primary;
    struct kunlun_shard now;

    (void)state;
    other.owner = "another";
    ok(lease_release(db, &lease));
    ok(lease_take(db, &other));
    real_stop((unsigned)was, SIGKILL);
    for (int i = 0; i < 30; i++)
        (void)usleep(LOOK_US);
    arena_reset(arena);
    OK(kunlun_store_shard(db, arena, shard.id, &now));
    assert_int_equal(now.s.primary, was);
    assert_int_equal(now.s.epoch, 2);
    kunlun_watch_forget(run.memory);
    run.memory = NULL;
}

/* The store's account comes by its socket: another one for who we become. */
static bool
begin_store(void)
{
    char sql[256];
    struct db *bare;
    bool made;

    if (!server_init(10, 2) || !server_migrate() || !fixture_key())
        return false;
    bare = db_open_bare();
    made = bare != NULL &&
           db_exec_text(bare, "CREATE OR REPLACE USER unit_watch@localhost "
                              "IDENTIFIED BY ''") == ERR_OK;
    (void)snprintf(sql, sizeof(sql),
                   "GRANT ALL ON *.* TO unit_watch@localhost");
    made = made && db_exec_text(bare, sql) == ERR_OK;
    db_close(bare);
    db_fini();
    return made && setenv("METAGATE_TEST_MYSQL_USER", "unit_watch", 1) == 0;
}

static int
begin(void **state)
{
    (void)state;
    if (!begin_store() || !real_begin() || !server_init(10, 2))
        return -1;
    db = db_open();
    arena = arena_new(64 << 20);
    return db != NULL && arena != NULL ? 0 : -1;
}

static int
end(void **state)
{
    bool dropped;

    (void)state;
    if (run.memory != NULL)
        kunlun_watch_forget(run.memory);
    arena_free(arena);
    db_close(db);
    dropped = server_fini();
    real_end();
    return dropped ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_shard_is_put_to_work),
        cmocka_unit_test(a_dead_primary_is_replaced_and_it_is_told),
        cmocka_unit_test(what_another_control_has_told_is_told_anew),
        cmocka_unit_test(without_the_lease_nothing_is_decided),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
