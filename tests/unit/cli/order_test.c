/* Words of a command line, by the verbs that dialects bring. */
#include "cli/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct order o;

static int
read_words(size_t n, const char *const *words)
{
    static char text[16][64];
    char *argv[17] = { NULL };

    for (size_t i = 0; i < n; i++) {
        memcpy(text[i], words[i], strlen(words[i]) + 1);
        argv[i] = text[i];
    }
    return order_read((int)n, argv, &o);
}
#define READ(...)                                                              \
    read_words(sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *), \
               (const char *const[]){ __VA_ARGS__ })

static void
a_noun_and_its_verb_are_found(void **state)
{
    (void)state;
    assert_int_equal(READ("job", "show", "7", "-o", "json"), CLI_OK);
    assert_string_equal(o.verb->path, "/api/jobs/{id}");
    assert_string_equal(o.value[0], "7");
    assert_int_equal(o.form, FORM_JSON);
    assert_int_equal(READ("job"), CLI_OK);
    assert_string_equal(o.verb->verb, "list");
    assert_int_equal(READ("topology"), CLI_OK);
    assert_int_equal(READ("job", "--limit=5", "--watch=9"), CLI_OK);
    assert_int_equal(o.limit, 5);
    assert_int_equal(o.watch_s, 9);
    assert_int_equal(READ("job", "show", "--", "--help"), CLI_OK);
    assert_string_equal(o.value[0], "--help");
}

static void
words_that_are_off_are_refused(void **state)
{
    (void)state;
    assert_int_equal(READ("job", "show"), CLI_USAGE);
    assert_int_equal(READ("job", "show", "1", "2"), CLI_USAGE);
    assert_int_equal(READ("job", "list", "--limit", "-1"), CLI_USAGE);
    assert_int_equal(READ("job", "list", "--limit"), CLI_USAGE);
    assert_int_equal(READ("job", "list", "--watch=0"), CLI_USAGE);
    assert_int_equal(READ("job", "list", "--parent", "x"), CLI_USAGE);
    assert_int_equal(READ("job", "cancel", "1", "--watch"), CLI_USAGE);
}

static const char *
word(const void *ctx, size_t i)
{
    static const char *const words[] = {
        "list", "show", "cancel", "decommission", "start", "status", NULL
    };

    (void)ctx;
    return words[i];
}

static void
what_is_near_is_meant(void **state)
{
    (void)state;
    assert_string_equal(nearest("lsit", word, NULL), "list");
    assert_string_equal(nearest("cancle", word, NULL), "cancel");
    assert_string_equal(nearest("stauts", word, NULL), "status");
    assert_string_equal(nearest("tsatsu", word, NULL), "status");
    assert_string_equal(nearest("edcommissino", word, NULL), "decommission");
    assert_null(nearest("remove", word, NULL));
    assert_null(nearest("", word, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_noun_and_its_verb_are_found),
        cmocka_unit_test(words_that_are_off_are_refused),
        cmocka_unit_test(what_is_near_is_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
