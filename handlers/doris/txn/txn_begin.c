/* A transaction begins, under a label that nobody else has: one that was not
 * aborted keeps it, and the request that comes again learns of the first. */
#include "clock.h"
#include "doris/doris.h"
#include "doris/data/rpc.h"
#include "txn.h"

TABLE(doris_begin_txn, DORIS_BEGIN_TXN);
TABLE(doris_begun, DORIS_BEGUN);

/* How long a transaction may be left alone: a hundred years. */
#define TIMEOUT_MAX_MS (INT64_C(100) * 366 * 86400 * 1000)

static enum err
txn_complete(struct req *r, const void *in)
{
    const struct doris_txn *t = ((const struct doris_begin_txn *)in)->txn_info;
    bool labelled = !str_empty(t->label);

    if (labelled && HAS(t, doris_txn, db_id) && t->db_id >= 0 &&
        t->table_ids.n > 0 && HAS(t, doris_txn, timeout_ms) &&
        t->timeout_ms >= 0 && t->timeout_ms <= TIMEOUT_MAX_MS)
        return ERR_OK;
    return req_fail(
        r, DORIS_TXN_ARGS,
        ARGS(arg("label", labelled ? t->label : ""),
             arg_i64(r, "db", HAS(t, doris_txn, db_id) ? t->db_id : -1)));
}

/* What comes later in its life is not to be said at its begin; its id, status
 * and prepare_time are the service's, whatever is said. */
static enum err
txn_new(struct req *r, const void *in)
{
    static const char *const others[] = { "db_id",
                                          "table_ids",
                                          "txn_id",
                                          "label",
                                          "request_id",
                                          "coordinator",
                                          "timeout_ms",
                                          "status",
                                          "load_job_source_type",
                                          "prepare_time",
                                          "listener_id",
                                          "precommit_timeout_ms",
                                          "commit_attachment",
                                          NULL };
    static const struct doris_txn none;
    const struct doris_txn *t = ((const struct doris_begin_txn *)in)->txn_info;
    const char *other = record_other(&doris_txn_rec, t, &none, others);

    return other == NULL
               ? ERR_OK
               : req_fail(r, DORIS_TXN_OURS, ARGS(arg("member", other)));
}

CHECKS(doris_begin_txn, PRESENT(txn_info, DORIS_TXN_INFO), FN(txn_complete),
       FN(txn_new));

#define TRIES 8 /* for a label that others take and leave meanwhile */

static bool
same_request(const struct doris_txn *a, const struct doris_txn *b)
{
    return a->request_id != NULL && b->request_id != NULL &&
           a->request_id->hi == b->request_id->hi &&
           a->request_id->lo == b->request_id->lo;
}

/* Why the label can not be used: t has it. */
static enum err
fail_label(struct req *r, const struct doris_txn *t,
           const struct doris_txn *asked)
{
    struct doris_begun *more = arena_alloc(r->arena, sizeof(*more));
    bool again = t->status != DORIS_TXN_VISIBLE && same_request(t, asked);

    if (more == NULL)
        return ERR_NOMEM;
    if (again) {
        PUT(more, doris_begun, dup_txn_id, t->txn_id);
    } else {
        PUT(more, doris_begun, txn_status, t->status);
    }
    return req_fail_with(r, again ? DORIS_TXN_AGAIN : DORIS_LABEL_USED,
                         ARGS(arg("label", t->label),
                              arg_i64(r, "db", t->db_id),
                              arg_i64(r, "txn", t->txn_id)),
                         &doris_begun_rec, more);
}

/* A running transaction whose time is over does not hold its label, also when
 * the duty that aborts it has not come by yet. t is as it is under its lock. */
static enum err
make_way(struct req *r, const char *instance_id, struct doris_txn *t)
{
    if (!doris_txn_runs(t))
        return ERR_OK;
    return doris_txn_expire(r->db, r->arena, instance_id, clock_unix_ms(), t);
}

