#include "owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binlog.h"
#include "clock.h"
#include "log.h"
#include "ticdc/core/schedule.h"
#include "ticdc/store/tables.h"

#define GTIDS_BYTES ((size_t)4 << 20)

struct owner {
    char capture_id[CAPTURE_ID_BYTES];
    bool ready;
};

/* One changefeed in one turn. */
struct turn_of_feed {
    struct db *db;
    struct arena *a;
    const struct lease *lease;
    const struct list_of_ticdc_capture *captures;
    struct ticdc_feed *f;
    struct list_of_table_row rows;
    struct list_of_report_row reports;
    struct list_of_work_row works;
    struct list_of_move_row moves;
    struct sched_feed s;
    struct sched_seen *seen;
    int64_t now_ms;
};

struct owner *
owner_new(const char *capture_id)
{
    struct owner *o = calloc(1, sizeof(*o));

    if (o != NULL)
        (void)snprintf(o->capture_id, sizeof(o->capture_id), "%s", capture_id);
    return o;
}

void
owner_free(struct owner *o)
{
    free(o);
}

static enum err
under_lease(struct db *db, const struct lease *l,
            enum err (*f)(struct db *db, void *ctx), void *ctx)
{
    enum err e = lease_begin(db, l);

    return db_end(db, e == ERR_OK ? f(db, ctx) : e);
}

/* ---- rows as the decision has them ---- */

static int
capture_number(const struct turn_of_feed *t, const char *id)
{
    if (str_empty(id))
        return SCHED_NOBODY;
    for (size_t i = 0; i < t->captures->n; i++)
        if (strcmp(t->captures->v[i].capture_id, id) == 0)
            return (int)i;
    return (int)t->captures->n; /* one that is gone */
}

static const char *
capture_id(const struct turn_of_feed *t, int n, const char *was)
{
    if (n == SCHED_NOBODY)
        return "";
    return (size_t)n < t->captures->n ? t->captures->v[n].capture_id : was;
}

static enum sched_state
state_of(const char *word)
{
    for (int i = SCHED_ABSENT; i <= SCHED_STOPPING; i++)
        if (strcmp(sched_state_name((enum sched_state)i), word) == 0)
            return (enum sched_state)i;
    return SCHED_ABSENT;
}

static enum sched_progress
progress_of(const char *word)
{
    static const char *const words[] = { "begins", "prepared", "writes",
                                         "stopped" };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i], word) == 0)
            return (enum sched_progress)i;
    return SCHED_BEGINS;
}

static const struct work_row *
work_of(const struct turn_of_feed *t, const char *id)
{
    for (size_t i = 0; i < t->works.n; i++)
        if (strcmp(t->works.v[i].capture_id, id) == 0)
            return &t->works.v[i];
    return NULL;
}

static const struct report_row *
report_of(const struct turn_of_feed *t, int64_t table_id, const char *id)
{
    for (size_t i = 0; i < t->reports.n; i++)
        if (t->reports.v[i].table_id == table_id &&
            strcmp(t->reports.v[i].capture_id, id) == 0)
            return &t->reports.v[i];
    return NULL;
}

/* Where the table is: as its report of the end says, or, while it is written,
 * as all of its capture is. Who has not told it yet has no checkpoint; an empty
 * position is one, of a server that has never logged anything. */
static void
where_is(const struct turn_of_feed *t, const struct table_row *row,
         const char **gtid, uint64_t *ts)
{
    const struct report_row *r = report_of(t, row->table_id, row->writer);
    const struct work_row *w = work_of(t, row->writer);

    *gtid = row->gtid;
    *ts = row->checkpoint_ts;
    if (r == NULL || r->term != row->writer_term)
        return;
    if (strcmp(r->progress, "stopped") == 0 && r->checkpoint_ts != 0) {
        *gtid = r->gtid;
        *ts = r->checkpoint_ts;
    } else if (strcmp(r->progress, "writes") == 0 && w != NULL &&
               w->checkpoint_ts != 0 && w->checkpoint_ts >= *ts) {
        *gtid = w->gtid;
        *ts = w->checkpoint_ts;
    }
}

static struct sched_report
seen_of(const struct turn_of_feed *t, const struct table_row *row,
        const char *id)
{
    const struct report_row *r =
        str_empty(id) ? NULL : report_of(t, row->table_id, id);
    struct sched_report out = { 0 };
    const char *gtid;
    uint64_t ts;

    if (r == NULL)
        return out;
    out = (struct sched_report){ .term = r->term,
                                 .progress = progress_of(r->progress),
                                 .checkpoint = r->checkpoint_ts };
    where_is(t, row, &gtid, &ts);
    if (out.progress == SCHED_WRITES && ts > out.checkpoint)
        out.checkpoint = ts;
    return out;
}

