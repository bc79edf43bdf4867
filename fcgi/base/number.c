/* Decimal digits. strtol alone would take blanks, signs and an empty text. */
#include "number.h"

#include <stdio.h>
#include <stdlib.h>

bool
number_read(const char *text, int64_t max, int64_t *out)
{
    int64_t v = 0;

    if (str_empty(text))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, *text - '0', &v) || v > max)
            return false;
    }
    *out = v;
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
