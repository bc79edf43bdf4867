/* Producers of librdkafka: settings, topics, delivery reports. */
#include "broker.h"

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "egress.h"
#include "log.h"

#define POLL_MS     100
#define EVENT_BYTES 512
#define POLL_EVERY  64 /* messages: reports are taken together */

struct broker {
    struct broker_config c;
    rd_kafka_t *rk;
    rd_kafka_queue_t *answers; /* of what was asked of the cluster */
    int32_t answered;          /* who has told of topics last */
    uint64_t sent, delivered;
    enum err err; /* of a message that was not delivered */
    char why[WHY_BYTES];
    pthread_mutex_t lock;    /* of refused: threads of librdkafka write it */
    char refused[WHY_BYTES]; /* why an address may not be connected to */
};

/* ---- what librdkafka calls ---- */

static enum err
class_of(rd_kafka_resp_err_t e)
{
    switch (e) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return ERR_LIMIT;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        return ERR_DENIED;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return ERR_NOT_FOUND;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        return ERR_TIMEOUT;
    default:
        return ERR_PEER;
    }
}

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct broker *b = opaque;

    (void)rk;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        b->delivered++;
        return;
    }
    if (b->err != ERR_OK)
        return;
    b->err = class_of(m->err);
    why_say(b->why, "topic %s, partition %" PRId32 ": %s",
            rd_kafka_topic_name(m->rkt), m->partition,
            rd_kafka_err2str(m->err));
}

static void
failed(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct broker *b = opaque;
    char fatal[EVENT_BYTES];
    rd_kafka_resp_err_t e = (rd_kafka_resp_err_t)code;

    if (e == RD_KAFKA_RESP_ERR__FATAL) {
        e = rd_kafka_fatal_error(rk, fatal, sizeof(fatal));
        if (b->err == ERR_OK) {
            b->err = class_of(e);
            why_say(b->why, "%s", fatal);
        }
    }
    log_warn("kafka.error err=%s why=\"%.300s\"", rd_kafka_err2name(e), reason);
}

static void
said(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    if (level <= 4)
        log_info("kafka.log what=%s text=\"%.300s\"", facility, text);
}

/* The address that a name gave, or that a broker has told us. */
static int
connect_to(int fd, const struct sockaddr *sa, int n, const char *id,
           void *opaque)
{
    struct broker *b = opaque;
    char why[WHY_BYTES] = "";

    (void)id;
    if (!egress_allowed(sa, why)) {
        (void)pthread_mutex_lock(&b->lock);
        memcpy(b->refused, why, sizeof(why));
        (void)pthread_mutex_unlock(&b->lock);
        return EACCES;
    }
    if (connect(fd, sa, (socklen_t)n) == -1 && errno != EINPROGRESS)
        return errno;
    return 0;
}

/* ---- making one ---- */

static enum err
set(rd_kafka_conf_t *conf, const char *key, const char *value,
    char why[WHY_BYTES])
{
    char text[EVENT_BYTES];

    if (rd_kafka_conf_set(conf, key, value, text, sizeof(text)) ==
        RD_KAFKA_CONF_OK)
        return ERR_OK;
    /* what it says quotes the value */
    return why_fail(why, ERR_BAD_PARAM, "Kafka option %s cannot be used", key);
}

static enum err
configure(struct broker *b, rd_kafka_conf_t *conf, char why[WHY_BYTES])
{
    const struct broker_config *c = &b->c;
    char kbytes[24];
    enum err e;

    (void)snprintf(kbytes, sizeof(kbytes), "%zu",
                   c->queue_bytes / 1024 < 1024      ? 1024
                   : c->queue_bytes / 1024 > 2097151 ? 2097151
                                                     : c->queue_bytes / 1024);
    e = set(conf, "bootstrap.servers", c->servers, why);
    if (e == ERR_OK)
        e = set(conf, "queue.buffering.max.kbytes", kbytes, why);
    for (size_t i = 0; i < c->n_options && e == ERR_OK; i++)
        e = set(conf, c->option[i].key, c->option[i].value, why);
    rd_kafka_conf_set_opaque(conf, b);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_error_cb(conf, failed);
    rd_kafka_conf_set_log_cb(conf, said);
    rd_kafka_conf_set_connect_cb(conf, connect_to);
    return e;
}

