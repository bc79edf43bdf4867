/* sink_config as v1 of the interface has it (v2 writes its names with _), and
 * all that is stored of what a client says of a changefeed beside its sink's
 * URI: one document, in the column `config`. Names are TiCDC's. */
#ifndef TICDC_SINK_CONFIG_H
#define TICDC_SINK_CONFIG_H

#include "record.h"

#define TICDC_DISPATCHER(X, s)                                   \
    X(s, LIST, matcher, "matcher", IN | OUT, STR, .max = 1000)   \
    X(s, STR, dispatcher, "dispatcher", IN | OUT, -, .max = 256) \
    X(s, STR, partition, "partition", IN | OUT, -, .max = 256)   \
    X(s, STR, topic, "topic", IN | OUT, -, .max = 512)           \
    X(s, STR, index, "index", IN | OUT, -, .max = 256)           \
    X(s, LIST, columns, "columns", IN | OUT, STR, .max = 4096)
STRUCT(ticdc_dispatcher, TICDC_DISPATCHER);

#define TICDC_COLUMN_SELECTOR(X, s)                            \
    X(s, LIST, matcher, "matcher", IN | OUT, STR, .max = 1000) \
    X(s, LIST, columns, "columns", IN | OUT, STR, .max = 4096)
STRUCT(ticdc_column_selector, TICDC_COLUMN_SELECTOR);

#define TICDC_CSV(X, s)                                                 \
    X(s, STR, delimiter, "delimiter", IN | OUT, -, .max = 16)           \
    X(s, STR, quote, "quote", IN | OUT, -, .max = 16)                   \
    X(s, STR, null, "null", IN | OUT, -, .max = 64)                     \
    X(s, BOOL, include_commit_ts, "include-commit-ts", IN | OUT, -,     \
      .also = "include_commit_ts")                                      \
    X(s, STR, binary_encoding, "binary-encoding-method", IN | OUT, -,   \
      .max = 16, .also = "binary_encoding_method")                      \
    X(s, BOOL, output_old_value, "output-old-value", IN | OUT, -,       \
      .also = "output_old_value")                                       \
    X(s, BOOL, output_handle_key, "output-handle-key", IN | OUT, -,     \
      .also = "output_handle_key")                                      \
    X(s, BOOL, output_field_header, "output-field-header", IN | OUT, -, \
      .also = "output_field_header")
STRUCT(ticdc_csv, TICDC_CSV);

#define TICDC_LARGE_MESSAGE(X, s)                                            \
    X(s, STR, option, "large-message-handle-option", IN | OUT, -, .max = 32, \
      .also = "large_message_handle_option")                                 \
    X(s, STR, compression, "large-message-handle-compression", IN | OUT, -,  \
      .max = 32, .also = "large_message_handle_compression")                 \
    X(s, STR, storage_uri, "claim-check-storage-uri", IN | OUT | SECRET, -,  \
      .max = 8192, .also = "claim_check_storage_uri")
STRUCT(ticdc_large_message, TICDC_LARGE_MESSAGE);

