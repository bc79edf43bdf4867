/* xbstream, looked at as it passes. */
#include "xbstream.h"

#include <string.h>

#define HEAD_BYTES 14 /* magic, flags, kind, length of the name */
#define NAME_MAX_  512

enum { HEAD, NAME, NEW_LENGTH, NEW_NAME, SIZES, OFFSET, PAYLOAD };

static void
want(struct xbstream *x, int state, size_t n)
{
    x->state = state;
    x->field_n = 0;
    x->field_want = n;
}

static uint64_t
number(const unsigned char *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* Relative, without an empty part, "." or "..". */
static bool
is_inside(const unsigned char *name, size_t n)
{
    size_t i = 0, len;

    if (n == 0 || memchr(name, '\0', n) != NULL)
        return false;
    if (n > 2 && name[0] == '.' && name[1] == '/')
        i = 2; /* how it begins the names of some */
    for (; i <= n; i += len + 1) {
        const unsigned char *slash = memchr(name + i, '/', n - i);

        len = slash != NULL ? (size_t)(slash - (name + i)) : n - i;
        if (len == 0 || (len == 1 && name[i] == '.') ||
            (len == 2 && name[i] == '.' && name[i + 1] == '.'))
            return false;
    }
    return true;
}

static bool
take_head(struct xbstream *x)
{
    uint64_t n = number(x->field + 10, 4);

    x->kind = (char)x->field[9];
    if (memcmp(x->field, "XBSTCK01", 8) != 0 || n == 0 || n > NAME_MAX_ ||
        x->kind == '\0' || strchr("PEDSR", x->kind) == NULL)
        return false;
    want(x, NAME, (size_t)n);
    return true;
}

static bool
take_name(struct xbstream *x)
{
    if (!is_inside(x->field, x->field_n))
        return false;
    if (x->kind == 'P')
        want(x, SIZES, 20);
    else if (x->kind == 'S')
        want(x, OFFSET, 8);
    else if (x->kind == 'R')
        want(x, NEW_LENGTH, 4);
    else
        want(x, HEAD, HEAD_BYTES);
    return true;
}

/* A field is whole. */
static bool
take(struct xbstream *x)
{
    uint64_t n;

    switch (x->state) {
    case HEAD:
        return take_head(x);
    case NAME:
        return take_name(x);
    case NEW_LENGTH:
        n = number(x->field, 4);
        if (n == 0 || n > NAME_MAX_)
            return false;
        want(x, NEW_NAME, (size_t)n);
        return true;
    case NEW_NAME:
        if (!is_inside(x->field, x->field_n))
            return false;
        want(x, HEAD, HEAD_BYTES);
        return true;
    case SIZES:
        x->skip = number(x->field, 8);
        if (x->skip > (uint64_t)1 << 40)
            return false;
        want(x, x->skip > 0 ? PAYLOAD : HEAD, HEAD_BYTES);
        return true;
    default: /* OFFSET */
        want(x, HEAD, HEAD_BYTES);
        return true;
    }
}

bool
xbstream_look(struct xbstream *x, const char *p, size_t n)
{
    while (n > 0) {
        size_t k;

        if (x->state == PAYLOAD) {
            k = x->skip < n ? (size_t)x->skip : n;
            x->skip -= k;
            if (x->skip == 0)
                want(x, HEAD, HEAD_BYTES);
        } else {
            k = x->field_want - x->field_n < n ? x->field_want - x->field_n : n;
            memcpy(x->field + x->field_n, p, k);
            x->field_n += k;
            if (x->field_n == x->field_want && !take(x))
                return false;
        }
        p += k;
        n -= k;
    }
    return true;
}

bool
xbstream_may_end(const struct xbstream *x)
{
    return x->state == HEAD && x->field_n == 0;
}
