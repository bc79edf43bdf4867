/* What the JSON writer prints. */
#include "json.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct json_style compact = { 0 };
static const struct json_style pretty = { .indent = 4 };
static const struct json_style protobuf = { .i64_as_string = true };
static const struct json_style leaves = { .all_leaves_string = true };
static const struct json_style go = { .html_escape = true };
static const struct json_style ascii = { .ascii_only = true };

static struct buf out = BUF_INIT(1 << 20);
static struct json_writer w;

static void
start(const struct json_style *style)
{
    buf_reset(&out);
    jw_init(&w, &out, style);
}

static void
printed(const char *want)
{
    assert_int_equal(buf_err(&out), ERR_OK);
    assert_string_equal(buf_text(&out), want);
    assert_int_equal(strlen(buf_text(&out)), out.n);
}

static void
prints_string(const struct json_style *style, const char *s, const char *want)
{
    start(style);
    jw_str(&w, s);
    printed(want);
}

static void
write_sample(void)
{
    jw_object(&w);
    jw_key(&w, "a");
    jw_array(&w);
    jw_i32(&w, 1);
    jw_object(&w);
    jw_object_end(&w);
    jw_array(&w);
    jw_array_end(&w);
    jw_object(&w);
    jw_plain_key(&w, "x", 1);
    jw_null(&w);
    jw_object_end(&w);
    jw_array_end(&w);
    jw_key(&w, "b");
    jw_bool(&w, true);
    jw_object_end(&w);
}

static void
containers_are_compact_by_default(void **state)
{
    (void)state;
    start(&compact);
    write_sample();
    printed("{\"a\":[1,{},[],{\"x\":null}],\"b\":true}");
}

static void
containers_are_indented_when_the_style_says_so(void **state)
{
    (void)state;
    start(&pretty);
    write_sample();
    printed("{\n"
            "    \"a\": [\n"
            "        1,\n"
            "        {},\n"
            "        [],\n"
            "        {\n"
            "            \"x\": null\n"
            "        }\n"
            "    ],\n"
            "    \"b\": true\n"
            "}");
}

static void
a_blank_behind_the_name_needs_no_indentation(void **state)
{
    static const struct json_style style = { .key_space = true };

    (void)state;
    start(&style);
    write_sample();
    printed("{\"a\": [1,{},[],{\"x\": null}],\"b\": true}");
}

static void
ready_text_is_indented_to_its_place(void **state)
{
    static const char doc[] = "{\n        \"a\": \"x\\ny\"\n    }";

    (void)state;
    start(&pretty);
    jw_object(&w);
    jw_key(&w, "result");
    jw_raw(&w, doc, strlen(doc));
    jw_key(&w, "list");
    jw_array(&w);
    jw_raw(&w, doc, strlen(doc));
    jw_raw(&w, "[]", 2);
    jw_array_end(&w);
    jw_object_end(&w);
    printed("{\n"
            "    \"result\": {\n"
            "        \"a\": \"x\\ny\"\n"
            "    },\n"
            "    \"list\": [\n"
            "        {\n"
            "            \"a\": \"x\\ny\"\n"
            "        },\n"
            "        []\n"
            "    ]\n"
            "}");
}

/* In a block of its own size: reading one byte more is reported. */
static void
write_exact(const char *doc)
{
    size_t n = strlen(doc);
    char *exact = malloc(n);

    assert_non_null(exact);
    memcpy(exact, doc, n);
    jw_raw(&w, exact, n);
    free(exact);
}

static void
ready_text_is_set_however_it_was_written(void **state)
{
    static const char *const docs[] = {
        "{\"a\":[1,{},[ ],\"}{][,:\\\"\\\\\"],\"b\":{\"c\":-1.5e3}}",
        " { \"a\" :\n[1 , { } ,[],\t\"}{][,:\\\"\\\\\" ] , \"b\": {\"c\": "
        "-1.5e3\r\n}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(docs); i++) {
        start(&pretty);
        write_exact(docs[i]);
        printed("{\n"
                "    \"a\": [\n"
                "        1,\n"
                "        {},\n"
                "        [],\n"
                "        \"}{][,:\\\"\\\\\"\n"
                "    ],\n"
                "    \"b\": {\n"
                "        \"c\": -1.5e3\n"
                "    }\n"
                "}");
    }
}

/* A row that was spoilt by hand: nothing but its own text suffers. */
static void
ready_text_that_is_no_json_stays_in_bounds(void **state)
{
    static const char *const docs[] = { "}}]]}", "{[{[", "\"x", "\"\\", "{\"a",
                                        ",,",    "nul",  "{",   "1 ",   "[ " };

    (void)state;
    for (size_t i = 0; i < COUNT(docs); i++) {
        start(&pretty);
        jw_array(&w);
        write_exact(docs[i]);
        assert_int_equal(w.depth, 1);
        jw_array_end(&w);
        assert_true(out.n < 200);
    }
    start(&pretty);
    jw_raw(&w, "\0[1]", 4); /* it is passed over alone */
    assert_int_equal(out.n, sizeof("\0[\n    1\n]") - 1);
    assert_memory_equal(out.p, "\0[\n    1\n]", out.n);
}

