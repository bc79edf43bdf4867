/* Looking up FastCGI parameters, and which of them handlers see. */
#include "params.h"

#include <string.h>

#include "list.h"
#include "scope.h"

/* The headers a token may come in, or an address with one. */
static const char *const hidden[] = {
    TOKEN_PARAM,    "HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION",
    "HTTP_REFERER", "HTTP_COOKIE",        NULL,
};

/* Beside the other HTTP_ ones. QUERY_STRING and its like may hold a token,
 * and so may REMOTE_USER: it is the user name of HTTP Basic. */
static const char *const shown[] = {
    "CONTENT_TYPE", "REMOTE_ADDR",    "REMOTE_PORT", "SERVER_ADDR",
    "SERVER_PORT",  "REQUEST_SCHEME", NULL,
};

const char *
params_get(char *const *params, const char *name)
{
    size_t n = strlen(name);

    for (; *params != NULL; params++)
        if (strncmp(*params, name, n) == 0 && (*params)[n] == '=')
            return *params + n + 1;
    return "";
}

bool
params_shown(const char *name, bool basic)
{
    if (basic && strcmp(name, "HTTP_AUTHORIZATION") == 0)
        return true;
    if (list_has_word(hidden, name))
        return false;
    return strncmp(name, "HTTP_", 5) == 0 || list_has_word(shown, name);
}
