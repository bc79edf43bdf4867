/* Replica servers: printed, what they send, and what is stored of them. */
#ifndef PEGASUS_NODE_H
#define PEGASUS_NODE_H

#include "db.h"
#include "record.h"
#include "req.h"

#include "holders.h"

#define PEGASUS_NODE_LINE(X, s)                       \
    X(s, STR, address, "address", OUT, -)             \
    X(s, STR, status, "status", OUT, -)               \
    X(s, I64, replica_count, "replica_count", OUT, -) \
    X(s, I64, primary_count, "primary_count", OUT, -) \
    X(s, I64, secondary_count, "secondary_count", OUT, -)
STRUCT(pegasus_node_line, PEGASUS_NODE_LINE);

#define PEGASUS_NODES_SUMMARY(X, s)              \
    X(s, I64, total, "total_node_count", OUT, -) \
    X(s, I64, alive, "alive_node_count", OUT, -) \
    X(s, I64, unalive, "unalive_node_count", OUT, -)
STRUCT(pegasus_nodes_summary, PEGASUS_NODES_SUMMARY);

#define PEGASUS_NODES(X, s)                                             \
    X(s, LIST, details, "details", OUT | KEEP_EMPTY, pegasus_node_line, \
      .keyed_by = "address")                                            \
    X(s, OBJ, summary, "summary", OUT, pegasus_nodes_summary)
STRUCT(pegasus_nodes, PEGASUS_NODES);

#define PEGASUS_BEACON(X, s)                                  \
    X(s, STR, address, "address", IN, -,                      \
      .doc = "host:port of the replica server")               \
    X(s, I64, start_time, "start_time", IN | EMPTY_ABSENT, -, \
      .doc = "of its process, unix ms")
STRUCT(pegasus_beacon, PEGASUS_BEACON);

#define PEGASUS_REPORT(X, s)                 \
    X(s, STR, gpid, "gpid", IN, -)           \
    X(s, I64, ballot, "ballot", IN, -)       \
    X(s, I64, committed, "committed", IN, -) \
    X(s, I64, prepared, "prepared", IN, -)   \
    X(s, STR, disk_tag, "disk_tag", IN, -)   \
    X(s, STR, status, "status", IN, -)
STRUCT(pegasus_report, PEGASUS_REPORT);

#define PEGASUS_SYNC(X, s)               \
    X(s, STR, address, "address", IN, -) \
    X(s, LIST, replicas, "replicas", IN, pegasus_report)
STRUCT(pegasus_sync, PEGASUS_SYNC);

#define PEGASUS_UPDATE(X, s)                          \
    X(s, STR, gpid, "gpid", IN, -)                    \
    X(s, STR, type, "type", IN, -)                    \
    X(s, STR, node, "node", IN, -)                    \
    X(s, I64, ballot, "ballot", IN | EMPTY_ABSENT, -, \
      .doc = "the one to be reached")
STRUCT(pegasus_update, PEGASUS_UPDATE);

#define PEGASUS_HELD(X, s)                  \
    X(s, STR, gpid, "gpid", OUT, -)         \
    X(s, STR, app_name, "app_name", OUT, -) \
    X(s, STR, role, "role", OUT, -)         \
    X(s, I64, ballot, "ballot", OUT, -)
STRUCT(pegasus_held, PEGASUS_HELD);

#define PEGASUS_REPLICA_INFO(X, s)                                   \
    X(s, STR, address, "address", OUT, -)                            \
    X(s, STR, status, "status", OUT, -)                              \
    X(s, STR, beacon_age, "last_beacon_age_ms", OUT, -)              \
    X(s, ROWS, replicas, "replicas", OUT | KEEP_EMPTY, pegasus_held, \
      .keyed_by = "gpid")
STRUCT(pegasus_replica_info, PEGASUS_REPLICA_INFO);

/* cluster_root of the configuration, or its default; NULL without memory. */
const char *pegasus_cluster_root(struct arena *a);

/* ---- store_node.c ---- */

#define PEGASUS_NODE(X, s)                                      \
    X(s, STR, address, "address", COLUMN_ONLY, -)               \
    X(s, BOOL, alive, "alive", COLUMN_ONLY, -)                  \
    X(s, BOOL, managed, "managed", COLUMN_ONLY, -)              \
    X(s, BOOL, collected, "collected", COLUMN_ONLY, -)          \
    X(s, I64, start_ms, "start_ms", COLUMN_ONLY, -)             \
    X(s, I64, last_beacon_ms, "last_beacon_ms", COLUMN_ONLY, -) \
    X(s, I32, unstable, "unstable", COLUMN_ONLY, -)
STRUCT(pegasus_node, PEGASUS_NODE);
LIST_OF(pegasus_node); /* by address, byte order */
enum err pegasus_store_nodes(struct db *db, struct arena *a,
                             struct list_of_pegasus_node *out) MUST_USE;

/* How often each pair of primary and secondaries occurs in AVAILABLE tables. */
/* A beacon of a replica server of ours; of a foreign one, with its own start
 * time. */
enum err
pegasus_store_beacon_managed(struct db *db, const char *address) MUST_USE;
enum err pegasus_store_beacon(struct db *db, const char *address,
                              int64_t start_ms) MUST_USE;
/* It has reported its replicas; NOT_FOUND. */
enum err pegasus_store_collected(struct db *db, const char *address) MUST_USE;
/* *n: how many there were. */
enum err pegasus_store_report_clear(struct db *db, const char *address,
                                    uint64_t *n) MUST_USE;
enum err
pegasus_store_report(struct db *db, const char *address, int32_t app_id,
                     int32_t pidx, const struct pegasus_report *rep) MUST_USE;

/* ---- node.c ---- */

/* As pegasus_store_nodes, in order of pg_address_compare. */
enum err
pegasus_nodes_sorted(struct req *r, struct list_of_pegasus_node *out) MUST_USE;

#endif
