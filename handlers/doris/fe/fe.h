/* The REST interface of a Doris front end, as far as the Meta Service can
 * answer it: a dialect of its own beside the Meta Service's, with Basic auth,
 * other errors and always the same envelope. */
#ifndef MG_DORIS_FE_H
#define MG_DORIS_FE_H

#include "record.h"
#include "req.h"
#include "doris/ops/heartbeat.h"

#define DORIS_FE_STATUS(X, s) \
    X(s, STR, instance_id, "instance_id", IN | QUERY, -, .max = 255)
STRUCT(doris_fe_status, DORIS_FE_STATUS);

extern const struct form doris_fe_form;

#define ENDPOINT_FILE "doris/fe/fe_endpoints.def"
#define ERROR_FILE    "doris/fe/fe_errors.def"
#include "endpoint_protos.h"

#endif
