/* Room: base/ */
/* Scopes: what a token may do, DESIGN section 3. */
#ifndef MG_SCOPE_H
#define MG_SCOPE_H

#include "base.h"

/* The header that a client's token comes in first of all (identity.h). */
#define TOKEN_HEADER "X-Metagate-Token"
/* The same as a FastCGI parameter. */
#define TOKEN_PARAM "HTTP_X_METAGATE_TOKEN"

/* What a row asks for; a token's scope is a set of these. */
enum scope {
    SCOPE_NONE = 0, /* served without a token */
    SCOPE_READ = 1 << 0,
    SCOPE_WRITE = 1 << 1,
    SCOPE_ADMIN = 1 << 2,
    SCOPE_PROFILE = 1 << 3,
    SCOPE_MACHINE = 1 << 4,
    SCOPE_READ_MACHINE = SCOPE_READ | SCOPE_MACHINE, /* either of the two */
};

/* The set that a token of the scope named in tokens.map has; 0 = unknown. */
unsigned scope_rights(const char *name);
const char *scope_name(enum scope s);

#endif
