/* The SQL of tables. */
#include "pegasus/node/counts.h"
#include "table.h"

TABLE(pegasus_alike, PEGASUS_ALIKE);
TABLE(pegasus_app_row, PEGASUS_APP_ROW);

enum {
    GENERAL,
    LINES,
    ALIKE,
    ALIKE_WALK,
    APP,
    APP_BY_ID,
    NEXT_ID,
    APP_ADD,
    PARTITIONS_ADD,
    APP_DROP,
    PARTITIONS_DROP,
    ACTIONS_DROP_APP,
    APP_RECALL,
    PARTITIONS_RECALL,
    APP_RENAME,
    APP_REPLICAS,
    PARTITION_REPLICAS,
    TOUCH,
    SQL__MAX
};

#define NOW_S "UNIX_TIMESTAMP()"
#define APP_COLUMNS                                                 \
    "SELECT app_id, app_name, app_type, status, partition_count,"   \
    " max_replica_count, drop_second,"                              \
    " status = 'DROPPED' AND expire_second <= " NOW_S " AS expired" \
    " FROM pegasus_app WHERE "

/* A table of ten digits: rows are numbered without a loop of statements. */
#define DIGITS                                                           \
    "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL"     \
    " SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6" \
    " UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
#define NUMBER "(a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d)"

/* What a member leaves behind in last_drops; see 0020_pegasus.sql. */
#define DROP_MARK "CONCAT('@', ballot, '@', " DB_NOW_MS ", '@', committed)"

static const char *const sql[SQL__MAX] = {
    [GENERAL] = "SELECT a.app_name, a.app_id, a.partition_count, a.status,"
                " a.changed, a.configs,"
                " COALESCE((SELECT p.max_replica_count"
                " FROM pegasus_partition p"
                " WHERE p.app_id = a.app_id AND p.pidx = 0), 0)"
                " AS max_replica_count"
                " FROM pegasus_app a WHERE a.live_name = ?",
    [LINES] = "SELECT a.app_id, a.status, a.app_name, a.app_type,"
              " a.partition_count, a.max_replica_count AS replica_count,"
              " a.is_stateful, a.create_second,"
              " (SELECT COUNT(*) FROM pegasus_app_env e"
              " WHERE e.app_id = a.app_id) AS envs_count"
              " FROM pegasus_app a WHERE a.status = 'AVAILABLE'"
              " ORDER BY a.app_id",
    [ALIKE] = "SELECT a.app_id, a.app_name, a.partition_count, c.has_primary,"
              " c.members, a.max_replica_count, c.n FROM pegasus_app a"
              " JOIN pegasus_app_count c ON c.app_id = a.app_id"
              " WHERE a.status = 'AVAILABLE' AND c.n > 0 ORDER BY a.app_id",
    [ALIKE_WALK] = "SELECT a.app_id, a.app_name, a.partition_count,"
                   " p.primary_node IS NOT NULL AS has_primary, p.members,"
                   " p.max_replica_count, COUNT(*) AS n"
                   " FROM pegasus_app a"
                   " JOIN pegasus_partition p ON p.app_id = a.app_id"
                   " WHERE a.status = 'AVAILABLE'"
                   " GROUP BY a.app_id, a.app_name, a.partition_count,"
                   " has_primary, p.members, p.max_replica_count"
                   " ORDER BY a.app_id",
    [APP] = APP_COLUMNS "live_name = ?",
    [APP_BY_ID] = APP_COLUMNS "app_id = ?",
    [NEXT_ID] = "UPDATE pegasus_cluster"
                " SET next_app_id = LAST_INSERT_ID(next_app_id) + 1"
                " WHERE one = 1",
    [APP_ADD] =
        "INSERT INTO pegasus_app (app_id, app_name, live_name,"
        " app_type, status, partition_count, max_replica_count,"
        " is_stateful, create_second, drop_second, expire_second,"
        " changed, configs)"
        " VALUES (?, ?, ?, ?, 'AVAILABLE', ?, ?, 1, " NOW_S ", 0, 0, ?, 0)",
    [PARTITIONS_ADD] =
        "INSERT INTO pegasus_partition (app_id, pidx, ballot, primary_node,"
        " secondaries, members, max_replica_count, committed, last_drops,"
        " dropped, last_change_ms)"
        " SELECT ?, " NUMBER ", 0, NULL, '', 0, ?, 0, '', 0, " DB_NOW_MS
        " FROM " DIGITS " a CROSS JOIN " DIGITS " b CROSS JOIN " DIGITS
        " c CROSS JOIN " DIGITS " e CROSS JOIN " DIGITS " f"
        " WHERE " NUMBER " < ?",
    [APP_DROP] = "UPDATE pegasus_app SET status = 'DROPPED', live_name = NULL,"
                 " drop_second = " NOW_S ", expire_second = " NOW_S " + ?,"
                 " changed = ? WHERE app_id = ?",
    /* all members leave, secondaries first; the last three are remembered */
    [PARTITIONS_DROP] =
        "UPDATE pegasus_partition SET last_drops = SUBSTRING_INDEX("
        "CONCAT_WS(',', NULLIF(last_drops, ''),"
        " IF(secondaries = '', NULL, CONCAT(REPLACE(secondaries, ',',"
        " CONCAT(" DROP_MARK ", ',')), " DROP_MARK ")),"
        " IF(primary_node IS NULL, NULL,"
        " CONCAT(primary_node, " DROP_MARK "))), ',', -3),"
        " ballot = ballot + 1, primary_node = NULL, secondaries = '',"
        " members = 0, dropped = 1, last_change_ms = " DB_NOW_MS
        " WHERE app_id = ?",
    [ACTIONS_DROP_APP] = "DELETE FROM pegasus_action WHERE app_id = ?",
    [APP_RECALL] = "UPDATE pegasus_app SET status = 'AVAILABLE',"
                   " app_name = ?, live_name = ?, drop_second = 0,"
                   " expire_second = 0, changed = ? WHERE app_id = ?",
    [PARTITIONS_RECALL] = "UPDATE pegasus_partition SET dropped = 0,"
                          " last_change_ms = " DB_NOW_MS " WHERE app_id = ?",
    [APP_RENAME] = "UPDATE pegasus_app SET app_name = ?, live_name = ?,"
                   " changed = ? WHERE app_id = ?",
    [APP_REPLICAS] = "UPDATE pegasus_app SET max_replica_count = ?,"
                     " changed = ? WHERE app_id = ?",
    [PARTITION_REPLICAS] = "UPDATE pegasus_partition"
                           " SET max_replica_count = ? WHERE app_id = ?",
    [TOUCH] = "UPDATE pegasus_app SET changed = ? WHERE app_id = ?",
};

