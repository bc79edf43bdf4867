/* The SQL of cluster_mgr's requests. */
#include "store.h"

enum { TELL, TOLD, NAME, NAME_OF_ID, SHARD_ID, COMP_ID, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [TELL] = "INSERT INTO kunlun_told (job_id, doc) VALUES (?, ?)"
             " ON DUPLICATE KEY UPDATE doc = VALUES(doc)",
    [TOLD] = "SELECT doc FROM kunlun_told WHERE job_id = ?",
    [NAME] = "SELECT name FROM Kunlun_Metadata_DB.db_clusters WHERE name = ?",
    [NAME_OF_ID] = "SELECT name FROM Kunlun_Metadata_DB.db_clusters"
                   " WHERE id = ?",
    [SHARD_ID] = "SELECT COALESCE(MAX(s.id), 0) FROM Kunlun_Metadata_DB.shards"
                 " s JOIN Kunlun_Metadata_DB.db_clusters c"
                 " ON c.id = s.db_cluster_id WHERE c.name = ? AND s.name = ?",
    [COMP_ID] = "SELECT COALESCE(MAX(n.id), 0)"
                " FROM Kunlun_Metadata_DB.comp_nodes n"
                " JOIN Kunlun_Metadata_DB.db_clusters c"
                " ON c.id = n.db_cluster_id WHERE c.name = ? AND n.name = ?",
};

enum err
cluster_store_tell(struct db *db, uint64_t job_id, const char *doc)
{
    return db_exec(db, sql[TELL], DB_ARGS(db_u64(job_id), db_str(doc)));
}

enum err
cluster_store_told(struct db *db, struct arena *a, uint64_t job_id,
                   const char **doc)
{
    return db_one_str(db, a, sql[TOLD], DB_ARGS(db_u64(job_id)), doc);
}

enum err
cluster_store_name(struct db *db, struct arena *a, const char *name, int64_t id,
                   const char **out)
{
    return name != NULL
               ? db_one_str(db, a, sql[NAME], DB_ARGS(db_str(name)), out)
               : db_one_str(db, a, sql[NAME_OF_ID], DB_ARGS(db_i64(id)), out);
}

enum err
cluster_store_part_id(struct db *db, const char *cluster, const char *name,
                      bool shard, int64_t *out)
{
    return db_one_i64(db, sql[shard ? SHARD_ID : COMP_ID],
                      DB_ARGS(db_str(cluster), db_str(name)), out);
}
