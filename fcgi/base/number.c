/* Decimal digits. strtol alone would take blanks, signs and an empty text. */
#include "number.h"

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
