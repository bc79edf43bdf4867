/* What the scanner refuses and forgives. A text is taken when json_parse gives
 * a tree, so cJSON's view of the rewritten text is part of every test. */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "json/json_scan.h"

static struct json_error why;

static enum err
parse_n(const char *text, size_t n, unsigned lenient)
{
    const struct json *j;
    /* a block of exactly n bytes: reading one more is reported */
    char *exact = malloc(n);
    enum err e;

    assert_true(exact != NULL || n == 0);
    if (n > 0)
        memcpy(exact, text, n);
    e = json_parse(arena, exact, n, lenient, &j, &why);
    free(exact);
    if (e != ERR_OK && e != ERR_NOMEM)
        assert_true(strlen(why.reason) > 0 && why.offset <= n);
    return e;
}

static enum err
parse(const char *text, unsigned lenient)
{
    return parse_n(text, strlen(text), lenient);
}

static void
expect_taken(unsigned lenient, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (parse(texts[i], lenient) != ERR_OK)
            fail_msg("refused: %s (%s)", texts[i], why.reason);
    }
}

static void
expect_refused(unsigned lenient, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (parse(texts[i], lenient) != ERR_BAD_PARAM)
            fail_msg("taken: %s", texts[i]);
    }
}

#define TAKEN(lenient, ...)                                     \
    expect_taken(lenient, (const char *const[]){ __VA_ARGS__ }, \
                 COUNT(((const char *const[]){ __VA_ARGS__ })))
#define REFUSED(lenient, ...)                                     \
    expect_refused(lenient, (const char *const[]){ __VA_ARGS__ }, \
                   COUNT(((const char *const[]){ __VA_ARGS__ })))

static void
expect_reason(const char *text, size_t offset, const char *reason)
{
    assert_int_equal(parse(text, JSON_STRICT), ERR_BAD_PARAM);
    assert_string_equal(why.reason, reason);
    assert_int_equal(why.offset, offset);
}

static void
values_of_every_kind_are_taken(void **state)
{
    (void)state;
    TAKEN(JSON_STRICT, "{}", "[]", " \t\r\n{ } ", "\"\"", "0", "-0", "-1.5e+10",
          "1E5", "0.25", "true", "false", "null", "[1,[2,[3]],{\"a\":[]}]",
          "{\"a\":{\"b\":{}},\"c\":null}", "{\"\":1}", "\"\x7f\"",
          "123456789012345678901234567890");
}

static void
malformed_texts_are_refused(void **state)
{
    (void)state;
    REFUSED(JSON_STRICT, "", " ", "{", "}", "[", "]", "[1", "{\"a\"",
            "{\"a\":", "{\"a\":1", "[,]", "[1 2]", "{\"a\" 1}", "{1:2}",
            "{\"a\":1,}", "[1,]", "[1,,2]", "{,}", "{\"a\":1 \"b\":2}", "tru",
            "truee", "nul", "TRUE", "nan", "NaN", "Infinity", "undefined",
            "'a'", "{a:1}", "\"a", "\"a\\", "/* c */ 1", "{\"a\":}", "[}", "{]",
            "\xef\xbb\xbf{}");
}

static void
numbers_follow_the_grammar(void **state)
{
    (void)state;
    REFUSED(JSON_STRICT, "-", "+1", "01", "-01", "1.", ".5", "1.e5", "1e",
            "1e+", "1e5.0", "0x10", "1_000", "--1", "1-", "0.0.0", "1 .5");
    TAKEN(JSON_STRICT, "1e999999", "-1e-999999", "0e0", "[0,-0.0e-0]");
}

static void
bytes_behind_the_value_are_refused(void **state)
{
    (void)state;
    REFUSED(JSON_STRICT, "{} {}", "{}x", "1 2", "[]]", "{},", "\"a\"\"b\"");
    assert_int_equal(parse_n("{}\0", 3, JSON_STRICT), ERR_BAD_PARAM);
    expect_reason("{} x", 3, "bytes behind the value");
}

