/* Programs that are started: what they have of us, and what is said of how
 * they ended. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/proc.h"

#define LONG_MS 120000 /* on a very busy machine */

static struct proc_result result;

#define RUN(...) \
    proc_run((const char *const[]){ __VA_ARGS__, NULL }, LONG_MS, &result)

static void
its_end_is_one_number(void **state)
{
    (void)state;
    assert_int_equal(RUN("true"), ERR_OK);
    assert_int_equal(result.status, 0);
    assert_string_equal(result.output, "");
    assert_int_equal(RUN("sh", "-c", "echo out; echo err >&2; exit 3"),
                     ERR_STATE);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.output, "out\nerr\n");
    assert_int_equal(RUN("sh", "-c", "kill -9 $$"), ERR_STATE);
    assert_int_equal(result.status, 128 + SIGKILL);
    assert_int_equal(RUN("no-such-program"), ERR_NOT_FOUND);
    assert_int_equal(result.status, 127);
    assert_string_equal(result.output,
                        "no-such-program: No such file or directory");
}

static void
the_end_of_what_it_says_is_kept(void **state)
{
    (void)state;
    assert_int_equal(RUN("seq", "1", "9999"), ERR_OK);
    assert_int_equal(strlen(result.output), sizeof(result.output) - 1);
    assert_string_equal(result.output + strlen(result.output) - 10,
                        "9998\n9999\n");
    assert_int_equal(RUN("seq", "1", "3"), ERR_OK);
    assert_string_equal(result.output, "1\n2\n3\n");
}

static void
one_that_does_not_end_is_killed_with_its_group(void **state)
{
    static const char *const argv[] = { "sh", "-c",
                                        "sleep 1000 & sleep 1000; true", NULL };

    (void)state;
    assert_int_equal(proc_run(argv, 100, &result), ERR_TIMEOUT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
}

static void
it_has_a_group_or_a_session_of_its_own(void **state)
{
    static const char *const argv[] = { "sleep", "1000", NULL };
    struct proc_spec spec = PROC_SPEC(argv);
    pid_t pid;

    (void)state;
    for (int i = 0; i < 4; i++) {
        spec.own_group = (i & 1) != 0;
        spec.own_session = (i & 2) != 0;
        assert_int_equal(proc_spawn(&spec, &pid), ERR_OK);
        assert_int_equal(getpgid(pid), i != 0 ? pid : getpgrp());
        assert_int_equal(getsid(pid), spec.own_session ? pid : getsid(0));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
}

static enum err
run_with(struct proc_spec spec)
{
    return proc_run_spec(&spec, LONG_MS, &result);
}

static void
it_has_the_directory_and_the_environment_that_are_said(void **state)
{
    static const char *const pwd[] = { "pwd", NULL };
    static const char *const env[] = { "env", NULL };
    static const char *const more[] = { "PROC_ONE=1", "PROC_TWO=two words",
                                        NULL };
    struct proc_spec spec = PROC_SPEC(pwd);

    (void)state;
    spec.dir = "/usr";
    assert_int_equal(run_with(spec), ERR_OK);
    assert_string_equal(result.output, "/usr\n");
    spec.dir = "/none";
    assert_int_equal(run_with(spec), ERR_NOT_FOUND);
    assert_int_equal(clearenv(), 0);
    assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
    assert_int_equal(setenv("PROC_ONE", "ours", 1), 0);
    assert_int_equal(setenv("PROC_ON", "stays", 1), 0);
    spec = (struct proc_spec)PROC_SPEC(env);
    assert_int_equal(run_with(spec), ERR_OK);
    assert_non_null(strstr(result.output, "PROC_ONE=ours\n"));
    spec.env = more;
    assert_int_equal(run_with(spec), ERR_OK);
    assert_non_null(strstr(result.output, "PROC_ONE=1\n"));
    assert_non_null(strstr(result.output, "PROC_TWO=two words\n"));
    assert_non_null(strstr(result.output, "PROC_ON=stays\n"));
    assert_null(strstr(result.output, "ours"));
}

static void
it_has_no_descriptor_but_what_is_given(void **state)
{
    static const char *const ls[] = { "ls", "/proc/self/fd", NULL };
    static const char *const cat[] = { "cat", NULL };
    struct proc_spec spec = PROC_SPEC(ls);
    int fd[2], kept;

    (void)state;
    assert_int_equal(pipe(fd),
                     0); /* stays open across exec, were it not shut */
    kept = fcntl(fd[0], F_DUPFD_CLOEXEC, 40);
    assert_int_equal(kept, 40);
    assert_int_equal(run_with(spec), ERR_OK);
    assert_string_equal(result.output, "0\n1\n2\n3\n"); /* 3: of ls itself */
    spec.keep_fd = kept;
    assert_int_equal(run_with(spec), ERR_OK);
    assert_string_equal(result.output, "0\n1\n2\n3\n40\n");
    spec = (struct proc_spec)PROC_SPEC(cat);
    assert_int_equal(run_with(spec), ERR_OK); /* of nothing */
    assert_string_equal(result.output, "");
    assert_int_equal(write(fd[1], "given", 5), 5);
    (void)close(fd[1]);
    spec.in = fd[0];
    assert_int_equal(run_with(spec), ERR_OK);
    assert_string_equal(result.output, "given");
    (void)close(fd[0]);
    (void)close(kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_end_is_one_number),
        cmocka_unit_test(the_end_of_what_it_says_is_kept),
        cmocka_unit_test(one_that_does_not_end_is_killed_with_its_group),
        cmocka_unit_test(it_has_a_group_or_a_session_of_its_own),
        cmocka_unit_test(
            it_has_the_directory_and_the_environment_that_are_said),
        cmocka_unit_test(it_has_no_descriptor_but_what_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
