/* Rows that a commit has added, at the ends of int64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doris/txn/commit.c"

#define TABLE_ID 7

static struct doris_rowset rowsets[3];
static struct doris_pending pending[3];
static struct I64 base[2] = { { .v = 50 }, { .v = 51 } };

/* Three rowsets of that many rows, in tablets 50 and 51 of the base index and
 * in 52 of another: whether the table's sum is a number. */
static bool
sum(int64_t a, int64_t b, int64_t elsewhere, int64_t *out)
{
    const int64_t rows[3] = { a, b, elsewhere };
    struct doris_commit_txn in = { 0 };
    struct commit c = { 0 };

    for (size_t i = 0; i < 3; i++) {
        rowsets[i].num_rows = rows[i];
        pending[i].table_id = TABLE_ID;
        pending[i].tablet_id = 50 + (int64_t)i;
        pending[i].rowset = &rowsets[i];
    }
    in.base_tablet_ids.v = base;
    in.base_tablet_ids.n = 2;
    c.rowsets.v = pending;
    c.rowsets.n = 3;
    return rows_of(&c, &in, TABLE_ID, out);
}

static void
the_rows_of_a_table_are_a_number_or_refused(void **state)
{
    int64_t rows;

    (void)state;
    assert_true(sum(3, 4, 100, &rows));
    assert_int_equal(rows, 7);
    assert_false(sum(INT64_MAX, 1, 0, &rows));
    assert_false(sum(INT64_MIN, -1, 0, &rows));
    assert_true(sum(INT64_MAX, 0, INT64_MAX, &rows));
    assert_int_equal(rows, INT64_MAX);
    assert_true(sum(INT64_MAX, INT64_MIN, 0, &rows));
    assert_int_equal(rows, -1);
}

static void
rows_of_another_table_do_not_count(void **state)
{
    struct doris_commit_txn in = { 0 };
    struct commit c = { 0 };
    int64_t rows;

    (void)state;
    assert_true(sum(INT64_MAX, 0, 0, &rows));
    pending[1].table_id = TABLE_ID + 1;
    rowsets[1].num_rows = INT64_MAX;
    in.base_tablet_ids.v = base;
    in.base_tablet_ids.n = 2;
    c.rowsets.v = pending;
    c.rowsets.n = 2;
    assert_true(rows_of(&c, &in, TABLE_ID, &rows));
    assert_int_equal(rows, INT64_MAX);
    assert_true(rows_of(&c, &in, TABLE_ID + 2, &rows));
    assert_int_equal(rows, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rows_of_a_table_are_a_number_or_refused),
        cmocka_unit_test(rows_of_another_table_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
