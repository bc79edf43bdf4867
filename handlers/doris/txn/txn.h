/* Transactions: txn_begin.c, txn.c (their life) and commit.c (what follows
 * from the end of it). */
#ifndef MG_DORIS_TXN_H
#define MG_DORIS_TXN_H

#include "doris/data/rpc.h"

#define DORIS_LABEL_BYTES 255
#define DORIS_TABLES      1024 /* tables of one transaction */
#define DORIS_ABORTED_MAX 100  /* aborted transactions of one label */
#define DORIS_TXN_SHIFT   10   /* txn_id = seq << 10 */

enum doris_txn_status {
    DORIS_TXN_UNKNOWN,
    DORIS_TXN_PREPARED,
    DORIS_TXN_COMMITTED,
    DORIS_TXN_VISIBLE,
    DORIS_TXN_ABORTED,
    DORIS_TXN_PRECOMMITTED
};
extern const struct enum_name doris_txn_status_names[];

extern const struct enum_name doris_source_type_names[];
extern const struct enum_name doris_load_source_names[];

#define DORIS_UNIQUE_ID(X, s)        \
    X(s, I64, hi, "hi", IN | OUT, -) \
    X(s, I64, lo, "lo", IN | OUT, -)
STRUCT(doris_unique_id, DORIS_UNIQUE_ID);

#define DORIS_COORDINATOR(X, s)                                       \
    X(s, ENUM, sourceType, "sourceType", IN | OUT, doris_source_type) \
    X(s, STR, ip, "ip", IN | OUT, -, .max = 255)                      \
    X(s, I64, id, "id", IN | OUT, -)                                  \
    X(s, I64, start_time, "start_time", IN | OUT, -)
STRUCT(doris_coordinator, DORIS_COORDINATOR);

/* Of an attachment what its kinds have in common; the rest is theirs. */
#define DORIS_LOAD_RESULT(X, s)                                              \
    X(s, I64, job_id, "job_id", IN | OUT, -)                                 \
    X(s, OBJ, task_id, "task_id", IN | OUT, doris_unique_id)                 \
    X(s, I64, filtered_rows, "filtered_rows", IN | OUT, -)                   \
    X(s, I64, loaded_rows, "loaded_rows", IN | OUT, -)                       \
    X(s, I64, unselected_rows, "unselected_rows", IN | OUT, -)               \
    X(s, I64, received_bytes, "received_bytes", IN | OUT, -)                 \
    X(s, I64, task_execution_time_ms, "task_execution_time_ms", IN | OUT, -) \
    X(s, STR, error_log_url, "error_log_url", IN | OUT, -, .max = 4096)
STRUCT(doris_load_result, DORIS_LOAD_RESULT);

#define DORIS_ATTACHMENT(X, s)                                                \
    X(s, STR, type, "type", IN | OUT, -, .max = 64)                           \
    X(s, OBJ, rl_task_txn_commit_attachment, "rl_task_txn_commit_attachment", \
      IN | OUT, doris_load_result)
STRUCT(doris_attachment, DORIS_ATTACHMENT);

#define DORIS_TXN(X, s)                                                    \
    X(s, I64, db_id, "db_id", IN | OUT, -)                                 \
    X(s, LIST, table_ids, "table_ids", IN | OUT, I64, .max = DORIS_TABLES) \
    X(s, I64, txn_id, "txn_id", IN | OUT, -)                               \
    X(s, STR, label, "label", IN | OUT, -, .max = DORIS_LABEL_BYTES)       \
    X(s, OBJ, request_id, "request_id", IN | OUT, doris_unique_id)         \
    X(s, OBJ, coordinator, "coordinator", IN | OUT, doris_coordinator)     \
    X(s, ENUM, load_job_source_type, "load_job_source_type", IN | OUT,     \
      doris_load_source)                                                   \
    X(s, I64, timeout_ms, "timeout_ms", IN | OUT, -)                       \
    X(s, I64, precommit_timeout_ms, "precommit_timeout_ms", IN | OUT, -)   \
    X(s, I64, prepare_time, "prepare_time", IN | OUT, -)                   \
    X(s, I64, precommit_time, "precommit_time", IN | OUT, -)               \
    X(s, I64, commit_time, "commit_time", IN | OUT, -)                     \
    X(s, I64, finish_time, "finish_time", IN | OUT, -)                     \
    X(s, STR, reason, "reason", IN | OUT, -, .max = 4096)                  \
    X(s, ENUM, status, "status", IN | OUT, doris_txn_status)               \
    X(s, OBJ, commit_attachment, "commit_attachment", IN | OUT,            \
      doris_attachment)                                                    \
    X(s, I64, listener_id, "listener_id", IN | OUT, -)
