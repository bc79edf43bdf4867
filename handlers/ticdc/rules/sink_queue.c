/* What is said of sinks that are not databases: dispatchers, Kafka, files.
 * Judged in full, so that a changefeed which names such a sink is refused for
 * what is wrong with it. */
#include "sink_int.h"

#include <string.h>

#include "filter.h"

#define IS_GIVEN(c, member) ((c) != NULL && HAS(c, ticdc_sink_config, member))

/* ---- dispatchers ---- */

static enum err
judge_matcher(struct ask *q, const struct STR *v, size_t n)
{
    const char **rules = arena_array(q->arena, n + 1, sizeof(*rules));
    const struct filter *f;
    char why[WHY_BYTES] = "";
    enum err e;

    if (rules == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        rules[i] = v[i].v;
    e = filter_parse(q->arena, rules, n, false, NULL, &f, why);
    return e == ERR_BAD_PARAM
               ? sink_refuse(q->why, "CDC:ErrFilterRuleInvalid",
                             "filter rule is invalid %.1024s", why)
               : e;
}

/* Static, or prefix{schema}middle{table}suffix; {table} may be left out. */
static bool
is_topic(const char *t, bool both)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    bool schema = false, table = false;

    if (strlen(t) > 249)
        return false;
    while (*t != '\0') {
        if (strncmp(t, "{schema}", 8) == 0 && !schema && !table) {
            schema = true;
            t += 8;
        } else if (strncmp(t, "{table}", 7) == 0 && schema && !table) {
            table = true;
            t += 7;
        } else if (strchr(plain, *t) != NULL) {
            t++;
        } else {
            return false;
        }
    }
    return !both || (schema && table);
}

static enum err
judge_dispatcher(struct ask *q, const struct ticdc_dispatcher *d,
                 const struct sink *s)
{
    bool avro = s->protocol != NULL && strcmp(s->protocol, "avro") == 0;

    if (!str_empty(d->dispatcher) && !str_empty(d->partition))
        return sink_refuse(q->why, "CDC:ErrSinkInvalidConfig",
                           "dispatcher and partition cannot be configured "
                           "both for one rule");
    if (!str_empty(d->topic) && !is_topic(d->topic, avro))
        return sink_refuse(q->why, "CDC:ErrKafkaTopicExprInvalid",
                           "invalid topic expression: %.256s", d->topic);
    return judge_matcher(q, d->matcher.v, d->matcher.n);
}

static enum err
judge_selector(struct ask *q, const struct ticdc_column_selector *c)
{
    const char **rules =
        arena_array(q->arena, c->columns.n + 1, sizeof(*rules));
    const struct filter *f;
    char why[WHY_BYTES] = "";
    enum err e;

    if (c->columns.n == 0)
        return sink_refuse(q->why, "CDC:ErrSinkInvalidConfig",
                           "a column selector names no columns");
    if (rules == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->columns.n; i++)
        rules[i] = c->columns.v[i].v;
    e = filter_parse_columns(q->arena, rules, c->columns.n, &f, why);
    if (e == ERR_BAD_PARAM)
        return sink_refuse(q->why, "CDC:ErrFilterRuleInvalid",
                           "a column selector's rule is invalid %.1024s", why);
    return e == ERR_OK ? judge_matcher(q, c->matcher.v, c->matcher.n) : e;
}

enum err
sink_judge_config(struct ask *q, const struct ticdc_sink_config *config,
                  const struct sink *s)
{
    enum err e = ERR_OK;

    if (config == NULL)
        return ERR_OK;
    for (size_t i = 0; i < config->dispatchers.n && e == ERR_OK; i++)
        e = judge_dispatcher(q, &config->dispatchers.v[i], s);
    for (size_t i = 0; i < config->column_selectors.n && e == ERR_OK; i++)
        e = judge_selector(q, &config->column_selectors.v[i]);
    return e;
}

/* ---- Kafka ---- */

static bool
is_version(const char *v)
{
    unsigned dots = 0;

    if (*v < '0' || *v > '9' || strlen(v) > 16)
        return false;
    for (; *v != '\0'; v++) {
        dots += *v == '.';
        if ((*v < '0' || *v > '9') && (*v != '.' || v[1] == '.' || v[1] == 0))
            return false;
    }
    return dots == 2 || dots == 3;
}

static bool
is_client_id(const char *v)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return *v != '\0' && v[strspn(v, plain)] == '\0';
}

