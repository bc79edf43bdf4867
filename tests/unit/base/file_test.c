/* Whole files, read from what is open. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* 40,000 bytes, whose place in it each tells. */
static void
make_long(char path[32])
{
    char text[40000];
    int file;

    (void)strcpy(path, "/var/tmp/file-unit.XXXXXX");
    file = mkostemp(path, O_CLOEXEC);
    assert_true(file >= 0);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 23);
    assert_int_equal(write(file, text, sizeof(text)), sizeof(text));
    (void)close(file);
}

static void
the_start_of_a_file_is_as_much_as_fits(void **state)
{
    char path[32], text[8] = "#######";

    (void)state;
    make_long(path);
    assert_int_equal(file_start(path, text, 6), 5);
    assert_string_equal(text, "abcde");
    assert_int_equal(text[6], '#');
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_start(path, text, 6), 0);
    assert_string_equal(text, "");
    /* the kernel tells no size of it */
    assert_int_equal(file_start("/proc/self/stat", text, 4), 3);
}

static void
a_whole_file_goes_behind_a_text(void **state)
{
    struct buf b = BUF_INIT(1 << 16), small = BUF_INIT(30000);
    char path[32];

    (void)state;
    make_long(path);
    buf_puts(&b, "head ");
    assert_int_equal(file_append(path, &b), ERR_OK);
    assert_int_equal(b.n, 40005);
    assert_memory_equal(b.p, "head abc", 8);
    for (size_t i = 5; i < b.n; i++)
        assert_int_equal(b.p[i], 'a' + (i - 5) % 23);
    assert_int_equal(file_append(path, &small), ERR_LIMIT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_append(path, &b), ERR_NOT_FOUND);
    assert_int_equal(file_append("/", &b), ERR_STATE);
    assert_int_equal(b.n, 40005);
    assert_int_equal(file_append("/proc/self/stat", &b), ERR_OK);
    assert_true(b.n > 40005);
    buf_free(&b);
    buf_free(&small);
}

