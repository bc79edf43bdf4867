/* Files of RUN_DIR that hold a line of hex. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "file.h"
#include "place.h"
#include "run_dir_fixture.h"

static char got[34]; /* 32 digits, and one more byte to see a longer line */

static enum err
take(const char *content, size_t least)
{
    char path[PLACE_BYTES];

    assert_int_equal(place_path(path, sizeof(path), "line"), ERR_OK);
    assert_int_equal(file_write(path, 0600, content, strlen(content)), ERR_OK);
    return place_hex_read("line", least, got, sizeof(got));
}

static void
what_was_made_is_read_back(void **state)
{
    char made[33], path[PLACE_BYTES];
    struct stat st;

    (void)state;
    assert_int_equal(place_hex_read("line", 32, got, sizeof(got)),
                     ERR_NOT_FOUND);
    assert_int_equal(place_hex_make("line", 16, 0640, made), ERR_OK);
    assert_int_equal(place_hex_read("line", 32, got, sizeof(got)), ERR_OK);
    assert_string_equal(got, made);
    assert_int_equal(strlen(got), 32);
    assert_int_equal(place_path(path, sizeof(path), "line"), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void
a_line_may_end_as_editors_end_it(void **state)
{
    (void)state;
    assert_int_equal(take("0123456789abcdef", 16), ERR_OK);
    assert_int_equal(take("0123456789abcdef\r\n", 16), ERR_OK);
    assert_string_equal(got, "0123456789abcdef");
}

static void
anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "0123456789abcde\n",
        "0123456789ABCDEF\n",
        "0123456789abcdef \n",
        "x0123456789abcdef\n",
        "0123456789abcdef0123456789abcdef0123456789abcdef\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (take(bad[i], 16) != ERR_BAD_PARAM)
            fail_msg("taken: %s", bad[i]);
}

static void
a_machine_has_an_address_and_back(void **state)
{
    static const char *const none[] = {
        "127.9.8",         "127.9.8.",    "127.9.8.0", "127.9.80.1",
        "127.9.8.1:57000", "127.9.8.256", ""
    };
    char out[PLACE_MACHINE_BYTES];

    (void)state;
    assert_string_equal(place_machine(1, out), "127.9.8.1");
    assert_string_equal(place_machine(255, out), "127.9.8.255");
    assert_int_equal(place_machine_of(out), 255);
    for (size_t i = 0; i < COUNT(none); i++)
        if (place_machine_of(none[i]) != 0)
            fail_msg("a machine: %s", none[i]);
    config_place(dir, "127.255.255");
    assert_string_equal(place_machine(255, out), "127.255.255.255");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_was_made_is_read_back),
        CASE(a_line_may_end_as_editors_end_it),
        CASE(anything_else_is_refused),
        CASE(a_machine_has_an_address_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