enum err
pegasus_store_general(struct db *db, struct arena *a, const char *name,
                      struct pegasus_general *out)
{
    return db_one(db, a, sql[GENERAL], DB_ARGS(db_str(name)),
                  &pegasus_general_rec, out);
}

enum err
pegasus_store_lines(struct db *db, struct arena *a, struct rows *out)
{
    return db_rows(db, a, sql[LINES], DB_NO_ARGS, &pegasus_app_line_rec, out);
}

enum err
pegasus_store_alike(struct db *db, struct arena *a, bool counted,
                    struct rows *out)
{
    return db_rows(db, a, sql[counted ? ALIKE : ALIKE_WALK], DB_NO_ARGS,
                   &pegasus_alike_rec, out);
}

enum err
pegasus_store_app(struct db *db, struct arena *a, const char *name,
                  struct pegasus_app_row *out)
{
    return db_one(db, a, sql[APP], DB_ARGS(db_str(name)), &pegasus_app_row_rec,
                  out);
}

enum err
pegasus_store_app_by_id(struct db *db, struct arena *a, int32_t app_id,
                        struct pegasus_app_row *out)
{
    return db_one(db, a, sql[APP_BY_ID], DB_ARGS(db_i64(app_id)),
                  &pegasus_app_row_rec, out);
}

enum err
pegasus_store_app_add(struct db *db, const char *name, const char *type,
                      int32_t partitions, int32_t replicas, int64_t version,
                      int32_t *app_id)
{
    enum err e;

    e = db_exec_one(db, sql[NEXT_ID], DB_NO_ARGS);
    *app_id = (int32_t)db_insert_id(db);
    if (e == ERR_OK)
        e = db_later(db, sql[APP_ADD],
                     DB_ARGS(db_i64(*app_id), db_str(name), db_str(name),
                             db_str(type), db_i64(partitions), db_i64(replicas),
                             db_i64(version)));
    if (e == ERR_OK)
        e = db_later(
            db, sql[PARTITIONS_ADD],
            DB_ARGS(db_i64(*app_id), db_i64(replicas), db_i64(partitions)));
    return e == ERR_OK ? pegasus_store_counts_app(db, *app_id) : e;
}

enum err
pegasus_store_app_drop(struct db *db, struct arena *a, int32_t app_id,
                       int64_t hold_seconds, int64_t version)
{
    enum err e;

    e = db_exec_one(
        db, sql[APP_DROP],
        DB_ARGS(db_i64(hold_seconds), db_i64(version), db_i64(app_id)));
    if (e == ERR_OK)
        e = pegasus_store_counts_drop(db, a, app_id);
    if (e == ERR_OK)
        e = db_later(db, sql[PARTITIONS_DROP], DB_ARGS(db_i64(app_id)));
    if (e == ERR_OK)
        e = db_later(db, sql[ACTIONS_DROP_APP], DB_ARGS(db_i64(app_id)));
    return e;
}

enum err
pegasus_store_app_recall(struct db *db, int32_t app_id, const char *name,
                         int64_t version)
{
    enum err e;

    e = db_exec_one(
        db, sql[APP_RECALL],
        DB_ARGS(db_str(name), db_str(name), db_i64(version), db_i64(app_id)));
    if (e == ERR_OK)
        e = db_later(db, sql[PARTITIONS_RECALL], DB_ARGS(db_i64(app_id)));
    if (e == ERR_OK)
        e = pegasus_store_counts_app(db, app_id);
    return e;
}

enum err
pegasus_store_app_rename(struct db *db, int32_t app_id, const char *name,
                         int64_t version)
{
    return db_exec_one(
        db, sql[APP_RENAME],
        DB_ARGS(db_str(name), db_str(name), db_i64(version), db_i64(app_id)));
}

enum err
pegasus_store_app_replicas(struct db *db, int32_t app_id, int32_t replicas,
                           int64_t version)
{
    enum err e;

    e = db_exec_one(db, sql[APP_REPLICAS],
                    DB_ARGS(db_i64(replicas), db_i64(version), db_i64(app_id)));
    if (e == ERR_OK)
        e = db_later(db, sql[PARTITION_REPLICAS],
                     DB_ARGS(db_i64(replicas), db_i64(app_id)));
    return e;
}

enum err
pegasus_store_touch(struct db *db, int32_t app_id, int64_t version)
{
    return db_exec_one(db, sql[TOUCH],
                       DB_ARGS(db_i64(version), db_i64(app_id)));
}
