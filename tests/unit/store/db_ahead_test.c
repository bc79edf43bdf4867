/* Reads that were announced: they leave as one, or one by one where that is
 * not to be had, and answer the same. The server is that of a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db_fake.h"

LIST_OF(I64);

static const char a_sql[] = "SELECT a", b_sql[] = "SELECT b",
                  c_sql[] = "SELECT c", set_sql[] = "UPDATE d";

#define ISOLATION "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
#define SNAPSHOT  "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
#define ALL                                                               \
    ISOLATION " | " SNAPSHOT " | SELECT a | SELECT b | SELECT c | COMMIT" \
              " ('i' 'i' 7)"

static void
announce(void)
{
    char id[] = "i";

    ok(db_begin_snapshot(db));
    ok(db_ahead(db, a_sql, DB_ARGS(db_str(id))));
    ok(db_ahead(db, b_sql, DB_ARGS(db_str(id))));
    ok(db_ahead(db, c_sql, DB_ARGS(db_i64(7))));
    id[0] = 'x'; /* they are copied */
}

static enum err
one(const char *sql, struct db_args args)
{
    int64_t v;

    return db_one_i64(db, sql, args, &v);
}

/* All three, as their callers do. */
static void
read_all(void)
{
    struct list_of_I64 list;
    struct rows rows;
    const void *row;

    fake.rows = fake.next_rows = 1;
    ok(one(a_sql, DB_ARGS(db_str("i"))));
    fake.next_rows = 2;
    ok(db_list(db, arena, b_sql, DB_ARGS(db_str("i")), &I64_rec, 5, &list));
    assert_int_equal(list.n, 2);
    fake.next_rows = 3;
    ok(db_rows(db, arena, c_sql, DB_ARGS(db_i64(7)), &I64_rec, &rows));
    for (int i = 3; i > 0; i--) {
        ok(rows.next(&rows, arena, &row));
        assert_int_equal(((const struct I64 *)row)->v, i);
    }
    assert_int_equal(rows.next(&rows, arena, &row), ERR_NOT_FOUND);
}

static void
they_leave_as_one_and_the_snapshot_with_them(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        announce();
        SAID("");
        read_all();
        SAID(ALL "; next; next");
        ok(db_end(db, ERR_OK));
        SAID("");
    }
    ok(db_exec(db, set_sql, DB_NO_ARGS)); /* nothing is left of them */
    SAID("UPDATE d");
}

#define BY_ITSELF \
    ISOLATION "; " SNAPSHOT "; SELECT a ('i'); SELECT b ('i'); SELECT c (7)"

static void
read_one_by_one(void)
{
    fake.rows = 1;
    ok(one(a_sql, DB_ARGS(db_str("i"))));
    fake.rows = 1;
    ok(one(b_sql, DB_ARGS(db_str("i"))));
    fake.rows = 1;
    ok(one(c_sql, DB_ARGS(db_i64(7))));
    ok(db_end(db, ERR_OK));
}

static void
a_server_without_compounds_is_asked_one_by_one(void **state)
{
    fake.no_compounds = true;
    (void)state;
    db_hangup(db);
    ok(db_link(db));
    (void)fake_said();
    announce();
    read_one_by_one();
    SAID(BY_ITSELF "; ROLLBACK");
}

static void
so_is_one_that_refuses_them_together(void **state)
{
    (void)state;
    announce();
    fake_fails("| SELECT a", 1615);
    read_one_by_one();
    SAID(ALL "; ROLLBACK; " BY_ITSELF "; ROLLBACK");
}

static void
so_is_a_connection_that_had_to_be_made_anew(void **state)
{
    (void)state;
    announce();
    fake.stale = true;
    read_one_by_one();
    SAID("hangup; connect h0/d; " MADE "; " BY_ITSELF "; ROLLBACK");
}

static void
what_is_not_read_is_given_up_with_the_snapshot(void **state)
{
    (void)state;
    announce();
    fake.rows = 0;
    fake.finished = 0;
    assert_int_equal(one(a_sql, DB_ARGS(db_str("i"))), ERR_NOT_FOUND);
    assert_int_equal(db_end(db, ERR_NOT_FOUND), ERR_NOT_FOUND);
    assert_int_equal(fake.finished, 1);
    SAID(ALL "; ROLLBACK");
    announce(); /* not even sent */
    ok(db_end(db, ERR_OK));
    SAID("");
    fake.rows = 1;
    ok(one(a_sql, DB_ARGS(db_str("i"))));
    SAID("SELECT a ('i')");
}