#define TICDC_KAFKA_CONFIG(X, s)                                            \
    X(s, I32, partition_num, "partition-num", IN | OUT, -,                  \
      .also = "partition_num")                                              \
    X(s, I32, replication_factor, "replication-factor", IN | OUT, -,        \
      .also = "replication_factor")                                         \
    X(s, STR, kafka_version, "kafka-version", IN | OUT, -, .max = 32,       \
      .also = "kafka_version")                                              \
    X(s, I64, max_message_bytes, "max-message-bytes", IN | OUT, -,          \
      .also = "max_message_bytes")                                          \
    X(s, STR, compression, "compression", IN | OUT, -, .max = 32)           \
    X(s, STR, client_id, "kafka-client-id", IN | OUT, -, .max = 256,        \
      .also = "kafka_client_id")                                            \
    X(s, BOOL, auto_create_topic, "auto-create-topic", IN | OUT, -,         \
      .also = "auto_create_topic")                                          \
    X(s, STR, dial_timeout, "dial-timeout", IN | OUT, -, .max = 32,         \
      .also = "dial_timeout")                                               \
    X(s, STR, write_timeout, "write-timeout", IN | OUT, -, .max = 32,       \
      .also = "write_timeout")                                              \
    X(s, STR, read_timeout, "read-timeout", IN | OUT, -, .max = 32,         \
      .also = "read_timeout")                                               \
    X(s, I32, required_acks, "required-acks", IN | OUT, -,                  \
      .also = "required_acks")                                              \
    X(s, STR, sasl_user, "sasl-user", IN | OUT, -, .max = 512,              \
      .also = "sasl_user")                                                  \
    X(s, STR, sasl_password, "sasl-password", IN | OUT | SECRET, -,         \
      .max = 4096, .also = "sasl_password")                                 \
    X(s, STR, sasl_mechanism, "sasl-mechanism", IN | OUT, -, .max = 32,     \
      .also = "sasl_mechanism")                                             \
    X(s, BOOL, enable_tls, "enable-tls", IN | OUT, -, .also = "enable_tls") \
    X(s, BOOL, skip_verify, "insecure-skip-verify", IN | OUT, -,            \
      .also = "insecure_skip_verify")                                       \
    X(s, OBJ, large_message, "large-message-handle", IN | OUT,              \
      ticdc_large_message, .also = "large_message_handle")
STRUCT(ticdc_kafka_config, TICDC_KAFKA_CONFIG);

#define TICDC_MYSQL_CONFIG(X, s)                                              \
    X(s, I32, worker_count, "worker-count", IN | OUT, -,                      \
      .also = "worker_count")                                                 \
    X(s, I32, max_txn_row, "max-txn-row", IN | OUT, -, .also = "max_txn_row") \
    X(s, I32, max_multi_update_row, "max-multi-update-row", IN | OUT, -,      \
      .also = "max_multi_update_row")                                         \
    X(s, I32, max_multi_update_row_size, "max-multi-update-row-size",         \
      IN | OUT, -, .also = "max_multi_update_row_size")                       \
    X(s, STR, txn_mode, "tidb-txn-mode", IN | OUT, -, .max = 32,              \
      .also = "tidb_txn_mode")                                                \
    X(s, STR, time_zone, "time-zone", IN | OUT, -, .max = 64,                 \
      .also = "time_zone")                                                    \
    X(s, STR, write_timeout, "write-timeout", IN | OUT, -, .max = 32,         \
      .also = "write_timeout")                                                \
    X(s, STR, read_timeout, "read-timeout", IN | OUT, -, .max = 32,           \
      .also = "read_timeout")                                                 \
    X(s, STR, timeout, "timeout", IN | OUT, -, .max = 32)                     \
    X(s, BOOL, batch_dml, "enable-batch-dml", IN | OUT, -,                    \
      .also = "enable_batch_dml")                                             \
    X(s, BOOL, multi_stmt, "enable-multi-statement", IN | OUT, -,             \
      .also = "enable_multi_statement")                                       \
    X(s, BOOL, cache_prep_stmts, "enable-cache-prepared-statement", IN | OUT, \
      -, .also = "enable_cache_prepared_statement")
STRUCT(ticdc_mysql_config, TICDC_MYSQL_CONFIG);

#define TICDC_STORAGE_CONFIG(X, s)                                      \
    X(s, I32, worker_count, "worker-count", IN | OUT, -,                \
      .also = "worker_count")                                           \
    X(s, STR, flush_interval, "flush-interval", IN | OUT, -, .max = 32, \
      .also = "flush_interval")                                         \
    X(s, I64, file_size, "file-size", IN | OUT, -, .also = "file_size")
STRUCT(ticdc_storage_config, TICDC_STORAGE_CONFIG);

