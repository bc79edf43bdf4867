/* What the RPCs of front and back ends bring and get: tablets, rowsets,
 * transactions, jobs, stages. The order of members is that of the protobuf
 * messages. Members of theirs that nothing here needs are not kept. */
#ifndef MG_DORIS_RPC_H
#define MG_DORIS_RPC_H

#include "record.h"

/* ---- enumerations ---- */

enum doris_txn_status {
    DORIS_TXN_UNKNOWN,
    DORIS_TXN_PREPARED,
    DORIS_TXN_COMMITTED,
    DORIS_TXN_VISIBLE,
    DORIS_TXN_ABORTED,
    DORIS_TXN_PRECOMMITTED
};
extern const struct enum_name doris_txn_status_names[];

enum doris_tablet_state { DORIS_TABLET_NOTREADY, DORIS_TABLET_RUNNING };
extern const struct enum_name doris_tablet_state_names[];

enum doris_compaction_type {
    DORIS_COMPACTION_UNKNOWN,
    DORIS_COMPACTION_BASE,
    DORIS_COMPACTION_CUMULATIVE,
    DORIS_COMPACTION_EMPTY,
    DORIS_COMPACTION_FULL,
    DORIS_COMPACTION_STOP
};
extern const struct enum_name doris_compaction_type_names[];

enum doris_action {
    DORIS_ACTION_UNKNOWN,
    DORIS_COMMIT,
    DORIS_ABORT,
    DORIS_LEASE
};
extern const struct enum_name doris_action_names[];

enum doris_stage_type { DORIS_STAGE_INTERNAL, DORIS_STAGE_EXTERNAL };
extern const struct enum_name doris_stage_type_names[];

enum doris_stage_access {
    DORIS_ACCESS_UNKNOWN,
    DORIS_ACCESS_AKSK,
    DORIS_ACCESS_IAM,
    DORIS_ACCESS_BUCKET_ACL
};
extern const struct enum_name doris_stage_access_names[];
extern const struct enum_name doris_rowset_state_names[];
extern const struct enum_name doris_keys_type_names[];
extern const struct enum_name doris_source_type_names[];
extern const struct enum_name doris_load_source_names[];

/* ---- bounds ---- */

#define DORIS_LABEL_BYTES 255
#define DORIS_BATCH       1024 /* tablets of one request */
#define DORIS_TABLES      1024 /* tables of one transaction */
#define DORIS_ABORTED_MAX 100  /* aborted transactions of one label */
#define DORIS_TXN_SHIFT   10   /* txn_id = seq << 10 */

/* ---- tablets and rowsets ---- */

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

/* A rowset is known by rowset_id_v2, else by its number. */
#define DORIS_ROWSET(X, s)                                                   \
    X(s, I64, rowset_id, "rowset_id", IN | OUT, -)                           \
    X(s, I64, partition_id, "partition_id", IN | OUT, -)                     \
    X(s, I64, tablet_id, "tablet_id", IN | OUT, -)                           \
    X(s, I64, txn_id, "txn_id", IN | OUT, -)                                 \
    X(s, ENUM, rowset_state, "rowset_state", IN | OUT, doris_rowset_state)   \
    X(s, I64, start_version, "start_version", IN | OUT, -)                   \
    X(s, I64, end_version, "end_version", IN | OUT, -)                       \
    X(s, I64, num_rows, "num_rows", IN | OUT, -)                             \
    X(s, I64, total_disk_size, "total_disk_size", IN | OUT, -)               \
    X(s, I64, data_disk_size, "data_disk_size", IN | OUT, -)                 \
    X(s, I64, index_disk_size, "index_disk_size", IN | OUT, -)               \
    X(s, BOOL, empty, "empty", IN | OUT, -)                                  \
    X(s, I64, creation_time, "creation_time", IN | OUT, -)                   \
    X(s, I64, num_segments, "num_segments", IN | OUT, -)                     \
    X(s, STR, rowset_id_v2, "rowset_id_v2", IN | OUT, -, .max = 128)         \
    X(s, STR, resource_id, "resource_id", IN | OUT, -, .max = 255)           \
    X(s, I64, newest_write_timestamp, "newest_write_timestamp", IN | OUT, -) \
    X(s, I32, schema_version, "schema_version", IN | OUT, -)                 \
    X(s, OBJ, tablet_schema, "tablet_schema", IN | OUT, doris_schema)        \
    X(s, I64, index_id, "index_id", IN | OUT, -)                             \
    X(s, I64, txn_expiration, "txn_expiration", IN | OUT, -)
