/* Decimal digits. strtol alone would take blanks, signs and an empty text. */
#include "number.h"

#include <stdio.h>
#include <stdlib.h>

bool
number_take(const char **p, const char *end, uint64_t max, uint64_t *out)
{
    const char *from = *p;
    uint64_t v = 0;

    for (; *p != end && **p >= '0' && **p <= '9'; (*p)++) {
        unsigned digit = (unsigned)(**p - '0');

        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (*p == from)
        return false;
    *out = v;
    return true;
}

bool
number_read(const char *text, int64_t max, int64_t *out)
{
    uint64_t v;

    if (text == NULL || max < 0 ||
        !number_take(&text, NULL, (uint64_t)max, &v) || *text != '\0')
        return false;
    *out = (int64_t)v;
    return true;
}

int
number_shortest(char *text, size_t size, double v)
{
    int n = 0;

    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, size, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    return n;
}
