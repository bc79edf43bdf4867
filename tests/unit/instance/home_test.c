/* Directories of instances: what is refused, and what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "instance/home.h"

#define UUID  "0b0e6d1c-1111-4222-8333-444455556666"
#define OTHER "ffffffff-1111-4222-8333-444455556666"

static char root[] = "/var/tmp/mghome.XXXXXX";

static struct home
home_of(const char *uuid)
{
    return (struct home){ root, "data_dir_path", 6001, uuid };
}

static const char *
below(const char *rest)
{
    static char path[4][PATH_MAX];
    static unsigned i;
    char *p = path[i++ % 4];

    (void)snprintf(p, PATH_MAX, "%s%s", root, rest);
    return p;
}

#define HOME "/instance_data/data_dir_path/6001"

static void
put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "row", 3), 3);
    (void)close(fd);
}

static bool
is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static unsigned
mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void
made(const char *uuid)
{
    struct home h = home_of(uuid);
    struct home_error why;
    int fd = -1;

    assert_int_equal(home_make(&h, &fd, &why), ERR_OK);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void
a_home_is_made_and_marked(void **state)
{
    struct home h = home_of(UUID);
    struct home_error why;
    int fd;

    (void)state;
    (void)umask(027);
    made(UUID);
    assert_int_equal(mode_of(below(HOME)), 0700);
    assert_int_equal(mode_of(below("/instance_data")), 0755);
    assert_true(is_there(below(HOME "/" HOME_MARKER)));
    made(UUID); /* again: nothing changes */
    /* killed before the marker had its name */
    assert_int_equal(
        rename(below(HOME "/" HOME_MARKER), below(HOME "/" HOME_MARKER ".new")),
        0);
    made(UUID);
    assert_int_equal(home_open(&h, &fd, &why), ERR_OK);
    assert_true(home_used_bytes(fd) > 0);
    (void)close(fd);
    assert_int_equal(home_remove(&h, &why), ERR_OK);
    assert_false(is_there(below(HOME)));
    assert_int_equal(home_open(&h, &fd, &why), ERR_NOT_FOUND);
    assert_int_equal(home_remove(&h, &why), ERR_OK);
    made(UUID);
    put(below(HOME "/ibdata1"));
    assert_int_equal(home_unmake(&h, &why), ERR_OK);
    assert_false(is_there(below(HOME)));
    assert_int_equal(home_unmake(&h, &why), ERR_OK);
}

static void
what_another_has_is_left_alone(void **state)
{
    struct home mine = home_of(UUID), theirs = home_of(OTHER);
    struct home_error why;
    int fd;

    (void)state;
    made(OTHER);
    put(below(HOME "/ibdata1"));
    assert_int_equal(home_make(&mine, &fd, &why), ERR_EXISTS);
    assert_non_null(strstr(why.text, "another instance"));
    assert_int_equal(home_open(&mine, &fd, &why), ERR_DENIED);
    assert_int_equal(home_remove(&mine, &why), ERR_DENIED);
    assert_int_equal(home_unmake(&mine, &why), ERR_OK);
    assert_true(is_there(below(HOME "/ibdata1")));
    assert_int_equal(home_remove(&theirs, &why), ERR_OK);
}

static void
what_is_not_ours_is_left_alone(void **state)
{
    struct home h = home_of(UUID);
    struct home_error why;
    int fd;

    (void)state;
    made(UUID);
    assert_int_equal(unlink(below(HOME "/" HOME_MARKER)), 0);
    put(below(HOME "/wedding-photos"));
    assert_int_equal(home_make(&h, &fd, &why), ERR_EXISTS);
    assert_int_equal(home_remove(&h, &why), ERR_DENIED);
    assert_int_equal(home_unmake(&h, &why), ERR_OK);
    assert_true(is_there(below(HOME "/wedding-photos")));
    assert_int_equal(unlink(below(HOME "/wedding-photos")), 0);
    assert_int_equal(home_remove(&h, &why), ERR_OK);
}

static void
no_link_leads_out(void **state)
{
    struct home h = home_of(UUID);
    struct home_error why;
    int fd;

    (void)state;
    assert_int_equal(mkdir(below("/elsewhere"), 0700), 0);
    put(below("/elsewhere/keep"));
    /* a link inside is removed, what it points to is not */
    made(UUID);
    assert_int_equal(symlink(below("/elsewhere"), below(HOME "/link")), 0);
    assert_int_equal(mkdir(below(HOME "/db"), 0700), 0);
    put(below(HOME "/db/t.ibd"));
    assert_int_equal(home_remove(&h, &why), ERR_OK);
    assert_true(is_there(below("/elsewhere/keep")));
    /* a link on the way is no way */
    assert_int_equal(symlink(below("/elsewhere"), below(HOME)), 0);
    assert_int_not_equal(home_make(&h, &fd, &why), ERR_OK);
    assert_int_not_equal(home_remove(&h, &why), ERR_OK);
    assert_true(is_there(below("/elsewhere/keep")));
    assert_int_equal(unlink(below(HOME)), 0);
}

