/* Room: loop/ */
/* Work that takes time: accepted by a request, performed step by step in the
 * background, undone in reverse when it fails or is cancelled.
 *
 * An accepted job is a committed row: nothing of it is lost, whatever is
 * killed. A runner takes it by a lease, the row's due_ms and epoch; one that
 * is killed is followed by another, which calls the same step again. So a step
 * looks at reality first and may be called twice; what it writes to the store
 * begins with job_hold, and what it sends to a machine carries job->epoch.
 *
 *     queued ──► running ──► done
 *                   │ a step failed, or cancelled
 *                   ▼
 *                undoing ──► failed, cancelled
 *
 * A step that has to wait answers STEP_AGAIN and says for what: no thread is
 * held meanwhile. Locks (names in the row) keep two jobs from one cluster or
 * port: a job that cannot have all of its locks waits for the one that has,
 * and takes its turn in the order of acceptance. */
#ifndef MG_JOB_H
#define MG_JOB_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "log.h"
#include "record.h"

enum job_state {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_UNDOING,
    JOB_DONE,
    JOB_FAILED,
    JOB_CANCELLED,
};
extern const struct enum_name job_state_names[];

/* A job as the store has it. idle_ms: for how long nobody has taken it who
 * might; age_ms: since it was begun, 0 before; both of one that is not
 * finished, by the store's clock. */
#define JOB(X, s)                                             \
    X(s, U64, id, "id", OUT, -)                               \
    X(s, STR, queue, "queue", OUT, -)                         \
    X(s, STR, machine, "machine", OUT, -)                     \
    X(s, STR, kind, "kind", OUT, -)                           \
    X(s, STR, client_id, "client_id", OUT, -)                 \
    X(s, U64, parent_id, "parent_id", OUT, -)                 \
    X(s, STR, part, "part", OUT, -)                           \
    X(s, ENUM, state, "state", OUT, job_state)                \
    X(s, I32, step, "step", OUT, -)                           \
    X(s, I32, steps, "steps", OUT, -)                         \
    X(s, STR, doing, "doing", OUT, -)                         \
    X(s, STR, progress, "progress", OUT, -)                   \
    X(s, I64, since_ms, "since_ms", OUT, -)                   \
    X(s, I32, tries, "tries", OUT, -)                         \
    X(s, BOOL, cancel, "cancel", OUT, -)                      \
    X(s, STR, error, "error", OUT, -)                         \
    X(s, JSON, result, "result", OUT, -)                      \
    X(s, JSON, shown, "args", OUT, -, .column = "shown")      \
    X(s, STR, owner, "owner", OUT, -)                         \
    X(s, U64, epoch, "epoch", OUT, -)                         \
    X(s, STR, token_name, "token_name", OUT, -)               \
    X(s, STR, request_id, "request_id", OUT, -)               \
    X(s, STR, client_request_id, "client_request_id", OUT, -) \
    X(s, STR, trace_id, "trace_id", OUT, -)                   \
    X(s, I64, created_ms, "created_ms", OUT, -)               \
    X(s, I64, begun_ms, "begun_ms", OUT, -)                   \
    X(s, I64, finished_ms, "finished_ms", OUT, -)             \
    X(s, I64, idle_ms, "idle_ms", COLUMN_ONLY, -)             \
    X(s, I64, age_ms, "age_ms", COLUMN_ONLY, -)
STRUCT(job, JOB);
LIST_OF(job);

/* ---- what a dialect brings: its kinds of jobs ---- */

struct job_run;

enum step_answer {
    STEP_DONE,   /* its effect is there (or, of an undo, is gone) */
    STEP_AGAIN,  /* call it again later: job_waits has said when and why */
    STEP_FAILED, /* job_fails has said why */
};

struct job_step {
    const char *name; /* shown to people: "start the servers" */
    enum step_answer (*run)(struct job_run *run);
    /* Takes back what run may have done, if only in part; NULL: nothing to
     * take back. One that fails JOB_UNDO_TRIES times is left behind, which
     * the job's error then says. */
    enum step_answer (*undo)(struct job_run *run);
};
#define JOB_UNDO_TRIES 10

