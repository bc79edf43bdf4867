/* What TiCDC's dashboards and alert rules ask for, by its names, and what ours
 * has beside it: all of it from the rows that captures keep. */
#include <inttypes.h>
#include <string.h>

#include "describe.h"
#include "nodes.h"
#include "ticdc/core/tso.h"
#include "ticdc/store/rows.h"

#define TEXT_MAX ((size_t)16 << 20)

struct all {
    struct list_of_ticdc_feed feeds;
    struct list_of_ticdc_capture captures;
    struct list_of_work_row works;
    struct list_of_table_count tables;
    struct ticdc_owner owner;
    bool has_owner;
    int64_t now_ms;
};

static enum err
read_all(struct req *r, struct all *v)
{
    enum err e = ticdc_feed_list(r->db, r->arena, &v->feeds);

    if (e == ERR_OK)
        e = ticdc_capture_list(r->db, r->arena, &v->captures);
    if (e == ERR_OK)
        e = rows_works_all(r->db, r->arena, &v->works);
    if (e == ERR_OK)
        e = rows_table_counts(r->db, r->arena, &v->tables);
    if (e == ERR_OK)
        e = db_one_i64(r->db, "SELECT " DB_NOW_MS, DB_NO_ARGS, &v->now_ms);
    if (e != ERR_OK)
        return e;
    e = ticdc_owner_get(r->db, r->arena, &v->owner);
    v->has_owner = e == ERR_OK;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Ids have no byte that would need an escape. */
static void
label(struct buf *out, const char *name, const struct ticdc_feed *f)
{
    buf_printf(out, "%s{namespace=\"%s\",changefeed=\"%s\"} ", name,
               f->namespace, f->id);
}

/* TiCDC's numbers. */
static int
status_of(const char *state)
{
    static const char *const words[] = { "normal",  "pending",  "failed",
                                         "stopped", "finished", "removed",
                                         "warning" };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i], state) == 0)
            return (int)i;
    return -1;
}

enum value { CHECKPOINT, CHECKPOINT_LAG, RESOLVED, RESOLVED_LAG, STATUS };

static void
of_feeds(struct buf *out, const struct all *v, enum value value,
         const char *name, const char *help)
{
    metrics_head(out, name, "gauge", help);
    for (size_t i = 0; i < v->feeds.n; i++) {
        const struct ticdc_feed *f = &v->feeds.v[i];
        int64_t ms = tso_ms(value == CHECKPOINT || value == CHECKPOINT_LAG
                                ? f->checkpoint_ts
                                : f->resolved_ts);

        label(out, name, f);
        if (value == STATUS)
            buf_i64(out, status_of(f->state));
        else if (value == CHECKPOINT || value == RESOLVED)
            buf_i64(out, ms);
        else
            buf_printf(out, "%.3f", (double)(v->now_ms - ms) / 1000);
        buf_putc(out, '\n');
    }
}

enum sum { TABLES, ROWS, QUEUED, QUOTA };

static uint64_t
sum_of(const struct all *v, uint64_t feed, enum sum what)
{
    uint64_t n = 0;

    for (size_t i = 0; what == TABLES && i < v->tables.n; i++)
        if (v->tables.v[i].feed == feed)
            n += (uint64_t)v->tables.v[i].n;
    for (size_t i = 0; what != TABLES && i < v->works.n; i++) {
        const struct work_row *w = &v->works.v[i];

        if (w->feed == feed)
            n += what == ROWS     ? w->row_count
                 : what == QUEUED ? w->queue_bytes
                                  : w->quota_bytes;
    }
    return n;
}

static void
sums(struct buf *out, const struct all *v, enum sum what, const char *name,
     const char *help)
{
    metrics_head(out, name, "gauge", help);
    for (size_t i = 0; i < v->feeds.n; i++) {
        label(out, name, &v->feeds.v[i]);
        buf_u64(out, sum_of(v, v->feeds.v[i].feed, what));
        buf_putc(out, '\n');
    }
}

static void
owners(struct buf *out, const struct all *v)
{
    metrics_head(out, "ticdc_owner_ownership_counter", "gauge",
                 "1 for the capture that is the owner.");
    for (size_t i = 0; i < v->captures.n; i++)
        buf_printf(out, "ticdc_owner_ownership_counter{capture=\"%s\"} %d\n",
                   v->captures.v[i].capture_id,
                   v->has_owner && strcmp(v->captures.v[i].capture_id,
                                          v->owner.capture_id) == 0);
}

enum err
ticdc_metrics_get(struct req *r, const struct none *in)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    struct all v = { 0 };
    const char *text;
    enum err e = read_all(r, &v);
    size_t n;

    (void)in;
    if (e != ERR_OK)
        return e;
    of_feeds(&out, &v, CHECKPOINT, "ticdc_owner_checkpoint_ts",
             "Time of the checkpoint of a changefeed, milliseconds.");
    of_feeds(&out, &v, CHECKPOINT_LAG, "ticdc_owner_checkpoint_ts_lag",
             "How far the checkpoint is behind the clock, seconds.");
    of_feeds(&out, &v, RESOLVED, "ticdc_owner_resolved_ts",
             "Time up to which a changefeed has been read, milliseconds.");
    of_feeds(&out, &v, RESOLVED_LAG, "ticdc_owner_resolved_ts_lag",
             "How far that is behind the clock, seconds.");
    of_feeds(&out, &v, STATUS, "ticdc_owner_status",
             "0 normal, 1 pending, 2 failed, 3 stopped, 4 finished, 6 "
             "warning.");
    owners(&out, &v);
    sums(&out, &v, TABLES, "ticdc_processor_num_of_tables",
         "Tables that are written.");
    sums(&out, &v, ROWS, "metagate_changefeed_rows",
         "Rows written by the captures that work for it now.");
    sums(&out, &v, QUEUED, "metagate_changefeed_queued_bytes",
         "Bytes that wait to be written.");
    sums(&out, &v, QUOTA, "metagate_changefeed_quota_bytes",
         "Memory that its captures may use.");
    n = out.n;
    e = buf_settle(&out, r->arena, &text);
    return e == ERR_OK ? req_send_text(r, METRICS_TYPE, text, n) : e;
}
