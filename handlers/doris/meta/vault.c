/* Storage vaults of an instance in vault mode: object stores and HDFS. */
#include <string.h>

#include "doris/doris.h"
#include "instance.h"
#include "object.h"
#include "vault.h"

TABLE(doris_hdfs_conf, DORIS_HDFS_CONF);
TABLE(doris_hdfs_build, DORIS_HDFS_BUILD);
TABLE(doris_hdfs, DORIS_HDFS);
TABLE(doris_vault, DORIS_VAULT);
TABLE(doris_alter_vault, DORIS_ALTER_VAULT);

/* protobuf's `required`. */
static bool
confs_complete(const struct doris_hdfs_build *b)
{
    for (size_t i = 0; i < b->hdfs_confs.n; i++)
        if (!HAS(&b->hdfs_confs.v[i], doris_hdfs_conf, key) ||
            !HAS(&b->hdfs_confs.v[i], doris_hdfs_conf, value))
            return false;
    return true;
}

static enum err
hdfs_check(struct req *r, const struct doris_hdfs *h)
{
    const char *fs_name = h->build_conf == NULL ? NULL : h->build_conf->fs_name;

    if (fs_name == NULL)
        fs_name = "";
    if (h->build_conf != NULL && !confs_complete(h->build_conf))
        return req_fail(r, DORIS_HDFS_CONF_ERR, ARGS());
    if (h->prefix != NULL && strstr(h->prefix, "://") != NULL)
        return req_fail(r, DORIS_HDFS_PREFIX, ARGS(arg("prefix", h->prefix)));
    if (*doris_trim(r->arena, fs_name) == '\0')
        return req_fail(r, DORIS_HDFS_FS_NAME, ARGS(arg("fs_name", fs_name)));
    return ERR_OK;
}

enum err
doris_vault_check(struct req *r, const struct doris_vault *v)
{
    static const struct doris_obj nothing;

    if (v->hdfs_info != NULL)
        return hdfs_check(r, v->hdfs_info);
    return doris_obj_check(r, v->obj_info != NULL ? v->obj_info : &nothing);
}

NO_CHECKS(doris_alter_vault); /* differ by operation */

static enum err
hdfs_settle(struct req *r, struct doris_vault *v)
{
    struct doris_hdfs *h = arena_alloc(r->arena, sizeof(*h));
    struct doris_hdfs_build *b = arena_alloc(r->arena, sizeof(*b));

    if (h == NULL || b == NULL)
        return ERR_NOMEM;
    *h = *v->hdfs_info;
    *b = *h->build_conf;
    h->prefix = doris_trim(r->arena, h->prefix);
    b->fs_name = doris_trim(r->arena, b->fs_name);
    h->build_conf = b;
    v->hdfs_info = h;
    return ERR_OK;
}

static enum err
obj_vault_settle(struct req *r, struct doris_vault *v, int64_t id, int64_t now)
{
    struct doris_obj *o = arena_alloc(r->arena, sizeof(*o));

    if (o == NULL)
        return ERR_NOMEM;
    *o = *v->obj_info;
    doris_obj_settle(r, o, id, true, now);
    v->obj_info = o;
    return ERR_OK;
}

/* v is a copy whose parts are the request's: what changes is copied too. A
 * vault is on HDFS or on an object store; HDFS wins, as in Doris. */
enum err
doris_vault_settle(struct req *r, struct doris_vault *v, const char *name,
                   int64_t id, int64_t now)
{
    PUT(v, doris_vault, id, arena_printf(r->arena, "%lld", (long long)id));
    PUT(v, doris_vault, name, name);
    v->alter_name = NULL;
    UNSET(v, doris_vault, alter_name);
    if (v->hdfs_info == NULL)
        return obj_vault_settle(r, v, id, now);
    v->obj_info = NULL;
    return hdfs_settle(r, v);
}

enum err
doris_vault_open(struct req *r, const char *instance_id,
                 const struct doris_vault *v)
{
    return doris_secrets_open(r, instance_id, "storage vault", v->name,
                              &doris_vault_rec, v->shut);
}

