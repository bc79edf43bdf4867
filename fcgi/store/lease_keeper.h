/* Keeps a lease while something of unknown length is done under it: a thread
 * with a connection of its own prolongs it. Duties of the cluster do without,
 * but for those with a short lease: `control` prolongs all others in one loop,
 * where a row that somebody has locked holds up those behind it. */
#ifndef MG_LEASE_KEEPER_H
#define MG_LEASE_KEEPER_H

#include <pthread.h>

#include "lease.h"

struct lease_keeper {
    struct lease lease; /* taken by the owner, before the start */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop;
    struct lease_time time; /* of the lease, once it is kept */
};

/* From now on it is kept, since asked_ms, when it was asked for (monotonic).
 * NOMEM: no thread; the lease is given back. */
enum err lease_keeper_start(struct lease_keeper *k, struct db *db,
                            int64_t asked_ms) MUST_USE;

/* OK while it is certainly ours; STATE when another has it, or when it could
 * not be prolonged for its whole time. What is written under it begins with
 * lease_hold all the same. */
enum err lease_keeper_holds(const struct lease_keeper *k) MUST_USE;

/* Ends the thread and gives the lease back: it is held no more. */
void lease_keeper_stop(struct lease_keeper *k, struct db *db);

#endif
