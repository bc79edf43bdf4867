/* The jobs that a daemon performs: a pool for the kinds of one queue that
 * dialects bring. */
#ifndef MG_COMMAND_JOBS_H
#define MG_COMMAND_JOBS_H

#include "base.h"
#include "lease.h"

struct job_kind;
struct job_pool;

struct jobs {
    char owner[LEASE_OWNER_BYTES];
    const struct job_kind **kinds; /* of all queues; NULL ends */
    struct job_pool *pool;         /* NULL: no kind is of this queue */
};

/* Begins to perform them. `name` is the daemon's, ctx is for the steps; queue
 * and machine stay the caller's. Without a kind of that queue there is nothing
 * to perform: OK. NOMEM without memory or threads. */
enum err jobs_start(struct jobs *j, const char *name, const char *queue,
                    const char *machine, unsigned threads, void *ctx) MUST_USE;

/* Somebody has committed work. */
void jobs_wake(struct jobs *j);

/* Takes nothing new and waits for the steps under way; false when one goes on
 * after timeout_ms: then nothing may be freed that it uses, and the process may
 * exit all the same. */
bool jobs_stop(struct jobs *j, int64_t timeout_ms) MUST_USE;

#endif
