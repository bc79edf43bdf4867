/* What the store keeps of tablets, transactions and stages; the SQL is in
 * store_tablet.c, store_rowset.c, store_txn.c and store_stage.c.
 *
 * Order of locks: the transaction's row, tablets by their ids, what belongs to
 * a tablet, versions of partitions and tables by their ids. */
#ifndef MG_DORIS_STORE_RPC_H
#define MG_DORIS_STORE_RPC_H

#include "db.h"
#include "doris/doris.h"
#include "rpc.h"

/* Until the end of the transaction the instance is not dropped. NOT_FOUND;
 * STATE when it is DELETED already. */
enum err doris_store_instance_share(struct db *db, struct arena *a,
                                    const char *instance_id) MUST_USE;

/* ---- tablets: store_tablet.c ---- */

/* A record that is kept as its body: the statement gives one text. */
enum err doris_store_body(struct db *db, struct arena *a, const char *statement,
                          struct db_args args, const struct record *rec,
                          void *out) MUST_USE;

/* With the statistics of a new tablet. EXISTS when there is one of that id:
 * then that is locked. */
enum err
doris_store_tablet_add(struct db *db, struct arena *a, const char *instance_id,
                       const struct doris_tablet *t) MUST_USE;
/* Replaces the one of that id, which is locked, with all that belongs to it;
 * the statistics are those of a new one. */
enum err doris_store_tablet_replace(struct db *db, struct arena *a,
                                    const char *instance_id,
                                    const struct doris_tablet *t) MUST_USE;
/* The tablet without its rowsets and schema. NOT_FOUND. */
enum err
doris_store_tablet(struct db *db, struct arena *a, const char *instance_id,
                   int64_t tablet_id, struct doris_tablet *out) MUST_USE;
/* Writes the tablet's own record and state. */
enum err
doris_store_tablet_save(struct db *db, struct arena *a, const char *instance_id,
                        const struct doris_tablet *t) MUST_USE;
/* Locks it: its rowsets, jobs and statistics. NOT_FOUND. */
enum err doris_store_tablet_lock(struct db *db, const char *instance_id,
                                 int64_t tablet_id) MUST_USE;
enum err
doris_store_stats(struct db *db, struct arena *a, const char *instance_id,
                  int64_t tablet_id, struct doris_stats *out) MUST_USE;
/* Adds the figures of s, which may be negative, to the tablet's; index_size
 * and segment_size when they are set. */
enum err
doris_store_stats_add(struct db *db, const char *instance_id, int64_t tablet_id,
                      const struct doris_stats *s) MUST_USE;
/* Writes counters, point and times of compactions. */
enum err doris_store_stats_set(struct db *db, const char *instance_id,
                               const struct doris_stats *s) MUST_USE;

enum err
doris_store_schema_put(struct db *db, struct arena *a, const char *instance_id,
                       int64_t index_id, int32_t version,
                       const struct doris_schema *s) MUST_USE;
enum err doris_store_schema(struct db *db, struct arena *a,
                            const char *instance_id, int64_t index_id,
                            int32_t version, struct doris_schema *out) MUST_USE;

/* ---- rowsets: store_rowset.c ---- */

/* What a rowset is known by. */
const char *doris_rowset_name(struct arena *a, const struct doris_rowset *rs);

LIST_OF(doris_rowset);

/* Visible, from end version `from` to `to`, in order. */
enum err
doris_store_rowsets(struct db *db, struct arena *a, const char *instance_id,
                    int64_t tablet_id, int64_t from, int64_t to,
                    struct list_of_doris_rowset *out) MUST_USE;
/* EXISTS when there is one of that version or name. */
enum err
doris_store_rowset_add(struct db *db, struct arena *a, const char *instance_id,
                       const struct doris_rowset *rs) MUST_USE;
/* Where a rowset is: nowhere; to be removed; prepared; visible; committed,
 * its transaction or compaction being under way. */
enum doris_rowset_place {
    DORIS_NOWHERE = -1,
    DORIS_RECYCLED,
    DORIS_PREPARED,
    DORIS_VISIBLE,
    DORIS_COMMITTED
};
/* The one committed for like's transaction and tablet, whatever its name;
 * else the one of its name, if there is one. */
enum err
doris_store_rowset_find(struct db *db, struct arena *a, const char *instance_id,
                        const struct doris_rowset *like,
                        enum doris_rowset_place *place,
                        struct doris_rowset *out) MUST_USE;
/* Whether from..to are the versions of whole rowsets. STATE when one of them
 * goes beyond, NOT_FOUND when there is none. */
enum err doris_store_rowsets_whole(struct db *db, struct arena *a,
                                   const char *instance_id, int64_t tablet_id,
                                   int64_t from, int64_t to) MUST_USE;
/* Those that end in from..to become recyclable (COMPACT). */
enum err doris_store_rowsets_recycle(struct db *db, const char *instance_id,
                                     int64_t tablet_id, int64_t from,
                                     int64_t to, int64_t now) MUST_USE;

/* Of a transaction under way; NOT_FOUND, EXISTS. */
enum err doris_store_tmp(struct db *db, struct arena *a,
                         const char *instance_id, int64_t txn_id,
                         int64_t tablet_id, struct doris_rowset *out) MUST_USE;
