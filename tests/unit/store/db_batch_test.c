/* Statements that leave together, against a real server: that they say and do
 * what single ones would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/db_impl.h"

#include "clock.h"
#include "record.h"
#include "store_fixture.h"

#define READ_S 5
#define LOCK_S 1

#define PART(X, s)                          \
    X(s, I64, id, "id", COLUMN_ONLY, -)     \
    X(s, STR, name, "name", COLUMN_ONLY, -) \
    X(s, I64, n, "n", COLUMN_ONLY, -)       \
    X(s, U64, u, "u", COLUMN_ONLY, -)       \
    X(s, F64, f, "f", COLUMN_ONLY, -)       \
    X(s, BYTES, raw, "raw", COLUMN_ONLY, -)
STRUCT(part, PART);
TABLE(part, PART);
LIST_OF(part);

static const char *const schema[] = {
    "CREATE TABLE part (id BIGINT NOT NULL, name VARCHAR(20), n BIGINT,"
    " u BIGINT UNSIGNED, f DOUBLE, raw LONGBLOB, PRIMARY KEY (id),"
    " UNIQUE KEY part_name (name))"
    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE piece (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " part BIGINT NOT NULL, FOREIGN KEY (part) REFERENCES part (id))"
    " ENGINE=InnoDB",
};
static const char add_sql[] = "INSERT INTO part (id, name) VALUES (?, ?)";
static const char whole_sql[] =
    "INSERT INTO part (id, name, n, u, f, raw) VALUES (?, ?, ?, ?, ?, ?)";
static const char piece_sql[] = "INSERT INTO piece (part) VALUES (?)";
static const char set_sql[] = "UPDATE part SET n = ? WHERE id = ?";
static const char count_sql[] = "SELECT COUNT(*) FROM part";
static const char one_sql[] =
    "SELECT id, name, n, u, f, raw FROM part WHERE id = ?";
static const char all_sql[] = "SELECT id, n FROM part ORDER BY id";

static int
setup(void **state)
{
    struct fixture *f = fixture_open();

    *state = f;
    if (f == NULL || db_exec_text(f->db, "DELETE FROM piece") != ERR_OK ||
        db_exec_text(f->db, "DELETE FROM part") != ERR_OK)
        return -1;
    db_batch(f->db, true);
    return 0;
}

static void
add_later(struct db *db, int64_t id, const char *name)
{
    ok(db_later(db, add_sql, DB_ARGS(db_i64(id), db_str(name))));
}

/* ---- what they do ---- */

/* All that waits, then COMMIT: a server that hangs must not have both. */
static void
all_of_a_transaction_is_two_round_trips(void **state)
{
    struct fixture *f = *state;
    int64_t before;

    for (int i = 0; i < 2; i++) { /* the first prepares */
        before = counted(f->db, "Questions");
        ok(db_begin(f->db));
        add_later(f->db, i, NULL);
        ok(db_later(f->db, piece_sql, DB_ARGS(db_i64(i))));
        ok(db_later_one(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(i))));
        ok(db_end(f->db, ERR_OK));
    }
    assert_int_equal(counted(f->db, "Questions") - before,
                     3); /* and the look */
    assert_int_equal(number(f->other, count_sql), 2);
}

static void
values_are_those_of_the_call_and_the_order_is_kept(void **state)
{
    struct fixture *f = *state;
    char name[] = "first";
    struct part p;

    ok(db_begin(f->db));
    add_later(f->db, 1, name);
    ok(db_later(f->db, set_sql, DB_ARGS(db_i64(7), db_i64(1))));
    memcpy(name, "other", sizeof(name));
    add_later(f->db, 2, name);
    ok(db_later(f->db, set_sql, DB_ARGS(db_i64(8), db_i64(1))));
    ok(db_end(f->db, ERR_OK));
    ok(db_one(f->other, f->a, one_sql, DB_ARGS(db_i64(1)), &part_rec, &p));
    assert_string_equal(p.name, "first");
    assert_int_equal(p.n, 8);
}

