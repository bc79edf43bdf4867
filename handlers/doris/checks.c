/* What each request must hold and in which order it is refused, as far as
 * that can be said without the store. */
#include <string.h>

#include "config.h"
#include "doris.h"

/* ---- object stores and vaults ---- */

/* With a role the keys are not needed, but the place must be S3. */
static bool
role_complete(const struct doris_obj *o)
{
    return HAS(o, doris_obj, cred_provider_type) &&
           o->cred_provider_type == DORIS_CRED_INSTANCE_PROFILE &&
           HAS(o, doris_obj, provider) && o->provider == DORIS_S3 &&
           !doris_empty(o->bucket) && !doris_empty(o->endpoint) &&
           !doris_empty(o->region);
}

/* external_endpoint may be left out (it is the endpoint then), not empty. */
static bool
keys_complete(const struct doris_obj *o)
{
    return !doris_empty(o->ak) && !doris_empty(o->sk) &&
           !doris_empty(o->bucket) && !doris_empty(o->endpoint) &&
           !doris_empty(o->region) && HAS(o, doris_obj, provider) &&
           (!HAS(o, doris_obj, external_endpoint) ||
            !doris_empty(o->external_endpoint));
}

enum err
doris_obj_check(struct req *r, const struct doris_obj *o)
{
    if (!doris_empty(o->role_arn))
        return role_complete(o) ? ERR_OK
                                : req_fail(r, DORIS_S3_ROLE_ERR, ARGS());
    return keys_complete(o) ? ERR_OK : req_fail(r, DORIS_S3_ERR, ARGS());
}

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

/* ---- the lists ---- */

static enum err
create_obj_info(struct req *r, const void *in)
{
    const struct doris_create_instance *c = in;
    enum err e;

    if (c->obj_info == NULL)
        return ERR_OK;
    e = doris_obj_check(r, c->obj_info);
    return e == ERR_OK ? doris_obj_size(r, c->obj_info) : e;
}

static enum err
create_vault(struct req *r, const void *in)
{
    const struct doris_create_instance *c = in;
    enum err e;

    if (c->vault == NULL)
        return ERR_OK;
    e = doris_vault_check(r, c->vault);
    return e == ERR_OK ? doris_obj_size(r, c->vault->obj_info) : e;
}

CHECKS(doris_create_instance, NEED_IN(ram_user.user_id, DORIS_RAM_ERR),
       NEED_IN(ram_user.ak, DORIS_RAM_ERR), NEED_IN(ram_user.sk, DORIS_RAM_ERR),
       FN(create_obj_info), NEED(instance_id, DORIS_IID_UNSET),
       MATCH(instance_id, "^[0-9a-zA-Z_-]+$", DORIS_IID_PATTERN),
       FN(create_vault));

CHECKS(doris_instance_id, NEED(instance_id, DORIS_IID_UNSET));

CHECKS(doris_get_instance,
       ANY_OF(instance_id, cloud_unique_id, DORIS_GET_NEITHER));

CHECKS(doris_rename_instance, NEED(name, DORIS_RENAME_UNSET),
       NEED(instance_id, DORIS_IID_UNSET));

CHECKS(doris_set_instance_status, PRESENT(op, DORIS_OP_INVALID),
       NEED(instance_id, DORIS_IID_UNSET));

/* Ours, so not protobuf's rule for enums: an unknown name that counted as none
 * would list instances of every status. */
CHECKS(doris_list_instances,
       MATCH(status, "^(NORMAL|DELETED|OVERDUE)?$", DORIS_LIST_STATUS));

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

CHECKS(doris_alter_ram_user, NEED(instance_id, DORIS_IID_EMPTY),
       NEED(ram_user.user_id, DORIS_RAM_INFO),
       NEED(ram_user.ak, DORIS_RAM_INFO), NEED(ram_user.sk, DORIS_RAM_INFO));

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

/* Keys, or a role in their place. */
static enum err
alter_keys(struct req *r, const void *in)
{
    const struct doris_obj *o = ((const struct doris_alter_obj *)in)->obj;

    if (doris_empty(o->role_arn) && (doris_empty(o->ak) || doris_empty(o->sk)))
        return req_fail(r, DORIS_OBJ_ERR, ARGS());
    return ERR_OK;
}

CHECKS(doris_alter_obj, PRESENT(obj, DORIS_OBJ_ERR), FN(alter_size),
       FN(alter_keys), NEED(cloud_unique_id, DORIS_CUID_UNSET));

static enum err
add_size(struct req *r, const void *in)
{
    return doris_obj_size(r, ((const struct doris_add_obj *)in)->obj);
}

CHECKS(doris_add_obj, PRESENT(obj, DORIS_OBJ_ERR), FN(add_size),
       NEED(obj.ak, DORIS_OBJ_ERR), NEED(obj.sk, DORIS_OBJ_ERR),
       NEED(cloud_unique_id, DORIS_CUID_UNSET));

NO_CHECKS(doris_alter_vault); /* differ by operation: vault.c */

/* Whether a cloud_unique_id leads to an instance and a cluster is given comes
 * after this: resolve.c. */
CHECKS(doris_alter_cluster,
       ANY_OF(instance_id, cloud_unique_id, DORIS_NOT_GIVEN));

CHECKS(doris_get_cluster, NEED(cloud_unique_id, DORIS_CUID_UNGIVEN));

CHECKS(doris_get_cluster_status,
       ANY_OF(instance_ids, cloud_unique_ids, DORIS_STATUS_NEITHER));

CHECKS(doris_decode_key, NEED(key, DORIS_KEY_UNSET));

NO_CHECKS(doris_encode_key); /* parameters depend on the type: key.c */
