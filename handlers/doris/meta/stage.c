/* Stages: where COPY INTO reads from; an internal one for each MySQL user,
 * external ones by name. */
#include <string.h>

#include "doris/data/rpc.h"
#include "doris/doris.h"
#include "instance.h"
#include "object.h"
#include "stage.h"

const struct enum_name doris_stage_type_names[] = {
    { "INTERNAL", DORIS_STAGE_INTERNAL },
    { "EXTERNAL", DORIS_STAGE_EXTERNAL },
    { NULL, 0 }
};

const struct enum_name doris_stage_access_names[] = {
    { "UNKNOWN", DORIS_ACCESS_UNKNOWN },
    { "AKSK", DORIS_ACCESS_AKSK },
    { "IAM", DORIS_ACCESS_IAM },
    { "BUCKET_ACL", DORIS_ACCESS_BUCKET_ACL },
    { NULL, 0 }
};

TABLE(doris_secret_text, DORIS_SECRET_TEXT);
TABLE(doris_stage, DORIS_STAGE);
TABLE(doris_stage_recycle, DORIS_STAGE_RECYCLE);
TABLE(doris_create_stage, DORIS_CREATE_STAGE);
TABLE(doris_stage_ref, DORIS_STAGE_REF);
TABLE(doris_drop_stage, DORIS_DROP_STAGE);
TABLE(doris_stage_list, DORIS_STAGE_LIST);

/* ---- checks ---- */

static enum err
stage_complete(struct req *r, const void *in)
{
    const struct doris_stage *s =
        ((const struct doris_create_stage *)in)->stage;

    if (!HAS(s, doris_stage, type))
        return req_fail(r, DORIS_STAGE_TYPE, ARGS());
    if (s->type == DORIS_STAGE_EXTERNAL && str_empty(s->name))
        return req_fail(r, DORIS_STAGE_NAME, ARGS());
    if (str_empty(s->stage_id))
        return req_fail(r, DORIS_STAGE_ID, ARGS());
    if (s->type == DORIS_STAGE_INTERNAL &&
        (s->mysql_user_name.n == 0 || s->mysql_user_id.n == 0))
        return req_fail(r, DORIS_STAGE_USER,
                        ARGS(arg_i64(r, "names", (int64_t)s->mysql_user_name.n),
                             arg_i64(r, "ids", (int64_t)s->mysql_user_id.n)));
    if (s->type == DORIS_STAGE_INTERNAL && s->obj_info != NULL)
        return req_fail(r, DORIS_STAGE_PLACE, ARGS());
    if (s->type == DORIS_STAGE_INTERNAL &&
        (strlen(s->mysql_user_name.v[0].v) > DORIS_ID_BYTES ||
         strlen(s->mysql_user_id.v[0].v) > DORIS_ID_BYTES))
        return ERR_LIMIT;
    return ERR_OK;
}

CHECKS(doris_create_stage, NEED(cloud_unique_id, DORIS_CUID_UNSET),
       PRESENT(stage, DORIS_STAGE_UNSET), FN(stage_complete));

static enum err
stage_named(struct req *r, const void *in)
{
    const struct doris_stage_ref *s = in;

    if (!HAS(s, doris_stage_ref, type))
        return req_fail(r, DORIS_STAGE_TYPE, ARGS());
    if (s->type == DORIS_STAGE_EXTERNAL)
        return ERR_OK;
    if (str_empty(s->mysql_user_name))
        return req_fail(r, DORIS_STAGE_NO_USER, ARGS());
    if (str_empty(s->mysql_user_id))
        return req_fail(r, DORIS_STAGE_NO_USER_ID, ARGS());
    return ERR_OK;
}

CHECKS(doris_stage_ref, NEED(cloud_unique_id, DORIS_CUID_UNSET),
       FN(stage_named));

/* An internal stage is dropped by the id of its user alone. */
static enum err
drop_named(struct req *r, const void *in)
{
    const struct doris_drop_stage *s = in;

    if (!HAS(s, doris_drop_stage, type))
        return req_fail(r, DORIS_STAGE_TYPE, ARGS());
    if (s->type == DORIS_STAGE_INTERNAL && str_empty(s->mysql_user_id))
        return req_fail(r, DORIS_STAGE_NO_USER_ID, ARGS());
    if (s->type == DORIS_STAGE_EXTERNAL && str_empty(s->stage_name))
        return req_fail(r, DORIS_STAGE_NAME, ARGS());
    return ERR_OK;
}

CHECKS(doris_drop_stage, NEED(cloud_unique_id, DORIS_CUID_UNSET),
       FN(drop_named));

/* ---- create ---- */

static enum err
lock_live(struct req *r, const char *cloud_unique_id, const char **instance_id,
          uint64_t *version)
{
    enum err e;

    e = doris_rpc_instance(r, cloud_unique_id, DORIS_IID_EMPTY, instance_id);
    if (e != ERR_OK)
        return e;
    e = doris_store_lock_live(r->db, *instance_id, doris_now(), version);
    return doris_fail_instance(r, e, *instance_id);
}

