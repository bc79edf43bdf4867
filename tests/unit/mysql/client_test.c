/* The client against a real server: texts and tables of texts, prepared
 * statements, failures that are told and not acted upon, sessions. */
#include "mysql/client.h"

#include <time.h>

#include "clock.h"

#define HIDDEN(X, s)                    \
    X(s, I64, id, "id", COLUMN_ONLY, -) \
    X(s, STR, ak, "ak", COLUMN_ONLY | SECRET, -)
STRUCT(hidden, HIDDEN);
TABLE(hidden, HIDDEN);

static const char nap_sql[] = "SELECT SLEEP(60)";

static void
add(struct my *my, int64_t id, const char *name)
{
    ok(my_exec(my, add_sql,
               MY_ARGS({ .type = MY_I64, .i = id },
                       { .type = MY_STR, .p = name, .n = strlen(name) },
                       { .type = MY_NULL })));
}

/* ---- connections ---- */

static void
a_connection_knows_its_server(void **state)
{
    struct fixture *f = *state;
    char text[64];

    assert_true(my_is_connected(f->my));
    assert_true(my_version(f->my) > 50000);
    ok(my_value_of(f->my, "SELECT VERSION()", text, sizeof(text)));
    assert_non_null(strstr(text, my_version_text(f->my)));
    assert_int_equal(my_is_mariadb(f->my), strstr(text, "MariaDB") != NULL);
    ok(my_value_of(f->my, "SELECT CONNECTION_ID()", text, sizeof(text)));
    assert_int_equal(strtoull(text, NULL, 10), my_session(f->my)->id);
}

static void
a_handle_that_is_closed_ends_its_connection(void **state)
{
    const struct timespec nap = { 0, 10000000L };
    struct fixture *f = *state;
    struct my *other = my_open();
    int64_t until = clock_mono_ms() + 30000;
    char sql[96], n[8] = "";

    ok(my_connect(other, &server, 0));
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                   " WHERE ID = %llu",
                   my_session(other)->id);
    ok(my_value_of(f->my, sql, n, sizeof(n)));
    assert_string_equal(n, "1");
    my_close(other);
    while (strcmp(n, "0") != 0 && clock_mono_ms() < until) {
        (void)nanosleep(&nap, NULL);
        ok(my_value_of(f->my, sql, n, sizeof(n)));
    }
    assert_string_equal(n, "0");
}

static void
nothing_is_sent_without_a_connection(void **state)
{
    struct fixture *f = *state;

    my_hangup(f->my);
    assert_false(my_is_connected(f->my));
    assert_int_equal(my_do(f->my, "DO 1"), ERR_PEER);
    assert_int_equal(my_exec(f->my, set_sql, MY_NO_ARGS), ERR_PEER);
    assert_true((my_failure(f->my)->traits & (MY_LOST | MY_UNSENT)) ==
                (MY_LOST | MY_UNSENT));
    ok(my_connect(f->my, &server, 0));
    ok(my_do(f->my, "DO 1"));
}

static void
a_server_that_is_not_there_is_told(void **state)
{
    struct my_server nobody = server;
    struct fixture *f = *state;

    ok(my_address_parse("unix:/var/tmp/no/such", 21, &nobody.at));
    assert_int_equal(my_connect(f->my, &nobody, 0), ERR_PEER);
    assert_int_equal(my_failure(f->my)->code, 2002);
    assert_false(my_is_connected(f->my));
    nobody = server;
    nobody.user = "nobody-of-this-name";
    assert_int_equal(my_connect(f->my, &nobody, 0), ERR_DENIED);
    assert_true((my_failure(f->my)->traits & MY_NEXT) != 0);
}

/* ---- texts ---- */

