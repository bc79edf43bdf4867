/* Tables made, dropped, recalled, renamed. Each handler runs in one
 * transaction that begins with pegasus_store_lock; a refusal rolls it back. */
#include <stdio.h>
#include <string.h>

#include "env.h"
#include "pegasus/audit.h"
#include "pegasus/core/state.h"
#include "pegasus/node/cluster.h"
#include "pegasus/pegasus.h"
#include "pegasus/settings.h"
#include "table.h"

TABLE(pegasus_create, PEGASUS_CREATE);
TABLE(pegasus_drop, PEGASUS_DROP);
TABLE(pegasus_recall, PEGASUS_RECALL);
TABLE(pegasus_rename, PEGASUS_RENAME);
TABLE(pegasus_set_max, PEGASUS_SET_MAX);

CHECKS(pegasus_create, NEED(app_name, PEGASUS_EMPTY));
CHECKS(pegasus_drop, NEED(app_name, PEGASUS_EMPTY));
CHECKS(pegasus_recall, PRESENT(app_id, PEGASUS_EMPTY));
CHECKS(pegasus_rename, NEED(old_app_name, PEGASUS_EMPTY),
       NEED(new_app_name, PEGASUS_EMPTY));
CHECKS(pegasus_set_max, NEED(app_name, PEGASUS_EMPTY),
       PRESENT(max_replica_count, PEGASUS_EMPTY));

#define NAME_MAX_BYTES 128
#define TYPE_MAX_BYTES 64
#define REPLICAS_MAX   5
#define RESERVE_MAX    INT64_C(315360000) /* ten years */

static bool
is_name(const char *text)
{
    size_t n = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.:");

    return n > 0 && n <= NAME_MAX_BYTES && text[n] == '\0';
}

static enum err
refuse_name(struct req *r, const char *member)
{
    return pegasus_invalid(
        r,
        arena_printf(r->arena, "%s must match [0-9A-Za-z_.:]{1,128}", member));
}

/* Why a table in that state takes no change now; OK when it is AVAILABLE. */
static enum err
refuse_busy(struct req *r, const char *status)
{
    if (strcmp(status, "AVAILABLE") == 0)
        return ERR_OK;
    if (strcmp(status, "DROPPING") == 0)
        return req_fail(r, PEGASUS_DROPPING, ARGS());
    return req_fail(r, PEGASUS_CREATING, ARGS());
}

static enum err
unknown_app(struct req *r, const char *name)
{
    return req_fail(
        r, PEGASUS_APP_UNKNOWN,
        ARGS(arg("why",
                 arena_printf(r->arena, "ERROR: app(%s) not exist!", name))));
}

/* Locks, and finds the live table of that name. */
static enum err
lock_app(struct req *r, const char *name, int64_t *version,
         struct pegasus_app_row *app)
{
    enum err e = pegasus_store_lock(r->db, version);

    pg_audit_target(r, "table", name);
    if (e == ERR_OK)
        e = pegasus_store_app(r->db, r->arena, name, app);
    if (e == ERR_OK)
        req_audit_before(r, &pegasus_app_row_rec, app);
    return e;
}

/* Success: the table as it has become. */
static enum err
changed(struct req *r, const struct pegasus_app_row *app,
        struct pegasus_outcome *out)
{
    req_audit_after(r, &pegasus_app_row_rec, app);
    return pegasus_send(r, out);
}

/* ---- create ---- */

/* What is asked for, with the defaults. */
struct wish {
    const char *name, *type;
    int64_t partitions, replicas;
    bool again; /* success_if_exist */
    struct map_of_STR *envs;
    size_t n_envs;
};

static struct wish
wish_of(const struct pegasus_create *in)
{
    return (struct wish){
        .name = in->app_name,
        .type = HAS(in, pegasus_create, app_type) ? in->app_type : "pegasus",
        .partitions =
            HAS(in, pegasus_create, partition_count) ? in->partition_count : 4,
        .replicas =
            HAS(in, pegasus_create, replica_count) ? in->replica_count : 3,
        .again =
            !HAS(in, pegasus_create, success_if_exist) || in->success_if_exist,
        .envs = in->envs.v,
        .n_envs = in->envs.n,
    };
}

