/* Tablets, their statistics and schemas, versions of partitions and tables. */
#ifndef MG_DORIS_TABLET_H
#define MG_DORIS_TABLET_H

#include "doris/data/rpc.h"

enum doris_tablet_state { DORIS_TABLET_NOTREADY, DORIS_TABLET_RUNNING };
extern const struct enum_name doris_tablet_state_names[];

extern const struct enum_name doris_keys_type_names[];

#define DORIS_TABLET_IDX(X, s)                           \
    X(s, I64, db_id, "db_id", IN | OUT, -)               \
    X(s, I64, table_id, "table_id", IN | OUT, -)         \
    X(s, I64, index_id, "index_id", IN | OUT, -)         \
    X(s, I64, partition_id, "partition_id", IN | OUT, -) \
    X(s, I64, tablet_id, "tablet_id", IN | OUT, -)
STRUCT(doris_tablet_idx, DORIS_TABLET_IDX);

#define DORIS_COLUMN(X, s)                                        \
    X(s, I32, unique_id, "unique_id", IN | OUT, -)                \
    X(s, STR, name, "name", IN | OUT, -, .max = 1024)             \
    X(s, STR, type, "type", IN | OUT, -, .max = 64)               \
    X(s, BOOL, is_key, "is_key", IN | OUT, -)                     \
    X(s, STR, aggregation, "aggregation", IN | OUT, -, .max = 64) \
    X(s, BOOL, is_nullable, "is_nullable", IN | OUT, -)           \
    X(s, BYTES, default_value, "default_value", IN | OUT, -)      \
    X(s, I32, precision, "precision", IN | OUT, -)                \
    X(s, I32, frac, "frac", IN | OUT, -)                          \
    X(s, I32, length, "length", IN | OUT, -)                      \
    X(s, I32, index_length, "index_length", IN | OUT, -)          \
    X(s, BOOL, is_bf_column, "is_bf_column", IN | OUT, -)         \
    X(s, BOOL, visible, "visible", IN | OUT, -)
STRUCT(doris_column, DORIS_COLUMN);

#define DORIS_SCHEMA(X, s)                                                   \
    X(s, ENUM, keys_type, "keys_type", IN | OUT, doris_keys_type)            \
    X(s, LIST, column, "column", IN | OUT, doris_column, .max = 4096)        \
    X(s, I32, num_short_key_columns, "num_short_key_columns", IN | OUT, -)   \
    X(s, I32, num_rows_per_row_block, "num_rows_per_row_block", IN | OUT, -) \
    X(s, I32, next_column_unique_id, "next_column_unique_id", IN | OUT, -)   \
    X(s, I32, delete_sign_idx, "delete_sign_idx", IN | OUT, -)               \
    X(s, I32, sequence_col_idx, "sequence_col_idx", IN | OUT, -)             \
    X(s, I32, schema_version, "schema_version", IN | OUT, -)                 \
    X(s, I32, version_col_idx, "version_col_idx", IN | OUT, -)
STRUCT(doris_schema, DORIS_SCHEMA);

struct doris_rowset; /* rowset.h */

#define DORIS_TABLET(X, s)                                                     \
    X(s, I64, table_id, "table_id", IN | OUT, -)                               \
    X(s, I64, partition_id, "partition_id", IN | OUT, -)                       \
    X(s, I64, tablet_id, "tablet_id", IN | OUT, -)                             \
    X(s, I32, schema_hash, "schema_hash", IN | OUT, -)                         \
    X(s, I32, shard_id, "shard_id", IN | OUT, -)                               \
    X(s, I64, creation_time, "creation_time", IN | OUT, -)                     \
    X(s, I64, cumulative_layer_point, "cumulative_layer_point", IN | OUT, -)   \
    X(s, ENUM, tablet_state, "tablet_state", IN | OUT, doris_tablet_state)     \
    X(s, OBJ, schema, "schema", IN | OUT, doris_schema)                        \
    X(s, LIST, rs_metas, "rs_metas", IN | OUT, doris_rowset, .max = 16)        \
    X(s, I64, index_id, "index_id", IN | OUT, -)                               \
    X(s, BOOL, is_in_memory, "is_in_memory", IN | OUT, -)                      \
    X(s, BOOL, is_persistent, "is_persistent", IN | OUT, -)                    \
    X(s, STR, table_name, "table_name", IN | OUT, -, .max = 1024)              \
    X(s, I64, ttl_seconds, "ttl_seconds", IN | OUT, -)                         \
    X(s, BOOL, enable_unique_key_merge_on_write,                               \
      "enable_unique_key_merge_on_write", IN | OUT, -)                         \
    X(s, STR, compaction_policy, "compaction_policy", IN | OUT, -, .max = 255) \
    X(s, I32, schema_version, "schema_version", IN | OUT, -)                   \
    X(s, I64, db_id, "db_id", COLUMN_ONLY, -)                                  \
    X(s, STR, body, "body", COLUMN_ONLY, -)
