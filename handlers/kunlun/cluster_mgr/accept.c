/* Jobs are accepted: before the answer it is looked at what the job is called,
 * whether that id still runs, and whether its cluster is being changed. All
 * else its first step finds. */
#include <string.h>

#include "cluster_mgr.h"
#include "store.h"

#define ID_BYTES   128
#define TEXT_BYTES ((size_t)4 << 20) /* a body with its arguments' frame */

TABLE(cluster_ask, CLUSTER_ASK);
TABLE(cluster_effect, CLUSTER_EFFECT);
TABLE(cluster_plan, CLUSTER_PLAN);
NO_CHECKS(cluster_ask);

/* ---- what is kept and shown of it ---- */

static enum err
arguments(struct req *r, bool paras, const char **out)
{
    struct cluster_said said = { 0 };

    PUT(&said, cluster_said, paras, paras);
    PUT(&said, cluster_said, body, json_span(r->json));
    return record_text(r->arena, &json_compact, &cluster_said_rec, &said,
                       SECRETS_FULL, TEXT_BYTES, out);
}

static void
put_if_there(struct json_writer *w, const struct json *at, const char *key)
{
    const struct json *j = json_member(at, key);

    if (j != NULL && json_type(j) == JSON_STRING)
        jw_key_str(w, key, json_text(j));
}

/* The members that the job knows, and who asked: others may be anything, also
 * passwords. */
static enum err
shown(struct req *r, const struct cluster_job *j, bool paras, const char **out)
{
    struct buf b = BUF_INIT(TEXT_BYTES);
    struct json_writer w;

    jw_init(&w, &b, &json_compact);
    jw_object(&w);
    put_if_there(&w, r->json, "job_type");
    put_if_there(&w, r->json, "user_name");
    if (paras) {
        jw_key(&w, "paras");
        jw_object(&w);
    }
    cluster_want_show(&w, j, paras,
                      paras ? json_member(r->json, "paras") : r->json);
    if (paras)
        jw_object_end(&w);
    jw_object_end(&w);
    return buf_settle(&b, r->arena, out);
}

/* ---- the same request once more ---- */

static bool same(const struct json *x, const struct json *y);

static size_t
count(const struct json *j)
{
    size_t n = 0;

    for (j = json_first(j); j != NULL; j = json_next(j))
        n++;
    return n;
}

static bool
same_members(const struct json *x, const struct json *y)
{
    for (const struct json *j = json_first(x); j != NULL; j = json_next(j)) {
        const struct json *other = json_member(y, json_key(j));

        if (other == NULL || !same(j, other))
            return false;
    }
    return true;
}

static bool
same_elements(const struct json *x, const struct json *y)
{
    const struct json *i = json_first(x), *k = json_first(y);

    for (; i != NULL; i = json_next(i), k = json_next(k))
        if (!same(i, k))
            return false;
    return true;
}

/* Of the same members and values, in whatever order. */
static bool
same(const struct json *x, const struct json *y)
{
    if (json_type(x) != json_type(y))
        return false;
    if (json_type(x) != JSON_OBJECT && json_type(x) != JSON_ARRAY)
        return strcmp(json_text(x), json_text(y)) == 0;
    if (count(x) != count(y))
        return false;
    return json_type(x) == JSON_OBJECT ? same_members(x, y)
                                       : same_elements(x, y);
}

static enum err
is_same(struct req *r, uint64_t id, bool *out)
{
    const struct json *tree, *body;
    struct json_error why;
    const char *args;
    enum err e = job_said(r->db, r->arena, id, &args);

    if (e == ERR_OK)
        e = json_parse(r->arena, args, strlen(args), JSON_OWN, &tree, &why);
    if (e != ERR_OK)
        return e;
    body = json_member(tree, "body");
    *out = body != NULL && same(r->json, body);
    return ERR_OK;
}

/* ---- whether it may be taken now ---- */

/* What is being done in its place is told. */
static enum err
refuse_busy(struct req *r, uint64_t id)
{
    const struct cluster_job *j;
    struct job job;
    enum err e = job_get(r->db, r->arena, id, &job);

    if (e != ERR_OK) /* it has ended just now */
        return e == ERR_NOT_FOUND ? ERR_BUSY : e;
    j = cluster_job_of_kind(job.kind);
    return req_fail(
        r, CLUSTER_BUSY,
        ARGS(arg("info",
                 j != NULL ? cluster_job_info(r->arena, j, &job) : job.doing)));
}

/* The id as a lock, so that two requests at once are one after the other. A
 * line feed ends a lock's name. */
static const char *
id_lock(struct req *r, const char *id)
{
    char *s = arena_printf(r->arena, "cluster_mgr job %s", id);

    for (char *p = s; p != NULL && *p != '\0'; p++)
        if (*p == '\n')
            *p = '\x1f';
    return s;
}

/* The job of that id, if it still runs. OK: there is none; *again: it is this
 * very one. */
static enum err
check_id(struct req *r, const char *lock, bool *again)
{
    uint64_t holder;
    enum err e = job_lock_holder(r->db, lock, &holder);

    *again = false;
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e == ERR_OK)
        e = is_same(r, holder, again);
    return e != ERR_OK || *again ? e : refuse_busy(r, holder);
}

