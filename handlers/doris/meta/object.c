/* Object stores of an instance and the keys by which they are reached. */
#include <string.h>

#include "doris/doris.h"
#include "instance.h"
#include "object.h"
#include "vault.h"

/* The spelling of the first is Doris's. */
const struct enum_name doris_provider_names[] = {
    { "UNKONWN", DORIS_PROVIDER_UNKNOWN },
    { "OSS", DORIS_OSS },
    { "S3", DORIS_S3 },
    { "COS", 2 },
    { "OBS", 3 },
    { "BOS", 4 },
    { "GCP", 5 },
    { "AZURE", 6 },
    { "TOS", 7 },
    { NULL, 0 },
};

const struct enum_name doris_cred_names[] = {
    { "DEFAULT", DORIS_CRED_DEFAULT },
    { "SIMPLE", DORIS_CRED_SIMPLE },
    { "INSTANCE_PROFILE", DORIS_CRED_INSTANCE_PROFILE },
    { "WEB_IDENTITY", DORIS_CRED_WEB_IDENTITY },
    { "CONTAINER", DORIS_CRED_CONTAINER },
    { "ENV", DORIS_CRED_ENV },
    { "SYSTEM_PROPERTIES", DORIS_CRED_SYSTEM_PROPERTIES },
    { "ANONYMOUS", DORIS_CRED_ANONYMOUS },
    { NULL, 0 },
};

TABLE(doris_obj, DORIS_OBJ);
TABLE(doris_get_obj, DORIS_GET_OBJ);
TABLE(doris_obj_stores, DORIS_OBJ_STORES);
TABLE(doris_update_ak_sk, DORIS_UPDATE_AK_SK);
TABLE(doris_legacy_obj, DORIS_ALTER_OBJ);
TABLE(doris_alter_obj, DORIS_ALTER_OBJ);
TABLE(doris_add_obj, DORIS_ALTER_OBJ);
TABLE(doris_storage, DORIS_STORAGE);

/* ---- what each request must hold, in the order of refusals ---- */

/* With a role the keys are not needed, but the place must be S3. */
static bool
role_complete(const struct doris_obj *o)
{
    return HAS(o, doris_obj, cred_provider_type) &&
           (o->cred_provider_type == DORIS_CRED_INSTANCE_PROFILE ||
            o->cred_provider_type == DORIS_CRED_WEB_IDENTITY) &&
           HAS(o, doris_obj, provider) && o->provider == DORIS_S3 &&
           !str_empty(o->bucket) && !str_empty(o->endpoint) &&
           !str_empty(o->region);
}

/* SIMPLE is Doris's word for a pair of keys. */
static bool
provided(const struct doris_obj *o)
{
    return HAS(o, doris_obj, cred_provider_type) &&
           o->cred_provider_type != DORIS_CRED_SIMPLE;
}

static bool
has_keys(const struct doris_obj *o)
{
    return !str_empty(o->ak) && !str_empty(o->sk);
}

bool
doris_obj_reached(const struct doris_obj *o)
{
    return has_keys(o) || !str_empty(o->role_arn) || provided(o);
}

/* external_endpoint may be left out (it is the endpoint then), not empty. */
static bool
address_complete(const struct doris_obj *o)
{
    return (has_keys(o) || provided(o)) && !str_empty(o->bucket) &&
           !str_empty(o->endpoint) && !str_empty(o->region) &&
           HAS(o, doris_obj, provider) &&
           (!HAS(o, doris_obj, external_endpoint) ||
            !str_empty(o->external_endpoint));
}

enum err
doris_obj_check(struct req *r, const struct doris_obj *o)
{
    if (!str_empty(o->role_arn))
        return role_complete(o) ? ERR_OK
                                : req_fail(r, DORIS_S3_ROLE_ERR, ARGS());
    return address_complete(o) ? ERR_OK : req_fail(r, DORIS_S3_ERR, ARGS());
}

