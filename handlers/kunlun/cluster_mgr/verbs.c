/* The command line's words for clusters and machines of KunlunBase: jobs of the
 * cluster manager, each under a number of its own. */
#include "verbs.h"

#define CALL(noun_, verb_, doc_)                                 \
    .noun = noun_, .verb = verb_, .doc = doc_, .method = "POST", \
    .listener = "cluster_mgr", .path = "/"

#define SAYS(job_type) FIXED("job_type", job_type)
#define CLUSTER        NEEDED("CLUSTER", "cluster_name", "name of the cluster")

/* A job: accepted, and done in the background. */
#define WORK(noun_, verb_, job_type, flags_, doc_, ...)                   \
    {                                                                     \
        CALL(noun_, verb_, doc_),                                         \
            .flags = VERB_DRY | VERB_JOB | (flags_),                      \
            .args = ARGS_OF(__VA_ARGS__, SAYS(job_type), FRESH("job_id")) \
    }

#define THINGS                                                        \
    "NAME=name,STATE=state,LEVEL=level:level,ADDRESS=address,+ID=id," \
    "+SINCE=since_ms:ms,WHY=why"

#define SHARD NEEDED("SHARD", "shard_name", "name of the shard")
#define MORE  WHOLE("the rest of the request: machinelist ...")

const struct verb kunlun_verbs[] = {
    VERB_LIST("cluster", "cluster_mgr", "cluster", THINGS, "clusters"),
    VERB_LIST("shard", "cluster_mgr", "shard", THINGS, "shards of clusters"),
    VERB_LIST("node", "cluster_mgr", "node", THINGS, "storage nodes"),
    VERB_LIST("computer", "cluster_mgr", "computer", THINGS, "computing nodes"),
    VERB_LIST("instance", "cluster_mgr", "instance", THINGS,
              "database servers as their keepers have them"),
    { CALL("cluster", "show", "one cluster: shards, servers, primaries"),
      .args = ARGS_OF(CLUSTER, SAYS("get_cluster_detail")) },
    WORK("cluster", "create", "create_cluster", 0, "a new cluster",
         ONE_OF("ha-mode", "ha_mode", "mgr, rbr, no_rep"),
         OPTION("shards", "shards", "how many"),
         OPTION("nodes", "nodes", "of each shard"),
         OPTION("comps", "comps", "how many computing nodes"),
         OPTION("max-storage-size", "max_storage_size", "GB"),
         OPTION("max-connections", "max_connections", "of a server"),
         OPTION("cpu-cores", "cpu_cores", "of a server"),
         OPTION("innodb-size", "innodb_size", "GB of its buffer pool"), MORE),
    { CALL("cluster", "rename", "give a cluster another nick name"),
      .flags = VERB_DRY,
      .args = ARGS_OF(CLUSTER, NEEDED("NAME", "nick_name", "the new one"),
                      SAYS("rename_cluster")) },
    { CALL("cluster", "pause", "hold failovers of a cluster back"),
      .flags = VERB_DRY,
      .args = ARGS_OF(CLUSTER, NEEDED("SECONDS", "seconds", "for how long"),
                      OPTION("reason", "reason", "why, for others"),
                      SAYS("pause_failover")) },
    { CALL("cluster", "resume", "end a pause before its time"),
      .flags = VERB_DRY, .args = ARGS_OF(CLUSTER, SAYS("resume_failover")) },
    WORK("cluster", "add-shards", "add_shards", 0, "further shards", CLUSTER,
         NEEDED("N", "shards", "how many"), MORE),
    WORK("cluster", "delete-shard", "delete_shard", VERB_ASKS,
         "a shard less, with all that is in it", CLUSTER, SHARD),
    WORK("cluster", "add-comps", "add_comps", 0, "further computing nodes",
         CLUSTER, NEEDED("N", "comps", "how many"), MORE),
    WORK("cluster", "delete-comp", "delete_comp", VERB_ASKS,
         "a computing node less", CLUSTER,
         NEEDED("COMP", "comp_name", "name of the computing node")),
    WORK("cluster", "add-nodes", "add_nodes", 0, "further nodes of a shard",
         CLUSTER, SHARD, NEEDED("N", "nodes", "how many"), MORE),
    WORK("cluster", "delete-node", "delete_node", VERB_ASKS,
         "a node of a shard less", CLUSTER, SHARD,
         NEEDED("IP", "ip", "its address"), NEEDED("PORT", "port", "its port")),
    WORK("cluster", "backup", "backup_cluster", 0, "a backup of a cluster",
         NEEDED("CLUSTER", "backup_cluster_name", "name of the cluster"), MORE),
    WORK("cluster", "delete", "delete_cluster", VERB_ASKS,
         "a cluster less, with all that is in it", CLUSTER),

    VERB_LIST("machine", "cluster_mgr", "machine",
              "NAME=name,STATE=state,LEVEL=level:level,"
              "MEMORY-MB=more.memory_mb:right,CORES=more.cores:right,"
              "RACK=more.rack,+ID=id,WHY=why",
              "machines that have a node manager"),
    WORK("machine", "create", "create_machine", 0, "a machine that may be used",
         NEEDED("ADDRESS", "hostaddr", "of its node manager"),
         OPTION("rack-id", "rack_id", "where it stands"),
         OPTION("datadir", "datadir", "roots of data, ; between them"),
         OPTION("logdir", "logdir", "roots of logs"),
         OPTION("wal-log-dir", "wal_log_dir", "roots of write-ahead logs"),
         OPTION("comp-datadir", "comp_datadir", "roots of computing nodes"),
         OPTION("total-mem", "total_mem", "MB"),
         OPTION("total-cpu-cores", "total_cpu_cores", "cores"), MORE),
    WORK("machine", "delete", "delete_machine", VERB_ASKS,
         "a machine that is not used any more",
         NEEDED("ADDRESS", "hostaddr", "of its node manager")),
    { .noun = NULL },
};
