/* What is compressed as a stream: what is read is what was written, in each
 * form, at each level and length, and nothing damaged or cut is taken for
 * whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blob/press.h"
#include "bytes_fixture.h"

#define BLOCK PRESS_BLOCK
#define MOST  (4 * BLOCK)

static const struct {
    enum press_form form;
    int level;
} kinds[] = {
    { PRESS_NONE, 1 }, { PRESS_GZIP, 1 }, { PRESS_GZIP, 2 },
    { PRESS_GZIP, 3 }, { PRESS_GZIP, 4 }, { PRESS_ZSTD, 0 },
    { PRESS_ZSTD, 1 }, { PRESS_ZSTD, 5 }, { PRESS_ZSTD, PRESS_LEVEL_MAX }
};

static struct bytes plain, packed, again;

/* -1: it was broken off. */
static int64_t
pack(enum press_form form, int level, size_t n, size_t piece, bool fails)
{
    struct bytes in = { plain.p, n, n, 0, piece, fails };
    struct press *g = press_new(form, level, give, &in);
    int64_t got;

    assert_non_null(g);
    packed.n = 0;
    do {
        got = press_read(g, packed.p + packed.n, piece);
        if (got > 0)
            packed.n += (size_t)got;
    } while (got > 0);
    press_free(g);
    return got;
}

/* Whether it was taken, and may end there. */
static bool
unpack(size_t n, size_t piece, size_t max)
{
    struct unpress *g;
    bool ok = true;

    again.n = 0;
    again.max = max;
    g = unpress_new(keep, &again);
    assert_non_null(g);
    for (size_t at = 0; ok && at < n; at += piece)
        ok = unpress_write(g, packed.p + at, n - at < piece ? n - at : piece);
    ok = ok && unpress_may_end(g);
    unpress_free(g);
    return ok;
}

static void
what_is_read_is_what_was_written(void **state)
{
    static const size_t sizes[] = { 0,         1,     65535,     65536,
                                    BLOCK - 1, BLOCK, BLOCK + 1, MOST - 7 };
    static const size_t pieces[] = { 4093, 256 << 10 };

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            assert_int_equal(pack(kinds[k].form, kinds[k].level, sizes[i],
                                  pieces[i % 2], false),
                             0);
            assert_true(unpack(packed.n, pieces[(i + 1) % 2], MOST));
            assert_int_equal(again.n, sizes[i]);
            assert_memory_equal(again.p, plain.p, sizes[i]);
        }
        /* half of it is hex digits, half is noise */
        if (kinds[k].form != PRESS_NONE)
            assert_true(packed.n < MOST * 9 / 10);
    }
}

struct run {
    uint64_t left, given;
};

/* One block of seven takes long, the others hardly any time: up to n bytes from
 * there on, at *out. */
static size_t
run_at(uint64_t at, size_t n, const char **out)
{
    static const char easy[BLOCK];
    size_t left = BLOCK - at % BLOCK;

    *out = (at / BLOCK % 7 == 0 ? plain.p : easy) + at % BLOCK;
    return n < left ? n : left;
}

static int64_t
give_run(void *ctx, char *p, size_t n)
{
    struct run *r = ctx;
    const char *from;
    size_t k = run_at(r->given, n < r->left ? n : (size_t)r->left, &from);

    memcpy(p, from, k);
    r->given += k;
    r->left -= k;
    return (int64_t)k;
}

static bool
check_run(void *ctx, const char *p, size_t n)
{
    struct run *r = ctx;

    while (n > 0) {
        const char *from;
        size_t k = run_at(r->given, n, &from);

        if (memcmp(p, from, k) != 0)
            return false;
        p += k;
        n -= k;
        r->given += k;
    }
    return true;
}

/* Many more blocks than there is room for, whichever thread is slow. */
static void
a_long_stream_keeps_its_order(void **state)
{
    struct run in = { .left = 100 * BLOCK + 1 }, out = { 0 };
    struct press *g = press_new(PRESS_ZSTD, 1, give_run, &in);
    struct unpress *u = unpress_new(check_run, &out);
    int64_t got;

    (void)state;
    while ((got = press_read(g, packed.p, BLOCK)) > 0)
        assert_true(unpress_write(u, packed.p, (size_t)got));
    assert_int_equal(got, 0);
    assert_true(unpress_may_end(u));
    assert_true(out.given == 100 * BLOCK + 1);
    press_free(g);
    unpress_free(u);
}

static void
a_source_that_fails_is_no_end(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t n = 0; n <= 3 * BLOCK; n += BLOCK + 77)
            assert_int_equal(
                pack(kinds[k].form, kinds[k].level, n, 65536, true), -1);
}

