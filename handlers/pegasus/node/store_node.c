/* The SQL of replica servers, and of what they say. */
#include "node.h"

TABLE(pegasus_node, PEGASUS_NODE);

#define NODES_MAX 100000

enum {
    NODES,
    BEACON_MANAGED,
    BEACON,
    COLLECTED,
    REPORT_CLEAR,
    REPORT,
    COMMITTED,
    SQL__MAX
};

/* A stamp always moves: it is by its change that the leader hears. */
#define STAMP "GREATEST(" DB_NOW_MS ", last_beacon_ms + 1)"

static const char *const sql[SQL__MAX] = {
    [NODES] = "SELECT address, alive, managed, collected, start_ms,"
              " last_beacon_ms, unstable FROM pegasus_node ORDER BY address",
    /* supervise is not the server: when that one started again says nothing
     * about the server's own restarts */
    [BEACON_MANAGED] =
        "INSERT INTO pegasus_node (address, alive, managed, collected,"
        " start_ms, last_beacon_ms, unstable)"
        " VALUES (?, 0, 1, 1, " DB_NOW_MS ", " DB_NOW_MS ", 0)"
        " ON DUPLICATE KEY UPDATE managed = 1, collected = 1,"
        " last_beacon_ms = " STAMP,
    [BEACON] =
        "INSERT INTO pegasus_node (address, alive, managed, collected,"
        " start_ms, last_beacon_ms, unstable)"
        " VALUES (?, 0, 0, 0, ?, " DB_NOW_MS ", 0)"
        " ON DUPLICATE KEY UPDATE start_ms ="
        " IF(managed = 1, start_ms, GREATEST(start_ms, VALUES(start_ms))),"
        " last_beacon_ms = " STAMP,
    [COLLECTED] = "UPDATE pegasus_node SET collected = 1 WHERE address = ?",
    [REPORT_CLEAR] = "DELETE FROM pegasus_replica WHERE node = ?",
    [REPORT] = "INSERT INTO pegasus_replica (node, app_id, pidx, ballot,"
               " committed, prepared, disk_tag, status, seen_ms)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, " DB_NOW_MS ")"
               " ON DUPLICATE KEY UPDATE ballot = VALUES(ballot),"
               " committed = VALUES(committed), prepared = VALUES(prepared),"
               " disk_tag = VALUES(disk_tag), status = VALUES(status),"
               " seen_ms = VALUES(seen_ms)",
    /* what the primary has committed is committed */
    [COMMITTED] = "UPDATE pegasus_partition"
                  " SET committed = GREATEST(committed, ?)"
                  " WHERE app_id = ? AND pidx = ? AND primary_node = ?",
};

enum err
pegasus_store_nodes(struct db *db, struct arena *a,
                    struct list_of_pegasus_node *out)
{
    return db_list(db, a, sql[NODES], DB_NO_ARGS, &pegasus_node_rec, NODES_MAX,
                   out);
}

enum err
pegasus_store_beacon_managed(struct db *db, const char *address)
{
    return db_exec(db, sql[BEACON_MANAGED], DB_ARGS(db_str(address)));
}

enum err
pegasus_store_beacon(struct db *db, const char *address, int64_t start_ms)
{
    return db_exec(db, sql[BEACON], DB_ARGS(db_str(address), db_i64(start_ms)));
}

enum err
pegasus_store_collected(struct db *db, const char *address)
{
    return db_exec_one(db, sql[COLLECTED], DB_ARGS(db_str(address)));
}

enum err
pegasus_store_report_clear(struct db *db, const char *address, uint64_t *n)
{
    enum err e = db_exec(db, sql[REPORT_CLEAR], DB_ARGS(db_str(address)));

    *n = db_matched(db);
    return e;
}

enum err
pegasus_store_report(struct db *db, const char *address, int32_t app_id,
                     int32_t pidx, const struct pegasus_report *rep)
{
    enum err e;

    e = db_exec(db, sql[REPORT],
                DB_ARGS(db_str(address), db_i64(app_id), db_i64(pidx),
                        db_i64(rep->ballot), db_i64(rep->committed),
                        db_i64(rep->prepared), db_str(or_empty(rep->disk_tag)),
                        db_str(or_empty(rep->status))));
    if (e == ERR_OK)
        e = db_exec(db, sql[COMMITTED],
                    DB_ARGS(db_i64(rep->committed), db_i64(app_id),
                            db_i64(pidx), db_str(address)));
    return e;
}
