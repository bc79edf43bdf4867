/* The schemas that avro registers: names, defaults, what a column may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_tables.h"

#define put_field put_avro_field
#include "ticdc/encode/avro.c"
#undef put_field

static struct buf out = BUF_INIT(1 << 16);
static struct encoder plain;

static void
is(const char *want)
{
    assert_int_equal(buf_err(&out), ERR_OK);
    assert_string_equal(buf_text(&out), want);
    buf_reset(&out);
}

static void
named(const char *name, const char *want)
{
    put_name(&out, name);
    is(want);
}

static void
a_name_has_letters_digits_and_underscores(void **state)
{
    static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_";

    (void)state;
    for (int c = 1; c < 0x80; c++) {
        const char name[] = { 'x', (char)c, '\0' };
        const char want[] = { 'x', strchr(taken, c) != NULL ? (char)c : '_',
                              '\0' };

        named(name, want);
    }
    named("", "");
    named("0a", "_0a");
    named("9", "_9");
    named("a9", "a9");
    named("\xc3\xa4\xf0\x9f\x90\x98!z", "___z"); /* one for each character */
}

/* The field "c" of such a column. */
static void
field(unsigned code, bool is_nullable, const char *dflt, const char *want)
{
    static const struct binlog_column log = { .precision = 5, .scale = 2 };
    const struct encode_column c = { .name = "c",
                                     .code = code,
                                     .flags = is_nullable ? ENCODE_NULLABLE : 0,
                                     .default_value = dflt,
                                     .log = &log };

    put_avro_field(&plain, &out, &c);
    is(want);
}

#define NAME "\"name\":\"c\",\"type\":"
#define TYPE(type_, tidb_)                                                   \
    "{\"type\":\"" type_ "\",\"connect.parameters\":{\"tidb_type\":\"" tidb_ \
    "\"}}"

static void
a_default_is_told_where_it_is_a_value_of_the_type(void **state)
{
    (void)state;
    field(3, false, NULL, "{" NAME TYPE("int", "INT") "}");
    field(3, true, NULL,
          "{\"default\":null," NAME "[\"null\"," TYPE("int", "INT") "]}");
    field(3, false, "-7", "{\"default\":-7," NAME TYPE("int", "INT") "}");
    field(3, true, "7",
          "{\"default\":7," NAME "[" TYPE("int", "INT") ",\"null\"]}");
    field(3, false, "", "{" NAME TYPE("int", "INT") "}");
    field(3, false, "7x", "{" NAME TYPE("int", "INT") "}");
    field(3, false, "99999999999999999999", "{" NAME TYPE("int", "INT") "}");
    field(3, false, "8", "{\"default\":8," NAME TYPE("int", "INT") "}");
    field(8, false, "9", "{\"default\":9," NAME TYPE("long", "BIGINT") "}");
    field(4, false, "0.5", "{\"default\":0.5," NAME TYPE("float", "FLOAT") "}");
    field(5, false, "-2.25",
          "{\"default\":-2.25," NAME TYPE("double", "DOUBLE") "}");
    field(5, false, "", "{" NAME TYPE("double", "DOUBLE") "}");
    field(5, true, "x",
          "{\"default\":null," NAME "[\"null\"," TYPE("double", "DOUBLE") "]}");
    field(5, false, "1e999", "{" NAME TYPE("double", "DOUBLE") "}");
    field(10, false, "2020-02-29",
          "{\"default\":\"2020-02-29\"," NAME TYPE("string", "DATE") "}");
    field(10, true, "",
          "{\"default\":\"\"," NAME "[" TYPE("string", "DATE") ",\"null\"]}");
    field(246, false, "1", /* of bytes there is none */
          "{" NAME "{\"type\":\"bytes\",\"connect.parameters\":{\"tidb_type\":"
          "\"DECIMAL\"},\"logicalType\":\"decimal\",\"precision\":5,"
          "\"scale\":2}}");
}

static void
what_is_allowed_is_one_text(void **state)
{
    static const struct span members[] = {
        { "one", 3 }, { "t,w\\o", 5 }, { "", 0 }, { "three", 5 }
    };
    const struct encode_column c = { .member = members,
                                     .n_members = COUNT(members) };

    (void)state;
    put_allowed(&out, &c);
    is("\"allowed\":\"one,t\\\\,w\\\\\\\\o,,three\",");
}

