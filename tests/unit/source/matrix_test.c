/* Every type of column, with the values at its edges: what a source delivers
 * is what the server says that it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server.h"

#define VALUES_MAX 24
#define ROWS_MAX   32
#define TEXT_MAX   (8u << 20)

/* A column of that type, how its values are selected, and those values. */
static const struct kind {
    const char *type, *as;
    const char *value[VALUES_MAX];
} kinds[] = {
    { "TINYINT", "v", { "-128", "-1", "0", "127" } },
    { "TINYINT UNSIGNED", "v", { "0", "128", "255" } },
    { "BOOLEAN", "v", { "TRUE", "FALSE" } },
    { "SMALLINT", "v", { "-32768", "-1", "32767" } },
    { "SMALLINT UNSIGNED", "v", { "0", "32768", "65535" } },
    { "MEDIUMINT", "v", { "-8388608", "-1", "8388607" } },
    { "MEDIUMINT UNSIGNED", "v", { "0", "8388608", "16777215" } },
    { "INT", "v", { "-2147483648", "-4", "-1", "0", "2147483647" } },
    { "INT UNSIGNED", "v", { "0", "2147483648", "4294967292", "4294967295" } },
    { "INT(5) ZEROFILL", "v+0", { "7" } },
    { "BIGINT",
      "v",
      { "-9223372036854775808", "-1", "0", "9223372036854775807" } },
    { "BIGINT UNSIGNED",
      "v",
      { "0", "9223372036854775808", "18446744073709551615" } },
    { "FLOAT", "CAST(v AS DOUBLE)", { "0", "-1.5", "3.4e38", "1e-38", "0.1" } },
    { "DOUBLE", "v", { "0", "-1.5", "1.7e308", "2.3e-308", "0.1", "1e15" } },
    { "FLOAT(7,3)", "CAST(v AS DOUBLE)", { "1234.567" } },
    { "DOUBLE UNSIGNED", "v", { "12345678901234567" } },
    { "DECIMAL(65,30)",
      "v",
      { "-99999999999999999999999999999999999.999999999999999999999999999999",
        "0", "-0.000000000000000000000000000001", "1.5",
        "12345678901234567890123456789012345.6789" } },
    { "DECIMAL(20,6)", "v", { "-1234567890.123456", "-0.000001", "0" } },
    { "DECIMAL(10,2)", "v", { "-99999999.99", "0.05", "-0.05", "12.3" } },
    { "DECIMAL(9,0)", "v", { "-999999999", "7" } },
    { "DECIMAL(18,9)", "v", { "-123456789.987654321" } },
    { "DECIMAL(5,5)", "v", { "-0.12345", "0.00001" } },
    { "DECIMAL(1,0)", "v", { "-9", "0", "9" } },
    { "DECIMAL(10,3) UNSIGNED", "v", { "1234567.891" } },
    { "BIT(1)", "v+0", { "0", "1" } },
    { "BIT(17)", "v+0", { "0", "65536", "131071" } },
    { "BIT(64)", "v+0", { "0", "18446744073709551615" } },
    { "DATE",
      "v",
      { "'0000-00-00'", "'2020-00-00'", "'2020-02-29'", "'1000-01-01'",
        "'9999-12-31'" } },
    { "TIME",
      "v",
      { "'-838:59:59'", "'-00:00:01'", "'00:00:00'", "'838:59:59'",
        "'100:00:00'", "'-01:02:03'" } },
    { "TIME(1)", "v", { "'-01:02:03.4'", "'-00:00:00.1'", "'12:34:56.7'" } },
    { "TIME(2)", "v", { "'-01:02:03.45'", "'-838:59:59.99'" } },
    { "TIME(3)", "v", { "'-01:02:03.456'", "'-00:00:00.001'", "'1:1:1.5'" } },
    { "TIME(4)", "v", { "'-01:02:03.4567'", "'838:59:59.9999'" } },
    { "TIME(5)", "v", { "'-01:02:03.45678'" } },
    { "TIME(6)",
      "v",
      { "'-01:02:03.456789'", "'-00:00:00.000001'", "'00:00:00.000001'",
        "'838:59:59.999999'" } },
    { "DATETIME",
      "v",
      { "'0000-00-00 00:00:00'", "'2020-02-29 23:59:59'",
        "'9999-12-31 23:59:59'" } },
    { "DATETIME(1)", "v", { "'2001-02-03 04:05:06.7'" } },
    { "DATETIME(2)", "v", { "'2001-02-03 04:05:06.78'" } },
    { "DATETIME(3)", "v", { "'2001-02-03 04:05:06.789'", "0" } },
    { "DATETIME(4)", "v", { "'2001-02-03 04:05:06.7891'" } },
    { "DATETIME(5)", "v", { "'2001-02-03 04:05:06.78912'" } },
    { "DATETIME(6)",
      "v",
      { "'2001-02-03 04:05:06.000001'", "'9999-12-31 23:59:59.999999'", "0" } },
    { "TIMESTAMP NULL",
      "v",
      { "0", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'" } },
    { "TIMESTAMP(1) NULL", "v", { "'2001-02-03 04:05:06.7'" } },
    { "TIMESTAMP(3) NULL", "v", { "'2001-02-03 04:05:06.789'", "0" } },
    { "TIMESTAMP(6) NULL",
      "v",
      { "'2038-01-19 03:14:07.999999'", "'1970-01-01 00:00:01.000001'" } },
    { "YEAR", "v+0", { "0", "1901", "2155", "2026" } },
    { "CHAR(10)", "v", { "''", "'a'", "'a   '", "'日本語'", "'😀'" } },
    { "CHAR(255) CHARACTER SET utf8mb4",
      "v",
      { "REPEAT('日', 255)", "REPEAT('😀', 255)", "'x'", "''" } },
    { "CHAR(255) CHARACTER SET utf8mb3", "v", { "REPEAT('é', 255)", "'x'" } },
    { "CHAR(128) CHARACTER SET utf32", "v", { "REPEAT('é', 128)", "'x'" } },
    { "CHAR(10) CHARACTER SET latin1", "v", { "'é€ß'", "''" } },
    { "CHAR(10) CHARACTER SET gbk", "v", { "'你好'" } },
    { "CHAR(10) CHARACTER SET utf16", "v", { "'a你😀'" } },
    { "VARCHAR(0)", "v", { "''" } },
    { "VARCHAR(255) CHARACTER SET latin1", "v", { "''", "REPEAT('x', 255)" } },
    { "VARCHAR(256) CHARACTER SET latin1", "v", { "''", "REPEAT('x', 256)" } },
    { "VARCHAR(300)", "v", { "'a  '", "REPEAT('日', 300)", "'a\\0b'" } },
    { "VARCHAR(16000)", "v", { "REPEAT('日', 16000)" } },
    { "VARCHAR(20) CHARACTER SET cp1251", "v", { "'Привет'" } },
    { "VARCHAR(20) CHARACTER SET sjis", "v", { "'日本'" } },
    { "VARCHAR(20) COLLATE utf8mb4_uca1400_ai_ci", "v", { "'é'" } },
    { "VARCHAR(20) COLLATE latin1_nopad_bin", "v", { "'é '" } },
    { "BINARY(5)",
      "HEX(v)",
      { "''", "'a'", "x'0000'", "x'6100'", "x'6162636465'", "x'2020'",
        "x'ff'" } },
    { "BINARY(255)", "HEX(v)", { "''", "REPEAT(x'ff', 255)" } },
    { "VARBINARY(5)", "HEX(v)", { "''", "x'00'", "x'6100'", "x'ff20'" } },
    { "VARBINARY(500)", "HEX(v)", { "REPEAT(x'00ff', 250)" } },
    { "TINYTEXT", "v", { "''", "'日'" } },
    { "TEXT CHARACTER SET latin2", "v", { "'ąę'" } },
    { "MEDIUMTEXT", "v", { "REPEAT('日', 30000)" } },
    { "LONGTEXT", "v", { "REPEAT('日本', 500000)" } },
    { "TINYBLOB", "HEX(v)", { "''", "x'00ff'", "REPEAT(x'80', 255)" } },
    { "BLOB", "HEX(v)", { "x'c328a0'", "REPEAT(x'00', 65535)" } },
    { "MEDIUMBLOB", "HEX(v)", { "REPEAT(x'fe', 70000)" } },
    { "LONGBLOB", "HEX(v)", { "''", "REPEAT(x'41', 300000)" } },
    { "JSON", "v", { "'{\"a\": [1, 2.5, null]}'", "'[]'", "'\"é\"'" } },
    { "ENUM('a','ä','c')", "v+0", { "'a'", "'ä'", "3", "''" } },
    { "ENUM('x') CHARACTER SET latin1", "v+0", { "'x'", "0" } },
    { "SET('a','b','c')", "v+0", { "''", "'a'", "'a,c'", "7" } },
    { "SET('1','2','3','4','5','6','7','8','9')", "v+0", { "511", "256" } },
    { "GEOMETRY",
      "HEX(v)",
      { "POINT(1, -2)", "ST_GeomFromText('LINESTRING(0 0, 1 1)', 4326)",
        "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')" } },
    { "POINT", "HEX(v)", { "POINT(0.1, 1e300)" } },
    { "UUID",
      "HEX(v)",
      { "'01234567-89ab-1def-8123-456789abcdef'",
        "'00000000-0000-0000-0000-000000000000'" } },
    { "INET6", "HEX(v)", { "'::'", "'::1'", "'ffff::ff00'" } },
    { "INET4", "HEX(v)", { "'0.0.0.0'", "'255.255.255.0'" } },
    { "VARCHAR(1000) COMPRESSED", "v", { "''", "'a'", "REPEAT('日', 1000)" } },
    { "VARBINARY(200) COMPRESSED",
      "HEX(v)",
      { "''", "x'00'", "REPEAT(x'00', 200)" } },
    { "BLOB COMPRESSED", "HEX(v)", { "''", "x'80'", "REPEAT(x'00', 65000)" } },
    { "LONGTEXT COMPRESSED", "v", { "REPEAT('日本', 300000)" } },
    { "INT AS (id - 5) STORED", "v", { "DEFAULT" } },
    { "INT AS (id - 5) VIRTUAL", "v", { "DEFAULT" } },
    { "INT INVISIBLE DEFAULT -3", "v", { "DEFAULT", "8" } },
};

/* What the server has, and what has been delivered: a text for each row. */
static struct matrix {
    struct server sv;
    struct source *source;
    struct binlog_decoder *decoder;
    const char *until; /* the last GTID */
    struct {
        size_t n;
        char *text[ROWS_MAX];
    } want[COUNT(kinds)];
    size_t inserted[COUNT(kinds)], updated[COUNT(kinds)], deleted[COUNT(kinds)];
} m;

/* ---- what the server says ---- */

/* A value made of the key, which an UPDATE changes. */
static bool
is_made(size_t i)
{
    return strstr(kinds[i].type, " AS (") != NULL;
}

static void
make_table(size_t i)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "CREATE TABLE m%zu (id INT PRIMARY KEY, v %s)", i,
                   kinds[i].type);
    run_sql(&m.sv, sql);
}

