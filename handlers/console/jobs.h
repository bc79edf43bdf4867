/* Jobs of all dialects: listed, told with their steps, cancelled. */
#ifndef CONSOLE_JOB_H
#define CONSOLE_JOB_H

#include "job.h"
#include "page.h"

#define CONSOLE_JOBS_ASKED(X, s)                                             \
    X(s, STR, state, "state", QUERY, -, .max = 64,                           \
      .doc = "queued, running, undoing, done, failed, cancelled; open: the " \
             "first three")                                                  \
    X(s, STR, kind, "kind", QUERY, -, .max = 64,                             \
      .doc = "what kinds begin with: cluster_mgr.")                          \
    X(s, STR, machine, "machine", QUERY, -, .max = 64)                       \
    X(s, STR, request_id, "request_id", QUERY, -, .max = 64,                 \
      .doc = "of the request that made it: ours, the client's, its trace")   \
    X(s, U64, parent, "parent", QUERY, -,                                    \
      .doc = "parts of that job alone; 0: those that are part of none")      \
    CONSOLE_PAGE(X, s)
STRUCT(console_jobs_asked, CONSOLE_JOBS_ASKED);

/* Times are Unix ms. */
#define CONSOLE_JOB(X, s)                                                     \
    X(s, U64, id, "id", OUT, -)                                               \
    X(s, STR, dialect, "dialect", OUT, -, .doc = "whose kind of job it is")   \
    X(s, STR, kind, "kind", OUT, -)                                           \
    X(s, STR, machine, "machine", OUT, -,                                     \
      .doc = "who performs it; \"\": any"                                     \
             " control")                                                      \
    X(s, STR, client_id, "client_id", OUT, -)                                 \
    X(s, U64, parent_id, "parent_id", OUT, -)                                 \
    X(s, STR, part, "part", OUT, -)                                           \
    X(s, ENUM, state, "state", OUT, job_state)                                \
    X(s, I32, step, "step", OUT, -, .doc = "steps that are behind it")        \
    X(s, I32, steps, "steps", OUT, -)                                         \
    X(s, STR, doing, "doing", OUT, -)                                         \
    X(s, STR, progress, "progress", OUT, -,                                   \
      .doc = "how far it is, or what it waits for")                           \
    X(s, I64, since_ms, "since_ms", OUT, -, .doc = "since when it says that") \
    X(s, U64, waits_for, "waits_for", OUT, -,                                 \
      .doc = "the job that has a lock which it needs")                        \
    X(s, I32, tries, "tries", OUT, -)                                         \
    X(s, BOOL, cancel, "cancel", OUT, -, .doc = "somebody wants it undone")   \
    X(s, STR, error, "error", OUT, -)                                         \
    X(s, STR, owner, "owner", OUT, -, .doc = "who performs it")               \
    X(s, STR, token_name, "token", OUT, -, .column = "token_name",            \
      .doc = "name of who asked for it")                                      \
    X(s, STR, request_id, "request_id", OUT, -)                               \
    X(s, STR, client_request_id, "client_request_id", OUT, -)                 \
    X(s, STR, trace_id, "trace_id", OUT, -)                                   \
    X(s, I64, created_ms, "created_ms", OUT, -)                               \
    X(s, I64, begun_ms, "begun_ms", OUT, -)                                   \
    X(s, I64, finished_ms, "finished_ms", OUT, -)
STRUCT(console_job, CONSOLE_JOB);
LIST_OF(console_job);

#define CONSOLE_JOBS(X, s)                                    \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_job, \
      .doc = "the newest first")                              \
    X(s, STR, next, "next", OUT, -, .doc = "cursor; absent at the end")
STRUCT(console_jobs, CONSOLE_JOBS);

#define CONSOLE_JOB_REF(X, s) X(s, U64, id, "id", IN | PATH, -)
STRUCT(console_job_ref, CONSOLE_JOB_REF);

#define CONSOLE_JOB_WHOLE(X, s)                                            \
    X(s, OBJ, job, "", OUT, console_job)                                   \
    X(s, JSON, args, "args", OUT, -, .doc = "as accepted, secrets masked") \
    X(s, JSON, result, "result", OUT, -)                                   \
    X(s, LIST, done, "done", OUT | KEEP_EMPTY, job_step_row,               \
      .doc = "the steps that have begun")                                  \
    X(s, LIST, parts, "parts", OUT | KEEP_EMPTY, console_job,              \
      .doc = "jobs that this one has made; 1,000 at most")
STRUCT(console_job_whole, CONSOLE_JOB_WHOLE);

/* The SQL: store.c. All of them, those before `before` (0: from the newest). */
enum err
console_store_jobs(struct db *db, struct arena *a,
                   const struct console_jobs_asked *in, uint64_t before,
                   size_t max, struct list_of_console_job *out) MUST_USE;
enum err console_store_job(struct db *db, struct arena *a, uint64_t id,
                           struct console_job *out) MUST_USE;

#endif
