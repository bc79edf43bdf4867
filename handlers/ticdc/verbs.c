/* The command line's words for changefeeds and captures. */
#include "ticdc/verbs.h"

#define CALL(noun_, verb_, method_, path_, doc_)                  \
    .noun = noun_, .verb = verb_, .doc = doc_, .method = method_, \
    .listener = "ticdc", .path = path_

#define FEED NEEDED("ID", "changefeed_id", "of the changefeed")
#define AT   "/api/v2/changefeeds/{changefeed_id}"

const struct verb ticdc_verbs[] = {
    VERB_LIST("changefeed", "ticdc", "changefeed",
              "NAME=name,STATE=state,LEVEL=level:level,LAG=more.lag_ms:span,"
              "TABLES=more.tables:right,CHECKPOINT=more.checkpoint_ms:ms,"
              "+ID=id,WHY=why",
              "changefeeds and how far they are behind"),
    { CALL("changefeed", "show", "GET", AT,
           "one changefeed with all its settings, secrets masked"),
      .args = ARGS_OF(FEED) },
    { CALL("changefeed", "create", "POST", "/api/v2/changefeeds",
           "a new changefeed"),
      .flags = VERB_DRY,
      .args = ARGS_OF(FEED,
                      NEEDED("SINK", "sink_uri",
                             "blackhole://, mysql://, kafka://, file://"),
                      { .name = "start-ts",
                        .member = "start_ts",
                        .kind = ARG_NUMBER,
                        .doc = "a TSO; now when absent" },
                      { .name = "config",
                        .member = "replica_config",
                        .kind = ARG_JSON,
                        .doc = "filter, sink ...: JSON, @FILE, -" }) },
    { CALL("changefeed", "pause", "POST", AT "/pause",
           "stop a changefeed where it is"),
      .flags = VERB_DRY, .args = ARGS_OF(FEED) },
    { CALL("changefeed", "resume", "POST", AT "/resume",
           "go on from the checkpoint"),
      .flags = VERB_DRY, .args = ARGS_OF(FEED) },
    { CALL("changefeed", "remove", "DELETE", AT, "remove a changefeed"),
      .flags = VERB_DRY | VERB_ASKS, .args = ARGS_OF(FEED) },
    VERB_LIST("capture", "ticdc", "capture",
              "NAME=name,ADDRESS=address,STATE=state,LEVEL=level:level,"
              "OWNER=more.owner,SINCE=since_ms:ms,+ID=id,WHY=why",
              "captures"),
    { CALL("capture", "drain", "PUT", "/api/v1/captures/drain",
           "take a capture's tables away; again until none is left"),
      .flags = VERB_DRY | VERB_ASKS,
      .args = ARGS_OF(NEEDED("CAPTURE", "capture_id", "id of the capture")) },
    { .noun = NULL },
};