static void
nul_and_control_bytes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(parse_n("\"a\0b\"", 5, JSON_STRICT), ERR_BAD_PARAM);
    assert_int_equal(parse_n("{\"a\":\0 1}", 9, JSON_STRICT), ERR_BAD_PARAM);
    assert_int_equal(parse_n("\0", 1, JSON_STRICT), ERR_BAD_PARAM);
    REFUSED(JSON_STRICT, "\"a\nb\"", "\"\t\"", "\"\x1f\"", "[1,\v2]",
            "\"\\u0000\"", "{\"a\\u0000\":1}");
    TAKEN(JSON_STRICT, "\"\\u0001\\u001f\"");
}

static void
what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    REFUSED(JSON_STRICT, "\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"",
            "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe4\xb8\"",
            "{\"\x80\":1}", "\"\xe4\xb8", "[\xc3\xa4]");
    TAKEN(JSON_STRICT, "\"\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\x98\"");
}

static void
lone_surrogates_are_refused(void **state)
{
    (void)state;
    REFUSED(JSON_STRICT, "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
            "\"\\ud800\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\", "\"\\ud83d\"",
            "\"\\u12\"", "\"\\u12g4\"", "\"\\x41\"", "\"\\'\"", "\"\\0\"");
    TAKEN(JSON_STRICT, "\"\\ud83d\\udc18\"", "\"\\uD83D\\uDC18\"",
          "\"\\u00e4\\/\\b\\f\\n\\r\\t\\\"\\\\\"");
}

#define N48 "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNO.$-012"

static void
a_name_given_twice_is_refused(void **state)
{
    (void)state;
    REFUSED(JSON_STRICT, "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
            "{\"\":1,\"\":2}", "[{\"b\":{\"x\":1,\"y\":2,\"x\":3}}]",
            "{\"\\n\":1,\"\\u000a\":2}", "{\"/\":1,\"\\/\":2}",
            "{\"\xc3\xa4\":1,\"\\u00e4\":2}");
    TAKEN(JSON_STRICT, "{\"a\":{\"a\":1},\"b\":{\"a\":2}}",
          "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":2}",
          "{\"ab\":1,\"a\":2,\"abc\":3}", "{\"fooBar\":1,\"foo_bar\":2}");
    expect_reason("{\"ab\":1, \"c\":2, \"ab\":3}", 16, "name given twice: ab");
    /* what is shown of it is harmless, to its last byte */
    expect_reason("{\"<b>\":1,\"<b>\":3}", 9, "name given twice: ?");
    expect_reason("{\"abc<\":1,\"abc<\":3}", 10, "name given twice: ?");
    expect_reason("{\"" N48 "\":1,\"" N48 "\":3}", 54,
                  "name given twice: " N48);
    expect_reason("{\"x" N48 "\":1,\"x" N48 "\":3}", 55, "name given twice: ?");
}

static void
camel_and_snake_are_one_name_when_the_dialect_says_so(void **state)
{
    (void)state;
    REFUSED(JSON_CAMEL_SNAKE, "{\"fooBar\":1,\"foo_bar\":2}",
            "{\"a_b_c\":1,\"x\":0,\"aBC\":2}", "{\"a\":1,\"a\":1}");
    TAKEN(JSON_CAMEL_SNAKE, "{\"fooBar\":1,\"foobar\":2,\"FooBar\":3}",
          "{\"foo_bar\":1,\"foo_baz\":2}", "{\"a_\":1,\"b_\":2}");
}

static void
trailing_commas_are_forgiven_when_the_dialect_says_so(void **state)
{
    (void)state;
    TAKEN(JSON_TRAILING_COMMA, "[1,]", "{\"a\":1,}", "[[1,],]",
          "{\"a\":[1, ] , }", "[1]");
    REFUSED(JSON_TRAILING_COMMA, "[,]", "[1,,]", "{,}", "[1,2", "[1,",
            "{\"a\":1,,}", "1,", "[1,]]", "[1,}");
}