STRUCT(doris_txn, DORIS_TXN);

#define DORIS_BEGIN_TXN(X, s) \
    RPC_CUID(X, s)            \
    X(s, OBJ, txn_info, "txn_info", IN, doris_txn)
STRUCT(doris_begin_txn, DORIS_BEGIN_TXN);

#define DORIS_BEGUN(X, s)                       \
    X(s, I64, txn_id, "txn_id", OUT, -)         \
    X(s, I64, dup_txn_id, "dup_txn_id", OUT, -) \
    X(s, ENUM, txn_status, "txn_status", OUT, doris_txn_status)
STRUCT(doris_begun, DORIS_BEGUN);

#define DORIS_PRECOMMIT_TXN(X, s)                                             \
    RPC_CUID(X, s)                                                            \
    X(s, I64, db_id, "db_id", IN, -)                                          \
    X(s, I64, txn_id, "txn_id", IN, -)                                        \
    X(s, OBJ, commit_attachment, "commit_attachment", IN, doris_attachment)   \
    X(s, I64, precommit_timeout_ms, "precommit_timeout_ms", IN, -, .min = -1, \
      .max = INT64_C(1) << 50)
STRUCT(doris_precommit_txn, DORIS_PRECOMMIT_TXN);

#define DORIS_COMMIT_TXN(X, s)                                              \
    RPC_CUID(X, s)                                                          \
    X(s, I64, db_id, "db_id", IN, -)                                        \
    X(s, I64, txn_id, "txn_id", IN, -)                                      \
    X(s, BOOL, is_2pc, "is_2pc", IN, -)                                     \
    X(s, OBJ, commit_attachment, "commit_attachment", IN, doris_attachment) \
    X(s, LIST, base_tablet_ids, "base_tablet_ids", IN, I64, .max = 65536)
STRUCT(doris_commit_txn, DORIS_COMMIT_TXN);

#define DORIS_TABLE_STATS(X, s)             \
    X(s, I64, table_id, "table_id", OUT, -) \
    X(s, I64, updated_row_count, "updated_row_count", OUT, -)
STRUCT(doris_table_stats, DORIS_TABLE_STATS);

#define DORIS_COMMITTED(X, s)                                      \
    X(s, OBJ, txn_info, "txn_info", OUT, doris_txn)                \
    X(s, LIST, table_ids, "table_ids", OUT, I64)                   \
    X(s, LIST, partition_ids, "partition_ids", OUT, I64)           \
    X(s, LIST, versions, "versions", OUT, I64)                     \
    X(s, LIST, table_stats, "table_stats", OUT, doris_table_stats) \
    X(s, I64, version_update_time_ms, "version_update_time_ms", OUT, -)
STRUCT(doris_committed, DORIS_COMMITTED);

/* abort_txn, over HTTP and as RPC */
#define DORIS_ABORT_TXN(X, s)                                  \
    RPC_CUID(X, s)                                             \
    X(s, I64, db_id, "db_id", IN, -)                           \
    X(s, I64, txn_id, "txn_id", IN, -)                         \
    X(s, STR, label, "label", IN, -, .max = DORIS_LABEL_BYTES) \
    X(s, STR, reason, "reason", IN, -, .max = 4096)            \
    X(s, OBJ, commit_attachment, "commit_attachment", IN, doris_attachment)
STRUCT(doris_abort_txn, DORIS_ABORT_TXN);

#define DORIS_GET_TXN(X, s)            \
    RPC_CUID(X, s)                     \
    X(s, I64, db_id, "db_id", IN, -)   \
    X(s, I64, txn_id, "txn_id", IN, -) \
    X(s, STR, label, "label", IN, -, .max = DORIS_LABEL_BYTES)
STRUCT(doris_get_txn, DORIS_GET_TXN);

#define DORIS_TXN_REPLY(X, s) X(s, OBJ, txn_info, "txn_info", OUT, doris_txn)
STRUCT(doris_txn_reply, DORIS_TXN_REPLY);

