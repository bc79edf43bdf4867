/* Messages, byte by byte: the worked examples of the documents, and values at
 * the edges of each type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "hex.h"
#include "made_tables.h"
#include "ticdc/encode/encode_int.h"

#define TS     UINT64_C(415508878783938562)
#define BUILT  INT64_C(1585040584000)
#define DDL_TS UINT64_C(415508856908021766)

static const struct made t1[] = {
    { .name = "id", .type = BINLOG_LONG, .is_key = true },
    { .name = "val",
      .type = BINLOG_VARCHAR,
      META("\x40\0"),
      .collation = UTF8MB4,
      .is_nullable = true },
};
static const struct binlog_value aa[] = { I(1), B("aa") };
static const struct binlog_value bb[] = { I(1), B("bb") };

static int64_t
built_at(void)
{
    return BUILT;
}

static struct encode_config config;

static uint32_t next_id;
static char registered[4][8192], subjects[4][300];

static enum err
registers(void *ctx, const char *subject, struct span schema, uint32_t *id)
{
    (void)ctx;
    (void)snprintf(subjects[next_id % 4], sizeof(subjects[0]), "%s", subject);
    (void)snprintf(registered[next_id % 4], sizeof(registered[0]), "%.*s",
                   (int)schema.n, schema.p);
    *id = 6 + next_id++;
    return ERR_OK;
}

static int
setup(void **state)
{
    (void)state;
    next_id = 0;
    config = (struct encode_config){
        .message_bytes = 1 << 20,
        .batch = 16,
        .namespace = "default",
        .registers = registers,
        .now_ms = built_at,
    };
    return 0;
}

/* ---- one event, one message ---- */

struct wanted {
    enum binlog_kind kind;
    const struct binlog_value *before, *after;
};
static const struct wanted insert = { BINLOG_INSERT, NULL, aa };
static const struct wanted update = { BINLOG_UPDATE, aa, bb };
static const struct wanted delete = { BINLOG_DELETE, bb, NULL };

static struct encoder *encoder;
static struct encode_batch batch;

static struct encode_piece
message_of(enum encode_protocol p, struct encode_table *t,
           const struct wanted *w, bool only_handle, const char *claim)
{
    struct encode_values *values = encode_values_new(NULL);
    struct binlog_row row = { w->before, w->after };
    struct encode_piece piece, out;
    struct encode_event ev;

    config.protocol = p;
    encoder = encoder_new(&config);
    assert_int_equal(encode_values_of(values, t, w->kind, &row, TS, &ev),
                     ERR_OK);
    ev.only_handle = only_handle;
    ev.claim = claim;
    assert_int_equal(encoder_row(encoder, &ev, "the.topic", &piece), ERR_OK);
    encode_batch_init(&batch);
    assert_true(encode_batch_fits(encoder, &batch, &piece));
    assert_int_equal(encode_batch_add(encoder, &batch, &piece), ERR_OK);
    out = encode_batch_message(encoder, &batch);
    encode_values_free(values);
    return out;
}

static void
done(void)
{
    encode_batch_free(&batch);
    encoder_free(encoder);
}

static void
is_text(struct span s, const char *want)
{
    if (s.n != strlen(want) || memcmp(s.p, want, s.n) != 0)
        fail_msg("%.*s\ninstead of\n%s", (int)s.n, s.p, want);
}

static void
is_hex(struct span s, const char *want)
{
    char got[8192];

    assert_true(s.n * 2 < sizeof(got));
    hex_write(s.p, s.n, got);
    assert_string_equal(got, want);
}

/* A message of one event in a protocol of texts. */
static void
says(enum encode_protocol p, struct encode_table *t, const struct wanted *w,
     const char *value)
{
    is_text(message_of(p, t, w, false, NULL).value, value);
    done();
}

static struct encode_table *
the_table(void)
{
    return made_encode_table("test", "t1", t1, COUNT(t1), NULL);
}

/* ---- canal-json ---- */

