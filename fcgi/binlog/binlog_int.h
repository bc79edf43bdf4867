/* What the files of the room share. They are a stack, fcgi/stacks says in
 * which order. */
#ifndef MG_BINLOG_INT_H
#define MG_BINLOG_INT_H

#include <string.h>

#include "binlog.h"

/* ---- fault.c ---- */

/* Notes a failure; answers its class. */
enum err binlog_fail(struct binlog_failure *f, enum binlog_fault id,
                     const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- bytes from outside ---- */

/* What is read past the end is zero, and `cut` says so from then on: whoever
 * reads looks once, before it believes anything. */
struct cursor {
    const uint8_t *p, *end;
    bool cut;
};

static inline struct cursor
cursor_on(const void *p, size_t n)
{
    return (struct cursor){ p, (const uint8_t *)p + n, false };
}

static inline size_t
cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->p);
}

/* n bytes; NULL past the end, and from then on. */
static inline const uint8_t *
take(struct cursor *c, uint64_t n)
{
    const uint8_t *p = c->p;

    if (n > cursor_left(c) || c->cut) {
        c->cut = true;
        c->p = c->end;
        return NULL;
    }
    c->p += n;
    return p;
}

/* At most 8 bytes, the lowest first; the highest first. */
static inline uint64_t
le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = n; i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

static inline uint64_t
be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static inline uint64_t
take_le(struct cursor *c, size_t n)
{
    const uint8_t *p = take(c, n);

    return p != NULL ? le(p, n) : 0;
}

static inline uint64_t
take_be(struct cursor *c, size_t n)
{
    const uint8_t *p = take(c, n);

    return p != NULL ? be(p, n) : 0;
}

/* A number of 1 to 9 bytes as the protocol packs them. */
static inline uint64_t
take_packed(struct cursor *c)
{
    uint64_t first = take_le(c, 1);

    if (first < 251)
        return first;
    if (first == 252)
        return take_le(c, 2);
    if (first == 253)
        return take_le(c, 3);
    if (first == 254)
        return take_le(c, 8);
    c->cut = true; /* NULL, or the mark of an error */
    return 0;
}

/* The part of the next n bytes as a cursor of its own. */
static inline struct cursor
take_part(struct cursor *c, uint64_t n)
{
    const uint8_t *p = take(c, n);

    return p != NULL ? cursor_on(p, (size_t)n)
                     : (struct cursor){ c->end, c->end, true };
}

#endif
