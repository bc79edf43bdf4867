/* What a sink_uri of Kafka becomes for librdkafka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ticdc/mq/settle.h"

static struct arena *a;
static struct mq_config got;
static struct sink_fault why;

static enum err
settle(const char *uri, const char *json)
{
    static const struct sink_rules rules = { .tls_root = "/etc/tls" };
    struct mq_context context = { .rules = &rules,
                                  .address = "127.0.0.1:8300",
                                  .namespace = "default",
                                  .id = "feed",
                                  .queue_bytes = 1 << 20 };
    struct ticdc_config config;
    struct sink s;
    enum err e;

    why.code = "";
    why.text[0] = '\0';
    assert_int_equal(ticdc_config_read(a, json, &config), ERR_OK);
    e = sink_settle(a, uri, config.sink_config, &rules, &s, &why);
    return e == ERR_OK ? mq_settle(a, &s, &config, &context, &got, &why) : e;
}

static void
is_settled(const char *uri, const char *json)
{
    enum err e = settle(uri, json);

    if (e != ERR_OK)
        fail_msg("%s: %s %s", uri, why.code, why.text);
}

static void
is_refused(const char *uri, const char *json, const char *code)
{
    assert_int_equal(settle(uri, json), ERR_BAD_PARAM);
    assert_string_equal(why.code, code);
}

static const char *
option_of(const char *key)
{
    const char *v = NULL;

    for (size_t i = 0; i < got.broker.n_options; i++)
        if (strcmp(got.broker.option[i].key, key) == 0) {
            assert_null(v); /* said once */
            v = got.broker.option[i].value;
        }
    return v != NULL ? v : "";
}

static void
has(const char *key, const char *value)
{
    assert_string_equal(option_of(key), value);
}

/* librdkafka takes what was settled. */
static void
can_be_used(void)
{
    struct broker *b;
    char text[WHY_BYTES] = "";

    if (broker_open(&got.broker, &b, text) != ERR_OK)
        fail_msg("%s", text);
    broker_close(b);
}

static void
without_a_word_all_replicas_acknowledge(void **state)
{
    (void)state;
    is_settled("kafka://h1:9092,h2,[::1]:9/t?protocol=canal-json", "");
    assert_string_equal(got.broker.servers, "h1:9092,h2:9092,[::1]:9");
    assert_string_equal(got.topic, "t");
    has("acks", "-1");
    has("enable.idempotence", "true");
    has("security.protocol", "plaintext");
    has("client.id", "TiCDC_producer_127.0.0.1_8300_default_feed");
    has("compression.codec", "none");
    assert_int_equal(got.encode.message_bytes, 10485760);
    assert_int_equal(got.encode.batch, 16);
    assert_int_equal(got.plan.partitions, 0);
    assert_int_equal(got.plan.replicas, 1);
    assert_true(got.plan.create);
    assert_true(got.broker.admin);
    assert_int_equal(got.encode.protocol, ENCODE_CANAL_JSON);
}

static void
every_parameter_has_its_place(void **state)
{
    (void)state;
    is_settled("kafka://127.0.0.1:9/t?protocol=open-protocol&partition-num=6"
               "&replication-factor=3&max-message-bytes=1000&compression=gzip"
               "&kafka-client-id=me&auto-create-topic=false&dial-timeout=3s"
               "&write-timeout=4s&read-timeout=5s&enable-tidb-extension=true"
               "&max-batch-size=7&only-output-updated-columns=true",
               "");
    assert_int_equal(got.plan.partitions, 6);
    assert_int_equal(got.plan.replicas, 3);
    assert_false(got.plan.create);
    assert_int_equal(got.encode.message_bytes, 1000);
    assert_int_equal(got.encode.batch, 7);
    assert_true(got.encode.tidb_extension);
    assert_true(got.encode.only_updated);
    assert_int_equal(got.encode.protocol, ENCODE_OPEN);
    has("compression.codec", "gzip");
    has("client.id", "me");
    has("socket.connection.setup.timeout.ms", "3000");
    has("message.timeout.ms", "12000");
    has("socket.timeout.ms", "5000");
    assert_int_equal(got.broker.answer_ms, 3000);
    can_be_used();
}

