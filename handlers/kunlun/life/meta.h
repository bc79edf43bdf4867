/* Clusters, machines and places in the store: the SQL of the jobs by which
 * clusters live. Kunlun_Metadata_DB is what XPanel and our getters show;
 * kunlun_place says which ports and how much memory are given out;
 * kunlun_computer has what a computing node is spoken to with, as
 * kunlun_member (shard/shard.h) has of storage nodes. What writes is part
 * of the caller's transaction. */
#ifndef KUNLUN_META_H
#define KUNLUN_META_H

#include "db.h"
#include "instance.h"
#include "record.h"

/* ---- clusters and what they have ---- */

#define META_CLUSTER(X, s)                            \
    X(s, I64, id, "id", COLUMN_ONLY, -)               \
    X(s, STR, name, "name", COLUMN_ONLY, -)           \
    X(s, STR, nick_name, "nick_name", COLUMN_ONLY, -) \
    X(s, STR, ha_mode, "ha_mode", COLUMN_ONLY, -)     \
    X(s, STR, memo, "memo", COLUMN_ONLY, -)
STRUCT(meta_cluster, META_CLUSTER);

/* By name or, where that is NULL, by id; NOT_FOUND. */
enum err meta_cluster(struct db *db, struct arena *a, const char *name,
                      int64_t id, struct meta_cluster *out) MUST_USE;
/* By its nick name. */
enum err meta_cluster_nick(struct db *db, struct arena *a, const char *nick,
                           struct meta_cluster *out) MUST_USE;
/* The highest number that a cluster has; 0. */
enum err meta_cluster_last(struct db *db, int64_t *out) MUST_USE;
/* Whether a cluster of that name is there, or being made. */
enum err
meta_name_is_taken(struct db *db, const char *name, bool *out) MUST_USE;
/* *id: of the new row. EXISTS by name or nick name. */
enum err meta_cluster_add(struct db *db, const struct meta_cluster *c,
                          int64_t *id) MUST_USE;
/* With all that it has. */
enum err meta_cluster_drop(struct db *db, int64_t id) MUST_USE;

#define META_SHARD(X, s)                    \
    X(s, I64, id, "id", COLUMN_ONLY, -)     \
    X(s, STR, name, "name", COLUMN_ONLY, -) \
    X(s, I32, num_nodes, "num_nodes", COLUMN_ONLY, -)
STRUCT(meta_shard, META_SHARD);
LIST_OF(meta_shard);
enum err meta_shards(struct db *db, struct arena *a, int64_t cluster,
                     struct list_of_meta_shard *out) MUST_USE;
enum err meta_shard_add(struct db *db, int64_t cluster, const char *name,
                        unsigned nodes, int64_t *id) MUST_USE;
enum err meta_shard_nodes(struct db *db, int64_t id, int change) MUST_USE;
enum err meta_shard_drop(struct db *db, int64_t id) MUST_USE;

#define META_NODE(X, s)                             \
    X(s, I64, id, "id", COLUMN_ONLY, -)             \
    X(s, I64, shard_id, "shard_id", COLUMN_ONLY, -) \
    X(s, STR, hostaddr, "hostaddr", COLUMN_ONLY, -) \
    X(s, I32, port, "port", COLUMN_ONLY, -)         \
    X(s, I64, machine_id, "svr_node_id", COLUMN_ONLY, -)
STRUCT(meta_node, META_NODE);
LIST_OF(meta_node);
enum err meta_nodes(struct db *db, struct arena *a, int64_t cluster,
                    struct list_of_meta_node *out) MUST_USE;

/* What the row of a storage node tells beside its place. */
struct meta_node_new {
    const struct instance_spec *spec;
    int64_t cluster, shard, machine;
    bool source;
    int32_t cpu_cores, max_storage_gb;
};
enum err meta_node_add(struct db *db, const struct meta_node_new *n) MUST_USE;
enum err meta_node_drop(struct db *db, int64_t id) MUST_USE;
/* That one is its shard's source from now on, the others are replicas. */
enum err meta_source(struct db *db, const char *cluster, const char *shard,
                     const struct instance_spec *primary) MUST_USE;

#define META_COMP(X, s)                             \
    X(s, I64, id, "id", COLUMN_ONLY, -)             \
    X(s, STR, name, "name", COLUMN_ONLY, -)         \
    X(s, STR, hostaddr, "hostaddr", COLUMN_ONLY, -) \
    X(s, I32, port, "port", COLUMN_ONLY, -)
