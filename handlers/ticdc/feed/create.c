/* A new changefeed. */
#include <stdio.h>
#include <string.h>

#include "build_info.h"
#include "change.h"
#include "judge.h"
#include "ticdc/rules/sink_config.h"

TABLE(ticdc_create, TICDC_CREATE);
NO_CHECKS(ticdc_create);

static void
config_of(const struct ticdc_create *in, struct ticdc_config *c)
{
    *c = (struct ticdc_config){ 0 };
    if (HAS(in, ticdc_create, force_replicate))
        PUT(c, ticdc_config, force_replicate, in->force_replicate);
    if (HAS(in, ticdc_create, ignore_ineligible_table))
        PUT(c, ticdc_config, ignore_ineligible_table,
            in->ignore_ineligible_table);
    if (HAS(in, ticdc_create, initial_snapshot))
        PUT(c, ticdc_config, initial_snapshot, in->initial_snapshot);
    if (HAS(in, ticdc_create, filter_rules))
        PUT_LIST(c, ticdc_config, filter_rules, in->filter_rules.n,
                 in->filter_rules.v);
    if (HAS(in, ticdc_create, ignore_txn_start_ts))
        PUT_LIST(c, ticdc_config, ignore_txn_start_ts,
                 in->ignore_txn_start_ts.n, in->ignore_txn_start_ts.v);
    if (HAS(in, ticdc_create, mounter_worker_num))
        PUT(c, ticdc_config, mounter_worker_num, in->mounter_worker_num);
    if (!str_empty(in->timezone))
        PUT(c, ticdc_config, timezone, in->timezone);
    c->sink_config = in->sink_config;
}

static enum err
check_id(struct req *r, struct ticdc_create *in)
{
    const char *namespace = ticdc_namespace(in->namespace);
    struct ticdc_feed f;
    char uuid[UUID_TEXT];
    enum err e;

    if (str_empty(in->changefeed_id)) {
        e = ticdc_uuid(uuid);
        if (e != ERR_OK)
            return e;
        PUT(in, ticdc_create, changefeed_id, arena_strdup(r->arena, uuid));
        if (in->changefeed_id == NULL)
            return ERR_NOMEM;
    }
    e = ticdc_ids_check(r, namespace, in->changefeed_id);
    if (e == ERR_OK)
        e = ticdc_feed_get(r->db, r->arena, namespace, in->changefeed_id, &f);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    return req_fail(r, TICDC_FEED_TAKEN,
                    ARGS(arg("id", arena_printf(r->arena, "%s/%s", namespace,
                                                in->changefeed_id))));
}

/* Behind its clock, and not behind what it still has. */
static enum err
check_start(struct req *r, struct ticdc_create *in, struct judged *j)
{
    struct sink_fault why = { "CDC:ErrAPIInvalidParam", "" };
    const char *from = "";
    uint64_t oldest;
    enum err e = judge_source(r, j, NULL);

    if (e != ERR_OK)
        return e;
    if (in->start_ts == 0) {
        PUT(in, ticdc_create, start_ts, j->source.now_ts);
        PUT(in, ticdc_create, found_gtid, j->source.says.now);
        PUT(in, ticdc_create, found_anchor, j->source.now_ts);
        return ERR_OK;
    }
    if (in->start_ts > j->source.now_ts) {
        snprintf(why.text, sizeof(why.text),
                 "invalid start-ts %llu, larger than current tso %llu",
                 (unsigned long long)in->start_ts,
                 (unsigned long long)j->source.now_ts);
        return judge_refuse(r, j, ERR_BAD_PARAM, &why);
    }
    e = feed_source_oldest(&j->source, &oldest, &why);
    if (e == ERR_OK && in->start_ts <= oldest) {
        why.code = "CDC:ErrStartTsBeforeGC";
        snprintf(why.text, sizeof(why.text),
                 "fail to create or maintain changefeed because start-ts %llu "
                 "is earlier than or equal to GC safepoint at %llu",
                 (unsigned long long)in->start_ts, (unsigned long long)oldest);
        e = ERR_BAD_PARAM;
    }
    if (e == ERR_OK)
        e = feed_source_from(r->arena, &j->source, in->start_ts, &from);
    PUT(in, ticdc_create, found_gtid, from);
    PUT(in, ticdc_create, found_anchor, 0);
    return judge_refuse(r, j, e, &why);
}

