/* metagate's own endpoints: health, metrics, profiles, the
 * description of the API. */
#ifndef MG_CONSOLE_H
#define MG_CONSOLE_H

#include "audit.h"
#include "jobs.h"
#include "own.h"
#include "profiler.h"
#include "req.h"
#include "things.h"
#include "who.h"

#define CONSOLE_HEALTH(X, s)                             \
    X(s, STR, status, "status", OUT, -, .doc = "\"ok\"") \
    X(s, BOOL, read_only, "read_only", OUT, -,           \
      .doc = "true while the store takes no writes; else absent")
STRUCT(console_health, CONSOLE_HEALTH);

#define CONSOLE_FILE(X, s)                \
    X(s, STR, file, "file", IN | PATH, -, \
      .doc = "a name below nginx/ui/: app.js")
STRUCT(console_file, CONSOLE_FILE);

/* Which process is asked: nginx leads /worker/<n>/ and /role/<name>/ to it. */
#define CONSOLE_PROCESS(X, s)                   \
    X(s, STR, process, "process", IN | PATH, -, \
      .doc = "number of a worker; name of another daemon, as control-m1")
STRUCT(console_process, CONSOLE_PROCESS);

#define CONSOLE_PROFILE(X, s) \
    CONSOLE_PROCESS(X, s)     \
    PPROF_WAIT(X, s)
STRUCT(console_profile, CONSOLE_PROFILE);

extern const struct form console_form;

#define ENDPOINT_FILE "console/endpoints.def"
#define ERROR_FILE    "console/errors.def"
#include "endpoint_protos.h"

#endif
