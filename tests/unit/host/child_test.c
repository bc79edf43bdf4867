/* The life of a child: real processes, and a clock of the test's own. */
#include "host/child.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "argv.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", (script), NULL })

static const struct child_rules rules = {
    .backoff_ms = { 0, 100, 200 },
    .quick_ms = 5000,
    .stop_signal = SIGTERM,
    .stop_ms = 10000,
};

static struct child c;
static int64_t now; /* the owner's clock */

static int
setup(void **state)
{
    (void)state;
    now = 1000;
    child_init(&c, "test", &rules);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    if (c.group > 1)
        (void)kill(-c.group, SIGKILL);
    if (c.id.pid > 1 && !c.adopted)
        (void)waitpid(c.id.pid, NULL, 0);
    child_close(&c);
    return 0;
}

static void
start(const char *script)
{
    struct proc_spec spec = PROC_SPEC(SHELL(script));

    assert_int_equal(child_step(&c, now), CHILD_DUE);
    assert_int_equal(child_start(&c, &spec, now), ERR_OK);
    assert_int_equal(c.state, CHILD_STARTING);
}

/* The same once it has said that it is there. */
static void
start_and_hear(const char *script)
{
    struct proc_spec spec = PROC_SPEC(SHELL(script));
    int fd[2];
    char byte;

    assert_int_equal(pipe(fd), 0);
    spec.out = fd[1];
    assert_int_equal(child_step(&c, now), CHILD_DUE);
    assert_int_equal(child_start(&c, &spec, now), ERR_OK);
    (void)close(fd[1]);
    assert_int_equal(read(fd[0], &byte, 1), 1);
    (void)close(fd[0]);
}

/* Until its process and all that it left have ended; the clock stands. */
static void
await_end(void)
{
    struct pollfd p = { .fd = c.pidfd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, 60000), 1);
    while (child_step(&c, now) != CHILD_ENDED) {
        if (c.id.pid == 0) /* orphans are ours to reap */
            (void)waitpid(-1, NULL, WNOHANG);
        (void)poll(NULL, 0, 1);
    }
}

static void
it_is_started_only_when_it_is_wanted(void **state)
{
    (void)state;
    assert_int_equal(c.state, CHILD_DOWN);
    assert_int_equal(child_step(&c, now), CHILD_QUIET);
    child_want(&c, now);
    assert_int_equal(child_step(&c, now), CHILD_DUE);
    child_unwant(&c, now);
    assert_int_equal(c.state, CHILD_DOWN);
    assert_int_equal(child_step(&c, now), CHILD_QUIET);
}

static void
early_ends_make_the_pause_longer_and_a_long_run_shorter(void **state)
{
    static const int pauses[] = { 0, 100, 200, 200 };
    char how[64];

    (void)state;
    child_want(&c, now);
    for (size_t i = 0; i < COUNT(pauses); i++) {
        start("exit 3");
        await_end();
        child_describe_end(&c, how, sizeof(how));
        assert_string_equal(how, "ended with status 3");
        assert_int_equal(c.state, CHILD_WAITING);
        assert_int_equal(child_next(&c, now), now + pauses[i]);
        now += pauses[i];
    }
    start("exec sleep 600");
    now += rules.quick_ms; /* by then it has lasted */
    assert_int_equal(kill(c.id.pid, SIGKILL), 0);
    await_end();
    child_describe_end(&c, how, sizeof(how));
    assert_string_equal(how, "ended by signal 9");
    assert_int_equal(child_next(&c, now), now);
    assert_int_equal(c.restarts, 5);
}

static void
a_crash_loop_is_failed_until_a_run_lasts(void **state)
{
    static const struct child_rules loop = {
        .quick_ms = 5000,
        .loop_deaths = 3,
        .loop_ms = 60000,
        .failed_ms = 300000,
        .stop_signal = SIGTERM,
        .stop_ms = 10000,
    };

    (void)state;
    child_init(&c, "test", &loop);
    child_want(&c, now);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(c.state, CHILD_WAITING);
        start("exit 1");
        now += 1000;
        await_end();
    }
    assert_int_equal(c.state, CHILD_FAILED);
    assert_int_equal(child_step(&c, now), CHILD_QUIET);
    assert_int_equal(child_next(&c, now), now + 300000);
    now += 300000;
    start("exit 1");
    await_end();
    assert_int_equal(c.state, CHILD_FAILED);
    now += 300000;
    start("exit 1");
    now += 5000;
    await_end();
    assert_int_equal(c.state, CHILD_WAITING);
}

