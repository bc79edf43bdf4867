/* The door to librdkafka: a producer, whose messages are acknowledged by all
 * replicas that are in sync, in their order per partition. Brokers are
 * connected to as [egress] allows, whatever address a cluster advertises.
 *
 * One thread uses a broker. A message that cannot be delivered ends it: from
 * then on everything answers that failure, and its owner begins anew with what
 * was not acknowledged. */
#ifndef TICDC_BROKER_H
#define TICDC_BROKER_H

#include "base.h"

struct broker_option {
    const char *key, *value; /* as librdkafka calls them */
};
struct broker_config {
    const char *servers; /* "host:port,host:port" */
    size_t n_options;
    const struct broker_option *option;
    size_t queue_bytes; /* of messages that are not acknowledged yet */
    int64_t answer_ms;  /* how long a cluster may take to say something */
    /* Whether brokers make and describe topics when they are told to: since
     * 0.11. Those before make one whose name is asked for, if at all. */
    bool admin;
    bool (*go_on)(void *ctx); /* asked while it waits; may be NULL */
    void *ctx;
};

struct broker;

/* Nothing is connected to yet. BAD_PARAM: an option that librdkafka does not
 * take; NOMEM. No text holds a password. */
enum err broker_open(const struct broker_config *c, struct broker **out,
                     char why[WHY_BYTES]) MUST_USE;
/* What was not delivered is dropped. */
void broker_close(struct broker *b);

struct broker_topic_plan {
    bool create;
    unsigned partitions, replicas;
};
struct rd_kafka_topic_s;
struct broker_topic {
    struct rd_kafka_topic_s *handle; /* broker_topic_end gives it back, before
                                      * the broker is closed */
    uint32_t partitions;
    int64_t message_bytes;    /* the topic's own limit; 0: not told */
    int64_t replicas_in_sync; /* that it asks for; 0: not told */
};
/* What the cluster says of the topic, which is made when it is not there and
 * the plan says so. NOT_FOUND; DENIED; PEER, TIMEOUT; STATE: go_on. */
enum err broker_topic(struct broker *b, const char *topic,
                      const struct broker_topic_plan *plan,
                      struct broker_topic *out, char why[WHY_BYTES]) MUST_USE;
void broker_topic_end(struct rd_kafka_topic_s *handle);

/* A copy of it is queued; waits while the queue is full. LIMIT: larger than
 * the cluster takes. Otherwise the failure of an earlier one. */
enum err broker_send(struct broker *b, struct rd_kafka_topic_s *topic,
                     uint32_t partition, struct span key, struct span value,
                     bool no_value, char why[WHY_BYTES]) MUST_USE;

/* Until all are acknowledged. */
enum err broker_wait(struct broker *b, char why[WHY_BYTES]) MUST_USE;

/* Messages that were acknowledged, since it was opened. */
uint64_t broker_delivered(const struct broker *b);

#endif
