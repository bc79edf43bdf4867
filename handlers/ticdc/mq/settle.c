/* What a client says of Kafka in librdkafka's words. */
#include "settle.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "clock.h"
#include "ticdc/rules/sink_int.h"

#define OPTIONS_MAX   40
#define MESSAGE_BYTES 10485760
#define TIMEOUT_MS    10000

struct work {
    struct ask q;
    struct arena *a;
    const struct sink *s;
    const struct ticdc_sink_config *c;
    const struct ticdc_kafka_config *k;
    const struct mq_context *context;
    struct broker_option *option;
    size_t n_options;
    int64_t dial_ms, write_ms;
    struct mq_config *out;
};

static void
option(struct work *w, const char *key, const char *value)
{
    if (w->n_options < OPTIONS_MAX)
        w->option[w->n_options++] = (struct broker_option){ key, value };
}

static enum err
number_option(struct work *w, const char *key, int64_t v)
{
    const char *text = arena_printf(w->a, "%lld", (long long)v);

    if (text == NULL)
        return ERR_NOMEM;
    option(w, key, text);
    return ERR_OK;
}

#define GIVEN(w, member) HAS((w)->k, ticdc_kafka_config, member)
/* A member of sink_config, unless the URI says it. */
#define OR(w, member, otherwise) \
    (GIVEN(w, member) ? (w)->k->member : (otherwise))

/* ---- brokers ---- */

static enum err
servers(struct work *w)
{
    struct buf b = BUF_INIT(SINK_URI_BYTES_MAX * 2);
    const struct sink_uri *u = &w->s->uri;
    char at[ADDRESS_BYTES];

    for (size_t i = 0; i < u->n_hosts; i++) {
        unsigned port = u->host[i].port != 0 ? u->host[i].port : 9092;

        buf_puts(&b, i > 0 ? "," : "");
        buf_puts(&b, address_print(u->host[i].host, (int)port, at, sizeof(at)));
    }
    return buf_settle(&b, w->a, &w->out->broker.servers);
}

static enum err
client_id(struct work *w)
{
    const char *id = sink_ask_text(&w->q, "kafka-client-id", w->k->client_id);
    char *made;

    if (!str_empty(id)) {
        option(w, "client.id", id);
        return ERR_OK;
    }
    made = arena_printf(w->a, "TiCDC_producer_%s_%s_%s", w->context->address,
                        w->context->namespace, w->context->id);
    if (made == NULL)
        return ERR_NOMEM;
    for (char *p = made; *p != '\0'; p++) /* of an address */
        if (*p == ':')
            *p = '_';
    option(w, "client.id", made);
    return ERR_OK;
}

/* The version that a client says: what it does not tell, brokers do since
 * 0.10. */
static enum err
versions(struct work *w)
{
    const char *v = sink_ask_text(&w->q, "kafka-version", w->k->kafka_version);
    unsigned a = 2, b = 4, c = 0;
    bool old;

    if (!str_empty(v))
        (void)sscanf(v, "%u.%u.%u", &a, &b, &c);
    old = a == 0 && b < 11;
    w->out->broker.admin = !old;
    if (a == 0 && b < 10) {
        option(w, "api.version.request", "false");
        option(w, "broker.version.fallback", v);
    }
    return old ? ERR_STATE : ERR_OK;
}

static enum err
acknowledgement(struct work *w)
{
    int64_t acks = OR(w, required_acks, -1), retry = 5;
    bool idempotent = versions(w) == ERR_OK;
    enum err e;

    w->q.code = "CDC:ErrKafkaInvalidRequiredAcks";
    e = sink_ask_int(&w->q, "required-acks", -1, 1, &acks);
    w->q.code = "CDC:ErrKafkaInvalidConfig";
    if (e == ERR_OK)
        e = sink_ask_int(&w->q, "max-retry", 0, INT32_MAX, &retry);
    if (e == ERR_OK)
        e = number_option(w, "acks", acks);
    if (e != ERR_OK)
        return e;
    if (idempotent && acks == -1) {
        option(w, "enable.idempotence", "true");
        return ERR_OK;
    }
    /* Else a repeated request could overtake another. */
    option(w, "max.in.flight.requests.per.connection", "1");
    return number_option(w, "message.send.max.retries", retry);
}