static void
deaths_far_apart_are_no_crash_loop(void **state)
{
    static const struct child_rules loop = { .quick_ms = 5000,
                                             .loop_deaths = 2,
                                             .loop_ms = 60000 };

    (void)state;
    child_init(&c, "test", &loop);
    child_want(&c, now);
    for (int i = 0; i < 10; i++) {
        start("exit 1");
        await_end();
        assert_int_equal(c.state, CHILD_WAITING);
        now += 60001;
    }
}

static void
who_wants_a_failed_one_gets_it_tried_at_once(void **state)
{
    static const struct child_rules loop = {
        .quick_ms = 5000, .loop_deaths = 1, .loop_ms = 60000, .failed_ms = 9000
    };

    (void)state;
    child_init(&c, "test", &loop);
    child_want(&c, now);
    child_put_off(&c, now);
    assert_int_equal(c.state, CHILD_FAILED);
    child_want(&c, now);
    assert_int_equal(child_step(&c, now), CHILD_DUE);
}

static void
a_program_that_is_missing_is_tried_again_later(void **state)
{
    struct proc_spec spec =
        PROC_SPEC(((const char *const[]){ "/no/such/program", NULL }));

    (void)state;
    child_want(&c, now);
    assert_int_equal(child_start(&c, &spec, now), ERR_NOT_FOUND);
    assert_int_equal(c.state, CHILD_WAITING);
    assert_int_equal(child_start(&c, &spec, now), ERR_NOT_FOUND);
    assert_int_equal(child_next(&c, now), now + 100);
    assert_int_equal(c.restarts, 0);
}

static void
a_stopped_child_is_down_and_is_no_death(void **state)
{
    (void)state;
    child_want(&c, now);
    start("kill -STOP $$; exit 1"); /* a stopped process ends too */
    child_ready(&c, now);
    assert_int_equal(c.state, CHILD_READY);
    child_unwant(&c, now);
    assert_int_equal(c.state, CHILD_ENDING);
    assert_int_equal(child_next(&c, now), now + rules.stop_ms);
    await_end();
    assert_int_equal(c.state, CHILD_DOWN);
    assert_int_equal(c.group, 0);
    assert_int_equal(c.restarts, 0);
}

static void
a_child_that_is_told_to_end_comes_back_when_it_is_wanted(void **state)
{
    (void)state;
    child_want(&c, now);
    start("exec sleep 600");
    child_tell(&c, now);
    await_end();
    assert_int_equal(c.restarts, 0);
    assert_int_equal(child_step(&c, now), CHILD_DUE);
}

static void
who_does_not_end_in_its_time_is_killed(void **state)
{
    (void)state;
    child_want(&c, now);
    start_and_hear("trap '' TERM; echo; while :; do sleep 600; done");
    child_unwant(&c, now);
    now += rules.stop_ms - 1;
    assert_int_equal(child_step(&c, now), CHILD_QUIET);
    assert_int_equal(kill(c.id.pid, 0), 0);
    child_hurry(&c, now);
    assert_int_equal(child_step(&c, now), CHILD_QUIET);
    await_end();
    assert_int_equal(WTERMSIG(c.status), SIGKILL);
    assert_int_equal(c.state, CHILD_DOWN);
}

static void
what_a_dead_child_leaves_behind_is_killed(void **state)
{
    pid_t group;

    (void)state;
    child_want(&c, now);
    start("sleep 600 & exit 1");
    group = c.group;
    await_end();
    assert_int_equal(kill(-group, 0), -1);
}

static void
a_task_is_down_after_its_end(void **state)
{
    static const struct child_rules task = { .quick_ms = 5000, .once = true };

    (void)state;
    child_init(&c, "test", &task);
    child_want(&c, now);
    start("exit 0");
    await_end();
    assert_int_equal(c.state, CHILD_DOWN);
    assert_int_equal(c.status, 0);
    assert_false(c.told);
}

/* ---- adoption ---- */

/* exec closes the pipe by which proc_spawn waits for it a moment before the
 * process has its arguments. */
static bool
shows(pid_t pid, const char *argument)
{
    char path[64], text[256] = "";
    size_t n = 0;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    f = fopen(path, "re");
    if (f != NULL) {
        n = fread(text, 1, sizeof(text), f);
        (void)fclose(f);
    }
    return memmem(text, n, argument, strlen(argument) + 1) != NULL;
}

