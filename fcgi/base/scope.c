/* Scopes: what a token may do, DESIGN section 3. */
#include "scope.h"

#include <string.h>

static const struct {
    const char *name;
    enum scope scope;
    unsigned rights;
} scopes[] = {
    { "none", SCOPE_NONE, 0 },
    { "read", SCOPE_READ, SCOPE_READ },
    { "write", SCOPE_WRITE, SCOPE_READ | SCOPE_WRITE },
    { "admin", SCOPE_ADMIN,
      SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN | SCOPE_PROFILE | SCOPE_MACHINE },
    { "profile", SCOPE_PROFILE, SCOPE_PROFILE },
    { "machine", SCOPE_MACHINE, SCOPE_MACHINE },
    { "read|machine", SCOPE_READ_MACHINE, 0 }, /* of rows, not of tokens */
};

unsigned
scope_rights(const char *name)
{
    for (size_t i = 0; i < COUNT(scopes); i++)
        if (strcmp(scopes[i].name, name) == 0)
            return scopes[i].rights;
    return 0;
}

const char *
scope_name(enum scope s)
{
    for (size_t i = 0; i < COUNT(scopes); i++)
        if (scopes[i].scope == s)
            return scopes[i].name;
    return "";
}
