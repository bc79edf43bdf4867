/* Marks of use and of end: one a minute for each token, by a clock that
 * stands still. */
#include "identity/token_use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "file.h"
#include "log_fixture.h"
#include "run_dir_fixture.h"

static const char *
in_dir(const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name);
}

static void
make_dir(const char *name)
{
    assert_int_equal(mkdir(in_dir(name), 0700), 0);
}

/* Whether there is a mark, which is taken away. */
static bool
marked(const char *name)
{
    return unlink(in_dir(name)) == 0;
}

#define ID "00112233445566aa"

/* Each test is another day to what the process remembers. */
static int
begin(void **state)
{
    pass_ms(86400000);
    return setup(state);
}

static void
a_use_is_marked_once_a_minute(void **state)
{
    (void)state;
    fake_unix_ms = fake_unix_ms / 60000 * 60000;
    make_dir("used");
    token_use_note(ID);
    assert_true(marked("used/" ID));
    token_use_note(ID);
    assert_false(marked("used/" ID));
    pass_ms(59999);
    token_use_note(ID);
    assert_false(marked("used/" ID));
    pass_ms(1);
    token_use_note(ID);
    assert_true(marked("used/" ID));
}

/* Two that differ in one bit are two, wherever it is. */
/* As for who was started without one. */
static void
a_mark_may_be_the_first_descriptor(void **state)
{
    int input = dup(0);

    (void)state;
    log_catch();
    make_dir("used");
    assert_true(input > 0 && close(0) == 0);
    token_use_note(ID);
    assert_int_equal(fcntl(0, F_GETFD), -1); /* taken, and given back */
    assert_int_equal(dup2(input, 0), 0);
    assert_int_equal(close(input), 0);
    assert_true(marked("used/" ID));
    assert_string_equal(logged(), "");
    log_release();
}

static void
every_token_has_a_mark_of_its_own(void **state)
{
    static const char *const ids[] = {
        "0000000000000000", "0000000000000001", "0000000080000000",
        "0000000100000000", "0000000100000001", "8000000000000000",
        "ffffffffffffffff", "fffffffffffffffe", "00000000000000ff",
    };

    (void)state;
    make_dir("used");
    for (size_t i = 0; i < COUNT(ids); i++) {
        token_use_note(ids[i]);
        if (!marked(arena_printf(arena, "used/%s", ids[i])))
            fail_msg("%s", ids[i]);
    }
}

static void
a_mark_bears_the_time(void **state)
{
    static const struct timespec long_ago[2] = { { 1000, 0 }, { 1000, 0 } };
    struct stat st;

    (void)state;
    make_dir("used");
    assert_int_equal(file_write(in_dir("used/" ID), 0600, "", 0), ERR_OK);
    assert_int_equal(utimensat(AT_FDCWD, in_dir("used/" ID), long_ago, 0), 0);
    token_use_note(ID);
    assert_int_equal(stat(in_dir("used/" ID), &st), 0);
    assert_true(st.st_mtime > 1000);
}

static void
the_folder_is_made_when_it_is_missing(void **state)
{
    struct stat st;

    (void)state;
    log_catch();
    token_use_note(ID);
    assert_string_equal(logged(), "");
    log_release();
    assert_int_equal(stat(in_dir("used"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(stat(in_dir("used/" ID), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void
a_mark_that_cannot_be_made_is_logged(void **state)
{
    const char *text;

    (void)state;
    assert_int_equal(file_write(in_dir("used"), 0600, "", 0), ERR_OK);
    log_catch();
    token_use_note(ID);
    text = logged();
    assert_int_equal(times("token.use id=" ID " errno=20", text), 1);
    assert_int_equal(times("\n", text), 1);
    log_release();
}

static void
what_is_no_id_leaves_nothing(void **state)
{
    static const char *const none[] = { "", "x", "../../etc/passwd",
                                        "00112233445566AA",
                                        "00112233445566aa0" };

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++) {
        token_use_note(none[i]);
        token_use_ended(none[i]);
    }
    assert_int_not_equal(access(in_dir("used"), F_OK), 0);
}

static void
an_end_is_marked_once_a_minute_where_nginx_looks(void **state)
{
    (void)state;
    log_catch();
    token_use_ended(ID); /* an nginx of another RUN_DIR */
    assert_string_equal(logged(), "");
    assert_int_not_equal(access(in_dir("nginx"), F_OK), 0);
    pass_ms(60000);
    make_dir("nginx");
    make_dir("nginx/revoked");
    token_use_ended(ID);
    assert_true(marked("nginx/revoked/" ID));
    token_use_ended(ID);
    assert_false(marked("nginx/revoked/" ID));
    token_use_note(ID); /* is another thing */
    assert_true(marked("used/" ID));
    pass_ms(60000);
    token_use_ended(ID);
    assert_true(marked("nginx/revoked/" ID));
    assert_string_equal(logged(), "");
    log_release();
}

static void
an_end_that_cannot_be_marked_is_logged(void **state)
{
    (void)state;
    make_dir("nginx");
    assert_int_equal(file_write(in_dir("nginx/revoked"), 0600, "", 0), ERR_OK);
    log_catch();
    token_use_ended(ID);
    assert_int_equal(times("token.ended id=" ID " errno=20", logged()), 1);
    log_release();
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_use_is_marked_once_a_minute),
        CASE(a_mark_may_be_the_first_descriptor),
        CASE(every_token_has_a_mark_of_its_own),
        CASE(a_mark_bears_the_time),
        CASE(the_folder_is_made_when_it_is_missing),
        CASE(a_mark_that_cannot_be_made_is_logged),
        CASE(what_is_no_id_leaves_nothing),
        CASE(an_end_is_marked_once_a_minute_where_nginx_looks),
        CASE(an_end_that_cannot_be_marked_is_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
