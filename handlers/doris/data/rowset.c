/* Rowsets under way: prepared before their data is written, committed after,
 * visible with their transaction or compaction; one may be committed without
 * having been prepared. A call that comes again, or late, changes nothing: what
 * is committed can not be prepared again, since a prepared rowset is one whose
 * data may be removed. */
#include <string.h>

#include "doris/doris.h"
#include "job.h"
#include "rowset.h"
#include "rpc.h"
#include "tablet.h"
#include "doris/txn/txn.h"

const struct enum_name doris_rowset_state_names[] = {
    { "PREPARED", 0 }, { "COMMITTED", 1 }, { "VISIBLE", 2 }, { NULL, 0 }
};

TABLE(doris_rowset, DORIS_ROWSET);
TABLE(doris_put_rowset, DORIS_PUT_ROWSET);
TABLE(doris_existed, DORIS_EXISTED);
TABLE(doris_get_rowset, DORIS_GET_ROWSET);
TABLE(doris_rowsets, DORIS_ROWSETS);
TABLE(doris_rowset_recycle, DORIS_ROWSET_RECYCLE);

static enum err
rowset_named(struct req *r, const void *in)
{
    const struct doris_rowset *rs =
        ((const struct doris_put_rowset *)in)->rowset_meta;

    if (str_empty(rs->rowset_id_v2) && rs->rowset_id <= 0)
        return req_fail(r, DORIS_ROWSET_NO_ID, ARGS());
    return ERR_OK;
}

/* A rowset lasts from when its transaction or job ends, and belongs to one. */
static enum err
rowset_owned(struct req *r, const void *in)
{
    const struct doris_put_rowset *p = in;

    if (HAS(p, doris_put_rowset, temporary) && !p->temporary)
        return req_fail(r, DORIS_ROWSET_LASTING, ARGS());
    if (p->txn_id != 0 && HAS(p->rowset_meta, doris_rowset, txn_id) &&
        p->rowset_meta->txn_id != p->txn_id)
        return req_fail(
            r, DORIS_ROWSET_OTHER,
            ARGS(arg("member", "txn_id"), arg("other", "the request")));
    return ERR_OK;
}

CHECKS(doris_put_rowset, PRESENT(rowset_meta, DORIS_ROWSET_NONE),
       NEED(rowset_meta.tablet_id, DORIS_JOB_TABLET), FN(rowset_named),
       NEED(cloud_unique_id, DORIS_IID_EMPTY), FN(rowset_owned));

CHECKS(doris_get_rowset, NEED(cloud_unique_id, DORIS_IID_EMPTY),
       NEED(idx.tablet_id, DORIS_JOB_TABLET));

enum rowset_state { PREPARED, COMMITTED, VISIBLE };

/* A request as the store keeps it, and what there is of that rowset. */
struct put {
    const char *instance_id;
    struct doris_rowset rs, there;
    enum doris_rowset_found found;
};

/* ---- what a rowset is and holds ---- */

void
doris_rowset_visible(struct doris_rowset *rs, int64_t from, int64_t to)
{
    PUT(rs, doris_rowset, start_version, from);
    PUT(rs, doris_rowset, end_version, to);
    PUT(rs, doris_rowset, rowset_state, VISIBLE);
}

/* Older nodes give the data's size alone; then nothing is known of index and
 * segments. */
struct doris_stats
doris_rowset_figures(const struct doris_rowset *rs)
{
    bool total = HAS(rs, doris_rowset, total_disk_size);
    struct doris_stats s = {
        .data_size = total ? rs->total_disk_size : rs->data_disk_size,
        .num_rows = rs->num_rows,
        .num_rowsets = 1,
        .num_segments = rs->num_segments,
        .index_size = rs->index_disk_size,
        .segment_size = rs->data_disk_size,
    };

    if (total) {
        SET(&s, doris_stats, index_size);
        SET(&s, doris_stats, segment_size);
    }
    return s;
}

/* ---- who it belongs to ---- */

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
    if (doris_job_find(&job, job_id) == NULL && !is_schema_change(&job, job_id))
        return req_fail(r, DORIS_ROWSET_STALE_JOB,
                        ARGS(arg_i64(r, "tablet", p->rs.tablet_id)));
    return ERR_OK;
}