/* A folder of the user's own, in the instance's newest object store. */
static enum err
choose_folder(struct req *r, const char *instance_id,
              const struct doris_stage *s, struct doris_obj *out)
{
    struct doris_obj *v;
    const char *prefix;
    size_t n;
    enum err e;

    e = doris_store_objs(r->db, r->arena, instance_id, &n, &v);
    if (e != ERR_OK)
        return e;
    if (n == 0)
        return req_fail(r, DORIS_STAGE_NO_OBJ, ARGS());
    prefix = str_empty(v[n - 1].prefix) ? "" : v[n - 1].prefix;
    PUT(out, doris_obj, id, v[n - 1].id);
    PUT(out, doris_obj, prefix,
        arena_printf(r->arena, "%s%sstage/%s/%s", prefix,
                     str_empty(prefix) ? "" : "/", s->mysql_user_name.v[0].v,
                     s->mysql_user_id.v[0].v));
    if (out->prefix == NULL)
        return ERR_NOMEM;
    return strlen(out->prefix) > DORIS_TEXT_BYTES ? ERR_LIMIT : ERR_OK;
}

/* An internal stage as it is stored: where it lies is not the client's to say,
 * and its type goes without saying. */
static enum err
settle_internal(struct req *r, const char *instance_id, struct doris_stage *s)
{
    struct doris_obj *o = arena_alloc(r->arena, sizeof(*o));
    struct doris_stage there;
    enum err e;

    if (o == NULL)
        return ERR_NOMEM;
    e = doris_store_stage_of(r->db, r->arena, instance_id,
                             s->mysql_user_name.v[0].v, &there);
    if (e == ERR_OK)
        return req_fail(r, DORIS_STAGE_OF_USER, ARGS());
    if (e != ERR_NOT_FOUND)
        return e;
    UNSET(s, doris_stage, type);
    s->obj_info = o;
    return choose_folder(r, instance_id, s, o);
}

/* A request that comes late must not bring back what was dropped. */
static enum err
add_stage(struct req *r, const char *instance_id, uint64_t version,
          const struct doris_stage *s)
{
    enum err e;

    e = doris_store_stage_add(r->db, r->arena, instance_id, version, s);
    if (e == ERR_STATE)
        return req_fail(r, DORIS_STAGE_DROPPED, ARGS());
    if (e != ERR_EXISTS)
        return e;
    return req_fail(r,
                    s->type == DORIS_STAGE_INTERNAL ? DORIS_STAGE_OF_USER
                                                    : DORIS_STAGE_TAKEN,
                    ARGS());
}

enum err
doris_stage_create(struct req *r, const struct doris_create_stage *in)
{
    struct doris_stage s;
    const char *instance_id;
    uint64_t version;
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_live(r, in->cloud_unique_id, &instance_id, &version);
    if (e != ERR_OK)
        return e;
    s = *in->stage;
    if (!HAS(&s, doris_stage, create_time)) {
        PUT(&s, doris_stage, create_time, doris_now());
    }
    if (s.type == DORIS_STAGE_INTERNAL)
        e = settle_internal(r, instance_id, &s);
    if (e == ERR_OK)
        e = add_stage(r, instance_id, version, &s);
    if (e != ERR_OK)
        return e;
    doris_audit_target(r, "stage", instance_id, s.stage_id);
    req_audit_after(r, &doris_stage_rec, &s);
    return req_ok(r);
}

/* ---- get ---- */

enum err
doris_stage_open(struct req *r, const char *instance_id,
                 const struct doris_stage *s)
{
    return doris_secrets_open(r, instance_id, "stage", s->stage_id,
                              &doris_stage_rec, s->shut);
}

/* External ones without a name are all that there are. */
static enum err
list_external(struct req *r, const char *instance_id,
              struct doris_stage_list *out)
{
    struct doris_stage *v;
    size_t n;
    enum err e;

    e = doris_store_stages(r->db, r->arena, instance_id, &n, &v);
    out->stage.v = v;
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        if (v[i].type == DORIS_STAGE_EXTERNAL) {
            e = doris_stage_open(r, instance_id, &v[i]);
            v[out->stage.n++] = v[i];
        }
    return e;
}

/* The stage whose id or name the request gives. */
static enum err
find_stage(struct req *r, const char *instance_id,
           const struct doris_stage_ref *in, struct doris_stage *out)
{
    bool internal = in->type == DORIS_STAGE_INTERNAL;
    enum err e;

    e = doris_store_stage(r->db, r->arena, instance_id,
                          (enum doris_stage_type)in->type,
                          internal ? in->mysql_user_id : in->stage_name, out);
    if (e != ERR_NOT_FOUND)
        return e;
    return req_fail(r, internal ? DORIS_STAGE_NONE_OF_USER : DORIS_STAGE_NONE,
                    ARGS());
}

/* A user of that name was there before and had a stage, which the front end is
 * to drop. */
