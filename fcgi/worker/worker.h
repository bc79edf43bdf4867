/* A FastCGI worker: its threads. Requests come in from libfcgi (request.h),
 * which alone is known here, and leave as a struct req to api/; who asks is
 * settled before (identity.h: the front end's secret, scopes, tokens). A
 * connection that has nothing to say is parked (park.h) and holds no thread. A
 * request is fast or slow, by its row: slow ones have threads of their own, so
 * that profiles and calls to other hosts hold up nobody. Among the fast ones a
 * row that takes long has a share of the threads (lanes.h). */
#ifndef MG_WORKER_H
#define MG_WORKER_H

#include "request.h"

struct worker;

struct worker_plan {
    int listen_fd;
    size_t threads, slow_threads;
    int64_t heavy_us; /* lanes.h; 0: no row is heavy */
    bool aside; /* of another role: not among the threads /metrics counts */
    struct request_rules rules; /* its texts outlive the worker */
};

/* Starts serving; NULL when memory or threads are wanting (logged). */
struct worker *worker_start(const struct worker_plan *plan);

/* Accepts no more, answers what is under way, and a while longer what comes
 * on kept connections; then ends the threads and frees everything. */
void worker_stop(struct worker *w);

#endif