static enum err
fail_txn(struct req *r, int id, const struct put *p)
{
    return req_fail(r, id, ARGS(arg_i64(r, "txn", p->rs.txn_id)));
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
        return fail_txn(r, DORIS_ROWSET_NO_TXN, p);
    if (e == ERR_OK && t.status == DORIS_TXN_ABORTED)
        return fail_txn(r, DORIS_ROWSET_ABORTED, p);
    if (e == ERR_OK && t.status == DORIS_TXN_VISIBLE)
        return fail_txn(r, DORIS_ROWSET_VISIBLE, p);
    return e;
}

static enum err
check_owner(struct req *r, const struct put *p, const char *job_id)
{
    if (str_empty(job_id))
        return check_txn(r, p);
    return check_job(r, p, job_id);
}

/* ---- what stands before either ---- */

static enum err
fail_existed(struct req *r, const struct put *p)
{
    struct doris_existed *more = arena_alloc(r->arena, sizeof(*more));
    struct doris_rowset *copy = arena_alloc(r->arena, sizeof(*copy));

    if (more == NULL || copy == NULL)
        return ERR_NOMEM;
    *copy = p->there;
    more->existed_rowset_meta = copy;
    return req_fail_with(r, DORIS_ROWSET_EXISTS, ARGS(), &doris_existed_rec,
                         more);
}

static enum err
fail_stale(struct req *r, const struct put *p)
{
    return req_fail(r, DORIS_ROWSET_STALE,
                    ARGS(arg_i64(r, "tablet", p->rs.tablet_id)));
}

/* The rowset as the store is to keep it. */
static void
take(struct put *p, const struct doris_put_rowset *in, enum rowset_state state)
{
    p->rs = *in->rowset_meta;
    if (!HAS(&p->rs, doris_rowset, txn_id)) {
        PUT(&p->rs, doris_rowset, txn_id, in->txn_id);
    }
    PUT(&p->rs, doris_rowset, rowset_state, state);
}

/* "rowset i1/50/rs1", and what there is of it. */
static void
audit_before(struct req *r, const struct put *p)
{
    doris_audit_target(r, "rowset", p->instance_id,
                       arena_printf(r->arena, "%lld/%s",
                                    (long long)p->rs.tablet_id,
                                    doris_rowset_name(r->arena, &p->rs)));
    if (p->found != DORIS_NOWHERE)
        req_audit_before(r, &doris_rowset_rec, &p->there);
}

/* The request, who it belongs to, its tablet, what there is of it. */
static enum err
begin(struct req *r, const struct doris_put_rowset *in, enum rowset_state state,
      struct put *p)
{
    enum err e;

    e = doris_rpc_open_live(r, in, in->cloud_unique_id, DORIS_IID_EMPTY,
                            &p->instance_id);
    if (e != ERR_OK)
        return e;
    take(p, in, state);
    /* before the tablet, in the order of all locks */
    e = check_owner(r, p, in->tablet_job_id);
    if (e != ERR_OK)
        return e;
    e = doris_store_tablet_lock(r->db, p->instance_id, p->rs.tablet_id);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, p->instance_id, p->rs.tablet_id);
    if (e == ERR_OK)
        e = doris_store_rowset_find(r->db, r->arena, p->instance_id, &p->rs,
                                    &p->found, &p->there);
    if (e == ERR_OK)
        audit_before(r, p);
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
        PUT(&p->rs, doris_rowset, schema_version,
            p->rs.tablet_schema->schema_version);
    }
    e = doris_store_tablet(r->db, r->arena, p->instance_id, p->rs.tablet_id,
                           &t);
    if (e == ERR_OK)
        e = doris_store_schema_put(r->db, r->arena, p->instance_id, t.index_id,
                                   p->rs.schema_version, p->rs.tablet_schema);
    p->rs.tablet_schema = NULL;
    return e;
}

static enum err
done(struct req *r, const struct doris_rowset *now)
{
    req_audit_after(r, &doris_rowset_rec, now);
    return req_ok(r);
}

/* ---- prepare ---- */

static enum err
prepare(struct req *r, struct put *p)
{
    enum err e;

    e = keep_schema(r, p);
    if (e == ERR_OK)
        e = doris_store_prepare(r->db, r->arena, p->instance_id, &p->rs,
                                doris_now());
    return e == ERR_OK ? done(r, &p->rs) : e;
}

