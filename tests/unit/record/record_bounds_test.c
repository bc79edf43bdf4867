/* Where each bound of binding lies: the last value that is taken and the
 * first that is not. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "record/record_bind_int.h"

static const struct enum_name far_names[] = {
    { "LEAST", INT32_MIN }, { "MOST", INT32_MAX }, { "ONE", 1 }, { NULL, 0 }
};

#define KEYED(X, s)            \
    X(s, I32, id, "id", IN, -) \
    X(s, STR, name, "name", IN, -)
STRUCT(keyed, KEYED);
TABLE(keyed, KEYED);

#define ALL(X, s)                                             \
    X(s, STR, text, "text", IN, -, .max = 3)                  \
    X(s, STR, any_text, "any_text", IN, -)                    \
    X(s, I32, i32, "i32", IN, -)                              \
    X(s, I32, port, "port", IN, -, .min = 1, .max = 9)        \
    X(s, I64, i64, "i64", IN, -)                              \
    X(s, I64, low, "low", IN, -, .min = -3, .max = -1)        \
    X(s, I64, zero, "zero", IN, -, .min = -3)                 \
    X(s, U64, u64, "u64", IN, -)                              \
    X(s, U64, some, "some", IN, -, .min = 2, .max = 9)        \
    X(s, U64, from_0, "from_0", IN, -, .min = -5, .max = 7)   \
    X(s, U64, only_0, "only_0", IN, -, .min = -5)             \
    X(s, U64, none, "none", IN, -, .min = -5, .max = -1)      \
    X(s, F64, f64, "f64", IN, -)                              \
    X(s, BOOL, on, "on", IN, -)                               \
    X(s, FLAG, flag, "flag", IN, -)                           \
    X(s, ENUM, far, "far", IN, far)                           \
    X(s, BYTES, blob, "blob", IN, -, .max = 4)                \
    X(s, BYTES, any_blob, "any_blob", IN, -)                  \
    X(s, LIST, two, "two", IN, STR, .max = 2)                 \
    X(s, MAP, one, "one", IN, STR, .max = 1)                  \
    X(s, LIST, ids, "ids", IN, keyed, .keyed_by = "id")       \
    X(s, LIST, at, "at", IN, STR, .numbered = "at", .max = 3) \
    X(s, JSON, memo, "memo", IN, -)
STRUCT(all, ALL);
TABLE(all, ALL);

static struct all v;
static struct bind_error why;

/* fmt: a body with ' for ". */
static enum err
bind(const char *body, unsigned style)
{
    char *text = arena_strdup(arena, body);
    const struct json *j = NULL;
    struct json_error syntax;

    for (char *p = text; *p != '\0'; p++)
        *p = *p == '\'' ? '"' : *p;
    if (json_parse(arena, text, strlen(text), JSON_STRICT, &j, &syntax) !=
        ERR_OK)
        fail_msg("%s: %s", text, syntax.reason);
    return record_bind(arena, &all_rec, j, style, &v, &why);
}

static void
takes(const char *body, unsigned style)
{
    if (bind(body, style) != ERR_OK)
        fail_msg("%s: %s %s", body, why.field, why.reason);
    assert_int_not_equal(v.has, 0);
}

static void
passes_over(const char *body, unsigned style)
{
    if (bind(body, style) != ERR_OK)
        fail_msg("%s: %s %s", body, why.field, why.reason);
    assert_int_equal(v.has, 0);
}

static void
refuses(const char *body, unsigned style, const char *reason)
{
    if (bind(body, style) != ERR_BAD_PARAM || strcmp(why.reason, reason) != 0)
        fail_msg("%s: %s", body, why.reason);
}

#define INTEGER "must be an integer"
#define NATURAL "must be an integer that is not negative"
#define RANGE   "is out of range"
#define NUMBER  "must be a number"
#define SWITCH  "must be true or false"

static void
texts_and_bytes_have_a_longest(void **state)
{
    (void)state;
    takes("{'text':'abc'}", 0);
    refuses("{'text':'abcd'}", 0, "is too long");
    takes("{'any_text':'abcdefgh'}", 0);
    takes("{'text':123}", BIND_STR_FROM_NUM);
    refuses("{'text':1234}", BIND_STR_FROM_NUM, "is too long");
    refuses("{'text':true}", BIND_STR_FROM_NUM, "must be a string");
    takes("{'blob':'AAAAAA'}", 0);
    refuses("{'blob':'AAAAAAA'}", 0, "is too long");
    takes("{'any_blob':'AAAAAAAAAAAA'}", 0);
    assert_int_equal(v.any_blob.n, 9);
    refuses("{'blob':1}", 0, "must be base64");
}

