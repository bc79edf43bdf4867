/* From rows to messages in topics: which, in which order, and what becomes of
 * those that are too large. */
#include "mq.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "hex.h"
#include "log.h"
#include "registry.h"
#include "ticdc/encode/action.h"

#define TABLES_MAX  4096
#define CLAIM_BYTES ((size_t)1 << 31)
#define TOPIC_SPARE 128 /* what a topic's own limit needs beside messages */
#define PARTITIONS  3   /* of a topic that is made */

struct topic {
    struct topic *next;
    struct rd_kafka_topic_s *handle;
    char name[ROUTE_TOPIC_MAX];
    uint32_t partitions;
    struct encode_batch *batch; /* each partition's */
};

/* A definition, with where its rows go. */
struct target {
    struct target *next;
    struct encode_table *table;
    struct topic *topic;
    struct route route;
};

struct mq {
    const struct mq_config *c;
    struct broker *broker;
    struct encoder *encoder;
    struct encode_values *values;
    struct registry *registry;
    struct describer *describer;
    struct topic *topics;
    struct target *targets;
    size_t n_targets;
    struct mq_failure failure;
};

static enum err fail(struct mq *q, enum err e, bool again, const char *code,
                     const char *fmt, ...) PRINTF_LIKE(5, 6);

static enum err
fail(struct mq *q, enum err e, bool again, const char *code, const char *fmt,
     ...)
{
    va_list ap;

    q->failure = (struct mq_failure){ .err = e, .again = again, .code = code };
    va_start(ap, fmt);
    (void)vsnprintf(q->failure.why, sizeof(q->failure.why), fmt, ap);
    va_end(ap);
    return e;
}

/* What the brokers said. */
static enum err
refused(struct mq *q, enum err e, const char *code, const char *why)
{
    if (e == ERR_LIMIT)
        code = "CDC:ErrMessageTooLarge";
    return fail(q, e, e != ERR_LIMIT && e != ERR_BAD_PARAM, code, "%.3500s",
                why);
}

const struct mq_failure *
mq_failure_of(const struct mq *q)
{
    return &q->failure;
}

uint64_t
mq_messages(const struct mq *q)
{
    return q->broker != NULL ? broker_delivered(q->broker) : 0;
}

/* ---- topics ---- */

static void
topic_free(struct topic *t)
{
    for (uint32_t i = 0; t->batch != NULL && i < t->partitions; i++)
        encode_batch_free(&t->batch[i]);
    free(t->batch);
    broker_topic_end(t->handle);
    free(t);
}

static enum err
judge_topic(struct mq *q, const char *name, const struct broker_topic *t)
{
    unsigned want = q->c->plan.partitions;

    if (want > t->partitions)
        return fail(q, ERR_BAD_PARAM, false, "CDC:ErrKafkaInvalidPartitionNum",
                    "the number of partition (%u) specified in sink-uri is "
                    "more than that of topic %s (%u)",
                    want, name, t->partitions);
    if (t->replicas_in_sync > (int64_t)q->c->plan.replicas && q->c->plan.create)
        log_info("kafka.topic topic=%s min_insync=%lld replication_factor=%u",
                 name, (long long)t->replicas_in_sync, q->c->plan.replicas);
    if (t->message_bytes > TOPIC_SPARE)
        encoder_lower_limit(q->encoder, (size_t)t->message_bytes - TOPIC_SPARE);
    return ERR_OK;
}

static enum err
open_topic(struct mq *q, const char *name, struct topic **out)
{
    struct broker_topic_plan plan = q->c->plan;
    struct broker_topic told;
    struct topic *t;
    char why[WHY_BYTES] = "";
    enum err e;

    if (plan.partitions == 0)
        plan.partitions = PARTITIONS;
    e = broker_topic(q->broker, name, &plan, &told, why);
    if (e != ERR_OK)
        return refused(q, e, "CDC:ErrKafkaNewProducer", why);
    e = judge_topic(q, name, &told);
    t = e == ERR_OK ? calloc(1, sizeof(*t)) : NULL;
    if (t == NULL) {
        broker_topic_end(told.handle);
        return e != ERR_OK ? e
                           : fail(q, ERR_NOMEM, true,
                                  "CDC:ErrInternalServerError", "no memory");
    }
    t->handle = told.handle;
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    t->partitions =
        q->c->plan.partitions != 0 ? q->c->plan.partitions : told.partitions;
    t->batch = calloc(t->partitions, sizeof(*t->batch));
    if (t->batch == NULL) {
        topic_free(t);
        return fail(q, ERR_NOMEM, true, "CDC:ErrInternalServerError",
                    "no memory");
    }
    for (uint32_t i = 0; i < t->partitions; i++)
        encode_batch_init(&t->batch[i]);
    t->next = q->topics;
    q->topics = t;
    *out = t;
    return ERR_OK;
}

