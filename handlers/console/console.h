/* metagate's own endpoints: health and the description of the API. */
#ifndef MG_CONSOLE_H
#define MG_CONSOLE_H

#include "profiler.h"
#include "req.h"

#define CONSOLE_HEALTH(X, s) \
    X(s, STR, status, "status", OUT, -, .doc = "\"ok\"")
STRUCT(console_health, CONSOLE_HEALTH);

extern const struct form console_form;

#define ENDPOINT_FILE "../handlers/console/endpoints.def"
#define ERROR_FILE "../handlers/console/errors.def"
#include "endpoint_protos.h"

#endif