enum err
doris_obj_one_way(struct req *r, const struct doris_obj *o)
{
    if (!str_empty(o->role_arn) && (!str_empty(o->ak) || !str_empty(o->sk)))
        return req_fail(r, DORIS_ROLE_AND_KEYS, ARGS());
    if (!str_empty(o->external_id) && !str_empty(o->ak))
        return req_fail(r, DORIS_EXTERNAL_ID, ARGS());
    return ERR_OK;
}

void
doris_obj_reach(struct doris_obj *o, const struct doris_obj *asked)
{
    o->ak = o->sk = o->role_arn = o->external_id = NULL;
    o->shut = 0;
    UNSET(o, doris_obj, ak);
    UNSET(o, doris_obj, sk);
    UNSET(o, doris_obj, role_arn);
    UNSET(o, doris_obj, external_id);
    UNSET(o, doris_obj, cred_provider_type);
    if (HAS(asked, doris_obj, cred_provider_type))
        PUT(o, doris_obj, cred_provider_type, asked->cred_provider_type);
    if (str_empty(asked->role_arn) && !str_empty(asked->ak)) {
        PUT(o, doris_obj, ak, asked->ak);
        PUT(o, doris_obj, sk, asked->sk);
    }
    if (str_empty(asked->role_arn))
        return;
    PUT(o, doris_obj, role_arn, asked->role_arn);
    if (!HAS(o, doris_obj, cred_provider_type))
        PUT(o, doris_obj, cred_provider_type, DORIS_CRED_INSTANCE_PROFILE);
    if (HAS(asked, doris_obj, external_id))
        PUT(o, doris_obj, external_id, asked->external_id);
}

/* Bytes of a string field in protobuf: tag, length, text. */
static size_t
pb_string(const char *s)
{
    size_t n = s == NULL ? 0 : strlen(s);

    return s == NULL ? 0 : 2 + n + (n >= 128 ? 1 : 0);
}

static size_t
pb_obj(const struct doris_obj *o)
{
    return pb_string(o->id) + pb_string(o->ak) + pb_string(o->sk) +
           pb_string(o->bucket) + pb_string(o->prefix) +
           pb_string(o->endpoint) + pb_string(o->region) +
           (HAS(o, doris_obj, provider) ? 2 : 0) +
           pb_string(o->external_endpoint) + pb_string(o->user_id) +
           pb_string(o->role_arn) + pb_string(o->external_id);
}

enum err
doris_obj_size(struct req *r, const struct doris_obj *o)
{
    if (o != NULL && pb_obj(o) > 1024)
        return req_fail(r, DORIS_OBJ_1K, ARGS());
    return ERR_OK;
}

CHECKS(doris_get_obj, NEED(cloud_unique_id, DORIS_CUID_UNSET));

/* An empty ram_user is an update, and refused as such. */
static enum err
update_something(struct req *r, const void *in)
{
    const struct doris_update_ak_sk *u = in;

    if (u->ram_user == NULL && u->internal_bucket_user.n == 0)
        return req_fail(r, DORIS_NOTHING, ARGS());
    return ERR_OK;
}

/* Which of the two keys it is to be cannot be told. */
static enum err
update_each_once(struct req *r, const void *in)
{
    const struct doris_update_ak_sk *u = in;
    const char *id;

    for (size_t i = 0; i < u->internal_bucket_user.n; i++) {
        id = u->internal_bucket_user.v[i].user_id;
        for (size_t k = 0; id != NULL && k < i; k++)
            if (u->internal_bucket_user.v[k].user_id != NULL &&
                strcmp(u->internal_bucket_user.v[k].user_id, id) == 0)
                return req_fail(r, DORIS_USER_TWICE, ARGS(arg("user", id)));
    }
    return ERR_OK;
}

CHECKS(doris_update_ak_sk, NEED(instance_id, DORIS_IID_UNSET),
       FN(update_something), FN(update_each_once));

static enum err
legacy_size(struct req *r, const void *in)
{
    return doris_obj_size(r, ((const struct doris_legacy_obj *)in)->obj);
}