struct job_kind {
    const char *name;  /* "mine.install_storage": at most 64 characters */
    const char *queue; /* who performs it: at most 32 characters */
    const struct job_step *steps;
    size_t n;
    /* What has begun is not undone: a deletion. A step that fails ends the
     * job, and cancelling one that runs has no effect. */
    bool forward_only;
    /* What is its own among kinds that share their steps: these read it as
     * run->kind->of. NULL: nothing. */
    const void *of;
};

/* ---- accepting, asking, cancelling: in a handler or a step ---- */

struct job_new {
    const struct job_kind *kind;
    const char *machine;   /* on which; NULL: any */
    const char *client_id; /* NULL: none */
    const char *args;      /* JSON, kept encrypted */
    const char *shown;     /* the same with secrets masked */
    const char *locks;     /* one name per line; NULL: none */
    bool lock_now; /* they are taken with the row, so that a job which waits
                    * for its runner has them too */
    const char *token_name;
    const struct trace *trace; /* of the request, whose work this is */
    /* Which part of which job; 0, NULL: of none. */
    uint64_t parent_id;
    const char *part;
};

/* Its arguments of a record, in full and as shown, in the arena. LIMIT: longer
 * than JOB_TEXT_MAX. */
#define JOB_TEXT_MAX ((size_t)4 << 20)
enum err job_new_args(struct arena *a, struct job_new *n,
                      const struct record *rec, const void *in) MUST_USE;

/* Inside the caller's transaction, whose commit accepts it (the caller's
 * request or step wakes the runners, see wake.h). *id is our own number. A
 * part that is there already is left as it is: OK, *id is that one's. With
 * lock_now, EXISTS: another job has one of the locks by now, and the
 * transaction is to be given up. */
enum err job_accept(struct db *db, struct arena *a, const struct job_new *n,
                    uint64_t *id) MUST_USE;

/* Who has that lock; NOT_FOUND. */
enum err
job_lock_holder(struct db *db, const char *lock, uint64_t *id) MUST_USE;

/* What a job was accepted with, in the arena; NOT_FOUND. */
enum err job_said(struct db *db, struct arena *a, uint64_t id,
                  const char **args) MUST_USE;

/* By our number; the newest with that client_id; NOT_FOUND. */
enum err
job_get(struct db *db, struct arena *a, uint64_t id, struct job *out) MUST_USE;
enum err
job_find(struct db *db, struct arena *a, const char *queue, const char *machine,
         const char *client_id, struct job *out) MUST_USE;

/* The steps that have begun, in order. */
#define JOB_STEP_ROW(X, s)                  \
    X(s, I32, n, "n", OUT, -)               \
    X(s, STR, name, "name", OUT, -)         \
    X(s, STR, outcome, "outcome", OUT, -)   \
    X(s, I64, begun_ms, "begun_ms", OUT, -) \
    X(s, I64, ended_ms, "ended_ms", OUT, -) \
    X(s, STR, text, "text", OUT, -)
STRUCT(job_step_row, JOB_STEP_ROW);
LIST_OF(job_step_row);
enum err job_steps(struct db *db, struct arena *a, uint64_t id,
                   struct list_of_job_step_row *out) MUST_USE;

/* Whether nobody is there who would go on with it: it has been due for longer
 * than that, and no job of its queue and machine is under way. */
enum err
job_forsaken(struct db *db, uint64_t id, int64_t for_ms, bool *out) MUST_USE;

/* Wants it undone; its parts too. Inside the caller's transaction. STATE when
 * it is finished already, NOT_FOUND. */
enum err job_cancel(struct db *db, uint64_t id) MUST_USE;

/* Deletes at most `most` jobs that are finished for longer than that, with
 * their parts; *n: how many. */
enum err job_purge(struct db *db, unsigned keep_days, unsigned most,
                   uint64_t *n) MUST_USE;

/* ---- within a step ---- */

struct job_run {
    struct db *db;
    struct arena *arena; /* fresh for each call of a step */
    const struct job *job;
    const struct job_kind *kind;
    const char *args; /* as accepted */
    const char *memo; /* what job_remember kept last; NULL: nothing */
    void *ctx;        /* the pool's */
    struct job_private *private;
};

/* Fills *out (a struct of rec) from run->args; BAD_PARAM when they are not
 * what this version takes, which job_fails has then said. */
enum err
job_args(struct job_run *run, const struct record *rec, void *out) MUST_USE;

