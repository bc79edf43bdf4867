/* The SQL of jobs; what the rest of the tree may ask of them is in job.h. */
#ifndef MG_JOB_STORE_H
#define MG_JOB_STORE_H

#include "job.h"

/* How long a runner may be silent before another follows it. */
#define JOB_LEASE_MS 10000
/* The longest that a job waits before it is looked at again. */
#define JOB_WAIT_MAX_MS 60000

/* What runners alone see of a job. */
#define JOB_KEPT(X, s)                               \
    X(s, STR, uid, "uid", COLUMN_ONLY, -)            \
    X(s, STR, args, "args", COLUMN_ONLY | SECRET, -) \
    X(s, STR, memo, "memo", COLUMN_ONLY | SECRET, -)
STRUCT(job_kept, JOB_KEPT);

/* A job that is due. */
#define JOB_DUE(X, s)                                  \
    X(s, U64, id, "id", COLUMN_ONLY, -)                \
    X(s, U64, epoch, "epoch", COLUMN_ONLY, -)          \
    X(s, ENUM, state, "state", COLUMN_ONLY, job_state) \
    X(s, STR, locks, "locks", COLUMN_ONLY, -)
STRUCT(job_due, JOB_DUE);
LIST_OF(job_due);

/* The next ones of a queue on a machine, at most 8. */
enum err
job_store_due(struct db *db, struct arena *a, const char *queue,
              const char *machine, struct list_of_job_due *out) MUST_USE;

/* Takes one that is due, with all of its locks when it is taken for the first
 * time; d->epoch is then ours. BUSY: another was quicker, or has a lock (then
 * the job waits for that one). Its own transaction. */
enum err job_store_claim(struct db *db, struct arena *a, struct job_due *d,
                         const char *owner) MUST_USE;

enum err job_store_kept(struct db *db, struct arena *a, uint64_t id,
                        struct job_kept *out) MUST_USE;

/* Prolongs the lease from now on, and tells whether the job is to be undone;
 * STATE when it is another's. */
enum err job_store_renew(struct db *db, uint64_t id, uint64_t epoch,
                         bool *cancel) MUST_USE;

/* Inside a transaction; STATE as above. */
enum err job_store_hold(struct db *db, uint64_t id, uint64_t epoch) MUST_USE;

/* What became of a call of a step. */
struct job_record {
    uint64_t id, epoch, parent_id;
    enum job_state state;
    unsigned step, tries;
    const char *doing;    /* name of the step that is next; "" at the end */
    const char *progress; /* what it waits for, or "" */
    const char *error;    /* NULL: none */
    const char *result;   /* NULL: none */
    int64_t due_in_ms;    /* < 0: goes on at once under the same lease */
    /* The step that was called: its row, when it has come to an end. */
    bool ended;
    unsigned called;
    const char *name, *outcome, *text;
    /* The one that begins now. */
    bool begins;
    unsigned next;
};
/* Its own transaction, under the lease; STATE as above. */
enum err job_store_record(struct db *db, const struct job_record *r) MUST_USE;

enum err job_store_progress(struct db *db, uint64_t id, uint64_t epoch,
                            const char *text) MUST_USE;
enum err job_store_remember(struct db *db, uint64_t id, uint64_t epoch,
                            const char *uid, const char *json) MUST_USE;
/* Since that step has begun; NOT_FOUND. */
enum err job_store_step_ms(struct db *db, uint64_t id, unsigned step,
                           int64_t *out) MUST_USE;
enum err job_store_parts(struct db *db, struct arena *a, uint64_t parent_id,
                         const char *prefix, struct list_of_job *out) MUST_USE;

#endif
