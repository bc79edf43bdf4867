/* Where each bound of JSON lies, and by which words and at which byte what is
 * beyond it is refused. */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "json/json_difference.h"
#include "json/json_scan.h"

static struct json_error why;

static const char *
text_of(const char *text, unsigned lenient)
{
    const struct json *j;

    if (json_parse(arena, text, strlen(text), lenient, &j, &why) != ERR_OK)
        fail_msg("%s: %s", text, why.reason);
    return json_text(j);
}

static void
refuses(const char *text, unsigned lenient, size_t offset, const char *reason)
{
    const struct json *j;

    assert_int_equal(json_parse(arena, text, strlen(text), lenient, &j, &why),
                     ERR_BAD_PARAM);
    if (strcmp(why.reason, reason) != 0 || why.offset != offset)
        fail_msg("%s: %s at %zu", text, why.reason, why.offset);
}

static void
each_refusal_has_its_words_and_its_byte(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *reason;
    } rows[] = {
        { "", 0, "the text ends too early" },
        { "[", 1, "the text ends too early" },
        { "[1", 2, "the text ends too early" },
        { "{", 1, "the text ends too early" },
        { "x", 0, "a value was expected" },
        { "trux", 0, "a value was expected" },
        { "tru", 0, "a value was expected" },
        { "[1 2]", 3, "',' was expected" },
        { "{\"a\" 1}", 5, "':' was expected" },
        { "{1:2}", 1, "a member's name was expected" },
        { "{a:2}", 1, "a member's name was expected" },
        { "[1.]", 3, "malformed number" },
        { "-", 1, "malformed number" },
        { "\"a", 2, "string without end" },
        { "\"\\x\"", 2, "unknown escape in a string" },
        { "\"\\'\"", 2, "unknown escape in a string" },
        { "\"\\", 2, "unknown escape in a string" },
        { "\"\\u12g4\"", 5, "\\u needs four hex digits" },
        { "\"\\ud800\\u12\"", 11, "\\u needs four hex digits" },
        { "\"\\u0000\"", 7, "\\u0000 is not allowed" },
        { "\"\\udc00\"", 7, "lone surrogate" },
        { "\"\\ud800\"", 7, "lone surrogate" },
        { "\"\\ud800\\n\"", 7, "lone surrogate" },
        { "\"\\ud800xu\"", 7, "lone surrogate" },
        { "\"\\ud800\\ue000\"", 13, "lone surrogate" },
        { "\"\n\"", 1, "control byte in a string" },
        { "\"\xff\"", 1, "not UTF-8" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        refuses(rows[i].text, JSON_STRICT, rows[i].offset, rows[i].reason);
}

static void
surrogates_are_pairs_of_their_ranges(void **state)
{
    (void)state;
    assert_string_equal(text_of("\"\\ud7ff\\ue000\"", JSON_STRICT),
                        "\xed\x9f\xbf\xee\x80\x80");
    assert_string_equal(text_of("\"\\ud800\\udc00\"", JSON_STRICT),
                        "\xf0\x90\x80\x80");
    assert_string_equal(text_of("\"\\udbff\\udfff\"", JSON_STRICT),
                        "\xf4\x8f\xbf\xbf");
    assert_string_equal(text_of("\"\\ud83d\\udc18\"", JSON_STRICT),
                        "\xf0\x9f\x90\x98");
    refuses("\"\\udfff\"", JSON_STRICT, 7, "lone surrogate");
    refuses("\"\\udbff\\udbff\"", JSON_STRICT, 13, "lone surrogate");
    refuses("\"\\ud800\\udbff\"", JSON_STRICT, 13, "lone surrogate");
}

static void
every_byte_of_a_string_comes_back(void **state)
{
    char text[16], *to;

    (void)state;
    for (unsigned code = 1; code < 0x100; code++) {
        char raw[3] = { (char)code, '\0', '\0' };

        if (code >= 0x80)
            (void)snprintf(raw, sizeof(raw), "%c%c", 0xc0 | code >> 6,
                           0x80 | (code & 0x3f));
        (void)snprintf(text, sizeof(text), "\"\\u%04x\"", code);
        assert_string_equal(text_of(text, JSON_STRICT), raw);
        if (code < 0x20 || code == '"' || code == '\\')
            continue;
        to = text;
        to += sprintf(to, "\"%s\"", raw);
        assert_string_equal(text_of(text, JSON_STRICT), raw);
    }
    assert_string_equal(text_of("'\\'\"'", JSON_SINGLE_QUOTES), "'\"");
    assert_string_equal(text_of("\"'\\'\"", JSON_SINGLE_QUOTES), "''");
}

static void
leniency_goes_no_further_than_it_says(void **state)
{
    (void)state;
    refuses("[1,]", JSON_BARE_KEYS | JSON_SINGLE_QUOTES, 3,
            "a value was expected");
    refuses("{a:1}", JSON_TRAILING_COMMA | JSON_SINGLE_QUOTES, 1,
            "a member's name was expected");
    refuses("['a']", JSON_TRAILING_COMMA | JSON_BARE_KEYS, 1,
            "a value was expected");
    refuses("{a_b:1,aB:2}", JSON_BARE_KEYS | JSON_CAMEL_SNAKE, 7,
            "name given twice: aB");
    refuses("{a:1,b:2,a:3,c:4}", JSON_BARE_KEYS, 9, "name given twice: a");
    (void)text_of("{Az_$9:1,_:2,$:3,a:4}", JSON_BARE_KEYS);
    (void)text_of("{a:{b:1},b:{a:1,c:2},c:3}", JSON_BARE_KEYS);
    refuses("{a:{b:1},c:{b:1,b:2}}", JSON_BARE_KEYS, 16, "name given twice: b");
}

/* ---- sizes ---- */

static enum err
parse_n(const char *text, size_t n, unsigned lenient)
{
    struct arena *a = arena_new((size_t)64 << 20);
    const struct json *j;
    enum err e = json_parse(a, text, n, lenient, &j, &why);

    arena_free(a);
    return e;
}

/* It is not even read. */
static void
a_text_has_a_longest(void **state)
{
    (void)state;
    assert_int_equal(parse_n("1", (size_t)JSON_MAX_BYTES + 1, JSON_STRICT),
                     ERR_LIMIT);
    assert_string_equal(why.reason, "the text is too long");
    assert_int_equal(why.offset, 0);
}

static void
a_text_has_so_many_values_and_no_more(void **state)
{
    const size_t n = (size_t)1 << 20, most = json_max_values(n);
    char *text = malloc(n);

    (void)state;
    assert_int_equal(most, ((8u << 20) + 16 * n) / 150);
    assert_non_null(text);
    memset(text, ' ', n);
    text[0] = '[';
    for (size_t i = 1; i < most; i++) { /* the list is one too */
        text[2 * i] = '0';
        text[2 * i + 1] = i + 1 < most ? ',' : ']';
    }
    assert_int_equal(parse_n(text, n, JSON_STRICT), ERR_OK);
    text[2 * most - 1] = ',';
    text[2 * most] = '0';
    text[2 * most + 1] = ']';
    assert_int_equal(parse_n(text, n, JSON_STRICT), ERR_LIMIT);
    assert_string_equal(why.reason, "too many values");
    assert_int_equal(why.offset, 2 * most);
    free(text);
}

/* ---- names in messages ---- */

static void
a_name_is_shown_when_it_is_harmless(void **state)
{
    static const char bad[] = " <>&\"'/\\\n,:;()[]{}+=*%@!?~^|`#";
    char out[49], name[2] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(bad); i++) { /* and NUL */
        name[0] = bad[i];
        json_name_for_message(out, name, 1);
        assert_string_equal(out, "?");
    }
    json_name_for_message(out, "aZ09_.$-", 8);
    assert_string_equal(out, "aZ09_.$-");
    json_name_for_message(out, "", 0);
    assert_string_equal(out, "?");
    json_name_for_message(out, "abc", 2);
    assert_string_equal(out, "ab");
}