/* First in every transaction of the step: STATE when the job is somebody
 * else's by now. */
enum err job_hold(struct job_run *run) MUST_USE;
/* db_begin() and job_hold(): a transaction of the step, ended by db_end()
 * whatever this answers. */
enum err job_begin(struct job_run *run) MUST_USE;

/* A lock more, from here on until the job is over, undone too: for what only a
 * step knows. In a transaction of the step (job_begin). Nobody waits for it
 * here: EXISTS when another job has it. OK when it has it already. */
enum err job_lock(struct job_run *run, const char *lock) MUST_USE;

/* Whether the job is certainly still ours, and not to be cancelled: what takes
 * long asks between its parts and, when it is not, answers STEP_AGAIN. */
bool job_go_on(struct job_run *run);

/* Before STEP_AGAIN: in how long (at most a minute), and what for. */
void job_waits(struct job_run *run, int64_t retry_ms, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Whether it was only the store that failed (a step is called again then): it
 * is away, a lock of it is taken, it took too long, or memory is short. `why`
 * is the sentence of whoever failed, NULL or "": a TIMEOUT with one is theirs.
 */
bool job_store_failed(enum err e, const char *why);
/* job_waits for that; STEP_AGAIN. */
#define JOB_STORE_WAIT "waits for the metadata store (%s)"
enum step_answer
job_waits_for_store(struct job_run *run, int64_t retry_ms, enum err e);

/* Before STEP_FAILED: the sentence that the client is told. No secrets. */
void job_fails(struct job_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* For how long this step has been called by now, by the store's clock; 0 when
 * that cannot be read. */
int64_t job_step_ms(struct job_run *run);

/* How far a long step is: "12 of 40 MiB". Written at most once a second. */
void job_progress(struct job_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Keeps a JSON text for the steps that follow, and for this one when it is
 * called again; encrypted. Its own transaction, or part of the caller's that
 * holds the job. */
enum err job_remember(struct job_run *run, const char *json) MUST_USE;
/* The same of a record; LIMIT as job_new_args. */
enum err job_remember_record(struct job_run *run, const struct record *rec,
                             const void *in) MUST_USE;

/* What that kept, as a record; else as record_read, or NOT_FOUND: nothing is
 * kept; *out is zeroed then. */
enum err job_recall_record(struct job_run *run, const struct record *rec,
                           void *out) MUST_USE;

/* What get_status tells when the job is done: JSON without secrets. Written
 * with the step's outcome. */
void job_result(struct job_run *run, const char *json);

/* Makes a job that is a part of this one, once for each name of a part,
 * whenever it is called, and wakes the runners of this host. Its own
 * transaction. n's parent, token and request are taken from this job. */
enum err job_part(struct job_run *run, const char *part, struct job_new *n,
                  uint64_t *id) MUST_USE;

/* The parts of this job whose names begin so, in order of their names. */
enum err job_parts(struct job_run *run, const char *prefix,
                   struct list_of_job *out) MUST_USE;

/* What this call commits is work for others: they are woken when its outcome
 * is written. Parts say so by themselves. */
void job_wakes(struct job_run *run);

/* Waits for them: DONE when all are done; FAILED, with the first one's error,
 * when one has failed and none is under way any more; else AGAIN. */
enum step_answer job_parts_wait(struct job_run *run, const char *prefix);

/* For undo: cancels those under way and waits until none is. */
enum step_answer job_parts_cancel(struct job_run *run, const char *prefix);

/* ---- performing: a role of the binary ---- */

struct job_pool;

struct job_pool_config {
    const struct job_kind *const *kinds; /* NULL ends; those of other queues
                                          * are passed over */
    const char *queue;
    const char *machine; /* whose jobs; "" = those of no machine */
    const char *owner;   /* who this is, by lease_owner */
    unsigned threads;
    void *ctx; /* for the steps */
};

/* Performs jobs until it is stopped; NULL without memory or threads. The
 * config's texts must stay valid. */
struct job_pool *job_pool_start(const struct job_pool_config *cfg);
void job_pool_wake(struct job_pool *p);

/* Takes nothing new and waits for the steps under way; false when that is not
 * so after timeout_ms: the process may exit all the same, others go on. */
bool job_pool_stop(struct job_pool *p, int64_t timeout_ms) MUST_USE;

#endif