static void
fill_table(size_t i)
{
    char sql[4096];
    size_t n = 0;

    for (; n < VALUES_MAX && kinds[i].value[n] != NULL; n++) {
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO m%zu (id, v) VALUES (%zu, %s)", i, n + 1,
                       kinds[i].value[n]);
        run_sql(&m.sv, sql);
    }
    if (!is_made(i)) {
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO m%zu (id, v) VALUES (%zu, NULL)", i, n + 1);
        run_sql(&m.sv, sql);
    }
}

static void
read_table(size_t i)
{
    char sql[512];
    struct my_table t;

    (void)snprintf(sql, sizeof(sql), "SELECT %s FROM m%zu ORDER BY id",
                   kinds[i].as, i);
    assert_int_equal(my_query(m.sv.my, m.sv.a, sql, ROWS_MAX, &t), ERR_OK);
    assert_true(t.n > 0);
    m.want[i].n = t.n;
    for (size_t k = 0; k < t.n; k++)
        m.want[i].text[k] = t.cell[k].p != NULL
                                ? strndup(t.cell[k].p, t.cell[k].n)
                                : strdup("NULL");
}

static void
change_table(size_t i)
{
    char sql[512];

    if (!is_made(i)) {
        (void)snprintf(sql, sizeof(sql), "UPDATE m%zu SET id = id + 100", i);
        run_sql(&m.sv, sql);
    }
    (void)snprintf(sql, sizeof(sql), "DELETE FROM m%zu ORDER BY id", i);
    run_sql(&m.sv, sql);
}

