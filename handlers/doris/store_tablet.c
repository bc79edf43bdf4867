/* The SQL of tablets: their rowsets, statistics, schemas, versions, jobs.
 * Records are kept as JSON (body) beside the columns that are searched or
 * counted with. */
#include <stdio.h>
#include <string.h>

#include "store_rpc.h"

#define ROWSETS_MAX 65536

enum {
    SHARE,
    TABLET_ADD,
    TABLET_REPLACE,
    TABLET_SAVE,
    TABLET,
    TABLET_LOCK,
    STATS,
    STATS_ADD,
    STATS_SET,
    SCHEMA_PUT,
    SCHEMA,
    ROWSETS_DROP,
    TMP_DROP_TABLET,
    RECYCLE_DROP_TABLET,
    JOB_DROP,
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
    PENDING,
    PREPARE,
    PREPARED_DROP,
    RECYCLABLE,
    VERSION_BUMP,
    VERSION,
    JOB,
    JOB_PUT,
    SQL__MAX
};

#define OF_TABLET " WHERE instance_id = ? AND tablet_id = ?"

static const char *const sql[SQL__MAX] = {
    [SHARE] = "SELECT status FROM doris_instance WHERE instance_id = ?"
              " LOCK IN SHARE MODE",
    [TABLET_ADD] =
        "INSERT INTO doris_tablet (instance_id, tablet_id, db_id, table_id,"
        " index_id, partition_id, schema_version, state, body, data_size,"
        " num_rows, num_rowsets, num_segments, base_compaction_cnt,"
        " cumulative_compaction_cnt, cumulative_point)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, 0, 0, 0, 2)"
        " ON DUPLICATE KEY UPDATE version = version + 1",
    [TABLET_REPLACE] =
        "UPDATE doris_tablet SET db_id = ?, table_id = ?, index_id = ?,"
        " partition_id = ?, schema_version = ?, state = ?, body = ?,"
        " data_size = 0, num_rows = 0, num_rowsets = 1, num_segments = 0,"
        " base_compaction_cnt = 0, cumulative_compaction_cnt = 0,"
        " cumulative_point = 2, last_base_compaction_time_ms = NULL,"
        " last_cumu_compaction_time_ms = NULL, full_compaction_cnt = NULL,"
        " last_full_compaction_time_ms = NULL, index_size = NULL,"
        " segment_size = NULL" OF_TABLET,
    [TABLET_SAVE] = "UPDATE doris_tablet SET state = ?, body = ?" OF_TABLET,
    [TABLET] = "SELECT db_id, body FROM doris_tablet" OF_TABLET,
    [TABLET_LOCK] = "UPDATE doris_tablet SET version = version + 1" OF_TABLET,
    [STATS] =
        "SELECT db_id, table_id, index_id, partition_id, tablet_id, state,"
        " GREATEST(data_size, 0) AS data_size, num_rows, num_rowsets,"
        " num_segments, base_compaction_cnt, cumulative_compaction_cnt,"
        " cumulative_point, last_base_compaction_time_ms,"
        " last_cumu_compaction_time_ms, full_compaction_cnt,"
        " last_full_compaction_time_ms, index_size, segment_size"
        " FROM doris_tablet" OF_TABLET,
    [STATS_ADD] =
        "UPDATE doris_tablet SET version = version + 1,"
        " data_size = data_size + ?, num_rows = num_rows + ?,"
        " num_rowsets = num_rowsets + ?, num_segments = num_segments + ?,"
        " index_size = COALESCE(index_size + ?, index_size, ?),"
        " segment_size = COALESCE(segment_size + ?, segment_size, ?)" OF_TABLET,
    [STATS_SET] = "UPDATE doris_tablet SET base_compaction_cnt = ?,"
                  " cumulative_compaction_cnt = ?, cumulative_point = ?,"
                  " last_base_compaction_time_ms = ?,"
                  " last_cumu_compaction_time_ms = ?, full_compaction_cnt = ?,"
                  " last_full_compaction_time_ms = ?" OF_TABLET,
    [SCHEMA_PUT] =
        "INSERT INTO doris_schema (instance_id, index_id, schema_version,"
        " body) VALUES (?, ?, ?, ?)"
        " ON DUPLICATE KEY UPDATE body = VALUES(body)",
    [SCHEMA] = "SELECT body FROM doris_schema WHERE instance_id = ?"
               " AND index_id = ? AND schema_version = ?",
    [ROWSETS_DROP] = "DELETE FROM doris_rowset" OF_TABLET,
    [TMP_DROP_TABLET] = "DELETE FROM doris_rowset_tmp" OF_TABLET,
    [RECYCLE_DROP_TABLET] = "DELETE FROM doris_rowset_recycle" OF_TABLET,
    [JOB_DROP] = "DELETE FROM doris_tablet_job" OF_TABLET,
    [ROWSETS] = "SELECT body FROM doris_rowset" OF_TABLET
                " AND version BETWEEN ? AND ? ORDER BY version",
    [ROWSET_ADD] = "INSERT INTO doris_rowset (instance_id, tablet_id, version,"
                   " start_version, rowset_id, body) VALUES (?, ?, ?, ?, ?, ?)",
    /* place: enum doris_rowset_place */
    [ROWSET_FIND] = "SELECT 3 AS place, body FROM doris_rowset_tmp"
                    " WHERE instance_id = ? AND txn_id = ? AND tablet_id = ?"
                    " UNION ALL SELECT 2, body FROM doris_rowset" OF_TABLET
                    " AND rowset_id = ?"
                    " UNION ALL SELECT type = 'PREPARE', body"
                    " FROM doris_rowset_recycle" OF_TABLET " AND rowset_id = ?"
                    " ORDER BY place DESC LIMIT 1",
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
    [VERSION_BUMP] =
        "INSERT INTO doris_version (instance_id, kind, db_id, table_id,"
        " partition_id, version, update_time_ms)"
        " VALUES (?, ?, ?, ?, ?, LAST_INSERT_ID(?), ?)"
        " ON DUPLICATE KEY UPDATE version = LAST_INSERT_ID(version + 1),"
        " update_time_ms = VALUES(update_time_ms)",
    [VERSION] = "SELECT version, update_time_ms FROM doris_version"
                " WHERE instance_id = ? AND kind = ? AND db_id = ?"
                " AND table_id = ? AND partition_id = ?",
    [JOB] = "SELECT body FROM doris_tablet_job" OF_TABLET,
    [JOB_PUT] = "INSERT INTO doris_tablet_job (instance_id, tablet_id, body)"
                " VALUES (?, ?, ?)"
                " ON DUPLICATE KEY UPDATE body = VALUES(body)",
};

