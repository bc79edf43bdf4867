/* The lock of migrators: a lease that is kept while they work. */
#ifndef MG_MIGRATE_LOCK_H
#define MG_MIGRATE_LOCK_H

#include <stdio.h>

#include "db.h"
#include "store/lease_keeper.h"

struct migrate_lock {
    struct lease_keeper keeper;
    char owner[129];
};

/* Waits for the lease as long as others hold it, saying so on report. Given
 * back by lease_keeper_stop. */
enum err
migrate_lock_take(struct migrate_lock *l, struct db *db, FILE *report) MUST_USE;

#endif
