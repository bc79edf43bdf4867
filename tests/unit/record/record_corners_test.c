/* Corners of rendering: keys of every type, masks, what is left out; and what
 * counts as given. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "record/record_int.h"

static const struct json_style compact = { .indent = 0 };
static const struct json_style strings = { .all_leaves_string = true };

static const struct enum_name kind_names[] = {
    { "A", 0 }, { "B", 1 }, { "C", 2 }, { "also C", 2 }, { NULL, 0 }
};

static const char *
rendered(const struct json_style *style, const struct record *rec,
         const void *in, enum secret_mode secrets, bool input)
{
    struct buf b = BUF_INIT(1 << 20);
    struct json_writer w;
    const char *text = NULL;

    jw_init(&w, &b, style);
    assert_int_equal(record_render(&w, rec, in, secrets, input, arena), ERR_OK);
    assert_int_equal(buf_settle(&b, arena, &text), ERR_OK);
    return text;
}

static void
prints(const struct record *rec, const void *in, const char *text)
{
    assert_string_equal(rendered(&compact, rec, in, SECRETS_FULL, false), text);
}

/* ---- keys ---- */

#define ITEM(X, s)                      \
    X(s, STR, str, "str", OUT, -)       \
    X(s, I32, i32, "i32", OUT, -)       \
    X(s, I64, i64, "i64", OUT, -)       \
    X(s, U64, u64, "u64", OUT, -)       \
    X(s, ENUM, kind, "kind", OUT, kind) \
    X(s, BOOL, on, "on", OUT, -)
STRUCT(item, ITEM);
TABLE(item, ITEM);

#define ITEMS(X, s) X(s, LIST, v, "v", OUT, item)
STRUCT(items, ITEMS);
TABLE(items, ITEMS);

static void
keyed(const char *by, const char *text)
{
    struct item v[] = { { .str = "x",
                          .i32 = INT32_MIN,
                          .i64 = INT64_MIN,
                          .u64 = UINT64_MAX,
                          .kind = 2 },
                        { .kind = 1 } };
    const struct items in = { .v = { 2, v } };
    struct field f = items_rec.fields[0];
    const struct record rec = { "r", sizeof(in), &f, 1 };

    f.keyed_by = by;
    prints(&rec, &in, text);
}

static void
every_scalar_can_be_a_key(void **state)
{
    (void)state;
    keyed("str", "{\"v\":{\"x\":{},\"\":{}}}");
    keyed("i32", "{\"v\":{\"-2147483648\":{},\"0\":{}}}");
    keyed("i64", "{\"v\":{\"-9223372036854775808\":{},\"0\":{}}}");
    keyed("u64", "{\"v\":{\"18446744073709551615\":{},\"0\":{}}}");
    keyed("kind", "{\"v\":{\"C\":{},\"B\":{}}}");
    keyed("on", "{\"v\":{\"?\":{},\"?\":{}}}");
    keyed("nope", "{\"v\":{\"?\":{},\"?\":{}}}");
}

#define NUMBERED(X, s) X(s, LIST, v, "v", OUT | SECRET, STR, .numbered = "v")
STRUCT(numbered, NUMBERED);
TABLE(numbered, NUMBERED);

static void
numbers_behind_names_have_as_many_digits_as_they_need(void **state)
{
    struct STR v[101];
    const struct numbered in = { .v = { 101, v } };
    char prefix[101];
    struct field f = numbered_rec.fields[0];
    const struct record rec = { "r", sizeof(in), &f, 1 };
    const struct numbered one = { .v = { 1, v } };
    const char *text;

    (void)state;
    for (size_t i = 0; i < 101; i++)
        v[i] = (struct STR){ .v = "" };
    text = rendered(&compact, &numbered_rec, &in, SECRETS_FULL, false);
    assert_int_equal(strncmp(text, "{\"v0\":\"\",\"v1\":\"\",", 16), 0);
    assert_non_null(strstr(text, ",\"v9\":\"\",\"v10\":\"\","));
    assert_non_null(strstr(text, ",\"v99\":\"\",\"v100\":\"\"}"));
    /* a long name is cut, and there is room for the number */
    memset(prefix, 'p', sizeof(prefix));
    prefix[76] = '\0';
    f.numbered = prefix;
    text = rendered(&compact, &rec, &one, SECRETS_FULL, false);
    assert_int_equal(strspn(text + 2, "p"), 76);
    prefix[76] = 'p';
    prefix[100] = '\0';
    text = rendered(&compact, &rec, &one, SECRETS_FULL, false);
    assert_int_equal(strspn(text + 2, "p"), 76);
    assert_string_equal(text + 2 + 76, "0\":\"\"}");
    /* they have no key to stand behind */
    assert_string_equal(
        rendered(&compact, &numbered_rec, &one, SECRETS_STARS, false), "{}");
}

