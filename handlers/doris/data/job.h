/* Compactions and schema changes of tablets: job.c starts them, job_end.c ends
 * them. */
#ifndef MG_DORIS_JOB_H
#define MG_DORIS_JOB_H

#include "doris/data/tablet.h"

enum doris_compaction_type {
    DORIS_COMPACTION_UNKNOWN,
    DORIS_COMPACTION_BASE,
    DORIS_COMPACTION_CUMULATIVE,
    DORIS_COMPACTION_EMPTY,
    DORIS_COMPACTION_FULL,
    DORIS_COMPACTION_STOP
};
extern const struct enum_name doris_compaction_type_names[];

enum doris_action {
    DORIS_ACTION_UNKNOWN,
    DORIS_COMMIT,
    DORIS_ABORT,
    DORIS_LEASE
};
extern const struct enum_name doris_action_names[];

#define DORIS_COMPACTION(X, s)                                                 \
    X(s, STR, initiator, "initiator", IN | OUT, -, .max = 255)                 \
    X(s, I64, ctime, "ctime", IN | OUT, -)                                     \
    X(s, I64, mtime, "mtime", IN | OUT, -)                                     \
    X(s, ENUM, type, "type", IN | OUT, doris_compaction_type)                  \
    X(s, I64, input_cumulative_point, "input_cumulative_point", IN | OUT, -)   \
    X(s, I64, output_cumulative_point, "output_cumulative_point", IN | OUT, -) \
    X(s, I64, num_input_rowsets, "num_input_rowsets", IN | OUT, -)             \
    X(s, I64, num_input_segments, "num_input_segments", IN | OUT, -)           \
    X(s, I64, num_output_rowsets, "num_output_rowsets", IN | OUT, -)           \
    X(s, I64, num_output_segments, "num_output_segments", IN | OUT, -)         \
    X(s, I64, size_input_rowsets, "size_input_rowsets", IN | OUT, -)           \
    X(s, I64, size_output_rowsets, "size_output_rowsets", IN | OUT, -)         \
    X(s, I64, num_input_rows, "num_input_rows", IN | OUT, -)                   \
    X(s, I64, num_output_rows, "num_output_rows", IN | OUT, -)                 \
    X(s, LIST, input_versions, "input_versions", IN | OUT, I64, .max = 2)      \
    X(s, LIST, output_versions, "output_versions", IN | OUT, I64, .max = 2)    \
    X(s, LIST, output_rowset_ids, "output_rowset_ids", IN | OUT, STR,          \
      .max = 2)                                                                \
    X(s, LIST, txn_id, "txn_id", IN | OUT, I64, .max = 2)                      \
    X(s, I64, base_compaction_cnt, "base_compaction_cnt", IN | OUT, -)         \
    X(s, I64, cumulative_compaction_cnt, "cumulative_compaction_cnt",          \
      IN | OUT, -)                                                             \
    X(s, STR, id, "id", IN | OUT, -, .max = 255)                               \
    X(s, I64, expiration, "expiration", IN | OUT, -)                           \
    X(s, I64, lease, "lease", IN | OUT, -)                                     \
    X(s, I64, full_compaction_cnt, "full_compaction_cnt", IN | OUT, -)         \
    X(s, BOOL, check_input_versions_range, "check_input_versions_range",       \
      IN | OUT, -)                                                             \
    X(s, I64, index_size_input_rowsets, "index_size_input_rowsets", IN | OUT,  \
      -)                                                                       \
    X(s, I64, segment_size_input_rowsets, "segment_size_input_rowsets",        \
      IN | OUT, -)                                                             \
    X(s, I64, index_size_output_rowsets, "index_size_output_rowsets",          \
      IN | OUT, -)                                                             \
    X(s, I64, segment_size_output_rowsets, "segment_size_output_rowsets",      \
      IN | OUT, -)
STRUCT(doris_compaction, DORIS_COMPACTION);

