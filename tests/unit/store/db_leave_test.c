/* How statements leave: alone, with what waited for them, or not at all; and
 * what becomes of their results. The server is that of a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db_fake.h"

static const char add_sql[] = "INSERT a";
static const char set_sql[] = "UPDATE b";
static const char get_sql[] = "SELECT c";
static const char counts[] = "SELECT ROW_COUNT() AS m, LAST_INSERT_ID() AS i";

#define COUNTS "SELECT ROW_COUNT() AS m, LAST_INSERT_ID() AS i"

static int
batching(void **state)
{
    if (connected(state) != 0 || db_begin(db) != ERR_OK)
        return -1;
    db_batch(db, true);
    return 0;
}

static enum err
add_later(int64_t v)
{
    return db_later(db, add_sql, DB_ARGS(db_i64(v)));
}

static enum err
get(void)
{
    int64_t v;

    fake.rows = 1;
    return db_one_i64(db, get_sql, DB_NO_ARGS, &v);
}

/* ---- alone ---- */

static void
a_statement_tells_its_rows_and_its_id(void **state)
{
    (void)state;
    fake.matched = 3;
    fake.insert_id = 9;
    ok(db_exec(db, set_sql,
               DB_ARGS(db_i64(-1), db_str("x"), db_null(), db_u64(7),
                       db_f64(0.5), db_bool(true), db_bool(false),
                       db_bytes("yz", 1))));
    SAID("UPDATE b (-1 'x' NULL 7 0.5 1 0 'y')");
    assert_int_equal(db_matched(db), 3);
    assert_int_equal(db_insert_id(db), 9);
    ok(db_exec_one(db, set_sql, DB_NO_ARGS));
    fake.matched = 0;
    fake.insert_id = 0;
    ok(db_exec(db, set_sql, DB_NO_ARGS));
    assert_int_equal(db_matched(db), 0);
    assert_int_equal(db_insert_id(db), 0);
    assert_int_equal(db_exec_one(db, set_sql, DB_NO_ARGS), ERR_NOT_FOUND);
    fake.matched = 5;
    ok(db_exec(db, set_sql, DB_NO_ARGS));
    fake_fails("UPDATE", 1213); /* then it tells nothing of the last one */
    assert_int_equal(db_exec(db, set_sql, DB_NO_ARGS), ERR_BUSY);
    assert_int_equal(db_matched(db), 0);
    fake_fails("UPDATE", 1213);
    assert_int_equal(db_exec_one(db, set_sql, DB_NO_ARGS), ERR_BUSY);
    (void)fake_said();
}

static void
later_is_at_once_for_who_does_not_batch(void **state)
{
    (void)state;
    ok(add_later(1));
    SAID("INSERT a (1)");
    fake.matched = 0;
    ok(add_later(2));
    assert_int_equal(db_later_one(db, set_sql, DB_NO_ARGS), ERR_NOT_FOUND);
    SAID("INSERT a (2); UPDATE b");
    db_batch(db, true); /* outside of a transaction too */
    ok(add_later(3));
    SAID("INSERT a (3)");
    ok(db_begin_snapshot(db)); /* and in one that reads only */
    ok(add_later(4));
    assert_non_null(strstr(fake_said(), "READ ONLY; INSERT a (4)"));
    ok(db_end(db, ERR_OK));
    fake.no_compounds = true;
    db_hangup(db);
    ok(db_begin(db)); /* and to a server that cannot */
    ok(add_later(5));
    ok(db_end(db, ERR_OK));
    SAID("ROLLBACK; hangup; connect h0/d; " MADE
         "; START TRANSACTION; INSERT a (5); COMMIT");
}

