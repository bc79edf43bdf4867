/* Bodies of multipart/form-data: the first line is the Content-Type. */
#include "multipart.h"

#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    const char *line = n > 0 ? memchr(text, '\n', n) : NULL;
    struct arena *a = arena_new(16 << 20);
    char why[WHY_BYTES];
    const char *boundary;
    struct multipart m;
    char *type;
    enum err e;

    HOLDS(a != NULL);
    if (line != NULL) {
        type = arena_strndup(a, text, (size_t)(line - text));
        HOLDS(type != NULL);
        boundary = multipart_boundary(a, type);
        if (boundary != NULL) {
            const char *body = line + 1;
            size_t left = n - (size_t)(body - text);

            e = multipart_parse(a, boundary, body, left, &m, why);
            HOLDS(e == ERR_OK || why[0] != '\0');
            for (size_t i = 0; e == ERR_OK && i < m.n; i++) {
                HOLDS(m.part[i].name != NULL && m.part[i].type != NULL);
                HOLDS(m.part[i].body.p >= body &&
                      m.part[i].body.p + m.part[i].body.n <= body + left);
            }
        }
    }
    arena_free(a);
    return 0;
}
