/* What a job says of its failure where that has to be the same text in two
 * places: in two of its steps, or in a step and in codes.c, which has D3's code
 * for what begins so. Clients compare them: they stand as they are. */
#ifndef CLUSTER_SENTENCES_H
#define CLUSTER_SENTENCES_H

/* a member is missing or none; out of its range (what goes on) */
#define SAYS_GET(key)   "get " key " error"
#define SAYS_RANGE(key) key " error"
#define SAYS_HA_MODE    "it is not support" /* and which one */
#define SAYS_NODES      "error, nodes"      /* and how many may be */

#define SAYS_MACHINE_IS_THERE   "error, machine_hostaddr is exist"
#define SAYS_NO_MACHINE         "error, machine_hostaddr is no exist"
#define SAYS_MACHINE_IN_USE     "error, machine has instances"
#define SAYS_NO_CLUSTER         "error, cluster_name is no exist"
#define SAYS_NO_BACKUP_CLUSTER  "error, backup_cluster_name is no exist"
#define SAYS_NO_SHARD           "error, shard_name is no exist"
#define SAYS_NO_NODE            "error, node is no exist"
#define SAYS_LAST_SHARD         "error, shard <= 1"
#define SAYS_PRIMARY            "error, node is the primary" /* and what to do */
#define SAYS_NICK_NAME_IS_THERE "nick_name have existed"
#define SAYS_RESTART            "roll back by restart"

#endif