static void
texts_are_sent_as_they_are(void **state)
{
    (void)state;
    ok(db_exec_text(db, "CREATE TABLE t"));
    SAID("CREATE TABLE t");
    fake_fails("DROP", 1146);
    assert_int_equal(db_exec_text(db, "DROP TABLE t"), ERR_INTERNAL);
    assert_int_equal(db_errno(db), 1146);
    ok(db_begin(db));
    db_batch(db, true);
    ok(add_later(1));
    ok(db_exec_text(db, "CREATE TABLE u")); /* behind what waits */
    SAID("DROP TABLE t; START TRANSACTION | INSERT a (1); CREATE TABLE u");
    ok(db_end(db, ERR_OK));
    (void)fake_said();
    db_batch(db, false);
    ok(db_begin(db));
    ok(db_exec_text(db, "CREATE TABLE v"));
    ok(db_end(db, ERR_OK));
    SAID("START TRANSACTION; CREATE TABLE v; COMMIT");
    ok(db_begin(db));
    fake_fails("START", 1213);
    assert_int_equal(db_exec_text(db, "CREATE TABLE w"), ERR_BUSY);
    SAID("START TRANSACTION");
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    (void)fake_said();
}

static void
a_statement_may_be_prepared_only(void **state)
{
    (void)state;
    ok(db_prepare_only(db, get_sql));
    SAID("prepare SELECT c");
    fake_fails("SELECT c", 1146);
    assert_int_equal(db_prepare_only(db, get_sql), ERR_INTERNAL);
    fake.down[0] = true;
    db_hangup(db);
    assert_int_equal(db_prepare_only(db, get_sql), ERR_STORE);
    SAID("prepare SELECT c; hangup; connect h0/d");
}

static void
a_value_that_cannot_be_sent_is_our_mistake(void **state)
{
    static const struct db_value many[DB_VALUES_MAX + 1];
    const struct db_value odd = { .type = 99 };

    (void)state;
    ok(db_exec(db, set_sql, (struct db_args){ many, DB_VALUES_MAX }));
    (void)fake_said();
    assert_int_equal(
        db_exec(db, set_sql, (struct db_args){ many, DB_VALUES_MAX + 1 }),
        ERR_INTERNAL);
    assert_string_equal(my_failure(db->my)->sql, "");
    assert_string_equal(db_error(db), "a value");
    assert_string_equal(db->failure.sql, set_sql);
    assert_int_equal(db_exec(db, set_sql, DB_ARGS(odd)), ERR_INTERNAL);
    /* without a key nothing is sealed */
    assert_int_equal(
        db_exec(db, set_sql, DB_ARGS(db_i64(1), db_secret("t", "r", "c", "x"))),
        ERR_INTERNAL);
    ok(db_exec(db, set_sql, DB_ARGS(db_secret("t", "r", "c", NULL))));
    SAID("UPDATE b (NULL)");
}

static void
what_was_plain_once_is_read_so(void **state)
{
    const char *out = NULL;

    (void)state;
    ok(db_seal.open(arena, "was", "r", "plain", "as it is", &out));
    assert_string_equal(out, "as it is");
    assert_int_equal(db_seal.open(arena, "was", "r", "other", "as it is", &out),
                     ERR_STATE);
    /* one that looks sealed is */
    assert_int_equal(
        db_seal.open(arena, "was", "r", "plain", "v1:7:AAAA", &out), ERR_STATE);
}

/* ---- together ---- */

static void
what_waits_leaves_with_the_next_answer(void **state)
{
    (void)state;
    ok(add_later(1));
    ok(db_later_one(db, set_sql, DB_ARGS(db_str("x"))));
    SAID("");
    assert_int_equal(db->tx, TX_NOTED);
    ok(get());
    SAID("START TRANSACTION | INSERT a | !UPDATE b | SELECT c (1 'x')");
    assert_int_equal(db->tx, TX_OPEN);
    ok(add_later(2));
    ok(get());
    SAID("INSERT a | SELECT c (2)");
    ok(get());
    SAID("SELECT c");
    ok(add_later(3));
    ok(db_end(db, ERR_OK));
    SAID("INSERT a | COMMIT (3)");
}

/* COMMIT never leaves with START TRANSACTION. */
static void
a_transaction_without_an_answer_is_two_round_trips(void **state)
{
    (void)state;
    ok(add_later(1));
    ok(add_later(2));
    ok(db_end(db, ERR_OK));
    SAID("START TRANSACTION | INSERT a | INSERT a (1 2); COMMIT");
    assert_false(db_in_transaction(db));
    ok(db_begin(db));
    ok(db_end(db, ERR_OK));
    SAID("");
}

