/* What captures write of themselves and of the feeds that they work for. */
#include "rows.h"

#include "build_info.h"
#include "utf8.h"

TABLE(table_row, TABLE_ROW);
TABLE(report_row, REPORT_ROW);
TABLE(work_row, WORK_ROW);
TABLE(ddl_row, DDL_ROW);
TABLE(table_count, TABLE_COUNT);

#define TABLE_COLUMNS                                                      \
    "feed, table_id, schema_name, table_name, state, writer, next_writer," \
    " order_no, writer_term, next_term, checkpoint_ts, dropped,"           \
    " COALESCE(gtid, '') AS gtid"
#define WORK_COLUMNS                                       \
    "feed, capture_id, epoch, checkpoint_ts, resolved_ts," \
    " COALESCE(gtid, '') AS gtid, barrier, row_count,"     \
    " queue_bytes, quota_bytes"
#define TTL XSTR(CAPTURE_TTL_MS)
/* Of a table that its writer has begun to write. */
#define ITS_WRITER                                                        \
    " JOIN ticdc_report r ON r.feed = t.feed AND r.table_id = t.table_id" \
    " AND r.capture_id = t.writer AND r.term = t.writer_term"             \
    " AND r.progress = 'writes'"                                          \
    " JOIN ticdc_work w ON w.feed = t.feed AND w.capture_id = t.writer"

