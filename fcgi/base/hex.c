/* Bytes as hex digits. */
#include "hex.h"

#include <string.h>
#include <sys/random.h>

int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
hex_read(const char *text, void *out, size_t n)
{
    unsigned char *to = out;

    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(text[2 * i]);
        int lo = hi >= 0 ? hex_digit(text[2 * i + 1]) : -1;

        if (lo < 0)
            return false;
        to[i] = (unsigned char)(hi << 4 | lo);
    }
    return true;
}

void
hex_write(const void *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = p;

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[from[i] >> 4];
        out[2 * i + 1] = digits[from[i] & 15];
    }
    out[2 * n] = '\0';
}

enum err
hex_random(char *out, size_t n)
{
    unsigned char b[64];

    out[0] = '\0';
    /* up to 256 bytes come whole */
    if (n > sizeof(b) || getrandom(b, n, 0) != (ssize_t)n)
        return ERR_INTERNAL;
    hex_write(b, n, out);
    explicit_bzero(b, sizeof(b));
    return ERR_OK;
}

/* Bytes before each dash, and all of them. */
static const uint8_t uuid_parts[] = { 4, 6, 8, 10, 16 };

bool
uuid_read(const char *text, uint8_t out[16])
{
    for (size_t i = 0, from = 0; i < COUNT(uuid_parts); i++) {
        size_t n = uuid_parts[i] - from;

        if ((from > 0 && *text++ != '-') || !hex_read(text, out + from, n))
            return false;
        text += 2 * n;
        from += n;
    }
    return true;
}

void
uuid_write(const uint8_t uuid[16], char out[UUID_TEXT])
{
    for (size_t i = 0, from = 0; i < COUNT(uuid_parts); i++) {
        size_t n = uuid_parts[i] - from;

        if (from > 0)
            *out++ = '-';
        hex_write(uuid + from, n, out);
        out += 2 * n;
        from += n;
    }
}
