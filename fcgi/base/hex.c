/* Bytes as text. */
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

bool
hex_is(const char *text, size_t least, size_t most)
{
    size_t n = strspn(text, "0123456789abcdef");

    return text[n] == '\0' && n >= least && n <= most;
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

/* ---- base64 ---- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_write(const void *p, size_t n, char *out)
{
    const unsigned char *u = p;

    for (; n > 0; u += 3) {
        uint32_t v = (uint32_t)u[0] << 16 | (n > 1 ? (uint32_t)u[1] << 8 : 0) |
                     (n > 2 ? u[2] : 0);

        *out++ = base64_digits[v >> 18];
        *out++ = base64_digits[v >> 12 & 63];
        *out++ = n > 1 ? base64_digits[v >> 6 & 63] : '=';
        *out++ = n > 2 ? base64_digits[v & 63] : '=';
        n -= n < 3 ? n : 3;
    }
    *out = '\0';
}

static int
base64_digit(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || (url && c == '-'))
        return 62;
    return c == '/' || (url && c == '_') ? 63 : -1;
}

bool
base64_read(const char *text, size_t n, bool url, unsigned char *out,
            size_t *bytes)
{
    uint32_t bits = 0;

    *bytes = 0;
    for (size_t i = 0; i < n; i++) {
        int d = base64_digit(text[i], url);

        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 > 0)
            out[(*bytes)++] = (unsigned char)(bits >> (6 - i % 4 * 2));
    }
    return n % 4 != 1;
}

/* ---- in URLs ---- */

int
percent_read(const char *p, size_t n)
{
    unsigned char byte;

    return n >= 3 && p[0] == '%' && hex_read(p + 1, &byte, 1) ? byte : -1;
}

const char *
percent_decode(const char *p, size_t n, bool plus, char *out)
{
    const char *end = p + n;

    for (; p < end; p++) {
        int byte =
            *p != '%' ? (unsigned char)*p : percent_read(p, (size_t)(end - p));

        if (byte < 0)
            return "a % is not followed by two hex digits (a % as such is %25)";
        if (byte == 0)
            return "it holds a NUL";
        if (*p == '%')
            p += 2;
        else if (plus && byte == '+')
            byte = ' ';
        *out++ = (char)byte;
    }
    *out = '\0';
    return NULL;
}

bool
query_next(const char **p, const char *end, struct query_param *out)
{
    size_t n = (size_t)(end - *p), key;
    const char *stop, *equals;

    if (n == 0)
        return false;
    stop = memchr(*p, '&', n);
    n = stop != NULL ? (size_t)(stop - *p) : n;
    equals = memchr(*p, '=', n);
    key = equals != NULL ? (size_t)(equals - *p) : n;
    out->bare = equals == NULL;
    out->key = (struct span){ *p, key };
    out->value = (struct span){ *p + key + !out->bare, n - key - !out->bare };
    *p += n + (stop != NULL);
    return true;
}

void
percent_write(char c, char out[4])
{
    static const char digits[] = "0123456789ABCDEF";

    out[0] = '%';
    out[1] = digits[(unsigned char)c >> 4];
    out[2] = digits[(unsigned char)c & 15];
    out[3] = '\0';
}
