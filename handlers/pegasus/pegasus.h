/* Pegasus MetaServer and ReplicaServer over HTTP: the rows of endpoints.def,
 * with the nouns that they speak of. What decides is in core/. */
#ifndef PEGASUS_H
#define PEGASUS_H

#include "env.h"
#include "metas.h"
#include "node.h"
#include "operator.h"
#include "outcome.h"
#include "profiler.h"
#include "server.h"
#include "table.h"

extern const struct form pegasus_form;         /* text errors */
extern const struct form pegasus_outcome_form; /* a form's refused operation */

#define ENDPOINT_FILE "pegasus/endpoints.def"
#define ERROR_FILE    "pegasus/errors.def"
#include "endpoint_protos.h"

#endif