static enum err
times(struct work *w)
{
    int64_t read_ms = TIMEOUT_MS;
    enum err e;

    w->dial_ms = w->write_ms = TIMEOUT_MS;
    e = sink_ask_time(&w->q, "dial-timeout", w->k->dial_timeout, &w->dial_ms);
    if (e == ERR_OK)
        e = sink_ask_time(&w->q, "write-timeout", w->k->write_timeout,
                          &w->write_ms);
    if (e == ERR_OK)
        e = sink_ask_time(&w->q, "read-timeout", w->k->read_timeout, &read_ms);
    if (e != ERR_OK)
        return e;
    w->out->broker.answer_ms =
        w->context->answer_ms != 0 ? w->context->answer_ms : w->dial_ms;
    /* librdkafka's own bounds of these */
    w->dial_ms = w->dial_ms < 1000 ? 1000 : w->dial_ms;
    read_ms = read_ms < 1000 ? 1000 : read_ms > 300000 ? 300000 : read_ms;
    e = number_option(w, "socket.connection.setup.timeout.ms", w->dial_ms);
    if (e == ERR_OK)
        e = number_option(w, "socket.timeout.ms", read_ms);
    if (e == ERR_OK) /* several tries, within what a client waits for one */
        e = number_option(w, "message.timeout.ms",
                          w->write_ms < 1000 ? 3000 : w->write_ms * 3);
    return e;
}

/* ---- who we are to them ---- */

static enum err
sasl(struct work *w, bool *used)
{
    static const struct {
        const char *key, *option;
    } gssapi[] = {
        { "sasl-gssapi-service-name", "sasl.kerberos.service.name" },
        { "sasl-gssapi-keytab-path", "sasl.kerberos.keytab" },
    };
    const char *user = sink_ask_text(&w->q, "sasl-user", w->k->sasl_user);
    const char *password =
        sink_ask_text(&w->q, "sasl-password", w->k->sasl_password);
    const char *how =
        sink_ask_text(&w->q, "sasl-mechanism", w->k->sasl_mechanism);

    *used = !str_empty(how) || !str_empty(user);
    if (!*used)
        return ERR_OK;
    option(w, "sasl.mechanisms", str_empty(how) ? "PLAIN" : how);
    if (!str_empty(user))
        option(w, "sasl.username", user);
    if (!str_empty(password))
        option(w, "sasl.password", password);
    if (!str_empty(how) && strcasecmp(how, "OAUTHBEARER") == 0)
        return sink_refuse(w->q.why, "CDC:ErrKafkaInvalidConfig",
                           "sasl-mechanism OAUTHBEARER cannot be used here");
    for (size_t i = 0; i < COUNT(gssapi); i++) {
        const char *v = sink_uri_param(w->q.uri, gssapi[i].key);
        const char *file = v;
        enum err e;

        if (v == NULL)
            continue;
        if (i == 1) { /* a file of this host, as those of TLS */
            e = sink_ask_file(&w->q, gssapi[i].key, &file);
            if (e != ERR_OK)
                return e;
        }
        option(w, gssapi[i].option, file);
    }
    return ERR_OK;
}

