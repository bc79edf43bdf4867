/* What a sink_uri of files becomes, and how files are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ticdc/core/tso.h"
#include "ticdc/files/settle.h"
#include "ticdc/files/shape.h"

#define INVALID "CDC:ErrStorageSinkInvalidConfig"
#define S3      "s3://bucket/p?access-key=a&secret-access-key=b&protocol=csv"

static struct arena *a;
static struct files_config got;
static struct sink_fault why;

static enum err
settle(const char *uri, const char *json)
{
    static const struct sink_rules rules = { .tls_root = "",
                                             .file_root = "/root" };
    const struct files_context context = { .rules = &rules, .bytes = 1 << 20 };
    struct ticdc_config config;
    struct sink s;
    enum err e;

    why.code = "";
    why.text[0] = '\0';
    assert_int_equal(ticdc_config_read(a, json, &config), ERR_OK);
    e = sink_settle(a, uri, config.sink_config, &rules, &s, &why);
    return e == ERR_OK ? files_settle(a, &s, &config, &context, &got, &why) : e;
}

static void
is_settled(const char *uri, const char *json)
{
    enum err e = settle(uri, json);

    if (e != ERR_OK)
        fail_msg("%s: %s %s", uri, why.code, why.text);
}

static void
is_refused(const char *uri, const char *json, const char *code,
           const char *part)
{
    assert_int_equal(settle(uri, json), ERR_BAD_PARAM);
    assert_string_equal(why.code, code);
    if (strstr(why.text, part) == NULL)
        fail_msg("%s: %s", uri, why.text);
}

static void
defaults_are_those_of_ticdc(void **state)
{
    (void)state;
    is_settled("file:///root/a/b?protocol=csv", "{}");
    assert_true(got.is_csv && got.zone.local);
    assert_string_equal(got.csv.delimiter, ",");
    assert_string_equal(got.csv.quote, "\"");
    assert_string_equal(got.csv.null, "\\N");
    assert_string_equal(got.csv.terminator, "\r\n");
    assert_false(got.csv.commit_ts || got.csv.hex || got.csv.old_value ||
                 got.csv.handle_key || got.csv.header);
    assert_int_equal(got.date, KEYS_DAY);
    assert_int_equal(got.digits, 20);
    assert_int_equal(got.file_bytes, 64 << 20);
    assert_int_equal(got.flush_ms, 5000);
    is_settled(S3 "&protocol=canal-json&region=eu-1&endpoint="
                  "http%3A%2F%2F127.0.0.1:1&force-path-style=true",
               "{\"timezone\":\"UTC\"}");
    assert_false(got.is_csv || got.encode.tidb_extension || got.zone.local);
    assert_null(got.zone.zone);
    is_settled("file:///root/a?protocol=csv", "{\"timezone\":\"Asia/Tokyo\"}");
    assert_int_equal(zone_offset_s(got.zone.zone, 0), 9 * 3600);
    is_refused("file:///root/a?protocol=csv", "{\"timezone\":\"Asia/Tokio\"}",
               "CDC:ErrAPIInvalidParam", "invalid timezone:Asia/Tokio");
}

static void
sizes_and_times_are_kept_within_bounds(void **state)
{
    (void)state;
    is_settled(S3 "&file-size=5&flush-interval=1s", "{}");
    assert_int_equal(got.file_bytes, 1 << 20);
    assert_int_equal(got.flush_ms, 2000);
    is_settled(S3 "&file-size=999999999&flush-interval=1h", "{}");
    assert_int_equal(got.file_bytes, 512 << 20);
    assert_int_equal(got.flush_ms, 600000);
    is_settled(S3,
               "{\"sink_config\":{\"cloud-storage-config\":{\"file-size\":"
               "2000000,\"flush-interval\":\"7s\"},\"date-separator\":"
               "\"year\",\"file-index-digit\":6,\"csv\":{\"quote\":\"\"}}}");
    assert_int_equal(got.file_bytes, 2000000);
    assert_int_equal(got.flush_ms, 7000);
    assert_int_equal(got.date, KEYS_YEAR);
    assert_int_equal(got.digits, 6);
    assert_string_equal(got.csv.quote, "");
}

static void
what_cannot_be_is_refused(void **state)
{
    (void)state;
    is_refused("file:///rooted?protocol=csv", "{}", INVALID, "below /root");
    is_refused("file:///root/../x?protocol=csv", "{}", INVALID, "name");
    is_refused("file:///root/a%20b?protocol=csv", "{}", INVALID, "name");
    is_refused("s3://b/x?protocol=csv", "{}", INVALID, "bucket");
    is_refused("s3://bucket:1/x?protocol=csv", "{}", INVALID, "bucket");
    is_refused("s3://bucket/x?protocol=csv", "{}", INVALID, "access key");
    is_refused(S3 "&force-path-style=false", "{}", INVALID, "force-path");
    is_refused(S3 "&acl=public-read", "{}", INVALID, "acl");
    is_refused("azure://c/x?protocol=csv", "{}", "CDC:ErrSinkURIInvalid",
               "file:// and s3://");
    is_refused(S3,
               "{\"sink_config\":{\"column-selectors\":[{\"matcher\":"
               "[\"a.b\"],\"columns\":[\"c\"]}]}}",
               "CDC:ErrSinkInvalidConfig", "column-selectors");
}

static void
files_have_the_names_of_the_documents(void **state)
{
    char key[KEYS_MAX], folder[KEYS_MAX], date[KEYS_DATE_MAX];
    char name[300];
    struct zone_choice zone = { 0 };

    (void)state;
    assert_int_equal(zone_choose(a, "Asia/Tokyo", &zone, &why), ERR_OK);
    keys_date(KEYS_DAY, tso_of_ms(INT64_C(1709683199000)), &zone, date);
    assert_string_equal(date, "2024-03-06");
    zone = (struct zone_choice){ 0 };
    keys_date(KEYS_DAY, tso_of_ms(INT64_C(1709683199000)), &zone, date);
    assert_string_equal(date, "2024-03-05");
    keys_date(KEYS_MONTH, tso_of_ms(INT64_C(1709683199000)), &zone, date);
    assert_string_equal(date, "2024-03");
    assert_int_equal(keys_folder("test", "t.1", 42, date, folder), ERR_OK);
    assert_string_equal(folder, "test/t.2e1/42/2024-03");
    assert_int_equal(keys_rows(folder, 7, 6, "csv", key), ERR_OK);
    assert_string_equal(key, "test/t.2e1/42/2024-03/CDC000007.csv");
    assert_int_equal(keys_number(key), 7);
    assert_int_equal(keys_number("CDC000012.json\n"), 12);
    assert_int_equal(keys_number("CDC.index"), 0);
    assert_int_equal(keys_number("CDC12"), 0);
    assert_int_equal(keys_index(folder, key), ERR_OK);
    assert_string_equal(key, "test/t.2e1/42/2024-03/meta/CDC.index");
    assert_int_equal(keys_shape("test", "", 1, 5, key), ERR_OK);
    assert_string_equal(key, "test/meta/schema_1_0000000005.json");
    memset(name, 0xc3, sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(keys_version("s", name, key), ERR_LIMIT);
}

static void
a_definition_is_written_as_go_prints_it(void **state)
{
    static const struct encode_schema_column columns[] = {
        { .name = "v",
          .type = "enum('x(1,2)','unsigned')",
          .default_value = "<x>",
          .is_nullable = true },
        { .name = "Id", .type = "bigint(20) unsigned zerofill" },
        { .name = "at", .type = "datetime(3)", .is_nullable = true },
        { .name = "gone", .type = "int", .is_virtual = true },
    };
    static const char *const key[] = { "Id" };
    static const struct encode_index index = {
        .name = "PRIMARY", .is_primary = true, .n = 1, .column = key
    };
    const struct encode_schema s = {
        .n = 4, .column = columns, .n_indexes = 1, .index = &index
    };
    struct buf b = BUF_INIT(1 << 16);
    struct shape shape;

    (void)state;
    assert_int_equal(shape_of_schema(a, "test", "t", &s, &shape), ERR_OK);
    shape_write(&b, &shape, 9, "CREATE TABLE t", 3);
    assert_string_equal(
        buf_text(&b),
        "{\n    \"Table\": \"t\",\n    \"Schema\": \"test\",\n"
        "    \"Version\": 1,\n    \"TableVersion\": 9,\n"
        "    \"Query\": \"CREATE TABLE t\",\n    \"Type\": 3,\n"
        "    \"TableColumns\": [\n        {\n"
        "            \"ColumnName\": \"v\",\n"
        "            \"ColumnType\": \"ENUM\",\n"
        "            \"ColumnDefault\": \"\\u003cx\\u003e\"\n        },\n"
        "        {\n            \"ColumnName\": \"Id\",\n"
        "            \"ColumnType\": \"BIGINT UNSIGNED\",\n"
        "            \"ColumnPrecision\": \"20\",\n"
        "            \"ColumnNullable\": \"false\",\n"
        "            \"ColumnIsPk\": \"true\"\n        },\n"
        "        {\n            \"ColumnName\": \"at\",\n"
        "            \"ColumnType\": \"DATETIME\",\n"
        "            \"ColumnScale\": \"3\"\n        }\n    ],\n"
        "    \"TableColumnsTotal\": 3\n}");
    buf_free(&b);
}

static int
begin(void **state)
{
    (void)state;
    a = arena_new((size_t)16 << 20);
    return a == NULL;
}

static int
end(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_ticdc),
        cmocka_unit_test(sizes_and_times_are_kept_within_bounds),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(files_have_the_names_of_the_documents),
        cmocka_unit_test(a_definition_is_written_as_go_prints_it),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