#define OPT_I64(p, s, m) (HAS(p, s, m) ? db_i64((p)->m) : db_null())

/* A record kept as its body. */
static enum err
read_body(struct db *db, struct arena *a, const char *statement,
          struct db_args args, const struct record *rec, void *out)
{
    const char *body;
    enum err e;

    e = db_one_str(db, a, statement, args, &body);
    return e == ERR_OK ? doris_doc_parse(a, body, rec, out) : e;
}

enum err
doris_store_instance_share(struct db *db, struct arena *a,
                           const char *instance_id)
{
    const char *status;
    enum err e;

    e = db_one_str(db, a, sql[SHARE], DB_ARGS(db_str(instance_id)), &status);
    if (e == ERR_OK && strcmp(status, "DELETED") == 0)
        return ERR_STATE;
    return e;
}

/* ---- tablets ---- */

/* The record without what has rows of its own. */
static enum err
tablet_body(struct arena *a, const struct doris_tablet *t, const char **out)
{
    struct doris_tablet plain = *t;

    plain.schema = NULL;
    plain.rs_metas.n = 0;
    return doris_doc_render(a, &doris_tablet_rec, &plain, out);
}

static const char *
tablet_state(const struct doris_tablet *t)
{
    return enum_text(doris_tablet_state_names,
                     HAS(t, doris_tablet, tablet_state)
                         ? t->tablet_state
                         : (int)DORIS_TABLET_RUNNING);
}

/* What a tablet of that id had before goes. */
static enum err
forget_tablet(struct db *db, const char *instance_id, int64_t tablet_id)
{
    static const int what[] = { ROWSETS_DROP, TMP_DROP_TABLET,
                                RECYCLE_DROP_TABLET, JOB_DROP };
    enum err e = ERR_OK;

    for (size_t i = 0; i < COUNT(what) && e == ERR_OK; i++)
        e = db_exec(db, sql[what[i]],
                    DB_ARGS(db_str(instance_id), db_i64(tablet_id)));
    return e;
}

