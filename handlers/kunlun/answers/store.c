/* The SQL of what cluster_mgr answers at once. */
#include "store.h"

#define STORAGES_MAX 1000

TABLE(cluster_watched, CLUSTER_WATCHED);
TABLE(cluster_backup_storage, CLUSTER_BACKUP_STORAGE);
TABLE(cluster_at, CLUSTER_AT);

enum {
    IS_CALLED,
    RENAME,
    WATCHED,
    PAUSE,
    BACKUP_STORAGES,
    BACKUP_STORAGE_ADD,
    BACKUP_STORAGE_SET,
    BACKUP_STORAGE_DROP,
    AT,
    IS_META,
    VARIABLE,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [IS_CALLED] = "SELECT 1 FROM Kunlun_Metadata_DB.db_clusters"
                  " WHERE name <> ? AND (nick_name = ? OR name = ?) LIMIT 1",
    [RENAME] = "UPDATE Kunlun_Metadata_DB.db_clusters SET nick_name = ?"
               " WHERE name = ?",
    /* who paused it is told as long as it is */
    [WATCHED] = "SELECT s.verdict, s.sentence, s.since_ms,"
                " p.until_ms AS paused_until_ms, p.why AS paused_why"
                " FROM kunlun_shard s LEFT JOIN kunlun_pause p"
                " ON p.cluster = s.cluster AND p.until_ms > " DB_NOW_MS
                " WHERE s.cluster = ? AND s.shard = ?",
    [PAUSE] = "INSERT INTO kunlun_pause (cluster, until_ms, why, token_name,"
              " at_ms) VALUES (?, ?, ?, ?, " DB_NOW_MS ")"
              " ON DUPLICATE KEY UPDATE until_ms = VALUES(until_ms),"
              " why = VALUES(why), token_name = VALUES(token_name),"
              " at_ms = VALUES(at_ms)",
    [BACKUP_STORAGES] = "SELECT name, stype, hostaddr, CAST(port AS CHAR)"
                        " AS port FROM Kunlun_Metadata_DB.backup_storage"
                        " ORDER BY id",
    [BACKUP_STORAGE_ADD] =
        "INSERT INTO Kunlun_Metadata_DB.backup_storage (name, stype, conn_str,"
        " hostaddr, port) VALUES (?, ?, ?, ?, ?)",
    [BACKUP_STORAGE_SET] =
        "UPDATE Kunlun_Metadata_DB.backup_storage SET stype = ?, conn_str = ?,"
        " hostaddr = ?, port = ? WHERE name = ?",
    [BACKUP_STORAGE_DROP] = "DELETE FROM Kunlun_Metadata_DB.backup_storage"
                            " WHERE name = ?",
    [AT] = "SELECT uuid, uuid AS secret_row, machine, port, kind, client_user,"
           " client_secret FROM kunlun_instance"
           " WHERE machine = ? AND port = ?",
    [IS_META] = "SELECT 1 FROM Kunlun_Metadata_DB.meta_db_nodes"
                " WHERE hostaddr = ? AND port = ?",
    [VARIABLE] =
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES"
        " WHERE VARIABLE_NAME = ?",
};

enum err
cluster_store_rename(struct db *db, const char *name, const char *nick_name)
{
    int64_t there;
    enum err e = db_one_i64(
        db, sql[IS_CALLED],
        DB_ARGS(db_str(name), db_str(nick_name), db_str(nick_name)), &there);

    if (e == ERR_OK)
        return ERR_EXISTS;
    return e == ERR_NOT_FOUND
               ? db_exec_one(db, sql[RENAME],
                             DB_ARGS(db_str(nick_name), db_str(name)))
               : e;
}

enum err
cluster_store_watched(struct db *db, struct arena *a, const char *cluster,
                      const char *shard, struct cluster_watched *out)
{
    return db_one(db, a, sql[WATCHED], DB_ARGS(db_str(cluster), db_str(shard)),
                  &cluster_watched_rec, out);
}

enum err
cluster_store_pause(struct db *db, const char *cluster, int64_t until_ms,
                    const char *why, const char *token_name)
{
    return db_exec(db, sql[PAUSE],
                   DB_ARGS(db_str(cluster), db_i64(until_ms), db_str(why),
                           db_str(token_name)));
}

enum err
cluster_store_backup_storages(struct db *db, struct arena *a,
                              struct list_of_cluster_backup_storage *out)
{
    return db_list(db, a, sql[BACKUP_STORAGES], DB_NO_ARGS,
                   &cluster_backup_storage_rec, STORAGES_MAX, out);
}

enum err
cluster_store_backup_storage_add(struct db *db, const char *name,
                                 const char *stype, const char *conn_str,
                                 const char *hostaddr, int32_t port)
{
    return db_exec(db, sql[BACKUP_STORAGE_ADD],
                   DB_ARGS(db_str(name), db_str(stype), db_str(conn_str),
                           db_str(hostaddr), db_i64(port)));
}

enum err
cluster_store_backup_storage_set(struct db *db, const char *name,
                                 const char *stype, const char *conn_str,
                                 const char *hostaddr, int32_t port)
{
    return db_exec_one(db, sql[BACKUP_STORAGE_SET],
                       DB_ARGS(db_str(stype), db_str(conn_str),
                               db_str(hostaddr), db_i64(port), db_str(name)));
}

enum err
cluster_store_backup_storage_drop(struct db *db, const char *name)
{
    return db_exec_one(db, sql[BACKUP_STORAGE_DROP], DB_ARGS(db_str(name)));
}

enum err
cluster_store_at(struct db *db, struct arena *a, const char *machine,
                 int32_t port, struct cluster_at *out)
{
    return db_one(db, a, sql[AT], DB_ARGS(db_str(machine), db_i64(port)),
                  &cluster_at_rec, out);
}

enum err
cluster_store_is_meta(struct db *db, const char *hostaddr, int32_t port)
{
    int64_t there;

    return db_one_i64(db, sql[IS_META], DB_ARGS(db_str(hostaddr), db_i64(port)),
                      &there);
}

enum err
cluster_store_variable(struct db *db, struct arena *a, const char *name,
                       const char **out)
{
    return db_one_str(db, a, sql[VARIABLE], DB_ARGS(db_str(name)), out);
}