/* ---- integers ---- */

static void
is_i64(const char *text, bool integral, int64_t expected)
{
    int64_t v = 7;

    if (json_to_i64(text, integral, &v) != ERR_OK || v != expected)
        fail_msg("%s: %lld", text, (long long)v);
}

static void
is_no_i64(const char *text, bool integral, enum err expected)
{
    int64_t v;

    if (json_to_i64(text, integral, &v) != expected)
        fail_msg("%s", text);
}

static void
integers_are_read_whatever_their_form(void **state)
{
    uint64_t u;

    (void)state;
    is_i64("1.0", true, 1);
    is_i64("10", true, 10);
    is_i64("100.00", true, 100);
    is_i64("0.5e1", true, 5);
    is_i64("0.05e2", true, 5);
    is_i64("1.5E+1", true, 15);
    is_i64("1500e-2", true, 15);
    is_i64("0", true, 0);
    is_i64("0.0", true, 0);
    is_i64("-0.0e5", true, 0);
    is_i64("1e18", true, INT64_C(1000000000000000000));
    is_i64("0.0000000000000000000000001e25", true, 1);
    is_i64("10000000000000000000000000e-25", true, 1);
    is_i64("1e0000000000000000000001", true, 10);
    is_no_i64("1e19", true, ERR_LIMIT);
    is_no_i64("1e20", true, ERR_LIMIT);
    is_no_i64("1e21", true, ERR_LIMIT);
    is_no_i64("123456789012345678901", true, ERR_LIMIT); /* 21 digits */
    is_no_i64("1.5", true, ERR_BAD_PARAM);
    is_no_i64("15e-1", true, ERR_BAD_PARAM);
    is_no_i64("1e1000000", true, ERR_LIMIT);
    is_no_i64("1e-1000000", true, ERR_BAD_PARAM);
    is_no_i64("1e5", false, ERR_BAD_PARAM);
    is_no_i64("1.0", false, ERR_BAD_PARAM);
    assert_int_equal(json_to_u64("1e19", true, &u), ERR_OK);
    assert_true(u == UINT64_C(10000000000000000000));
    assert_int_equal(json_to_u64("12345678901234567890", false, &u), ERR_OK);
    assert_true(u == UINT64_C(12345678901234567890));
    assert_int_equal(json_to_u64("18446744073709551616", false, &u), ERR_LIMIT);
    assert_int_equal(json_to_u64("18446744073709551620", false, &u), ERR_LIMIT);
    assert_int_equal(json_to_u64("1.8e20", true, &u), ERR_LIMIT);
}

