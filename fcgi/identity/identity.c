/* MG_SECRET, MG_SCOPE and tokens to the rights of a request. */
#include "identity.h"

#include <stdlib.h>
#include <string.h>

#include "request/authorization.h"
#include "crypt.h"
#include "hex.h"
#include "params.h"
#include "scope.h"
#include "token_use.h"
#include "token_lookup.h"

#define REQUEST_ID_MAX   64
#define TOKEN_DIGITS     64
#define REQUEST_ID_BYTES 16 /* of chance, in one of our own */

/* Of a traceparent: where its parts are, how long. */
enum {
    TRACE_AT = 3,
    TRACE_N = 32,
    PARENT_AT = 36,
    PARENT_N = 16,
    FLAGS_AT = 53,
    TRACEPARENT = 55,
};

bool
identity_front_end(char *const *params, const char *secret)
{
    const char *given = params_get(params, "MG_SECRET");
    size_t n = strlen(secret);

    return strlen(given) == n && crypt_equal(given, secret, n);
}

static bool
is_request_id(const char *id)
{
    size_t n = strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "abcdefghijklmnopqrstuvwxyz-_.");

    return n > 0 && n <= REQUEST_ID_MAX && id[n] == '\0';
}

const char *
identity_request_id(struct arena *a, char *const *params)
{
    const char *given = params_get(params, "MG_REQUEST_ID");
    char *id;

    if (is_request_id(given))
        return given;
    id = arena_alloc(a, 2 * REQUEST_ID_BYTES + 1);
    if (id == NULL || hex_random(id, REQUEST_ID_BYTES) != ERR_OK)
        return NULL;
    return id;
}

/* ---- what the client calls it by ---- */

/* One of 64 hex digits is left out: it may be a token in the wrong header. */
static bool
is_client_id(const char *id)
{
    size_t n = strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "abcdefghijklmnopqrstuvwxyz._:+~-");

    return n > 0 && n <= REQUEST_ID_MAX && id[n] == '\0' &&
           strspn(id, "0123456789abcdefABCDEF") != TOKEN_DIGITS;
}

/* n lower-case hex digits with a '-' or the end behind them. */
static bool
is_part(const char *p, size_t n)
{
    return strspn(p, "0123456789abcdef") == n && (p[n] == '-' || p[n] == '\0');
}

static bool
is_zero(const char *p, size_t n)
{
    return strspn(p, "0") >= n;
}

/* version "-" trace "-" parent "-" flags; later versions may go on behind a
 * '-', and ff is none. */
static bool
is_traceparent(const char *p)
{
    size_t n = strlen(p);
    bool first;

    if (n < TRACEPARENT || !is_part(p, 2) || !is_part(p + TRACE_AT, TRACE_N) ||
        !is_part(p + PARENT_AT, PARENT_N) || !is_part(p + FLAGS_AT, 2))
        return false;
    first = memcmp(p, "00", 2) == 0;
    return memcmp(p, "ff", 2) != 0 && !is_zero(p + TRACE_AT, TRACE_N) &&
           !is_zero(p + PARENT_AT, PARENT_N) && (n == TRACEPARENT || !first);
}

enum err
identity_trace(struct arena *a, char *const *params, struct trace *out)
{
    const char *id = params_get(params, "HTTP_X_REQUEST_ID"),
               *parent = params_get(params, "HTTP_TRACEPARENT");
    char *trace;

    *out = (struct trace){ .client = is_client_id(id) ? id : "", .id = "" };
    if (str_empty(parent))
        return ERR_OK;
    trace = arena_alloc(a, TRACE_N + 1);
    out->id = trace;
    if (trace == NULL)
        return ERR_NOMEM;
    if (!is_traceparent(parent))
        return hex_random(trace, TRACE_N / 2);
    memcpy(trace, parent + TRACE_AT, TRACE_N);
    trace[TRACE_N] = '\0';
    out->sampled = (hex_digit(parent[FLAGS_AT + 1]) & 1) != 0;
    return ERR_OK;
}

/* ---- rights ---- */

static void
set_rights(struct req *r, unsigned rights, bool secrets)
{
    r->rights = rights;
    r->see_secrets = secrets || (rights & SCOPE_ADMIN) != 0;
}

void
identity_from_front_end(struct req *r, char *const *params)
{
    const char *id = params_get(params, "MG_ID");

    if (token_expired(strtoll(params_get(params, "MG_EXPIRES"), NULL, 10))) {
        token_use_ended(id);
        return;
    }
    token_use_note(id);
    r->token_name = params_get(params, "MG_NAME");
    set_rights(r, scope_rights(params_get(params, "MG_SCOPE")),
               strcmp(params_get(params, "MG_SECRETS"), "1") == 0);
}

/* Bearer, or the user name of Basic; "" when it is neither. */
static const char *
authorization_token(struct arena *a, const char *header)
{
    const char *token = authorization_of(header, "Bearer"), *password;

    if (token == NULL &&
        authorization_basic(a, header, &token, &password) != ERR_OK)
        return "";
    return token;
}

enum err
identity_from_token(struct req *r, char *const *params, const char *query_token)
{
    const char *token = params_get(params, TOKEN_PARAM);
    struct token_grant grant;

    if (str_empty(token))
        token = authorization_token(r->arena,
                                    params_get(params, "HTTP_AUTHORIZATION"));
    if (str_empty(token))
        token = query_token;
    token_lookup_refresh();
    if (!token_lookup(token, &grant))
        return ERR_OK;
    token_use_note(grant.id);
    r->token_name = arena_strdup(r->arena, grant.name);
    set_rights(r, grant.rights, grant.secrets);
    return r->token_name != NULL ? ERR_OK : ERR_NOMEM;
}
