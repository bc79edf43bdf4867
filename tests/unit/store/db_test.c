/* The store's client against a real server: records, transactions, locks,
 * time-outs. What needs a server that dies is in tests/wire/store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

#include "store/audit.h"
#include "clock.h"
#include "crypt.h"
#include "lease.h"
#include "record.h"
#include "store_fixture.h"

#define READ_S 2
#define LOCK_S 1

/* ---- a record that has every kind of column ---- */

enum kind { KIND_A = 3, KIND_B = 7 };
static const struct enum_name kind_names[] = { { "KIND_A", KIND_A },
                                               { "KIND_B", KIND_B },
                                               { NULL, 0 } };
#define THING(X, s)                                                \
    X(s, I32, id, "id", COLUMN_ONLY, -)                            \
    X(s, STR, name, "thingName", COLUMN_ONLY, -, .column = "name") \
    X(s, I64, n, "n", COLUMN_ONLY, -)                              \
    X(s, U64, u, "u", COLUMN_ONLY, -)                              \
    X(s, F64, f, "f", COLUMN_ONLY, -)                              \
    X(s, BOOL, b, "b", COLUMN_ONLY, -)                             \
    X(s, ENUM, kind, "kind", COLUMN_ONLY, kind)                    \
    X(s, JSON, doc, "doc", COLUMN_ONLY, -)                         \
    X(s, BYTES, raw, "raw", COLUMN_ONLY, -)
STRUCT(thing, THING);
TABLE(thing, THING);

#define HIDDEN(X, s)                             \
    X(s, STR, id, "id", COLUMN_ONLY, -)          \
    X(s, STR, ak, "ak", COLUMN_ONLY | SECRET, -) \
    X(s, STR, plain, "plain", COLUMN_ONLY, -)
STRUCT(hidden, HIDDEN);
TABLE(hidden, HIDDEN);

static const char *const schema[] = {
    "CREATE TABLE thing (id INT NOT NULL, name VARCHAR(20) NOT NULL,"
    " n BIGINT, u BIGINT UNSIGNED, f DOUBLE, b TINYINT, kind VARCHAR(16),"
    " doc TEXT, raw BLOB, PRIMARY KEY (id), UNIQUE KEY thing_name (name))"
    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE child (id INT NOT NULL PRIMARY KEY, thing INT NOT NULL,"
    " FOREIGN KEY (thing) REFERENCES thing (id)) ENGINE=InnoDB",
    "CREATE TABLE hidden (id VARCHAR(20) NOT NULL PRIMARY KEY, ak TEXT,"
    " plain TEXT) ENGINE=InnoDB",
};
static const char add_sql[] = "INSERT INTO thing (id, name) VALUES (?, ?)";
static const char set_sql[] = "UPDATE thing SET n = ? WHERE id = ?";
static const char count_sql[] = "SELECT COUNT(*) FROM thing";
static const char one_sql[] = "SELECT id, name FROM thing WHERE id = ?";
static const char all_sql[] = "SELECT name, id FROM thing ORDER BY id";
static const char lock_all_sql[] =
    "SELECT name, id FROM thing ORDER BY id FOR UPDATE";

static int
setup(void **state)
{
    struct fixture *f = fixture_open();

    *state = f;
    return f != NULL && db_exec_text(f->db, "DELETE FROM child") == ERR_OK &&
                   db_exec_text(f->db, "DELETE FROM thing") == ERR_OK &&
                   db_exec_text(f->db, "DELETE FROM audit") == ERR_OK
               ? 0
               : -1;
}

static void
add(struct db *db, int id, const char *name)
{
    ok(db_exec(db, add_sql, DB_ARGS(db_i64(id), db_str(name))));
}

/* ---- records ---- */

static void
columns_are_matched_by_name_and_null_is_absent(void **state)
{
    static const char insert[] =
        "INSERT INTO thing (id, name, n, u, f, b, kind, doc, raw)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    static const char forward[] =
        "SELECT id, name, n, u, f, b, kind, doc, raw FROM thing WHERE id = ?";
    static const char backward[] =
        "SELECT raw, doc, kind, b, f, u, n, name, id FROM thing WHERE id = ?";
    const char *const sql[] = { forward, backward, forward };
    struct fixture *f = *state;
    struct thing t;

    ok(db_exec(f->db, insert,
               DB_ARGS(db_i64(-5), db_str("имя"), db_i64(INT64_MIN),
                       db_u64(UINT64_MAX), db_f64(0.1), db_bool(true),
                       db_str("KIND_B"), db_str("{\"a\":1}"),
                       db_bytes("\0\xff", 2))));
    add(f->db, 2, "");
    for (size_t i = 0; i < COUNT(sql); i++) {
        ok(db_one(f->db, f->a, sql[i], DB_ARGS(db_i64(-5)), &thing_rec, &t));
        assert_int_equal(t.has, (1u << thing_has__max) - 1);
        assert_int_equal(t.id, -5);
        assert_string_equal(t.name, "имя");
        assert_true(t.n == INT64_MIN && t.u == UINT64_MAX && t.f == 0.1);
        assert_true(t.b);
        assert_int_equal(t.kind, KIND_B);
        assert_int_equal(t.doc.n, 7);
        assert_string_equal(t.doc.p, "{\"a\":1}");
        assert_int_equal(t.raw.n, 2);
        assert_memory_equal(t.raw.p, "\0\xff", 2);
        ok(db_one(f->db, f->a, sql[i], DB_ARGS(db_i64(2)), &thing_rec, &t));
        assert_int_equal(t.has, 1u << thing_has_id | 1u << thing_has_name);
        assert_string_equal(t.name, "");
        assert_null(t.doc.p);
    }
}

static void
one_statement_serves_two_records(void **state)
{
    static const char sql[] = "SELECT name FROM thing WHERE id = ?";
    struct fixture *f = *state;
    const char *text;
    struct thing t;

    add(f->db, 1, "one");
    for (int i = 0; i < 3; i++) {
        ok(db_one(f->db, f->a, sql, DB_ARGS(db_i64(1)), &thing_rec, &t));
        assert_string_equal(t.name, "one");
        ok(db_one_str(f->db, f->a, sql, DB_ARGS(db_i64(1)), &text));
        assert_string_equal(text, "one");
    }
}

static void
a_column_that_no_field_takes_is_a_mistake(void **state)
{
    static const char sql[] = "SELECT id AS typo FROM thing";
    struct fixture *f = *state;
    struct thing t;

    add(f->db, 1, "one");
    assert_int_equal(db_one(f->db, f->a, sql, DB_NO_ARGS, &thing_rec, &t),
                     ERR_INTERNAL);
    assert_int_equal(number(f->db, count_sql),
                     1); /* the connection is usable */
}

static void
a_number_wider_than_its_field_is_refused(void **state)
{
    static const char wide[] = "SELECT 2147483648 AS id";
    static const char high[] = "SELECT 9223372036854775808 AS n";
    static const char sum[] = "SELECT SUM(n) AS n FROM thing";
    struct fixture *f = *state;
    struct thing t;

    assert_int_equal(db_one(f->db, f->a, wide, DB_NO_ARGS, &thing_rec, &t),
                     ERR_INTERNAL);
    assert_int_equal(db_one(f->db, f->a, high, DB_NO_ARGS, &thing_rec, &t),
                     ERR_INTERNAL);
    add(f->db, 1, "one");
    ok(db_exec(f->db, set_sql, DB_ARGS(db_i64(INT64_C(1) << 60), db_i64(1))));
    ok(db_one(f->db, f->a, sum, DB_NO_ARGS, &thing_rec, &t)); /* a DECIMAL */
    assert_true(t.n == INT64_C(1) << 60);
}

static void
an_unknown_enum_name_is_absent(void **state)
{
    static const char sql[] = "SELECT 'KIND_NEW' AS kind, 4 AS id";
    struct fixture *f = *state;
    struct thing t;

    ok(db_one(f->db, f->a, sql, DB_NO_ARGS, &thing_rec, &t));
    assert_int_equal(t.has, 1u << thing_has_id);
}

static void
nothing_found_is_not_found(void **state)
{
    static const char max[] = "SELECT MAX(n) FROM thing";
    struct fixture *f = *state;
    struct thing t;
    int64_t n;

    assert_int_equal(
        db_one(f->db, f->a, one_sql, DB_ARGS(db_i64(9)), &thing_rec, &t),
        ERR_NOT_FOUND);
    assert_int_equal(db_one_i64(f->db, max, DB_NO_ARGS, &n), ERR_NOT_FOUND);
    assert_int_equal(db_exec_one(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(9))),
                     ERR_NOT_FOUND);
}

