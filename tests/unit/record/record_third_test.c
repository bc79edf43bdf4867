/* What holds for the first and second holds for the third: members, nested
 * objects, steps of a path, entries that are compared; and what holds for the
 * shortest: names and texts of one letter, values of one byte. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define THIRD_ITEM(X, s)         \
    X(s, STR, a, "a", IN, -)     \
    X(s, STR, b, "b", IN, -)     \
    X(s, STR, c_d, "c_d", IN, -) \
    X(s, I32, id, "id", IN, -)
STRUCT(third_item, THIRD_ITEM);
TABLE(third_item, THIRD_ITEM);

#define DEEPEST(X, s) X(s, STR, leaf, "leaf", IN, -)
STRUCT(deepest, DEEPEST);
TABLE(deepest, DEEPEST);
#define DEEPER(X, s) X(s, OBJ, c, "c", IN, deepest)
STRUCT(deeper, DEEPER);
TABLE(deeper, DEEPER);
#define DEEP(X, s) X(s, OBJ, b, "b", IN, deeper)
STRUCT(deep, DEEP);
TABLE(deep, DEEP);

#define THIRD(X, s)                                              \
    X(s, STR, o, "o", IN, -, .nested = "first")                  \
    X(s, STR, own, "own", IN, -, .max = 1)                       \
    X(s, STR, c, "c", IN, -, .nested = "p")                      \
    X(s, STR, d, "d", IN, -, .nested = "p")                      \
    X(s, I32, e, "e", IN, -, .nested = "q")                      \
    X(s, LIST, items, "items", IN, third_item, .keyed_by = "id") \
    X(s, MAP, map, "map", IN, STR)                               \
    X(s, BYTES, blob, "blob", IN, -)                             \
    X(s, BYTES, other, "other", IN, -)                           \
    X(s, U64, positive, "positive", IN, -, .min = 1, .max = 9)   \
    X(s, OBJ, a, "a", IN, deep)                                  \
    X(s, LIST, plain, "plain", IN, third_item)                   \
    X(s, STR, ours, "ours", IN | OUT, -)
STRUCT(third, THIRD);
TABLE(third, THIRD);

static struct bind_error why;

static enum err
bind(const char *text, unsigned style, struct third *out)
{
    const struct json *j = NULL;
    struct json_error syntax;

    if (json_parse(arena, text, strlen(text), JSON_STRICT, &j, &syntax) !=
        ERR_OK)
        fail_msg("%s: %s", text, syntax.reason);
    return record_bind(arena, &third_rec, j, style, out, &why);
}

static struct third
bound(const char *text)
{
    struct third out;

    if (bind(text, BIND_UNKNOWN_REFUSED, &out) != ERR_OK)
        fail_msg("%s: %s %s", text, why.field, why.reason);
    return out;
}

static void
refused(const char *text, const char *field, const char *reason)
{
    struct third out;

    assert_int_equal(bind(text, 0, &out), ERR_BAD_PARAM);
    assert_string_equal(why.field, field);
    assert_string_equal(why.reason, reason);
}

static void
members_lie_in_the_third_nested_object(void **state)
{
    struct third in = bound("{\"first\":{\"o\":\"0\"},\"own\":\"1\",\"p\":"
                            "{\"c\":\"2\",\"d\":\"3\"},\"q\":{\"e\":4}}");

    (void)state;
    assert_string_equal(in.o, "0");
    assert_string_equal(in.own, "1");
    assert_string_equal(in.c, "2");
    assert_string_equal(in.d, "3");
    assert_int_equal(in.e, 4);
}

static void
a_nested_object_that_is_null_is_absent_by_style(void **state)
{
    struct third in;

    (void)state;
    refused("{\"p\":null}", "p", "must be an object");
    assert_int_equal(bind("{\"p\":null}", BIND_NULL_UNSET, &in), ERR_OK);
    assert_int_equal(in.has, 0);
    assert_int_equal(bind("{\"p\":{\"c\":\"x\"}}", BIND_NULL_UNSET, &in),
                     ERR_OK);
    assert_string_equal(in.c, "x");
}

#define EMBEDS(X, s)                                         \
    X(s, OBJ, item, "", IN, third_item)                      \
    X(s, JSON, sent, "", IN, -)                              \
    X(s, LIST, asked, "m", IN | QUERY, STR, .numbered = "m") \
    X(s, LIST, given, "n", IN, STR, .numbered = "n")         \
    X(s, BYTES, k, "k", IN, -, .max = 1)                     \
    X(s, JSON, j, "j", IN, -)                                \
    X(s, LIST, printed, "printed", OUT, STR)
STRUCT(embeds, EMBEDS);
TABLE(embeds, EMBEDS);

static enum err
embed(const char *text, unsigned style, struct embeds *out)
{
    const struct json *j = NULL;
    struct json_error syntax;

    assert_int_equal(
        json_parse(arena, text, strlen(text), JSON_STRICT, &j, &syntax),
        ERR_OK);
    return record_bind(arena, &embeds_rec, j, style, out, &why);
}

static void
an_embedded_object_may_be_the_first_field(void **state)
{
    static const char text[] =
        "{\"id\":5,\"n0\":\"a\",\"k\":\"AA==\",\"j\":[1]}";
    struct field_path path;
    struct embeds in;

    (void)state;
    assert_int_equal(embed(text, BIND_UNKNOWN_REFUSED, &in), ERR_OK);
    assert_int_equal(in.item->id, 5);
    assert_int_equal(in.given.n, 1);
    assert_int_equal(in.k.n, 1);
    assert_int_equal(in.sent.n, strlen(text));
    assert_int_equal(in.j.n, 3);
    assert_memory_equal(in.j.p, "[1]", 3);
    assert_int_equal(field_path_find(&embeds_rec, "id", &path), ERR_OK);
    assert_ptr_equal(path.step[0], &embeds_rec.fields[0]);
    assert_int_equal(embed("{\"k\":\"AAA=\"}", 0, &in), ERR_BAD_PARAM);
    assert_string_equal(why.reason, "is too long");
}

static void
a_body_has_no_numbered_member_of_the_query(void **state)
{
    struct embeds in;

    (void)state;
    assert_int_equal(embed("{\"m0\":\"a\"}", 0, &in), ERR_OK);
    assert_int_equal(in.asked.n, 0);
    assert_int_equal(embed("{\"m0\":\"a\"}", BIND_UNKNOWN_REFUSED, &in),
                     ERR_BAD_PARAM);
    assert_string_equal(why.reason, "is not known");
}

static void
a_path_in_a_message_has_its_dots_behind_one_letter(void **state)
{
    (void)state;
    refused("{\"q\":{\"e\":\"x\"}}", "q.e", "must be an integer");
    refused("{\"p\":{\"d\":1}}", "p.d", "must be a string");
    refused("{\"a\":{\"b\":{\"c\":{\"leaf\":1}}}}", "a.b.c.leaf",
            "must be a string");
}

static void
a_member_behind_the_second_takes_the_key(void **state)
{
    struct third in = bound("{\"items\":{\"7\":{},\"8\":{},\"9\":{}}}");

    (void)state;
    assert_int_equal(in.items.n, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(in.items.v[i].id, 7 + i);
}

static void
one_letter_behind_a_line_is_a_capital(void **state)
{
    struct third in;

    (void)state;
    assert_int_equal(bind("{\"plain\":[{\"cD\":\"x\"}]}", BIND_CAMEL, &in),
                     ERR_OK);
    assert_string_equal(in.plain.v[0].c_d, "x");
}

static void
names_are_known_by_any_case_where_the_dialect_says_so(void **state)
{
    struct third in;

    (void)state;
    assert_int_equal(bind("{\"OWN\":\"a\"}", BIND_ANY_CASE, &in), ERR_OK);
    assert_string_equal(in.own, "a");
    assert_int_equal(bind("{\"OWN\":\"a\"}", 0, &in), ERR_OK);
    assert_null(in.own);
    assert_int_equal(bind("{\"OWN\":\"a\",\"own\":\"b\"}", BIND_ANY_CASE, &in),
                     ERR_BAD_PARAM);
}

static void
the_smallest_bounds_hold(void **state)
{
    struct third in = bound("{\"own\":\"a\",\"positive\":1}");

    (void)state;
    assert_int_equal(in.positive, 1);
    refused("{\"own\":\"ab\"}", "own", "is too long");
    refused("{\"positive\":0}", "positive", "must be between 1 and 9");
}

static void
long_bytes_do_not_lie_on_each_other(void **state)
{
    char text[2 * 400 + 64], *p = text;
    struct third in;

    (void)state;
    p = stpcpy(p, "{\"blob\":\"");
    for (int i = 0; i < 100; i++)
        p = stpcpy(p, "AAEC"); /* 0 1 2 */
    p = stpcpy(p, "\",\"other\":\"");
    for (int i = 0; i < 100; i++)
        p = stpcpy(p, "AwQF"); /* 3 4 5 */
    (void)stpcpy(p, "\"}");
    in = bound(text);
    assert_int_equal(in.blob.n, 300);
    assert_int_equal(in.other.n, 300);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(in.blob.p[i], i % 3);
        assert_int_equal(in.other.p[i], i % 3 + 3);
    }
}

