/* Reading what was compressed, of one member or many. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "press.h"

#define PIECE ((size_t)128 << 10) /* as zstd's own blocks */
#define MAGIC 4
/* What zstd needs at most is 2 to that power: no archive of ours needs more
 * than a block, no level below --ultra more than this. */
#define WINDOW_LOG 23

static const unsigned char zstd_magic[MAGIC] = { 0x28, 0xb5, 0x2f, 0xfd };

struct unpress {
    blob_write_fn *write;
    void *ctx;
    unsigned char magic[MAGIC]; /* its first bytes, until all are there */
    size_t magic_n;
    ZSTD_DCtx *zstd; /* NULL: it is gzip */
    z_stream z;
    bool open;    /* z is */
    bool between; /* a member has ended and none has begun */
    bool more;    /* there may be more to come without more input */
    bool damaged, broken_off;
    char piece[PIECE];
};

struct unpress *
unpress_new(blob_write_fn *write, void *ctx)
{
    struct unpress *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return NULL;
    g->write = write;
    g->ctx = ctx;
    return g;
}

void
unpress_free(struct unpress *g)
{
    if (g == NULL)
        return;
    if (g->open)
        (void)inflateEnd(&g->z);
    ZSTD_freeDCtx(g->zstd);
    free(g);
}

/* ---- either form: what comes of some input, and how much of it is left ----
 */

static size_t
inflate_some(struct unpress *g, struct span *in)
{
    int r;

    if (g->between && inflateReset(&g->z) != Z_OK)
        g->damaged = true;
    g->z.next_in = (z_const Bytef *)(uintptr_t)in->p;
    g->z.avail_in = (uInt)in->n;
    g->z.next_out = (Bytef *)g->piece;
    g->z.avail_out = PIECE;
    r = inflate(&g->z, Z_NO_FLUSH);
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
        g->damaged = true;
    g->between = r == Z_STREAM_END;
    in->p += in->n - g->z.avail_in;
    in->n = g->z.avail_in;
    return PIECE - g->z.avail_out;
}

static size_t
unzstd_some(struct unpress *g, struct span *in)
{
    ZSTD_inBuffer from = { in->p, in->n, 0 };
    ZSTD_outBuffer to = { g->piece, PIECE, 0 };
    size_t r = ZSTD_decompressStream(g->zstd, &to, &from);

    g->damaged = ZSTD_isError(r) != 0;
    g->between = r == 0;
    in->p += from.pos;
    in->n -= from.pos;
    return to.pos;
}

static bool
take(struct unpress *g, struct span in)
{
    while (in.n > 0 || g->more) {
        size_t n = g->zstd != NULL ? unzstd_some(g, &in) : inflate_some(g, &in);

        g->more = n == PIECE && !g->between;
        if (!g->damaged && n > 0)
            g->broken_off = !g->write(g->ctx, g->piece, n);
        if (g->damaged || g->broken_off)
            return false;
    }
    return true;
}

/* ---- which it is ---- */

/* All of MAGIC is there. */
static bool
begin(struct unpress *g)
{
    if (memcmp(g->magic, zstd_magic, MAGIC) == 0) {
        g->zstd = ZSTD_createDCtx();
        return g->zstd != NULL &&
               !ZSTD_isError(ZSTD_DCtx_setParameter(
                   g->zstd, ZSTD_d_windowLogMax, WINDOW_LOG));
    }
    /* 16: gzip's frame, whose sums it checks */
    g->open = inflateInit2(&g->z, 15 + 16) == Z_OK;
    return g->open;
}

bool
unpress_write(void *ctx, const char *p, size_t n)
{
    struct unpress *g = ctx;
    size_t k = MAGIC - g->magic_n < n ? MAGIC - g->magic_n : n;

    if (g->damaged || g->broken_off)
        return false;
    if (k > 0) {
        memcpy(g->magic + g->magic_n, p, k);
        g->magic_n += k;
        if (g->magic_n < MAGIC)
            return true;
        g->damaged = !begin(g);
        if (g->damaged || !take(g, (struct span){ (char *)g->magic, MAGIC }))
            return false;
    }
    return take(g, (struct span){ p + k, n - k });
}

bool
unpress_is_damaged(const struct unpress *g)
{
    return g->damaged;
}

bool
unpress_may_end(const struct unpress *g)
{
    return g->between && !g->damaged;
}