static void
a_change_of_nothing_still_matches(void **state)
{
    struct fixture *f = *state;

    add(f->db, 1, "one");
    ok(db_exec_one(f->db, set_sql, DB_ARGS(db_i64(5), db_i64(1))));
    ok(db_exec_one(f->db, set_sql, DB_ARGS(db_i64(5), db_i64(1))));
    assert_int_equal(db_matched(f->db), 1);
}

struct things {
    size_t n;
    struct thing *v;
};

static void
a_list_holds_all_rows_up_to_its_limit(void **state)
{
    struct fixture *f = *state;
    struct things list;
    char name[20];

    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "name %d", i);
        add(f->db, i, name);
    }
    ok(db_list(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, 100, &list));
    assert_int_equal(list.n, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(list.v[i].id, i);
    assert_string_equal(list.v[99].name, "name 99");
    assert_int_equal(
        db_list(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, 99, &list),
        ERR_LIMIT);
    assert_int_equal(list.n, 0);
    assert_int_equal(number(f->db, count_sql), 100);
}

static enum err
stop_at_3(void *ctx, const void *row)
{
    const struct thing *t = row;

    ++*(int *)ctx;
    return t->id == 3 ? ERR_STATE : ERR_OK;
}

static enum err
count_row(void *ctx, const void *row)
{
    (void)row;
    ++*(int *)ctx;
    return ERR_OK;
}

static void
each_row_is_visited_until_one_says_stop(void **state)
{
    struct fixture *f = *state;
    int seen = 0;
    char name[2] = "a";

    for (int i = 0; i < 10; i++, name[0]++)
        add(f->db, i, name);
    ok(db_each(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, count_row, &seen));
    assert_int_equal(seen, 10);
    seen = 0;
    assert_int_equal(
        db_each(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, stop_at_3, &seen),
        ERR_STATE);
    assert_int_equal(seen, 4);
    assert_int_equal(number(f->db, count_sql), 10);
}

static void
streamed_rows_end_with_their_arena(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    const void *row;
    const struct thing *t;
    char name[2] = "a";

    for (int i = 0; i < 5; i++, name[0]++)
        add(f->db, i, name);
    ok(db_rows(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, &rows));
    for (int i = 0; i < 5; i++) {
        ok(rows.next(&rows, f->a, &row));
        t = row;
        assert_int_equal(t->id, i);
    }
    assert_int_equal(rows.next(&rows, f->a, &row), ERR_NOT_FOUND);
    assert_int_equal(rows.next(&rows, f->a, &row), ERR_NOT_FOUND);
    assert_int_equal(number(f->db, count_sql), 5);
    ok(db_rows(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, &rows));
    ok(rows.next(&rows, f->a, &row));
    /* a second call while the first is read is a mistake, not a crash */
    assert_int_equal(db_exec(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(1))),
                     ERR_INTERNAL);
    arena_reset(f->a);
    assert_int_equal(number(f->db, count_sql), 5);
}

