/* The leader: its loop, and what it reads and stores; its changes of
 * configurations are compared by ballot and fenced by its lease. What it
 * remembers meanwhile: leader_state.h. And the beacons of a machine's replica
 * server, by which leaders know that it lives. */
#ifndef PEGASUS_LEADER_H
#define PEGASUS_LEADER_H

#include "db.h"
#include "duty.h"
#include "pegasus/core/state.h"
#include "record.h"

/* ---- loops ---- */

enum turn pegasus_lead(struct duty_run *run);
void pegasus_lead_end(void *memory);

int64_t pegasus_beacon_every_ms(void);
enum turn pegasus_beacon_send(struct upkeep_run *run);

/* ---- the leader's SQL: store_leader.c ---- */

#define PEGASUS_APP_STATE(X, s)                 \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -) \
    X(s, STR, status, "status", COLUMN_ONLY, -) \
    X(s, I32, partition_count, "partition_count", COLUMN_ONLY, -)
STRUCT(pegasus_app_state, PEGASUS_APP_STATE);
LIST_OF(pegasus_app_state);
/* Tables changed after that version; and all their partitions, streamed. */
enum err pegasus_store_changed(struct db *db, struct arena *a, int64_t version,
                               struct list_of_pegasus_app_state *out) MUST_USE;
enum err
pegasus_store_changed_partitions(struct db *db, struct arena *a,
                                 int64_t version, struct rows *out) MUST_USE;

/* What replica servers have reported of their replicas, streamed. */
#define PEGASUS_REPLICA(X, s)                         \
    X(s, STR, node, "node", COLUMN_ONLY, -)           \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -)       \
    X(s, I32, pidx, "pidx", COLUMN_ONLY, -)           \
    X(s, I64, ballot, "ballot", COLUMN_ONLY, -)       \
    X(s, I64, committed, "committed", COLUMN_ONLY, -) \
    X(s, I64, prepared, "prepared", COLUMN_ONLY, -)   \
    X(s, STR, disk_tag, "disk_tag", COLUMN_ONLY, -)
STRUCT(pegasus_replica, PEGASUS_REPLICA);
enum err pegasus_store_replicas(struct db *db, struct arena *a,
                                struct rows *out) MUST_USE;

/* What the detector has decided of a node. */
enum err
pegasus_store_node_state(struct db *db, const struct pg_node *n) MUST_USE;
enum err
pegasus_store_counters(struct db *db, const struct pg_counters *c) MUST_USE;
/* This leader has loaded everything; the level is stored when it was not. */
enum err pegasus_store_ready(struct db *db, uint64_t epoch) MUST_USE;
/* Partitions and reports of tables past their recall, one batch; *n: rows. */
enum err pegasus_store_purge(struct db *db, uint64_t *n) MUST_USE;

#endif