static void
a_read_sees_what_waited(void **state)
{
    struct fixture *f = *state;
    struct part p;

    for (int i = 0; i < 3; i++) { /* prepared, then again, also without a row */
        ok(db_begin(f->db));
        add_later(f->db, i, NULL);
        assert_int_equal(
            db_one(f->db, f->a, one_sql, DB_ARGS(db_i64(i + 1)), &part_rec, &p),
            ERR_NOT_FOUND);
        ok(db_later_one(f->db, set_sql, DB_ARGS(db_i64(i), db_i64(i))));
        ok(db_one(f->db, f->a, one_sql, DB_ARGS(db_i64(i)), &part_rec, &p));
        assert_int_equal(p.n, i);
        assert_int_equal(number(f->db, count_sql), i + 1);
        ok(db_end(f->db, ERR_OK));
    }
}

static void
rows_are_streamed_behind_what_waited(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    const void *row;

    ok(db_begin(f->db));
    for (int64_t i = 0; i < 3; i++)
        add_later(f->db, i, NULL);
    ok(db_rows(f->db, f->a, all_sql, DB_NO_ARGS, &part_rec, &rows));
    assert_int_equal(db_later(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(1))),
                     ERR_INTERNAL);
    for (int64_t i = 0; i < 2; i++) {
        ok(rows.next(&rows, f->a, &row));
        assert_int_equal(((const struct part *)row)->id, i);
    }
    arena_reset(f->a); /* ends it before its last row */
    add_later(f->db, 9, NULL);
    assert_int_equal(number(f->db, count_sql), 4);
    ok(db_end(f->db, ERR_OK));
}

static void
an_immediate_statement_tells_its_rows_and_its_id(void **state)
{
    static const char bump[] =
        "UPDATE part SET n = LAST_INSERT_ID(n + 1) WHERE id = ?";
    struct fixture *f = *state;

    ok(db_exec(f->other, whole_sql,
               DB_ARGS(db_i64(1), db_null(), db_i64(41), db_null(), db_null(),
                       db_null())));
    ok(db_begin(f->db));
    ok(db_exec_one(f->db, bump, DB_ARGS(db_i64(1))));
    assert_int_equal(db_insert_id(f->db), 42);
    add_later(f->db, 2, NULL);
    assert_int_equal(db_exec_one(f->db, bump, DB_ARGS(db_i64(5))),
                     ERR_NOT_FOUND);
    ok(db_later(f->db, set_sql, DB_ARGS(db_i64(0), db_i64(2))));
    ok(db_exec(f->db, piece_sql, DB_ARGS(db_i64(2))));
    assert_int_equal(db_matched(f->db), 1);
    assert_true(db_insert_id(f->db) > 0);
    ok(db_end(f->db, ERR_OK));
    assert_int_equal(number(f->other, count_sql), 2);
}

static void
values_of_every_kind_may_change_from_one_to_the_next(void **state)
{
    static char big[1 << 20];
    const struct {
        struct db_value name, n, u, f, raw;
    } rows[] = {
        { db_null(), db_null(), db_null(), db_null(), db_null() },
        { db_str("'x'; COMMIT"), db_i64(INT64_MIN), db_u64(UINT64_MAX),
          db_f64(0.1), db_bytes("\0'\\\xff", 4) },
        { db_null(), db_i64(INT64_MAX), db_null(), db_null(), db_null() },
        { db_str(""), db_str("12"), db_i64(5), db_i64(2), db_bytes("", 0) },
        { db_str("имя"), db_i64(-1), db_u64(1), db_f64(-1e300),
          db_bytes(big, sizeof(big)) },
    };
    struct fixture *f = *state;
    struct part p;

    memset(big, 'x', sizeof(big));
    for (size_t i = 0; i < COUNT(rows); i++) {
        ok(db_begin(f->db));
        ok(db_later(f->db, whole_sql,
                    DB_ARGS(db_u64(i), rows[i].name, rows[i].n, rows[i].u,
                            rows[i].f, rows[i].raw)));
        ok(db_end(f->db, ERR_OK));
        ok(db_one(f->db, f->a, one_sql, DB_ARGS(db_u64(i)), &part_rec, &p));
        assert_int_equal(HAS(&p, part, name), rows[i].name.type != DBV_NULL);
        assert_int_equal(HAS(&p, part, n), rows[i].n.type != DBV_NULL);
        assert_int_equal(p.raw.n, rows[i].raw.n);
        if (rows[i].raw.n > 0)
            assert_memory_equal(p.raw.p, rows[i].raw.p, p.raw.n);
        if (rows[i].name.type != DBV_NULL)
            assert_string_equal(p.name, rows[i].name.p);
        if (rows[i].n.type == DBV_I64)
            assert_true(p.n == rows[i].n.i);
        if (rows[i].u.type == DBV_U64)
            assert_true(p.u == rows[i].u.u);
        if (rows[i].f.type == DBV_F64)
            assert_true(p.f == rows[i].f.f);
    }
}