enum {
    DEPLOYMENT,
    CAPTURE_ADD,
    CAPTURE_BEAT,
    CAPTURE_WISHES,
    CAPTURE_REMOVE,
    CAPTURE_STOPPING,
    TABLES,
    REPORTS,
    WORKS,
    WORKS_ALL,
    TABLE_COUNTS,
    TOLD,
    FEED_HOLD,
    SERVER_ID_NEXT,
    SERVER_ID,
    WORK_BEGIN,
    WORK_ADVANCE,
    WORK_BARRIER,
    WORK_FOLD,
    WORK_ANEW,
    WORK_END,
    REPORTS_END,
    REPORT,
    TABLE_ID,
    TABLE_ID_NEXT,
    TABLE_ID_GIVEN,
    TABLE_ID_ADD,
    TABLE_HAS,
    TABLE_ADD,
    TABLE_DROP,
    SCHEMA_DROP,
    TABLE_RENAME,
    TABLE_ID_RENAME,
    DDL,
    DDL_WAIT,
    DDL_STATE,
    DDL_DONE,
    DDL_MISSING,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [DEPLOYMENT] = "SELECT deployment_id FROM deployment WHERE one = 1",
    [CAPTURE_ADD] =
        "INSERT INTO ticdc_capture (capture_id, name, owner, address, version,"
        " git_hash, pid, started_ms, liveness, log_level, expires_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, " DB_NOW_MS ", 0, '', " DB_NOW_MS
        " + " TTL ")",
    [CAPTURE_BEAT] = "UPDATE ticdc_capture SET expires_ms = " DB_NOW_MS
                     " + " TTL " WHERE capture_id = ?",
    [CAPTURE_WISHES] = "SELECT CONCAT(liveness, log_level) FROM ticdc_capture"
                       " WHERE capture_id = ?",
    [CAPTURE_REMOVE] = "DELETE FROM ticdc_capture WHERE capture_id = ?",
    [CAPTURE_STOPPING] =
        "UPDATE ticdc_capture SET liveness = 1 WHERE capture_id = ?",
    [TABLES] = "SELECT " TABLE_COLUMNS " FROM ticdc_table WHERE feed = ?"
               " ORDER BY table_id",
    [REPORTS] = "SELECT table_id, capture_id, term, progress, checkpoint_ts,"
                " COALESCE(gtid, '') AS gtid FROM ticdc_report WHERE feed = ?"
                " ORDER BY table_id, capture_id",
    [WORKS] = "SELECT " WORK_COLUMNS " FROM ticdc_work WHERE feed = ?"
              " ORDER BY capture_id",
    [WORKS_ALL] =
        "SELECT " WORK_COLUMNS " FROM ticdc_work ORDER BY feed, capture_id",
    [TABLE_COUNTS] = "SELECT feed, writer AS capture_id, COUNT(*) AS n"
                     " FROM ticdc_table WHERE table_id <> 0 AND NOT dropped"
                     " AND writer <> '' GROUP BY feed, writer"
                     " ORDER BY feed, writer",
    [TOLD] = "SELECT " TABLE_COLUMNS " FROM ticdc_table"
             " WHERE writer = ? OR next_writer = ? ORDER BY feed, table_id",
    [FEED_HOLD] = "SELECT CAST(epoch AS SIGNED) FROM ticdc_changefeed"
                  " WHERE feed = ? FOR UPDATE",
    [SERVER_ID_NEXT] = "UPDATE ticdc_state SET"
                       " next_server_id = next_server_id + 1 WHERE one = 1",
    [SERVER_ID] = "SELECT CAST(next_server_id - 1 AS SIGNED) FROM ticdc_state"
                  " WHERE one = 1",
    [WORK_BEGIN] = "INSERT INTO ticdc_work (feed, capture_id, epoch, since_ms,"
                   " checkpoint_ts, resolved_ts, gtid, barrier, server_id)"
                   " VALUES (?, ?, ?, " DB_NOW_MS ", 0, 0, '', '', ?)"
                   " ON DUPLICATE KEY UPDATE epoch = VALUES(epoch),"
                   " since_ms = VALUES(since_ms), checkpoint_ts = 0,"
                   " resolved_ts = 0, gtid = '', barrier = '',"
                   " server_id = VALUES(server_id)",
    [WORK_ADVANCE] =
        "UPDATE ticdc_work SET checkpoint_ts = ?, resolved_ts = ?, gtid = ?,"
        " row_count = ?, queue_bytes = ?, quota_bytes = ?"
        " WHERE feed = ? AND capture_id = ? AND epoch = ?"
        " AND epoch = (SELECT epoch FROM ticdc_changefeed WHERE feed = ?)",
    [WORK_BARRIER] = "UPDATE ticdc_work SET barrier = ? WHERE feed = ?"
                     " AND capture_id = ?",
    [WORK_FOLD] = "UPDATE ticdc_table t" ITS_WRITER
                  " SET t.gtid = w.gtid, t.checkpoint_ts = w.checkpoint_ts"
                  " WHERE t.feed = ? AND t.writer = ?"
                  " AND w.checkpoint_ts > 0"
                  " AND w.checkpoint_ts >= t.checkpoint_ts",
    [WORK_ANEW] = "UPDATE ticdc_work SET checkpoint_ts = 0, resolved_ts = 0,"
                  " gtid = '', barrier = '' WHERE feed = ? AND capture_id = ?",
    [WORK_END] = "DELETE FROM ticdc_work WHERE feed = ? AND capture_id = ?",
    [REPORTS_END] = "DELETE FROM ticdc_report WHERE feed = ? AND capture_id = ?"
                    " AND progress <> 'stopped'",
    [REPORT] = "INSERT INTO ticdc_report (feed, table_id, capture_id, term,"
               " progress, checkpoint_ts, resolved_ts, gtid)"
               " VALUES (?, ?, ?, ?, ?, ?, 0, ?) ON DUPLICATE KEY UPDATE"
               " term = VALUES(term), progress = VALUES(progress),"
               " checkpoint_ts = VALUES(checkpoint_ts), gtid = VALUES(gtid)",
    [TABLE_ID] = "SELECT table_id FROM ticdc_table_id WHERE schema_name = ?"
                 " AND table_name = ? AND incarnation = ?",
    [TABLE_ID_NEXT] = "UPDATE ticdc_state SET next_table_id = next_table_id + 1"
                      " WHERE one = 1",
    [TABLE_ID_GIVEN] =
        "SELECT next_table_id - 1 FROM ticdc_state WHERE one = 1",
    [TABLE_ID_ADD] = "INSERT INTO ticdc_table_id (schema_name, table_name,"
                     " incarnation, table_id) VALUES (?, ?, ?, ?)",
    [TABLE_HAS] = "SELECT table_id FROM ticdc_table WHERE feed = ?"
                  " AND schema_name = ? AND table_name = ? AND NOT dropped"
                  " AND table_id <> 0 LIMIT 1",
    [TABLE_ADD] =
        "INSERT INTO ticdc_table (feed, table_id, schema_name, table_name,"
        " state, writer, next_writer, order_no, writer_term, next_term,"
        " checkpoint_ts, dropped, gtid)"
        " VALUES (?, ?, ?, ?, 'absent', '', '', 0, 0, 0, ?, FALSE, ?)"
        " ON DUPLICATE KEY UPDATE feed = feed",
    [TABLE_DROP] = "UPDATE ticdc_table SET dropped = TRUE WHERE feed = ?"
                   " AND schema_name = ? AND table_name = ? AND table_id <> 0",
    [SCHEMA_DROP] = "UPDATE ticdc_table SET dropped = TRUE WHERE feed = ?"
                    " AND schema_name = ? AND table_id <> 0",
    [TABLE_RENAME] = "UPDATE ticdc_table SET schema_name = ?, table_name = ?"
                     " WHERE feed = ? AND schema_name = ? AND table_name = ?"
                     " AND NOT dropped AND table_id <> 0",
    [TABLE_ID_RENAME] =
        "INSERT IGNORE INTO ticdc_table_id (schema_name, table_name,"
        " incarnation, table_id) VALUES (?, ?, ?, ?)",
    [DDL] = "SELECT gtid, state, COALESCE(done_gtid, '') AS done_gtid"
            " FROM ticdc_ddl WHERE feed = ?",
    [DDL_WAIT] = "INSERT INTO ticdc_ddl (feed, ddl_ts, gtid, schema_name,"
                 " query, state, since_ms, done_gtid)"
                 " VALUES (?, ?, ?, ?, ?, 'waiting', " DB_NOW_MS ", '')"
                 " ON DUPLICATE KEY UPDATE ddl_ts = VALUES(ddl_ts),"
                 " gtid = VALUES(gtid), schema_name = VALUES(schema_name),"
                 " query = VALUES(query), state = 'waiting',"
                 " since_ms = VALUES(since_ms)",
    [DDL_STATE] = "UPDATE ticdc_ddl SET state = ? WHERE feed = ?",
    [DDL_DONE] = "UPDATE ticdc_ddl SET state = 'done', done_gtid = ?"
                 " WHERE feed = ?",
    [DDL_MISSING] =
        "SELECT COUNT(*) FROM ticdc_table t LEFT JOIN ticdc_report r"
        " ON r.feed = t.feed AND r.table_id = t.table_id"
        " AND r.capture_id = t.writer AND r.term = t.writer_term"
        " AND r.progress = 'writes'"
        " LEFT JOIN ticdc_work w ON w.feed = t.feed AND w.capture_id = t.writer"
        " WHERE t.feed = ? AND t.table_id <> 0 AND NOT t.dropped"
        " AND (t.state NOT IN ('replicating', 'preparing')"
        " OR r.table_id IS NULL OR w.feed IS NULL"
        " OR (t.writer <> ? AND w.barrier <> ?))",
};