static enum err
topic_of(struct mq *q, const char *name, struct topic **out)
{
    for (struct topic *t = q->topics; t != NULL; t = t->next)
        if (strcmp(t->name, name) == 0) {
            *out = t;
            return ERR_OK;
        }
    return open_topic(q, name, out);
}

static const struct mq_rule *
rule_of(const struct mq *q, const char *schema, const char *table)
{
    for (size_t i = 0; i < q->c->n_rules; i++)
        if (filter_takes(q->c->rule[i].takes, schema, table))
            return &q->c->rule[i];
    return NULL;
}

static enum err
topic_of_table(struct mq *q, const char *schema, const char *table,
               struct topic **out)
{
    const struct mq_rule *r = rule_of(q, schema, table);
    char name[ROUTE_TOPIC_MAX];

    route_topic(r != NULL && !str_empty(r->topic) ? r->topic : q->c->topic,
                schema, table, name);
    return topic_of(q, name, out);
}

/* ---- definitions ---- */

static void
forget_targets(struct mq *q)
{
    while (q->targets != NULL) {
        struct target *t = q->targets;

        q->targets = t->next;
        encode_table_free(t->table);
        free(t);
    }
    q->n_targets = 0;
}

static const struct filter *
picked(const struct mq *q, const struct binlog_table *def)
{
    for (size_t i = 0; i < q->c->n_picks; i++)
        if (filter_takes(q->c->pick[i].takes, def->schema, def->name))
            return q->c->pick[i].columns;
    return NULL;
}

static bool
takes_column(const void *ctx, const char *column)
{
    return ctx == NULL || filter_takes_column(ctx, column);
}

/* What is left out has to be needed by nobody. */
static enum err
check_target(struct mq *q, const struct target *t)
{
    const struct route *r = &t->route;
    char why[WHY_BYTES] = "";
    enum err e = route_check(r, t->table, why);

    if (e != ERR_OK)
        return fail(q, e, false, "CDC:ErrDispatcherFailed", "%.3000s", why);
    for (size_t i = 0; r->by == ROUTE_COLUMNS && i < r->n_columns; i++)
        if (t->table->column[encode_column_of(t->table, r->column[i])]
                .is_left_out)
            return fail(q, ERR_BAD_PARAM, false, "CDC:ErrColumnSelectorFailed",
                        "the filtered out column is used in the column "
                        "dispatcher, table: %s.%s, column: %s",
                        t->table->schema, t->table->name, r->column[i]);
    if (t->table->lost_handle && q->c->n_picks > 0)
        return fail(q, ERR_BAD_PARAM, false, "CDC:ErrColumnSelectorFailed",
                    "no primary key columns or unique key columns obtained "
                    "after filter out, table: %s.%s",
                    t->table->schema, t->table->name);
    return ERR_OK;
}

static enum err
make_target(struct mq *q, struct binlog_table *def, uint64_t ts,
            struct target **out)
{
    const struct encode_pick pick = { takes_column, picked(q, def) };
    const struct mq_rule *r = rule_of(q, def->schema, def->name);
    struct target *t = calloc(1, sizeof(*t));
    enum err e;

    if (t == NULL)
        return fail(q, ERR_NOMEM, true, "CDC:ErrInternalServerError",
                    "no memory");
    e = encode_table_new(def, describe(q->describer, def->schema, def->name),
                         &pick, ts, &t->table);
    if (e != ERR_OK) {
        free(t);
        return fail(q, e, false, "CDC:ErrInternalServerError",
                    "the definition of %s.%s cannot be told: %s", def->schema,
                    def->name, err_name(e));
    }
    if (r != NULL)
        t->route = r->route;
    e = check_target(q, t);
    if (e == ERR_OK)
        e = topic_of_table(q, def->schema, def->name, &t->topic);
    if (e != ERR_OK) {
        encode_table_free(t->table);
        free(t);
        return e;
    }
    t->next = q->targets;
    q->targets = t;
    q->n_targets++;
    *out = t;
    return ERR_OK;
}