enum err
doris_store_tablet_add(struct db *db, struct arena *a, const char *instance_id,
                       const struct doris_tablet *t)
{
    const char *body;
    enum err e;

    e = tablet_body(a, t, &body);
    if (e == ERR_OK)
        e = db_exec(db, sql[TABLET_ADD],
                    DB_ARGS(db_str(instance_id), db_i64(t->tablet_id),
                            OPT_I64(t, doris_tablet, db_id),
                            db_i64(t->table_id), db_i64(t->index_id),
                            db_i64(t->partition_id), db_i64(t->schema_version),
                            db_str(tablet_state(t)), db_str(body)));
    return e == ERR_OK && db_matched(db) != 1 ? ERR_EXISTS : e;
}

enum err
doris_store_tablet_replace(struct db *db, struct arena *a,
                           const char *instance_id,
                           const struct doris_tablet *t)
{
    const char *body;
    enum err e;

    e = tablet_body(a, t, &body);
    if (e == ERR_OK)
        e = db_exec_one(
            db, sql[TABLET_REPLACE],
            DB_ARGS(OPT_I64(t, doris_tablet, db_id), db_i64(t->table_id),
                    db_i64(t->index_id), db_i64(t->partition_id),
                    db_i64(t->schema_version), db_str(tablet_state(t)),
                    db_str(body), db_str(instance_id), db_i64(t->tablet_id)));
    return e == ERR_OK ? forget_tablet(db, instance_id, t->tablet_id) : e;
}

enum err
doris_store_tablet_save(struct db *db, struct arena *a, const char *instance_id,
                        const struct doris_tablet *t)
{
    const char *body;
    enum err e;

    e = tablet_body(a, t, &body);
    if (e != ERR_OK)
        return e;
    return db_exec_one(db, sql[TABLET_SAVE],
                       DB_ARGS(db_str(tablet_state(t)), db_str(body),
                               db_str(instance_id), db_i64(t->tablet_id)));
}

enum err
doris_store_tablet(struct db *db, struct arena *a, const char *instance_id,
                   int64_t tablet_id, struct doris_tablet *out)
{
    struct doris_tablet row;
    enum err e;

    e = db_one(db, a, sql[TABLET],
               DB_ARGS(db_str(instance_id), db_i64(tablet_id)),
               &doris_tablet_rec, &row);
    if (e == ERR_OK)
        e = doris_doc_parse(a, row.body, &doris_tablet_rec, out);
    if (e == ERR_OK && HAS(&row, doris_tablet, db_id)) {
        out->db_id = row.db_id;
        SET(out, doris_tablet, db_id);
    }
    return e;
}

enum err
doris_store_tablet_lock(struct db *db, const char *instance_id,
                        int64_t tablet_id)
{
    return db_exec_one(db, sql[TABLET_LOCK],
                       DB_ARGS(db_str(instance_id), db_i64(tablet_id)));
}

/* ---- statistics ---- */

/* The place as the object that replies have; a database is not in it. */
static enum err
gather_place(struct arena *a, struct doris_stats *s)
{
    struct doris_tablet_idx *idx = arena_alloc(a, sizeof(*idx));

    if (idx == NULL)
        return ERR_NOMEM;
    idx->table_id = s->table_id;
    idx->index_id = s->index_id;
    idx->partition_id = s->partition_id;
    idx->tablet_id = s->tablet_id;
    SET(idx, doris_tablet_idx, table_id);
    SET(idx, doris_tablet_idx, index_id);
    SET(idx, doris_tablet_idx, partition_id);
    SET(idx, doris_tablet_idx, tablet_id);
    s->idx = idx;
    SET(s, doris_stats, idx);
    return ERR_OK;
}

enum err
doris_store_stats(struct db *db, struct arena *a, const char *instance_id,
                  int64_t tablet_id, struct doris_stats *out)
{
    enum err e;

    e = db_one(db, a, sql[STATS],
               DB_ARGS(db_str(instance_id), db_i64(tablet_id)),
               &doris_stats_rec, out);
    return e == ERR_OK ? gather_place(a, out) : e;
}