static enum err
security(struct work *w)
{
    static const struct {
        const char *key, *option;
    } files[] = {
        { "ca", "ssl.ca.location" },
        { "cert", "ssl.certificate.location" },
        { "key", "ssl.key.location" },
    };
    bool tls = OR(w, enable_tls, false), blind = OR(w, skip_verify, false);
    bool with_sasl = false;
    enum err e = sink_ask_bool(&w->q, "enable-tls", &tls);

    tls |= strcmp(w->s->uri.scheme, "kafka+ssl") == 0;
    if (e == ERR_OK)
        e = sink_ask_bool(&w->q, "insecure-skip-verify", &blind);
    for (size_t i = 0; i < COUNT(files) && e == ERR_OK; i++) {
        const char *file = NULL;

        e = sink_ask_file(&w->q, files[i].key, &file);
        if (e == ERR_OK && !str_empty(file)) {
            tls = true;
            option(w, files[i].option, file);
        }
    }
    if (e == ERR_OK)
        e = sasl(w, &with_sasl);
    if (e != ERR_OK)
        return e;
    option(w, "security.protocol",
           tls         ? with_sasl ? "sasl_ssl" : "ssl"
           : with_sasl ? "sasl_plaintext"
                       : "plaintext");
    if (tls && blind)
        option(w, "enable.ssl.certificate.verification", "false");
    return ERR_OK;
}

/* ---- messages ---- */

static enum err
protocol(struct work *w)
{
    static const char *const words[ENCODE_PROTOCOL__MAX] = {
        [ENCODE_CANAL_JSON] = "canal-json", [ENCODE_OPEN] = "open-protocol",
        [ENCODE_CANAL] = "canal",           [ENCODE_AVRO] = "avro",
        [ENCODE_MAXWELL] = "maxwell",
    };
    const char *name = w->s->protocol != NULL ? w->s->protocol : "";

    for (unsigned i = 0; i < ENCODE_PROTOCOL__MAX; i++)
        if (strcmp(name, words[i]) == 0) {
            w->out->encode.protocol = (enum encode_protocol)i;
            return ERR_OK;
        }
    return sink_refuse(w->q.why, "CDC:ErrSinkUnknownProtocol",
                       "unknown '%.64s' message protocol for sink", name);
}

static enum err
messages(struct work *w)
{
    int64_t bytes = OR(w, max_message_bytes, MESSAGE_BYTES), batch = 16;
    struct encode_config *c = &w->out->encode;
    const char *compression =
        sink_ask_text(&w->q, "compression", w->k->compression);
    const char *decimals =
        sink_uri_param(w->q.uri, "avro-decimal-handling-mode");
    const char *bigints =
        sink_uri_param(w->q.uri, "avro-bigint-unsigned-handling-mode");
    enum err e = protocol(w);

    if (e == ERR_OK)
        e = sink_ask_int(&w->q, "max-message-bytes", 1, 1000000000, &bytes);
    if (e == ERR_OK)
        e = sink_ask_int(&w->q, "max-batch-size", 1, 1 << 20, &batch);
    c->only_updated = w->c->only_updated_columns;
    c->content_compatible = w->c->content_compatible;
    if (e == ERR_OK)
        e = sink_ask_bool(&w->q, "enable-tidb-extension", &c->tidb_extension);
    if (e == ERR_OK)
        e = sink_ask_bool(&w->q, "only-output-updated-columns",
                          &c->only_updated);
    if (e == ERR_OK)
        e = sink_ask_bool(&w->q, "content-compatible", &c->content_compatible);
    if (e != ERR_OK)
        return e;
    c->message_bytes = (size_t)bytes;
    c->batch = (unsigned)batch;
    c->delete_only_handle = w->c->delete_only_handle_key;
    c->decimal_as_text = decimals != NULL && strcmp(decimals, "string") == 0;
    c->bigint_as_text = bigints != NULL && strcmp(bigints, "string") == 0;
    c->namespace = w->context->namespace;
    c->now_ms = clock_unix_tick_ms;
    option(w, "compression.codec",
           str_empty(compression) ? "none" : compression);
    option(w, "linger.ms", "5");
    /* ours is the bound that a client knows; theirs counts a frame more */
    return number_option(w, "message.max.bytes",
                         bytes + 1000 < 1000000000 ? bytes + 1000 : 1000000000);
}

