/* The SQL of tablets: statistics, schemas, versions, jobs. Records are kept as
 * JSON (body) beside the columns that are searched or counted with. */
#include <string.h>

#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "rowset.h"
#include "rpc.h"
#include "tablet.h"

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
    VERSION_BUMP,
    VERSION,
    SQL__MAX
};

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
    [VERSION_BUMP] =
        "INSERT INTO doris_version (instance_id, kind, db_id, table_id,"
        " partition_id, version, update_time_ms)"
        " VALUES (?, ?, ?, ?, ?, LAST_INSERT_ID(?), ?)"
        " ON DUPLICATE KEY UPDATE version = LAST_INSERT_ID(version + 1),"
        " update_time_ms = VALUES(update_time_ms)",
    [VERSION] = "SELECT version, update_time_ms FROM doris_version"
                " WHERE instance_id = ? AND kind = ? AND db_id = ?"
                " AND table_id = ? AND partition_id = ?",
};

#define OPT_I64(p, s, m) (HAS(p, s, m) ? db_i64((p)->m) : db_null())

enum err
doris_store_body(struct db *db, struct arena *a, const char *statement,
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
        e = db_later(db, sql[what[i]],
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
        e = db_later_one(
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
    return db_later_one(db, sql[TABLET_SAVE],
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
        PUT(out, doris_tablet, db_id, row.db_id);
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

/* Its ids as the object that replies have; a database is not in it. */
static enum err
gather_ids(struct arena *a, struct doris_stats *s)
{
    struct doris_tablet_idx *idx = arena_alloc(a, sizeof(*idx));

    if (idx == NULL)
        return ERR_NOMEM;
    PUT(idx, doris_tablet_idx, table_id, s->table_id);
    PUT(idx, doris_tablet_idx, index_id, s->index_id);
    PUT(idx, doris_tablet_idx, partition_id, s->partition_id);
    PUT(idx, doris_tablet_idx, tablet_id, s->tablet_id);
    PUT(s, doris_stats, idx, idx);
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
    return e == ERR_OK ? gather_ids(a, out) : e;
}

enum err
doris_store_stats_add(struct db *db, const char *instance_id, int64_t tablet_id,
                      const struct doris_stats *s)
{
    struct db_value index = OPT_I64(s, doris_stats, index_size);
    struct db_value segment = OPT_I64(s, doris_stats, segment_size);

    return db_later_one(db, sql[STATS_ADD],
                        DB_ARGS(db_i64(s->data_size), db_i64(s->num_rows),
                                db_i64(s->num_rowsets), db_i64(s->num_segments),
                                index, index, segment, segment,
                                db_str(instance_id), db_i64(tablet_id)));
}

enum err
doris_store_stats_set(struct db *db, const char *instance_id,
                      const struct doris_stats *s)
{
    return db_later_one(
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
    return db_later(db, sql[SCHEMA_PUT],
                    DB_ARGS(db_str(instance_id), db_i64(index_id),
                            db_i64(version), db_str(body)));
}

enum err
doris_store_schema(struct db *db, struct arena *a, const char *instance_id,
                   int64_t index_id, int32_t version, struct doris_schema *out)
{
    return doris_store_body(
        db, a, sql[SCHEMA],
        DB_ARGS(db_str(instance_id), db_i64(index_id), db_i64(version)),
        &doris_schema_rec, out);
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