static void
a_result_of_texts_is_found_by_row_and_column(void **state)
{
    struct fixture *f = *state;
    struct my_table t;

    add(f->my, 1, "one");
    add(f->my, 2, "");
    ok(my_query(f->my, f->a, all_sql, 10, &t));
    assert_int_equal(t.n, 2);
    assert_int_equal(t.n_columns, 3);
    assert_string_equal(my_cell(&t, 0, "name"), "one");
    assert_string_equal(my_cell(&t, 1, "name"), "");
    assert_string_equal(my_cell(&t, 1, "id"), "2");
    assert_null(my_cell(&t, 0, "f")); /* NULL */
    assert_null(my_cell(&t, 2, "id"));
    assert_null(my_cell(&t, 0, "none"));
    ok(my_query(f->my, f->a, "SHOW SLAVE STATUS", 10, &t));
    assert_int_equal(t.n, 0);
    ok(my_query(f->my, f->a, "DO 1", 10, &t)); /* has no result */
    assert_int_equal(t.n, 0);
}

static void
a_result_beyond_its_bound_ends_the_connection(void **state)
{
    static const char rows[] = "SELECT seq FROM seq_1_to_100000";
    struct fixture *f = *state;
    struct my_table t;

    ok(my_query(f->my, f->a, "SELECT seq FROM seq_1_to_100", 100, &t));
    assert_int_equal(t.n, 100);
    assert_string_equal(my_cell(&t, 99, "seq"), "100");
    assert_int_equal(my_query(f->my, f->a, rows, 100, &t), ERR_LIMIT);
    assert_int_equal(t.n, 0);
    assert_false(my_is_connected(f->my));
    ok(my_connect(f->my, &server, 0));
    assert_int_equal(my_query(f->my, f->a, rows, 100000, &t), ERR_LIMIT);
}

static void
a_result_that_breaks_off_is_a_failure_of_its_own(void **state)
{
    static const char sql[] = "SELECT 1 UNION ALL"
                              " SELECT (SELECT 2 UNION SELECT 3)";
    struct fixture *f = *state;
    struct my_table t = { .n = 9 };

    assert_int_not_equal(my_query(f->my, f->a, sql, 10, &t), ERR_OK);
    assert_int_equal(my_failure(f->my)->code, 1242); /* a row too many */
    assert_true((my_failure(f->my)->traits & (MY_LOST | MY_WRITES)) == 0);
    assert_int_equal(t.n, 0);
    ok(my_query(f->my, f->a, "SELECT 1", 10, &t));
    assert_int_equal(t.n, 1);
}

static void
a_text_is_one_statement(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(my_do(f->my, "DO 1; DO 2"), ERR_INTERNAL);
    assert_int_equal(my_failure(f->my)->code, 1064);
    assert_string_equal(my_failure(f->my)->sql, "DO 1; DO 2");
}

static void
quoted_texts_come_back_as_they_were(void **state)
{
    static const char *const modes[] = { "''", "'NO_BACKSLASH_ESCAPES'" };
    static const char nasty[] = "a'b\\'; DROP TABLE part -- \"\n\xc3\xa9";
    struct fixture *f = *state;
    char out[128], sql[256];

    for (size_t i = 0; i < COUNT(modes); i++) {
        (void)snprintf(sql, sizeof(sql), "SET sql_mode = %s", modes[i]);
        ok(my_do(f->my, sql));
        (void)snprintf(sql, sizeof(sql), "SELECT %s",
                       my_quote(f->my, f->a, nasty));
        ok(my_value_of(f->my, sql, out, sizeof(out)));
        assert_string_equal(out, nasty);
    }
}

static void
warnings_are_counted(void **state)
{
    struct fixture *f = *state;
    struct my_table t;

    ok(my_do(f->my, "SET sql_mode = ''"));
    ok(my_do(f->my, "INSERT INTO part (id, name) VALUES (1, REPEAT('x', 99))"));
    assert_int_equal(my_warnings(f->my), 1);
    ok(my_query(f->my, f->a, "SHOW WARNINGS", 10, &t));
    assert_string_equal(my_cell(&t, 0, "Code"), "1265");
    ok(my_do(f->my, "DO 1"));
    assert_int_equal(my_warnings(f->my), 0);
}

/* ---- prepared ---- */

