/* Instances: created with a vault, with one object store, or without
 * storage; marked as deleted, kept until the recycler takes them. */
#include <string.h>

#include "doris/cluster/cluster.h"
#include "doris/doris.h"
#include "doris/keep.h"
#include "instance.h"
#include "object.h"
#include "stage.h"
#include "vault.h"

const struct enum_name doris_instance_status_names[] = {
    { "NORMAL", DORIS_NORMAL },
    { "DELETED", DORIS_DELETED },
    { "OVERDUE", DORIS_OVERDUE },
    { NULL, 0 },
};

/* The names that set_instance_status takes; Doris would run any operation
 * that is named here, ours only these. */
const struct enum_name doris_status_op_names[] = {
    { "SET_NORMAL", DORIS_SET_NORMAL },
    { "SET_OVERDUE", DORIS_SET_OVERDUE },
    { NULL, 0 },
};

TABLE(doris_user, DORIS_USER);
TABLE(doris_instance, DORIS_INSTANCE);
TABLE(doris_create_instance, DORIS_CREATE_INSTANCE);
TABLE(doris_instance_id, DORIS_INSTANCE_ID);
TABLE(doris_get_instance, DORIS_GET_INSTANCE);
TABLE(doris_rename_instance, DORIS_RENAME_INSTANCE);
TABLE(doris_set_instance_status, DORIS_SET_INSTANCE_STATUS);
TABLE(doris_list_instances, DORIS_LIST_INSTANCES);
TABLE(doris_instance_line, DORIS_INSTANCE_LINE);
TABLE(doris_instance_page, DORIS_INSTANCE_PAGE);

/* ---- what each request must hold, in the order of refusals ---- */

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
    if (HAS(c->vault, doris_vault, alter_name))
        return req_fail(r, DORIS_VAULT_ALTER_NAME, ARGS());
    e = doris_vault_check(r, c->vault);
    if (e == ERR_OK && c->vault->hdfs_info != NULL &&
        c->vault->obj_info != NULL)
        return req_fail(r, DORIS_S3_ERR, ARGS()); /* on one of them */
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

/* ---- what other nouns need ---- */

enum err
doris_fail_instance(struct req *r, enum err e, const char *instance_id)
{
    if (e == ERR_STATE)
        return req_fail(r, DORIS_DELETED_404, ARGS());
    if (e != ERR_NOT_FOUND)
        return e;
    return req_fail(r, DORIS_READ_UNKNOWN,
                    ARGS(arg("instance_id", instance_id)));
}

enum err
doris_change_begin(struct req *r, const char *instance_id,
                   struct doris_change *ch)
{
    enum err e;

    ch->instance_id = instance_id;
    ch->now = doris_now();
    doris_audit_target(r, "instance", instance_id, NULL);
    e = doris_store_lock_live(r->db, instance_id, ch->now, &ch->version);
    if (e != ERR_OK)
        return doris_fail_instance(r, e, instance_id);
    return doris_store_instance(r->db, r->arena, instance_id, &ch->i);
}

enum err
doris_change_begin_by(struct req *r, const char *cloud_unique_id,
                      struct doris_change *ch)
{
    const char *id;
    enum err e = doris_resolve(r, cloud_unique_id, &id);

    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_IID_EMPTY, ARGS());
    return e == ERR_OK ? doris_change_begin(r, id, ch) : e;
}

void
doris_change_was(struct req *r, const struct doris_change *ch,
                 struct doris_storage *s)
{
    PUT(s, doris_storage, version, ch->version - 1);
    req_audit_before(r, &doris_storage_rec, s);
}

enum err
doris_change_save(struct req *r, const struct doris_change *ch,
                  const char *kind, const char *name, struct doris_storage *s)
{
    if (kind != NULL)
        doris_audit_target(r, kind, ch->instance_id, name);
    PUT(s, doris_storage, version, ch->version);
    req_audit_after(r, &doris_storage_rec, s);
    return req_ok(r);
}

/* Its mtime is the lock's already: what it was is not known. */
static void
audit_instance(struct req *r, const struct doris_instance *i)
{
    struct doris_instance was = *i;

    UNSET(&was, doris_instance, mtime);
    doris_audit_target(r, "instance", i->instance_id, NULL);
    req_audit_before(r, &doris_instance_rec, &was);
}

