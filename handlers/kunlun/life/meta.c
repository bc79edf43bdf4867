/* The SQL of the jobs by which clusters live. */
#include "meta.h"

#include "kunlun/spec.h"

#include <string.h>

#define ROWS_MAX 100000

TABLE(meta_cluster, META_CLUSTER);
TABLE(meta_shard, META_SHARD);
TABLE(meta_node, META_NODE);
TABLE(meta_comp, META_COMP);
TABLE(meta_machine, META_MACHINE);
TABLE(meta_place, META_PLACE);
TABLE(meta_behind, META_BEHIND);

#define KUNLUN "Kunlun_Metadata_DB."

enum {
    CLUSTER,
    CLUSTER_OF_ID,
    CLUSTER_NICK,
    CLUSTER_LAST,
    NAME_TAKEN,
    CLUSTER_ADD,
    CLUSTER_DROP,
    BACKUPS_DROP,
    BACKUP_LOG_DROP,
    PAUSE_DROP,
    SHARDS,
    SHARD_ADD,
    SHARD_NODES,
    SHARD_DROP,
    NODES,
    NODE_ADD,
    NODE_DROP,
    SOURCE,
    COMPS,
    COMP_NUMBER,
    COMP_ADD,
    COMP_DROP,
    MACHINES,
    MACHINE_SPACE,
    PLACES,
    PLACES_OF,
    TURN,
    PLACE_ADD,
    PLACES_BACK,
    COMPUTERS,
    COMPUTER_ADD,
    COMPUTER_DROP,
    COMPUTERS_DROP,
    COMPUTER,
    BEHIND,
    POINTER_SET,
    SQL__MAX
};

#define CLUSTER_COLUMNS \
    "SELECT id, name, nick_name, ha_mode, memo FROM " KUNLUN "db_clusters"

