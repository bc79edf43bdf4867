/* Sinks as clients name them: spec/ticdc section 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ticdc/rules/sink.h"

static const struct sink_rules rules = { .tls_root = "/tls" };

static int
arena_setup(void **state)
{
    *state = arena_new(16 << 20);
    return *state == NULL;
}

static int
arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct ticdc_sink_config *
config_of(struct arena *a, const char *sink_config)
{
    struct ticdc_config *c = arena_alloc(a, sizeof(*c));

    if (sink_config == NULL)
        return NULL;
    assert_non_null(c);
    assert_int_equal(
        ticdc_config_read(
            a, arena_printf(a, "{\"sink_config\":%s}", sink_config), c),
        ERR_OK);
    return c->sink_config;
}

static void
a_database_is_taken_apart(void **state)
{
    struct sink s;
    struct sink_fault why = { 0 };

    assert_int_equal(
        sink_settle(*state,
                    "MySQL+ssl://ro%40ot:p%23a%3A@[::1]:3307/?worker-count=9999"
                    "&max-txn-row=20&safe-mode=true&timeout=1m30s&time-zone="
                    "&ssl-ca=/tls/ca.pem&x=y",
                    NULL, &rules, &s, &why),
        ERR_OK);
    assert_int_equal(s.kind, SINK_MYSQL);
    assert_string_equal(s.uri.scheme, "mysql+ssl");
    assert_true(s.mysql.tls && s.mysql.safe_mode && s.mysql.batch_dml);
    assert_string_equal(s.mysql.user, "ro@ot");
    assert_string_equal(s.mysql.password, "p#a:");
    assert_string_equal(s.mysql.host, "::1");
    assert_int_equal(s.mysql.port, 3307);
    assert_int_equal(s.mysql.worker_count, 1024);
    assert_int_equal(s.mysql.max_txn_row, 20);
    assert_int_equal(s.mysql.timeout_ms, 90000);
    assert_int_equal(s.mysql.read_timeout_ms, 120000);
    assert_string_equal(s.mysql.time_zone, "");
    assert_string_equal(s.mysql.ssl_ca, "/tls/ca.pem");
}

static void
what_is_not_said_has_its_default(void **state)
{
    struct sink s;
    struct sink_fault why = { 0 };

    assert_int_equal(sink_settle(*state, "mysql://h/", NULL, &rules, &s, &why),
                     ERR_OK);
    assert_string_equal(s.mysql.user, "root");
    assert_string_equal(s.mysql.password, "");
    assert_int_equal(s.mysql.port, 3306);
    assert_int_equal(s.mysql.worker_count, 16);
    assert_int_equal(s.mysql.max_txn_row, 256);
    assert_false(s.mysql.safe_mode || s.whole_tables || s.mysql.tls);
    assert_null(s.mysql.time_zone);
    assert_int_equal(sink_settle(*state, "tidb://h", NULL, &rules, &s, &why),
                     ERR_OK);
    assert_int_equal(s.mysql.port, 4000);
}

static void
the_uri_goes_before_the_configuration(void **state)
{
    struct sink s;
    struct sink_fault why = { 0 };
    const struct ticdc_sink_config *c =
        config_of(*state, "{\"safe-mode\":true,\"transaction-atomicity\":"
                          "\"table\",\"mysql-config\":{\"worker-count\":4,"
                          "\"max-txn-row\":7}}");

    assert_int_equal(
        sink_settle(*state, "mysql://h/?worker-count=5", c, &rules, &s, &why),
        ERR_OK);
    assert_int_equal(s.mysql.worker_count, 5);
    assert_int_equal(s.mysql.max_txn_row, 7);
    assert_true(s.mysql.safe_mode && s.whole_tables);
    assert_int_equal(
        sink_settle(*state,
                    "mysql://h/?safe-mode=false&transaction-atomicity=none", c,
                    &rules, &s, &why),
        ERR_OK);
    assert_false(s.mysql.safe_mode || s.whole_tables);
    /* the protocol of the URI counts, not that of the configuration */
    c = config_of(*state, "{\"protocol\":\"avro\"}");
    assert_int_equal(sink_settle(*state, "kafka://h:1/t?protocol=canal-json", c,
                                 &rules, &s, &why),
                     ERR_OK);
    assert_string_equal(s.protocol, "canal-json");
}