/* The lock of the cluster that it changes; NULL: of none, or of one that is
 * not there. */
static enum err
check_cluster(struct req *r, const struct cluster_job *j, bool paras,
              const char **lock)
{
    const struct json *body = paras ? json_member(r->json, "paras") : r->json;
    struct cluster_want want;
    char why[WHY_BYTES];
    const char *name;
    uint64_t holder;
    enum err e;

    *lock = NULL;
    if (!j->locks)
        return ERR_OK;
    e = cluster_want_read(r->arena, j, paras, body, &want, why);
    if (e == ERR_NOMEM)
        return e;
    if (!HAS(&want, cluster_want, cluster_name) &&
        !HAS(&want, cluster_want, cluster_id))
        return ERR_OK;
    e = cluster_store_name(r->db, r->arena, want.cluster_name, want.cluster_id,
                           &name);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    *lock = cluster_lock(r->arena, name);
    if (*lock == NULL)
        return ERR_NOMEM;
    e = job_lock_holder(r->db, *lock, &holder);
    if (e == ERR_OK)
        return refuse_busy(r, holder);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- accepting ---- */

/* Flat, the client names the job: a text that is not empty, and not too long.
 * In paras we number it. */
static enum err
read_id(struct req *r, bool paras, const char **id)
{
    const struct json *j = json_member(r->json, "job_id");

    *id = NULL;
    if (paras)
        return ERR_OK;
    if (j == NULL || json_type(j) != JSON_STRING || str_empty(json_text(j)) ||
        strlen(json_text(j)) > ID_BYTES)
        return req_fail(r, CLUSTER_GET_JOB_ID, ARGS());
    *id = json_text(j);
    return ERR_OK;
}

static enum err
accept(struct req *r, const struct cluster_job *j, bool paras,
       struct job_new *n)
{
    enum err e = arguments(r, paras, &n->args);

    if (e == ERR_OK)
        e = shown(r, j, paras, &n->shown);
    if (e == ERR_OK)
        e = req_accept(r, n);
    /* another one has come in between: look again at what it is */
    return e == ERR_EXISTS ? ERR_BUSY : e;
}

enum err
cluster_job_accept(struct req *r, const struct cluster_ask *in)
{
    bool paras = cluster_in_paras(r), again = false;
    const struct cluster_job *j = cluster_job_find(r->operation, paras);
    const char *id, *id_name = NULL, *cluster = NULL;
    struct job_new n = { .lock_now = true };
    enum err e;

    (void)in;
    if (j == NULL) /* it has that name in paras only */
        return req_fail(r, CLUSTER_JOB_TYPE, ARGS(arg("value", r->operation)));
    e = read_id(r, paras, &id);
    if (e == ERR_OK && id != NULL) {
        id_name = id_lock(r, id);
        e = id_name != NULL ? check_id(r, id_name, &again) : ERR_NOMEM;
    }
    if (e == ERR_OK && again)
        return kunlun_say(r, "accept", NULL);
    if (e == ERR_OK)
        e = check_cluster(r, j, paras, &cluster);
    if (e != ERR_OK)
        return e;
    n.kind = j->kind;
    n.client_id = id;
    n.locks = arena_printf(r->arena, "%s\n%s", id_name != NULL ? id_name : "",
                           cluster != NULL ? cluster : "");
    return n.locks != NULL ? accept(r, j, paras, &n) : ERR_NOMEM;
}

/* ---- what it would do ---- */

enum err
cluster_dry_run(struct req *r, const struct none *in)
{
    bool paras = cluster_in_paras(r);
    const struct json *body = paras ? json_member(r->json, "paras") : r->json;
    const char *type = json_text(json_member(r->json, "job_type"));
    const struct cluster_job *j = cluster_job_find(type, paras);
    struct cluster_plan *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_cluster_effect effects = { 0 };
    struct cluster_want want;
    char why[WHY_BYTES] = "";
    enum err e;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    if (j == NULL && !kunlun_changes(r->dialect, type)) /* "dry_run" itself */
        return req_fail(r, CLUSTER_JOB_TYPE, ARGS(arg("value", type)));
    if (j == NULL || j->plan == NULL)
        return req_fail(r, CLUSTER_NO_PLAN, ARGS(arg("type", type)));
    e = cluster_want_read(r->arena, j, paras, body, &want, why);
    if (e == ERR_OK)
        e = j->plan(r->db, r->arena, j->kind->of, &want, &effects, why);
    if (e != ERR_OK && !str_empty(why))
        return req_fail(r, CLUSTER_PLAN_FAILS,
                        ARGS(arg("why", arena_strdup(r->arena, why))));
    *out = (struct cluster_plan){ 0 };
    PUT(out, cluster_plan, result, "done");
    PUT(out, cluster_plan, info,
        arena_printf(r->arena, "%s would do %zu things", type, effects.n));
    PUT_LIST(out, cluster_plan, plan, effects.n, effects.v);
    return req_send_or_fail(r, e, &cluster_plan_rec, out);
}