static enum err
large(struct work *w)
{
    const struct ticdc_large_message *l = w->k->large_message;
    struct blob_config blob = { .root = w->context->rules->file_root,
                                .go_on = w->context->go_on,
                                .ctx = w->context->ctx };
    char text[WHY_BYTES] = "";
    enum err e;

    if (l == NULL || str_empty(l->option) || strcmp(l->option, "none") == 0)
        return ERR_OK;
    if (w->out->encode.protocol != ENCODE_CANAL_JSON &&
        w->out->encode.protocol != ENCODE_OPEN)
        return sink_refuse(w->q.why, "CDC:ErrCodecInvalidConfig",
                           "large message handle is not supported by the %s "
                           "protocol",
                           w->s->protocol);
    if (!str_empty(l->compression) && strcmp(l->compression, "none") != 0)
        return sink_refuse(w->q.why, "CDC:ErrCodecInvalidConfig",
                           "large-message-handle-compression %.32s cannot be "
                           "used here",
                           l->compression);
    if (strcmp(l->option, "handle-key-only") == 0) {
        w->out->large = MQ_HANDLE_ONLY;
        return ERR_OK;
    }
    w->out->large = MQ_CLAIM_CHECK;
    w->out->claim_url = blob.url = l->storage_uri != NULL ? l->storage_uri : "";
    e = blob_open(w->a, &blob, &w->out->claims, text);
    return e == ERR_BAD_PARAM
               ? sink_refuse(w->q.why, "CDC:ErrKafkaInvalidConfig",
                             "claim-check-storage-uri cannot be used: %.1000s",
                             text)
               : e;
}

/* ---- dispatchers ---- */

static enum err
one_rule(struct work *w, const struct ticdc_dispatcher *d, bool case_sensitive,
         struct mq_rule *out)
{
    const char **v =
        arena_array(w->a, d->matcher.n + d->columns.n + 1, sizeof(*v));
    const char *word = str_empty(d->dispatcher) ? d->partition : d->dispatcher;
    char text[WHY_BYTES] = "";
    bool known;
    enum err e;

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < d->matcher.n; i++)
        v[i] = d->matcher.v[i].v;
    for (size_t i = 0; i < d->columns.n; i++)
        v[d->matcher.n + i] = d->columns.v[i].v;
    e = filter_parse(w->a, v, d->matcher.n, case_sensitive, NULL, &out->takes,
                     text);
    if (e == ERR_BAD_PARAM)
        return sink_refuse(w->q.why, "CDC:ErrFilterRuleInvalid",
                           "filter rule is invalid %.1000s", text);
    out->topic = d->topic;
    out->route.by = route_by_word(word != NULL ? word : "", &known);
    out->route.index = d->index;
    out->route.n_columns = d->columns.n;
    out->route.column = v + d->matcher.n;
    return e;
}

static enum err
rules(struct work *w, bool case_sensitive)
{
    size_t n = w->c->dispatchers.n;
    struct mq_rule *v = arena_array(w->a, n, sizeof(*v));
    enum err e = v != NULL ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = one_rule(w, &w->c->dispatchers.v[i], case_sensitive, &v[i]);
    w->out->rule = v;
    w->out->n_rules = n;
    return e;
}

static const char **
texts(struct work *w, const struct STR *v, size_t n)
{
    const char **out = arena_array(w->a, n + 1, sizeof(*out));

    for (size_t i = 0; out != NULL && i < n; i++)
        out[i] = v[i].v;
    return out;
}

/* Judged already, when the changefeed was made. */
static enum err
picks(struct work *w, bool case_sensitive)
{
    size_t n = w->c->column_selectors.n;
    struct mq_pick *v = arena_array(w->a, n + 1, sizeof(*v));
    char text[WHY_BYTES] = "";
    enum err e = v != NULL ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        const struct ticdc_column_selector *c = &w->c->column_selectors.v[i];
        const char **tables = texts(w, c->matcher.v, c->matcher.n);
        const char **columns = texts(w, c->columns.v, c->columns.n);

        if (tables == NULL || columns == NULL)
            return ERR_NOMEM;
        e = filter_parse(w->a, tables, c->matcher.n, case_sensitive, NULL,
                         &v[i].takes, text);
        if (e == ERR_OK)
            e = filter_parse_columns(w->a, columns, c->columns.n, &v[i].columns,
                                     text);
    }
    w->out->pick = v;
    w->out->n_picks = n;
    return e == ERR_BAD_PARAM
               ? sink_refuse(w->q.why, "CDC:ErrFilterRuleInvalid",
                             "a column selector's rule is invalid %.1000s",
                             text)
               : e;
}

