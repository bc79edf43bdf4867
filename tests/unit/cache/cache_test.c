/* Rendered replies by version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache.h"

static struct arena *a;

static struct cache_key
key(int64_t id, int64_t version)
{
    const char *name = arena_printf(a, "%lld", (long long)id);

    assert_non_null(name);
    return (struct cache_key){ "test",
                               { name, strlen(name) },
                               { (uint64_t)version, 1 } };
}

static void
put(int64_t id, int64_t version, const char *text)
{
    struct cache_key k = key(id, version);

    cache_put(&k, (struct span){ text, strlen(text) });
}

static bool
has(int64_t id, int64_t version, const char *text)
{
    struct cache_key k = key(id, version);
    struct span found;

    return cache_get(a, &k, &found) == ERR_OK && found.n == strlen(text) &&
           memcmp(found.p, text, found.n) == 0;
}

static void
another_version_is_no_answer(void **state)
{
    (void)state;
    put(1, 1, "one");
    assert_true(has(1, 1, "one"));
    assert_false(has(1, 2, "one"));
    put(1, 2, "two");
    assert_false(has(1, 1, "one"));
    assert_true(has(1, 2, "two"));
    assert_false(has(2, 2, "two"));
}

/* Room for about three texts of 1,000 bytes. */
static void
what_was_not_asked_for_longest_goes_first(void **state)
{
    char text[1001];

    (void)state;
    memset(text, 'x', 1000);
    text[1000] = '\0';
    cache_init(4300);
    for (int64_t id = 0; id < 3; id++)
        put(id, 1, text);
    assert_true(has(0, 1, text));
    put(100, 1, text);
    assert_true(has(0, 1, text));
    assert_false(has(1, 1, text));
    assert_true(has(2, 1, text));
    assert_true(has(100, 1, text));
}

static void
a_text_of_more_than_a_quarter_is_not_kept(void **state)
{
    char text[1001];

    (void)state;
    memset(text, 'x', 1000);
    text[1000] = '\0';
    cache_init(3999);
    put(1, 1, text);
    assert_false(has(1, 1, text));
    cache_init(0);
    put(2, 1, "x");
    assert_false(has(2, 1, "x"));
}

static void
the_texts_together_are_bounded(void **state)
{
    size_t n = (size_t)8 << 20;
    char *big = malloc(n + 1);
    int kept = 0;

    (void)state;
    assert_non_null(big);
    memset(big, 'x', n);
    big[n] = '\0';
    cache_init((size_t)33 << 20);
    for (int64_t id = 0; id < 8; id++)
        put(id, 1, big);
    for (int64_t id = 0; id < 8; id++) {
        kept += has(id, 1, big) ? 1 : 0;
        arena_reset(a);
    }
    assert_int_equal(kept, 4);
    put(20, 1, "small");
    free(big);
    assert_true(has(20, 1, "small"));
}

/* Many names share a bucket, and one name is not another's beginning. */
static void
names_of_one_bucket_are_kept_apart(void **state)
{
    (void)state;
    cache_init((size_t)33 << 20);
    for (int64_t id = 0; id < 40000; id++)
        put(id, id, id % 2 == 0 ? "even" : "odd");
    for (int64_t id = 0; id < 40000; id += 37)
        assert_true(has(id, id, id % 2 == 0 ? "even" : "odd"));
}

static int
begin(void **state)
{
    (void)state;
    a = arena_new((size_t)64 << 20);
    return a == NULL;
}

static int
end(void **state)
{
    (void)state;
    cache_clear();
    arena_free(a);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_version_is_no_answer, begin,
                                        end),
        cmocka_unit_test_setup_teardown(
            a_text_of_more_than_a_quarter_is_not_kept, begin, end),
        cmocka_unit_test_setup_teardown(names_of_one_bucket_are_kept_apart,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            what_was_not_asked_for_longest_goes_first, begin, end),
        cmocka_unit_test_setup_teardown(the_texts_together_are_bounded, begin,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