static enum err
fail_stale(struct req *r, struct doris_stage *s)
{
    struct doris_stage_list *list = arena_alloc(r->arena, sizeof(*list));

    if (list == NULL)
        return ERR_NOMEM;
    list->stage.n = 1;
    list->stage.v = s;
    return req_fail_with(r, DORIS_STAGE_STALE,
                         ARGS(arg("stage_id", s->stage_id)),
                         &doris_stage_list_rec, list);
}

/* With all that is needed to read it: the store in which it lies. */
static enum err
open_internal(struct req *r, const char *instance_id, struct doris_stage *s)
{
    struct doris_obj *v;
    size_t n;
    enum err e;

    SET(s, doris_stage, type);
    if (s->obj_info == NULL)
        return ERR_OK;
    e = doris_store_objs(r->db, r->arena, instance_id, &n, &v);
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        if (str_empty(s->obj_info->id) || strcmp(v[i].id, s->obj_info->id) != 0)
            continue;
        PUT(&v[i], doris_obj, prefix, s->obj_info->prefix);
        s->obj_info = &v[i];
        return doris_objs_open(r, instance_id, 1, &v[i]);
    }
    return e;
}

static enum err
get_internal(struct req *r, const char *instance_id,
             const struct doris_stage_ref *in, struct doris_stage *out)
{
    enum err e;

    e = doris_store_stage_of(r->db, r->arena, instance_id, in->mysql_user_name,
                             out);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_STAGE_NONE_OF_USER, ARGS());
    if (e != ERR_OK)
        return e;
    e = doris_stage_open(r, instance_id, out);
    if (e == ERR_OK &&
        strcmp(out->mysql_user_id.v[0].v, in->mysql_user_id) != 0)
        return fail_stale(r, out);
    return e == ERR_OK ? open_internal(r, instance_id, out) : e;
}

/* By BUCKET_ACL a bucket is read with the keys of the ram user. */
static enum err
get_external(struct req *r, const char *instance_id,
             const struct doris_stage_ref *in, struct doris_stage *out)
{
    struct doris_instance i;
    enum err e;

    e = find_stage(r, instance_id, in, out);
    if (e == ERR_OK)
        e = doris_stage_open(r, instance_id, out);
    if (e == ERR_OK && !HAS(out, doris_stage, access_type)) {
        PUT(out, doris_stage, access_type, DORIS_ACCESS_AKSK);
    }
    if (e != ERR_OK || out->access_type != DORIS_ACCESS_BUCKET_ACL ||
        out->obj_info == NULL)
        return e;
    e = doris_store_instance(r->db, r->arena, instance_id, &i);
    if (e == ERR_OK && i.ram_user == NULL)
        return req_fail(r, DORIS_STAGE_NO_RAM, ARGS());
    if (e == ERR_OK)
        e = doris_instance_open(r, &i);
    if (e != ERR_OK)
        return e;
    PUT(out->obj_info, doris_obj, ak, i.ram_user->ak);
    PUT(out->obj_info, doris_obj, sk, i.ram_user->sk);
    return ERR_OK;
}

enum err
doris_stage_get(struct req *r, const struct doris_stage_ref *in)
{
    struct doris_stage_list *out = arena_alloc(r->arena, sizeof(*out));
    const char *instance_id;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = doris_rpc_open(r, in, in->cloud_unique_id, DORIS_IID_EMPTY,
                       &instance_id);
    if (e != ERR_OK)
        return e;
    if (in->type == DORIS_STAGE_EXTERNAL && str_empty(in->stage_name)) {
        e = list_external(r, instance_id, out);
    } else {
        out->stage.v = arena_alloc(r->arena, sizeof(*out->stage.v));
        if (out->stage.v == NULL)
            return ERR_NOMEM;
        e = in->type == DORIS_STAGE_INTERNAL
                ? get_internal(r, instance_id, in, out->stage.v)
                : get_external(r, instance_id, in, out->stage.v);
        out->stage.n = 1;
    }
    return req_send_or_fail(r, e, &doris_stage_list_rec, out);
}

/* ---- drop ---- */

enum err
doris_stage_drop(struct req *r, const struct doris_drop_stage *in)
{
    const struct doris_stage_ref ref = {
        .type = in->type,
        .stage_name = in->stage_name,
        .mysql_user_name = in->mysql_user_name,
        .mysql_user_id = in->mysql_user_id,
    };
    const char *instance_id;
    struct doris_stage s;
    uint64_t version;
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = lock_live(r, in->cloud_unique_id, &instance_id, &version);
    if (e == ERR_OK)
        e = find_stage(r, instance_id, &ref, &s);
    if (e == ERR_OK)
        e = doris_store_stage_drop(r->db, r->arena, instance_id, &s,
                                   doris_now(), in->reason);
    if (e != ERR_OK)
        return e;
    doris_audit_target(r, "stage", instance_id, s.stage_id);
    req_audit_before(r, &doris_stage_rec, &s);
    return req_ok(r);
}
