/* What the owner alone writes: who writes which table, and how far feeds are.
 */
#include "rows.h"

#define ERRORS_KEPT "20"

TABLE(move_row, MOVE_ROW);

enum {
    OWNER_IS,
    OWNER_READY,
    OWNER_RESIGN,
    EXPIRE,
    EXPIRED,
    TABLE_STORE,
    TABLE_DELETE,
    REPORT_DELETE,
    TABLES_BEGIN,
    SPAN_ADD,
    SCHEDULED,
    REPORTS_CLEAR,
    FEED_ADVANCE,
    FEED_BALANCE,
    FEED_ERROR,
    ERROR_ADD,
    ERROR_TRIM,
    MOVES,
    MOVE_DONE,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [OWNER_IS] = "UPDATE ticdc_owner SET epoch = ?, capture_id = ?,"
                 " ready_epoch = 0 WHERE one = 1 AND epoch <= ?",
    [OWNER_READY] = "UPDATE ticdc_owner SET ready_epoch = ? WHERE one = 1"
                    " AND epoch = ?",
    [OWNER_RESIGN] = "SELECT CAST(resign_epoch AS SIGNED) FROM ticdc_owner"
                     " WHERE one = 1",
    [EXPIRE] = "DELETE FROM ticdc_capture WHERE expires_ms <= " DB_NOW_MS,
    [EXPIRED] = "SELECT w.feed, w.capture_id, w.epoch, w.checkpoint_ts,"
                " w.resolved_ts, COALESCE(w.gtid, '') AS gtid, w.barrier,"
                " w.row_count, w.queue_bytes, w.quota_bytes"
                " FROM ticdc_work w LEFT JOIN ticdc_capture c"
                " ON c.capture_id = w.capture_id WHERE c.capture_id IS NULL"
                " ORDER BY w.feed, w.capture_id",
    [TABLE_STORE] = "UPDATE ticdc_table SET state = ?, writer = ?,"
                    " next_writer = ?, order_no = ?, writer_term = ?,"
                    " next_term = ?, checkpoint_ts = ?, gtid = ?"
                    " WHERE feed = ? AND table_id = ?",
    [TABLE_DELETE] = "DELETE FROM ticdc_table WHERE feed = ? AND table_id = ?",
    [REPORT_DELETE] =
        "DELETE FROM ticdc_report WHERE feed = ? AND table_id = ?",
    [TABLES_BEGIN] = "UPDATE ticdc_table SET state = 'absent', writer = '',"
                     " next_writer = '' WHERE feed = ?",
    [SPAN_ADD] =
        "INSERT INTO ticdc_table (feed, table_id, schema_name, table_name,"
        " state, writer, next_writer, order_no, writer_term, next_term,"
        " checkpoint_ts, dropped, gtid)"
        " VALUES (?, 0, '', '', 'absent', '', '', 0, 0, 0, ?, FALSE, ?)"
        " ON DUPLICATE KEY UPDATE feed = feed",
    [SCHEDULED] = "UPDATE ticdc_changefeed SET scheduled_epoch = epoch"
                  " WHERE feed = ? AND epoch = ?",
    [REPORTS_CLEAR] = "DELETE FROM ticdc_report WHERE feed = ?",
    [FEED_ADVANCE] =
        "UPDATE ticdc_changefeed SET gtid = ?, anchor_ts = ?,"
        " checkpoint_ts = ?, resolved_ts = GREATEST(resolved_ts, ?)"
        " WHERE feed = ? AND epoch = ? AND checkpoint_ts <= ?",
    [FEED_BALANCE] =
        "UPDATE ticdc_changefeed SET rebalance = ?, balanced_ms = ?"
        " WHERE feed = ? AND epoch = ?",
    [FEED_ERROR] = "UPDATE ticdc_changefeed SET error_code = ?,"
                   " error_message = ?, error_addr = ?,"
                   " error_ms = " DB_NOW_MS " WHERE feed = ?",
    [ERROR_ADD] = "INSERT INTO ticdc_changefeed_error (feed, at_ms, code,"
                  " message, addr, again_ms)"
                  " VALUES (?, " DB_NOW_MS ", ?, ?, ?, ?)",
    [ERROR_TRIM] =
        "DELETE FROM ticdc_changefeed_error WHERE feed = ? AND seq <"
        " (SELECT MIN(seq) FROM (SELECT seq FROM ticdc_changefeed_error"
        " WHERE feed = ? ORDER BY seq DESC LIMIT " ERRORS_KEPT ") newest)",
    [MOVES] = "SELECT move_id, table_id, capture_id FROM ticdc_move"
              " WHERE feed = ? AND pending = 1 ORDER BY move_id",
    [MOVE_DONE] = "UPDATE ticdc_move SET pending = NULL, outcome = ?,"
                  " decided_ms = " DB_NOW_MS " WHERE move_id = ?",
};

