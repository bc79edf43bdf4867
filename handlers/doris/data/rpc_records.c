/* The tables of the records in rpc.h, and the names of their enums. */
#include "rpc.h"

const struct enum_name doris_txn_status_names[] = {
    { "TXN_STATUS_UNKNOWN", DORIS_TXN_UNKNOWN },
    { "TXN_STATUS_PREPARED", DORIS_TXN_PREPARED },
    { "TXN_STATUS_COMMITTED", DORIS_TXN_COMMITTED },
    { "TXN_STATUS_VISIBLE", DORIS_TXN_VISIBLE },
    { "TXN_STATUS_ABORTED", DORIS_TXN_ABORTED },
    { "TXN_STATUS_PRECOMMITTED", DORIS_TXN_PRECOMMITTED },
    { NULL, 0 }
};

const struct enum_name doris_tablet_state_names[] = {
    { "PB_NOTREADY", DORIS_TABLET_NOTREADY },
    { "PB_RUNNING", DORIS_TABLET_RUNNING },
    { "PB_TOMBSTONED", 2 },
    { "PB_STOPPED", 3 },
    { "PB_SHUTDOWN", 4 },
    { NULL, 0 }
};

/* The spelling of the first is Doris's. */
const struct enum_name doris_compaction_type_names[] = {
    { "UNKOWN", DORIS_COMPACTION_UNKNOWN },
    { "BASE", DORIS_COMPACTION_BASE },
    { "CUMULATIVE", DORIS_COMPACTION_CUMULATIVE },
    { "EMPTY_CUMULATIVE", DORIS_COMPACTION_EMPTY },
    { "FULL", DORIS_COMPACTION_FULL },
    { "STOP_TOKEN", DORIS_COMPACTION_STOP },
    { NULL, 0 }
};

const struct enum_name doris_action_names[] = { { "UNKONWN",
                                                  DORIS_ACTION_UNKNOWN },
                                                { "COMMIT", DORIS_COMMIT },
                                                { "ABORT", DORIS_ABORT },
                                                { "LEASE", DORIS_LEASE },
                                                { NULL, 0 } };

const struct enum_name doris_stage_type_names[] = {
    { "INTERNAL", DORIS_STAGE_INTERNAL },
    { "EXTERNAL", DORIS_STAGE_EXTERNAL },
    { NULL, 0 }
};

const struct enum_name doris_stage_access_names[] = {
    { "UNKNOWN", DORIS_ACCESS_UNKNOWN },
    { "AKSK", DORIS_ACCESS_AKSK },
    { "IAM", DORIS_ACCESS_IAM },
    { "BUCKET_ACL", DORIS_ACCESS_BUCKET_ACL },
    { NULL, 0 }
};

const struct enum_name doris_rowset_state_names[] = {
    { "PREPARED", 0 }, { "COMMITTED", 1 }, { "VISIBLE", 2 }, { NULL, 0 }
};

const struct enum_name doris_keys_type_names[] = {
    { "DUP_KEYS", 0 }, { "UNIQUE_KEYS", 1 }, { "AGG_KEYS", 2 }, { NULL, 0 }
};

const struct enum_name doris_source_type_names[] = {
    { "UKNOWN_TXN_SOURCE_TYPE", 0 },
    { "TXN_SOURCE_TYPE_FE", 1 },
    { "TXN_SOURCE_TYPE_BE", 2 },
    { NULL, 0 }
};

const struct enum_name doris_load_source_names[] = {
    { "LOAD_JOB_SRC_TYPE_UNKNOWN", 0 },
    { "LOAD_JOB_SRC_TYPE_FRONTEND", 1 },
    { "LOAD_JOB_SRC_TYPE_BACKEND_STREAMING", 2 },
    { "LOAD_JOB_SRC_TYPE_INSERT_STREAMING", 3 },
    { "LOAD_JOB_SRC_TYPE_ROUTINE_LOAD_TASK", 4 },
    { "LOAD_JOB_SRC_TYPE_BATCH_LOAD_JOB", 5 },
    { "LOAD_JOB_SRC_TYPE_STREAMING_JOB", 6 },
    { NULL, 0 }
};

TABLE(doris_tablet_idx, DORIS_TABLET_IDX);
TABLE(doris_column, DORIS_COLUMN);
TABLE(doris_schema, DORIS_SCHEMA);
TABLE(doris_rowset, DORIS_ROWSET);
TABLE(doris_tablet, DORIS_TABLET);
TABLE(doris_stats, DORIS_STATS);
TABLE(doris_create_tablets, DORIS_CREATE_TABLETS);
TABLE(doris_vault_choice, DORIS_VAULT_CHOICE);
TABLE(doris_get_tablet, DORIS_GET_TABLET);
TABLE(doris_tablet_reply, DORIS_TABLET_REPLY);
TABLE(doris_tablet_change, DORIS_TABLET_CHANGE);
TABLE(doris_update_tablet, DORIS_UPDATE_TABLET);
TABLE(doris_get_stats, DORIS_GET_STATS);
TABLE(doris_stats_reply, DORIS_STATS_REPLY);
TABLE(doris_put_rowset, DORIS_PUT_ROWSET);
TABLE(doris_existed, DORIS_EXISTED);
TABLE(doris_get_rowset, DORIS_GET_ROWSET);
TABLE(doris_rowsets, DORIS_ROWSETS);
TABLE(doris_unique_id, DORIS_UNIQUE_ID);
TABLE(doris_coordinator, DORIS_COORDINATOR);
TABLE(doris_load_result, DORIS_LOAD_RESULT);
TABLE(doris_attachment, DORIS_ATTACHMENT);
TABLE(doris_txn, DORIS_TXN);
TABLE(doris_begin_txn, DORIS_BEGIN_TXN);
TABLE(doris_begun, DORIS_BEGUN);
TABLE(doris_precommit_txn, DORIS_PRECOMMIT_TXN);
TABLE(doris_commit_txn, DORIS_COMMIT_TXN);
TABLE(doris_table_stats, DORIS_TABLE_STATS);
TABLE(doris_committed, DORIS_COMMITTED);
TABLE(doris_abort_txn, DORIS_ABORT_TXN);
TABLE(doris_get_txn, DORIS_GET_TXN);
TABLE(doris_txn_reply, DORIS_TXN_REPLY);
TABLE(doris_txn_status_value, TXN_STATUS_VALUE);
TABLE(doris_get_txn_id, DORIS_GET_TXN_ID);
TABLE(doris_txn_id_reply, DORIS_TXN_ID_REPLY);
TABLE(doris_get_version, DORIS_GET_VERSION);
TABLE(doris_version, DORIS_VERSION);
TABLE(doris_version_reply, DORIS_VERSION_REPLY);
TABLE(doris_compaction, DORIS_COMPACTION);
TABLE(doris_schema_change, DORIS_SCHEMA_CHANGE);
TABLE(doris_job, DORIS_JOB);
TABLE(doris_start_job, DORIS_START_JOB);
TABLE(doris_started, DORIS_STARTED);
TABLE(doris_finish_job, DORIS_FINISH_JOB);
TABLE(doris_abort_job, DORIS_START_JOB);
TABLE(doris_finished, DORIS_FINISHED);
TABLE(doris_label, DORIS_LABEL);
TABLE(doris_txn_index, DORIS_TXN_INDEX);
TABLE(doris_txn_running, DORIS_TXN_RUNNING);
TABLE(doris_txn_recycle, DORIS_TXN_RECYCLE);
TABLE(doris_rowset_recycle, DORIS_ROWSET_RECYCLE);
