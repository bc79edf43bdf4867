/* Rows into topics: of librdkafka's own cluster, in this process, which can be
 * told to fail. What has arrived is read by a consumer of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers/ticdc/encode/made_tables.h"
#include "hex.h"
#include "ticdc/mq/mq.h"

#define TS         UINT64_C(415508878783938562)
#define PARTITIONS 4
#define PRODUCE    0 /* the request's number in Kafka's protocol */

static const struct made columns[] = {
    { .name = "id", .type = BINLOG_LONG, .is_key = true },
    { .name = "val",
      .type = BINLOG_BLOB,
      META("\2"),
      .collation = UTF8MB4,
      .is_nullable = true },
};

static struct {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    char servers[256];
    struct binlog_table *def;
    struct broker_option options[8];
    struct mq_config c;
    struct mq *q;
    char topic[64];
} m;

static int64_t
built_at(void)
{
    return 0;
}

static unsigned topics;
static bool stops; /* whoever waits */

static int
begin(void **state)
{
    static const struct broker_option options[] = {
        { "enable.idempotence", "true" },  { "acks", "all" },
        { "message.timeout.ms", "30000" }, { "linger.ms", "1" },
        { "retry.backoff.ms", "10" },
    };

    (void)state;
    memcpy(m.options, options, sizeof(options));
    (void)snprintf(m.topic, sizeof(m.topic), "topic%u", ++topics);
    assert_int_equal(
        rd_kafka_mock_topic_create(m.cluster, m.topic, PARTITIONS, 3), 0);
    m.c = (struct mq_config){
        .broker = { .servers = m.servers,
                    .n_options = COUNT(options),
                    .option = m.options,
                    .queue_bytes = 16u << 20,
                    .answer_ms = 20000 },
        .plan = { .replicas = 3 },
        .topic = m.topic,
        .encode = { .protocol = ENCODE_CANAL_JSON,
                    .message_bytes = 1 << 20,
                    .batch = 16,
                    .tidb_extension = true,
                    .namespace = "default",
                    .now_ms = built_at },
    };
    return 0;
}

static int
end(void **state)
{
    (void)state;
    mq_free(m.q);
    m.q = NULL;
    stops = false;
    for (int32_t i = 1; i <= 3; i++)
        rd_kafka_mock_broker_set_up(m.cluster, i);
    return 0;
}

static void
ok(enum err e)
{
    if (e != ERR_OK)
        fail_msg("%s: %s", mq_failure_of(m.q)->code, mq_failure_of(m.q)->why);
}

static void
open_mq(void)
{
    m.q = mq_new(&m.c);
    assert_non_null(m.q);
    ok(mq_open(m.q));
}

/* ---- rows ---- */

static enum err
give(enum binlog_kind kind, int64_t from, int64_t to, const char *val,
     uint64_t ts)
{
    struct binlog_value a[] = {
        I(from), { .form = BINLOG_BYTES, .n = (uint32_t)strlen(val), .p = val }
    };
    struct binlog_value b[] = { I(to), a[1] };
    struct binlog_row row = { kind == BINLOG_INSERT ? NULL : a,
                              kind == BINLOG_DELETE ? NULL : b };

    return mq_row(m.q, m.def, kind, &row, ts);
}

static void
insert(int64_t id, uint64_t ts)
{
    ok(give(BINLOG_INSERT, 0, id, "v", ts));
}

/* ---- what has arrived ---- */

struct arrived {
    size_t n;
    struct {
        char *p;
        size_t n;
        char *key;
        size_t key_n;
    } v[5000];
};
static struct arrived arrived[PARTITIONS];

static void
forget_arrived(void)
{
    for (size_t i = 0; i < PARTITIONS; i++) {
        for (size_t k = 0; k < arrived[i].n; k++) {
            free(arrived[i].v[k].p);
            free(arrived[i].v[k].key);
        }
        arrived[i].n = 0;
    }
}

static char *
copy_of(const void *p, size_t n)
{
    char *out = calloc(1, n + 1);

    assert_non_null(out);
    if (n > 0)
        memcpy(out, p, n);
    return out;
}

static void
keep(const rd_kafka_message_t *msg)
{
    struct arrived *to = &arrived[msg->partition];

    assert_true(to->n < COUNT(to->v));
    to->v[to->n].p = copy_of(msg->payload, msg->len);
    to->v[to->n].n = msg->len;
    to->v[to->n].key = copy_of(msg->key, msg->key_len);
    to->v[to->n++].key_n = msg->key_len;
}

