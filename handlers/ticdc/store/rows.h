/* The rows of the store by which captures know of each other, and the
 * interface of them. What each table is for, handlers/ticdc/README.md tells. */
#ifndef TICDC_ROWS_H
#define TICDC_ROWS_H

#include "arena.h"
#include "db.h"
#include "lease.h"
#include "record.h"

#define DDL_SPAN         INT64_C(0) /* table_id of a feed's statements */
#define ROWS_TABLES_MAX  100000
#define CAPTURE_TTL_MS   10000
#define CAPTURE_ID_BYTES 37

#define TABLE_ROW(X, s)                                       \
    X(s, U64, feed, "feed", COLUMN_ONLY, -)                   \
    X(s, I64, table_id, "table_id", COLUMN_ONLY, -)           \
    X(s, STR, schema_name, "schema_name", COLUMN_ONLY, -)     \
    X(s, STR, table_name, "table_name", COLUMN_ONLY, -)       \
    X(s, STR, state, "state", COLUMN_ONLY, -)                 \
    X(s, STR, writer, "writer", COLUMN_ONLY, -)               \
    X(s, STR, next_writer, "next_writer", COLUMN_ONLY, -)     \
    X(s, U64, order_no, "order_no", COLUMN_ONLY, -)           \
    X(s, U64, writer_term, "writer_term", COLUMN_ONLY, -)     \
    X(s, U64, next_term, "next_term", COLUMN_ONLY, -)         \
    X(s, U64, checkpoint_ts, "checkpoint_ts", COLUMN_ONLY, -) \
    X(s, BOOL, dropped, "dropped", COLUMN_ONLY, -)            \
    X(s, STR, gtid, "gtid", COLUMN_ONLY, -)
STRUCT(table_row, TABLE_ROW);
LIST_OF(table_row);

#define REPORT_ROW(X, s)                                      \
    X(s, I64, table_id, "table_id", COLUMN_ONLY, -)           \
    X(s, STR, capture_id, "capture_id", COLUMN_ONLY, -)       \
    X(s, U64, term, "term", COLUMN_ONLY, -)                   \
    X(s, STR, progress, "progress", COLUMN_ONLY, -)           \
    X(s, U64, checkpoint_ts, "checkpoint_ts", COLUMN_ONLY, -) \
    X(s, STR, gtid, "gtid", COLUMN_ONLY, -)
STRUCT(report_row, REPORT_ROW);
LIST_OF(report_row);

/* All tables that a capture writes (it has reported so) are at least so far. */
#define WORK_ROW(X, s)                                        \
    X(s, U64, feed, "feed", COLUMN_ONLY, -)                   \
    X(s, STR, capture_id, "capture_id", COLUMN_ONLY, -)       \
    X(s, U64, epoch, "epoch", COLUMN_ONLY, -)                 \
    X(s, U64, checkpoint_ts, "checkpoint_ts", COLUMN_ONLY, -) \
    X(s, U64, resolved_ts, "resolved_ts", COLUMN_ONLY, -)     \
    X(s, STR, gtid, "gtid", COLUMN_ONLY, -)                   \
    X(s, STR, barrier, "barrier", COLUMN_ONLY, -)             \
    X(s, U64, row_count, "row_count", COLUMN_ONLY, -)         \
    X(s, U64, queue_bytes, "queue_bytes", COLUMN_ONLY, -)     \
    X(s, U64, quota_bytes, "quota_bytes", COLUMN_ONLY, -)
STRUCT(work_row, WORK_ROW);
LIST_OF(work_row);

#define DDL_ROW(X, s)                         \
    X(s, STR, gtid, "gtid", COLUMN_ONLY, -)   \
    X(s, STR, state, "state", COLUMN_ONLY, -) \
    X(s, STR, done_gtid, "done_gtid", COLUMN_ONLY, -)
STRUCT(ddl_row, DDL_ROW);

