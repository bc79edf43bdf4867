/* Instances: created with a vault, with one object store, or without
 * storage; marked as deleted, kept until the recycler takes them. */
#include <string.h>

#include "store.h"

/* ---- creation ---- */

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

static enum err
add_obj(struct req *r, const struct doris_create_instance *in,
        struct doris_instance *i)
{
    struct doris_obj *o = arena_alloc(r->arena, sizeof(*o));

    if (o == NULL)
        return ERR_NOMEM;
    *o = *in->obj_info;
    doris_obj_settle(r, o, 1, in->sse_enabled, i->ctime);
    i->obj_info.n = 1;
    i->obj_info.v = o;
    return doris_store_obj_add(r->db, r->arena, in->instance_id, o);
}

/* Of its vaults an instance shows ids and names. */
static enum err
show_vaults(struct req *r, struct doris_instance *i,
            const struct doris_vault *v, size_t n)
{
    i->resource_ids.v = arena_array(r->arena, n, sizeof(struct STR));
    i->storage_vault_names.v = arena_array(r->arena, n, sizeof(struct STR));
    if (i->resource_ids.v == NULL || i->storage_vault_names.v == NULL)
        return ERR_NOMEM;
    i->resource_ids.n = i->storage_vault_names.n = n;
    for (size_t k = 0; k < n; k++) {
        i->resource_ids.v[k].v = v[k].id;
        i->storage_vault_names.v[k].v = v[k].name;
    }
    return ERR_OK;
}

/* Ids are given to object stores and vaults from one row of numbers. */
static enum err
add_vault(struct req *r, const struct doris_create_instance *in,
          struct doris_instance *i)
{
    struct doris_vault v = *in->vault;
    enum err e;

    e = doris_vault_settle(r, &v, "built_in_storage_vault",
                           in->obj_info == NULL ? 1 : 2, i->ctime);
    if (e == ERR_OK)
        e = show_vaults(r, i, &v, 1);
    if (e != ERR_OK)
        return e;
    return doris_store_vault_add(r->db, r->arena, in->instance_id, &v);
}

/* A new instance has all of its plain members. */
static enum err
created(struct req *r, struct doris_instance *i)
{
    SET(i, doris_instance, user_id);
    SET(i, doris_instance, instance_id);
    SET(i, doris_instance, name);
    SET(i, doris_instance, ctime);
    SET(i, doris_instance, mtime);
    SET(i, doris_instance, status);
    SET(i, doris_instance, sse_enabled);
    SET(i, doris_instance, enable_storage_vault);
    return doris_instance_changed(r, i);
}

static const char *
or_empty(const char *s)
{
    return s == NULL ? "" : s;
}

enum err
doris_instance_create(struct req *r, const struct doris_create_instance *in)
{
    int64_t now = doris_now();
    struct doris_instance i = {
        .instance_id = in->instance_id,
        .name = or_empty(in->name),
        .user_id = or_empty(in->user_id),
        .status = DORIS_NORMAL,
        .ram_user = in->ram_user,
        .sse_enabled = in->sse_enabled,
        .enable_storage_vault = in->obj_info == NULL,
        .ctime = now,
        .mtime = now,
    };
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    doris_audit_target(r, "instance", in->instance_id, NULL);
    e = doris_store_instance_add(r->db, &i);
    if (e == ERR_OK && in->obj_info != NULL)
        e = add_obj(r, in, &i);
    if (e == ERR_OK && in->vault != NULL)
        e = add_vault(r, in, &i);
    return e == ERR_OK ? created(r, &i) : e;
}

/* ---- reading ---- */

/* instance_id wins over cloud_unique_id. */
static enum err
find_id(struct req *r, const struct doris_get_instance *in, const char **out)
{
    enum err e;

    *out = in->instance_id;
    if (*out != NULL && **out != '\0')
        return ERR_OK;
    e = doris_resolve(r, in->cloud_unique_id, out);
    return e == ERR_NOT_FOUND ? req_fail(r, DORIS_GET_UNRESOLVED, ARGS()) : e;
}

static enum err
fill_vaults(struct req *r, struct doris_instance *i)
{
    struct doris_vault *v;
    size_t n;
    enum err e;

    e = doris_store_vaults(r->db, r->arena, i->instance_id, false, &n, &v);
    return e == ERR_OK ? show_vaults(r, i, v, n) : e;
}

enum err
doris_instance_load(struct req *r, const char *instance_id,
                    struct doris_instance *out)
{
    enum err e;

    e = doris_store_instance(r->db, r->arena, instance_id, out);
    if (e == ERR_OK)
        e = doris_store_objs(r->db, r->arena, instance_id, &out->obj_info.n,
                             &out->obj_info.v);
    if (e == ERR_OK)
        e = fill_vaults(r, out);
    if (e == ERR_OK)
        e = doris_store_stages(r->db, r->arena, instance_id, &out->stages.n,
                               &out->stages.v);
    if (e == ERR_OK) /* last: the connection is theirs until they are read */
        e = doris_store_cluster_rows(r->db, r->arena, instance_id,
                                     &out->clusters);
    return e;
}

