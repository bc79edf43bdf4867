/* Lists of changefeeds, and one of them. */
#include "show.h"

#include <string.h>

#include "ticdc/core/tso.h"
#include "ticdc/feed/change.h"
#include "ticdc/nodes/nodes.h"
#include "ticdc/rules/uri.h"

TABLE(ticdc_feeds_ref, TICDC_FEEDS_REF);
NO_CHECKS(ticdc_feeds_ref);
TABLE(ticdc_error, TICDC_ERROR);
TABLE(ticdc_feed_item, TICDC_FEED_ITEM);
TABLE(ticdc_feeds, TICDC_FEEDS);
TABLE(ticdc_task_status, TICDC_TASK_STATUS);
TABLE(ticdc_detail, TICDC_DETAIL);

static const char *
shown(const struct ticdc_feed *f)
{
    enum health_state state = health_of_word(f->state);

    return state == HEALTH__MAX ? f->state : health_shown(state);
}

static bool
is_asked(const char *asked, const char *state)
{
    enum health_state s = health_of_word(state);

    if (str_empty(asked))
        return s != HEALTH_FINISHED;
    return strcmp(asked, "all") == 0 || strcmp(asked, state) == 0 ||
           (s != HEALTH__MAX && strcmp(asked, health_shown(s)) == 0);
}

/* ---- errors ---- */

static bool
put_error(struct arena *a, const struct ticdc_feed_error *from,
          struct ticdc_error *to)
{
    PUT(to, ticdc_error, time, ticdc_time_zone(a, from->at_ms));
    PUT(to, ticdc_error, addr, from->addr);
    PUT(to, ticdc_error, code, from->code);
    PUT(to, ticdc_error, message, from->message);
    if (from->again_ms > 0)
        PUT(to, ticdc_error, next_retry, ticdc_time_zone(a, from->again_ms));
    return to->time != NULL && (from->again_ms <= 0 || to->next_retry != NULL);
}

enum err
ticdc_error_of(struct arena *a, const struct ticdc_feed *f,
               struct ticdc_error **out)
{
    const char *state = shown(f);
    const struct ticdc_feed_error last = {
        .at_ms = f->error_ms,
        .code = f->error_code,
        .message = f->error_message,
        .addr = f->error_addr,
        .again_ms = f->again_ms,
    };

    *out = NULL;
    if ((strcmp(state, "error") != 0 && strcmp(state, "failed") != 0) ||
        str_empty(f->error_code))
        return ERR_OK;
    *out = arena_alloc(a, sizeof(**out));
    return *out != NULL && put_error(a, &last, *out) ? ERR_OK : ERR_NOMEM;
}

/* ---- the list ---- */

static enum err
item_of(struct arena *a, const struct ticdc_feed *f, bool is_v2,
        struct ticdc_feed_item *out)
{
    PUT(out, ticdc_feed_item, upstream_id, 0);
    PUT(out, ticdc_feed_item, namespace, f->namespace);
    PUT(out, ticdc_feed_item, id, f->id);
    PUT(out, ticdc_feed_item, state, is_v2 ? f->state : shown(f));
    PUT(out, ticdc_feed_item, checkpoint_tso, f->checkpoint_ts);
    PUT(out, ticdc_feed_item, checkpoint_time,
        ticdc_time(a, tso_ms(f->checkpoint_ts)));
    return out->checkpoint_time != NULL ? ticdc_error_of(a, f, &out->error)
                                        : ERR_NOMEM;
}

enum err
ticdc_items(struct req *r, const char *state, const char *namespace, bool is_v2,
            struct ticdc_feed_item **out, size_t *n)
{
    struct list_of_ticdc_feed all;
    enum err e = ticdc_feed_list(r->db, r->arena, &all);

    *n = 0;
    if (e != ERR_OK)
        return e;
    *out = arena_array(r->arena, all.n + 1, sizeof(**out));
    if (*out == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < all.n && e == ERR_OK; i++)
        if (is_asked(state, all.v[i].state) &&
            (str_empty(namespace) ||
             strcmp(namespace, all.v[i].namespace) == 0))
            e = item_of(r->arena, &all.v[i], is_v2, &(*out)[(*n)++]);
    return e;
}

enum err
ticdc_feeds_get(struct req *r, const struct ticdc_feeds_ref *ref)
{
    struct ticdc_feeds *out = arena_alloc(r->arena, sizeof(*out));
    struct ticdc_feed_item *v = NULL;
    size_t n = 0;
    enum err e = ticdc_items(r, ref->state, NULL, false, &v, &n);

    if (out == NULL)
        return ERR_NOMEM;
    PUT_LIST(out, ticdc_feeds, v, n, v);
    return req_send_or_fail(r, e, &ticdc_feeds_rec, out);
}