STRUCT(doris_rowset, DORIS_ROWSET);

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

/* ---- requests about tablets ---- */

#define RPC_CUID(X, s) \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -, .max = 512)

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

/* prepare_rowset and commit_rowset */
#define DORIS_PUT_ROWSET(X, s)                              \
    RPC_CUID(X, s)                                          \
    X(s, OBJ, rowset_meta, "rowset_meta", IN, doris_rowset) \
    X(s, BOOL, temporary, "temporary", IN, -)               \
    X(s, I64, txn_id, "txn_id", IN, -)                      \
    X(s, STR, tablet_job_id, "tablet_job_id", IN, -, .max = 255)
STRUCT(doris_put_rowset, DORIS_PUT_ROWSET);

#define DORIS_EXISTED(X, s) \
    X(s, OBJ, existed_rowset_meta, "existed_rowset_meta", OUT, doris_rowset)
STRUCT(doris_existed, DORIS_EXISTED);

#define DORIS_GET_ROWSET(X, s)                                               \
    RPC_CUID(X, s)                                                           \
    X(s, OBJ, idx, "idx", IN, doris_tablet_idx)                              \
    X(s, I64, start_version, "start_version", IN, -)                         \
    X(s, I64, end_version, "end_version", IN, -)                             \
    X(s, I64, base_compaction_cnt, "base_compaction_cnt", IN, -)             \
    X(s, I64, cumulative_compaction_cnt, "cumulative_compaction_cnt", IN, -) \
    X(s, I64, cumulative_point, "cumulative_point", IN, -)
STRUCT(doris_get_rowset, DORIS_GET_ROWSET);

#define DORIS_ROWSETS(X, s)                                   \
    X(s, LIST, rowset_meta, "rowset_meta", OUT, doris_rowset) \
    X(s, OBJ, stats, "stats", OUT, doris_stats)               \
    X(s, I64, partition_max_version, "partition_max_version", OUT, -)
STRUCT(doris_rowsets, DORIS_ROWSETS);

/* ---- transactions ---- */

#define DORIS_UNIQUE_ID(X, s)        \
    X(s, I64, hi, "hi", IN | OUT, -) \
    X(s, I64, lo, "lo", IN | OUT, -)
STRUCT(doris_unique_id, DORIS_UNIQUE_ID);

#define DORIS_COORDINATOR(X, s)                                       \
    X(s, ENUM, sourceType, "sourceType", IN | OUT, doris_source_type) \
    X(s, STR, ip, "ip", IN | OUT, -, .max = 255)                      \
    X(s, I64, id, "id", IN | OUT, -)                                  \
    X(s, I64, start_time, "start_time", IN | OUT, -)
STRUCT(doris_coordinator, DORIS_COORDINATOR);

/* Of an attachment what its kinds have in common; the rest is theirs. */
#define DORIS_LOAD_RESULT(X, s)                                              \
    X(s, I64, job_id, "job_id", IN | OUT, -)                                 \
    X(s, OBJ, task_id, "task_id", IN | OUT, doris_unique_id)                 \
    X(s, I64, filtered_rows, "filtered_rows", IN | OUT, -)                   \
    X(s, I64, loaded_rows, "loaded_rows", IN | OUT, -)                       \
    X(s, I64, unselected_rows, "unselected_rows", IN | OUT, -)               \
    X(s, I64, received_bytes, "received_bytes", IN | OUT, -)                 \
    X(s, I64, task_execution_time_ms, "task_execution_time_ms", IN | OUT, -) \
    X(s, STR, error_log_url, "error_log_url", IN | OUT, -, .max = 4096)
