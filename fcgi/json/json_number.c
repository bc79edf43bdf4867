/* Digits to integers, exactly: never through a double. */
#include "json.h"

#include <ctype.h>
#include <string.h>

/* A decimal number taken apart: digits times ten to the power of scale. The
 * digits have no zero at either end; n == 0 is the number zero. */
struct decimal {
    bool negative;
    const char *digits; /* may hold one '.' */
    size_t n;           /* digits without the '.' */
    int64_t scale;
};

enum { SCALE_MAX = 1000000 }; /* larger exponents are as good as this one */

static const char *
skip_digits(const char *p)
{
    while (isdigit((unsigned char)*p))
        p++;
    return p;
}

/* The exponent behind 'e'; NULL when malformed. */
static const char *
read_exponent(const char *p, int64_t *out)
{
    bool negative = *p == '-';
    int64_t v = 0;

    if (*p == '-' || *p == '+')
        p++;
    if (!isdigit((unsigned char)*p))
        return NULL;
    for (; isdigit((unsigned char)*p); p++) {
        if (v < SCALE_MAX)
            v = v * 10 + (*p - '0');
    }
    *out = negative ? -v : v;
    return p;
}

/* Drops the zeros at both ends of the digits between from and to. */
static void
set_digits(struct decimal *d, const char *from, const char *to, bool point)
{
    while (from < to && (*from == '0' || *from == '.')) {
        if (*from++ == '.')
            point = false;
    }
    while (to > from && (to[-1] == '0' || to[-1] == '.')) {
        if (*--to == '.')
            point = false;
        else
            d->scale++;
    }
    d->digits = from;
    d->n = (size_t)(to - from) - (point ? 1 : 0);
    if (d->n == 0)
        d->scale = 0;
}

/* [-]digits[.digits][e[+-]digits], the whole text. */
static bool
read_decimal(const char *text, struct decimal *d)
{
    const char *from, *p;
    bool point = false;

    *d = (struct decimal){ .negative = *text == '-' };
    from = text + (d->negative ? 1 : 0);
    p = skip_digits(from);
    if (p == from)
        return false;
    if (*p == '.') {
        const char *fraction = p + 1;

        point = true;
        p = skip_digits(fraction);
        if (p == fraction)
            return false;
        d->scale = fraction - p;
    }
    set_digits(d, from, p, point);
    if (*p == 'e' || *p == 'E') {
        int64_t exponent;

        p = read_exponent(p + 1, &exponent);
        if (p == NULL)
            return false;
        if (d->n > 0)
            d->scale += exponent;
    }
    return *p == '\0';
}

static bool
append_digit(uint64_t *v, unsigned digit)
{
    return !__builtin_mul_overflow(*v, 10, v) &&
           !__builtin_add_overflow(*v, digit, v);
}

static enum err
to_magnitude(const struct decimal *d, uint64_t *out)
{
    const char *p = d->digits;
    uint64_t v = 0;

    if (d->scale < 0)
        return ERR_BAD_PARAM; /* a fraction */
    if (d->n > 20 || d->scale > 20)
        return ERR_LIMIT;
    for (size_t i = 0; i < d->n; p++) {
        if (*p == '.')
            continue;
        if (!append_digit(&v, (unsigned)(*p - '0')))
            return ERR_LIMIT;
        i++;
    }
    for (int64_t i = 0; i < d->scale; i++) {
        if (!append_digit(&v, 0))
            return ERR_LIMIT;
    }
    *out = v;
    return ERR_OK;
}

static enum err
read_integer(const char *text, bool integral, bool *negative, uint64_t *out)
{
    struct decimal d;

    if (!integral && text[strspn(text, "-0123456789")] != '\0')
        return ERR_BAD_PARAM;
    if (!read_decimal(text, &d))
        return ERR_BAD_PARAM;
    *negative = d.negative;
    return to_magnitude(&d, out);
}

enum err
json_to_i64(const char *text, bool integral, int64_t *out)
{
    bool negative;
    uint64_t v;
    enum err e = read_integer(text, integral, &negative, &v);

    if (e != ERR_OK)
        return e;
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return ERR_LIMIT;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return ERR_OK;
}

enum err
json_to_u64(const char *text, bool integral, uint64_t *out)
{
    bool negative;
    uint64_t v;
    enum err e = read_integer(text, integral, &negative, &v);

    if (e != ERR_OK)
        return e;
    if (negative && v > 0)
        return ERR_LIMIT;
    *out = v;
    return ERR_OK;
}