static void
integers_end_where_their_type_does(void **state)
{
    (void)state;
    takes("{'i32':2147483647}", 0);
    assert_int_equal(v.i32, INT32_MAX);
    takes("{'i32':-2147483648}", 0);
    assert_int_equal(v.i32, INT32_MIN);
    refuses("{'i32':2147483648}", 0, RANGE);
    refuses("{'i32':-2147483649}", 0, RANGE);
    takes("{'i64':9223372036854775807}", 0);
    assert_true(v.i64 == INT64_MAX);
    takes("{'i64':-9223372036854775808}", 0);
    assert_true(v.i64 == INT64_MIN);
    refuses("{'i64':9223372036854775808}", 0, RANGE);
    refuses("{'i64':-9223372036854775809}", 0, RANGE);
    takes("{'u64':18446744073709551615}", 0);
    assert_true(v.u64 == UINT64_MAX);
    takes("{'u64':0}", 0);
    refuses("{'u64':18446744073709551616}", 0, RANGE);
    refuses("{'u64':-1}", 0, RANGE);
    refuses("{'u64':1.5}", 0, NATURAL);
    refuses("{'u64':'1'}", 0, NATURAL);
    takes("{'u64':'1'}", BIND_INT_FROM_STR);
    refuses("{'u64':true}", BIND_INT_FROM_STR, NATURAL);
    refuses("{'i64':true}", BIND_INT_FROM_STR, INTEGER);
    takes("{'u64':1.5e1}", BIND_INTEGRAL);
    assert_true(v.u64 == 15);
    refuses("{'u64':1.5e1}", 0, NATURAL);
}

static void
integers_end_where_their_row_says(void **state)
{
    (void)state;
    takes("{'port':1}", 0);
    takes("{'port':9}", 0);
    refuses("{'port':0}", 0, "must be between 1 and 9");
    refuses("{'port':10}", 0, "must be between 1 and 9");
    takes("{'low':-3}", 0);
    takes("{'low':-1}", 0);
    refuses("{'low':-4}", 0, "must be between -3 and -1");
    refuses("{'low':0}", 0, "must be between -3 and -1");
    takes("{'zero':0}", 0);
    refuses("{'zero':1}", 0, "must be between -3 and 0");
    takes("{'some':2}", 0);
    takes("{'some':9}", 0);
    refuses("{'some':1}", 0, "must be between 2 and 9");
    refuses("{'some':10}", 0, "must be between 2 and 9");
    takes("{'from_0':0}", 0);
    takes("{'from_0':7}", 0);
    refuses("{'from_0':8}", 0, "must be between -5 and 7");
    takes("{'only_0':0}", 0);
    refuses("{'only_0':1}", 0, "must be between -5 and 0");
    refuses("{'none':0}", 0, "must be between -5 and -1");
    refuses("{'none':18446744073709551615}", 0, "must be between -5 and -1");
}

static void
numbers_are_what_json_calls_so(void **state)
{
    static const char *const good[] = { "1", "-1.5", "1e3", "+1", "5E-1" };
    static const char *const bad[] = { "",   "inf", "nan",   "0x1", "1 ",
                                       " 1", "-",   "1.5.5", "e",   "1e" };
    char body[64];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        (void)snprintf(body, sizeof(body), "{'f64':'%s'}", good[i]);
        takes(body, BIND_INT_FROM_STR);
        refuses(body, 0, NUMBER);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        (void)snprintf(body, sizeof(body), "{'f64':'%s'}", bad[i]);
        refuses(body, BIND_INT_FROM_STR, NUMBER);
    }
    takes("{'f64':1e308}", 0);
    refuses("{'f64':1e309}", 0, RANGE);
    refuses("{'f64':-1e309}", 0, RANGE);
    refuses("{'f64':true}", BIND_INT_FROM_STR, NUMBER);
}

static void
switches_are_words_or_digits_by_style(void **state)
{
    static const struct {
        const char *value;
        bool on;
    } texts[] = {
        { "true", true }, { "1", true }, { "false", false }, { "0", false }
    };
    char body[64];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        (void)snprintf(body, sizeof(body), "{'on':'%s'}", texts[i].value);
        takes(body, BIND_INT_FROM_STR);
        assert_int_equal(v.on, texts[i].on);
        refuses(body, 0, SWITCH);
    }
    takes("{'on':true}", 0);
    assert_true(v.on);
    takes("{'on':false}", 0);
    assert_false(v.on);
    refuses("{'on':'yes'}", BIND_INT_FROM_STR, SWITCH);
    refuses("{'on':2}", BIND_INT_FROM_STR, SWITCH);
    takes("{'flag':true}", 0);
    assert_true(v.flag);
    passes_over("{'flag':false}", 0);
    refuses("{'flag':'true'}", BIND_INT_FROM_STR, SWITCH);
    refuses("{'flag':1}", 0, SWITCH);
}

