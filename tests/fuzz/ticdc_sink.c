/* A sink's URI; behind the first line its sink_config. What stands as password
 * or as a secret parameter is in no masked text and in no message. */
#include "ticdc/rules/sink.h"

#include <string.h>

#include "fuzz.h"

static void
holds_no_secret(const struct sink_uri *u, const char *text)
{
    /* a mark that nobody writes by chance */
    static const char mark[] = "QzXw7";

    if (u->password != NULL && strstr(u->password, mark) != NULL &&
        (u->user == NULL || strstr(u->user, mark) == NULL))
        HOLDS(strstr(text, u->password) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct sink_rules rules = { .tls_root = "/tls" };
    struct arena *a = arena_new(64 << 20);
    struct ticdc_config config = { 0 };
    struct sink_fault why = { "", "" };
    struct sink s;
    const char *masked;
    char *uri, *doc;
    enum err e;

    HOLDS(a != NULL);
    uri = arena_strndup(a, (const char *)data, n);
    HOLDS(uri != NULL);
    doc = strchr(uri, '\n');
    if (doc != NULL)
        *doc++ = '\0';
    if (doc != NULL && ticdc_config_read(a, doc, &config) != ERR_OK)
        config = (struct ticdc_config){ 0 };
    e = sink_settle(a, uri, config.sink_config, &rules, &s, &why);
    HOLDS(e == ERR_OK || e == ERR_NOMEM || why.text[0] != '\0');
    masked = sink_uri_masked(a, uri);
    HOLDS(masked != NULL);
    if (e == ERR_OK) {
        const char *again = sink_uri_masked(a, masked);

        HOLDS(again != NULL && strcmp(again, masked) == 0);
        holds_no_secret(&s.uri, masked);
    }
    arena_free(a);
    return 0;
}