static void
values_are_copied(void **state)
{
    char text[] = "mine", row[] = "row", one[] = "1";
    struct db_value v;

    (void)state;
    ok(db_later(db, set_sql,
                DB_ARGS(db_str(text), db_bytes(text, 0), db_i64(4),
                        db_secret("t", row, "c", text), db_str(one))));
    memcpy(text, "none", sizeof(text));
    memcpy(row, "xxx", sizeof(row));
    one[0] = '2';
    v = db->batch.v[0];
    assert_string_equal(v.p, "mine");
    assert_int_equal(v.n, 4);
    assert_int_equal(db->batch.v[1].n, 0);
    assert_int_equal(db->batch.v[2].i, 4);
    v = db->batch.v[3];
    assert_string_equal(v.p, "mine");
    assert_string_equal(v.row, "row");
    assert_string_equal(db->batch.v[4].p, "1");
    assert_int_equal(db->batch.n_v, 5);
    assert_int_equal(db->batch.bytes, 9);
    assert_int_equal(db_end(db, ERR_STATE), ERR_STATE);
    assert_int_equal(db->batch.n_v, 0);
    assert_int_equal(db->batch.bytes, 0);
    assert_int_equal(db->batch.waiting.n, 0);
    assert_int_equal(db->batch.waiting.one, 0);
    SAID("");
}

static void
copies_that_do_not_fit_into_memory_are_told(void **state)
{
    const struct db_value s[] = { db_secret("t", "row", "c", "x"),
                                  db_str("text"), db_bytes("", 0) };
    struct arena *was = db->batch.arena;

    (void)state;
    db->batch.arena = arena_new(1);
    for (size_t i = 0; i < 2; i++) {
        struct db_args args = { &s[i], 1 };

        assert_int_equal(db_later(db, set_sql, args), ERR_NOMEM);
        assert_string_equal(db_error(db), "no memory");
        assert_int_equal(db_exec(db, set_sql, args), ERR_NOMEM);
        assert_string_equal(db->failure.sql, set_sql);
    }
    ok(db_later(db, set_sql, (struct db_args){ &s[2], 1 }));
    arena_free(db->batch.arena);
    db->batch.arena = was;
    SAID("");
}

static void
eight_wait_and_the_ninth_sends_them(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 8; i++)
        ok(add_later(i));
    SAID("");
    ok(add_later(8));
    SAID("START TRANSACTION | INSERT a | INSERT a | INSERT a | INSERT a"
         " | INSERT a | INSERT a | INSERT a | INSERT a (0 1 2 3 4 5 6 7)");
    assert_int_equal(db->batch.waiting.n, 1);
    fake.rows = 1;
    for (int64_t i = 0; i < 7; i++)
        ok(add_later(i));
    ok(db_exec(db, set_sql, DB_NO_ARGS)); /* no place for it either */
    SAID("INSERT a | INSERT a | INSERT a | INSERT a"
         " | INSERT a | INSERT a | INSERT a | INSERT a (8 0 1 2 3 4 5 6);"
         " UPDATE b");
    ok(db_end(db, ERR_OK));
    (void)fake_said();
}

static void
values_beyond_their_number_do_not_wait_together(void **state)
{
    static const struct db_value many[DB_VALUES_MAX];
    struct db_args most = { many, DB_VALUES_MAX };

    (void)state;
    ok(db_later(db, set_sql, most)); /* fits alone */
    SAID("");
    assert_int_equal(db->batch.n_v, DB_VALUES_MAX);
    ok(db_later(db, add_sql, DB_NO_ARGS)); /* has none */
    SAID("");
    ok(add_later(1));
    assert_non_null(strstr(fake_said(), "UPDATE b | INSERT a (NULL"));
    most.n--;
    ok(db_later(db, set_sql, most));
    SAID("");
    ok(add_later(1));
    (void)fake_said();
    fake.rows = 1;
    most.n++;
    ok(db_one(db, arena, get_sql, most, &I64_rec, &(struct I64){ 0 }));
    /* what waited left alone, for they would not have fitted */
    assert_int_equal(strncmp(fake_said(), "INSERT a (1); SELECT c (NULL", 28),
                     0);
    ok(db_end(db, ERR_OK));
    (void)fake_said();
}