/* ---- secrets ---- */

static const char hide_sql[] = "INSERT INTO hidden (id, ak) VALUES (?, ?)";
static const char reveal_sql[] =
    "SELECT id, ak, id AS secret_row FROM hidden WHERE id = ?";

static void
a_secret_is_sealed_in_the_table_and_plain_in_the_record(void **state)
{
    static const char stored[] = "SELECT ak FROM hidden WHERE id = ?";
    struct fixture *f = *state;
    const char *text;
    struct hidden h;

    ok(db_exec(f->db, hide_sql,
               DB_ARGS(db_str("r1"), db_secret("hidden", "r1", "ak", "AKIA"))));
    ok(db_exec(f->db, hide_sql,
               DB_ARGS(db_str("r2"), db_secret("hidden", "r2", "ak", NULL))));
    ok(db_one_str(f->db, f->a, stored, DB_ARGS(db_str("r1")), &text));
    assert_int_equal(strncmp(text, "v1:", 3), 0);
    ok(db_one(f->db, f->a, reveal_sql, DB_ARGS(db_str("r1")), &hidden_rec, &h));
    assert_string_equal(h.ak, "AKIA");
    ok(db_one(f->db, f->a, reveal_sql, DB_ARGS(db_str("r2")), &hidden_rec, &h));
    assert_false(HAS(&h, hidden, ak));
}

static void
a_secret_moved_to_another_row_or_column_does_not_open(void **state)
{
    static const char swap[] = "UPDATE hidden SET ak = ? WHERE id = 'w1'";
    static const char alias[] =
        "SELECT plain AS ak, id AS secret_row FROM hidden WHERE id = 'w2'";
    static const char copy[] = "UPDATE hidden SET plain = ak WHERE id = 'w2'";
    static const char bare[] = "SELECT ak FROM hidden WHERE id = 'w2'";
    struct fixture *f = *state;
    const char *text;
    struct hidden h;

    ok(db_exec(f->db, hide_sql,
               DB_ARGS(db_str("w1"), db_secret("hidden", "w1", "ak", "A"))));
    ok(db_exec(f->db, hide_sql,
               DB_ARGS(db_str("w2"), db_secret("hidden", "w2", "ak", "B"))));
    ok(db_one_str(f->db, f->a, bare, DB_NO_ARGS, &text));
    ok(db_exec(f->db, swap, DB_ARGS(db_str(text))));
    assert_int_equal(
        db_one(f->db, f->a, reveal_sql, DB_ARGS(db_str("w1")), &hidden_rec, &h),
        ERR_INTERNAL);
    ok(db_exec(f->db, copy, DB_NO_ARGS));
    assert_int_equal(db_one(f->db, f->a, alias, DB_NO_ARGS, &hidden_rec, &h),
                     ERR_INTERNAL);
    /* without secret_row there is no place to compare with */
    assert_int_equal(db_one(f->db, f->a, bare, DB_NO_ARGS, &hidden_rec, &h),
                     ERR_INTERNAL);
}

#define LENIENT(X, s)                            \
    X(s, STR, id, "id", COLUMN_ONLY, -)          \
    X(s, STR, ak, "ak", COLUMN_ONLY | SECRET, -) \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)
STRUCT(lenient, LENIENT);
TABLE(lenient, LENIENT);

static void
a_secret_that_does_not_open_is_noted_where_there_is_a_place(void **state)
{
    static const char spoil[] =
        "UPDATE hidden SET ak = CONCAT('v1:77:', SUBSTR(ak, 6))"
        " WHERE id = 'n1'";
    struct fixture *f = *state;
    struct lenient l;

    ok(db_exec(f->db, hide_sql,
               DB_ARGS(db_str("n1"), db_secret("hidden", "n1", "ak", "A"))));
    ok(db_one(f->db, f->a, reveal_sql, DB_ARGS(db_str("n1")), &lenient_rec,
              &l));
    assert_string_equal(l.ak, "A");
    assert_int_equal(l.shut, 0);
    ok(db_exec(f->db, spoil, DB_NO_ARGS));
    ok(db_one(f->db, f->a, reveal_sql, DB_ARGS(db_str("n1")), &lenient_rec,
              &l));
    assert_string_equal(l.id, "n1");
    assert_false(HAS(&l, lenient, ak));
    assert_null(l.ak);
    assert_true(SHUT(&l, lenient, ak));
    assert_false(SHUT(&l, lenient, id));
}

/* What is remembered of its column goes with the statement. */
static void
a_secret_may_be_the_last_column(void **state)
{
    static const char last[] = "SELECT id, plain, id AS secret_row, ak"
                               " FROM hidden WHERE id = ?";
    struct fixture *f = *state;
    struct hidden h;

    ok(db_exec(f->db, hide_sql,
               DB_ARGS(db_str("l1"), db_secret("hidden", "l1", "ak", "A"))));
    ok(db_one(f->db, f->a, last, DB_ARGS(db_str("l1")), &hidden_rec, &h));
    assert_string_equal(h.id, "l1");
    assert_string_equal(h.ak, "A");
}

/* ---- errors ---- */

static void
a_duplicate_key_names_its_index(void **state)
{
    struct fixture *f = *state;
    struct thing t;

    add(f->db, 1, "' for key 'x");
    ok(db_begin(f->db));
    assert_int_equal(
        db_exec(f->db, add_sql, DB_ARGS(db_i64(2), db_str("' for key 'x"))),
        ERR_EXISTS);
    assert_string_equal(db_dup_index(f->db), "thing_name");
    /* the holder can still be read in the same transaction */
    ok(db_one(f->db, f->a, one_sql, DB_ARGS(db_i64(1)), &thing_rec, &t));
    assert_int_equal(db_end(f->db, ERR_EXISTS), ERR_EXISTS);
    assert_int_equal(
        db_exec(f->db, add_sql, DB_ARGS(db_i64(1), db_str("other"))),
        ERR_EXISTS);
    assert_string_equal(db_dup_index(f->db), ""); /* PRIMARY */
    assert_false(db_may_rerun(f->db));
}

