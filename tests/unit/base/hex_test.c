/* Hex digits, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hex.h"

static void
every_byte_comes_back_in_either_case(void **state)
{
    unsigned char all[256], back[256];
    char text[513];

    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (unsigned char)i;
    hex_write(all, sizeof(all), text);
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + 506, "fdfeff");
    assert_true(hex_read(text, back, sizeof(back)));
    assert_memory_equal(all, back, sizeof(all));
    assert_true(hex_read("DeadBEEF", back, 4));
    assert_memory_equal(back, "\xde\xad\xbe\xef", 4);
}

static void
what_is_no_digit_is_refused(void **state)
{
    unsigned char out[4];
    size_t digits = 0;

    (void)state;
    for (int c = -128; c < 128; c++)
        digits += hex_digit((char)c) >= 0;
    assert_int_equal(digits, 22);
    assert_false(hex_read("0g", out, 1));
    assert_false(hex_read("g0", out, 1));
    assert_false(hex_read("\x10\x11", out, 1)); /* digits but for one bit */
    assert_false(hex_read("abc", out, 2));      /* the text has ended */
    assert_false(hex_read("", out, 1));
}

static void
a_uuid_has_its_dashes(void **state)
{
    static const char *const none[] = {
        "",
        "3e11fa47",
        "3e11fa47-71ca-11e1-9e33-c80aa942956",
        "3e11fa4771ca-11e1-9e33-c80aa9429562-",
        "3e11fa47-71ca-11e1-9e33+c80aa9429562",
        "3e11fa47-71ca-11e1-9e33-c80aa942956g",
    };
    unsigned char id[16];
    char text[UUID_TEXT];

    (void)state;
    assert_true(uuid_read("3E11fa47-71ca-11e1-9e33-c80aa9429562:1", id));
    assert_memory_equal(id, "\x3e\x11\xfa\x47\x71\xca\x11\xe1", 8);
    uuid_write(id, text);
    assert_string_equal(text, "3e11fa47-71ca-11e1-9e33-c80aa9429562");
    for (size_t i = 0; i < COUNT(none); i++)
        if (uuid_read(none[i], id))
            fail_msg("read: %s", none[i]);
}

static void
a_text_of_digits_alone_has_a_length(void **state)
{
    (void)state;
    assert_true(hex_is("00ff", 4, 4));
    assert_true(hex_is("00ff", 0, 8));
    assert_false(hex_is("00ff", 5, 8));
    assert_false(hex_is("00ff", 0, 3));
    assert_false(hex_is("00fF", 4, 4));
    assert_false(hex_is("00ff\n", 4, 5));
    assert_false(hex_is("", 1, 8));
    assert_true(hex_is("", 0, 8));
}

static void
base64_comes_back(void **state)
{
    /* RFC 4648, section 10 */
    static const char *const texts[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    unsigned char back[8];
    char text[BASE64_TEXT(6)];
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        base64_write(texts[i][0], i, text);
        assert_string_equal(text, texts[i][1]);
        assert_true(base64_read(text, strcspn(text, "="), false, back, &n));
        assert_int_equal(n, i);
        assert_memory_equal(back, texts[i][0], n);
    }
    base64_write("f\xff\xff", 1, text); /* nothing of what follows */
    assert_string_equal(text, "Zg==");
    base64_write("fo\xff", 2, text);
    assert_string_equal(text, "Zm8=");
    base64_write("\xfb\xff", 2, text);
    assert_string_equal(text, "+/8=");
    assert_true(base64_read("-_8", 3, true, back, &n));
    assert_memory_equal(back, "\xfb\xff", 2);
    assert_false(base64_read("-_8", 3, false, back, &n));
    assert_false(base64_read("Zg=", 3, false, back, &n));
    assert_false(base64_read("Z g", 3, false, back, &n));
    assert_false(base64_read("Zm9vY", 5, false, back, &n));
}

static void
each_digit_of_base64_has_its_value(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[] = "AAA?";
    unsigned char back[8];
    size_t n;

    (void)state;
    for (int i = 0; i < 2 * 255; i++) {
        bool url = i % 2 == 1;
        const char *at;
        int value;

        text[3] = (char)(i / 2 + 1);
        at = strchr(digits, text[3]);
        value = at != NULL ? (int)(at - digits) : -1;
        if (url && text[3] == '-')
            value = 62;
        if (url && text[3] == '_')
            value = 63;
        assert_int_equal(base64_read(text, 4, url, back, &n), value >= 0);
        if (value >= 0) {
            assert_int_equal(n, 3);
            assert_int_equal(back[0] | back[1], 0);
            assert_int_equal(back[2], value);
        }
    }
}