static const char *const sql[SQL__MAX] = {
    [CLUSTER] = CLUSTER_COLUMNS " WHERE name = ?",
    [CLUSTER_OF_ID] = CLUSTER_COLUMNS " WHERE id = ?",
    [CLUSTER_NICK] = CLUSTER_COLUMNS " WHERE nick_name = ?",
    [CLUSTER_LAST] = "SELECT COALESCE(MAX(id), 0) FROM " KUNLUN "db_clusters",
    [NAME_TAKEN] =
        "SELECT EXISTS (SELECT 1 FROM " KUNLUN "db_clusters WHERE name = ?)"
        " OR EXISTS (SELECT 1 FROM kunlun_place WHERE cluster = ?)"
        " OR EXISTS (SELECT 1 FROM kunlun_shard WHERE cluster = ?)",
    [CLUSTER_ADD] = "INSERT INTO " KUNLUN "db_clusters (name, nick_name,"
                    " ha_mode, memo) VALUES (?, ?, ?, ?)",
    [CLUSTER_DROP] = "DELETE FROM " KUNLUN "db_clusters WHERE id = ?",
    [BACKUPS_DROP] =
        "DELETE FROM " KUNLUN "cluster_backups WHERE cluster_id = ?",
    [BACKUP_LOG_DROP] = "DELETE FROM " KUNLUN "cluster_shard_backup_restore_log"
                        " WHERE cluster_id = ?",
    [PAUSE_DROP] = "DELETE p FROM kunlun_pause p JOIN " KUNLUN "db_clusters c"
                   " ON c.name = p.cluster WHERE c.id = ?",
    [SHARDS] = "SELECT id, name, num_nodes FROM " KUNLUN "shards"
               " WHERE db_cluster_id = ? ORDER BY id",
    [SHARD_ADD] = "INSERT INTO " KUNLUN "shards (db_cluster_id, name,"
                  " num_nodes) VALUES (?, ?, ?)",
    [SHARD_NODES] = "UPDATE " KUNLUN "shards SET num_nodes = num_nodes + ?"
                    " WHERE id = ?",
    [SHARD_DROP] = "DELETE FROM " KUNLUN "shards WHERE id = ?",
    [NODES] = "SELECT id, shard_id, hostaddr, port, svr_node_id"
              " FROM " KUNLUN "shard_nodes WHERE db_cluster_id = ?"
              " ORDER BY shard_id, id",
    [NODE_ADD] = "INSERT INTO " KUNLUN "shard_nodes (hostaddr, port, user_name,"
                 " shard_id, db_cluster_id, svr_node_id, status, cpu_cores,"
                 " max_storage_GB, innodb_buffer_pool_MB, member_state)"
                 " VALUES (?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?)",
    [NODE_DROP] = "DELETE FROM " KUNLUN "shard_nodes WHERE id = ?",
    [SOURCE] = "UPDATE " KUNLUN "shard_nodes n"
               " JOIN " KUNLUN "shards s ON s.id = n.shard_id"
               " JOIN " KUNLUN "db_clusters c ON c.id = s.db_cluster_id"
               " SET n.member_state = IF(n.hostaddr = ? AND n.port = ?,"
               " 'source', 'replica') WHERE c.name = ? AND s.name = ?",
    [COMPS] = "SELECT id, name, hostaddr, port FROM " KUNLUN "comp_nodes"
              " WHERE db_cluster_id = ? ORDER BY id",
    [COMP_NUMBER] = "INSERT INTO " KUNLUN "comp_nodes_id_seq () VALUES ()",
    [COMP_ADD] =
        "INSERT INTO " KUNLUN "comp_nodes (id, name, hostaddr, port,"
        " db_cluster_id, user_name, status, svr_node_id, cpu_cores,"
        " max_mem_MB, max_conns) VALUES (?, ?, ?, ?, ?, ?, 'active', ?, ?, ?,"
        " ?)",
    [COMP_DROP] = "DELETE FROM " KUNLUN "comp_nodes"
                  " WHERE db_cluster_id = ? AND id = ?",
    [MACHINES] = "SELECT id, hostaddr, datadir, logdir, wal_log_dir,"
                 " comp_datadir, total_mem FROM Kunlun_Metadata_DB.kunlun_host "
                 "ORDER BY id",
    [MACHINE_SPACE] =
        "INSERT INTO " KUNLUN "server_nodes_stats (id, datadir_used,"
        " datadir_avail, log_dir_used, log_dir_avail, wal_log_dir_used,"
        " wal_log_dir_avail, comp_datadir_used, comp_datadir_avail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE"
        " datadir_used = VALUES(datadir_used),"
        " datadir_avail = VALUES(datadir_avail),"
        " log_dir_used = VALUES(log_dir_used),"
        " log_dir_avail = VALUES(log_dir_avail),"
        " wal_log_dir_used = VALUES(wal_log_dir_used),"
        " wal_log_dir_avail = VALUES(wal_log_dir_avail),"
        " comp_datadir_used = VALUES(comp_datadir_used),"
        " comp_datadir_avail = VALUES(comp_datadir_avail)",
    [PLACES] = "SELECT machine, port, uuid, kind, shard, memory_mb"
               " FROM kunlun_place UNION ALL"
               " SELECT i.machine, i.port, i.uuid, i.kind,"
               " COALESCE(i.shard, ''), 0 FROM kunlun_instance i"
               " WHERE NOT EXISTS (SELECT 1 FROM kunlun_place p"
               " WHERE p.uuid = i.uuid) ORDER BY machine, port",
    [PLACES_OF] = "SELECT machine, port, uuid, kind, shard, memory_mb"
                  " FROM kunlun_place WHERE cluster = ?"
                  " AND (? IS NULL OR shard = ?) ORDER BY machine, port",
    [TURN] = "INSERT INTO kunlun_turn (id, version) VALUES (1, 1)"
             " ON DUPLICATE KEY UPDATE version = version + 1",
    [PLACE_ADD] = "INSERT INTO kunlun_place (machine, port, uuid, kind,"
                  " cluster, shard, memory_mb, job_id)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    [PLACES_BACK] = "DELETE FROM kunlun_place WHERE job_id = ?"
                    " AND uuid NOT IN (SELECT uuid FROM kunlun_instance)",
    [COMPUTERS] = "SELECT uuid AS secret_row, spec FROM kunlun_computer"
                  " WHERE cluster = ? ORDER BY LENGTH(name), name",
    [COMPUTER_ADD] = "INSERT INTO kunlun_computer (uuid, cluster, name, spec)"
                     " VALUES (?, ?, ?, ?)",
    [COMPUTER_DROP] = "DELETE FROM kunlun_computer WHERE uuid = ?",
    [COMPUTERS_DROP] = "DELETE FROM kunlun_computer WHERE cluster = ?",
    [COMPUTER] = "SELECT uuid AS secret_row, spec FROM kunlun_computer"
                 " WHERE uuid = ?",
    [BEHIND] = "SELECT c.uuid, s.id AS shard_id FROM kunlun_computer c"
               " JOIN kunlun_shard s ON s.cluster = c.cluster"
               " LEFT JOIN kunlun_pointer p"
               " ON p.uuid = c.uuid AND p.shard_id = s.id"
               " WHERE COALESCE(p.epoch, 0) <"
               " CAST(JSON_VALUE(s.state, '$.epoch') AS UNSIGNED)"
               " ORDER BY s.id, c.uuid",
    [POINTER_SET] = "INSERT INTO kunlun_pointer (uuid, shard_id, epoch)"
                    " VALUES (?, ?, ?)"
                    " ON DUPLICATE KEY UPDATE"
                    " epoch = GREATEST(epoch, VALUES(epoch))",
};

