/* Where the members of an input come from, and how they are refused. */
#include "api/bind.h"

#include "request/request.h"

#define BODY_IN(X, s)                \
    X(s, STR, name, "name", IN, -)   \
    X(s, I64, level, "level", IN, -) \
    X(s, STR, shown, "shown", OUT, -)
STRUCT(body_in, BODY_IN);
TABLE(body_in, BODY_IN);

#define PATH_IN(X, s)                     \
    X(s, STR, name, "name", IN | PATH, -) \
    X(s, I64, level, "level", IN | PATH, -)
STRUCT(path_in, PATH_IN);
TABLE(path_in, PATH_IN);

#define QUERY_IN(X, s)                     \
    X(s, STR, name, "name", IN | QUERY, -) \
    X(s, I64, level, "level", IN | QUERY, -)
STRUCT(query_in, QUERY_IN);
TABLE(query_in, QUERY_IN);

/* As get_instance: by the query, or by a body. */
#define EITHER_IN(X, s)                           \
    X(s, STR, name, "name", IN | QUERY | BODY, -) \
    X(s, I64, level, "level", IN | QUERY | BODY, -)
STRUCT(either_in, EITHER_IN);
TABLE(either_in, EITHER_IN);

/* What only a body, and what only a query can say. */
#define BESIDE_IN(X, s)            \
    X(s, STR, name, "name", IN, -) \
    X(s, I32, dry, "dry", IN | QUERY, -)
STRUCT(beside_in, BESIDE_IN);
TABLE(beside_in, BESIDE_IN);

#define PATH_BODY_IN(X, s)                       \
    X(s, STR, name, "name", IN | PATH | BODY, -) \
    X(s, STR, word, "word", OUT, -)
STRUCT(path_body_in, PATH_BODY_IN);
TABLE(path_body_in, PATH_BODY_IN);

#define OUT_ONLY(X, s) X(s, STR, name, "name", OUT, -)
STRUCT(out_only, OUT_ONLY);
TABLE(out_only, OUT_ONLY);

#define THIRD_IN(X, s)               \
    X(s, STR, a, "a", IN | QUERY, -) \
    X(s, STR, b, "b", IN | QUERY, -) \
    X(s, STR, c, "c", IN | QUERY | BODY, -)
STRUCT(third_in, THIRD_IN);
TABLE(third_in, THIRD_IN);

#define LATE_IN(X, s)        \
    X(s, STR, a, "a", IN, -) \
    X(s, STR, b, "b", IN, -) \
    X(s, STR, c, "c", IN | QUERY, -)
STRUCT(late_in, LATE_IN);
TABLE(late_in, LATE_IN);

#define EARLY_IN(X, s)               \
    X(s, STR, a, "a", IN | QUERY, -) \
    X(s, STR, b, "b", IN, -)
STRUCT(early_in, EARLY_IN);
TABLE(early_in, EARLY_IN);

static const struct route_match no_match;

static void
body(const char *text)
{
    r.body = text;
    r.body_bytes = strlen(text);
}

static void
query(const struct param *list, size_t n)
{
    r.query = list;
    r.n_query = n;
}

#define QUERY(...)                               \
    query((const struct param[]){ __VA_ARGS__ }, \
          COUNT(((const struct param[]){ __VA_ARGS__ })))

static void
fails(enum err e, enum err class, const char *text)
{
    assert_int_equal(e, class);
    assert_true(req_failed(&r));
    assert_string_equal(io.failure.text, text);
}

/* ---- which records have use for a body ---- */

