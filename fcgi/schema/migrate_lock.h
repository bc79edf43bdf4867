/* The lock of migrators: a lease that a thread keeps alive. */
#ifndef MG_MIGRATE_LOCK_H
#define MG_MIGRATE_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "db.h"
#include "lease.h"

struct migrate_lock {
    struct lease lease;
    char owner[129];
    pthread_t keeper;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop;
    atomic_bool lost; /* another has it: stop at once */
};

/* Waits for the lease as long as others hold it, saying so on report. */
enum err
migrate_lock_take(struct migrate_lock *l, struct db *db, FILE *report) MUST_USE;
void migrate_lock_release(struct migrate_lock *l, struct db *db);

#endif