enum err
doris_store_stats_add(struct db *db, const char *instance_id, int64_t tablet_id,
                      const struct doris_stats *s)
{
    struct db_value index = OPT_I64(s, doris_stats, index_size);
    struct db_value segment = OPT_I64(s, doris_stats, segment_size);

    return db_exec_one(db, sql[STATS_ADD],
                       DB_ARGS(db_i64(s->data_size), db_i64(s->num_rows),
                               db_i64(s->num_rowsets), db_i64(s->num_segments),
                               index, index, segment, segment,
                               db_str(instance_id), db_i64(tablet_id)));
}

enum err
doris_store_stats_set(struct db *db, const char *instance_id,
                      const struct doris_stats *s)
{
    return db_exec_one(
        db, sql[STATS_SET],
        DB_ARGS(db_i64(s->base_compaction_cnt),
                db_i64(s->cumulative_compaction_cnt),
                db_i64(s->cumulative_point),
                OPT_I64(s, doris_stats, last_base_compaction_time_ms),
                OPT_I64(s, doris_stats, last_cumu_compaction_time_ms),
                OPT_I64(s, doris_stats, full_compaction_cnt),
                OPT_I64(s, doris_stats, last_full_compaction_time_ms),
                db_str(instance_id), db_i64(s->tablet_id)));
}

/* ---- schemas ---- */

enum err
doris_store_schema_put(struct db *db, struct arena *a, const char *instance_id,
                       int64_t index_id, int32_t version,
                       const struct doris_schema *s)
{
    const char *body;
    enum err e;

    e = doris_doc_render(a, &doris_schema_rec, s, &body);
    if (e != ERR_OK)
        return e;
    return db_exec(db, sql[SCHEMA_PUT],
                   DB_ARGS(db_str(instance_id), db_i64(index_id),
                           db_i64(version), db_str(body)));
}

enum err
doris_store_schema(struct db *db, struct arena *a, const char *instance_id,
                   int64_t index_id, int32_t version, struct doris_schema *out)
{
    return read_body(
        db, a, sql[SCHEMA],
        DB_ARGS(db_str(instance_id), db_i64(index_id), db_i64(version)),
        &doris_schema_rec, out);
}

/* ---- rowsets ---- */

const char *
doris_rowset_name(struct arena *a, const struct doris_rowset *rs)
{
    const char *s;

    if (rs->rowset_id_v2 != NULL && *rs->rowset_id_v2 != '\0')
        return rs->rowset_id_v2;
    s = arena_printf(a, "%lld", (long long)rs->rowset_id);
    return s == NULL ? "" : s;
}

/* Rows with nothing but a body. */
#define BODY_ROW(X, s) X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_body_row, BODY_ROW);
TABLE(doris_body_row, BODY_ROW);

enum err
doris_store_rowsets(struct db *db, struct arena *a, const char *instance_id,
                    int64_t tablet_id, int64_t from, int64_t to,
                    struct doris_rowset_list *out)
{
    struct {
        size_t n;
        struct doris_body_row *v;
    } list = { 0, NULL };
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
    return db_exec(db, sql[ROWSET_ADD],
                   DB_ARGS(db_str(instance_id), db_i64(rs->tablet_id),
                           db_i64(rs->end_version), db_i64(rs->start_version),
                           db_str(doris_rowset_name(a, rs)), db_str(body)));
}

#define FOUND_ROW(X, s)                       \
    X(s, I64, place, "place", COLUMN_ONLY, -) \
    X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_found_row, FOUND_ROW);
TABLE(doris_found_row, FOUND_ROW);

enum err
doris_store_rowset_find(struct db *db, struct arena *a, const char *instance_id,
                        const struct doris_rowset *like,
                        enum doris_rowset_place *place,
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
    *place = e == ERR_OK ? (enum doris_rowset_place)row.place : DORIS_NOWHERE;
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

    e = db_exec(db, sql[ROWSETS_RECYCLE],
                DB_ARGS(db_i64(now), db_str(instance_id), db_i64(tablet_id),
                        db_i64(from), db_i64(to)));
    if (e == ERR_OK)
        e = db_exec(db, sql[ROWSETS_REMOVE],
                    DB_ARGS(db_str(instance_id), db_i64(tablet_id),
                            db_i64(from), db_i64(to)));
    return e;
}

/* ---- rowsets under way ---- */

