/* Filter rules, a line each, tried on names that are the rules themselves. */
#include "ticdc/rules/filter.h"

#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(64 << 20);
    const char *rule[16];
    const struct filter *f;
    char why[WHY_BYTES] = "", *text, *next;
    size_t lines = 0;
    enum err e;

    HOLDS(a != NULL);
    text = arena_strndup(a, (const char *)data, n);
    HOLDS(text != NULL);
    for (char *p = text; p != NULL && lines < COUNT(rule); p = next) {
        next = strchr(p, '\n');
        if (next != NULL)
            *next++ = '\0';
        rule[lines++] = p;
    }
    e = filter_parse(a, rule, lines, n % 2 == 0, "own", &f, why);
    HOLDS(e == ERR_OK || e == ERR_NOMEM || why[0] != '\0');
    for (size_t i = 0; e == ERR_OK && i < lines; i++) {
        bool takes = filter_takes(f, rule[i], "t");

        HOLDS(!takes || filter_takes_schema(f, rule[i]));
        (void)filter_takes(f, "s", rule[i]);
        HOLDS(!filter_takes(f, "own", rule[i]));
    }
    arena_free(a);
    return 0;
}
