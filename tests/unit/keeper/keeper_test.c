/* The keeper with real processes: what dies is started again, what is to stay
 * down stays down, and there is never a second server on one data directory. */
#include "keeper_fixture.h"

static void
what_is_added_is_held_and_down(void **state)
{
    struct ground *g = *state;
    struct instance_spec spec;

    add(g);
    assert_int_equal(shown(g).state, KEPT_HELD);
    assert_int_equal(keeper_tell(g->k, port_of(g), ORDER_START, 0), ERR_BUSY);
    ok(keeper_release(g->k, port_of(g), HOLDER));
    assert_int_equal(shown(g).state, KEPT_STOPPED);
    ok(keeper_spec(g->k, g->a, port_of(g), &spec));
    assert_string_equal(spec.admin_secret, "0123456789abcdef");
    assert_int_equal(starts(g), 0);
    /* once more by the job that was killed; and by another instance */
    ok(keeper_add(g->k, &g->spec, HOLDER));
    spec.uuid = "0a1c";
    assert_int_equal(keeper_add(g->k, &spec, HOLDER), ERR_EXISTS);
}

static void
what_is_killed_is_started_again(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_not_equal(until_runs(g, pid), pid);
    assert_int_equal(shown(g).restarts, 1);
    assert_int_equal(starts(g), 2);
}

static void
what_was_stopped_stays_so_until_it_is_started(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    ok(keeper_tell(g->k, port_of(g), ORDER_STOP, 0));
    ok(keeper_await(g->k, port_of(g), KEPT_STOPPED, LONG_MS, NULL));
    assert_int_equal(shown(g).state, KEPT_STOPPED);
    /* through an end of pauses, and a restart of the daemon */
    pause_all(g, PAUSE_NONE);
    close_keeper(g, false);
    g->k = open_keeper(g);
    assert_int_equal(until_state(g, KEPT_STOPPED).pid, 0);
    assert_int_equal(starts(g), 1);
    ok(keeper_tell(g->k, port_of(g), ORDER_START, 0));
    assert_int_not_equal(until_runs(g, pid), pid);
    pid = shown(g).pid;
    ok(keeper_tell(g->k, port_of(g), ORDER_RESTART, 0));
    ok(keeper_await(g->k, port_of(g), KEPT_RUNNING, LONG_MS, NULL));
    assert_int_not_equal(shown(g).pid, pid);
    assert_int_equal(shown(g).restarts, 0);
}

static void
what_only_ends_comes_back_unless_it_is_paused(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    ok(keeper_tell(g->k, port_of(g), ORDER_END, 0));
    pid = until_runs(g, pid);
    pause_all(g, PAUSE_FOREVER);
    ok(keeper_tell(g->k, port_of(g), ORDER_END, 0));
    (void)until_state(g, KEPT_PAUSED);
    assert_int_equal(starts(g), 2);
    /* an order counts while it is paused */
    ok(keeper_tell(g->k, port_of(g), ORDER_START, 0));
    pid = until_runs(g, pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)until_state(g, KEPT_PAUSED);
    assert_int_equal(
        keeper_await(g->k, port_of(g), KEPT_RUNNING, LONG_MS, NULL), ERR_STATE);
    pause_all(g, PAUSE_NONE);
    (void)until_runs(g, pid);
}

static void
a_pause_ends_by_itself(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);
    int64_t until_ms = clock_unix_ms() + 300;

    pause_all(g, until_ms);
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)until_runs(g, pid);
    assert_true(clock_unix_ms() >= until_ms);
}

static void
who_holds_it_alone_starts_and_ends_it(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    ok(keeper_hold(g->k, port_of(g), HOLDER));
    ok(keeper_hold(g->k, port_of(g), HOLDER));
    assert_int_equal(keeper_hold(g->k, port_of(g), HOLDER + 1), ERR_BUSY);
    assert_int_equal(keeper_tell(g->k, port_of(g), ORDER_END, 0), ERR_BUSY);
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)until_state(g, KEPT_HELD);
    /* a keeper that comes after a kill leaves it too */
    close_keeper(g, false);
    g->k = open_keeper(g);
    assert_int_equal(until_state(g, KEPT_HELD).held_by, HOLDER);
    assert_int_equal(starts(g), 1);
    ok(keeper_tell(g->k, port_of(g), ORDER_BEGIN, HOLDER));
    (void)until_state(g, KEPT_RUNNING);
    ok(keeper_tell(g->k, port_of(g), ORDER_END, HOLDER));
    ok(keeper_await(g->k, port_of(g), KEPT_STOPPED, LONG_MS, NULL));
    assert_int_equal(shown(g).state, KEPT_HELD);
    /* it was to run before, and is so when it is given back */
    ok(keeper_release(g->k, port_of(g), HOLDER));
    (void)until_state(g, KEPT_RUNNING);
}

