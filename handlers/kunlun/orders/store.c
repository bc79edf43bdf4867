/* The SQL of orders to machines and instances. */
#include "store.h"

#include "kunlun/cluster_mgr/jobs.h"
#include "kunlun/life/meta.h"

TABLE(orders_instance, ORDERS_INSTANCE);

enum {
    THERE,
    ADD,
    BEAT,
    SET,
    INSTANCES,
    DROP,
    DROP_BEAT,
    DROP_NODE,
    INSTANCE,
    STORAGE_STATUS,
    COMPUTER_STATUS,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [THERE] = "SELECT 1 FROM Kunlun_Metadata_DB.server_nodes"
              " WHERE hostaddr = ? LIMIT 1",
    [ADD] = "INSERT INTO Kunlun_Metadata_DB.server_nodes (hostaddr, rack_id,"
            " datadir, logdir, wal_log_dir, comp_datadir, total_mem,"
            " total_cpu_cores) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    [BEAT] = "INSERT INTO kunlun_beat (machine, at_ms) VALUES (?, " DB_NOW_MS
             ") ON DUPLICATE KEY UPDATE at_ms = VALUES(at_ms)",
    [SET] = "UPDATE Kunlun_Metadata_DB.server_nodes SET rack_id = ?,"
            " datadir = ?, logdir = ?, wal_log_dir = ?, comp_datadir = ?,"
            " total_mem = ?, total_cpu_cores = ? WHERE hostaddr = ?",
    [INSTANCES] = "SELECT (SELECT COUNT(*) FROM kunlun_instance"
                  " WHERE machine = ?) + (SELECT COUNT(*) FROM kunlun_place"
                  " WHERE machine = ?)",
    [DROP] = "DELETE FROM Kunlun_Metadata_DB.server_nodes WHERE hostaddr = ?",
    [DROP_BEAT] = "DELETE FROM kunlun_beat WHERE machine = ?",
    [DROP_NODE] = "DELETE FROM kunlun_watcher"
                  " WHERE machine = ? AND kind = 'node'",
    [INSTANCE] = "SELECT uuid, kind FROM kunlun_instance"
                 " WHERE machine = ? AND port = ?",
    [STORAGE_STATUS] = "UPDATE Kunlun_Metadata_DB.shard_nodes SET status = ?"
                       " WHERE hostaddr = ? AND port = ?",
    [COMPUTER_STATUS] = "UPDATE Kunlun_Metadata_DB.comp_nodes SET status = ?"
                        " WHERE hostaddr = ? AND port = ?",
};

enum err
orders_machine(struct db *db, const char *hostaddr)
{
    int64_t there;

    return db_one_i64(db, sql[THERE], DB_ARGS(db_str(hostaddr)), &there);
}

static int64_t
at_least_0(int32_t v)
{
    return v > 0 ? v : 0;
}

enum err
orders_machine_add(struct db *db, const struct cluster_want *w)
{
    enum err e = db_exec(
        db, sql[ADD],
        DB_ARGS(db_str(w->ip), db_str(w->rack_id), db_str(w->datadir),
                db_str(w->logdir), db_str(w->wal_log_dir),
                db_str(w->comp_datadir), db_i64(at_least_0(w->total_mem)),
                db_i64(at_least_0(w->total_cpu_cores))));

    /* it has just answered */
    return e == ERR_OK ? db_exec(db, sql[BEAT], DB_ARGS(db_str(w->ip))) : e;
}

enum err
orders_machine_set(struct db *db, const struct cluster_want *w)
{
    return db_exec_one(
        db, sql[SET],
        DB_ARGS(db_str(w->rack_id), db_str(w->datadir), db_str(w->logdir),
                db_str(w->wal_log_dir), db_str(w->comp_datadir),
                db_i64(at_least_0(w->total_mem)),
                db_i64(at_least_0(w->total_cpu_cores)), db_str(w->ip)));
}

enum err
orders_machine_drop(struct db *db, const char *hostaddr)
{
    int64_t n = 0;
    enum err e = meta_turn(db); /* who is choosing may choose this one */

    if (e == ERR_OK)
        e = db_one_i64(db, sql[INSTANCES],
                       DB_ARGS(db_str(hostaddr), db_str(hostaddr)), &n);
    if (e == ERR_OK && n > 0)
        return ERR_STATE;
    if (e == ERR_OK)
        e = db_exec(db, sql[DROP], DB_ARGS(db_str(hostaddr)));
    if (e == ERR_OK)
        e = db_exec(db, sql[DROP_BEAT], DB_ARGS(db_str(hostaddr)));
    return e == ERR_OK ? db_exec(db, sql[DROP_NODE], DB_ARGS(db_str(hostaddr)))
                       : e;
}

enum err
orders_instance(struct db *db, struct arena *a, const char *machine,
                int32_t port, struct orders_instance *out)
{
    return db_one(db, a, sql[INSTANCE], DB_ARGS(db_str(machine), db_i64(port)),
                  &orders_instance_rec, out);
}

enum err
orders_instance_status(struct db *db, const char *machine, int32_t port,
                       const char *status)
{
    struct db_args args =
        DB_ARGS(db_str(status), db_str(machine), db_i64(port));
    enum err e = db_exec(db, sql[STORAGE_STATUS], args);

    return e == ERR_OK ? db_exec(db, sql[COMPUTER_STATUS], args) : e;
}
