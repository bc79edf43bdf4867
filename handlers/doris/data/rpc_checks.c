/* What each RPC must hold, as far as that can be said without the store. */
#include "doris/doris.h"
#include "store_rpc.h"

/* ---- tablets ---- */

static enum err
tablet_complete(struct req *r, const struct doris_tablet *t)
{
    if (t->schema == NULL && !HAS(t, doris_tablet, schema_version))
        return req_fail(r, DORIS_TABLET_SCHEMA, ARGS());
    if (t->tablet_id <= 0 || t->table_id <= 0 || t->index_id <= 0 ||
        t->partition_id <= 0)
        return req_fail(r, DORIS_TABLET_IDS, ARGS());
    return ERR_OK;
}

static enum err
tablets_complete(struct req *r, const void *in)
{
    const struct doris_create_tablets *c = in;
    enum err e = ERR_OK;

    for (size_t i = 0; i < c->tablet_metas.n && e == ERR_OK; i++)
        e = tablet_complete(r, &c->tablet_metas.v[i]);
    return e;
}

CHECKS(doris_create_tablets, NEED(tablet_metas, DORIS_TABLETS_NONE),
       NEED(cloud_unique_id, DORIS_IID_EMPTY), FN(tablets_complete));

CHECKS(doris_get_tablet, NEED(cloud_unique_id, DORIS_IID_EMPTY),
       NEED(tablet_id, DORIS_JOB_TABLET));
NO_CHECKS(doris_update_tablet); /* the instance first: tablet.c */
NO_CHECKS(doris_get_stats);

/* The place of a version: a table's has no partition. */
static enum err
version_placed(struct req *r, const void *in)
{
    const struct doris_get_version *g = in;

    if (HAS(g, doris_get_version, db_id) &&
        HAS(g, doris_get_version, table_id) &&
        (g->is_table_version || HAS(g, doris_get_version, partition_id)))
        return ERR_OK;
    return req_fail(r, DORIS_VERSION_ARGS, ARGS());
}

CHECKS(doris_get_version, NEED(cloud_unique_id, DORIS_IID_EMPTY),
       FN(version_placed));

static enum err
rowset_named(struct req *r, const void *in)
{
    const struct doris_rowset *rs =
        ((const struct doris_put_rowset *)in)->rowset_meta;

    if ((rs->rowset_id_v2 == NULL || *rs->rowset_id_v2 == '\0') &&
        rs->rowset_id <= 0)
        return req_fail(r, DORIS_ROWSET_NO_ID, ARGS());
    return ERR_OK;
}

CHECKS(doris_put_rowset, PRESENT(rowset_meta, DORIS_ROWSET_NONE),
       NEED(rowset_meta.tablet_id, DORIS_JOB_TABLET), FN(rowset_named),
       NEED(cloud_unique_id, DORIS_IID_EMPTY));

CHECKS(doris_get_rowset, NEED(cloud_unique_id, DORIS_IID_EMPTY),
       NEED(idx.tablet_id, DORIS_JOB_TABLET));

/* ---- transactions ---- */

/* How long a transaction may be left alone: a hundred years. */
#define TIMEOUT_MAX_MS (INT64_C(100) * 366 * 86400 * 1000)

static enum err
txn_complete(struct req *r, const void *in)
{
    const struct doris_txn *t = ((const struct doris_begin_txn *)in)->txn_info;
    bool labelled = t->label != NULL && *t->label != '\0';

    if (labelled && HAS(t, doris_txn, db_id) && t->db_id >= 0 &&
        t->table_ids.n > 0 && HAS(t, doris_txn, timeout_ms) &&
        t->timeout_ms >= 0 && t->timeout_ms <= TIMEOUT_MAX_MS)
        return ERR_OK;
    return req_fail(
        r, DORIS_TXN_ARGS,
        ARGS(arg("label", labelled ? t->label : ""),
             arg_i64(r, "db", HAS(t, doris_txn, db_id) ? t->db_id : -1)));
}

CHECKS(doris_begin_txn, PRESENT(txn_info, DORIS_TXN_INFO), FN(txn_complete));

CHECKS(doris_precommit_txn, NEED(txn_id, DORIS_COMMIT_ARGS));

CHECKS(doris_commit_txn, NEED(txn_id, DORIS_COMMIT_ARGS));

NO_CHECKS(doris_abort_txn); /* an id, or a label in a database: txn.c */

static enum err
txn_named(struct req *r, const void *in)
{
    const struct doris_get_txn *g = in;

    if (HAS(g, doris_get_txn, txn_id))
        return ERR_OK;
    if (HAS(g, doris_get_txn, db_id) && g->label != NULL && *g->label != '\0')
        return ERR_OK;
    return req_fail(r, DORIS_GET_TXN_ARGS, ARGS());
}

CHECKS(doris_get_txn, FN(txn_named));

static enum err
label_given(struct req *r, const void *in)
{
    const struct doris_get_txn_id *g = in;

    if (HAS(g, doris_get_txn_id, db_id) && g->db_id >= 0 && g->label != NULL &&
        *g->label != '\0')
        return ERR_OK;
    return req_fail(r, DORIS_GET_TXN_ARGS, ARGS());
}

CHECKS(doris_get_txn_id, FN(label_given));

/* ---- jobs ---- */

NO_CHECKS(doris_start_job); /* in Doris's order: job.c */
NO_CHECKS(doris_abort_job);

CHECKS(doris_finish_job, NEED(action, DORIS_JOB_ACTION));
