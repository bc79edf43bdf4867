/* Rowsets under way: prepared before their data is written, committed after,
 * visible with their transaction or compaction. A call that comes again, or
 * late, changes nothing: what is committed can not be prepared again, since a
 * prepared rowset is one whose data may be removed. */
#include <string.h>

#include "store.h"
#include "store_rpc.h"

/* A request as the store keeps it. */
struct put {
    const char *instance_id, *name;
    struct doris_rowset rs;
    bool of_job; /* belongs to a compaction, not to a transaction */
};

static const struct doris_compaction *
find_job(const struct doris_job *job, const char *id)
{
    for (size_t i = 0; i < job->compaction.n; i++)
        if (job->compaction.v[i].id != NULL &&
            strcmp(job->compaction.v[i].id, id) == 0)
            return &job->compaction.v[i];
    return NULL;
}

static bool
is_schema_change(const struct doris_job *job, const char *id)
{
    return job->schema_change != NULL && job->schema_change->id != NULL &&
           strcmp(job->schema_change->id, id) == 0;
}

/* The job must be running on the tablet, or be a schema change that fills it:
 * that one is noted at the tablet it reads from, so it is not looked for. */
static enum err
check_job(struct req *r, const struct put *p, const char *job_id)
{
    struct doris_job job = { 0 };
    struct doris_tablet t;
    enum err e;

    e = doris_store_tablet(r->db, r->arena, p->instance_id, p->rs.tablet_id,
                           &t);
    if (e == ERR_OK && t.tablet_state == DORIS_TABLET_NOTREADY &&
        HAS(&t, doris_tablet, tablet_state))
        return ERR_OK;
    if (e == ERR_OK)
        e = doris_store_job(r->db, r->arena, p->instance_id, p->rs.tablet_id,
                            &job);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    if (find_job(&job, job_id) == NULL && !is_schema_change(&job, job_id))
        return req_fail(r, DORIS_ROWSET_STALE_JOB,
                        ARGS(arg_i64(r, "tablet", p->rs.tablet_id)));
    return ERR_OK;
}

/* The transaction must be running, and stay so until this one ends. */
static enum err
check_txn(struct req *r, const struct put *p)
{
    struct doris_txn t;
    enum err e;

    e = doris_store_txn_share(r->db, r->arena, p->instance_id, p->rs.txn_id,
                              &t);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_ROWSET_NO_TXN,
                        ARGS(arg_i64(r, "txn", p->rs.txn_id)));
    if (e != ERR_OK)
        return e;
    if (t.status == DORIS_TXN_ABORTED)
        return req_fail(r, DORIS_ROWSET_ABORTED,
                        ARGS(arg_i64(r, "txn", p->rs.txn_id)));
    if (t.status == DORIS_TXN_VISIBLE)
        return req_fail(r, DORIS_ROWSET_VISIBLE,
                        ARGS(arg_i64(r, "txn", p->rs.txn_id)));
    return ERR_OK;
}

static enum err
fail_existed(struct req *r, const struct doris_rowset *there)
{
    struct doris_existed *more = arena_alloc(r->arena, sizeof(*more));
    struct doris_rowset *copy = arena_alloc(r->arena, sizeof(*copy));

    if (more == NULL || copy == NULL)
        return ERR_NOMEM;
    *copy = *there;
    more->existed_rowset_meta = copy;
    return req_fail_with(r, DORIS_ROWSET_EXISTS, ARGS(), &doris_existed_rec,
                         more);
}

/* What stands before either: the request, who it belongs to, its tablet. */
static enum err
begin(struct req *r, const struct doris_put_rowset *in, struct put *p)
{
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_rpc_live(r, in->cloud_unique_id, DORIS_IID_EMPTY,
                           &p->instance_id);
    if (e != ERR_OK)
        return e;
    p->rs = *in->rowset_meta;
    if (!HAS(&p->rs, doris_rowset, txn_id)) {
        p->rs.txn_id = in->txn_id;
        SET(&p->rs, doris_rowset, txn_id);
    }
    p->name = doris_rowset_name(r->arena, &p->rs);
    p->of_job = in->tablet_job_id != NULL && *in->tablet_job_id != '\0';
    /* before the tablet, in the order of all locks */
    e = p->of_job ? check_job(r, p, in->tablet_job_id) : check_txn(r, p);
    if (e != ERR_OK)
        return e;
    e = doris_store_tablet_lock(r->db, p->instance_id, p->rs.tablet_id);
    return e == ERR_NOT_FOUND
               ? doris_rpc_no_tablet(r, p->instance_id, p->rs.tablet_id)
               : e;
}