static void
what_was_stopped_is_so_again_when_it_is_given_back(void **state)
{
    struct ground *g = *state;

    add(g);
    ok(keeper_tell(g->k, port_of(g), ORDER_BEGIN, HOLDER));
    ok(keeper_await(g->k, port_of(g), KEPT_RUNNING, LONG_MS, NULL));
    ok(keeper_release(g->k, port_of(g), HOLDER));
    (void)until_state(g, KEPT_STOPPED);
    assert_int_equal(keeper_tell(g->k, port_of(g), ORDER_BEGIN, 0), ERR_STATE);
}

static void
a_crash_loop_has_failed_and_is_tried_rarely(void **state)
{
    struct ground *g = *state;
    char why[WHY_BYTES];
    size_t n;

    add(g);
    ok(keeper_release(g->k, port_of(g), HOLDER));
    note(g->data, "crash", "");
    ok(keeper_tell(g->k, port_of(g), ORDER_START, 0));
    assert_int_equal(keeper_await(g->k, port_of(g), KEPT_RUNNING, LONG_MS, why),
                     ERR_STATE);
    assert_string_equal(why, "failed: it ended with status 3");
    n = starts(g);
    assert_true(n >= 5);
    unnote(g->data, "crash");
    (void)until_state(g, KEPT_RUNNING);
}

static void
a_start_that_was_ordered_fails_with_the_crash_loop(void **state)
{
    struct ground *g = *state;

    add(g);
    note(g->data, "crash", "");
    ok(keeper_tell(g->k, port_of(g), ORDER_BEGIN, HOLDER));
    assert_int_equal(
        keeper_await(g->k, port_of(g), KEPT_RUNNING, LONG_MS, NULL), ERR_STATE);
    assert_int_equal(shown(g).state, KEPT_HELD);
    assert_int_equal(starts(g), 1);
}

static void
a_taken_port_is_waited_for(void **state)
{
    struct ground *g = *state;
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)g->spec.port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct kept x;

    (void)inet_pton(AF_INET, ADDRESS, &at.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    add(g);
    ok(keeper_release(g->k, port_of(g), HOLDER));
    ok(keeper_tell(g->k, port_of(g), ORDER_START, 0));
    assert_int_equal(keeper_await(g->k, port_of(g), KEPT_RUNNING, 1000, NULL),
                     ERR_TIMEOUT);
    x = until_state(g, KEPT_WAITING);
    if (strstr(x.why, "is taken by") == NULL)
        fail_msg("%s", x.why);
    assert_int_equal(starts(g), 0);
    (void)close(fd);
    (void)until_state(g, KEPT_RUNNING);
    assert_int_equal(shown(g).restarts, 0);
}

/* PostgreSQL's sessions outlive a postmaster that was killed, and leave its
 * process group. */
static void
no_server_is_started_beside_what_is_left_of_the_last(void **state)
{
    struct ground *g = *state;
    pid_t pid;

    note(g->data, "backend", "");
    pid = begin(g);
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (strstr(until_state(g, KEPT_WAITING).why, "waits for") == NULL)
        ;
    assert_int_equal(starts(g), 1);
    unnote(g->data, "backend");
    (void)until_runs(g, pid);
}

static void
one_that_does_not_answer_is_started_again(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    note(g->data, "mute", "");
    (void)until_runs(g, pid);
    assert_int_equal(shown(g).restarts, 1);
}

/* ---- keepers that come and go ---- */

/* A keeper in a process of its own, once its instance runs; killed by the
 * caller. */
static pid_t
keeper_in_a_process(struct ground *g)
{
    int fd[2];
    char byte;
    pid_t pid;

    close_keeper(g, false);
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    if (pid == 0) {
        g->k = open_keeper(g);
        (void)until_state(g, KEPT_RUNNING);
        (void)!write(fd[1], "x", 1);
        for (;;)
            (void)pause();
    }
    assert_true(pid > 0);
    (void)close(fd[1]);
    assert_int_equal(read(fd[0], &byte, 1), 1);
    (void)close(fd[0]);
    return pid;
}

static void
kill_keeper(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
instances_outlive_their_keeper_and_are_adopted(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g), keeper;

    /* adopted by that keeper, started anew by it, adopted by the next one */
    keeper = keeper_in_a_process(g);
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (starts(g) < 2)
        (void)poll(NULL, 0, 2);
    kill_keeper(keeper);
    g->k = open_keeper(g);
    (void)until_runs(g, pid);
    assert_int_equal(starts(g), 2);
    pid = shown(g).pid;
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)until_runs(g, pid);
}