static void
old_brokers_are_asked_what_they_know(void **state)
{
    (void)state;
    is_settled("kafka://127.0.0.1:9/"
               "t?protocol=canal&kafka-version=0.9.0.1&max-retry=9",
               "");
    has("api.version.request", "false");
    has("broker.version.fallback", "0.9.0.1");
    has("enable.idempotence", "");
    has("max.in.flight.requests.per.connection", "1");
    has("message.send.max.retries", "9");
    assert_false(got.broker.admin);
    can_be_used();
    is_settled("kafka://127.0.0.1:9/t?protocol=canal&required-acks=1", "");
    has("acks", "1");
    has("enable.idempotence", "");
    has("max.in.flight.requests.per.connection", "1");
    assert_true(got.broker.admin);
    can_be_used();
}

static void
passwords_and_certificates_go_to_the_brokers(void **state)
{
    (void)state;
    is_settled("kafka+ssl://127.0.0.1:9/"
               "t?protocol=canal&sasl-user=u&sasl-password=p%26q"
               "&sasl-mechanism=SCRAM-SHA-256&insecure-skip-verify=true",
               "");
    has("security.protocol", "sasl_ssl");
    has("sasl.mechanisms", "SCRAM-SHA-256");
    has("sasl.username", "u");
    has("sasl.password", "p&q");
    has("enable.ssl.certificate.verification", "false");
    can_be_used();
    is_settled(
        "kafka://127.0.0.1:9/t?protocol=canal&sasl-user=u&sasl-password=p", "");
    has("security.protocol", "sasl_plaintext");
    has("sasl.mechanisms", "PLAIN");
    is_settled("kafka://127.0.0.1:9/t?protocol=canal&ca=/etc/tls/ca.pem", "");
    has("security.protocol", "ssl");
    has("ssl.ca.location", "/etc/tls/ca.pem");
    is_refused("kafka://127.0.0.1:9/t?protocol=canal&ca=/etc/passwd", "",
               "CDC:ErrKafkaInvalidConfig");
    is_refused("kafka://127.0.0.1:9/t?protocol=canal&ca=/etc/tls/../passwd", "",
               "CDC:ErrKafkaInvalidConfig");
    is_refused(
        "kafka://127.0.0.1:9/t?protocol=canal&sasl-mechanism=OAUTHBEARER", "",
        "CDC:ErrKafkaInvalidConfig");
}

static void
column_selectors_are_rules_of_names(void **state)
{
    static const char uri[] = "kafka://127.0.0.1:9/t?protocol=canal-json";

    (void)state;
    is_settled(uri, "{\"sink_config\":{\"column-selectors\":[]}}");
    assert_int_equal(got.n_picks, 0);
    is_settled(uri, "{\"sink_config\":{\"column-selectors\":["
                    "{\"matcher\":[\"a.*\"],\"columns\":[\"x*\",\"!xy\"]},"
                    "{\"matcher\":[\"b.*\"],\"columns\":[\"z\"]}]}}");
    assert_int_equal(got.n_picks, 2);
    assert_true(filter_takes(got.pick[0].takes, "a", "t"));
    assert_false(filter_takes(got.pick[0].takes, "b", "t"));
    assert_true(filter_takes_column(got.pick[0].columns, "Xa"));
    assert_false(filter_takes_column(got.pick[0].columns, "xy"));
    assert_false(filter_takes_column(got.pick[0].columns, "z"));
    assert_true(filter_takes_column(got.pick[1].columns, "z"));
    is_refused(uri,
               "{\"sink_config\":{\"column-selectors\":[{\"matcher\":"
               "[\"a.*\"],\"columns\":[\"x[\"]}]}}",
               "CDC:ErrFilterRuleInvalid");
    is_refused(uri,
               "{\"sink_config\":{\"column-selectors\":[{\"matcher\":"
               "[\"a.*\"],\"columns\":[]}]}}",
               "CDC:ErrSinkInvalidConfig");
}