CHECKS(doris_legacy_obj, PRESENT(obj, DORIS_OBJ_ERR), FN(legacy_size),
       NEED(obj.ak, DORIS_OBJ_ERR), NEED(obj.sk, DORIS_OBJ_ERR),
       NEED(cloud_unique_id, DORIS_CUID_UNSET));

static enum err
alter_size(struct req *r, const void *in)
{
    return doris_obj_size(r, ((const struct doris_alter_obj *)in)->obj);
}

/* Keys, or a role or a provider in their place. */
static enum err
alter_keys(struct req *r, const void *in)
{
    const struct doris_obj *o = ((const struct doris_alter_obj *)in)->obj;

    return doris_obj_reached(o) ? doris_obj_one_way(r, o)
                                : req_fail(r, DORIS_OBJ_ERR, ARGS());
}

CHECKS(doris_alter_obj, PRESENT(obj, DORIS_OBJ_ERR), FN(alter_size),
       FN(alter_keys), NEED(cloud_unique_id, DORIS_CUID_UNSET));

static enum err
add_size(struct req *r, const void *in)
{
    return doris_obj_size(r, ((const struct doris_add_obj *)in)->obj);
}

static enum err
add_reached(struct req *r, const void *in)
{
    return doris_obj_reached(((const struct doris_add_obj *)in)->obj)
               ? ERR_OK
               : req_fail(r, DORIS_OBJ_ERR, ARGS());
}

CHECKS(doris_add_obj, PRESENT(obj, DORIS_OBJ_ERR), FN(add_size),
       FN(add_reached), NEED(cloud_unique_id, DORIS_CUID_UNSET));

/* What is stored of an object store whatever the request says; a member that
 * the client left out stays unset. */
void
doris_obj_settle(struct req *r, struct doris_obj *o, int64_t id, bool sse,
                 int64_t now)
{
    PUT(o, doris_obj, id, arena_printf(r->arena, "%lld", (long long)id));
    PUT(o, doris_obj, ctime, now);
    PUT(o, doris_obj, mtime, now);
    PUT(o, doris_obj, sse_enabled, sse);
    o->prefix = doris_trim(r->arena, o->prefix);
    if (!HAS(o, doris_obj, external_endpoint) && o->endpoint != NULL) {
        PUT(o, doris_obj, external_endpoint, o->endpoint);
    }
}

struct doris_storage
doris_storage_objs(size_t n, struct doris_obj *v)
{
    return (struct doris_storage){ .obj_info = { n, v } };
}

#define OBJS_MAX 10 /* of one instance over its life */

/* ---- reading ---- */

enum err
doris_secrets_open(struct req *r, const char *instance_id, const char *what,
                   const char *which, const struct record *rec, uint64_t shut)
{
    for (size_t i = 0; i < rec->n; i++)
        if ((shut >> rec->fields[i].bit & 1) != 0)
            return req_fail(
                r, DORIS_SECRET_SHUT,
                ARGS(arg("instance_id", instance_id),
                     arg("what", arena_printf(r->arena, "%s %s", what, which)),
                     arg("secret", rec->fields[i].key)));
    return ERR_OK;
}

enum err
doris_objs_open(struct req *r, const char *instance_id, size_t n,
                const struct doris_obj *v)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = doris_secrets_open(r, instance_id, "object store", v[i].id,
                               &doris_obj_rec, v[i].shut);
    return e;
}

static enum err
resolve(struct req *r, const char *cloud_unique_id, const char **out)
{
    enum err e;

    e = doris_resolve(r, cloud_unique_id, out);
    return e == ERR_NOT_FOUND ? req_fail(r, DORIS_IID_EMPTY, ARGS()) : e;
}

/* The default vault's members as far as they are set. */
static void
copy_default(struct doris_obj_stores *out, const struct doris_instance *i)
{
    PUT(out, doris_obj_stores, enable_storage_vault, i->enable_storage_vault);
    if (!HAS(i, doris_instance, default_storage_vault_id))
        return;
    PUT(out, doris_obj_stores, default_storage_vault_id,
        i->default_storage_vault_id);
    PUT(out, doris_obj_stores, default_storage_vault_name,
        i->default_storage_vault_name);
}