static void
rows_are_fetched_into_records(void **state)
{
    struct fixture *f = *state;
    struct my_stmt *st;
    struct parts list;
    struct part p;

    for (int64_t i = 1; i <= 40; i++)
        add(f->my, i, arena_printf(f->a, "n%d", (int)i));
    ok(my_exec(
        f->my, set_sql,
        MY_ARGS({ .type = MY_F64, .f = 0.5 }, { .type = MY_I64, .i = 2 })));
    assert_int_equal(my_matched(f->my), 1);
    ok(my_send(f->my, MY_SQL(all_sql), MY_NO_ARGS, &part_rec, &st));
    assert_false(my_stmt_writes(st));
    ok(my_fetch(f->my, st, f->a, &p));
    assert_false(HAS(&p, part, f));
    ok(my_fetch(f->my, st, f->a, &p));
    assert_true(p.id == 2 && p.f > 0.4 && p.f < 0.6);
    my_finish(f->my, st); /* before the end */
    ok(my_send(f->my, MY_SQL(all_sql), MY_NO_ARGS, &part_rec, &st));
    ok(my_fetch_all(f->my, st, f->a, 40, &list));
    my_finish(f->my, st);
    assert_int_equal(list.n, 40);
    assert_int_equal(list.v[39].id, 40);
    ok(my_send(f->my, MY_SQL(all_sql), MY_NO_ARGS, &part_rec, &st));
    assert_int_equal(my_fetch_all(f->my, st, f->a, 39, &list), ERR_LIMIT);
    my_finish(f->my, st);
    assert_int_equal(list.n, 0);
}

static void
several_statements_leave_as_one(void **state)
{
    const struct my_parts p = {
        .sql = { "START TRANSACTION", add_sql, set_sql, "COMMIT" },
        .n = 4,
        .one = 1 << 2,
    };
    const struct my_args good = MY_ARGS(
                             { .type = MY_I64, .i = 1 }, { .type = MY_NULL },
                             { .type = MY_NULL }, { .type = MY_F64, .f = 1 },
                             { .type = MY_I64, .i = 1 }),
                         none = MY_ARGS(
                             { .type = MY_I64, .i = 2 }, { .type = MY_NULL },
                             { .type = MY_NULL }, { .type = MY_F64, .f = 1 },
                             { .type = MY_I64, .i = 9 });
    const struct my_parts reads = { .sql = { "START TRANSACTION", "COMMIT",
                                             "COMMIT" },
                                    .n = 3 },
                          late = { .sql = { "DO 1", "DO 2",
                                            "DELETE FROM part WHERE id = -?" },
                                   .n = 3 };
    struct fixture *f = *state;
    struct my_stmt *st;
    char n[8];

    if (!my_has_compounds(f->my))
        return;
    ok(my_send(f->my, &p, good, NULL, &st));
    assert_true(my_stmt_writes(st));
    ok(my_send(f->my, &late, MY_ARGS({ .type = MY_I64, .i = 1 }), NULL, &st));
    assert_true(my_stmt_writes(st)); /* as the third of them does */
    ok(my_send(f->my, &reads, MY_NO_ARGS, NULL, &st));
    assert_false(my_stmt_writes(st));
    assert_int_equal(my_send(f->my, &p, none, NULL, &st), ERR_PEER);
    assert_int_equal(my_failure(f->my)->code, 1644); /* SIGNAL */
    ok(my_do(f->my, "ROLLBACK"));
    ok(my_value_of(f->my, "SELECT COUNT(*) FROM part", n, sizeof(n)));
    assert_string_equal(n, "1");
}

/* Columns are those of the last of them. */
static void
rows_come_from_the_last_of_several(void **state)
{
    const struct my_parts p = { .sql = { "DO 1", all_sql }, .n = 2 };
    struct fixture *f = *state;
    struct my_stmt *st;
    struct part row;

    if (!my_has_compounds(f->my))
        return;
    add(f->my, 7, "seven");
    for (int i = 0; i < 2; i++) { /* prepared, and found again */
        ok(my_send(f->my, &p, MY_NO_ARGS, &part_rec, &st));
        ok(my_fetch(f->my, st, f->a, &row));
        assert_int_equal(row.id, 7);
        assert_string_equal(row.name, "seven");
        assert_int_equal(my_fetch(f->my, st, f->a, &row), ERR_NOT_FOUND);
        my_finish(f->my, st);
    }
    ok(my_do(f->my, "DO 1")); /* nothing of it is left */
}

