/* Profiles of processes whose files are mapped at different addresses, as
 * one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/profile_sum.h"
#include "profile/profile_read.h"

#define HERE  "00010000-00020000 r-xp 00001000 fd:00 7     /bin/mg\n"
#define THERE "00510000-00520000 r-xp 00001000 fd:00 7     /bin/mg\n"
#define OLDER "00610000-00620000 r-xp 00001000 fd:00 6     /bin/mg\n"

#define assert_ok(call) assert_int_equal(call, ERR_OK)

static struct profile_sum *sum;
static struct buf out = BUF_INIT((size_t)1 << 20);

static int
begin(void **state)
{
    (void)state;
    sum = profile_sum_new();
    return sum == NULL;
}

static int
end(void **state)
{
    (void)state;
    profile_sum_free(sum);
    buf_free(&out);
    return 0;
}

static enum err
add_cpu(const uint64_t *records, size_t n, const char *maps)
{
    static const uint64_t head[] = { 0, 3, 0, 10000, 0 }, tail[] = { 0, 1, 0 };
    struct buf b = BUF_INIT((size_t)1 << 16);
    enum err e;

    buf_put(&b, (const char *)head, sizeof(head));
    buf_put(&b, (const char *)records, n * sizeof(*records));
    buf_put(&b, (const char *)tail, sizeof(tail));
    buf_puts(&b, maps);
    e = profile_sum_add(sum, b.p, b.n);
    buf_free(&b);
    return e;
}
#define ADD_CPU(maps, ...)                                                \
    add_cpu((const uint64_t[]){ __VA_ARGS__ },                            \
            sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), \
            maps)

/* The stacks of what was written, "count: pc pc" a line, and its maps. */
static enum err
tell(void *text, const struct profile_stack *s)
{
    buf_printf(text, "%llu:", (unsigned long long)s->count[0]);
    for (size_t i = 0; i < s->depth; i++)
        buf_printf(text, " %llx", (unsigned long long)s->pc[i]);
    buf_putc(text, '\n');
    return ERR_OK;
}

static void
expect(const char *stacks, const char *maps)
{
    struct buf text = BUF_INIT((size_t)1 << 16);
    const char *rest;
    size_t n;

    assert_ok(profile_sum_write(sum, &out));
    assert_ok(profile_each(out.p, out.n, tell, &text));
    assert_string_equal(buf_text(&text), stacks);
    assert_ok(profile_maps(out.p, out.n, &rest, &n));
    assert_string_equal(rest, maps);
    buf_free(&text);
}

static void
equal_places_of_a_file_are_one_place(void **state)
{
    (void)state;
    assert_ok(ADD_CPU(HERE, 3, 2, 0x10100, 0x10200, 1, 1, 0x10100));
    assert_ok(ADD_CPU(THERE, 4, 2, 0x510100, 0x510200, 5, 1, 0x510300));
    expect("1: 10100\n5: 10300\n7: 10100 10200\n", HERE);
}

/* As many as a host has workers, each mapped elsewhere. */
static void
many_processes_are_one(void **state)
{
    char maps[128];

    (void)state;
    assert_ok(ADD_CPU(HERE, 1, 2, 0x10100, 0x10200));
    for (uint64_t i = 1; i < 256; i++) {
        uint64_t base = 0x1000000 * i;

        (void)snprintf(
            maps, sizeof(maps), "%llx-%llx r-xp 00001000 fd:00 7     /bin/mg\n",
            (unsigned long long)base, (unsigned long long)base + 0x10000);
        assert_ok(ADD_CPU(maps, 1, 2, base + 0x100, base + 0x200));
    }
    expect("256: 10100 10200\n", HERE);
}

static void
the_end_of_a_part_belongs_to_it(void **state)
{
    (void)state;
    assert_ok(ADD_CPU(HERE, 1, 1, 0x20000));
    assert_ok(ADD_CPU(THERE, 1, 1, 0x520000));
    expect("2: 20000\n", HERE);
}