enum err
doris_obj_get(struct req *r, const struct doris_get_obj *in)
{
    struct doris_obj_stores *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_instance i;
    const char *id;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = resolve(r, in->cloud_unique_id, &id);
    if (e != ERR_OK)
        return e;
    e = doris_store_instance(r->db, r->arena, id, &i);
    if (e != ERR_OK)
        return doris_fail_instance(r, e, id);
    copy_default(out, &i);
    e = doris_store_objs(r->db, r->arena, id, &out->obj_info.n,
                         &out->obj_info.v);
    if (e == ERR_OK)
        e = doris_objs_open(r, id, out->obj_info.n, out->obj_info.v);
    if (e == ERR_OK)
        e = doris_store_vaults(r->db, r->arena, id, true, &out->storage_vault.n,
                               &out->storage_vault.v);
    for (size_t k = 0; e == ERR_OK && k < out->storage_vault.n; k++)
        e = doris_vault_open(r, id, &out->storage_vault.v[k]);
    return req_send_or_fail(r, e, &doris_obj_stores_rec, out);
}

/* ---- keys of all stores of a bucket user, and of the ram user ---- */

static bool
same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static enum err
update_ram(struct req *r, const struct doris_update_ak_sk *in,
           const struct doris_instance *i)
{
    const struct doris_user *u = in->ram_user;

    if (str_empty(u->user_id) || str_empty(u->ak) || str_empty(u->sk))
        return req_fail(r, DORIS_RAM_INFO, ARGS());
    if (i->ram_user == NULL)
        return req_fail(r, DORIS_RAM_NONE, ARGS());
    if (!same(u->user_id, i->ram_user->user_id))
        return req_fail(r, DORIS_RAM_ID, ARGS());
    if (same(u->ak, i->ram_user->ak) && same(u->sk, i->ram_user->sk))
        return req_fail(r, DORIS_KEYS_SAME, ARGS());
    return doris_store_instance_ram(r->db, in->instance_id, u);
}

/* The object stores of an instance while their keys are changed. */
struct rotation {
    const struct doris_update_ak_sk *in;
    int64_t now;
    struct doris_obj *v;
    size_t n;
    bool found;
};

static enum err
set_keys(struct req *r, const char *instance_id, struct doris_obj *o,
         const char *ak, const char *sk, int64_t now)
{
    if (same(o->ak, ak) && same(o->sk, sk))
        return req_fail(r, DORIS_KEYS_SAME, ARGS());
    PUT(o, doris_obj, ak, ak);
    PUT(o, doris_obj, sk, sk);
    o->mtime = now;
    return doris_store_obj_keys(r->db, r->arena, instance_id, o);
}

/* A store without a user is an old one: the only user of the request adopts
 * it. */
static enum err
rotate_one(struct req *r, struct rotation *t, const struct doris_user *u,
           struct doris_obj *o)
{
    bool owned = HAS(o, doris_obj, user_id);

    if (owned && !same(o->user_id, u->user_id))
        return ERR_OK;
    t->found = true;
    if (!owned && t->in->internal_bucket_user.n != 1)
        return req_fail(r, DORIS_OBJ_OLD, ARGS());
    PUT(o, doris_obj, user_id, u->user_id);
    return set_keys(r, t->in->instance_id, o, u->ak, u->sk, t->now);
}

static enum err
rotate_user(struct req *r, struct rotation *t, const struct doris_user *u)
{
    enum err e = ERR_OK;

    if (str_empty(u->user_id) || str_empty(u->ak) || str_empty(u->sk))
        return req_fail(r, DORIS_BUCKET_INFO, ARGS());
    if (!str_empty(u->external_id)) /* keys are what it sets */
        return req_fail(r, DORIS_EXTERNAL_ID, ARGS());
    for (size_t i = 0; i < t->n && e == ERR_OK; i++)
        e = rotate_one(r, t, u, &t->v[i]);
    return e;
}

