/* The sink of a changefeed, as what a client has said of it is opened. */
#include "processor_int.h"

#include <netdb.h>

#include "egress.h"
#include "ticdc/files/settle.h"
#include "ticdc/mq/outlet.h"
#include "ticdc/mq/settle.h"
#include "ticdc/upstream.h"

#define EVENT_MAX ((size_t)1 << 30)
#define CONNECT_S 10

static enum err
resolve(void *ctx, struct my_server *server, char why[WHY_BYTES])
{
    struct processor *p = ctx;
    struct egress_address to;
    char host[128];
    enum err e =
        egress_resolve(p->sink.mysql.host, p->sink.mysql.port, &to, why);

    if (e != ERR_OK)
        return e;
    if (getnameinfo((const struct sockaddr *)&to.sa, to.n, host, sizeof(host),
                    NULL, 0, NI_NUMERICHOST) != 0)
        return why_fail(why, ERR_PEER, "%s", p->sink.mysql.host);
    return my_address_of(host, (int)p->sink.mysql.port, &server->at);
}

static bool
goes_on(void *ctx)
{
    return !processor_must_stop(ctx);
}

static enum err
open_kafka(struct processor *p)
{
    const struct sink_rules rules = ticdc_sink_rules();
    struct sink_fault fault = { .code = "" };
    const struct mq_context context = { .rules = &rules,
                                        .address = p->c->address,
                                        .namespace = p->row.namespace,
                                        .id = p->row.id,
                                        .source = &p->upstream,
                                        .queue_bytes = processor_quota(p) / 2,
                                        .go_on = goes_on,
                                        .ctx = p };
    enum err e =
        mq_settle(p->a, &p->sink, &p->config, &context, &p->mq, &fault);

    if (e != ERR_OK)
        return processor_fail(p, e, fault.code, "%s", fault.text);
    p->outlet = sink_mq(&p->mq);
    return ERR_OK;
}

static enum err
open_files(struct processor *p)
{
    const struct sink_rules rules = ticdc_sink_rules();
    struct sink_fault fault = { .code = "" };
    const struct files_context context = { .rules = &rules,
                                           .source = &p->upstream,
                                           .bytes = processor_quota(p) / 8,
                                           .go_on = goes_on,
                                           .ctx = p };
    enum err e =
        files_settle(p->a, &p->sink, &p->config, &context, &p->files, &fault);

    if (e != ERR_OK)
        return processor_fail(p, e, fault.code, "%s", fault.text);
    p->outlet = sink_files(&p->files);
    return ERR_OK;
}

enum err
processor_open_sink(struct processor *p)
{
    const struct sink_mysql *m = &p->sink.mysql;
    const char *deployment;
    enum err e;
    struct sink_mysql_config c = {
        .server = { .user = m->user,
                    .password = m->password,
                    .connect_timeout_s = CONNECT_S,
                    .read_timeout_s = (unsigned)(m->read_timeout_ms / 1000) + 1,
                    .tls_ca = m->ssl_ca,
                    .tls_cert = m->ssl_cert,
                    .tls_key = m->ssl_key,
                    .packet_max = EVENT_MAX },
        .resolve = resolve,
        .ctx = p,
        .feed = p->feed,
        .workers = m->worker_count,
        .txn_rows = m->max_txn_row,
        .txn_bytes = processor_quota(p) / 8,
        .safe_mode = m->safe_mode,
        .force_replicate = p->config.force_replicate,
        .time_zone = str_empty(m->time_zone) ? NULL : m->time_zone,
    };

    e = rows_deployment(p->db, p->a, &deployment);
    if (e != ERR_OK)
        return processor_store_failed(p, e);
    c.deployment = deployment;
    if (p->sink.kind == SINK_BLACKHOLE)
        p->outlet = sink_blackhole();
    else if (p->sink.kind == SINK_MYSQL)
        p->outlet = sink_mysql(&c);
    else if (p->sink.kind == SINK_KAFKA)
        e = open_kafka(p);
    else if (p->sink.kind == SINK_STORAGE)
        e = open_files(p);
    else
        return processor_fail(p, ERR_BAD_PARAM, "CDC:ErrSinkURIInvalid",
                              "the sink scheme (%s) is not supported",
                              p->sink.uri.scheme);
    if (e != ERR_OK)
        return e;
    return p->outlet != NULL
               ? ERR_OK
               : processor_fail(p, ERR_NOMEM, "CDC:ErrInternalServerError",
                                "no memory");
}
