/* The SQL of partitions, and of what is to be done with them. */
#include "partition.h"

#include "config_text.h"

TABLE(pegasus_partition, PEGASUS_PARTITION);
TABLE(pegasus_action, PEGASUS_ACTION);

#define ACTIONS_MAX 1000000
#define DDD_MAX     100000

enum {
    PARTITIONS,
    PARTITION,
    OF_NODE,
    DDD,
    CONFIG,
    CONFIGS,
    ACTIONS,
    ACTIONS_OF,
    ACTION_ADD,
    ACTIONS_DROP,
    BALANCE_DROP,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [PARTITIONS] = "SELECT pidx, ballot, primary_node, secondaries, members,"
                   " max_replica_count FROM pegasus_partition"
                   " WHERE app_id = ? ORDER BY pidx",
    [PARTITION] = "SELECT p.app_id, p.pidx, p.ballot, p.primary_node,"
                  " p.secondaries, p.members, p.max_replica_count,"
                  " p.committed, p.last_drops, p.dropped"
                  " FROM pegasus_partition p"
                  " JOIN pegasus_app a ON a.app_id = p.app_id"
                  " WHERE p.app_id = ? AND p.pidx = ?"
                  " AND a.status = 'AVAILABLE' FOR UPDATE",
    [OF_NODE] = "SELECT p.app_id, p.pidx, p.ballot, p.primary_node,"
                " p.secondaries, p.members, p.max_replica_count, p.committed,"
                " p.last_drops, p.dropped, a.app_name"
                " FROM pegasus_partition p"
                " JOIN pegasus_app a ON a.app_id = p.app_id"
                " WHERE p.dropped = 0 AND (p.primary_node = ?"
                " OR FIND_IN_SET(?, p.secondaries) > 0)"
                " ORDER BY p.app_id, p.pidx",
    [DDD] = "SELECT CONCAT(p.app_id, '.', p.pidx) AS gpid, a.app_name,"
            " p.app_id, p.pidx, p.ballot,"
            " CONCAT('[', p.secondaries, ']') AS secondaries,"
            " CONCAT('[', p.last_drops, ']') AS last_drops"
            " FROM pegasus_app a"
            " JOIN pegasus_partition p ON p.app_id = a.app_id"
            " WHERE a.status = 'AVAILABLE' AND p.primary_node IS NULL"
            " AND (p.secondaries <> '' OR p.last_drops <> '')"
            " AND (? = 0 OR p.app_id = ?)"
            " ORDER BY p.app_id, p.pidx",
    [CONFIG] = "UPDATE pegasus_partition SET ballot = ballot + 1,"
               " primary_node = ?, secondaries = ?, members = ?,"
               " last_drops = ?, last_change_ms = " DB_NOW_MS
               " WHERE app_id = ? AND pidx = ? AND ballot = ?"
               " AND dropped = 0",
    [CONFIGS] = "UPDATE pegasus_app SET configs = configs + 1"
                " WHERE app_id = ?",
    [ACTIONS] = ("SELECT app_id, pidx, type, target, node, balancer, made_ms"
                 " FROM pegasus_action ORDER BY app_id, pidx, ord"),
    [ACTIONS_OF] = ("SELECT app_id, pidx, type, target, node, balancer, made_ms"
                    " FROM pegasus_action WHERE app_id = ? AND pidx = ?"
                    " ORDER BY ord"),
    [ACTION_ADD] = "INSERT INTO pegasus_action (app_id, pidx, ord, type,"
                   " target, node, balancer, made_ms)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, " DB_NOW_MS ")",
    [ACTIONS_DROP] = "DELETE FROM pegasus_action"
                     " WHERE app_id = ? AND pidx = ?",
    [BALANCE_DROP] = "DELETE FROM pegasus_action WHERE balancer = 1",
};

enum err
pegasus_store_partitions(struct db *db, struct arena *a, int32_t app_id,
                         struct rows *out)
{
    return db_rows(db, a, sql[PARTITIONS], DB_ARGS(db_i64(app_id)),
                   &pegasus_partition_rec, out);
}

enum err
pegasus_store_partition(struct db *db, struct arena *a, int32_t app_id,
                        int32_t pidx, struct pegasus_partition *out)
{
    return db_one(db, a, sql[PARTITION], DB_ARGS(db_i64(app_id), db_i64(pidx)),
                  &pegasus_partition_rec, out);
}

enum err
pegasus_store_of_node(struct db *db, struct arena *a, const char *address,
                      struct rows *out)
{
    return db_rows(db, a, sql[OF_NODE],
                   DB_ARGS(db_str(address), db_str(address)),
                   &pegasus_partition_rec, out);
}

enum err
pegasus_store_ddd(struct db *db, struct arena *a, int32_t app_id,
                  struct list_of_pegasus_ddd_line *out)
{
    return db_list(db, a, sql[DDD], DB_ARGS(db_i64(app_id), db_i64(app_id)),
                   &pegasus_ddd_line_rec, DDD_MAX, out);
}

enum err
pegasus_store_config(struct db *db, int32_t app_id, int32_t pidx,
                     const struct pg_config *c, const struct pg_node *nodes)
{
    struct pegasus_config_texts t;

    pegasus_config_print(c, nodes, &t);
    return db_exec_one(db, sql[CONFIG],
                       DB_ARGS(db_str(t.primary), db_str(t.secondaries),
                               db_i64(pg_config_members(c)), db_str(t.drops),
                               db_i64(app_id), db_i64(pidx),
                               db_i64(c->ballot - 1)));
}

enum err
pegasus_store_configs(struct db *db, int32_t app_id)
{
    return db_exec_one(db, sql[CONFIGS], DB_ARGS(db_i64(app_id)));
}

enum err
pegasus_store_actions(struct db *db, struct arena *a,
                      struct list_of_pegasus_action *out)
{
    return db_list(db, a, sql[ACTIONS], DB_NO_ARGS, &pegasus_action_rec,
                   ACTIONS_MAX, out);
}

enum err
pegasus_store_actions_of(struct db *db, struct arena *a, int32_t app_id,
                         int32_t pidx, struct list_of_pegasus_action *out)
{
    return db_list(db, a, sql[ACTIONS_OF],
                   DB_ARGS(db_i64(app_id), db_i64(pidx)), &pegasus_action_rec,
                   ACTIONS_MAX, out);
}

enum err
pegasus_store_action_add(struct db *db, int32_t app_id, int32_t pidx, int ord,
                         const char *type, const char *target, const char *node,
                         bool balancer)
{
    return db_later(db, sql[ACTION_ADD],
                    DB_ARGS(db_i64(app_id), db_i64(pidx), db_i64(ord),
                            db_str(type), db_str(target), db_str(node),
                            db_bool(balancer)));
}

enum err
pegasus_store_actions_drop(struct db *db, int32_t app_id, int32_t pidx)
{
    return db_later(db, sql[ACTIONS_DROP],
                    DB_ARGS(db_i64(app_id), db_i64(pidx)));
}

enum err
pegasus_store_balance_drop(struct db *db)
{
    return db_later(db, sql[BALANCE_DROP], DB_NO_ARGS);
}