STRUCT(doris_tablet, DORIS_TABLET);

#define DORIS_STATS(X, s)                                                     \
    X(s, OBJ, idx, "idx", OUT, doris_tablet_idx)                              \
    X(s, I64, data_size, "data_size", OUT, -)                                 \
    X(s, I64, num_rows, "num_rows", OUT, -)                                   \
    X(s, I64, num_rowsets, "num_rowsets", OUT, -)                             \
    X(s, I64, num_segments, "num_segments", OUT, -)                           \
    X(s, I64, base_compaction_cnt, "base_compaction_cnt", OUT, -)             \
    X(s, I64, cumulative_compaction_cnt, "cumulative_compaction_cnt", OUT, -) \
    X(s, I64, cumulative_point, "cumulative_point", OUT, -)                   \
    X(s, I64, last_base_compaction_time_ms, "last_base_compaction_time_ms",   \
      OUT, -)                                                                 \
    X(s, I64, last_cumu_compaction_time_ms, "last_cumu_compaction_time_ms",   \
      OUT, -)                                                                 \
    X(s, I64, full_compaction_cnt, "full_compaction_cnt", OUT, -)             \
    X(s, I64, last_full_compaction_time_ms, "last_full_compaction_time_ms",   \
      OUT, -)                                                                 \
    X(s, I64, index_size, "index_size", OUT, -)                               \
    X(s, I64, segment_size, "segment_size", OUT, -)                           \
    X(s, I64, db_id, "db_id", COLUMN_ONLY, -)                                 \
    X(s, I64, table_id, "table_id", COLUMN_ONLY, -)                           \
    X(s, I64, index_id, "index_id", COLUMN_ONLY, -)                           \
    X(s, I64, partition_id, "partition_id", COLUMN_ONLY, -)                   \
    X(s, I64, tablet_id, "tablet_id", COLUMN_ONLY, -)                         \
    X(s, ENUM, state, "state", COLUMN_ONLY, doris_tablet_state)
STRUCT(doris_stats, DORIS_STATS);

#define DORIS_CREATE_TABLETS(X, s)                                         \
    RPC_CUID(X, s)                                                         \
    X(s, LIST, tablet_metas, "tablet_metas", IN, doris_tablet,             \
      .max = DORIS_BATCH)                                                  \
    X(s, STR, storage_vault_name, "storage_vault_name", IN, -, .max = 255) \
    X(s, I64, db_id, "db_id", IN, -)
STRUCT(doris_create_tablets, DORIS_CREATE_TABLETS);

#define DORIS_VAULT_CHOICE(X, s)                            \
    X(s, STR, storage_vault_id, "storage_vault_id", OUT, -) \
    X(s, STR, storage_vault_name, "storage_vault_name", OUT, -)
STRUCT(doris_vault_choice, DORIS_VAULT_CHOICE);

#define DORIS_GET_TABLET(X, s) \
    RPC_CUID(X, s)             \
    X(s, I64, tablet_id, "tablet_id", IN, -)
STRUCT(doris_get_tablet, DORIS_GET_TABLET);

#define DORIS_TABLET_REPLY(X, s) \
    X(s, OBJ, tablet_meta, "tablet_meta", OUT, doris_tablet)
STRUCT(doris_tablet_reply, DORIS_TABLET_REPLY);

#define DORIS_TABLET_CHANGE(X, s)                     \
    X(s, I64, tablet_id, "tablet_id", IN, -)          \
    X(s, BOOL, is_in_memory, "is_in_memory", IN, -)   \
    X(s, BOOL, is_persistent, "is_persistent", IN, -) \
    X(s, I64, ttl_seconds, "ttl_seconds", IN, -)      \
    X(s, STR, compaction_policy, "compaction_policy", IN, -, .max = 255)
STRUCT(doris_tablet_change, DORIS_TABLET_CHANGE);

#define DORIS_UPDATE_TABLET(X, s)                          \
    RPC_CUID(X, s)                                         \
    X(s, LIST, tablet_meta_infos, "tablet_meta_infos", IN, \
      doris_tablet_change, .max = DORIS_BATCH)
STRUCT(doris_update_tablet, DORIS_UPDATE_TABLET);

#define DORIS_GET_STATS(X, s)                                  \
    RPC_CUID(X, s)                                             \
    X(s, LIST, tablet_idx, "tablet_idx", IN, doris_tablet_idx, \
      .max = DORIS_BATCH)
STRUCT(doris_get_stats, DORIS_GET_STATS);

#define DORIS_STATS_REPLY(X, s) \
    X(s, LIST, tablet_stats, "tablet_stats", OUT, doris_stats)
