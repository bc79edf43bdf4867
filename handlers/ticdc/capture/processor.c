#include "processor_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "place.h"
#include "ticdc/upstream.h"

#define FEED_BYTES   ((size_t)64 << 20)
#define STEP_BYTES   ((size_t)256 << 20)
#define STORE_MS     1000
#define QUOTA        ((size_t)256 << 20)
#define QUOTA_LEAST  ((size_t)16 << 20)
#define EVENT_MAX    ((size_t)1 << 30)
#define TABLES_MAX   10000
#define HEARTBEAT_MS 500
#define QUIET_S      10
#define RETRY_S      20 /* then it is the changefeed's error, told and timed */
#define GTIDS_BYTES  ((size_t)4 << 20)

enum err
processor_fail(struct processor *p, enum err e, const char *code,
               const char *fmt, ...)
{
    va_list ap;

    (void)snprintf(p->code, sizeof(p->code), "%s", code);
    va_start(ap, fmt);
    (void)vsnprintf(p->why, sizeof(p->why), fmt, ap);
    va_end(ap);
    return e;
}

enum err
processor_store_failed(struct processor *p, enum err e)
{
    return processor_fail(p, e, "CDC:ErrPDEtcdAPIError", "etcd api call error");
}

const char *
processor_position(struct processor *p, const struct binlog_gtids *s)
{
    struct buf text = BUF_INIT(GTIDS_BYTES);
    const char *out;

    binlog_gtids_print(s, &text);
    return buf_settle(&text, p->step, &out) == ERR_OK ? out : NULL;
}

bool
processor_wants(void *ctx, const char *schema, const char *table)
{
    struct processor *p = ctx;

    return filter_takes(p->filter, schema, table);
}

/* ---- a stream ---- */

size_t
processor_quota(const struct processor *p)
{
    uint64_t own = p->config.memory_quota;

    return own < QUOTA_LEAST ? QUOTA : own > SIZE_MAX / 2 ? QUOTA : (size_t)own;
}

static bool
may_write(void *ctx)
{
    struct processor *p = ctx;

    return capture_may_write(p->c) && strcmp(p->c->id, p->capture_id) == 0;
}

/* Topics of tables that another capture writes, or that nothing has been
 * written of since the sink was opened, are to be told as well. */
static void
tell_tables(struct processor *p)
{
    struct list_of_table_row t = { 0 };
    enum err e = rows_tables(p->db, p->step, p->feed, &t);

    for (size_t i = 0; i < t.n && e == ERR_OK; i++)
        if (t.v[i].table_id != DDL_SPAN && !t.v[i].dropped)
            e = p->outlet->ops->knows(p->outlet, t.v[i].schema_name,
                                      t.v[i].table_name);
    if (e != ERR_OK)
        log_warn("ticdc.resolved feed=%" PRIu64 " err=%s why=\"%.300s\"",
                 p->feed, err_name(e), p->outlet->failure.why);
}

/* The stored checkpoint is the whole changefeed's: no capture has anything to
 * write up to it any more. What a sink cannot do with it, it says at its next
 * flush. */
static void
tell_resolved(struct processor *p)
{
    struct ticdc_feed f;

    if (!p->has_span || p->outlet->ops->resolved == NULL)
        return;
    if (ticdc_feed_of(p->db, p->step, p->feed, &f) == ERR_OK &&
        f.epoch == p->epoch) {
        if (p->outlet->by_table)
            tell_tables(p);
        (void)p->outlet->ops->resolved(p->outlet, f.checkpoint_ts);
    }
    arena_reset(p->step);
}

struct work_row
processor_work(struct processor *p, const struct stream_progress *at)
{
    size_t most;

    return (struct work_row){
        .feed = p->feed,
        .epoch = p->epoch,
        .capture_id = p->capture_id,
        .gtid = processor_position(p, at->position),
        .checkpoint_ts = at->checkpoint,
        .resolved_ts = at->resolved,
        .row_count =
            p->row_count + atomic_load(&stream_counts(p->stream)->rows_written),
        .queue_bytes = stream_bytes(p->stream, &most),
        .quota_bytes = processor_quota(p),
    };
}

/* Without the store one goes on as long as the lease lasts; what the store has
 * is behind then, and that is what counts after a restart. A time that has to
 * be stored first does not pass meanwhile. */