/* ---- clusters and what they have ---- */

enum err
meta_cluster(struct db *db, struct arena *a, const char *name, int64_t id,
             struct meta_cluster *out)
{
    return name != NULL ? db_one(db, a, sql[CLUSTER], DB_ARGS(db_str(name)),
                                 &meta_cluster_rec, out)
                        : db_one(db, a, sql[CLUSTER_OF_ID], DB_ARGS(db_i64(id)),
                                 &meta_cluster_rec, out);
}

enum err
meta_cluster_nick(struct db *db, struct arena *a, const char *nick,
                  struct meta_cluster *out)
{
    return db_one(db, a, sql[CLUSTER_NICK], DB_ARGS(db_str(nick)),
                  &meta_cluster_rec, out);
}

enum err
meta_cluster_last(struct db *db, int64_t *out)
{
    return db_one_i64(db, sql[CLUSTER_LAST], DB_NO_ARGS, out);
}

enum err
meta_name_is_taken(struct db *db, const char *name, bool *out)
{
    int64_t v = 0;
    enum err e =
        db_one_i64(db, sql[NAME_TAKEN],
                   DB_ARGS(db_str(name), db_str(name), db_str(name)), &v);

    *out = v != 0;
    return e;
}

enum err
meta_cluster_add(struct db *db, const struct meta_cluster *c, int64_t *id)
{
    enum err e = db_exec(db, sql[CLUSTER_ADD],
                         DB_ARGS(db_str(c->name), db_str(c->nick_name),
                                 db_str(c->ha_mode), db_str(c->memo)));

    if (e == ERR_OK)
        *id = (int64_t)db_insert_id(db);
    return e;
}

/* Its shards and nodes go by their foreign keys. */
enum err
meta_cluster_drop(struct db *db, int64_t id)
{
    static const int all[] = { BACKUP_LOG_DROP, BACKUPS_DROP, PAUSE_DROP,
                               CLUSTER_DROP };
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < COUNT(all); i++)
        e = db_exec(db, sql[all[i]], DB_ARGS(db_i64(id)));
    return e;
}

enum err
meta_shards(struct db *db, struct arena *a, int64_t cluster,
            struct list_of_meta_shard *out)
{
    return db_list(db, a, sql[SHARDS], DB_ARGS(db_i64(cluster)),
                   &meta_shard_rec, ROWS_MAX, out);
}

