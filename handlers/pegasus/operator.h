/* What operators ask of the leader. */
#ifndef PEGASUS_OPERATOR_H
#define PEGASUS_OPERATOR_H

#include "record.h"
#include "req.h"

#define PEGASUS_DDD_REF(X, s)                  \
    X(s, STR, app_id, "app_id", IN | QUERY, -, \
      .doc = "one table's only; -1: all")
STRUCT(pegasus_ddd_ref, PEGASUS_DDD_REF);

/* Partitions that no rule can give a primary, and what their last members
 * have said. */
#define PEGASUS_DDD_LINE(X, s)                    \
    X(s, STR, gpid, "gpid", OUT, -)               \
    X(s, STR, app_name, "app_name", OUT, -)       \
    X(s, I64, ballot, "ballot", OUT, -)           \
    X(s, STR, secondaries, "secondaries", OUT, -) \
    X(s, STR, last_drops, "last_drops", OUT, -)   \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -)   \
    X(s, I32, pidx, "pidx", COLUMN_ONLY, -)
STRUCT(pegasus_ddd_line, PEGASUS_DDD_LINE);

#define PEGASUS_DDD(X, s)                                                    \
    X(s, LIST, partitions, "partitions", OUT | KEEP_EMPTY, pegasus_ddd_line, \
      .keyed_by = "gpid")                                                    \
    X(s, STR, count, "total_count", OUT, -)
STRUCT(pegasus_ddd, PEGASUS_DDD);

#define PEGASUS_SET_LEVEL(X, s)      \
    X(s, STR, level, "level", IN, -, \
      .doc = "stopped, blind, freezed, steady or lively")
STRUCT(pegasus_set_level, PEGASUS_SET_LEVEL);

#define PEGASUS_BALANCE(X, s)                                                \
    X(s, STR, gpid, "gpid", IN, -, .doc = "\"2.0\": table id and partition") \
    X(s, STR, type, "type", IN, -, .doc = "move_pri, copy_pri or copy_sec")  \
    X(s, STR, from, "from", IN, -)                                           \
    X(s, STR, to, "to", IN, -)
STRUCT(pegasus_balance, PEGASUS_BALANCE);

#define PEGASUS_PROPOSE(X, s)                                                  \
    X(s, STR, gpid, "gpid", IN, -)                                             \
    X(s, STR, type, "type", IN, -, .doc = "ASSIGN_PRIMARY, ADD_SECONDARY ...") \
    X(s, STR, target, "target", IN, -, .doc = "the primary that is told")      \
    X(s, STR, node, "node", IN, -)                                             \
    X(s, BOOL, force, "force", IN, -, .doc = "do not wait for the tick")
STRUCT(pegasus_propose, PEGASUS_PROPOSE);

#endif
