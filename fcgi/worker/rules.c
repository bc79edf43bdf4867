/* How requests prove where they come from: MG_SECRET of our own front end, or
 * tokens that the worker looks up itself ([serve] check_tokens). */
#include "request.h"

#include <stdio.h>
#include <string.h>

#include "config.h"
#include "crypt.h"
#include "log.h"
#include "place.h"
#include "identity/token_lookup.h"

#define SECRET_MIN_BYTES 32
#define SECRET_MAX_BYTES 128

static char secret[SECRET_MAX_BYTES + 2];

static const char *
tokens_path(char out[PLACE_BYTES])
{
    if (!str_empty(config()->serve_token_file))
        return config()->serve_token_file;
    return place_path(out, PLACE_BYTES, "tokens.map") == ERR_OK ? out : "";
}

/* RUN_DIR/secret: one line of hex digits. */
static bool
read_secret(void)
{
    char path[PLACE_BYTES];
    FILE *f = NULL;
    bool ok;

    if (place_path(path, sizeof(path), "secret") == ERR_OK)
        f = fopen(path, "re");
    ok = f != NULL && fgets(secret, sizeof(secret), f) != NULL;
    if (f != NULL)
        (void)fclose(f);
    secret[strcspn(secret, "\r\n")] = '\0';
    if (ok && strlen(secret) >= SECRET_MIN_BYTES)
        return true;
    log_error("serve.secret path=%s why=\"missing or shorter than %d\"", path,
              SECRET_MIN_BYTES);
    return false;
}

bool
request_rules_load(struct request_rules *out)
{
    char path[PLACE_BYTES];

    out->body_max = (size_t)config()->serve_body_kib * 1024;
    out->deadline_ms = config()->serve_deadline_ms;
    out->secret = NULL;
    if (config()->serve_check_tokens)
        return token_lookup_load(tokens_path(path)) == ERR_OK;
    out->secret = secret;
    return read_secret();
}

void
request_rules_reload(void)
{
    char path[PLACE_BYTES];

    if (config()->serve_check_tokens &&
        token_lookup_load(tokens_path(path)) != ERR_OK)
        log_error("serve.reload tokens=unchanged");
}

void
request_rules_forget(void)
{
    token_lookup_unload();
    crypt_wipe(secret, sizeof(secret));
}
