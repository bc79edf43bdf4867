/* Texts of failures: what the placeholders of a row give, and where a text
 * ends. */
#include "request/failure.h"

#include <stdio.h>
#include <stdlib.h>

#include "request.h"
#include "request/form_text.h"

static const struct enum_name colour_names[] = {
    { "RED", 1 },
    { "BLUE", 2 },
    { NULL, 0 },
};

#define INNER(X, s) X(s, STR, key, "key", IN, -)
STRUCT(inner, INNER);
TABLE(inner, INNER);

#define THING(X, s)                             \
    X(s, STR, name, "name", IN, -)              \
    X(s, STR, path, "path", IN, -)              \
    X(s, STR, secret, "secret", IN | SECRET, -) \
    X(s, ENUM, colour, "colour", IN, colour)    \
    X(s, I32, i32, "i32", IN, -)                \
    X(s, I64, i64, "i64", IN, -)                \
    X(s, U64, u64, "u64", IN, -)                \
    X(s, BOOL, on, "on", IN, -)                 \
    X(s, OBJ, inner, "inner", IN, inner)        \
    X(s, I32, dashed, "da-sh.ed", IN, -)        \
    X(s, I32, lettered, "aZ_09", IN, -)
STRUCT(thing, THING);
TABLE(thing, THING);

enum { ROW };

static struct thing in;

/* The text of a failure whose row says so. */
static const char *
says_with(const char *text, struct args args)
{
    errors[ROW] = (struct error_text){
        .id = "ROW", .err = ERR_STATE, .http = 409, .code = "R", .text = text
    };
    io.in = &in;
    io.in_rec = &thing_rec;
    assert_int_equal(req_fail(&r, ROW, args), ERR_STATE);
    return io.failure.text;
}

#define SAYS(row, text, ...) \
    assert_string_equal(says_with(row, ARGS(__VA_ARGS__)), text)

static int
begin(void **state)
{
    memset(&in, 0, sizeof(in));
    return setup(state);
}

/* ---- placeholders ---- */

static void
what_the_request_is_stands_under_its_names(void **state)
{
    (void)state;
    SAYS("{method} {path} {operation} {label}.", "POST /a/thing thing .");
    mount.label = "v1/";
    SAYS("{label}{operation}", "v1/thing");
}

static void
an_argument_goes_before_the_request_and_that_before_the_input(void **state)
{
    (void)state;
    PUT(&in, thing, path, "of the input");
    PUT(&in, thing, name, "n");
    SAYS("{path} {name}", "/a/thing n");
    SAYS("{path} {name}", "given also", arg("name", "also"),
         arg("path", "given"));
    SAYS("{path}.", ".", arg("path", NULL), arg("path", "second"));
}

static void
members_of_the_input_are_printed_as_readers_expect(void **state)
{
    struct inner inner = { .has = 0 };

    (void)state;
    PUT(&in, thing, name, "a \"b\"");
    PUT(&in, thing, secret, "hush");
    PUT(&in, thing, colour, 2);
    PUT(&in, thing, i32, -2147483647);
    PUT(&in, thing, i64, -9007199254740993);
    PUT(&in, thing, u64, 18446744073709551615u);
    PUT(&in, thing, on, true);
    PUT(&inner, inner, key, "k");
    in.inner = &inner;
    SAYS("{name}|{secret}|{colour}|{i32}|{i64}|{u64}|{on}|{inner}|{inner.key}",
         "a \"b\"|***|BLUE|-2147483647|-9007199254740993|18446744073709551615||"
         "{\"key\":\"k\"}|k");
}

static void
what_is_absent_or_unknown_is_empty(void **state)
{
    (void)state;
    in.name = "not present";
    in.i32 = 5;
    SAYS("{name}|{i32}|{inner}|{inner.key}|{nobody}|", "|||||");
    says_with("", ARGS());
    io.in = NULL;
    errors[ROW].text = "{name}|{input}|{i32}";
    PUT(&in, thing, name, "n");
    assert_int_equal(req_fail(&r, ROW, ARGS()), ERR_STATE);
    assert_string_equal(io.failure.text, "||");
}

