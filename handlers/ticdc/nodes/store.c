/* The SQL about captures and their tables. */
#include "nodes.h"

TABLE(ticdc_task, TICDC_TASK);
TABLE(ticdc_work, TICDC_WORK);

#define TASKS_MAX  100000
#define MOVES_KEPT "100"

enum {
    TASKS,
    WORK,
    COUNT_OF,
    LEVEL,
    RESIGN,
    REBALANCE,
    OPEN_MOVE,
    MOVE,
    OLD_MOVES,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [TASKS] = "SELECT writer AS capture_id, table_id FROM ticdc_table"
              " WHERE feed = ? AND table_id <> 0 AND writer <> ''"
              " ORDER BY writer, table_id",
    [WORK] = "SELECT checkpoint_ts, resolved_ts FROM ticdc_work"
             " WHERE feed = ? AND capture_id = ? AND epoch = ?",
    [COUNT_OF] = "SELECT COUNT(*) FROM ticdc_table t WHERE t.writer = ?"
                 " OR t.next_writer = ?",
    [LEVEL] = "UPDATE ticdc_capture SET log_level = ? WHERE capture_id = ?",
    [RESIGN] = "UPDATE ticdc_owner SET resign_epoch = epoch WHERE one = 1",
    [REBALANCE] = "UPDATE ticdc_changefeed SET rebalance = 1,"
                  " version = version + 1 WHERE feed = ?",
    [OPEN_MOVE] = "SELECT COUNT(*) FROM ticdc_move"
                  " WHERE feed = ? AND table_id = ? AND pending = 1",
    [MOVE] = "INSERT INTO ticdc_move (feed, table_id, capture_id, pending,"
             " outcome, asked_ms, decided_ms)"
             " VALUES (?, ?, ?, 1, 'pending', " DB_NOW_MS ", 0)",
    [OLD_MOVES] = "DELETE FROM ticdc_move WHERE feed = ? AND pending IS NULL"
                  " AND move_id < (SELECT MIN(k.move_id) FROM"
                  " (SELECT move_id FROM ticdc_move WHERE feed = ?"
                  " ORDER BY move_id DESC LIMIT " MOVES_KEPT ") k)",
};

enum err
ticdc_tasks(struct db *db, struct arena *a, uint64_t feed,
            struct list_of_ticdc_task *out)
{
    return db_list(db, a, sql[TASKS], DB_ARGS(db_u64(feed)), &ticdc_task_rec,
                   TASKS_MAX, out);
}

enum err
ticdc_work_get(struct db *db, struct arena *a, const struct ticdc_feed *f,
               const char *capture_id, struct ticdc_work *out)
{
    return db_one(
        db, a, sql[WORK],
        DB_ARGS(db_u64(f->feed), db_str(capture_id), db_u64(f->epoch)),
        &ticdc_work_rec, out);
}

enum err
ticdc_table_count(struct db *db, const char *capture_id, int64_t *out)
{
    return db_one_i64(db, sql[COUNT_OF],
                      DB_ARGS(db_str(capture_id), db_str(capture_id)), out);
}

enum err
ticdc_set_level(struct db *db, const char *capture_id, const char *level)
{
    return db_exec_one(db, sql[LEVEL],
                       DB_ARGS(db_str(level), db_str(capture_id)));
}

enum err
ticdc_set_resigned(struct db *db)
{
    return db_exec(db, sql[RESIGN], DB_NO_ARGS);
}

enum err
ticdc_set_rebalance(struct db *db, uint64_t feed)
{
    return db_exec(db, sql[REBALANCE], DB_ARGS(db_u64(feed)));
}

enum err
ticdc_wish_move(struct db *db, uint64_t feed, int64_t table,
                const char *capture_id)
{
    int64_t open;
    enum err e;

    e = db_one_i64(db, sql[OPEN_MOVE], DB_ARGS(db_u64(feed), db_i64(table)),
                   &open);
    if (e != ERR_OK || open > 0)
        return e;
    e = db_exec(db, sql[MOVE],
                DB_ARGS(db_u64(feed), db_i64(table), db_str(capture_id)));
    if (e == ERR_EXISTS)
        return ERR_BUSY; /* by another, just now: look again */
    return e == ERR_OK ? db_exec(db, sql[OLD_MOVES],
                                 DB_ARGS(db_u64(feed), db_u64(feed)))
                       : e;
}
