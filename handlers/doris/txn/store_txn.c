/* The SQL of transactions. A transaction's record is its body; label, state
 * and time-out are columns too, since they are searched and must be unique. */
#include "clock.h"
#include "doris/doris.h"
#include "doris/data/rowset.h"
#include "txn.h"

enum {
    LIVE,
    IDS,
    NEWEST,
    ADD,
    BY_ID,
    LOCK,
    SHARE,
    SAVE,
    DEADLINE,
    OVERDUE,
    SQL__MAX
};

#define COLUMNS  "SELECT seq << 10 AS txn_id, body FROM doris_txn"
#define OF_LABEL " WHERE instance_id = ? AND db_id = ? AND label = ?"
#define OF_ID    " WHERE seq = ? AND instance_id = ?"

static const char *const sql[SQL__MAX] = {
    [LIVE] = COLUMNS OF_LABEL " AND live = 1",
    [IDS] = "SELECT seq << 10 AS v FROM doris_txn" OF_LABEL " ORDER BY seq",
    [NEWEST] = COLUMNS OF_LABEL " ORDER BY seq DESC LIMIT 1",
    [ADD] = "INSERT INTO doris_txn (instance_id, db_id, label, live, status,"
            " deadline_ms, body) VALUES (?, ?, ?, 1, ?, ?, ?)",
    [BY_ID] = COLUMNS OF_ID,
    [LOCK] = COLUMNS OF_ID " FOR UPDATE",
    [SHARE] = COLUMNS OF_ID " LOCK IN SHARE MODE",
    [SAVE] = "UPDATE doris_txn SET live = ?, status = ?, deadline_ms = ?,"
             " finish_time = ?, body = ?" OF_ID,
    [DEADLINE] = "SELECT deadline_ms FROM doris_txn" OF_ID,
    [OVERDUE] = "SELECT seq << 10 AS txn_id, instance_id FROM doris_txn"
                " WHERE deadline_ms < ? ORDER BY deadline_ms, seq LIMIT ?",
};

#define TXN_ROW(X, s)                           \
    X(s, I64, txn_id, "txn_id", COLUMN_ONLY, -) \
    X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_txn_row, TXN_ROW);
TABLE(doris_txn_row, TXN_ROW);
TABLE(doris_overdue_txn, DORIS_OVERDUE_TXN);

/* The body is written before the id is known, so it does not hold it. */
static enum err
read_txn(struct db *db, struct arena *a, const char *statement,
         struct db_args args, struct doris_txn *out)
{
    struct doris_txn_row row;
    enum err e;

    e = db_one(db, a, statement, args, &doris_txn_row_rec, &row);
    if (e == ERR_OK)
        e = doris_doc_parse(a, row.body, &doris_txn_rec, out);
    if (e != ERR_OK)
        return e;
    PUT(out, doris_txn, txn_id, row.txn_id);
    return ERR_OK;
}

static enum err
txn_body(struct arena *a, const struct doris_txn *t, const char **out)
{
    struct doris_txn plain = *t;

    UNSET(&plain, doris_txn, txn_id);
    return doris_doc_render(a, &doris_txn_rec, &plain, out);
}

/* An id whose low bits are not free is none that was ever given. */
static enum err
by_id(struct db *db, struct arena *a, const char *statement,
      const char *instance_id, int64_t txn_id, struct doris_txn *out)
{
    if (txn_id <= 0 || (txn_id & ((1 << DORIS_TXN_SHIFT) - 1)) != 0)
        return ERR_NOT_FOUND;
    return read_txn(
        db, a, statement,
        DB_ARGS(db_i64(txn_id >> DORIS_TXN_SHIFT), db_str(instance_id)), out);
}

enum err
doris_store_txn(struct db *db, struct arena *a, const char *instance_id,
                int64_t txn_id, struct doris_txn *out)
{
    return by_id(db, a, sql[BY_ID], instance_id, txn_id, out);
}

enum err
doris_store_txn_lock(struct db *db, struct arena *a, const char *instance_id,
                     int64_t txn_id, struct doris_txn *out)
{
    return by_id(db, a, sql[LOCK], instance_id, txn_id, out);
}

enum err
doris_store_txn_share(struct db *db, struct arena *a, const char *instance_id,
                      int64_t txn_id, struct doris_txn *out)
{
    return by_id(db, a, sql[SHARE], instance_id, txn_id, out);
}

static enum err
by_label(struct db *db, struct arena *a, const char *statement,
         const char *instance_id, int64_t db_id, const char *label,
         struct doris_txn *out)
{
    return read_txn(db, a, statement,
                    DB_ARGS(db_str(instance_id), db_i64(db_id), db_str(label)),
                    out);
}

