/* The life of a transaction: PREPARED (txn_begin.c), perhaps PRECOMMITTED, then
 * VISIBLE (commit.c) or ABORTED. */
#include <string.h>

#include "doris/settings.h"
#include "clock.h"
#include "doris/doris.h"
#include "doris/data/rpc.h"
#include "txn.h"

const struct enum_name doris_txn_status_names[] = {
    { "TXN_STATUS_UNKNOWN", DORIS_TXN_UNKNOWN },
    { "TXN_STATUS_PREPARED", DORIS_TXN_PREPARED },
    { "TXN_STATUS_COMMITTED", DORIS_TXN_COMMITTED },
    { "TXN_STATUS_VISIBLE", DORIS_TXN_VISIBLE },
    { "TXN_STATUS_ABORTED", DORIS_TXN_ABORTED },
    { "TXN_STATUS_PRECOMMITTED", DORIS_TXN_PRECOMMITTED },
    { NULL, 0 }
};

const struct enum_name doris_source_type_names[] = {
    { "UKNOWN_TXN_SOURCE_TYPE", 0 },
    { "TXN_SOURCE_TYPE_FE", 1 },
    { "TXN_SOURCE_TYPE_BE", 2 },
    { NULL, 0 }
};

const struct enum_name doris_load_source_names[] = {
    { "LOAD_JOB_SRC_TYPE_UNKNOWN", 0 },
    { "LOAD_JOB_SRC_TYPE_FRONTEND", 1 },
    { "LOAD_JOB_SRC_TYPE_BACKEND_STREAMING", 2 },
    { "LOAD_JOB_SRC_TYPE_INSERT_STREAMING", 3 },
    { "LOAD_JOB_SRC_TYPE_ROUTINE_LOAD_TASK", 4 },
    { "LOAD_JOB_SRC_TYPE_BATCH_LOAD_JOB", 5 },
    { "LOAD_JOB_SRC_TYPE_STREAMING_JOB", 6 },
    { NULL, 0 }
};

TABLE(doris_unique_id, DORIS_UNIQUE_ID);
TABLE(doris_coordinator, DORIS_COORDINATOR);
TABLE(doris_load_result, DORIS_LOAD_RESULT);
TABLE(doris_attachment, DORIS_ATTACHMENT);
TABLE(doris_txn, DORIS_TXN);
TABLE(doris_precommit_txn, DORIS_PRECOMMIT_TXN);
TABLE(doris_abort_txn, DORIS_ABORT_TXN);
TABLE(doris_get_txn, DORIS_GET_TXN);
TABLE(doris_txn_reply, DORIS_TXN_REPLY);
TABLE(doris_txn_status_value, TXN_STATUS_VALUE);
TABLE(doris_get_txn_id, DORIS_GET_TXN_ID);
TABLE(doris_txn_id_reply, DORIS_TXN_ID_REPLY);
TABLE(doris_label, DORIS_LABEL);

CHECKS(doris_precommit_txn, NEED(txn_id, DORIS_COMMIT_ARGS));

NO_CHECKS(doris_abort_txn); /* an id, or a label in a database */

static enum err
txn_named(struct req *r, const void *in)
{
    const struct doris_get_txn *g = in;

    if (HAS(g, doris_get_txn, txn_id) && g->txn_id >= 0)
        return ERR_OK;
    if (HAS(g, doris_get_txn, db_id) && !str_empty(g->label))
        return ERR_OK;
    return req_fail(r, DORIS_GET_TXN_ARGS, ARGS());
}

CHECKS(doris_get_txn, FN(txn_named));

static enum err
label_given(struct req *r, const void *in)
{
    const struct doris_get_txn_id *g = in;

    if (HAS(g, doris_get_txn_id, db_id) && g->db_id >= 0 &&
        !str_empty(g->label))
        return ERR_OK;
    return req_fail(r, DORIS_GET_TXN_ARGS, ARGS());
}

CHECKS(doris_get_txn_id, FN(label_given));

/* ---- a transaction that is named ---- */

enum err
doris_txn_fail(struct req *r, int id, const struct doris_txn *t)
{
    return req_fail(
        r, id, ARGS(arg_i64(r, "db", t->db_id), arg_i64(r, "txn", t->txn_id)));
}

