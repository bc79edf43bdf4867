/* The SQL of the leader's loop. */
#include "leader.h"

#include "pegasus/partition/partition.h"

TABLE(pegasus_app_state, PEGASUS_APP_STATE);
TABLE(pegasus_replica, PEGASUS_REPLICA);

#define APPS_MAX 10000000

enum {
    CHANGED,
    CHANGED_PARTITIONS,
    REPLICAS,
    NODE_STATE,
    COUNTERS,
    READY,
    PURGE_PARTITIONS,
    PURGE_REPLICAS,
    SQL__MAX
};

#define EXPIRED                                                \
    "(SELECT app_id FROM pegasus_app WHERE status = 'DROPPED'" \
    " AND expire_second <= UNIX_TIMESTAMP())"

static const char *const sql[SQL__MAX] = {
    [CHANGED] = "SELECT app_id, status, partition_count FROM pegasus_app"
                " WHERE changed > ? ORDER BY app_id",
    [CHANGED_PARTITIONS] =
        "SELECT p.app_id, p.pidx, p.ballot, p.primary_node, p.secondaries,"
        " p.members, p.max_replica_count, p.committed, p.last_drops,"
        " p.dropped FROM pegasus_app a"
        " JOIN pegasus_partition p ON p.app_id = a.app_id"
        " WHERE a.changed > ? AND a.status <> 'DROPPED'"
        " ORDER BY p.app_id, p.pidx",
    [REPLICAS] = "SELECT node, app_id, pidx, ballot, committed, prepared,"
                 " disk_tag FROM pegasus_replica"
                 " ORDER BY app_id, pidx, node",
    /* a report that came meanwhile is not undone */
    [NODE_STATE] = "UPDATE pegasus_node SET alive = ?,"
                   " collected = IF(alive = 1, collected, 0), unstable = ?"
                   " WHERE address = ?",
    [COUNTERS] = "UPDATE pegasus_cluster SET move_pri = ?, copy_pri = ?,"
                 " copy_sec = ?, total = ? WHERE one = 1",
    [READY] = "UPDATE pegasus_cluster SET ready_epoch = ? WHERE one = 1",
    [PURGE_PARTITIONS] =
        "DELETE FROM pegasus_partition"
        " WHERE app_id IN " EXPIRED " ORDER BY app_id, pidx LIMIT 1000",
    [PURGE_REPLICAS] =
        "DELETE FROM pegasus_replica"
        " WHERE app_id IN " EXPIRED " ORDER BY node, app_id, pidx LIMIT 1000",
};

enum err
pegasus_store_changed(struct db *db, struct arena *a, int64_t version,
                      struct list_of_pegasus_app_state *out)
{
    return db_list(db, a, sql[CHANGED], DB_ARGS(db_i64(version)),
                   &pegasus_app_state_rec, APPS_MAX, out);
}

enum err
pegasus_store_changed_partitions(struct db *db, struct arena *a,
                                 int64_t version, struct rows *out)
{
    return db_rows(db, a, sql[CHANGED_PARTITIONS], DB_ARGS(db_i64(version)),
                   &pegasus_partition_rec, out);
}

enum err
pegasus_store_replicas(struct db *db, struct arena *a, struct rows *out)
{
    return db_rows(db, a, sql[REPLICAS], DB_NO_ARGS, &pegasus_replica_rec, out);
}

/* ---- what the leader has decided ---- */

enum err
pegasus_store_node_state(struct db *db, const struct pg_node *n)
{
    return db_exec_one(
        db, sql[NODE_STATE],
        DB_ARGS(db_bool(n->alive), db_i64(n->unstable), db_str(n->address)));
}

enum err
pegasus_store_counters(struct db *db, const struct pg_counters *c)
{
    return db_exec_one(db, sql[COUNTERS],
                       DB_ARGS(db_i64(c->move_pri), db_i64(c->copy_pri),
                               db_i64(c->copy_sec), db_i64(c->total)));
}

enum err
pegasus_store_ready(struct db *db, uint64_t epoch)
{
    return db_exec_one(db, sql[READY], DB_ARGS(db_u64(epoch)));
}

enum err
pegasus_store_purge(struct db *db, uint64_t *n)
{
    enum err e;

    e = db_exec(db, sql[PURGE_PARTITIONS], DB_NO_ARGS);
    *n = db_matched(db);
    if (e == ERR_OK)
        e = db_exec(db, sql[PURGE_REPLICAS], DB_NO_ARGS);
    *n += db_matched(db);
    return e;
}