static void
a_body_is_for_members_that_have_no_other_source(void **state)
{
    static const struct {
        const struct record *rec;
        bool takes, needs;
    } rows[] = {
        { &body_in_rec, true, true },    { &path_in_rec, false, false },
        { &query_in_rec, false, false }, { &either_in_rec, true, false },
        { &out_only_rec, false, false }, { &path_body_in_rec, true, true },
        { &none_rec, false, false },     { &third_in_rec, true, false },
        { &late_in_rec, true, false },   { &early_in_rec, true, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (bind_takes_body(rows[i].rec) != rows[i].takes ||
            bind_needs_body(rows[i].rec) != rows[i].needs)
            fail_msg("%s", rows[i].rec->name);
    }
}

/* ---- the body ---- */

static void
parse_fails(const char *text, const char *reason)
{
    memset(&io.failure, 0, sizeof(io.failure));
    io.failed = NULL;
    body(text);
    fails(bind_parse_body(&r), ERR_BAD_PARAM, reason);
}

static void
a_body_is_one_object(void **state)
{
    (void)state;
    parse_fails("", "body: the body is empty, a JSON object is expected");
    parse_fails("\xef\xbb\xbf",
                "body: the body is empty, a JSON object is expected");
    parse_fails("[1]", "body: a JSON object is expected");
    parse_fails("\"{}\"", "body: a JSON object is expected");
    body("{\"name\":\"a\"}");
    assert_int_equal(bind_parse_body(&r), ERR_OK);
    assert_string_equal(json_text(json_member(r.json, "name")), "a");
}

/* The place is counted behind the mark, as an editor shows it. */
static void
what_is_no_json_is_told_with_its_place(void **state)
{
    const char *at;

    (void)state;
    body("{\"name\":x}");
    assert_int_equal(bind_parse_body(&r), ERR_BAD_PARAM);
    at = strstr(io.failure.text, " at byte 8");
    assert_non_null(at);
    assert_string_equal(at, " at byte 8");
    body("\xef\xbb\xbf{\"name\":x}");
    assert_int_equal(bind_parse_body(&r), ERR_BAD_PARAM);
    assert_non_null(strstr(io.failure.text, " at byte 8"));
}

static void
a_byte_order_mark_is_skipped_when_it_is_whole(void **state)
{
    (void)state;
    body("\xef\xbb\xbf{\"name\":\"b\"}");
    assert_int_equal(bind_parse_body(&r), ERR_OK);
    assert_string_equal(json_text(json_member(r.json, "name")), "b");
    body("\xef\xbb{}");
    assert_int_equal(bind_parse_body(&r), ERR_BAD_PARAM);
}

static void
a_body_that_was_cut_is_too_large(void **state)
{
    (void)state;
    io.body_too_large = true;
    body("{}");
    fails(bind_parse_body(&r), ERR_LIMIT, "too large");
}

static void
the_form_says_what_is_forgiven(void **state)
{
    (void)state;
    body("{\"name\":\"a\",}");
    assert_int_equal(bind_parse_body(&r), ERR_BAD_PARAM);
    form.lenient = JSON_TRAILING_COMMA;
    assert_int_equal(bind_parse_body(&r), ERR_OK);
}

static void
no_memory_for_a_body_is_nobodys_mistake(void **state)
{
    struct arena *small = arena_new(16);

    (void)state;
    r.arena = small;
    body("{\"name\":\"a\"}");
    assert_int_equal(bind_parse_body(&r), ERR_NOMEM);
    assert_false(req_failed(&r));
    arena_free(small);
}

/* ---- the query ---- */

static void
strict(enum err expected, const char *text)
{
    enum err e = bind_strict_query(&r, &query_in_rec);

    if (expected == ERR_OK)
        assert_int_equal(e, ERR_OK);
    else
        fails(e, expected, text);
}

static void
a_strict_query_has_each_known_key_once(void **state)
{
    (void)state;
    strict(ERR_OK, "");
    QUERY({ .key = "name", .value = "a" }, { .key = "level", .value = "x" });
    strict(ERR_OK, "");
    QUERY({ .key = "name", .value = "a" }, { .key = "other", .value = "" });
    strict(ERR_BAD_PARAM, "query: other");
    QUERY({ .key = "nam", .value = "a" });
    strict(ERR_BAD_PARAM, "query: nam");
    QUERY({ .key = "names", .value = "a" });
    strict(ERR_BAD_PARAM, "query: names");
    QUERY({ .key = "namx", .value = "a" });
    strict(ERR_BAD_PARAM, "query: namx");
    QUERY({ .key = "name", .value = "a" }, { .key = "level", .value = "1" },
          { .key = "level", .value = "1" });
    strict(ERR_BAD_PARAM, "query: level");
    QUERY({ .key = "name", .value = "a" }, { .key = "level", .value = "1" },
          { .key = "name", .value = "a" });
    strict(ERR_BAD_PARAM, "query: name");
    QUERY({ .key = "a", .value = "" }, { .key = "b", .value = "" },
          { .key = "c", .value = "" }, { .key = "c", .value = "" });
    fails(bind_strict_query(&r, &third_in_rec), ERR_BAD_PARAM, "query: c");
}

static void
a_member_of_the_body_is_no_parameter(void **state)
{
    (void)state;
    QUERY({ .key = "name", .value = "a" });
    fails(bind_strict_query(&r, &body_in_rec), ERR_BAD_PARAM, "query: name");
}

static void
the_first_value_of_a_parameter_counts(void **state)
{
    struct query_in in;

    (void)state;
    QUERY({ .key = "name", .value = "first" }, { .key = "x", .value = "y" },
          { .key = "level", .value = "-7" },
          { .key = "name", .value = "second" });
    assert_int_equal(bind_input(&r, &query_in_rec, &no_match, &in), ERR_OK);
    assert_string_equal(in.name, "first");
    assert_int_equal(in.level, -7);
    assert_true(HAS(&in, query_in, name) && HAS(&in, query_in, level));
}

static void
a_parameter_of_another_type_is_refused(void **state)
{
    struct query_in in;

    (void)state;
    QUERY({ .key = "level", .value = "many" });
    fails(bind_input(&r, &query_in_rec, &no_match, &in), ERR_BAD_PARAM,
          "level: must be an integer");
}

/* Of two that are wrong, whichever; but not what follows it. */
static void
the_first_wrong_parameter_ends_it(void **state)
{
    struct query_in in;

    (void)state;
    QUERY({ .key = "name", .value = "a" }, { .key = "level", .value = "x" });
    assert_int_equal(bind_input(&r, &query_in_rec, &no_match, &in),
                     ERR_BAD_PARAM);
    assert_false(HAS(&in, query_in, name));
}

/* ---- the path ---- */

static void
parts_of_the_path_go_to_their_members(void **state)
{
    static const struct route_match m = {
        .name = { { "other}", 5 }, { "level}", 5 }, { "name}", 4 } },
        .capture = { { "zzz/", 3 }, { "12/", 2 }, { "abc/d", 3 } },
        .n_captures = 3,
    };
    struct path_in in;

    (void)state;
    QUERY({ .key = "name", .value = "not asked" });
    assert_int_equal(bind_input(&r, &path_in_rec, &m, &in), ERR_OK);
    assert_string_equal(in.name, "abc");
    assert_int_equal(in.level, 12);
}

static void
a_part_of_the_path_that_does_not_fit_is_refused(void **state)
{
    static const struct route_match m = {
        .name = { { "level", 5 }, { "name", 4 } },
        .capture = { { "1x", 2 }, { "abc", 3 } },
        .n_captures = 2,
    };
    struct path_in in;

    (void)state;
    fails(bind_input(&r, &path_in_rec, &m, &in), ERR_BAD_PARAM,
          "level: must be an integer");
    assert_false(HAS(&in, path_in, name));
}

static void
no_memory_for_a_part_is_said(void **state)
{
    static const struct route_match m = { .name = { { "name", 4 } },
                                          .capture = { { "abc", 3 } },
                                          .n_captures = 1 };
    struct arena *small = arena_new(1);
    struct path_in in;

    (void)state;
    r.arena = small;
    assert_int_equal(bind_input(&r, &path_in_rec, &m, &in), ERR_NOMEM);
    arena_free(small);
}

/* ---- all of it ---- */

static void
what_was_in_the_struct_before_is_gone(void **state)
{
    struct body_in in;

    (void)state;
    memset(&in, 0xff, sizeof(in));
    body("{\"name\":\"a\"}");
    assert_int_equal(bind_input(&r, &body_in_rec, &no_match, &in), ERR_OK);
    assert_string_equal(in.name, "a");
    assert_false(HAS(&in, body_in, level));
    assert_int_equal(in.level, 0);
    memset(&in, 0xff, sizeof(in));
    assert_int_equal(bind_input(&r, &none_rec, &no_match, &in), ERR_OK);
    assert_int_equal(in.has, 0);
}

static void
a_member_of_the_body_is_refused_by_its_name(void **state)
{
    struct body_in in;

    (void)state;
    body("{\"level\":\"x\"}");
    fails(bind_input(&r, &body_in_rec, &no_match, &in), ERR_BAD_PARAM,
          "level: must be an integer");
}

/* The form decides whether a text may be an integer; in a query it always
 * may, for there is nothing else. */
static void
the_form_says_how_values_are_taken(void **state)
{
    struct body_in in;

    (void)state;
    body("{\"level\":\"9\"}");
    assert_int_equal(bind_input(&r, &body_in_rec, &no_match, &in),
                     ERR_BAD_PARAM);
    r.json = NULL;
    form.bind = BIND_INT_FROM_STR;
    assert_int_equal(bind_input(&r, &body_in_rec, &no_match, &in), ERR_OK);
    assert_int_equal(in.level, 9);
}

static void
the_forms_style_holds_for_a_query_too(void **state)
{
    struct query_in in;

    (void)state;
    QUERY({ .key = "level", .value = "90.0" });
    assert_int_equal(bind_input(&r, &query_in_rec, &no_match, &in),
                     ERR_BAD_PARAM);
    form.bind = BIND_INTEGRAL;
    assert_int_equal(bind_input(&r, &query_in_rec, &no_match, &in), ERR_OK);
    assert_int_equal(in.level, 90);
}

/* What a missing body means is not replaced by a word about a member. */
static void
a_body_that_cannot_be_read_keeps_its_own_words(void **state)
{
    struct body_in in;

    (void)state;
    fails(bind_input(&r, &body_in_rec, &no_match, &in), ERR_BAD_PARAM,
          "body: the body is empty, a JSON object is expected");
}

static void
a_body_is_parsed_once(void **state)
{
    struct body_in in;

    (void)state;
    body("{\"name\":\"a\"}");
    assert_int_equal(bind_parse_body(&r), ERR_OK);
    body("{");
    assert_int_equal(bind_input(&r, &body_in_rec, &no_match, &in), ERR_OK);
    assert_string_equal(in.name, "a");
}

static void
rubbish_is_not_read_when_the_query_says_it(void **state)
{
    struct either_in in;

    (void)state;
    body("rubbish");
    QUERY({ .key = "x", .value = "y" }, { .key = "name", .value = "q" });
    assert_int_equal(bind_input(&r, &either_in_rec, &no_match, &in), ERR_OK);
    assert_string_equal(in.name, "q");
    assert_null(r.json);
    QUERY({ .key = "x", .value = "y" }, { .key = "z", .value = "y" },
          { .key = "name", .value = "q" });
    assert_int_equal(bind_input(&r, &either_in_rec, &no_match, &in), ERR_OK);
    assert_string_equal(in.name, "q");
    assert_null(r.json);
}

static void
a_body_is_read_beside_what_only_a_query_can_say(void **state)
{
    struct beside_in in;

    (void)state;
    body("{\"name\":\"b\",\"dry\":2}");
    QUERY({ .key = "dry", .value = "1" });
    assert_int_equal(bind_input(&r, &beside_in_rec, &no_match, &in), ERR_OK);
    assert_string_equal(in.name, "b");
    assert_int_equal(in.dry, 1);
    r.json = NULL;
    body("rubbish");
    assert_int_equal(bind_input(&r, &beside_in_rec, &no_match, &in),
                     ERR_BAD_PARAM);
    body("");
    assert_int_equal(bind_input(&r, &beside_in_rec, &no_match, &in), ERR_OK);
    assert_int_equal(in.dry, 1);
}

static void
a_body_is_read_when_the_query_says_nothing_of_it(void **state)
{
    struct either_in in;

    (void)state;
    body("{\"name\":\"b\"}");
    QUERY({ .key = "x", .value = "y" });
    assert_int_equal(bind_input(&r, &either_in_rec, &no_match, &in), ERR_OK);
    assert_string_equal(in.name, "b");
    r.json = NULL;
    body("rubbish");
    assert_int_equal(bind_input(&r, &either_in_rec, &no_match, &in),
                     ERR_BAD_PARAM);
}

static void
neither_query_nor_body_leaves_all_absent(void **state)
{
    struct either_in in;

    (void)state;
    assert_int_equal(bind_input(&r, &either_in_rec, &no_match, &in), ERR_OK);
    assert_int_equal(in.has, 0);
}

static void
a_body_that_nobody_wants_is_not_read(void **state)
{
    struct query_in in;

    (void)state;
    body("rubbish");
    assert_int_equal(bind_input(&r, &query_in_rec, &no_match, &in), ERR_OK);
    assert_null(r.json);
}

static void
a_raw_body_is_left_to_the_handler(void **state)
{
    struct body_in in;

    (void)state;
    endpoint.flags = BODY_RAW | DRY;
    body("rubbish");
    assert_int_equal(bind_input(&r, &body_in_rec, &no_match, &in), ERR_OK);
    assert_int_equal(in.has, 0);
}

/* Body, query, path: the first that is wrong is told. */
#define ALL_IN(X, s)                        \
    X(s, I64, b, "b", IN, -)                \
    X(s, I64, q, "q", IN | QUERY | BODY, -) \
    X(s, I64, p, "p", IN | PATH, -)
STRUCT(all_in, ALL_IN);
TABLE(all_in, ALL_IN);

static void
the_body_is_judged_first_and_the_path_last(void **state)
{
    static const struct route_match m = { .name = { { "p", 1 } },
                                          .capture = { { "x", 1 } },
                                          .n_captures = 1 };
    struct all_in in;

    (void)state;
    body("{\"b\":\"x\"}");
    QUERY({ .key = "y", .value = "x" });
    fails(bind_input(&r, &all_in_rec, &m, &in), ERR_BAD_PARAM,
          "b: must be an integer");
    QUERY({ .key = "q", .value = "x" });
    fails(bind_input(&r, &all_in_rec, &m, &in), ERR_BAD_PARAM,
          "q: must be an integer");
    QUERY({ .key = "q", .value = "1" });
    fails(bind_input(&r, &all_in_rec, &m, &in), ERR_BAD_PARAM,
          "p: must be an integer");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_body_is_for_members_that_have_no_other_source),
        CASE(a_body_is_one_object),
        CASE(what_is_no_json_is_told_with_its_place),
        CASE(a_byte_order_mark_is_skipped_when_it_is_whole),
        CASE(a_body_that_was_cut_is_too_large),
        CASE(the_form_says_what_is_forgiven),
        CASE(no_memory_for_a_body_is_nobodys_mistake),
        CASE(a_strict_query_has_each_known_key_once),
        CASE(a_member_of_the_body_is_no_parameter),
        CASE(the_first_value_of_a_parameter_counts),
        CASE(a_parameter_of_another_type_is_refused),
        CASE(the_first_wrong_parameter_ends_it),
        CASE(parts_of_the_path_go_to_their_members),
        CASE(a_part_of_the_path_that_does_not_fit_is_refused),
        CASE(no_memory_for_a_part_is_said),
        CASE(what_was_in_the_struct_before_is_gone),
        CASE(a_member_of_the_body_is_refused_by_its_name),
        CASE(the_form_says_how_values_are_taken),
        CASE(the_forms_style_holds_for_a_query_too),
        CASE(a_body_that_cannot_be_read_keeps_its_own_words),
        CASE(a_body_is_parsed_once),
        CASE(rubbish_is_not_read_when_the_query_says_it),
        CASE(a_body_is_read_beside_what_only_a_query_can_say),
        CASE(a_body_is_read_when_the_query_says_nothing_of_it),
        CASE(neither_query_nor_body_leaves_all_absent),
        CASE(a_body_that_nobody_wants_is_not_read),
        CASE(a_raw_body_is_left_to_the_handler),
        CASE(the_body_is_judged_first_and_the_path_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
