/* The SQL of rowsets: visible ones, those of transactions and compactions under
 * way, those to be removed. */
#include "doris/doris.h"
#include "rowset.h"
#include "rpc.h"
#include "tablet.h"
#include "doris/txn/txn.h"

#define ROWSETS_MAX 65536

enum {
    ROWSETS,
    ROWSET_ADD,
    ROWSET_FIND,
    ROWSETS_OVERLAP,
    ROWSETS_RECYCLE,
    ROWSETS_REMOVE,
    TMP,
    TMP_ADD,
    TMP_DROP,
    TMP_DONE,
    TMP_RECYCLE,
    STRAY_RECYCLE,
    STRAY_DROP,
    PENDING,
    PREPARE,
    PREPARED_DROP,
    RECYCLABLE,
    SQL__MAX
};

/* Of the tablet r: rows that belong to no transaction. */
#define OF_NO_TXN                                                   \
    " LEFT JOIN doris_txn t ON t.seq = r.txn_id >> 10"              \
    " AND t.seq << 10 = r.txn_id AND t.instance_id = r.instance_id" \
    " WHERE r.instance_id = ? AND r.tablet_id = ? AND t.seq IS NULL"

static const char *const sql[SQL__MAX] = {
    [ROWSETS] = "SELECT body FROM doris_rowset" OF_TABLET
                " AND version BETWEEN ? AND ? ORDER BY version",
    [ROWSET_ADD] = "INSERT INTO doris_rowset (instance_id, tablet_id, version,"
                   " start_version, rowset_id, body) VALUES (?, ?, ?, ?, ?, ?)",
    /* found: enum doris_rowset_found */
    [ROWSET_FIND] = "SELECT 3 AS found, body FROM doris_rowset_tmp"
                    " WHERE instance_id = ? AND txn_id = ? AND tablet_id = ?"
                    " UNION ALL SELECT 2, body FROM doris_rowset" OF_TABLET
                    " AND rowset_id = ?"
                    " UNION ALL SELECT type = 'PREPARE', body"
                    " FROM doris_rowset_recycle" OF_TABLET " AND rowset_id = ?"
                    " ORDER BY found DESC LIMIT 1",
    [ROWSETS_OVERLAP] =
        "SELECT COUNT(*) AS n, COALESCE(SUM(start_version < ? OR version > ?),"
        " 0) AS torn FROM doris_rowset" OF_TABLET
        " AND version >= ? AND start_version <= ?",
    [ROWSETS_RECYCLE] =
        "INSERT INTO doris_rowset_recycle (instance_id, tablet_id, rowset_id,"
        " type, creation_time, body)"
        " SELECT instance_id, tablet_id, rowset_id, 'COMPACT', ?, body"
        " FROM doris_rowset" OF_TABLET " AND version BETWEEN ? AND ?"
        " ON DUPLICATE KEY UPDATE type = 'COMPACT',"
        " creation_time = VALUES(creation_time)",
    [ROWSETS_REMOVE] =
        "DELETE FROM doris_rowset" OF_TABLET " AND version BETWEEN ? AND ?",
    [TMP] = "SELECT body FROM doris_rowset_tmp WHERE instance_id = ?"
            " AND txn_id = ? AND tablet_id = ?",
    [TMP_ADD] = "INSERT INTO doris_rowset_tmp (instance_id, txn_id,"
                " tablet_id, rowset_id, body) VALUES (?, ?, ?, ?, ?)",
    [TMP_DROP] = "DELETE FROM doris_rowset_tmp WHERE instance_id = ?"
                 " AND txn_id = ? AND tablet_id = ?",
    [TMP_DONE] = "DELETE FROM doris_rowset_tmp WHERE instance_id = ?"
                 " AND txn_id = ?",
    [TMP_RECYCLE] =
        "INSERT INTO doris_rowset_recycle (instance_id, tablet_id, rowset_id,"
        " type, creation_time, body)"
        " SELECT instance_id, tablet_id, rowset_id, 'DROP', ?, body"
        " FROM doris_rowset_tmp WHERE instance_id = ? AND txn_id = ?"
        " ORDER BY doris_rowset_tmp.tablet_id"
        " ON DUPLICATE KEY UPDATE type = 'DROP',"
        " creation_time = VALUES(creation_time)",
    [STRAY_RECYCLE] =
        "INSERT INTO doris_rowset_recycle (instance_id, tablet_id, rowset_id,"
        " type, creation_time, body)"
        " SELECT r.instance_id, r.tablet_id, r.rowset_id, 'DROP', ?, r.body"
        " FROM doris_rowset_tmp r" OF_NO_TXN
        " ON DUPLICATE KEY UPDATE type = 'DROP',"
        " creation_time = VALUES(creation_time)",
    [STRAY_DROP] = "DELETE r FROM doris_rowset_tmp r" OF_NO_TXN,
    [PENDING] =
        "SELECT r.tablet_id, COALESCE(t.db_id, -1) AS db_id, t.table_id,"
        " t.partition_id, r.body FROM doris_rowset_tmp r JOIN doris_tablet t"
        " ON t.instance_id = r.instance_id AND t.tablet_id = r.tablet_id"
        " WHERE r.instance_id = ? AND r.txn_id = ? ORDER BY r.tablet_id"
        " FOR UPDATE",
    [PREPARE] = "INSERT INTO doris_rowset_recycle (instance_id, tablet_id,"
                " rowset_id, type, creation_time, body)"
                " VALUES (?, ?, ?, 'PREPARE', ?, ?)",
    [PREPARED_DROP] = "DELETE FROM doris_rowset_recycle" OF_TABLET
                      " AND rowset_id = ? AND type = 'PREPARE'",
    [RECYCLABLE] = "SELECT creation_time, type, body"
                   " FROM doris_rowset_recycle" OF_TABLET " AND rowset_id = ?",
};

