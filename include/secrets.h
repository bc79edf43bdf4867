/* Room: crypt/ */
/* The columns of the store that hold sealed texts: rows of handlers/
 * secrets.def, so that keys can be rotated without knowing any dialect. */
#ifndef MG_SECRETS_H
#define MG_SECRETS_H

#include "base.h"

struct secret_column {
    const char *table, *column; /* NULL ends the table */
    /* A page of what is sealed otherwise than '?' says, behind a row: columns
     * k1, k2 (the row's key, as texts), secret_row (what it is sealed for) and
     * sealed. Parameters: pattern, k1, k1, k2. */
    const char *page;
    /* Replaces a text unless it has changed meanwhile: new, k1, k2, old. */
    const char *replace;
    /* How many are not sealed as the pattern says. */
    const char *count;
};

extern const struct secret_column secret_columns[];

#endif
