/* Change data into a message queue: rows by their dispatchers to topics and
 * partitions, encoded, batched, sent in order; statements and watermarks to
 * where all consumers see them. What mq_flush has answered OK to is
 * acknowledged by the brokers. After a failure a queue is opened anew, and what
 * was not acknowledged is given again.
 *
 * One thread uses a queue. */
#ifndef TICDC_MQ_H
#define TICDC_MQ_H

#include "blob.h"
#include "my.h"
#include "ticdc/encode/encode.h"
#include "ticdc/encode/route.h"
#include "ticdc/mq/broker.h"
#include "ticdc/rules/filter.h"
#include "ticdc/rules/zone.h"

struct mq_rule {
    const struct filter *takes;
    const char *topic; /* an expression; NULL: the default topic */
    struct route route;
};

/* Which columns messages of some tables have. */
struct mq_pick {
    const struct filter *takes, *columns;
};

enum mq_large { MQ_REFUSES, MQ_HANDLE_ONLY, MQ_CLAIM_CHECK };

/* All texts live as long as the queue. */
struct mq_config {
    struct broker_config broker;
    struct broker_topic_plan plan; /* partitions: 0 is what the topic has, and
                                    * 3 of one that is made */
    const char *topic;
    size_t n_rules; /* the first that takes a table decides */
    const struct mq_rule *rule;
    size_t n_picks; /* likewise; all columns of a table that none takes */
    const struct mq_pick *pick;
    struct encode_config encode;
    enum mq_large large;
    struct blob_store *claims;      /* of CLAIM_CHECK */
    const char *claim_url;          /* "file:///claims" */
    struct zone_choice zone;        /* of TIMESTAMPs */
    const struct my_server *source; /* asked what tables have beside the log;
                                     * NULL: it is not */
    const char *registry;           /* of avro: its URL */
};

/* Why not: a code of TiCDC, static; `again` may help. */
struct mq_failure {
    enum err err;
    bool again;
    const char *code;
    char why[WHY_BYTES];
};

struct mq;
/* NULL without memory. c has to live as long as it does. */
struct mq *mq_new(const struct mq_config *c);
void mq_free(struct mq *q);

/* Connects and looks at the default topic; anew after a failure. */
enum err mq_open(struct mq *q) MUST_USE;
enum err mq_row(struct mq *q, struct binlog_table *def, enum binlog_kind kind,
                const struct binlog_row *row, uint64_t commit_ts) MUST_USE;
/* Everything that was given is acknowledged. */
enum err mq_flush(struct mq *q) MUST_USE;
/* A statement, acknowledged when this answers OK; sql in UTF-8. table: "" of
 * one about a schema. */
enum err
mq_ddl(struct mq *q, const char *schema, const char *table, const char *sql,
       uint64_t sql_mode, uint64_t commit_ts) MUST_USE;
/* Whether watermarks go to topics that depend on tables: then each table of the
 * changefeed is told by mq_knows, before mq_resolved. */
bool mq_by_table(const struct mq *q);
/* A table that another may write: its topic gets watermarks from now on, and is
 * made when that may be. */
enum err mq_knows(struct mq *q, const char *schema, const char *table) MUST_USE;
/* All of the changefeed is written up to ts, by whoever writes it: told to each
 * partition of each topic that is known. */
enum err mq_resolved(struct mq *q, uint64_t ts) MUST_USE;

const struct mq_failure *mq_failure_of(const struct mq *q);
uint64_t mq_messages(const struct mq *q);

#endif