static enum err
make_schedule(struct turn_of_feed *t)
{
    t->s = (struct sched_feed){
        .running = health_runs(health_of_word(t->f->state)),
        .rebalance = t->f->rebalance,
        .balanced_ms = t->f->balanced_ms,
        .n_tables = t->rows.n,
        .n_moves = t->moves.n,
        .tables = arena_array(t->a, t->rows.n + 1, sizeof(*t->s.tables)),
        .moves = arena_array(t->a, t->moves.n + 1, sizeof(*t->s.moves)),
    };
    t->seen = arena_array(t->a, t->rows.n + 1, sizeof(*t->seen));
    if (t->s.tables == NULL || t->s.moves == NULL || t->seen == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->rows.n; i++) {
        const struct table_row *row = &t->rows.v[i];

        t->s.tables[i] = (struct sched_table){
            .id = row->table_id,
            .state = state_of(row->state),
            .writer = capture_number(t, row->writer),
            .next = capture_number(t, row->next_writer),
            .order = row->order_no,
            .writer_term = row->writer_term,
            .next_term = row->next_term,
            .checkpoint = row->checkpoint_ts,
            .dropped = row->dropped,
        };
        t->seen[i] = (struct sched_seen){
            .writer = seen_of(t, row, row->writer),
            .next = seen_of(t, row, row->next_writer),
        };
    }
    for (size_t i = 0; i < t->moves.n; i++)
        t->s.moves[i] = (struct sched_move){
            .table = t->moves.v[i].table_id,
            .capture = capture_number(t, t->moves.v[i].capture_id),
        };
    return ERR_OK;
}

/* ---- what was decided ---- */

static bool
has_moved(const struct table_row *row, const struct sched_table *s,
          const char *writer, const char *next)
{
    return state_of(row->state) != s->state ||
           strcmp(row->writer, writer) != 0 ||
           strcmp(row->next_writer, next) != 0 || row->order_no != s->order ||
           row->writer_term != s->writer_term || row->next_term != s->next_term;
}

/* Only what has moved: how far tables are is in what captures report, and is
 * written here when its writer changes. */
static enum err
store_table(struct turn_of_feed *t, size_t i)
{
    const struct table_row *row = &t->rows.v[i];
    const struct sched_table *s = &t->s.tables[i];
    struct table_row now = *row;

    now.state = sched_state_name(s->state);
    now.writer = capture_id(t, s->writer, row->writer);
    now.next_writer = capture_id(t, s->next, row->next_writer);
    now.order_no = s->order;
    now.writer_term = s->writer_term;
    now.next_term = s->next_term;
    if (s->dropped && s->state == SCHED_ABSENT)
        return rows_table_delete(t->db, row->feed, row->table_id);
    if (!has_moved(row, s, now.writer, now.next_writer))
        return ERR_OK;
    where_is(t, row, &now.gtid, &now.checkpoint_ts);
    return rows_table_store(t->db, &now);
}

static const char *
outcome_word(enum sched_outcome o)
{
    static const char *const words[] = {
        [SCHED_PENDING] = "pending",       [SCHED_BEGUN] = "begun",
        [SCHED_NO_TABLE] = "no_table",     [SCHED_NOT_STABLE] = "not_stable",
        [SCHED_NO_CAPTURE] = "no_capture", [SCHED_THERE] = "there",
    };

    return words[o];
}

static enum err
store_schedule(struct turn_of_feed *t)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < t->rows.n && e == ERR_OK; i++)
        e = store_table(t, i);
    for (size_t i = 0; i < t->moves.n && e == ERR_OK; i++)
        if (t->s.moves[i].outcome != SCHED_PENDING)
            e = rows_move_done(t->db, t->moves.v[i].move_id,
                               outcome_word(t->s.moves[i].outcome));
    if (e == ERR_OK && (t->s.rebalance != t->f->rebalance ||
                        t->s.balanced_ms != t->f->balanced_ms))
        e = rows_feed_balance(t->db, t->f->feed, t->f->epoch, t->s.rebalance,
                              t->s.balanced_ms);
    return e;
}

/* ---- how far all of it is ---- */

static enum err
advance(struct turn_of_feed *t)
{
    struct binlog_gtids *all = binlog_gtids_new(), *one = binlog_gtids_new();
    uint64_t checkpoint = UINT64_MAX, resolved = 0;
    struct buf text = BUF_INIT(GTIDS_BYTES);
    enum err e = all != NULL && one != NULL ? ERR_OK : ERR_NOMEM;
    bool first = true;

    for (size_t i = 0; i < t->rows.n && e == ERR_OK; i++) {
        const char *gtid;
        uint64_t ts;

        where_is(t, &t->rows.v[i], &gtid, &ts);
        e = binlog_gtids_parse(first ? all : one, gtid);
        if (e == ERR_OK && !first)
            e = binlog_gtids_meet(all, one);
        first = false;
        if (ts < checkpoint)
            checkpoint = ts;
    }
    for (size_t i = 0; i < t->works.n; i++)
        if (resolved == 0 || t->works.v[i].resolved_ts < resolved)
            resolved = t->works.v[i].resolved_ts;
    binlog_gtids_print(all, &text);
    if (e == ERR_OK && !first && checkpoint > t->f->checkpoint_ts)
        e = rows_feed_advance(t->db, t->f->feed, t->f->epoch, buf_text(&text),
                              checkpoint,
                              resolved > checkpoint ? resolved : checkpoint);
    if (e == ERR_OK && !first && checkpoint > t->f->checkpoint_ts)
        t->f->checkpoint_ts = checkpoint;
    buf_free(&text);
    binlog_gtids_free(all);
    binlog_gtids_free(one);
    return e;
}