#define HEAD(type)                                                           \
    "{\"id\":0,\"database\":\"test\",\"table\":\"t1\",\"pkNames\":[\"id\"]," \
    "\"isDdl\":false,\"type\":\"" type "\",\"es\":1585040583740,"            \
    "\"ts\":1585040584000,\"sql\":\"\",\"sqlType\":{\"id\":4,\"val\":12},"   \
    "\"mysqlType\":{\"id\":\"int\",\"val\":\"varchar\"},"
#define TIDB ",\"_tidb\":{\"commitTs\":415508878783938562}}"

static void
canal_json_is_as_in_the_documents(void **state)
{
    struct encode_table *t = the_table();

    (void)state;
    config.tidb_extension = true;
    says(ENCODE_CANAL_JSON, t, &insert,
         HEAD("INSERT") "\"old\":null,\"data\":[{\"id\":\"1\",\"val\":\"aa\"}"
                        "]" TIDB);
    says(ENCODE_CANAL_JSON, t, &update,
         HEAD("UPDATE") "\"old\":[{\"id\":\"1\",\"val\":\"aa\"}],"
                        "\"data\":[{\"id\":\"1\",\"val\":\"bb\"}]" TIDB);
    says(ENCODE_CANAL_JSON, t, &delete,
         HEAD("DELETE") "\"old\":null,\"data\":[{\"id\":\"1\",\"val\":\"bb\"}"
                        "]" TIDB);
    config.tidb_extension = false;
    config.only_updated = true;
    says(ENCODE_CANAL_JSON, t, &update,
         HEAD("UPDATE") "\"old\":[{\"val\":\"aa\"}],"
                        "\"data\":[{\"id\":\"1\",\"val\":\"bb\"}]}");
    encode_table_free(t);
}

static void
canal_json_has_no_key_and_says_what_is_too_large(void **state)
{
    static const char claim[] =
        ",\"claimCheckLocation\":\"file:///a/b.json\"}}";
    struct encode_table *t = the_table();
    struct encode_piece m;

    (void)state;
    config.tidb_extension = true;
    m = message_of(ENCODE_CANAL_JSON, t, &insert, true, NULL);
    assert_int_equal(m.key.n, 0);
    is_text(m.value,
            "{\"id\":0,\"database\":\"test\",\"table\":\"t1\",\"pkNames\":"
            "[\"id\"],\"isDdl\":false,\"type\":\"INSERT\","
            "\"es\":1585040583740,\"ts\":1585040584000,\"sql\":\"\","
            "\"sqlType\":{\"id\":4},\"mysqlType\":{\"id\":\"int\"},"
            "\"old\":null,\"data\":[{\"id\":\"1\"}],\"_tidb\":{\"commitTs\":"
            "415508878783938562,\"onlyHandleKey\":true}}");
    done();
    m = message_of(ENCODE_CANAL_JSON, t, &insert, true, "file:///a/b.json");
    assert_non_null(memmem(m.value.p, m.value.n, claim, strlen(claim)));
    done();
    encode_table_free(t);
}

static const char create_sql[] =
    "CREATE TABLE test.t1(id int primary key, val varchar(16))";
static const struct encode_ddl create_t1 = {
    .schema = "test",
    .table = "t1",
    .sql = create_sql,
    .action = ACTION_CREATE_TABLE,
    .commit_ts = DDL_TS,
};

static void
canal_json_has_statements_and_watermarks(void **state)
{
    struct encode_piece m;

    (void)state;
    config.protocol = ENCODE_CANAL_JSON;
    encoder = encoder_new(&config);
    assert_int_equal(encoder_watermark(encoder, TS, &m), ERR_NOT_FOUND);
    assert_false(encoder_broadcasts(encoder));
    encoder_free(encoder);
    config.tidb_extension = true;
    encoder = encoder_new(&config);
    assert_int_equal(encoder_ddl(encoder, &create_t1, &m), ERR_OK);
    is_text(m.value,
            "{\"id\":0,\"database\":\"test\",\"table\":\"t1\",\"pkNames\":null,"
            "\"isDdl\":true,\"type\":\"CREATE\",\"es\":1585040500290,"
            "\"ts\":1585040584000,\"sql\":\"CREATE TABLE test.t1(id int "
            "primary key, val varchar(16))\",\"sqlType\":null,\"mysqlType\":"
            "null,\"data\":null,\"old\":null,\"_tidb\":{\"commitTs\":"
            "415508856908021766}}");
    assert_int_equal(encoder_watermark(encoder, TS, &m), ERR_OK);
    is_text(m.value,
            "{\"id\":0,\"database\":\"\",\"table\":\"\",\"pkNames\":null,"
            "\"isDdl\":false,\"type\":\"TIDB_WATERMARK\",\"es\":1585040583740,"
            "\"ts\":1585040584000,\"sql\":\"\",\"sqlType\":null,\"mysqlType\":"
            "null,\"data\":null,\"old\":null,\"_tidb\":{\"watermarkTs\":"
            "415508878783938562}}");
    encoder_free(encoder);
}

