/* What nodes and tables hold, kept in the store: whoever changes a partition of
 * an AVAILABLE table adds the difference in the same transaction, so that
 * /meta/cluster, /meta/nodes and /meta/apps walk over no partitions. A new
 * leader counts everything once, and again when somebody has changed something
 * without counting (pegasus_cluster_row's `counted`). */
#ifndef PEGASUS_COUNTS_H
#define PEGASUS_COUNTS_H

#include "db.h"
#include "holders.h"
#include "pegasus/core/state.h"
#include "record.h"

/* What a transaction changes of one table. */
struct pg_counts {
    int32_t app_id;
    struct pg_holders held;
    int64_t alike[2][PG_SECONDARIES_MAX + 2]; /* has a primary; members */
};

void pg_counts_init(struct pg_counts *c, struct arena *a, int32_t app_id);

/* A partition was as `before` and is as `after`, of these nodes. */
void
pg_counts_change(struct pg_counts *c, const struct pg_config *before,
                 const struct pg_config *after, const struct pg_node *nodes);

/* ---- store_counts.c: inside a transaction, the table's row locked ---- */

/* Adds them, in the order of their keys: two that wait for each other would be
 * a deadlock. */
enum err pegasus_store_counts(struct db *db, struct pg_counts *c) MUST_USE;

/* A table is there, new or recalled: with what its partitions have. */
enum err pegasus_store_counts_app(struct db *db, int32_t app_id) MUST_USE;

/* It goes, with what its partitions still have. */
enum err pegasus_store_counts_drop(struct db *db, struct arena *a,
                                   int32_t app_id) MUST_USE;

/* All of it anew, after pegasus_store_lock; right for leaders of that epoch. */
enum err pegasus_store_counts_all(struct db *db, struct arena *a,
                                  uint64_t epoch) MUST_USE;

/* ---- read ---- */

/* Replicas per node: as kept, or counted now when what is kept is not right. */
enum err pegasus_store_held(struct db *db, struct arena *a, bool counted,
                            struct pg_holders *out) MUST_USE;

#endif
