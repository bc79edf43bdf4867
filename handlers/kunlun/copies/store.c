/* The SQL of copies of clusters. */
#include "copies.h"

TABLE(copy_storage, COPY_STORAGE);
TABLE(copy_found, COPY_FOUND);

#define SHARDS_MAX 10000
#define CAME_MS    "CAST(CEIL(UNIX_TIMESTAMP(s.when_created) * 1000) AS SIGNED)"

enum {
    STORAGE,
    LOG,
    LOG_PATH,
    LOG_END,
    ADD,
    ADD_BACKUP,
    FIND,
    KNOWN,
    LIVES,
    PAST,
    SQL__MAX
};

/* The log's memo is the job: it has no column for it. */
static const char *const sql[SQL__MAX] = {
    [STORAGE] = "SELECT id, conn_str FROM Kunlun_Metadata_DB.backup_storage"
                " ORDER BY id LIMIT 1",
    [LOG] = "INSERT INTO Kunlun_Metadata_DB.cluster_shard_backup_restore_log"
            " (storage_id, cluster_id, shard_id, optype, status, memo,"
            " when_started) VALUES (?, ?, ?, ?, 'ongoing', ?, NOW(6))",
    [LOG_PATH] = "UPDATE Kunlun_Metadata_DB.cluster_shard_backup_restore_log"
                 " SET shard_backup_path = ? WHERE cluster_id = ?"
                 " AND shard_id = ? AND memo = ?",
    [LOG_END] = "UPDATE Kunlun_Metadata_DB.cluster_shard_backup_restore_log"
                " SET status = ?, when_ended = NOW(6) WHERE memo = ?"
                " AND status = 'ongoing'",
    [ADD] = "INSERT INTO kunlun_copy (job_id, cluster, ended_ms, doc)"
            " VALUES (?, ?, ?, ?)",
    [ADD_BACKUP] =
        "INSERT INTO Kunlun_Metadata_DB.cluster_backups (storage_id,"
        " cluster_id, has_comp_node_dump, start_ts, end_ts, name, memo,"
        " backup_addr) VALUES (?, ?, ?, FROM_UNIXTIME(? / 1000),"
        " FROM_UNIXTIME(? / 1000), ?, ?, ?)",
    [FIND] = "SELECT ended_ms, doc FROM kunlun_copy WHERE cluster = ? AND "
             "ended_ms <= ?"
             " ORDER BY ended_ms DESC, job_id DESC LIMIT 1",
    [KNOWN] = "SELECT COUNT(*) FROM kunlun_copy WHERE cluster = ?",
    [LIVES] = "SELECT s.name, " CAME_MS " AS came_ms, 0 AS gone_ms"
              " FROM Kunlun_Metadata_DB.shards s"
              " JOIN Kunlun_Metadata_DB.db_clusters c ON c.id = s.db_cluster_id"
              " WHERE c.name = ? ORDER BY s.id",
    [PAST] = "UPDATE kunlun_copy k"
             " JOIN Kunlun_Metadata_DB.db_clusters c ON c.name = k.cluster"
             " JOIN Kunlun_Metadata_DB.shards s ON s.db_cluster_id = c.id"
             " SET k.doc = JSON_ARRAY_APPEND("
             "JSON_INSERT(k.doc, '$.past', JSON_ARRAY()), '$.past',"
             " JSON_OBJECT('name', s.name, 'came_ms', " CAME_MS ","
             " 'gone_ms', IF(?, " DB_NOW_MS ", 0))) WHERE s.id = ?",
};

enum err
copy_store_storage(struct db *db, struct arena *a, struct copy_storage *out)
{
    return db_one(db, a, sql[STORAGE], DB_NO_ARGS, &copy_storage_rec, out);
}

enum err
copy_store_log(struct db *db, const struct copy_log *l)
{
    return db_exec(
        db, sql[LOG],
        DB_ARGS(db_i64(l->storage), db_i64(l->cluster), db_i64(l->shard),
                db_str(l->restore ? "restore" : "backup"), db_u64(l->job)));
}

enum err
copy_store_log_path(struct db *db, const struct copy_log *l, const char *path)
{
    return db_exec(db, sql[LOG_PATH],
                   DB_ARGS(db_str(path), db_i64(l->cluster), db_i64(l->shard),
                           db_u64(l->job)));
}

enum err
copy_store_log_end(struct db *db, uint64_t job, bool done)
{
    return db_exec(db, sql[LOG_END],
                   DB_ARGS(db_str(done ? "done" : "failed"), db_u64(job)));
}

enum err
copy_store_add(struct db *db, const struct copy_new *c)
{
    enum err e = db_exec(db, sql[ADD],
                         DB_ARGS(db_u64(c->job), db_str(c->cluster),
                                 db_i64(c->ended_ms), db_str(c->doc)));

    return e == ERR_OK
               ? db_exec(db, sql[ADD_BACKUP],
                         DB_ARGS(db_i64(c->storage_id), db_i64(c->cluster_id),
                                 db_bool(c->schema), db_i64(c->begun_ms),
                                 db_i64(c->ended_ms), db_str(c->names),
                                 db_str(c->doc), db_str(c->addr)))
               : e;
}

enum err
copy_store_find(struct db *db, struct arena *a, const char *cluster,
                int64_t until_ms, struct copy_found *out)
{
    return db_one(db, a, sql[FIND], DB_ARGS(db_str(cluster), db_i64(until_ms)),
                  &copy_found_rec, out);
}

enum err
copy_store_lives(struct db *db, struct arena *a, const char *cluster,
                 struct list_of_copy_life *out)
{
    return db_list(db, a, sql[LIVES], DB_ARGS(db_str(cluster)), &copy_life_rec,
                   SHARDS_MAX, out);
}

enum err
copy_store_past(struct db *db, int64_t shard, bool alone)
{
    return db_exec(db, sql[PAST], DB_ARGS(db_bool(alone), db_i64(shard)));
}

enum err
copy_store_known(struct db *db, const char *cluster, bool *out)
{
    int64_t n = 0;
    enum err e = db_one_i64(db, sql[KNOWN], DB_ARGS(db_str(cluster)), &n);

    *out = n > 0;
    return e;
}