/* Words an unknown transaction; one of another database is unknown too. */
static enum err
check_found(struct req *r, enum err e, const struct doris_txn_ref *ref,
            const struct doris_txn *t)
{
    const struct doris_txn named = { .db_id = ref->db_id,
                                     .txn_id = ref->txn_id };

    if (e == ERR_NOT_FOUND && ref->db_id < 0)
        return doris_txn_fail(r, DORIS_TXN_NO_INDEX, &named);
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && ref->db_id >= 0 && t->db_id != ref->db_id))
        return doris_txn_fail(r, DORIS_TXN_NO_INFO, &named);
    return e;
}

static void
audit_before(struct req *r, const char *instance_id, const struct doris_txn *t)
{
    doris_audit_id(r, "transaction", instance_id, t->txn_id);
    req_audit_before(r, &doris_txn_rec, t);
}

/* Locked, to be changed. */
static enum err
lock_named(struct req *r, const char *instance_id,
           const struct doris_txn_ref *ref, struct doris_txn *out)
{
    enum err e =
        doris_store_txn_lock(r->db, r->arena, instance_id, ref->txn_id, out);

    e = check_found(r, e, ref, out);
    if (e == ERR_OK)
        audit_before(r, instance_id, out);
    return e;
}

enum err
doris_txn_open(struct req *r, const void *in, struct doris_txn_ref ref,
               const char **instance_id, struct doris_txn *out)
{
    enum err e;

    e = doris_rpc_open(r, in, ref.cloud_unique_id, DORIS_COMMIT_CUID,
                       instance_id);
    return e == ERR_OK ? lock_named(r, *instance_id, &ref, out) : e;
}

enum err
doris_txn_save(struct req *r, const char *instance_id, int64_t deadline_ms,
               const struct doris_txn *t)
{
    req_audit_after(r, &doris_txn_rec, t);
    return doris_store_txn_save(r->db, r->arena, instance_id, deadline_ms, t);
}

bool
doris_txn_expired(const struct doris_txn *t, int64_t now_ms)
{
    switch (t->status) {
    case DORIS_TXN_PREPARED:
        return t->prepare_time + t->timeout_ms <= now_ms;
    case DORIS_TXN_PRECOMMITTED:
        return t->precommit_time + t->precommit_timeout_ms <= now_ms;
    case DORIS_TXN_ABORTED:
        return t->reason != NULL && strcmp(t->reason, DORIS_TXN_EXPIRED) == 0;
    default:
        return false;
    }
}

/* ---- precommit ---- */

static enum err
check_precommit(struct req *r, const struct doris_txn *t)
{
    switch (t->status) {
    case DORIS_TXN_PREPARED:
        return ERR_OK;
    case DORIS_TXN_ABORTED:
        return doris_txn_fail(r, DORIS_PRE_ABORTED, t);
    case DORIS_TXN_VISIBLE:
        return doris_txn_fail(r, DORIS_PRE_VISIBLE, t);
    default:
        return doris_txn_fail(r, DORIS_PRE_DONE, t);
    }
}

/* *wait_ms is how long it may stay so. */
static void
precommit(struct doris_txn *t, const struct doris_precommit_txn *in,
          int64_t *wait_ms)
{
    *wait_ms = doris_settings()->precommit_timeout_s * 1000;
    if (HAS(in, doris_precommit_txn, precommit_timeout_ms) &&
        in->precommit_timeout_ms > 0)
        *wait_ms = in->precommit_timeout_ms;
    PUT(t, doris_txn, precommit_timeout_ms, *wait_ms);
    t->status = DORIS_TXN_PRECOMMITTED;
    PUT(t, doris_txn, precommit_time, clock_unix_ms());
    if (in->commit_attachment != NULL)
        t->commit_attachment = in->commit_attachment;
}

