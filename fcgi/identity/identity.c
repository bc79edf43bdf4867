/* MG_SECRET, MG_SCOPE and tokens to the rights of a request. */
#include "identity.h"

#include <stdlib.h>
#include <string.h>

#include "request/authorization.h"
#include "crypt.h"
#include "hex.h"
#include "params.h"
#include "token_use.h"
#include "token_lookup.h"

#define REQUEST_ID_MAX   64
#define REQUEST_ID_BYTES 16 /* of chance, in one of our own */

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
    const char *token = params_get(params, "HTTP_X_METAGATE_TOKEN");
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