/* ---- visible ones ---- */

const char *
doris_rowset_name(struct arena *a, const struct doris_rowset *rs)
{
    const char *s;

    if (!str_empty(rs->rowset_id_v2))
        return rs->rowset_id_v2;
    s = arena_printf(a, "%lld", (long long)rs->rowset_id);
    return s == NULL ? "" : s;
}

/* Rows with nothing but a body. */
#define BODY_ROW(X, s) X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_body_row, BODY_ROW);
TABLE(doris_body_row, BODY_ROW);
LIST_OF(doris_body_row);

enum err
doris_store_rowsets(struct db *db, struct arena *a, const char *instance_id,
                    int64_t tablet_id, int64_t from, int64_t to,
                    struct list_of_doris_rowset *out)
{
    struct list_of_doris_body_row list = { 0, NULL };
    enum err e;

    e = db_list(db, a, sql[ROWSETS],
                DB_ARGS(db_str(instance_id), db_i64(tablet_id), db_i64(from),
                        db_i64(to)),
                &doris_body_row_rec, ROWSETS_MAX, &list);
    out->n = e == ERR_OK ? list.n : 0;
    out->v = arena_array(a, list.n, sizeof(*out->v));
    if (e == ERR_OK && out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < list.n && e == ERR_OK; i++)
        e = doris_doc_parse(a, list.v[i].body, &doris_rowset_rec, &out->v[i]);
    return e;
}

enum err
doris_store_rowset_add(struct db *db, struct arena *a, const char *instance_id,
                       const struct doris_rowset *rs)
{
    const char *body;
    enum err e = doris_doc_render(a, &doris_rowset_rec, rs, &body);

    if (e != ERR_OK)
        return e;
    return db_later(db, sql[ROWSET_ADD],
                    DB_ARGS(db_str(instance_id), db_i64(rs->tablet_id),
                            db_i64(rs->end_version), db_i64(rs->start_version),
                            db_str(doris_rowset_name(a, rs)), db_str(body)));
}

