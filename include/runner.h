/* Room: loop/ */
/* One background loop: a thread with its own connection to the store that
 * performs a step, idles, and performs it again, with a fresh arena each. */
#ifndef MG_RUNNER_H
#define MG_RUNNER_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "duty.h"

struct runner;

struct runner_task {
    const char *name; /* for the log */
    int64_t every_ms; /* from one step's end to the next one's begin */
    void *ctx;
    /* *memory is the step's own from one to the next, NULL at first. */
    enum turn (*step)(void *ctx, struct db *db, struct arena *a, void **memory);
    /* What becomes of the memory at the end of the thread; may be NULL. */
    void (*forget)(void *memory);
};

/* Starts it; NULL without memory or thread. The task must stay valid. */
struct runner *runner_start(const struct runner_task *task);

/* Ends the idling: the next step begins at once. */
void runner_wake(struct runner *r);

/* Asks it to end after the present step. */
void runner_stop(struct runner *r);

/* Whether its thread has ended. */
bool runner_ended(struct runner *r);

/* Waits for the end and frees it; false when that has not come after
 * timeout_ms (r stays valid). */
bool runner_join(struct runner *r, int64_t timeout_ms) MUST_USE;

/* How long the present step has been going on; 0 between two. */
int64_t runner_busy_ms(struct runner *r);

#endif