#define TXN_STATUS_VALUE(X, s) X(s, ENUM, v, "", IN | OUT, doris_txn_status)
STRUCT(doris_txn_status_value, TXN_STATUS_VALUE);

#define DORIS_GET_TXN_ID(X, s)                                 \
    RPC_CUID(X, s)                                             \
    X(s, I64, db_id, "db_id", IN, -)                           \
    X(s, STR, label, "label", IN, -, .max = DORIS_LABEL_BYTES) \
    X(s, LIST, txn_status, "txn_status", IN, doris_txn_status_value, .max = 16)
STRUCT(doris_get_txn_id, DORIS_GET_TXN_ID);

#define DORIS_TXN_ID_REPLY(X, s) X(s, I64, txn_id, "txn_id", OUT, -)
STRUCT(doris_txn_id_reply, DORIS_TXN_ID_REPLY);

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

/* ---- the store ---- */

#define DORIS_LABEL(X, s) X(s, LIST, txn_ids, "txn_ids", OUT, I64)
STRUCT(doris_label, DORIS_LABEL);

/* The one of that label that is not aborted. NOT_FOUND. */
enum err
doris_store_txn_live(struct db *db, struct arena *a, const char *instance_id,
                     int64_t db_id, const char *label,
                     struct doris_txn *out) MUST_USE;
/* All of a label, in order of txn_id. */
enum err
doris_store_txn_ids(struct db *db, struct arena *a, const char *instance_id,
                    int64_t db_id, const char *label,
                    struct doris_label *out) MUST_USE;
/* The newest of that label in one of the states (NULL: any). NOT_FOUND. */
enum err
doris_store_txn_newest(struct db *db, struct arena *a, const char *instance_id,
                       int64_t db_id, const char *label,
                       struct doris_txn *out) MUST_USE;
/* Gives txn_id. EXISTS when the label has one that is not aborted. */
enum err
doris_store_txn_add(struct db *db, struct arena *a, const char *instance_id,
                    int64_t deadline_ms, struct doris_txn *t) MUST_USE;
enum err
doris_store_txn(struct db *db, struct arena *a, const char *instance_id,
                int64_t txn_id, struct doris_txn *out) MUST_USE;
/* The same, locked; shared when nothing but its state matters. */
enum err
doris_store_txn_lock(struct db *db, struct arena *a, const char *instance_id,
                     int64_t txn_id, struct doris_txn *out) MUST_USE;
enum err
doris_store_txn_share(struct db *db, struct arena *a, const char *instance_id,
                      int64_t txn_id, struct doris_txn *out) MUST_USE;
/* deadline_ms 0: none any more. */
enum err
doris_store_txn_save(struct db *db, struct arena *a, const char *instance_id,
                     int64_t deadline_ms, const struct doris_txn *t) MUST_USE;
/* When it aborts by itself. NOT_FOUND when it is over or unknown. */
enum err doris_store_txn_deadline(struct db *db, const char *instance_id,
                                  int64_t txn_id, int64_t *out) MUST_USE;

#define DORIS_OVERDUE_TXN(X, s)                 \
    X(s, I64, txn_id, "txn_id", COLUMN_ONLY, -) \
    X(s, STR, instance_id, "instance_id", COLUMN_ONLY, -)
STRUCT(doris_overdue_txn, DORIS_OVERDUE_TXN);
LIST_OF(doris_overdue_txn);
enum err
doris_store_txn_overdue(struct db *db, struct arena *a, int64_t now_ms,
                        size_t max,
                        struct list_of_doris_overdue_txn *out) MUST_USE;

/* Locks a transaction and aborts it when its time is over; *t is as it is
 * then, whatever it was before. NOT_FOUND. */
enum err
doris_txn_expire(struct db *db, struct arena *a, const char *instance_id,
                 int64_t now_ms, struct doris_txn *t) MUST_USE;

/* Why one is aborted whose time is over. */
#define DORIS_TXN_EXPIRED "timeout by txn manager"

/* Whether t's time is over, or it was aborted for that. */
bool doris_txn_expired(const struct doris_txn *t, int64_t now_ms);

/* Under the row's lock: ABORTED, its rowsets recyclable. */
enum err
doris_txn_abort(struct db *db, struct arena *a, const char *instance_id,
                const char *reason, struct doris_txn *t) MUST_USE;

#endif