/* Whose store it is. */
enum err
rows_deployment(struct db *db, struct arena *a, const char **out) MUST_USE;

/* ---- captures ---- */

struct capture_row {
    const char *capture_id, *name, *owner, *address;
    int64_t pid;
};
enum err rows_capture_add(struct db *db, const struct capture_row *c) MUST_USE;
/* Prolongs it; NOT_FOUND: it was taken away. What is wished of it: its
 * liveness, and its log level in the arena. */
enum err rows_capture_beat(struct db *db, struct arena *a, const char *id,
                           int64_t *liveness, const char **level) MUST_USE;
/* It ends in order: nothing of it runs any more. */
enum err rows_capture_remove(struct db *db, const char *id) MUST_USE;
/* It is drained or ends. NOT_FOUND: there is none. */
enum err rows_capture_stopping(struct db *db, const char *id) MUST_USE;
/* By which one more reader is known to the source; in a transaction. */
enum err rows_server_id(struct db *db, uint64_t *out) MUST_USE;

/* ---- tables of a feed, what was reported, what runs ---- */

enum err rows_tables(struct db *db, struct arena *a, uint64_t feed,
                     struct list_of_table_row *out) MUST_USE;
enum err rows_reports(struct db *db, struct arena *a, uint64_t feed,
                      struct list_of_report_row *out) MUST_USE;
enum err rows_works(struct db *db, struct arena *a, uint64_t feed,
                    struct list_of_work_row *out) MUST_USE;
/* Of all feeds. */
enum err rows_works_all(struct db *db, struct arena *a,
                        struct list_of_work_row *out) MUST_USE;
/* How many tables each capture writes of each feed. */
#define TABLE_COUNT(X, s)                               \
    X(s, U64, feed, "feed", COLUMN_ONLY, -)             \
    X(s, STR, capture_id, "capture_id", COLUMN_ONLY, -) \
    X(s, I64, n, "n", COLUMN_ONLY, -)
STRUCT(table_count, TABLE_COUNT);
LIST_OF(table_count);
enum err rows_table_counts(struct db *db, struct arena *a,
                           struct list_of_table_count *out) MUST_USE;
/* Those of the capture, of all feeds. */
enum err rows_told(struct db *db, struct arena *a, const char *capture_id,
                   struct list_of_table_row *out) MUST_USE;

/* ---- a capture's own rows ---- */

/* Within a transaction: the feed is still of that epoch, and stays so until
 * its end; STATE when not. First statement of what a capture writes for it. */
enum err rows_feed_hold(struct db *db, uint64_t feed, uint64_t epoch) MUST_USE;
/* Begins the transaction whose first statement that is. Whatever it answers,
 * db_end ends it. */
enum err rows_feed_begin(struct db *db, uint64_t feed, uint64_t epoch) MUST_USE;

/* With a server_id of its own. */
enum err rows_work_begin(struct db *db, uint64_t feed, uint64_t epoch,
                         const char *capture_id, uint64_t *server_id) MUST_USE;
/* STATE: the feed is of another epoch, or the row is gone. */
enum err rows_work_advance(struct db *db, const struct work_row *w) MUST_USE;
/* Another stream begins, of other tables: what they have is noted with those
 * that the one before wrote, and nothing is told of the new one yet. Else a
 * table that it adds would count as written as far as that was. */
enum err
rows_work_anew(struct db *db, uint64_t feed, const char *capture_id) MUST_USE;
enum err rows_work_barrier(struct db *db, uint64_t feed, const char *capture_id,
                           const char *gtid) MUST_USE;
/* Writes into the tables how far they are, and takes the row away. */
enum err
rows_work_end(struct db *db, uint64_t feed, const char *capture_id) MUST_USE;
/* The same within a transaction. */
enum err
rows_work_gone(struct db *db, uint64_t feed, const char *capture_id) MUST_USE;

enum err rows_report(struct db *db, uint64_t feed, const char *capture_id,
                     const struct report_row *r) MUST_USE;