enum err
doris_txn_precommit(struct req *r, const struct doris_precommit_txn *in)
{
    struct doris_txn_id_reply *out = arena_alloc(r->arena, sizeof(*out));
    const char *instance_id;
    struct doris_txn t;
    int64_t wait_ms;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = doris_txn_open(r, in, TXN_REF(in, doris_precommit_txn), &instance_id,
                       &t);
    if (e == ERR_OK)
        e = check_precommit(r, &t);
    if (e != ERR_OK)
        return e;
    precommit(&t, in, &wait_ms);
    e = doris_txn_save(r, instance_id, t.precommit_time + wait_ms, &t);
    PUT(out, doris_txn_id_reply, txn_id, t.txn_id);
    return req_send_or_fail(r, e, &doris_txn_id_reply_rec, out);
}

/* ---- abort ---- */

static enum err
fail_abort(struct req *r, int id, const struct doris_abort_txn *in)
{
    const struct doris_txn_ref ref = TXN_REF(in, doris_abort_txn);

    return req_fail(r, id,
                    ARGS(arg_i64(r, "db", ref.db_id),
                         arg_i64(r, "txn", ref.txn_id),
                         arg("label", in->label == NULL ? "" : in->label),
                         doris_rpc_cuid(in->cloud_unique_id)));
}

/* Why the label names nothing that could be aborted. */
static enum err
fail_idle(struct req *r, const char *instance_id,
          const struct doris_abort_txn *in)
{
    struct doris_txn t;
    enum err e;

    e = doris_store_txn_newest(r->db, r->arena, instance_id, in->db_id,
                               in->label, &t);
    if (e == ERR_NOT_FOUND)
        return fail_abort(r, DORIS_LABEL_UNKNOWN, in);
    return e == ERR_OK ? fail_abort(r, DORIS_LABEL_IDLE, in) : e;
}

/* By label: the one of that label that is running; an aborted one is not
 * mistaken for it, and neither is a newer one for an older one, since there
 * is only one. */
static enum err
find_by_label(struct req *r, const char *instance_id,
              const struct doris_abort_txn *in, struct doris_txn *out)
{
    enum err e;

    e = doris_store_txn_live(r->db, r->arena, instance_id, in->db_id, in->label,
                             out);
    if (e == ERR_OK && doris_txn_runs(out))
        e = doris_store_txn_lock(r->db, r->arena, instance_id, out->txn_id,
                                 out);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && !doris_txn_runs(out)))
        return fail_idle(r, instance_id, in);
    if (e == ERR_OK)
        audit_before(r, instance_id, out);
    return e;
}

static enum err
find_by_id(struct req *r, const char *instance_id,
           const struct doris_abort_txn *in, struct doris_txn *out)
{
    const struct doris_txn_ref ref = TXN_REF(in, doris_abort_txn);
    enum err e;

    e = lock_named(r, instance_id, &ref, out);
    if (e != ERR_OK)
        return e;
    if (out->status == DORIS_TXN_ABORTED)
        return doris_txn_fail(r, DORIS_ABORT_ABORTED, out);
    if (out->status == DORIS_TXN_VISIBLE)
        return doris_txn_fail(r, DORIS_ABORT_VISIBLE, out);
    return ERR_OK;
}

static enum err
abort_found(struct req *r, const char *instance_id,
            const struct doris_abort_txn *in, struct doris_txn *t)
{
    enum err e;

    if (in->commit_attachment != NULL)
        t->commit_attachment = in->commit_attachment;
    e = doris_txn_abort(
        r->db, r->arena, instance_id,
        HAS(in, doris_abort_txn, reason) ? in->reason : "User Abort", t);
    req_audit_after(r, &doris_txn_rec, t);
    return e;
}

static enum err
abort_one(struct req *r, const struct doris_abort_txn *in,
          struct doris_txn *out)
{
    bool by_id = HAS(in, doris_abort_txn, txn_id) && in->txn_id > 0;
    bool by_label = HAS(in, doris_abort_txn, db_id) && !str_empty(in->label);
    const char *instance_id;
    enum err e;

    if (!by_id && !by_label)
        return fail_abort(r, DORIS_ABORT_ARGS, in);
    e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_IID_EMPTY,
                           &instance_id);
    if (e == ERR_BAD_PARAM)
        return fail_abort(r, DORIS_ABORT_CUID, in);
    if (e == ERR_OK)
        e = by_id ? find_by_id(r, instance_id, in, out)
                  : find_by_label(r, instance_id, in, out);
    return e == ERR_OK ? abort_found(r, instance_id, in, out) : e;
}

