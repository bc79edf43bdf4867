/* What the tree of a JSON text gives back. */
#include "json.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "json/json_scan.h"

static const struct json *
parse(const char *text)
{
    const struct json *j = NULL;
    struct json_error why;

    if (json_parse(arena, text, strlen(text), JSON_STRICT, &j, &why) != ERR_OK)
        fail_msg("%s: %s", text, why.reason);
    return j;
}

static void
expect_span(const struct json *j, const char *want)
{
    struct span s = json_span(j);

    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

static void
digits_are_kept_as_written(void **state)
{
    (void)state;
    assert_string_equal(json_text(parse("18446744073709551615")),
                        "18446744073709551615");
    assert_string_equal(json_text(parse(" -1.50E+07 ")), "-1.50E+07");
    assert_int_equal(json_type(parse("0")), JSON_NUMBER);
}

static void
scalars_have_their_type_and_text(void **state)
{
    (void)state;
    assert_int_equal(json_type(parse("true")), JSON_BOOL);
    assert_string_equal(json_text(parse("true")), "true");
    assert_string_equal(json_text(parse("false")), "false");
    assert_int_equal(json_type(parse("null")), JSON_NULL);
    assert_string_equal(json_text(parse("null")), "");
    assert_int_equal(json_type(parse("\"null\"")), JSON_STRING);
    assert_string_equal(json_text(parse("\"null\"")), "null");
    assert_string_equal(json_text(parse("\"\"")), "");
    assert_string_equal(json_text(parse("[]")), "");
    assert_string_equal(json_text(parse("{}")), "");
}

static void
escapes_are_resolved(void **state)
{
    (void)state;
    assert_string_equal(
        json_text(parse("\"a\\n\\t\\\"\\\\\\/\\u00e4\\ud83d\\udc18\\u0001\"")),
        "a\n\t\"\\/\xc3\xa4\xf0\x9f\x90\x98\x01");
    /* every hexadecimal digit, in either case */
    assert_string_equal(
        json_text(parse("\"\\u0123\\u4567\\u89ab\\ucdef\\uABCD\\uEF01\"")),
        "\xc4\xa3\xe4\x95\xa7\xe8\xa6\xab\xec\xb7\xaf\xea\xaf\x8d"
        "\xee\xbc\x81");
}

static void
members_are_found_by_their_exact_name(void **state)
{
    const struct json *j = parse("{\"a\":1,\"A\":2,\"\\u0062\":3}");

    (void)state;
    assert_string_equal(json_text(json_member(j, "a")), "1");
    assert_string_equal(json_text(json_member(j, "A")), "2");
    assert_string_equal(json_text(json_member(j, "b")), "3");
    assert_null(json_member(j, "c"));
    assert_null(json_member(json_member(j, "a"), "a"));
    assert_null(json_member(parse("[1]"), ""));
}

static void
children_come_in_the_order_of_the_text(void **state)
{
    const struct json *j = json_first(parse("{\"z\":[],\"a\":{},\"m\":0}"));

    (void)state;
    assert_string_equal(json_key(j), "z");
    assert_null(json_first(j));
    j = json_next(j);
    assert_string_equal(json_key(j), "a");
    j = json_next(j);
    assert_string_equal(json_key(j), "m");
    assert_null(json_next(j));
    assert_string_equal(json_key(parse("1")), "");
}

static void
spans_are_the_bytes_as_sent(void **state)
{
    static const char text[] =
        " {\"a\" : [ 1.50 , \"\\u0041\" ], \"b\":{ \"c\" : null } } ";
    const struct json *j = parse(text), *a = json_member(j, "a");

    (void)state;
    expect_span(j, "{\"a\" : [ 1.50 , \"\\u0041\" ], \"b\":{ \"c\" : null } }");
    expect_span(a, "[ 1.50 , \"\\u0041\" ]");
    expect_span(json_first(a), "1.50");
    expect_span(json_next(json_first(a)), "\"\\u0041\"");
    expect_span(json_member(json_member(j, "b"), "c"), "null");
}

static void
spans_outlive_the_text_they_were_made_from(void **state)
{
    char text[] = "[12345]";
    const struct json *j = parse(text);

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    expect_span(j, "[12345]");
}

static void
without_memory_in_the_arena_parsing_fails_cleanly(void **state)
{
    struct arena *small = arena_new(64);
    char text[200] = "[";
    const struct json *j;
    struct json_error why;

    (void)state;
    memset(text + 1, ' ', sizeof(text) - 3);
    text[sizeof(text) - 2] = ']';
    assert_int_equal(json_parse(small, text, strlen(text), 0, &j, &why),
                     ERR_NOMEM);
    arena_free(small);
}

#ifdef METAGATE_ASAN
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc has no header */

/* The sanitizer counts what was asked for; glibc rounds every piece up. */
static size_t
allocated(size_t rounding)
{
    return __sanitizer_get_current_allocated_bytes() + rounding;
}
#else
static size_t
allocated(size_t rounding)
{
    struct mallinfo2 m = mallinfo2();

    (void)rounding;
    return m.uordblks + m.hblkhd;
}
#endif

/* A MiB of as many units as are read, each of so many values and pieces of
 * memory; a # in the unit is its number. */
static void
expect_bounded(char open, const char *unit, size_t values, size_t pieces)
{
    const size_t body = 1 << 20;
    struct arena *a = arena_new(64 << 20);
    struct buf b = BUF_INIT(body);
    size_t before, n = 0;
    const struct json *j;
    struct json_error why;

    buf_putc(&b, open);
    while (b.n + 64 < body && (n + 1) * values < json_max_values(body)) {
        buf_putc(&b, n > 0 ? ',' : ' ');
        for (const char *p = unit; *p != '\0'; p++) {
            if (*p == '#')
                buf_printf(&b, "%05zx", n);
            else
                buf_putc(&b, *p);
        }
        n++;
    }
    buf_putc(&b, open == '{' ? '}' : ']');
    buf_fill(&b, ' ', body - b.n);
    before = allocated(0);
    assert_int_equal(json_parse(a, b.p, b.n, 0, &j, &why), ERR_OK);
    assert_true(allocated(n * pieces * 16) - before <= 16 * body + (8 << 20));
    buf_free(&b);
    arena_free(a);
}

/* The bodies that make the most of a byte. */
static void
memory_is_bounded_by_the_size_of_the_text(void **state)
{
    (void)state;
    expect_bounded('[', "0", 1, 2);
    expect_bounded('[', "{}", 1, 1);
    expect_bounded('[', "{\"a\":\"b\"}", 2, 4);
    expect_bounded('[', "\"0123456789012345678901\"", 1, 2);
    expect_bounded('{', "\"#\":1", 1, 4);
    expect_bounded('{', "\"#0123456789012\":\"#0123456789012\"", 1, 4);
}

static void
expect_i64(const char *text, bool integral, enum err want_err, int64_t want)
{
    int64_t v = 0;

    assert_int_equal(json_to_i64(text, integral, &v), want_err);
    if (want_err == ERR_OK)
        assert_true(v == want);
}

static void
expect_u64(const char *text, bool integral, enum err want_err, uint64_t want)
{
    uint64_t v = 0;

    assert_int_equal(json_to_u64(text, integral, &v), want_err);
    if (want_err == ERR_OK)
        assert_true(v == want);
}

static void
integers_keep_all_their_digits(void **state)
{
    (void)state;
    expect_i64("0", false, ERR_OK, 0);
    expect_i64("-0", false, ERR_OK, 0);
    expect_i64("9223372036854775807", false, ERR_OK, INT64_MAX);
    expect_i64("-9223372036854775808", false, ERR_OK, INT64_MIN);
    expect_i64("9223372036854775808", false, ERR_LIMIT, 0);
    expect_i64("-9223372036854775809", false, ERR_LIMIT, 0);
    expect_i64("1000000000000000000", false, ERR_OK, 1000000000000000000);
    expect_i64("00012", false, ERR_OK, 12);
    expect_u64("18446744073709551615", false, ERR_OK, UINT64_MAX);
    expect_u64("18446744073709551616", false, ERR_LIMIT, 0);
    expect_u64("100000000000000000000000", false, ERR_LIMIT, 0);
    expect_u64("-0", false, ERR_OK, 0);
    expect_u64("-1", false, ERR_LIMIT, 0);
}

static void
what_is_no_integer_is_refused(void **state)
{
    static const char *const texts[] = { "",    "-",   "+1",   " 1",  "1 ",
                                         "1a",  "0x1", "1-",   "--1", "1e",
                                         "1.",  ".5",  "1.5.", "e5",  "1e+",
                                         "nan", "inf", "1e5x" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        expect_i64(texts[i], false, ERR_BAD_PARAM, 0);
        expect_i64(texts[i], true, ERR_BAD_PARAM, 0);
        expect_u64(texts[i], true, ERR_BAD_PARAM, 0);
    }
    expect_i64("9050.0", false, ERR_BAD_PARAM, 0);
    expect_i64("1e3", false, ERR_BAD_PARAM, 0);
}

static void
integral_floats_are_taken_where_allowed(void **state)
{
    (void)state;
    expect_i64("9050.0", true, ERR_OK, 9050);
    expect_i64("9.05e3", true, ERR_OK, 9050);
    expect_i64("-90500e-1", true, ERR_OK, -9050);
    expect_i64("0.0e99999", true, ERR_OK, 0);
    expect_i64("0.00000000000000000000000000012e29", true, ERR_OK, 12);
    expect_i64("1200000000000000000000000000000e-29", true, ERR_OK, 12);
    expect_i64("9.223372036854775807e18", true, ERR_OK, INT64_MAX);
    expect_i64("9.223372036854775808e18", true, ERR_LIMIT, 0);
    expect_u64("1.8446744073709551615e19", true, ERR_OK, UINT64_MAX);
    expect_i64("9050.5", true, ERR_BAD_PARAM, 0);
    expect_i64("9.055e2", true, ERR_BAD_PARAM, 0);
    expect_i64("1e-1", true, ERR_BAD_PARAM, 0);
}

static void
huge_exponents_are_out_of_range(void **state)
{
    (void)state;
    expect_i64("1e999999", true, ERR_LIMIT, 0);
    expect_i64("-1e99999999999999999999999999", true, ERR_LIMIT, 0);
    expect_i64("1e-99999999999999999999999999", true, ERR_BAD_PARAM, 0);
    expect_u64("1e20", true, ERR_LIMIT, 0);
    expect_i64("1e999999", false, ERR_BAD_PARAM, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(digits_are_kept_as_written),
        T(scalars_have_their_type_and_text),
        T(escapes_are_resolved),
        T(members_are_found_by_their_exact_name),
        T(children_come_in_the_order_of_the_text),
        T(spans_are_the_bytes_as_sent),
        T(spans_outlive_the_text_they_were_made_from),
        T(without_memory_in_the_arena_parsing_fails_cleanly),
        T(memory_is_bounded_by_the_size_of_the_text),
        T(integers_keep_all_their_digits),
        T(what_is_no_integer_is_refused),
        T(integral_floats_are_taken_where_allowed),
        T(huge_exponents_are_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
