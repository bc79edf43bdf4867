/* What an arena promises. */
#include "arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int released[8];
static size_t n_released;

static void
note_release(void *thing)
{
    released[n_released++] = *(int *)thing;
}

static int
setup(void **state)
{
    *state = arena_new(1 << 20);
    n_released = 0;
    return *state != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
memory_is_zeroed_and_aligned(void **state)
{
    struct arena *a = *state;

    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = arena_alloc(a, n);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xaa, n);
    }
}

static void
memory_is_zeroed_again_after_a_reset(void **state)
{
    struct arena *a = *state;

    memset(arena_alloc(a, 4096), 0xaa, 4096);
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    for (int i = 0; i < 64; i++) {
        const char *p = arena_alloc(a, 64);

        assert_non_null(p);
        for (int k = 0; k < 64; k++)
            assert_int_equal(p[k], 0);
    }
}

static void
pieces_do_not_overlap(void **state)
{
    struct arena *a = *state;
    unsigned char *p[200];

    for (size_t i = 0; i < COUNT(p); i++) {
        p[i] = arena_alloc(a, i * 37 % 3000 + 1);
        assert_non_null(p[i]);
        memset(p[i], (int)i, i * 37 % 3000 + 1);
    }
    for (size_t i = 0; i < COUNT(p); i++) {
        for (size_t k = 0; k < i * 37 % 3000 + 1; k++)
            assert_int_equal(p[i][k], i);
    }
}

static void
no_more_than_the_limit_is_handed_out(void **state)
{
    struct arena *a = *state;
    size_t got = 0;

    while (arena_alloc(a, 10000) != NULL)
        got += 10000;
    assert_true(got <= 1 << 20);
    assert_true(got > (1 << 20) - 30000);
    assert_true(arena_used(a) <= 1 << 20);
    arena_reset(a);
    assert_non_null(arena_alloc(a, 1000000));
    assert_null(arena_alloc(a, 1 << 20));
    assert_true(arena_is_full(a));
    arena_reset(a);
    assert_false(arena_is_full(a));
}

static void
sizes_that_overflow_are_refused(void **state)
{
    struct arena *a = *state;

    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX - 8));
    assert_null(arena_array(a, SIZE_MAX / 2, 3));
    assert_null(arena_strndup(a, "x", SIZE_MAX));
    assert_int_equal(arena_used(a), 0);
}

static void
texts_are_copied_and_terminated(void **state)
{
    struct arena *a = *state;
    char text[] = "hello";
    char *copy = arena_strdup(a, text);

    text[0] = 'j';
    assert_string_equal(copy, "hello");
    assert_string_equal(arena_strndup(a, text, 3), "jel");
    assert_string_equal(arena_strndup(a, text, 0), "");
    assert_string_equal(arena_printf(a, "%s-%d", "a", 7), "a-7");
    assert_int_equal(strlen(arena_printf(a, "%5000d", 1)), 5000);
}

static void
releases_run_last_first_at_the_reset(void **state)
{
    struct arena *a = *state;
    int things[3] = { 1, 2, 3 };

    for (int i = 0; i < 3; i++)
        assert_int_equal(arena_defer(a, note_release, &things[i]), ERR_OK);
    arena_reset(a);
    assert_int_equal(n_released, 3);
    assert_int_equal(released[0], 3);
    assert_int_equal(released[2], 1);
    arena_reset(a);
    assert_int_equal(n_released, 3);
}

static void
a_release_that_cannot_be_noted_runs_at_once(void **state)
{
    struct arena *a = *state;
    int thing = 5;

    while (arena_alloc(a, 1) != NULL)
        continue;
    assert_int_equal(arena_defer(a, note_release, &thing), ERR_NOMEM);
    assert_int_equal(n_released, 1);
    assert_int_equal(released[0], 5);
}

static void
a_large_piece_does_not_waste_the_block_being_filled(void **state)
{
    struct arena *a = *state;
    const char *before = arena_alloc(a, 16);
    const char *large = arena_alloc(a, 200000);
    const char *after = arena_alloc(a, 16);

    assert_non_null(large);
    assert_true(after > before && after - before <= 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_zeroed_and_aligned, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(memory_is_zeroed_again_after_a_reset,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(pieces_do_not_overlap, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_than_the_limit_is_handed_out,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_that_overflow_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(texts_are_copied_and_terminated, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(releases_run_last_first_at_the_reset,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_release_that_cannot_be_noted_runs_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_large_piece_does_not_waste_the_block_being_filled, setup,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