enum err
meta_shard_add(struct db *db, int64_t cluster, const char *name, unsigned nodes,
               int64_t *id)
{
    enum err e = db_exec(db, sql[SHARD_ADD],
                         DB_ARGS(db_i64(cluster), db_str(name), db_u64(nodes)));

    if (e == ERR_OK)
        *id = (int64_t)db_insert_id(db);
    return e;
}

enum err
meta_shard_nodes(struct db *db, int64_t id, int change)
{
    return db_exec(db, sql[SHARD_NODES], DB_ARGS(db_i64(change), db_i64(id)));
}

enum err
meta_shard_drop(struct db *db, int64_t id)
{
    return db_exec(db, sql[SHARD_DROP], DB_ARGS(db_i64(id)));
}

enum err
meta_nodes(struct db *db, struct arena *a, int64_t cluster,
           struct list_of_meta_node *out)
{
    return db_list(db, a, sql[NODES], DB_ARGS(db_i64(cluster)), &meta_node_rec,
                   ROWS_MAX, out);
}

enum err
meta_node_add(struct db *db, const struct meta_node_new *n)
{
    return db_exec(db, sql[NODE_ADD],
                   DB_ARGS(db_str(n->spec->address), db_i64(n->spec->port),
                           db_str(n->spec->client_user), db_i64(n->shard),
                           db_i64(n->cluster), db_i64(n->machine),
                           db_i64(n->cpu_cores), db_i64(n->max_storage_gb),
                           db_i64(n->spec->memory_bytes >> 20),
                           db_str(n->source ? "source" : "replica")));
}

enum err
meta_node_drop(struct db *db, int64_t id)
{
    return db_exec(db, sql[NODE_DROP], DB_ARGS(db_i64(id)));
}

enum err
meta_source(struct db *db, const char *cluster, const char *shard,
            const struct instance_spec *primary)
{
    return db_exec(db, sql[SOURCE],
                   DB_ARGS(db_str(primary->address), db_i64(primary->port),
                           db_str(cluster), db_str(shard)));
}

enum err
meta_comps(struct db *db, struct arena *a, int64_t cluster,
           struct list_of_meta_comp *out)
{
    return db_list(db, a, sql[COMPS], DB_ARGS(db_i64(cluster)), &meta_comp_rec,
                   ROWS_MAX, out);
}

enum err
meta_comp_add(struct db *db, const struct instance_spec *spec, int64_t cluster,
              int64_t machine, int32_t cpu_cores)
{
    enum err e = db_exec(db, sql[COMP_NUMBER], DB_NO_ARGS);

    if (e != ERR_OK)
        return e;
    return db_exec(db, sql[COMP_ADD],
                   DB_ARGS(db_u64(db_insert_id(db)), db_str(spec->shard),
                           db_str(spec->address), db_i64(spec->port),
                           db_i64(cluster), db_str(spec->client_user),
                           db_i64(machine), db_i64(cpu_cores),
                           db_i64(spec->memory_bytes >> 20),
                           db_i64(spec->max_connections)));
}

enum err
meta_comp_drop(struct db *db, int64_t cluster, int64_t id)
{
    return db_exec(db, sql[COMP_DROP], DB_ARGS(db_i64(cluster), db_i64(id)));
}

/* ---- machines and places ---- */

enum err
meta_machines(struct db *db, struct arena *a, struct list_of_meta_machine *out)
{
    return db_list(db, a, sql[MACHINES], DB_NO_ARGS, &meta_machine_rec,
                   ROWS_MAX, out);
}

enum err
meta_machine_space(struct db *db, int64_t machine, const struct meta_space *s)
{
    return db_exec(
        db, sql[MACHINE_SPACE],
        DB_ARGS(db_i64(machine), db_i64(s->used[0]), db_i64(s->avail[0]),
                db_i64(s->used[1]), db_i64(s->avail[1]), db_i64(s->used[2]),
                db_i64(s->avail[2]), db_i64(s->used[3]), db_i64(s->avail[3])));
}

