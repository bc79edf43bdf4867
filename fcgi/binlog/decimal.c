/* DECIMAL: groups of nine digits, most significant first. */
#include "value.h"

#define GROUP 9

static const uint8_t bytes_of[GROUP + 1] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };
static const uint32_t tens[GROUP + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000
};

size_t
decimal_bytes(unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale;

    return whole / GROUP * 4u + bytes_of[whole % GROUP] + scale / GROUP * 4u +
           bytes_of[scale % GROUP];
}

/* One group of n digits, of which a negative number has the complement. */
static bool
take_group(const uint8_t **p, unsigned n, uint32_t mask, char **to)
{
    unsigned bytes = bytes_of[n];
    uint32_t v = (uint32_t)be(*p, bytes) ^ mask;

    if (bytes < 4)
        v &= (1u << 8 * bytes) - 1;
    if (v >= tens[n])
        return false;
    *to = put_digits(*to, v, n);
    *p += bytes;
    return true;
}

static bool
take_groups(const uint8_t **p, unsigned first, unsigned groups, unsigned last,
            uint32_t mask, char **to)
{
    if (first > 0 && !take_group(p, first, mask, to))
        return false;
    while (groups-- > 0)
        if (!take_group(p, GROUP, mask, to))
            return false;
    return last == 0 || take_group(p, last, mask, to);
}

size_t
decimal_text(const uint8_t *p, unsigned precision, unsigned scale,
             char out[DECIMAL_TEXT_MAX])
{
    unsigned whole = precision - scale;
    uint8_t bytes[DECIMAL_PRECISION_MAX];
    size_t n = decimal_bytes(precision, scale);
    uint32_t mask = p[0] & 0x80 ? 0 : UINT32_MAX;
    char digits[DECIMAL_TEXT_MAX], *to = digits, *d = digits, *at = out;
    const uint8_t *from = bytes;

    memcpy(bytes, p, n);
    bytes[0] ^= 0x80; /* so that bytes sort as numbers do */
    if (!take_groups(&from, whole % GROUP, whole / GROUP, 0, mask, &to) ||
        !take_groups(&from, 0, scale / GROUP, scale % GROUP, mask, &to))
        return 0;
    if (mask != 0)
        *at++ = '-';
    /* cppcheck-suppress uninitvar ; take_groups() has filled them */
    while (whole > 1 && *d == '0') {
        d++;
        whole--;
    }
    if (whole == 0)
        *at++ = '0';
    memcpy(at, d, whole);
    at += whole;
    if (scale > 0) {
        *at++ = '.';
        memcpy(at, d + whole, scale);
        at += scale;
    }
    return (size_t)(at - out);
}