static void
values_that_do_not_fit_are_refused_not_cut(void **state)
{
    static const char orphan[] = "INSERT INTO child (id, thing) VALUES (1, 9)";
    static const char broken[] = "SELEC 1";
    static const char absent[] = "SELECT id FROM nothing_here";
    struct fixture *f = *state;
    struct thing t;

    assert_int_equal(
        db_exec(f->db, add_sql,
                DB_ARGS(db_i64(1), db_str("longer than twenty characters"))),
        ERR_BAD_PARAM);
    assert_int_equal(
        db_exec(f->db, add_sql, DB_ARGS(db_i64(INT64_C(1) << 40), db_str("x"))),
        ERR_BAD_PARAM);
    assert_int_equal(
        db_exec(f->db, add_sql, DB_ARGS(db_i64(1), db_str("\xff"))),
        ERR_BAD_PARAM);
    assert_int_equal(db_exec(f->db, orphan, DB_NO_ARGS), ERR_STATE);
    assert_int_equal(db_exec(f->db, broken, DB_NO_ARGS), ERR_INTERNAL);
    assert_int_equal(db_one(f->db, f->a, absent, DB_NO_ARGS, &thing_rec, &t),
                     ERR_INTERNAL);
    assert_int_equal(db_exec(f->db, add_sql, DB_ARGS(db_i64(1))), ERR_INTERNAL);
    assert_int_equal(number(f->db, count_sql), 0);
}

static void
a_session_has_the_settings_that_the_design_names(void **state)
{
    static const struct {
        const char *sql, *value;
    } want[] = {
        { "SELECT @@time_zone", "+00:00" },
        { "SELECT @@lc_messages", "en_US" },
        { "SELECT @@tx_isolation", "READ-COMMITTED" },
        { "SELECT @@innodb_lock_wait_timeout", XSTR(LOCK_S) },
        { "SELECT @@lock_wait_timeout", XSTR(LOCK_S) },
        { "SELECT @@character_set_client", "utf8mb4" },
        { "SELECT @@autocommit", "1" },
        { "SELECT FIND_IN_SET('STRICT_ALL_TABLES', @@sql_mode) > 0", "1" },
    };
    struct fixture *f = *state;
    const char *text;

    for (size_t i = 0; i < COUNT(want); i++) {
        ok(db_one_str(f->db, f->a, want[i].sql, DB_NO_ARGS, &text));
        assert_string_equal(text, want[i].value);
    }
}

/* ---- round trips ---- */

static void
a_read_is_one_round_trip(void **state)
{
    struct fixture *f = *state;
    struct things list;
    struct thing t;
    int64_t before;

    add(f->db, 1, "one");
    add(f->db, 2, "two");
    ok(db_one(f->db, f->a, one_sql, DB_ARGS(db_i64(1)), &thing_rec, &t));
    ok(db_list(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, 9, &list));
    (void)counted(f->db, "Questions");
    before = counted(f->db, "Questions");
    ok(db_one(f->db, f->a, one_sql, DB_ARGS(db_i64(1)), &thing_rec, &t));
    ok(db_list(f->db, f->a, all_sql, DB_NO_ARGS, &thing_rec, 9, &list));
    /* these two and the second question itself */
    assert_int_equal(counted(f->db, "Questions") - before, 3);
}

static void
a_transaction_without_a_statement_sends_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t begun = counted(f->db, "Com_begin");

    ok(db_begin(f->db));
    assert_true(db_in_transaction(f->db));
    ok(db_end(f->db, ERR_OK));
    assert_int_equal(counted(f->db, "Com_begin"), begun);
    assert_int_equal(counted(f->db, "Com_commit"), 0);
    ok(db_begin(f->db));
    add(f->db, 1, "one");
    add(f->db, 2, "two");
    ok(db_end(f->db, ERR_OK));
    assert_int_equal(counted(f->db, "Com_begin"), begun + 1);
    assert_int_equal(counted(f->db, "Com_commit"), 1);
}

static void
the_statement_cache_is_bounded(void **state)
{
    static char sql[300][64]; /* constants of the test */
    struct fixture *f = *state;
    int64_t v, open;

    for (int64_t i = 0; i < 300; i++) {
        (void)snprintf(sql[i], sizeof(sql[i]), "SELECT %d", (int)i);
        ok(db_one_i64(f->db, sql[i], DB_NO_ARGS, &v));
        assert_int_equal(v, i);
    }
    ok(db_one_i64(f->db, sql[0], DB_NO_ARGS, &v)); /* dropped: prepared again */
    assert_int_equal(v, 0);
    open =
        counted(f->db, "Com_stmt_prepare") - counted(f->db, "Com_stmt_close");
    assert_in_range(open, 100, 128);
}

static void
a_table_changed_underneath_is_noticed(void **state)
{
    static const char sql[] = "SELECT id, name FROM thing ORDER BY id";
    struct fixture *f = *state;
    struct thing t;

    add(f->db, 1, "one");
    ok(db_one(f->db, f->a, sql, DB_NO_ARGS, &thing_rec, &t));
    ok(db_exec_text(f->other,
                    "ALTER TABLE thing MODIFY name VARCHAR(2000) NOT NULL"));
    ok(db_exec_text(f->other, "UPDATE thing SET name = REPEAT('x', 1500)"));
    ok(db_one(f->db, f->a, sql, DB_NO_ARGS, &thing_rec, &t));
    assert_int_equal(strlen(t.name), 1500);
    ok(db_exec_text(f->other, "DELETE FROM thing"));
    ok(db_exec_text(f->other,
                    "ALTER TABLE thing MODIFY name VARCHAR(20) NOT NULL"));
}

