/* What goes for good, and what the recycler says of it. */
#ifndef MG_DORIS_RECYCLE_H
#define MG_DORIS_RECYCLE_H

#include "doris/doris.h"

#define DORIS_RECYCLE_INSTANCES(X, s) \
    X(s, LIST, instance_ids, "instance_ids", IN, STR, .max = 1024)
STRUCT(doris_recycle_instances, DORIS_RECYCLE_INSTANCES);

#define DORIS_RECYCLE_REF(X, s)                                 \
    X(s, STR, instance_id, "instance_id", IN | QUERY | BODY, -, \
      .max = DORIS_ID_BYTES)
STRUCT(doris_recycle_ref, DORIS_RECYCLE_REF);

/* ---- the store ---- */

/* The recycler's note about an instance, as recycle_job_info shows it. */
#define DORIS_RECYCLE_JOB(X, s)                                             \
    X(s, STR, instance_id, "instance_id", OUT, -)                           \
    X(s, STR, ip_port, "ip_port", OUT, -, .column = "owner")                \
    X(s, I64, last_ctime_ms, "last_ctime_ms", OUT, -, .column = "begun_ms") \
    X(s, I64, last_finish_time_ms, "last_finish_time_ms", OUT, -,           \
      .column = "finished_ms")                                              \
    X(s, STR, status, "status", OUT, -)                                     \
    X(s, I64, last_success_time_ms, "last_success_time_ms", OUT, -)         \
    X(s, STR, step, "step", OUT, -)                                         \
    X(s, I64, removed, "removed", OUT, -)                                   \
    X(s, BOOL, asked, "asked", OUT, -)
STRUCT(doris_recycle_job, DORIS_RECYCLE_JOB);

/* The next instance to finish: DELETED, and dropped long enough ago or asked
 * for. NOT_FOUND when there is none. */
enum err
doris_store_recycle_next(struct db *db, struct arena *a, int64_t dropped_before,
                         const char **instance_id) MUST_USE;
/* The next live instance that somebody asks for. NOT_FOUND. */
enum err doris_store_recycle_next_live(struct db *db, struct arena *a,
                                       const char **instance_id) MUST_USE;
/* Somebody asks for it. */
enum err
doris_store_recycle_ask(struct db *db, const char *instance_id) MUST_USE;
enum err
doris_store_recycle_job(struct db *db, struct arena *a, const char *instance_id,
                        struct doris_recycle_job *out) MUST_USE;
/* One small step of an instance's end, in a transaction that holds the
 * instance's row: STATE when it is not DELETED. *done: it is gone. */
enum err doris_store_recycle_step(struct db *db, const char *instance_id,
                                  const char *owner, int64_t now_ms,
                                  bool *done) MUST_USE;

/* A batch of what a live instance has dropped or ended before; *done: there is
 * no more of that, and the note says so. */
enum err doris_store_recycle_round(struct db *db, const char *instance_id,
                                   const char *owner, int64_t now_ms,
                                   int64_t before_ms, bool *done) MUST_USE;

/* How many rows of each kind wait for the recycler. */
#define DORIS_RECYCLE_COUNTS(X, s)                        \
    X(s, STR, instance_id, "instance_id", OUT, -)         \
    X(s, STR, status, "status", OUT, -)                   \
    X(s, I64, tablets, "tablets", OUT, -)                 \
    X(s, I64, rowsets, "rowsets", OUT, -)                 \
    X(s, I64, recycle_rowsets, "recycle_rowsets", OUT, -) \
    X(s, I64, tmp_rowsets, "tmp_rowsets", OUT, -)         \
    X(s, I64, expired_txns, "expired_txns", OUT, -)       \
    X(s, I64, versions, "versions", OUT, -)               \
    X(s, I64, stages, "stages", OUT, -)
STRUCT(doris_recycle_counts, DORIS_RECYCLE_COUNTS);
enum err doris_store_recycle_counts(struct db *db, struct arena *a,
                                    const char *instance_id, int64_t now_ms,
                                    struct doris_recycle_counts *out) MUST_USE;

/* Deletes a batch of what is older than that; *n how many rows went. */
enum err doris_store_forget(struct db *db, int64_t txns_before_ms,
                            int64_t rowsets_before, int64_t stages_before,
                            int64_t notes_before_ms, int64_t rates_before,
                            uint64_t *n) MUST_USE;

#endif