static enum err
judge_wish(struct req *r, const struct wish *w)
{
    const char *why = NULL;

    if (!is_name(w->name))
        return refuse_name(r, "app_name");
    if (w->partitions < 1 || w->partitions > PEGASUS_PARTITIONS_MAX)
        why = "partition_count must be 1 to 65536";
    else if (w->replicas < 1 || w->replicas > REPLICAS_MAX)
        why = "replica_count must be 1 to 5";
    else if (str_empty(w->type) || strlen(w->type) > TYPE_MAX_BYTES)
        why = "app_type must have 1 to 64 characters";
    if (why != NULL)
        return pegasus_invalid(r, why);
    return pg_env_judge(r, w->envs, w->n_envs);
}

static enum err
same_envs(struct req *r, int32_t app_id, const struct wish *w, bool *same)
{
    struct list_of_map_of_STR rows;
    enum err e = pegasus_store_env_rows(r->db, r->arena, app_id, &rows);

    *same = e == ERR_OK && rows.n == w->n_envs;
    for (size_t i = 0; *same && i < w->n_envs; i++) {
        const char *v = pg_env_find(rows.v, rows.n, w->envs[i].key);

        *same = v != NULL && strcmp(v, w->envs[i].value.v) == 0;
    }
    return e;
}

/* A table of that name is there: equal options are success, if asked for. */
static enum err
create_again(struct req *r, const struct wish *w,
             const struct pegasus_app_row *app)
{
    struct pegasus_outcome *out = pegasus_done(r);
    bool same = false;
    enum err e;

    e = refuse_busy(r, app->status);
    if (e != ERR_OK)
        return e;
    if (w->again && w->partitions == app->partition_count &&
        w->replicas == app->max_replica_count &&
        strcmp(w->type, app->app_type) == 0)
        e = same_envs(r, app->app_id, w, &same);
    if (e != ERR_OK)
        return e;
    if (!same)
        return pegasus_invalid(
            r, w->again ? "a table of that name exists with other options"
                        : "a table of that name exists");
    if (out == NULL)
        return ERR_NOMEM;
    PUT(out, pegasus_outcome, app_id, app->app_id);
    return changed(r, app, out);
}

static void
audit_new(struct req *r, const struct wish *w, int32_t app_id)
{
    struct pegasus_app_row app = {
        .has = UINT64_MAX,
        .app_id = app_id,
        .app_name = w->name,
        .app_type = w->type,
        .status = "AVAILABLE",
        .partition_count = (int32_t)w->partitions,
        .max_replica_count = (int32_t)w->replicas,
    };
    struct pegasus_table_made made = { .app = &app };

    made.envs.n = w->n_envs;
    made.envs.v = w->envs;
    req_audit_after(r, &pegasus_table_made_rec, &made);
}

static enum err
create_new(struct req *r, const struct wish *w, int64_t version)
{
    struct pegasus_outcome *out = pegasus_done(r);
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = pegasus_store_app_add(r->db, w->name, w->type, (int32_t)w->partitions,
                              (int32_t)w->replicas, version, &out->app_id);
    for (size_t i = 0; e == ERR_OK && i < w->n_envs; i++)
        e = pegasus_store_env_set(r->db, out->app_id, w->envs[i].key,
                                  w->envs[i].value.v);
    if (e != ERR_OK)
        return e;
    audit_new(r, w, out->app_id);
    SET(out, pegasus_outcome, app_id);
    return pegasus_send(r, out);
}

enum err
pegasus_app_create(struct req *r, const struct pegasus_create *in)
{
    struct wish w = wish_of(in);
    struct pegasus_app_row app = { 0 };
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = judge_wish(r, &w);
    if (e != ERR_OK)
        return e;
    e = lock_app(r, in->app_name, &version, &app);
    if (e == ERR_OK)
        return create_again(r, &w, &app);
    return e == ERR_NOT_FOUND ? create_new(r, &w, version) : e;
}

/* ---- drop and recall ---- */

enum err
pegasus_app_drop(struct req *r, const struct pegasus_drop *in)
{
    bool missing_is_fine = !HAS(in, pegasus_drop, success_if_not_exist) ||
                           in->success_if_not_exist;
    int64_t hold = pegasus_settings()->hold_seconds_for_dropped_app, version;
    struct pegasus_app_row app = { 0 };
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    if (in->reserve_seconds < 0 || in->reserve_seconds > RESERVE_MAX)
        return pegasus_invalid(r, "reserve_seconds must be 0 to 315360000");
    e = lock_app(r, in->app_name, &version, &app);
    if (e == ERR_NOT_FOUND)
        return missing_is_fine ? pegasus_send(r, pegasus_done(r))
                               : unknown_app(r, in->app_name);
    if (e == ERR_OK)
        e = refuse_busy(r, app.status);
    if (e == ERR_OK)
        e = pegasus_store_app_drop(
            r->db, r->arena, app.app_id,
            in->reserve_seconds > 0 ? in->reserve_seconds : hold, version);
    app.status = "DROPPED";
    UNSET(&app, pegasus_app_row, drop_second); /* on the store's clock */
    return e == ERR_OK ? changed(r, &app, pegasus_done(r)) : e;
}