enum err
rows_deployment(struct db *db, struct arena *a, const char **out)
{
    return db_one_str(db, a, sql[DEPLOYMENT], DB_NO_ARGS, out);
}

/* ---- captures ---- */

enum err
rows_capture_add(struct db *db, const struct capture_row *c)
{
    return db_exec(db, sql[CAPTURE_ADD],
                   DB_ARGS(db_str(c->capture_id), db_str(c->name),
                           db_str(c->owner), db_str(c->address),
                           db_str(build_version), db_str(build_commit),
                           db_i64(c->pid)));
}

enum err
rows_capture_beat(struct db *db, struct arena *a, const char *id,
                  int64_t *liveness, const char **level)
{
    const char *wishes;
    enum err e = db_exec_one(db, sql[CAPTURE_BEAT], DB_ARGS(db_str(id)));

    if (e == ERR_OK)
        e = db_one_str(db, a, sql[CAPTURE_WISHES], DB_ARGS(db_str(id)),
                       &wishes);
    if (e != ERR_OK)
        return e;
    *liveness = wishes[0] - '0';
    *level = wishes + 1;
    return ERR_OK;
}

enum err
rows_capture_remove(struct db *db, const char *id)
{
    return db_exec(db, sql[CAPTURE_REMOVE], DB_ARGS(db_str(id)));
}

enum err
rows_capture_stopping(struct db *db, const char *id)
{
    return db_exec_one(db, sql[CAPTURE_STOPPING], DB_ARGS(db_str(id)));
}

/* ---- numbers ---- */

enum err
rows_server_id(struct db *db, uint64_t *out)
{
    int64_t given;
    enum err e = db_exec_one(db, sql[SERVER_ID_NEXT], DB_NO_ARGS);

    if (e == ERR_OK)
        e = db_one_i64(db, sql[SERVER_ID], DB_NO_ARGS, &given);
    *out = e == ERR_OK ? (uint64_t)given : 0;
    return e;
}

/* ---- lists ---- */

enum err
rows_tables(struct db *db, struct arena *a, uint64_t feed,
            struct list_of_table_row *out)
{
    return db_list(db, a, sql[TABLES], DB_ARGS(db_u64(feed)), &table_row_rec,
                   ROWS_TABLES_MAX, out);
}

enum err
rows_reports(struct db *db, struct arena *a, uint64_t feed,
             struct list_of_report_row *out)
{
    return db_list(db, a, sql[REPORTS], DB_ARGS(db_u64(feed)), &report_row_rec,
                   2 * ROWS_TABLES_MAX, out);
}

