/* How requests prove where they come from: MG_SECRET of our own front end, or
 * tokens that the worker looks up itself ([serve] check_tokens). */
#include "request.h"

#include "config.h"
#include "crypt.h"
#include "log.h"
#include "place.h"
#include "identity/token_lookup.h"

static char secret[PLACE_SECRET_BYTES];

static const char *
tokens_path(char out[PLACE_BYTES])
{
    if (!str_empty(config()->serve_token_file))
        return config()->serve_token_file;
    return place_path(out, PLACE_BYTES, "tokens.map") == ERR_OK ? out : "";
}

static bool
read_secret(void)
{
    enum err e = place_hex_read(PLACE_SECRET, PLACE_SECRET_LEAST, secret,
                                sizeof(secret));

    if (e != ERR_OK)
        log_error("serve.secret path=%s/%s err=%s why=\"missing, or not %d or "
                  "more lower-case hex digits\"",
                  config_run_dir(), PLACE_SECRET, err_name(e),
                  PLACE_SECRET_LEAST);
    return e == ERR_OK;
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
