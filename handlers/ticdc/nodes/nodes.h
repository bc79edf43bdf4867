/* The room is captures and what they have to do: who lives, who is the owner,
 * which tables a capture has, and the wishes of clients about that. All of it
 * is read from, and written to, the rows that captures keep (store/tables.h):
 * no capture is spoken to. */
#ifndef TICDC_NODES_H
#define TICDC_NODES_H

#include "ticdc/ticdc.h"

#define TICDC_STATUS(X, s)                      \
    X(s, STR, version, "version", OUT, -)       \
    X(s, STR, git_hash, "git_hash", OUT, -)     \
    X(s, STR, id, "id", OUT, -)                 \
    X(s, I64, pid, "pid", OUT, -)               \
    X(s, BOOL, is_owner, "is_owner", OUT, -)    \
    X(s, STR, cluster_id, "cluster_id", OUT, -) \
    X(s, I32, liveness, "liveness", OUT, -,     \
      .doc = "0: it works; 1: it gives its tables away, and ends")
STRUCT(ticdc_status, TICDC_STATUS);

#define TICDC_LOG(X, s)                                 \
    X(s, STR, log_level, "log_level", IN, -, .max = 64, \
      .doc = "debug, info, warn, error, dpanic, panic or fatal")
STRUCT(ticdc_log, TICDC_LOG);

#define TICDC_CAPTURE_ITEM(X, s)             \
    X(s, STR, id, "id", OUT, -)              \
    X(s, BOOL, is_owner, "is_owner", OUT, -) \
    X(s, STR, address, "address", OUT, -)    \
    X(s, STR, cluster_id, "cluster_id", OUT, -)
STRUCT(ticdc_capture_item, TICDC_CAPTURE_ITEM);
#define TICDC_CAPTURES(X, s) \
    X(s, LIST, v, "", OUT | KEEP_EMPTY, ticdc_capture_item)
STRUCT(ticdc_captures, TICDC_CAPTURES);

#define TICDC_DRAIN(X, s) X(s, STR, capture_id, "capture_id", IN, -)
STRUCT(ticdc_drain, TICDC_DRAIN);
#define TICDC_DRAINED(X, s) X(s, I64, tables, "current_table_count", OUT, -)
STRUCT(ticdc_drained, TICDC_DRAINED);

#define TICDC_PROCESSOR_ITEM(X, s)                    \
    X(s, STR, namespace, "namespace", OUT, -)         \
    X(s, STR, changefeed_id, "changefeed_id", OUT, -) \
    X(s, STR, capture_id, "capture_id", OUT, -)
STRUCT(ticdc_processor_item, TICDC_PROCESSOR_ITEM);
#define TICDC_PROCESSORS(X, s) \
    X(s, LIST, v, "", OUT | KEEP_EMPTY, ticdc_processor_item)
STRUCT(ticdc_processors, TICDC_PROCESSORS);

#define TICDC_PROCESSOR_REF(X, s) \
    TICDC_FEED_REF(X, s)          \
    X(s, STR, capture_id, "capture_id", IN | PATH, -)
STRUCT(ticdc_processor_ref, TICDC_PROCESSOR_REF);
#define TICDC_PROCESSOR(X, s)                                     \
    X(s, U64, checkpoint_ts, "checkpoint_ts", OUT, -)             \
    X(s, U64, resolved_ts, "resolved_ts", OUT, -)                 \
    X(s, LIST, table_ids, "table_ids", OUT | KEEP_EMPTY, I64)     \
    X(s, STR, error, "error", OUT | NULL_WHEN_ABSENT, -,          \
      .doc = "null: a changefeed that has one has no processors") \
    X(s, I64, count, "count", OUT, -)
STRUCT(ticdc_processor, TICDC_PROCESSOR);

#define TICDC_MOVE(X, s)                                                  \
    TICDC_FEED_REF(X, s)                                                  \
    X(s, STR, capture_id, "capture_id", IN, -, .max = 1024)               \
    X(s, STR, target_capture_id, "target_capture_id", IN, -, .max = 1024, \
      .doc = "the same, when capture_id is not given")                    \
    X(s, I64, table_id, "table_id", IN, -)
STRUCT(ticdc_move, TICDC_MOVE);

/* ---- rows ---- */

/* A table of a changefeed that has a writer. */
#define TICDC_TASK(X, s)                                \
    X(s, STR, capture_id, "capture_id", COLUMN_ONLY, -) \
    X(s, I64, table_id, "table_id", COLUMN_ONLY, -)
STRUCT(ticdc_task, TICDC_TASK);
LIST_OF(ticdc_task);

/* By capture and table, without that of DDL statements. */
enum err ticdc_tasks(struct db *db, struct arena *a, uint64_t feed,
                     struct list_of_ticdc_task *out) MUST_USE;
/* How far a capture is with a changefeed: NOT_FOUND when it does not yet work
 * for it. */
#define TICDC_WORK(X, s)                                      \
    X(s, U64, checkpoint_ts, "checkpoint_ts", COLUMN_ONLY, -) \
    X(s, U64, resolved_ts, "resolved_ts", COLUMN_ONLY, -)
STRUCT(ticdc_work, TICDC_WORK);
enum err
ticdc_work_get(struct db *db, struct arena *a, const struct ticdc_feed *f,
               const char *capture_id, struct ticdc_work *out) MUST_USE;
/* How many tables a capture writes or is about to. */
enum err
ticdc_table_count(struct db *db, const char *capture_id, int64_t *out) MUST_USE;

/* All that follows is part of the caller's transaction. */
enum err ticdc_set_level(struct db *db, const char *capture_id,
                         const char *level) MUST_USE;
enum err ticdc_set_resigned(struct db *db) MUST_USE;
enum err ticdc_set_rebalance(struct db *db, uint64_t feed) MUST_USE;
/* OK without a change when one is open for that table. */
enum err ticdc_wish_move(struct db *db, uint64_t feed, int64_t table,
                         const char *capture_id) MUST_USE;

/* The capture of that id among those that live; NULL. */
const struct ticdc_capture *
ticdc_capture_find(const struct list_of_ticdc_capture *all, const char *id);

#endif