static void
the_whole_input_is_json_without_its_secrets(void **state)
{
    (void)state;
    PUT(&in, thing, name, "n");
    PUT(&in, thing, secret, "hush");
    PUT(&in, thing, i64, 5);
    SAYS("{input}", "{\"name\":\"n\",\"secret\":\"***\",\"i64\":\"5\"}");
}

static void
values_are_not_expanded_again(void **state)
{
    (void)state;
    PUT(&in, thing, name, "{path}%s");
    SAYS("{name} {why}", "{path}%s {name}", arg("why", "{name}"));
}

static void
braces_around_no_name_are_text(void **state)
{
    (void)state;
    PUT(&in, thing, lettered, 7);
    SAYS("{", "{");
    SAYS("{}", "{}");
    SAYS("{a b}", "{a b}");
    SAYS("{name", "{name");
    SAYS("{{i32}}", "{}");
    SAYS("{\"key\": 1}", "{\"key\": 1}");
    SAYS("{aZ_09}{-}.", "7.");
    SAYS("{da-sh.ed}.", ".");
}

static void
a_name_has_at_most_63_characters(void **state)
{
    static const char name[] = "a23456789b23456789c23456789d23456789"
                               "e23456789f23456789g2345678";
    char row[80];

    (void)state;
    assert_int_equal(strlen(name), 62);
    (void)snprintf(row, sizeof(row), "{%sx}.", name);
    SAYS(row, ".");
    (void)snprintf(row, sizeof(row), "{%sxy}.", name);
    SAYS(row, row);
}

/* ---- where a text ends ---- */

#define MOST 8192

/* n times that character, and what follows. */
static char *
filled(size_t n, const char *tail)
{
    char *text = malloc(n + strlen(tail) + 1);

    assert_non_null(text);
    memset(text, 'a', n);
    memcpy(text + n, tail, strlen(tail) + 1);
    return text;
}

