/* RFC 9110, 11.4: a scheme, blanks, and what the scheme says. */
#include "authorization.h"

#include <string.h>
#include <strings.h>

#include "crypt.h"

const char *
authorization_of(const char *header, const char *scheme)
{
    size_t n = strlen(scheme);

    if (header == NULL || strncasecmp(header, scheme, n) != 0 ||
        header[n] != ' ')
        return NULL;
    return header + n + strspn(header + n, " ");
}

enum err
authorization_basic(struct arena *a, const char *header, const char **user,
                    const char **password)
{
    const char *credentials = authorization_of(header, "Basic"), *colon;
    struct span plain;
    enum err e;

    if (credentials == NULL)
        return ERR_BAD_PARAM;
    e = crypt_unbase64(a, credentials, &plain);
    if (e != ERR_OK)
        return e;
    colon = memchr(plain.p, ':', plain.n);
    if (colon == NULL || memchr(plain.p, '\0', plain.n) != NULL)
        return ERR_BAD_PARAM;
    *user = arena_strndup(a, plain.p, (size_t)(colon - plain.p));
    *password =
        arena_strndup(a, colon + 1, plain.n - (size_t)(colon + 1 - plain.p));
    return *user != NULL && *password != NULL ? ERR_OK : ERR_NOMEM;
}
