/* Protobuf's text format, on one line and on many. */
#include "request/request.h"

#include "doris/doris.h"

static const struct enum_name kind_names[] = { { "A", 0 },
                                               { "B", 1 },
                                               { NULL, 0 } };

#define PART(X, s)                  \
    X(s, STR, name, "name", OUT, -) \
    X(s, I32, port, "port", OUT, -)
STRUCT(part, PART);
LIST_OF(part);
TABLE(part, PART);

#define WHOLE(X, s)                             \
    X(s, STR, text, "text", IN | OUT, -)        \
    X(s, I64, number, "number", IN | OUT, -)    \
    X(s, BOOL, on, "on", IN | OUT, -)           \
    X(s, ENUM, kind, "kind", IN | OUT, kind)    \
    X(s, OBJ, part, "part", IN | OUT, part)     \
    X(s, LIST, parts, "parts", IN | OUT, part)  \
    X(s, STR, key, "key", IN | OUT | SECRET, -) \
    X(s, I32, asked, "asked", IN, -)
STRUCT(whole, WHOLE);
TABLE(whole, WHOLE);

#define WORDS(X, s)                      \
    X(s, LIST, words, "words", OUT, STR) \
    X(s, LIST, numbers, "numbers", OUT, I64)
STRUCT(words, WORDS);
TABLE(words, WORDS);

static struct whole whole;

static const char *
lines(void)
{
    static struct buf b;

    buf_free(&b);
    b = (struct buf)BUF_INIT(4096);
    doris_text_lines(&b, &whole_rec, &whole);
    return b.n == 0 ? "" : buf_text(&b);
}

static struct part *
part_of(struct part *p, const char *name, int32_t port)
{
    memset(p, 0, sizeof(*p));
    PUT(p, part, name, name);
    if (port >= 0)
        PUT(p, part, port, port);
    return p;
}

static void
what_is_set_stands_in_the_record_s_order(void **state)
{
    static struct part one, two[2];

    (void)state;
    memset(&whole, 0, sizeof(whole));
    assert_string_equal(doris_text(&r, &whole_rec, &whole), "");
    assert_string_equal(lines(), "");
    (void)part_of(&two[0], "x", -1);
    (void)part_of(&two[1], "y", 0);
    PUT(&whole, whole, asked, 5);
    PUT(&whole, whole, key, "s3cret");
    PUT_LIST(&whole, whole, parts, 2, two);
    PUT(&whole, whole, part, part_of(&one, "n", -1));
    PUT(&whole, whole, kind, 1);
    PUT(&whole, whole, on, false);
    PUT(&whole, whole, number, INT64_MIN);
    PUT(&whole, whole, text, "a");
    assert_string_equal(
        doris_text(&r, &whole_rec, &whole),
        "text: \"a\" number: -9223372036854775808 on: false kind: B"
        " part { name: \"n\" } parts { name: \"x\" }"
        " parts { name: \"y\" port: 0 } key: \"***\" asked: 5");
    assert_string_equal(lines(), "text: \"a\"\n"
                                 "number: -9223372036854775808\n"
                                 "on: false\n"
                                 "kind: B\n"
                                 "part {\n"
                                 "  name: \"n\"\n"
                                 "}\n"
                                 "parts {\n"
                                 "  name: \"x\"\n"
                                 "}\n"
                                 "parts {\n"
                                 "  name: \"y\"\n"
                                 "  port: 0\n"
                                 "}\n"
                                 "key: \"***\"\n");
    PUT(&whole, whole, on, true);
    PUT(&whole, whole, kind, 0);
    assert_non_null(strstr(lines(), "\non: true\nkind: A\n"));
}

static void
a_text_is_escaped_as_protobuf_does(void **state)
{
    (void)state;
    memset(&whole, 0, sizeof(whole));
    PUT(&whole, whole, text, "\"\\'\n\r\t\x01\x1f ~\x7f\xc3\xa4\xff");
    assert_string_equal(
        doris_text(&r, &whole_rec, &whole),
        "text: \"\\\"\\\\\\'\\n\\r\\t\\001\\037 ~\\177\\303\\244"
        "\\377\"");
}

static void
a_list_names_each_of_its_elements(void **state)
{
    static struct STR texts[3] = { { .v = "a" }, { .v = "" }, { .v = "b" } };
    static struct I64 numbers[1] = { { .v = -7 } };
    struct words w = { 0 };

    (void)state;
    PUT_LIST(&w, words, words, 3, texts);
    PUT_LIST(&w, words, numbers, 1, numbers);
    assert_string_equal(doris_text(&r, &words_rec, &w),
                        "words: \"a\" words: \"\" words: \"b\" numbers: -7");
}

/* In a message its beginning will do. */
static void
a_long_one_is_cut(void **state)
{
    static char text[8193];
    const char *cut;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    memset(&whole, 0, sizeof(whole));
    PUT(&whole, whole, text, text);
    cut = doris_text(&r, &whole_rec, &whole);
    assert_memory_equal(cut, "text: \"xxx", 10);
    assert_in_range(strlen(cut), 8000, 8192);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_set_stands_in_the_record_s_order),
        TEST(a_text_is_escaped_as_protobuf_does),
        TEST(a_list_names_each_of_its_elements),
        TEST(a_long_one_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