static void
long_batches_are_cut_and_few_are_prepared(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0, before = counted(f->db, "Com_stmt_prepare");

    for (int n = 1; n < 60; n++) {
        ok(db_begin(f->db));
        for (int i = 0; i < n; i++)
            add_later(f->db, id++, NULL);
        ok(db_end(f->db, ERR_OK));
    }
    assert_int_equal(number(f->db, count_sql), id);
    /* with BEGIN or without, 8, or fewer and COMMIT */
    assert_true(counted(f->db, "Com_stmt_prepare") - before <= 2 * 8 + 2 + 2);
}

static void
a_table_changed_underneath_is_noticed(void **state)
{
    static const char all[] = "SELECT name FROM part WHERE id = ?";
    struct fixture *f = *state;
    const char *text;

    for (int64_t i = 0; i < 4; i++) {
        ok(db_begin(f->db));
        add_later(f->db, i, i % 2 == 0 ? "even" : "odd");
        ok(db_one_str(f->db, f->a, all, DB_ARGS(db_i64(i)), &text));
        assert_string_equal(text, i % 2 == 0 ? "even" : "odd");
        ok(db_end(f->db, ERR_OK));
        ok(db_exec_text(f->other, "DELETE FROM part"));
        ok(db_exec_text(f->other, i % 2 == 0
                                      ? "ALTER TABLE part MODIFY name TEXT(99)"
                                      : "ALTER TABLE part MODIFY"
                                        " name VARCHAR(20)"));
    }
}

/* ---- when something fails ---- */

static void
a_failure_is_no_errors_but_that_of_single_statements(void **state)
{
    struct fixture *f = *state;

    ok(db_exec(f->other, add_sql, DB_ARGS(db_i64(1), db_str("taken"))));
    ok(db_begin(f->db));
    add_later(f->db, 2, "free");
    add_later(f->db, 3, "taken");
    assert_int_equal(db_end(f->db, ERR_OK), ERR_BUSY);
    assert_true(db_batch_undone(f->db));
    assert_false(db_may_rerun(f->db));
    assert_int_equal(number(f->db, count_sql), 1);
    db_batch(f->db, false);
    ok(db_begin(f->db));
    assert_false(db_batch_undone(f->db));
    add_later(f->db, 2, "free");
    assert_int_equal(
        db_later(f->db, add_sql, DB_ARGS(db_i64(3), db_str("taken"))),
        ERR_EXISTS);
    assert_string_equal(db_dup_index(f->db), "part_name");
    assert_int_equal(db_end(f->db, ERR_EXISTS), ERR_EXISTS);
    assert_false(db_batch_undone(f->db));
    assert_int_equal(number(f->db, count_sql), 1);
}

static void
a_failure_before_an_answer_ends_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct part p;

    ok(db_begin(f->db));
    add_later(f->db, 1, "longer than twenty characters");
    assert_int_equal(
        db_one(f->db, f->a, one_sql, DB_ARGS(db_i64(1)), &part_rec, &p),
        ERR_BUSY);
    /* as after a deadlock: nothing of it is sent any more */
    assert_int_equal(db_later(f->db, add_sql, DB_ARGS(db_i64(2), db_null())),
                     ERR_BUSY);
    assert_int_equal(db_end(f->db, ERR_OK), ERR_BUSY);
    assert_true(db_batch_undone(f->db));
    assert_int_equal(number(f->db, count_sql), 0);
}