/* ---- tables as they come and go (whoever writes the DDL span) ---- */

/* A table that has appeared; nothing when it has a row. incarnation: '', or the
 * GTID of what made it. */
enum err rows_table_add(struct db *db, uint64_t feed, const char *schema,
                        const char *name, const char *incarnation,
                        const char *gtid, uint64_t checkpoint) MUST_USE;
enum err rows_table_drop(struct db *db, uint64_t feed, const char *schema,
                         const char *name) MUST_USE;
enum err
rows_schema_drop(struct db *db, uint64_t feed, const char *schema) MUST_USE;
enum err rows_table_rename(struct db *db, uint64_t feed, const char *schema,
                           const char *name, const char *to_schema,
                           const char *to_name, const char *gtid) MUST_USE;

/* ---- statements ---- */

enum err rows_ddl(struct db *db, struct arena *a, uint64_t feed,
                  struct ddl_row *out) MUST_USE;
enum err
rows_ddl_wait(struct db *db, uint64_t feed, const char *gtid, uint64_t ts,
              const char *schema, const char *query, size_t query_n) MUST_USE;
enum err
rows_ddl_state(struct db *db, uint64_t feed, const char *state) MUST_USE;
enum err
rows_ddl_done(struct db *db, uint64_t feed, const char *done_gtid) MUST_USE;
/* Tables that are not at the barrier yet: they are moving, nobody writes them,
 * or who does has not come so far. */
enum err rows_ddl_missing(struct db *db, uint64_t feed, const char *capture_id,
                          const char *gtid, int64_t *out) MUST_USE;

/* ---- the owner's (rows_owner.c) ---- */

enum err rows_owner_is(struct db *db, const struct lease *l,
                       const char *capture_id) MUST_USE;
enum err rows_owner_ready(struct db *db, const struct lease *l) MUST_USE;
/* Up to which epoch owners are to resign. */
enum err rows_owner_resign(struct db *db, uint64_t *epoch) MUST_USE;
/* Takes away captures whose lease has ended, each with all that it had: what
 * its tables had reached is written into them before. How many there were. */
enum err
rows_captures_expire(struct db *db, struct arena *a, size_t *n) MUST_USE;
/* What sched_step has made of a table. */
enum err rows_table_store(struct db *db, const struct table_row *t) MUST_USE;
enum err
rows_table_delete(struct db *db, uint64_t feed, int64_t table_id) MUST_USE;
/* Under a new epoch nobody writes anything yet; with the DDL span. */
enum err rows_tables_begin(struct db *db, uint64_t feed, uint64_t epoch,
                           const char *gtid, uint64_t checkpoint) MUST_USE;
enum err rows_feed_advance(struct db *db, uint64_t feed, uint64_t epoch,
                           const char *gtid, uint64_t checkpoint,
                           uint64_t resolved) MUST_USE;
enum err rows_feed_balance(struct db *db, uint64_t feed, uint64_t epoch,
                           bool rebalance, int64_t balanced_ms) MUST_USE;
/* A failed attempt, as it is shown; the newest of them are kept. */
enum err rows_feed_error(struct db *db, uint64_t feed, const char *code,
                         const char *message, const char *addr,
                         int64_t again_ms) MUST_USE;

#define MOVE_ROW(X, s)                              \
    X(s, U64, move_id, "move_id", COLUMN_ONLY, -)   \
    X(s, I64, table_id, "table_id", COLUMN_ONLY, -) \
    X(s, STR, capture_id, "capture_id", COLUMN_ONLY, -)
STRUCT(move_row, MOVE_ROW);
LIST_OF(move_row);
enum err rows_moves(struct db *db, struct arena *a, uint64_t feed,
                    struct list_of_move_row *out) MUST_USE;
enum err
rows_move_done(struct db *db, uint64_t move_id, const char *outcome) MUST_USE;

#endif