static enum err
judge(struct turn_of_feed *t)
{
    struct health h = ticdc_feed_health(t->f);
    bool reached =
        t->f->target_ts != 0 && t->f->checkpoint_ts >= t->f->target_ts;
    bool changed = health_step(&h, reached ? HEALTH_TARGET : HEALTH_TICK,
                               t->f->checkpoint_ts, &health_defaults,
                               clock_unix_ms(), (uint64_t)clock_mono_us());

    return changed ? ticdc_feed_turn(t->db, t->f, &h) : ERR_OK;
}

/* ---- a changefeed ---- */

/* Everybody of an older epoch has ended: until then what its tables had
 * reached is not known. */
static bool
is_quiet(const struct turn_of_feed *t)
{
    for (size_t i = 0; i < t->works.n; i++)
        if (t->works.v[i].epoch != t->f->epoch)
            return false;
    return true;
}

static enum err
read_feed(struct turn_of_feed *t)
{
    enum err e = rows_tables(t->db, t->a, t->f->feed, &t->rows);

    if (e == ERR_OK)
        e = rows_reports(t->db, t->a, t->f->feed, &t->reports);
    if (e == ERR_OK)
        e = rows_works(t->db, t->a, t->f->feed, &t->works);
    return e == ERR_OK ? rows_moves(t->db, t->a, t->f->feed, &t->moves) : e;
}

static enum err
schedule(struct turn_of_feed *t)
{
    struct sched_capture *c = arena_array(t->a, t->captures->n + 1, sizeof(*c));
    enum err e = c != NULL ? make_schedule(t) : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < t->captures->n; i++)
        c[i] = (struct sched_capture){ .ready = true,
                                       .stopping =
                                           t->captures->v[i].liveness != 0 };
    c[t->captures->n].gone = true;
    if (sched_step(&t->s, c, t->captures->n + 1, t->seen, &sched_defaults,
                   t->now_ms))
        e = store_schedule(t);
    return e;
}

static enum err
do_feed(struct db *db, void *ctx)
{
    struct turn_of_feed *t = ctx;
    bool runs = health_runs(health_of_word(t->f->state));
    enum err e = rows_feed_hold(db, t->f->feed, t->f->epoch);

    if (e == ERR_OK)
        e = read_feed(t);
    if (e == ERR_OK && runs && t->f->scheduled_epoch == t->f->epoch) {
        e = advance(t);
        if (e == ERR_OK)
            e = schedule(t);
    } else if (e == ERR_OK && runs && is_quiet(t)) {
        e = rows_tables_begin(db, t->f->feed, t->f->epoch, t->f->gtid,
                              t->f->checkpoint_ts);
    }
    if (e == ERR_OK)
        e = judge(t);
    /* a client has changed it: the next turn sees that */
    return e == ERR_STATE ? ERR_OK : e;
}

/* ---- all of them ---- */

static enum err
begin(struct db *db, void *ctx)
{
    void **v = ctx;

    return rows_owner_is(db, v[0], v[1]);
}

enum err
owner_begin(struct owner *o, struct db *db, const struct lease *l)
{
    void *v[2] = { (void *)(uintptr_t)l, o->capture_id };

    o->ready = false;
    return under_lease(db, l, begin, v);
}

static enum err
expire(struct db *db, void *ctx)
{
    size_t n;
    enum err e = rows_captures_expire(db, ctx, &n);

    if (e == ERR_OK && n > 0)
        log_warn("ticdc.captures gone=%zu", n);
    return e;
}

static enum err
make_ready(struct db *db, void *ctx)
{
    return rows_owner_ready(db, ctx);
}

enum err
owner_turn(struct owner *o, struct db *db, struct arena *a,
           const struct lease *l, bool *resign)
{
    struct list_of_ticdc_capture captures = { 0 };
    struct list_of_ticdc_feed feeds = { 0 };
    uint64_t epoch;
    enum err e = rows_owner_resign(db, &epoch);

    *resign = e == ERR_OK && epoch >= l->epoch;
    if (e != ERR_OK || *resign)
        return e == ERR_OK ? ERR_STATE : e;
    e = under_lease(db, l, expire, a);
    if (e == ERR_OK)
        e = ticdc_capture_list(db, a, &captures);
    if (e == ERR_OK)
        e = ticdc_feed_list(db, a, &feeds);
    for (size_t i = 0; i < feeds.n && e == ERR_OK; i++) {
        struct turn_of_feed t = { .db = db,
                                  .a = a,
                                  .lease = l,
                                  .captures = &captures,
                                  .f = &feeds.v[i],
                                  .now_ms = clock_unix_ms() };

        e = under_lease(db, l, do_feed, &t);
    }
    if (e == ERR_OK && !o->ready) {
        e = under_lease(db, l, make_ready, (void *)(uintptr_t)l);
        o->ready = e == ERR_OK;
    }
    return e;
}
