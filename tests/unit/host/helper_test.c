/* Programs beside a machine's databases: real ones, of the host. */
#include "helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/child.h"
#include "run_dir_fixture.h"

#define LOOK_US 20000

static char word[32]; /* no other process sleeps so long */

static int
begin(void **state)
{
    (void)snprintf(word, sizeof(word), "98765.%d", (int)getpid());
    return setup(state);
}

static struct helper
sleeper(const char *version)
{
    static const char *argv[] = { "sleep", word, NULL };

    /* no address that is one: it serves as soon as it runs */
    return (struct helper){ .name = "sleeper",
                            .argv = argv,
                            .word = word,
                            .address = "",
                            .version = version };
}

static void
tend_until(struct helpers *h, const struct helper *w, size_t n,
           enum helper_state wanted)
{
    enum helper_state state[1];
    char why[1][WHY_BYTES];

    for (;;) {
        assert_int_equal(helpers_tend(h, w, n, state, why), ERR_OK);
        if (n == 0 || state[0] == wanted)
            return;
        (void)usleep(LOOK_US);
    }
}

static pid_t
pid_of_it(void)
{
    struct child_id id;

    return child_find("sleep", word, &id) == ERR_OK ? id.pid : 0;
}

static void
what_is_wanted_runs_once_and_is_taken_over(void **state)
{
    struct helpers *h = helpers_new();
    struct helper w = sleeper("1");
    pid_t pid;

    (void)state;
    assert_non_null(h);
    tend_until(h, &w, 1, HELPER_RUNS);
    pid = pid_of_it();
    assert_true(pid > 0);
    helpers_free(h); /* its owner is gone, it is not */
    assert_int_equal(pid_of_it(), pid);
    h = helpers_new();
    assert_non_null(h);
    tend_until(h, &w, 1, HELPER_RUNS);
    assert_int_equal(pid_of_it(), pid);
    /* what it reads is another: it is begun anew */
    w.version = "2";
    while (pid_of_it() == pid || pid_of_it() == 0) {
        tend_until(h, &w, 1, HELPER_RUNS);
        (void)usleep(LOOK_US);
    }
    /* nobody wants it */
    while (pid_of_it() != 0) {
        tend_until(h, NULL, 0, HELPER_RUNS);
        (void)usleep(LOOK_US);
    }
    assert_true(helpers_end(h, 5000));
    helpers_free(h);
}

static void
all_of_them_end_with_the_machine(void **state)
{
    struct helpers *h = helpers_new();
    struct helper w = sleeper("1");

    (void)state;
    tend_until(h, &w, 1, HELPER_RUNS);
    assert_true(pid_of_it() > 0);
    assert_true(helpers_end(h, 5000));
    assert_int_equal(pid_of_it(), 0);
    helpers_free(h);
}

static void
what_is_not_installed_is_told(void **state)
{
    static const char *argv[] = { "no-such-exporter", "--x", NULL };
    struct helper w = {
        .name = "none", .argv = argv, .word = "--x", .address = ""
    };
    struct helpers *h = helpers_new();
    enum helper_state s[1];
    char why[1][WHY_BYTES];

    (void)state;
    assert_int_equal(helpers_tend(h, &w, 1, s, why), ERR_OK);
    assert_int_equal(s[0], HELPER_FAILED);
    assert_string_equal(why[0], "no-such-exporter is not installed (make deps"
                                " GROUPS=comp)");
    assert_true(helpers_end(h, 1000));
    helpers_free(h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_runs_once_and_is_taken_over),
        cmocka_unit_test(all_of_them_end_with_the_machine),
        cmocka_unit_test(what_is_not_installed_is_told),
    };

    return cmocka_run_group_tests(tests, begin, teardown);
}