static void
a_long_text_is_cut_between_two_characters(void **state)
{
    static const struct {
        size_t n;
        const char *tail;
        size_t kept; /* of it, before the dots; 0: nothing is cut */
    } rows[] = {
        { MOST, "", 0 },
        { MOST, "b", MOST },
        { MOST - 2, "\xc3\xa4", 0 },
        { MOST - 1, "\xc3\xa4", MOST - 1 },
        { MOST - 2, "\xe2\x82\xac", MOST - 2 },
        { MOST - 2, "\xc3\xa4z", MOST },
        { MOST - 3, "\xf0\x9f\x98\x80", MOST - 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = filled(rows[i].n, rows[i].tail);
        const char *got = says_with(text, ARGS());
        size_t kept = rows[i].kept;

        if (kept == 0 ? strcmp(got, text) != 0
                      : strncmp(got, text, kept) != 0 ||
                            strcmp(got + kept, "...") != 0)
            fail_msg("row %zu: %zu bytes, %s", i, strlen(got),
                     got + strlen(got) - 5);
        free(text);
    }
}

/* Bytes of which no character begins: all of them go, and none before. */
static void
a_text_that_is_none_is_cut_to_nothing(void **state)
{
    char *text = filled(MOST + 1, "");

    (void)state;
    memset(text, '\x80', MOST + 1);
    assert_string_equal(says_with(text, ARGS()), "...");
    free(text);
}

static void
a_value_is_taken_as_far_as_a_text_goes(void **state)
{
    char *value = filled(200000, "");
    const char *got;

    (void)state;
    got = says_with("{v}{v}", ARGS(arg("v", value)));
    assert_int_equal(strlen(got), MOST + 3);
    assert_string_equal(got + MOST, "...");
    PUT(&in, thing, name, value);
    got = says_with("{name}", ARGS());
    assert_int_equal(strlen(got), MOST + 3);
    value[MOST] = '\0';
    got = says_with("{v}", ARGS(arg("v", value)));
    assert_string_equal(got, value);
    free(value);
}

/* The part that could be written is shown, and that there was more. */
static void
an_input_that_is_too_long_ends_in_dots(void **state)
{
    char *value = filled(200000, "");
    const char *got;

    (void)state;
    PUT(&in, thing, name, value);
    got = says_with("of {input}", ARGS());
    assert_true(strlen(got) >= 6);
    assert_memory_equal(got, "of {", 4);
    assert_string_equal(got + strlen(got) - 3, "...");
    free(value);
}

/* ---- which row ---- */

static void
a_failure_is_what_its_row_says(void **state)
{
    (void)state;
    assert_false(req_failed(&r));
    SAYS("text", "text");
    assert_true(req_failed(&r));
    assert_int_equal(io.failure.err, ERR_STATE);
    assert_int_equal(io.failure.http, 409);
    assert_string_equal(io.failure.code, "R");
    assert_null(io.failure.own_code);
    assert_null(io.failure.more_rec);
    assert_null(io.failure.more);
    errors[ROW].own_code = "-31";
    assert_int_equal(req_fail_with(&r, ROW, ARGS(), &thing_rec, &in),
                     ERR_STATE);
    assert_string_equal(io.failure.own_code, "-31");
    assert_ptr_equal(io.failure.more_rec, &thing_rec);
    assert_ptr_equal(io.failure.more, &in);
}

static void
without_memory_there_is_a_failure_without_text(void **state)
{
    struct arena *small = arena_new(1);

    (void)state;
    r.arena = small;
    SAYS("some text", "");
    assert_int_equal(io.failure.http, 409);
    arena_free(small);
}

/* A form may answer every refusal with one status; not what may pass later. */
static void
the_form_may_set_the_status_of_refusals(void **state)
{
    static const struct {
        int http, as;
    } rows[] = { { 400, 200 }, { 409, 200 }, { 500, 200 },
                 { 429, 429 }, { 503, 503 }, { 307, 200 } };

    (void)state;
    (void)says_with("", ARGS());
    form.refusal_http = 200;
    for (size_t i = 0; i < COUNT(rows); i++) {
        errors[ROW].http = rows[i].http;
        assert_int_equal(req_fail(&r, ROW, ARGS()), ERR_STATE);
        if (io.failure.http != rows[i].as)
            fail_msg("%d: %d", rows[i].http, io.failure.http);
    }
}

static void
a_class_without_a_row_is_internal(void **state)
{
    (void)state;
    by_class[ERR_BUSY].id = "DEFAULT_BUSY";
    assert_ptr_equal(failure_default(&dialect, ERR_BUSY), &by_class[ERR_BUSY]);
    assert_ptr_equal(failure_default(&dialect, ERR_LIMIT),
                     &by_class[ERR_INTERNAL]);
}

/* A dialect that words nothing answers by the class of each event. */
static void
an_event_without_a_row_is_of_its_class(void **state)
{
    static const struct {
        enum event event;
        enum err class;
    } rows[] = {
        { EVENT_UNKNOWN_PATH, ERR_NOT_FOUND },
        { EVENT_METHOD, ERR_NOT_FOUND },
        { EVENT_NO_TOKEN, ERR_DENIED },
        { EVENT_SCOPE, ERR_DENIED },
        { EVENT_QUERY, ERR_BAD_PARAM },
        { EVENT_BODY, ERR_BAD_PARAM },
        { EVENT_FIELD, ERR_BAD_PARAM },
        { EVENT_TOO_LARGE, ERR_LIMIT },
        { EVENT_BUSY, ERR_BUSY },
        { EVENT_MALFORMED, ERR_BAD_PARAM },
    };

    (void)state;
    assert_int_equal(COUNT(rows), EVENT__MAX);
    memset(by_event, 0, sizeof(by_event));
    for (size_t i = 0; i < ERR__MAX; i++)
        by_class[i] = (struct error_text){ .id = "D",
                                           .err = (enum err)i,
                                           .http = 400,
                                           .code = "-",
                                           .text = err_name((enum err)i) };
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err e = failure_event(&r, rows[i].event, ARGS());

        if (e != rows[i].class ||
            strcmp(io.failure.text, err_name(rows[i].class)) != 0)
            fail_msg("row %zu: %s", i, err_name(e));
    }
}