static void
ready_text_of_no_bytes_is_null(void **state)
{
    (void)state;
    start(&compact);
    jw_array(&w);
    jw_raw(&w, "1", 1);
    jw_raw(&w, NULL, 0);
    jw_array_end(&w);
    printed("[1,null]");
}

static void
strings_are_escaped(void **state)
{
    (void)state;
    prints_string(&compact, "", "\"\"");
    prints_string(&compact, "\"\\/<>&'", "\"\\\"\\\\/<>&'\"");
    prints_string(&compact, "\b\t\n\v\f\r\x01\x1f\x7f",
                  "\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\x7f\"");
    start(&compact);
    jw_strn(&w, "a\0b", 3);
    printed("\"a\\u0000b\"");
    start(&compact);
    jw_strn(&w, NULL, 0);
    printed("\"\"");
}

static void
every_byte_survives_a_parse(void **state)
{
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        const char s[] = { 'a', (char)c, 'b', '\0' };
        struct arena *a = arena_new(4096);
        const struct json *j;
        struct json_error why;

        start(c % 2 ? &compact : &go);
        jw_str(&w, s);
        assert_int_equal(json_parse(a, out.p, out.n, JSON_STRICT, &j, &why),
                         ERR_OK);
        assert_string_equal(json_text(j), s);
        arena_free(a);
    }
}