static void
what_dies_without_a_keeper_is_started_by_the_next(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g), keeper = keeper_in_a_process(g);

    kill_keeper(keeper);
    assert_int_equal(kill(pid, SIGKILL), 0);
    g->k = open_keeper(g);
    (void)until_runs(g, pid);
}

static void
a_pause_outlives_the_keeper(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    pause_all(g, PAUSE_FOREVER);
    close_keeper(g, false);
    assert_int_equal(kill(pid, SIGKILL), 0);
    g->k = open_keeper(g);
    (void)until_state(g, KEPT_PAUSED);
    assert_int_equal(starts(g), 1);
}

static void
two_keepers_never_make_two_servers(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g), keeper = keeper_in_a_process(g);

    g->k = open_keeper(g); /* the same list: what supervise's lock forbids */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kill(pid, SIGKILL), 0);
        pid = until_runs(g, pid);
    }
    kill_keeper(keeper);
    (void)until_state(g, KEPT_RUNNING);
    assert_false(told(g->data, "second"));
}

static void
a_stop_of_everything_leaves_what_is_to_run(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    close_keeper(g, true);
    assert_int_not_equal(kill(pid, 0), 0);
    g->k = open_keeper(g);
    (void)until_runs(g, pid);
    assert_int_equal(shown(g).restarts, 0);
}

/* ---- what is done before an end ---- */

static _Atomic int heard, served;
static _Atomic bool wait_for_it;

static void
hear(struct arena *a, const struct instance_spec *s, int timeout_ms)
{
    int fd = dial((unsigned)s->port);
    char *room = arena_alloc(a, 16);

    assert_true(timeout_ms > 0);
    assert_non_null(room);
    if (fd >= 0)
        (void)close(fd);
    heard++;
    served += fd >= 0;
    while (wait_for_it)
        (void)poll(NULL, 0, 5);
}

static void
until_heard(int n)
{
    int64_t until_ms = clock_mono_ms() + LONG_MS;

    while (heard < n && clock_mono_ms() < until_ms)
        (void)poll(NULL, 0, 5);
    assert_int_equal(heard, n);
}

static struct ground *
begin_heard(void **state, pid_t *pid)
{
    struct ground *g = *state;

    heard = served = 0;
    wait_for_it = false;
    close_keeper(g, false);
    g->before_end = hear;
    g->k = open_keeper(g);
    *pid = begin(g);
    return g;
}

static void
before_it_is_ended_in_order_something_is_done(void **state)
{
    pid_t pid;
    struct ground *g = begin_heard(state, &pid);

    assert_int_equal(kill(pid, SIGKILL), 0);
    pid = until_runs(g, pid);
    assert_int_equal(heard, 0);
    ok(keeper_tell(g->k, port_of(g), ORDER_RESTART, 0));
    pid = until_runs(g, pid);
    assert_int_equal(heard, 1);
    ok(keeper_tell(g->k, port_of(g), ORDER_END, 0));
    pid = until_runs(g, pid);
    assert_int_equal(heard, 2);
    ok(keeper_tell(g->k, port_of(g), ORDER_STOP, 0));
    ok(keeper_await(g->k, port_of(g), KEPT_STOPPED, LONG_MS, NULL));
    assert_int_equal(heard, 3);
    ok(keeper_tell(g->k, port_of(g), ORDER_START, 0));
    (void)until_runs(g, pid);
    close_keeper(g, true);
    assert_int_equal(heard, 4);
    assert_int_equal(served, 4);
    assert_int_equal(starts(g), 5);
}

static void
orders_while_that_goes_on_are_carried_out(void **state)
{
    pid_t pid;
    struct ground *g = begin_heard(state, &pid);

    wait_for_it = true;
    ok(keeper_tell(g->k, port_of(g), ORDER_STOP, 0));
    until_heard(1);
    assert_int_equal(shown(g).state, KEPT_ENDING);
    assert_int_equal(shown(g).pid, pid);
    ok(keeper_tell(g->k, port_of(g), ORDER_STOP, 0));
    ok(keeper_tell(g->k, port_of(g), ORDER_START, 0));
    assert_int_equal(shown(g).state, KEPT_ENDING);
    wait_for_it = false;
    pid = until_runs(g, pid);
    assert_int_equal(heard, 1);
    /* it ends by itself meanwhile */
    wait_for_it = true;
    ok(keeper_tell(g->k, port_of(g), ORDER_RESTART, 0));
    until_heard(2);
    assert_int_equal(kill(pid, SIGKILL), 0);
    pid = until_runs(g, pid);
    wait_for_it = false;
    close_keeper(g, false);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(starts(g), 3);
}