enum err
broker_open(const struct broker_config *c, struct broker **out,
            char why[WHY_BYTES])
{
    struct broker *b = calloc(1, sizeof(*b));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[EVENT_BYTES] = "";
    enum err e;

    *out = NULL;
    if (b == NULL || conf == NULL) {
        free(b);
        if (conf != NULL)
            rd_kafka_conf_destroy(conf);
        return why_fail(why, ERR_NOMEM, "no memory");
    }
    b->c = *c;
    (void)pthread_mutex_init(&b->lock, NULL);
    e = configure(b, conf, why);
    if (e == ERR_OK) {
        b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
        if (b->rk == NULL)
            e = why_fail(why, ERR_BAD_PARAM, "%s", text);
    }
    if (b->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        (void)pthread_mutex_destroy(&b->lock);
        free(b);
        return e;
    }
    b->answers = rd_kafka_queue_new(b->rk);
    if (b->answers == NULL) {
        broker_close(b);
        return why_fail(why, ERR_NOMEM, "no memory");
    }
    *out = b;
    return ERR_OK;
}

void
broker_close(struct broker *b)
{
    if (b == NULL)
        return;
    (void)rd_kafka_purge(b->rk, RD_KAFKA_PURGE_F_QUEUE |
                                    RD_KAFKA_PURGE_F_INFLIGHT |
                                    RD_KAFKA_PURGE_F_NON_BLOCKING);
    (void)rd_kafka_poll(b->rk, 0);
    if (b->answers != NULL)
        rd_kafka_queue_destroy(b->answers);
    rd_kafka_destroy_flags(b->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

uint64_t
broker_delivered(const struct broker *b)
{
    return b->delivered;
}

/* ---- waiting ---- */

static bool
may_go_on(const struct broker *b)
{
    return b->c.go_on == NULL || b->c.go_on(b->c.ctx);
}

/* The failure, with what may be behind it. */
static enum err
tell(struct broker *b, enum err e, const char *text, char why[WHY_BYTES])
{
    (void)pthread_mutex_lock(&b->lock);
    if (!str_empty(b->refused))
        e = why_fail(why, ERR_DENIED, "%.1000s (%.2000s)", text, b->refused);
    else
        (void)why_fail(why, e, "%.3000s", text);
    (void)pthread_mutex_unlock(&b->lock);
    return e;
}

static enum err
standing(struct broker *b, char why[WHY_BYTES])
{
    return b->err == ERR_OK ? ERR_OK : tell(b, b->err, b->why, why);
}

enum err
broker_wait(struct broker *b, char why[WHY_BYTES])
{
    while (b->err == ERR_OK && rd_kafka_outq_len(b->rk) > 0) {
        /* message.timeout.ms ends it, with a report for each */
        (void)rd_kafka_flush(b->rk, POLL_MS);
        if (!may_go_on(b))
            return why_fail(why, ERR_STATE, "stopped");
    }
    if (b->err == ERR_OK && b->delivered != b->sent)
        return why_fail(why, ERR_INTERNAL,
                        "%" PRIu64 " messages sent, %" PRIu64 " delivered",
                        b->sent, b->delivered);
    return standing(b, why);
}

enum err
broker_send(struct broker *b, struct rd_kafka_topic_s *topic,
            uint32_t partition, struct span key, struct span value,
            bool no_value, char why[WHY_BYTES])
{
    const void *k = key.n > 0 ? key.p : NULL;
    void *v = no_value ? NULL : (void *)(uintptr_t)value.p;

    while (b->err == ERR_OK) {
        rd_kafka_resp_err_t e;

        if (rd_kafka_produce(topic, (int32_t)partition, RD_KAFKA_MSG_F_COPY, v,
                             no_value ? 0 : value.n, k, key.n, NULL) == 0) {
            if (++b->sent % POLL_EVERY == 0)
                (void)rd_kafka_poll(b->rk, 0);
            return standing(b, why);
        }
        e = rd_kafka_last_error();
        if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return tell(b, class_of(e), rd_kafka_err2str(e), why);
        (void)rd_kafka_poll(b->rk, POLL_MS);
        if (!may_go_on(b))
            return why_fail(why, ERR_STATE, "stopped");
    }
    return standing(b, why);
}

/* ---- topics ---- */

/* All topics are asked for: a cluster may make one whose name is asked for. */
static enum err
look_up(struct broker *b, const char *topic, uint32_t *out, char why[WHY_BYTES])
{
    const struct rd_kafka_metadata *m = NULL;
    rd_kafka_resp_err_t e =
        rd_kafka_metadata(b->rk, 1, NULL, &m, (int)b->c.answer_ms);
    bool there = false;

    *out = 0;
    (void)rd_kafka_poll(b->rk, 0);
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
        return tell(b, class_of(e), rd_kafka_err2str(e), why);
    b->answered = m->orig_broker_id;
    for (int i = 0; i < m->topic_cnt; i++) {
        if (strcmp(m->topics[i].topic, topic) != 0)
            continue;
        there = true;
        e = m->topics[i].err;
        *out = (uint32_t)m->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(m);
    if (!there)
        return why_fail(why, ERR_NOT_FOUND, "there is no topic %s", topic);
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR &&
        e != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return tell(b, class_of(e), rd_kafka_err2str(e), why);
    return *out > 0 ? ERR_OK
                    : why_fail(why, ERR_NOT_FOUND,
                               "the topic %s has no partitions yet", topic);
}

/* By its name, which makes it where brokers may do that. */
static void
ask_by_name(struct broker *b, const char *topic)
{
    rd_kafka_topic_t *t = rd_kafka_topic_new(b->rk, topic, NULL);
    const struct rd_kafka_metadata *m = NULL;

    if (t == NULL)
        return;
    if (rd_kafka_metadata(b->rk, 0, t, &m, (int)b->c.answer_ms) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(m);
    rd_kafka_topic_destroy(t);
}

static rd_kafka_AdminOptions_t *
admin_options(struct broker *b, rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(b->rk, op);
    char text[EVENT_BYTES];

    if (o != NULL)
        (void)rd_kafka_AdminOptions_set_request_timeout(o, (int)b->c.answer_ms,
                                                        text, sizeof(text));
    return o;
}

static enum err
create(struct broker *b, const char *topic,
       const struct broker_topic_plan *plan, char why[WHY_BYTES])
{
    char text[EVENT_BYTES] = "";
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(
        topic, (int)plan->partitions, (int)plan->replicas, text, sizeof(text));
    rd_kafka_AdminOptions_t *o =
        admin_options(b, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_event_t *ev = NULL;
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (t != NULL) {
        rd_kafka_CreateTopics(b->rk, &t, 1, o, b->answers);
        ev = rd_kafka_queue_poll(b->answers, (int)b->c.answer_ms + POLL_MS);
    }
    if (ev != NULL && rd_kafka_event_error(ev) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        e = rd_kafka_event_error(ev);
        (void)snprintf(text, sizeof(text), "%s",
                       rd_kafka_event_error_string(ev));
    } else if (ev != NULL) {
        size_t n = 0;
        const rd_kafka_topic_result_t **r = rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(ev), &n);

        e = n == 1 ? rd_kafka_topic_result_error(r[0])
                   : RD_KAFKA_RESP_ERR__FAIL;
        if (n == 1 && rd_kafka_topic_result_error_string(r[0]) != NULL)
            (void)snprintf(text, sizeof(text), "%s",
                           rd_kafka_topic_result_error_string(r[0]));
    }
    if (ev != NULL)
        rd_kafka_event_destroy(ev);
    if (o != NULL)
        rd_kafka_AdminOptions_destroy(o);
    if (t != NULL)
        rd_kafka_NewTopic_destroy(t);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR ||
        e == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return ERR_OK;
    return tell(b, class_of(e), str_empty(text) ? rd_kafka_err2str(e) : text,
                why);
}

static void
take_limits(const rd_kafka_event_t *ev, struct broker_topic *out)
{
    size_t n = 0, n_entries = 0;
    const rd_kafka_ConfigResource_t **r =
        rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(
                (rd_kafka_event_t *)(uintptr_t)ev),
            &n);
    const rd_kafka_ConfigEntry_t **v;

    if (n != 1)
        return;
    v = rd_kafka_ConfigResource_configs(r[0], &n_entries);
    for (size_t i = 0; i < n_entries; i++) {
        const char *name = rd_kafka_ConfigEntry_name(v[i]);
        const char *value = rd_kafka_ConfigEntry_value(v[i]);

        if (value == NULL)
            continue;
        if (strcmp(name, "max.message.bytes") == 0)
            out->message_bytes = strtoll(value, NULL, 10);
        if (strcmp(name, "min.insync.replicas") == 0)
            out->replicas_in_sync = strtoll(value, NULL, 10);
    }
}

/* Old brokers, and those that do not let everybody ask, do not tell. Every one
 * knows: librdkafka would wait for the controller, if there is none. */
static void
ask_limits(struct broker *b, const char *topic, struct broker_topic *out)
{
    rd_kafka_ConfigResource_t *r =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *o =
        admin_options(b, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_event_t *ev = NULL;
    char text[EVENT_BYTES];

    if (o != NULL)
        (void)rd_kafka_AdminOptions_set_broker(o, b->answered, text,
                                               sizeof(text));
    if (r != NULL) {
        rd_kafka_DescribeConfigs(b->rk, &r, 1, o, b->answers);
        ev = rd_kafka_queue_poll(b->answers, (int)b->c.answer_ms + POLL_MS);
    }
    if (ev != NULL && rd_kafka_event_error(ev) == RD_KAFKA_RESP_ERR_NO_ERROR)
        take_limits(ev, out);
    if (ev != NULL)
        rd_kafka_event_destroy(ev);
    if (o != NULL)
        rd_kafka_AdminOptions_destroy(o);
    if (r != NULL)
        rd_kafka_ConfigResource_destroy(r);
}

enum err
broker_topic(struct broker *b, const char *topic,
             const struct broker_topic_plan *plan, struct broker_topic *out,
             char why[WHY_BYTES])
{
    int64_t until = clock_mono_ms() + b->c.answer_ms;
    enum err e;

    *out = (struct broker_topic){ 0 };
    e = look_up(b, topic, &out->partitions, why);
    if (e == ERR_NOT_FOUND && plan->create) {
        if (b->c.admin)
            e = create(b, topic, plan, why);
        else
            ask_by_name(b, topic);
        if (b->c.admin && e != ERR_OK)
            return e;
        e = look_up(b, topic, &out->partitions, why);
        while (e == ERR_NOT_FOUND && clock_mono_ms() < until) {
            if (!may_go_on(b))
                return why_fail(why, ERR_STATE, "stopped");
            (void)rd_kafka_poll(b->rk, POLL_MS);
            e = look_up(b, topic, &out->partitions, why);
        }
    }
    if (e != ERR_OK)
        return e;
    if (b->c.admin)
        ask_limits(b, topic, out);
    out->handle = rd_kafka_topic_new(b->rk, topic, NULL);
    return out->handle != NULL
               ? ERR_OK
               : tell(b, class_of(rd_kafka_last_error()),
                      rd_kafka_err2str(rd_kafka_last_error()), why);
}

void
broker_topic_end(struct rd_kafka_topic_s *handle)
{
    if (handle != NULL)
        rd_kafka_topic_destroy(handle);
}
