/* A shard of three real servers under the decision of core/failover.h: what
 * was acknowledged to a client is there, whoever is killed. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "instance/real.h"
#include "ok.h"
#include "kunlun/shard/member.h"

#define N      3
#define ROWS   200000
#define SEE_MS 2000

static struct instance_spec spec[N];
static const struct instance_spec *specs[N];
static struct member member[N];
static struct fo_shard shard;
static struct fo_plan plan;
static struct arena *arena;

static const struct fo_rules rules = { .silent_ms = 3000,
                                       .evict_ms = 2000,
                                       .patience_ms = 5000 };

/* ---- a client that writes, and remembers what was acknowledged ---- */

static _Atomic unsigned port_of_primary;
static _Atomic bool writing;
static unsigned written, acknowledged[ROWS], n_acknowledged;

static struct my *
connect_client(unsigned port, int timeout_ms)
{
    struct my_server to = {
        .at = { .port = port },
        .user = spec[0].client_user,
        .database = "test_rows",
        .connect_timeout_s = 1,
        .read_timeout_s = 2,
    };
    struct my *my = my_open();

    for (unsigned i = 0; i < N; i++)
        if (spec[i].port == (int)port)
            to.password = spec[i].client_secret;
    (void)snprintf(to.at.name, sizeof(to.at.name), "%s", real_address);
    if (my != NULL &&
        my_connect(my, &to, clock_mono_ms() + timeout_ms) != ERR_OK) {
        my_close(my);
        my = NULL;
    }
    return my;
}

static void
write_rows(unsigned port)
{
    struct my *my = connect_client(port, 1000);
    char sql[64];
    enum err e = my != NULL ? ERR_OK : ERR_PEER;

    while (e == ERR_OK && atomic_load(&writing) && written < ROWS - 1) {
        (void)snprintf(sql, sizeof(sql), "INSERT INTO r VALUES (%u)",
                       ++written);
        my_until(my, clock_mono_ms() + 2000);
        e = my_do(my, sql);
        if (e == ERR_OK)
            acknowledged[n_acknowledged++] = written;
    }
    if (my != NULL)
        my_close(my);
}

static void *
client(void *arg)
{
    (void)arg;
    while (atomic_load(&writing)) {
        write_rows(atomic_load(&port_of_primary));
        (void)usleep(10000);
    }
    return NULL;
}

/* ---- control, a look at a time ---- */

static void
look(void)
{
    struct fo_seen seen[N] = { { 0 } };
    struct fo_shard s = shard;

    arena_reset(arena);
    for (unsigned i = 0; i < N; i++) {
        seen[i].ended = real_pid[i] == 0;
        member_see(&member[i], arena, specs, N, SEE_MS, &seen[i]);
    }
    failover_step(&s, seen, &rules, clock_mono_ms(), &plan);
    shard = s;
    for (unsigned k = 0; k < plan.n; k++) {
        const struct fo_action *act = &plan.action[k];

        /* what could not be told is asked for again */
        enum err e = member_tell(&member[act->member], arena, act, &shard,
                                 specs, SEE_MS);

        assert_int_not_equal(e, ERR_BAD_PARAM);
    }
    if (plan.decided)
        atomic_store(&port_of_primary, (unsigned)spec[shard.primary].port);
}

static bool
is_whole(void)
{
    struct fo_seen seen;

    if (plan.verdict != FO_FINE || plan.n > 0)
        return false;
    for (unsigned i = 0; i < N; i++) {
        memset(&seen, 0, sizeof(seen));
        member_see(&member[i], arena, specs, N, SEE_MS, &seen);
        if (!seen.answered ||
            ((int)i == shard.primary ? !seen.writable : !seen.connected))
            return false;
    }
    return true;
}

