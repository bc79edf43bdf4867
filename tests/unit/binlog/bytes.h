/* Bytes written as hex, blanks between them allowed. */
#ifndef MG_TEST_BYTES_H
#define MG_TEST_BYTES_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"

/* A block of exactly that size, so that reading past its end shows. */
struct bytes {
    uint8_t *p;
    size_t n;
};

static UNUSED struct bytes
bytes_of(const char *hex)
{
    char digits[8192];
    size_t n = 0;
    struct bytes b;

    for (; *hex != '\0' && n < sizeof(digits) - 1; hex++)
        if (isxdigit((unsigned char)*hex))
            digits[n++] = *hex;
    b.n = n / 2;
    b.p = malloc(b.n > 0 ? b.n : 1);
    if (b.p == NULL || !hex_read(digits, b.p, b.n))
        abort();
    return b;
}

static UNUSED struct bytes
bytes_copy(const void *p, size_t n)
{
    struct bytes b = { malloc(n > 0 ? n : 1), n };

    if (b.p == NULL)
        abort();
    memcpy(b.p, p, n);
    return b;
}

#endif
