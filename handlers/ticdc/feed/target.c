/* A sink, opened once to see whether it can be. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "crypt.h"
#include "egress.h"
#include "feed_source.h"
#include "ticdc/files/settle.h"
#include "ticdc/mq/settle.h"
#include "ticdc/upstream.h"

/* A broker that does not answer takes no longer than a client waits. */
#define ANSWER_MS 3000

/* What tells one server from another: MySQL has a uuid. */
static const char identity_sql[] =
    "SELECT CONCAT_WS('/', @@hostname, @@port, @@server_id, @@datadir,"
    " @@socket)";

static enum err
refuse(struct sink_fault *why, enum err e, const char *code, const char *what,
       const char *more)
{
    why->code = code;
    snprintf(why->text, sizeof(why->text), "%s: %.2048s", what, more);
    return e;
}

static enum err
resolve(const struct sink_mysql *m, struct my_server *out,
        struct sink_fault *why)
{
    char text[WHY_BYTES], host[NI_MAXHOST];
    struct egress_address to;
    enum err e = egress_resolve(m->host, m->port, &to, text);

    if (e != ERR_OK)
        return refuse(why, e == ERR_NOMEM ? e : ERR_PEER,
                      "CDC:ErrMySQLConnectionError", "MySQL connection error",
                      text);
    if (getnameinfo((struct sockaddr *)&to.sa, to.n, host, sizeof(host), NULL,
                    0, NI_NUMERICHOST) != 0 ||
        my_address_of(host, (int)m->port, &out->at) != ERR_OK)
        return refuse(why, ERR_PEER, "CDC:ErrMySQLConnectionError",
                      "MySQL connection error", "no address of the host");
    return ERR_OK;
}

/* The password as it is; when that is refused, as the base64 that some have
 * written. */
static enum err
log_in(struct arena *a, struct my *my, struct my_server *server,
       const struct sink_mysql *m, int64_t until_ms)
{
    struct span plain;
    enum err e = my_connect(my, server, until_ms);
    const char *text;

    if (e != ERR_DENIED || str_empty(m->password) ||
        crypt_unbase64(a, m->password, &plain) != ERR_OK ||
        memchr(plain.p, '\0', plain.n) != NULL)
        return e;
    text = arena_strndup(a, plain.p, plain.n);
    if (text == NULL)
        return ERR_NOMEM;
    server->password = text;
    return my_connect(my, server, until_ms);
}

static enum err
look_at(struct arena *a, struct my *my, struct feed_source *source,
        struct sink_fault *why)
{
    char own[512], other[512];
    struct my_table t;

    if (my_query(my, a, "SELECT @@GLOBAL.read_only AS ro", 1, &t) != ERR_OK ||
        my_value_of(my, identity_sql, own, sizeof(own)) != ERR_OK)
        return refuse(why, ERR_PEER, "CDC:ErrMySQLConnectionError",
                      "MySQL connection error", my_failure(my)->text);
    if (source == NULL)
        return ERR_OK;
    if (my_value_of(source->my, identity_sql, other, sizeof(other)) != ERR_OK)
        return refuse(why, ERR_PEER, "CDC:ErrNewStore", "the source fails",
                      my_failure(source->my)->text);
    return strcmp(own, other) != 0
               ? ERR_OK
               : refuse(why, ERR_BAD_PARAM, "CDC:ErrSameUpstreamDownstream",
                        "upstream and downstream are the same",
                        source->server.at.label);
}

static void
hang_up(void *my)
{
    my_close(my);
}

static enum err
open_database(struct arena *a, const struct sink_mysql *m,
              struct feed_source *source, int64_t until_ms,
              struct sink_fault *why)
{
    struct my_server server = {
        .user = m->user,
        .password = m->password,
        .connect_timeout_s = 3,
        .read_timeout_s = 5,
        .tls_ca = m->ssl_ca,
        .tls_cert = m->ssl_cert,
        .tls_key = m->ssl_key,
    };
    struct my *my = my_open();
    enum err e;

    if (my == NULL)
        return ERR_NOMEM;
    e = arena_defer(a, hang_up, my);
    if (e == ERR_OK)
        e = resolve(m, &server, why);
    if (e != ERR_OK)
        return e;
    e = log_in(a, my, &server, m, until_ms);
    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK)
        return refuse(why, ERR_PEER, "CDC:ErrMySQLConnectionError",
                      "MySQL connection error", my_failure(my)->text);
    my_until(my, until_ms);
    return look_at(a, my, source, why);
}

/* A producer that asks what the topic is, which is made when it may be. */
static enum err
open_kafka(struct arena *a, const struct sink *sink,
           const struct ticdc_config *config, int64_t until_ms,
           struct sink_fault *why)
{
    const struct sink_rules rules = ticdc_sink_rules();
    int64_t left = until_ms - clock_mono_ms();
    const struct mq_context context = { .rules = &rules,
                                        .address = "check",
                                        .namespace = "default",
                                        .id = "check",
                                        .queue_bytes = 1 << 20,
                                        .answer_ms = left > ANSWER_MS
                                                         ? ANSWER_MS
                                                     : left > 100 ? left
                                                                  : 100 };
    struct mq_config c;
    struct mq *q;
    enum err e = mq_settle(a, sink, config, &context, &c, why);

    if (e != ERR_OK)
        return e;
    q = mq_new(&c);
    if (q == NULL)
        return ERR_NOMEM;
    e = mq_open(q);
    if (e != ERR_OK) {
        const struct mq_failure *f = mq_failure_of(q);

        e = f->err == ERR_NOMEM || f->err == ERR_BAD_PARAM ? f->err : ERR_PEER;
        why->code = f->code;
        snprintf(why->text, sizeof(why->text), "%.3000s", f->why);
    }
    mq_free(q);
    return e;
}

static bool
is_in_time(void *until_ms)
{
    return clock_mono_ms() < *(int64_t *)until_ms;
}

static enum err
open_files(struct arena *a, const struct sink *sink,
           const struct ticdc_config *config, int64_t until_ms,
           struct sink_fault *why)
{
    const struct sink_rules rules = ticdc_sink_rules();
    const struct files_context context = { .rules = &rules,
                                           .go_on = is_in_time,
                                           .ctx = &until_ms };
    struct files_config c;
    char text[WHY_BYTES] = "";
    enum err e = files_settle(a, sink, config, &context, &c, why);

    if (e != ERR_OK)
        return e;
    e = files_probe(c.store, text);
    return e == ERR_OK || e == ERR_NOMEM
               ? e
               : refuse(why, ERR_PEER, "CDC:ErrExternalStorageAPI",
                        "nothing can be written there", text);
}

enum err
feed_target_open(struct arena *a, const struct sink *sink,
                 const struct ticdc_config *config, struct feed_source *source,
                 int64_t until_ms, struct sink_fault *why)
{
    switch (sink->kind) {
    case SINK_BLACKHOLE:
        return ERR_OK;
    case SINK_MYSQL:
        return open_database(a, &sink->mysql, source, until_ms, why);
    case SINK_KAFKA:
        return open_kafka(a, sink, config, until_ms, why);
    case SINK_STORAGE:
        return open_files(a, sink, config, until_ms, why);
    case SINK_PULSAR:
        break;
    }
    return refuse(why, ERR_BAD_PARAM, "CDC:ErrSinkURIInvalid",
                  "the sink scheme is known and its parameters are right, but "
                  "this release writes to blackhole, mysql, kafka, file and s3 "
                  "only, not to",
                  sink->uri.scheme);
}
