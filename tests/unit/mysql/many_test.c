/* One statement with the values of many rows, against a real server: what
 * arrives, what is counted, and how many leave together. */
#include "mysql/client.h"

/* Statements as the server counts packets of them. */
static int64_t
questions(struct my *my)
{
    char n[32];

    ok(my_value_of(my,
                   "SELECT VARIABLE_VALUE FROM information_schema"
                   ".SESSION_STATUS WHERE VARIABLE_NAME = 'QUESTIONS'",
                   n, sizeof(n)));
    return strtoll(n, NULL, 10);
}

static struct my_arg
integer(int64_t i)
{
    return (struct my_arg){ .type = MY_I64, .i = i };
}

static struct my_arg
text(const char *p)
{
    return p == NULL
               ? (struct my_arg){ .type = MY_NULL }
               : (struct my_arg){ .type = MY_STR, .p = p, .n = strlen(p) };
}

/* Values of every type, NULL in each place, and types that change from row to
 * row arrive as they would alone. */
static void
many_rows_arrive(void **state)
{
    const struct fixture *f = *state;
    const struct my_args rows[] = {
        MY_ARGS(integer(1), text("one"), { .type = MY_F64, .f = 0.5 }),
        MY_ARGS(integer(2), text(NULL), { .type = MY_F64, .f = -1e300 }),
        MY_ARGS(integer(3), text(""), { .type = MY_NULL }),
        MY_ARGS({ .type = MY_U64, .u = 4 }, text("vier"), { .type = MY_NULL }),
        MY_ARGS({ .type = MY_U64, .u = 5 }, text("\xc3\xbc"),
                { .type = MY_I64, .i = 7 }),
    };
    struct parts all;
    struct my_stmt *st;

    ok(my_exec_many(f->my, add_sql, rows, COUNT(rows)));
    assert_int_equal(my_matched(f->my), 5);
    ok(my_send(f->my, MY_SQL(all_sql), MY_NO_ARGS, &part_rec, &st));
    ok(my_fetch_all(f->my, st, f->a, 10, &all));
    assert_int_equal(all.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(all.v[i].id, i + 1);
    assert_string_equal(all.v[0].name, "one");
    assert_null(all.v[1].name);
    assert_string_equal(all.v[2].name, "");
    assert_string_equal(all.v[4].name, "\xc3\xbc");
    assert_true(all.v[0].f == 0.5 && all.v[1].f == -1e300);
    assert_false(HAS(&all.v[2], part, f) || HAS(&all.v[3], part, f));
    assert_true(all.v[4].f == 7);
}

/* Rows that are there already as they are told count as well; those that are
 * missing do not. The same statement serves one row afterwards. */
static void
many_rows_are_counted_as_they_match(void **state)
{
    const struct fixture *f = *state;
    const struct my_args add[] = {
        MY_ARGS(integer(1), text("a"), { .type = MY_F64, .f = 1 }),
        MY_ARGS(integer(2), text("b"), { .type = MY_F64, .f = 2 }),
        MY_ARGS(integer(3), text("c"), { .type = MY_F64, .f = 3 }),
    };
    const struct my_args set[] = {
        MY_ARGS({ .type = MY_F64, .f = 1 }, integer(1)),
        MY_ARGS({ .type = MY_F64, .f = 9 }, integer(2)),
        MY_ARGS({ .type = MY_F64, .f = 9 }, integer(17)),
        MY_ARGS({ .type = MY_F64, .f = 8 }, integer(2)),
    };
    int64_t before;

    ok(my_exec_many(f->my, add_sql, add, COUNT(add)));
    before = questions(f->my);
    ok(my_exec_many(f->my, set_sql, set, COUNT(set)));
    assert_int_equal(my_matched(f->my), 3);
    assert_int_equal(questions(f->my) - before, 2); /* with this one */
    ok(my_exec(f->my, set_sql, set[2]));
    assert_int_equal(my_matched(f->my), 0);
    ok(my_exec(f->my, set_sql, set[0]));
    assert_int_equal(my_matched(f->my), 1);
}

static void
one_of_many_that_fails_is_told(void **state)
{
    const struct fixture *f = *state;
    const struct my_args add[] = {
        MY_ARGS(integer(1), text("a"), { .type = MY_NULL }),
        MY_ARGS(integer(1), text("b"), { .type = MY_NULL }),
        MY_ARGS(integer(2), text("c"), { .type = MY_NULL }),
    };
    const struct my_args uneven[] = {
        MY_ARGS(integer(7), text("a"), { .type = MY_NULL }),
        MY_ARGS(integer(8), text("b")),
    };

    assert_int_equal(my_exec_many(f->my, add_sql, add, COUNT(add)), ERR_EXISTS);
    assert_string_equal(my_failure(f->my)->dup, "");
    assert_int_equal(my_exec_many(f->my, add_sql, uneven, COUNT(uneven)),
                     ERR_INTERNAL);
    ok(my_exec(f->my, add_sql, add[2]));
}

/* More than a packet holds leaves in several. */
static void
many_large_rows_leave_in_parts(void **state)
{
    const struct fixture *f = *state;
    enum { N = 40, BYTES = 200000 };
    char *p = malloc(BYTES + 1);
    struct my_arg v[N][2];
    struct my_args rows[N];
    char found[32];

    assert_non_null(p);
    memset(p, 'x', BYTES);
    p[BYTES] = '\0';
    ok(my_do(f->my, "CREATE TEMPORARY TABLE large (id BIGINT PRIMARY KEY,"
                    " name LONGTEXT)"));
    for (size_t i = 0; i < N; i++) {
        v[i][0] = integer((int64_t)i);
        v[i][1] = text(p);
        rows[i] = (struct my_args){ v[i], 2 };
    }
    ok(my_exec_many(f->my, "INSERT INTO large VALUES (?, ?)", rows, N));
    assert_int_equal(my_matched(f->my), N);
    ok(my_value_of(f->my, "SELECT SUM(LENGTH(name)) FROM large", found,
                   sizeof(found)));
    assert_int_equal(strtoll(found, NULL, 10), N * BYTES);
    free(p);
}

/* ---- how many leave together ---- */

static const char many_sql[] = "INSERT INTO many VALUES (?, ?, ?)";

static int
setup_many(void **state)
{
    struct fixture *f;

    if (setup(state) != 0)
        return -1;
    f = *state;
    return my_do(f->my, "CREATE TEMPORARY TABLE many (id BIGINT, f DOUBLE,"
                        " name LONGTEXT)") == ERR_OK
               ? 0
               : -1;
}

/* In how many packets n such rows arrive; all of them do. */
static int64_t
packets(struct fixture *f, const char *sql, const struct my_args *rows,
        size_t n)
{
    char found[32];
    uint64_t matched;
    int64_t before;

    ok(my_do(f->my, "DELETE FROM many"));
    before = questions(f->my);
    ok(my_exec_many(f->my, sql, rows, n));
    matched = my_matched(f->my);
    before = questions(f->my) - before - 1; /* that is one too */
    assert_int_equal(matched, n);
    ok(my_value_of(f->my, "SELECT COUNT(*) FROM many", found, sizeof(found)));
    assert_int_equal(strtoull(found, NULL, 10), n);
    return before;
}

enum { EIGHT = 8 };

/* Of eight rows, each of 36 bytes and its text, in packets of such a size. */
static int64_t
packets_of_eight(struct fixture *f, size_t text_n, size_t packet_bytes)
{
    char *p = malloc(text_n);
    struct my_arg v[EIGHT][3];
    struct my_args rows[EIGHT];
    size_t usual = f->my->packet_bytes;
    int64_t n;

    assert_non_null(p);
    memset(p, 'x', text_n);
    for (size_t i = 0; i < EIGHT; i++) {
        v[i][0] = integer((int64_t)i);
        v[i][1] = text(NULL);
        v[i][2] = (struct my_arg){ .type = MY_STR, .p = p, .n = text_n };
        rows[i] = (struct my_args){ v[i], 3 };
    }
    f->my->packet_bytes = packet_bytes;
    n = packets(f, many_sql, rows, EIGHT);
    f->my->packet_bytes = usual;
    free(p);
    return n;
}

static void
half_a_packet_is_filled_and_a_mebibyte_at_most(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(packets_of_eight(f, 89, 1000), 2); /* four and four */
    assert_int_equal(packets_of_eight(f, 90, 1000), 3); /* three, three, two */
    assert_int_equal(packets_of_eight(f, 89, 998), 3);
    assert_int_equal(packets_of_eight(f, 500, 1000), 8);
    assert_int_equal(packets_of_eight(f, 89, 0), 1); /* a size not known */
    assert_int_equal(packets_of_eight(f, (1 << 18) - 36, 1 << 25), 2);
    assert_int_equal(packets_of_eight(f, (1 << 18) - 35, 1 << 25), 3);
}

static void
a_column_of_a_packet_has_one_type(void **state)
{
    struct fixture *f = *state;
    const struct my_args rows[] = {
        MY_ARGS(integer(1), text(NULL), text("a")),
        MY_ARGS(integer(2), { .type = MY_F64, .f = 2 }, { .type = MY_NULL }),
        MY_ARGS(integer(3), { .type = MY_F64, .f = 3 }, integer(4)),
        MY_ARGS(integer(4), { .type = MY_F64, .f = 4 }, integer(5)),
        MY_ARGS(integer(5), text("5"), integer(6)),
    };
    char found[32];

    /* the first two, two with a number as their text, one with one as text */
    assert_int_equal(packets(f, many_sql, rows, COUNT(rows)), 3);
    ok(my_value_of(f->my,
                   "SELECT GROUP_CONCAT(id, '=', IFNULL(f, '-'),"
                   " IFNULL(name, '-') ORDER BY id SEPARATOR ' ') FROM many",
                   found, sizeof(found)));
    assert_string_equal(found, "1=-a 2=2- 3=34 4=45 5=56");
}

static void
a_packet_has_so_many_values(void **state)
{
    enum { MOST = 65536 };
    struct fixture *f = *state;
    struct my_args *rows = calloc(MOST + 1, sizeof(*rows));
    const struct my_arg one = integer(1);

    assert_non_null(rows);
    for (size_t i = 0; i <= MOST; i++)
        rows[i] = (struct my_args){ &one, 1 };
    assert_int_equal(packets(f, "INSERT INTO many (id) VALUES (?)", rows, MOST),
                     1);
    assert_int_equal(
        packets(f, "INSERT INTO many (id) VALUES (?)", rows, MOST + 1), 2);
    free(rows);
}

/* Nothing says how often it should be done. */
static void
rows_without_values_leave_one_by_one(void **state)
{
    struct fixture *f = *state;
    const struct my_args rows[3] = { { NULL, 0 } };

    assert_int_equal(
        packets(f, "INSERT INTO many (id) VALUES (1)", rows, COUNT(rows)), 3);
}

static void
a_server_that_takes_one_at_a_time_gets_them_so(void **state)
{
    struct fixture *f = *state;
    const struct my_args rows[] = {
        MY_ARGS(integer(1), text(NULL), text("a")),
        MY_ARGS(integer(2), text(NULL), text("b")),
        MY_ARGS(integer(3), text(NULL), text("c")),
    };

    f->my->bulk = false;
    assert_int_equal(packets(f, many_sql, rows, COUNT(rows)), 3);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define MANY(f) cmocka_unit_test_setup_teardown(f, setup_many, teardown)
    const struct CMUnitTest tests[] = {
        TEST(many_rows_arrive),
        TEST(many_rows_are_counted_as_they_match),
        TEST(one_of_many_that_fails_is_told),
        TEST(many_large_rows_leave_in_parts),
        MANY(half_a_packet_is_filled_and_a_mebibyte_at_most),
        MANY(a_column_of_a_packet_has_one_type),
        MANY(a_packet_has_so_many_values),
        MANY(rows_without_values_leave_one_by_one),
        MANY(a_server_that_takes_one_at_a_time_gets_them_so),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
