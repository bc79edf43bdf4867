/* Whole files, read from what is open. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int fd[2];

static int
setup(void **state)
{
    (void)state;
    return pipe2(fd, O_CLOEXEC | O_NONBLOCK);
}

static int
teardown(void **state)
{
    (void)state;
    (void)close(fd[0]);
    (void)close(fd[1]);
    return 0;
}

static void
hold(const char *text)
{
    assert_int_equal(write(fd[1], text, strlen(text)), strlen(text));
    (void)close(fd[1]);
    fd[1] = -1;
}

static void
the_bytes_come_with_a_nul(void **state)
{
    char text[8] = "#######";
    size_t n;

    (void)state;
    hold("abc");
    assert_int_equal(file_read_fd(fd[0], text, 3, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_string_equal(text, "abc");
    assert_int_equal(file_read_fd(fd[0], text, 3, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_string_equal(text, "");
}

static void
a_longer_one_is_told_and_stays_within_its_room(void **state)
{
    char text[8] = "#######";
    size_t n;

    (void)state;
    hold("abcdef");
    assert_int_equal(file_read_fd(fd[0], text, 3, &n), ERR_LIMIT);
    assert_int_equal(n, 4);
    assert_string_equal(text, "abcd###");
}

static void
what_cannot_be_read_says_how_much_was(void **state)
{
    char text[8];
    size_t n;

    (void)state;
    assert_int_equal(write(fd[1], "ab", 2), 2); /* and the end stays open */
    assert_int_equal(file_read_fd(fd[0], text, 3, &n), ERR_STATE);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(n, 2);
    assert_memory_equal(text, "ab", 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_bytes_come_with_a_nul),
        TEST(a_longer_one_is_told_and_stays_within_its_room),
        TEST(what_cannot_be_read_says_how_much_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
