/* The SQL of what cluster_mgr answers at once. */
#ifndef ANSWERS_STORE_H
#define ANSWERS_STORE_H

#include "db.h"
#include "record.h"

/* That long after its last sign a machine counts as gone: a sign comes every
 * second, and nobody is told what is older than five. */
#define GONE_MS "4500"
/* ... of b, its row of kunlun_beat */
#define IS_THERE "COALESCE(b.at_ms >= " DB_NOW_MS " - " GONE_MS ", 0)"

/* ---- clusters ---- */

/* EXISTS: another has that nick name, or is called so. In the caller's
 * transaction; NOT_FOUND. */
enum err cluster_store_rename(struct db *db, const char *name,
                              const char *nick_name) MUST_USE;

/* ---- shards, as they are watched over ---- */

#define CLUSTER_WATCHED(X, s)                                     \
    X(s, STR, verdict, "verdict", COLUMN_ONLY, -)                 \
    X(s, STR, sentence, "sentence", COLUMN_ONLY, -)               \
    X(s, I64, since_ms, "since_ms", COLUMN_ONLY, -)               \
    X(s, I64, paused_until_ms, "paused_until_ms", COLUMN_ONLY, -) \
    X(s, STR, paused_why, "paused_why", COLUMN_ONLY, -)
STRUCT(cluster_watched, CLUSTER_WATCHED);
enum err
cluster_store_watched(struct db *db, struct arena *a, const char *cluster,
                      const char *shard, struct cluster_watched *out) MUST_USE;

/* Why failovers of the cluster are held back, and by whom; until_ms: Unix. In
 * the caller's transaction. */
enum err
cluster_store_pause(struct db *db, const char *cluster, int64_t until_ms,
                    const char *why, const char *token_name) MUST_USE;

/* ---- where backups go ---- */

#define CLUSTER_BACKUP_STORAGE(X, s)        \
    X(s, STR, name, "name", OUT, -)         \
    X(s, STR, stype, "stype", OUT, -)       \
    X(s, STR, hostaddr, "hostaddr", OUT, -) \
    X(s, STR, port, "port", OUT, -)
STRUCT(cluster_backup_storage, CLUSTER_BACKUP_STORAGE);
LIST_OF(cluster_backup_storage);
enum err cluster_store_backup_storages(
    struct db *db, struct arena *a,
    struct list_of_cluster_backup_storage *out) MUST_USE;
/* EXISTS, NOT_FOUND by name. In the caller's transaction. */
enum err
cluster_store_backup_storage_add(struct db *db, const char *name,
                                 const char *stype, const char *conn_str,
                                 const char *hostaddr, int32_t port) MUST_USE;
enum err
cluster_store_backup_storage_set(struct db *db, const char *name,
                                 const char *stype, const char *conn_str,
                                 const char *hostaddr, int32_t port) MUST_USE;
enum err
cluster_store_backup_storage_drop(struct db *db, const char *name) MUST_USE;

/* ---- instances ---- */

/* One that is installed, by its address: what its clients log in with.
 * NOT_FOUND. */
#define CLUSTER_AT(X, s)                           \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -)        \
    X(s, STR, machine, "machine", COLUMN_ONLY, -)  \
    X(s, I32, port, "port", COLUMN_ONLY, -)        \
    X(s, STR, kind, "kind", COLUMN_ONLY, -)        \
    X(s, STR, user, "client_user", COLUMN_ONLY, -) \
    X(s, STR, secret, "client_secret", COLUMN_ONLY | SECRET, -)
STRUCT(cluster_at, CLUSTER_AT);
enum err cluster_store_at(struct db *db, struct arena *a, const char *machine,
                          int32_t port, struct cluster_at *out) MUST_USE;

/* A variable of the server that this connection is to; NOT_FOUND. */
enum err cluster_store_variable(struct db *db, struct arena *a,
                                const char *name, const char **out) MUST_USE;

/* Whether a server of the metadata has that address. */
enum err cluster_store_is_meta(struct db *db, const char *hostaddr,
                               int32_t port) MUST_USE;

#endif