/* With the default vault of the instance as i has it. */
static struct doris_storage
storage_of(const struct doris_instance *i, struct doris_vault *v)
{
    struct doris_storage s = doris_storage_objs(0, NULL);

    s.storage_vault = v;
    if (HAS(i, doris_instance, default_storage_vault_id)) {
        PUT(&s, doris_storage, default_storage_vault_id,
            i->default_storage_vault_id);
    }
    return s;
}

#define VAULT_NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static enum err
begin(struct req *r, const struct doris_alter_vault *in,
      struct doris_change *ch)
{
    enum err e;

    if (str_empty(in->cloud_unique_id))
        return req_fail(r, DORIS_CUID_UNSET, ARGS());
    e = doris_change_begin_by(r, in->cloud_unique_id, ch);
    if (e == ERR_OK && !ch->i.enable_storage_vault)
        return req_fail(r, DORIS_VAULT_MODE, ARGS());
    return e;
}

static enum err
fail_name(struct req *r, int id, const char *name)
{
    return req_fail(r, id, ARGS(arg("name", name)));
}

/* ---- what the audit row says ---- */

static void
audit_before(struct req *r, const struct doris_change *ch,
             struct doris_vault *v)
{
    struct doris_storage s = storage_of(&ch->i, v);

    doris_audit_target(r, "storage vault", ch->instance_id, v->name);
    doris_change_was(r, ch, &s);
}

static enum err
changed(struct req *r, const struct doris_change *ch, struct doris_vault *v)
{
    struct doris_storage s = storage_of(&ch->i, v);

    return doris_change_save(r, ch, NULL, NULL, &s);
}

/* ---- add ---- */

static enum err
set_default(struct req *r, struct doris_change *ch, const struct doris_vault *v)
{
    PUT(&ch->i, doris_instance, default_storage_vault_id, v->id);
    return doris_store_instance_default(r->db, ch->instance_id, v->id, v->name);
}

static enum err
add(struct req *r, const struct doris_alter_vault *in, struct doris_change *ch)
{
    struct doris_vault v = *in->vault;
    int64_t id = 0;
    enum err e;

    if (HAS(&v, doris_vault, alter_name))
        return req_fail(r, DORIS_VAULT_ALTER_NAME, ARGS());
    e = doris_store_next_id(r->db, ch->instance_id, &id);
    if (e == ERR_OK)
        e = doris_vault_settle(r, &v, in->vault->name, id, ch->now);
    if (e == ERR_OK)
        e = doris_store_vault_add(r->db, r->arena, ch->instance_id, &v);
    if (e == ERR_EXISTS)
        return fail_name(r, DORIS_VAULT_TAKEN, v.name);
    if (e == ERR_OK && in->set_as_default_storage_vault)
        e = set_default(r, ch, &v);
    if (e != ERR_OK)
        return e;
    doris_audit_target(r, "storage vault", ch->instance_id, v.name);
    return changed(r, ch, &v);
}

enum err
doris_vault_add_s3(struct req *r, const struct doris_alter_vault *in)
{
    const struct doris_obj *o = in->vault == NULL ? NULL : in->vault->obj_info;
    struct doris_change ch;
    enum err e;

    e = doris_obj_size(r, o);
    if (e != ERR_OK)
        return e;
    if (o == NULL || !doris_obj_reached(o))
        return req_fail(r, DORIS_OBJ_ERR, ARGS());
    if (HAS(o, doris_obj, sse_enabled) && !o->sse_enabled)
        return req_fail(r, DORIS_VAULT_SSE, ARGS());
    e = begin(r, in, &ch);
    if (e != ERR_OK)
        return e;
    if (str_empty(in->vault->name))
        return fail_name(r, DORIS_VAULT_PATTERN, "");
    if (!HAS(o, doris_obj, provider))
        return req_fail(r, DORIS_VAULT_PROVIDER, ARGS());
    e = doris_obj_check(r, o);
    if (e == ERR_OK && in->vault->hdfs_info != NULL)
        return req_fail(r, DORIS_S3_ERR, ARGS());
    return e == ERR_OK ? add(r, in, &ch) : e;
}

