/* Lines of other programs: no value of a token parameter stays. */
#include "host/redact.h"

#include <string.h>
#include <strings.h>

#include "fuzz.h"

/* The value of the first "?token=" or "&token=" in any case, or NULL. */
static const char *
value(const char *line, size_t n)
{
    static const char name[] = "token=";

    for (size_t i = 1; i + sizeof(name) - 1 < n; i++)
        if ((line[i - 1] == '?' || line[i - 1] == '&') &&
            strncasecmp(line + i, name, sizeof(name) - 1) == 0)
            return line + i + sizeof(name) - 1;
    return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *line = malloc(n + 1), *again;
    const char *v;
    size_t now, then;

    HOLDS(line != NULL);
    memcpy(line, data, n);
    now = redact_line(line, n);
    HOLDS(now <= n);
    v = value(line, now);
    if (v != NULL) /* "***", or cut where the line ends */
        HOLDS(strncmp(v, "***",
                      (size_t)(line + now - v) < 3 ? (size_t)(line + now - v)
                                                   : 3) == 0 ||
              *v == '&' || *v == ' ');
    again = malloc(now + 1);
    HOLDS(again != NULL);
    memcpy(again, line, now);
    then = redact_line(again, now);
    HOLDS(then == now && memcmp(again, line, now) == 0);
    free(again);
    free(line);
    return 0;
}
