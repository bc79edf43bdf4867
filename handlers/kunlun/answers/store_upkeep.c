/* The SQL of what goes on by itself. */
#include "store_upkeep.h"

#include <string.h>

#include "record.h"
#include "store.h"

#define META_ROW(X, s)                          \
    X(s, I64, id, "id", COLUMN_ONLY, -)         \
    X(s, STR, host, "hostaddr", COLUMN_ONLY, -) \
    X(s, I32, port, "port", COLUMN_ONLY, -)     \
    X(s, STR, state, "member_state", COLUMN_ONLY, -)
STRUCT(meta_row, META_ROW);
TABLE(meta_row, META_ROW);
LIST_OF(meta_row);
TABLE(cluster_backups, CLUSTER_BACKUPS);

enum {
    METAS,
    META_ADD,
    META_SET,
    META_DROP,
    STORAGES,
    FIRST_STORAGE,
    BEAT,
    MACHINES,
    MANAGER_ADD,
    MANAGER_GONE,
    MANAGER_IS,
    BACKUPS,
    SQL__MAX
};

#define STATS    "IF(" IS_THERE ", 'running', 'dead')"
#define MANAGERS "Kunlun_Metadata_DB.cluster_mgr_nodes"
#define LEADS    "IF(hostaddr = ? AND port = ?, 'source', 'replica')"

static const char *const sql[SQL__MAX] = {
    [BACKUPS] = "SELECT CAST(COALESCE(MIN(newest), 0) AS SIGNED) AS oldest_ms,"
                " CAST(COALESCE(SUM(newest IS NULL), 0) AS SIGNED) AS none"
                " FROM (SELECT MAX(b.ended_ms) AS newest"
                " FROM (SELECT DISTINCT cluster, shard FROM kunlun_instance"
                " WHERE kind = 'storage' AND cluster IS NOT NULL) i"
                " LEFT JOIN kunlun_backup b ON b.cluster = i.cluster"
                " AND b.shard = i.shard AND b.kind = 'storage'"
                " GROUP BY i.cluster, i.shard) AS shards",
    [METAS] = "SELECT id, hostaddr, port, member_state"
              " FROM Kunlun_Metadata_DB.meta_db_nodes ORDER BY id",
    [META_ADD] = "INSERT INTO Kunlun_Metadata_DB.meta_db_nodes (hostaddr,"
                 " port, user_name, member_state, sync_state)"
                 " VALUES (?, ?, ?, ?, 'fsync')",
    [META_SET] = "UPDATE Kunlun_Metadata_DB.meta_db_nodes"
                 " SET member_state = ? WHERE id = ?",
    [META_DROP] = "DELETE FROM Kunlun_Metadata_DB.meta_db_nodes WHERE id = ?",
    [STORAGES] = "SELECT COUNT(*) FROM Kunlun_Metadata_DB.backup_storage",
    [FIRST_STORAGE] = "INSERT INTO Kunlun_Metadata_DB.backup_storage (id, name,"
                      " stype) VALUES (1, 'local', 'OTHER')",
    [BEAT] =
        "INSERT INTO kunlun_beat (machine, at_ms) SELECT n.hostaddr, " DB_NOW_MS
        " FROM Kunlun_Metadata_DB.server_nodes n"
        " WHERE n.hostaddr = ? LIMIT 1"
        " ON DUPLICATE KEY UPDATE at_ms = VALUES(at_ms)",
    [MACHINES] =
        "UPDATE Kunlun_Metadata_DB.server_nodes n"
        " LEFT JOIN kunlun_beat b ON b.machine = n.hostaddr"
        " LEFT JOIN (SELECT machine, GROUP_CONCAT(port ORDER BY port)"
        " AS ports FROM kunlun_instance GROUP BY machine) p"
        " ON p.machine = n.hostaddr"
        " SET n.node_stats = " STATS ", n.used_port = p.ports"
        " WHERE n.node_stats <> " STATS " OR NOT n.used_port <=> p.ports",
    [MANAGER_ADD] = "INSERT INTO " MANAGERS " (hostaddr, port)"
                    " SELECT ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM"
                    " " MANAGERS " WHERE hostaddr = ? AND port = ?)",
    [MANAGER_GONE] = "DELETE FROM " MANAGERS " WHERE hostaddr = ?"
                     " AND port <> ?",
    [MANAGER_IS] = "UPDATE " MANAGERS " SET member_state = " LEADS
                   " WHERE member_state <> " LEADS,
};

static bool
same_state(const struct meta_row *row, const char *state)
{
    if (!HAS(row, meta_row, state) || state == NULL)
        return !HAS(row, meta_row, state) && state == NULL;
    return strcmp(row->state, state) == 0;
}

static const struct meta_row *
row_of(const struct list_of_meta_row *rows, const struct cluster_meta_server *s)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->v[i].host, s->host) == 0 &&
            rows->v[i].port == (int32_t)s->port)
            return &rows->v[i];
    return NULL;
}

static bool
is_named(const struct cluster_meta_server *v, size_t n,
         const struct meta_row *row)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].host, row->host) == 0 &&
            (int32_t)v[i].port == row->port)
            return true;
    return false;
}

enum err
cluster_store_meta_servers(struct db *db, struct arena *a,
                           const struct cluster_meta_server *v, size_t n,
                           const char *user)
{
    struct list_of_meta_row rows;
    enum err e = db_list(db, a, sql[METAS], DB_NO_ARGS, &meta_row_rec,
                         4 * CLUSTER_META_SERVERS, &rows);

    for (size_t i = 0; e == ERR_OK && i < rows.n; i++)
        if (!is_named(v, n, &rows.v[i]))
            e = db_exec(db, sql[META_DROP], DB_ARGS(db_i64(rows.v[i].id)));
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        const struct meta_row *row = row_of(&rows, &v[i]);

        if (row == NULL)
            e = db_exec(db, sql[META_ADD],
                        DB_ARGS(db_str(v[i].host), db_u64(v[i].port),
                                db_str(user), db_str(v[i].state)));
        else if (!same_state(row, v[i].state))
            e = db_exec(db, sql[META_SET],
                        DB_ARGS(db_str(v[i].state), db_i64(row->id)));
    }
    return e;
}

enum err
cluster_store_first_storage(struct db *db)
{
    int64_t n;
    enum err e = db_one_i64(db, sql[STORAGES], DB_NO_ARGS, &n);

    return e == ERR_OK && n == 0 ? db_exec(db, sql[FIRST_STORAGE], DB_NO_ARGS)
                                 : e;
}

enum err
cluster_store_machine_states(struct db *db)
{
    return db_exec(db, sql[MACHINES], DB_NO_ARGS);
}

enum err
cluster_store_manager(struct db *db, const char *host, unsigned port)
{
    struct db_value at = db_str(host), on = db_u64(port);
    enum err e = db_exec(db, sql[MANAGER_GONE], DB_ARGS(at, on));

    if (e == ERR_OK)
        e = db_exec(db, sql[MANAGER_ADD], DB_ARGS(at, on, at, on));
    return e == ERR_OK ? db_exec(db, sql[MANAGER_IS], DB_ARGS(at, on, at, on))
                       : e;
}

enum err
cluster_store_beat(struct db *db, const char *machine)
{
    return db_exec(db, sql[BEAT], DB_ARGS(db_str(machine)));
}

enum err
cluster_store_backups(struct db *db, struct arena *a,
                      struct cluster_backups *out)
{
    return db_one(db, a, sql[BACKUPS], DB_NO_ARGS, &cluster_backups_rec, out);
}