/* However many bytes are looked at together. */
static void
a_byte_is_escaped_wherever_it_stands(void **state)
{
    enum { LONG = 27 };
    char text[LONG + 1], want[4 * LONG], alone[16];

    (void)state;
    for (int c = 0; c < 0x80; c++) {
        const char one = (char)c;

        start(&compact);
        jw_strn(&w, &one, 1);
        (void)snprintf(alone, sizeof(alone), "%.*s", (int)out.n - 2, out.p + 1);
        for (int at = 0; at < LONG; at++) {
            memset(text, 'a', LONG);
            text[at] = one;
            (void)snprintf(want, sizeof(want), "\"%.*s%s%.*s\"", at,
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaa", alone, LONG - 1 - at,
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaa");
            start(&compact);
            jw_strn(&w, text, LONG);
            printed(want);
        }
    }
}

static void
names_are_escaped_like_strings(void **state)
{
    (void)state;
    start(&compact);
    jw_object(&w);
    jw_key(&w, "a\"b");
    jw_i32(&w, 0);
    jw_object_end(&w);
    printed("{\"a\\\"b\":0}");
}

static void
go_escapes_what_ends_a_script(void **state)
{
    (void)state;
    prints_string(&go, "<a&b>", "\"\\u003ca\\u0026b\\u003e\"");
    prints_string(&go, "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
                  "\"\\u2028\\u2029\xe2\x80\xaa\"");
    prints_string(&compact, "\xe2\x80\xa8", "\"\xe2\x80\xa8\"");
}

static void
beyond_ascii_is_escaped_when_the_style_says_so(void **state)
{
    (void)state;
    prints_string(&ascii, "\xc3\xa4\xf0\x9f\x90\x98z",
                  "\"\\u00e4\\ud83d\\udc18z\"");
    prints_string(&ascii, "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
                  "\"\\uffff\\ud800\\udc00\\udbff\\udfff\"");
    prints_string(&compact, "\xc3\xa4\xf0\x9f\x90\x98z",
                  "\"\xc3\xa4\xf0\x9f\x90\x98z\"");
}

static void
what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    prints_string(&compact, "a\xff\xe4\xb8z",
                  "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
    prints_string(&ascii, "\x80", "\"\\ufffd\"");
}

static void
a_member_may_be_told_with_its_text(void **state)
{
    (void)state;
    start(&compact);
    jw_object(&w);
    jw_key_str(&w, "a\"", "b\n");
    jw_key_str(&w, "c", "");
    jw_object_end(&w);
    printed("{\"a\\\"\":\"b\\n\",\"c\":\"\"}");
}

static void
integers_are_numbers_or_strings_by_style(void **state)
{
    (void)state;
    start(&compact);
    jw_array(&w);
    jw_i32(&w, INT32_MIN);
    jw_i64(&w, INT64_MIN);
    jw_u64(&w, UINT64_MAX);
    jw_array_end(&w);
    printed("[-2147483648,-9223372036854775808,18446744073709551615]");
    start(&protobuf);
    jw_array(&w);
    jw_i32(&w, 7);
    jw_i64(&w, -7);
    jw_u64(&w, 7);
    jw_array_end(&w);
    printed("[7,\"-7\",\"7\"]");
}

static void
every_leaf_is_a_string_when_the_style_says_so(void **state)
{
    (void)state;
    start(&leaves);
    jw_array(&w);
    jw_i32(&w, 1);
    jw_i64(&w, -2);
    jw_u64(&w, 3);
    jw_bool(&w, false);
    jw_f64(&w, 99.999);
    jw_f64(&w, -0.0000001);
    jw_f64(&w, -0.004);
    jw_f64(&w, -0.006);
    jw_f64(&w, -0.005); /* a little more than that */
    jw_null(&w);
    jw_str(&w, "x");
    jw_array_end(&w);
    printed("[\"1\",\"-2\",\"3\",\"false\",\"100.00\",\"0.00\",\"0.00\","
            "\"-0.01\",\"-0.01\",\"\",\"x\"]");
    start(&leaves);
    jw_f64(&w, -DBL_MAX);
    assert_int_equal(out.n, 1 + 1 + 309 + 3 + 1);
}

static void
doubles_have_the_fewest_digits_that_read_back(void **state)
{
    static const double some[] = { 0,
                                   1,
                                   -1,
                                   0.1,
                                   0.3,
                                   1e21,
                                   5e-324,
                                   DBL_MAX,
                                   1.0 / 3,
                                   123456.789,
                                   9007199254740993.0 };

    (void)state;
    for (size_t i = 0; i < COUNT(some); i++) {
        start(&compact);
        jw_f64(&w, some[i]);
        assert_true(strtod(buf_text(&out), NULL) == some[i]);
    }
    start(&compact);
    jw_array(&w);
    jw_f64(&w, 0.1);
    jw_f64(&w, 42);
    jw_f64(&w, NAN);
    jw_f64(&w, INFINITY);
    jw_array_end(&w);
    printed("[0.1,42,null,null]");
    start(&compact); /* of 15, 16 and 17 digits */
    jw_array(&w);
    jw_f64(&w, 5e-324);
    jw_f64(&w, 1.0 / 3);
    jw_f64(&w, 0.1 + 0.2);
    jw_array_end(&w);
    printed("[4.94065645841247e-324,0.3333333333333333,"
            "0.30000000000000004]");
}

static void
bytes_are_printed_as_base64(void **state)
{
    static const char *const want[] = { "\"\"",         "\"Zg==\"",
                                        "\"Zm8=\"",     "\"Zm9v\"",
                                        "\"Zm9vYg==\"", "\"Zm9vYmE=\"",
                                        "\"Zm9vYmFy\"" };

    (void)state;
    for (size_t n = 0; n < COUNT(want); n++) {
        start(&compact);
        jw_base64(&w, "foobar", n);
        printed(want[n]);
    }
    start(&compact);
    jw_base64(&w, "\xfb\xff", 2);
    printed("\"+/8=\"");
}

static enum err
append(struct buf *b, void *ctx)
{
    buf_put(ctx, b->p, b->n);
    return ERR_OK;
}

/* Every boundary between two drains falls somewhere into the sample once. */
static void
a_streamed_text_is_the_same_as_a_whole_one(void **state)
{
    (void)state;
    for (size_t max = 1; max < 60; max++) {
        struct buf all = BUF_INIT(10000), b = BUF_INIT(max);

        start(&pretty);
        write_sample();
        b.drain = append;
        b.drain_ctx = &all;
        jw_init(&w, &b, &pretty);
        write_sample();
        buf_put(&all, b.p, b.n);
        assert_int_equal(buf_err(&b), ERR_OK);
        assert_string_equal(buf_text(&all), buf_text(&out));
        buf_free(&b);
        buf_free(&all);
    }
}

static int
release(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_are_compact_by_default),
        cmocka_unit_test(containers_are_indented_when_the_style_says_so),
        cmocka_unit_test(a_blank_behind_the_name_needs_no_indentation),
        cmocka_unit_test(ready_text_is_indented_to_its_place),
        cmocka_unit_test(ready_text_is_set_however_it_was_written),
        cmocka_unit_test(ready_text_that_is_no_json_stays_in_bounds),
        cmocka_unit_test(ready_text_of_no_bytes_is_null),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(every_byte_survives_a_parse),
        cmocka_unit_test(a_byte_is_escaped_wherever_it_stands),
        cmocka_unit_test(names_are_escaped_like_strings),
        cmocka_unit_test(go_escapes_what_ends_a_script),
        cmocka_unit_test(beyond_ascii_is_escaped_when_the_style_says_so),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(a_member_may_be_told_with_its_text),
        cmocka_unit_test(integers_are_numbers_or_strings_by_style),
        cmocka_unit_test(every_leaf_is_a_string_when_the_style_says_so),
        cmocka_unit_test(doubles_have_the_fewest_digits_that_read_back),
        cmocka_unit_test(bytes_are_printed_as_base64),
        cmocka_unit_test(a_streamed_text_is_the_same_as_a_whole_one),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