static void
enums_have_a_name_or_a_number_of_32_bits(void **state)
{
    static const char wrong[] = "must be one of the documented names";

    (void)state;
    takes("{'far':-2147483648}", 0);
    assert_int_equal(v.far, INT32_MIN);
    takes("{'far':2147483647}", 0);
    assert_int_equal(v.far, INT32_MAX);
    takes("{'far':'MOST'}", 0);
    refuses("{'far':4294967297}", 0, wrong); /* no ONE of 32 bits */
    refuses("{'far':-4294967295}", 0, wrong);
    refuses("{'far':2147483648}", 0, wrong);
    refuses("{'far':-2147483649}", 0, wrong);
    refuses("{'far':1.0}", 0, wrong);
    takes("{'far':1.0}", BIND_INTEGRAL);
    passes_over("{'far':7}", BIND_UNKNOWN_ENUM_UNSET);
    passes_over("{'far':'x'}", BIND_UNKNOWN_ENUM_UNSET);
    refuses("{'far':7.5}", BIND_UNKNOWN_ENUM_UNSET, wrong);
    refuses("{'far':7.0}", BIND_UNKNOWN_ENUM_UNSET, wrong);
    passes_over("{'far':7.0}", BIND_UNKNOWN_ENUM_UNSET | BIND_INTEGRAL);
}

static void
each_digit_of_base64_has_its_value(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                 "qrstuvwxyz0123456789+/";
    static const char others[] = "@[`{/:.,=";
    char body[64];

    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        (void)snprintf(body, sizeof(body), "{'blob':'A%cA%c'}", digits[i],
                       digits[63 - i]);
        takes(body, 0);
        assert_int_equal(v.blob.n, 3);
        assert_int_equal((unsigned char)v.blob.p[0], i >> 4);
        assert_int_equal((unsigned char)v.blob.p[1], (i & 15) << 4);
        assert_int_equal((unsigned char)v.blob.p[2], 63 - i);
    }
    for (size_t i = 0; i < sizeof(others) - 1; i++) {
        if (others[i] == '/')
            continue;
        (void)snprintf(body, sizeof(body), "{'blob':'A%cAA'}", others[i]);
        refuses(body, 0, "must be base64");
    }
}

static void
lists_and_maps_have_a_most(void **state)
{
    (void)state;
    takes("{'two':['a','b']}", 0);
    assert_int_equal(v.two.n, 2);
    refuses("{'two':['a','b','c']}", 0, "has too many elements");
    takes("{'two':['a','b','c']}", BIND_ANY_COUNT);
    assert_int_equal(v.two.n, 3);
    takes("{'one':{'a':'1'}}", 0);
    refuses("{'one':{'a':'1','b':'2'}}", 0, "has too many elements");
    takes("{'at0':'a','at1':'b','at2':'c'}", 0);
    assert_int_equal(v.at.n, 3);
    refuses("{'at0':'','at1':'','at2':'','at3':''}", 0,
            "has too many elements");
    refuses("{'at0':null}", 0, "must not be null");
}

static void
members_are_numbered_in_the_shortest_form(void **state)
{
    size_t n = 0;

    (void)state;
    assert_true(record_numbered_index("at0", "at", &n));
    assert_int_equal(n, 0);
    assert_true(record_numbered_index("at10", "at", &n));
    assert_int_equal(n, 10);
    assert_true(record_numbered_index("at999999999", "at", &n));
    assert_int_equal(n, 999999999);
    assert_false(record_numbered_index("at1000000000", "at", &n));
    assert_false(record_numbered_index("at00", "at", &n));
    assert_false(record_numbered_index("at01", "at", &n));
    assert_false(record_numbered_index("at", "at", &n));
    assert_false(record_numbered_index("at1x", "at", &n));
    assert_false(record_numbered_index("at-1", "at", &n));
    assert_false(record_numbered_index("as1", "at", &n));
}

static void
a_key_of_an_object_becomes_a_member(void **state)
{
    (void)state;
    takes("{'ids':{'7':{'name':'a'},'8':{'id':9}}}", 0);
    assert_int_equal(v.ids.n, 2);
    assert_int_equal(v.ids.v[0].id, 7);
    assert_string_equal(v.ids.v[0].name, "a");
    assert_int_equal(v.ids.v[1].id, 9);
    refuses("{'ids':{'x':{}}}", 0, INTEGER);
    assert_int_equal(v.ids.n, 0);
}

static void
a_null_is_json_unless_it_is_absent_by_style(void **state)
{
    (void)state;
    takes("{'memo':null}", 0);
    assert_int_equal(v.memo.n, 4);
    passes_over("{'memo':null}", BIND_NULL_UNSET);
    passes_over("{'text':null}", BIND_NULL_UNSET);
    refuses("{'text':null}", 0, "must be a string");
    takes("{'memo':''}", BIND_NULL_UNSET);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(texts_and_bytes_have_a_longest),
        TEST(integers_end_where_their_type_does),
        TEST(integers_end_where_their_row_says),
        TEST(numbers_are_what_json_calls_so),
        TEST(switches_are_words_or_digits_by_style),
        TEST(enums_have_a_name_or_a_number_of_32_bits),
        TEST(each_digit_of_base64_has_its_value),
        TEST(lists_and_maps_have_a_most),
        TEST(members_are_numbered_in_the_shortest_form),
        TEST(a_key_of_an_object_becomes_a_member),
        TEST(a_null_is_json_unless_it_is_absent_by_style),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