static enum err
recallable(struct req *r, const struct pegasus_app_row *app)
{
    if (strcmp(app->status, "AVAILABLE") == 0)
        return req_fail(r, PEGASUS_APP_EXISTS, ARGS(arg("why", "")));
    if (strcmp(app->status, "DROPPED") != 0)
        return refuse_busy(r, app->status);
    if (app->expired)
        return req_fail(r, PEGASUS_APP_UNKNOWN,
                        ARGS(arg("why", "its time to be recalled is over")));
    return ERR_OK;
}

enum err
pegasus_app_recall(struct req *r, const struct pegasus_recall *in)
{
    struct pegasus_outcome *out = pegasus_done(r);
    bool renamed = !str_empty(in->new_app_name);
    struct pegasus_app_row app = { 0 };
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    if (renamed && !is_name(in->new_app_name))
        return refuse_name(r, "new_app_name");
    pg_audit_target(r, "table",
                    arena_printf(r->arena, "%lld", (long long)in->app_id));
    e = pegasus_store_lock(r->db, &version);
    if (e == ERR_OK)
        e = in->app_id < 1 || in->app_id > INT32_MAX
                ? ERR_NOT_FOUND
                : pegasus_store_app_by_id(r->db, r->arena, (int32_t)in->app_id,
                                          &app);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, PEGASUS_APP_UNKNOWN, ARGS(arg("why", "")));
    if (e == ERR_OK)
        req_audit_before(r, &pegasus_app_row_rec, &app);
    if (e == ERR_OK)
        e = recallable(r, &app);
    PUT(out, pegasus_outcome, app_id, app.app_id);
    PUT(out, pegasus_outcome, app_name,
        renamed ? in->new_app_name : app.app_name);
    if (e == ERR_OK) /* EXISTS: the name was taken meanwhile */
        e = pegasus_store_app_recall(r->db, app.app_id, out->app_name, version);
    app.status = "AVAILABLE";
    app.app_name = out->app_name;
    app.drop_second = 0;
    return e == ERR_OK ? changed(r, &app, out) : e;
}

/* ---- rename, replicas ---- */

static enum err
name_is_free(struct req *r, const char *name)
{
    struct pegasus_app_row other;
    enum err e = pegasus_store_app(r->db, r->arena, name, &other);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e != ERR_OK)
        return e;
    return pegasus_invalid(
        r, arena_printf(r->arena, "ERROR: app(%s) already exist!", name));
}

enum err
pegasus_app_rename(struct req *r, const struct pegasus_rename *in)
{
    struct pegasus_app_row app = { 0 };
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    if (!is_name(in->new_app_name))
        return refuse_name(r, "new_app_name");
    e = lock_app(r, in->old_app_name, &version, &app);
    if (e == ERR_NOT_FOUND)
        return unknown_app(r, in->old_app_name);
    if (e == ERR_OK)
        e = refuse_busy(r, app.status);
    if (e == ERR_OK)
        e = name_is_free(r, in->new_app_name);
    if (e == ERR_OK)
        e = pegasus_store_app_rename(r->db, app.app_id, in->new_app_name,
                                     version);
    app.app_name = in->new_app_name;
    return e == ERR_OK ? changed(r, &app, pegasus_done(r)) : e;
}

enum err
pegasus_app_set_max(struct req *r, const struct pegasus_set_max *in)
{
    struct pegasus_outcome *out = pegasus_done(r);
    struct pegasus_app_row app = { 0 };
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    if (in->max_replica_count < 1 || in->max_replica_count > REPLICAS_MAX)
        return pegasus_invalid(r, "max_replica_count must be 1 to 5");
    e = lock_app(r, in->app_name, &version, &app);
    if (e == ERR_NOT_FOUND)
        return unknown_app(r, in->app_name);
    if (e == ERR_OK)
        e = refuse_busy(r, app.status);
    if (e == ERR_OK)
        e = pegasus_store_app_replicas(r->db, app.app_id,
                                       (int32_t)in->max_replica_count, version);
    PUT(out, pegasus_outcome, old_max_replica_count, app.max_replica_count);
    app.max_replica_count = (int32_t)in->max_replica_count;
    return e == ERR_OK ? changed(r, &app, out) : e;
}