enum err
doris_rowset_prepare(struct req *r, const struct doris_put_rowset *in)
{
    struct put p = { 0 };
    enum err e;

    e = begin(r, in, PREPARED, &p);
    if (e != ERR_OK)
        return e;
    switch (p.found) {
    case DORIS_NOWHERE:
        return prepare(r, &p);
    case DORIS_PREPARED: /* the same again */
        return done(r, &p.there);
    case DORIS_RECYCLED: /* its data may be gone already */
        return fail_stale(r, &p);
    default:
        return fail_existed(r, &p);
    }
}

/* ---- commit ---- */

/* Already committed: fine when it is the same rowset. */
static enum err
commit_again(struct req *r, const struct put *p)
{
    if (strcmp(doris_rowset_name(r->arena, &p->there),
               doris_rowset_name(r->arena, &p->rs)) != 0)
        return fail_existed(r, p);
    return done(r, &p->there);
}

static enum err
keep(struct req *r, struct put *p)
{
    enum err e;

    e = keep_schema(r, p);
    if (e == ERR_OK)
        e = doris_store_tmp_add(r->db, r->arena, p->instance_id, &p->rs);
    return e == ERR_OK ? done(r, &p->rs) : e;
}

static enum err
commit(struct req *r, struct put *p)
{
    enum err e;

    e = doris_store_prepared_drop(r->db, p->instance_id, p->rs.tablet_id,
                                  doris_rowset_name(r->arena, &p->rs));
    if (e == ERR_NOT_FOUND) /* recycled meanwhile */
        return fail_stale(r, p);
    return e == ERR_OK ? keep(r, p) : e;
}

enum err
doris_rowset_commit(struct req *r, const struct doris_put_rowset *in)
{
    struct put p = { 0 };
    enum err e;

    e = begin(r, in, COMMITTED, &p);
    if (e != ERR_OK)
        return e;
    switch (p.found) {
    case DORIS_NOWHERE: /* it need not have been announced */
        return keep(r, &p);
    case DORIS_PREPARED:
        return commit(r, &p);
    case DORIS_COMMITTED:
    case DORIS_VISIBLE:
        return commit_again(r, &p);
    default: /* its data may be gone already */
        return fail_stale(r, &p);
    }
}

/* ---- read ---- */

/* The newest version of the tablet's partition: 1 before any load. */
static enum err
partition_version(struct req *r, const char *instance_id,
                  const struct doris_stats *s, int64_t *out)
{
    struct doris_version v;
    enum err e;

    e = doris_store_version(r->db, r->arena, instance_id, 'p',
                            HAS(s, doris_stats, db_id) ? s->db_id : -1,
                            s->table_id, s->partition_id, &v);
    *out = e == ERR_OK ? v.version : 1;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
read_rowsets(struct req *r, const char *instance_id,
             const struct doris_get_rowset *in, struct doris_rowsets *out)
{
    int64_t tablet_id = in->idx->tablet_id;
    struct list_of_doris_rowset list;
    enum err e;

    e = doris_store_stats(r->db, r->arena, instance_id, tablet_id, out->stats);
    if (e == ERR_NOT_FOUND)
        return doris_rpc_no_tablet(r, instance_id, tablet_id);
    if (e == ERR_OK)
        e = doris_store_rowsets(
            r->db, r->arena, instance_id, tablet_id, in->start_version,
            in->end_version < 0 ? INT64_MAX : in->end_version, &list);
    if (e != ERR_OK)
        return e;
    out->rowset_meta.n = list.n;
    out->rowset_meta.v = list.v;
    SET(out, doris_rowsets, partition_max_version);
    return partition_version(r, instance_id, out->stats,
                             &out->partition_max_version);
}

enum err
doris_rowset_get(struct req *r, const struct doris_get_rowset *in)
{
    struct doris_rowsets *out = arena_alloc(r->arena, sizeof(*out));
    const char *instance_id;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    out->stats = arena_alloc(r->arena, sizeof(*out->stats));
    if (out->stats == NULL)
        return ERR_NOMEM;
    e = doris_rpc_open(r, in, in->cloud_unique_id, DORIS_IID_EMPTY,
                       &instance_id);
    if (e == ERR_OK)
        e = read_rowsets(r, instance_id, in, out);
    return req_send_or_fail(r, e, &doris_rowsets_rec, out);
}