/* The one that was asked for last is the first. */
static enum err
target_of(struct mq *q, struct binlog_table *def, uint64_t ts,
          struct target **out)
{
    struct target **at = &q->targets;

    while (*at != NULL && (*at)->table->def != def)
        at = &(*at)->next;
    if (*at == NULL) {
        if (q->n_targets >= TABLES_MAX)
            forget_targets(q);
        return make_target(q, def, ts, out);
    }
    *out = *at;
    *at = (*out)->next;
    (*out)->next = q->targets;
    q->targets = *out;
    return ERR_OK;
}

/* ---- messages ---- */

static enum err
send_to(struct mq *q, const struct topic *t, uint32_t partition,
        const struct encode_piece *m)
{
    char why[WHY_BYTES] = "";
    enum err e = broker_send(q->broker, t->handle, partition, m->key, m->value,
                             m->no_value, why);

    return e == ERR_OK ? ERR_OK
                       : refused(q, e, "CDC:ErrKafkaAsyncSendMessage", why);
}

static enum err
send_batch(struct mq *q, struct topic *t, uint32_t partition)
{
    struct encode_batch *b = &t->batch[partition];
    struct encode_piece m;
    enum err e;

    if (b->n == 0)
        return ERR_OK;
    m = encode_batch_message(q->encoder, b);
    e = send_to(q, t, partition, &m);
    encode_batch_reset(b);
    return e;
}

static enum err
send_batches(struct mq *q)
{
    enum err e = ERR_OK;

    for (struct topic *t = q->topics; t != NULL; t = t->next)
        for (uint32_t i = 0; i < t->partitions && e == ERR_OK; i++)
            e = send_batch(q, t, i);
    return e;
}

static enum err
add_piece(struct mq *q, struct topic *t, uint32_t partition,
          const struct encode_piece *p)
{
    struct encode_batch *b = &t->batch[partition];
    enum err e = ERR_OK;

    if (!encode_batch_fits(q->encoder, b, p))
        e = send_batch(q, t, partition);
    if (e != ERR_OK)
        return e;
    e = encode_batch_add(q->encoder, b, p);
    return e == ERR_OK ? ERR_OK
                       : fail(q, e, true, "CDC:ErrInternalServerError",
                              "no memory for a message");
}

/* ---- rows ---- */

static enum err
encode_row(struct mq *q, const struct target *t, const struct encode_event *ev,
           struct encode_piece *out)
{
    enum err e = encoder_row(q->encoder, ev, t->topic->name, out);
    const char *why = q->registry != NULL ? registry_why(q->registry) : "";

    if (e == ERR_OK)
        return ERR_OK;
    if (!str_empty(why))
        return fail(q, e, err_may_retry(e), "CDC:ErrAvroSchemaAPIError",
                    "%.3000s", why);
    if (e == ERR_BAD_PARAM)
        return fail(q, e, false, "CDC:ErrAvroEncodeFailed",
                    "%s.%s has no key that a deleted row could be told by",
                    t->table->schema, t->table->name);
    return refused(q, e, "CDC:ErrInternalServerError",
                   "a row cannot be encoded");
}

static enum err
too_large(struct mq *q, const struct target *t, const struct encode_piece *p)
{
    return fail(q, ERR_LIMIT, false, "CDC:ErrMessageTooLarge",
                "message is too large. table: %s.%s, length: %zu",
                t->table->schema, t->table->name,
                p->key.n + p->value.n + ENCODE_MESSAGE_HEAD);
}