#define TICDC_SINK_CONFIG(X, s)                                                \
    X(s, LIST, dispatchers, "dispatchers", IN | OUT, ticdc_dispatcher,         \
      .max = 1000)                                                             \
    X(s, STR, protocol, "protocol", IN | OUT, -, .max = 64)                    \
    X(s, STR, atomicity, "transaction-atomicity", IN | OUT, -, .max = 64,      \
      .also = "transaction_atomicity")                                         \
    X(s, LIST, column_selectors, "column-selectors", IN | OUT,                 \
      ticdc_column_selector, .max = 1000, .also = "column_selectors")          \
    X(s, STR, schema_registry, "schema-registry", IN | OUT | SECRET, -,        \
      .max = 4096, .also = "schema_registry")                                  \
    X(s, STR, terminator, "terminator", IN | OUT, -, .max = 16)                \
    X(s, STR, date_separator, "date-separator", IN | OUT, -, .max = 16,        \
      .also = "date_separator")                                                \
    X(s, BOOL, partition_separator, "enable-partition-separator", IN | OUT, -, \
      .also = "enable_partition_separator")                                    \
    X(s, I32, file_index_digit, "file-index-digit", IN | OUT, -,               \
      .also = "file_index_digit")                                              \
    X(s, BOOL, only_updated_columns, "only-output-updated-columns", IN | OUT,  \
      -, .also = "only_output_updated_columns")                                \
    X(s, BOOL, delete_only_handle_key,                                         \
      "delete-only-output-handle-key-columns", IN | OUT, -,                    \
      .also = "delete_only_output_handle_key_columns")                         \
    X(s, BOOL, content_compatible, "content-compatible", IN | OUT, -,          \
      .also = "content_compatible")                                            \
    X(s, BOOL, safe_mode, "safe-mode", IN | OUT, -, .also = "safe_mode")       \
    X(s, OBJ, csv, "csv", IN | OUT, ticdc_csv)                                 \
    X(s, OBJ, kafka, "kafka-config", IN | OUT, ticdc_kafka_config,             \
      .also = "kafka_config")                                                  \
    X(s, OBJ, mysql, "mysql-config", IN | OUT, ticdc_mysql_config,             \
      .also = "mysql_config")                                                  \
    X(s, OBJ, storage, "cloud-storage-config", IN | OUT, ticdc_storage_config, \
      .also = "cloud_storage_config")
STRUCT(ticdc_sink_config, TICDC_SINK_CONFIG);

/* The document of the column `config`: what was said; absent is the default.
 * The order of `lists` differs in nothing. */
#define TICDC_CONFIG(X, s)                                                   \
    X(s, BOOL, case_sensitive, "case_sensitive", IN | OUT, -)                \
    X(s, BOOL, force_replicate, "force_replicate", IN | OUT, -)              \
    X(s, BOOL, ignore_ineligible_table, "ignore_ineligible_table", IN | OUT, \
      -)                                                                     \
    X(s, BOOL, initial_snapshot, "initial_snapshot", IN | OUT, -)            \
    X(s, LIST, filter_rules, "filter_rules", IN | OUT, STR, .max = 1000)     \
    X(s, LIST, ignore_txn_start_ts, "ignore_txn_start_ts", IN | OUT, U64,    \
      .max = 10000)                                                          \
    X(s, I32, mounter_worker_num, "mounter_worker_num", IN | OUT, -)         \
    X(s, STR, timezone, "timezone", IN | OUT, -, .max = 64)                  \
    X(s, U64, memory_quota, "memory_quota", IN | OUT, -)                     \
    X(s, OBJ, sink_config, "sink_config", IN | OUT, ticdc_sink_config)
STRUCT(ticdc_config, TICDC_CONFIG);

/* The document as a struct, in the arena; "" is all defaults. STATE when it is
 * none of ours; NOMEM. */
enum err ticdc_config_read(struct arena *a, const char *json,
                           struct ticdc_config *out) MUST_USE;
/* And back, with its secrets: to be sealed. LIMIT, NOMEM. */
enum err ticdc_config_write(struct arena *a, const struct ticdc_config *c,
                            const char **json) MUST_USE;

#define TICDC_CONFIG_BYTES_MAX (4u << 20)

#endif
