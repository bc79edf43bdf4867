/* The command line's words for Pegasus. */
#include "pegasus/verbs.h"

#define CALL(noun_, verb_, method_, path_, doc_)                  \
    .noun = noun_, .verb = verb_, .doc = doc_, .method = method_, \
    .listener = "pegasus-meta", .path = path_

#define TABLE NEEDED("TABLE", "app_name", "name of the table")

const struct verb pegasus_verbs[] = {
    VERB_LIST("pegasus table", "pegasus", "table",
              "APP-ID=more.app_id:right,NAME=name,STATE=state,"
              "LEVEL=level:level,PARTITIONS=more.partitions:right,"
              "REPLICAS=more.replicas:right,+SINCE=since_ms:ms,WHY=why",
              "tables"),
    { CALL("pegasus table", "show", "GET", "/meta/app",
           "one table with its partitions"),
      .args = ARGS_OF(NEEDED("TABLE", "name", "name of the table"),
                      FIXED("detail", "1")) },
    { CALL("pegasus table", "create", "POST", "/meta/app/create",
           "a new table"),
      .flags = VERB_DRY | VERB_WHOLE,
      .args = ARGS_OF(TABLE,
                      NUMBER("partitions", "partition_count", "a power of two"),
                      NUMBER("replicas", "replica_count", "of each partition")),
      .waits = "table" },
    { CALL("pegasus table", "rename", "POST", "/meta/app/rename",
           "give a table another name"),
      .flags = VERB_DRY,
      .args = ARGS_OF(NEEDED("TABLE", "old_app_name", "name of the table"),
                      NEEDED("NAME", "new_app_name", "the new one")) },
    { CALL("pegasus table", "drop", "POST", "/meta/app/drop",
           "drop a table; it can be recalled for a while"),
      .flags = VERB_DRY | VERB_ASKS, .args = ARGS_OF(TABLE) },
    { CALL("pegasus table", "recall", "POST", "/meta/app/recall",
           "take a drop back"),
      .flags = VERB_DRY,
      .args = ARGS_OF({ .name = "APP-ID",
                        .member = "app_id",
                        .kind = ARG_NUMBER,
                        .needed = true,
                        .doc = "number of the table" }) },
    { CALL("pegasus table", "replicas", "POST",
           "/meta/app/set_max_replica_count",
           "how many replicas each partition is to have"),
      .flags = VERB_DRY,
      .args = ARGS_OF(TABLE, { .name = "N",
                               .member = "max_replica_count",
                               .kind = ARG_NUMBER,
                               .needed = true,
                               .doc = "so many" }) },
    { CALL("pegasus table", "envs", "GET", "/meta/app_envs",
           "the settings of a table"),
      .args = ARGS_OF(NEEDED("TABLE", "name", "name of the table")) },

    VERB_LIST("pegasus node", "pegasus", "node",
              "NAME=name,STATE=state,LEVEL=level:level,SINCE=since_ms:ms,"
              "+MANAGED=more.managed,+UNSTABLE=more.unstable:right,WHY=why",
              "replica servers"),

    { CALL("pegasus replica", "list", "GET", "/meta/app",
           "the partitions of a table and who has them"),
      .args = ARGS_OF(NEEDED("TABLE", "name", "name of the table"),
                      FIXED("detail", "1")),
      .rows = "replicas",
      .columns = "PIDX=pidx:right,BALLOT=ballot:right,PRIMARY=primary,"
                 "SECONDARIES=secondaries",
      .name = "pidx" },
    { CALL("pegasus replica", "move", "POST", "/meta/balance",
           "move a replica of a partition from one server to another"),
      .flags = VERB_DRY,
      .args = ARGS_OF(NEEDED("GPID", "gpid", "table and partition: 2.0"),
                      NEEDED("TYPE", "type", "move_pri, copy_pri or copy_sec"),
                      NEEDED("FROM", "from", "host:port"),
                      NEEDED("TO", "to", "host:port")) },

    { CALL("pegasus cluster", "show", "GET", "/meta/cluster",
           "the cluster as its leader tells it") },
    { CALL("pegasus cluster", "level", "POST", "/meta/cluster/level",
           "what the leader may do by itself"),
      .flags = VERB_DRY,
      .args =
          ARGS_OF(NEEDED("LEVEL", "level", "freezed, steady, lively ...")) },
    { .noun = NULL },
};
