/* Changefeeds as v2 of the interface shows them, and what else `cdc cli` asks
 * of it. */
#ifndef TICDC_V2_H
#define TICDC_V2_H

#include "change.h"
#include "show.h"

#define TICDC_V2_REF(X, s)                                                \
    X(s, STR, state, "state", IN | QUERY, -,                              \
      .doc = "all, normal, warning, pending, stopped, failed, finished; " \
             "absent: all but those that are finished")                   \
    X(s, STR, namespace, "namespace", IN | QUERY, -)
STRUCT(ticdc_v2_ref, TICDC_V2_REF);

#define TICDC_V2_FEEDS(X, s)          \
    X(s, I64, total, "total", OUT, -) \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, ticdc_feed_item)
STRUCT(ticdc_v2_feeds, TICDC_V2_FEEDS);

#define TICDC_V2_FEED(X, s)                                                \
    X(s, U64, upstream_id, "upstream_id", OUT, -)                          \
    X(s, STR, namespace, "namespace", OUT, -)                              \
    X(s, STR, id, "id", OUT, -)                                            \
    X(s, STR, sink_uri, "sink_uri", OUT, -)                                \
    X(s, STR, create_time, "create_time", OUT, -)                          \
    X(s, U64, start_ts, "start_ts", OUT, -)                                \
    X(s, U64, target_ts, "target_ts", OUT, -)                              \
    X(s, OBJ, config, "config", OUT, ticdc_replica_config)                 \
    X(s, STR, timezone, "timezone", OUT, -, .doc = "absent: the server's") \
    X(s, STR, state, "state", OUT, -)                                      \
    X(s, OBJ, error, "error", OUT | NULL_WHEN_ABSENT, ticdc_error)         \
    X(s, STR, creator_version, "creator_version", OUT, -)                  \
    X(s, U64, resolved_ts, "resolved_ts", OUT, -)                          \
    X(s, U64, checkpoint_ts, "checkpoint_ts", OUT, -)                      \
    X(s, STR, checkpoint_time, "checkpoint_time", OUT, -)                  \
    X(s, LIST, task_status, "task_status", OUT | KEEP_EMPTY, ticdc_task_status)
STRUCT(ticdc_v2_feed, TICDC_V2_FEED);

#define TICDC_EMPTY(X, s) X(s, I32, nothing, "nothing", OUT, -)
STRUCT(ticdc_empty, TICDC_EMPTY);

#define TICDC_TSO(X, s)                            \
    X(s, I64, timestamp, "timestamp", OUT, -,      \
      .doc = "milliseconds by the source's clock") \
    X(s, I64, logic_time, "logic_time", OUT, -)
STRUCT(ticdc_tso, TICDC_TSO);

#define TICDC_VERIFY_CONFIG(X, s)                       \
    X(s, BOOL, case_sensitive, "case_sensitive", IN, -) \
    X(s, OBJ, filter, "filter", IN, ticdc_filter)
STRUCT(ticdc_verify_config, TICDC_VERIFY_CONFIG);
#define TICDC_VERIFY(X, s)                                               \
    X(s, OBJ, replica_config, "replica_config", IN, ticdc_verify_config) \
    X(s, U64, start_ts, "start_ts", IN, -,                               \
      .doc = "tables are those of now, whatever it says")
STRUCT(ticdc_verify, TICDC_VERIFY);
#define TICDC_VERIFIED_TABLE(X, s)                    \
    X(s, STR, database_name, "database_name", OUT, -) \
    X(s, STR, table_name, "table_name", OUT, -)       \
    X(s, I64, table_id, "table_id", OUT, -,           \
      .doc = "0: no changefeed has seen it yet")      \
    X(s, BOOL, is_partition, "is_partition", OUT, -)
STRUCT(ticdc_verified_table, TICDC_VERIFIED_TABLE);
#define TICDC_VERIFIED(X, s)                                      \
    X(s, LIST, ineligible, "ineligible_tables", OUT | KEEP_EMPTY, \
      ticdc_verified_table)                                       \
    X(s, LIST, eligible, "eligible_tables", OUT | KEEP_EMPTY,     \
      ticdc_verified_table)
STRUCT(ticdc_verified, TICDC_VERIFIED);

/* ids of tables by name: ticdc_table_id. */
#define TICDC_TABLE_ID(X, s)                              \
    X(s, STR, schema_name, "schema_name", COLUMN_ONLY, -) \
    X(s, STR, table_name, "table_name", COLUMN_ONLY, -)   \
    X(s, I64, table_id, "table_id", COLUMN_ONLY, -)
STRUCT(ticdc_table_id, TICDC_TABLE_ID);
LIST_OF(ticdc_table_id);
/* The newest id of each name, by name. */
enum err ticdc_table_ids(struct db *db, struct arena *a,
                         struct list_of_ticdc_table_id *out) MUST_USE;

#endif
