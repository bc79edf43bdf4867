/* The SQL of the cluster: who leads, its version, its level. */
#include "cluster.h"

#include "pegasus/settings.h"

TABLE(pegasus_leader, PEGASUS_LEADER);
TABLE(pegasus_stamp, PEGASUS_STAMP);
TABLE(pegasus_cluster_row, PEGASUS_CLUSTER_ROW);

enum { LEADER, STAMP, CLUSTER, LOCK, LEVEL, SQL__MAX };

/* Nobody has changed anything without counting. */
#define COUNTED "counted = version AND counted_epoch = ready_epoch"

static const char *const sql[SQL__MAX] = {
    [LEADER] = "SELECT COALESCE(SUBSTRING_INDEX(l.owner, '@', 1), '')"
               " AS owner,"
               " COALESCE(l.expires_ms, 0) >= " DB_NOW_MS " AS held,"
               " COALESCE(l.epoch, 0) = c.ready_epoch AS ready, " DB_NOW_MS
               " AS now_ms FROM pegasus_cluster c"
               " LEFT JOIN lease l ON l.name = '" PEGASUS_LEASE "'"
               " WHERE c.one = 1",
    [STAMP] = "SELECT c.version, a.configs, a.tables, " COUNTED
              " AS counted FROM pegasus_cluster c"
              " JOIN (SELECT CAST(COALESCE(SUM(configs), 0) AS SIGNED)"
              " AS configs, COUNT(*) AS tables FROM pegasus_app"
              " WHERE status = 'AVAILABLE') a WHERE c.one = 1",
    [CLUSTER] = "SELECT version, next_app_id, function_level, move_pri,"
                " copy_pri, copy_sec, total, " COUNTED
                " AS counted FROM pegasus_cluster"
                " WHERE one = 1",
    [LOCK] = "UPDATE pegasus_cluster"
             " SET version = LAST_INSERT_ID(version + 1),"
             " counted = counted + 1 WHERE one = 1",
    [LEVEL] = "UPDATE pegasus_cluster SET function_level = ? WHERE one = 1",
};

enum err
pegasus_store_leader(struct db *db, struct arena *a, struct pegasus_leader *out)
{
    return db_one(db, a, sql[LEADER], DB_NO_ARGS, &pegasus_leader_rec, out);
}

enum err
pegasus_store_stamp(struct db *db, struct arena *a, struct pegasus_stamp *out)
{
    return db_one(db, a, sql[STAMP], DB_NO_ARGS, &pegasus_stamp_rec, out);
}

enum err
pegasus_store_cluster(struct db *db, struct arena *a,
                      struct pegasus_cluster_row *out)
{
    return db_one(db, a, sql[CLUSTER], DB_NO_ARGS, &pegasus_cluster_row_rec,
                  out);
}

enum pg_level
pegasus_stored_level(const struct pegasus_cluster_row *c)
{
    enum pg_level l = pg_level_by_name(c->level != NULL ? c->level : "");

    if (l == 0)
        l = pg_level_by_name(pegasus_settings()->level_on_start);
    return l == 0 ? PG_STEADY : l;
}

enum err
pegasus_store_lock(struct db *db, int64_t *version)
{
    enum err e = db_exec_one(db, sql[LOCK], DB_NO_ARGS);

    *version = (int64_t)db_insert_id(db);
    return e;
}

enum err
pegasus_store_level(struct db *db, const char *level)
{
    return db_exec_one(db, sql[LEVEL], DB_ARGS(db_str(level)));
}
