/* A changefeed stops, goes on, or goes. A state that a wish does not fit is no
 * fault: it is taken and nothing happens. */
#include <string.h>

#include "change.h"
#include "judge.h"

TABLE(ticdc_resume, TICDC_RESUME);
NO_CHECKS(ticdc_resume);

/* ---- waiting until captures have followed ---- */

struct followed {
    uint64_t feed, epoch;
    bool begins; /* until it works, else until it does not */
};

static enum err
has_followed(struct req *r, void *ctx)
{
    const struct followed *f = ctx;
    int64_t n;
    enum err e = f->begins ? ticdc_work_begun(r->db, f->feed, f->epoch, &n)
                           : ticdc_work_left(r->db, f->feed, 0, &n);

    if (e != ERR_OK)
        return e;
    return (n > 0) == f->begins ? ERR_OK : ERR_NOT_FOUND;
}

static enum err
answer_then(struct req *r, void *ctx, int unfinished)
{
    enum err e = ticdc_await(r, has_followed, ctx);

    if (e == ERR_TIMEOUT) {
        req_header_add(r, "Retry-After", "1");
        return req_fail(r, unfinished, ARGS());
    }
    return e == ERR_OK ? req_ok(r) : e;
}

static enum err
turned(struct req *r, void *ctx)
{
    return answer_then(r, ctx, TICDC_UNFINISHED);
}

static enum err
removed(struct req *r, void *ctx)
{
    return answer_then(r, ctx, TICDC_DELETE_UNFINISHED);
}

static enum err
wait_for(struct req *r, const struct ticdc_feed *f, bool begins,
         enum err (*then)(struct req *r, void *ctx))
{
    struct followed *wait = arena_alloc(r->arena, sizeof(*wait));

    if (wait == NULL)
        return ERR_NOMEM;
    *wait = (struct followed){ f->feed, f->epoch, begins };
    req_then(r, then, wait);
    return ERR_OK;
}

/* ---- what is wished ---- */

struct wish {
    enum health_event event;
    const char *namespace, *id, *waits;
    const struct ticdc_resume *resume; /* NULL: a pause */
};

/* Where it goes on, when that was said. */
static enum err
rewind_to(struct req *r, struct ticdc_feed *f, const struct ticdc_resume *in)
{
    if (HAS(in, ticdc_resume, found_gtid)) {
        f->gtid = in->found_gtid;
        f->file = "";
        f->pos = 0;
    }
    f->anchor_ts = 0; /* what is up to the new checkpoint is passed over */
    f->checkpoint_ts = f->resolved_ts = in->overwrite_ts;
    return ticdc_feed_rewind(r->db, f);
}

static enum err
follow(struct req *r, const struct wish *w)
{
    struct ticdc_feed f;
    struct health h;
    bool wait;
    enum err e = ticdc_feed_find(r, w->namespace, w->id, &f);

    if (e == ERR_OK)
        e = ticdc_wish(r, "wait", w->waits, &wait);
    if (e != ERR_OK)
        return e;
    h = ticdc_feed_health(&f);
    if (h.state != HEALTH__MAX &&
        health_step(&h, w->event, f.checkpoint_ts, &health_defaults, 0, 0)) {
        e = ticdc_feed_turn(r->db, &f, &h);
        if (e == ERR_OK && w->resume != NULL && w->resume->overwrite_ts != 0)
            e = rewind_to(r, &f, w->resume);
    }
    if (e == ERR_STATE)
        return ERR_BUSY; /* it has changed since it was read: again */
    if (e == ERR_OK && wait)
        e = wait_for(r, &f, w->resume != NULL && health_runs(h.state), turned);
    return e == ERR_OK ? ticdc_feed_changed(r, &f) : e;
}

enum err
ticdc_feed_pause(struct req *r, const struct ticdc_feed_wait *in)
{
    return follow(r, &(struct wish){ .event = HEALTH_PAUSE,
                                     .namespace = in->namespace,
                                     .id = in->changefeed_id,
                                     .waits = in->wait });
}

/* Behind the source's clock, and not behind what it still has. */
static enum err
find_place(struct req *r, struct ticdc_resume *in, const struct ticdc_feed *f,
           struct feed_source *s, bool is_lost)
{
    struct sink_fault why = { "CDC:ErrAPIInvalidParam", "" };
    struct judged j = { .code = NULL };
    const char *from = NULL;
    uint64_t oldest;
    enum err e;

