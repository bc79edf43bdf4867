/* The SQL of what goes on by itself. */
#ifndef CLUSTER_STORE_UPKEEP_H
#define CLUSTER_STORE_UPKEEP_H

#include "db.h"
#include "record.h"

#define CLUSTER_META_SERVERS 16
struct cluster_meta_server {
    char host[256];
    unsigned port;     /* 0: it has its socket alone */
    const char *state; /* "source", "replica"; NULL: it does not answer */
};

/* These and no others from now on; nothing is written when that is so. In the
 * caller's transaction. */
enum err cluster_store_meta_servers(struct db *db, struct arena *a,
                                    const struct cluster_meta_server *v,
                                    size_t n, const char *user) MUST_USE;

/* The built-in place for backups, when there is no other. In the caller's
 * transaction. */
enum err cluster_store_first_storage(struct db *db) MUST_USE;

/* node_stats and used_port of all machines, as XPanel 1.x reads them. In the
 * caller's transaction. */
enum err cluster_store_machine_states(struct db *db) MUST_USE;

/* cluster_mgr_nodes, by which XPanel 1.x fails over: the cluster_mgr of this
 * host is at that address alone, and is the source from now on; those of other
 * hosts stay, as replicas. In the caller's transaction. */
enum err
cluster_store_manager(struct db *db, const char *host, unsigned port) MUST_USE;

/* The shards that there are: when the newest backup was finished of the one
 * that has waited longest for one (0: none has a backup), how many have none.
 */
#define CLUSTER_BACKUPS(X, s)                         \
    X(s, I64, oldest_ms, "oldest_ms", COLUMN_ONLY, -) \
    X(s, I64, none, "none", COLUMN_ONLY, -)
STRUCT(cluster_backups, CLUSTER_BACKUPS);
enum err cluster_store_backups(struct db *db, struct arena *a,
                               struct cluster_backups *out) MUST_USE;

/* A machine is there now; nothing is written of one that is not registered. */
enum err cluster_store_beat(struct db *db, const char *machine) MUST_USE;

#endif
