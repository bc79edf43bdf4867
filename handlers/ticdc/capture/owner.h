/* The owner's turn: it reads what is stored and reported of each changefeed,
 * decides by core/schedule.h and core/health.h, and stores that, each time in a
 * transaction that holds its lease. Nothing is kept from turn to turn but what
 * spares work, so that the next owner goes on from the same rows. */
#ifndef TICDC_OWNER_H
#define TICDC_OWNER_H

#include "ticdc/store/rows.h"

struct owner;

/* capture_id: whose. NULL without memory. */
struct owner *owner_new(const char *capture_id);
void owner_free(struct owner *o);

/* At once when the lease was taken. */
enum err
owner_begin(struct owner *o, struct db *db, const struct lease *l) MUST_USE;

/* STATE: the lease is lost, or it is to be given back (*resign). */
enum err owner_turn(struct owner *o, struct db *db, struct arena *a,
                    const struct lease *l, bool *resign) MUST_USE;

#endif