#define FOUND_ROW(X, s)                       \
    X(s, I64, found, "found", COLUMN_ONLY, -) \
    X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_found_row, FOUND_ROW);
TABLE(doris_found_row, FOUND_ROW);

enum err
doris_store_rowset_find(struct db *db, struct arena *a, const char *instance_id,
                        const struct doris_rowset *like,
                        enum doris_rowset_found *found,
                        struct doris_rowset *out)
{
    const char *name = doris_rowset_name(a, like);
    struct db_value iid = db_str(instance_id);
    struct db_value tablet = db_i64(like->tablet_id);
    struct doris_found_row row;
    enum err e;

    e = db_one(db, a, sql[ROWSET_FIND],
               DB_ARGS(iid, db_i64(like->txn_id), tablet, iid, tablet,
                       db_str(name), iid, tablet, db_str(name)),
               &doris_found_row_rec, &row);
    *found = e == ERR_OK ? (enum doris_rowset_found)row.found : DORIS_NOWHERE;
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    return e == ERR_OK ? doris_doc_parse(a, row.body, &doris_rowset_rec, out)
                       : e;
}

#define OVERLAP_ROW(X, s)             \
    X(s, I64, n, "n", COLUMN_ONLY, -) \
    X(s, I64, torn, "torn", COLUMN_ONLY, -)
STRUCT(doris_overlap_row, OVERLAP_ROW);
TABLE(doris_overlap_row, OVERLAP_ROW);

enum err
doris_store_rowsets_whole(struct db *db, struct arena *a,
                          const char *instance_id, int64_t tablet_id,
                          int64_t from, int64_t to)
{
    struct doris_overlap_row row;
    enum err e;

    e = db_one(db, a, sql[ROWSETS_OVERLAP],
               DB_ARGS(db_i64(from), db_i64(to), db_str(instance_id),
                       db_i64(tablet_id), db_i64(from), db_i64(to)),
               &doris_overlap_row_rec, &row);
    if (e != ERR_OK)
        return e;
    return row.torn > 0 ? ERR_STATE : row.n == 0 ? ERR_NOT_FOUND : ERR_OK;
}

enum err
doris_store_rowsets_recycle(struct db *db, const char *instance_id,
                            int64_t tablet_id, int64_t from, int64_t to,
                            int64_t now)
{
    enum err e;

    e = db_later(db, sql[ROWSETS_RECYCLE],
                 DB_ARGS(db_i64(now), db_str(instance_id), db_i64(tablet_id),
                         db_i64(from), db_i64(to)));
    if (e == ERR_OK)
        e = db_later(db, sql[ROWSETS_REMOVE],
                     DB_ARGS(db_str(instance_id), db_i64(tablet_id),
                             db_i64(from), db_i64(to)));
    return e;
}

/* ---- those under way ---- */

enum err
doris_store_tmp(struct db *db, struct arena *a, const char *instance_id,
                int64_t txn_id, int64_t tablet_id, struct doris_rowset *out)
{
    return doris_store_body(
        db, a, sql[TMP],
        DB_ARGS(db_str(instance_id), db_i64(txn_id), db_i64(tablet_id)),
        &doris_rowset_rec, out);
}

enum err
doris_store_tmp_add(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_rowset *rs)
{
    const char *body;
    enum err e = doris_doc_render(a, &doris_rowset_rec, rs, &body);

    if (e != ERR_OK)
        return e;
    return db_later(db, sql[TMP_ADD],
                    DB_ARGS(db_str(instance_id), db_i64(rs->txn_id),
                            db_i64(rs->tablet_id),
                            db_str(doris_rowset_name(a, rs)), db_str(body)));
}

enum err
doris_store_tmp_drop(struct db *db, const char *instance_id, int64_t txn_id,
                     int64_t tablet_id)
{
    return db_later_one(
        db, sql[TMP_DROP],
        DB_ARGS(db_str(instance_id), db_i64(txn_id), db_i64(tablet_id)));
}