static void
bytes_of_no_text_look_at_nothing_before_it(void **state)
{
    const char *before = "=";
    struct third in = { 0 };

    (void)state;
    assert_int_equal(
        record_bind_text(arena, &third_rec.fields[7], before + 1, 0, &in, &why),
        ERR_OK);
    assert_int_equal(in.blob.n, 0);
}

static void
a_path_goes_through_three_objects(void **state)
{
    struct third in = bound("{\"a\":{\"b\":{\"c\":{\"leaf\":\"x\"}}}}");
    struct field_path path;
    bool present = false;

    (void)state;
    assert_int_equal(field_path_find(&third_rec, "a.b.c.leaf", &path), ERR_OK);
    assert_ptr_equal(field_path_get(&path, &in, &present), &in.a->b->c->leaf);
    assert_true(present);
    in.a->b->c = NULL;
    (void)field_path_get(&path, &in, &present);
    assert_false(present);
}

static void
no_name_is_no_field(void **state)
{
    struct field_path path;

    (void)state;
    assert_int_equal(field_path_find(&third_rec, "", &path), ERR_BAD_PARAM);
    assert_int_equal(field_path_find(&third_rec, "a.", &path), ERR_BAD_PARAM);
    assert_int_equal(field_path_find(&third_rec, ".a", &path), ERR_BAD_PARAM);
    /* nor is the member of an object that has a name of its own */
    assert_int_equal(field_path_find(&third_rec, "b", &path), ERR_BAD_PARAM);
}