enum err
rows_works(struct db *db, struct arena *a, uint64_t feed,
           struct list_of_work_row *out)
{
    return db_list(db, a, sql[WORKS], DB_ARGS(db_u64(feed)), &work_row_rec,
                   ROWS_TABLES_MAX, out);
}

enum err
rows_works_all(struct db *db, struct arena *a, struct list_of_work_row *out)
{
    return db_list(db, a, sql[WORKS_ALL], DB_NO_ARGS, &work_row_rec,
                   ROWS_TABLES_MAX, out);
}

enum err
rows_table_counts(struct db *db, struct arena *a,
                  struct list_of_table_count *out)
{
    return db_list(db, a, sql[TABLE_COUNTS], DB_NO_ARGS, &table_count_rec,
                   ROWS_TABLES_MAX, out);
}

enum err
rows_told(struct db *db, struct arena *a, const char *capture_id,
          struct list_of_table_row *out)
{
    return db_list(db, a, sql[TOLD],
                   DB_ARGS(db_str(capture_id), db_str(capture_id)),
                   &table_row_rec, ROWS_TABLES_MAX, out);
}

/* ---- a capture's own ---- */

enum err
rows_feed_hold(struct db *db, uint64_t feed, uint64_t epoch)
{
    int64_t now;
    enum err e = db_one_i64(db, sql[FEED_HOLD], DB_ARGS(db_u64(feed)), &now);

    if (e == ERR_NOT_FOUND || (e == ERR_OK && (uint64_t)now != epoch))
        return ERR_STATE;
    return e;
}

enum err
rows_feed_begin(struct db *db, uint64_t feed, uint64_t epoch)
{
    enum err e = db_begin(db);

    return e == ERR_OK ? rows_feed_hold(db, feed, epoch) : e;
}

enum err
rows_work_begin(struct db *db, uint64_t feed, uint64_t epoch,
                const char *capture_id, uint64_t *server_id)
{
    enum err e = rows_feed_begin(db, feed, epoch);

    if (e == ERR_OK)
        e = rows_server_id(db, server_id);
    if (e == ERR_OK)
        e = db_exec(db, sql[WORK_BEGIN],
                    DB_ARGS(db_u64(feed), db_str(capture_id), db_u64(epoch),
                            db_u64(*server_id)));
    return db_end(db, e);
}

