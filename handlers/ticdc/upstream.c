#include "upstream.h"

#include <string.h>

#include "file.h"
#include "own_store.h"
#include "place.h"
#include "settings.h"

#define CONNECT_TIMEOUT_S 3
#define READ_TIMEOUT_S    5
#define PASSWORD_BYTES    1024

/* The onebox's own by its socket: it may have no port. */
static enum err
find_address(struct my_address *out, char why[WHY_BYTES])
{
    const char *at = ticdc_settings()->upstream;
    char own[PLACE_BYTES + 16];

    if (str_empty(at)) {
        if (!own_store())
            return why_fail(why, ERR_BAD_PARAM,
                            "[ticdc] upstream says no server");
        if (store_hosts(own, sizeof(own)) != ERR_OK)
            return why_fail(why, ERR_BAD_PARAM, "RUN_DIR is too long");
        at = own;
    }
    if (my_address_parse(at, strlen(at), out) != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM,
                        "[ticdc] upstream is no address: %.255s", at);
    return ERR_OK;
}

static enum err
read_password(struct arena *a, const char **out, char why[WHY_BYTES])
{
    const char *file = ticdc_settings()->upstream_password_file;
    char own[PLACE_BYTES], wrong[WHY_BYTES];
    char *text = arena_alloc(a, PASSWORD_BYTES);

    if (text == NULL)
        return ERR_NOMEM;
    if (str_empty(file)) {
        if (place_path(own, sizeof(own), "repl.password") != ERR_OK)
            return why_fail(why, ERR_BAD_PARAM, "RUN_DIR is too long");
        file = own;
    }
    if (file_read_secret(file, text, PASSWORD_BYTES, wrong) != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM,
                        "the password of the upstream cannot be read from "
                        "%.1024s: %s",
                        file, wrong);
    *out = text;
    return ERR_OK;
}

enum err
ticdc_upstream(struct arena *a, struct my_server *out, char why[WHY_BYTES])
{
    enum err e;

    *out = (struct my_server){ .connect_timeout_s = CONNECT_TIMEOUT_S,
                               .read_timeout_s = READ_TIMEOUT_S };
    e = find_address(&out->at, why);
    if (e == ERR_OK)
        e = read_password(a, &out->password, why);
    out->user = ticdc_settings()->upstream_user;
    return e;
}

struct sink_rules
ticdc_sink_rules(void)
{
    return (struct sink_rules){ .tls_root = ticdc_settings()->tls_root,
                                .file_root = ticdc_settings()->file_root };
}