static const char *
other(const char *asked, const char *have)
{
    struct third a = bound(asked), b = bound(have);

    return record_other(&third_rec, &a, &b, NULL);
}

static void
each_entry_is_compared(void **state)
{
    static const char *const lists[] = {
        "{\"plain\":[{\"id\":1},{\"id\":2},{\"id\":3}]}",
        "{\"plain\":[{\"id\":9},{\"id\":2},{\"id\":3}]}",
        "{\"plain\":[{\"id\":1},{\"id\":2},{\"id\":9}]}",
    };
    static const char *const maps[] = {
        "{\"map\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}",
        "{\"map\":{\"c\":\"3\",\"b\":\"2\",\"a\":\"1\"}}",
        "{\"map\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"9\"}}",
        "{\"map\":{\"a\":\"9\",\"b\":\"2\",\"c\":\"3\"}}",
    };

    (void)state;
    assert_null(other(lists[0], lists[0]));
    assert_string_equal(other(lists[0], lists[1]), "plain");
    assert_string_equal(other(lists[0], lists[2]), "plain");
    assert_null(other(maps[0], maps[1]));
    assert_string_equal(other(maps[0], maps[2]), "map");
    assert_string_equal(other(maps[0], maps[3]), "map");
}

static void
one_byte_is_compared(void **state)
{
    (void)state;
    assert_null(other("{\"blob\":\"AA==\"}", "{\"blob\":\"AA==\"}"));
    assert_string_equal(other("{\"blob\":\"AA==\"}", "{\"blob\":\"AQ==\"}"),
                        "blob");
}