enum err
meta_places(struct db *db, struct arena *a, struct list_of_meta_place *out)
{
    return db_list(db, a, sql[PLACES], DB_NO_ARGS, &meta_place_rec, ROWS_MAX,
                   out);
}

enum err
meta_places_of(struct db *db, struct arena *a, const char *cluster,
               const char *shard, struct list_of_meta_place *out)
{
    return db_list(db, a, sql[PLACES_OF],
                   DB_ARGS(db_str(cluster), db_str(shard), db_str(shard)),
                   &meta_place_rec, ROWS_MAX, out);
}

enum err
meta_turn(struct db *db)
{
    return db_exec(db, sql[TURN], DB_NO_ARGS);
}

enum err
meta_place_add(struct db *db, const struct instance_spec *spec, uint64_t job)
{
    bool storage = spec->kind == INSTANCE_STORAGE;

    return db_exec(
        db, sql[PLACE_ADD],
        DB_ARGS(db_str(spec->address), db_i64(spec->port), db_str(spec->uuid),
                db_str(enum_text(instance_kind_names, spec->kind)),
                db_str(spec->cluster), db_str(spec->shard),
                db_i64(storage ? spec->memory_bytes >> 20 : 0), db_u64(job)));
}

enum err
meta_places_back(struct db *db, uint64_t job)
{
    return db_exec(db, sql[PLACES_BACK], DB_ARGS(db_u64(job)));
}

/* ---- computing nodes ---- */

enum err
meta_computers(struct db *db, struct arena *a, const char *cluster,
               struct list_of_instance_spec *out)
{
    struct list_of_kunlun_spec_row rows;
    enum err e = db_list(db, a, sql[COMPUTERS], DB_ARGS(db_str(cluster)),
                         &kunlun_spec_row_rec, ROWS_MAX, &rows);

    if (e != ERR_OK)
        return e;
    out->n = rows.n;
    out->v = arena_array(a, rows.n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < rows.n; i++)
        e = instance_spec_read(a, rows.v[i].spec, &out->v[i]);
    return e;
}

enum err
meta_computer_add(struct db *db, struct arena *a,
                  const struct instance_spec *spec)
{
    const char *text;
    enum err e = instance_spec_text(a, spec, &text);

    return e == ERR_OK
               ? db_exec(db, sql[COMPUTER_ADD],
                         DB_ARGS(db_str(spec->uuid), db_str(spec->cluster),
                                 db_str(spec->shard),
                                 db_secret("kunlun_computer", spec->uuid,
                                           "spec", text)))
               : e;
}

enum err
meta_computer_drop(struct db *db, const char *uuid)
{
    return db_exec(db, sql[COMPUTER_DROP], DB_ARGS(db_str(uuid)));
}

enum err
meta_computers_drop(struct db *db, const char *cluster)
{
    return db_exec(db, sql[COMPUTERS_DROP], DB_ARGS(db_str(cluster)));
}

enum err
meta_computer(struct db *db, struct arena *a, const char *uuid,
              struct instance_spec *out)
{
    struct kunlun_spec_row row;
    enum err e = db_one(db, a, sql[COMPUTER], DB_ARGS(db_str(uuid)),
                        &kunlun_spec_row_rec, &row);

    return e == ERR_OK ? instance_spec_read(a, row.spec, out) : e;
}

enum err
meta_pointer_set(struct db *db, const char *uuid, int64_t shard, uint64_t epoch)
{
    return db_exec(db, sql[POINTER_SET],
                   DB_ARGS(db_str(uuid), db_i64(shard), db_u64(epoch)));
}

enum err
meta_behind(struct db *db, struct arena *a, struct list_of_meta_behind *out)
{
    return db_list(db, a, sql[BEHIND], DB_NO_ARGS, &meta_behind_rec, ROWS_MAX,
                   out);
}