STRUCT(doris_load_result, DORIS_LOAD_RESULT);

#define DORIS_ATTACHMENT(X, s)                                                \
    X(s, STR, type, "type", IN | OUT, -, .max = 64)                           \
    X(s, OBJ, rl_task_txn_commit_attachment, "rl_task_txn_commit_attachment", \
      IN | OUT, doris_load_result)
STRUCT(doris_attachment, DORIS_ATTACHMENT);

#define DORIS_TXN(X, s)                                                    \
    X(s, I64, db_id, "db_id", IN | OUT, -)                                 \
    X(s, LIST, table_ids, "table_ids", IN | OUT, I64, .max = DORIS_TABLES) \
    X(s, I64, txn_id, "txn_id", IN | OUT, -)                               \
    X(s, STR, label, "label", IN | OUT, -, .max = DORIS_LABEL_BYTES)       \
    X(s, OBJ, request_id, "request_id", IN | OUT, doris_unique_id)         \
    X(s, OBJ, coordinator, "coordinator", IN | OUT, doris_coordinator)     \
    X(s, ENUM, load_job_source_type, "load_job_source_type", IN | OUT,     \
      doris_load_source)                                                   \
    X(s, I64, timeout_ms, "timeout_ms", IN | OUT, -)                       \
    X(s, I64, precommit_timeout_ms, "precommit_timeout_ms", IN | OUT, -)   \
    X(s, I64, prepare_time, "prepare_time", IN | OUT, -)                   \
    X(s, I64, precommit_time, "precommit_time", IN | OUT, -)               \
    X(s, I64, commit_time, "commit_time", IN | OUT, -)                     \
    X(s, I64, finish_time, "finish_time", IN | OUT, -)                     \
    X(s, STR, reason, "reason", IN | OUT, -, .max = 4096)                  \
    X(s, ENUM, status, "status", IN | OUT, doris_txn_status)               \
    X(s, OBJ, commit_attachment, "commit_attachment", IN | OUT,            \
      doris_attachment)                                                    \
    X(s, I64, listener_id, "listener_id", IN | OUT, -)
STRUCT(doris_txn, DORIS_TXN);

#define DORIS_BEGIN_TXN(X, s) \
    RPC_CUID(X, s)            \
    X(s, OBJ, txn_info, "txn_info", IN, doris_txn)
STRUCT(doris_begin_txn, DORIS_BEGIN_TXN);

#define DORIS_BEGUN(X, s)                       \
    X(s, I64, txn_id, "txn_id", OUT, -)         \
    X(s, I64, dup_txn_id, "dup_txn_id", OUT, -) \
    X(s, ENUM, txn_status, "txn_status", OUT, doris_txn_status)
STRUCT(doris_begun, DORIS_BEGUN);

#define DORIS_PRECOMMIT_TXN(X, s)                                             \
    RPC_CUID(X, s)                                                            \
    X(s, I64, db_id, "db_id", IN, -)                                          \
    X(s, I64, txn_id, "txn_id", IN, -)                                        \
    X(s, OBJ, commit_attachment, "commit_attachment", IN, doris_attachment)   \
    X(s, I64, precommit_timeout_ms, "precommit_timeout_ms", IN, -, .min = -1, \
      .max = INT64_C(1) << 50)
STRUCT(doris_precommit_txn, DORIS_PRECOMMIT_TXN);

