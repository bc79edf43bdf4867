/* Leases: rows that say who may do a duty now, on the database's clock. The
 * epoch grows with every taker; it is the fencing token that each write under
 * the lease, and each call to a machine, carries. */
#ifndef MG_LEASE_H
#define MG_LEASE_H

#include "base.h"
#include "db.h"

struct lease {
    const char *name;  /* "schema.migrate": at most 64 characters */
    const char *owner; /* who it is, for people: at most 128 characters */
    int64_t ttl_ms;    /* 10 s or more, DESIGN section 5 */
    uint64_t epoch;    /* set by lease_take */
};

/* Takes it when it is free or has expired: BUSY when another has it. */
enum err lease_take(struct db *db, struct lease *l) MUST_USE;

/* Prolongs it from now on: STATE when another has taken it. */
enum err lease_renew(struct db *db, const struct lease *l) MUST_USE;

/* Inside a transaction: nobody can take the lease before its end; STATE when
 * somebody has. First statement of every transaction under the lease. */
enum err lease_hold(struct db *db, const struct lease *l) MUST_USE;

/* Gives it back; another takes it at once. */
enum err lease_release(struct db *db, const struct lease *l) MUST_USE;

#endif