/* An older binary of the same path still runs. */
static void
another_file_gets_a_place_of_its_own(void **state)
{
    (void)state;
    assert_ok(ADD_CPU(HERE, 1, 1, 0x10100));
    assert_ok(ADD_CPU(OLDER, 2, 2, 0x610100, 0x610200));
    assert_ok(ADD_CPU(OLDER, 3, 2, 0x610100, 0x610200));
    expect("1: 10100\n5: 100000000100 100000000200\n",
           HERE "100000000000-100000010000 r-xp 00001000 fd:00 6     "
                "/bin/mg\n");
}

static void
what_is_mapped_from_nowhere_stays(void **state)
{
    (void)state;
    assert_ok(ADD_CPU(HERE, 1, 1, 0x10100));
    assert_ok(ADD_CPU(THERE, 1, 1, 0x99));
    expect("1: 10100\n1: 99\n", HERE);
}

static void
nothing_in_any_of_them_is_an_empty_profile(void **state)
{
    (void)state;
    assert_ok(add_cpu(NULL, 0, HERE));
    assert_ok(add_cpu(NULL, 0, THERE));
    expect("", HERE);
}

static enum err
add_text(const char *text)
{
    return profile_sum_add(sum, text, strlen(text));
}

static void
heaps_are_added_with_their_totals(void **state)
{
    static const char head[] = "heap profile:      3:       48 [     5:"
                               "       80] @ heap_v2/524288\n";

    (void)state;
    assert_ok(add_text("heap profile: 1: 16 [ 2: 32] @ heap_v2/524288\n"
                       "1: 16 [ 2: 32] @ 0x10100 0x10200\n"
                       "\nMAPPED_LIBRARIES:\n" HERE));
    assert_ok(add_text("heap profile: 2: 32 [ 3: 48] @ heap_v2/524288\n"
                       "2: 32 [ 3: 48] @ 0x510100 0x510200\n"
                       "\nMAPPED_LIBRARIES:\n" THERE));
    assert_ok(profile_sum_write(sum, &out));
    assert_memory_equal(out.p, head, sizeof(head) - 1);
    assert_string_equal(out.p + sizeof(head) - 1,
                        "     3:       48 [     5:       80] @ 0x00010100 "
                        "0x00010200\n\nMAPPED_LIBRARIES:\n" HERE);
}

static void
what_is_not_of_one_kind_is_refused(void **state)
{
    (void)state;
    assert_int_equal(profile_sum_write(sum, &out), ERR_STATE);
    assert_ok(ADD_CPU(HERE, 1, 1, 0x10100));
    assert_int_equal(add_text("heap profile: 0: 0 [ 0: 0] @ heap_v2/1\n"),
                     ERR_BAD_PARAM);
    assert_int_equal(add_text("node is already executing"), ERR_BAD_PARAM);
    assert_int_equal(add_text(""), ERR_BAD_PARAM);
    expect("1: 10100\n", HERE);
}

/* A worker that was killed while it wrote. */
static void
a_profile_that_breaks_off_is_refused(void **state)
{
    static const uint64_t whole[] = { 0, 3, 0, 10000, 0, 7, 2, 1, 2, 0 };

    (void)state;
    assert_ok(ADD_CPU(HERE, 1, 1, 0x10100));
    for (size_t words = 8; words <= COUNT(whole); words++)
        assert_int_equal(profile_sum_add(sum, whole, words * sizeof(*whole)),
                         ERR_BAD_PARAM);
    expect("1: 10100\n", HERE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_places_of_a_file_are_one_place),
        TEST(many_processes_are_one),
        TEST(the_end_of_a_part_belongs_to_it),
        TEST(another_file_gets_a_place_of_its_own),
        TEST(what_is_mapped_from_nowhere_stays),
        TEST(nothing_in_any_of_them_is_an_empty_profile),
        TEST(heaps_are_added_with_their_totals),
        TEST(what_is_not_of_one_kind_is_refused),
        TEST(a_profile_that_breaks_off_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