/* ---- transactions ---- */

static void
an_error_rolls_back_and_ok_commits(void **state)
{
    struct fixture *f = *state;

    ok(db_begin(f->db));
    add(f->db, 1, "one");
    assert_int_equal(db_end(f->db, ERR_STATE), ERR_STATE);
    assert_int_equal(number(f->other, count_sql), 0);
    ok(db_begin(f->db));
    add(f->db, 1, "one");
    assert_int_equal(number(f->other, count_sql), 0);
    ok(db_end(f->db, ERR_OK));
    assert_int_equal(number(f->other, count_sql), 1);
    assert_int_equal(db_end(f->db, ERR_OK), ERR_INTERNAL); /* none open */
}

/* What the watcher hears, and how many rows others saw at that time. */
static struct fixture *heard_by;
static char heard[64];

static void
hear(char what)
{
    size_t n = strlen(heard);

    (void)snprintf(heard + n, sizeof(heard) - n, "%c%d", what,
                   (int)number(heard_by->other, count_sql));
}

static void
hear_touch(struct db_touched *t, const char *thing)
{
    assert_string_equal(thing, "i1");
    t->slot[t->n++] = 7;
}

static void
hear_begin(const struct db_touched *t)
{
    assert_int_equal(t->slot[0], 7);
    hear('b');
}

static void
hear_end(const struct db_touched *t)
{
    assert_int_equal(t->n, 1);
    hear('e');
}

static bool is_ready;
static enum err settled;

static bool
hear_ready(void)
{
    return is_ready;
}

static enum err
hear_settle(struct db *db, int64_t until)
{
    assert_ptr_equal(db, heard_by->db);
    assert_false(db_in_transaction(db));
    assert_true(until > clock_mono_ms());
    hear('s');
    return settled;
}

static const struct db_watch hearing = {
    .touch = hear_touch,
    .ready = hear_ready,
    .begin = hear_begin,
    .end = hear_end,
    .settle = hear_settle,
};

static void
begin_to_hear(struct fixture *f, bool ready, enum err e)
{
    heard_by = f;
    heard[0] = '\0';
    is_ready = ready;
    settled = e;
    db_watch(&hearing);
}

static void
who_watches_hears_of_a_commit_before_it_and_after(void **state)
{
    begin_to_hear(*state, true, ERR_TIMEOUT);
    ok(db_begin(heard_by->db));
    add(heard_by->db, 1, "one");
    db_touch(heard_by->db, "i1");
    assert_int_equal(db_end(heard_by->db, ERR_OK), ERR_TIMEOUT);
    assert_string_equal(heard, "b0e1s1");
    assert_false(db_may_rerun(heard_by->db));
    ok(db_begin(heard_by->db)); /* changes nothing of theirs */
    add(heard_by->db, 2, "two");
    ok(db_end(heard_by->db, ERR_OK));
    ok(db_begin(heard_by->db)); /* or is not committed */
    add(heard_by->db, 3, "three");
    db_touch(heard_by->db, "i1");
    assert_int_equal(db_end(heard_by->db, ERR_STATE), ERR_STATE);
    assert_string_equal(heard, "b0e1s1");
    db_watch(NULL);
}

/* Nobody sees it while it is being settled, and nobody waits for its locks. */
static void
what_nobody_is_ready_for_is_run_again(void **state)
{
    struct fixture *f = *state;

    for (int batch = 0; batch < 2; batch++) {
        begin_to_hear(f, false, ERR_OK);
        db_batch(f->db, batch == 1);
        ok(db_begin(f->db));
        add(f->db, 1, "one");
        db_touch(f->db, "i1");
        assert_int_equal(db_end(f->db, ERR_OK), ERR_BUSY);
        assert_string_equal(heard, "s0");
        assert_true(db_may_rerun(f->db));
        assert_false(db_batch_undone(f->db));
        begin_to_hear(f, false, ERR_STORE);
        ok(db_begin(f->db));
        add(f->db, 1, "one");
        db_touch(f->db, "i1");
        assert_int_equal(db_end(f->db, ERR_OK), ERR_STORE);
        assert_string_equal(heard, "s0");
        assert_false(db_may_rerun(f->db));
    }
    db_batch(f->db, false);
    db_watch(NULL);
}

static void
what_nobody_watches_is_not_committed(void **state)
{
    struct fixture *f = *state;

    ok(db_begin(f->db));
    add(f->db, 1, "one");
    db_touch(f->db, "i1");
    assert_int_equal(db_end(f->db, ERR_OK), ERR_INTERNAL);
    assert_int_equal(number(f->other, count_sql), 0);
}

static void
a_snapshot_does_not_move(void **state)
{
    struct fixture *f = *state;

    add(f->db, 1, "one");
    ok(db_begin_snapshot(f->db));
    assert_int_equal(number(f->db, count_sql), 1);
    add(f->other, 2, "two");
    assert_int_equal(number(f->db, count_sql), 1);
    ok(db_end(f->db, ERR_OK));
    assert_int_equal(number(f->db, count_sql), 2);
    ok(db_begin(f->db)); /* READ COMMITTED again */
    assert_int_equal(number(f->db, count_sql), 2);
    add(f->other, 3, "three");
    assert_int_equal(number(f->db, count_sql), 3);
    ok(db_end(f->db, ERR_OK));
}

