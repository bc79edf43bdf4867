/* Captures, their owner, their log. */
#include <string.h>
#include <strings.h>

#include "build_info.h"
#include "nodes.h"
#include "ticdc/store/rows.h"

TABLE(ticdc_status, TICDC_STATUS);
TABLE(ticdc_log, TICDC_LOG);
NO_CHECKS(ticdc_log);
TABLE(ticdc_capture_item, TICDC_CAPTURE_ITEM);
TABLE(ticdc_captures, TICDC_CAPTURES);
TABLE(ticdc_drain, TICDC_DRAIN);
NO_CHECKS(ticdc_drain);
TABLE(ticdc_drained, TICDC_DRAINED);

/* A changefeed that was just created or resumed is not unhealthy for it. */
#define SCHEDULE_MS 10000

const struct ticdc_capture *
ticdc_capture_find(const struct list_of_ticdc_capture *all, const char *id)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].capture_id, id) == 0)
            return &all->v[i];
    return NULL;
}

/* The owner; NOT_FOUND is said. */
static enum err
find_owner(struct req *r, struct ticdc_owner *out)
{
    enum err e = ticdc_owner_get(r->db, r->arena, out);

    return e == ERR_NOT_FOUND ? req_fail(r, TICDC_NO_OWNER, ARGS()) : e;
}

/* The capture that the listener belongs to: the youngest of that name. */
static enum err
find_own(struct req *r, const struct list_of_ticdc_capture *all,
         const struct ticdc_capture **out)
{
    *out = NULL;
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].name, r->listener_tail) == 0 &&
            (*out == NULL || all->v[i].started_ms > (*out)->started_ms))
            *out = &all->v[i];
    if (*out != NULL)
        return ERR_OK;
    req_header_add(r, "Retry-After", "3");
    return req_fail(r, TICDC_NOT_READY, ARGS());
}

enum err
ticdc_status_get(struct req *r, const struct none *in)
{
    struct list_of_ticdc_capture all;
    const struct ticdc_capture *own;
    struct ticdc_owner owner = { 0 };
    struct ticdc_status *out = arena_alloc(r->arena, sizeof(*out));
    enum err e;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    e = ticdc_capture_list(r->db, r->arena, &all);
    if (e == ERR_OK)
        e = find_own(r, &all, &own);
    if (e != ERR_OK)
        return e;
    e = ticdc_owner_get(r->db, r->arena, &owner);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    PUT(out, ticdc_status, version, own->version);
    PUT(out, ticdc_status, git_hash, own->git_hash);
    PUT(out, ticdc_status, id, own->capture_id);
    PUT(out, ticdc_status, pid, own->pid);
    PUT(out, ticdc_status, is_owner,
        e == ERR_OK && strcmp(owner.capture_id, own->capture_id) == 0);
    PUT(out, ticdc_status, cluster_id, "default");
    PUT(out, ticdc_status, liveness, (int32_t)own->liveness);
    return req_send(r, &ticdc_status_rec, out);
}

static enum err
say_unhealthy(struct req *r, const char *why)
{
    return req_fail(r, TICDC_UNHEALTHY, ARGS(arg("why", why)));
}

/* What is stopped, pending, failed or finished waits for nobody. */
static enum err
judge_feeds(struct req *r, int64_t now_ms)
{
    struct list_of_ticdc_feed all;
    enum err e = ticdc_feed_list(r->db, r->arena, &all);

    for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
        const struct ticdc_feed *f = &all.v[i];

        if (strcmp(f->state, health_word(HEALTH_NORMAL)) == 0 &&
            f->scheduled_epoch != f->epoch &&
            now_ms - f->changed_ms > SCHEDULE_MS)
            return say_unhealthy(
                r, arena_printf(r->arena,
                                "the tables of changefeed %s/%s are not given "
                                "out",
                                f->namespace, f->id));
    }
    return e;
}

enum err
ticdc_health_get(struct req *r, const struct none *in)
{
    struct ticdc_owner owner;
    int64_t now_ms;
    enum err e;

    (void)in;
    e = find_owner(r, &owner);
    if (e != ERR_OK)
        return e;
    if (owner.ready_epoch != owner.epoch)
        return say_unhealthy(r, "the owner has not yet looked at every "
                                "changefeed");
    e = db_one_i64(r->db, "SELECT " DB_NOW_MS, DB_NO_ARGS, &now_ms);
    if (e == ERR_OK)
        e = judge_feeds(r, now_ms);
    return e == ERR_OK ? req_ok(r) : e;
}

/* The level by which a capture knows it: ours have no more than four. */
static const char *
level_of(const char *said)
{
    static const struct {
        const char *said, *is;
    } levels[] = {
        { "debug", "debug" }, { "info", "info" },   { "", "info" },
        { "warn", "warn" },   { "error", "error" }, { "dpanic", "error" },
        { "panic", "error" }, { "fatal", "error" },
    };

    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcasecmp(levels[i].said, said) == 0)
            return levels[i].is;
    return NULL;
}

