/* What meta and replica servers have in common: version, start, help,
 * metrics. */
#ifndef PEGASUS_SERVER_H
#define PEGASUS_SERVER_H

#include "record.h"
#include "req.h"

#define PEGASUS_VERSION_(X, s)            \
    X(s, STR, version, "Version", OUT, -) \
    X(s, STR, commit, "GitCommit", OUT, -)
STRUCT(pegasus_version, PEGASUS_VERSION_);

#define PEGASUS_START(X, s) X(s, STR, start, "RecentStartTime", OUT, -)
STRUCT(pegasus_start, PEGASUS_START);

/* An object with names of its own: help, envs. */
#define PEGASUS_TEXTS(X, s) X(s, MAP, pairs, "", OUT, STR)
STRUCT(pegasus_texts, PEGASUS_TEXTS);

#define PEGASUS_METRICS_REF(X, s)                                      \
    X(s, STR, fields, "with_metric_fields", IN | QUERY, -,             \
      .doc = "name, type, unit, desc, value")                          \
    X(s, STR, types, "types", IN | QUERY, -, .doc = "server, table")   \
    X(s, STR, ids, "ids", IN | QUERY, -, .doc = "server, table_2")     \
    X(s, STR, attributes, "attributes", IN | QUERY, -,                 \
      .doc = "table_id,2: one of the pairs")                           \
    X(s, STR, metrics, "metrics", IN | QUERY, -, .doc = "their names") \
    X(s, STR, detail, "detail", IN | QUERY, -,                         \
      .doc = "true: all fields; default name and value")
STRUCT(pegasus_metrics_ref, PEGASUS_METRICS_REF);

#endif
