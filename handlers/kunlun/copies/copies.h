/* Copies of whole clusters: backup_cluster makes one, restore_new_cluster makes
 * a cluster of one. A copy has a backup of each shard and of one computing
 * node's schema, and the binlogs of all shards up to its end, a whole second:
 * the same for all of them. Binlogs go on behind it, so a new cluster can be as
 * the old one was at any later second that they cover. */
#ifndef KUNLUN_COPIES_H
#define KUNLUN_COPIES_H

#include "db.h"
#include "record.h"

/* ---- what is copied, and by whom: what the job keeps ---- */

/* shard_id 0: a computing node. */
#define COPY_SOURCE(X, s)                        \
    X(s, STR, name, "name", IN | OUT, -)         \
    X(s, I64, shard_id, "shard_id", IN | OUT, -) \
    X(s, I32, nodes, "nodes", IN | OUT, -)       \
    X(s, STR, machine, "machine", IN | OUT, -)   \
    X(s, I32, port, "port", IN | OUT, -)
STRUCT(copy_source, COPY_SOURCE);

#define COPY_MEMO(X, s)                              \
    X(s, I64, cluster_id, "cluster_id", IN | OUT, -) \
    X(s, STR, cluster, "cluster", IN | OUT, -)       \
    X(s, STR, ha_mode, "ha_mode", IN | OUT, -)       \
    X(s, STR, memo, "memo", IN | OUT, -)             \
    X(s, I32, comps, "comps", IN | OUT, -)           \
    X(s, I64, storage_id, "storage_id", IN | OUT, -) \
    X(s, STR, storage, "storage", IN | OUT, -)       \
    X(s, LIST, sources, "sources", IN | OUT, copy_source)
STRUCT(copy_memo, COPY_MEMO);

/* ---- what is stored of it ---- */

#define COPY_SHARD(X, s)                   \
    X(s, STR, name, "name", IN | OUT, -)   \
    X(s, I32, nodes, "nodes", IN | OUT, -) \
    X(s, STR, path, "path", IN | OUT, -)   \
    X(s, STR, gtid, "gtid", IN | OUT, -)
STRUCT(copy_shard, COPY_SHARD);

/* When a shard came, and when it was deleted; 0: it was not by itself. */
#define COPY_LIFE(X, s)                        \
    X(s, STR, name, "name", IN | OUT, -)       \
    X(s, I64, came_ms, "came_ms", IN | OUT, -) \
    X(s, I64, gone_ms, "gone_ms", IN | OUT, -)
STRUCT(copy_life, COPY_LIFE);
LIST_OF(copy_life);

/* memo: of db_clusters, what the cluster was asked for with; past: shards that
 * went since the copy was made. */
#define COPY_DOC(X, s)                                 \
    X(s, STR, ha_mode, "ha_mode", IN | OUT, -)         \
    X(s, STR, memo, "memo", IN | OUT, -)               \
    X(s, I32, comps, "comps", IN | OUT, -)             \
    X(s, STR, schema_path, "schema", IN | OUT, -)      \
    X(s, LIST, shards, "shards", IN | OUT, copy_shard) \
    X(s, LIST, past, "past", IN | OUT, copy_life)
STRUCT(copy_doc, COPY_DOC);

/* Whether the binlogs behind a backup are kept up to then; whoever keeps them
 * is asked to. STATE, with a sentence: they will not be. */
struct job_run;
struct archive_backup;
enum err copy_await_covered(struct job_run *run, const struct archive_backup *b,
                            int64_t until_ms, bool *covered,
                            char why[WHY_BYTES]) MUST_USE;

/* A step that has asked so of each: done when all are, else it waits; why: what
 * for. */
enum step_answer copy_covered(struct job_run *run, bool all, const char *why);

/* A replica that has what it acknowledged; the primary when there is none. */
struct kunlun_shard;
const struct instance_spec *copy_member_of(const struct kunlun_shard *sh);

/* Begins to make that member, which is out of its shard, a copy of another one,
 * unless that is under way (EXISTS: the transaction is to be given up). Inside
 * the caller's transaction. */
enum err copy_rebuild(struct db *db, struct arena *a,
                      const struct kunlun_shard *sh, unsigned i) MUST_USE;

/* A step: what parts of that prefix have backed up for this job alone is needed
 * no more, and dropped by who has made it. A machine that does not do so within
 * that time is not waited for: it goes when it is old. error: as of
 * life_failed(). */
enum step_answer copy_drop(struct job_run *run, const char *error,
                           const char *prefix, int64_t limit_ms);

/* ---- SQL: copies/store.c ---- */

/* The place that backups of clusters go to: the first there is; NOT_FOUND. */
#define COPY_STORAGE(X, s)              \
    X(s, I64, id, "id", COLUMN_ONLY, -) \
    X(s, STR, conn, "conn_str", COLUMN_ONLY, -)
STRUCT(copy_storage, COPY_STORAGE);
enum err copy_store_storage(struct db *db, struct arena *a,
                            struct copy_storage *out) MUST_USE;

/* Rows of cluster_shard_backup_restore_log, one for each shard: begun, and what
 * has become of it. In the caller's transaction. */
struct copy_log {
    uint64_t job;
    int64_t storage, cluster, shard;
    bool restore;
};
enum err copy_store_log(struct db *db, const struct copy_log *l) MUST_USE;
enum err copy_store_log_path(struct db *db, const struct copy_log *l,
                             const char *path) MUST_USE;
enum err copy_store_log_end(struct db *db, uint64_t job, bool done) MUST_USE;

/* A copy that is whole: its row, and that of cluster_backups. Once for each
 * job. In the caller's transaction. */
struct copy_new {
    uint64_t job;
    const char *cluster, *doc;
    int64_t begun_ms, ended_ms;
    int64_t cluster_id, storage_id;
    const char *names, *addr; /* "shard1;shard2" */
    bool schema;
};
enum err copy_store_add(struct db *db, const struct copy_new *c) MUST_USE;

/* The newest copy of it that has ended not after that. NOT_FOUND. */
#define COPY_FOUND(X, s)                            \
    X(s, I64, ended_ms, "ended_ms", COLUMN_ONLY, -) \
    X(s, STR, doc, "doc", COLUMN_ONLY, -)
STRUCT(copy_found, COPY_FOUND);
enum err copy_store_find(struct db *db, struct arena *a, const char *cluster,
                         int64_t until_ms, struct copy_found *out) MUST_USE;
/* The shards that it has now. */
enum err copy_store_lives(struct db *db, struct arena *a, const char *cluster,
                          struct list_of_copy_life *out) MUST_USE;
/* A shard goes, by itself or with its cluster: its copies are told of its past
 * before its row goes. In the caller's transaction. */
enum err copy_store_past(struct db *db, int64_t shard, bool alone) MUST_USE;
/* Whether there is any. */
enum err
copy_store_known(struct db *db, const char *cluster, bool *out) MUST_USE;

#endif