static void
values_are_as_many_as_places(void **state)
{
    const struct my_arg v = { .type = MY_I64, .i = 1 };
    struct fixture *f = *state;

    assert_int_equal(my_exec(f->my, set_sql, MY_ARGS(v)), ERR_INTERNAL);
    assert_string_equal(my_failure(f->my)->text, "number of values");
    assert_true((my_failure(f->my)->traits & MY_UNSENT) != 0);
    assert_int_equal(my_exec(f->my, set_sql, MY_ARGS(v, v, v)), ERR_INTERNAL);
    assert_int_equal(my_exec(f->my, set_sql, MY_NO_ARGS), ERR_INTERNAL);
    ok(my_exec(f->my, set_sql, MY_ARGS(v, v)));
    assert_int_equal(my_matched(f->my), 0);
}

static void
prepared_statements_are_bounded(void **state)
{
    static char texts[2 * STMTS_MAX][32];
    struct fixture *f = *state;
    struct my_parts p = { .n = 5 };

    for (size_t i = 0; i < COUNT(texts); i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "DO %zu", i);
        ok(my_exec(f->my, texts[i], MY_NO_ARGS));
    }
    assert_int_equal(f->my->n_stmts, STMTS_MAX);
    for (unsigned bits = 0; my_has_compounds(f->my) && bits < 32; bits++) {
        for (unsigned i = 0; i < p.n; i++)
            p.sql[i] = texts[bits >> i & 1];
        for (p.one = 0; p.one < 3; p.one++)
            ok(my_prepare(f->my, &p));
    }
    assert_int_equal(f->my->n_compound, COMPOUND_MAX);
    assert_int_equal(f->my->n_stmts, STMTS_MAX);
}

static enum err
reverse(struct arena *a, const char *table, const char *row, const char *column,
        const char *sealed, const char **out)
{
    *out = arena_printf(a, "%s.%s of %s: %s", table, column, row, sealed);
    return ERR_OK;
}

static void
secrets_are_read_by_who_can_open_them(void **state)
{
    static const char sql[] = "SELECT p.id, p.name AS ak,"
                              " CONCAT('r', p.id) AS of_row"
                              " FROM part p";
    static const struct my_seal seal = { "of_row", "shut", reverse };
    struct fixture *f = *state;
    struct my_stmt *st;
    struct hidden h;

    ok(my_do(f->my, "INSERT INTO part VALUES (1, 'x', 7)"));
    assert_int_equal(my_send(f->my, MY_SQL(sql), MY_NO_ARGS, &hidden_rec, &st),
                     ERR_INTERNAL);
    my_seal(f->my, &seal);
    ok(my_send(f->my, MY_SQL(sql), MY_NO_ARGS, &hidden_rec, &st));
    ok(my_fetch(f->my, st, f->a, &h));
    assert_string_equal(h.ak, "part.name of r1: x");
    my_finish(f->my, st);
}

/* ---- failures ---- */

static void
what_the_server_would_not_take_at_once_is_not_sent(void **state)
{
    struct fixture *f = *state;
    char value[32];
    size_t n;
    char *big;

    ok(my_value_of(f->my, "SELECT @@max_allowed_packet", value, sizeof(value)));
    n = strtoul(value, NULL, 10);
    big = malloc(n + 1);
    assert_non_null(big);
    memset(big, 'x', n);
    big[n] = '\0';
    assert_int_equal(my_exec(f->my, add_sql,
                             MY_ARGS({ .type = MY_I64, .i = 1 },
                                     { .type = MY_STR, .p = big, .n = n },
                                     { .type = MY_NULL })),
                     ERR_LIMIT);
    assert_true((my_failure(f->my)->traits & MY_UNSENT) != 0);
    assert_int_equal(
        my_exec(f->my, "INSERT INTO part (id, f, name) VALUES (?, ?, ?)",
                MY_ARGS({ .type = MY_I64, .i = 1 }, { .type = MY_NULL },
                        { .type = MY_BYTES, .p = big, .n = n })),
        ERR_LIMIT);
    assert_true((my_failure(f->my)->traits & MY_UNSENT) != 0);
    /* whose mistake it is comes first */
    assert_int_equal(
        my_exec(f->my, add_sql, MY_ARGS({ .type = MY_STR, .p = big, .n = n })),
        ERR_INTERNAL);
    assert_int_equal(my_do(f->my, big), ERR_LIMIT);
    free(big);
    ok(my_do(f->my, "DO 1"));
}