    if (in->overwrite_ts > s->now_ts)
        return ticdc_refuse(
            r, why.code,
            arena_printf(r->arena,
                         "invalid overwrite_checkpoint_ts %llu, larger than "
                         "current tso %llu",
                         (unsigned long long)in->overwrite_ts,
                         (unsigned long long)s->now_ts));
    if (in->overwrite_ts >= f->checkpoint_ts && !is_lost)
        return ERR_OK;
    e = feed_source_oldest(s, &oldest, &why);
    if (e != ERR_OK)
        return judge_refuse(r, &j, e, &why);
    if (in->overwrite_ts <= oldest)
        return ticdc_refuse(
            r, "CDC:ErrStartTsBeforeGC",
            arena_printf(r->arena,
                         "fail to create or maintain changefeed because "
                         "start-ts %llu is earlier than or equal to GC "
                         "safepoint at %llu",
                         (unsigned long long)in->overwrite_ts,
                         (unsigned long long)oldest));
    e = feed_source_from(r->arena, s, in->overwrite_ts, &from);
    PUT(in, ticdc_resume, found_gtid, from);
    return e;
}

/* Whether the source still has what comes next. One that cannot be reached is
 * no reason: it is tried again as long as it takes. */
enum err
ticdc_resume_prepare(struct req *r, struct ticdc_resume *in)
{
    const int64_t until = ticdc_until(r);
    struct sink_fault why = { "", "" };
    struct feed_source source;
    struct judged j = { .code = NULL };
    struct ticdc_feed f;
    enum health_state state;
    enum err e = ticdc_feed_find(r, in->namespace, in->changefeed_id, &f), lost;

    if (e != ERR_OK)
        return e;
    state = health_of_word(f.state);
    if (state != HEALTH_STOPPED && state != HEALTH_FAILED &&
        state != HEALTH_FINISHED)
        return ERR_OK;
    lost = feed_source_open(r->arena, f.gtid, until, &source, &why);
    if (in->overwrite_ts == 0)
        return lost == ERR_STATE ? judge_refuse(r, &j, lost, &why) : ERR_OK;
    e = lost;
    if (lost == ERR_STATE)
        e = feed_source_open(r->arena, NULL, until, &source, &why);
    if (e != ERR_OK)
        return judge_refuse(r, &j, e, &why);
    return find_place(r, in, &f, &source, lost == ERR_STATE);
}

enum err
ticdc_feed_resume(struct req *r, const struct ticdc_resume *in)
{
    return follow(r, &(struct wish){ .event = HEALTH_RESUME,
                                     .namespace = in->namespace,
                                     .id = in->changefeed_id,
                                     .waits = in->wait,
                                     .resume = in });
}

enum err
ticdc_feed_remove(struct req *r, const struct ticdc_feed_wait *in)
{
    struct ticdc_feed f;
    bool wait;
    enum err e = ticdc_feed_find(r, in->namespace, in->changefeed_id, &f);

    if (e == ERR_OK)
        e = ticdc_wish(r, "wait", in->wait, &wait);
    if (e == ERR_OK)
        e = ticdc_feed_delete(r->db, f.feed);
    if (e == ERR_NOT_FOUND)
        return ERR_BUSY; /* by another, just now */
    if (e == ERR_OK && wait)
        e = wait_for(r, &f, false, removed);
    return e == ERR_OK ? ticdc_feed_changed(r, &f) : e;
}

/* ---- before the transaction ---- */

enum err
ticdc_admit(struct req *r, const void *in)
{
    /* the dispatcher has made it, of the record's size, for this request */
    void *own = (void *)(uintptr_t)in;

    ticdc_deadline(r);
    if (r->endpoint->in == &ticdc_create_rec)
        return ticdc_create_prepare(r, own);
    if (r->endpoint->in == &ticdc_create_v2_rec)
        return ticdc_create_v2_prepare(r, own);
    if (r->endpoint->in == &ticdc_update_rec)
        return ticdc_update_prepare(r, own);
    if (r->endpoint->in == &ticdc_resume_rec)
        return ticdc_resume_prepare(r, own);
    return ERR_OK;
}