static void
a_row_that_is_not_matched_undoes_the_batch(void **state)
{
    struct fixture *f = *state;

    ok(db_begin(f->db));
    add_later(f->db, 1, NULL);
    ok(db_later(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(9))));
    ok(db_later_one(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(9))));
    assert_int_equal(db_end(f->db, ERR_OK), ERR_BUSY);
    assert_true(db_batch_undone(f->db));
    assert_int_equal(number(f->db, count_sql), 0);
    db_batch(f->db, false);
    assert_int_equal(
        db_later_one(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(9))),
        ERR_NOT_FOUND);
}

static void
what_the_caller_finds_wrong_comes_after_what_waits(void **state)
{
    struct fixture *f = *state;

    ok(db_begin(f->db));
    add_later(f->db, 1, NULL);
    assert_int_equal(db_end(f->db, ERR_BAD_PARAM), ERR_BAD_PARAM);
    assert_true(db_batch_undone(f->db));
    ok(db_begin(f->db));
    add_later(f->db, 1, NULL);
    assert_int_equal(number(f->db, count_sql), 1); /* it was good, then */
    assert_int_equal(db_end(f->db, ERR_BAD_PARAM), ERR_BAD_PARAM);
    assert_false(db_batch_undone(f->db));
    assert_int_equal(number(f->db, count_sql), 0);
}

static void
a_lock_that_is_not_obtained_is_busy_as_ever(void **state)
{
    struct fixture *f = *state;

    ok(db_exec(f->other, add_sql, DB_ARGS(db_i64(1), db_null())));
    ok(db_begin(f->other));
    ok(db_exec_one(f->other, set_sql, DB_ARGS(db_i64(1), db_i64(1))));
    ok(db_begin(f->db));
    add_later(f->db, 2, NULL);
    ok(db_later_one(f->db, set_sql, DB_ARGS(db_i64(2), db_i64(1))));
    assert_int_equal(db_end(f->db, ERR_OK), ERR_BUSY);
    assert_int_equal(db_errno(f->db), 1205);
    assert_true(db_may_rerun(f->db));
    assert_false(db_batch_undone(f->db));
    ok(db_end(f->other, ERR_OK));
    assert_int_equal(number(f->db, count_sql),
                     1); /* what came before it went too */
}

static void
nothing_waits_beyond_the_deadline(void **state)
{
    struct fixture *f = *state;

    ok(db_begin(f->db));
    add_later(f->db, 1, NULL);
    db_deadline(f->db, clock_mono_ms());
    assert_int_equal(db_end(f->db, ERR_OK), ERR_TIMEOUT);
    assert_false(db_batch_undone(f->db));
    db_deadline(f->db, 0);
    assert_int_equal(number(f->db, count_sql), 0);
}

static void
a_server_without_compound_statements_gets_single_ones(void **state)
{
    struct fixture *f = *state;
    int64_t before;

    db_hangup(f->db);
    db_settings.batch = false; /* as if it were one, when it connects */
    (void)number(f->db, count_sql);
    db_settings.batch = true;
    ok(db_begin(f->db));
    before = counted(f->db, "Com_insert");
    add_later(f->db, 1, NULL);
    assert_int_equal(counted(f->db, "Com_insert") - before, 1);
    assert_int_equal(db_later(f->db, add_sql, DB_ARGS(db_i64(1), db_null())),
                     ERR_EXISTS);
    ok(db_end(f->db, ERR_OK));
    assert_int_equal(number(f->other, count_sql), 1);
}

/* ---- reads ---- */

static const char twice_sql[] = "SELECT 2 * n AS n, name FROM part WHERE n = ?";

static void
insert(struct db *db, int64_t id, const char *name, int64_t n)
{
    ok(db_exec(db, whole_sql,
               DB_ARGS(db_i64(id), db_str(name), db_i64(n), db_null(),
                       db_null(), db_null())));
}

