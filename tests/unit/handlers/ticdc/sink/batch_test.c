/* Changes in runs: what may have a value of a unique key in common stays in its
 * order, whatever the order of the runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ticdc/sink/mysql_int.h"

static struct batch batch;

/* (id PRIMARY KEY, name UNIQUE) */
static struct sink_table tables[2] = { { .id = 1 }, { .id = 2 } };
static struct unique_key keys[2] = {
    { 1, { { .column = 0, .rule = CONFLICT_EXACT } } },
    { 1, { { .column = 1, .rule = CONFLICT_FOLDED } } },
};
static struct target targets[2];

static int
setup(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        targets[i] = (struct target){
            .table = &tables[i], .n = 2, .key = keys, .n_keys = 2
        };
    memset(&batch, 0, sizeof(batch));
    return batch_open(&batch, 64u << 20) == ERR_OK ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    batch_close(&batch);
    return 0;
}

static void
image(struct binlog_value v[2], int64_t id, const char *name)
{
    v[0] = (struct binlog_value){ .form = BINLOG_I64, .i = id };
    v[1] = (struct binlog_value){ .form = BINLOG_NULL };
    if (name != NULL) {
        v[1].form = BINLOG_BYTES;
        v[1].p = name;
        v[1].n = (uint32_t)strlen(name);
    }
}

/* The number of the run that it is in. */
static size_t
add(int table, enum binlog_kind kind, int64_t id, const char *name,
    int64_t new_id, const char *new_name)
{
    struct binlog_value before[2], after[2];
    struct binlog_row row = { kind != BINLOG_INSERT ? before : NULL,
                              kind != BINLOG_DELETE ? after : NULL };

    image(before, id, name);
    image(after, kind == BINLOG_INSERT ? id : new_id,
          kind == BINLOG_INSERT ? name : new_name);
    assert_int_equal(batch_add(&batch, &targets[table], kind, &row), ERR_OK);
    return targets[table].last_run[kind];
}

static void
rows_of_a_kind_overtake_what_is_not_theirs(void **state)
{
    (void)state;
    assert_int_equal(add(0, BINLOG_INSERT, 1, "a", 0, NULL), 1);
    assert_int_equal(add(1, BINLOG_INSERT, 1, "a", 0, NULL), 2);
    assert_int_equal(add(0, BINLOG_DELETE, 9, "z", 0, NULL), 3);
    assert_int_equal(add(0, BINLOG_INSERT, 2, "b", 0, NULL), 1);
    assert_int_equal(add(1, BINLOG_INSERT, 3, NULL, 0, NULL), 2);
    assert_int_equal(batch.n_changes, 5);
    batch_clear(&batch);
    assert_int_equal(add(0, BINLOG_INSERT, 1, "a", 0, NULL), 1);
}

static void
a_row_stays_behind_its_own(void **state)
{
    (void)state;
    assert_int_equal(add(0, BINLOG_INSERT, 1, "a", 0, NULL), 1);
    assert_int_equal(add(0, BINLOG_DELETE, 1, "a", 0, NULL), 2);
    assert_int_equal(add(0, BINLOG_INSERT, 1, "b", 0, NULL), 3);
    assert_int_equal(add(0, BINLOG_INSERT, 7, "c", 0, NULL), 3);
}

static void
values_of_every_unique_key_count(void **state)
{
    (void)state;
    assert_int_equal(add(0, BINLOG_INSERT, 1, "a", 0, NULL), 1);
    assert_int_equal(add(0, BINLOG_UPDATE, 2, "x", 2, "y"), 2);
    /* 'x' is free only now */
    assert_int_equal(add(0, BINLOG_INSERT, 3, "X ", 0, NULL), 3);
    /* two that change places by way of a third value: all in their order */
    assert_int_equal(add(0, BINLOG_UPDATE, 5, "p", 5, "t"), 2);
    assert_int_equal(add(0, BINLOG_UPDATE, 6, "q", 6, "p"), 2);
    assert_int_equal(add(0, BINLOG_UPDATE, 5, "t", 5, "q"), 2);
}

static void
a_text_that_is_not_plain_is_equal_to_all(void **state)
{
    (void)state;
    assert_int_equal(add(0, BINLOG_DELETE, 1, "ss", 0, NULL), 1);
    assert_int_equal(add(0, BINLOG_INSERT, 2, "\xc3\x9f", 0, NULL), 2);
    assert_int_equal(add(0, BINLOG_DELETE, 3, "\xc3\xbc", 0, NULL), 3);
    assert_int_equal(add(0, BINLOG_INSERT, 4, "ue", 0, NULL), 4);
    /* of the other table, and a NULL: no */
    assert_int_equal(add(1, BINLOG_INSERT, 2, "\xc3\x9f", 0, NULL), 5);
    assert_int_equal(add(0, BINLOG_UPDATE, 8, NULL, 8, NULL), 6);
    assert_int_equal(add(0, BINLOG_DELETE, 9, NULL, 0, NULL), 3);
}

/* Histories at random: for any two changes that share a value of a key, the
 * order of the runs is the order in which they came. */
