/* The threads of a FastCGI worker. */
#ifndef MG_WORKER_H
#define MG_WORKER_H

#include "request.h"

struct worker;

struct worker_plan {
    int listen_fd;
    size_t threads, slow_threads;
    bool aside; /* of another role: not among the threads /metrics counts */
    struct request_rules rules; /* its texts outlive the worker */
};

/* Starts serving; NULL when memory or threads are wanting (logged). */
struct worker *worker_start(const struct worker_plan *plan);

/* Accepts no more, answers what is under way, and a while longer what comes
 * on kept connections; then ends the threads and frees everything. */
void worker_stop(struct worker *w);

#endif
