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
    return (struct cache_key){ "test", id, { version, 1 } };
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

static void
what_was_not_asked_for_longest_goes_first(void **state)
{
    (void)state;
    for (int64_t id = 0; id < 32; id++)
        put(id, 1, "x");
    assert_true(has(0, 1, "x"));
    put(100, 1, "y");
    assert_true(has(0, 1, "x"));
    assert_false(has(1, 1, "x"));
    assert_true(has(100, 1, "y"));
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
            what_was_not_asked_for_longest_goes_first, begin, end),
        cmocka_unit_test_setup_teardown(the_texts_together_are_bounded, begin,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