static enum err
rotate(struct req *r, struct rotation *t)
{
    const struct doris_update_ak_sk *in = t->in;
    enum err e = ERR_OK;

    for (size_t k = 0; k < in->internal_bucket_user.n && e == ERR_OK; k++)
        e = rotate_user(r, t, &in->internal_bucket_user.v[k]);
    if (e == ERR_OK && in->internal_bucket_user.n > 0 && !t->found)
        return req_fail(r, DORIS_OBJ_NONE, ARGS());
    return e;
}

/* s has the stores themselves: it shows them before and after. */
static enum err
rotate_all(struct req *r, struct rotation *t, const struct doris_change *ch)
{
    struct doris_storage s = doris_storage_objs(t->n, t->v);
    enum err e = ERR_OK;

    s.ram_user = t->in->ram_user == NULL ? NULL : ch->i.ram_user;
    doris_change_was(r, ch, &s);
    if (t->in->ram_user != NULL)
        e = update_ram(r, t->in, &ch->i);
    if (e == ERR_OK)
        e = rotate(r, t);
    return e == ERR_OK ? doris_change_save(r, ch, NULL, NULL, &s) : e;
}

enum err
doris_obj_update_users(struct req *r, const struct doris_update_ak_sk *in)
{
    struct rotation t = { .in = in };
    struct doris_change ch;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    e = doris_change_begin(r, in->instance_id, &ch);
    t.now = ch.now;
    if (e == ERR_OK)
        e = doris_store_objs(r->db, r->arena, in->instance_id, &t.n, &t.v);
    return e == ERR_OK ? rotate_all(r, &t, &ch) : e;
}

/* ---- one store, by its id ---- */

/* An instance that is being changed, and its stores. */
struct stores {
    struct doris_change ch;
    struct doris_obj *v;
    size_t n;
};

static enum err
begin(struct req *r, const char *cloud_unique_id, struct stores *st)
{
    enum err e = doris_change_begin_by(r, cloud_unique_id, &st->ch);

    if (e != ERR_OK)
        return e;
    return doris_store_objs(r->db, r->arena, st->ch.instance_id, &st->n,
                            &st->v);
}

/* NULL when there is none of that id, or the text is no number. */
static struct doris_obj *
find(struct stores *st, const char *id)
{
    int64_t want, have;

    if (id == NULL || json_to_i64(id, false, &want) != ERR_OK)
        return NULL;
    for (size_t i = 0; i < st->n; i++)
        if (json_to_i64(st->v[i].id, false, &have) == ERR_OK && have == want)
            return &st->v[i];
    return NULL;
}

/* Keys and times apart, an object store is what it was when it was added: what
 * else is said of it must be so. Prefixes are compared as they are stored. */
static enum err
check_fixed(struct req *r, const struct doris_obj *asked,
            const struct doris_obj *have, const char *const *free_members)
{
    struct doris_obj trimmed = *asked;
    const char *other;

    trimmed.prefix = doris_trim(r->arena, asked->prefix);
    other = record_other(&doris_obj_rec, &trimmed, have, free_members);
    if (other == NULL)
        return ERR_OK;
    return req_fail(r, DORIS_OBJ_FIXED, ARGS(arg("member", other)));
}

/* The request's checks, its instance, the store that it asks for as it is. */
static enum err
open_obj(struct req *r, const void *in, const char *cloud_unique_id,
         const struct doris_obj *asked, struct stores *st,
         struct doris_obj **out)
{
    struct doris_storage s;
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = begin(r, cloud_unique_id, st);
    if (e != ERR_OK)
        return e;
    *out = find(st, asked->id);
    if (*out == NULL)
        return req_fail(r, DORIS_OBJ_ID, ARGS());
    s = doris_storage_objs(1, *out);
    doris_change_was(r, &st->ch, &s);
    return ERR_OK;
}

/* Success: the store as it has become. */
static enum err
changed(struct req *r, const struct stores *st, struct doris_obj *o)
{
    struct doris_storage s = doris_storage_objs(1, o);

    return doris_change_save(r, &st->ch, "object store", o->id, &s);
}