static void
what_is_malformed_is_worded_as_a_query(void **state)
{
    (void)state;
    assert_int_equal(
        failure_event(&r, EVENT_MALFORMED, ARGS(arg("parameter", "p"))),
        ERR_BAD_PARAM);
    assert_string_equal(io.failure.text, "query: p");
    EVENT_TEXT(MALFORMED, LIMIT, 400, "malformed");
    assert_int_equal(failure_event(&r, EVENT_MALFORMED, ARGS()), ERR_LIMIT);
    assert_string_equal(io.failure.text, "malformed");
    memset(&by_event[EVENT_BODY], 0, sizeof(by_event[0]));
    assert_int_equal(failure_event(&r, EVENT_BODY, ARGS()), ERR_INTERNAL);
}

/* ---- arguments ---- */

static void
each_argument_is_found(void **state)
{
    (void)state;
    SAYS("{a}{b}{c}{d}", "1234", arg("a", "1"), arg("b", "2"), arg("c", "3"),
         arg("d", "4"));
}

/* For what has no dialect. */
static void
a_failure_may_be_bare_text(void **state)
{
    struct buf b = BUF_INIT(64);
    struct json_writer w;
    const struct failure f = { .http = 404, .code = "-", .text = "no \"x\"" };

    (void)state;
    jw_init(&w, &b, &form_text.style);
    form_text.failure(&r, &w, &f);
    assert_string_equal(buf_text(&b), "no \"x\"");
    assert_string_equal(form_text.error_type, "text/plain");
    buf_free(&b);
}

static void
numbers_and_records_may_be_arguments(void **state)
{
    (void)state;
    PUT(&in, thing, name, "n");
    PUT(&in, thing, secret, "hush");
    SAYS("{n} {it}", "-12 {\"name\":\"n\",\"secret\":\"***\"}",
         arg_i64(&r, "n", -12), arg_json(&r, "it", &thing_rec, &in));
}

#define BEGIN(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BEGIN(what_the_request_is_stands_under_its_names),
        BEGIN(an_argument_goes_before_the_request_and_that_before_the_input),
        BEGIN(members_of_the_input_are_printed_as_readers_expect),
        BEGIN(what_is_absent_or_unknown_is_empty),
        BEGIN(the_whole_input_is_json_without_its_secrets),
        BEGIN(values_are_not_expanded_again),
        BEGIN(braces_around_no_name_are_text),
        BEGIN(a_name_has_at_most_63_characters),
        BEGIN(a_long_text_is_cut_between_two_characters),
        BEGIN(a_text_that_is_none_is_cut_to_nothing),
        BEGIN(a_value_is_taken_as_far_as_a_text_goes),
        BEGIN(an_input_that_is_too_long_ends_in_dots),
        BEGIN(a_failure_is_what_its_row_says),
        BEGIN(without_memory_there_is_a_failure_without_text),
        BEGIN(the_form_may_set_the_status_of_refusals),
        BEGIN(a_class_without_a_row_is_internal),
        BEGIN(an_event_without_a_row_is_of_its_class),
        BEGIN(what_is_malformed_is_worded_as_a_query),
        BEGIN(each_argument_is_found),
        BEGIN(a_failure_may_be_bare_text),
        BEGIN(numbers_and_records_may_be_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