static void
explain(void)
{
    for (unsigned i = 0; i < N; i++) {
        struct fo_seen o = { 0 };

        member_see(&member[i], arena, specs, N, SEE_MS, &o);
        print_error(
            "%u%s: role %d%s answered %d writable %d broken %d io %d "
            "connected %d applying %d received %llu-%u applied "
            "%llu-%u; %s\n",
            i, (int)i == shard.primary ? " (primary)" : "",
            (int)shard.member[i].role, shard.member[i].broken ? " broken" : "",
            o.answered, o.writable, o.broken, o.io, o.connected, o.applying,
            (unsigned long long)o.received.seq, o.received.server,
            (unsigned long long)o.applied.seq, o.applied.server, member[i].why);
    }
    for (unsigned k = 0; k < plan.n; k++)
        print_error("action %d of %d\n", (int)plan.action[k].kind,
                    plan.action[k].member);
    fail_msg("verdict %d: %d %s", (int)plan.verdict, plan.about,
             fo_why_text(plan.why));
}

static void
until_whole(void)
{
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;

    do {
        look();
        (void)usleep(20000);
    } while (!is_whole() && clock_mono_ms() < until);
    if (!is_whole())
        explain();
}

static void
make_shard(void)
{
    memset(&shard, 0, sizeof(shard));
    shard = (struct fo_shard){
        .epoch = 1, .order = 1, .n = N, .switch_to = FO_NOBODY
    };
    for (unsigned i = 0; i < N; i++) {
        struct fo_seen seen = { 0 };

        member_see(&member[i], arena, specs, N, SEE_MS, &seen);
        if (!seen.answered)
            fail_msg("%s", member[i].why);
        shard.member[i].start = seen.start;
    }
    shard.member[0].role = FO_PRIMARY;
    atomic_store(&port_of_primary, (unsigned)spec[0].port);
    until_whole();
}

static unsigned
rows_on(unsigned i, const char *sql)
{
    char text[32] = "";
    struct my *my;

    OK(instance_connect(specs[i], REAL_WAIT_MS, &my, why));
    if (my_value_of(my, sql, text, sizeof(text)) != ERR_OK)
        (void)snprintf(why, sizeof(why), "%s", my_failure(my)->text);
    my_close(my);
    return (unsigned)strtoul(text, NULL, 10);
}

static void
assert_nothing_is_lost(void)
{
    static unsigned char there[ROWS];
    struct my_table t;
    struct my *my;

    memset(there, 0, sizeof(there));
    arena_reset(arena);
    OK(instance_connect(specs[shard.primary], REAL_WAIT_MS, &my, why));
    OK(my_query(my, arena, "SELECT id FROM test_rows.r", ROWS, &t));
    for (size_t i = 0; i < t.n; i++)
        there[my_cell_u64(&t, i, "id")] = 1;
    my_close(my);
    for (unsigned i = 0; i < n_acknowledged; i++)
        if (!there[acknowledged[i]])
            fail_msg("row %u of %u was acknowledged and is lost",
                     acknowledged[i], n_acknowledged);
}

/* ---- the tests ---- */

static void
three_become_a_shard(void **state)
{
    struct my *my;

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        spec[i] = real_storage(i);
        specs[i] = &spec[i];
        member[i] =
            (struct member){ .spec = &spec[i], .seen_ms = clock_mono_ms() };
        OK(instance_install(real_arena, &spec[i], why));
        assert_true(real_start(i, &spec[i]));
        OK(instance_settle(real_arena, &spec[i], REAL_WAIT_MS, why));
    }
    make_shard();
    OK(instance_connect(specs[0], REAL_WAIT_MS, &my, why));
    OK(my_do(my, "CREATE DATABASE test_rows"));
    OK(my_do(my, "CREATE TABLE test_rows.r (id INT PRIMARY KEY)"));
    my_close(my);
}

