/* The cluster and its replica servers: printed, and what servers send. */
#ifndef PEGASUS_NODE_H
#define PEGASUS_NODE_H

#include "record.h"
#include "req.h"

#define PEGASUS_CLUSTER(X, s)                                         \
    X(s, STR, meta_servers, "meta_servers", OUT, -)                   \
    X(s, STR, primary_meta_server, "primary_meta_server", OUT, -)     \
    X(s, STR, zookeeper_hosts, "zookeeper_hosts", OUT, -)             \
    X(s, STR, zookeeper_root, "zookeeper_root", OUT, -)               \
    X(s, STR, level, "meta_function_level", OUT, -)                   \
    X(s, STR, operations, "balance_operation_count", OUT, -)          \
    X(s, STR, primary_stddev, "primary_replica_count_stddev", OUT, -) \
    X(s, STR, total_stddev, "total_replica_count_stddev", OUT, -)
STRUCT(pegasus_cluster, PEGASUS_CLUSTER);

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

#endif