static void
one_that_is_left_early_ends_its_threads(void **state)
{
    struct bytes in = { plain.p, MOST, MOST, 0, 65536, false };
    struct press *g = press_new(PRESS_ZSTD, 1, give, &in);
    char piece[16];

    (void)state;
    assert_int_equal(press_read(g, piece, sizeof(piece)), sizeof(piece));
    press_free(g);
}

static void
whoever_reads_may_break_it_off(void **state)
{
    (void)state;
    assert_int_equal(pack(PRESS_GZIP, 1, MOST, 65536, false), 0);
    assert_false(unpack(packed.n, 65536, BLOCK));
    assert_false(unpack(packed.n, packed.n, BLOCK));
}

/* Between two members it may end: what is inside says that more is missing. */
static void
what_is_cut_in_a_member_is_seen(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        assert_int_equal(
            pack(kinds[k].form, kinds[k].level, BLOCK / 64, 65536, false), 0);
        for (size_t n = 0; n < packed.n; n += 1 + n / 50)
            assert_false(unpack(n, 4093, MOST));
        assert_true(unpack(packed.n, 4093, MOST));
    }
}

static void
a_damaged_byte_is_seen(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        bool gzip = kinds[k].form != PRESS_ZSTD;

        assert_int_equal(
            pack(kinds[k].form, kinds[k].level, BLOCK / 256, 65536, false), 0);
        for (size_t i = 0; i < packed.n; i += 97) {
            if (gzip && i >= 4 && i < 10)
                continue; /* time and system: nothing reads them */
            packed.p[i] ^= 0x10;
            /* what is read of it then is what was written all the same */
            if (unpack(packed.n, 4093, MOST)) {
                assert_int_equal(again.n, BLOCK / 256);
                assert_memory_equal(again.p, plain.p, again.n);
                assert_false(gzip);
            }
            packed.p[i] ^= 0x10;
        }
        memset(packed.p + packed.n, 0, 9);
        assert_false(unpack(packed.n + 9, 4093, MOST));
        assert_false(unpack(packed.n + 1, 4093, MOST));
    }
}

/* By its first bytes, however few of them come at once. */
static void
which_form_it_is_is_seen(void **state)
{
    static const char *const others[] = { "\x28\xb5\x2f\xfe----------------",
                                          "payload.000000------------------",
                                          "PK\3\4----------------", "BZh91AY" };

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        assert_int_equal(
            pack(kinds[k].form, kinds[k].level, 1000, 65536, false), 0);
        for (size_t piece = 1; piece < 7; piece++) {
            assert_true(unpack(packed.n, piece, MOST));
            assert_int_equal(again.n, 1000);
        }
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        size_t n = strlen(others[i]);

        memcpy(packed.p, others[i], n);
        for (size_t piece = 1; piece <= n; piece += n - 1)
            assert_false(unpack(n, piece, MOST));
        assert_int_equal(again.n, 0);
    }
}

/* One of one form and one of another are none. */
static void
forms_are_not_mixed(void **state)
{
    size_t n;

    (void)state;
    assert_int_equal(pack(PRESS_GZIP, 1, 1000, 65536, false), 0);
    n = packed.n;
    memmove(packed.p + MOST, packed.p, n);
    assert_int_equal(pack(PRESS_ZSTD, 1, 1000, 65536, false), 0);
    memcpy(packed.p + packed.n, packed.p + MOST, n);
    assert_false(unpack(packed.n + n, 4093, MOST));
}

static int
begin(void **state)
{
    uint64_t x = 88172645463325252u;

    (void)state;
    plain = (struct bytes){ .p = malloc(MOST), .n = MOST };
    packed = (struct bytes){ .p = malloc(2 * MOST) };
    again = (struct bytes){ .p = malloc(MOST) };
    if (plain.p == NULL || packed.p == NULL || again.p == NULL)
        return -1;
    for (size_t i = 0; i < MOST; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        plain.p[i] =
            i / BLOCK % 2 == 0 ? (char)("0123456789abcdef"[x & 15]) : (char)x;
    }
    return 0;
}

static int
end(void **state)
{
    (void)state;
    free(plain.p);
    free(packed.p);
    free(again.p);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(a_long_stream_keeps_its_order),
        cmocka_unit_test(a_source_that_fails_is_no_end),
        cmocka_unit_test(one_that_is_left_early_ends_its_threads),
        cmocka_unit_test(whoever_reads_may_break_it_off),
        cmocka_unit_test(what_is_cut_in_a_member_is_seen),
        cmocka_unit_test(a_damaged_byte_is_seen),
        cmocka_unit_test(which_form_it_is_is_seen),
        cmocka_unit_test(forms_are_not_mixed),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
