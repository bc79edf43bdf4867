/* The SQL of the recycler: an instance goes table by table, what refers to
 * others first, its own row last. */
#include "recycle.h"

/* Rows of one statement: locks are held for short. */
#define BATCH 500

/* What belongs to an instance, in the order in which it goes. */
#define TABLES(X)           \
    X(doris_tablet_job)     \
    X(doris_rowset_recycle) \
    X(doris_rowset_tmp)     \
    X(doris_rowset)         \
    X(doris_tablet)         \
    X(doris_schema)         \
    X(doris_version)        \
    X(doris_txn)            \
    X(doris_stage)          \
    X(doris_stage_recycle)  \
    X(doris_node)           \
    X(doris_cluster)        \
    X(doris_cloud_id)       \
    X(doris_vault)          \
    X(doris_obj_info)

#define TABLE_ID(t) DROP_##t,
#define TABLE_SQL(t) \
    [DROP_##t] = "DELETE FROM " #t " WHERE instance_id = ? LIMIT " XSTR(BATCH),
#define TABLE_NAME(t) [DROP_##t] = #t,

enum {
    TABLES(TABLE_ID) TABLES__MAX,
    NEXT = TABLES__MAX,
    NEXT_LIVE,
    HOLD,
    NOTE,
    ASK,
    DONE,
    TOMBSTONE,
    ROUND_TXNS,
    ROUND_ROWSETS,
    ROUND_STAGES,
    ROUND_DONE,
    JOB,
    BURIED,
    INSTANCE,
    COUNTS,
    OLD_TXNS,
    OLD_ROWSETS,
    OLD_STAGES,
    OLD_NOTES,
    OLD_RATES,
    SQL__MAX
};

static const char *const table_name[TABLES__MAX] = { TABLES(TABLE_NAME) };

static const char *const sql[SQL__MAX] = {
    [NEXT] = "SELECT i.instance_id FROM doris_instance i"
             " LEFT JOIN doris_recycle r ON r.instance_id = i.instance_id"
             " WHERE i.status = 'DELETED'"
             " AND (i.dropped <= ? OR COALESCE(r.asked, 0) <> 0)"
             " ORDER BY COALESCE(r.asked, 0) DESC, i.dropped, i.seq LIMIT 1",
    [NEXT_LIVE] = "SELECT i.instance_id FROM doris_recycle r"
                  " JOIN doris_instance i ON i.instance_id = r.instance_id"
                  " WHERE r.asked <> 0 AND i.status <> 'DELETED'"
                  " ORDER BY i.seq LIMIT 1",
    [HOLD] = "UPDATE doris_instance SET version = version + 1"
             " WHERE instance_id = ? AND status = 'DELETED'",
    [NOTE] = "INSERT INTO doris_recycle (instance_id, asked, status, owner,"
             " begun_ms, step, removed) VALUES (?, 0, 'BUSY', ?, ?, ?, ?)"
             " ON DUPLICATE KEY UPDATE begun_ms = IF(status = 'BUSY',"
             " COALESCE(begun_ms, VALUES(begun_ms)), VALUES(begun_ms)),"
             " removed = IF(status = 'BUSY', removed, 0) + VALUES(removed),"
             " status = 'BUSY', owner = VALUES(owner), step = VALUES(step),"
             " finished_ms = NULL",
    [ASK] = "INSERT INTO doris_recycle (instance_id, asked, status, step,"
            " removed) VALUES (?, 1, 'IDLE', '', 0)"
            " ON DUPLICATE KEY UPDATE asked = 1,"
            " step = IF(status = 'BUSY', step, ''),"
            " removed = IF(status = 'BUSY', removed, 0)",
    [DONE] = "UPDATE doris_recycle SET asked = 0, status = 'IDLE',"
             " step = 'done', finished_ms = ?, removed = removed + 1"
             " WHERE instance_id = ?",
    [TOMBSTONE] = "INSERT INTO doris_tombstone (instance_id, owner, begun_ms,"
                  " finished_ms, removed) SELECT instance_id, owner, begun_ms,"
                  " finished_ms, removed FROM doris_recycle"
                  " WHERE instance_id = ? ON DUPLICATE KEY UPDATE"
                  " finished_ms = VALUES(finished_ms)",
    [ROUND_TXNS] = "DELETE FROM doris_txn WHERE instance_id = ?"
                   " AND finish_time < ? LIMIT " XSTR(BATCH),
    [ROUND_ROWSETS] = "DELETE FROM doris_rowset_recycle WHERE instance_id = ?"
                      " AND creation_time < ? LIMIT " XSTR(BATCH),
    [ROUND_STAGES] = "DELETE FROM doris_stage_recycle WHERE instance_id = ?"
                     " AND dropped < ? LIMIT " XSTR(BATCH),
    [ROUND_DONE] = "UPDATE doris_recycle SET asked = 0, status = 'IDLE',"
                   " step = 'round', finished_ms = ? WHERE instance_id = ?",
    [JOB] = "SELECT instance_id, asked, status, owner, begun_ms, finished_ms,"
            " finished_ms AS last_success_time_ms, step, removed"
            " FROM doris_recycle WHERE instance_id = ?",
    [BURIED] = "SELECT instance_id, 0 AS asked, 'IDLE' AS status, owner,"
               " begun_ms, finished_ms, finished_ms AS last_success_time_ms,"
               " 'done' AS step, removed FROM doris_tombstone"
               " WHERE instance_id = ?",
    [INSTANCE] = "DELETE FROM doris_instance WHERE instance_id = ?"
                 " AND status = 'DELETED'",
    [COUNTS] = "SELECT i.instance_id, i.status,"
               " (SELECT COUNT(*) FROM doris_tablet t"
               "  WHERE t.instance_id = i.instance_id) AS tablets,"
               " (SELECT COUNT(*) FROM doris_rowset t"
               "  WHERE t.instance_id = i.instance_id) AS rowsets,"
               " (SELECT COUNT(*) FROM doris_rowset_recycle t"
               "  WHERE t.instance_id = i.instance_id) AS recycle_rowsets,"
               " (SELECT COUNT(*) FROM doris_rowset_tmp t"
               "  WHERE t.instance_id = i.instance_id) AS tmp_rowsets,"
               " (SELECT COUNT(*) FROM doris_txn t WHERE t.instance_id ="
               "  i.instance_id AND (t.finish_time IS NOT NULL"
               "  OR t.deadline_ms < ?)) AS expired_txns,"
               " (SELECT COUNT(*) FROM doris_version t"
               "  WHERE t.instance_id = i.instance_id) AS versions,"
               " (SELECT COUNT(*) FROM doris_stage_recycle t"
               "  WHERE t.instance_id = i.instance_id) AS stages"
               " FROM doris_instance i WHERE i.instance_id = ?",
    [OLD_TXNS] = "DELETE FROM doris_txn WHERE finish_time < ?"
                 " ORDER BY finish_time LIMIT " XSTR(BATCH),
    [OLD_ROWSETS] = "DELETE FROM doris_rowset_recycle"
                    " WHERE creation_time < ?"
                    " ORDER BY creation_time LIMIT " XSTR(BATCH),
    [OLD_STAGES] = "DELETE FROM doris_stage_recycle WHERE dropped < ?"
                   " ORDER BY dropped LIMIT " XSTR(BATCH),
    [OLD_NOTES] = "DELETE FROM doris_recycle WHERE finished_ms < ?"
                  " AND status = 'IDLE' AND asked = 0"
                  " ORDER BY finished_ms LIMIT " XSTR(BATCH),
    [OLD_RATES] = "DELETE FROM doris_rate_used WHERE second < ?"
                  " ORDER BY second LIMIT " XSTR(BATCH),
    TABLES(TABLE_SQL)
};

TABLE(doris_recycle_job, DORIS_RECYCLE_JOB);
TABLE(doris_recycle_counts, DORIS_RECYCLE_COUNTS);

enum err
doris_store_recycle_next(struct db *db, struct arena *a, int64_t dropped_before,
                         const char **instance_id)
{
    return db_one_str(db, a, sql[NEXT], DB_ARGS(db_i64(dropped_before)),
                      instance_id);
}

enum err
doris_store_recycle_next_live(struct db *db, struct arena *a,
                              const char **instance_id)
{
    return db_one_str(db, a, sql[NEXT_LIVE], DB_NO_ARGS, instance_id);
}

enum err
doris_store_recycle_ask(struct db *db, const char *instance_id)
{
    return db_exec(db, sql[ASK], DB_ARGS(db_str(instance_id)));
}

enum err
doris_store_recycle_job(struct db *db, struct arena *a, const char *instance_id,
                        struct doris_recycle_job *out)
{
    enum err e;

    e = db_one(db, a, sql[JOB], DB_ARGS(db_str(instance_id)),
               &doris_recycle_job_rec, out);
    if (e == ERR_NOT_FOUND)
        e = db_one(db, a, sql[BURIED], DB_ARGS(db_str(instance_id)),
                   &doris_recycle_job_rec, out);
    return e;
}

/* ---- the end of an instance ---- */

/* A batch of the first table that has any; *table is that, TABLES__MAX when
 * none has. */
static enum err
drop_batch(struct db *db, const char *instance_id, int *table, uint64_t *n)
{
    enum err e = ERR_OK;

    *n = 0;
    for (*table = 0; *table < TABLES__MAX && e == ERR_OK; ++*table) {
        e = db_exec(db, sql[*table], DB_ARGS(db_str(instance_id)));
        *n = e == ERR_OK ? db_matched(db) : 0;
        if (*n > 0)
            break;
    }
    return e;
}

static enum err
drop_instance(struct db *db, const char *instance_id, int64_t now_ms)
{
    enum err e;

    e = db_exec_one(db, sql[INSTANCE], DB_ARGS(db_str(instance_id)));
    if (e == ERR_OK)
        e = db_exec_one(db, sql[DONE],
                        DB_ARGS(db_i64(now_ms), db_str(instance_id)));
    if (e == ERR_OK)
        e = db_exec_one(db, sql[TOMBSTONE], DB_ARGS(db_str(instance_id)));
    return e;
}

enum err
doris_store_recycle_step(struct db *db, const char *instance_id,
                         const char *owner, int64_t now_ms, bool *done)
{
    uint64_t n;
    int table;
    enum err e;

    *done = false;
    db_touch(db, instance_id);
    e = db_exec_one(db, sql[HOLD], DB_ARGS(db_str(instance_id)));
    if (e == ERR_NOT_FOUND) /* gone, or not DELETED: never touched */
        return ERR_STATE;
    if (e == ERR_OK)
        e = drop_batch(db, instance_id, &table, &n);
    if (e == ERR_OK)
        e = db_exec(db, sql[NOTE],
                    DB_ARGS(db_str(instance_id), db_str(owner), db_i64(now_ms),
                            db_str(table < TABLES__MAX ? table_name[table]
                                                       : "doris_instance"),
                            db_u64(n)));
    if (e != ERR_OK || table < TABLES__MAX)
        return e;
    *done = true;
    return drop_instance(db, instance_id, now_ms);
}

enum err
doris_store_recycle_round(struct db *db, const char *instance_id,
                          const char *owner, int64_t now_ms, int64_t before_ms,
                          bool *done)
{
    const int64_t before[] = { before_ms, before_ms / 1000, before_ms / 1000 };
    uint64_t n = 0;
    enum err e = ERR_OK;

    db_touch(db, instance_id);
    for (size_t i = 0; i < COUNT(before) && e == ERR_OK; i++) {
        e = db_exec(db, sql[ROUND_TXNS + (int)i],
                    DB_ARGS(db_str(instance_id), db_i64(before[i])));
        n += e == ERR_OK ? db_matched(db) : 0;
    }
    if (e == ERR_OK)
        e = db_exec(db, sql[NOTE],
                    DB_ARGS(db_str(instance_id), db_str(owner), db_i64(now_ms),
                            db_str("round"), db_u64(n)));
    *done = n == 0;
    if (e == ERR_OK && *done)
        e = db_exec_one(db, sql[ROUND_DONE],
                        DB_ARGS(db_i64(now_ms), db_str(instance_id)));
    return e;
}

enum err
doris_store_recycle_counts(struct db *db, struct arena *a,
                           const char *instance_id, int64_t now_ms,
                           struct doris_recycle_counts *out)
{
    return db_one(db, a, sql[COUNTS],
                  DB_ARGS(db_i64(now_ms), db_str(instance_id)),
                  &doris_recycle_counts_rec, out);
}

enum err
doris_store_forget(struct db *db, int64_t txns_before_ms,
                   int64_t rowsets_before, int64_t stages_before,
                   int64_t notes_before_ms, int64_t rates_before, uint64_t *n)
{
    const int64_t before[] = { txns_before_ms, rowsets_before, stages_before,
                               notes_before_ms, rates_before };
    enum err e = ERR_OK;

    *n = 0;
    for (size_t i = 0; i < COUNT(before) && e == ERR_OK; i++) {
        e = db_exec(db, sql[OLD_TXNS + (int)i], DB_ARGS(db_i64(before[i])));
        if (e == ERR_OK)
            *n += db_matched(db);
    }
    return e;
}