/* Success: the instance as it has become. */
static enum err
changed(struct req *r, const struct doris_instance *i)
{
    req_audit_after(r, &doris_instance_rec, i);
    return req_ok(r);
}

/* ---- creation ---- */

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
    return changed(r, i);
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
    if (e == ERR_EXISTS)
        return req_fail(r, DORIS_INSTANCE_EXISTS, ARGS());
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
    if (!str_empty(*out))
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
doris_instance_open(struct req *r, const struct doris_instance *i)
{
    return doris_secrets_open(r, i->instance_id, "ram user", i->ram_user_id,
                              &doris_instance_rec, i->shut);
}

enum err
doris_instance_load(struct req *r, const char *instance_id,
                    struct doris_instance *out)
{
    enum err e;

    e = doris_store_instance(r->db, r->arena, instance_id, out);
    if (e == ERR_OK)
        e = doris_instance_open(r, out);
    if (e == ERR_OK)
        e = doris_store_objs(r->db, r->arena, instance_id, &out->obj_info.n,
                             &out->obj_info.v);
    if (e == ERR_OK)
        e = doris_objs_open(r, instance_id, out->obj_info.n, out->obj_info.v);
    if (e == ERR_OK)
        e = fill_vaults(r, out);
    if (e == ERR_OK)
        e = doris_store_stages(r->db, r->arena, instance_id, &out->stages.n,
                               &out->stages.v);
    for (size_t k = 0; e == ERR_OK && k < out->stages.n; k++)
        e = doris_stage_open(r, instance_id, &out->stages.v[k]);
    if (e == ERR_OK) /* last: the connection is theirs until they are read */
        e = doris_store_cluster_rows(r->db, r->arena, instance_id,
                                     &out->clusters);
    return e;
}

/* What doris_instance_load reads, in its order. */
static enum err
announce(struct db *db, const char *id)
{
    enum err e = doris_store_instance_ahead(db, id);

    if (e == ERR_OK)
        e = doris_store_objs_ahead(db, id);
    if (e == ERR_OK)
        e = doris_store_vaults_ahead(db, id, false);
    if (e == ERR_OK)
        e = doris_store_stages_ahead(db, id);
    return e == ERR_OK ? doris_store_cluster_rows_ahead(db, id) : e;
}

/* What is kept of an instance hangs on its lock, which is taken by everything
 * that changes anything it shows. Who may see secrets is shown another text. */
static enum err
look_at(struct req *r, const char *id, struct doris_keep *out)
{
    const char *name = arena_printf(r->arena, "%s\n%d\n%s", r->form->name,
                                    (int)req_secrets(r), id);

    return doris_keep_look(out, "doris.instance", name, id, id);
}

/* All of it is of one snapshot, which begins after the look at what is kept;
 * where its clusters turn out to be too long to be kept, of another one. */
static enum err
read_instance(struct req *r, const char *id, const struct doris_keep *keep)
{
    struct doris_instance *i = arena_alloc(r->arena, sizeof(*i));
    enum err e = i == NULL ? ERR_NOMEM : db_begin_snapshot(r->db);

    if (e == ERR_OK)
        e = announce(r->db, id);
    if (e == ERR_OK)
        e = doris_instance_load(r, id, i);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_GET_UNKNOWN, ARGS(arg("instance_id", id)));
    if (e == ERR_OK && keep->may) {
        e = doris_keep_send(r, keep, &doris_instance_rec, i, &i->clusters);
        if (e != ERR_LIMIT)
            return e;
        e = doris_instance_load(r, id, i); /* its clusters have been read */
    }
    return req_send_or_fail(r, e, &doris_instance_rec, i);
}

enum err
doris_instance_get(struct req *r, const struct doris_get_instance *in)
{
    struct doris_keep keep;
    const char *id;
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = find_id(r, in, &id);
    if (e == ERR_OK)
        e = look_at(r, id, &keep);
    if (e != ERR_OK)
        return e;
    e = doris_keep_answer(r, &keep);
    return e == ERR_NOT_FOUND ? read_instance(r, id, &keep) : e;
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
                                  str_empty(in->status) ? NULL : in->status,
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
        audit_instance(r, out);
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
    return e == ERR_OK ? changed(r, &i) : e;
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
    return e == ERR_OK ? changed(r, &i) : e;
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
    return e == ERR_OK ? changed(r, &i) : e;
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
    return e == ERR_OK ? changed(r, &i) : e;
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