static void
a_removal_broken_off_can_be_called_again(void **state)
{
    struct home h = home_of(UUID);
    struct home_error why;
    int fd;

    (void)state;
    made(UUID);
    assert_int_equal(home_open(&h, &fd, &why), ERR_OK);
    put(below(HOME "/a"));
    assert_int_equal(home_move(fd, "a", "b"), ERR_OK);
    assert_int_equal(home_move(fd, "a", "b"), ERR_NOT_FOUND);
    assert_int_equal(home_clear(fd, "b", &why), ERR_OK);
    assert_int_equal(home_clear(fd, "b", &why), ERR_OK);
    assert_int_equal(home_clear(fd, "../x", &why), ERR_BAD_PARAM);
    assert_int_equal(home_clear(fd, HOME_MARKER, &why), ERR_BAD_PARAM);
    (void)close(fd);
    /* as killed between the marker and the directory */
    assert_int_equal(unlink(below(HOME "/" HOME_MARKER)), 0);
    assert_int_equal(home_remove(&h, &why), ERR_OK);
    assert_false(is_there(below(HOME)));
}

static void
names_that_are_none_are_refused(void **state)
{
    static const struct home bad[] = {
        { root, "..", 6001, UUID },     { root, "a/b", 6001, UUID },
        { root, "", 6001, UUID },       { root, "data", 0, UUID },
        { root, "data", 65536, UUID },  { root, "data", 6001, "" },
        { root, "data", 6001, "../x" }, { root, "data", 6001, "A\nB" },
    };
    struct home_error why;
    int fd;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(home_make(&bad[i], &fd, &why), ERR_BAD_PARAM);
        assert_int_equal(home_remove(&bad[i], &why), ERR_BAD_PARAM);
    }
    assert_int_equal(
        home_make(&(struct home){ root, "a/b", 0, "X" }, &fd, &why),
        ERR_BAD_PARAM);
    assert_string_equal(why.text, "X is no instance's id");
    assert_int_equal(
        home_make(&(struct home){ root, "a/b", 0, UUID }, &fd, &why),
        ERR_BAD_PARAM);
    assert_string_equal(why.text, "a/b needs a port");
}

static void
roots_are_checked(void **state)
{
    static const char forbidden[] = "/etc:/usr:/bin:/proc";
    struct home_error why;
    char real[PATH_MAX];
    static const struct {
        const char *path;
        enum err e;
    } row[] = {
        { "relative/path", ERR_BAD_PARAM },
        { "/", ERR_DENIED },
        { "/etc", ERR_DENIED },
        { "/usr/lib", ERR_DENIED },
        { "/var/../etc", ERR_DENIED },
        { "/dev/null", ERR_BAD_PARAM },
        { "/no/such", ERR_NOT_FOUND },
        { "/bin", ERR_DENIED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++)
        if (home_root(row[i].path, forbidden, real, &why) != row[i].e)
            fail_msg("%s: %s", row[i].path, why.text);
    assert_int_equal(home_root(below("/."), forbidden, real, &why), ERR_OK);
    assert_string_equal(real, root);
    /* by a link to what is forbidden, and a name that only begins alike */
    assert_int_equal(symlink("/etc", below("/link")), 0);
    assert_int_equal(home_root(below("/link"), forbidden, real, &why),
                     ERR_DENIED);
    assert_int_equal(mkdir(below("/data2"), 0700), 0);
    assert_int_equal(home_root(below("/data2"), below("/data"), real, &why),
                     ERR_OK);
    assert_int_equal(home_root(below("/data2"), below("/data2"), real, &why),
                     ERR_DENIED);
}

static int
setup(void **state)
{
    (void)state;
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        (void)execlp("rm", "rm", "-r", root, (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_home_is_made_and_marked),
        cmocka_unit_test(what_another_has_is_left_alone),
        cmocka_unit_test(what_is_not_ours_is_left_alone),
        cmocka_unit_test(no_link_leads_out),
        cmocka_unit_test(a_removal_broken_off_can_be_called_again),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(roots_are_checked),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
