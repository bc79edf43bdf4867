/* Changefeeds as v1 shows them. */
#ifndef TICDC_SHOW_H
#define TICDC_SHOW_H

#include "ticdc/ticdc.h"

#define TICDC_FEEDS_REF(X, s)                                             \
    X(s, STR, state, "state", IN | QUERY, -,                              \
      .doc = "all, normal, stopped, error, failed, finished, warning or " \
             "pending; absent: all but those that are finished")
STRUCT(ticdc_feeds_ref, TICDC_FEEDS_REF);

#define TICDC_ERROR(X, s)                       \
    X(s, STR, time, "time", OUT, -)             \
    X(s, STR, addr, "addr", OUT, -)             \
    X(s, STR, code, "code", OUT, -)             \
    X(s, STR, message, "message", OUT, -)       \
    X(s, STR, next_retry, "next_retry", OUT, -, \
      .doc = "when it is tried again; absent: not by itself")
STRUCT(ticdc_error, TICDC_ERROR);

#define TICDC_FEED_ITEM(X, s)                             \
    X(s, U64, upstream_id, "upstream_id", OUT, -)         \
    X(s, STR, namespace, "namespace", OUT, -)             \
    X(s, STR, id, "id", OUT, -)                           \
    X(s, STR, state, "state", OUT, -)                     \
    X(s, U64, checkpoint_tso, "checkpoint_tso", OUT, -)   \
    X(s, STR, checkpoint_time, "checkpoint_time", OUT, -) \
    X(s, OBJ, error, "error", OUT | NULL_WHEN_ABSENT, ticdc_error)
STRUCT(ticdc_feed_item, TICDC_FEED_ITEM);
#define TICDC_FEEDS(X, s) X(s, LIST, v, "", OUT | KEEP_EMPTY, ticdc_feed_item)
STRUCT(ticdc_feeds, TICDC_FEEDS);

#define TICDC_TASK_STATUS(X, s)                               \
    X(s, STR, capture_id, "capture_id", OUT, -)               \
    X(s, LIST, table_ids, "table_ids", OUT | KEEP_EMPTY, I64) \
    X(s, MAP, table_operations, "table_operations", OUT | KEEP_EMPTY, STR)
STRUCT(ticdc_task_status, TICDC_TASK_STATUS);

#define TICDC_DETAIL(X, s)                                               \
    X(s, U64, upstream_id, "upstream_id", OUT, -)                        \
    X(s, STR, namespace, "namespace", OUT, -)                            \
    X(s, STR, id, "id", OUT, -)                                          \
    X(s, STR, sink_uri, "sink_uri", OUT, -)                              \
    X(s, STR, create_time, "create_time", OUT, -)                        \
    X(s, U64, start_ts, "start_ts", OUT, -)                              \
    X(s, U64, target_ts, "target_ts", OUT, -)                            \
    X(s, U64, resolved_ts, "resolved_ts", OUT, -)                        \
    X(s, U64, checkpoint_tso, "checkpoint_tso", OUT, -)                  \
    X(s, STR, checkpoint_time, "checkpoint_time", OUT, -)                \
    X(s, STR, sort_engine, "sort_engine", OUT, -)                        \
    X(s, STR, state, "state", OUT, -)                                    \
    X(s, OBJ, error, "error", OUT | NULL_WHEN_ABSENT, ticdc_error)       \
    X(s, LIST, error_history, "error_history", OUT | NULL_WHEN_ABSENT,   \
      ticdc_error, .doc = "attempts that have failed, the newest first") \
    X(s, STR, creator_version, "creator_version", OUT, -)                \
    X(s, LIST, task_status, "task_status", OUT | KEEP_EMPTY, ticdc_task_status)
STRUCT(ticdc_detail, TICDC_DETAIL);

/* What is shown of its error while its state is one that has one; NULL. */
enum err ticdc_error_of(struct arena *a, const struct ticdc_feed *f,
                        struct ticdc_error **out) MUST_USE;
/* Lines of the list: of changefeeds in that state (NULL: as v1 lists them when
 * none is asked for) and namespace (NULL or "": of all), in the arena of r;
 * is_v2: with states as they are stored. */
enum err
ticdc_items(struct req *r, const char *state, const char *namespace, bool is_v2,
            struct ticdc_feed_item **v, size_t *n) MUST_USE;
/* Which capture writes which of its tables. */
enum err ticdc_task_statuses(struct req *r, const struct ticdc_feed *f,
                             struct ticdc_task_status **v, size_t *n) MUST_USE;

#endif
