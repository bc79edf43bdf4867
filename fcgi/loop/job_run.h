/* One call of a step: what job_run hides. */
#ifndef MG_JOB_RUN_H
#define MG_JOB_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "job.h"

#define JOB_TEXT_BYTES     2000 /* of a sentence: as many characters fit */
#define JOB_PROGRESS_BYTES 512

/* A job that a thread performs now, seen by the thread that prolongs leases. */
struct job_hand {
    pthread_mutex_t mutex;
    uint64_t id, epoch; /* id 0: nothing is performed */
    int64_t renewed_ms; /* monotonic, before the last renewal was sent */
    bool lost;
    atomic_bool cancel;
    const atomic_bool *stopping;
};

struct job_private {
    struct job_hand *hand;
    const char *uid;
    int64_t retry_ms;
    int64_t progress_ms; /* monotonic: when it was written last */
    bool waits, fails, undoing, wakes;
    bool lost; /* the step was told that the job is somebody else's */
    char progress[JOB_PROGRESS_BYTES];
    char error[JOB_TEXT_BYTES];
    const char *result;
};

/* What the job's work is known by; its calls are few, and all are told to be
 * kept. */
static inline struct trace
job_trace(const struct job *j)
{
    return (struct trace){ .request = or_empty(j->request_id),
                           .client = j->client_request_id,
                           .id = j->trace_id,
                           .sampled = !str_empty(j->trace_id) };
}

/* Whether the lease certainly still runs. */
bool job_hand_holds(struct job_hand *h);

#endif