/* All that there is, to the end of each partition. */
static size_t
read_topic(const char *topic)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *t;
    rd_kafka_t *rk;
    size_t n = 0;

    forget_arrived();
    rd_kafka_conf_set(conf, "bootstrap.servers", m.servers, why, sizeof(why));
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof(why));
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "5", why, sizeof(why));
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    assert_non_null(rk);
    queue = rd_kafka_queue_new(rk);
    t = rd_kafka_topic_new(rk, topic, NULL);
    for (int32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(rd_kafka_consume_start_queue(
                             t, i, RD_KAFKA_OFFSET_BEGINNING, queue),
                         0);
    for (size_t ends = 0; ends < PARTITIONS;) {
        rd_kafka_message_t *msg = rd_kafka_consume_queue(queue, 30000);

        assert_non_null(msg);
        if (msg->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (msg->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            keep(msg);
            n++;
        }
        rd_kafka_message_destroy(msg);
    }
    for (int32_t i = 0; i < PARTITIONS; i++)
        (void)rd_kafka_consume_stop(t, i);
    rd_kafka_topic_destroy(t);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return n;
}

static uint32_t
partition_of(const char *route, int64_t id)
{
    struct encode_table *t = NULL;
    struct binlog_value v[] = { I(id), B("v") };
    struct encode_event ev = { .kind = BINLOG_INSERT, .after = v };
    struct route r = { .by = strcmp(route, "key") == 0 ? ROUTE_INDEX
                                                       : ROUTE_TABLE };
    uint32_t p;

    assert_int_equal(encode_table_new(m.def, NULL, NULL, 1, &t), ERR_OK);
    ev.table = t;
    p = route_partition(&r, &ev, PARTITIONS);
    encode_table_free(t);
    return p;
}

static bool
says(const char *text, const char *what)
{
    return strstr(text, what) != NULL;
}

/* ---- order, partitions ---- */

static void
rows_arrive_in_their_order(void **state)
{
    uint32_t p;

    (void)state;
    open_mq();
    for (int i = 0; i < 3000; i++)
        insert(i, TS + (uint64_t)i);
    ok(mq_flush(m.q));
    assert_int_equal(mq_messages(m.q), 3000);
    assert_int_equal(read_topic(m.topic), 3000);
    p = partition_of("table", 0);
    assert_int_equal(arrived[p].n, 3000);
    for (size_t i = 0; i < 3000; i++) {
        char want[64];

        (void)snprintf(want, sizeof(want), "\"data\":[{\"id\":\"%zu\",", i);
        assert_true(says(arrived[p].v[i].p, want));
        assert_int_equal(arrived[p].v[i].key_n, 0);
    }
}

static const struct filter *
everything(struct arena *a)
{
    static const char *const all[] = { "*.*" };
    const struct filter *f;
    char why[WHY_BYTES];

    assert_int_equal(filter_parse(a, all, 1, false, NULL, &f, why), ERR_OK);
    return f;
}

static void
an_update_of_the_key_is_two_messages(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct mq_rule rule = { .takes = everything(a),
                            .route = { .by = ROUTE_INDEX } };
    uint32_t from = partition_of("key", 1), to = partition_of("key", 2);

    (void)state;
    m.c.n_rules = 1;
    m.c.rule = &rule;
    open_mq();
    assert_true(from != to);
    insert(1, TS);
    ok(give(BINLOG_UPDATE, 1, 2, "v", TS + 1));
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 3);
    assert_int_equal(arrived[from].n, 2);
    assert_true(says(arrived[from].v[1].p, "\"type\":\"DELETE\""));
    assert_int_equal(arrived[to].n, 1);
    assert_true(says(arrived[to].v[0].p, "\"type\":\"INSERT\""));
    arena_free(a);
}

static void
a_topic_of_its_own_is_made_for_a_table(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct mq_rule rule = { .takes = everything(a),
                            .topic = "own.{schema}_{table}" };

    (void)state;
    m.c.n_rules = 1;
    m.c.rule = &rule;
    m.c.plan.create = true;
    open_mq();
    insert(1, TS);
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 0);
    assert_int_equal(read_topic("own.test_t1"), 1);
    arena_free(a);
}

/* ---- columns ---- */

static struct mq_pick
pick_of(struct arena *a, const char *column)
{
    struct mq_pick p = { .takes = everything(a) };
    char why[WHY_BYTES];

    assert_int_equal(filter_parse_columns(a, &column, 1, &p.columns, why),
                     ERR_OK);
    return p;
}

static bool
has_bytes(const char *p, size_t n, const char *what)
{
    return memmem(p, n, what, strlen(what)) != NULL;
}