static enum err
progress(void *ctx, const struct stream_progress *at)
{
    struct processor *p = ctx;
    int64_t now = clock_mono_ms();
    struct work_row w;
    enum err e;

    log_debug("ticdc.progress feed=%" PRIu64 " checkpoint=%" PRIu64
              " resolved=%" PRIu64 " idle=%d last=%d",
              p->feed, at->checkpoint, at->resolved, at->idle, at->last);
    if (!at->idle && now - p->stored_ms < STORE_MS)
        return ERR_OK;
    w = processor_work(p, at);
    e = w.gtid != NULL ? processor_note_xa(p, p->stream) : ERR_NOMEM;
    if (e == ERR_OK)
        e = rows_work_advance(p->db, &w);
    arena_reset(p->step);
    if (e == ERR_OK) {
        p->stored_ms = now;
        tell_resolved(p);
    }
    p->finished = p->finished || (at->last && e == ERR_OK);
    return e == ERR_STATE || (at->idle && !at->last) ? e : ERR_OK;
}

static const struct stream_ops ops = {
    .wants = processor_wants,
    .unknown = processor_unknown,
    .ddl = processor_ddl,
    .progress = progress,
    .may_write = may_write,
};

static void
show_stream(struct processor *p, struct stream *s)
{
    (void)pthread_mutex_lock(&p->lock);
    p->stream = s;
    if (s != NULL && (p->stop || p->told != p->signature))
        stream_stop(s);
    (void)pthread_mutex_unlock(&p->lock);
}

static void
log_stream(const struct processor *p, const struct stream *s)
{
    const struct stream_counts *c = stream_counts(s);
    size_t most;

    (void)stream_bytes(s, &most);
    log_info("ticdc.stream feed=%" PRIu64 " tables=%zu txns=%" PRIu64
             " rows=%" PRIu64 " ddls=%" PRIu64 " most=%zu spilled=%" PRIu64,
             p->feed, p->n_tables, atomic_load(&c->txns),
             atomic_load(&c->rows_written), atomic_load(&c->ddls), most,
             atomic_load(&c->bytes_spilled));
}

/* Until it ends; what has been written by then is kept. */
static enum err
run_one(struct processor *p, const struct stream_config *c)
{
    struct stream *s = stream_new(c, &ops, p);
    enum err e;

    if (s == NULL)
        return processor_fail(p, ERR_NOMEM, "CDC:ErrInternalServerError",
                              "no memory, or no position: %.200s", c->gtids);
    p->restart = false;
    show_stream(p, s);
    e = stream_run(s);
    show_stream(p, NULL);
    if (processor_note_xa(p, s) == ERR_OK)
        processor_keep(p, s);
    p->row_count += atomic_load(&stream_counts(s)->rows_written);
    log_stream(p, s);
    if (p->restart || e == ERR_OK)
        e = ERR_OK;
    else if (str_empty(p->code))
        (void)processor_fail(p, e, stream_failure(s)->code, "%s",
                             stream_failure(s)->why);
    p->fatal = stream_failure(s)->fatal;
    p->lost = stream_failure(s)->lost;
    stream_free(s);
    return e;
}

static enum err
run_stream(struct processor *p, struct begin *b)
{
    char folder[PLACE_BYTES];
    struct stream_config c = {
        .source = { .server = p->upstream,
                    .server_id = (uint32_t)p->server_id,
                    .heartbeat_ms = HEARTBEAT_MS,
                    .event_max = EVENT_MAX,
                    .tables_max = TABLES_MAX,
                    .retry_s = RETRY_S,
                    .describes = true },
        .clock = p->c->clock,
        .gtids = b->gtids,
        .ts = b->ts,
        .marks = b->marks,
        .n_marks = b->n_marks,
        .passes_ts = processor_passes(p, b->ts),
        .target_ts = p->row.target_ts,
        .tables = b->tables,
        .n_tables = p->n_tables,
        .finds = p->has_span,
        .ignore = p->ignore,
        .n_ignore = p->config.ignore_txn_start_ts.n,
        .sink = p->outlet,
        .quota = processor_quota(p),
        .folder = folder,
    };
    struct buf stored = BUF_INIT(GTIDS_BYTES);
    enum err e = processor_begin_xa(p, &c, &stored);

    if (e == ERR_OK && place_path(folder, sizeof(folder), "tmp") != ERR_OK)
        e = processor_fail(p, ERR_LIMIT, "CDC:ErrInternalServerError",
                           "the folder of what is spilled");
    if (e == ERR_OK)
        e = run_one(p, &c);
    buf_free(&stored);
    return e;
}