/* ---- open-protocol ---- */

static void
open_protocol_is_as_in_the_documents(void **state)
{
    static const char id[] =
        "\"id\":{\"t\":3,\"h\":true,\"f\":11,\"v\":1},\"val\":{\"t\":15,"
        "\"f\":64,\"v\":";
    struct encode_table *t = the_table();
    struct encode_piece m = message_of(ENCODE_OPEN, t, &insert, false, NULL);
    char want[512];

    (void)state;
    assert_memory_equal(m.key.p, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x37", 16);
    is_text((struct span){ m.key.p + 16, m.key.n - 16 },
            "{\"ts\":415508878783938562,\"scm\":\"test\",\"tbl\":\"t1\","
            "\"t\":1}");
    assert_memory_equal(m.value.p, "\0\0\0\0\0\0\0\x49", 8);
    is_text((struct span){ m.value.p + 8, m.value.n - 8 },
            "{\"u\":{\"id\":{\"t\":3,\"h\":true,\"f\":11,\"v\":1},\"val\":{"
            "\"t\":15,\"f\":64,\"v\":\"aa\"}}}");
    done();
    m = message_of(ENCODE_OPEN, t, &update, false, NULL);
    (void)snprintf(want, sizeof(want), "{\"u\":{%s\"bb\"}},\"p\":{%s\"aa\"}}}",
                   id, id);
    is_text((struct span){ m.value.p + 8, m.value.n - 8 }, want);
    done();
    m = message_of(ENCODE_OPEN, t, &delete, false, NULL);
    (void)snprintf(want, sizeof(want), "{\"d\":{%s\"bb\"}}}", id);
    is_text((struct span){ m.value.p + 8, m.value.n - 8 }, want);
    done();
    config.delete_only_handle = true;
    m = message_of(ENCODE_OPEN, t, &delete, false, NULL);
    is_text((struct span){ m.value.p + 8, m.value.n - 8 },
            "{\"d\":{\"id\":{\"t\":3,\"h\":true,\"f\":11,\"v\":1}}}");
    is_text((struct span){ m.key.p + 16, m.key.n - 16 },
            "{\"ts\":415508878783938562,\"scm\":\"test\",\"tbl\":\"t1\","
            "\"t\":1,\"ohk\":true}");
    done();
    encode_table_free(t);
}

static void
open_protocol_has_statements_and_watermarks(void **state)
{
    struct encode_piece m;

    (void)state;
    config.protocol = ENCODE_OPEN;
    encoder = encoder_new(&config);
    assert_true(encoder_broadcasts(encoder));
    assert_int_equal(encoder_ddl(encoder, &create_t1, &m), ERR_OK);
    is_text((struct span){ m.key.p + 16, m.key.n - 16 },
            "{\"ts\":415508856908021766,\"scm\":\"test\",\"tbl\":\"t1\","
            "\"t\":2}");
    is_text((struct span){ m.value.p + 8, m.value.n - 8 },
            "{\"q\":\"CREATE TABLE test.t1(id int primary key, val "
            "varchar(16))\",\"t\":3}");
    assert_int_equal(encoder_watermark(encoder, TS, &m), ERR_OK);
    assert_memory_equal(m.key.p, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x1f", 16);
    is_text((struct span){ m.key.p + 16, m.key.n - 16 },
            "{\"ts\":415508878783938562,\"t\":3}");
    is_hex(m.value, "0000000000000000");
    encoder_free(encoder);
}

static void
a_message_has_as_many_events_as_it_may(void **state)
{
    struct encode_values *values = encode_values_new(NULL);
    struct encode_table *t = the_table();
    struct binlog_row row = { NULL, aa };
    struct encode_piece p, m;
    struct encode_event ev;
    size_t n = 0, one;

    (void)state;
    config.protocol = ENCODE_OPEN;
    config.message_bytes = 1000;
    encoder = encoder_new(&config);
    encode_batch_init(&batch);
    assert_int_equal(encode_values_of(values, t, BINLOG_INSERT, &row, TS, &ev),
                     ERR_OK);
    assert_int_equal(encoder_row(encoder, &ev, "t", &p), ERR_OK);
    one = p.key.n + p.value.n + 16;
    for (; encode_batch_fits(encoder, &batch, &p); n++)
        assert_int_equal(encode_batch_add(encoder, &batch, &p), ERR_OK);
    m = encode_batch_message(encoder, &batch);
    assert_int_equal(n, (1000 - 36 - 8) / one);
    assert_int_equal(m.key.n + m.value.n, 8 + n * one);
    assert_memory_equal(m.key.p + 8 + 8 + 55, "\0\0\0\0\0\0\0\x37{\"ts\"", 13);
    encode_batch_reset(&batch);
    encoder->c.message_bytes = 36 + 8 + one;
    assert_true(encode_piece_fits(encoder, &p));
    encoder->c.message_bytes--;
    assert_false(encode_piece_fits(encoder, &p));
    encoder->c.message_bytes = 1 << 20;
    for (n = 0; encode_batch_fits(encoder, &batch, &p); n++)
        assert_int_equal(encode_batch_add(encoder, &batch, &p), ERR_OK);
    assert_int_equal(n, 16);
    done();
    encode_values_free(values);
    encode_table_free(t);
}

/* ---- maxwell ---- */

static void
maxwell_is_as_in_the_documents(void **state)
{
    struct encode_table *t = the_table();
    struct encode_piece m;

    (void)state;
    m = message_of(ENCODE_MAXWELL, t, &insert, false, NULL);
    is_hex(m.key, "0000000000000001");
    is_text(m.value,
            "{\"database\":\"test\",\"table\":\"t1\",\"type\":\"insert\","
            "\"ts\":1585040583,\"data\":{\"id\":1,\"val\":\"aa\"}}");
    done();
    says(ENCODE_MAXWELL, t, &update,
         "{\"database\":\"test\",\"table\":\"t1\",\"type\":\"update\","
         "\"ts\":1585040583,\"data\":{\"id\":1,\"val\":\"bb\"},"
         "\"old\":{\"val\":\"aa\"}}");
    says(ENCODE_MAXWELL, t, &delete,
         "{\"database\":\"test\",\"table\":\"t1\",\"type\":\"delete\","
         "\"ts\":1585040583,\"old\":{\"id\":1,\"val\":\"bb\"}}");
    config.maxwell_data = true;
    says(ENCODE_MAXWELL, t, &delete,
         "{\"database\":\"test\",\"table\":\"t1\",\"type\":\"delete\","
         "\"ts\":1585040583,\"data\":{\"id\":1,\"val\":\"bb\"}}");
    encode_table_free(t);
}

static void
maxwell_has_statements(void **state)
{
    struct encode_table *t = the_table();
    struct encode_ddl d = create_t1;
    struct encode_piece m;

    (void)state;
    config.protocol = ENCODE_MAXWELL;
    encoder = encoder_new(&config);
    d.after = t;
    assert_int_equal(encoder_ddl(encoder, &d, &m), ERR_OK);
    is_text(m.key, "{\"ts\":415508856908021766,\"scm\":\"test\",\"tbl\":\"t1\","
                   "\"t\":2}");
    is_text(m.value,
            "{\"type\":\"table-create\",\"database\":\"test\",\"table\":\"t1\","
            "\"old\":{\"database\":\"\",\"table\":\"\",\"columns\":null,"
            "\"primary-key\":null},\"def\":{\"database\":\"test\",\"table\":"
            "\"t1\",\"columns\":[{\"type\":\"int\",\"name\":\"id\"},{\"type\":"
            "\"string\",\"name\":\"val\"}],\"primary-key\":null},\"ts\":"
            "415508856908021766,\"sql\":\"CREATE TABLE test.t1(id int primary "
            "key, val varchar(16))\"}");
    assert_int_equal(encoder_watermark(encoder, TS, &m), ERR_NOT_FOUND);
    encoder_free(encoder);
    encode_table_free(t);
}

/* ---- canal ---- */

static void
canal_is_as_in_the_documents(void **state)
{
    struct encode_table *t = the_table();
    struct encode_piece m;

    (void)state;
    m = message_of(ENCODE_CANAL, t, &insert, false, NULL);
    assert_int_equal(m.key.n, 0);
    is_hex(
        m.value,
        "100118072a6c126a0a2e08012a055554462d3830bcd89fde902e3802420474657374"
        "4a0274315801620e0a09726f7773436f756e74120131"
        "10021a36100150006230121410041a026964200128013000420131520369"
        "6e741218100c1a0376616c2801300042026161520776617263686172");
    done();
    encode_table_free(t);
}

/* ---- avro ---- */

static void
avro_is_as_in_the_documents(void **state)
{
    struct encode_table *t = the_table();
    struct encode_piece m;

    (void)state;
    m = message_of(ENCODE_AVRO, t, &insert, false, NULL);
    is_hex(m.key, "000000000602");
    is_hex(m.value, "00000000070202046161");
    done();
    assert_string_equal(subjects[0], "the_topic-key");
    assert_string_equal(subjects[1], "the_topic-value");
    assert_string_equal(
        registered[0],
        "{\"type\":\"record\",\"name\":\"t1\",\"namespace\":\"default.test\","
        "\"fields\":[{\"name\":\"id\",\"type\":{\"type\":\"int\","
        "\"connect.parameters\":{\"tidb_type\":\"INT\"}}}]}");
    assert_string_equal(
        registered[1],
        "{\"type\":\"record\",\"name\":\"t1\",\"namespace\":\"default.test\","
        "\"fields\":[{\"name\":\"id\",\"type\":{\"type\":\"int\","
        "\"connect.parameters\":{\"tidb_type\":\"INT\"}}},{\"default\":null,"
        "\"name\":\"val\",\"type\":[\"null\",{\"type\":\"string\","
        "\"connect.parameters\":{\"tidb_type\":\"TEXT\"}}]}]}");
    m = message_of(ENCODE_AVRO, t, &delete, false, NULL);
    assert_true(m.no_value);
    is_hex(m.key, "000000000602");
    done();
    assert_int_equal(next_id, 2); /* registered once */
    encode_table_free(t);
}

/* ---- types ---- */

static const struct made many[] = {
    { .name = "ti", .type = BINLOG_TINY, .is_unsigned = true },
    { .name = "si", .type = BINLOG_SHORT, .is_unsigned = true },
    { .name = "mi", .type = BINLOG_INT24, .is_unsigned = true },
    { .name = "i", .type = BINLOG_LONG, .is_unsigned = true },
    { .name = "bi",
      .type = BINLOG_LONGLONG,
      .is_unsigned = true,
      .is_key = true },
    { .name = "f", .type = BINLOG_FLOAT, META("\4") },
    { .name = "d", .type = BINLOG_DOUBLE, META("\10"), .is_nullable = true },
    { .name = "dec", .type = BINLOG_DECIMAL, META("\12\2") },
    { .name = "bits", .type = BINLOG_BIT, META("\1\2") },
    { .name = "vb",
      .type = BINLOG_VARCHAR,
      META("\x20\0"),
      .collation = BINLOG_BINARY },
    { .name = "tx", .type = BINLOG_BLOB, META("\2"), .collation = UTF8MB4 },
    { .name = "l1",
      .type = BINLOG_VARCHAR,
      META("\x20\0"),
      .collation = LATIN1 },
    { .name = "en",
      .type = BINLOG_ENUM,
      META("\1"),
      .collation = UTF8MB4,
      .member = { "x", "y,z" } },
    { .name = "se",
      .type = BINLOG_SET,
      META("\1"),
      .collation = UTF8MB4,
      .member = { "p", "q" } },
    { .name = "ts", .type = BINLOG_TIMESTAMP, META("\3") },
    { .name = "y", .type = BINLOG_YEAR },
};
static const struct binlog_value many_values[] = {
    U(255),
    U(65535),
    U(16777215),
    U(4294967295),
    U(UINT64_MAX),
    F4((double)0.1f),
    F(1e21),
    T("-12345678.90"),
    U(0x1ff),
    B("\x89PNG\r\n\xff\"<"),
    B("<a&b>\xe2\x80\xa8"),
    B("caf\xe9"),
    U(2),
    U(3),
    { .form = BINLOG_STAMP, .i = INT64_C(1585040583740000) },
    U(2024),
};
static const struct wanted many_insert = { BINLOG_INSERT, NULL, many_values };

static void
every_type_has_its_form_in_canal_json(void **state)
{
    struct encode_table *t =
        made_encode_table("test", "t1", many, COUNT(many), NULL);

    (void)state;
    says(ENCODE_CANAL_JSON, t, &many_insert,
         "{\"id\":0,\"database\":\"test\",\"table\":\"t1\",\"pkNames\":[\"bi\"]"
         ",\"isDdl\":false,\"type\":\"INSERT\",\"es\":1585040583740,"
         "\"ts\":1585040584000,\"sql\":\"\",\"sqlType\":{\"ti\":5,\"si\":4,"
         "\"mi\":4,\"i\":-5,\"bi\":3,\"f\":7,\"d\":8,\"dec\":3,\"bits\":-7,"
         "\"vb\":2004,\"tx\":2005,\"l1\":12,\"en\":4,\"se\":-7,\"ts\":93,"
         "\"y\":12},\"mysqlType\":{\"ti\":\"tinyint unsigned\",\"si\":"
         "\"smallint unsigned\",\"mi\":\"mediumint unsigned\",\"i\":"
         "\"int unsigned\",\"bi\":\"bigint unsigned\",\"f\":\"float\",\"d\":"
         "\"double\",\"dec\":\"decimal\",\"bits\":\"bit\",\"vb\":\"varbinary\","
         "\"tx\":\"text\",\"l1\":\"varchar\",\"en\":\"enum\",\"se\":\"set\","
         "\"ts\":\"timestamp\",\"y\":\"year\"},\"old\":null,\"data\":[{"
         "\"ti\":\"255\",\"si\":\"65535\",\"mi\":\"16777215\",\"i\":"
         "\"4294967295\",\"bi\":\"18446744073709551615\",\"f\":\"0.1\",\"d\":"
         "\"1000000000000000000000\",\"dec\":\"-12345678.90\",\"bits\":\"511\","
         "\"vb\":\"\xc2\x89PNG\\r\\n\xc3\xbf\\\"\\u003c\",\"tx\":"
         "\"\\u003ca\\u0026b\\u003e\\u2028\",\"l1\":\"caf\xc3\xa9\",\"en\":"
         "\"2\",\"se\":\"3\",\"ts\":\"2020-03-24 09:03:03.740\",\"y\":"
         "\"2024\"}]}");
    encode_table_free(t);
}

static void
every_type_has_its_form_in_open_protocol(void **state)
{
    struct encode_table *t =
        made_encode_table("test", "t1", many, COUNT(many), NULL);
    struct encode_piece m =
        message_of(ENCODE_OPEN, t, &many_insert, false, NULL);

    (void)state;
    is_text((struct span){ m.value.p + 8, m.value.n - 8 },
            "{\"u\":{\"bi\":{\"t\":8,\"h\":true,\"f\":139,\"v\":"
            "18446744073709551615},\"bits\":{\"t\":16,\"f\":1,\"v\":511},"
            "\"d\":{\"t\":5,\"f\":65,\"v\":1e+21},\"dec\":{\"t\":246,\"f\":1,"
            "\"v\":\"-12345678.90\"},\"en\":{\"t\":247,\"f\":0,\"v\":2},\"f\":{"
            "\"t\":4,\"f\":1,\"v\":0.1},\"i\":{\"t\":3,\"f\":129,\"v\":"
            "4294967295},\"l1\":{\"t\":15,\"f\":0,\"v\":\"caf\xc3\xa9\"},"
            "\"mi\":{\"t\":9,\"f\":129,\"v\":16777215},\"se\":{\"t\":248,\"f\":"
            "0,\"v\":3},\"si\":{\"t\":2,\"f\":129,\"v\":65535},\"ti\":{\"t\":1,"
            "\"f\":129,\"v\":255},\"ts\":{\"t\":7,\"f\":1,\"v\":"
            "\"2020-03-24 09:03:03.740\"},\"tx\":{\"t\":252,\"f\":0,\"v\":"
            "\"PGEmYj7igKg=\"},\"vb\":{\"t\":15,\"f\":1,\"v\":"
            "\"\\\\x89PNG\\\\r\\\\n\\\\xff\\\\\\\"\\u003c\"},\"y\":{\"t\":13,"
            "\"f\":1,\"v\":2024}}}");
    done();
    encode_table_free(t);
}

static void
every_type_has_its_form_in_maxwell(void **state)
{
    struct encode_table *t =
        made_encode_table("test", "t1", many, COUNT(many), NULL);

    (void)state;
    says(ENCODE_MAXWELL, t, &many_insert,
         "{\"database\":\"test\",\"table\":\"t1\",\"type\":\"insert\","
         "\"ts\":1585040583,\"data\":{\"bi\":18446744073709551615,\"bits\":511,"
         "\"d\":1e+21,\"dec\":\"-12345678.90\",\"en\":2,\"f\":0.1,\"i\":"
         "4294967295,\"l1\":\"caf\xc3\xa9\",\"mi\":16777215,\"se\":3,\"si\":"
         "65535,\"ti\":255,\"ts\":\"2020-03-24 09:03:03.740\",\"tx\":"
         "\"\\u003ca\\u0026b\\u003e\\u2028\",\"vb\":\"iVBORw0K/yI8\",\"y\":"
         "2024}}");
    encode_table_free(t);
}

static void
types_can_be_told_in_full(void **state)
{
    static const char *const id[] = { "id" };
    static const struct encode_schema_column columns[] = {
        { .name = "id", .type = "int(5) unsigned zerofill" },
        { .name = "val", .type = "varchar(16)", .is_nullable = true },
    };
    static const struct encode_index index = { "PRIMARY", true, true, 1, id };
    struct encode_schema schema = { 2, 1, columns, &index };
    struct made v[2] = { t1[0], t1[1] };
    struct encode_table *t =
        made_encode_table("test", "t1", many, COUNT(many), NULL);

    (void)state;
    assert_string_equal(t->column[7].full, "decimal(10,2)");
    assert_string_equal(t->column[8].full, "bit(17)");
    assert_string_equal(t->column[10].full, "text");
    assert_string_equal(t->column[12].full, "enum('x','y,z')");
    assert_string_equal(t->column[14].full, "timestamp(3)");
    encode_table_free(t);
    v[0].is_unsigned = true;
    t = made_encode_table("test", "t1", v, 2, &schema);
    assert_true(t->is_described);
    assert_string_equal(t->column[0].word, "int unsigned zerofill");
    assert_string_equal(t->column[0].full, "int(5) unsigned zerofill");
    encode_table_free(t);
    /* a schema of another time is not believed */
    t = made_encode_table("test", "t1", t1, 2, &schema);
    assert_false(t->is_described);
    assert_string_equal(t->column[0].full, "int");
    encode_table_free(t);
}

static void
the_handle_is_the_smallest_key_without_nulls(void **state)
{
    static const char *const a[] = { "a", "b" }, *const b[] = { "c" },
                             *const c[] = { "d" };
    static const struct encode_index indexes[] = {
        { "ab", false, true, 2, a },
        { "c", false, true, 1, b },
        { "d", false, true, 1, c },
    };
    static const struct encode_schema_column columns[] = {
        { .name = "a", .type = "int" },
        { .name = "b", .type = "int" },
        { .name = "c", .type = "int", .is_nullable = true },
        { .name = "d", .type = "int" },
    };
    static const struct made v[] = {
        { .name = "a", .type = BINLOG_LONG },
        { .name = "b", .type = BINLOG_LONG },
        { .name = "c", .type = BINLOG_LONG, .is_nullable = true },
        { .name = "d", .type = BINLOG_LONG },
    };
    struct encode_schema schema = { 4, 3, columns, indexes };
    struct encode_table *t = made_encode_table("test", "t1", v, 4, &schema);

    (void)state;
    assert_int_equal(t->n_handle, 1);
    assert_int_equal(t->handle[0], 3);
    assert_int_equal(t->column[0].flags,
                     ENCODE_BINARY | ENCODE_UNIQUE | ENCODE_MULTIPLE);
    assert_int_equal(t->column[2].flags,
                     ENCODE_BINARY | ENCODE_UNIQUE | ENCODE_NULLABLE);
    assert_int_equal(t->column[3].flags,
                     ENCODE_BINARY | ENCODE_UNIQUE | ENCODE_HANDLE);
    encode_table_free(t);
}

static void
floats_have_the_fewest_digits(void **state)
{
    static const struct {
        double v;
        bool is_32;
        const char *plain, *json;
    } rows[] = {
        { 0, false, "0", "0" },
        { -1.5, false, "-1.5", "-1.5" },
        { 0.1, false, "0.1", "0.1" },
        { 1e15, false, "1000000000000000", "1000000000000000" },
        { 1e20, false, "100000000000000000000", "100000000000000000000" },
        { 1e21, false, "1000000000000000000000", "1e+21" },
        { 1.25e-7, false, "0.000000125", "1.25e-7" },
        { 1e-6, false, "0.000001", "0.000001" },
        { 3e-10, false, "0.0000000003", "3e-10" },
        { 123456.789, false, "123456.789", "123456.789" },
        { (double)3.4e38f, true, "340000000000000000000000000000000000000",
          "3.4e+38" },
        { (double)1234.567f, true, "1234.567", "1234.567" },
        { (double)0.1f, false, "0.10000000149011612", "0.10000000149011612" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[ENCODE_FLOAT_MAX];

        is_text((struct span){ text, encode_float(rows[i].v, rows[i].is_32,
                                                  false, text) },
                rows[i].plain);
        is_text((struct span){ text, encode_float(rows[i].v, rows[i].is_32,
                                                  true, text) },
                rows[i].json);
    }
    for (int k = -1074; k < 1024; k++) { /* none is longer than the room */
        char text[ENCODE_FLOAT_MAX + 1];
        double v = -__builtin_ldexp(1.0, k);

        text[encode_float(v, false, false, text)] = '\0';
        assert_true(strtod(text, NULL) == v);
        text[encode_float(v, false, true, text)] = '\0';
        assert_true(strtod(text, NULL) == v);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(canal_json_is_as_in_the_documents, setup),
        cmocka_unit_test_setup(canal_json_has_no_key_and_says_what_is_too_large,
                               setup),
        cmocka_unit_test_setup(canal_json_has_statements_and_watermarks, setup),
        cmocka_unit_test_setup(open_protocol_is_as_in_the_documents, setup),
        cmocka_unit_test_setup(open_protocol_has_statements_and_watermarks,
                               setup),
        cmocka_unit_test_setup(a_message_has_as_many_events_as_it_may, setup),
        cmocka_unit_test_setup(maxwell_is_as_in_the_documents, setup),
        cmocka_unit_test_setup(maxwell_has_statements, setup),
        cmocka_unit_test_setup(canal_is_as_in_the_documents, setup),
        cmocka_unit_test_setup(avro_is_as_in_the_documents, setup),
        cmocka_unit_test_setup(every_type_has_its_form_in_canal_json, setup),
        cmocka_unit_test_setup(every_type_has_its_form_in_open_protocol, setup),
        cmocka_unit_test_setup(every_type_has_its_form_in_maxwell, setup),
        cmocka_unit_test_setup(types_can_be_told_in_full, setup),
        cmocka_unit_test_setup(the_handle_is_the_smallest_key_without_nulls,
                               setup),
        cmocka_unit_test_setup(floats_have_the_fewest_digits, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
