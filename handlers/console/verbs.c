/* The command line's words for what the console serves. */
#include "verbs.h"

#define THINGS                                                           \
    "NAME=name,KIND=kind,DIALECT=dialect,STATE=state,LEVEL=level:level," \
    "ADDRESS=address,+ID=id,+SINCE=since_ms:ms,WHY=why"

#define JOBS                                                                  \
    "ID=id:right,KIND=kind,STATE=state:level,STEP=step:right,OF=steps:right," \
    "DOING=doing,AGE=created_ms:age,PROGRESS=progress,+MACHINE=machine,"      \
    "+WAITS-FOR=waits_for:right,+OWNER=owner,+TOKEN=token,"                   \
    "+CREATED=created_ms:ms,+FINISHED=finished_ms:ms,WHY=error"

#define AUDIT                                               \
    "ID=id:right,TIME=at_ms:ms,NAME=name,DIALECT=dialect,"  \
    "OPERATION=operation,TARGET=target,+LISTENER=listener," \
    "+REQUEST-ID=request_id"

#define AUDIT_FILTERS                                                    \
    NUMBER("since", "since", "from then on, Unix ms"),                   \
        NUMBER("until", "until", "before then, Unix ms"),                \
        OPTION("name", "name", "of a token"),                            \
        OPTION("dialect", "dialect", "doris, pegasus, cluster_mgr ..."), \
        OPTION("target", "target", "what targets begin with"),           \
        OPTION("operation", "operation", "create_instance ..."),         \
        OPTION("request-id", "request_id", "of one request")

#define FAILOVERS                                                            \
    "ID=id,SHARD=name,KIND=state,LEVEL=level:level,DECIDED=since_ms:ms,"     \
    "WAS=more.was,IS=more.is,+CHOSEN=more.chosen,+UNDECIDED=more.undecided," \
    "WHY=why"

#define LEVEL ONE_OF("level", "level", "ok, warn, bad")

#define SECONDS NUMBER("seconds", "seconds", "how long; 30")
#define FORMAT  OPTION("format", "format", "collapsed: folded stacks")
#define WORKER  NEEDED("N", "process", "number of the worker: 0")
#define ROLE    NEEDED("ROLE", "process", "control-m1, capture-c1 ...")

#define GET_OF(noun_, verb_, path_, doc_)                       \
    .noun = noun_, .verb = verb_, .doc = doc_, .method = "GET", \
    .listener = "console", .path = path_

