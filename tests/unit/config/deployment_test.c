/* RUN_DIR/deployment_id: made once, refused when it is no name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/deployment.h"
#include "file.h"
#include "place.h"
#include "run_dir_fixture.h"

static char got[DEPLOYMENT_ID_BYTES];

static const char *
id_path(void)
{
    static char path[PLACE_BYTES];

    assert_int_equal(place_path(path, sizeof(path), DEPLOYMENT_ID_FILE),
                     ERR_OK);
    return path;
}

static enum err
take(const char *content)
{
    assert_int_equal(file_write(id_path(), 0600, content, strlen(content)),
                     ERR_OK);
    return deployment_id(got);
}

static void
what_was_made_is_read_back(void **state)
{
    char again[DEPLOYMENT_ID_BYTES];
    struct stat st;

    (void)state;
    assert_int_equal(deployment_id(got), ERR_OK);
    assert_int_equal(strlen(got), 32);
    assert_int_equal(deployment_id(again), ERR_OK);
    assert_string_equal(again, got);
    assert_int_equal(stat(id_path(), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

#define ASKING 8

/* Asks when the pipe is closed, and tells a sum of what it has read. */
static void
ask(int gate)
{
    unsigned sum = 0;
    char c;

    (void)!read(gate, &c, 1);
    if (deployment_id(got) != ERR_OK)
        _exit(255);
    for (const char *p = got; *p != '\0'; p++)
        sum = sum * 31 + (unsigned char)*p;
    _exit((int)(sum % 251));
}

static void
all_read_the_same(void)
{
    pid_t pid[ASKING];
    int gate[2], status, first = -1;

    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < ASKING; i++) {
        pid[i] = fork();
        assert_true(pid[i] >= 0);
        if (pid[i] == 0) {
            (void)close(gate[1]);
            ask(gate[0]);
        }
    }
    (void)close(gate[0]);
    (void)close(gate[1]);
    for (int i = 0; i < ASKING; i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
        if (first < 0)
            first = WEXITSTATUS(status);
        assert_int_equal(WEXITSTATUS(status), first);
    }
}

static void
of_several_one_makes_it(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        all_read_the_same();
        assert_int_equal(unlink(id_path()), 0);
    }
}

static void
the_first_word_is_the_name(void **state)
{
    (void)state;
    assert_int_equal(take("prod-1.eu_west\n"), ERR_OK);
    assert_string_equal(got, "prod-1.eu_west");
    assert_int_equal(take("a b\n"), ERR_OK);
    assert_string_equal(got, "a");
    assert_int_equal(take("0123456789012345678901234567890123456789"
                          "012345678901234567890123\r\n"),
                     ERR_OK);
    assert_int_equal(strlen(got), 64);
}

static void
anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "../x\n",
        "a'b\n",
        "01234567890123456789012345678901234567890123456789012345678901234\n",
        "a                                                               "
        "                                                                  \n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (take(bad[i]) != ERR_BAD_PARAM)
            fail_msg("taken: %s", bad[i]);
    assert_string_equal(got, "");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_was_made_is_read_back),
        CASE(of_several_one_makes_it),
        CASE(the_first_word_is_the_name),
        CASE(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