static void
a_lock_that_is_not_obtained_ends_the_transaction(void **state)
{
    struct fixture *f = *state;

    add(f->db, 1, "one");
    ok(db_begin(f->other));
    ok(db_exec_one(f->other, set_sql, DB_ARGS(db_i64(1), db_i64(1))));
    ok(db_begin(f->db));
    add(f->db, 2, "two");
    assert_int_equal(db_exec(f->db, set_sql, DB_ARGS(db_i64(2), db_i64(1))),
                     ERR_BUSY);
    assert_int_equal(db_errno(f->db), 1205);
    assert_true(db_may_rerun(f->db));
    /* what comes after it is not sent, let alone committed */
    assert_int_equal(
        db_exec(f->db, add_sql, DB_ARGS(db_i64(3), db_str("three"))), ERR_BUSY);
    assert_int_equal(db_end(f->db, ERR_OK), ERR_BUSY);
    assert_true(db_may_rerun(f->db));
    ok(db_end(f->other, ERR_OK));
    assert_int_equal(number(f->db, count_sql), 1);
    db_request_id(f->db, "the next one"); /* its log has nothing of this */
    assert_int_equal(db_errno(f->db), 0);
    assert_string_equal(db_error(f->db), "");
}

/* The error comes in place of a row: the statement itself has succeeded. */
static void
a_lock_that_is_not_obtained_between_rows_is_busy(void **state)
{
    struct fixture *f = *state;
    struct things list;

    add(f->db, 1, "one");
    add(f->db, 2, "two");
    ok(db_begin(f->other));
    ok(db_exec_one(f->other, set_sql, DB_ARGS(db_i64(1), db_i64(2))));
    ok(db_begin(f->db));
    assert_int_equal(
        db_list(f->db, f->a, lock_all_sql, DB_NO_ARGS, &thing_rec, 9, &list),
        ERR_BUSY);
    assert_int_equal(db_errno(f->db), 1205);
    assert_true(db_may_rerun(f->db));
    assert_int_equal(db_end(f->db, ERR_OK), ERR_BUSY);
    ok(db_end(f->other, ERR_OK));
}

struct crossing {
    struct db *db;
    enum err e;
    bool rerun;
    unsigned code;
};

static void *
lock_1(void *arg)
{
    struct crossing *c = arg;

    c->e = db_exec(c->db, set_sql, DB_ARGS(db_i64(3), db_i64(1)));
    c->code = db_errno(c->db);
    c->rerun = db_may_rerun(c->db);
    c->e = db_end(c->db, c->e);
    return NULL;
}

static void
a_deadlock_is_busy_for_one_and_nothing_of_it_stays(void **state)
{
    struct fixture *f = *state;
    struct crossing c = { .db = f->other };
    pthread_t thread;
    enum err e;

    add(f->db, 1, "one");
    add(f->db, 2, "two");
    ok(db_begin(f->db));
    ok(db_begin(f->other));
    ok(db_exec_one(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(1))));
    ok(db_exec_one(f->other, set_sql, DB_ARGS(db_i64(2), db_i64(2))));
    assert_int_equal(pthread_create(&thread, NULL, lock_1, &c), 0);
    e = db_exec(f->db, set_sql, DB_ARGS(db_i64(4), db_i64(2)));
    if (e == ERR_BUSY) {
        /* autocommit would take this one, were it sent */
        assert_int_equal(
            db_exec(f->db, add_sql, DB_ARGS(db_i64(3), db_str("three"))),
            ERR_BUSY);
        assert_int_equal(db_errno(f->db), 1213);
        assert_true(db_may_rerun(f->db));
    }
    e = db_end(f->db, ERR_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true((e == ERR_BUSY) != (c.e == ERR_BUSY));
    assert_true(e == ERR_OK || c.e == ERR_OK);
    if (c.e == ERR_BUSY) {
        assert_int_equal(c.code, 1213);
        assert_true(c.rerun);
    }
    assert_int_equal(number(f->db, count_sql), 2);
}

/* ---- deadlines and time-outs ---- */

static void
nothing_is_sent_or_committed_after_the_deadline(void **state)
{
    struct fixture *f = *state;

    ok(db_begin(f->db));
    add(f->db, 1, "one");
    db_deadline(f->db, clock_mono_ms() - 1);
    assert_int_equal(db_exec(f->db, add_sql, DB_ARGS(db_i64(2), db_str("two"))),
                     ERR_TIMEOUT);
    assert_int_equal(db_end(f->db, ERR_OK), ERR_TIMEOUT);
    db_deadline(f->db, 0);
    ok(db_begin(f->db));
    add(f->db, 3, "three");
    db_deadline(f->db, clock_mono_ms() - 1);
    assert_int_equal(db_end(f->db, ERR_OK), ERR_TIMEOUT);
    assert_false(db_may_rerun(f->db));
    db_deadline(f->db, 0);
    assert_int_equal(number(f->db, count_sql), 0);
}

static void
a_reply_is_not_waited_for_beyond_the_deadline(void **state)
{
    static const char sleep_sql[] = "SELECT SLEEP(60)";
    struct fixture *f = *state;
    int64_t v, until = clock_mono_ms() + 300;

    ok(db_one_i64(f->db, count_sql, DB_NO_ARGS, &v));
    db_deadline(f->db, until);
    assert_int_equal(db_one_i64(f->db, sleep_sql, DB_NO_ARGS, &v), ERR_TIMEOUT);
    assert_true(clock_mono_ms() >= until);
    assert_string_equal(db_peer(f->db), ""); /* closed */
    assert_false(db_may_rerun(f->db));
}

static void
our_own_read_timeout_is_never_run_again(void **state)
{
    static const char sleep_sql[] = "SELECT SLEEP(60)";
    struct fixture *f = *state;
    int64_t v;

    assert_int_equal(db_one_i64(f->db, sleep_sql, DB_NO_ARGS, &v), ERR_STORE);
    assert_int_equal(db_errno(f->db), 2013);
    assert_false(db_may_rerun(f->db));
    assert_string_equal(db_peer(f->db), "");
    assert_int_equal(number(f->db, count_sql),
                     0); /* the next call connects anew */
}

