/* Request targets: path and query, split and decoded, as each dialect may. */
#include "request/uri.h"

#include <string.h>

#include "fuzz.h"
#include "utf8.h"

static void
check_text(const char *s)
{
    HOLDS(s != NULL && utf8_valid(s, strlen(s)));
}

static void
check_uri(const struct uri *uri, size_t n)
{
    check_text(uri->path);
    check_text(uri->token);
    HOLDS(uri->n_query <= URI_MAX_PARAMS);
    HOLDS(strlen(uri->path) <= n + 1); /* "" may become "/" */
    for (size_t i = 0; i < uri->n_query; i++) {
        check_text(uri->query[i].key);
        check_text(uri->query[i].value);
        HOLDS(!uri_is_token(uri->query[i].key));
    }
}

static void
parse(struct arena *a, const char *target, unsigned rules)
{
    struct uri uri = { 0 };
    enum err e = uri_parse_by(a, target, rules, &uri);

    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
    if (e == ERR_OK)
        check_uri(&uri, strlen(target));
    else
        check_text(uri.fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(16 << 20);
    char *target;

    HOLDS(a != NULL);
    target = arena_strndup(a, (const char *)data, n);
    HOLDS(target != NULL);
    parse(a, target, 0);
    parse(a, target, URI_PLUS_STAYS);
    parse(a, target, URI_SEGMENTS);
    arena_free(a);
    return 0;
}
