/* Rowsets on their way to be visible. */
#ifndef MG_DORIS_ROWSET_H
#define MG_DORIS_ROWSET_H

#include "doris/data/tablet.h"

extern const struct enum_name doris_rowset_state_names[];

/* A rowset is known by rowset_id_v2, else by its number. */
#define DORIS_ROWSET(X, s)                                                   \
    X(s, I64, rowset_id, "rowset_id", IN | OUT, -)                           \
    X(s, I64, partition_id, "partition_id", IN | OUT, -)                     \
    X(s, I64, tablet_id, "tablet_id", IN | OUT, -)                           \
    X(s, I64, txn_id, "txn_id", IN | OUT, -)                                 \
    X(s, ENUM, rowset_state, "rowset_state", IN | OUT, doris_rowset_state)   \
    X(s, I64, start_version, "start_version", IN | OUT, -)                   \
    X(s, I64, end_version, "end_version", IN | OUT, -)                       \
    X(s, I64, num_rows, "num_rows", IN | OUT, -)                             \
    X(s, I64, total_disk_size, "total_disk_size", IN | OUT, -)               \
    X(s, I64, data_disk_size, "data_disk_size", IN | OUT, -)                 \
    X(s, I64, index_disk_size, "index_disk_size", IN | OUT, -)               \
    X(s, BOOL, empty, "empty", IN | OUT, -)                                  \
    X(s, I64, creation_time, "creation_time", IN | OUT, -)                   \
    X(s, I64, num_segments, "num_segments", IN | OUT, -)                     \
    X(s, STR, rowset_id_v2, "rowset_id_v2", IN | OUT, -, .max = 128)         \
    X(s, STR, resource_id, "resource_id", IN | OUT, -, .max = 255)           \
    X(s, I64, newest_write_timestamp, "newest_write_timestamp", IN | OUT, -) \
    X(s, I32, schema_version, "schema_version", IN | OUT, -)                 \
    X(s, OBJ, tablet_schema, "tablet_schema", IN | OUT, doris_schema)        \
    X(s, I64, index_id, "index_id", IN | OUT, -)                             \
    X(s, I64, txn_expiration, "txn_expiration", IN | OUT, -)
STRUCT(doris_rowset, DORIS_ROWSET);

/* prepare_rowset and commit_rowset */
#define DORIS_PUT_ROWSET(X, s)                              \
    RPC_CUID(X, s)                                          \
    X(s, OBJ, rowset_meta, "rowset_meta", IN, doris_rowset) \
    X(s, BOOL, temporary, "temporary", IN, -)               \
    X(s, I64, txn_id, "txn_id", IN, -)                      \
    X(s, STR, tablet_job_id, "tablet_job_id", IN, -, .max = 255)
STRUCT(doris_put_rowset, DORIS_PUT_ROWSET);

#define DORIS_EXISTED(X, s) \
    X(s, OBJ, existed_rowset_meta, "existed_rowset_meta", OUT, doris_rowset)
STRUCT(doris_existed, DORIS_EXISTED);

#define DORIS_GET_ROWSET(X, s)                                               \
    RPC_CUID(X, s)                                                           \
    X(s, OBJ, idx, "idx", IN, doris_tablet_idx)                              \
    X(s, I64, start_version, "start_version", IN, -)                         \
    X(s, I64, end_version, "end_version", IN, -)                             \
    X(s, I64, base_compaction_cnt, "base_compaction_cnt", IN, -)             \
    X(s, I64, cumulative_compaction_cnt, "cumulative_compaction_cnt", IN, -) \
    X(s, I64, cumulative_point, "cumulative_point", IN, -)
STRUCT(doris_get_rowset, DORIS_GET_ROWSET);

#define DORIS_ROWSETS(X, s)                                   \
    X(s, LIST, rowset_meta, "rowset_meta", OUT, doris_rowset) \
    X(s, OBJ, stats, "stats", OUT, doris_stats)               \
    X(s, I64, partition_max_version, "partition_max_version", OUT, -)
STRUCT(doris_rowsets, DORIS_ROWSETS);

#define DORIS_ROWSET_RECYCLE(X, s)                    \
    X(s, I64, creation_time, "creation_time", OUT, -) \
    X(s, STR, type, "type", OUT, -)                   \
    X(s, OBJ, rowset_meta, "rowset_meta", OUT, doris_rowset)
STRUCT(doris_rowset_recycle, DORIS_ROWSET_RECYCLE);

/* What a rowset is known by. */
const char *doris_rowset_name(struct arena *a, const struct doris_rowset *rs);

/* Visible, from version `from` to `to`: rowset.c. */
void doris_rowset_visible(struct doris_rowset *rs, int64_t from, int64_t to);
/* What it adds to its tablet's statistics. */
struct doris_stats doris_rowset_figures(const struct doris_rowset *rs);

/* ---- the store ---- */

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
enum doris_rowset_found {
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
                        enum doris_rowset_found *found,
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

#endif