static void
bytes_beyond_their_number_do_not_wait_together(void **state)
{
    static char big[DB_BATCH_BYTES + 1];

    (void)state;
    memset(big, 'x', sizeof(big));
    ok(db_later(db, set_sql, DB_ARGS(db_bytes(big, DB_BATCH_BYTES))));
    SAID("");
    ok(add_later(1)); /* numbers take none */
    SAID("");
    ok(db_later(db, set_sql, DB_ARGS(db_bytes(big, 1))));
    assert_int_equal(
        strncmp(fake_said(), "START TRANSACTION | UPDATE b | INS", 34), 0);
    ok(db_later(db, set_sql, DB_ARGS(db_bytes(big, DB_BATCH_BYTES + 1))));
    /* too large to wait at all */
    assert_int_equal(strncmp(fake_said(), "UPDATE b ('x'); UPDATE b ('xxx", 30),
                     0);
    ok(db_end(db, ERR_OK));
    (void)fake_said();
}

static void
an_immediate_statement_brings_its_counts(void **state)
{
    (void)state;
    fake.rows = 7; /* the first column of the answer */
    ok(db_exec(db, set_sql, DB_ARGS(db_i64(5))));
    SAID("START TRANSACTION | UPDATE b | " COUNTS " (5)");
    assert_int_equal(db_matched(db), 7);
    ok(db_exec(db, set_sql, DB_NO_ARGS));
    SAID("UPDATE b"); /* nothing waits, and it is begun */
    assert_int_equal(db_matched(db), 1);
    ok(add_later(1));
    fake_fails(counts, 1213);
    assert_int_equal(db_exec(db, set_sql, DB_NO_ARGS), ERR_BUSY);
    assert_int_equal(db_matched(db), 0);
    assert_int_equal(db_end(db, ERR_BUSY), ERR_BUSY);
    (void)fake_said();
}

/* ---- when something fails ---- */

static void
which_one_of_several_failed_is_not_guessed(void **state)
{
    (void)state;
    ok(add_later(1));
    fake_fails("SELECT", 1062);
    assert_int_equal(get(), ERR_BUSY);
    assert_true(db_batch_undone(db));
    assert_false(db_may_rerun(db));
    assert_int_equal(fake.log_n, 0);
    assert_int_equal(add_later(2), ERR_BUSY);
    assert_int_equal(get(), ERR_BUSY);
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    SAID("START TRANSACTION | INSERT a | SELECT c (1); ROLLBACK");
    ok(db_begin(db));
    assert_false(db_batch_undone(db));
    ok(get()); /* one that leaves with BEGIN alone is known all the same... */
    fake_fails("SELECT", 1062);
    assert_int_equal(get(), ERR_EXISTS);
    assert_false(db_batch_undone(db));
    assert_int_equal(db_end(db, ERR_EXISTS), ERR_EXISTS);
    (void)fake_said();
    ok(db_begin(db));
    ok(get());
    ok(add_later(1));
    fake_fails("INSERT", 1153); /* too large: it hangs up */
    assert_int_equal(get(), ERR_BUSY);
    assert_true(db_batch_undone(db));
    SAID("START TRANSACTION | SELECT c; INSERT a | SELECT c (1); hangup");
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    SAID("");
}