static void
an_abandoned_write_does_not_happen_later(void **state)
{
    static const char slow_sql[] =
        "INSERT INTO thing (id, name) SELECT 1, SLEEP(60)";
    static const char busy_sql[] =
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
        " WHERE INFO LIKE 'INSERT%SLEEP%'";
    struct fixture *f = *state;
    int64_t n;

    assert_int_equal(db_exec(f->db, slow_sql, DB_NO_ARGS), ERR_STORE);
    assert_false(db_may_rerun(f->db));
    ok(db_one_i64(f->other, busy_sql, DB_NO_ARGS, &n));
    assert_int_equal(n, 0);
    assert_int_equal(number(f->other, count_sql), 0);
}

static void
end_session_of(struct fixture *f)
{
    const struct my_session old = *db_session(f->db);

    (void)number(f->other, count_sql); /* connects it */
    ok(db_session_end(f->other, &old, clock_mono_ms() + 10000));
}

static void
a_connection_lost_in_a_transaction_may_be_run_again(void **state)
{
    struct fixture *f = *state;
    int64_t v;

    ok(db_begin(f->db));
    add(f->db, 1, "one");
    end_session_of(f);
    assert_int_equal(db_exec(f->db, add_sql, DB_ARGS(db_i64(2), db_str("two"))),
                     ERR_STORE);
    /* the rest is not sent on a new connection */
    assert_int_equal(db_one_i64(f->db, count_sql, DB_NO_ARGS, &v), ERR_STORE);
    assert_int_equal(db_end(f->db, ERR_OK), ERR_STORE);
    assert_true(db_may_rerun(f->db));
    assert_int_equal(number(f->db, count_sql), 0);
}

static void
statements_are_prepared_again_after_a_reconnect(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++) {
        add(f->db, i, i == 0 ? "a" : i == 1 ? "b" : "c");
        end_session_of(f);
        if (db_exec(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(i))) != ERR_OK)
            assert_true(db_may_rerun(f->db)); /* it was never sent */
        ok(db_exec_one(f->db, set_sql, DB_ARGS(db_i64(1), db_i64(i))));
    }
    assert_int_equal(number(f->db, count_sql), 3);
}

/* ---- audit and leases ---- */

static enum err
audited(struct db *db, const char *id, const char *target)
{
    const struct audit a = { .request_id = id,
                             .token_name = "t",
                             .listener = "doris",
                             .operation = "add_node",
                             .target = target,
                             .request = "{}" };
    enum err e = db_begin(db);

    if (e == ERR_OK)
        e = audit_write(db, &a);
    return db_end(db, e);
}

static void
an_audit_row_takes_any_text_and_its_id_once(void **state)
{
    static const char sql[] =
        "SELECT target FROM audit WHERE request_id = 'r1'";
    struct fixture *f = *state;
    char target[1000];
    const char *text;

    memset(target, 'x', sizeof(target) - 1);
    memcpy(target, "\xd0\xb8\xff", 3);
    target[sizeof(target) - 1] = '\0';
    ok(audited(f->db, "r1", target));
    ok(db_one_str(f->db, f->a, sql, DB_NO_ARGS, &text));
    assert_int_equal(strlen(text), 256); /* 255 characters */
    assert_int_equal(strncmp(text, "\xd0\xb8?x", 4), 0);
    assert_int_equal(audited(f->db, "r1", "again"), ERR_EXISTS);
    assert_string_equal(db_dup_index(f->db), "audit_request_id");
}

static void
old_audit_rows_go_in_batches(void **state)
{
    const int64_t day = 86400000;
    struct fixture *f = *state;
    uint64_t n;

    ok(audited(f->db, "a", ""));
    ok(audited(f->db, "b", ""));
    ok(audited(f->db, "c", ""));
    ok(db_exec_text(f->db, "UPDATE audit SET at_ms = at_ms - 86400000 * 91"
                           " WHERE request_id <> 'c'"));
    ok(db_exec_text(f->db, "UPDATE audit SET at_ms = at_ms - 1"
                           " WHERE request_id = 'a'"));
    ok(audit_purge(f->db, true, 90 * day, 1, &n));
    assert_int_equal(n, 0);
    ok(audit_purge(f->db, false, 90 * day, 1, &n));
    assert_int_equal(n, 1);
    ok(audit_purge(f->db, false, 90 * day, 10, &n));
    assert_int_equal(n, 1);
    ok(audit_purge(f->db, false, 90 * day, 10, &n));
    assert_int_equal(n, 0);
    /* another class has another age */
    ok(db_exec_text(f->db, "UPDATE audit SET data = true"));
    ok(audit_purge(f->db, false, -day, 10, &n));
    assert_int_equal(n, 0);
    ok(audit_purge(f->db, true, -day, 10, &n));
    assert_int_equal(n, 1);
}

static int64_t
measured(struct db *db, unsigned batch, uint64_t expected)
{
    int64_t bytes;
    uint64_t n;

    ok(db_exec_text(db, "UPDATE audit_size SET until_ms = 0"));
    ok(audit_measure(db, batch, &bytes, &n));
    assert_int_equal(n, expected);
    return bytes;
}

/* Rows are counted once, only when nothing can come before them any more, and
 * taken off when they are deleted. */