/* ---- what is delivered ---- */

static void
compare(size_t i, const struct binlog_rows *r, const struct binlog_value *v,
        size_t row)
{
    const struct binlog_column *col = &r->table->column[1];
    struct buf text = BUF_INIT(TEXT_MAX);
    const char *want;
    bool same;

    assert_true(row < m.want[i].n);
    want = m.want[i].text[row];
    put_text(m.decoder, col, &v[1], &text);
    same = strcmp(buf_text(&text), want) == 0 ||
           ((v[1].form == BINLOG_F32 || v[1].form == BINLOG_F64) &&
            strtod(want, NULL) == v[1].f);
    if (!same)
        fail_msg("%s, row %zu: %.200s instead of %.200s", kinds[i].type, row,
                 buf_text(&text), want);
    buf_free(&text);
}

static bool
wants(void *ctx, const char *schema, const char *table)
{
    (void)ctx;
    return table[0] == 'm' && strcmp(schema, m.sv.schema) == 0;
}

static enum err
take_begin(void *ctx, const struct source_txn *txn)
{
    (void)ctx;
    assert_true(txn->at_us > 0);
    return ERR_OK;
}

static enum err
take_rows(void *ctx, const struct binlog_rows *r)
{
    size_t i = strtoul(r->table->name + 1, NULL, 10);
    struct binlog_row row;
    enum err e = binlog_decode(m.decoder, r);

    (void)ctx;
    assert_int_equal(r->table->n, 2);
    assert_string_equal(r->table->column[1].name, "v");
    assert_int_equal(r->table->n_key, 1);
    assert_int_equal(r->table->key[0].column, 0);
    while (e == ERR_OK) {
        e = binlog_decode_next(m.decoder, &row);
        if (e != ERR_OK)
            break;
        if (r->kind == BINLOG_INSERT) {
            compare(i, r, row.after, m.inserted[i]++);
        } else if (r->kind == BINLOG_UPDATE) {
            compare(i, r, row.before, m.updated[i]);
            compare(i, r, row.after, m.updated[i]++);
        } else {
            compare(i, r, row.before, m.deleted[i]++);
        }
    }
    if (e != ERR_NOT_FOUND)
        fail_msg("%s: %s", kinds[i].type,
                 binlog_decoder_failure(m.decoder)->why);
    return ERR_OK;
}