/* Until something else is told. */
static void
wait_told(struct processor *p)
{
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop && p->told == p->signature)
        (void)pthread_cond_wait(&p->changed, &p->lock);
    (void)pthread_mutex_unlock(&p->lock);
}

static enum err
go_on(struct processor *p)
{
    struct begin b = { 0 };
    bool turned = false;
    enum err e = ERR_OK;

    if (p->n_held == 0 || p->finished) {
        wait_told(p);
        return ERR_OK;
    }
    if (p->has_span && !p->listed)
        e = processor_snapshot(p, &turned);
    if (e != ERR_OK || turned)
        return e;
    e = processor_begin(p, &b);
    if (e == ERR_OK && p->has_span && !p->listed)
        e = processor_list_tables(p, b.gtids, b.ts);
    if (e == ERR_OK)
        e = run_stream(p, &b);
    processor_begin_free(&b);
    return e;
}

/* ---- the thread ---- */

static enum err
read_lists(struct processor *p, char why[WHY_BYTES])
{
    const struct ticdc_config *c = &p->config;
    const char **rules =
        arena_array(p->a, c->filter_rules.n + 1, sizeof(*rules));

    p->ignore =
        arena_array(p->a, c->ignore_txn_start_ts.n + 1, sizeof(*p->ignore));
    if (rules == NULL || p->ignore == NULL)
        return why_fail(why, ERR_NOMEM, "no memory");
    for (size_t i = 0; i < c->filter_rules.n; i++)
        rules[i] = c->filter_rules.v[i].v;
    for (size_t i = 0; i < c->ignore_txn_start_ts.n; i++)
        p->ignore[i] = c->ignore_txn_start_ts.v[i].v;
    return filter_parse(p->a, rules, c->filter_rules.n, c->case_sensitive,
                        db_database(), &p->filter, why);
}

static enum err
read_settings(struct processor *p)
{
    const struct sink_rules rules = ticdc_sink_rules();
    struct sink_fault fault = { .code = "" };
    char why[WHY_BYTES] = "";
    enum err e = ticdc_feed_of(p->db, p->a, p->feed, &p->row);

    if (e != ERR_OK || p->row.epoch != p->epoch)
        return e == ERR_OK || e == ERR_NOT_FOUND ? ERR_STATE
                                                 : processor_store_failed(p, e);
    e = ticdc_config_read(p->a, p->row.config, &p->config);
    if (e != ERR_OK)
        return processor_fail(p, e, "CDC:ErrInternalServerError",
                              "its configuration cannot be read");
    e = read_lists(p, why);
    if (e != ERR_OK)
        return processor_fail(p, e, "CDC:ErrFilterRuleInvalid", "%s", why);
    e = sink_settle(p->a, p->row.sink_uri, p->config.sink_config, &rules,
                    &p->sink, &fault);
    if (e != ERR_OK)
        return processor_fail(p, e, fault.code, "%s", fault.text);
    e = ticdc_upstream(p->a, &p->upstream, why);
    if (e != ERR_OK)
        return processor_fail(p, e, "CDC:ErrInternalServerError", "%s", why);
    p->upstream.read_timeout_s = QUIET_S;
    return processor_open_sink(p);
}

bool
processor_must_stop(struct processor *p)
{
    bool stop;

    (void)pthread_mutex_lock(&p->lock);
    stop = p->stop;
    (void)pthread_mutex_unlock(&p->lock);
    return stop || !may_write(p);
}

/* The failure, where clients see it; the state becomes what it makes of it. */
static enum err
store_failure(struct processor *p, const struct ticdc_feed *was)
{
    struct ticdc_feed f = *was;
    struct health h = ticdc_feed_health(&f);
    enum health_event event = p->lost    ? HEALTH_LOST
                              : p->fatal ? HEALTH_FATAL
                                         : HEALTH_ERROR;
    enum err e = ERR_OK;

    if (health_step(&h, event, f.checkpoint_ts, &health_defaults,
                    clock_unix_ms(), (uint64_t)clock_mono_us()))
        e = ticdc_feed_turn(p->db, &f, &h);
    if (e == ERR_OK)
        e = rows_feed_error(p->db, p->feed, p->code, p->why, p->c->address,
                            h.state == HEALTH_PENDING ? h.again_ms : 0);
    return e;
}