enum err
doris_store_tmp_done(struct db *db, const char *instance_id, int64_t txn_id)
{
    return db_later(db, sql[TMP_DONE],
                    DB_ARGS(db_str(instance_id), db_i64(txn_id)));
}

enum err
doris_store_tmp_abort(struct db *db, const char *instance_id, int64_t txn_id,
                      int64_t now)
{
    enum err e;

    e = db_later(db, sql[TMP_RECYCLE],
                 DB_ARGS(db_i64(now), db_str(instance_id), db_i64(txn_id)));
    return e == ERR_OK ? doris_store_tmp_done(db, instance_id, txn_id) : e;
}

enum err
doris_store_tmp_stray(struct db *db, const char *instance_id, int64_t tablet_id,
                      int64_t now)
{
    enum err e;

    e = db_later(db, sql[STRAY_RECYCLE],
                 DB_ARGS(db_i64(now), db_str(instance_id), db_i64(tablet_id)));
    if (e == ERR_OK)
        e = db_later(db, sql[STRAY_DROP],
                     DB_ARGS(db_str(instance_id), db_i64(tablet_id)));
    return e;
}

TABLE(doris_pending, DORIS_PENDING);

enum err
doris_store_pending(struct db *db, struct arena *a, const char *instance_id,
                    int64_t txn_id, struct list_of_doris_pending *out)
{
    enum err e;

    e = db_list(db, a, sql[PENDING],
                DB_ARGS(db_str(instance_id), db_i64(txn_id)),
                &doris_pending_rec, ROWSETS_MAX, out);
    for (size_t i = 0; e == ERR_OK && i < out->n; i++) {
        struct doris_pending *p = &out->v[i];

        p->rowset = arena_alloc(a, sizeof(*p->rowset));
        e = p->rowset == NULL
                ? ERR_NOMEM
                : doris_doc_parse(a, p->body, &doris_rowset_rec, p->rowset);
    }
    return e;
}

enum err
doris_store_prepare(struct db *db, struct arena *a, const char *instance_id,
                    const struct doris_rowset *rs, int64_t now)
{
    const char *body;
    enum err e = doris_doc_render(a, &doris_rowset_rec, rs, &body);

    if (e != ERR_OK)
        return e;
    return db_later(db, sql[PREPARE],
                    DB_ARGS(db_str(instance_id), db_i64(rs->tablet_id),
                            db_str(doris_rowset_name(a, rs)), db_i64(now),
                            db_str(body)));
}

enum err
doris_store_prepared_drop(struct db *db, const char *instance_id,
                          int64_t tablet_id, const char *name)
{
    return db_later_one(
        db, sql[PREPARED_DROP],
        DB_ARGS(db_str(instance_id), db_i64(tablet_id), db_str(name)));
}

#define RECYCLABLE_ROW(X, s)                                  \
    X(s, I64, creation_time, "creation_time", COLUMN_ONLY, -) \
    X(s, STR, type, "type", COLUMN_ONLY, -)                   \
    X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_recyclable_row, RECYCLABLE_ROW);
TABLE(doris_recyclable_row, RECYCLABLE_ROW);

enum err
doris_store_recyclable(struct db *db, struct arena *a, const char *instance_id,
                       int64_t tablet_id, const char *name,
                       struct doris_rowset_recycle *out)
{
    struct doris_recyclable_row row;
    enum err e;

    *out = (struct doris_rowset_recycle){ 0 };
    e = db_one(db, a, sql[RECYCLABLE],
               DB_ARGS(db_str(instance_id), db_i64(tablet_id), db_str(name)),
               &doris_recyclable_row_rec, &row);
    if (e != ERR_OK)
        return e;
    PUT(out, doris_rowset_recycle, creation_time, row.creation_time);
    PUT(out, doris_rowset_recycle, type, row.type);
    out->rowset_meta = arena_alloc(a, sizeof(*out->rowset_meta));
    if (out->rowset_meta == NULL)
        return ERR_NOMEM;
    return doris_doc_parse(a, row.body, &doris_rowset_rec, out->rowset_meta);
}