enum err
doris_vault_add_hdfs(struct req *r, const struct doris_alter_vault *in)
{
    struct doris_change ch;
    enum err e;

    if (in->vault == NULL || str_empty(in->vault->name) ||
        in->vault->hdfs_info == NULL || in->vault->obj_info != NULL)
        return req_fail(r, DORIS_HDFS_UNSET, ARGS());
    e = begin(r, in, &ch);
    if (e == ERR_OK)
        e = doris_vault_check(r, in->vault);
    return e == ERR_OK ? add(r, in, &ch) : e;
}

/* ---- alter ---- */

static bool
touches_fixed(const struct doris_obj *o)
{
    return o != NULL &&
           (HAS(o, doris_obj, bucket) || HAS(o, doris_obj, endpoint) ||
            HAS(o, doris_obj, prefix) || HAS(o, doris_obj, provider) ||
            HAS(o, doris_obj, region) || HAS(o, doris_obj, external_endpoint));
}

static bool
name_ok(const char *name)
{
    return !str_empty(name) && strchr(VAULT_NAME, *name) != NULL &&
           name[strspn(name, VAULT_NAME "0123456789_")] == '\0';
}

/* What is given of it; the rest stays. An external_id alone is another one for
 * the role that there is. */
static void
alter_obj(struct doris_obj *o, const struct doris_obj *asked)
{
    if (!str_empty(asked->role_arn) || !str_empty(asked->ak) ||
        HAS(asked, doris_obj, cred_provider_type))
        doris_obj_reach(o, asked);
    else if (HAS(asked, doris_obj, external_id))
        PUT(o, doris_obj, external_id, asked->external_id);
    if (HAS(asked, doris_obj, use_path_style))
        PUT(o, doris_obj, use_path_style, asked->use_path_style);
    if (HAS(asked, doris_obj, user_id))
        PUT(o, doris_obj, user_id, asked->user_id);
}

/* The default vault is named in the instance too. */
static enum err
alter_name(struct req *r, struct doris_change *ch, struct doris_vault *v,
           const char *name)
{
    if (!name_ok(name))
        return fail_name(r, DORIS_VAULT_PATTERN, name);
    v->name = name;
    if (!HAS(&ch->i, doris_instance, default_storage_vault_id) ||
        strcmp(ch->i.default_storage_vault_id, v->id) != 0)
        return ERR_OK;
    return doris_store_instance_default(r->db, ch->instance_id, v->id, name);
}

static enum err
check_alter(struct req *r, const struct doris_alter_vault *in)
{
    const struct doris_obj *o = in->vault == NULL ? NULL : in->vault->obj_info;
    enum err e;

    if (in->vault == NULL || str_empty(in->vault->name) ||
        in->vault->hdfs_info != NULL)
        return req_fail(r, DORIS_OBJ_ERR, ARGS());
    if (in->set_as_default_storage_vault)
        return req_fail(r, DORIS_VAULT_NEW_DEFAULT, ARGS());
    e = doris_obj_size(r, o);
    if (e != ERR_OK)
        return e;
    if (touches_fixed(o))
        return req_fail(r, DORIS_VAULT_FIXED, ARGS());
    if (o != NULL && str_empty(o->ak) != str_empty(o->sk))
        return req_fail(r, DORIS_VAULT_PAIR, ARGS());
    if (o != NULL && HAS(o, doris_obj, sse_enabled) && !o->sse_enabled)
        return req_fail(r, DORIS_VAULT_SSE, ARGS());
    return o == NULL ? ERR_OK : doris_obj_one_way(r, o);
}

/* A vault was found by its name: its id, and that of its object store, may be
 * said and not changed. */
