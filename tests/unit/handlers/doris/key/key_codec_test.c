/* Keys at their bounds: numbers of eight bytes, texts with every byte, what
 * stops too early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doris/key/key_codec.h"

#define KEY(text) (const unsigned char *)(text), sizeof(text) - 1

static struct arena *arena;
static struct key_field *fields;
static size_t n_fields;

static int
setup(void **state)
{
    (void)state;
    arena = arena_new((size_t)1 << 20);
    return arena != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* The key is read as one field behind its space. */
static void
assert_one(const unsigned char *key, size_t n, const char *text)
{
    assert_int_equal(key_decode(arena, key, n, &fields, &n_fields), ERR_OK);
    assert_int_equal(n_fields, 2);
    assert_int_equal(fields[0].offset, 0);
    assert_int_equal(fields[1].offset, 1);
    assert_string_equal(fields[1].text, text);
}

static void
assert_none(const unsigned char *key, size_t n)
{
    assert_int_equal(key_decode(arena, key, n, &fields, &n_fields),
                     ERR_BAD_PARAM);
}

static void
numbers_have_all_of_their_range(void **state)
{
    static const struct {
        int64_t v;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 1, "1" },
        { -1, "-1" },
        { 255, "255" },
        { INT64_MAX, "9223372036854775807" },
        { INT64_MIN, "-9223372036854775808" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b = BUF_INIT(64);

        buf_putc(&b, 1);
        key_put_int(&b, cases[i].v);
        assert_int_equal(b.n, 10);
        assert_one((const unsigned char *)b.p, b.n, cases[i].text);
        buf_free(&b);
    }
    assert_one(KEY("\x01\x11\0\0\0\0\0\0\0\0"), "0"); /* no "-0" */
}

static void
numbers_beyond_it_are_refused(void **state)
{
    (void)state;
    assert_none(KEY("\x01\x12\x80\0\0\0\0\0\0\0"));
    assert_none(KEY("\x01\x11\x80\0\0\0\0\0\0\1"));
    assert_one(KEY("\x01\x11\x80\0\0\0\0\0\0\0"), "-9223372036854775808");
    assert_none(KEY("\x01\x12\0\0\0\0\0\0\1")); /* seven bytes */
    assert_none(KEY("\x01\x12"));
}

static void
every_byte_of_a_text_is_shown(void **state)
{
    struct buf b = BUF_INIT(64);

    (void)state;
    buf_putc(&b, 1);
    key_put_bytes(&b, "a\0\x1f ~\x7f\xc3\xa4\xff", 9);
    assert_one((const unsigned char *)b.p, b.n,
               "a\\x00\\x1f ~\\x7f\xc3\xa4\\xff");
    buf_free(&b);
    assert_one(KEY("\x01\x10\0\x01"), "");
}

static void
a_text_without_its_end_is_refused(void **state)
{
    (void)state;
    assert_none(KEY("\x01\x10"));
    assert_none(KEY("\x01\x10"
                    "ab"));
    assert_none(KEY("\x01\x10"
                    "ab\0"));
    assert_none(KEY("\x01\x10"
                    "ab\0\x02\0\x01"));
    assert_none(KEY("\x01\x10"
                    "ab\0\xff"));
}

/* Ten bytes, of the versioned space only; the mark behind it ends a key. */
static void
a_stamp_is_of_the_versioned_space(void **state)
{
    (void)state;
    assert_one(KEY("\x03\x13\0\1\2\3\4\5\6\7\x08\xfe"), "000102030405060708fe");
    assert_one(KEY("\x03\x13\0\1\2\3\4\5\6\7\x08\xfe\xff"),
               "000102030405060708fe");
    assert_none(KEY("\x03\x13\0\1\2\3\4\5\6\7\x08"));
    assert_none(KEY("\x03\x13\0\1\2\3\4\5\6\7\x08\xfe\xfe"));
    assert_none(KEY("\x03\x13\0\1\2\3\4\5\6\7\x08\xfe\xff\xff"));
    assert_none(KEY("\x01\x13\0\1\2\3\4\5\6\7\x08\xfe"));
    assert_none(KEY("\x02\x13\0\1\2\3\4\5\6\7\x08\xfe"));
}

static void
fields_stand_behind_the_space_in_their_order(void **state)
{
    (void)state;
    assert_none((const unsigned char *)"", 0);
    assert_none(KEY("\x01\x0f\0\x01"));
    assert_none(KEY("\x01\x14\0\x01"));
    assert_int_equal(key_decode(arena, KEY("\xfe"), &fields, &n_fields),
                     ERR_OK);
    assert_int_equal(n_fields, 1);
    assert_string_equal(fields[0].text, "key space: 254");
    assert_int_equal(key_decode(arena,
                                KEY("\x01\x10"
                                    "ab\0\x01\x12\0\0\0\0\0\0\0\7\x10\0\x01"),
                                &fields, &n_fields),
                     ERR_OK);
    assert_int_equal(n_fields, 4);
    assert_string_equal(fields[1].text, "ab");
    assert_int_equal(fields[2].offset, 6);
    assert_string_equal(fields[2].text, "7");
    assert_int_equal(fields[3].offset, 15);
    assert_string_equal(fields[3].text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_have_all_of_their_range),
        TEST(numbers_beyond_it_are_refused),
        TEST(every_byte_of_a_text_is_shown),
        TEST(a_text_without_its_end_is_refused),
        TEST(a_stamp_is_of_the_versioned_space),
        TEST(fields_stand_behind_the_space_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