static void
columns_that_are_not_picked_are_in_no_message(void **state)
{
    static const enum encode_protocol protocols[] = { ENCODE_CANAL_JSON,
                                                      ENCODE_OPEN, ENCODE_CANAL,
                                                      ENCODE_MAXWELL };
    struct arena *a = arena_new(1 << 20);
    struct mq_pick pick = pick_of(a, "I?");
    uint32_t p = partition_of("table", 0);

    (void)state;
    m.c.n_picks = 1;
    m.c.pick = &pick;
    m.c.encode.batch = 1;
    for (size_t i = 0; i < COUNT(protocols); i++) {
        m.c.encode.protocol = protocols[i];
        open_mq();
        ok(give(BINLOG_INSERT, 0, 1, "secret", TS));
        ok(give(BINLOG_UPDATE, 1, 1, "secret", TS + 1));
        ok(give(BINLOG_DELETE, 1, 0, "secret", TS + 2));
        ok(mq_flush(m.q));
        mq_free(m.q);
        m.q = NULL;
    }
    assert_int_equal(read_topic(m.topic), 3 * COUNT(protocols));
    for (size_t i = 0; i < arrived[p].n; i++) {
        const char *at = arrived[p].v[i].p;
        size_t n = arrived[p].v[i].n;

        assert_true(has_bytes(at, n, "id"));
        assert_false(has_bytes(at, n, "val\"") || has_bytes(at, n, "secret") ||
                     has_bytes(at, n, "c2VjcmV0"));
    }
    arena_free(a);
}

static void
refuses_row(const char *why)
{
    open_mq();
    assert_int_equal(give(BINLOG_INSERT, 0, 1, "v", TS), ERR_BAD_PARAM);
    assert_string_equal(mq_failure_of(m.q)->code,
                        "CDC:ErrColumnSelectorFailed");
    assert_true(says(mq_failure_of(m.q)->why, why));
    assert_false(mq_failure_of(m.q)->again);
    mq_free(m.q);
    m.q = NULL;
}

static void
nor_may_they_be_needed(void **state)
{
    static const char *const val = "val";
    struct arena *a = arena_new(1 << 20);
    struct mq_rule rule = {
        .takes = everything(a),
        .route = { .by = ROUTE_COLUMNS, .n_columns = 1, .column = &val }
    };
    struct mq_pick pick = pick_of(a, "val");

    (void)state;
    m.c.n_picks = 1;
    m.c.pick = &pick;
    refuses_row("test.t1");
    pick = pick_of(a, "id");
    m.c.n_rules = 1;
    m.c.rule = &rule;
    refuses_row("column: val");
    pick = pick_of(a, "*");
    open_mq();
    insert(1, TS);
    ok(mq_flush(m.q));
    arena_free(a);
}

/* ---- statements, watermarks ---- */

static void
statements_and_watermarks_go_where_all_see_them(void **state)
{
    (void)state;
    open_mq();
    ok(mq_ddl(m.q, "test", "t1", "CREATE TABLE t1 (id INT)", 0, TS));
    ok(mq_resolved(m.q, TS));
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 1 + PARTITIONS);
    assert_true(says(arrived[0].v[0].p, "\"isDdl\":true,\"type\":\"CREATE\""));
    for (size_t i = 1; i < PARTITIONS; i++) {
        assert_int_equal(arrived[i].n, 1);
        assert_true(says(arrived[i].v[0].p, "TIDB_WATERMARK"));
    }
    mq_free(m.q);
    m.c.encode.protocol = ENCODE_OPEN;
    open_mq();
    ok(mq_ddl(m.q, "test", "", "DROP DATABASE test", 0, TS + 1));
    assert_int_equal(read_topic(m.topic), 1 + 2 * PARTITIONS);
    assert_true(
        says(arrived[3].v[1].p + 8, "{\"q\":\"DROP DATABASE test\",\"t\":2}"));
}

static void
a_topic_of_anothers_table_gets_watermarks_too(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct mq_rule rule = { .takes = everything(a),
                            .topic = "seen.{schema}_{table}" };

    (void)state;
    m.c.n_rules = 1;
    m.c.rule = &rule;
    m.c.plan.create = true;
    open_mq();
    assert_true(mq_by_table(m.q));
    ok(mq_knows(m.q, "test", "t2"));
    ok(mq_knows(m.q, "test", "t2"));
    ok(mq_resolved(m.q, TS));
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), PARTITIONS);
    assert_int_equal(read_topic("seen.test_t2"), PARTITIONS);
    for (size_t i = 0; i < PARTITIONS; i++)
        assert_true(says(arrived[i].v[0].p, "TIDB_WATERMARK"));
    mq_free(m.q);
    m.c.encode.tidb_extension = false; /* then there are none */
    open_mq();
    assert_false(mq_by_table(m.q));
    mq_free(m.q);
    rule.topic = NULL;
    m.c.encode.protocol = ENCODE_OPEN;
    open_mq();
    assert_false(mq_by_table(m.q));
    arena_free(a);
}

