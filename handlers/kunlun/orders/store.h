/* The SQL of jobs about machines. All of it in the caller's transaction. */
#ifndef ORDERS_STORE_H
#define ORDERS_STORE_H

#include "db.h"

struct cluster_want;

/* Whether a machine of that address is registered: OK, NOT_FOUND. */
enum err orders_machine(struct db *db, const char *hostaddr) MUST_USE;
/* EXISTS. */
enum err
orders_machine_add(struct db *db, const struct cluster_want *w) MUST_USE;
/* NOT_FOUND. */
enum err
orders_machine_set(struct db *db, const struct cluster_want *w) MUST_USE;
/* STATE: it has instances. OK too when it is not registered. */
enum err orders_machine_drop(struct db *db, const char *hostaddr) MUST_USE;

#endif