static enum err
set_level(struct req *r, const char *said)
{
    const char *level = level_of(said);
    struct list_of_ticdc_capture all;
    const struct ticdc_capture *own;
    enum err e;

    if (level == NULL)
        return req_fail(r, TICDC_BAD_LEVEL, ARGS(arg("level", said)));
    e = ticdc_capture_list(r->db, r->arena, &all);
    if (e == ERR_OK)
        e = find_own(r, &all, &own);
    if (e == ERR_OK)
        e = ticdc_set_level(r->db, own->capture_id, level);
    if (e != ERR_OK)
        return e;
    req_audit(r, arena_printf(r->arena, "capture %s", own->capture_id), NULL,
              NULL);
    req_wake(r);
    return req_ok(r);
}

enum err
ticdc_log_set(struct req *r, const struct ticdc_log *in)
{
    if (r->json == NULL)
        return req_fail(r, TICDC_NO_BODY, ARGS());
    return set_level(r, in->log_level != NULL ? in->log_level : "");
}

/* The name it had before: the body is the level, a JSON string. */
enum err
ticdc_log_set_bare(struct req *r, const struct none *in)
{
    const struct json *level;
    struct json_error why;
    enum err e =
        json_parse(r->arena, r->body, r->body_bytes, JSON_TAIL, &level, &why);

    (void)in;
    if (e == ERR_BAD_PARAM || e == ERR_LIMIT ||
        (e == ERR_OK && json_type(level) != JSON_STRING))
        return req_fail(r, TICDC_NO_STRING, ARGS());
    return e == ERR_OK ? set_level(r, json_text(level)) : e;
}

enum err
ticdc_captures_get(struct req *r, const struct none *in)
{
    struct list_of_ticdc_capture all;
    struct ticdc_captures *out = arena_alloc(r->arena, sizeof(*out));
    struct ticdc_capture_item *v;
    struct ticdc_owner owner;
    enum err e;

    (void)in;
    e = find_owner(r, &owner);
    if (e == ERR_OK)
        e = ticdc_capture_list(r->db, r->arena, &all);
    if (e != ERR_OK)
        return e;
    v = arena_array(r->arena, all.n + 1, sizeof(*v));
    if (v == NULL || out == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < all.n; i++) {
        const struct ticdc_capture *c = &all.v[i];

        PUT(&v[i], ticdc_capture_item, id, c->capture_id);
        PUT(&v[i], ticdc_capture_item, is_owner,
            strcmp(c->capture_id, owner.capture_id) == 0);
        PUT(&v[i], ticdc_capture_item, address, c->address);
        PUT(&v[i], ticdc_capture_item, cluster_id, "default");
    }
    PUT_LIST(out, ticdc_captures, v, all.n, v);
    return req_send(r, &ticdc_captures_rec, out);
}

enum err
ticdc_capture_drain(struct req *r, const struct ticdc_drain *in)
{
    const char *id = in->capture_id != NULL ? in->capture_id : "";
    struct ticdc_drained *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_ticdc_capture all;
    struct ticdc_owner owner;
    int64_t tables;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    if (!ticdc_is_id(id))
        return req_fail(r, TICDC_BAD_CAPTURE,
                        ARGS(arg("id", id), arg("rule", TICDC_ID_RULE)));
    e = find_owner(r, &owner);
    if (e == ERR_OK)
        e = ticdc_capture_list(r->db, r->arena, &all);
    if (e != ERR_OK)
        return e;
    if (all.n <= 1)
        return req_fail(r, TICDC_ONE_CAPTURE, ARGS());
    if (ticdc_capture_find(&all, id) == NULL)
        return req_fail(r, TICDC_CAPTURE_UNKNOWN, ARGS(arg("id", id)));
    if (strcmp(owner.capture_id, id) == 0)
        return req_fail(r, TICDC_DRAIN_OWNER, ARGS());
    e = rows_capture_stopping(r->db, id);
    if (e == ERR_OK)
        e = ticdc_table_count(r->db, id, &tables);
    if (e != ERR_OK)
        return e;
    req_audit(r, arena_printf(r->arena, "capture %s", id), NULL, NULL);
    req_wake(r);
    PUT(out, ticdc_drained, tables, tables);
    return req_send(r, &ticdc_drained_rec, out);
}

enum err
ticdc_owner_resign(struct req *r, const struct none *in)
{
    enum err e;

    (void)in;
    e = ticdc_set_resigned(r->db);
    if (e != ERR_OK)
        return e;
    req_audit(r, "owner", NULL, NULL);
    req_wake(r);
    return req_ok(r);
}
