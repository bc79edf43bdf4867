#include "replica_config.h"

#include <stdio.h>
#include <string.h>

TABLE(ticdc_filter, TICDC_FILTER);
TABLE(ticdc_mounter, TICDC_MOUNTER);
TABLE(ticdc_replica_config, TICDC_REPLICA_CONFIG);

#define MEMORY_QUOTA (UINT64_C(1) << 30)
#define WORKERS      16

static enum err
refuse(struct sink_fault *why, const char *what)
{
    why->code = "CDC:ErrInvalidReplicaConfig";
    snprintf(why->text, sizeof(why->text), "%s is not supported", what);
    return ERR_BAD_PARAM;
}

static bool
is_empty_list(struct span json)
{
    for (size_t i = 0; i < json.n; i++)
        if (strchr("[] \t\r\n", json.p[i]) == NULL)
            return false;
    return true;
}

static enum err
check(const struct ticdc_replica_config *rc, struct sink_fault *why)
{
    if (HAS(rc, ticdc_replica_config, enable_sync_point) &&
        rc->enable_sync_point)
        return refuse(why, "enable_sync_point");
    if (HAS(rc, ticdc_replica_config, bdr_mode) && rc->bdr_mode)
        return refuse(why, "bdr_mode");
    if (rc->filter != NULL && HAS(rc->filter, ticdc_filter, event_filters) &&
        !is_empty_list(rc->filter->event_filters))
        return refuse(why, "filter.event_filters");
    return ERR_OK;
}

enum err
ticdc_config_of_v2(const struct ticdc_replica_config *rc,
                   struct ticdc_config *out, struct sink_fault *why)
{
    enum err e;

    *out = (struct ticdc_config){ 0 };
    if (rc == NULL)
        return ERR_OK;
    e = check(rc, why);
    if (e != ERR_OK)
        return e;
#define TAKE(m)                           \
    if (HAS(rc, ticdc_replica_config, m)) \
    PUT(out, ticdc_config, m, rc->m)
    TAKE(memory_quota);
    TAKE(case_sensitive);
    TAKE(force_replicate);
    TAKE(ignore_ineligible_table);
    TAKE(initial_snapshot);
#undef TAKE
    if (rc->filter != NULL && HAS(rc->filter, ticdc_filter, rules))
        PUT_LIST(out, ticdc_config, filter_rules, rc->filter->rules.n,
                 rc->filter->rules.v);
    if (rc->filter != NULL &&
        HAS(rc->filter, ticdc_filter, ignore_txn_start_ts))
        PUT_LIST(out, ticdc_config, ignore_txn_start_ts,
                 rc->filter->ignore_txn_start_ts.n,
                 rc->filter->ignore_txn_start_ts.v);
    if (rc->mounter != NULL && HAS(rc->mounter, ticdc_mounter, worker_num))
        PUT(out, ticdc_config, mounter_worker_num, rc->mounter->worker_num);
    out->sink_config = rc->sink;
    return ERR_OK;
}

static bool
put_filter(struct arena *a, const struct ticdc_config *c,
           struct ticdc_filter *out)
{
    struct STR *all = arena_alloc(a, sizeof(*all));

    if (all == NULL)
        return false;
    all->v = "*.*";
    if (c->filter_rules.n > 0)
        PUT_LIST(out, ticdc_filter, rules, c->filter_rules.n,
                 c->filter_rules.v);
    else
        PUT_LIST(out, ticdc_filter, rules, 1, all);
    PUT_LIST(out, ticdc_filter, ignore_txn_start_ts, c->ignore_txn_start_ts.n,
             c->ignore_txn_start_ts.v);
    return true;
}

struct ticdc_replica_config *
ticdc_config_to_v2(struct arena *a, const struct ticdc_config *c)
{
    struct ticdc_replica_config *out = arena_alloc(a, sizeof(*out));
    int32_t workers = c->mounter_worker_num;
    uint64_t quota = c->memory_quota;

    if (out == NULL)
        return NULL;
    out->filter = arena_alloc(a, sizeof(*out->filter));
    out->mounter = arena_alloc(a, sizeof(*out->mounter));
    if (out->filter == NULL || out->mounter == NULL ||
        !put_filter(a, c, out->filter))
        return NULL;
    PUT(out, ticdc_replica_config, memory_quota,
        quota != 0 ? quota : MEMORY_QUOTA);
    PUT(out, ticdc_replica_config, case_sensitive, c->case_sensitive);
    PUT(out, ticdc_replica_config, force_replicate, c->force_replicate);
    PUT(out, ticdc_replica_config, ignore_ineligible_table,
        c->ignore_ineligible_table);
    PUT(out, ticdc_replica_config, initial_snapshot, c->initial_snapshot);
    PUT(out->mounter, ticdc_mounter, worker_num,
        workers != 0 ? workers : WORKERS);
    out->sink = c->sink_config;
    return out;
}