/* ---- lists in one text ---- */

#define FLAT(X, s)                       \
    X(s, LIST, texts, "texts", OUT, STR) \
    X(s, LIST, items, "items", OUT, item)
STRUCT(flat, FLAT);
TABLE(flat, FLAT);

static void
a_text_that_is_missing_in_a_flat_list_is_empty(void **state)
{
    struct STR v[] = { { .v = "a" }, { .v = NULL }, { .v = "c" } };
    struct item items[] = { { .i32 = 1, .has = 2 } };
    const struct flat in = { .texts = { 3, v }, .items = { 1, items } };

    (void)state;
    assert_string_equal(rendered(&strings, &flat_rec, &in, SECRETS_FULL, false),
                        "{\"texts\":\"[a,,c]\",\"items\":[{\"i32\":\"1\"}]}");
    prints(&flat_rec, &in,
           "{\"texts\":[\"a\",null,\"c\"],\"items\":[{\"i32\":1}]}");
}

static void
a_flat_list_that_does_not_fit_is_too_large(void **state)
{
    struct STR v[] = { { .v =
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } };
    const struct flat in = { .texts = { 1, v } };
    struct buf b = BUF_INIT(40);
    struct json_writer w;

    (void)state;
    jw_init(&w, &b, &strings);
    assert_int_equal(
        record_render(&w, &flat_rec, &in, SECRETS_FULL, false, arena),
        ERR_LIMIT);
    buf_free(&b);
}

/* ---- nested objects, masks ---- */

#define NESTED(X, s)                                       \
    X(s, STR, a, "a", OUT, -)                              \
    X(s, STR, b, "b", OUT, -, .nested = "p")               \
    X(s, STR, c, "c", OUT, -, .nested = "p")               \
    X(s, STR, d, "d", OUT | PRINT_UNSET, -, .nested = "q") \
    X(s, STR, e, "e", OUT, -)                              \
    X(s, MAP, map, "map", OUT | SECRET, STR)               \
    X(s, JSON, memo, "memo", OUT, -)                       \
    X(s, FLAG, flag, "flag", OUT, -)
STRUCT(nested, NESTED);
TABLE(nested, NESTED);

static void
members_lie_in_their_nested_object(void **state)
{
    struct nested in = { .a = "1", .b = "2", .c = "3", .e = "5" };

    (void)state;
    SET(&in, nested, a);
    SET(&in, nested, b);
    SET(&in, nested, c);
    SET(&in, nested, e);
    prints(&nested_rec, &in,
           "{\"a\":\"1\",\"p\":{\"b\":\"2\",\"c\":\"3\"},\"q\":{\"d\":\"\"},"
           "\"e\":\"5\"}");
    UNSET(&in, nested, b);
    UNSET(&in, nested, e);
    PUT(&in, nested, flag, true);
    PUT(&in, nested, memo, ((struct span){ "[1]", 3 }));
    prints(&nested_rec, &in,
           "{\"a\":\"1\",\"p\":{\"c\":\"3\"},\"q\":{\"d\":\"\"},\"memo\":[1],"
           "\"flag\":true}");
}

static void
a_map_of_secrets_is_one_mask(void **state)
{
    struct map_of_STR v[] = { { .key = "k", .value = { .v = "CANARY" } } };
    struct nested in = { .map = { 1, v } };

    (void)state;
    assert_string_equal(
        rendered(&compact, &nested_rec, &in, SECRETS_STARS, false),
        "{\"q\":{\"d\":\"\"},\"map\":\"***\"}");
    prints(&nested_rec, &in, "{\"q\":{\"d\":\"\"},\"map\":{\"k\":\"CANARY\"}}");
}