/* ---- faults ---- */

static void
brokers_that_are_not_leaders_do_not_change_the_order(void **state)
{
    rd_kafka_resp_err_t errors[20];
    uint32_t p = partition_of("table", 0);

    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++)
        errors[i] = i % 2 ? RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
                          : RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
    open_mq();
    for (int i = 0; i < 2000; i++) {
        if (i % 500 == 100)
            rd_kafka_mock_push_request_errors_array(m.cluster, PRODUCE,
                                                    COUNT(errors) / 4, errors);
        insert(i, TS + (uint64_t)i);
    }
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 2000);
    for (size_t i = 0; i < 2000; i++) {
        char want[64];

        (void)snprintf(want, sizeof(want), "\"data\":[{\"id\":\"%zu\",", i);
        assert_true(says(arrived[p].v[i].p, want));
    }
}

static void
what_is_not_acknowledged_is_not_flushed(void **state)
{
    (void)state;
    open_mq();
    insert(1, TS);
    ok(mq_flush(m.q));
    for (int i = 0; i < 3; i++) /* whichever broker leads */
        rd_kafka_mock_push_request_errors(
            m.cluster, PRODUCE, 1,
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    insert(2, TS + 1);
    assert_int_equal(mq_flush(m.q), ERR_DENIED);
    assert_true(mq_failure_of(m.q)->again);
    assert_string_equal(mq_failure_of(m.q)->code,
                        "CDC:ErrKafkaAsyncSendMessage");
    assert_int_equal(mq_flush(m.q), ERR_DENIED); /* it stays so */
    rd_kafka_mock_clear_request_errors(m.cluster, PRODUCE);
    ok(mq_open(m.q));
    insert(2, TS + 1);
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 2);
}

static bool
goes_on(void *ctx)
{
    (void)ctx;
    return !stops;
}

static void
a_wait_ends_when_it_is_told_to(void **state)
{
    (void)state;
    m.c.broker.go_on = goes_on;
    open_mq();
    for (int32_t i = 1; i <= 3; i++)
        rd_kafka_mock_broker_set_down(m.cluster, i);
    insert(1, TS);
    stops = true;
    assert_int_equal(mq_flush(m.q), ERR_STATE);
}

static void
refuses(enum err e, const char *code, bool again)
{
    m.q = mq_new(&m.c);
    assert_non_null(m.q);
    assert_int_equal(mq_open(m.q), e);
    assert_string_equal(mq_failure_of(m.q)->code, code);
    assert_int_equal(mq_failure_of(m.q)->again, again);
    mq_free(m.q);
    m.q = NULL;
}

static void
what_is_wrong_is_told_when_it_is_opened(void **state)
{
    struct sockaddr_in sa = { .sin_family = AF_INET };
    socklen_t n = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char dead[64];

    (void)state;
    m.c.topic = "none.such";
    refuses(ERR_NOT_FOUND, "CDC:ErrKafkaNewProducer", true);
    m.c.topic = m.topic;
    m.c.plan.partitions = PARTITIONS + 1;
    refuses(ERR_BAD_PARAM, "CDC:ErrKafkaInvalidPartitionNum", false);
    m.c.plan.partitions = 0;
    m.options[0] = (struct broker_option){ "sasl.mechanisms", "NONE SUCH" };
    refuses(ERR_BAD_PARAM, "CDC:ErrKafkaInvalidConfig", false);
    m.options[0] = (struct broker_option){ "client.id", "x" };
    /* a port where nobody listens, as long as we hold it */
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
    (void)snprintf(dead, sizeof(dead), "127.0.0.1:%u", ntohs(sa.sin_port));
    m.c.broker.servers = dead;
    m.c.broker.answer_ms = 300;
    m.q = mq_new(&m.c);
    assert_true(mq_open(m.q) != ERR_OK);
    assert_true(mq_failure_of(m.q)->again);
    (void)close(fd);
    /* where no connection may go to */
    mq_free(m.q);
    m.c.broker.servers = "169.254.169.254:9092";
    m.q = mq_new(&m.c);
    for (int i = 0; i < 100 && mq_open(m.q) != ERR_DENIED; i++)
        ; /* it did not come to connecting in that time */
    assert_int_equal(mq_failure_of(m.q)->err, ERR_DENIED);
}

