/* The SQL of node_mgr. */
#include "store.h"

#define INSTANCES_MAX 10000
#define EXPIRES       DB_NOW_MS " + 3600000"

TABLE(node_roots, NODE_ROOTS);
TABLE(node_row, NODE_ROW);
TABLE(node_site, NODE_SITE);
TABLE(node_mate, NODE_MATE);

enum {
    ROOTS,
    INSTANCES,
    SITE,
    MATES,
    RESERVE,
    HOLDER,
    DROP,
    DROP_PLACE,
    UNRESERVE_PLACE,
    UNRESERVE,
    EPOCH,
    EPOCH_NOW,
    OUTBOX_ADD,
    OUTBOX_KEEP,
    OUTBOX_DROP,
    OUTBOX_OLD,
    OUTBOX_PATH,
    OUTBOX_URL,
    IS_STORAGE,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [ROOTS] = "SELECT datadir, logdir, wal_log_dir, comp_datadir"
              " FROM Kunlun_Metadata_DB.kunlun_host WHERE hostaddr = ?",
    [INSTANCES] = "SELECT uuid, uuid AS secret_row, port, kind, cluster, shard,"
                  " path, client_user, client_secret FROM kunlun_instance"
                  " WHERE machine = ? ORDER BY port",
    [SITE] = "SELECT uuid, kind, path, job_id FROM kunlun_instance"
             " WHERE machine = ? AND port = ?",
    [MATES] = "SELECT uuid, uuid AS secret_row, machine, port, client_user,"
              " client_secret FROM kunlun_instance WHERE cluster = ?"
              " AND shard = ? AND kind = 'storage' AND uuid <> ?"
              " ORDER BY machine, port",
    [RESERVE] = "INSERT INTO kunlun_instance (uuid, machine, port, driver,"
                " kind, cluster, shard, path, client_user, client_secret,"
                " job_id, made_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " DB_NOW_MS ")",
    [HOLDER] = "SELECT job_id FROM kunlun_instance"
               " WHERE machine = ? AND port = ?",
    [DROP] = "DELETE FROM kunlun_instance WHERE uuid = ?",
    [DROP_PLACE] = "DELETE FROM kunlun_place WHERE uuid = ?",
    [UNRESERVE_PLACE] = "DELETE FROM kunlun_place WHERE uuid IN"
                        " (SELECT uuid FROM kunlun_instance WHERE job_id = ?)",
    [UNRESERVE] = "DELETE FROM kunlun_instance WHERE job_id = ?",
    [EPOCH] = "INSERT INTO kunlun_epoch (machine, name, epoch)"
              " VALUES (?, ?, ?)"
              " ON DUPLICATE KEY UPDATE epoch = GREATEST(epoch, VALUES(epoch))",
    [EPOCH_NOW] = "SELECT epoch FROM kunlun_epoch"
                  " WHERE machine = ? AND name = ?",
    [OUTBOX_ADD] = "INSERT INTO kunlun_outbox (id, machine, url, path, job_id,"
                   " expires_ms) VALUES (?, ?, ?, ?, ?, " EXPIRES ")"
                   " ON DUPLICATE KEY UPDATE path = VALUES(path),"
                   " expires_ms = VALUES(expires_ms)",
    /* written now and then, though asked for each second */
    [OUTBOX_KEEP] = "UPDATE kunlun_outbox SET expires_ms = " EXPIRES
                    " WHERE job_id = ? AND expires_ms < " EXPIRES " - 600000",
    [OUTBOX_DROP] = "DELETE FROM kunlun_outbox WHERE job_id = ?",
    [OUTBOX_OLD] = "DELETE FROM kunlun_outbox WHERE expires_ms < " DB_NOW_MS,
    [OUTBOX_PATH] = "SELECT path FROM kunlun_outbox WHERE id = ?"
                    " AND machine = ? AND expires_ms > " DB_NOW_MS,
    [OUTBOX_URL] = "SELECT COUNT(*) FROM kunlun_outbox WHERE url = ?"
                   " AND expires_ms > " DB_NOW_MS,
    [IS_STORAGE] = "SELECT COUNT(*) FROM kunlun_instance WHERE machine = ?"
                   " AND port = ? AND kind = 'storage'",
};

enum err
node_store_roots(struct db *db, struct arena *a, const char *machine,
                 struct node_roots *out)
{
    return db_one(db, a, sql[ROOTS], DB_ARGS(db_str(machine)), &node_roots_rec,
                  out);
}

enum err
node_store_instances(struct db *db, struct arena *a, const char *machine,
                     struct list_of_node_row *out)
{
    return db_list(db, a, sql[INSTANCES], DB_ARGS(db_str(machine)),
                   &node_row_rec, INSTANCES_MAX, out);
}