enum err
rows_work_advance(struct db *db, const struct work_row *w)
{
    enum err e = db_exec_one(
        db, sql[WORK_ADVANCE],
        DB_ARGS(db_u64(w->checkpoint_ts), db_u64(w->resolved_ts),
                db_str(w->gtid), db_u64(w->row_count), db_u64(w->queue_bytes),
                db_u64(w->quota_bytes), db_u64(w->feed), db_str(w->capture_id),
                db_u64(w->epoch), db_u64(w->feed)));

    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

enum err
rows_work_barrier(struct db *db, uint64_t feed, const char *capture_id,
                  const char *gtid)
{
    return db_exec(db, sql[WORK_BARRIER],
                   DB_ARGS(db_str(gtid), db_u64(feed), db_str(capture_id)));
}

enum err
rows_work_anew(struct db *db, uint64_t feed, const char *capture_id)
{
    enum err e =
        db_exec(db, sql[WORK_FOLD], DB_ARGS(db_u64(feed), db_str(capture_id)));

    return e == ERR_OK ? db_exec(db, sql[WORK_ANEW],
                                 DB_ARGS(db_u64(feed), db_str(capture_id)))
                       : e;
}

enum err
rows_work_gone(struct db *db, uint64_t feed, const char *capture_id)
{
    enum err e =
        db_exec(db, sql[WORK_FOLD], DB_ARGS(db_u64(feed), db_str(capture_id)));

    if (e == ERR_OK)
        e = db_exec(db, sql[REPORTS_END],
                    DB_ARGS(db_u64(feed), db_str(capture_id)));
    if (e == ERR_OK)
        e = db_exec(db, sql[WORK_END],
                    DB_ARGS(db_u64(feed), db_str(capture_id)));
    return e;
}

enum err
rows_work_end(struct db *db, uint64_t feed, const char *capture_id)
{
    enum err e = db_begin(db);

    return e == ERR_OK ? db_end(db, rows_work_gone(db, feed, capture_id)) : e;
}

enum err
rows_report(struct db *db, uint64_t feed, const char *capture_id,
            const struct report_row *r)
{
    return db_exec(db, sql[REPORT],
                   DB_ARGS(db_u64(feed), db_i64(r->table_id),
                           db_str(capture_id), db_u64(r->term),
                           db_str(r->progress), db_u64(r->checkpoint_ts),
                           db_str(r->gtid)));
}

/* ---- tables come and go ---- */

static enum err
table_id_of(struct db *db, const char *schema, const char *name,
            const char *incarnation, int64_t *out)
{
    enum err e = db_one_i64(
        db, sql[TABLE_ID],
        DB_ARGS(db_str(schema), db_str(name), db_str(incarnation)), out);

    if (e != ERR_NOT_FOUND)
        return e;
    e = db_exec_one(db, sql[TABLE_ID_NEXT], DB_NO_ARGS);
    if (e == ERR_OK)
        e = db_one_i64(db, sql[TABLE_ID_GIVEN], DB_NO_ARGS, out);
    if (e == ERR_OK)
        e = db_exec(db, sql[TABLE_ID_ADD],
                    DB_ARGS(db_str(schema), db_str(name), db_str(incarnation),
                            db_i64(*out)));
    return e;
}

enum err
rows_table_add(struct db *db, uint64_t feed, const char *schema,
               const char *name, const char *incarnation, const char *gtid,
               uint64_t checkpoint)
{
    int64_t id;
    enum err e =
        db_one_i64(db, sql[TABLE_HAS],
                   DB_ARGS(db_u64(feed), db_str(schema), db_str(name)), &id);

    if (e != ERR_NOT_FOUND)
        return e;
    e = table_id_of(db, schema, name, incarnation, &id);
    if (e == ERR_OK)
        e = db_exec(db, sql[TABLE_ADD],
                    DB_ARGS(db_u64(feed), db_i64(id), db_str(schema),
                            db_str(name), db_u64(checkpoint), db_str(gtid)));
    return e;
}

enum err
rows_table_drop(struct db *db, uint64_t feed, const char *schema,
                const char *name)
{
    return db_exec(db, sql[TABLE_DROP],
                   DB_ARGS(db_u64(feed), db_str(schema), db_str(name)));
}

enum err
rows_schema_drop(struct db *db, uint64_t feed, const char *schema)
{
    return db_exec(db, sql[SCHEMA_DROP], DB_ARGS(db_u64(feed), db_str(schema)));
}

/* What was known under the new name is another table, and gone. */
enum err
rows_table_rename(struct db *db, uint64_t feed, const char *schema,
                  const char *name, const char *to_schema, const char *to_name,
                  const char *gtid)
{
    int64_t id;
    enum err e =
        db_one_i64(db, sql[TABLE_HAS],
                   DB_ARGS(db_u64(feed), db_str(schema), db_str(name)), &id);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e == ERR_OK)
        e = rows_table_drop(db, feed, to_schema, to_name);
    if (e == ERR_OK)
        e = db_exec(db, sql[TABLE_RENAME],
                    DB_ARGS(db_str(to_schema), db_str(to_name), db_u64(feed),
                            db_str(schema), db_str(name)));
    if (e == ERR_OK)
        e = db_exec(db, sql[TABLE_ID_RENAME],
                    DB_ARGS(db_str(to_schema), db_str(to_name), db_str(gtid),
                            db_i64(id)));
    return e;
}

/* ---- statements ---- */

enum err
rows_ddl(struct db *db, struct arena *a, uint64_t feed, struct ddl_row *out)
{
    return db_one(db, a, sql[DDL], DB_ARGS(db_u64(feed)), &ddl_row_rec, out);
}

/* The text is for people: one that is not UTF-8 is left out. */
enum err
rows_ddl_wait(struct db *db, uint64_t feed, const char *gtid, uint64_t ts,
              const char *schema, const char *query, size_t query_n)
{
    if (!utf8_valid(query, query_n))
        query_n = 0;
    return db_exec(db, sql[DDL_WAIT],
                   DB_ARGS(db_u64(feed), db_u64(ts), db_str(gtid),
                           db_str(schema), db_bytes(query, query_n)));
}

enum err
rows_ddl_state(struct db *db, uint64_t feed, const char *state)
{
    return db_exec_one(db, sql[DDL_STATE],
                       DB_ARGS(db_str(state), db_u64(feed)));
}

enum err
rows_ddl_done(struct db *db, uint64_t feed, const char *done_gtid)
{
    return db_exec_one(db, sql[DDL_DONE],
                       DB_ARGS(db_str(done_gtid), db_u64(feed)));
}

enum err
rows_ddl_missing(struct db *db, uint64_t feed, const char *capture_id,
                 const char *gtid, int64_t *out)
{
    return db_one_i64(db, sql[DDL_MISSING],
                      DB_ARGS(db_u64(feed), db_str(capture_id), db_str(gtid)),
                      out);
}
