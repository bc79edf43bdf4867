/* The SQL behind the reading endpoints. */
#include <string.h>

#include "pegasus/settings.h"
#include "store.h"

TABLE(pegasus_leader, PEGASUS_LEADER);
TABLE(pegasus_partition, PEGASUS_PARTITION);
TABLE(pegasus_alike, PEGASUS_ALIKE);
TABLE(pegasus_stamp, PEGASUS_STAMP);
TABLE(pegasus_placement, PEGASUS_PLACEMENT);
TABLE(pegasus_node, PEGASUS_NODE);
TABLE(pegasus_cluster_row, PEGASUS_CLUSTER_ROW);

#define NODES_MAX 100000
#define ENVS_MAX  100000
#define DDD_MAX   100000

enum {
    LEADER,
    GENERAL,
    PARTITIONS,
    LINES,
    STAMP,
    ALIKE,
    PLACEMENTS,
    NODES,
    CLUSTER,
    ENVS,
    ENV_ROWS,
    DDD,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [LEADER] = "SELECT COALESCE(SUBSTRING_INDEX(l.owner, '@', 1), '')"
               " AS owner,"
               " COALESCE(l.expires_ms, 0) >= " DB_NOW_MS " AS held,"
               " COALESCE(l.epoch, 0) = c.ready_epoch AS ready, " DB_NOW_MS
               " AS now_ms FROM pegasus_cluster c"
               " LEFT JOIN lease l ON l.name = '" PEGASUS_LEASE "'"
               " WHERE c.one = 1",
    [GENERAL] = "SELECT a.app_name, a.app_id, a.partition_count, a.status,"
                " a.changed, a.configs,"
                " COALESCE((SELECT p.max_replica_count"
                " FROM pegasus_partition p"
                " WHERE p.app_id = a.app_id AND p.pidx = 0), 0)"
                " AS max_replica_count"
                " FROM pegasus_app a WHERE a.live_name = ?",
    [PARTITIONS] = "SELECT pidx, ballot, primary_node, secondaries, members,"
                   " max_replica_count FROM pegasus_partition"
                   " WHERE app_id = ? ORDER BY pidx",
    [LINES] = "SELECT a.app_id, a.status, a.app_name, a.app_type,"
              " a.partition_count, a.max_replica_count AS replica_count,"
              " a.is_stateful, a.create_second,"
              " (SELECT COUNT(*) FROM pegasus_app_env e"
              " WHERE e.app_id = a.app_id) AS envs_count"
              " FROM pegasus_app a WHERE a.status = 'AVAILABLE'"
              " ORDER BY a.app_id",
    [STAMP] = "SELECT c.version, a.configs, a.tables FROM pegasus_cluster c"
              " JOIN (SELECT CAST(COALESCE(SUM(configs), 0) AS SIGNED)"
              " AS configs, COUNT(*) AS tables FROM pegasus_app"
              " WHERE status = 'AVAILABLE') a WHERE c.one = 1",
    [ALIKE] = "SELECT a.app_id, a.app_name, a.partition_count,"
              " p.primary_node IS NOT NULL AS has_primary, p.members,"
              " p.max_replica_count, COUNT(*) AS n"
              " FROM pegasus_app a"
              " JOIN pegasus_partition p ON p.app_id = a.app_id"
              " WHERE a.status = 'AVAILABLE'"
              " GROUP BY a.app_id, a.app_name, a.partition_count,"
              " has_primary, p.members, p.max_replica_count"
              " ORDER BY a.app_id",
    [PLACEMENTS] = "SELECT p.primary_node, p.secondaries, COUNT(*) AS n"
                   " FROM pegasus_app a"
                   " JOIN pegasus_partition p ON p.app_id = a.app_id"
                   " WHERE a.status = 'AVAILABLE'"
                   " GROUP BY p.primary_node, p.secondaries"
                   " ORDER BY NULL", /* the groups are only added up */
    [NODES] = "SELECT address, alive, managed, collected, start_ms,"
              " last_beacon_ms, unstable FROM pegasus_node ORDER BY address",
    [CLUSTER] = "SELECT version, next_app_id, function_level, move_pri,"
                " copy_pri, copy_sec, total FROM pegasus_cluster"
                " WHERE one = 1",
    [ENVS] = "SELECT e.k, e.v FROM pegasus_app a"
             " JOIN pegasus_app_env e ON e.app_id = a.app_id"
             " WHERE a.live_name = ? AND a.status = 'AVAILABLE'"
             " ORDER BY e.k",
    [ENV_ROWS] = "SELECT k, v FROM pegasus_app_env WHERE app_id = ?"
                 " ORDER BY k",
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
};