/* The whole message goes to a store; *out says where. */
static enum err
put_claim(struct mq *q, const struct encode_piece *p, char *out, size_t size)
{
    struct buf b = BUF_INIT(CLAIM_BYTES);
    char name[48], digits[33], why[WHY_BYTES] = "";
    struct json_writer w;
    enum err e = hex_random(digits, 16);

    jw_init(&w, &b, &json_compact);
    jw_object(&w);
    jw_key(&w, "key");
    if (p->key.n > 0)
        jw_base64(&w, p->key.p, p->key.n);
    else
        jw_null(&w);
    jw_key(&w, "value");
    jw_base64(&w, p->value.p, p->value.n);
    jw_object_end(&w);
    if (e == ERR_OK)
        e = buf_err(&b);
    if (e == ERR_OK) {
        (void)snprintf(name, sizeof(name), "%s.json", digits);
        (void)snprintf(out, size, "%s/%s", q->c->claim_url, name);
        e = blob_put_span(q->c->claims, name,
                          (struct span){ buf_text(&b), b.n }, false, why);
    }
    buf_free(&b);
    return e == ERR_OK
               ? ERR_OK
               : fail(q, e, true, "CDC:ErrExternalStorageAPI", "%.3000s", why);
}

static enum err
make_smaller(struct mq *q, const struct target *t, struct encode_event *ev,
             struct encode_piece *p)
{
    char claim[1024];
    enum err e;

    if (q->c->large == MQ_REFUSES || t->table->n_handle == 0)
        return too_large(q, t, p);
    if (q->c->large == MQ_CLAIM_CHECK) {
        e = put_claim(q, p, claim, sizeof(claim));
        if (e != ERR_OK)
            return e;
        ev->claim = claim;
    }
    ev->only_handle = true;
    e = encode_row(q, t, ev, p);
    ev->claim = NULL;
    if (e == ERR_OK && !encode_piece_fits(q->encoder, p))
        e = too_large(q, t, p);
    return e;
}

static enum err
put_event(struct mq *q, struct target *t, struct encode_event *ev)
{
    struct encode_piece p;
    enum err e = encode_row(q, t, ev, &p);

    if (e == ERR_OK && !encode_piece_fits(q->encoder, &p))
        e = make_smaller(q, t, ev, &p);
    if (e != ERR_OK)
        return e;
    return add_piece(q, t->topic,
                     route_partition(&t->route, ev, t->topic->partitions), &p);
}

/* An UPDATE as what its two partitions have to know of it. */
static enum err
put_split(struct mq *q, struct target *t, const struct encode_event *ev)
{
    struct encode_event half = *ev;
    enum err e;

    half.kind = BINLOG_DELETE;
    half.after = NULL;
    e = put_event(q, t, &half);
    if (e != ERR_OK)
        return e;
    half = *ev;
    half.kind = BINLOG_INSERT;
    half.before = NULL;
    return put_event(q, t, &half);
}

enum err
mq_row(struct mq *q, struct binlog_table *def, enum binlog_kind kind,
       const struct binlog_row *row, uint64_t commit_ts)
{
    struct encode_event ev;
    struct target *t = NULL;
    enum err e = target_of(q, def, commit_ts, &t);

    if (e != ERR_OK)
        return e;
    e = encode_values_of(q->values, t->table, kind, row, commit_ts, &ev);
    if (e != ERR_OK)
        return fail(q, e, false, "CDC:ErrInternalServerError",
                    "a row of %s.%s cannot be converted: %s", def->schema,
                    def->name, err_name(e));
    return route_splits(&t->route, &ev, t->topic->partitions)
               ? put_split(q, t, &ev)
               : put_event(q, t, &ev);
}

/* ---- flush, statements, watermarks ---- */

enum err
mq_flush(struct mq *q)
{
    char why[WHY_BYTES] = "";
    enum err e = send_batches(q);

    if (e != ERR_OK)
        return e;
    e = broker_wait(q->broker, why);
    return e == ERR_OK ? ERR_OK
                       : refused(q, e, "CDC:ErrKafkaAsyncSendMessage", why);
}

static enum err
broadcast(struct mq *q, const struct topic *t, const struct encode_piece *m,
          uint32_t partitions)
{
    enum err e = ERR_OK;

    for (uint32_t i = 0; i < partitions && e == ERR_OK; i++)
        e = send_to(q, t, i, m);
    return e;
}

static const struct encode_table *
known_table(const struct mq *q, const char *schema, const char *table)
{
    for (const struct target *t = q->targets; t != NULL; t = t->next)
        if (strcmp(t->table->schema, schema) == 0 &&
            strcmp(t->table->name, table) == 0)
            return t->table;
    return NULL;
}