STRUCT(doris_stats_reply, DORIS_STATS_REPLY);

#define DORIS_VERSIONS 4096 /* of one request */

/* With batch_mode the k-th version is that of the k-th ids. */
#define DORIS_GET_VERSION(X, s)                                        \
    RPC_CUID(X, s)                                                     \
    X(s, I64, db_id, "db_id", IN, -)                                   \
    X(s, I64, table_id, "table_id", IN, -)                             \
    X(s, I64, partition_id, "partition_id", IN, -)                     \
    X(s, BOOL, is_table_version, "is_table_version", IN, -)            \
    X(s, BOOL, batch_mode, "batch_mode", IN, -)                        \
    X(s, LIST, db_ids, "db_ids", IN, I64, .max = DORIS_VERSIONS)       \
    X(s, LIST, table_ids, "table_ids", IN, I64, .max = DORIS_VERSIONS) \
    X(s, LIST, partition_ids, "partition_ids", IN, I64, .max = DORIS_VERSIONS)
STRUCT(doris_get_version, DORIS_GET_VERSION);

#define DORIS_VERSION(X, s)               \
    X(s, I64, version, "version", OUT, -) \
    X(s, I64, update_time_ms, "update_time_ms", OUT, -)
STRUCT(doris_version, DORIS_VERSION);

/* Of a batch the ids come back; -1 where nothing was loaded. */
#define DORIS_VERSION_REPLY(X, s)                        \
    X(s, I64, version, "version", OUT, -)                \
    X(s, LIST, db_ids, "db_ids", OUT, I64)               \
    X(s, LIST, table_ids, "table_ids", OUT, I64)         \
    X(s, LIST, partition_ids, "partition_ids", OUT, I64) \
    X(s, LIST, versions, "versions", OUT, I64)           \
    X(s, LIST, version_update_time_ms, "version_update_time_ms", OUT, I64)
STRUCT(doris_version_reply, DORIS_VERSION_REPLY);

/* ---- the store ---- */

/* Of one tablet: its row, or its rows of a table. */
#define OF_TABLET " WHERE instance_id = ? AND tablet_id = ?"

/* With the statistics of a new tablet. EXISTS when there is one of that id:
 * then that is locked. */
enum err
doris_store_tablet_add(struct db *db, struct arena *a, const char *instance_id,
                       const struct doris_tablet *t) MUST_USE;
/* Replaces the one of that id, which is locked, with all that belongs to it;
 * the statistics are those of a new one. */
enum err doris_store_tablet_replace(struct db *db, struct arena *a,
                                    const char *instance_id,
                                    const struct doris_tablet *t) MUST_USE;
/* The tablet without its rowsets and schema. NOT_FOUND. */
enum err
doris_store_tablet(struct db *db, struct arena *a, const char *instance_id,
                   int64_t tablet_id, struct doris_tablet *out) MUST_USE;
/* Writes the tablet's own record and state. */
enum err
doris_store_tablet_save(struct db *db, struct arena *a, const char *instance_id,
                        const struct doris_tablet *t) MUST_USE;
/* Locks it: its rowsets, jobs and statistics. NOT_FOUND. */
enum err doris_store_tablet_lock(struct db *db, const char *instance_id,
                                 int64_t tablet_id) MUST_USE;
enum err
doris_store_stats(struct db *db, struct arena *a, const char *instance_id,
                  int64_t tablet_id, struct doris_stats *out) MUST_USE;
/* Adds the figures of s, which may be negative, to the tablet's; index_size
 * and segment_size when they are set. */
enum err
doris_store_stats_add(struct db *db, const char *instance_id, int64_t tablet_id,
                      const struct doris_stats *s) MUST_USE;
/* Writes counters, point and times of compactions. */
enum err doris_store_stats_set(struct db *db, const char *instance_id,
                               const struct doris_stats *s) MUST_USE;

enum err
doris_store_schema_put(struct db *db, struct arena *a, const char *instance_id,
                       int64_t index_id, int32_t version,
                       const struct doris_schema *s) MUST_USE;
enum err doris_store_schema(struct db *db, struct arena *a,
                            const char *instance_id, int64_t index_id,
                            int32_t version, struct doris_schema *out) MUST_USE;

/* Partition's version + 1, of a table with partition_id 0. A partition that
 * nothing was loaded into has version 1, a table none. */
enum err
doris_store_version_bump(struct db *db, const char *instance_id, char kind,
                         int64_t db_id, int64_t table_id, int64_t partition_id,
                         int64_t now_ms, int64_t *out) MUST_USE;
enum err
doris_store_version(struct db *db, struct arena *a, const char *instance_id,
                    char kind, int64_t db_id, int64_t table_id,
                    int64_t partition_id, struct doris_version *out) MUST_USE;

#endif