enum err
rows_owner_is(struct db *db, const struct lease *l, const char *capture_id)
{
    return db_exec_one(
        db, sql[OWNER_IS],
        DB_ARGS(db_u64(l->epoch), db_str(capture_id), db_u64(l->epoch)));
}

enum err
rows_owner_ready(struct db *db, const struct lease *l)
{
    return db_exec(db, sql[OWNER_READY],
                   DB_ARGS(db_u64(l->epoch), db_u64(l->epoch)));
}

enum err
rows_owner_resign(struct db *db, uint64_t *epoch)
{
    int64_t v;
    enum err e = db_one_i64(db, sql[OWNER_RESIGN], DB_NO_ARGS, &v);

    *epoch = e == ERR_OK ? (uint64_t)v : 0;
    return e;
}

enum err
rows_captures_expire(struct db *db, struct arena *a, size_t *n)
{
    struct list_of_work_row works = { 0 };
    enum err e = db_exec(db, sql[EXPIRE], DB_NO_ARGS);

    *n = e == ERR_OK ? (size_t)db_matched(db) : 0;
    if (e == ERR_OK)
        e = db_list(db, a, sql[EXPIRED], DB_NO_ARGS, &work_row_rec,
                    ROWS_TABLES_MAX, &works);
    for (size_t i = 0; i < works.n && e == ERR_OK; i++)
        e = rows_work_gone(db, works.v[i].feed, works.v[i].capture_id);
    return e;
}

enum err
rows_table_store(struct db *db, const struct table_row *t)
{
    return db_exec(db, sql[TABLE_STORE],
                   DB_ARGS(db_str(t->state), db_str(t->writer),
                           db_str(t->next_writer), db_u64(t->order_no),
                           db_u64(t->writer_term), db_u64(t->next_term),
                           db_u64(t->checkpoint_ts), db_str(t->gtid),
                           db_u64(t->feed), db_i64(t->table_id)));
}

enum err
rows_table_delete(struct db *db, uint64_t feed, int64_t table_id)
{
    enum err e = db_exec(db, sql[REPORT_DELETE],
                         DB_ARGS(db_u64(feed), db_i64(table_id)));

    return e == ERR_OK ? db_exec(db, sql[TABLE_DELETE],
                                 DB_ARGS(db_u64(feed), db_i64(table_id)))
                       : e;
}

enum err
rows_tables_begin(struct db *db, uint64_t feed, uint64_t epoch,
                  const char *gtid, uint64_t checkpoint)
{
    enum err e = db_exec(db, sql[TABLES_BEGIN], DB_ARGS(db_u64(feed)));

    if (e == ERR_OK)
        e = db_exec(db, sql[SPAN_ADD],
                    DB_ARGS(db_u64(feed), db_u64(checkpoint), db_str(gtid)));
    if (e == ERR_OK)
        e = db_exec(db, sql[REPORTS_CLEAR], DB_ARGS(db_u64(feed)));
    if (e == ERR_OK)
        e = db_exec_one(db, sql[SCHEDULED],
                        DB_ARGS(db_u64(feed), db_u64(epoch)));
    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

enum err
rows_feed_advance(struct db *db, uint64_t feed, uint64_t epoch,
                  const char *gtid, uint64_t checkpoint, uint64_t resolved)
{
    return db_exec(db, sql[FEED_ADVANCE],
                   DB_ARGS(db_str(gtid), db_u64(checkpoint), db_u64(checkpoint),
                           db_u64(resolved), db_u64(feed), db_u64(epoch),
                           db_u64(checkpoint)));
}

enum err
rows_feed_balance(struct db *db, uint64_t feed, uint64_t epoch, bool rebalance,
                  int64_t balanced_ms)
{
    return db_exec(db, sql[FEED_BALANCE],
                   DB_ARGS(db_bool(rebalance), db_i64(balanced_ms),
                           db_u64(feed), db_u64(epoch)));
}

enum err
rows_feed_error(struct db *db, uint64_t feed, const char *code,
                const char *message, const char *addr, int64_t again_ms)
{
    enum err e = db_exec(
        db, sql[FEED_ERROR],
        DB_ARGS(db_str(code), db_str(message), db_str(addr), db_u64(feed)));

    if (e == ERR_OK)
        e = db_exec(db, sql[ERROR_ADD],
                    DB_ARGS(db_u64(feed), db_str(code), db_str(message),
                            db_str(addr), db_i64(again_ms)));
    if (e == ERR_OK)
        e = db_exec(db, sql[ERROR_TRIM], DB_ARGS(db_u64(feed), db_u64(feed)));
    return e;
}

enum err
rows_moves(struct db *db, struct arena *a, uint64_t feed,
           struct list_of_move_row *out)
{
    return db_list(db, a, sql[MOVES], DB_ARGS(db_u64(feed)), &move_row_rec,
                   ROWS_TABLES_MAX, out);
}

enum err
rows_move_done(struct db *db, uint64_t move_id, const char *outcome)
{
    return db_exec(db, sql[MOVE_DONE],
                   DB_ARGS(db_str(outcome), db_u64(move_id)));
}
