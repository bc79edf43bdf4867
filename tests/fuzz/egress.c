/* What a client names as a target, and the lists of networks. */
#include "egress.h"

#include <string.h>

#include "arena.h"
#include "fuzz.h"

static void
check_target(const struct egress_target *t)
{
    HOLDS(t->port >= 1 && t->port <= 65535);
    HOLDS(t->host[0] != '\0' && strlen(t->host) < sizeof(t->host));
    HOLDS(strcmp(t->scheme, "mysql") == 0 || strcmp(t->scheme, "tcp") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(16 << 20);
    struct egress_target target;
    char why[WHY_BYTES], *text;
    enum err e;

    HOLDS(a != NULL);
    text = arena_strndup(a, (const char *)data, n);
    HOLDS(text != NULL);
    for (unsigned port = 0; port < 2; port++) {
        e = egress_parse(text, "mysql,tcp", port * 3306, &target, why);
        HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
        if (e == ERR_OK)
            check_target(&target);
        else
            HOLDS(memchr(why, '\0', sizeof(why)) != NULL && why[0] != '\0');
    }
    e = egress_rules(text, "", why);
    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
    e = egress_rules("", text, why);
    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
    arena_free(a);
    return 0;
}