const struct verb console_verbs[] = {
    { GET_OF("whoami", "show", "/api/whoami",
             "who the token is, and which metagate answers") },
    { GET_OF("overview", "show", "/api/overview",
             "what is not well, the worst first"),
      .rows = "not_well", .columns = THINGS, .name = "id",
      .none = "all is well" },
    { GET_OF("topology", "show", "/api/topology",
             "all that the dialects hold, as a tree"),
      .flags = VERB_TREE | VERB_PAGES,
      .args =
          ARGS_OF(OPTION("dialect", "dialect", "of one dialect"),
                  OPTION("kind", "kind", "of one kind: cluster, node ..."),
                  LEVEL, OPTION("under", "under", "directly below that id")),
      .rows = "items", .columns = THINGS, .name = "id" },
    { GET_OF("job", "list", "/api/jobs", "jobs of all dialects, newest first"),
      .flags = VERB_PAGES,
      .args = ARGS_OF(
          ONE_OF("state", "state",
                 "open, queued, running, undoing, done, failed, cancelled"),
          OPTION("kind", "kind", "what kinds begin with: cluster_mgr."),
          OPTION("machine", "machine", "of that machine"),
          NUMBER("parent", "parent", "the parts of that job; 0: no parts"),
          OPTION("request-id", "request_id", "that this request has made")),
      .rows = "items", .columns = JOBS, .name = "id" },
    { GET_OF("job", "show", "/api/jobs/{id}", "one job, its steps and parts"),
      .args = ARGS_OF(NEEDED("ID", "id", "number of the job")) },
    { .noun = "job",
      .verb = "cancel",
      .doc = "have a job undone, with its parts",
      .method = "POST",
      .listener = "console",
      .path = "/api/jobs/{id}/cancel",
      .flags = VERB_ASKS | VERB_DRY,
      .args = ARGS_OF(NEEDED("ID", "id", "number of the job")) },
    { GET_OF("failover", "list", "/api/failovers",
             "changes of primaries and why, newest first"),
      .flags = VERB_PAGES, .args = ARGS_OF(LEVEL), .rows = "items",
      .columns = FAILOVERS, .name = "id" },
    { GET_OF("duty", "list", "/api/duties", "who leads what, since when"),
      .rows = "items",
      .columns = "NAME=name,HELD=held,LEADER=leader,SINCE=since_ms:ms,"
                 "+EPOCH=epoch:right,+HOST=host,+DIALECT=dialect",
      .name = "name" },
    { GET_OF("host", "list", "/api/hosts", "hosts that share the store"),
      .rows = "items",
      .columns = "NAME=name,VERSION=version,OWN=own,SINCE=since_ms:ms,"
                 "+ID=host,+LISTEN=listen",
      .name = "name" },
    { GET_OF("child", "list", "/api/children",
             "processes of metagate on the host that answers"),
      .rows = "items",
      .columns =
          "NAME=name,STATE=state:level,PID=pid:right,RESTARTS=restarts:right",
      .name = "name" },
    { GET_OF("audit", "list", "/api/audit",
             "what was changed by whom, newest first"),
      .flags = VERB_PAGES, .args = ARGS_OF(AUDIT_FILTERS), .rows = "items",
      .columns = AUDIT, .name = "id" },
    { GET_OF("audit", "show", "/api/audit/{id}",
             "one change: its request, before and after"),
      .args = ARGS_OF(NEEDED("ID", "id", "number of the row")) },
    { GET_OF("audit", "export", "/api/audit/export",
             "a page of changes with their documents, one JSON a line"),
      .flags = VERB_RAW,
      .args = ARGS_OF(AUDIT_FILTERS,
                      NUMBER("page", "limit", "how many, 1000 at most"),
                      OPTION("cursor", "cursor", "where to go on")) },
    { GET_OF("token", "show", "/api/tokens",
             "tokens, scopes, last use; never a token itself"),
      .rows = "items",
      .columns = "NAME=name,SCOPE=scope,SECRETS=secrets,EXPIRED=expired,"
                 "CREATED=created_s:s,EXPIRES=expires_s:s,USED=used_s:s,+ID=id",
      .name = "name" },
    { GET_OF("config", "list", "/api/config",
             "every key in force, and where its value comes from"),
      .rows = "items",
      .columns = "KEY=name,VALUE=value,FROM=from,NEEDS=needs,"
                 "+DEFAULT=default,+DOC=doc",
      .name = "name" },
    { GET_OF("profile", "cpu", "/pool/pprof/profile",
             "where the time of all workers goes"),
      .flags = VERB_RAW, .args = ARGS_OF(SECONDS, FORMAT) },
    { GET_OF("profile", "heap", "/pool/pprof/heap",
             "what all workers have in use"),
      .flags = VERB_RAW, .args = ARGS_OF(FORMAT) },
    { GET_OF("profile", "worker-cpu", "/worker/{process}/pprof/profile",
             "where the time of one worker goes"),
      .flags = VERB_RAW, .args = ARGS_OF(WORKER, SECONDS, FORMAT) },
    { GET_OF("profile", "worker-heap", "/worker/{process}/pprof/heap",
             "what one worker has in use"),
      .flags = VERB_RAW, .args = ARGS_OF(WORKER, FORMAT) },
    { GET_OF("profile", "role-cpu", "/role/{process}/pprof/profile",
             "where the time of a daemon goes"),
      .flags = VERB_RAW, .args = ARGS_OF(ROLE, SECONDS, FORMAT) },
    { GET_OF("profile", "role-heap", "/role/{process}/pprof/heap",
             "what a daemon has in use"),
      .flags = VERB_RAW, .args = ARGS_OF(ROLE, FORMAT) },
    { .noun = NULL },
};