static void
a_table_keeps_the_defaults_of_its_schema(void **state)
{
    static const struct made made[] = {
        { .name = "id", .type = BINLOG_LONG, .is_key = true },
        { .name = "n", .type = BINLOG_LONG },
        { .name = "m", .type = BINLOG_LONG, .is_nullable = true },
    };
    static const struct encode_schema_column columns[] = {
        { .name = "id", .type = "int(11)" },
        { .name = "n", .type = "int(11)", .default_value = "17" },
        { .name = "m",
          .type = "int(11)",
          .default_value = "",
          .is_nullable = true },
    };
    static const char *const id[] = { "id" };
    static const struct encode_index index = { "PRIMARY", true, true, 1, id };
    static const struct encode_schema schema = { COUNT(columns), 1, columns,
                                                 &index };
    struct encode_table *t =
        made_encode_table("s", "t", made, COUNT(made), &schema);

    (void)state;
    assert_null(t->column[0].default_value);
    assert_string_equal(t->column[1].default_value, "17");
    assert_string_equal(t->column[2].default_value, "");
    encode_table_free(t);
}

static enum err
registers(void *ctx, const char *subject, struct span schema, uint32_t *id)
{
    (void)ctx;
    (void)subject;
    (void)schema;
    *id = 1;
    return ERR_OK;
}

/* A row is deleted by a message that has its key alone. */
static void
without_a_key_no_row_is_deleted(void **state)
{
    static const struct encode_config config = {
        .protocol = ENCODE_AVRO,
        .message_bytes = 1 << 20,
        .batch = 1,
        .namespace = "default",
        .registers = registers,
    };
    static const enum binlog_kind kinds[] = { BINLOG_INSERT, BINLOG_UPDATE,
                                              BINLOG_DELETE };
    static const struct made made[] = { { .name = "n", .type = BINLOG_LONG } };
    static const struct binlog_value one[] = { I(1) };
    struct encode_table *t = made_encode_table("s", "t", made, 1, NULL);
    struct encode_values *values = encode_values_new(false);
    struct encoder *e = encoder_new(&config);

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct binlog_row row = { kinds[i] == BINLOG_INSERT ? NULL : one,
                                  kinds[i] == BINLOG_DELETE ? NULL : one };
        struct encode_piece piece;
        struct encode_event ev;

        assert_int_equal(encode_values_of(values, t, kinds[i], &row, 1, &ev),
                         ERR_OK);
        assert_int_equal(encoder_row(e, &ev, "topic", &piece),
                         kinds[i] == BINLOG_DELETE ? ERR_BAD_PARAM : ERR_OK);
    }
    encoder_free(e);
    encode_values_free(values);
    encode_table_free(t);
}

static void
members_stand_between_commas(void **state)
{
    static const struct span members[] = { { "a", 1 },
                                           { "bc", 2 },
                                           { "d", 1 } };
    struct binlog_column log = { .type = BINLOG_SET };
    const struct encode_column c = { .member = members,
                                     .n_members = COUNT(members),
                                     .log = &log };

    (void)state;
    buf_putc(&out, '>');
    encode_members(&out, &c, 0);
    is(">");
    encode_members(&out, &c, 7);
    is("a,bc,d");
    buf_putc(&out, '>');
    encode_members(&out, &c, 5);
    is(">a,d");
    encode_members(&out, &c, 2);
    is("bc");
    encode_members(&out, &c, 8); /* none has that bit */
    is("");
    log.type = BINLOG_ENUM;
    for (uint64_t v = 0; v < 5; v++) {
        encode_members(&out, &c, v);
        is(v == 1 ? "a" : v == 2 ? "bc" : v == 3 ? "d" : "");
    }
}

static int
done(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_letters_digits_and_underscores),
        cmocka_unit_test(a_default_is_told_where_it_is_a_value_of_the_type),
        cmocka_unit_test(what_is_allowed_is_one_text),
        cmocka_unit_test(a_table_keeps_the_defaults_of_its_schema),
        cmocka_unit_test(without_a_key_no_row_is_deleted),
        cmocka_unit_test(members_stand_between_commas),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