static void
bytes_behind_the_value_are_forgiven_when_the_dialect_says_so(void **state)
{
    (void)state;
    TAKEN(JSON_TAIL, "{} x", "{\"a\":1}{\"b\":", "[1]]", "1 \xff");
    REFUSED(JSON_TAIL, "", " ", "{\"a\":1", "x {}", "[1,]");
}

static void
bare_names_are_forgiven_when_the_dialect_says_so(void **state)
{
    (void)state;
    TAKEN(JSON_BARE_KEYS, "{a:1}", "{a_1:1,$b:2,\"c\":3, d : 4}");
    REFUSED(JSON_BARE_KEYS, "{1a:1}", "{a-b:1}", "{a:b}", "{a 1}", "{:1}",
            "{a:1,a:2}", "{a:1,\"a\":2}", "{'a':1}", "{\xc3\xa4:1}", "{a");
}

static void
single_quotes_are_forgiven_when_the_dialect_says_so(void **state)
{
    (void)state;
    TAKEN(JSON_SINGLE_QUOTES, "{'a':'b'}", "'it\\'s \"so\"'", "\"it's\"",
          "['', \"\", '\"']");
    REFUSED(JSON_SINGLE_QUOTES, "'a\"", "\"a'", "'", "{'a':1,\"a\":2}");
}

static void
nesting_is_bounded(void **state)
{
    char text[2 * (JSON_MAX_DEPTH + 1)];
    const size_t n = JSON_MAX_DEPTH;

    (void)state;
    memset(text, '[', n);
    memset(text + n, ']', n);
    assert_int_equal(parse_n(text, 2 * n, JSON_STRICT), ERR_OK);
    memset(text, '[', n + 1);
    memset(text + n + 1, ']', n + 1);
    assert_int_equal(parse_n(text, 2 * n + 2, JSON_STRICT), ERR_LIMIT);
    assert_string_equal(why.reason, "nested deeper than 64");
}

static void
a_million_open_brackets_are_refused_at_the_same_depth(void **state)
{
    size_t n = 1 << 20;
    char *text = malloc(n);

    (void)state;
    assert_non_null(text);
    memset(text, '[', n);
    assert_int_equal(parse_n(text, n, JSON_STRICT), ERR_LIMIT);
    assert_int_equal(why.offset, JSON_MAX_DEPTH);
    free(text);
}

static void
every_prefix_of_a_text_is_refused(void **state)
{
    static const char text[] =
        "{\"a\\u00e4\\ud83d\\udc18\":[1,-2.5e+10,true,false,null,\"\xe4\xb8\xad"
        "\\\"\"],\"b\":{\"c\":{}}, 'x' : 'y', bare:[1,],}";
    const unsigned all = JSON_TRAILING_COMMA | JSON_BARE_KEYS |
                         JSON_SINGLE_QUOTES | JSON_CAMEL_SNAKE;

    (void)state;
    assert_int_equal(parse(text, all), ERR_OK);
    for (size_t n = 0; n < sizeof(text) - 1; n++)
        assert_int_equal(parse_n(text, n, all), ERR_BAD_PARAM);
}

/* Work is counted in comparisons: pairs of 38,000 names would be 700 million,
 * sorting them takes some 600,000. */
static void
an_object_of_many_names_is_bounded_work(void **state)
{
    struct buf b = BUF_INIT(2 << 20);
    size_t n = 0;

    (void)state;
    buf_putc(&b, '{');
    while (b.n < (1 << 20) - 32 && n < json_max_values(1 << 20) - 2) {
        buf_printf(&b, "%s\"%0*zu\":1", n > 0 ? "," : "", 20, n);
        n++;
    }
    buf_puts(&b, "}");
    assert_true(n > 38000);
    buf_fill(&b, ' ', (1 << 20) - b.n);
    assert_int_equal(parse_n(b.p, b.n, JSON_STRICT), ERR_OK);
    assert_int_equal(parse_n(b.p, b.n, JSON_CAMEL_SNAKE), ERR_OK);
    buf_free(&b);
}