enum err
doris_store_tmp_add(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_rowset *rs) MUST_USE;
enum err doris_store_tmp_drop(struct db *db, const char *instance_id,
                              int64_t txn_id, int64_t tablet_id) MUST_USE;
/* Those of an aborted transaction become recyclable (DROP). */
enum err doris_store_tmp_abort(struct db *db, const char *instance_id,
                               int64_t txn_id, int64_t now) MUST_USE;

/* Those of the tablet that belong to no transaction become recyclable (DROP):
 * outputs of compactions, none of which runs any more. */
enum err doris_store_tmp_stray(struct db *db, const char *instance_id,
                               int64_t tablet_id, int64_t now) MUST_USE;

/* A rowset of a transaction with the place of its tablet. */
#define DORIS_PENDING(X, s)                                 \
    X(s, I64, tablet_id, "tablet_id", COLUMN_ONLY, -)       \
    X(s, I64, db_id, "db_id", COLUMN_ONLY, -)               \
    X(s, I64, table_id, "table_id", COLUMN_ONLY, -)         \
    X(s, I64, partition_id, "partition_id", COLUMN_ONLY, -) \
    X(s, STR, body, "body", COLUMN_ONLY, -)                 \
    X(s, OBJ, rowset, "rowset", COLUMN_ONLY, doris_rowset)
STRUCT(doris_pending, DORIS_PENDING);
LIST_OF(doris_pending);
/* All of a transaction, by tablet; their tablets are locked. */
enum err
doris_store_pending(struct db *db, struct arena *a, const char *instance_id,
                    int64_t txn_id, struct list_of_doris_pending *out) MUST_USE;
enum err doris_store_tmp_done(struct db *db, const char *instance_id,
                              int64_t txn_id) MUST_USE;

/* Its data may be removed unless it is committed. */
enum err
doris_store_prepare(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_rowset *rs, int64_t now) MUST_USE;
/* NOT_FOUND when it is not there any more. */
enum err
doris_store_prepared_drop(struct db *db, const char *instance_id,
                          int64_t tablet_id, const char *name) MUST_USE;
enum err
doris_store_recyclable(struct db *db, struct arena *a, const char *instance_id,
                       int64_t tablet_id, const char *name,
                       struct doris_rowset_recycle *out) MUST_USE;

/* ---- versions: store_tablet.c ---- */

/* Partition's version + 1, of a table with partition_id 0. A partition that
 * nothing was loaded into has version 1, a table none. */
enum err
doris_store_version_bump(struct db *db, const char *instance_id, char kind,
                         int64_t db_id, int64_t table_id, int64_t partition_id,
                         int64_t now_ms, int64_t *out) MUST_USE;
enum err
doris_store_version(struct db *db, struct arena *a, const char *instance_id,
                    char kind, int64_t db_id, int64_t table_id,
                    int64_t partition_id, struct doris_version *out) MUST_USE;

/* ---- jobs ---- */

/* NOT_FOUND when the tablet never had one. */
enum err
doris_store_job(struct db *db, struct arena *a, const char *instance_id,
                int64_t tablet_id, struct doris_job *out) MUST_USE;
enum err
doris_store_job_put(struct db *db, struct arena *a, const char *instance_id,
                    int64_t tablet_id, const struct doris_job *j) MUST_USE;

/* ---- transactions: store_txn.c ---- */

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

/* Under the row's lock: ABORTED, its rowsets recyclable. */
enum err
doris_txn_abort(struct db *db, struct arena *a, const char *instance_id,
                const char *reason, struct doris_txn *t) MUST_USE;

/* ---- what the handlers of RPCs share ---- */

/* Visible, from version `from` to `to`: rowset.c. */
void doris_rowset_visible(struct doris_rowset *rs, int64_t from, int64_t to);
/* What it adds to its tablet's statistics. */
struct doris_stats doris_rowset_figures(const struct doris_rowset *rs);

/* rpc.c */

/* The instance of a request; `error` is how it is refused without one. */
enum err doris_rpc_instance(struct req *r, const char *cloud_unique_id,
                            int error, const char **out) MUST_USE;
/* How most of them begin: the checks of `in`, then the instance. */
enum err
doris_rpc_open(struct req *r, const void *in, const char *cloud_unique_id,
               int error, const char **out) MUST_USE;
/* The same for what makes new records: the instance stays until the end of
 * the transaction. */
enum err
doris_rpc_open_live(struct req *r, const void *in, const char *cloud_unique_id,
                    int error, const char **out) MUST_USE;
/* A tablet that is not there, as Doris says it, with the key. */
enum err doris_rpc_no_tablet(struct req *r, const char *instance_id,
                             int64_t tablet_id) MUST_USE;
/* A cloud_unique_id or label for messages. */
struct arg doris_rpc_cuid(const char *cloud_unique_id);

/* A success of a debug operation: protobuf text, or JSON when that is what
 * the client accepts. rec NULL: the status alone. */
enum err doris_send_text(struct req *r, const struct record *rec,
                         const void *out) MUST_USE;

#endif
