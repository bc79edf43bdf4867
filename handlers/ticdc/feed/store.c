/* The SQL of what clients do with changefeeds. */
#include "change.h"

#include <stdio.h>

#include "ticdc/store/rows.h"

TABLE(ticdc_feed_error, TICDC_FEED_ERROR);

#define ERRORS_MAX 20

enum {
    FEED_NEXT,
    FEED_GIVEN,
    INSERT,
    SAVE,
    DROP,
    DROP_ERRORS,
    DROP_TABLES,
    DROP_REPORTS,
    DROP_DDL,
    DROP_XA,
    DROP_MOVES,
    REWIND,
    LEFT,
    BEGUN,
    ERRORS,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [FEED_NEXT] = "UPDATE ticdc_state SET next_feed = next_feed + 1"
                  " WHERE one = 1",
    [FEED_GIVEN] = "SELECT CAST(next_feed - 1 AS SIGNED) FROM ticdc_state"
                   " WHERE one = 1",
    [INSERT] = "INSERT INTO ticdc_changefeed (feed, namespace, id, version,"
               " epoch, scheduled_epoch, state, sink_uri, config, server_id,"
               " start_ts, target_ts, checkpoint_ts, resolved_ts, gtid, file,"
               " pos, anchor_ts, error_code, error_message, error_addr,"
               " error_ms, tries, since_ms, again_ms, failed_at, rebalance,"
               " balanced_ms, creator_version, create_ms, changed_ms)"
               " VALUES (?, ?, ?, 1, 1, 0, 'normal', ?, ?, ?, ?, ?, ?, ?, ?,"
               " ?, ?, ?, '', '', '', 0, 0, 0, 0, 0, 0, 0, ?, " DB_NOW_MS
               ", " DB_NOW_MS ")",
    [SAVE] = "UPDATE ticdc_changefeed SET version = version + 1,"
             " target_ts = ?, sink_uri = ?, config = ?"
             " WHERE feed = ? AND version = ? AND state = ?",
    [DROP] = "DELETE FROM ticdc_changefeed WHERE feed = ?",
    [DROP_ERRORS] = "DELETE FROM ticdc_changefeed_error WHERE feed = ?",
    [DROP_TABLES] = "DELETE FROM ticdc_table WHERE feed = ?",
    [DROP_REPORTS] = "DELETE FROM ticdc_report WHERE feed = ?",
    [DROP_DDL] = "DELETE FROM ticdc_ddl WHERE feed = ?",
    [DROP_XA] = "DELETE FROM ticdc_xa WHERE feed = ?",
    [DROP_MOVES] = "DELETE FROM ticdc_move WHERE feed = ?",
    [REWIND] = "UPDATE ticdc_changefeed SET version = version + 1, gtid = ?,"
               " file = ?, pos = ?, anchor_ts = ?, checkpoint_ts = ?,"
               " resolved_ts = ?, rewound_epoch = epoch WHERE feed = ?",
    [LEFT] = "SELECT COUNT(*) FROM ticdc_work w JOIN ticdc_capture c"
             " ON c.capture_id = w.capture_id AND c.expires_ms > " DB_NOW_MS
             " WHERE w.feed = ? AND w.epoch <> ?",
    [BEGUN] = "SELECT COUNT(*) FROM ticdc_work WHERE feed = ? AND epoch = ?",
    [ERRORS] = "SELECT at_ms, code, message, addr, again_ms"
               " FROM ticdc_changefeed_error WHERE feed = ?"
               " ORDER BY seq DESC LIMIT " XSTR(ERRORS_MAX),
};

enum err
ticdc_feed_insert(struct db *db, struct ticdc_feed *f)
{
    uint64_t server;
    int64_t feed;
    char row[24];
    enum err e;

    e = db_exec_one(db, sql[FEED_NEXT], DB_NO_ARGS);
    if (e == ERR_OK)
        e = db_one_i64(db, sql[FEED_GIVEN], DB_NO_ARGS, &feed);
    if (e == ERR_OK)
        e = rows_server_id(db, &server);
    if (e != ERR_OK)
        return e;
    f->feed = (uint64_t)feed;
    snprintf(row, sizeof(row), "%lld", (long long)feed);
    return db_exec(
        db, sql[INSERT],
        DB_ARGS(db_u64(f->feed), db_str(f->namespace), db_str(f->id),
                db_secret("ticdc_changefeed", row, "sink_uri", f->sink_uri),
                db_secret("ticdc_changefeed", row, "config", f->config),
                db_u64(server), db_u64(f->start_ts), db_u64(f->target_ts),
                db_u64(f->start_ts), db_u64(f->start_ts), db_str(f->gtid),
                db_str(f->file), db_u64(f->pos), db_u64(f->anchor_ts),
                db_str(f->creator_version)));
}

enum err
ticdc_feed_save(struct db *db, const struct ticdc_feed *f)
{
    char row[24];
    enum err e;

    snprintf(row, sizeof(row), "%llu", (unsigned long long)f->feed);
    e = db_exec_one(
        db, sql[SAVE],
        DB_ARGS(db_u64(f->target_ts),
                db_secret("ticdc_changefeed", row, "sink_uri", f->sink_uri),
                db_secret("ticdc_changefeed", row, "config", f->config),
                db_u64(f->feed), db_u64(f->version), db_str(f->state)));
    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

enum err
ticdc_feed_delete(struct db *db, uint64_t feed)
{
    enum err e = db_exec_one(db, sql[DROP], DB_ARGS(db_u64(feed)));

    for (int i = DROP_ERRORS; e == ERR_OK && i <= DROP_MOVES; i++)
        e = db_exec(db, sql[i], DB_ARGS(db_u64(feed)));
    return e;
}

enum err
ticdc_feed_rewind(struct db *db, const struct ticdc_feed *f)
{
    enum err e =
        db_exec_one(db, sql[REWIND],
                    DB_ARGS(db_str(f->gtid), db_str(f->file), db_u64(f->pos),
                            db_u64(f->anchor_ts), db_u64(f->checkpoint_ts),
                            db_u64(f->resolved_ts), db_u64(f->feed)));

    for (int i = DROP_TABLES; e == ERR_OK && i <= DROP_XA; i++)
        e = db_exec(db, sql[i], DB_ARGS(db_u64(f->feed)));
    return e;
}

enum err
ticdc_work_left(struct db *db, uint64_t feed, uint64_t but, int64_t *out)
{
    return db_one_i64(db, sql[LEFT], DB_ARGS(db_u64(feed), db_u64(but)), out);
}

enum err
ticdc_work_begun(struct db *db, uint64_t feed, uint64_t epoch, int64_t *out)
{
    return db_one_i64(db, sql[BEGUN], DB_ARGS(db_u64(feed), db_u64(epoch)),
                      out);
}

enum err
ticdc_feed_errors(struct db *db, struct arena *a, uint64_t feed,
                  struct list_of_ticdc_feed_error *out)
{
    return db_list(db, a, sql[ERRORS], DB_ARGS(db_u64(feed)),
                   &ticdc_feed_error_rec, ERRORS_MAX, out);
}