static enum err
kafka_numbers(struct ask *q, const struct ticdc_kafka_config *c)
{
#define OR(member, otherwise) \
    (HAS(c, ticdc_kafka_config, member) ? (int64_t)c->member : (otherwise))
    int64_t partitions = OR(partition_num, 1), acks = OR(required_acks, -1);
    int64_t factor = OR(replication_factor, 1);
    int64_t bytes = OR(max_message_bytes, 10485760), retry = 5, batch = 16;
#undef OR
    bool flag = false;
    enum err e;

    q->code = "CDC:ErrKafkaInvalidPartitionNum";
    e = sink_ask_int(q, "partition-num", 1, INT32_MAX, &partitions);
    if (e != ERR_OK)
        return e;
    q->code = "CDC:ErrKafkaInvalidRequiredAcks";
    e = sink_ask_int(q, "required-acks", -1, 2, &acks);
    if (e == ERR_OK && acks > 1)
        return sink_refuse(q->why, q->code,
                           "invalid required acks %lld, "
                           "only support these values: 0, 1 "
                           "and -1",
                           (long long)acks);
    q->code = "CDC:ErrKafkaInvalidConfig";
    if (e == ERR_OK)
        e = sink_ask_int(q, "replication-factor", 1, INT16_MAX, &factor);
    if (e == ERR_OK)
        e = sink_ask_int(q, "max-message-bytes", 1, INT32_MAX, &bytes);
    if (e == ERR_OK)
        e = sink_ask_int(q, "max-retry", 0, INT32_MAX, &retry);
    if (e == ERR_OK)
        e = sink_ask_int(q, "max-batch-size", 1, INT32_MAX, &batch);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "auto-create-topic", &flag);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "enable-tls", &flag);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "insecure-skip-verify", &flag);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "enable-tidb-extension", &flag);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "only-output-updated-columns", &flag);
    if (e == ERR_OK)
        e = sink_ask_bool(q, "content-compatible", &flag);
    return e == ERR_OK ? sink_ask_bool(q, "output-raw-change-event", &flag) : e;
}

static enum err
kafka_words(struct ask *q, const struct ticdc_kafka_config *c)
{
    static const char *const compressions[] = { "none", "gzip", "snappy",
                                                "lz4",  "zstd", NULL };
    static const char *const mechanisms[] = { "PLAIN",         "SCRAM-SHA-256",
                                              "SCRAM-SHA-512", "GSSAPI",
                                              "OAUTHBEARER",   NULL };
    static const char *const options[] = { "none", "handle-key-only",
                                           "claim-check", NULL };
    static const char *const decimals[] = { "precise", "string", NULL };
    static const char *const bigints[] = { "long", "string", NULL };
    const struct ticdc_large_message *large = c->large_message;
    const char *v = sink_ask_text(q, "kafka-version", c->kafka_version);
    int64_t ms;
    enum err e;

    if (!str_empty(v) && !is_version(v))
        return sink_refuse(q->why, "CDC:ErrKafkaInvalidVersion",
                           "invalid kafka version: %.32s", v);
    v = sink_ask_text(q, "kafka-client-id", c->client_id);
    if (!str_empty(v) && !is_client_id(v))
        return sink_refuse(q->why, "CDC:ErrKafkaInvalidClientID",
                           "invalid kafka client ID '%.64s'", v);
    q->code = "CDC:ErrKafkaInvalidConfig";
    e = sink_ask_word(q, "compression",
                      sink_ask_text(q, "compression", c->compression),
                      compressions);
    if (e == ERR_OK)
        e = sink_ask_word(q, "sasl-mechanism",
                          sink_ask_text(q, "sasl-mechanism", c->sasl_mechanism),
                          mechanisms);
    if (e == ERR_OK && large != NULL)
        e = sink_ask_word(q, "large-message-handle-option", large->option,
                          options);
    if (e == ERR_OK)
        e = sink_ask_time(q, "dial-timeout", c->dial_timeout, &ms);
    if (e == ERR_OK)
        e = sink_ask_time(q, "write-timeout", c->write_timeout, &ms);
    if (e == ERR_OK)
        e = sink_ask_time(q, "read-timeout", c->read_timeout, &ms);
    q->code = "CDC:ErrCodecInvalidConfig";
    if (e == ERR_OK)
        e = sink_ask_word(q, "avro-decimal-handling-mode",
                          sink_ask_text(q, "avro-decimal-handling-mode", NULL),
                          decimals);
    if (e == ERR_OK)
        e = sink_ask_word(
            q, "avro-bigint-unsigned-handling-mode",
            sink_ask_text(q, "avro-bigint-unsigned-handling-mode", NULL),
            bigints);
    return e;
}