/* ---- differences ---- */

static void
differs(const char *old, const char *new, const char *old_out,
        const char *new_out)
{
    const char *x, *y;

    assert_int_equal(json_difference(arena, old, new, &x, &y), ERR_OK);
    assert_string_equal(x, old_out);
    assert_string_equal(y, new_out);
}

#define D "{\"difference\":true"

static void
long_lists_are_compared_from_both_ends(void **state)
{
    (void)state;
    differs("{\"n\":[1,2,3,4,5,6]}", "{\"n\":[1,2,3,7,8,4,5,6]}",
            D ",\"n\":{\"from\":3,\"of\":6,\"items\":[]}}",
            D ",\"n\":{\"from\":3,\"of\":8,\"items\":[7,8]}}");
    differs("{\"n\":[1,2,3,4,5,6]}", "{\"n\":[4,5,6]}",
            D ",\"n\":{\"from\":0,\"of\":6,\"items\":[1,2,3]}}",
            D ",\"n\":{\"from\":0,\"of\":3,\"items\":[]}}");
    differs("{\"n\":[5,1,5,2,5]}", "{\"n\":[5,2,5]}",
            D ",\"n\":{\"from\":1,\"of\":5,\"items\":[1,5]}}",
            D ",\"n\":{\"from\":1,\"of\":3,\"items\":[]}}");
    differs("{\"n\":[{\"a\":1}]}", "{\"n\":[{\"a\":2}]}",
            D ",\"n\":{\"from\":0,\"of\":1,\"items\":[{\"a\":1}]}}",
            D ",\"n\":{\"from\":0,\"of\":1,\"items\":[{\"a\":2}]}}");
    differs("{\"a\":1,\"b\":2,\"c\":3,\"d\":4}",
            "{\"d\":5,\"c\":3,\"b\":7,\"a\":1}", D ",\"b\":2,\"d\":4}",
            D ",\"d\":5,\"b\":7}");
    differs("{\"a\":null}", "{}", D ",\"a\":null}", D "}");
    differs("{\"a\":10}", "{\"a\":1}", D ",\"a\":10}", D ",\"a\":1}");
}

static void
what_cannot_be_compared_is_told(void **state)
{
    struct arena *little = arena_new(256);
    const char *x, *y;

    (void)state;
    assert_int_equal(json_difference(arena, "{}", "[]", &x, &y), ERR_STATE);
    assert_int_equal(json_difference(arena, "{", "{}", &x, &y), ERR_STATE);
    assert_int_equal(json_difference(arena, "1", "{}", &x, &y), ERR_STATE);
    while (arena_alloc(little, 1) != NULL)
        ;
    assert_int_equal(json_difference(little, "{\"a\":1}", "{\"a\":2}", &x, &y),
                     ERR_NOMEM);
    arena_free(little);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_refusal_has_its_words_and_its_byte),
        TEST(surrogates_are_pairs_of_their_ranges),
        TEST(every_byte_of_a_string_comes_back),
        TEST(leniency_goes_no_further_than_it_says),
        TEST(a_text_has_a_longest),
        TEST(a_text_has_so_many_values_and_no_more),
        TEST(a_name_is_shown_when_it_is_harmless),
        TEST(integers_are_read_whatever_their_form),
        TEST(long_lists_are_compared_from_both_ends),
        TEST(what_cannot_be_compared_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