enum err
doris_instance_get(struct req *r, const struct doris_get_instance *in)
{
    struct doris_instance *i = arena_alloc(r->arena, sizeof(*i));
    const char *id;
    enum err e;

    if (i == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = find_id(r, in, &id);
    if (e != ERR_OK)
        return e;
    e = doris_instance_load(r, id, i);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_GET_UNKNOWN, ARGS(arg("instance_id", id)));
    return req_send_or_fail(r, e, &doris_instance_rec, i);
}

#define PAGE_LINES 100

enum err
doris_instance_list(struct req *r, const struct doris_list_instances *in)
{
    struct doris_instance_page *page = arena_alloc(r->arena, sizeof(*page));
    size_t limit =
        HAS(in, doris_list_instances, limit) ? (size_t)in->limit : PAGE_LINES;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    if (page == NULL)
        return ERR_NOMEM;
    e = doris_store_instance_list(r->db, r->arena, or_empty(in->after),
                                  doris_empty(in->status) ? NULL : in->status,
                                  limit + 1, page);
    if (e == ERR_OK && page->instances.n > limit) { /* there is a next page */
        page->instances.n = limit;
        PUT(page, doris_instance_page, next,
            page->instances.v[limit - 1].instance_id);
    }
    return req_send_or_fail(r, e, &doris_instance_page_rec, page);
}

/* ---- changes ---- */

/* The request's checks; the instance as it is, locked. */
static enum err
open_instance(struct req *r, const void *in, const char *id, int64_t now,
              struct doris_instance *out)
{
    uint64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    doris_audit_target(r, "instance", id, NULL);
    e = doris_store_lock(r->db, id, now, &version);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_INSTANCE_UNKNOWN,
                        ARGS(arg("instance_id", id)));
    if (e == ERR_OK)
        e = doris_store_instance(r->db, r->arena, id, out);
    if (e == ERR_OK)
        doris_audit_instance(r, out);
    return e;
}

enum err
doris_instance_drop(struct req *r, const struct doris_instance_id *in)
{
    int64_t now = doris_now();
    struct doris_instance i;
    bool clusters = false;
    enum err e;

    e = open_instance(r, in, in->instance_id, now, &i);
    if (e == ERR_OK)
        e = doris_store_has_clusters(r->db, in->instance_id, &clusters);
    if (e == ERR_OK && clusters)
        return req_fail(r, DORIS_HAS_CLUSTERS, ARGS());
    if (e == ERR_OK)
        e = doris_store_instance_status(r->db, in->instance_id, DORIS_DELETED,
                                        now);
    i.status = DORIS_DELETED;
    return e == ERR_OK ? doris_instance_changed(r, &i) : e;
}

enum err
doris_instance_rename(struct req *r, const struct doris_rename_instance *in)
{
    struct doris_instance i;
    enum err e;

    e = open_instance(r, in, in->instance_id, doris_now(), &i);
    if (e == ERR_OK)
        e = doris_store_instance_rename(r->db, in->instance_id, in->name);
    i.name = in->name;
    return e == ERR_OK ? doris_instance_changed(r, &i) : e;
}

/* Why the change is not made; -1 when it is. */
static int
status_refusal(int from, int op)
{
    if (op == DORIS_SET_OVERDUE)
        return from == DORIS_DELETED   ? DORIS_OVERDUE_DELETED
               : from == DORIS_OVERDUE ? DORIS_OVERDUE_AGAIN
                                       : -1;
    return from == DORIS_DELETED  ? DORIS_NORMAL_DELETED
           : from == DORIS_NORMAL ? DORIS_NORMAL_AGAIN
                                  : -1;
}

enum err
doris_instance_set_status(struct req *r,
                          const struct doris_set_instance_status *in)
{
    int64_t now = doris_now();
    struct doris_instance i;
    enum err e;

    e = open_instance(r, in, in->instance_id, now, &i);
    if (e != ERR_OK)
        return e;
    if (status_refusal(i.status, in->op) >= 0)
        return req_fail(r, status_refusal(i.status, in->op), ARGS());
    i.status = in->op == DORIS_SET_OVERDUE ? DORIS_OVERDUE : DORIS_NORMAL;
    e = doris_store_instance_status(r->db, in->instance_id,
                                    (enum doris_instance_status)i.status, now);
    return e == ERR_OK ? doris_instance_changed(r, &i) : e;
}

static enum err
set_sse(struct req *r, const struct doris_instance_id *in, bool on)
{
    int64_t now = doris_now();
    struct doris_instance i;
    enum err e;

    e = open_instance(r, in, in->instance_id, now, &i);
    if (e != ERR_OK)
        return e;
    if (i.sse_enabled == on)
        return req_fail(r, on ? DORIS_SSE_ENABLED : DORIS_SSE_DISABLED, ARGS());
    i.sse_enabled = on;
    e = doris_store_instance_sse(r->db, in->instance_id, on, now);
    return e == ERR_OK ? doris_instance_changed(r, &i) : e;
}

enum err
doris_instance_enable_sse(struct req *r, const struct doris_instance_id *in)
{
    return set_sse(r, in, true);
}

enum err
doris_instance_disable_sse(struct req *r, const struct doris_instance_id *in)
{
    return set_sse(r, in, false);
}