static void
members_can_be_rendered_without_their_object(void **state)
{
    struct nested in = { .a = "1" };
    struct buf b = BUF_INIT(64);
    struct json_writer w;

    (void)state;
    SET(&in, nested, a);
    jw_init(&w, &b, &compact);
    jw_object(&w);
    assert_int_equal(
        record_render_members(&w, &nested_rec, &in, SECRETS_FULL, arena),
        ERR_OK);
    jw_object_end(&w);
    assert_string_equal(buf_text(&b), "{\"a\":\"1\",\"q\":{\"d\":\"\"}}");
    buf_free(&b);
    b = (struct buf)BUF_INIT(8);
    jw_init(&w, &b, &compact);
    assert_int_equal(
        record_render_members(&w, &nested_rec, &in, SECRETS_FULL, arena),
        ERR_LIMIT);
    buf_free(&b);
}

/* ---- streams ---- */

#define STREAM(X, s)                                                      \
    X(s, ROWS, keyed, "keyed", OUT | KEEP_EMPTY, item, .keyed_by = "i32") \
    X(s, ROWS, plain, "plain", OUT, item)
STRUCT(stream, STREAM);
TABLE(stream, STREAM);

static enum err
three(struct rows *rows, struct arena *a, const void **row)
{
    static struct item v[] = { { .i32 = 1, .has = 2 },
                               { .i32 = 2, .has = 2 },
                               { .i32 = 3, .has = 2 } };
    size_t *at = rows->state;

    assert_ptr_equal(a, arena);
    *row = &v[*at];
    return (*at)++ < 3 ? ERR_OK : ERR_NOT_FOUND;
}

static void
each_row_of_a_stream_is_printed(void **state)
{
    size_t i = 0, k = 0;
    const struct stream in = { .keyed = { three, &i }, .plain = { three, &k } };

    (void)state;
    prints(&stream_rec, &in,
           "{\"keyed\":{\"1\":{\"i32\":1},\"2\":{\"i32\":2},\"3\":{\"i32\":3}},"
           "\"plain\":[{\"i32\":1},{\"i32\":2},{\"i32\":3}]}");
    i = k = 3;
    prints(&stream_rec, &in, "{\"keyed\":{}}");
}

/* ---- what is given ---- */

#define INNER(X, s)          \
    X(s, STR, a, "a", IN, -) \
    X(s, STR, b, "b", IN, -) \
    X(s, STR, c, "c", IN, -)
STRUCT(inner, INNER);
TABLE(inner, INNER);

#define GIVEN(X, s)                    \
    X(s, STR, str, "str", IN, -)       \
    X(s, I32, i32, "i32", IN, -)       \
    X(s, I64, i64, "i64", IN, -)       \
    X(s, U64, u64, "u64", IN, -)       \
    X(s, FLAG, flag, "flag", IN, -)    \
    X(s, BOOL, on, "on", IN, -)        \
    X(s, ENUM, kind, "kind", IN, kind) \
    X(s, BYTES, blob, "blob", IN, -)   \
    X(s, JSON, memo, "memo", IN, -)    \
    X(s, LIST, list, "list", IN, STR)  \
    X(s, MAP, map, "map", IN, STR)     \
    X(s, OBJ, inner, "inner", IN, inner)
STRUCT(given, GIVEN);
TABLE(given, GIVEN);

static bool
is_given(const struct given *in, const char *key)
{
    struct field_path path;

    assert_int_equal(field_path_find(&given_rec, key, &path), ERR_OK);
    assert_int_equal(path.n, 1);
    return field_path_given(&path, in);
}