/* ---- files ---- */

static void
a_home_that_is_not_there_is_lost_until_it_comes_back(void **state)
{
    struct ground *g = *state;
    char away[128];
    pid_t pid = begin(g);

    close_keeper(g, true);
    (void)snprintf(away, sizeof(away), "%s/away", g->dir);
    assert_int_equal(rename(g->root, away), 0);
    g->k = open_keeper(g);
    assert_int_equal(until_state(g, KEPT_LOST).port, g->spec.port);
    assert_int_equal(keeper_tell(g->k, port_of(g), ORDER_START, 0), ERR_STATE);
    assert_int_equal(rename(away, g->root), 0);
    (void)until_runs(g, pid);
}

static void
nothing_is_forgotten_that_runs(void **state)
{
    struct ground *g = *state;
    struct list_of_kept all;

    (void)begin(g);
    assert_int_equal(keeper_drop(g->k, port_of(g), 0), ERR_STATE);
    ok(keeper_tell(g->k, port_of(g), ORDER_STOP, 0));
    ok(keeper_await(g->k, port_of(g), KEPT_STOPPED, LONG_MS, NULL));
    ok(keeper_drop(g->k, port_of(g), 0));
    ok(keeper_drop(g->k, port_of(g), 0));
    ok(keeper_list(g->k, g->a, &all));
    assert_int_equal(all.n, 0);
    assert_int_equal(keeper_tell(g->k, port_of(g), ORDER_START, 0),
                     ERR_NOT_FOUND);
    assert_true(told(g->data, "starts")); /* its home is the caller's */
}

static void
secrets_lie_in_its_home_for_its_owner_only(void **state)
{
    struct ground *g = *state;
    char path[PATH_MAX], *text;
    struct stat st;
    size_t n;

    (void)begin(g);
    (void)snprintf(path, sizeof(path), "%s/../.metagate-state", g->data);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof(path), "%s/instances/" ADDRESS ".json", g->run);
    ok(file_read(g->a, path, 65536, &text, &n));
    assert_non_null(strstr(text, "\"0a1b\""));
    assert_null(strstr(text, g->spec.admin_secret));
}

static void
a_log_that_is_too_large_begins_anew(void **state)
{
    struct ground *g = *state;
    char log[512], old[600], line[1024];
    struct stat st;
    int fd;

    (void)begin(g);
    (void)snprintf(log, sizeof(log), "%s/instance_data/log_dir_path/%d/%s",
                   g->root, g->spec.port, LOG_FILE);
    (void)snprintf(old, sizeof(old), "%s.1", log);
    fd = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    (void)memset(line, 'x', sizeof(line));
    for (int i = 0; i < 1024; i++)
        assert_int_equal(write(fd, line, sizeof(line)), sizeof(line));
    while (stat(log, &st) != 0 || st.st_size != 0)
        (void)poll(NULL, 0, 5);
    assert_int_equal(stat(old, &st), 0);
    assert_true(st.st_size >= 1 << 20);
    assert_int_equal(write(fd, line, 7), 7); /* the server writes on */
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(st.st_size, 7);
    (void)close(fd);
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, ground_setup, ground_teardown)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_is_held_and_down),
        TEST(what_is_killed_is_started_again),
        TEST(what_was_stopped_stays_so_until_it_is_started),
        TEST(what_only_ends_comes_back_unless_it_is_paused),
        TEST(a_pause_ends_by_itself),
        TEST(who_holds_it_alone_starts_and_ends_it),
        TEST(what_was_stopped_is_so_again_when_it_is_given_back),
        TEST(a_crash_loop_has_failed_and_is_tried_rarely),
        TEST(a_start_that_was_ordered_fails_with_the_crash_loop),
        TEST(a_taken_port_is_waited_for),
        TEST(no_server_is_started_beside_what_is_left_of_the_last),
        TEST(one_that_does_not_answer_is_started_again),
        TEST(instances_outlive_their_keeper_and_are_adopted),
        TEST(what_dies_without_a_keeper_is_started_by_the_next),
        TEST(a_pause_outlives_the_keeper),
        TEST(two_keepers_never_make_two_servers),
        TEST(a_stop_of_everything_leaves_what_is_to_run),
        TEST(before_it_is_ended_in_order_something_is_done),
        TEST(orders_while_that_goes_on_are_carried_out),
        TEST(a_home_that_is_not_there_is_lost_until_it_comes_back),
        TEST(nothing_is_forgotten_that_runs),
        TEST(secrets_lie_in_its_home_for_its_owner_only),
        TEST(a_log_that_is_too_large_begins_anew),
    };

    serve_if_told(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
