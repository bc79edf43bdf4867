/* What an operation of a form came to, and its arguments in common. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "pegasus.h"
#include "pegasus/core/state.h"

TABLE(pegasus_outcome, PEGASUS_OUTCOME);

struct pegasus_outcome *
pegasus_done(struct req *r)
{
    struct pegasus_outcome *out = arena_alloc(r->arena, sizeof(*out));

    if (out == NULL)
        return NULL;
    PUT(out, pegasus_outcome, error, "ERR_OK");
    PUT(out, pegasus_outcome, hint, "");
    return out;
}

enum err
pegasus_send(struct req *r, struct pegasus_outcome *out)
{
    if (out == NULL)
        return ERR_NOMEM;
    return req_send(r, &pegasus_outcome_rec, out);
}

enum err
pegasus_invalid(struct req *r, const char *why)
{
    return req_fail(r, PEGASUS_INVALID, ARGS(arg("why", why)));
}

static bool
number(const char **text, char end, int32_t *out)
{
    char *after;
    long v;

    if (**text < '0' || **text > '9')
        return false;
    if (**text == '0' && (*text)[1] != end)
        return false; /* one gpid has one spelling */
    v = strtol(*text, &after, 10);
    if (*after != end || v > INT32_MAX || after - *text > 10)
        return false;
    *out = (int32_t)v;
    *text = after + (end != '\0' ? 1 : 0);
    return true;
}

bool
pegasus_gpid(const char *text, int32_t *app_id, int32_t *pidx)
{
    return number(&text, '.', app_id) && number(&text, '\0', pidx);
}

const char *
pegasus_gpid_text(int32_t app_id, int32_t pidx, char out[PEGASUS_GPID_BYTES])
{
    (void)snprintf(out, PEGASUS_GPID_BYTES, "%d.%d", app_id, pidx);
    return out;
}

/* What may stand in lists and JSON keys: a name or number, a colon, a port. */
bool
pegasus_is_address(const char *text)
{
    char host[PG_ADDRESS_BYTES];
    size_t n = strlen(text);
    unsigned port;

    return n < PG_ADDRESS_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU"
                        "VWXYZ0123456789.-_[]:") == n &&
           address_read(text, n, 0, host, sizeof(host), &port) == ERR_OK;
}
