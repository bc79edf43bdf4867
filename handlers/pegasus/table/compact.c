/* Two later forms that only set variables of a table: manual compaction and
 * the usage scenario. Their sentences, "ony" too, are Pegasus' own. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "env.h"
#include "pegasus/audit.h"
#include "pegasus/node/cluster.h"
#include "pegasus/pegasus.h"
#include "table.h"

TABLE(pegasus_compact, PEGASUS_COMPACT);
TABLE(pegasus_scenario, PEGASUS_SCENARIO);

static enum err
check_type(struct req *r, const void *p)
{
    const struct pegasus_compact *in = p;

    if (in->type == NULL ||
        (strcmp(in->type, "once") != 0 && strcmp(in->type, "periodic") != 0))
        return req_fail(r, PEGASUS_COMPACT_TYPE, ARGS());
    return ERR_OK;
}

static enum err
check_rest(struct req *r, const void *p)
{
    const struct pegasus_compact *in = p;
    const char *bottom = in->bottommost;

    if (HAS(in, pegasus_compact, target_level) && in->target_level < -1)
        return req_fail(r, PEGASUS_COMPACT_LEVEL, ARGS());
    if (bottom != NULL && strcmp(bottom, "skip") != 0 &&
        strcmp(bottom, "force") != 0)
        return req_fail(r, PEGASUS_COMPACT_BOTTOM, ARGS());
    if (in->running < 0)
        return req_fail(r, PEGASUS_COMPACT_RUNNING, ARGS());
    if (strcmp(in->type, "periodic") == 0 && str_empty(in->trigger_time))
        return req_fail(r, PEGASUS_COMPACT_TIME, ARGS());
    return ERR_OK;
}

static enum err
check_scenario(struct req *r, const void *p)
{
    const struct pegasus_scenario *in = p;

    if (in->scenario == NULL || (strcmp(in->scenario, "normal") != 0 &&
                                 strcmp(in->scenario, "bulk_load") != 0))
        return req_fail(r, PEGASUS_SCENARIO_BAD, ARGS());
    return ERR_OK;
}

CHECKS(pegasus_compact, NEED(app_name, PEGASUS_EMPTY), FN(check_type),
       FN(check_rest));
CHECKS(pegasus_scenario, NEED(app_name, PEGASUS_EMPTY), FN(check_scenario));

/* Finds the table and sets the pairs, all or none. */
static enum err
set_pairs(struct req *r, const char *name, const struct map_of_STR *v, size_t n)
{
    struct pegasus_app_row app = { 0 };
    int64_t version;
    enum err e = pegasus_store_lock(r->db, &version);

    pg_audit_target(r, "variables of", name);
    if (e == ERR_OK)
        e = pegasus_store_app(r->db, r->arena, name, &app);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, PEGASUS_APP_UNKNOWN, ARGS(arg("why", "")));
    if (e == ERR_OK)
        e = pg_env_judge(r, v, n);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_before);
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = pegasus_store_env_set(r->db, app.app_id, v[i].key, v[i].value.v);
    if (e == ERR_OK)
        e = pg_audit_envs(r, app.app_id, req_audit_after);
    return e == ERR_OK ? pegasus_send(r, pegasus_done(r)) : e;
}

/* "manual_compact.<type>.<what>". */
static struct map_of_STR
pair(struct req *r, const char *type, const char *what, const char *value)
{
    const char *key =
        str_empty(type)
            ? arena_printf(r->arena, "manual_compact.%s", what)
            : arena_printf(r->arena, "manual_compact.%s.%s", type, what);

    return (struct map_of_STR){ key == NULL ? "" : key,
                                { .has = UINT64_MAX, .v = value } };
}

static const char *
digits(struct req *r, int64_t v)
{
    const char *text = arena_printf(r->arena, "%lld", (long long)v);

    return text == NULL ? "" : text;
}

enum err
pegasus_app_compact(struct req *r, const struct pegasus_compact *in)
{
    struct map_of_STR v[4];
    size_t n = 0;
    enum err e = req_check(r, in);

    if (e != ERR_OK)
        return e;
    v[n++] = pair(r, in->type, "target_level",
                  HAS(in, pegasus_compact, target_level)
                      ? digits(r, in->target_level)
                      : "-1");
    v[n++] = pair(r, in->type, "bottommost_level_compaction",
                  in->bottommost != NULL ? in->bottommost : "skip");
    v[n++] = pair(r, in->type, "trigger_time",
                  !str_empty(in->trigger_time) ? in->trigger_time
                                               : digits(r, clock_unix_s()));
    if (in->running > 0)
        v[n++] =
            pair(r, "", "max_concurrent_running_count", digits(r, in->running));
    return set_pairs(r, in->app_name, v, n);
}

enum err
pegasus_app_scenario(struct req *r, const struct pegasus_scenario *in)
{
    const struct map_of_STR v = { "rocksdb.usage_scenario",
                                  { .has = UINT64_MAX, .v = in->scenario } };
    enum err e = req_check(r, in);

    return e == ERR_OK ? set_pairs(r, in->app_name, &v, 1) : e;
}
