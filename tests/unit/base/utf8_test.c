/* Which byte sequences are UTF-8. */
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const char *text, bool valid)
{
    if (utf8_valid(text, strlen(text)) != valid)
        fail_msg("%s", text);
}

static void
every_code_point_survives_and_nothing_else_is_made(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x110000; code++) {
        bool is_char = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        char text[4];
        size_t n = utf8_encode(text, code);

        if (!is_char) {
            assert_int_equal(utf8_len(text, n), 0);
            continue;
        }
        assert_int_equal(utf8_len(text, n), n);
        assert_int_equal(utf8_decode(text, n), code);
    }
}

static void
a_cut_sequence_is_refused(void **state)
{
    const char four[] = "\xf0\x9f\x90\x98";

    (void)state;
    for (size_t n = 1; n < 4; n++)
        assert_int_equal(utf8_len(four, n), 0);
    assert_int_equal(utf8_len(four, 4), 4);
    assert_int_equal(utf8_len(four, 0), 0);
}

static void
overlong_forms_and_stray_bytes_are_refused(void **state)
{
    (void)state;
    expect("\xc0\xaf", false);
    expect("\xe0\x80\xaf", false);
    expect("\xf0\x80\x80\xaf", false);
    expect("\xf4\x90\x80\x80", false);
    expect("\xf5\x80\x80\x80", false);
    expect("\x80", false);
    expect("a\xff", false);
    expect("\xe4\xb8\xad\xe6\x96\x87 ok", true);
}

static void
ascii_ends_where_the_first_other_byte_is(void **state)
{
    char text[40];

    (void)state;
    for (size_t from = 0; from < 8; from++)
        for (size_t n = 0; n <= 24; n++)
            for (size_t high = 0; high <= n; high++) {
                memset(text, 'a', sizeof(text));
                text[from + high] = (char)0x80; /* at n: beyond the end */
                assert_int_equal(utf8_ascii(text + from, n), high);
            }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_survives_and_nothing_else_is_made),
        cmocka_unit_test(a_cut_sequence_is_refused),
        cmocka_unit_test(overlong_forms_and_stray_bytes_are_refused),
        cmocka_unit_test(ascii_ends_where_the_first_other_byte_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
