/* Room: base/ */
/* A growing text with a stated maximum. A write past the maximum, or without
 * memory, sets `failed` and drops the rest: writers need no check per call,
 * the one who sends the text looks once. */
#ifndef MG_BUF_H
#define MG_BUF_H

#include <string.h>

#include "base.h"

struct arena;

struct buf {
    char *p;     /* NUL-terminated whenever n > 0; NULL while empty */
    size_t n;    /* bytes written */
    size_t cap;  /* bytes allocated */
    size_t max;  /* bytes allowed, without the NUL */
    bool failed; /* something was dropped */
    /* When set, called instead of failing once n would pass max: takes the
     * n bytes away (and the buf starts again empty) or answers an error,
     * which sets failed. This is how long replies are streamed. */
    enum err (*drain)(struct buf *b, void *ctx);
    void *drain_ctx;
    bool no_memory; /* why it has failed, if not by passing max */
};

/* An empty text of at most max bytes; buf_free releases it. */
#define BUF_INIT(max_bytes)                               \
    {                                                     \
        NULL, 0, 0, (max_bytes), false, NULL, NULL, false \
    }

/* An empty text in an array of the caller's: it needs no memory, does not
 * grow, and is never freed. */
#define BUF_ON(array)                                                          \
    {                                                                          \
        (array), 0, sizeof(array), sizeof(array) - 1, false, NULL, NULL, false \
    }

void buf_free(struct buf *b);
/* buf_free of a secret: its memory is overwritten first. */
void buf_wipe(struct buf *b);

/* Empties the text, keeps its memory, clears failed. */
void buf_reset(struct buf *b);

/* buf_put where there may be no room at once, or nothing to put (p may be NULL
 * then). */
void buf_append(struct buf *b, const char *p, size_t n);

/* Where n bytes and a NUL may be written at once; NULL: buf_append. */
static inline char *
buf_room(const struct buf *b, size_t n)
{
    return !b->failed && b->cap - b->n > n ? b->p + b->n : NULL;
}

/* n bytes, as they are. */
static inline void
buf_put(struct buf *b, const char *p, size_t n)
{
    char *to = buf_room(b, n);

    if (to == NULL || n == 0) {
        buf_append(b, p, n);
        return;
    }
    /* cppcheck-suppress uninitvar ; whoever calls has filled them */
    memcpy(to, p, n);
    to[n] = '\0';
    b->n += n;
}

static inline void
buf_puts(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

static inline void
buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_i64(struct buf *b, int64_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The decimal digits of v, not terminated; how many there are. */
size_t buf_digits(char out[20], uint64_t v);
/* The same of a number that may be negative. */
size_t buf_signed_digits(char out[21], int64_t v);

/* n times the byte c (indentation). */
void buf_fill(struct buf *b, char c, size_t n);

/* The text, "" when empty; valid until the next write. */
const char *buf_text(const struct buf *b);

/* Ends the text: a copy of it lives in the arena, *out, and the buf is freed,
 * also when something was dropped (NOMEM, LIMIT). */
enum err buf_settle(struct buf *b, struct arena *a, const char **out) MUST_USE;

/* ERR_OK; when something was dropped, ERR_NOMEM or ERR_LIMIT. */
enum err buf_err(const struct buf *b) MUST_USE;

#endif
