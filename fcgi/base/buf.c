/* Growing text with a maximum; see buf.h for what happens beyond it. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

enum { FIRST_CAP = 1024 };

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

void
buf_free(struct buf *b)
{
    free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
}

void
buf_wipe(struct buf *b)
{
    if (b->p != NULL)
        explicit_bzero(b->p, b->cap);
    buf_free(b);
}

void
buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = b->no_memory = false;
    if (b->p != NULL)
        b->p[0] = '\0';
}

/* Memory for n bytes in all, n <= max, and the NUL. */
static bool
grow(struct buf *b, size_t n)
{
    size_t cap = b->cap > 0 ? b->cap : FIRST_CAP;
    char *p;

    if (n < b->cap)
        return true;
    while (cap <= n)
        cap *= 2;
    if (cap > b->max)
        cap = b->max + 1;
    p = realloc(b->p, cap);
    if (p == NULL) {
        b->no_memory = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

/* Bytes that may be written now, at most n; 0 when the text has failed. */
static size_t
make_room(struct buf *b, size_t n)
{
    if (b->failed)
        return 0;
    if (n > b->max - b->n && b->drain != NULL) {
        if (b->n > 0 && b->drain(b, b->drain_ctx) != ERR_OK) {
            b->failed = true;
            return 0;
        }
        b->n = 0;
        if (n > b->max)
            n = b->max; /* the caller comes back with the rest */
    }
    if (n > b->max - b->n || !grow(b, b->n + n)) {
        b->failed = true;
        return 0;
    }
    return n;
}

void
buf_append(struct buf *b, const char *p, size_t n)
{
    while (n > 0) {
        size_t k = make_room(b, n);

        if (k == 0) {
            b->failed = true; /* also when nothing at all is allowed */
            return;
        }
        memcpy(b->p + b->n, p, k);
        b->n += k;
        b->p[b->n] = '\0';
        p += k;
        n -= k;
    }
}

/* How many decimal digits v has: bits times log10(2), put right by one. */
static size_t
count_digits(uint64_t v)
{
    static const uint64_t powers[] = {
        0,
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    unsigned guess = bits * 1233 >> 12;

    return guess + (v >= powers[guess]);
}

size_t
buf_digits(char out[20], uint64_t v)
{
    size_t n = count_digits(v), at = n;

    while (v >= 100) {
        at -= 2;
        memcpy(out + at, pairs + v % 100 * 2, 2);
        v /= 100;
    }
    if (v >= 10)
        memcpy(out, pairs + v * 2, 2);
    else
        out[0] = (char)('0' + v);
    return n;
}

void
buf_u64(struct buf *b, uint64_t v)
{
    char text[20];

    buf_put(b, text, buf_digits(text, v));
}

size_t
buf_signed_digits(char out[21], int64_t v)
{
    if (v >= 0)
        return buf_digits(out, (uint64_t)v);
    out[0] = '-';
    return 1 + buf_digits(out + 1, 0 - (uint64_t)v);
}

void
buf_i64(struct buf *b, int64_t v)
{
    char text[21];

    buf_put(b, text, buf_signed_digits(text, v));
}

static void print_long(struct buf *b, const char *fmt, va_list args, size_t n)
    PRINTF_LIKE(2, 0);

/* When the small text does not do: printed again into memory of its own. */
static void
print_long(struct buf *b, const char *fmt, va_list args, size_t n)
{
    char *text;

    if (n > b->max) {
        b->failed = true;
        return;
    }
    text = malloc(n + 1);
    if (text == NULL) {
        b->failed = true;
        return;
    }
    (void)vsnprintf(text, n + 1, fmt, args);
    buf_put(b, text, n);
    free(text);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    va_list args, again;
    int n;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(small, sizeof(small), fmt, args);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n < sizeof(small))
        buf_put(b, small, (size_t)n);
    else
        print_long(b, fmt, again, (size_t)n);
    va_end(again);
    va_end(args);
}

void
buf_fill(struct buf *b, char c, size_t n)
{
    char some[64];

    memset(some, c, sizeof(some));
    while (n > 0 && !b->failed) {
        size_t k = n < sizeof(some) ? n : sizeof(some);

        buf_put(b, some, k);
        n -= k;
    }
}

const char *
buf_text(const struct buf *b)
{
    return b->n > 0 ? b->p : "";
}

enum err
buf_err(const struct buf *b)
{
    if (b->no_memory)
        return ERR_NOMEM;
    return b->failed ? ERR_LIMIT : ERR_OK;
}

enum err
buf_settle(struct buf *b, struct arena *a, const char **out)
{
    enum err e = buf_err(b);

    *out = NULL;
    if (e == ERR_OK) {
        *out = arena_strndup(a, buf_text(b), b->n);
        e = *out == NULL ? ERR_NOMEM : ERR_OK;
    }
    buf_free(b);
    return e;
}
