/* UTF-8: which sequences are valid (RFC 3629, table in section 4). */
#include "utf8.h"

#include <string.h>

static bool
is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The second byte is where overlong forms, surrogates and what lies beyond
 * U+10FFFF show. */
static bool
second_ok(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return is_tail(second);
    }
}

size_t
utf8_len(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;

    if (n == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4 || n < 2 || !second_ok(u[0], u[1]))
        return 0;
    if (u[0] < 0xe0)
        return 2;
    if (n < 3 || !is_tail(u[2]))
        return 0;
    if (u[0] < 0xf0)
        return 3;
    return n >= 4 && is_tail(u[3]) ? 4 : 0;
}

/* Eight at a time: most text has nothing else. */
size_t
utf8_ascii(const char *p, size_t n)
{
    size_t i = 0;
    uint64_t eight;

    for (; n - i >= sizeof(eight); i += sizeof(eight)) {
        memcpy(&eight, p + i, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (i < n && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}

uint32_t
utf8_decode(const char *p, size_t n)
{
    static const unsigned char first_bits[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    const unsigned char *u = (const unsigned char *)p;
    uint32_t code = u[0] & first_bits[n];

    for (size_t i = 1; i < n; i++)
        code = code << 6 | (u[i] & 0x3f);
    return code;
}

size_t
utf8_encode(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

bool
utf8_valid(const char *p, size_t n)
{
    for (size_t i = utf8_ascii(p, n); i < n;) {
        size_t k = utf8_len(p + i, n - i);

        if (k == 0)
            return false;
        i += k;
    }
    return true;
}
