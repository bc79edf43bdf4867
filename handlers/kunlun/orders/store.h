/* The room is what machines and shards are told by cluster_mgr, without a job:
 * machines registered and forgotten, instances started and stopped, a primary
 * changed (shards.h).
 *
 * This header: the SQL of orders to machines and instances. What writes does so
 * in the caller's transaction. */
#ifndef ORDERS_STORE_H
#define ORDERS_STORE_H

#include "db.h"
#include "record.h"

struct cluster_want;

/* Of the machine at w->ip, the row of w->machine_type, or that which is for
 * both types; without one: all rows. */

/* Whether it is registered: OK, NOT_FOUND. */
enum err orders_machine(struct db *db, const struct cluster_want *w) MUST_USE;
/* EXISTS. */
enum err
orders_machine_add(struct db *db, const struct cluster_want *w) MUST_USE;
/* NOT_FOUND. */
enum err
orders_machine_set(struct db *db, const struct cluster_want *w) MUST_USE;
/* STATE: it has instances, or places that were given out. OK too when it is not
 * registered. Waits for who is choosing places, so it comes first of all that
 * is read in the transaction. */
enum err
orders_machine_drop(struct db *db, const struct cluster_want *w) MUST_USE;

/* An instance that is kept somewhere, running or not; NOT_FOUND. */
#define ORDERS_INSTANCE(X, s)               \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -) \
    X(s, STR, kind, "kind", COLUMN_ONLY, -)
STRUCT(orders_instance, ORDERS_INSTANCE);
enum err orders_instance(struct db *db, struct arena *a, const char *machine,
                         int32_t port, struct orders_instance *out) MUST_USE;
/* "active", "inactive": of its row, when it is of a cluster. */
enum err orders_instance_status(struct db *db, const char *machine,
                                int32_t port, const char *status) MUST_USE;

#endif
