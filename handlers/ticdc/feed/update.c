/* A changefeed that does not run, changed. Everything that is wrong is refused
 * in one code, its own stands in the text. */
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "judge.h"
#include "ticdc/rules/sink_config.h"

TABLE(ticdc_update, TICDC_UPDATE);
NO_CHECKS(ticdc_update);

#define REFUSED "CDC:ErrChangefeedUpdateRefused"

/* What a client was shown of a URI, sent back, is no change. */
static bool
is_same_uri(struct req *r, const char *said, const char *stored)
{
    const char *masked;

    if (strcmp(said, stored) == 0)
        return true;
    masked = sink_uri_masked(r->arena, stored);
    return masked != NULL && strcmp(masked, stored) != 0 &&
           strcmp(said, masked) == 0;
}

static void
merge(const struct ticdc_update *in, struct ticdc_config *c)
{
    if (HAS(in, ticdc_update, filter_rules))
        PUT_LIST(c, ticdc_config, filter_rules, in->filter_rules.n,
                 in->filter_rules.v);
    if (HAS(in, ticdc_update, ignore_txn_start_ts))
        PUT_LIST(c, ticdc_config, ignore_txn_start_ts,
                 in->ignore_txn_start_ts.n, in->ignore_txn_start_ts.v);
    if (HAS(in, ticdc_update, mounter_worker_num))
        PUT(c, ticdc_config, mounter_worker_num, in->mounter_worker_num);
    if (in->sink_config != NULL)
        c->sink_config = in->sink_config;
}

static enum err
refuse_target(struct req *r, const char *what, uint64_t target, uint64_t than)
{
    return ticdc_refuse(
        r, REFUSED,
        arena_printf(
            r->arena, "can not update target-ts:%llu less than %s:%llu",
            (unsigned long long)target, what, (unsigned long long)than));
}

static enum err
check_target_ts(struct req *r, const struct ticdc_update *in,
                const struct ticdc_feed *f)
{
    if (!HAS(in, ticdc_update, target_ts) || in->target_ts == 0)
        return ERR_OK;
    if (in->target_ts <= f->start_ts)
        return refuse_target(r, "start-ts", in->target_ts, f->start_ts);
    if (in->target_ts <= f->checkpoint_ts)
        return refuse_target(r, "checkpoint-ts", in->target_ts,
                             f->checkpoint_ts);
    return ERR_OK;
}

/* What it is to become is judged, and the sink opened when that changes. */
static enum err
judge_change(struct req *r, struct ticdc_update *in,
             const struct ticdc_config *c, const char *uri)
{
    struct judged j = { .code = REFUSED };
    enum err e = ERR_OK;

    if (HAS(in, ticdc_update, filter_rules))
        e = judge_filter(r, &j, c);
    if (e == ERR_OK && (in->sink_uri != NULL || in->sink_config != NULL))
        e = judge_sink(r, &j, uri, c);
    if (e == ERR_OK && in->sink_uri != NULL)
        e = judge_target(r, &j);
    return e;
}

static enum err
find_change(struct req *r, struct ticdc_update *in, struct ticdc_feed *f)
{
    struct ticdc_config c;
    const char *before, *after, *uri = f->sink_uri;
    uint64_t target = f->target_ts;
    enum err e;

    if (f->sink_uri == NULL || f->config == NULL)
        return ticdc_refuse(r, REFUSED,
                            "changefeed update error: what is "
                            "stored of it cannot be opened (its "
                            "key is not known here)");
    e = ticdc_config_read(r->arena, f->config, &c);
    if (e == ERR_OK)
        e = ticdc_config_write(r->arena, &c, &before);
    if (e == ERR_OK)
        e = check_target_ts(r, in, f);
    if (e != ERR_OK)
        return e;
    if (HAS(in, ticdc_update, target_ts))
        target = in->target_ts;
    if (!str_empty(in->sink_uri) && !is_same_uri(r, in->sink_uri, uri))
        uri = in->sink_uri;
    else
        in->sink_uri = NULL;
    merge(in, &c);
    e = judge_change(r, in, &c, uri);
    if (e == ERR_OK)
        e = ticdc_config_write(r->arena, &c, &after);
    if (e != ERR_OK)
        return e;
    if (strcmp(before, after) == 0 && in->sink_uri == NULL &&
        target == f->target_ts)
        return req_fail(r, TICDC_UPDATE_SAME, ARGS());
    PUT(in, ticdc_update, found_config, after);
    PUT(in, ticdc_update, sink_uri, uri);
    PUT(in, ticdc_update, target_ts, target);
    return ERR_OK;
}

/* Id, existence, state, and only then the body. */
enum err
ticdc_update_prepare(struct req *r, struct ticdc_update *in)
{
    struct ticdc_feed_ref ref;
    struct ticdc_feed f;
    enum health_state state;
    bool dry;
    enum err e = ticdc_path_feed(r, &ref);

    if (e == ERR_OK)
        e = ticdc_feed_find(r, ref.namespace, ref.changefeed_id, &f);
    if (e != ERR_OK)
        return e;
    state = health_of_word(f.state);
    if (state != HEALTH_STOPPED && state != HEALTH_FAILED)
        return req_fail(r, TICDC_UPDATE_STATE, ARGS());
    e = req_bind(r, in);
    if (e == ERR_OK && r->json == NULL)
        e = req_fail(r, TICDC_NO_BODY, ARGS());
    if (e == ERR_OK)
        e = ticdc_wish(r, "dry_run", in->dry_run, &dry);
    if (e != ERR_OK)
        return e;
    PUT(in, ticdc_update, dry, dry);
    PUT(in, ticdc_update, found_version, f.version);
    return find_change(r, in, &f);
}

enum err
ticdc_feed_update(struct req *r, const struct ticdc_update *in)
{
    struct ticdc_feed f;
    enum err e = ticdc_feed_find(r, in->namespace, in->changefeed_id, &f);

    if (e != ERR_OK)
        return e;
    if (f.version != in->found_version)
        return req_fail(r, TICDC_UPDATE_RACE, ARGS());
    f.target_ts = in->target_ts;
    f.sink_uri = in->sink_uri;
    f.config = in->found_config;
    if (!in->dry)
        e = ticdc_feed_save(r->db, &f);
    if (e == ERR_STATE)
        return req_fail(r, TICDC_UPDATE_RACE, ARGS());
    return e == ERR_OK ? ticdc_feed_changed(r, &f) : e;
}