#define DORIS_SCHEMA_CHANGE(X, s)                                           \
    X(s, STR, initiator, "initiator", IN | OUT, -, .max = 255)              \
    X(s, STR, id, "id", IN | OUT, -, .max = 255)                            \
    X(s, I64, expiration, "expiration", IN | OUT, -)                        \
    X(s, OBJ, new_tablet_idx, "new_tablet_idx", IN | OUT, doris_tablet_idx) \
    X(s, LIST, txn_ids, "txn_ids", IN | OUT, I64, .max = DORIS_BATCH)       \
    X(s, I64, alter_version, "alter_version", IN | OUT, -)                  \
    X(s, I64, num_output_rowsets, "num_output_rowsets", IN | OUT, -)        \
    X(s, I64, num_output_segments, "num_output_segments", IN | OUT, -)      \
    X(s, I64, size_output_rowsets, "size_output_rowsets", IN | OUT, -)      \
    X(s, I64, num_output_rows, "num_output_rows", IN | OUT, -)              \
    X(s, LIST, output_versions, "output_versions", IN | OUT, I64,           \
      .max = DORIS_BATCH)                                                   \
    X(s, I64, output_cumulative_point, "output_cumulative_point", IN | OUT, -)
STRUCT(doris_schema_change, DORIS_SCHEMA_CHANGE);

#define DORIS_JOB(X, s)                                              \
    X(s, OBJ, idx, "idx", IN | OUT, doris_tablet_idx)                \
    X(s, LIST, compaction, "compaction", IN | OUT, doris_compaction, \
      .max = 64)                                                     \
    X(s, OBJ, schema_change, "schema_change", IN | OUT, doris_schema_change)
STRUCT(doris_job, DORIS_JOB);

#define DORIS_START_JOB(X, s) \
    RPC_CUID(X, s)            \
    X(s, OBJ, job, "job", IN, doris_job)
STRUCT(doris_start_job, DORIS_START_JOB);

#define DORIS_STARTED(X, s)                                              \
    X(s, LIST, version_in_compaction, "version_in_compaction", OUT, I64) \
    X(s, I64, alter_version, "alter_version", OUT, -)
STRUCT(doris_started, DORIS_STARTED);

/* finish_tablet_job; abort_tablet_job is the same without the action */
#define DORIS_FINISH_JOB(X, s)                     \
    RPC_CUID(X, s)                                 \
    X(s, ENUM, action, "action", IN, doris_action) \
    X(s, OBJ, job, "job", IN, doris_job)
STRUCT(doris_finish_job, DORIS_FINISH_JOB);
STRUCT(doris_abort_job, DORIS_START_JOB);

#define DORIS_FINISHED(X, s)                    \
    X(s, OBJ, stats, "stats", OUT, doris_stats) \
    X(s, I64, alter_version, "alter_version", OUT, -)
STRUCT(doris_finished, DORIS_FINISHED);

/* One request about the jobs of a tablet, which is locked. */
struct doris_work {
    const char *instance_id;
    int64_t tablet_id, now;
    struct doris_job job;
    struct doris_stats stats;
    bool recorded; /* the tablet has a record of jobs */
};

/* The instance, what is asked for, the tablet with its jobs, also as they were
 * for the audit row. */
enum err
doris_job_open(struct req *r, const char *cloud_unique_id,
               const struct doris_job *asked, struct doris_work *w) MUST_USE;
/* Writes the record of jobs, also for the audit row. */
enum err doris_job_save(struct req *r, struct doris_work *w) MUST_USE;

/* The compaction of that id; NULL when there is none. */
struct doris_compaction *
doris_job_find(const struct doris_job *job, const char *id);
/* Removes one of the list. */
void
doris_job_take_out(struct doris_job *job, const struct doris_compaction *c);
/* Whether it says which versions it touches, so that others may run too. */
bool doris_job_knows_range(const struct doris_compaction *c);
/* Refuses a compaction that a schema change of the tablet stands against. */
enum err doris_job_check_alter(struct req *r, const struct doris_work *w,
                               const struct doris_compaction *c) MUST_USE;

/* ---- the store ---- */

/* NOT_FOUND when the tablet never had one. */
enum err
doris_store_job(struct db *db, struct arena *a, const char *instance_id,
                int64_t tablet_id, struct doris_job *out) MUST_USE;
enum err
doris_store_job_put(struct db *db, struct arena *a, const char *instance_id,
                    int64_t tablet_id, const struct doris_job *j) MUST_USE;

#endif
