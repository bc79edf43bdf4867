/* Figures of jobs at the ends of int64: a number, or a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doris/data/job_end.c"

/* Each pair of a compaction's figures, by the place of output and input. */
static const struct {
    size_t out, in, result;
} pairs[] = {
#define PAIR(what_out, what_in, result)                 \
    {                                                   \
        offsetof(struct doris_compaction, what_out),    \
            offsetof(struct doris_compaction, what_in), \
            offsetof(struct doris_stats, result)        \
    }
    PAIR(size_output_rowsets, size_input_rowsets, data_size),
    PAIR(num_output_rows, num_input_rows, num_rows),
    PAIR(num_output_rowsets, num_input_rowsets, num_rowsets),
    PAIR(num_output_segments, num_input_segments, num_segments),
    PAIR(index_size_output_rowsets, index_size_input_rowsets, index_size),
    PAIR(segment_size_output_rowsets, segment_size_input_rowsets, segment_size),
#undef PAIR
};

static int64_t *
at(void *thing, size_t offset)
{
    return (int64_t *)(void *)((char *)thing + offset);
}

/* What subtract() looks at; all of them. */
static const size_t figures[] = {
    offsetof(struct doris_stats, data_size),
    offsetof(struct doris_stats, num_rows),
    offsetof(struct doris_stats, num_rowsets),
    offsetof(struct doris_stats, num_segments),
    offsetof(struct doris_stats, index_size),
    offsetof(struct doris_stats, segment_size),
};

static void
a_compaction_s_difference_is_a_number_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct doris_compaction c = { 0 };
        struct doris_stats d;

        *at(&c, pairs[i].out) = INT64_MIN;
        *at(&c, pairs[i].in) = 1;
        if (difference(&c, &d))
            fail_msg("pair %zu below", i);
        *at(&c, pairs[i].out) = INT64_MAX;
        *at(&c, pairs[i].in) = -1;
        if (difference(&c, &d))
            fail_msg("pair %zu above", i);
        *at(&c, pairs[i].in) = 0;
        assert_true(difference(&c, &d));
        assert_int_equal(*at(&d, pairs[i].result), INT64_MAX);
        *at(&c, pairs[i].out) = -1;
        *at(&c, pairs[i].in) = INT64_MAX;
        assert_true(difference(&c, &d));
        assert_int_equal(*at(&d, pairs[i].result), INT64_MIN);
    }
}

static void
what_is_left_of_a_tablet_is_a_number_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(figures); i++) {
        struct doris_stats from = { 0 }, s = { 0 };

        SET(&s, doris_stats, index_size);
        *at(&from, figures[i]) = INT64_MIN;
        *at(&s, figures[i]) = 1;
        if (subtract(&from, &s))
            fail_msg("figure %zu below", i);
        from = (struct doris_stats){ 0 };
        *at(&s, figures[i]) = INT64_MIN; /* 0 less that is too much, by one */
        if (subtract(&from, &s))
            fail_msg("figure %zu above", i);
        from = (struct doris_stats){ 0 };
        *at(&from, figures[i]) = -1;
        assert_true(subtract(&from, &s));
        assert_int_equal(*at(&from, figures[i]), INT64_MAX);
        assert_true(subtract(&from, &from));
        assert_int_equal(*at(&from, figures[i]), 0);
    }
}

static void
sizes_that_were_not_given_are_not_taken_off(void **state)
{
    struct doris_stats from = { .index_size = INT64_MIN };
    struct doris_stats s = { .index_size = 1, .segment_size = 1 };

    (void)state;
    assert_true(subtract(&from, &s));
    assert_int_equal(from.index_size, INT64_MIN);
    assert_int_equal(from.segment_size, 0);
    assert_false(HAS(&from, doris_stats, segment_size));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compaction_s_difference_is_a_number_or_refused),
        cmocka_unit_test(what_is_left_of_a_tablet_is_a_number_or_refused),
        cmocka_unit_test(sizes_that_were_not_given_are_not_taken_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
