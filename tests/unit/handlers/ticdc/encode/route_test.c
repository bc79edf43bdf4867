/* Partitions and topics: TiCDC's own vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_tables.h"
#include "ok.h"
#include "ticdc/encode/route.h"

#define TS UINT64_C(415508878783938562)

static struct encode_values *values;

static int
setup(void **state)
{
    (void)state;
    values = encode_values_new(NULL);
    return values == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    encode_values_free(values);
    return 0;
}

static struct encode_event
event(struct encode_table *t, enum binlog_kind kind,
      const struct binlog_value *before, const struct binlog_value *after)
{
    struct binlog_row row = { before, after };
    struct encode_event ev;

    assert_int_equal(encode_values_of(values, t, kind, &row, TS, &ev), ERR_OK);
    return ev;
}

static const struct made id[] = {
    { .name = "id", .type = BINLOG_LONG, .is_key = true }
};
static const struct made a[] = {
    { .name = "a", .type = BINLOG_LONG, .is_key = true }
};
static const struct made ab[] = {
    { .name = "a", .type = BINLOG_LONG, .is_key = true },
    { .name = "b", .type = BINLOG_LONG, .is_key = true },
};
static const struct binlog_value one[] = { I(1) }, two[] = { I(2) },
                                 eleven[] = { I(11), I(22) };

static void
partitions_are_those_of_ticdc(void **state)
{
    static const struct {
        const char *table;
        const struct made *columns;
        size_t n;
        const struct binlog_value *row;
        enum route_by by;
        uint32_t partitions, want;
    } rows[] = {
        { "t1", id, 1, one, ROUTE_TABLE, 3, 0 },
        { "t1", id, 1, one, ROUTE_TABLE, 4, 3 },
        { "t1", id, 1, one, ROUTE_TABLE, 16, 15 },
        { "t2", id, 1, one, ROUTE_TABLE, 16, 5 },
        { "t1", id, 1, one, ROUTE_INDEX, 3, 2 },
        { "t1", id, 1, one, ROUTE_INDEX, 16, 11 },
        { "t1", id, 1, two, ROUTE_INDEX, 3, 0 },
        { "t1", id, 1, two, ROUTE_INDEX, 16, 1 },
        { "t1", a, 1, eleven, ROUTE_INDEX, 16, 2 },
        { "t2", ab, 2, eleven, ROUTE_INDEX, 16, 5 },
        { "t1", id, 1, one, ROUTE_TS, 7, TS % 7 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct encode_table *t = made_encode_table(
            "test", rows[i].table, rows[i].columns, rows[i].n, NULL);
        struct encode_event ev = event(t, BINLOG_INSERT, NULL, rows[i].row);
        struct route r = { .by = rows[i].by };

        assert_int_equal(route_partition(&r, &ev, 0), 0); /* not known */
        assert_int_equal(route_partition(&r, &ev, rows[i].partitions),
                         rows[i].want);
        encode_table_free(t);
    }
}

static void
hashes_are_those_of_ticdc(void **state)
{
    struct encode_table *t = made_encode_table("test", "t1", id, 1, NULL);
    struct encode_event ev = event(t, BINLOG_DELETE, two, NULL);
    struct route by_table = { .by = ROUTE_TABLE };
    struct route by_key = { .by = ROUTE_INDEX };

    (void)state;
    assert_int_equal(route_hash(&by_table, &ev, ev.before), 1079797119);
    assert_int_equal(route_hash(&by_key, &ev, ev.before), 828224481);
    ev = event(t, BINLOG_UPDATE, two, one);
    assert_int_equal(route_hash(&by_key, &ev, ev.after), 2824135259);
    encode_table_free(t);
}

static void
the_order_of_columns_does_not_matter(void **state)
{
    static const char *const forth[] = { "a", "B" }, *const back[] = { "b",
                                                                       "a" };
    struct encode_table *t = made_encode_table("test", "t2", ab, 2, NULL);
    struct encode_event ev = event(t, BINLOG_INSERT, NULL, eleven);
    struct route x = { .by = ROUTE_COLUMNS, .n_columns = 2, .column = forth };
    struct route y = { .by = ROUTE_COLUMNS, .n_columns = 2, .column = back };
    struct route by_key = { .by = ROUTE_INDEX };

    (void)state;
    OK(route_check(&x, t, why));
    assert_int_equal(route_hash(&x, &ev, ev.after),
                     route_hash(&y, &ev, ev.after));
    assert_int_equal(route_hash(&x, &ev, ev.after),
                     route_hash(&by_key, &ev, ev.after));
    encode_table_free(t);
}

