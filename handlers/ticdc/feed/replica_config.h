/* What v2 of the interface says of a changefeed, and what it is here. */
#ifndef TICDC_REPLICA_CONFIG_H
#define TICDC_REPLICA_CONFIG_H

#include "ticdc/rules/sink_config.h"
#include "ticdc/rules/sink.h"

#define TICDC_FILTER(X, s)                                                \
    X(s, LIST, rules, "rules", IN | OUT | KEEP_EMPTY, STR, .max = 1000)   \
    X(s, LIST, ignore_txn_start_ts, "ignore_txn_start_ts", IN | OUT, U64, \
      .max = 10000)                                                       \
    X(s, JSON, event_filters, "event_filters", IN, -,                     \
      .doc = "refused unless it is empty")
STRUCT(ticdc_filter, TICDC_FILTER);

#define TICDC_MOUNTER(X, s) \
    X(s, I32, worker_num, "worker_num", IN | OUT, -, .min = 0, .max = 1024)
STRUCT(ticdc_mounter, TICDC_MOUNTER);

#define TICDC_REPLICA_CONFIG(X, s)                                           \
    X(s, U64, memory_quota, "memory_quota", IN | OUT, -,                     \
      .doc = "bytes; 0: as [ticdc] says")                                    \
    X(s, BOOL, case_sensitive, "case_sensitive", IN | OUT, -)                \
    X(s, BOOL, force_replicate, "force_replicate", IN | OUT, -)              \
    X(s, BOOL, ignore_ineligible_table, "ignore_ineligible_table", IN | OUT, \
      -)                                                                     \
    X(s, BOOL, initial_snapshot, "initial_snapshot", IN | OUT, -)            \
    X(s, BOOL, check_gc_safe_point, "check_gc_safe_point", IN, -,            \
      .doc = "it is checked always")                                         \
    X(s, BOOL, enable_sync_point, "enable_sync_point", IN, -,                \
      .doc = "true is refused")                                              \
    X(s, BOOL, bdr_mode, "bdr_mode", IN, -, .doc = "true is refused")        \
    X(s, OBJ, filter, "filter", IN | OUT, ticdc_filter)                      \
    X(s, OBJ, mounter, "mounter", IN | OUT, ticdc_mounter)                   \
    X(s, OBJ, sink, "sink", IN | OUT, ticdc_sink_config,                     \
      .doc = "as v1's sink_config; names with - or with _")
STRUCT(ticdc_replica_config, TICDC_REPLICA_CONFIG);

/* rc may be NULL: all defaults. BAD_PARAM with *why for what is not built. */
enum err
ticdc_config_of_v2(const struct ticdc_replica_config *rc,
                   struct ticdc_config *out, struct sink_fault *why) MUST_USE;
/* And as it is shown, every default filled in; NULL without memory. */
struct ticdc_replica_config *
ticdc_config_to_v2(struct arena *a, const struct ticdc_config *c);

#endif
