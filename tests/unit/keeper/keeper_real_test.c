/* The keeper with MariaDB and PostgreSQL: killed, hung, adopted, ended in
 * order. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "instance/real.h"
#include "ok.h"
#include "keeper/keeper_run.h"

#define JOB_ID 7

static struct instance_spec storage, computer, replica;
static struct keeper *keeper;
static _Atomic bool forbidden; /* to end what hangs */

static bool
may_end(struct db *db, struct arena *a, const char *uuid)
{
    (void)db;
    (void)a;
    return !forbidden || strcmp(uuid, storage.uuid) != 0;
}

static void
open_keeper(void)
{
    const struct keeper_config cfg = { .machine = real_address,
                                       .may_end = may_end };

    keeper = keeper_start(&cfg);
    assert_non_null(keeper);
}

static void
close_keeper(bool end_all)
{
    if (end_all)
        assert_true(keeper_end_all(keeper, REAL_WAIT_MS));
    assert_true(keeper_stop(keeper, REAL_WAIT_MS));
    keeper = NULL;
}

static struct kept
shown(const struct instance_spec *s)
{
    struct list_of_kept all;

    OK(keeper_list(keeper, real_arena, &all));
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i].port == s->port)
            return all.v[i];
    fail_msg("port %d is not kept", s->port);
    return all.v[0];
}

/* What servers leave behind comes to us, and is asked for by nobody else; those
 * that the keeper has started are left to it. */
static void
reap_orphans(void)
{
    siginfo_t si = { .si_pid = 0 };
    struct list_of_kept all;

    if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        si.si_pid == 0)
        return;
    OK(keeper_list(keeper, real_arena, &all));
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i].pid == si.si_pid)
            return;
    (void)waitpid(si.si_pid, NULL, WNOHANG);
}

/* It runs as another process than `old`, and serves. */
static pid_t
until_serves(const struct instance_spec *s, pid_t old)
{
    int64_t until_ms = clock_mono_ms() + REAL_WAIT_MS;
    struct kept x;

    while ((x = shown(s)).pid == old || x.state != KEPT_RUNNING) {
        if (clock_mono_ms() > until_ms)
            fail_msg("%s %s", enum_text(kept_state_names, x.state), x.why);
        reap_orphans();
        (void)usleep(5000);
    }
    OK(instance_probe(s, REAL_WAIT_MS, why));
    return x.pid;
}

/* As an installation's steps do it. */
static void
make(const struct instance_spec *s)
{
    unsigned port = (unsigned)s->port;

    OK(instance_install(real_arena, s, why));
    OK(keeper_add(keeper, s, JOB_ID));
    OK(keeper_tell(keeper, port, ORDER_START, JOB_ID));
    OK(keeper_await(keeper, port, KEPT_RUNNING, REAL_WAIT_MS, why));
    OK(instance_settle(real_arena, s, REAL_WAIT_MS, why));
    OK(keeper_release(keeper, port, JOB_ID));
    assert_true(shown(s).to_run);
}

static void
both_are_made(void **state)
{
    (void)state;
    make(&storage);
    make(&computer);
}

static void
what_is_killed_serves_again(void **state)
{
    pid_t a = shown(&storage).pid, b = shown(&computer).pid;

    (void)state;
    assert_int_equal(kill(a, SIGKILL), 0);
    assert_int_equal(kill(b, SIGKILL), 0);
    (void)until_serves(&storage, a);
    (void)until_serves(&computer, b);
    assert_int_equal(shown(&storage).restarts, 1);
    assert_int_equal(shown(&computer).restarts, 1);
}

/* A session of PostgreSQL that has not said who it is yet. */
static int
open_session(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)computer.port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)inet_pton(AF_INET, computer.address, &at.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static void
a_session_that_outlives_its_postmaster_is_waited_for(void **state)
{
    pid_t pid = until_serves(&computer, 0);
    int fd = open_session();

    (void)state;
    (void)usleep(100000); /* its process is there, or the test tries less */
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)usleep(100000);
    (void)close(fd);
    (void)until_serves(&computer, pid);
}

static void
what_hangs_serves_again(void **state)
{
    pid_t a = until_serves(&storage, 0), b = until_serves(&computer, 0);

    (void)state;
    assert_int_equal(kill(a, SIGSTOP), 0);
    assert_int_equal(kill(b, SIGSTOP), 0);
    (void)until_serves(&storage, a);
    (void)until_serves(&computer, b);
}

/* Its end may lose what nobody else has: others say when. */
static void
what_hangs_is_left_while_somebody_forbids_its_end(void **state)
{
    pid_t a = until_serves(&storage, 0), b = until_serves(&computer, 0);
    int64_t until_ms = clock_mono_ms() + REAL_WAIT_MS;

    (void)state;
    forbidden = true;
    assert_int_equal(kill(a, SIGSTOP), 0);
    while (strstr(shown(&storage).why, "did not answer") == NULL &&
           clock_mono_ms() < until_ms)
        (void)usleep(5000);
    /* the other one, which hangs later, is ended: so it was not forgotten */
    assert_int_equal(kill(b, SIGSTOP), 0);
    (void)until_serves(&computer, b);
    assert_int_equal(shown(&storage).pid, a);
    assert_int_equal(shown(&storage).state, KEPT_RUNNING);
    assert_non_null(strstr(shown(&storage).why, "did not answer"));
    /* it answers again: nothing was the matter */
    assert_int_equal(kill(a, SIGCONT), 0);
    while (shown(&storage).why[0] != '\0' && clock_mono_ms() < until_ms)
        (void)usleep(5000);
    assert_string_equal(shown(&storage).why, "");
    assert_int_equal(kill(a, SIGSTOP), 0);
    while (shown(&storage).why[0] == '\0' && clock_mono_ms() < until_ms)
        (void)usleep(5000);
    forbidden = false;
    (void)until_serves(&storage, a);
}

