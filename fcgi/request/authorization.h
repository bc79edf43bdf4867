/* The Authorization header. */
#ifndef MG_AUTHORIZATION_H
#define MG_AUTHORIZATION_H

#include "arena.h"
#include "base.h"

/* What follows the name of the scheme ("Bearer"); NULL when the header is
 * absent (NULL) or of another one. */
const char *authorization_of(const char *header, const char *scheme);

/* User and password of Basic, in the arena; BAD_PARAM when that is not what
 * the header holds, or they hold NUL. */
enum err authorization_basic(struct arena *a, const char *header,
                             const char **user, const char **password) MUST_USE;

#endif