/* A process whose parent has ended. */
static struct child_id
orphan(const char *argument)
{
    struct child_id id;
    int fd[2];
    pid_t pid;

    assert_int_equal(pipe(fd), 0);
    pid = fork();
    if (pid == 0) {
        struct proc_spec spec = PROC_SPEC(((const char *const[]){
            "sh", "-c", "sleep 600; :", argument, NULL }));

        spec.own_group = true;
        if (proc_spawn(&spec, &pid) != ERR_OK)
            pid = 0;
        (void)!write(fd[1], &pid, sizeof(pid));
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(read(fd[0], &pid, sizeof(pid)), sizeof(pid));
    (void)close(fd[0]);
    (void)close(fd[1]);
    while (!shows(pid, argument))
        (void)poll(NULL, 0, 1);
    assert_int_equal(child_identify(pid, &id), ERR_OK);
    return id;
}

static void
the_very_process_is_adopted_and_its_end_is_seen(void **state)
{
    char how[64], word[64];
    struct child_id id, other;

    (void)state;
    /* of this test alone */
    (void)snprintf(word, sizeof(word), "--datadir=/%d", (int)getpid());
    id = orphan(word);
    other = id;
    other.ticks++;
    assert_int_equal(child_adopt(&c, &other, word, now), ERR_NOT_FOUND);
    other = id;
    other.boot[0] ^= 1;
    assert_int_equal(child_adopt(&c, &other, word, now), ERR_NOT_FOUND);
    assert_int_equal(child_adopt(&c, &id, "--datadir=/", now), ERR_NOT_FOUND);
    assert_int_equal(child_find("sh", "--datadir=/", &other), ERR_NOT_FOUND);
    assert_int_equal(child_find("zsh", word, &other), ERR_NOT_FOUND);
    assert_int_equal(child_find("/bin/sh", word, &other), ERR_OK);
    assert_int_equal(other.pid, id.pid);
    assert_int_equal(other.ticks, id.ticks);
    assert_int_equal(c.state, CHILD_DOWN);
    assert_int_equal(child_adopt(&c, &id, word, now), ERR_OK);
    assert_int_equal(c.state, CHILD_STARTING);
    child_ready(&c, now);
    assert_int_equal(child_step(&c, now), CHILD_QUIET);
    assert_int_equal(kill(id.pid, SIGKILL), 0);
    await_end();
    child_describe_end(&c, how, sizeof(how));
    assert_string_equal(how, "ended");
    assert_int_equal(c.state, CHILD_WAITING);
    assert_int_equal(child_adopt(&c, &id, word, now), ERR_NOT_FOUND);
}

static void
an_adopted_child_can_be_stopped(void **state)
{
    struct child_id id = orphan("--x");

    (void)state;
    assert_int_equal(child_adopt(&c, &id, "--x", now), ERR_OK);
    child_unwant(&c, now);
    await_end();
    assert_int_equal(c.state, CHILD_DOWN);
}

/* ---- argument vectors ---- */

static void
arguments_are_kept_in_order_and_ended(void **state)
{
    struct argv a = ARGV_INIT;

    (void)state;
    argv_add(&a, "x");
    argv_add(&a, "--port=%d", 7);
    argv_add(&a, "%s", "");
    assert_int_equal(argv_done(&a), ERR_OK);
    assert_string_equal(a.v[0], "x");
    assert_string_equal(a.v[1], "--port=7");
    assert_string_equal(a.v[2], "");
    assert_null(a.v[3]);
    argv_free(&a);
}

static void
an_argument_that_does_not_fit_is_told(void **state)
{
    struct argv many = ARGV_INIT, large = ARGV_INIT;

    (void)state;
    for (int i = 0; i <= ARGV_MAX; i++)
        argv_add(&many, "x");
    assert_int_equal(argv_done(&many), ERR_LIMIT);
    argv_free(&many);
    argv_add(&large, "%9000s", "x");
    assert_int_equal(argv_done(&large), ERR_LIMIT);
    argv_free(&large);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_started_only_when_it_is_wanted),
        CASE(early_ends_make_the_pause_longer_and_a_long_run_shorter),
        CASE(a_crash_loop_is_failed_until_a_run_lasts),
        CASE(deaths_far_apart_are_no_crash_loop),
        CASE(who_wants_a_failed_one_gets_it_tried_at_once),
        CASE(a_program_that_is_missing_is_tried_again_later),
        CASE(a_stopped_child_is_down_and_is_no_death),
        CASE(a_child_that_is_told_to_end_comes_back_when_it_is_wanted),
        CASE(who_does_not_end_in_its_time_is_killed),
        CASE(what_a_dead_child_leaves_behind_is_killed),
        CASE(a_task_is_down_after_its_end),
        CASE(the_very_process_is_adopted_and_its_end_is_seen),
        CASE(an_adopted_child_can_be_stopped),
        cmocka_unit_test(arguments_are_kept_in_order_and_ended),
        cmocka_unit_test(an_argument_that_does_not_fit_is_told),
    };

    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