enum err
sink_judge_kafka(struct ask *q, const struct ticdc_sink_config *config,
                 const struct sink *s)
{
    static const struct ticdc_kafka_config none = { 0 };
    const struct ticdc_kafka_config *c =
        config != NULL && config->kafka != NULL ? config->kafka : &none;
    const char *registry = sink_ask_text(
        q, "schema-registry", config != NULL ? config->schema_registry : NULL);
    enum err e;

    q->code = "CDC:ErrKafkaInvalidConfig";
    if (s->uri.n_hosts == 0)
        return sink_refuse(q->why, q->code, "no broker is given");
    if (str_empty(s->uri.path))
        return sink_refuse(q->why, q->code,
                           "no topic is specified in "
                           "sink-uri");
    if (!is_topic(s->uri.path, false) || strchr(s->uri.path, '{') != NULL)
        return sink_refuse(q->why, q->code, "invalid topic: %.256s",
                           s->uri.path);
    e = kafka_numbers(q, c);
    if (e == ERR_OK)
        e = kafka_words(q, c);
    if (e == ERR_OK && strcmp(s->protocol, "avro") == 0 && str_empty(registry))
        return sink_refuse(q->why, "CDC:ErrCodecInvalidConfig",
                           "Avro protocol requires parameter "
                           "\"schema-registry\"");
    return e;
}

/* ---- files ---- */

static enum err
judge_csv(struct ask *q, const struct ticdc_csv *c)
{
    static const char *const methods[] = { "base64", "hex", NULL };

    if (HAS(c, ticdc_csv, delimiter) &&
        (str_empty(c->delimiter) || strlen(c->delimiter) > 3 ||
         strpbrk(c->delimiter, "\r\n") != NULL))
        return sink_refuse(q->why, q->code,
                           "csv config delimiter has to be "
                           "1 to 3 characters, no end of a "
                           "line");
    if (HAS(c, ticdc_csv, quote) &&
        (strlen(c->quote) > 1 || strpbrk(c->quote, "\r\n") != NULL))
        return sink_refuse(q->why, q->code,
                           "csv config quote contains more than one "
                           "character");
    if (!str_empty(c->quote) && c->delimiter != NULL &&
        strstr(c->delimiter, c->quote) != NULL)
        return sink_refuse(q->why, q->code,
                           "csv config quote and delimiter cannot be the same");
    return sink_ask_word(q, "binary-encoding-method", c->binary_encoding,
                         methods);
}

enum err
sink_judge_storage(struct ask *q, const struct ticdc_sink_config *config,
                   const struct sink *s)
{
    static const char *const dates[] = { "none", "year", "month", "day", NULL };
    int64_t workers = 16, size = 67108864, ms = 5000;
    const struct ticdc_storage_config *c =
        config != NULL ? config->storage : NULL;
    enum err e;

    if (strcmp(s->protocol, "csv") != 0 &&
        strcmp(s->protocol, "canal-json") != 0)
        return sink_refuse(q->why, "CDC:ErrSinkUnknownProtocol",
                           "unknown '%s' message protocol for sink",
                           s->protocol);
    q->code = "CDC:ErrStorageSinkInvalidConfig";
    if (c != NULL && HAS(c, ticdc_storage_config, worker_count))
        workers = c->worker_count;
    if (c != NULL && HAS(c, ticdc_storage_config, file_size))
        size = c->file_size;
    e = sink_ask_int(q, "worker-count", 1, 512, &workers);
    if (e == ERR_OK)
        e = sink_ask_int(q, "file-size", 1, 536870912, &size);
    if (e == ERR_OK)
        e = sink_ask_time(q, "flush-interval",
                          c != NULL ? c->flush_interval : NULL, &ms);
    if (e == ERR_OK && config != NULL)
        e = sink_ask_word(q, "date-separator", config->date_separator, dates);
    if (e == ERR_OK && IS_GIVEN(config, file_index_digit) &&
        config->file_index_digit != 0 &&
        (config->file_index_digit < 6 || config->file_index_digit > 20))
        return sink_refuse(q->why, q->code,
                           "file-index-digit has to be from 6 to 20");
    q->code = "CDC:ErrSinkInvalidConfig";
    return e == ERR_OK && config != NULL && config->csv != NULL
               ? judge_csv(q, config->csv)
               : e;
}