static void
what_would_fail_for_all_is_as_it_is(void **state)
{
    static const struct {
        unsigned code;
        enum err e;
        bool rerun;
    } cases[] = { { 1213, ERR_BUSY, true },
                  { 2013, ERR_STORE, true },
                  { 1047, ERR_STORE, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ok(add_later(1));
        fake_fails("SELECT", cases[i].code);
        assert_int_equal(get(), cases[i].e);
        assert_false(db_batch_undone(db));
        assert_int_equal(db_may_rerun(db), cases[i].rerun);
        assert_int_equal(db_end(db, ERR_OK), cases[i].e);
        ok(db_begin(db));
    }
    ok(add_later(1)); /* a right that lacks is of one statement */
    fake_fails("SELECT", 1142);
    assert_int_equal(get(), ERR_BUSY);
    assert_true(db_batch_undone(db));
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    (void)fake_said();
}

static void
what_the_caller_finds_comes_after_what_waits(void **state)
{
    (void)state;
    ok(add_later(1));
    assert_int_equal(db_end(db, ERR_STATE), ERR_STATE);
    assert_true(db_batch_undone(db));
    SAID("");
    ok(db_begin(db));
    ok(get());
    assert_int_equal(db_end(db, ERR_STATE), ERR_STATE);
    assert_false(db_batch_undone(db));
    ok(db_begin(db));
    fake_fails("SELECT", 1213);
    assert_int_equal(get(), ERR_BUSY);
    assert_int_equal(db_end(db, ERR_BUSY), ERR_BUSY);
    assert_false(db_batch_undone(db)); /* it was broken by then */
    ok(db_begin(db));
    ok(add_later(1));
    fake_fails("INSERT", 1062);
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    assert_true(db_batch_undone(db));
    assert_false(db_in_transaction(db));
    (void)fake_said();
}

static void
what_waits_is_not_sent_by_another_connection(void **state)
{
    (void)state;
    ok(get());
    ok(add_later(1));
    (void)fake_said();
    db_hangup(db);
    fake.no_compounds = true;
    assert_int_equal(get(), ERR_BUSY);
    assert_true(db_batch_undone(db));
    SAID("hangup; connect h0/d; " MADE);
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    (void)fake_said();
}

static void
what_could_not_be_sent_is_over_with_what_waited(void **state)
{
    const struct db_value odd = { .type = 99 };

    (void)state;
    ok(get());
    ok(add_later(1));
    (void)fake_said();
    assert_int_equal(
        db_one(db, arena, get_sql, DB_ARGS(odd), &I64_rec, &(struct I64){ 0 }),
        ERR_INTERNAL);
    SAID("");
    assert_int_equal(db->tx, TX_BROKEN);
    assert_int_equal(get(), ERR_INTERNAL);
    assert_int_equal(db_end(db, ERR_OK), ERR_INTERNAL);
    SAID("ROLLBACK");
    ok(db_begin(db)); /* alone, it leaves all as it was */
    ok(get());
    assert_int_equal(
        db_one(db, arena, get_sql, DB_ARGS(odd), &I64_rec, &(struct I64){ 0 }),
        ERR_INTERNAL);
    assert_int_equal(db->tx, TX_OPEN);
    ok(db_end(db, ERR_OK));
    (void)fake_said();
    ok(db_begin(db));
    assert_int_equal(
        db_one(db, arena, get_sql, DB_ARGS(odd), &I64_rec, &(struct I64){ 0 }),
        ERR_INTERNAL);
    assert_int_equal(db->tx, TX_NOTED); /* nothing has left */
    ok(db_end(db, ERR_OK));
    SAID("");
}

static void
a_failed_write_may_have_written(void **state)
{
    (void)state;
    db_batch(db, false);
    ok(get());
    assert_false(db->wrote);
    fake_fails("UPDATE", 1062);
    assert_int_equal(db_exec(db, set_sql, DB_NO_ARGS), ERR_EXISTS);
    assert_true(db->wrote);
    assert_int_equal(db_end(db, ERR_EXISTS), ERR_EXISTS);
    ok(db_begin(db));
    assert_false(db->wrote);
    ok(db_exec(db, set_sql, DB_NO_ARGS));
    assert_true(db->wrote);
    ok(get());
    assert_true(db->wrote);
    ok(db_end(db, ERR_OK));
    (void)fake_said();
}

/* ---- results ---- */

static void
one_value_is_the_first_row_s(void **state)
{
    const char *text = "old";
    int64_t v = 7;

    (void)state;
    fake.rows = 2;
    ok(db_one_i64(db, get_sql, DB_ARGS(db_i64(1)), &v));
    SAID("SELECT c (1)");
    assert_int_equal(v, 2);
    assert_int_equal(fake.finished, 1);
    fake.rows = 0;
    assert_int_equal(db_one_i64(db, get_sql, DB_NO_ARGS, &v), ERR_NOT_FOUND);
    assert_int_equal(fake.finished, 2);
    fake.rows = -1; /* a NULL */
    assert_int_equal(db_one_i64(db, get_sql, DB_NO_ARGS, &v), ERR_NOT_FOUND);
    assert_int_equal(v, 2);
    fake.rows = 1;
    ok(db_one_str(db, arena, get_sql, DB_NO_ARGS, &text));
    assert_string_equal(text, "1");
    fake.rows = -1;
    assert_int_equal(db_one_str(db, arena, get_sql, DB_NO_ARGS, &text),
                     ERR_NOT_FOUND);
    assert_string_equal(text, "1");
    fake_fails("SELECT", 1146);
    assert_int_equal(db_one_str(db, arena, get_sql, DB_NO_ARGS, &text),
                     ERR_INTERNAL);
    fake.finished = 0;
    fake_fails("fetch", 1205); /* in place of a row */
    assert_int_equal(db_one_i64(db, get_sql, DB_NO_ARGS, &v), ERR_BUSY);
    assert_int_equal(fake.finished, 1);
    assert_true(db_may_rerun(db));
    (void)fake_said();
}

static void
a_list_is_all_or_nothing(void **state)
{
    struct {
        size_t n;
        struct I64 *v;
    } list = { 9, NULL };

    (void)state;
    fake.rows = 3;
    ok(db_list(db, arena, get_sql, DB_NO_ARGS, &I64_rec, 3, &list));
    assert_int_equal(list.n, 3);
    assert_int_equal(list.v[0].v, 3);
    assert_int_equal(list.v[2].v, 1);
    assert_int_equal(fake.finished, 1);
    fake.rows = 3;
    fake.log_n = 0;
    assert_int_equal(
        db_list(db, arena, get_sql, DB_NO_ARGS, &I64_rec, 2, &list), ERR_LIMIT);
    assert_int_equal(list.n, 0);
    assert_int_equal(fake.finished, 2);
    assert_int_equal(fake.log_n, 0); /* the caller's bound */
    list.n = 9;
    fake_fails("SELECT", 1146);
    assert_int_equal(
        db_list(db, arena, get_sql, DB_NO_ARGS, &I64_rec, 2, &list),
        ERR_INTERNAL);
    assert_int_equal(list.n, 0);
    fake_fails("fetch", 1205);
    assert_int_equal(
        db_list(db, arena, get_sql, DB_NO_ARGS, &I64_rec, 2, &list), ERR_BUSY);
    assert_int_equal(fake.finished, 3);
    (void)fake_said();
}

static void
rows_are_read_one_by_one(void **state)
{
    struct arena *a = arena_new(1u << 16);
    struct rows rows;
    const void *row;

    (void)state;
    fake.rows = 2;
    ok(db_rows(db, a, get_sql, DB_NO_ARGS, &I64_rec, &rows));
    for (int64_t i = 2; i > 0; i--) {
        ok(rows.next(&rows, a, &row));
        assert_int_equal(((const struct I64 *)row)->v, i);
        assert_int_equal(db_exec(db, set_sql, DB_NO_ARGS), ERR_INTERNAL);
        assert_string_equal(db_error(db), "a result is being read");
    }
    assert_int_equal(fake.finished, 0);
    assert_int_equal(rows.next(&rows, a, &row), ERR_NOT_FOUND);
    assert_int_equal(fake.finished, 1);
    assert_int_equal(rows.next(&rows, a, &row), ERR_NOT_FOUND);
    fake.rows = 2;
    ok(db_rows(db, a, get_sql, DB_NO_ARGS, &I64_rec, &rows));
    ok(rows.next(&rows, a, &row));
    arena_reset(a); /* which closes it */
    assert_int_equal(fake.finished, 2);
    fake.rows = 2;
    ok(db_rows(db, a, get_sql, DB_NO_ARGS, &I64_rec, &rows));
    db_hangup(db); /* then there is no more of it */
    assert_int_equal(rows.next(&rows, a, &row), ERR_STORE);
    assert_int_equal(rows.next(&rows, a, &row), ERR_STORE);
    arena_reset(a);
    assert_int_equal(fake.finished, 2);
    fake_fails("SELECT", 1146);
    assert_int_equal(db_rows(db, a, get_sql, DB_NO_ARGS, &I64_rec, &rows),
                     ERR_INTERNAL);
    fake.rows = 2;
    ok(db_rows(db, a, get_sql, DB_NO_ARGS, &I64_rec, &rows));
    fake_fails("fetch", 1205);
    assert_int_equal(rows.next(&rows, a, &row), ERR_BUSY);
    assert_int_equal(fake.finished, 3);
    ok(db_begin(db)); /* the end of a transaction ends it too */
    fake.rows = 2;
    ok(db_rows(db, a, get_sql, DB_NO_ARGS, &I64_rec, &rows));
    ok(db_end(db, ERR_OK));
    assert_int_equal(fake.finished, 4);
    arena_free(a);
    a = arena_new(1);
    assert_int_equal(db_rows(db, a, get_sql, DB_NO_ARGS, &I64_rec, &rows),
                     ERR_NOMEM);
    arena_free(a);
    (void)fake_said();
}

static enum err
stop_at(void *ctx, const void *row)
{
    int64_t *at = ctx, v = ((const struct I64 *)row)->v;

    if (v == *at)
        return ERR_STATE;
    fake_say("row %d", (int)v);
    return ERR_OK;
}

static void
each_row_is_shown_until_one_says_stop(void **state)
{
    int64_t at = 9;

    (void)state;
    fake.rows = 3;
    ok(db_each(db, arena, get_sql, DB_NO_ARGS, &I64_rec, stop_at, &at));
    SAID("SELECT c; row 3; row 2; row 1");
    assert_int_equal(fake.finished, 1);
    fake.rows = 3;
    at = 2;
    assert_int_equal(
        db_each(db, arena, get_sql, DB_NO_ARGS, &I64_rec, stop_at, &at),
        ERR_STATE);
    SAID("SELECT c; row 3");
    assert_int_equal(fake.finished, 2);
    ok(get()); /* the result is closed */
    (void)fake_said();
    fake_fails("fetch", 1205);
    assert_int_equal(
        db_each(db, arena, get_sql, DB_NO_ARGS, &I64_rec, stop_at, &at),
        ERR_BUSY);
    SAID("SELECT c");
}

int
main(void)
{
#define ALONE(f)    cmocka_unit_test_setup_teardown(f, connected, closed)
#define TOGETHER(f) cmocka_unit_test_setup_teardown(f, batching, closed)
    const struct CMUnitTest tests[] = {
        ALONE(a_statement_tells_its_rows_and_its_id),
        ALONE(later_is_at_once_for_who_does_not_batch),
        ALONE(texts_are_sent_as_they_are),
        ALONE(a_statement_may_be_prepared_only),
        ALONE(a_value_that_cannot_be_sent_is_our_mistake),
        ALONE(what_was_plain_once_is_read_so),
        TOGETHER(what_waits_leaves_with_the_next_answer),
        TOGETHER(a_transaction_without_an_answer_is_two_round_trips),
        TOGETHER(values_are_copied),
        TOGETHER(copies_that_do_not_fit_into_memory_are_told),
        TOGETHER(eight_wait_and_the_ninth_sends_them),
        TOGETHER(values_beyond_their_number_do_not_wait_together),
        TOGETHER(bytes_beyond_their_number_do_not_wait_together),
        TOGETHER(an_immediate_statement_brings_its_counts),
        TOGETHER(which_one_of_several_failed_is_not_guessed),
        TOGETHER(what_would_fail_for_all_is_as_it_is),
        TOGETHER(what_the_caller_finds_comes_after_what_waits),
        TOGETHER(what_waits_is_not_sent_by_another_connection),
        TOGETHER(what_could_not_be_sent_is_over_with_what_waited),
        TOGETHER(a_failed_write_may_have_written),
        ALONE(one_value_is_the_first_row_s),
        ALONE(a_list_is_all_or_nothing),
        ALONE(rows_are_read_one_by_one),
        ALONE(each_row_is_shown_until_one_says_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