/* Half a million in a MiB of a client's; ours are read all. */
static void
more_values_than_the_memory_allows_are_refused(void **state)
{
    struct buf b = BUF_INIT(2 << 20);

    (void)state;
    buf_putc(&b, '[');
    for (int i = 0; i < 500000; i++)
        buf_puts(&b, "0,");
    buf_puts(&b, "0]");
    assert_int_equal(parse_n(b.p, b.n, JSON_STRICT), ERR_LIMIT);
    assert_string_equal(why.reason, "too many values");
    assert_int_equal(parse_n(b.p, b.n, JSON_OWN), ERR_OK);
    buf_free(&b);
}

/* A client's tree of 64 lies within a document of ours. */
static void
what_we_have_written_may_be_twice_as_deep(void **state)
{
    struct buf b = BUF_INIT(1024);

    (void)state;
    buf_fill(&b, '[', 2 * JSON_MAX_DEPTH);
    buf_fill(&b, ']', 2 * JSON_MAX_DEPTH);
    assert_int_equal(parse_n(b.p, b.n, JSON_STRICT), ERR_LIMIT);
    assert_int_equal(parse_n(b.p, b.n, JSON_OWN), ERR_OK);
    buf_reset(&b);
    buf_fill(&b, '[', 2 * JSON_MAX_DEPTH + 1);
    buf_fill(&b, ']', 2 * JSON_MAX_DEPTH + 1);
    assert_int_equal(parse_n(b.p, b.n, JSON_OWN), ERR_LIMIT);
    assert_string_equal(why.reason, "nested too deep");
    buf_free(&b);
}

static void
the_rewritten_text_has_tags_and_one_form_of_escapes(void **state)
{
    static const char text[] = "{ a : [1.50e1 , true,false,null, 'x\"\\u0041"
                               "\\/\\u000a\\u0001\\u00e4' ,] }";
    struct json_scanned s;

    (void)state;
    assert_int_equal(
        json_scan(text, strlen(text),
                  JSON_BARE_KEYS | JSON_SINGLE_QUOTES | JSON_TRAILING_COMMA, &s,
                  &why),
        ERR_OK);
    assert_string_equal(buf_text(&s.text),
                        "{\"a\":[\"n1.50e1\",\"t\",\"f\",\"z\","
                        "\"sx\\\"A/\\n\\u0001\xc3\xa4\"]}");
    assert_int_equal(s.n, 7);
    json_scanned_free(&s);
    assert_int_equal(s.n, 0);
    assert_null(s.extents);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(values_of_every_kind_are_taken),
        T(malformed_texts_are_refused),
        T(numbers_follow_the_grammar),
        T(bytes_behind_the_value_are_refused),
        T(nul_and_control_bytes_are_refused),
        T(what_is_not_utf8_is_refused),
        T(lone_surrogates_are_refused),
        T(a_name_given_twice_is_refused),
        T(camel_and_snake_are_one_name_when_the_dialect_says_so),
        T(trailing_commas_are_forgiven_when_the_dialect_says_so),
        T(bytes_behind_the_value_are_forgiven_when_the_dialect_says_so),
        T(bare_names_are_forgiven_when_the_dialect_says_so),
        T(single_quotes_are_forgiven_when_the_dialect_says_so),
        T(nesting_is_bounded),
        T(a_million_open_brackets_are_refused_at_the_same_depth),
        T(every_prefix_of_a_text_is_refused),
        T(an_object_of_many_names_is_bounded_work),
        T(more_values_than_the_memory_allows_are_refused),
        T(what_we_have_written_may_be_twice_as_deep),
        T(the_rewritten_text_has_tags_and_one_form_of_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