enum err
node_store_site(struct db *db, struct arena *a, const char *machine,
                int32_t port, struct node_site *out)
{
    return db_one(db, a, sql[SITE], DB_ARGS(db_str(machine), db_i64(port)),
                  &node_site_rec, out);
}

enum err
node_store_mates(struct db *db, struct arena *a, const struct instance_spec *s,
                 struct list_of_node_mate *out)
{
    return db_list(
        db, a, sql[MATES],
        DB_ARGS(db_str(s->cluster), db_str(s->shard), db_str(s->uuid)),
        &node_mate_rec, INSTANCES_MAX, out);
}

enum err
node_store_reserve(struct db *db, const struct instance_spec *s,
                   const char *path, uint64_t job_id)
{
    int64_t holder;
    enum err e;

    e = db_one_i64(db, sql[HOLDER],
                   DB_ARGS(db_str(s->address), db_i64(s->port)), &holder);
    if (e == ERR_OK)
        return (uint64_t)holder == job_id ? ERR_OK : ERR_EXISTS;
    if (e != ERR_NOT_FOUND)
        return e;
    return db_exec(db, sql[RESERVE],
                   DB_ARGS(db_str(s->uuid), db_str(s->address), db_i64(s->port),
                           db_str(s->driver),
                           db_str(enum_text(instance_kind_names, s->kind)),
                           db_str(s->cluster), db_str(s->shard), db_str(path),
                           db_str(s->client_user),
                           db_secret("kunlun_instance", s->uuid,
                                     "client_secret", s->client_secret),
                           db_u64(job_id)));
}

enum err
node_store_drop(struct db *db, const char *uuid)
{
    enum err e = db_exec(db, sql[DROP], DB_ARGS(db_str(uuid)));

    return e == ERR_OK ? db_exec(db, sql[DROP_PLACE], DB_ARGS(db_str(uuid)))
                       : e;
}

enum err
node_store_unreserve(struct db *db, uint64_t job_id)
{
    enum err e = db_exec(db, sql[UNRESERVE_PLACE], DB_ARGS(db_u64(job_id)));

    return e == ERR_OK ? db_exec(db, sql[UNRESERVE], DB_ARGS(db_u64(job_id)))
                       : e;
}

/* ---- tables that are sent ---- */

enum err
node_store_outbox_add(struct db *db, const struct node_outbox *box)
{
    enum err e = db_exec(db, sql[OUTBOX_OLD], DB_NO_ARGS);

    if (e != ERR_OK)
        return e;
    return db_exec(db, sql[OUTBOX_ADD],
                   DB_ARGS(db_str(box->id), db_str(box->machine),
                           db_str(box->url), db_str(box->path),
                           db_u64(box->job_id)));
}

enum err
node_store_outbox_keep(struct db *db, uint64_t job_id)
{
    return db_exec(db, sql[OUTBOX_KEEP], DB_ARGS(db_u64(job_id)));
}

enum err
node_store_outbox_drop(struct db *db, uint64_t job_id)
{
    return db_exec(db, sql[OUTBOX_DROP], DB_ARGS(db_u64(job_id)));
}

enum err
node_store_outbox(struct db *db, struct arena *a, const char *id,
                  const char *machine, const char **path)
{
    return db_one_str(db, a, sql[OUTBOX_PATH],
                      DB_ARGS(db_str(id), db_str(machine)), path);
}

static enum err
any(struct db *db, const char *text, struct db_args args)
{
    int64_t n = 0;
    enum err e = db_one_i64(db, text, args, &n);

    return e == ERR_OK && n == 0 ? ERR_NOT_FOUND : e;
}

enum err
node_store_is_sent(struct db *db, const char *url)
{
    return any(db, sql[OUTBOX_URL], DB_ARGS(db_str(url)));
}

enum err
node_store_is_storage(struct db *db, const char *machine, int32_t port)
{
    return any(db, sql[IS_STORAGE], DB_ARGS(db_str(machine), db_i64(port)));
}

enum err
node_store_epoch(struct db *db, const char *machine, const char *name,
                 uint64_t epoch)
{
    int64_t known;
    enum err e;

    e = db_exec(db, sql[EPOCH],
                DB_ARGS(db_str(machine), db_str(name), db_u64(epoch)));
    if (e == ERR_OK)
        e = db_one_i64(db, sql[EPOCH_NOW],
                       DB_ARGS(db_str(machine), db_str(name)), &known);
    return e == ERR_OK && (uint64_t)known > epoch ? ERR_STATE : e;
}