/* The server that leads ends in mid-write, several times. */
static void
a_killed_primary_loses_no_acknowledged_row(void **state)
{
    pthread_t thread;

    (void)state;
    atomic_store(&writing, true);
    assert_int_equal(pthread_create(&thread, NULL, client, NULL), 0);
    for (unsigned round = 0; round < 4; round++) {
        unsigned before = n_acknowledged, was = (unsigned)shard.primary;
        int64_t until = clock_mono_ms() + REAL_WAIT_MS;

        while (n_acknowledged < before + 50 && clock_mono_ms() < until)
            look();
        real_stop(was, SIGKILL);
        if (round % 2 == 1) /* pulled up before anybody has looked */
            assert_true(real_start(was, specs[was]));
        while (shard.primary == (int)was && clock_mono_ms() < until)
            look();
        assert_int_not_equal(shard.primary, was);
        if (round % 2 == 0)
            assert_true(real_start(was, specs[was]));
        until_whole();
    }
    atomic_store(&writing, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(n_acknowledged > 200);
    assert_nothing_is_lost();
}

static void
start_all(void)
{
    for (unsigned i = 0; i < N; i++)
        if (real_pid[i] == 0)
            assert_true(real_start(i, specs[i]));
}

/* As a machine ends it. */
static void
end_in_order(unsigned i)
{
    struct member m = { .spec = specs[i] };

    OK(member_take_leave(&m, arena, REAL_WAIT_MS));
    member_close(&m);
    real_stop(i, SIGTERM);
}

/* All of them in mid-write, in two orders, while nobody looks and while
 * somebody does; a primary that is back has all, and leads again. */
static void
one_that_was_stopped_in_order_begins_again_by_itself(void **state)
{
    pthread_t thread;

    (void)state;
    until_whole();
    atomic_store(&writing, true);
    assert_int_equal(pthread_create(&thread, NULL, client, NULL), 0);
    for (unsigned round = 0; round < 2; round++) {
        unsigned before = n_acknowledged;
        int was;

        while (n_acknowledged < before + 50)
            look();
        was = shard.primary;
        for (unsigned i = 0; i < N; i++) {
            end_in_order((round + i) % N);
            if (round == 1)
                look();
        }
        start_all();
        until_whole();
        if (round == 0)
            assert_int_equal(shard.primary, was);
    }
    atomic_store(&writing, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_nothing_is_lost();
}

/* The primary's machine does not come back: its replicas are witnesses. */
static void
one_that_was_stopped_in_order_needs_no_primary(void **state)
{
    int was = shard.primary;
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;

    (void)state;
    until_whole();
    for (unsigned i = 0; i < N; i++)
        end_in_order(i);
    for (unsigned i = 0; i < N; i++)
        if ((int)i != was)
            assert_true(real_start(i, specs[i]));
    while (shard.primary == was && clock_mono_ms() < until)
        look();
    assert_int_not_equal(shard.primary, was);
    start_all();
    until_whole();
    assert_nothing_is_lost();
}

static void
one_that_takes_leave_is_told_nothing(void **state)
{
    struct fo_action note = { .kind = FO_NOTE };
    struct member m = { 0 };
    struct fo_seen o = { 0 };

    (void)state;
    until_whole();
    note.member = (shard.primary + 1) % (int)N;
    m.spec = specs[note.member];
    OK(member_take_leave(&m, arena, REAL_WAIT_MS));
    member_see(&m, arena, specs, N, SEE_MS, &o);
    assert_true(o.answered && o.ends && !o.io && o.applying);
    assert_int_equal(o.mark.start, o.start);
    assert_int_equal(o.mark.ticket, o.ticket);
    assert_int_equal(o.mark.at.seq, o.applied.seq);
    assert_int_equal(member_tell(&m, arena, &note, &shard, specs, SEE_MS),
                     ERR_STATE);
    member_close(&m);
    real_stop((unsigned)note.member, SIGTERM);
    start_all();
    until_whole();
}

/* All of them are killed instead: nobody knows who has what. */
static void
one_that_was_killed_as_a_whole_waits_for_a_person(void **state)
{
    uint64_t epoch = shard.epoch;

    (void)state;
    until_whole();
    for (unsigned i = 0; i < N; i++)
        real_stop(i, SIGKILL);
    start_all();
    for (unsigned i = 0; i < 10; i++)
        look();
    assert_int_equal(shard.epoch, epoch);
    assert_int_equal(plan.verdict, FO_UNSAFE);
    assert_int_equal(plan.why, FO_WHY_MEMBER_BROKEN);
    shard.force = true;
    shard.order++;
    until_whole();
    assert_int_equal(shard.epoch, epoch + 1);
}

/* Kills of a replica, then of the primary, before it could be shut out: who
 * is left may lack rows, so nobody is promoted until a person says so. */
static void
without_witnesses_nobody_is_promoted(void **state)
{
    unsigned one = (unsigned)(shard.primary + 1) % N;
    uint64_t epoch = shard.epoch;

    (void)state;
    until_whole();
    real_stop(one, SIGKILL);
    real_stop((unsigned)shard.primary, SIGKILL);
    for (unsigned i = 0; i < 5; i++)
        look();
    assert_true(real_start(one, specs[one]));
    for (unsigned i = 0; i < 5; i++)
        look();
    assert_int_equal(shard.epoch, epoch);
    assert_int_equal(plan.verdict, FO_UNSAFE);
    assert_int_equal(plan.why, FO_WHY_MEMBER_BROKEN);
    assert_int_equal(plan.about, one);
    shard.force = true;
    shard.order++;
    for (unsigned i = 0; i < 20 && shard.epoch == epoch; i++)
        look();
    assert_int_equal(shard.epoch, epoch + 1);
    for (unsigned i = 0; i < N; i++)
        if (real_pid[i] == 0)
            assert_true(real_start(i, specs[i]));
    until_whole();
}

static void
a_planned_change_moves_the_primary(void **state)
{
    int to = (shard.primary + 2) % (int)N;
    uint64_t epoch = shard.epoch;

    (void)state;
    until_whole();
    shard.switch_to = to;
    shard.switch_order = ++shard.order;
    shard.switch_until_ms = clock_mono_ms() + REAL_WAIT_MS;
    until_whole();
    assert_int_equal(shard.primary, to);
    assert_int_equal(shard.epoch, epoch + 1);
}

static void
everywhere(const char *sql)
{
    for (unsigned i = 0; i < N; i++) {
        struct my *my;

        OK(instance_connect(specs[i], REAL_WAIT_MS, &my, why));
        OK(my_do(my, sql));
        my_close(my);
    }
}

/* What was restored has transactions of a history that nobody's binlogs have:
 * who led must know of them when it follows. */
static void
a_former_primary_keeps_its_place_in_another_history(void **state)
{
    struct instance_gtid at;
    char slave[512] = "";
    struct my *my;
    unsigned was = (unsigned)shard.primary;

    (void)state;
    OK(instance_connect(specs[was], REAL_WAIT_MS, &my, why));
    OK(my_do(my, "SET gtid_domain_id = 77"));
    OK(my_do(my, "CREATE TABLE test_rows.of_another (id INT)"));
    OK(my_do(my, "SET gtid_domain_id = DEFAULT"));
    OK(my_do(my, "INSERT INTO test_rows.of_another VALUES (1)"));
    my_close(my);
    until_whole();
    for (unsigned i = 0; i < N; i++) {
        int64_t until = clock_mono_ms() + REAL_WAIT_MS;

        while (rows_on(i, "SELECT COUNT(*) FROM test_rows.of_another") != 1 &&
               clock_mono_ms() < until)
            (void)usleep(20000);
    }
    everywhere("FLUSH BINARY LOGS");
    everywhere("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY");
    a_planned_change_moves_the_primary(NULL);
    assert_int_not_equal(shard.primary, was);
    OK(instance_connect(specs[was], REAL_WAIT_MS, &my, why));
    OK(my_value_of(my, "SELECT @@gtid_slave_pos", slave, sizeof(slave)));
    my_close(my);
    if (!instance_gtid_of(slave, 77, &at))
        fail_msg("it begins at %s", slave);
    OK(instance_connect(specs[shard.primary], REAL_WAIT_MS, &my, why));
    OK(my_do(my, "DROP TABLE test_rows.of_another"));
    my_close(my);
}

/* A control that was held up finds a higher order. */
static void
who_is_late_is_refused(void **state)
{
    struct fo_shard old = shard;
    struct fo_action act = { .kind = FO_EVICT, .member = shard.primary };

    (void)state;
    act.whom = (shard.primary + 1) % (int)N;
    shard.order++;
    assert_int_equal(member_tell(&member[act.member], arena,
                                 &(struct fo_action){ .kind = FO_NOTE,
                                                      .member = act.member },
                                 &shard, specs, SEE_MS),
                     ERR_OK);
    assert_int_equal(
        member_tell(&member[act.member], arena, &act, &old, specs, SEE_MS),
        ERR_STATE);
    until_whole();
}

/* A replica that is gone is shut out, so that it has no say, and comes back. */
static void
a_lost_replica_is_shut_out_and_let_in_again(void **state)
{
    unsigned one = (unsigned)(shard.primary + 1) % N;
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;

    (void)state;
    until_whole();
    real_stop(one, SIGKILL);
    while (shard.member[one].role != FO_OUT && clock_mono_ms() < until)
        look();
    assert_int_equal(shard.member[one].role, FO_OUT);
    assert_true(real_start(one, specs[one]));
    until_whole();
    assert_int_equal(shard.member[one].role, FO_IN);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(rows_on(i, "SELECT COUNT(*) FROM test_rows.r") > 0,
                         true);
}

/* Its connections outlive it: that nothing comes over them is noticed before.
 * It lets clients in and says nothing, and replicas that are told to stop
 * would take leave of it. */
static void
one_that_stands_still_is_replaced(void **state)
{
    unsigned was = (unsigned)shard.primary, one = (was + 1) % N;
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;
    struct fo_seen o = { 0 };

    (void)state;
    until_whole();
    member_see(&member[one], arena, specs, N, SEE_MS, &o);
    assert_true(o.answered && o.connected && o.hears);
    assert_int_equal(instance_greeting(specs[was], SEE_MS), GREETING_HEARD);
    assert_int_equal(kill(real_pid[was], SIGSTOP), 0);
    while (o.hears && clock_mono_ms() < until) {
        member_see(&member[one], arena, specs, N, SEE_MS, &o);
        (void)usleep(20000);
    }
    assert_true(o.connected && !o.hears);
    assert_int_equal(instance_greeting(specs[was], 100), GREETING_NONE);
    while (shard.primary == (int)was && clock_mono_ms() < until)
        look();
    assert_int_not_equal(shard.primary, was);
    assert_int_equal(kill(real_pid[was], SIGCONT), 0);
    until_whole();
    real_stop(was, SIGKILL);
    assert_int_equal(instance_greeting(specs[was], SEE_MS), GREETING_REFUSED);
    assert_true(real_start(was, specs[was]));
    until_whole();
}

static int
begin(void **state)
{
    (void)state;
    if (!real_begin())
        return -1;
    arena = arena_new(64 << 20);
    return arena != NULL ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N; i++)
        member_close(&member[i]);
    arena_free(arena);
    real_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_become_a_shard),
        cmocka_unit_test(a_killed_primary_loses_no_acknowledged_row),
        cmocka_unit_test(a_planned_change_moves_the_primary),
        cmocka_unit_test(a_former_primary_keeps_its_place_in_another_history),
        cmocka_unit_test(who_is_late_is_refused),
        cmocka_unit_test(a_lost_replica_is_shut_out_and_let_in_again),
        cmocka_unit_test(one_that_stands_still_is_replaced),
        cmocka_unit_test(one_that_was_stopped_in_order_begins_again_by_itself),
        cmocka_unit_test(one_that_was_stopped_in_order_needs_no_primary),
        cmocka_unit_test(one_that_takes_leave_is_told_nothing),
        cmocka_unit_test(one_that_was_killed_as_a_whole_waits_for_a_person),
        cmocka_unit_test(without_witnesses_nobody_is_promoted),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
