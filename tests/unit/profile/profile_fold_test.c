/* Folded stacks from the two formats of gperftools, and from bytes that are
 * neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profiler.h"

static struct buf out = BUF_INIT((size_t)1 << 20);

static void __attribute__((noinline)) a_leaf(void)
{
    __asm__ volatile("nop; nop; nop");
}

static void __attribute__((noinline)) a_caller(void)
{
    a_leaf();
    __asm__ volatile("nop; nop; nop");
}

static uint64_t
inside(void (*f)(void))
{
    return (uint64_t)(uintptr_t)f + 2;
}

static int
forget(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

/* What gperftools writes: a header, the records given, the end. */
static enum err
fold_words(const uint64_t *records, size_t n, bool whole)
{
    uint64_t profile[1200] = { 0, 3, 0, 10000, 0 };
    const uint64_t end[] = { 0, 1, 0 };
    size_t words = 5;

    assert_true(n + 8 < COUNT(profile));
    for (size_t i = 0; i < n; i++)
        profile[words++] = records[i];
    if (whole) {
        memcpy(profile + words, end, sizeof(end));
        words += COUNT(end);
    }
    return profile_fold(profile, words * 8, &out);
}

static void
a_stack_is_one_line_with_the_root_first(void **state)
{
    const uint64_t records[] = { 7, 2, inside(a_leaf),  inside(a_caller),
                                 1, 1, inside(a_caller) };

    (void)state;
    a_caller();
    assert_int_equal(fold_words(records, COUNT(records), true), ERR_OK);
    assert_string_equal(buf_text(&out), "a_caller 1\na_caller;a_leaf 7\n");
}

/* Two places in one function, and one stack that was written twice because
 * gperftools had put its count out before. */
static void
equal_stacks_are_one_line(void **state)
{
    const uint64_t records[] = {
        7, 2, inside(a_leaf),     inside(a_caller), 1, 1, inside(a_caller),
        5, 2, inside(a_leaf) + 1, inside(a_caller), 3, 1, inside(a_caller),
    };

    (void)state;
    assert_int_equal(fold_words(records, COUNT(records), true), ERR_OK);
    assert_string_equal(buf_text(&out), "a_caller 4\na_caller;a_leaf 12\n");
}

static void
what_has_no_name_keeps_its_address(void **state)
{
    const uint64_t records[] = { 2, 2, 0x10, 0x20 };

    (void)state;
    assert_int_equal(fold_words(records, COUNT(records), true), ERR_OK);
    assert_string_equal(buf_text(&out), "0x20;0x10 2\n");
}

static void
an_empty_profile_has_no_lines(void **state)
{
    (void)state;
    assert_int_equal(fold_words(NULL, 0, true), ERR_OK);
    assert_int_equal(out.n, 0);
}

static void
a_profile_without_its_end_is_refused(void **state)
{
    const uint64_t records[] = { 7, 1, 0x10 };

    (void)state;
    assert_int_equal(fold_words(records, COUNT(records), false), ERR_BAD_PARAM);
}

static void
a_depth_that_cannot_be_is_refused(void **state)
{
    static const uint64_t depths[] = { 0, 4, 513, UINT64_MAX, UINT64_MAX - 1 };

    (void)state;
    for (size_t i = 0; i < COUNT(depths); i++) {
        const uint64_t records[] = { 7, depths[i], 0x10 };

        assert_int_equal(fold_words(records, COUNT(records), false),
                         ERR_BAD_PARAM);
        buf_free(&out);
    }
}

static enum err
fold_text(const char *text)
{
    return profile_fold(text, strlen(text), &out);
}

static void
a_heap_is_folded_by_bytes_in_use(void **state)
{
    char text[512];

    (void)state;
    (void)snprintf(text, sizeof(text),
                   "heap profile:   2: 160 [ 3: 200] @ heap_v2/524288\n"
                   "  1:  100 [  2:  140] @ 0x%llx 0x%llx\n"
                   "  1:   60 [  1:   60] @ 0x%llx\n"
                   "  0:    0 [  1:   60] @ 0x30\n"
                   "\nMAPPED_LIBRARIES:\n"
                   "00400000-00500000 r-xp 00000000 00:00 1  /x: 9 @ 0x40\n",
                   (unsigned long long)inside(a_leaf),
                   (unsigned long long)inside(a_caller),
                   (unsigned long long)inside(a_caller));
    assert_int_equal(fold_text(text), ERR_OK);
    assert_string_equal(buf_text(&out), "a_caller 60\na_caller;a_leaf 100\n");
}

static void
lines_of_a_heap_that_are_none_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(fold_text("heap profile: x\n\n:\n@ 0x1\n1: 2 @\n"
                               "1: 2 @ zz\n@ 1: 2\n1: -1 @ 0x10\nend"),
                     ERR_OK);
    assert_non_null(out.p);
    assert_null(strstr(buf_text(&out), "zz"));
}

static void
a_stack_deeper_than_any_is_cut(void **state)
{
    struct buf text = BUF_INIT((size_t)1 << 16);

    (void)state;
    buf_puts(&text, "heap profile: \n1: 2 @");
    for (int i = 0; i < 600; i++)
        buf_puts(&text, " 0x10");
    assert_int_equal(profile_fold(buf_text(&text), text.n, &out), ERR_OK);
    assert_true(out.n > 0);
    buf_free(&text);
}

static void
other_bytes_are_refused(void **state)
{
    static const uint64_t words[8] = { 1, 3 }, header[8] = { 0, 16 };

    (void)state;
    assert_int_equal(profile_fold("", 0, &out), ERR_BAD_PARAM);
    assert_int_equal(fold_text("heap profile"), ERR_BAD_PARAM);
    assert_int_equal(fold_text("no profile at all"), ERR_BAD_PARAM);
    assert_int_equal(profile_fold(words, sizeof(words), &out), ERR_BAD_PARAM);
    assert_int_equal(profile_fold(header, sizeof(header), &out), ERR_BAD_PARAM);
    assert_int_equal(profile_fold(header, 40, &out), ERR_BAD_PARAM);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, forget)
    static const struct CMUnitTest tests[] = {
        TEST(a_stack_is_one_line_with_the_root_first),
        TEST(equal_stacks_are_one_line),
        TEST(what_has_no_name_keeps_its_address),
        TEST(an_empty_profile_has_no_lines),
        TEST(a_profile_without_its_end_is_refused),
        TEST(a_depth_that_cannot_be_is_refused),
        TEST(a_heap_is_folded_by_bytes_in_use),
        TEST(lines_of_a_heap_that_are_none_are_left_out),
        TEST(a_stack_deeper_than_any_is_cut),
        TEST(other_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