static enum err
topics(struct work *w)
{
    int64_t partitions = OR(w, partition_num, 0);
    int64_t factor = OR(w, replication_factor, 1);
    bool creates = OR(w, auto_create_topic, true);
    enum err e = ERR_OK;

    w->q.code = "CDC:ErrKafkaInvalidPartitionNum";
    if (GIVEN(w, partition_num) ||
        sink_uri_param(w->q.uri, "partition-num") != NULL)
        e = sink_ask_int(&w->q, "partition-num", 1, 1 << 20, &partitions);
    w->q.code = "CDC:ErrKafkaInvalidConfig";
    if (e == ERR_OK)
        e = sink_ask_int(&w->q, "replication-factor", 1, INT16_MAX, &factor);
    if (e == ERR_OK)
        e = sink_ask_bool(&w->q, "auto-create-topic", &creates);
    w->out->topic = w->s->uri.path;
    w->out->plan =
        (struct broker_topic_plan){ .create = creates,
                                    .partitions = (unsigned)partitions,
                                    .replicas = (unsigned)factor };
    return e;
}

/* What is understood and not done is refused: rows would go out otherwise than
 * was asked for. */
static enum err
unbuilt(struct work *w)
{
    bool raw = false;
    enum err e = sink_ask_bool(&w->q, "output-raw-change-event", &raw);

    if (e == ERR_OK && raw)
        return sink_refuse(w->q.why, "CDC:ErrKafkaInvalidConfig",
                           "output-raw-change-event cannot be used here");
    return e;
}

enum err
mq_settle(struct arena *a, const struct sink *s,
          const struct ticdc_config *config, const struct mq_context *context,
          struct mq_config *out, struct sink_fault *why)
{
    static const struct ticdc_sink_config no_config = { 0 };
    static const struct ticdc_kafka_config no_kafka = { 0 };
    struct work w = { .q = { .arena = a,
                             .uri = &s->uri,
                             .rules = context->rules,
                             .code = "CDC:ErrKafkaInvalidConfig",
                             .why = why },
                      .a = a,
                      .s = s,
                      .context = context,
                      .out = out };
    enum err e;

    w.c = config->sink_config != NULL ? config->sink_config : &no_config;
    w.k = w.c->kafka != NULL ? w.c->kafka : &no_kafka;
    *out = (struct mq_config){ .source = context->source };
    w.option = arena_array(a, OPTIONS_MAX, sizeof(*w.option));
    e = w.option != NULL ? servers(&w) : ERR_NOMEM;
    if (e == ERR_OK)
        e = client_id(&w);
    if (e == ERR_OK)
        e = acknowledgement(&w);
    if (e == ERR_OK)
        e = times(&w);
    if (e == ERR_OK)
        e = security(&w);
    if (e == ERR_OK)
        e = messages(&w);
    if (e == ERR_OK)
        e = large(&w);
    if (e == ERR_OK)
        e = topics(&w);
    if (e == ERR_OK)
        e = rules(&w, config->case_sensitive);
    if (e == ERR_OK)
        e = picks(&w, config->case_sensitive);
    if (e == ERR_OK)
        e = unbuilt(&w);
    out->registry =
        sink_ask_text(&w.q, "schema-registry", w.c->schema_registry);
    if (out->encode.protocol != ENCODE_AVRO)
        out->registry = NULL;
    out->broker.option = w.option;
    out->broker.n_options = w.n_options;
    out->broker.queue_bytes = context->queue_bytes;
    out->broker.go_on = context->go_on;
    out->broker.ctx = context->ctx;
    return e == ERR_OK ? zone_choose(a, config->timezone, &out->zone, why) : e;
}