static void
no_order_that_matters_is_ever_lost(void **state)
{
    enum { N = 60 };
    static const char *const texts[] = { "a",        "A ", "b",  "c",
                                         "\xc3\xa4", NULL, "ab", "d" };

    (void)state;
    for (unsigned seed = 1; seed <= 300; seed++) {
        struct {
            int table;
            int64_t id[2];
            unsigned text[2], n;
            size_t run, place;
        } h[N];

        srandom(seed);
        for (size_t i = 0; i < N; i++) {
            enum binlog_kind kind = (enum binlog_kind)(random() % 3);

            h[i].table = (int)(random() % 2);
            h[i].n = kind == BINLOG_UPDATE ? 2 : 1;
            for (int k = 0; k < 2; k++) {
                h[i].id[k] = random() % 20;
                h[i].text[k] = (unsigned)(random() % (long)COUNT(texts));
            }
            h[i].run = add(h[i].table, kind, h[i].id[0], texts[h[i].text[0]],
                           h[i].id[1], texts[h[i].text[1]]);
            h[i].place = batch.run[h[i].run - 1].n;
        }
        for (size_t i = 0; i < N; i++)
            for (size_t k = i + 1; k < N; k++) {
                bool shared = false;

                for (unsigned x = 0; x < h[i].n * h[k].n; x++) {
                    unsigned a = x / h[k].n, b = x % h[k].n;
                    const char *ta = texts[h[i].text[a]];
                    const char *tb = texts[h[k].text[b]];

                    shared = shared || h[i].id[a] == h[k].id[b] ||
                             (ta != NULL && tb != NULL &&
                              ((ta[0] | 0x20) == (tb[0] | 0x20) &&
                               (ta[1] == 'b') == (tb[1] == 'b')));
                    /* what is not plain is equal to all texts */
                    shared = shared || (ta != NULL && tb != NULL &&
                                        (ta[0] == '\xc3' || tb[0] == '\xc3'));
                }
                if (h[i].table == h[k].table && shared &&
                    (h[k].run < h[i].run ||
                     (h[k].run == h[i].run && h[k].place <= h[i].place)))
                    fail_msg("seed %u: %zu overtook %zu", seed, k, i);
            }
        batch_clear(&batch);
    }
}

static void
a_table_without_a_key_keeps_its_order(void **state)
{
    (void)state;
    targets[0].n_keys = 0;
    assert_int_equal(add(0, BINLOG_INSERT, 1, "a", 0, NULL), 1);
    assert_int_equal(add(0, BINLOG_DELETE, 2, "b", 0, NULL), 2);
    assert_int_equal(add(0, BINLOG_INSERT, 3, "c", 0, NULL), 3);
    assert_int_equal(add(0, BINLOG_INSERT, 4, "d", 0, NULL), 3);
}

/* ---- what several have ---- */

static struct batch all;

static bool
meets(int table, int64_t id, const char *name)
{
    struct binlog_value v[2];
    const struct binlog_row row = { NULL, v };

    image(v, id, name);
    return batch_meets(&all, &targets[table], &row);
}

static void
a_row_meets_another_batch_by_any_value_of_a_key(void **state)
{
    (void)state;
    memset(&all, 0, sizeof(all));
    assert_int_equal(batch_open(&all, 4096), ERR_OK);
    assert_false(meets(0, 1, "a"));
    (void)add(0, BINLOG_UPDATE, 1, "a", 2, "b");
    assert_int_equal(batch_join(&all, &batch), ERR_OK);
    assert_true(meets(0, 1, "z"));
    assert_true(meets(0, 2, "z"));
    assert_true(meets(0, 3, "A "));
    assert_true(meets(0, 3, "b"));
    assert_true(meets(0, 3, "\xc3\x9f"));
    assert_false(meets(0, 3, "z"));
    assert_false(meets(0, 3, NULL));
    assert_false(meets(1, 1, "a"));
    (void)add(1, BINLOG_INSERT, 7, "\xc3\x9f", 0, NULL);
    assert_int_equal(batch_join(&all, &batch), ERR_OK);
    assert_true(meets(1, 8, "a"));
    assert_false(meets(1, 8, NULL));
    batch_clear(&all);
    assert_false(meets(0, 1, "a"));
    batch_close(&all);
}

static void
all_rows_of_a_table_without_a_key_meet(void **state)
{
    (void)state;
    memset(&all, 0, sizeof(all));
    assert_int_equal(batch_open(&all, 4096), ERR_OK);
    targets[0].n_keys = targets[1].n_keys = 0;
    (void)add(0, BINLOG_INSERT, 1, "a", 0, NULL);
    assert_int_equal(batch_join(&all, &batch), ERR_OK);
    assert_true(meets(0, 2, "b"));
    assert_false(meets(1, 1, "a"));
    batch_close(&all);
}

/* A batch that is sealed leaves its targets to the one that is filled next. */
static void
a_batch_that_is_sealed_is_told_nothing_more(void **state)
{
    (void)state;
    assert_int_equal(add(0, BINLOG_INSERT, 1, "a", 0, NULL), 1);
    batch_seal(&batch);
    assert_int_equal(targets[0].last_run[BINLOG_INSERT], 0);
    targets[0].last_run[BINLOG_INSERT] = 5; /* the next one's */
    batch_clear(&batch);
    assert_int_equal(targets[0].last_run[BINLOG_INSERT], 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            rows_of_a_kind_overtake_what_is_not_theirs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_stays_behind_its_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(values_of_every_unique_key_count, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_text_that_is_not_plain_is_equal_to_all, setup, teardown),
        cmocka_unit_test_setup_teardown(no_order_that_matters_is_ever_lost,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_without_a_key_keeps_its_order,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_row_meets_another_batch_by_any_value_of_a_key, setup, teardown),
        cmocka_unit_test_setup_teardown(all_rows_of_a_table_without_a_key_meet,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_batch_that_is_sealed_is_told_nothing_more, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