static enum err
check_ids(struct req *r, const struct doris_vault *asked,
          const struct doris_vault *have)
{
    const struct doris_obj *a = asked->obj_info, *b = have->obj_info;

    if ((asked->id == NULL || strcmp(asked->id, have->id) == 0) &&
        (a == NULL || a->id == NULL || strcmp(a->id, b->id) == 0))
        return ERR_OK;
    return req_fail(r, DORIS_OBJ_FIXED, ARGS(arg("member", "id")));
}

enum err
doris_vault_alter_s3(struct req *r, const struct doris_alter_vault *in)
{
    struct doris_change ch;
    struct doris_vault v;
    enum err e;

    e = check_alter(r, in);
    if (e == ERR_OK)
        e = begin(r, in, &ch);
    if (e != ERR_OK)
        return e;
    e = doris_store_vault(r->db, r->arena, ch.instance_id, in->vault->name, &v);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && v.obj_info == NULL))
        return fail_name(r, DORIS_VAULT_UNKNOWN, in->vault->name);
    if (e == ERR_OK)
        e = check_ids(r, in->vault, &v);
    if (e == ERR_OK)
        audit_before(r, &ch, &v);
    if (e == ERR_OK && HAS(in->vault, doris_vault, alter_name))
        e = alter_name(r, &ch, &v, in->vault->alter_name);
    if (e != ERR_OK)
        return e;
    if (in->vault->obj_info != NULL)
        alter_obj(v.obj_info, in->vault->obj_info);
    if (!str_empty(v.obj_info->external_id) && str_empty(v.obj_info->role_arn))
        return req_fail(r, DORIS_EXTERNAL_ID, ARGS());
    v.obj_info->mtime = ch.now;
    e = doris_store_vault_update(r->db, r->arena, ch.instance_id, &v);
    if (e == ERR_EXISTS)
        return fail_name(r, DORIS_VAULT_TAKEN, v.name);
    return e == ERR_OK ? changed(r, &ch, &v) : e;
}

/* ---- drop ---- */

/* Doris has the operation's name and not the operation. */
enum err
doris_vault_drop_s3(struct req *r, const struct doris_alter_vault *in)
{
    (void)in;
    return req_fail(r, DORIS_VAULT_OP, ARGS());
}

static enum err
drop(struct req *r, struct doris_change *ch, struct doris_vault *v)
{
    bool is_default = HAS(&ch->i, doris_instance, default_storage_vault_id) &&
                      strcmp(ch->i.default_storage_vault_id, v->id) == 0;
    enum err e = ERR_OK;

    if (is_default)
        e = doris_store_instance_default(r->db, ch->instance_id, NULL, NULL);
    if (e == ERR_OK)
        e = doris_store_vault_drop(r->db, ch->instance_id, v->id);
    audit_before(r, ch, v);
    return e == ERR_OK ? req_ok(r) : e;
}

/* What is said of a vault that goes must be so. */
static enum err
check_same(struct req *r, const struct doris_alter_vault *in,
           const struct doris_vault *have)
{
    const char *other = record_other(&doris_vault_rec, in->vault, have, NULL);

    if (other == NULL && in->set_as_default_storage_vault)
        other = "set_as_default_storage_vault";
    if (other == NULL)
        return ERR_OK;
    return req_fail(r, DORIS_MEMBER_OTHER, ARGS(arg("member", other)));
}

enum err
doris_vault_drop_hdfs(struct req *r, const struct doris_alter_vault *in)
{
    struct doris_change ch;
    struct doris_vault v;
    enum err e;

    if (in->vault == NULL || str_empty(in->vault->name))
        return req_fail(r, DORIS_HDFS_UNSET, ARGS());
    e = begin(r, in, &ch);
    if (e != ERR_OK)
        return e;
    e = doris_store_vault(r->db, r->arena, ch.instance_id, in->vault->name, &v);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && v.hdfs_info == NULL &&
                               !SHUT(&v, doris_vault, hdfs_conf)))
        return fail_name(r, DORIS_HDFS_UNKNOWN, in->vault->name);
    if (e == ERR_OK)
        e = check_same(r, in, &v);
    return e == ERR_OK ? drop(r, &ch, &v) : e;
}
