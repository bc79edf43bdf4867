/* Request targets: path and query, split and decoded. */
#include "../../fcgi/uri.h"

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
    HOLDS(uri->n_query <= URI_MAX_PARAMS && strlen(uri->path) <= n);
    for (size_t i = 0; i < uri->n_query; i++) {
        check_text(uri->query[i].key);
        check_text(uri->query[i].value);
        HOLDS(!uri_is_token(uri->query[i].key));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(16 << 20);
    struct uri uri = { 0 };
    char *target;
    enum err e;

    HOLDS(a != NULL);
    target = arena_strndup(a, (const char *)data, n);
    HOLDS(target != NULL);
    e = uri_parse(a, target, &uri);
    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
    if (e == ERR_OK)
        check_uri(&uri, n);
    else
        check_text(uri.fault);
    arena_free(a);
    return 0;
}