/* That of this process; whoever waits here waits for an hour. */
static void
a_cluster_without_a_controller_is_not_waited_for(void **state)
{
    (void)state;
    m.c.broker.admin = true;
    m.c.broker.answer_ms = 3600000;
    open_mq();
    insert(1, TS);
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 1);
}

/* ---- large messages ---- */

static char long_text[4000];

static void
a_message_that_is_too_large_is_refused(void **state)
{
    (void)state;
    m.c.encode.message_bytes = 2000;
    open_mq();
    insert(1, TS);
    assert_int_equal(give(BINLOG_INSERT, 0, 2, long_text, TS), ERR_LIMIT);
    assert_string_equal(mq_failure_of(m.q)->code, "CDC:ErrMessageTooLarge");
    assert_false(mq_failure_of(m.q)->again);
}

static void
or_has_its_key_only(void **state)
{
    uint32_t p = partition_of("table", 0);

    (void)state;
    m.c.encode.message_bytes = 2000;
    m.c.large = MQ_HANDLE_ONLY;
    open_mq();
    ok(give(BINLOG_INSERT, 0, 2, long_text, TS));
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 1);
    assert_true(says(arrived[p].v[0].p, "\"data\":[{\"id\":\"2\"}]"));
    assert_true(says(arrived[p].v[0].p, "\"onlyHandleKey\":true"));
}

static void
or_lies_in_a_store(void **state)
{
    char folder[] = "/tmp/mq_test.XXXXXX", url[64], why[WHY_BYTES], *name;
    struct arena *a = arena_new(4 << 20);
    struct blob_config bc = { .url = url };
    uint32_t p = partition_of("table", 0);
    const char *text;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(url, sizeof(url), "file://%s", folder);
    assert_int_equal(blob_open(a, &bc, &m.c.claims, why), ERR_OK);
    m.c.claim_url = url;
    m.c.encode.message_bytes = 2000;
    m.c.large = MQ_CLAIM_CHECK;
    open_mq();
    ok(give(BINLOG_INSERT, 0, 2, long_text, TS));
    ok(mq_flush(m.q));
    assert_int_equal(read_topic(m.topic), 1);
    name = strstr(arrived[p].v[0].p, "\"claimCheckLocation\":\"file://");
    assert_non_null(name);
    name = strstr(name, folder) + strlen(folder) + 1;
    *strchr(name, '"') = '\0';
    assert_int_equal(blob_text(m.c.claims, a, name, &text, why), ERR_OK);
    assert_memory_equal(text, "{\"key\":null,\"value\":\"eyJpZCI6MCwi", 33);
    assert_true(strlen(text) > sizeof(long_text));
    (void)snprintf(url, sizeof(url), "%s/%s", folder, name);
    assert_int_equal(unlink(url), 0);
    (void)rmdir(folder);
    arena_free(a);
}

/* ---- the cluster ---- */

static int
make_cluster(void **state)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    m.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    m.cluster = rd_kafka_mock_cluster_new(m.rk, 3);
    if (m.cluster == NULL || my_library_begin() != ERR_OK)
        return -1;
    (void)snprintf(m.servers, sizeof(m.servers), "%s",
                   rd_kafka_mock_cluster_bootstraps(m.cluster));
    m.def = made_table("test", "t1", columns, COUNT(columns));
    return 0;
}

static int
end_cluster(void **state)
{
    (void)state;
    forget_arrived();
    binlog_table_let_go(m.def);
    rd_kafka_mock_cluster_destroy(m.cluster);
    rd_kafka_destroy(m.rk);
    my_library_end();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_arrive_in_their_order),
        TEST(an_update_of_the_key_is_two_messages),
        TEST(a_topic_of_its_own_is_made_for_a_table),
        TEST(columns_that_are_not_picked_are_in_no_message),
        TEST(nor_may_they_be_needed),
        TEST(statements_and_watermarks_go_where_all_see_them),
        TEST(a_topic_of_anothers_table_gets_watermarks_too),
        TEST(brokers_that_are_not_leaders_do_not_change_the_order),
        TEST(what_is_not_acknowledged_is_not_flushed),
        TEST(a_wait_ends_when_it_is_told_to),
        TEST(what_is_wrong_is_told_when_it_is_opened),
        TEST(a_cluster_without_a_controller_is_not_waited_for),
        TEST(a_message_that_is_too_large_is_refused),
        TEST(or_has_its_key_only),
        TEST(or_lies_in_a_store),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, make_cluster, end_cluster);
}
