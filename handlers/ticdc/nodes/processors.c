/* Who works for which changefeed, and wishes about its tables. */
#include <string.h>

#include "nodes.h"

TABLE(ticdc_processor_item, TICDC_PROCESSOR_ITEM);
TABLE(ticdc_processors, TICDC_PROCESSORS);
TABLE(ticdc_processor_ref, TICDC_PROCESSOR_REF);
NO_CHECKS(ticdc_processor_ref);
TABLE(ticdc_processor, TICDC_PROCESSOR);
TABLE(ticdc_move, TICDC_MOVE);
NO_CHECKS(ticdc_move);

static bool
runs(const struct ticdc_feed *f)
{
    enum health_state state = health_of_word(f->state);

    return state != HEALTH__MAX && health_runs(state);
}

/* Every capture that lives works for every changefeed that runs. */
enum err
ticdc_processors_get(struct req *r, const struct none *in)
{
    struct list_of_ticdc_capture captures;
    struct list_of_ticdc_feed feeds;
    struct ticdc_processors *out = arena_alloc(r->arena, sizeof(*out));
    struct ticdc_processor_item *v;
    size_t n = 0;
    enum err e;

    (void)in;
    e = ticdc_feed_list(r->db, r->arena, &feeds);
    if (e == ERR_OK)
        e = ticdc_capture_list(r->db, r->arena, &captures);
    if (e != ERR_OK)
        return e;
    v = arena_array(r->arena, feeds.n * captures.n + 1, sizeof(*v));
    if (v == NULL || out == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < feeds.n; i++)
        for (size_t k = 0; runs(&feeds.v[i]) && k < captures.n; k++) {
            PUT(&v[n], ticdc_processor_item, namespace, feeds.v[i].namespace);
            PUT(&v[n], ticdc_processor_item, changefeed_id, feeds.v[i].id);
            PUT(&v[n], ticdc_processor_item, capture_id,
                captures.v[k].capture_id);
            n++;
        }
    PUT_LIST(out, ticdc_processors, v, n, v);
    return req_send(r, &ticdc_processors_rec, out);
}

static enum err
put_tables(struct req *r, const struct ticdc_feed *f, const char *capture_id,
           struct ticdc_processor *out)
{
    struct list_of_ticdc_task tasks;
    struct I64 *v;
    size_t n = 0;
    enum err e = ticdc_tasks(r->db, r->arena, f->feed, &tasks);

    if (e != ERR_OK)
        return e;
    v = arena_array(r->arena, tasks.n + 1, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < tasks.n; i++)
        if (strcmp(tasks.v[i].capture_id, capture_id) == 0)
            v[n++].v = tasks.v[i].table_id;
    PUT_LIST(out, ticdc_processor, table_ids, n, v);
    return ERR_OK;
}

/* A capture, and a changefeed that runs. */
static enum err
find_processor(struct req *r, const struct ticdc_processor_ref *ref,
               struct ticdc_feed *f)
{
    struct list_of_ticdc_capture captures;
    enum err e;

    if (ticdc_is_id(ref->changefeed_id) && !ticdc_is_id(ref->capture_id))
        return req_fail(
            r, TICDC_BAD_CAPTURE,
            ARGS(arg("id", ref->capture_id), arg("rule", TICDC_ID_RULE)));
    e = ticdc_feed_find(r, ref->namespace, ref->changefeed_id, f);
    if (e != ERR_OK)
        return e;
    if (!runs(f))
        return req_fail(
            r, TICDC_FEED_ABNORMAL,
            ARGS(arg("state", health_shown(health_of_word(f->state)))));
    e = ticdc_capture_list(r->db, r->arena, &captures);
    return e == ERR_OK && ticdc_capture_find(&captures, ref->capture_id) == NULL
               ? req_fail(r, TICDC_CAPTURE_UNKNOWN,
                          ARGS(arg("id", ref->capture_id)))
               : e;
}

enum err
ticdc_processor_get(struct req *r, const struct ticdc_processor_ref *ref)
{
    struct ticdc_processor *out = arena_alloc(r->arena, sizeof(*out));
    struct ticdc_work work = { 0 };
    struct ticdc_feed f;
    enum err e = find_processor(r, ref, &f);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    e = ticdc_work_get(r->db, r->arena, &f, ref->capture_id, &work);
    if (e == ERR_NOT_FOUND) { /* it has just begun */
        work.checkpoint_ts = f.checkpoint_ts;
        work.resolved_ts = f.resolved_ts;
        e = ERR_OK;
    }
    if (e == ERR_OK)
        e = put_tables(r, &f, ref->capture_id, out);
    PUT(out, ticdc_processor, checkpoint_ts, work.checkpoint_ts);
    PUT(out, ticdc_processor, resolved_ts, work.resolved_ts);
    PUT(out, ticdc_processor, count, (int64_t)out->table_ids.n);
    return req_send_or_fail(r, e, &ticdc_processor_rec, out);
}

/* ---- wishes ---- */

enum err
ticdc_tables_rebalance(struct req *r, const struct ticdc_feed_ref *ref)
{
    struct ticdc_feed f;
    enum err e = ticdc_feed_find(r, ref->namespace, ref->changefeed_id, &f);

    if (e == ERR_OK && runs(&f)) /* of one that does not: nothing to do */
        e = ticdc_set_rebalance(r->db, f.feed);
    return e == ERR_OK ? ticdc_feed_changed(r, &f) : e;
}

/* The path before the body: an unknown changefeed is said of any body. */
enum err
ticdc_table_move(struct req *r, const struct ticdc_move *unbound)
{
    struct ticdc_move *in = arena_alloc(r->arena, sizeof(*in));
    const char *target;
    struct ticdc_feed_ref ref;
    struct ticdc_feed f;
    enum err e;

    (void)unbound;
    if (in == NULL)
        return ERR_NOMEM;
    e = ticdc_path_feed(r, &ref);
    if (e == ERR_OK)
        e = ticdc_feed_find(r, ref.namespace, ref.changefeed_id, &f);
    if (e == ERR_OK)
        e = req_bind(r, in);
    if (e != ERR_OK)
        return e;
    target = !str_empty(in->capture_id)          ? in->capture_id
             : !str_empty(in->target_capture_id) ? in->target_capture_id
                                                 : "";
    if (!ticdc_is_id(target))
        return req_fail(r, TICDC_BAD_CAPTURE,
                        ARGS(arg("id", target), arg("rule", TICDC_ID_RULE)));
    if (runs(&f))
        e = ticdc_wish_move(r->db, f.feed, in->table_id, target);
    return e == ERR_OK ? ticdc_feed_changed(r, &f) : e;
}