static void
tell_failure(struct processor *p, enum err why)
{
    struct ticdc_feed f;
    enum err e;

    log_warn("ticdc.feed feed=%" PRIu64 " epoch=%" PRIu64
             " err=%s code=%s why=\"%.1000s\"",
             p->feed, p->epoch, err_name(why), p->code, p->why);
    e = rows_feed_begin(p->db, p->feed, p->epoch);
    if (e == ERR_OK)
        e = ticdc_feed_of(p->db, p->step, p->feed, &f);
    if (e == ERR_OK)
        e = store_failure(p, &f);
    e = db_end(p->db, e);
    arena_reset(p->step);
    if (e != ERR_OK && e != ERR_STATE)
        log_warn("ticdc.feed.store feed=%" PRIu64 " err=%s", p->feed,
                 err_name(e));
}

static enum err
work(struct processor *p)
{
    enum err e =
        rows_work_begin(p->db, p->feed, p->epoch, p->capture_id, &p->server_id);

    if (e == ERR_OK)
        e = read_settings(p);
    while (e == ERR_OK && !processor_must_stop(p)) {
        p->code[0] = '\0';
        e = processor_look(p);
        arena_reset(p->step);
        if (e == ERR_OK)
            e = go_on(p);
        arena_reset(p->step);
    }
    return e;
}

static void *
run(void *arg)
{
    struct processor *p = arg;
    enum err e = ERR_NOMEM;

    log_trace(&p->trace);
    p->db = db_open();
    p->a = arena_new(FEED_BYTES);
    p->step = arena_new(STEP_BYTES);
    if (p->db != NULL && p->a != NULL && p->step != NULL)
        e = work(p);
    if (p->outlet != NULL)
        p->outlet->ops->close(p->outlet);
    if (e != ERR_OK && !str_empty(p->code) && !processor_must_stop(p))
        tell_failure(p, e);
    if (p->db != NULL && may_write(p) &&
        rows_work_end(p->db, p->feed, p->capture_id) != ERR_OK)
        log_warn("ticdc.feed.end feed=%" PRIu64, p->feed);
    (void)pthread_mutex_lock(&p->lock);
    p->ended = true;
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct processor *
processor_start(const struct capture *c, uint64_t feed, uint64_t epoch)
{
    struct processor *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->c = c;
    p->feed = feed;
    p->epoch = epoch;
    (void)snprintf(p->work, sizeof(p->work), "changefeed-%" PRIu64, feed);
    p->trace.request = p->work;
    p->seen.max = GTIDS_BYTES;
    memcpy(p->capture_id, c->id, sizeof(p->capture_id));
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->changed, NULL);
    if (pthread_create(&p->thread, NULL, run, p) == 0)
        return p;
    free(p);
    return NULL;
}

uint64_t
processor_feed(const struct processor *p)
{
    return p->feed;
}

uint64_t
processor_epoch(const struct processor *p)
{
    return p->epoch;
}

static void
nudge(struct processor *p)
{
    if (p->stream != NULL && (p->stop || p->told != p->signature))
        stream_stop(p->stream);
    (void)pthread_cond_broadcast(&p->changed);
}

void
processor_told(struct processor *p, uint64_t signature)
{
    (void)pthread_mutex_lock(&p->lock);
    p->told = signature;
    nudge(p);
    (void)pthread_mutex_unlock(&p->lock);
}

void
processor_stop(struct processor *p)
{
    (void)pthread_mutex_lock(&p->lock);
    p->stop = true;
    nudge(p);
    (void)pthread_mutex_unlock(&p->lock);
}

bool
processor_ended(struct processor *p)
{
    bool ended;

    (void)pthread_mutex_lock(&p->lock);
    ended = p->ended;
    (void)pthread_mutex_unlock(&p->lock);
    return ended;
}

void
processor_free(struct processor *p)
{
    (void)pthread_join(p->thread, NULL);
    for (size_t i = 0; i < p->n_held; i++)
        held_free(&p->held[i]);
    free(p->held);
    buf_free(&p->seen);
    if (p->db != NULL)
        db_close(p->db);
    if (p->a != NULL)
        arena_free(p->a);
    if (p->step != NULL)
        arena_free(p->step);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}