static void
another_statement_between_them_is_a_mistake(void **state)
{
    (void)state;
    announce();
    assert_int_equal(one(b_sql, DB_ARGS(db_str("i"))), ERR_INTERNAL);
    assert_int_equal(db_exec(db, set_sql, DB_NO_ARGS), ERR_INTERNAL);
    SAID("");
    fake.rows = 1;
    ok(one(a_sql, DB_ARGS(db_str("i"))));
    assert_int_equal(one(a_sql, DB_ARGS(db_str("i"))), ERR_INTERNAL);
    assert_int_equal(db_exec(db, set_sql, DB_NO_ARGS), ERR_INTERNAL);
    assert_int_equal(db_ahead(db, b_sql, DB_NO_ARGS), ERR_INTERNAL);
    SAID(ALL);
    assert_int_equal(db_end(db, ERR_INTERNAL), ERR_INTERNAL);
}

static void
only_a_snapshot_that_has_not_begun_takes_them(void **state)
{
    (void)state;
    assert_int_equal(db_ahead(db, a_sql, DB_NO_ARGS), ERR_INTERNAL);
    ok(db_begin(db));
    assert_int_equal(db_ahead(db, a_sql, DB_NO_ARGS), ERR_INTERNAL);
    ok(db_end(db, ERR_OK));
    ok(db_begin_snapshot(db));
    fake.rows = 1;
    ok(one(a_sql, DB_NO_ARGS));
    assert_int_equal(db_ahead(db, b_sql, DB_NO_ARGS), ERR_INTERNAL);
    ok(db_end(db, ERR_OK));
    ok(db_begin_snapshot(db));
    for (int i = 0; i < DB_AHEAD_MAX; i++)
        ok(db_ahead(db, a_sql, DB_NO_ARGS));
    assert_int_equal(db_ahead(db, a_sql, DB_NO_ARGS), ERR_INTERNAL);
    ok(db_end(db, ERR_OK));
}

/* One that sends fewer results than it was asked for is not trusted. */
static void
a_result_that_is_missing_is_a_mistake(void **state)
{
    (void)state;
    announce();
    fake.rows = 1;
    fake.next_rows = -1;
    ok(one(a_sql, DB_ARGS(db_str("i"))));
    assert_int_equal(one(b_sql, DB_ARGS(db_str("i"))), ERR_INTERNAL);
    assert_int_equal(db_end(db, ERR_INTERNAL), ERR_INTERNAL);
    SAID(ALL "; next; ROLLBACK");
}

static void
a_lost_connection_is_told_and_all_may_be_run_again(void **state)
{
    (void)state;
    announce();
    fake.rows = 1;
    ok(one(a_sql, DB_ARGS(db_str("i"))));
    fake_fails("next", 2013);
    assert_int_equal(one(b_sql, DB_ARGS(db_str("i"))), ERR_STORE);
    assert_int_equal(one(c_sql, DB_ARGS(db_i64(7))), ERR_STORE);
    assert_int_equal(db_end(db, ERR_STORE), ERR_STORE);
    assert_true(db_may_rerun(db));
    (void)fake_said();
    ok(db_link(db));
    (void)fake_said();
    announce();
    read_all();
    SAID(ALL "; next; next");
    ok(db_end(db, ERR_OK));
}

static void
nothing_is_sent_after_the_deadline(void **state)
{
    (void)state;
    announce();
    db_deadline(db, fake.now_ms - 1);
    assert_int_equal(one(a_sql, DB_ARGS(db_str("i"))), ERR_TIMEOUT);
    assert_int_equal(one(b_sql, DB_ARGS(db_str("i"))), ERR_TIMEOUT);
    SAID("");
    assert_int_equal(db_end(db, ERR_TIMEOUT), ERR_TIMEOUT);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, connected, closed)
    const struct CMUnitTest tests[] = {
        TEST(they_leave_as_one_and_the_snapshot_with_them),
        TEST(a_server_without_compounds_is_asked_one_by_one),
        TEST(so_is_one_that_refuses_them_together),
        TEST(so_is_a_connection_that_had_to_be_made_anew),
        TEST(what_is_not_read_is_given_up_with_the_snapshot),
        TEST(another_statement_between_them_is_a_mistake),
        TEST(only_a_snapshot_that_has_not_begun_takes_them),
        TEST(a_result_that_is_missing_is_a_mistake),
        TEST(a_lost_connection_is_told_and_all_may_be_run_again),
        TEST(nothing_is_sent_after_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
