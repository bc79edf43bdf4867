/* What the files about transactions share: txn_begin.c, txn.c (their life) and
 * commit.c (what follows from the end of it). */
#ifndef MG_DORIS_TXN_H
#define MG_DORIS_TXN_H

#include "doris/doris.h"
#include "rpc.h"

static inline bool
doris_txn_runs(const struct doris_txn *t)
{
    return t->status == DORIS_TXN_PREPARED ||
           t->status == DORIS_TXN_PRECOMMITTED;
}

/* A transaction as a request names it: -1 is an id that is not given. */
struct doris_txn_ref {
    const char *cloud_unique_id;
    int64_t db_id, txn_id;
};
#define TXN_GIVEN(in, s, m) (HAS(in, s, m) ? (in)->m : -1)
#define TXN_REF(in, s)                                                       \
    ((struct doris_txn_ref){ (in)->cloud_unique_id, TXN_GIVEN(in, s, db_id), \
                             TXN_GIVEN(in, s, txn_id) })

/* The request's checks, its instance, the transaction: locked, and as it was
 * for the audit row. Refuses an unknown one. */
enum err
doris_txn_open(struct req *r, const void *in, struct doris_txn_ref ref,
               const char **instance_id, struct doris_txn *out) MUST_USE;
/* Writes it in its new state, also for the audit row; deadline_ms 0: it is
 * over. */
enum err
doris_txn_save(struct req *r, const char *instance_id, int64_t deadline_ms,
               const struct doris_txn *t) MUST_USE;
/* Refuses with a text that names db and txn. */
enum err
doris_txn_fail(struct req *r, int id, const struct doris_txn *t) MUST_USE;

#endif
