/* The SQL that the interface and the captures share. */
#include "tables.h"

TABLE(ticdc_feed, TICDC_FEED);
TABLE(ticdc_capture, TICDC_CAPTURE);
TABLE(ticdc_owner, TICDC_OWNER);

#define SHORT                                                            \
    "feed, namespace, id, version, epoch, scheduled_epoch, state,"       \
    " server_id, start_ts, target_ts, checkpoint_ts, resolved_ts, gtid," \
    " file, pos, anchor_ts, error_code, error_message, error_addr,"      \
    " error_ms, tries, since_ms, again_ms, failed_at, rebalance,"        \
    " balanced_ms, creator_version, create_ms, changed_ms, rewound_epoch"
#define WHOLE SHORT ", sink_uri, config, CAST(feed AS CHAR) AS secret_row"

enum { GET, OF, LIST, TURN, CAPTURES, OWNER, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [GET] = "SELECT " WHOLE " FROM ticdc_changefeed"
            " WHERE namespace = ? AND id = ?",
    [OF] = "SELECT " WHOLE " FROM ticdc_changefeed WHERE feed = ?",
    [LIST] = "SELECT " SHORT " FROM ticdc_changefeed ORDER BY namespace, id",
    [TURN] = "UPDATE ticdc_changefeed SET state = ?, tries = ?, since_ms = ?,"
             " again_ms = ?, failed_at = ?, epoch = ?, changed_ms = ?,"
             " error_code = ?, error_message = ?, error_addr = ?, error_ms = ?"
             " WHERE feed = ? AND epoch = ? AND state = ? AND tries = ?"
             " AND version = ?",
    [CAPTURES] = "SELECT capture_id, name, owner, address, version, git_hash,"
                 " pid, started_ms, liveness, log_level, expires_ms,"
                 " " DB_NOW_MS " AS now_ms FROM ticdc_capture"
                 " WHERE expires_ms > " DB_NOW_MS " ORDER BY capture_id",
    [OWNER] = "SELECT o.epoch, o.capture_id, o.ready_epoch FROM ticdc_owner o"
              " JOIN lease l ON l.name = '" TICDC_OWNER_LEASE "'"
              " AND l.epoch = o.epoch AND l.expires_ms > " DB_NOW_MS
              " JOIN ticdc_capture c ON c.capture_id = o.capture_id"
              " AND c.expires_ms > " DB_NOW_MS " WHERE o.one = 1",
};

enum err
ticdc_feed_get(struct db *db, struct arena *a, const char *namespace,
               const char *id, struct ticdc_feed *out)
{
    return db_one(db, a, sql[GET], DB_ARGS(db_str(namespace), db_str(id)),
                  &ticdc_feed_rec, out);
}

enum err
ticdc_feed_of(struct db *db, struct arena *a, uint64_t feed,
              struct ticdc_feed *out)
{
    return db_one(db, a, sql[OF], DB_ARGS(db_u64(feed)), &ticdc_feed_rec, out);
}

enum err
ticdc_feed_list(struct db *db, struct arena *a, struct list_of_ticdc_feed *out)
{
    return db_list(db, a, sql[LIST], DB_NO_ARGS, &ticdc_feed_rec,
                   TICDC_FEEDS_MAX, out);
}

struct health
ticdc_feed_health(const struct ticdc_feed *f)
{
    return (struct health){ .state = health_of_word(f->state),
                            .tries = (unsigned)f->tries,
                            .since_ms = f->since_ms,
                            .again_ms = f->again_ms,
                            .failed_at = f->failed_at };
}

enum err
ticdc_feed_turn(struct db *db, struct ticdc_feed *f, const struct health *now)
{
    struct ticdc_feed next = *f;
    int64_t now_ms;
    bool well = now->state == HEALTH_NORMAL;
    enum err e;

    e = db_one_i64(db, "SELECT " DB_NOW_MS, DB_NO_ARGS, &now_ms);
    if (e != ERR_OK)
        return e;
    next.state = health_word(now->state);
    next.tries = now->tries;
    next.since_ms = now->since_ms;
    next.again_ms = now->again_ms;
    next.failed_at = now->failed_at;
    if (health_runs(now->state) != health_runs(health_of_word(f->state))) {
        next.epoch++;
        next.changed_ms = now_ms;
    }
    if (well && now->tries == 0) {
        next.error_code = next.error_message = next.error_addr = "";
        next.error_ms = 0;
    }
    e = db_exec_one(db, sql[TURN],
                    DB_ARGS(db_str(next.state), db_i64(next.tries),
                            db_i64(next.since_ms), db_i64(next.again_ms),
                            db_u64(next.failed_at), db_u64(next.epoch),
                            db_i64(next.changed_ms), db_str(next.error_code),
                            db_str(next.error_message), db_str(next.error_addr),
                            db_i64(next.error_ms), db_u64(f->feed),
                            db_u64(f->epoch), db_str(f->state),
                            db_i64(f->tries), db_u64(f->version)));
    if (e == ERR_NOT_FOUND)
        return ERR_STATE;
    if (e == ERR_OK)
        *f = next;
    return e;
}

enum err
ticdc_capture_list(struct db *db, struct arena *a,
                   struct list_of_ticdc_capture *out)
{
    return db_list(db, a, sql[CAPTURES], DB_NO_ARGS, &ticdc_capture_rec,
                   TICDC_CAPTURES_MAX, out);
}

enum err
ticdc_owner_get(struct db *db, struct arena *a, struct ticdc_owner *out)
{
    return db_one(db, a, sql[OWNER], DB_NO_ARGS, &ticdc_owner_rec, out);
}