static void
audit_rows_are_counted_by_their_bytes(void **state)
{
    struct fixture *f = *state;
    int64_t bytes, one;
    uint64_t n;

    ok(db_exec_text(f->db, "UPDATE audit_size SET bytes = 0, counted_id = 0,"
                           " until_id = 0"));
    ok(audited(f->db, "a", ""));
    ok(audited(f->db, "b", ""));
    ok(audited(f->db, "c", ""));
    assert_int_equal(measured(f->db, 2, 0), 0); /* up to where is noted */
    ok(audit_measure(f->db, 2, &bytes, &n));
    assert_int_equal(n, 0); /* not yet */
    one = measured(f->db, 2, 2) / 2;
    assert_true(one > 500);
    assert_int_equal(measured(f->db, 2, 1), 3 * one);
    assert_int_equal(measured(f->db, 2, 0), 3 * one);
    ok(db_exec_text(f->db, "UPDATE audit SET at_ms = 1"
                           " WHERE request_id = 'b'"));
    ok(audited(f->db, "d", ""));
    ok(audit_purge(f->db, false, 0, 1, &n));
    assert_int_equal(n, 1);
    assert_int_equal(measured(f->db, 2, 0), 2 * one);
    assert_int_equal(measured(f->db, 2, 1), 3 * one);
    /* what was not counted is not taken off */
    ok(audited(f->db, "e", ""));
    ok(audit_purge(f->db, false, -86400000, 9, &n));
    assert_int_equal(n, 4);
    assert_int_equal(measured(f->db, 2, 0), 0);
    assert_int_equal(measured(f->db, 2, 0), 0);
}

static void
a_lease_has_one_holder_and_a_growing_epoch(void **state)
{
    struct fixture *f = *state;
    struct lease one = { "unit.duty", "one", 10000, 0, NULL },
                 two = { "unit.duty", "two", 10000, 0, NULL };

    ok(lease_take(f->db, &one));
    assert_int_equal(lease_take(f->other, &two), ERR_BUSY);
    ok(lease_renew(f->db, &one));
    ok(db_exec_text(f->db, "UPDATE lease SET expires_ms = 0"
                           " WHERE name = 'unit.duty'")); /* expires */
    ok(lease_take(f->other, &two));
    assert_true(two.epoch > one.epoch);
    assert_int_equal(lease_renew(f->db, &one), ERR_STATE);
    assert_int_equal(lease_release(f->db, &one), ERR_STATE);
    ok(db_begin(f->db));
    assert_int_equal(lease_hold(f->db, &one), ERR_STATE);
    assert_int_equal(db_end(f->db, ERR_STATE), ERR_STATE);
    ok(lease_release(f->other, &two));
    ok(lease_take(f->db, &one));
    assert_true(one.epoch > two.epoch);
    ok(lease_release(f->db, &one));
}

static void
a_held_lease_is_not_taken_before_the_end_of_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct lease one = { "unit.held", "one", 10000, 0, NULL },
                 two = { "unit.held", "two", 10000, 0, NULL };

    ok(lease_take(f->db, &one));
    ok(db_exec_text(f->db, "UPDATE lease SET expires_ms = 0"
                           " WHERE name = 'unit.held'"));
    ok(db_begin(f->db));
    ok(lease_hold(f->db, &one));
    assert_int_equal(lease_take(f->other, &two), ERR_BUSY);
    add(f->db, 1, "under the lease");
    ok(db_end(f->db, ERR_OK));
    ok(lease_take(f->other, &two));
}

/* ---- the group ---- */

FIXTURE_GROUP(READ_S, LOCK_S)

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(columns_are_matched_by_name_and_null_is_absent),
        TEST(one_statement_serves_two_records),
        TEST(a_column_that_no_field_takes_is_a_mistake),
        TEST(a_number_wider_than_its_field_is_refused),
        TEST(an_unknown_enum_name_is_absent),
        TEST(nothing_found_is_not_found),
        TEST(a_change_of_nothing_still_matches),
        TEST(a_list_holds_all_rows_up_to_its_limit),
        TEST(each_row_is_visited_until_one_says_stop),
        TEST(streamed_rows_end_with_their_arena),
        TEST(a_secret_is_sealed_in_the_table_and_plain_in_the_record),
        TEST(a_secret_moved_to_another_row_or_column_does_not_open),
        TEST(a_secret_that_does_not_open_is_noted_where_there_is_a_place),
        TEST(a_secret_may_be_the_last_column),
        TEST(a_duplicate_key_names_its_index),
        TEST(values_that_do_not_fit_are_refused_not_cut),
        TEST(a_session_has_the_settings_that_the_design_names),
        TEST(a_read_is_one_round_trip),
        TEST(a_transaction_without_a_statement_sends_nothing),
        TEST(the_statement_cache_is_bounded),
        TEST(a_table_changed_underneath_is_noticed),
        TEST(an_error_rolls_back_and_ok_commits),
        TEST(who_watches_hears_of_a_commit_before_it_and_after),
        TEST(what_nobody_is_ready_for_is_run_again),
        TEST(what_nobody_watches_is_not_committed),
        TEST(a_snapshot_does_not_move),
        TEST(a_lock_that_is_not_obtained_ends_the_transaction),
        TEST(a_lock_that_is_not_obtained_between_rows_is_busy),
        TEST(a_deadlock_is_busy_for_one_and_nothing_of_it_stays),
        TEST(nothing_is_sent_or_committed_after_the_deadline),
        TEST(a_reply_is_not_waited_for_beyond_the_deadline),
        TEST(our_own_read_timeout_is_never_run_again),
        TEST(an_abandoned_write_does_not_happen_later),
        TEST(a_connection_lost_in_a_transaction_may_be_run_again),
        TEST(statements_are_prepared_again_after_a_reconnect),
        TEST(an_audit_row_takes_any_text_and_its_id_once),
        TEST(old_audit_rows_go_in_batches),
        TEST(audit_rows_are_counted_by_their_bytes),
        TEST(a_lease_has_one_holder_and_a_growing_epoch),
        TEST(a_held_lease_is_not_taken_before_the_end_of_the_transaction),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