enum err
doris_obj_update_legacy(struct req *r, const struct doris_legacy_obj *in)
{
    static const char *const changes[] = { "ctime", "mtime", "id",
                                           "ak",    "sk",    NULL };
    struct stores st;
    struct doris_obj *o;
    enum err e;

    e = open_obj(r, in, in->cloud_unique_id, in->obj, &st, &o);
    if (e == ERR_OK)
        e = check_fixed(r, in->obj, o, changes);
    if (e != ERR_OK)
        return e;
    e = set_keys(r, st.ch.instance_id, o, in->obj->ak, in->obj->sk, st.ch.now);
    return e == ERR_OK ? changed(r, &st, o) : e;
}

static bool
same_reach(const struct doris_obj *a, const struct doris_obj *b)
{
    return same(a->ak, b->ak) && same(a->sk, b->sk) &&
           same(a->role_arn, b->role_arn) &&
           same(a->external_id, b->external_id) &&
           HAS(a, doris_obj, cred_provider_type) ==
               HAS(b, doris_obj, cred_provider_type) &&
           a->cred_provider_type == b->cred_provider_type;
}

enum err
doris_obj_alter(struct req *r, const struct doris_alter_obj *in)
{
    static const char *const changes[] = { "ctime",       "mtime",
                                           "id",          "ak",
                                           "sk",          "role_arn",
                                           "external_id", "cred_provider_type",
                                           NULL };
    struct stores st;
    struct doris_obj *o, was;
    enum err e;

    e = open_obj(r, in, in->cloud_unique_id, in->obj, &st, &o);
    if (e == ERR_OK)
        e = check_fixed(r, in->obj, o, changes);
    if (e != ERR_OK)
        return e;
    was = *o;
    doris_obj_reach(o, in->obj);
    if (same_reach(o, &was))
        return req_fail(r, DORIS_KEYS_SAME, ARGS());
    o->mtime = st.ch.now;
    e = doris_store_obj_keys(r->db, r->arena, st.ch.instance_id, o);
    return e == ERR_OK ? changed(r, &st, o) : e;
}

/* ---- a further store ---- */

static bool
complete(const struct doris_obj *o)
{
    return doris_obj_reached(o) && !str_empty(o->bucket) &&
           !str_empty(o->prefix) && !str_empty(o->endpoint) &&
           !str_empty(o->region);
}

/* prefix and external endpoint as they would be stored. */
static bool
same_store(const struct doris_obj *a, const struct doris_obj *b)
{
    return same(a->bucket, b->bucket) && same(a->prefix, b->prefix) &&
           same(a->endpoint, b->endpoint) && same(a->region, b->region) &&
           same_reach(a, b) &&
           HAS(a, doris_obj, provider) == HAS(b, doris_obj, provider) &&
           a->provider == b->provider &&
           same(a->external_endpoint, b->external_endpoint);
}

static enum err
add(struct req *r, struct stores *st, const struct doris_obj *asked)
{
    struct doris_obj o = *asked;
    int64_t id = 0;
    enum err e;

    e = doris_store_next_id(r->db, st->ch.instance_id, &id);
    if (e != ERR_OK)
        return e;
    doris_obj_settle(r, &o, id, st->ch.i.sse_enabled, st->ch.now);
    for (size_t k = 0; k < st->n; k++)
        if (same_store(&st->v[k], &o))
            return req_fail(r, DORIS_OBJ_SAME, ARGS());
    e = doris_store_obj_add(r->db, r->arena, st->ch.instance_id, &o);
    return e == ERR_OK ? changed(r, st, &o) : e;
}

enum err
doris_obj_add(struct req *r, const struct doris_add_obj *in)
{
    struct stores st;
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = begin(r, in->cloud_unique_id, &st);
    if (e != ERR_OK)
        return e;
    if (st.ch.i.enable_storage_vault)
        return req_fail(r, DORIS_OBJ_VAULT_MODE, ARGS());
    if (st.n >= OBJS_MAX)
        return req_fail(r, DORIS_OBJ_TEN, ARGS());
    if (!complete(in->obj))
        return req_fail(r, DORIS_S3_ERR, ARGS());
    return add(r, &st, in->obj);
}
