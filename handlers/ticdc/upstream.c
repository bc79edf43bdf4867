#include "upstream.h"

#include <string.h>
#include <sys/stat.h>

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
    char own[PLACE_BYTES], *text;
    struct stat st;
    size_t n;
    enum err e;

    if (str_empty(file)) {
        if (place_path(own, sizeof(own), "repl.password") != ERR_OK)
            return why_fail(why, ERR_BAD_PARAM, "RUN_DIR is too long");
        file = own;
    }
    if (stat(file, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
        return why_fail(why, ERR_BAD_PARAM,
                        "others can read %.1024s, which has the password of "
                        "the upstream: chmod 600",
                        file);
    e = file_read(a, file, PASSWORD_BYTES, &text, &n);
    if (e != ERR_OK)
        return why_fail(why, e == ERR_NOMEM ? e : ERR_BAD_PARAM,
                        "the password of the upstream cannot be read from "
                        "%.1024s: %s",
                        file, err_name(e));
    text[strcspn(text, "\r\n")] = '\0';
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
