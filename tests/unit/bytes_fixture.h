/* Bytes that are given piece by piece, as pipes and bodies are, and kept. */
#ifndef MG_TEST_BYTES_FIXTURE_H
#define MG_TEST_BYTES_FIXTURE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    char *p;
    size_t n, max, at;
    size_t piece; /* at most so many at once */
    bool fails;   /* at its end */
};

static int64_t
give(void *ctx, char *p, size_t n)
{
    struct bytes *b = ctx;
    size_t k = b->n - b->at < n ? b->n - b->at : n;

    k = k > b->piece ? b->piece : k;
    if (k == 0)
        return b->fails ? -1 : 0;
    memcpy(p, b->p + b->at, k);
    b->at += k;
    return (int64_t)k;
}

static bool
keep(void *ctx, const char *p, size_t n)
{
    struct bytes *b = ctx;

    assert_true(n > 0);
    if (b->n + n > b->max)
        return false;
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return true;
}

#endif