/* NOT_FOUND when no rowset of that name is committed or visible. */
static enum err
find_committed(struct req *r, const struct put *p, struct doris_rowset *out)
{
    enum err e;

    e = doris_store_tmp(r->db, r->arena, p->instance_id, p->rs.txn_id,
                        p->rs.tablet_id, out);
    if (e == ERR_NOT_FOUND)
        e = doris_store_rowset_named(r->db, r->arena, p->instance_id,
                                     p->rs.tablet_id, p->name, out);
    return e;
}

/* The schema goes to where those of the index are. */
static enum err
keep_schema(struct req *r, struct put *p)
{
    struct doris_tablet t;
    enum err e;

    if (p->rs.tablet_schema == NULL)
        return ERR_OK;
    if (!HAS(&p->rs, doris_rowset, schema_version)) {
        p->rs.schema_version = p->rs.tablet_schema->schema_version;
        SET(&p->rs, doris_rowset, schema_version);
    }
    e = doris_store_tablet(r->db, r->arena, p->instance_id, p->rs.tablet_id,
                           &t);
    if (e == ERR_OK)
        e = doris_store_schema_put(r->db, r->arena, p->instance_id, t.index_id,
                                   p->rs.schema_version, p->rs.tablet_schema);
    p->rs.tablet_schema = NULL;
    return e;
}

enum err
doris_rowset_prepare(struct req *r, const struct doris_put_rowset *in)
{
    struct doris_rowset there;
    struct put p = { 0 };
    enum err e;

    e = begin(r, in, &p);
    if (e != ERR_OK)
        return e;
    e = find_committed(r, &p, &there);
    if (e == ERR_OK)
        return fail_existed(r, &there);
    if (e != ERR_NOT_FOUND)
        return e;
    e = keep_schema(r, &p);
    if (e == ERR_OK)
        e = doris_store_prepare(r->db, r->arena, p.instance_id, &p.rs,
                                doris_now());
    return e == ERR_OK ? req_ok(r) : e;
}

/* Already committed: fine when it is the same rowset. */
static enum err
commit_again(struct req *r, const struct put *p,
             const struct doris_rowset *there)
{
    if (strcmp(doris_rowset_name(r->arena, there), p->name) != 0)
        return fail_existed(r, there);
    return req_ok(r);
}

enum err
doris_rowset_commit(struct req *r, const struct doris_put_rowset *in)
{
    struct doris_rowset there;
    struct put p = { 0 };
    enum err e;

    e = begin(r, in, &p);
    if (e != ERR_OK)
        return e;
    e = find_committed(r, &p, &there);
    if (e == ERR_OK)
        return commit_again(r, &p, &there);
    if (e != ERR_NOT_FOUND)
        return e;
    e = doris_store_prepared_drop(r->db, p.instance_id, p.rs.tablet_id, p.name);
    if (e == ERR_NOT_FOUND) /* never prepared, or recycled meanwhile */
        return req_fail(r, DORIS_ROWSET_STALE,
                        ARGS(arg_i64(r, "tablet", p.rs.tablet_id)));
    if (e == ERR_OK)
        e = keep_schema(r, &p);
    if (e == ERR_OK)
        e = doris_store_tmp_add(r->db, r->arena, p.instance_id, &p.rs);
    return e == ERR_OK ? req_ok(r) : e;
}

/* ---- read ---- */

enum err
doris_rowset_get(struct req *r, const struct doris_get_rowset *in)
{
    struct doris_rowsets *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_stats *s = arena_alloc(r->arena, sizeof(*s));
    struct doris_version v = { .version = 1 };
    struct doris_rowset_list list;
    const char *instance_id;
    enum err e;

    if (out == NULL || s == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_IID_EMPTY,
                               &instance_id);
    if (e != ERR_OK)
        return e;
    e = doris_store_stats(r->db, r->arena, instance_id, in->idx->tablet_id, s);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, instance_id, in->idx->tablet_id);
    if (e == ERR_OK)
        e = doris_store_rowsets(
            r->db, r->arena, instance_id, in->idx->tablet_id, in->start_version,
            in->end_version < 0 ? INT64_MAX : in->end_version, &list);
    if (e == ERR_OK)
        e = doris_store_version(r->db, r->arena, instance_id, 'p',
                                HAS(s, doris_stats, db_id) ? s->db_id : -1,
                                s->table_id, s->partition_id, &v);
    if (e == ERR_NOT_FOUND)
        e = ERR_OK;
    if (e != ERR_OK)
        return e;
    out->rowset_meta.n = list.n;
    out->rowset_meta.v = list.v;
    out->stats = s;
    out->partition_max_version = v.version > 0 ? v.version : 1;
    SET(out, doris_rowsets, partition_max_version);
    return req_send(r, &doris_rowsets_rec, out);
}
