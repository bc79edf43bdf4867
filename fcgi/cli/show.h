/* An outcome for people and for programs. */
#ifndef MG_CLI_SHOW_H
#define MG_CLI_SHOW_H

#include "ask.h"

/* By -o: a table (libsmartcols), JSON, or names. CLI_OK, or told. */
int
show(struct door *d, const struct order *o, const struct outcome *out) MUST_USE;

#endif
