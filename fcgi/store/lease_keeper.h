/* Keeps a lease while something of unknown length is done under it: a thread
 * with a connection of its own prolongs it. Duties of the cluster do without:
 * `control` prolongs all of its leases in one loop. */
#ifndef MG_LEASE_KEEPER_H
#define MG_LEASE_KEEPER_H

#include <pthread.h>

#include "lease.h"

struct lease_keeper {
    struct lease lease; /* taken by the owner, before the start */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop, lost;
    int64_t renewed_ms; /* monotonic: before the last renewal was sent */
};

/* From now on it is kept. NOMEM: no thread; the lease is given back. */
enum err lease_keeper_start(struct lease_keeper *k, struct db *db) MUST_USE;

/* OK while it is certainly ours; STATE when another has it, or when it could
 * not be prolonged for its whole time. What is written under it begins with
 * lease_hold all the same. */
enum err lease_keeper_holds(struct lease_keeper *k) MUST_USE;

/* Ends the thread and gives the lease back. */
void lease_keeper_stop(struct lease_keeper *k, struct db *db);

#endif
