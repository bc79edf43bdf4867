/* Lengths that libfcgi cannot take are found, in whatever pieces they come. */
#include "worker/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"

enum { BEGIN = 1, PARAMS = 4, STDIN = 5, GET_VALUES = 9 };

static void
put_record(struct buf *b, int type, int id, const void *data, size_t n,
           int padding)
{
    const char head[8] = { 1,
                           (char)type,
                           (char)(id >> 8),
                           (char)id,
                           (char)(n >> 8),
                           (char)n,
                           (char)padding,
                           0 };

    buf_put(b, head, sizeof(head));
    buf_put(b, data, n);
    buf_put(b, "PPPPPPPP", (size_t)padding);
}

static void
put_begin(struct buf *b, int id)
{
    put_record(b, BEGIN, id, "\0\1\1\0\0\0\0\0", 8, 0);
}

/* The same answer as a whole, byte by byte and cut in two anywhere. */
static bool
passes(struct buf *b)
{
    bool whole, pieces = true;
    struct pairs p = { .n = 0 };

    whole = pairs_pass(&p, b->p, b->n);
    p = (struct pairs){ .n = 0 };
    for (size_t i = 0; pieces && i < b->n; i++)
        pieces = pairs_pass(&p, b->p + i, 1);
    assert_int_equal(pieces, whole);
    for (size_t cut = 0; cut <= b->n; cut++) {
        p = (struct pairs){ .n = 0 };
        assert_int_equal(pairs_pass(&p, b->p, cut) &&
                             pairs_pass(&p, b->p + cut, b->n - cut),
                         whole);
    }
    buf_free(b);
    return whole;
}

/* A request with this in its PARAMS, and an ordinary pair before it. */
static bool
params_pass(const void *data, size_t n)
{
    struct buf b = BUF_INIT(1 << 20);

    put_begin(&b, 300);
    put_record(&b, PARAMS, 300, "\4\2NAMEvv\1\0x", 11, 5);
    put_record(&b, PARAMS, 300, data, n, 3);
    put_record(&b, PARAMS, 300, "", 0, 0);
    put_record(&b, STDIN, 300, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 0);
    return passes(&b);
}

static void
ordinary_requests_pass(void **state)
{
    char large[6 + 200] = { '\x80', 0, 0, 100, 100 };

    (void)state;
    assert_true(params_pass("\1\1ab", 4));
    assert_true(params_pass("\0\0\0\0", 4));
    assert_true(params_pass(large, 5 + 200));
}

static void
the_sum_of_both_lengths_counts(void **state)
{
    (void)state;
    /* 1 MiB with the pairs before it, and one byte more */
    assert_true(params_pass("\0\x80\x0f\xff\xf0", 5));
    assert_false(params_pass("\1\x80\x0f\xff\xf0", 5));
    assert_false(params_pass("\x80\x0f\xff\xf0\1", 5));
    assert_false(params_pass("\xff\xff\xff\xff\xff\xff\xff\xff", 8));
    assert_false(params_pass("\xff\xff\xff\xfe\1", 5));
    assert_false(params_pass("\xc0\0\0\0\xc0\0\0\0", 8));
    /* the second length has not come: nothing is known yet */
    assert_true(params_pass("\xff\xff\xff\xff\xff", 5));
}

static void
a_pair_may_lie_across_records(void **state)
{
    struct buf b = BUF_INIT(1 << 20);

    (void)state;
    put_begin(&b, 1);
    put_record(&b, PARAMS, 1, "\1\xff\xff", 3, 0);
    put_record(&b, GET_VALUES, 0, "\1\0x", 3, 0);
    put_record(&b, PARAMS, 1, "\xff\xff", 2, 0);
    assert_false(passes(&b));
}

static void
records_of_others_are_no_part_of_it(void **state)
{
    struct buf b = BUF_INIT(1 << 20);

    (void)state;
    put_record(&b, PARAMS, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 0);
    put_begin(&b, 1);
    put_begin(&b, 2);
    put_record(&b, PARAMS, 1, "\1\1", 2, 0);
    put_record(&b, PARAMS, 2, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 0);
    put_record(&b, PARAMS, 1, "ab\1\1ab", 6, 0);
    assert_true(passes(&b));

    /* nor can they hide what is */
    put_begin(&b, 1);
    put_record(&b, PARAMS, 2, "\x7f\x7f", 2, 0);
    put_record(&b, PARAMS, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 0);
    assert_false(passes(&b));
}

static void
questions_for_values_are_looked_at(void **state)
{
    struct buf b = BUF_INIT(1 << 20);

    (void)state;
    put_record(&b, GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS\1", 17, 7);
    put_record(&b, GET_VALUES, 0, "\1\0x", 3, 0);
    assert_true(passes(&b));
    put_record(&b, GET_VALUES, 0, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 0);
    assert_false(passes(&b));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_requests_pass),
        cmocka_unit_test(the_sum_of_both_lengths_counts),
        cmocka_unit_test(a_pair_may_lie_across_records),
        cmocka_unit_test(records_of_others_are_no_part_of_it),
        cmocka_unit_test(questions_for_values_are_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
