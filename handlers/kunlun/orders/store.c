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
    ALL,
    DROP,
    DROP_BEAT,
    DROP_NODE,
    INSTANCE,
    STORAGE_STATUS,
    COMPUTER_STATUS,
    SQL__MAX
};

#define NODES "Kunlun_Metadata_DB.server_nodes"
/* A row of that type, or of both; without a type: all. */
#define MEANT "(? IN ('', machine_type) OR machine_type = '')"

static const char *const sql[SQL__MAX] = {
    [THERE] =
        "SELECT 1 FROM " NODES " WHERE hostaddr = ? AND " MEANT " LIMIT 1",
    [ADD] = "INSERT INTO " NODES " (hostaddr, rack_id,"
            " datadir, logdir, wal_log_dir, comp_datadir, total_mem,"
            " total_cpu_cores, machine_type, port_range)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [BEAT] = "INSERT INTO kunlun_beat (machine, at_ms) VALUES (?, " DB_NOW_MS
             ") ON DUPLICATE KEY UPDATE at_ms = VALUES(at_ms)",
    [SET] = "UPDATE " NODES " SET rack_id = ?,"
            " datadir = ?, logdir = ?, wal_log_dir = ?, comp_datadir = ?,"
            " total_mem = ?, total_cpu_cores = ?,"
            " port_range = COALESCE(?, port_range)"
            " WHERE hostaddr = ? AND " MEANT,
    [INSTANCES] = "SELECT (SELECT COUNT(*) FROM kunlun_instance"
                  " WHERE machine = ? AND ? IN ('', kind))"
                  " + (SELECT COUNT(*) FROM kunlun_place"
                  " WHERE machine = ? AND ? IN ('', kind))",
    [ALL] = "SELECT COUNT(*) FROM " NODES " WHERE hostaddr = ?",
    [DROP] = "DELETE FROM " NODES " WHERE hostaddr = ? AND " MEANT,
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

static struct db_value
type_of(const struct cluster_want *w)
{
    return db_str(HAS(w, cluster_want, machine_type) ? w->machine_type : "");
}

enum err
orders_machine(struct db *db, const struct cluster_want *w)
{
    int64_t there;

    return db_one_i64(db, sql[THERE], DB_ARGS(db_str(w->ip), type_of(w)),
                      &there);
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
                db_i64(at_least_0(w->total_cpu_cores)), type_of(w),
                db_str(HAS(w, cluster_want, port_range) ? w->port_range : "")));

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
                db_i64(at_least_0(w->total_cpu_cores)),
                HAS(w, cluster_want, port_range) ? db_str(w->port_range)
                                                 : db_null(),
                db_str(w->ip), type_of(w)));
}

enum err
orders_machine_drop(struct db *db, const struct cluster_want *w)
{
    struct db_value at = db_str(w->ip);
    int64_t n = 0;
    enum err e = meta_turn(db); /* who is choosing may choose this one */

    if (e == ERR_OK)
        e = db_one_i64(db, sql[INSTANCES],
                       DB_ARGS(at, type_of(w), at, type_of(w)), &n);
    if (e == ERR_OK && n > 0)
        return ERR_STATE;
    if (e == ERR_OK)
        e = db_exec(db, sql[DROP], DB_ARGS(at, type_of(w)));
    if (e == ERR_OK)
        e = db_one_i64(db, sql[ALL], DB_ARGS(at), &n);
    if (e != ERR_OK || n > 0)
        return e; /* it is there for the other kind */
    e = db_exec(db, sql[DROP_BEAT], DB_ARGS(at));
    return e == ERR_OK ? db_exec(db, sql[DROP_NODE], DB_ARGS(at)) : e;
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