enum err
mq_ddl(struct mq *q, const char *schema, const char *table, const char *sql,
       uint64_t sql_mode, uint64_t commit_ts)
{
    struct encode_ddl d = { .schema = schema,
                            .table = table,
                            .sql = sql,
                            .action = action_read(sql, strlen(sql), sql_mode),
                            .commit_ts = commit_ts,
                            .before = known_table(q, schema, table) };
    struct encode_piece m;
    struct topic *t;
    enum err e = mq_flush(q);

    if (e != ERR_OK)
        return e;
    e = encoder_ddl(q->encoder, &d, &m);
    if (e == ERR_OK) {
        e = str_empty(table) ? topic_of(q, q->c->topic, &t)
                             : topic_of_table(q, schema, table, &t);
        if (e == ERR_OK)
            e = broadcast(q, t, &m,
                          encoder_broadcasts(q->encoder) ? t->partitions : 1);
    } else if (e == ERR_NOT_FOUND) {
        e = ERR_OK;
    } else {
        e = refused(q, e, "CDC:ErrInternalServerError",
                    "a statement cannot be encoded");
    }
    forget_targets(q);
    return e == ERR_OK ? mq_flush(q) : e;
}

bool
mq_by_table(const struct mq *q)
{
    struct encode_piece m;
    bool by_rule = false;

    for (size_t i = 0; i < q->c->n_rules; i++)
        by_rule = by_rule || !str_empty(q->c->rule[i].topic);
    return by_rule && encoder_watermark(q->encoder, 1, &m) != ERR_NOT_FOUND;
}

enum err
mq_knows(struct mq *q, const char *schema, const char *table)
{
    struct topic *t;

    return topic_of_table(q, schema, table, &t);
}

enum err
mq_resolved(struct mq *q, uint64_t ts)
{
    struct encode_piece m;
    enum err e = encoder_watermark(q->encoder, ts, &m);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e != ERR_OK)
        return refused(q, e, "CDC:ErrInternalServerError",
                       "a watermark cannot be encoded");
    for (struct topic *t = q->topics; t != NULL && e == ERR_OK; t = t->next)
        e = broadcast(q, t, &m, t->partitions);
    return e;
}

/* ---- life ---- */

static void
forget(struct mq *q)
{
    forget_targets(q);
    while (q->topics != NULL) {
        struct topic *t = q->topics;

        q->topics = t->next;
        topic_free(t);
    }
    broker_close(q->broker);
    q->broker = NULL;
    encoder_free(q->encoder);
    q->encoder = NULL;
}

struct mq *
mq_new(const struct mq_config *c)
{
    struct mq *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->c = c;
    q->values = encode_values_new(&c->zone);
    q->describer = describer_new(c->source);
    if (!str_empty(c->registry))
        q->registry = registry_new(c->registry);
    if (q->values == NULL || q->describer == NULL ||
        (!str_empty(c->registry) && q->registry == NULL)) {
        mq_free(q);
        return NULL;
    }
    return q;
}

void
mq_free(struct mq *q)
{
    if (q == NULL)
        return;
    forget(q);
    encode_values_free(q->values);
    registry_free(q->registry);
    describer_free(q->describer);
    free(q);
}

enum err
mq_open(struct mq *q)
{
    struct encode_config encode = q->c->encode;
    struct topic *t;
    char why[WHY_BYTES] = "";
    enum err e;

    forget(q);
    encode.registers = registry_register;
    encode.ctx = q->registry;
    q->encoder = encoder_new(&encode);
    if (q->encoder == NULL)
        return fail(q, ERR_NOMEM, true, "CDC:ErrInternalServerError",
                    "no memory");
    e = broker_open(&q->c->broker, &q->broker, why);
    if (e != ERR_OK)
        return refused(q, e,
                       e == ERR_BAD_PARAM ? "CDC:ErrKafkaInvalidConfig"
                                          : "CDC:ErrKafkaNewProducer",
                       why);
    if (q->registry != NULL && registry_look(q->registry) != ERR_OK)
        return fail(q, ERR_PEER, true, "CDC:ErrAvroSchemaAPIError", "%.3000s",
                    registry_why(q->registry));
    return topic_of(q, q->c->topic, &t);
}