static void
what_cannot_be_is_refused_by_its_code(void **state)
{
    static const struct {
        const char *uri, *config, *code, *part;
    } cases[] = {
        { "", NULL, "CDC:ErrSinkURIInvalid", "sink-uri is empty" },
        { "h", NULL, "CDC:ErrSinkURIInvalid", "scheme://" },
        { "x://h", NULL, "CDC:ErrSinkURIInvalid",
          "the sink scheme (x) is not supported" },
        { "mysql://", NULL, "CDC:ErrSinkURIInvalid", "host is missing" },
        { "mysql://a,b/", NULL, "CDC:ErrSinkURIInvalid", "one host" },
        { "mysql://u:p#q@h/", NULL, "CDC:ErrSinkURIInvalid", "%23" },
        { "mysql://u:p@q@h/", NULL, "CDC:ErrSinkURIInvalid", "%40" },
        { "mysql://u:p/q@h/", NULL, "CDC:ErrSinkURIInvalid", "%2F" },
        { "mysql://u:p%zz@h/", NULL, "CDC:ErrSinkURIInvalid", "%25" },
        { "mysql://h:99999/", NULL, "CDC:ErrSinkURIInvalid", "port" },
        { "mysql://[::1/", NULL, "CDC:ErrSinkURIInvalid", "brackets" },
        { "mysql://h/?a;b=1", NULL, "CDC:ErrSinkURIInvalid", "&" },
        { "mysql://h/?transaction-atomicity=no", NULL, "CDC:ErrSinkURIInvalid",
          "atomicity" },
        { "blackhole://?transaction-atomicity=x", NULL, "CDC:ErrSinkURIInvalid",
          "atomicity" },
        { "kafka://h:1/t?protocol=canal&transaction-atomicity=table", NULL,
          "CDC:ErrSinkURIInvalid", "atomicity" },
        { "mysql://h/?protocol=canal", NULL, "CDC:ErrSinkURIInvalid",
          "protocol canal is incompatible with mysql scheme" },
        { "mysql://h/", "{\"protocol\":\"canal\"}", "CDC:ErrSinkURIInvalid",
          "incompatible" },
        { "mysql://h/?worker-count=0", NULL, "CDC:ErrMySQLInvalidConfig",
          "worker-count" },
        { "mysql://h/?worker-count=-1", NULL, "CDC:ErrMySQLInvalidConfig",
          "worker-count" },
        { "mysql://h/?worker-count=a", NULL, "CDC:ErrMySQLInvalidConfig",
          "whole number" },
        { "mysql://h/?max-multi-update-row-size=-1", NULL,
          "CDC:ErrMySQLInvalidConfig", "size" },
        { "mysql://h/?safe-mode=maybe", NULL, "CDC:ErrMySQLInvalidConfig",
          "true or false" },
        { "mysql://h/?timeout=2", NULL, "CDC:ErrMySQLInvalidConfig",
          "timeout" },
        { "mysql://h/?timeout=-2s", NULL, "CDC:ErrMySQLInvalidConfig",
          "timeout" },
        { "mysql://h/", "{\"mysql-config\":{\"worker-count\":0}}",
          "CDC:ErrMySQLInvalidConfig", "worker-count" },
        { "mysql://h/?ssl-ca=/etc/passwd", NULL, "CDC:ErrMySQLInvalidConfig",
          "tls_root" },
        { "mysql://h/?ssl-ca=/tls/../etc/passwd", NULL,
          "CDC:ErrMySQLInvalidConfig", "tls_root" },
        { "kafka://h:1/t", NULL, "CDC:ErrSinkUnknownProtocol", "unknown ''" },
        { "kafka://h:1/t?protocol=x", NULL, "CDC:ErrSinkUnknownProtocol",
          "unknown 'x'" },
        { "kafka://h:1/?protocol=canal", NULL, "CDC:ErrKafkaInvalidConfig",
          "topic" },
        { "kafka://h:1/t?protocol=canal&partition-num=0", NULL,
          "CDC:ErrKafkaInvalidPartitionNum", "partition-num" },
        { "kafka://h:1/t?protocol=canal&required-acks=2", NULL,
          "CDC:ErrKafkaInvalidRequiredAcks", "acks" },
        { "kafka://h:1/t?protocol=canal&kafka-version=2", NULL,
          "CDC:ErrKafkaInvalidVersion", "version" },
        { "kafka://h:1/t?protocol=canal&kafka-client-id=a%20b", NULL,
          "CDC:ErrKafkaInvalidClientID", "client ID" },
        { "kafka://h:1/t?protocol=canal&compression=rar", NULL,
          "CDC:ErrKafkaInvalidConfig", "compression" },
        { "kafka://h:1/t?protocol=avro", NULL, "CDC:ErrCodecInvalidConfig",
          "schema-registry" },
        { "kafka://h:1/t?protocol=canal",
          "{\"dispatchers\":[{\"matcher\":[\"a.b\"],\"dispatcher\":\"ts\","
          "\"partition\":\"ts\"}]}",
          "CDC:ErrSinkInvalidConfig", "both" },
        { "kafka://h:1/t?protocol=canal",
          "{\"dispatchers\":[{\"matcher\":[\"a\"]}]}",
          "CDC:ErrFilterRuleInvalid", ".table" },
        { "kafka://h:1/t?protocol=canal",
          "{\"dispatchers\":[{\"matcher\":[\"a.*\"],\"topic\":\"a b\"}]}",
          "CDC:ErrKafkaTopicExprInvalid", "topic" },
        { "file:///x?protocol=avro", NULL, "CDC:ErrSinkUnknownProtocol",
          "avro" },
        { "s3://b/x?protocol=csv&file-size=0", NULL,
          "CDC:ErrStorageSinkInvalidConfig", "file-size" },
        { "s3://b/x?protocol=csv", "{\"file-index-digit\":5}",
          "CDC:ErrStorageSinkInvalidConfig", "from 6 to 20" },
        { "s3://b/x?protocol=csv", "{\"csv\":{\"quote\":\"ab\"}}",
          "CDC:ErrSinkInvalidConfig", "quote" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sink_fault why = { "", "" };
        struct sink s;

        if (sink_settle(*state, cases[i].uri,
                        config_of(*state, cases[i].config), &rules, &s,
                        &why) != ERR_BAD_PARAM ||
            strcmp(why.code, cases[i].code) != 0 ||
            strstr(why.text, cases[i].part) == NULL)
            fail_msg("%s: %s %s", cases[i].uri, why.code, why.text);
    }
}

static void
what_cannot_be_forced_is_refused(void **state)
{
    struct sink s;
    struct sink_fault why = { 0 };
    const struct ticdc_sink_config *c =
        config_of(*state, "{\"schema-registry\":\"http://r\"}");

    assert_int_equal(
        sink_settle(*state, "kafka://h:1/t?protocol=avro", c, &rules, &s, &why),
        ERR_OK);
    assert_int_equal(sink_forced(&s, c, &why), ERR_BAD_PARAM);
    assert_int_equal(sink_settle(*state, "kafka://h:1/t?protocol=canal", c,
                                 &rules, &s, &why),
                     ERR_OK);
    assert_int_equal(sink_forced(&s, c, &why), ERR_OK);
}

static void
secrets_are_masked_and_nothing_else_changed(void **state)
{
    static const struct {
        const char *uri, *masked;
    } cases[] = {
        { "blackhole://", "blackhole://" },
        { "MySQL://root@h:1/", "MySQL://root@h:1/" },
        { "mysql://u:p@h/db?a=b&", "mysql://u:xxxxx@h/db?a=b&" },
        { "mysql://u:@h", "mysql://u:xxxxx@h" },
        { "kafka://a:1,b:2/t?sasl-user=u&sasl-password=p%26q&protocol=avro",
          "kafka://a:1,b:2/t?sasl-user=u&sasl-password=xxxxx&protocol=avro" },
        { "s3://b/p?Access-Key=1&x-SIGNATURE=2&region=r",
          "s3://b/p?Access-Key=xxxxx&x-SIGNATURE=xxxxx&region=r" },
        { "s3://b/p?%74oken=1&plain", "s3://b/p?%74oken=xxxxx&plain" },
        { "mysql://u:p#x@h/", "mysql://xxxxx" },
        { "mysql://u:p/x@h/", "mysql://xxxxx" },
        { "no uri: secret", "xxxxx" },
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(sink_uri_masked(*state, cases[i].uri),
                            cases[i].masked);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_is_taken_apart),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(the_uri_goes_before_the_configuration),
        cmocka_unit_test(what_cannot_be_is_refused_by_its_code),
        cmocka_unit_test(what_cannot_be_forced_is_refused),
        cmocka_unit_test(secrets_are_masked_and_nothing_else_changed),
    };

    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