static void
what_a_dispatcher_asks_for_has_to_be_there(void **state)
{
    static const char *const none[] = { "a", "nope" };
    struct encode_table *t = made_encode_table("test", "t2", ab, 2, NULL);
    struct route r = { .by = ROUTE_INDEX, .index = "nope" };

    (void)state;
    assert_int_equal(route_check(&r, t, why), ERR_BAD_PARAM);
    r.index = "primary";
    OK(route_check(&r, t, why));
    r = (struct route){ .by = ROUTE_COLUMNS, .n_columns = 2, .column = none };
    assert_int_equal(route_check(&r, t, why), ERR_BAD_PARAM);
    encode_table_free(t);
}

static void
an_update_of_the_handle_is_split(void **state)
{
    static const struct binlog_value other[] = { I(11), I(23) };
    static const char *const b[] = { "b" };
    struct encode_table *t = made_encode_table("test", "t2", ab, 2, NULL);
    struct encode_table *plain = made_encode_table("test", "t2", a, 1, NULL);
    struct route by_table = { .by = ROUTE_TABLE };
    struct route by_b = { .by = ROUTE_COLUMNS, .n_columns = 1, .column = b };
    struct encode_event ev = event(t, BINLOG_UPDATE, eleven, other);

    (void)state;
    assert_true(route_splits(&by_table, &ev, 16));
    ev = event(t, BINLOG_UPDATE, eleven, eleven);
    assert_false(route_splits(&by_table, &ev, 16));
    assert_false(route_splits(&by_b, &ev, 16));
    /* another column may decide where it goes */
    t->n_handle = 1;
    ev = event(t, BINLOG_UPDATE, eleven, other);
    assert_false(route_splits(&by_table, &ev, 16));
    assert_true(route_splits(&by_b, &ev, 16));
    assert_false(route_splits(&by_b, &ev, 1));
    encode_table_free(t);
    encode_table_free(plain);
}

static void
words_are_dispatchers(void **state)
{
    bool known;

    (void)state;
    assert_int_equal(route_by_word("default", &known), ROUTE_TABLE);
    assert_int_equal(route_by_word("Index-Value", &known), ROUTE_INDEX);
    assert_int_equal(route_by_word("rowid", &known), ROUTE_INDEX);
    assert_int_equal(route_by_word("ts", &known), ROUTE_TS);
    assert_int_equal(route_by_word("columns", &known), ROUTE_COLUMNS);
    assert_true(known);
    assert_int_equal(route_by_word("random", &known), ROUTE_TABLE);
    assert_false(known);
}

static void
topics_have_what_brokers_take(void **state)
{
    static const struct {
        const char *expression, *schema, *table, *want;
    } rows[] = {
        { "plain", "s", "t", "plain" },
        { "{schema}", "s", "t", "s" },
        { "a.{schema}-{table}_b", "s1", "t.1", "a.s1-t.1_b" },
        { "{schema}_{table}", "s$x", "t\xc3\xa9y z", "s_x_t_y_z" },
        { "{schema}", ".", "t", "_" },
        { "{schema}", "..", "t", "__" },
    };
    char out[ROUTE_TOPIC_MAX], name[300];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        route_topic(rows[i].expression, rows[i].schema, rows[i].table, out);
        assert_string_equal(out, rows[i].want);
    }
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    route_topic("{schema}.{table}", name, name, out);
    assert_int_equal(strlen(out), 249);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_those_of_ticdc),
        cmocka_unit_test(hashes_are_those_of_ticdc),
        cmocka_unit_test(the_order_of_columns_does_not_matter),
        cmocka_unit_test(what_a_dispatcher_asks_for_has_to_be_there),
        cmocka_unit_test(an_update_of_the_handle_is_split),
        cmocka_unit_test(words_are_dispatchers),
        cmocka_unit_test(topics_have_what_brokers_take),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