/* ---- printed ---- */

static const struct json_style compact = { .indent = 0 };

static void
a_text_has_what_is_printed_and_no_input(void **state)
{
    struct third in = bound("{\"own\":\"a\",\"ours\":\"b\"}");
    const char *text = NULL;

    (void)state;
    assert_int_equal(
        record_text(arena, &compact, &third_rec, &in, SECRETS_FULL, 64, &text),
        ERR_OK);
    assert_string_equal(text, "{\"ours\":\"b\"}");
    assert_int_equal(
        record_text(arena, &compact, &third_rec, &in, SECRETS_FULL, 11, &text),
        ERR_LIMIT);
}

static void
a_list_that_was_given_empty_is_absent_in_a_reply(void **state)
{
    struct embeds in = { 0 };
    const char *text = NULL;

    (void)state;
    SET(&in, embeds, printed);
    assert_int_equal(
        record_text(arena, &compact, &embeds_rec, &in, SECRETS_FULL, 64, &text),
        ERR_OK);
    assert_string_equal(text, "{}");
}

#define FAILING(X, s) X(s, ROWS, rows, "rows", OUT, third_item)
STRUCT(failing, FAILING);
TABLE(failing, FAILING);

static enum err
lost(struct rows *rows, struct arena *a, const void **row)
{
    (void)rows;
    (void)a;
    (void)row;
    return ERR_STORE;
}

static void
a_text_of_rows_that_fail_is_none(void **state)
{
    const struct failing in = { .rows = { lost, NULL } };
    const char *text = NULL;

    (void)state;
    assert_int_equal(record_text(arena, &compact, &failing_rec, &in,
                                 SECRETS_FULL, 64, &text),
                     ERR_STORE);
}

static void
nested_objects_are_one_by_name(void **state)
{
    static const char once[] = "p";
    char again[] = "p"; /* another array */
    struct third in;
    struct field f[2] = { third_rec.fields[2], third_rec.fields[3] };
    const struct record rec = { "r", sizeof(in), f, 2 };
    const struct json *j = NULL;
    struct json_error syntax;
    const char *text = "{\"p\":{\"c\":\"2\",\"d\":\"3\"}}";

    (void)state;
    f[0].nested = once;
    f[1].nested = again;
    f[0].flags = f[1].flags = IN | OUT;
    assert_int_equal(
        json_parse(arena, text, strlen(text), JSON_STRICT, &j, &syntax),
        ERR_OK);
    assert_int_equal(
        record_bind(arena, &rec, j, BIND_UNKNOWN_REFUSED, &in, &why), ERR_OK);
    assert_string_equal(in.c, "2");
    assert_string_equal(in.d, "3");
    assert_int_equal(
        record_text(arena, &compact, &rec, &in, SECRETS_FULL, 64, &text),
        ERR_OK);
    assert_string_equal(text, "{\"p\":{\"c\":\"2\",\"d\":\"3\"}}");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(members_lie_in_the_third_nested_object),
        TEST(a_nested_object_that_is_null_is_absent_by_style),
        TEST(an_embedded_object_may_be_the_first_field),
        TEST(a_body_has_no_numbered_member_of_the_query),
        TEST(a_list_that_was_given_empty_is_absent_in_a_reply),
        TEST(a_path_in_a_message_has_its_dots_behind_one_letter),
        TEST(a_member_behind_the_second_takes_the_key),
        TEST(one_letter_behind_a_line_is_a_capital),
        TEST(names_are_known_by_any_case_where_the_dialect_says_so),
        TEST(the_smallest_bounds_hold),
        TEST(long_bytes_do_not_lie_on_each_other),
        TEST(bytes_of_no_text_look_at_nothing_before_it),
        TEST(a_path_goes_through_three_objects),
        TEST(no_name_is_no_field),
        TEST(each_entry_is_compared),
        TEST(one_byte_is_compared),
        TEST(a_text_has_what_is_printed_and_no_input),
        TEST(a_text_of_rows_that_fail_is_none),
        TEST(nested_objects_are_one_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