static enum err
take_statement(void *ctx, const struct binlog_statement *st)
{
    (void)ctx;
    assert_non_null(st->sql);
    return ERR_OK;
}

static enum err
take_commit(void *ctx, const struct source_txn *txn)
{
    char gtid[BINLOG_GTID_MAX];

    (void)ctx;
    binlog_gtid_text(&txn->gtid, gtid);
    if (strcmp(gtid, m.until) == 0)
        source_stop(m.source);
    return ERR_OK;
}

/* A ROLLBACK of whoever uses the server meanwhile. */
static void
take_drop(void *ctx)
{
    (void)ctx;
}

static enum err
take_name(void *ctx, const char *name, size_t n)
{
    (void)ctx;
    (void)name;
    (void)n;
    return ERR_OK;
}

static enum err
take_xa(void *ctx, const struct binlog_xid *xid, bool is_commit)
{
    (void)ctx;
    (void)xid;
    (void)is_commit;
    return ERR_OK;
}

static const struct source_taker taker = {
    .wants = wants,
    .begin = take_begin,
    .rows = take_rows,
    .statement = take_statement,
    .commit = take_commit,
    .drop = take_drop,
    /* of whoever uses the server meanwhile */
    .dml = take_statement,
    .savepoint = take_name,
    .rollback_to = take_name,
    .xa = take_xa,
};

static void
read_from(const char *position)
{
    m.decoder = binlog_decoder_new(TEXT_MAX);
    m.until = value_of(&m.sv, "SELECT @@last_gtid");
    m.source = source_open(&m.sv.c, position, &taker, NULL);
    assert_non_null(m.source);
    if (source_run(m.source) != ERR_OK)
        fail_msg("%s", source_failure(m.source)->why);
    source_close(m.source);
    binlog_decoder_free(m.decoder);
}

static void
every_value_is_what_the_server_has(void **state)
{
    const char *position = present_position(&m.sv);

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        make_table(i);
        fill_table(i);
        read_table(i);
        change_table(i);
    }
    read_from(position);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (m.inserted[i] != m.want[i].n || m.deleted[i] != m.want[i].n ||
            m.updated[i] != (is_made(i) ? 0 : m.want[i].n))
            fail_msg("%s: %zu, %zu and %zu of %zu rows", kinds[i].type,
                     m.inserted[i], m.updated[i], m.deleted[i], m.want[i].n);
    }
}

/* The same, compressed, where a server writes that at all. */
static void
compressed_events_have_the_same_values(void **state)
{
    const char *position;

    (void)state;
    run_sql(&m.sv, "SET GLOBAL log_bin_compress_min_len = 10");
    run_sql(&m.sv, "SET GLOBAL log_bin_compress = 1");
    position = present_position(&m.sv);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        m.inserted[i] = m.updated[i] = m.deleted[i] = 0;
        fill_table(i);
        change_table(i);
    }
    run_sql(&m.sv, "SET GLOBAL log_bin_compress = 0");
    run_sql(&m.sv, "SET GLOBAL log_bin_compress_min_len = 256");
    read_from(position);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(m.deleted[i], m.want[i].n);
        for (size_t k = 0; k < m.want[i].n; k++)
            free(m.want[i].text[k]);
    }
}

static int
begin(void **state)
{
    (void)state;
    return server_begin(&m.sv);
}

static int
end(void **state)
{
    (void)state;
    return server_end(&m.sv);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_what_the_server_has),
        cmocka_unit_test(compressed_events_have_the_same_values),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