enum err
doris_store_txn_live(struct db *db, struct arena *a, const char *instance_id,
                     int64_t db_id, const char *label, struct doris_txn *out)
{
    return by_label(db, a, sql[LIVE], instance_id, db_id, label, out);
}

enum err
doris_store_txn_newest(struct db *db, struct arena *a, const char *instance_id,
                       int64_t db_id, const char *label, struct doris_txn *out)
{
    return by_label(db, a, sql[NEWEST], instance_id, db_id, label, out);
}

enum err
doris_store_txn_ids(struct db *db, struct arena *a, const char *instance_id,
                    int64_t db_id, const char *label, struct doris_label *out)
{
    *out = (struct doris_label){ 0 };
    return db_list(db, a, sql[IDS],
                   DB_ARGS(db_str(instance_id), db_i64(db_id), db_str(label)),
                   &I64_rec, 2 * DORIS_ABORTED_MAX, &out->txn_ids);
}

enum err
doris_store_txn_add(struct db *db, struct arena *a, const char *instance_id,
                    int64_t deadline_ms, struct doris_txn *t)
{
    const char *body;
    enum err e;

    e = txn_body(a, t, &body);
    if (e == ERR_OK)
        e = db_exec(
            db, sql[ADD],
            DB_ARGS(db_str(instance_id), db_i64(t->db_id), db_str(t->label),
                    db_str(enum_text(doris_txn_status_names, t->status)),
                    db_i64(deadline_ms), db_str(body)));
    if (e == ERR_OK) {
        PUT(t, doris_txn, txn_id, (int64_t)db_insert_id(db) << DORIS_TXN_SHIFT);
    }
    return e;
}

enum err
doris_store_txn_save(struct db *db, struct arena *a, const char *instance_id,
                     int64_t deadline_ms, const struct doris_txn *t)
{
    bool live = t->status != DORIS_TXN_ABORTED;
    const char *body;
    enum err e;

    e = txn_body(a, t, &body);
    if (e != ERR_OK)
        return e;
    return db_later_one(
        db, sql[SAVE],
        DB_ARGS(live ? db_i64(1) : db_null(),
                db_str(enum_text(doris_txn_status_names, t->status)),
                deadline_ms > 0 ? db_i64(deadline_ms) : db_null(),
                HAS(t, doris_txn, finish_time) ? db_i64(t->finish_time)
                                               : db_null(),
                db_str(body), db_i64(t->txn_id >> DORIS_TXN_SHIFT),
                db_str(instance_id)));
}

enum err
doris_store_txn_deadline(struct db *db, const char *instance_id, int64_t txn_id,
                         int64_t *out)
{
    return db_one_i64(
        db, sql[DEADLINE],
        DB_ARGS(db_i64(txn_id >> DORIS_TXN_SHIFT), db_str(instance_id)), out);
}

enum err
doris_store_txn_overdue(struct db *db, struct arena *a, int64_t now_ms,
                        size_t max, struct list_of_doris_overdue_txn *out)
{
    return db_list(db, a, sql[OVERDUE], DB_ARGS(db_i64(now_ms), db_u64(max)),
                   &doris_overdue_txn_rec, max, out);
}

enum err
doris_txn_abort(struct db *db, struct arena *a, const char *instance_id,
                const char *reason, struct doris_txn *t)
{
    int64_t now_ms = clock_unix_ms();
    enum err e;

    PUT(t, doris_txn, status, DORIS_TXN_ABORTED);
    PUT(t, doris_txn, finish_time, now_ms);
    PUT(t, doris_txn, reason, reason);
    e = doris_store_txn_save(db, a, instance_id, 0, t);
    if (e == ERR_OK)
        e = doris_store_tmp_abort(db, instance_id, t->txn_id, now_ms / 1000);
    return e;
}

enum err
doris_txn_expire(struct db *db, struct arena *a, const char *instance_id,
                 int64_t now_ms, struct doris_txn *t)
{
    int64_t deadline_ms;
    enum err e;

    e = doris_store_txn_lock(db, a, instance_id, t->txn_id, t);
    if (e != ERR_OK)
        return e;
    e = doris_store_txn_deadline(db, instance_id, t->txn_id, &deadline_ms);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && deadline_ms > now_ms))
        return ERR_OK;
    return e == ERR_OK
               ? doris_txn_abort(db, a, instance_id, DORIS_TXN_EXPIRED, t)
               : e;
}
