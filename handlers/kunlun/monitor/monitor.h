/* What watches over servers. A row of kunlun_watcher says which program is to
 * run on which machine and port: Prometheus on one of them, a node exporter on
 * each, an exporter for each instance that was asked for. The machine's
 * supervise keeps them (watch_over.c); jobs of cluster_mgr make the rows
 * (exporters.c). Prometheus finds whom to ask in files that are written anew
 * when rows change. */
#ifndef KUNLUN_MONITOR_H
#define KUNLUN_MONITOR_H

#include "db.h"
#include "duty.h"
#include "record.h"

#define WATCHER_PROMETHEUS "prometheus"
#define WATCHER_NODE       "node"
#define WATCHER_POSTGRES   "postgres"
#define WATCHER_MYSQL      "mysql"

#define WATCHER_WANTED  "wanted"
#define WATCHER_RUNNING "running"
#define WATCHER_FAILED  "failed"

#define WATCHER(X, s)                             \
    X(s, STR, machine, "machine", COLUMN_ONLY, -) \
    X(s, I32, port, "port", COLUMN_ONLY, -)       \
    X(s, STR, kind, "kind", COLUMN_ONLY, -)       \
    X(s, I32, target, "target", COLUMN_ONLY, -)   \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -)       \
    X(s, STR, state, "state", COLUMN_ONLY, -)     \
    X(s, STR, why, "why", COLUMN_ONLY, -)         \
    X(s, STR, cluster, "cluster", COLUMN_ONLY, -) \
    X(s, STR, shard, "shard", COLUMN_ONLY, -)
STRUCT(watcher, WATCHER);
LIST_OF(watcher);

/* Of a machine, or of all (NULL), in order of machine and port; cluster and
 * shard are those of its instance. */
enum err watcher_list(struct db *db, struct arena *a, const char *machine,
                      struct list_of_watcher *out) MUST_USE;
/* What the machine has to tell of one. */
enum err watcher_tell(struct db *db, const struct watcher *w, const char *state,
                      const char *why) MUST_USE;
/* The rest is part of the caller's transaction. */

/* It is to run, and to be looked at anew; on the port that it has or, of one
 * that is new, on the first of `n` from `first` on that is free there. LIMIT:
 * none is. */
enum err watcher_want(struct db *db, struct arena *a, const char *machine,
                      const char *kind, int32_t target, const char *uuid,
                      int32_t first, int32_t n) MUST_USE;
/* Prometheus is nowhere else than there, node exporters on no other port. */
enum err watcher_move(struct db *db, const char *machine, int32_t port,
                      int32_t node_port) MUST_USE;
enum err watcher_drop(struct db *db, const char *machine, const char *kind,
                      int32_t target) MUST_USE;
/* The machines that a node exporter belongs on. */
#define WATCHED_MACHINE(X, s) X(s, STR, address, "hostaddr", COLUMN_ONLY, -)
STRUCT(watched_machine, WATCHED_MACHINE);
LIST_OF(watched_machine);
enum err watcher_machines(struct db *db, struct arena *a,
                          struct list_of_watched_machine *out) MUST_USE;

/* The upkeep cluster.watchers. */
int64_t watch_over_every_ms(void);
enum turn watch_over(struct upkeep_run *run);
void watch_over_forget(void *memory);

#endif
