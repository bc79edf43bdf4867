/* What a computing node is told of its cluster's shards: one foreign server
 * for each, named as the shard, that leads to its primary, and a mapping of the
 * node's accounts to the account of clients there.
 *
 * The tables of a computing node are foreign tables on these servers. What
 * mysql_fdw cannot do, they cannot: a transaction does not cover several rows
 * or shards, and partitioned parents are not written through. */
#ifndef KUNLUN_COMPUTER_H
#define KUNLUN_COMPUTER_H

#include "arena.h"
#include "instance.h"

/* All below: of the computing instance `comp`, at most timeout_ms; why is a
 * sentence without secrets. They may be called again. */

/* The server `shard` leads to that primary from now on: made, or changed in one
 * transaction, so that no session sees half of it. epoch: of the shard, which
 * the node keeps; STATE: it was told of a later one. */
enum err
computer_point(struct arena *a, const struct instance_spec *comp,
               const char *shard, const struct instance_spec *primary,
               uint64_t epoch, int timeout_ms, char why[WHY_BYTES]) MUST_USE;

/* Removes it. STATE while tables of clients are on it, unless `force`: then
 * they go with it. OK when there is none. */
enum err computer_forget(struct arena *a, const struct instance_spec *comp,
                         const char *shard, bool force, int timeout_ms,
                         char why[WHY_BYTES]) MUST_USE;

/* Whether a client of the node reads through that server the row of the probe
 * (below) with this value. NOT_FOUND: another row, or none. */
enum err computer_reads(struct arena *a, const struct instance_spec *comp,
                        const char *shard, int64_t value, int timeout_ms,
                        char why[WHY_BYTES]) MUST_USE;

/* A word for the schema that clients have made in it, of which that of another
 * moment differs when something of it was made, changed or removed in between:
 * by the versions of the rows that say what there is. Not of it is what we make
 * ourselves. In a. TIMEOUT: a client has changed a relation and not committed.
 */
enum err computer_schema_state(struct arena *a,
                               const struct instance_spec *comp, int timeout_ms,
                               const char **out, char why[WHY_BYTES]) MUST_USE;

/* The probe: a row that the shard's primary has acknowledged to a client, in a
 * database of its own. */
enum err
probe_write(struct arena *a, const struct instance_spec *primary, int64_t value,
            int timeout_ms, char why[WHY_BYTES]) MUST_USE;
/* Whether that member has it: OK, NOT_FOUND. */
enum err
probe_seen(struct arena *a, const struct instance_spec *member, int64_t value,
           int timeout_ms, char why[WHY_BYTES]) MUST_USE;
/* Removes it from the primary, and what the computing node made for it. */
enum err probe_remove(struct arena *a, const struct instance_spec *primary,
                      int timeout_ms, char why[WHY_BYTES]) MUST_USE;
enum err
probe_remove_computer(struct arena *a, const struct instance_spec *comp,
                      int timeout_ms, char why[WHY_BYTES]) MUST_USE;

#endif