STRUCT(meta_comp, META_COMP);
LIST_OF(meta_comp);
enum err meta_comps(struct db *db, struct arena *a, int64_t cluster,
                    struct list_of_meta_comp *out) MUST_USE;
/* Its number is of the sequence that all clusters share. */
enum err
meta_comp_add(struct db *db, const struct instance_spec *spec, int64_t cluster,
              int64_t machine, int32_t cpu_cores) MUST_USE;
enum err meta_comp_drop(struct db *db, int64_t cluster, int64_t id) MUST_USE;

/* ---- machines and places ---- */

#define META_MACHINE(X, s)                                  \
    X(s, I64, id, "id", COLUMN_ONLY, -)                     \
    X(s, STR, hostaddr, "hostaddr", COLUMN_ONLY, -)         \
    X(s, STR, datadir, "datadir", COLUMN_ONLY, -)           \
    X(s, STR, logdir, "logdir", COLUMN_ONLY, -)             \
    X(s, STR, wal_log_dir, "wal_log_dir", COLUMN_ONLY, -)   \
    X(s, STR, comp_datadir, "comp_datadir", COLUMN_ONLY, -) \
    X(s, I64, total_mem, "total_mem", COLUMN_ONLY, -)
STRUCT(meta_machine, META_MACHINE);
LIST_OF(meta_machine);
/* In the order of their registration. */
enum err meta_machines(struct db *db, struct arena *a,
                       struct list_of_meta_machine *out) MUST_USE;

/* What a machine has told of its directories: MB. */
struct meta_space {
    int64_t used[4], avail[4]; /* of enum placement_class */
};
enum err meta_machine_space(struct db *db, int64_t machine,
                            const struct meta_space *s) MUST_USE;

#define META_PLACE(X, s)                          \
    X(s, STR, machine, "machine", COLUMN_ONLY, -) \
    X(s, I32, port, "port", COLUMN_ONLY, -)       \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -)       \
    X(s, STR, kind, "kind", COLUMN_ONLY, -)       \
    X(s, STR, shard, "shard", COLUMN_ONLY, -)     \
    X(s, I64, memory_mb, "memory_mb", COLUMN_ONLY, -)
STRUCT(meta_place, META_PLACE);
LIST_OF(meta_place);
/* All that is given out or installed, by whomever. */
enum err meta_places(struct db *db, struct arena *a,
                     struct list_of_meta_place *out) MUST_USE;
/* Of a cluster; shard NULL: of all of it. */
enum err
meta_places_of(struct db *db, struct arena *a, const char *cluster,
               const char *shard, struct list_of_meta_place *out) MUST_USE;

/* Nobody else chooses places until the transaction ends: first in it. */
enum err meta_turn(struct db *db) MUST_USE;
enum err meta_place_add(struct db *db, const struct instance_spec *spec,
                        uint64_t job) MUST_USE;
/* Gives back what the job has chosen and nobody has installed. */
enum err meta_places_back(struct db *db, uint64_t job) MUST_USE;

/* ---- computing nodes ---- */

/* By name. */
enum err meta_computers(struct db *db, struct arena *a, const char *cluster,
                        struct list_of_instance_spec *out) MUST_USE;
enum err meta_computer_add(struct db *db, struct arena *a,
                           const struct instance_spec *spec) MUST_USE;
enum err meta_computer_drop(struct db *db, const char *uuid) MUST_USE;
enum err meta_computers_drop(struct db *db, const char *cluster) MUST_USE;

enum err meta_computer(struct db *db, struct arena *a, const char *uuid,
                       struct instance_spec *out) MUST_USE;

/* That the node was told who is primary in that epoch of the shard; and those
 * that were not told of the present one. */
enum err meta_pointer_set(struct db *db, const char *uuid, int64_t shard,
                          uint64_t epoch) MUST_USE;
#define META_BEHIND(X, s)                   \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -) \
    X(s, I64, shard_id, "shard_id", COLUMN_ONLY, -)
STRUCT(meta_behind, META_BEHIND);
LIST_OF(meta_behind);
enum err meta_behind(struct db *db, struct arena *a,
                     struct list_of_meta_behind *out) MUST_USE;

#endif
