/* Comma-separated texts, element by element; lists of words. */
#include "list.h"

#include <string.h>

bool
list_next(const char **list, struct span *out)
{
    const char *p = *list;
    size_t n = strcspn(p, ",");

    if (*p == '\0')
        return false;
    /* a comma at the end stays: what should follow it is an empty element */
    *list = p + n + (p[n] == ',' && (p[n + 1] != '\0' || n == 0) ? 1 : 0);
    *out = (struct span){ p, n };
    return true;
}

bool
list_has(const char *list, struct span word)
{
    struct span s;

    while (list_next(&list, &s))
        if (s.n == word.n && memcmp(s.p, word.p, s.n) == 0)
            return true;
    return false;
}

bool
list_has_word(const char *const *words, const char *word)
{
    for (; words != NULL && *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}