/* Columns of each its own; the next one of another record than the last. */
static void
reads_that_are_announced_are_one_round_trip_and_one_snapshot(void **state)
{
    struct fixture *f = *state;
    struct list_of_part list;
    struct part p;
    int64_t before, n;

    insert(f->other, 1, "a", 5);
    insert(f->other, 2, "b", 6);
    for (int i = 0; i < 3; i++) { /* the first prepares */
        before = counted(f->db, "Questions");
        ok(db_begin_snapshot(f->db));
        ok(db_ahead(f->db, all_sql, DB_NO_ARGS));
        ok(db_ahead(f->db, twice_sql, DB_ARGS(db_i64(6))));
        ok(db_ahead(f->db, count_sql, DB_NO_ARGS));
        ok(db_list(f->db, f->a, all_sql, DB_NO_ARGS, &part_rec, 9, &list));
        assert_int_equal(list.n, 2 + i);
        insert(f->other, 10 + i, NULL, 0); /* not seen by what comes */
        ok(db_one(f->db, f->a, twice_sql, DB_ARGS(db_i64(6)), &part_rec, &p));
        assert_true(p.n == 12 && !HAS(&p, part, id));
        assert_string_equal(p.name, "b");
        ok(db_one_i64(f->db, count_sql, DB_NO_ARGS, &n));
        assert_int_equal(n, 2 + i);
        ok(db_end(f->db, ERR_OK));
        assert_int_equal(number(f->db, count_sql), 3 + i);
    }
    assert_int_equal(counted(f->db, "Questions") - before, 3);
}

static void
what_is_announced_and_fails_says_why(void **state)
{
    static const char late_sql[] =
        "SELECT CASE WHEN n = 7 THEN JSON_VALUE(name, '$') + (SELECT n FROM"
        " part) ELSE n END FROM part WHERE id = ?";
    struct fixture *f = *state;
    enum err alone;
    int64_t n;

    insert(f->other, 1, "a", 7);
    insert(f->other, 2, "b", 7);
    alone = db_one_i64(f->db, late_sql, DB_ARGS(db_i64(1)), &n);
    assert_int_not_equal(alone, ERR_OK);
    ok(db_begin_snapshot(f->db));
    ok(db_ahead(f->db, count_sql, DB_NO_ARGS));
    ok(db_ahead(f->db, late_sql, DB_ARGS(db_i64(1))));
    ok(db_one_i64(f->db, count_sql, DB_NO_ARGS, &n));
    assert_int_equal(db_one_i64(f->db, late_sql, DB_ARGS(db_i64(1)), &n),
                     alone);
    assert_int_equal(db_errno(f->db), 1242); /* more than one row */
    assert_int_equal(db_end(f->db, alone), alone);
    assert_int_equal(number(f->db, count_sql), 2);
}

/* ---- */

FIXTURE_GROUP(READ_S, LOCK_S)

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_of_a_transaction_is_two_round_trips),
        TEST(values_are_those_of_the_call_and_the_order_is_kept),
        TEST(a_read_sees_what_waited),
        TEST(rows_are_streamed_behind_what_waited),
        TEST(an_immediate_statement_tells_its_rows_and_its_id),
        TEST(values_of_every_kind_may_change_from_one_to_the_next),
        TEST(long_batches_are_cut_and_few_are_prepared),
        TEST(a_table_changed_underneath_is_noticed),
        TEST(a_failure_is_no_errors_but_that_of_single_statements),
        TEST(a_failure_before_an_answer_ends_the_transaction),
        TEST(a_row_that_is_not_matched_undoes_the_batch),
        TEST(what_the_caller_finds_wrong_comes_after_what_waits),
        TEST(a_lock_that_is_not_obtained_is_busy_as_ever),
        TEST(nothing_waits_beyond_the_deadline),
        TEST(a_server_without_compound_statements_gets_single_ones),
        TEST(reads_that_are_announced_are_one_round_trip_and_one_snapshot),
        TEST(what_is_announced_and_fails_says_why),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