static void
on(const struct instance_spec *s, const char *sql)
{
    struct my *my;

    OK(instance_connect(s, REAL_WAIT_MS, &my, why));
    if (my_do(my, sql) != ERR_OK)
        fail_msg("%s: %s", sql, my_failure(my)->text);
    my_close(my);
}

/* Files of the instance's logs that have that text. */
static const char *
logs_with(const struct instance_spec *s, const char *text)
{
    const char *const grep[] = {
        "grep",
        "-rlaF",
        "--",
        text,
        arena_printf(real_arena, "%s/instance_data/log_dir_path/%d",
                     s->log_root, (int)s->port),
        NULL
    };
    struct proc_result r;

    (void)!proc_run(grep, REAL_WAIT_MS, &r);
    return arena_strdup(real_arena, r.output);
}

static void
is_as_it_was_left(const struct instance_spec *s, struct instance_position *p)
{
    OK(instance_position(real_arena, s, REAL_WAIT_MS, p, why));
    assert_true(p->read_only && !p->asks_acks);
    assert_true(!p->receives && !p->connecting && !p->applies);
}

/* A replica has acknowledged a row that it has not applied, and both servers
 * are killed. They are started, and nothing else: no thread of replication,
 * which would drop the relay log with the row; nobody may be written. */
static void
members_of_a_shard_are_started_and_nothing_else(void **state)
{
    struct instance_position p;
    pid_t a, b;

    (void)state;
    make(&replica);
    OK(instance_promote(real_arena, &storage, false, REAL_WAIT_MS, why));
    on(&storage, "CREATE DATABASE app");
    on(&storage, "CREATE TABLE app.t (v VARCHAR(40) PRIMARY KEY)");
    OK(instance_follow(real_arena, &replica, &storage, NULL, REAL_WAIT_MS,
                       why));
    OK(instance_promote(real_arena, &storage, true, REAL_WAIT_MS, why));
    on(&storage, "INSERT INTO app.t VALUES ('seen by the replica')");
    on(&replica, "STOP SLAVE SQL_THREAD");
    on(&storage, "INSERT INTO app.t VALUES ('only-in-a-relay-log')");
    a = shown(&storage).pid;
    b = shown(&replica).pid;
    assert_int_equal(kill(b, SIGKILL), 0);
    assert_int_equal(kill(a, SIGKILL), 0);
    (void)until_serves(&replica, b);
    (void)until_serves(&storage, a);
    is_as_it_was_left(&replica, &p);
    assert_string_equal(p.source_host, storage.address); /* it may go on */
    assert_non_null(
        strstr(logs_with(&replica, "only-in-a-relay-log"), "/relay."));
    is_as_it_was_left(&storage, &p);
    assert_null(p.source_host);
}

static void
what_runs_is_adopted_and_what_died_is_started(void **state)
{
    pid_t a = until_serves(&storage, 0), b = until_serves(&computer, 0);

    (void)state;
    close_keeper(false);
    OK(instance_probe(&storage, REAL_WAIT_MS, why)); /* it does not matter */
    assert_int_equal(kill(b, SIGKILL), 0);
    /* as whoever has orphans does: PostgreSQL asks whether its number is still
     * a process's */
    assert_int_equal(waitpid(b, NULL, 0), b);
    open_keeper();
    assert_int_equal(until_serves(&storage, 0), a);
    (void)until_serves(&computer, b);
}

static void
all_end_gently_and_are_started_by_the_next(void **state)
{
    pid_t a = until_serves(&storage, 0), b = until_serves(&computer, 0);

    (void)state;
    close_keeper(true);
    assert_int_not_equal(instance_probe(&storage, 1000, why), ERR_OK);
    assert_int_not_equal(instance_probe(&computer, 1000, why), ERR_OK);
    assert_non_null(strstr(real_log(&storage), "Shutdown complete"));
    assert_non_null(
        strstr(real_log(&computer), "database system is shut down"));
    open_keeper();
    (void)until_serves(&storage, a);
    (void)until_serves(&computer, b);
}

static int
begin(void **state)
{
    (void)state;
    (void)setenv("METAGATE_SUPERVISE_PROBE_MS", "200", 1);
    if (!real_begin())
        return -1;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    storage = real_storage(1);
    computer = real_computer(2);
    replica = real_storage(3);
    open_keeper();
    return storage.uuid != NULL && computer.uuid != NULL ? 0 : -1;
}

static int
finish(void **state)
{
    (void)state;
    if (keeper != NULL)
        close_keeper(true);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    real_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_made),
        cmocka_unit_test(what_is_killed_serves_again),
        cmocka_unit_test(a_session_that_outlives_its_postmaster_is_waited_for),
        cmocka_unit_test(what_hangs_serves_again),
        cmocka_unit_test(what_hangs_is_left_while_somebody_forbids_its_end),
        cmocka_unit_test(what_runs_is_adopted_and_what_died_is_started),
        cmocka_unit_test(all_end_gently_and_are_started_by_the_next),
        cmocka_unit_test(members_of_a_shard_are_started_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, begin, finish);
}
