/* Paths against the routing table of the real dialects: the listener, a line
 * feed, the decoded path. */
#include "api/route.h"

#include <string.h>

#include "fuzz.h"

static void
check_capture(const struct span *s, const char *path, size_t n)
{
    HOLDS(s->p >= path && s->p + s->n <= path + n);
}

static void
check_match(const struct route_match *m, const char *path)
{
    HOLDS(m->n_captures <= ROUTE_CAPTURES_MAX);
    HOLDS(m->group == NULL || (m->dialect != NULL && m->mount != NULL));
    if (m->group == NULL)
        return;
    for (size_t i = 0; i < m->n_captures; i++) {
        check_capture(&m->capture[i], path, strlen(path));
        HOLDS(m->name[i].n > 0);
    }
    for (unsigned bit = 1; bit <= OPTIONS; bit <<= 1) {
        unsigned methods = 0;
        const struct row *row = route_row(m->group, bit, NULL, &methods);

        HOLDS(row == NULL || (row->methods & bit) != 0);
        HOLDS(methods != 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static bool ready;
    char *text = malloc(n + 1);
    char *lf;

    HOLDS(text != NULL);
    memcpy(text, data, n);
    text[n] = '\0';
    if (!ready)
        HOLDS(route_init() == ERR_OK);
    ready = true;
    lf = strchr(text, '\n');
    if (lf != NULL) {
        struct route_match m = { 0 };

        *lf = '\0';
        route_find(text, lf + 1, &m);
        check_match(&m, lf + 1);
        HOLDS((m.dialect != NULL) == route_knows_listener(text));
    }
    free(text);
    return 0;
}
