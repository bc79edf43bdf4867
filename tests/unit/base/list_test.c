/* Lists: in one text, and of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "list.h"

/* Its elements, each in brackets. */
static const char *
taken(const char *list)
{
    static char text[64];
    struct span s;
    size_t n = 0;

    text[0] = '\0';
    while (list_next(&list, &s))
        n += (size_t)snprintf(text + n, sizeof(text) - n, "[%.*s]", (int)s.n,
                              s.p);
    return text;
}

static void
elements_come_one_by_one(void **state)
{
    (void)state;
    assert_string_equal(taken(""), "");
    assert_string_equal(taken("a"), "[a]");
    assert_string_equal(taken("a:1,b c,d"), "[a:1][b c][d]");
}

static void
an_empty_one_is_one(void **state)
{
    (void)state;
    assert_string_equal(taken(","), "[]");
    assert_string_equal(taken("a,"), "[a][]");
    assert_string_equal(taken(",a"), "[][a]");
    assert_string_equal(taken("a,,b"), "[a][][b]");
}

static void
a_word_is_found_whole(void **state)
{
    (void)state;
    assert_true(list_has("http,webhdfs", (struct span){ "webhdfs", 7 }));
    assert_true(list_has("http,webhdfs", (struct span){ "http://", 4 }));
    assert_false(list_has("http,webhdfs", (struct span){ "web", 3 }));
    assert_false(list_has("http,webhdfs", (struct span){ "hdfs", 4 }));
    assert_false(list_has("", (struct span){ "", 0 }));
}

static void
a_word_of_a_list_is_found_whole(void **state)
{
    static const char *const words[] = { "http", "webhdfs", NULL };
    static const char *const none[] = { NULL };

    (void)state;
    assert_true(list_has_word(words, "http"));
    assert_true(list_has_word(words, "webhdfs"));
    assert_false(list_has_word(words, "web"));
    assert_false(list_has_word(words, "https"));
    assert_false(list_has_word(words, ""));
    assert_false(list_has_word(none, "http"));
    assert_false(list_has_word(NULL, "http"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_one_by_one),
        cmocka_unit_test(an_empty_one_is_one),
        cmocka_unit_test(a_word_is_found_whole),
        cmocka_unit_test(a_word_of_a_list_is_found_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
