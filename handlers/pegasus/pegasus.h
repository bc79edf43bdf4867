/* What all files of this family share: its forms, outcomes, and the rows of
 * endpoints.def. A noun's records, checks and SQL are in its own header and
 * files; what decides is in core/. */
#ifndef PEGASUS_H
#define PEGASUS_H

#include "pegasus/outcome.h"
#include "req.h"

extern const struct form pegasus_form;         /* text errors */
extern const struct form pegasus_outcome_form; /* a form's refused operation */

#define ENDPOINT_FILE "pegasus/endpoints.def"
#define ERROR_FILE    "pegasus/errors.def"
#include "endpoint_protos.h"

#endif