#define DORIS_COMMIT_TXN(X, s)                                              \
    RPC_CUID(X, s)                                                          \
    X(s, I64, db_id, "db_id", IN, -)                                        \
    X(s, I64, txn_id, "txn_id", IN, -)                                      \
    X(s, BOOL, is_2pc, "is_2pc", IN, -)                                     \
    X(s, OBJ, commit_attachment, "commit_attachment", IN, doris_attachment) \
    X(s, LIST, base_tablet_ids, "base_tablet_ids", IN, I64, .max = 65536)
STRUCT(doris_commit_txn, DORIS_COMMIT_TXN);

#define DORIS_TABLE_STATS(X, s)             \
    X(s, I64, table_id, "table_id", OUT, -) \
    X(s, I64, updated_row_count, "updated_row_count", OUT, -)
STRUCT(doris_table_stats, DORIS_TABLE_STATS);

#define DORIS_COMMITTED(X, s)                                      \
    X(s, OBJ, txn_info, "txn_info", OUT, doris_txn)                \
    X(s, LIST, table_ids, "table_ids", OUT, I64)                   \
    X(s, LIST, partition_ids, "partition_ids", OUT, I64)           \
    X(s, LIST, versions, "versions", OUT, I64)                     \
    X(s, LIST, table_stats, "table_stats", OUT, doris_table_stats) \
    X(s, I64, version_update_time_ms, "version_update_time_ms", OUT, -)
STRUCT(doris_committed, DORIS_COMMITTED);

/* abort_txn, over HTTP and as RPC */
#define DORIS_ABORT_TXN(X, s)                                  \
    RPC_CUID(X, s)                                             \
    X(s, I64, db_id, "db_id", IN, -)                           \
    X(s, I64, txn_id, "txn_id", IN, -)                         \
    X(s, STR, label, "label", IN, -, .max = DORIS_LABEL_BYTES) \
    X(s, STR, reason, "reason", IN, -, .max = 4096)            \
    X(s, OBJ, commit_attachment, "commit_attachment", IN, doris_attachment)
STRUCT(doris_abort_txn, DORIS_ABORT_TXN);

#define DORIS_GET_TXN(X, s)            \
    RPC_CUID(X, s)                     \
    X(s, I64, db_id, "db_id", IN, -)   \
    X(s, I64, txn_id, "txn_id", IN, -) \
    X(s, STR, label, "label", IN, -, .max = DORIS_LABEL_BYTES)
STRUCT(doris_get_txn, DORIS_GET_TXN);

#define DORIS_TXN_REPLY(X, s) X(s, OBJ, txn_info, "txn_info", OUT, doris_txn)
STRUCT(doris_txn_reply, DORIS_TXN_REPLY);

#define TXN_STATUS_VALUE(X, s) X(s, ENUM, v, "", IN | OUT, doris_txn_status)
STRUCT(doris_txn_status_value, TXN_STATUS_VALUE);

#define DORIS_GET_TXN_ID(X, s)                                 \
    RPC_CUID(X, s)                                             \
    X(s, I64, db_id, "db_id", IN, -)                           \
    X(s, STR, label, "label", IN, -, .max = DORIS_LABEL_BYTES) \
    X(s, LIST, txn_status, "txn_status", IN, doris_txn_status_value, .max = 16)
STRUCT(doris_get_txn_id, DORIS_GET_TXN_ID);

#define DORIS_TXN_ID_REPLY(X, s) X(s, I64, txn_id, "txn_id", OUT, -)
STRUCT(doris_txn_id_reply, DORIS_TXN_ID_REPLY);

#define DORIS_GET_VERSION(X, s)                    \
    RPC_CUID(X, s)                                 \
    X(s, I64, db_id, "db_id", IN, -)               \
    X(s, I64, table_id, "table_id", IN, -)         \
    X(s, I64, partition_id, "partition_id", IN, -) \
    X(s, BOOL, is_table_version, "is_table_version", IN, -)
STRUCT(doris_get_version, DORIS_GET_VERSION);