static enum err
check_target_ts(struct req *r, const struct ticdc_create *in,
                const struct judged *j)
{
    struct sink_fault why = { "CDC:ErrTargetTsBeforeStartTs", "" };

    if (in->target_ts == 0 || in->target_ts > in->start_ts)
        return ERR_OK;
    snprintf(why.text, sizeof(why.text),
             "fail to create changefeed because target-ts %llu is earlier "
             "than start-ts %llu",
             (unsigned long long)in->target_ts,
             (unsigned long long)in->start_ts);
    return judge_refuse(r, j, ERR_BAD_PARAM, &why);
}

/* In TiCDC's order. */
static enum err
judge_all(struct req *r, struct ticdc_create *in, const struct ticdc_config *c,
          struct judged *j)
{
    enum err e;

    if (str_empty(in->sink_uri)) /* before the id */
        return judge_sink(r, j, "", c);
    e = check_id(r, in);
    if (e == ERR_OK)
        e = check_start(r, in, j);
    if (e == ERR_OK)
        e = check_target_ts(r, in, j);
    if (e == ERR_OK)
        e = judge_sink(r, j, in->sink_uri, c);
    if (e == ERR_OK)
        e = judge_filter(r, j, c);
    if (e == ERR_OK)
        e = judge_tables(r, j, c);
    if (e == ERR_OK)
        e = judge_zone(r, j, c->timezone);
    return e == ERR_OK ? judge_target(r, j) : e;
}

enum err
ticdc_create_judge(struct req *r, struct ticdc_create *in,
                   const struct ticdc_config *c)
{
    struct judged j = { .code = NULL };
    const char *text;
    bool dry;
    enum err e = ticdc_wish(r, "dry_run", in->dry_run, &dry);

    if (e != ERR_OK)
        return e;
    PUT(in, ticdc_create, dry, dry);
    if (r->json == NULL)
        return req_fail(r, TICDC_NO_BODY, ARGS());
    e = judge_all(r, in, c, &j);
    if (e == ERR_OK)
        e = ticdc_config_write(r->arena, c, &text);
    if (e != ERR_OK)
        return e;
    PUT(in, ticdc_create, found_config, text);
    PUT(in, ticdc_create, found_file, j.source.file);
    PUT(in, ticdc_create, found_pos, j.source.pos);
    return ERR_OK;
}

enum err
ticdc_create_prepare(struct req *r, struct ticdc_create *in)
{
    struct ticdc_config c;

    config_of(in, &c);
    return ticdc_create_judge(r, in, &c);
}

enum err
ticdc_create_row(struct req *r, const struct ticdc_create *in)
{
    struct ticdc_feed f = {
        .namespace = ticdc_namespace(in->namespace),
        .id = in->changefeed_id,
        .sink_uri = in->sink_uri,
        .config = in->found_config,
        .start_ts = in->start_ts,
        .target_ts = in->target_ts,
        .gtid = in->found_gtid,
        .file = in->found_anchor != 0 ? in->found_file : "",
        .pos = in->found_anchor != 0 ? in->found_pos : 0,
        .anchor_ts = in->found_anchor,
    };
    const char *what =
        arena_printf(r->arena, "changefeed %s/%s", f.namespace, f.id);
    enum err e = ERR_OK;

    f.creator_version = arena_printf(r->arena, "v%s", build_version);
    if (what == NULL || f.creator_version == NULL)
        return ERR_NOMEM;
    if (!in->dry)
        e = ticdc_feed_insert(r->db, &f);
    if (e == ERR_EXISTS &&
        strcmp(db_dup_index(r->db), "ticdc_changefeed_id") == 0)
        return req_fail(r, TICDC_FEED_TAKEN,
                        ARGS(arg("id", what + strlen("changefeed "))));
    if (e != ERR_OK)
        return e;
    req_audit(r, what, NULL, NULL);
    req_header_add(r, "X-Changefeed-Id", f.id);
    req_wake(r);
    return ERR_OK;
}

enum err
ticdc_feed_create(struct req *r, const struct ticdc_create *in)
{
    enum err e = ticdc_create_row(r, in);

    return e == ERR_OK ? req_ok(r) : e;
}