static void
what_is_not_done_is_refused(void **state)
{
    (void)state;
    is_settled("kafka://127.0.0.1:9/t?protocol=canal-json"
               "&output-raw-change-event=false",
               "");
    is_refused("kafka://127.0.0.1:9/t?protocol=canal-json"
               "&output-raw-change-event=true",
               "", "CDC:ErrKafkaInvalidConfig");
}

static void
a_configuration_says_it_too_and_the_uri_wins(void **state)
{
    static const char json[] =
        "{\"sink_config\":{\"dispatchers\":[{\"matcher\":[\"a.*\"],"
        "\"dispatcher\":\"index-value\",\"index\":\"k\"},{\"matcher\":"
        "[\"b.*\"],\"partition\":\"columns\",\"columns\":[\"x\",\"y\"],"
        "\"topic\":\"{schema}_{table}\"}],\"protocol\":\"canal-json\","
        "\"delete-only-output-handle-key-columns\":true,\"kafka-config\":{"
        "\"partition-num\":5,\"compression\":\"lz4\",\"large-message-handle\":{"
        "\"large-message-handle-option\":\"handle-key-only\"}}}}";

    (void)state;
    is_settled("kafka://127.0.0.1:9/t?partition-num=2", json);
    assert_int_equal(got.plan.partitions, 2);
    has("compression.codec", "lz4");
    assert_int_equal(got.large, MQ_HANDLE_ONLY);
    assert_true(got.encode.delete_only_handle);
    assert_int_equal(got.n_rules, 2);
    assert_int_equal(got.rule[0].route.by, ROUTE_INDEX);
    assert_string_equal(got.rule[0].route.index, "k");
    assert_true(filter_takes(got.rule[0].takes, "a", "z"));
    assert_false(filter_takes(got.rule[0].takes, "b", "z"));
    assert_int_equal(got.rule[1].route.by, ROUTE_COLUMNS);
    assert_int_equal(got.rule[1].route.n_columns, 2);
    assert_string_equal(got.rule[1].route.column[1], "y");
    assert_string_equal(got.rule[1].topic, "{schema}_{table}");
}

static void
what_protocols_cannot_is_refused(void **state)
{
    static const char large[] =
        "{\"sink_config\":{\"kafka-config\":{\"large-message-handle\":{"
        "\"large-message-handle-option\":\"handle-key-only\"}}}}";

    (void)state;
    is_refused("kafka://127.0.0.1:9/t?protocol=maxwell", large,
               "CDC:ErrCodecInvalidConfig");
    is_refused("kafka://127.0.0.1:9/t?protocol=debezium", "",
               "CDC:ErrSinkUnknownProtocol");
    is_settled(
        "kafka://127.0.0.1:9/t?protocol=avro&schema-registry=http://r:8081",
        "");
    assert_string_equal(got.registry, "http://r:8081");
    is_settled(
        "kafka://127.0.0.1:9/t?protocol=canal&schema-registry=http://r:8081",
        "");
    assert_null(got.registry);
}

static int
setup(void **state)
{
    (void)state;
    a = arena_new(64 << 20);
    return a == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_word_all_replicas_acknowledge),
        cmocka_unit_test(every_parameter_has_its_place),
        cmocka_unit_test(old_brokers_are_asked_what_they_know),
        cmocka_unit_test(passwords_and_certificates_go_to_the_brokers),
        cmocka_unit_test(column_selectors_are_rules_of_names),
        cmocka_unit_test(what_is_not_done_is_refused),
        cmocka_unit_test(a_configuration_says_it_too_and_the_uri_wins),
        cmocka_unit_test(what_protocols_cannot_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