static void
an_escape_is_three_characters(void **state)
{
    char out[4];

    (void)state;
    assert_int_equal(percent_read("%41", 3), 'A');
    assert_int_equal(percent_read("%fFx", 4), 255);
    assert_int_equal(percent_read("%00", 3), 0);
    assert_int_equal(percent_read("%41", 2), -1);
    assert_int_equal(percent_read("%4g", 3), -1);
    assert_int_equal(percent_read("A41", 3), -1);
    assert_int_equal(percent_read("", 0), -1);
    percent_write('\xfe', out);
    assert_string_equal(out, "%FE");
}

static void
escaped_texts_are_decoded_or_refused(void **state)
{
    static const char *const bad[] = { "%", "a%4", "%4g", "%00", "a%41%" };
    char out[32];

    (void)state;
    assert_null(percent_decode("a%41+%2b%26=", 12, false, out));
    assert_string_equal(out, "aA++&=");
    assert_null(percent_decode("a%41+%2b", 8, true, out));
    assert_string_equal(out, "aA +");
    assert_null(percent_decode("%41", 0, true, out));
    assert_string_equal(out, "");
    assert_null(percent_decode("%ff", 3, true, out));
    assert_string_equal(out, "\xff");
    for (size_t i = 0; i < COUNT(bad); i++)
        if (percent_decode(bad[i], strlen(bad[i]), false, out) == NULL)
            fail_msg("%s was taken", bad[i]);
    assert_non_null(percent_decode("a\0b", 3, false, out));
    assert_non_null(percent_decode("%41", 2, false, out)); /* cut by n */
}

static void
a_query_has_parameters(void **state)
{
    static const char query[] = "a=1&&b&=c=d&e=&";
    static const struct {
        const char *key, *value;
        bool bare;
    } want[] = { { "a", "1", false },
                 { "", "", true },
                 { "b", "", true },
                 { "", "c=d", false },
                 { "e", "", false } };
    const char *p = query;
    struct query_param got;
    size_t i = 0;

    (void)state;
    for (; query_next(&p, query + strlen(query), &got); i++) {
        assert_true(i < COUNT(want));
        assert_int_equal(got.bare, want[i].bare);
        assert_int_equal(got.key.n, strlen(want[i].key));
        assert_memory_equal(got.key.p, want[i].key, got.key.n);
        assert_int_equal(got.value.n, strlen(want[i].value));
        assert_memory_equal(got.value.p, want[i].value, got.value.n);
    }
    assert_int_equal(i, COUNT(want));
    assert_ptr_equal(p, query + strlen(query));
    /* nothing behind the end is looked at */
    p = query;
    assert_true(query_next(&p, query + 2, &got));
    assert_int_equal(got.value.n, 0);
    assert_false(query_next(&p, query + 2, &got));
}

static void
random_ones_differ(void **state)
{
    char a[129], b[129];

    (void)state;
    assert_int_equal(hex_random(a, 64), ERR_OK);
    assert_int_equal(hex_random(b, 64), ERR_OK);
    assert_int_equal(strlen(a), 128);
    assert_int_equal(strspn(a, "0123456789abcdef"), 128);
    assert_string_not_equal(a, b);
    assert_int_equal(hex_random(a, 0), ERR_OK);
    assert_string_equal(a, "");
    assert_int_equal(hex_random(a, 65), ERR_INTERNAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_comes_back_in_either_case),
        cmocka_unit_test(what_is_no_digit_is_refused),
        cmocka_unit_test(a_uuid_has_its_dashes),
        cmocka_unit_test(a_text_of_digits_alone_has_a_length),
        cmocka_unit_test(base64_comes_back),
        cmocka_unit_test(each_digit_of_base64_has_its_value),
        cmocka_unit_test(an_escape_is_three_characters),
        cmocka_unit_test(escaped_texts_are_decoded_or_refused),
        cmocka_unit_test(a_query_has_parameters),
        cmocka_unit_test(random_ones_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
