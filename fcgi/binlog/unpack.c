/* zlib, as MariaDB writes it into events and columns: how long it will be, in
 * front of it, is what it has to be. */
#include "unpack.h"

#include <limits.h>

#define CHUNK 65536

void
unpacker_close(struct unpacker *u)
{
    if (u->ready)
        (void)inflateEnd(&u->z);
    *u = (struct unpacker){ 0 };
}

static enum err
prepare(struct unpacker *u, int bits)
{
    int e = u->ready ? inflateReset2(&u->z, bits) : inflateInit2(&u->z, bits);

    if (e != Z_OK)
        return ERR_NOMEM;
    u->ready = true;
    return ERR_OK;
}

/* In parts: who says that it becomes large has to send that much. */
static enum err
unpack(struct unpacker *u, int bits, struct cursor c, uint64_t n,
       struct buf *out)
{
    char part[CHUNK];
    enum err e = n > out->max - out->n ? ERR_LIMIT : prepare(u, bits);
    int z = Z_OK;

    if (e != ERR_OK)
        return e;
    u->z.next_in = (Bytef *)(uintptr_t)c.p;
    u->z.avail_in = (uInt)cursor_left(&c);
    for (uint64_t left = n; z == Z_OK;) {
        size_t got;

        u->z.next_out = (Bytef *)part;
        u->z.avail_out = sizeof(part);
        z = inflate(&u->z, Z_NO_FLUSH);
        got = sizeof(part) - u->z.avail_out;
        if (got > left)
            return ERR_BAD_PARAM;
        buf_put(out, part, got);
        left -= got;
        if (z == Z_STREAM_END)
            return left == 0 && u->z.avail_in == 0 ? buf_err(out)
                                                   : ERR_BAD_PARAM;
    }
    return z == Z_MEM_ERROR ? ERR_NOMEM : ERR_BAD_PARAM;
}

enum err
unpack_event(struct unpacker *u, struct cursor c, struct buf *out)
{
    unsigned head = (unsigned)take_le(&c, 1), n = head & 7;
    uint64_t length = take_be(&c, n);

    /* 0x80, and the method in between: zlib is 0 */
    if ((head & 0xf8) != 0x80 || n == 0 || n > 4 || c.cut ||
        cursor_left(&c) > UINT_MAX)
        return ERR_BAD_PARAM;
    return unpack(u, MAX_WBITS, c, length, out);
}

enum err
unpack_column(struct unpacker *u, struct cursor c, struct buf *out)
{
    unsigned head, n;
    uint64_t length;

    if (cursor_left(&c) == 0)
        return ERR_OK; /* an empty one is stored as it is */
    head = (unsigned)take_le(&c, 1);
    n = head & 7;
    if (head == 0) {
        buf_put(out, (const char *)c.p, cursor_left(&c));
        return buf_err(out);
    }
    length = take_be(&c, n);
    if (head >> 4 != 8 || n == 0 || c.cut || cursor_left(&c) > UINT_MAX)
        return ERR_BAD_PARAM;
    return unpack(u, head & 8 ? -MAX_WBITS : MAX_WBITS, c, length, out);
}
