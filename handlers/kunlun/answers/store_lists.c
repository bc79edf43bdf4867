/* The SQL of what is listed. */
#include "lists.h"

#include "store.h"

#define SERVERS_MAX  100000
#define CLUSTERS_MAX 100000
#define MACHINES_MAX 10000
#define METAS_MAX    64

TABLE(cluster_row, CLUSTER_ROW);
TABLE(cluster_summary, CLUSTER_SUMMARY);
TABLE(cluster_machine, CLUSTER_MACHINE);
TABLE(cluster_meta_row, CLUSTER_META_ROW);

/* What a server's machine tells of it, and its login. */
#define TELLS                                                \
    " LEFT JOIN kunlun_instance i ON i.machine = n.hostaddr" \
    " AND i.port = n.port LEFT JOIN kept_instance k"         \
    " ON k.machine = i.machine AND k.uuid = i.uuid"          \
    " LEFT JOIN kunlun_beat b ON b.machine = n.hostaddr"
#define TOLD                                                \
    " COALESCE(i.uuid, '') AS secret_row, i.client_secret," \
    " COALESCE(k.state, '') AS state,"                      \
    " COALESCE(k.state = 'running', 0) AND " IS_THERE " AS runs"
#define OFFLINE(nodes)                                        \
    " (SELECT COUNT(*) FROM Kunlun_Metadata_DB." nodes " n"   \
    " LEFT JOIN kept_instance k ON k.machine = n.hostaddr"    \
    " AND k.port = n.port LEFT JOIN kunlun_beat b"            \
    " ON b.machine = n.hostaddr WHERE n.db_cluster_id = c.id" \
    " AND NOT (COALESCE(k.state = 'running', 0) AND " IS_THERE "))"

enum { STORAGES, COMPUTERS, SUMMARIES, MACHINES, METAS, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [STORAGES] =
        "SELECT 'storage' AS kind, n.id, c.name AS cluster, s.name,"
        " s.id AS group_id, n.hostaddr, n.port, n.status,"
        " n.member_state, n.user_name," TOLD
        " FROM Kunlun_Metadata_DB.shard_nodes n"
        " JOIN Kunlun_Metadata_DB.shards s ON s.id = n.shard_id"
        " JOIN Kunlun_Metadata_DB.db_clusters c"
        " ON c.id = s.db_cluster_id" TELLS " WHERE ? IS NULL OR c.name = ?"
        " ORDER BY c.id, s.id, n.id",
    [COMPUTERS] =
        "SELECT 'computer' AS kind, n.id, c.name AS cluster, n.name,"
        " n.id AS group_id, n.hostaddr, n.port, n.status,"
        " NULL AS member_state, n.user_name," TOLD
        " FROM Kunlun_Metadata_DB.comp_nodes n"
        " JOIN Kunlun_Metadata_DB.db_clusters c"
        " ON c.id = n.db_cluster_id" TELLS " WHERE ? IS NULL OR c.name = ?"
        " ORDER BY c.id, n.id",
    [SUMMARIES] =
        "SELECT c.name, COALESCE(c.nick_name, c.name) AS nick_name,"
        " CAST((SELECT COUNT(*) FROM Kunlun_Metadata_DB.shards s"
        " WHERE s.db_cluster_id = c.id) AS CHAR) AS shards,"
        " CAST((SELECT COUNT(*) FROM Kunlun_Metadata_DB.comp_nodes n"
        " WHERE n.db_cluster_id = c.id) AS CHAR) AS comps,"
        " CAST(" OFFLINE(
            "shard_nodes") " AS CHAR)"
                           " AS storage_offline,"
                           " CAST(" OFFLINE(
                               "comp_nodes") " AS CHAR)"
                                             " AS computer_offline"
                                             " FROM "
                                             "Kunlun_Metadata_DB.db_clusters c "
                                             "ORDER BY c.id",
    [MACHINES] = "SELECT n.hostaddr AS ip,"
                 " IF(" IS_THERE ", 'online', 'offline') AS status"
                 " FROM Kunlun_Metadata_DB.kunlun_host n"
                 " LEFT JOIN kunlun_beat b ON b.machine = n.hostaddr"
                 " ORDER BY n.id",
    [METAS] = "SELECT hostaddr, port, user_name, member_state"
              " FROM Kunlun_Metadata_DB.meta_db_nodes ORDER BY id",
};

enum err
cluster_store_storages(struct db *db, struct arena *a, const char *cluster,
                       struct list_of_cluster_row *out)
{
    return db_list(db, a, sql[STORAGES],
                   DB_ARGS(db_str(cluster), db_str(cluster)), &cluster_row_rec,
                   SERVERS_MAX, out);
}

enum err
cluster_store_computers(struct db *db, struct arena *a, const char *cluster,
                        struct list_of_cluster_row *out)
{
    return db_list(db, a, sql[COMPUTERS],
                   DB_ARGS(db_str(cluster), db_str(cluster)), &cluster_row_rec,
                   SERVERS_MAX, out);
}

enum err
cluster_store_summaries(struct db *db, struct arena *a,
                        struct list_of_cluster_summary *out)
{
    return db_list(db, a, sql[SUMMARIES], DB_NO_ARGS, &cluster_summary_rec,
                   CLUSTERS_MAX, out);
}

enum err
cluster_store_machines(struct db *db, struct arena *a,
                       struct list_of_cluster_machine *out)
{
    return db_list(db, a, sql[MACHINES], DB_NO_ARGS, &cluster_machine_rec,
                   MACHINES_MAX, out);
}

enum err
cluster_store_metas(struct db *db, struct arena *a,
                    struct list_of_cluster_meta_row *out)
{
    return db_list(db, a, sql[METAS], DB_NO_ARGS, &cluster_meta_row_rec,
                   METAS_MAX, out);
}