#define DORIS_VERSION(X, s)               \
    X(s, I64, version, "version", OUT, -) \
    X(s, I64, update_time_ms, "update_time_ms", OUT, -)
STRUCT(doris_version, DORIS_VERSION);

#define DORIS_VERSION_REPLY(X, s) X(s, I64, version, "version", OUT, -)
STRUCT(doris_version_reply, DORIS_VERSION_REPLY);

/* ---- jobs of tablets ---- */

#define DORIS_COMPACTION(X, s)                                                 \
    X(s, STR, initiator, "initiator", IN | OUT, -, .max = 255)                 \
    X(s, I64, ctime, "ctime", IN | OUT, -)                                     \
    X(s, I64, mtime, "mtime", IN | OUT, -)                                     \
    X(s, ENUM, type, "type", IN | OUT, doris_compaction_type)                  \
    X(s, I64, input_cumulative_point, "input_cumulative_point", IN | OUT, -)   \
    X(s, I64, output_cumulative_point, "output_cumulative_point", IN | OUT, -) \
    X(s, I64, num_input_rowsets, "num_input_rowsets", IN | OUT, -)             \
    X(s, I64, num_input_segments, "num_input_segments", IN | OUT, -)           \
    X(s, I64, num_output_rowsets, "num_output_rowsets", IN | OUT, -)           \
    X(s, I64, num_output_segments, "num_output_segments", IN | OUT, -)         \
    X(s, I64, size_input_rowsets, "size_input_rowsets", IN | OUT, -)           \
    X(s, I64, size_output_rowsets, "size_output_rowsets", IN | OUT, -)         \
    X(s, I64, num_input_rows, "num_input_rows", IN | OUT, -)                   \
    X(s, I64, num_output_rows, "num_output_rows", IN | OUT, -)                 \
    X(s, LIST, input_versions, "input_versions", IN | OUT, I64, .max = 2)      \
    X(s, LIST, output_versions, "output_versions", IN | OUT, I64, .max = 2)    \
    X(s, LIST, output_rowset_ids, "output_rowset_ids", IN | OUT, STR,          \
      .max = 2)                                                                \
    X(s, LIST, txn_id, "txn_id", IN | OUT, I64, .max = 2)                      \
    X(s, I64, base_compaction_cnt, "base_compaction_cnt", IN | OUT, -)         \
    X(s, I64, cumulative_compaction_cnt, "cumulative_compaction_cnt",          \
      IN | OUT, -)                                                             \
    X(s, STR, id, "id", IN | OUT, -, .max = 255)                               \
    X(s, I64, expiration, "expiration", IN | OUT, -)                           \
    X(s, I64, lease, "lease", IN | OUT, -)                                     \
    X(s, I64, full_compaction_cnt, "full_compaction_cnt", IN | OUT, -)         \
    X(s, BOOL, check_input_versions_range, "check_input_versions_range",       \
      IN | OUT, -)                                                             \
    X(s, I64, index_size_input_rowsets, "index_size_input_rowsets", IN | OUT,  \
      -)                                                                       \
    X(s, I64, segment_size_input_rowsets, "segment_size_input_rowsets",        \
      IN | OUT, -)                                                             \
    X(s, I64, index_size_output_rowsets, "index_size_output_rowsets",          \
      IN | OUT, -)                                                             \
    X(s, I64, segment_size_output_rowsets, "segment_size_output_rowsets",      \
      IN | OUT, -)
STRUCT(doris_compaction, DORIS_COMPACTION);