enum err
doris_txn_abort_rpc(struct req *r, const struct doris_abort_txn *in)
{
    struct doris_txn_reply *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_txn *t = arena_alloc(r->arena, sizeof(*t));
    enum err e;

    if (out == NULL || t == NULL)
        return ERR_NOMEM;
    out->txn_info = t;
    e = abort_one(r, in, t);
    return req_send_or_fail(r, e, &doris_txn_reply_rec, out);
}

enum err
doris_txn_abort_text(struct req *r, const struct doris_abort_txn *in)
{
    struct doris_txn t;
    enum err e;

    e = abort_one(r, in, &t);
    return e == ERR_OK ? doris_send_text(r, NULL, NULL) : e;
}

/* ---- get ---- */

static enum err
read_txn(struct req *r, const char *instance_id, const struct doris_get_txn *in,
         struct doris_txn *out)
{
    const struct doris_txn_ref ref = TXN_REF(in, doris_get_txn);
    enum err e;

    if (ref.txn_id >= 0) {
        e = doris_store_txn(r->db, r->arena, instance_id, in->txn_id, out);
        return check_found(r, e, &ref, out);
    }
    e = doris_store_txn_newest(r->db, r->arena, instance_id, in->db_id,
                               in->label, out);
    if (e != ERR_NOT_FOUND)
        return e;
    return req_fail(r, DORIS_LABEL_UNKNOWN,
                    ARGS(arg_i64(r, "db", in->db_id), arg("label", in->label)));
}

enum err
doris_txn_get(struct req *r, const struct doris_get_txn *in)
{
    struct doris_txn_reply *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_txn *t = arena_alloc(r->arena, sizeof(*t));
    const char *instance_id;
    enum err e;

    if (out == NULL || t == NULL)
        return ERR_NOMEM;
    out->txn_info = t;
    e = doris_rpc_open(r, in, in->cloud_unique_id, DORIS_COMMIT_CUID,
                       &instance_id);
    if (e == ERR_OK)
        e = read_txn(r, instance_id, in, t);
    return req_send_or_fail(r, e, &doris_txn_reply_rec, out);
}

static bool
wanted(const struct doris_get_txn_id *in, int status)
{
    for (size_t i = 0; i < in->txn_status.n; i++)
        if (in->txn_status.v[i].v == status)
            return true;
    return in->txn_status.n == 0;
}

/* The newest of the label in one of the states. */
static enum err
newest_wanted(struct req *r, const char *instance_id,
              const struct doris_get_txn_id *in, int64_t *out)
{
    struct doris_label ids;
    struct doris_txn t;
    enum err e;

    e = doris_store_txn_ids(r->db, r->arena, instance_id, in->db_id, in->label,
                            &ids);
    if (e == ERR_OK && ids.txn_ids.n == 0)
        return req_fail(r, DORIS_TXN_ID_NO_LABEL,
                        ARGS(arg("label", in->label)));
    for (size_t i = ids.txn_ids.n; e == ERR_OK && i > 0; i--) {
        e = doris_store_txn(r->db, r->arena, instance_id,
                            ids.txn_ids.v[i - 1].v, &t);
        if (e == ERR_OK && wanted(in, t.status)) {
            *out = t.txn_id;
            return ERR_OK;
        }
    }
    if (e != ERR_OK)
        return e;
    return req_fail(r, DORIS_TXN_ID_NONE, ARGS(arg("label", in->label)));
}

enum err
doris_txn_get_id(struct req *r, const struct doris_get_txn_id *in)
{
    struct doris_txn_id_reply *out = arena_alloc(r->arena, sizeof(*out));
    const char *instance_id;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = doris_rpc_open(r, in, in->cloud_unique_id, DORIS_TXN_CUID,
                       &instance_id);
    if (e == ERR_OK)
        e = newest_wanted(r, instance_id, in, &out->txn_id);
    SET(out, doris_txn_id_reply, txn_id);
    return req_send_or_fail(r, e, &doris_txn_id_reply_rec, out);
}
