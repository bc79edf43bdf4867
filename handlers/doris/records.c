/* The tables of the records in doris.h, and the names of their enums. */
#include "doris.h"

const struct enum_name doris_instance_status_names[] = {
    { "NORMAL", DORIS_NORMAL },
    { "DELETED", DORIS_DELETED },
    { "OVERDUE", DORIS_OVERDUE },
    { NULL, 0 },
};

const struct enum_name doris_cluster_type_names[] = {
    { "SQL", DORIS_SQL },
    { "COMPUTE", DORIS_COMPUTE },
    { "VIRTUAL", DORIS_VIRTUAL },
    { NULL, 0 },
};

/* STOPPED is the old documentation's word for SUSPENDED. */
const struct enum_name doris_cluster_status_names[] = {
    { "UNKNOWN", DORIS_STATUS_UNKNOWN },
    { "NORMAL", DORIS_STATUS_NORMAL },
    { "SUSPENDED", DORIS_STATUS_SUSPENDED },
    { "STOPPED", DORIS_STATUS_SUSPENDED },
    { "TO_RESUME", DORIS_STATUS_TO_RESUME },
    { "MANUAL_SHUTDOWN", DORIS_STATUS_MANUAL_SHUTDOWN },
    { NULL, 0 },
};

const struct enum_name doris_node_status_names[] = {
    { "NODE_STATUS_UNKNOWN", DORIS_NODE_UNKNOWN },
    { "NODE_STATUS_RUNNING", DORIS_NODE_RUNNING },
    { "NODE_STATUS_SHUTDOWN", DORIS_NODE_SHUTDOWN },
    { "NODE_STATUS_DECOMMISSIONING", DORIS_NODE_DECOMMISSIONING },
    { "NODE_STATUS_DECOMMISSIONED", DORIS_NODE_DECOMMISSIONED },
    { NULL, 0 },
};

const struct enum_name doris_node_type_names[] = {
    { "UNKNOWN", DORIS_NODE_TYPE_UNKNOWN },
    { "FE_MASTER", DORIS_FE_MASTER },
    { "FE_OBSERVER", DORIS_FE_OBSERVER },
    { "FE_FOLLOWER", DORIS_FE_FOLLOWER },
    { NULL, 0 },
};

/* The spelling of the first is Doris's. */
const struct enum_name doris_provider_names[] = {
    { "UNKONWN", DORIS_PROVIDER_UNKNOWN },
    { "OSS", DORIS_OSS },
    { "S3", DORIS_S3 },
    { "COS", 2 },
    { "OBS", 3 },
    { "BOS", 4 },
    { "GCP", 5 },
    { "AZURE", 6 },
    { "TOS", 7 },
    { NULL, 0 },
};

const struct enum_name doris_cred_names[] = {
    { "DEFAULT", DORIS_CRED_DEFAULT },
    { "SIMPLE", DORIS_CRED_SIMPLE },
    { "INSTANCE_PROFILE", DORIS_CRED_INSTANCE_PROFILE },
    { NULL, 0 },
};

const struct enum_name doris_policy_type_names[] = {
    { "ActiveStandby", DORIS_ACTIVE_STANDBY },
    { NULL, 0 },
};

/* The names that set_instance_status takes; Doris would run any operation
 * that is named here, ours only these. */
const struct enum_name doris_status_op_names[] = {
    { "SET_NORMAL", DORIS_SET_NORMAL },
    { "SET_OVERDUE", DORIS_SET_OVERDUE },
    { NULL, 0 },
};

TABLE(doris_node, DORIS_NODE);
TABLE(doris_policy, DORIS_POLICY);
TABLE(doris_cluster, DORIS_CLUSTER);
TABLE(doris_obj, DORIS_OBJ);
TABLE(doris_hdfs_conf, DORIS_HDFS_CONF);
TABLE(doris_hdfs_build, DORIS_HDFS_BUILD);
TABLE(doris_hdfs, DORIS_HDFS);
TABLE(doris_vault, DORIS_VAULT);
TABLE(doris_stage, DORIS_STAGE);
TABLE(doris_stage_recycle, DORIS_STAGE_RECYCLE);
TABLE(doris_create_stage, DORIS_CREATE_STAGE);
TABLE(doris_stage_ref, DORIS_STAGE_REF);
TABLE(doris_stage_list, DORIS_STAGE_LIST);
TABLE(doris_recycle_instances, DORIS_RECYCLE_INSTANCES);
TABLE(doris_recycle_ref, DORIS_RECYCLE_REF);
TABLE(doris_key_fields, DORIS_KEY_FIELDS);
TABLE(doris_get_value, DORIS_GET_VALUE);
TABLE(doris_value, DORIS_VALUE);
TABLE(doris_adjust_rate, DORIS_ADJUST_RATE);
TABLE(doris_rate, DORIS_RATE);
TABLE(doris_rates, DORIS_RATES);
TABLE(doris_service, DORIS_SERVICE);
TABLE(doris_services, DORIS_SERVICES);
TABLE(doris_user, DORIS_USER);
TABLE(doris_doc, DORIS_DOC);
TABLE(doris_found_doc, DORIS_FOUND_DOC);
TABLE(doris_instance, DORIS_INSTANCE);
TABLE(doris_create_instance, DORIS_CREATE_INSTANCE);
TABLE(doris_instance_id, DORIS_INSTANCE_ID);
TABLE(doris_get_instance, DORIS_GET_INSTANCE);
TABLE(doris_rename_instance, DORIS_RENAME_INSTANCE);
TABLE(doris_set_instance_status, DORIS_SET_INSTANCE_STATUS);
TABLE(doris_list_instances, DORIS_LIST_INSTANCES);
TABLE(doris_instance_line, DORIS_INSTANCE_LINE);
TABLE(doris_instance_page, DORIS_INSTANCE_PAGE);
TABLE(doris_show_config, DORIS_SHOW_CONFIG);
TABLE(doris_config_rows, DORIS_CONFIG_ROWS);
TABLE(doris_update_config, DORIS_UPDATE_CONFIG);
TABLE(doris_config_values, DORIS_CONFIG_VALUES);
TABLE(doris_get_obj, DORIS_GET_OBJ);
TABLE(doris_obj_stores, DORIS_OBJ_STORES);
TABLE(doris_update_ak_sk, DORIS_UPDATE_AK_SK);
TABLE(doris_alter_ram_user, DORIS_ALTER_RAM_USER);
TABLE(doris_legacy_obj, DORIS_ALTER_OBJ);
TABLE(doris_alter_obj, DORIS_ALTER_OBJ);
TABLE(doris_add_obj, DORIS_ALTER_OBJ);
TABLE(doris_alter_vault, DORIS_ALTER_VAULT);
TABLE(doris_alter_cluster, DORIS_ALTER_CLUSTER);
TABLE(doris_get_cluster, DORIS_GET_CLUSTER);
TABLE(doris_cluster_list, DORIS_CLUSTER_LIST);
TABLE(doris_get_cluster_status, DORIS_GET_CLUSTER_STATUS);
TABLE(doris_status_line, DORIS_STATUS_LINE);
TABLE(doris_status_detail, DORIS_STATUS_DETAIL);
TABLE(doris_status_report, DORIS_STATUS_REPORT);
TABLE(doris_decode_key, DORIS_DECODE_KEY);
TABLE(doris_encode_key, DORIS_ENCODE_KEY);