static void
a_duplicate_names_its_index(void **state)
{
    struct fixture *f = *state;

    ok(my_do(f->my, "INSERT INTO part (id, name) VALUES (1, 'x')"));
    assert_int_equal(
        my_do(f->my, "INSERT INTO part (id, name) VALUES (2, 'x')"),
        ERR_EXISTS);
    assert_string_equal(my_failure(f->my)->dup, "part_name");
    assert_true((my_failure(f->my)->traits & MY_WRITES) != 0);
}

static void
nothing_is_sent_after_the_time_that_was_set(void **state)
{
    struct fixture *f = *state;

    my_until(f->my, clock_mono_ms());
    assert_int_equal(my_do(f->my, "DO 1"), ERR_TIMEOUT);
    assert_int_equal(my_exec(f->my, all_sql, MY_NO_ARGS), ERR_TIMEOUT);
    assert_int_equal(my_failure(f->my)->code, 0);
    my_until(f->my, 0);
    ok(my_do(f->my, "DO 1"));
}

/* The statement that was given up is ended from a connection anew. */
static void
a_statement_that_was_given_up_can_be_ended(void **state)
{
    static const char writes[] = "INSERT INTO part (id, f) SELECT 1, SLEEP(60)";
    struct fixture *f = *state;
    struct my_session old = *my_session(f->my);
    char n[8];

    my_until(f->my, clock_mono_ms() + 200);
    assert_int_equal(my_do(f->my, writes), ERR_PEER);
    assert_true(
        (my_failure(f->my)->traits & (MY_LOST | MY_TIMEOUT | MY_WRITES)) ==
        (MY_LOST | MY_TIMEOUT | MY_WRITES));
    my_until(f->my, 0);
    ok(my_connect(f->my, &server, 0));
    ok(my_session_end(f->my, &old, clock_mono_ms() + 30000));
    ok(my_session_end(f->my, &old, clock_mono_ms())); /* is gone */
    ok(my_value_of(f->my, "SELECT COUNT(*) FROM part", n, sizeof(n)));
    assert_string_equal(n, "0");
    old.server[0] = 'x';
    assert_int_equal(my_session_end(f->my, &old, 0), ERR_STATE);
}

static void
a_connection_that_was_ended_is_lost_and_not_by_us(void **state)
{
    struct fixture *f = *state;
    struct my *other = my_open();
    struct my_session old = *my_session(f->my);

    ok(my_connect(other, &server, 0));
    ok(my_session_end(other, &old, clock_mono_ms() + 30000));
    assert_int_equal(my_exec(f->my, nap_sql, MY_NO_ARGS), ERR_PEER);
    assert_true((my_failure(f->my)->traits & MY_LOST) != 0);
    assert_true((my_failure(f->my)->traits & (MY_TIMEOUT | MY_WRITES)) == 0);
    my_close(other);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_connection_knows_its_server),
        TEST(a_handle_that_is_closed_ends_its_connection),
        TEST(nothing_is_sent_without_a_connection),
        TEST(a_server_that_is_not_there_is_told),
        TEST(a_result_of_texts_is_found_by_row_and_column),
        TEST(a_result_beyond_its_bound_ends_the_connection),
        TEST(a_result_that_breaks_off_is_a_failure_of_its_own),
        TEST(a_text_is_one_statement),
        TEST(quoted_texts_come_back_as_they_were),
        TEST(warnings_are_counted),
        TEST(rows_are_fetched_into_records),
        TEST(several_statements_leave_as_one),
        TEST(rows_come_from_the_last_of_several),
        TEST(values_are_as_many_as_places),
        TEST(prepared_statements_are_bounded),
        TEST(secrets_are_read_by_who_can_open_them),
        TEST(what_the_server_would_not_take_at_once_is_not_sent),
        TEST(a_duplicate_names_its_index),
        TEST(nothing_is_sent_after_the_time_that_was_set),
        TEST(a_statement_that_was_given_up_can_be_ended),
        TEST(a_connection_that_was_ended_is_lost_and_not_by_us),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
