/* Reading what was compressed, of one member or many. */
#include <stdlib.h>
#include <zlib.h>

#include "gzip.h"

#define PIECE 65536

struct gunzip {
    blob_write_fn *write;
    void *ctx;
    z_stream z;
    bool open;    /* z is */
    bool between; /* a member has ended and none has begun */
    bool damaged, broken_off;
    char piece[PIECE];
};

struct gunzip *
gunzip_new(blob_write_fn *write, void *ctx)
{
    struct gunzip *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return NULL;
    g->write = write;
    g->ctx = ctx;
    /* 16: gzip's frame, whose sums it checks */
    g->open = inflateInit2(&g->z, 15 + 16) == Z_OK;
    if (g->open)
        return g;
    gunzip_free(g);
    return NULL;
}

void
gunzip_free(struct gunzip *g)
{
    if (g == NULL)
        return;
    if (g->open)
        (void)inflateEnd(&g->z);
    free(g);
}

/* What comes of the input so far; false: nothing more is taken. */
static bool
step(struct gunzip *g)
{
    int r;
    size_t n;

    if (g->between && inflateReset(&g->z) != Z_OK)
        g->damaged = true;
    g->between = false;
    g->z.next_out = (Bytef *)g->piece;
    g->z.avail_out = PIECE;
    r = inflate(&g->z, Z_NO_FLUSH);
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
        g->damaged = true;
    g->between = r == Z_STREAM_END;
    n = PIECE - g->z.avail_out;
    if (!g->damaged && n > 0)
        g->broken_off = !g->write(g->ctx, g->piece, n);
    return !g->damaged && !g->broken_off;
}

bool
gunzip_write(void *ctx, const char *p, size_t n)
{
    struct gunzip *g = ctx;

    if (g->damaged || g->broken_off)
        return false;
    g->z.next_in = (z_const Bytef *)(uintptr_t)p;
    g->z.avail_in = (uInt)n;
    /* a full piece: there may be more of it without more input */
    while (g->z.avail_in > 0 || (g->z.avail_out == 0 && !g->between))
        if (!step(g))
            return false;
    return true;
}

bool
gunzip_is_damaged(const struct gunzip *g)
{
    return g->damaged;
}

bool
gunzip_may_end(const struct gunzip *g)
{
    return g->between && !g->damaged;
}
