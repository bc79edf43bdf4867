/* The command line's words for the Meta Service. */
#include "doris/verbs.h"

#define THINGS                                                         \
    "ID=key,NAME=name,STATE=state,LEVEL=level:level,+ADDRESS=address," \
    "+THING=id,+SINCE=since_ms:ms,WHY=why"

#define CALL(noun_, verb_, method_, operation, doc_)              \
    .noun = noun_, .verb = verb_, .doc = doc_, .method = method_, \
    .listener = "doris", .path = "/MetaService/http/" operation

#define INSTANCE NEEDED("INSTANCE", "instance_id", "id of the instance")
#define CLUSTER  NEEDED("CLUSTER", "cluster.cluster_id", "id of the cluster")
/* Some are told the instance by the id of a node of it: any will do. */
#define INSTANCE_OF                                                      \
    {                                                                    \
        .name = "INSTANCE", .member = "cloud_unique_id", .needed = true, \
        .doc = "id of the instance", .before = "1:", .after = ":cli"     \
    }

/* Nodes of a cluster: {"ip", "heartbeat_port", "cloud_unique_id"} each. */
#define NODES(verb_, operation, flags_, doc_)                               \
    {                                                                       \
        CALL("doris node", verb_, "PUT", operation, doc_),                  \
            .flags = VERB_DRY | (flags_),                                   \
            .args = ARGS_OF(INSTANCE, CLUSTER,                              \
                            NEEDED_JSON("NODES", "cluster.nodes",           \
                                        "a JSON list of nodes; @FILE, -"),  \
                            ONE_OF("type", "cluster.type", "COMPUTE, SQL")) \
    }

#define VAULT NEEDED("VAULT", "vault.name", "name of the vault")

const struct verb doris_verbs[] = {
    VERB_LIST_KEYS("doris instance", "doris", "instance", THINGS, "instances"),
    { CALL("doris instance", "show", "GET", "get_instance",
           "one instance with its clusters"),
      .args = ARGS_OF(INSTANCE), .one = "result" },
    { CALL("doris instance", "create", "PUT", "create_instance",
           "a new instance; --data has its object store or vault"),
      .flags = VERB_DRY,
      .args = ARGS_OF(INSTANCE, OPTION("name", "name", "for people"),
                      OPTION("user-id", "user_id", "whose it is"),
                      WHOLE("the rest of the request: obj_info or vault")) },
    { CALL("doris instance", "rename", "PUT", "rename_instance",
           "give an instance another name"),
      .flags = VERB_DRY,
      .args = ARGS_OF(INSTANCE, NEEDED("NAME", "name", "the new one")) },
    { CALL("doris instance", "set", "PUT", "set_instance_status",
           "normal or overdue"),
      .flags = VERB_DRY,
      .args =
          ARGS_OF(INSTANCE, NEEDED("OP", "op", "SET_NORMAL or SET_OVERDUE")) },
    { CALL("doris instance", "drop", "PUT", "drop_instance",
           "drop an instance; the recycler removes it later"),
      .flags = VERB_DRY | VERB_ASKS, .args = ARGS_OF(INSTANCE) },

    VERB_LIST_KEYS("doris cluster", "doris", "cluster", THINGS, "clusters"),
    { CALL("doris cluster", "show", "POST", "get_cluster",
           "one cluster with its nodes"),
      .args = ARGS_OF(INSTANCE_OF,
                      NEEDED("CLUSTER", "cluster_id", "id of the cluster")),
      .one = "result" },
    { CALL("doris cluster", "add", "PUT", "add_cluster", "a new cluster"),
      .flags = VERB_DRY,
      .args = ARGS_OF(INSTANCE, CLUSTER,
                      NEEDED("NAME", "cluster.cluster_name", "its name"),
                      ONE_OF("type", "cluster.type", "COMPUTE, SQL, VIRTUAL"),
                      { .name = "nodes",
                        .member = "cluster.nodes",
                        .kind = ARG_JSON,
                        .doc = "a JSON list of nodes; @FILE, -" }) },
    { CALL("doris cluster", "rename", "PUT", "rename_cluster",
           "give a cluster another name"),
      .flags = VERB_DRY,
      .args = ARGS_OF(INSTANCE, CLUSTER,
                      NEEDED("NAME", "cluster.cluster_name", "the new one")) },
    { CALL("doris cluster", "set", "PUT", "set_cluster_status",
           "suspend a cluster, or have it resumed"),
      .flags = VERB_DRY,
      .args = ARGS_OF(INSTANCE, CLUSTER,
                      NEEDED("STATUS", "cluster.cluster_status",
                             "NORMAL, SUSPENDED, TO_RESUME, "
                             "MANUAL_SHUTDOWN")) },
    { CALL("doris cluster", "drop", "PUT", "drop_cluster", "drop a cluster"),
      .flags = VERB_DRY | VERB_ASKS, .args = ARGS_OF(INSTANCE, CLUSTER) },

    VERB_LIST("doris node", "doris", "node", THINGS, "nodes of all clusters"),
    NODES("add", "add_node", 0, "nodes of a cluster"),
    NODES("drop", "drop_node", VERB_ASKS, "take nodes out of a cluster"),
    NODES("decommission", "decommission_node", VERB_ASKS,
          "have nodes emptied before they go"),

    VERB_LIST("doris vault", "doris", "vault", THINGS, "storage vaults"),
    { CALL("doris vault", "add-s3", "PUT", "add_s3_vault",
           "a vault in an object store"),
      .flags = VERB_DRY,
      .args = ARGS_OF(INSTANCE_OF, VAULT,
                      NEEDED_JSON("OBJ_INFO", "vault.obj_info",
                                  "bucket, endpoint, ak, sk ...: @FILE, -")) },
    { CALL("doris vault", "add-hdfs", "PUT", "add_hdfs_vault",
           "a vault in HDFS"),
      .flags = VERB_DRY,
      .args = ARGS_OF(INSTANCE_OF, VAULT,
                      NEEDED_JSON("HDFS_INFO", "vault.hdfs_info",
                                  "prefix, build_conf ...: @FILE, -")) },
    { CALL("doris vault", "drop-hdfs", "PUT", "drop_hdfs_vault",
           "forget a vault in HDFS"),
      .flags = VERB_DRY | VERB_ASKS, .args = ARGS_OF(INSTANCE_OF, VAULT) },
    { .noun = NULL },
};
