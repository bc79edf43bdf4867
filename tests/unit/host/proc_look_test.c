/* What /proc tells of processes: of this one, and of children. */
#include "host/proc_look.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "host/proc.h"
#include "process.h"

/* The child waits for its input to end: *hold is closed for that. It has run
 * exec when proc_spawn comes back. */
static pid_t
start(const char *const *argv, int *hold)
{
    struct proc_spec spec = PROC_SPEC(argv);
    int fd[2];
    pid_t pid;

    assert_int_equal(pipe(fd), 0);
    spec.in = fd[0];
    assert_int_equal(proc_spawn(&spec, &pid), ERR_OK);
    (void)close(fd[0]);
    *hold = fd[1];
    return pid;
}

static void
end(pid_t pid, int hold)
{
    (void)close(hold);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
a_process_has_a_parent_and_a_start(void **state)
{
    struct proc_stat ours, child;
    int hold;
    pid_t pid = start((const char *const[]){ "cat", NULL }, &hold);

    (void)state;
    assert_true(proc_look_stat(getpid(), &ours));
    assert_int_equal(ours.parent, getppid());
    assert_true(ours.ticks > 0);
    assert_true(proc_look_stat(pid, &child));
    assert_int_equal(child.parent, getpid());
    assert_true(child.ticks >= ours.ticks);
    end(pid, hold);
}

static void
a_name_does_not_lead_it_astray(void **state)
{
    struct proc_stat before, after;

    (void)state;
    assert_true(proc_look_stat(getpid(), &before));
    assert_int_equal(prctl(PR_SET_NAME, "a) Z 1 (b"), 0);
    assert_true(proc_look_stat(getpid(), &after));
    assert_int_equal(after.state, 'R');
    assert_int_equal(after.parent, before.parent);
    assert_int_equal(after.ticks, before.ticks);
}

static void
one_that_has_ended_is_a_zombie_and_then_gone(void **state)
{
    struct proc_stat s;
    char text[64];
    int hold;
    pid_t pid = start((const char *const[]){ "cat", NULL }, &hold);
    siginfo_t info;

    (void)state;
    (void)close(hold);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(proc_look_stat(pid, &s));
    assert_int_equal(s.state, 'Z');
    assert_int_equal(proc_look_arguments(pid, text, sizeof(text)), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(proc_look_stat(pid, &s));
    text[0] = '#';
    assert_int_equal(proc_look_title(pid, text, sizeof(text)), 0);
    assert_string_equal(text, "");
}

static void
arguments_come_with_their_ends_a_title_with_blanks(void **state)
{
    static const char all[] = "cat\0-u\0--\0-";
    char text[64];
    int hold;
    pid_t pid =
        start((const char *const[]){ "cat", "-u", "--", "-", NULL }, &hold);

    (void)state;
    assert_int_equal(proc_look_arguments(pid, text, sizeof(text)), sizeof(all));
    assert_memory_equal(text, all, sizeof(all));
    assert_int_equal(proc_look_title(pid, text, sizeof(text)), sizeof(all));
    assert_string_equal(text, "cat -u -- - ");
    end(pid, hold);
}

static void
what_is_too_long_is_cut(void **state)
{
    char text[8] = "#######";
    int hold;
    pid_t pid =
        start((const char *const[]){ "cat", "-u", "--", "-", NULL }, &hold);

    (void)state;
    assert_int_equal(proc_look_title(pid, text, 6), 5);
    assert_string_equal(text, "cat -");
    assert_int_equal(text[6], '#');
    assert_int_equal(proc_look_title(pid, text, 1), 0);
    assert_string_equal(text, "");
    end(pid, hold);
}

static void
of_ourselves_start_and_memory_are_told(void **state)
{
    int64_t here = clock_unix_s(), start, all, resident, more;
    size_t n = 32 << 20;
    char *p = malloc(n);

    (void)state;
    while (clock_unix_s() < here + 2)
        (void)usleep(20000);
    start = process_start_s();
    assert_true(start <= here + 1 && start > here - 3600);
    assert_int_equal(process_start_s(), start);
    assert_non_null(p);
    process_memory(&all, &resident);
    assert_true(all > (int64_t)n && resident > 0 && resident < all);
    memset(p, 1, n);
    process_memory(&all, &more);
    assert_true(more >= resident + (int64_t)n / 2 && more < all);
    free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_has_a_parent_and_a_start),
        cmocka_unit_test(a_name_does_not_lead_it_astray),
        cmocka_unit_test(one_that_has_ended_is_a_zombie_and_then_gone),
        cmocka_unit_test(arguments_come_with_their_ends_a_title_with_blanks),
        cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(of_ourselves_start_and_memory_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
