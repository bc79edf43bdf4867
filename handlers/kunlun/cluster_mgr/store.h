/* The SQL of cluster_mgr's requests. */
#ifndef CLUSTER_STORE_H
#define CLUSTER_STORE_H

#include "db.h"

/* ---- jobs ---- */

/* What get_status tells of a job beside its row: JSON, replaced as a whole. In
 * the caller's transaction. */
enum err
cluster_store_tell(struct db *db, uint64_t job_id, const char *doc) MUST_USE;
/* NOT_FOUND: nothing was told. */
enum err cluster_store_told(struct db *db, struct arena *a, uint64_t job_id,
                            const char **doc) MUST_USE;

/* ---- clusters ---- */

/* The name of the cluster of that name or, without a name, id; NOT_FOUND. */
enum err cluster_store_name(struct db *db, struct arena *a, const char *name,
                            int64_t id, const char **out) MUST_USE;
/* The id of a shard, or computing node, of that name; 0: it has no row. */
enum err
cluster_store_part_id(struct db *db, const char *cluster, const char *name,
                      bool shard, int64_t *out) MUST_USE;

#endif