static void
what_lies_below_a_directory_is_replaced_and_read_through_no_link(void **state)
{
    char path[] = "/var/tmp/file-unit.XXXXXX", text[8] = "#######";
    struct stat st;
    int dir;

    (void)state;
    assert_non_null(mkdtemp(path));
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    assert_int_equal(file_start_beneath(dir, "a", text, 6), ERR_NOT_FOUND);
    assert_string_equal(text, "");
    assert_int_equal(file_write_beneath(dir, "a", "abcdefg", 7), ERR_OK);
    assert_int_equal(fstatat(dir, "a", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_write_beneath(dir, "a", "xyzw", 4), ERR_OK);
    assert_int_equal(file_start_beneath(dir, "a", text, 4), ERR_OK);
    assert_string_equal(text, "xyz");
    assert_int_equal(fstatat(dir, "a.new", &st, 0), -1);

    assert_int_equal(symlinkat("a", dir, "b"), 0);
    assert_int_equal(file_start_beneath(dir, "b", text, 6), ERR_STATE);
    assert_int_equal(errno, ELOOP);
    assert_string_equal(text, "");
    assert_int_equal(symlinkat("elsewhere", dir, "a.new"), 0);
    assert_int_equal(file_write_beneath(dir, "a", "new", 3), ERR_STATE);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(fstatat(dir, "elsewhere", &st, 0), -1);
    assert_int_equal(file_start_beneath(dir, "a", text, 6), ERR_OK);
    assert_string_equal(text, "xyzw"); /* the old one stays */
    assert_int_equal(file_start_beneath(dir, ".", text, 6), ERR_STATE);
    assert_int_equal(errno, EISDIR);
    for (const char *const *name =
             (const char *const[]){ "a", "b", "a.new", NULL };
         *name != NULL; name++)
        assert_int_equal(unlinkat(dir, *name, 0), 0);
    (void)close(dir);
    assert_int_equal(rmdir(path), 0);
}

static void
put(const char *path, const char *text, mode_t mode)
{
    assert_int_equal(file_write(path, mode, text, strlen(text)), ERR_OK);
}

static void
a_secret_is_the_first_line_of_a_file_that_others_cannot_read(void **state)
{
    char path[] = "/var/tmp/file-unit.XXXXXX", text[8], why[WHY_BYTES];

    (void)state;
    assert_int_equal(close(mkstemp(path)), 0);
    put(path, "pass word\r\nmore", 0600);
    assert_int_equal(file_read_secret(path, text, 8, why), ERR_BAD_PARAM);
    assert_string_equal(why, "too long");
    assert_string_equal(text, "");
    put(path, "pass w\n", 0640);
    assert_int_equal(file_read_secret(path, text, 8, why), ERR_OK);
    assert_string_equal(text, "pass w");
    for (mode_t bit = 1; bit < 8; bit <<= 1) {
        put(path, "pass", 0600 | bit);
        assert_int_equal(file_read_secret(path, text, 8, why), ERR_BAD_PARAM);
        assert_string_equal(why, "others can read it: chmod 600");
        assert_string_equal(text, "");
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_read_secret(path, text, 8, why), ERR_BAD_PARAM);
    assert_string_equal(why, strerror(ENOENT));
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody is waited for */
    assert_int_equal(file_read_secret(path, text, 8, why), ERR_BAD_PARAM);
    assert_string_equal(why, "not a plain file");
    assert_int_equal(unlink(path), 0);
}

static void
all_bytes_are_put_at_their_place(void **state)
{
    char path[] = "/var/tmp/file-unit.XXXXXX", text[16];
    size_t n;
    int file;

    (void)state;
    file = mkstemp(path);
    assert_true(file >= 0);
    assert_true(file_write_fd(file, "abcdef", 6, -1));
    assert_true(file_write_fd(file, "XY", 2, 1)); /* the position stays */
    assert_true(file_write_fd(file, "gh", 2, -1));
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    assert_int_equal(file_read_fd(file, text, 15, &n), ERR_OK);
    assert_string_equal(text, "aXYdefgh");
    (void)close(file);
    file = open(path, O_RDONLY | O_CLOEXEC);
    assert_false(file_write_fd(file, "a", 1, -1));
    assert_int_equal(errno, EBADF);
    assert_true(file_write_fd(file, "", 0, -1)); /* nothing to write */
    (void)close(file);
    assert_int_equal(unlink(path), 0);
}

static void
the_first_line_of_a_file_is_had_alone(void **state)
{
    static const struct {
        const char *holds, *line;
    } tried[] = { { "abc\ndef\n", "abc" },
                  { "abc\r\n", "abc" },
                  { "abc", "abc" },
                  { "\nabc\n", "" },
                  { "", "" } };
    struct arena *a = arena_new(4096);
    char path[] = "/tmp/file-test-XXXXXX", *text;
    int file = mkstemp(path);
    size_t n;

    (void)state;
    assert_true(file >= 0);
    (void)close(file);
    for (size_t i = 0; i < COUNT(tried); i++) {
        size_t all = strlen(tried[i].holds);

        assert_int_equal(file_write(path, 0600, tried[i].holds, all), ERR_OK);
        assert_int_equal(file_read_line(a, path, 8, &text, &n), ERR_OK);
        assert_string_equal(text, tried[i].line);
        assert_int_equal(n, all);
    }
    assert_int_equal(file_write(path, 0600, "123456789", 9), ERR_OK);
    assert_int_equal(file_read_line(a, path, 8, &text, &n), ERR_LIMIT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_read_line(a, path, 8, &text, &n), ERR_NOT_FOUND);
    arena_free(a);
}

static void
a_pipe_takes_what_fits_and_the_rest_is_told(void **state)
{
    static const char many[1 << 20];

    (void)state;
    assert_false(
        file_write_fd(fd[1], many, sizeof(many), -1)); /* does not wait */
    assert_int_equal(errno, EAGAIN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_bytes_come_with_a_nul),
        TEST(a_longer_one_is_told_and_stays_within_its_room),
        TEST(what_cannot_be_read_says_how_much_was),
        TEST(the_start_of_a_file_is_as_much_as_fits),
        TEST(a_whole_file_goes_behind_a_text),
        TEST(what_lies_below_a_directory_is_replaced_and_read_through_no_link),
        TEST(a_secret_is_the_first_line_of_a_file_that_others_cannot_read),
        TEST(all_bytes_are_put_at_their_place),
        TEST(the_first_line_of_a_file_is_had_alone),
        TEST(a_pipe_takes_what_fits_and_the_rest_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