enum err
pegasus_store_leader(struct db *db, struct arena *a, struct pegasus_leader *out)
{
    return db_one(db, a, sql[LEADER], DB_NO_ARGS, &pegasus_leader_rec, out);
}

enum err
pegasus_store_general(struct db *db, struct arena *a, const char *name,
                      struct pegasus_general *out)
{
    return db_one(db, a, sql[GENERAL], DB_ARGS(db_str(name)),
                  &pegasus_general_rec, out);
}

enum err
pegasus_store_partitions(struct db *db, struct arena *a, int32_t app_id,
                         struct rows *out)
{
    return db_rows(db, a, sql[PARTITIONS], DB_ARGS(db_i64(app_id)),
                   &pegasus_partition_rec, out);
}

enum err
pegasus_store_lines(struct db *db, struct arena *a, struct rows *out)
{
    return db_rows(db, a, sql[LINES], DB_NO_ARGS, &pegasus_app_line_rec, out);
}

enum err
pegasus_store_stamp(struct db *db, struct arena *a, struct pegasus_stamp *out)
{
    return db_one(db, a, sql[STAMP], DB_NO_ARGS, &pegasus_stamp_rec, out);
}

enum err
pegasus_store_alike(struct db *db, struct arena *a, struct rows *out)
{
    return db_rows(db, a, sql[ALIKE], DB_NO_ARGS, &pegasus_alike_rec, out);
}

enum err
pegasus_store_placements(struct db *db, struct arena *a, struct rows *out)
{
    return db_rows(db, a, sql[PLACEMENTS], DB_NO_ARGS, &pegasus_placement_rec,
                   out);
}

enum err
pegasus_store_nodes(struct db *db, struct arena *a,
                    struct list_of_pegasus_node *out)
{
    return db_list(db, a, sql[NODES], DB_NO_ARGS, &pegasus_node_rec, NODES_MAX,
                   out);
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

/* ---- envs ---- */

#define ENV_ROW(X, s)                 \
    X(s, STR, k, "k", COLUMN_ONLY, -) \
    X(s, STR, v, "v", COLUMN_ONLY, -)
STRUCT(pegasus_env_row, ENV_ROW);
TABLE(pegasus_env_row, ENV_ROW);

LIST_OF(pegasus_env_row);

static enum err
to_map(struct arena *a, const struct list_of_pegasus_env_row *list,
       struct list_of_map_of_STR *out)
{
    out->n = list->n;
    out->v = arena_array(a, list->n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < list->n; i++)
        out->v[i] =
            (struct map_of_STR){ list->v[i].k,
                                 { .has = UINT64_MAX, .v = list->v[i].v } };
    return ERR_OK;
}

enum err
pegasus_store_envs(struct db *db, struct arena *a, const char *name,
                   struct list_of_map_of_STR *out)
{
    struct list_of_pegasus_env_row list;
    enum err e;

    e = db_list(db, a, sql[ENVS], DB_ARGS(db_str(name)), &pegasus_env_row_rec,
                ENVS_MAX, &list);
    return e == ERR_OK ? to_map(a, &list, out) : e;
}

enum err
pegasus_store_env_rows(struct db *db, struct arena *a, int32_t app_id,
                       struct list_of_map_of_STR *out)
{
    struct list_of_pegasus_env_row list;
    enum err e;

    e = db_list(db, a, sql[ENV_ROWS], DB_ARGS(db_i64(app_id)),
                &pegasus_env_row_rec, ENVS_MAX, &list);
    return e == ERR_OK ? to_map(a, &list, out) : e;
}

enum err
pegasus_store_ddd(struct db *db, struct arena *a, int32_t app_id,
                  struct list_of_pegasus_ddd_line *out)
{
    return db_list(db, a, sql[DDD], DB_ARGS(db_i64(app_id), db_i64(app_id)),
                   &pegasus_ddd_line_rec, DDD_MAX, out);
}