static void
zero_and_empty_are_not_given_but_a_switch_is(void **state)
{
    struct inner inner = { 0 };
    struct given in = { .str = "", .inner = &inner };

    (void)state;
    in.has = UINT64_MAX;
    for (size_t i = 0; i < given_rec.n; i++) {
        const char *key = given_rec.fields[i].key;

        assert_int_equal(is_given(&in, key),
                         strcmp(key, "on") == 0 || strcmp(key, "kind") == 0);
    }
    in = (struct given){ .has = UINT64_MAX,
                         .str = "x",
                         .i32 = -1,
                         .i64 = INT64_C(1) << 40,
                         .u64 = UINT64_C(1) << 63,
                         .flag = true,
                         .blob = { "x", 1 },
                         .memo = { "1", 1 },
                         .list = { 1, NULL },
                         .map = { 1, NULL },
                         .inner = &inner };
    PUT(&inner, inner, c, "");
    for (size_t i = 0; i < given_rec.n; i++)
        assert_true(is_given(&in, given_rec.fields[i].key));
    in.str = NULL;
    assert_false(is_given(&in, "str"));
    in.has = 0;
    in.inner = NULL;
    for (size_t i = 0; i < given_rec.n; i++) {
        const char *key = given_rec.fields[i].key;

        assert_int_equal(is_given(&in, key),
                         strcmp(key, "list") == 0 || strcmp(key, "map") == 0);
    }
}

static void
an_empty_list_that_was_given_is_present(void **state)
{
    struct field_path path;
    struct given in = { 0 };
    bool present;

    (void)state;
    assert_int_equal(field_path_find(&given_rec, "list", &path), ERR_OK);
    assert_ptr_equal(field_path_get(&path, &in, &present), &in.list);
    assert_false(present);
    SET(&in, given, list);
    (void)field_path_get(&path, &in, &present);
    assert_true(present);
}

static void
the_first_name_of_a_value_is_its_text(void **state)
{
    (void)state;
    assert_string_equal(enum_text(kind_names, 0), "A");
    assert_string_equal(enum_text(kind_names, 2), "C");
    assert_string_equal(enum_text(kind_names, 3), "");
    assert_string_equal(enum_text(kind_names, -1), "");
}

/* ---- paths ---- */

static void
a_path_has_so_many_steps(void **state)
{
    static struct field f[5];
    static struct record rec[5];
    struct field_path path;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        f[i] = (struct field){
            .key = "a", .key_bytes = 1, .type = F_OBJ, .more = &rec[(i + 1) % 5]
        };
        rec[i] = (struct record){ "r", 64, &f[i], 1 };
    }
    assert_int_equal(field_path_find(&rec[0], "a.a.a.a", &path), ERR_OK);
    assert_int_equal(path.n, FIELD_PATH_MAX);
    assert_ptr_equal(path.step[3], &f[3]);
    assert_int_equal(field_path_find(&rec[0], "a.a.a.a.a", &path),
                     ERR_BAD_PARAM);
}

#define HOST(X, s)                \
    X(s, STR, own, "own", IN, -)  \
    X(s, OBJ, item, "", IN, item) \
    X(s, OBJ, inner, "", IN, inner)
STRUCT(host, HOST);
TABLE(host, HOST);

static void
a_path_finds_the_embedded_object_that_has_it(void **state)
{
    struct inner inner = { .a = "1", .has = 1 };
    struct host in = { .inner = &inner };
    struct field_path path;
    bool present;

    (void)state;
    assert_int_equal(field_path_find(&host_rec, "a", &path), ERR_OK);
    assert_int_equal(path.n, 2);
    assert_ptr_equal(path.step[0], &host_rec.fields[2]);
    assert_ptr_equal(field_path_get(&path, &in, &present), &inner.a);
    assert_true(present);
    assert_int_equal(field_path_find(&host_rec, "own", &path), ERR_OK);
    assert_int_equal(path.n, 1);
    assert_int_equal(field_path_find(&host_rec, "ow", &path), ERR_BAD_PARAM);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_scalar_can_be_a_key),
        TEST(numbers_behind_names_have_as_many_digits_as_they_need),
        TEST(a_text_that_is_missing_in_a_flat_list_is_empty),
        TEST(a_flat_list_that_does_not_fit_is_too_large),
        TEST(members_lie_in_their_nested_object),
        TEST(a_map_of_secrets_is_one_mask),
        TEST(members_can_be_rendered_without_their_object),
        TEST(each_row_of_a_stream_is_printed),
        TEST(zero_and_empty_are_not_given_but_a_switch_is),
        TEST(an_empty_list_that_was_given_is_present),
        TEST(the_first_name_of_a_value_is_its_text),
        TEST(a_path_has_so_many_steps),
        TEST(a_path_finds_the_embedded_object_that_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