/* ---- one ---- */

/* Tasks come by capture: one element for each. */
enum err
ticdc_task_statuses(struct req *r, const struct ticdc_feed *f,
                    struct ticdc_task_status **out, size_t *n)
{
    enum health_state state = health_of_word(f->state);
    struct list_of_ticdc_task tasks = { 0 };
    struct ticdc_task_status *v;
    struct I64 *ids;
    enum err e = ERR_OK;

    *n = 0;
    if (state != HEALTH__MAX && health_runs(state))
        e = ticdc_tasks(r->db, r->arena, f->feed, &tasks);
    if (e != ERR_OK)
        return e;
    *out = v = arena_array(r->arena, tasks.n + 1, sizeof(*v));
    ids = arena_array(r->arena, tasks.n + 1, sizeof(*ids));
    if (v == NULL || ids == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < tasks.n; i++) {
        const char *capture = tasks.v[i].capture_id;

        if (*n == 0 || strcmp(v[*n - 1].capture_id, capture) != 0) {
            PUT(&v[*n], ticdc_task_status, capture_id, capture);
            PUT_LIST(&v[*n], ticdc_task_status, table_ids, 0, &ids[i]);
            *n += 1;
        }
        ids[i].v = tasks.v[i].table_id;
        v[*n - 1].table_ids.n++;
    }
    return ERR_OK;
}

static enum err
put_history(struct req *r, const struct ticdc_feed *f, struct ticdc_detail *out)
{
    struct list_of_ticdc_feed_error all;
    struct ticdc_error *v;
    enum err e = ticdc_feed_errors(r->db, r->arena, f->feed, &all);

    if (e != ERR_OK || all.n == 0)
        return e;
    v = arena_array(r->arena, all.n, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < all.n; i++)
        if (!put_error(r->arena, &all.v[i], &v[i]))
            return ERR_NOMEM;
    PUT_LIST(out, ticdc_detail, error_history, all.n, v);
    return ERR_OK;
}

static enum err
put_detail(struct req *r, const struct ticdc_feed *f, struct ticdc_detail *out)
{
    struct ticdc_task_status *tasks;
    size_t n;
    enum err e;

    PUT(out, ticdc_detail, upstream_id, 0);
    PUT(out, ticdc_detail, namespace, f->namespace);
    PUT(out, ticdc_detail, id, f->id);
    PUT(out, ticdc_detail, sink_uri,
        f->sink_uri != NULL ? sink_uri_masked(r->arena, f->sink_uri) : "xxxxx");
    PUT(out, ticdc_detail, create_time, ticdc_time(r->arena, f->create_ms));
    PUT(out, ticdc_detail, start_ts, f->start_ts);
    PUT(out, ticdc_detail, target_ts, f->target_ts);
    PUT(out, ticdc_detail, resolved_ts, f->resolved_ts);
    PUT(out, ticdc_detail, checkpoint_tso, f->checkpoint_ts);
    PUT(out, ticdc_detail, checkpoint_time,
        ticdc_time(r->arena, tso_ms(f->checkpoint_ts)));
    PUT(out, ticdc_detail, sort_engine, "unified");
    PUT(out, ticdc_detail, state, shown(f));
    PUT(out, ticdc_detail, creator_version, f->creator_version);
    if (out->sink_uri == NULL || out->create_time == NULL ||
        out->checkpoint_time == NULL)
        return ERR_NOMEM;
    e = ticdc_error_of(r->arena, f, &out->error);
    if (e == ERR_OK)
        e = put_history(r, f, out);
    if (e == ERR_OK)
        e = ticdc_task_statuses(r, f, &tasks, &n);
    if (e == ERR_OK)
        PUT_LIST(out, ticdc_detail, task_status, n, tasks);
    return e;
}

enum err
ticdc_feed_show(struct req *r, const struct ticdc_feed_ref *ref)
{
    struct ticdc_detail *out = arena_alloc(r->arena, sizeof(*out));
    struct ticdc_feed f;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = ticdc_feed_find(r, ref->namespace, ref->changefeed_id, &f);
    if (e == ERR_OK)
        e = put_detail(r, &f, out);
    return req_send_or_fail(r, e, &ticdc_detail_rec, out);
}