/* An aborted transaction leaves its label, but not for ever. */
static enum err
check_aborted(struct req *r, const char *instance_id, const struct doris_txn *t)
{
    struct doris_label ids;
    enum err e;

    e = doris_store_txn_ids(r->db, r->arena, instance_id, t->db_id, t->label,
                            &ids);
    if (e == ERR_OK && ids.txn_ids.n >= DORIS_ABORTED_MAX)
        return req_fail(
            r, DORIS_TXN_TOO_MANY,
            ARGS(arg("label", t->label), arg_i64(r, "txn", t->txn_id)));
    return e;
}

/* OK when the label may be used now. Its newest transaction is the only one
 * that may be anything but aborted. */
static enum err
check_label(struct req *r, const char *instance_id,
            const struct doris_txn *asked)
{
    struct doris_txn t;
    enum err e;

    e = doris_store_txn_newest(r->db, r->arena, instance_id, asked->db_id,
                               asked->label, &t);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e == ERR_OK)
        e = make_way(r, instance_id, &t);
    if (e != ERR_OK)
        return e;
    if (t.status != DORIS_TXN_ABORTED)
        return fail_label(r, &t, asked);
    return check_aborted(r, instance_id, &t);
}

/* What the client must not choose. */
static struct doris_txn
new_txn(const struct doris_txn *asked, int64_t now_ms)
{
    struct doris_txn t = *asked;

    PUT(&t, doris_txn, status, DORIS_TXN_PREPARED);
    PUT(&t, doris_txn, prepare_time, now_ms);
    UNSET(&t, doris_txn, txn_id);
    UNSET(&t, doris_txn, precommit_time);
    UNSET(&t, doris_txn, commit_time);
    UNSET(&t, doris_txn, finish_time);
    UNSET(&t, doris_txn, reason);
    return t;
}

/* Two that begin under one label at the same time: the index decides, and
 * the other learns who was first; NOT_FOUND when that has been aborted by
 * then. */
static enum err
add_txn(struct req *r, const char *instance_id, const struct doris_txn *asked,
        struct doris_txn *t)
{
    struct doris_txn first;
    enum err e;

    e = doris_store_txn_add(r->db, r->arena, instance_id,
                            t->prepare_time + t->timeout_ms, t);
    if (e == ERR_OK) {
        doris_audit_id(r, "transaction", instance_id, t->txn_id);
        req_audit_after(r, &doris_txn_rec, t);
    }
    if (e != ERR_EXISTS)
        return e;
    e = doris_store_txn_live(r->db, r->arena, instance_id, t->db_id, t->label,
                             &first);
    return e == ERR_OK ? fail_label(r, &first, asked) : e;
}

static enum err
add_or_learn(struct req *r, const char *instance_id,
             const struct doris_txn *asked, struct doris_txn *t)
{
    enum err e = ERR_NOT_FOUND;

    for (int i = 0; i < TRIES && e == ERR_NOT_FOUND; i++)
        e = add_txn(r, instance_id, asked, t);
    return e == ERR_NOT_FOUND ? ERR_BUSY : e;
}

enum err
doris_txn_begin(struct req *r, const struct doris_begin_txn *in)
{
    struct doris_begun *out = arena_alloc(r->arena, sizeof(*out));
    const char *instance_id;
    struct doris_txn t;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = doris_rpc_open_live(r, in, in->cloud_unique_id, DORIS_TXN_CUID,
                            &instance_id);
    if (e == ERR_OK)
        e = check_label(r, instance_id, in->txn_info);
    if (e != ERR_OK)
        return e;
    t = new_txn(in->txn_info, clock_unix_ms());
    e = add_or_learn(r, instance_id, in->txn_info, &t);
    PUT(out, doris_begun, txn_id, t.txn_id);
    return req_send_or_fail(r, e, &doris_begun_rec, out);
}