#define DORIS_SCHEMA_CHANGE(X, s)                                           \
    X(s, STR, initiator, "initiator", IN | OUT, -, .max = 255)              \
    X(s, STR, id, "id", IN | OUT, -, .max = 255)                            \
    X(s, I64, expiration, "expiration", IN | OUT, -)                        \
    X(s, OBJ, new_tablet_idx, "new_tablet_idx", IN | OUT, doris_tablet_idx) \
    X(s, LIST, txn_ids, "txn_ids", IN | OUT, I64, .max = DORIS_BATCH)       \
    X(s, I64, alter_version, "alter_version", IN | OUT, -)                  \
    X(s, I64, num_output_rowsets, "num_output_rowsets", IN | OUT, -)        \
    X(s, I64, num_output_segments, "num_output_segments", IN | OUT, -)      \
    X(s, I64, size_output_rowsets, "size_output_rowsets", IN | OUT, -)      \
    X(s, I64, num_output_rows, "num_output_rows", IN | OUT, -)              \
    X(s, LIST, output_versions, "output_versions", IN | OUT, I64,           \
      .max = DORIS_BATCH)                                                   \
    X(s, I64, output_cumulative_point, "output_cumulative_point", IN | OUT, -)
STRUCT(doris_schema_change, DORIS_SCHEMA_CHANGE);

#define DORIS_JOB(X, s)                                              \
    X(s, OBJ, idx, "idx", IN | OUT, doris_tablet_idx)                \
    X(s, LIST, compaction, "compaction", IN | OUT, doris_compaction, \
      .max = 64)                                                     \
    X(s, OBJ, schema_change, "schema_change", IN | OUT, doris_schema_change)
STRUCT(doris_job, DORIS_JOB);

#define DORIS_START_JOB(X, s) \
    RPC_CUID(X, s)            \
    X(s, OBJ, job, "job", IN, doris_job)
STRUCT(doris_start_job, DORIS_START_JOB);

#define DORIS_STARTED(X, s)                                              \
    X(s, LIST, version_in_compaction, "version_in_compaction", OUT, I64) \
    X(s, I64, alter_version, "alter_version", OUT, -)
STRUCT(doris_started, DORIS_STARTED);

/* finish_tablet_job; abort_tablet_job is the same without the action */
#define DORIS_FINISH_JOB(X, s)                     \
    RPC_CUID(X, s)                                 \
    X(s, ENUM, action, "action", IN, doris_action) \
    X(s, OBJ, job, "job", IN, doris_job)
STRUCT(doris_finish_job, DORIS_FINISH_JOB);
STRUCT(doris_abort_job, DORIS_START_JOB);

#define DORIS_FINISHED(X, s)                    \
    X(s, OBJ, stats, "stats", OUT, doris_stats) \
    X(s, I64, alter_version, "alter_version", OUT, -)
STRUCT(doris_finished, DORIS_FINISHED);

/* ---- records of the store, for get_value ---- */

#define DORIS_LABEL(X, s) X(s, LIST, txn_ids, "txn_ids", OUT, I64)
STRUCT(doris_label, DORIS_LABEL);

#define DORIS_TXN_INDEX(X, s) \
    X(s, OBJ, tablet_index, "tablet_index", OUT, doris_tablet_idx)
STRUCT(doris_txn_index, DORIS_TXN_INDEX);

#define DORIS_TXN_RUNNING(X, s)                  \
    X(s, LIST, table_ids, "table_ids", OUT, I64) \
    X(s, I64, timeout_time, "timeout_time", OUT, -)
STRUCT(doris_txn_running, DORIS_TXN_RUNNING);

#define DORIS_TXN_RECYCLE(X, s)                       \
    X(s, I64, creation_time, "creation_time", OUT, -) \
    X(s, STR, label, "label", OUT, -)
STRUCT(doris_txn_recycle, DORIS_TXN_RECYCLE);

#define DORIS_ROWSET_RECYCLE(X, s)                    \
    X(s, I64, creation_time, "creation_time", OUT, -) \
    X(s, STR, type, "type", OUT, -)                   \
    X(s, OBJ, rowset_meta, "rowset_meta", OUT, doris_rowset)
STRUCT(doris_rowset_recycle, DORIS_ROWSET_RECYCLE);

#endif