enum err
doris_store_tmp(struct db *db, struct arena *a, const char *instance_id,
                int64_t txn_id, int64_t tablet_id, struct doris_rowset *out)
{
    return read_body(
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
    return db_exec(db, sql[TMP_ADD],
                   DB_ARGS(db_str(instance_id), db_i64(rs->txn_id),
                           db_i64(rs->tablet_id),
                           db_str(doris_rowset_name(a, rs)), db_str(body)));
}

enum err
doris_store_tmp_drop(struct db *db, const char *instance_id, int64_t txn_id,
                     int64_t tablet_id)
{
    return db_exec_one(
        db, sql[TMP_DROP],
        DB_ARGS(db_str(instance_id), db_i64(txn_id), db_i64(tablet_id)));
}

enum err
doris_store_tmp_done(struct db *db, const char *instance_id, int64_t txn_id)
{
    return db_exec(db, sql[TMP_DONE],
                   DB_ARGS(db_str(instance_id), db_i64(txn_id)));
}

enum err
doris_store_tmp_abort(struct db *db, const char *instance_id, int64_t txn_id,
                      int64_t now)
{
    enum err e;

    e = db_exec(db, sql[TMP_RECYCLE],
                DB_ARGS(db_i64(now), db_str(instance_id), db_i64(txn_id)));
    return e == ERR_OK ? doris_store_tmp_done(db, instance_id, txn_id) : e;
}

TABLE(doris_pending, DORIS_PENDING);

enum err
doris_store_pending(struct db *db, struct arena *a, const char *instance_id,
                    int64_t txn_id, struct doris_pending_list *out)
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
    return db_exec(db, sql[PREPARE],
                   DB_ARGS(db_str(instance_id), db_i64(rs->tablet_id),
                           db_str(doris_rowset_name(a, rs)), db_i64(now),
                           db_str(body)));
}

enum err
doris_store_prepared_drop(struct db *db, const char *instance_id,
                          int64_t tablet_id, const char *name)
{
    return db_exec_one(
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
    out->creation_time = row.creation_time;
    out->type = row.type;
    out->rowset_meta = arena_alloc(a, sizeof(*out->rowset_meta));
    if (out->rowset_meta == NULL)
        return ERR_NOMEM;
    SET(out, doris_rowset_recycle, creation_time);
    SET(out, doris_rowset_recycle, type);
    return doris_doc_parse(a, row.body, &doris_rowset_rec, out->rowset_meta);
}

/* ---- versions ---- */

enum err
doris_store_version_bump(struct db *db, const char *instance_id, char kind,
                         int64_t db_id, int64_t table_id, int64_t partition_id,
                         int64_t now_ms, int64_t *out)
{
    enum err e;

    e = db_exec(db, sql[VERSION_BUMP],
                DB_ARGS(db_str(instance_id), db_bytes(&kind, 1), db_i64(db_id),
                        db_i64(table_id), db_i64(partition_id),
                        db_i64(kind == 'p' ? 2 : 1), db_i64(now_ms)));
    *out = (int64_t)db_insert_id(db);
    return e;
}

enum err
doris_store_version(struct db *db, struct arena *a, const char *instance_id,
                    char kind, int64_t db_id, int64_t table_id,
                    int64_t partition_id, struct doris_version *out)
{
    return db_one(db, a, sql[VERSION],
                  DB_ARGS(db_str(instance_id), db_bytes(&kind, 1),
                          db_i64(db_id), db_i64(table_id),
                          db_i64(partition_id)),
                  &doris_version_rec, out);
}

/* ---- jobs ---- */

enum err
doris_store_job(struct db *db, struct arena *a, const char *instance_id,
                int64_t tablet_id, struct doris_job *out)
{
    return read_body(db, a, sql[JOB],
                     DB_ARGS(db_str(instance_id), db_i64(tablet_id)),
                     &doris_job_rec, out);
}

enum err
doris_store_job_put(struct db *db, struct arena *a, const char *instance_id,
                    int64_t tablet_id, const struct doris_job *j)
{
    const char *body;
    enum err e;

    e = doris_doc_render(a, &doris_job_rec, j, &body);
    if (e != ERR_OK)
        return e;
    return db_exec(
        db, sql[JOB_PUT],
        DB_ARGS(db_str(instance_id), db_i64(tablet_id), db_str(body)));
}
