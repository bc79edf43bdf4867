/* What is given up stays so; what is needed is left. Each in a child. */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char ours[] = "/var/tmp/mgconfine.XXXXXX";
static char others[] = "/var/tmp/mgconfine.XXXXXX";
static struct confine_kernel kernel;

static const char *
in(const char *folder, const char *name)
{
    static char path[2][96];
    static int turn;

    turn = !turn;
    (void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
    return path[turn];
}

/* 0, or errno of an open that writes. */
static int
writes(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);

    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

/* ---- in the child: the number of what went wrong, or 0 ---- */

#define OR_ELSE(condition)   \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

static int
files(void)
{
    struct stat st;

    OR_ELSE(writes(in(ours, "new"), O_CREAT | O_TRUNC) == 0);
    OR_ELSE(writes(in(ours, "new"), 0) == 0);
    OR_ELSE(writes("/dev/null", 0) == 0);
    if (kernel.landlock == 0)
        return 0;
    OR_ELSE(mkdir(in(ours, "folder"), 0700) != 0 && errno == EACCES);
    OR_ELSE(rename(in(ours, "new"), in(ours, "newer")) != 0);
    OR_ELSE(unlink(in(ours, "new")) != 0 && errno == EACCES);
    OR_ELSE(symlink(in(others, "old"), in(ours, "link")) != 0);
    OR_ELSE(link(in(others, "old"), in(ours, "link")) != 0);
    OR_ELSE(writes(in(others, "new"), O_CREAT) == EACCES);
    OR_ELSE(writes(in(others, "old"), 0) == EACCES);
    OR_ELSE(mkdir(in(others, "folder"), 0700) != 0 && errno == EACCES);
    OR_ELSE(unlink(in(others, "old")) != 0 && errno == EACCES);
    OR_ELSE(rename(in(others, "old"), in(others, "x")) != 0);
    OR_ELSE(symlink("x", in(others, "link")) != 0 && errno == EACCES);
    if (kernel.landlock >= 3)
        OR_ELSE(truncate(in(others, "old"), 0) != 0 && errno == EACCES);
    OR_ELSE(stat(in(others, "old"), &st) == 0 && st.st_size == 3);
    OR_ELSE(open(in(others, "old"), O_RDONLY | O_CLOEXEC) >= 0);
    return 0;
}

/* The gperftools' way to a profile in memory. */
static int
memory_files(void)
{
    int fd = memfd_create("x", MFD_CLOEXEC);
    char path[32];

    OR_ELSE(fd >= 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    OR_ELSE(writes(path, O_CREAT | O_TRUNC) == 0);
    return 0;
}

static int
programs(void)
{
    char *args[] = { (char[]){ "true" }, NULL };
    int fd;

    OR_ELSE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    if (kernel.landlock == 0 && !kernel.seccomp)
        return 0;
    (void)execv("/bin/true", args);
    OR_ELSE(errno == (kernel.seccomp ? EPERM : EACCES));
    if (!kernel.seccomp)
        return 0;
    fd = memfd_create("x", 0);
    OR_ELSE(fd >= 0);
    (void)fexecve(fd, args, environ);
    OR_ELSE(errno == EPERM);
    return 0;
}

static void *
in_thread(void *arg)
{
    int (*const *what)(void) = arg;

    return (void *)(intptr_t)(*what)();
}

static int
in_a_later_thread(int (*what)(void))
{
    pthread_t t;
    void *line;

    OR_ELSE(pthread_create(&t, NULL, in_thread, &what) == 0);
    OR_ELSE(pthread_join(t, &line) == 0);
    return (int)(intptr_t)line;
}

/* ---- the tests ---- */

/* The child's own end would be that of a leak checker, which looks at all
 * that this process has: _exit. The line comes by a pipe, whose open end is
 * no file to be confined. */
static void
confined(int (*what)(void))
{
    const char *const folders[] = { ours, "/var/tmp/mgconfine-none", NULL };
    struct confine_kernel held = { 0 };
    int ends[2], line = -1, status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        line = confine(folders, &held) == ERR_OK ? what() : __LINE__;
        if (held.landlock != kernel.landlock || held.seccomp != kernel.seccomp)
            line = __LINE__;
        if (line == 0)
            line = in_a_later_thread(what);
        (void)!write(ends[1], &line, sizeof(line));
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], &line, sizeof(line)), sizeof(line));
    assert_int_equal(line, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
files_are_written_below_the_folders_only(void **state)
{
    (void)state;
    confined(files);
}

static void
memory_files_are_written(void **state)
{
    (void)state;
    confined(memory_files);
}

static void
no_program_is_run(void **state)
{
    (void)state;
    confined(programs);
}

static int
make_folders(void **state)
{
    FILE *f;

    (void)state;
    confine_kernel(&kernel);
    if (mkdtemp(ours) == NULL || mkdtemp(others) == NULL)
        return -1;
    f = fopen(in(others, "old"), "we");
    return f != NULL && fputs("old", f) >= 0 && fclose(f) == 0 ? 0 : -1;
}

static int
remove_folders(void **state)
{
    (void)state;
    (void)unlink(in(others, "old"));
    (void)unlink(in(ours, "new"));
    return rmdir(others) == 0 && rmdir(ours) == 0 ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_written_below_the_folders_only),
        cmocka_unit_test(memory_files_are_written),
        cmocka_unit_test(no_program_is_run),
    };

    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
