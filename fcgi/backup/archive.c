/* The form of a backup: made. */
#include "archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "archive_int.h"
#include "config.h"
#include "crypt/digest.h"

#define PART_BYTES ((size_t)4 << 20)

enum stage { PARTS, TRAILER, FINISH, ENDED, BROKEN };

struct pack {
    struct pack_source source;
    enum stage stage;
    unsigned parts;
    struct blob_sum sum;
    struct archive_gear gear; /* its room: a part */
    char head[TAR_BLOCK];
    char zeros[2 * TAR_BLOCK];
    struct span next[3]; /* to be compressed: head, bytes, padding */
    size_t next_i, next_n;
};

/* ---- what either side works with ---- */

bool
archive_gear_make(struct archive_gear *g, int opened, int (*z_end)(z_stream *),
                  size_t room_bytes)
{
    g->z_end = opened == Z_OK ? z_end : NULL;
    g->digest = digest_new();
    g->room = malloc(room_bytes);
    return g->z_end != NULL && g->digest != NULL && g->room != NULL;
}

void
archive_gear_free(struct archive_gear *g)
{
    if (g->z_end != NULL)
        (void)g->z_end(&g->z);
    digest_free(g->digest);
    free(g->room);
}

/* ---- one that is made ---- */

struct pack *
pack_new(const struct pack_source *source)
{
    struct pack *p = calloc(1, sizeof(*p));
    int opened;

    if (p == NULL)
        return NULL;
    p->source = *source;
    /* 16: with gzip's frame */
    opened = deflateInit2(&p->gear.z, (int)config()->instance_backup_level,
                          Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    if (archive_gear_make(&p->gear, opened, deflateEnd, PART_BYTES))
        return p;
    pack_free(p);
    return NULL;
}

void
pack_free(struct pack *p)
{
    if (p == NULL)
        return;
    archive_gear_free(&p->gear);
    free(p);
}

/* ---- tar ---- */

/* name, mode, owner, group, size, time, checksum, kind, magic */
static void
make_head(char head[TAR_BLOCK], const char *name, unsigned size)
{
    unsigned sum = 0;

    memset(head, 0, TAR_BLOCK);
    (void)snprintf(head, 100, "%s", name);
    (void)snprintf(head + 100, 8, "%07o", 0600U);
    (void)snprintf(head + 108, 8, "%07o", 0U);
    (void)snprintf(head + 116, 8, "%07o", 0U);
    (void)snprintf(head + TAR_SIZE_AT, 12, "%011o", size);
    (void)snprintf(head + 136, 12, "%011o", 0U);
    memset(head + TAR_SUM_AT, ' ', 8);
    head[156] = '0';
    memcpy(head + 257, "ustar\00000", 8);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)head[i];
    (void)snprintf(head + TAR_SUM_AT, 8, "%06o", sum);
}

static void
put_file(struct pack *p, const char *name, const char *bytes, size_t n)
{
    size_t over = n % TAR_BLOCK;

    make_head(p->head, name, (unsigned)n);
    p->next[0] = (struct span){ p->head, TAR_BLOCK };
    p->next[1] = (struct span){ bytes, n };
    p->next[2] = (struct span){ p->zeros, over > 0 ? TAR_BLOCK - over : 0 };
    p->next_i = 0;
    p->next_n = 3;
}

/* ---- what comes next ---- */

/* As much of the payload as a part holds; -1. */
static int64_t
read_part(struct pack *p)
{
    size_t n = 0;

    while (n < PART_BYTES) {
        int64_t got =
            p->source.read(p->source.ctx, p->gear.room + n, PART_BYTES - n);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (int64_t)n;
}

static enum stage
next_part(struct pack *p)
{
    char name[32];
    int64_t n = read_part(p);
    const char *text;

    if (n < 0)
        return BROKEN;
    if (n > 0) {
        if (!digest_add(p->gear.digest, p->gear.room, (size_t)n))
            return BROKEN;
        p->sum.bytes += n;
        (void)snprintf(name, sizeof(name), PART_NAME, p->parts++);
        put_file(p, name, p->gear.room, (size_t)n);
        return PARTS;
    }
    if (digest_hex(p->gear.digest, p->sum.sha256) != ERR_OK)
        return BROKEN;
    text = p->source.manifest(p->source.ctx, &p->sum);
    if (text == NULL)
        return BROKEN;
    put_file(p, MANIFEST_NAME, text, strlen(text));
    return TRAILER;
}

static void
advance(struct pack *p)
{
    switch (p->stage) {
    case PARTS:
        p->stage = next_part(p);
        break;
    case TRAILER: /* two empty blocks end a tar */
        p->next[0] = (struct span){ p->zeros, sizeof(p->zeros) };
        p->next_i = 0;
        p->next_n = 1;
        p->stage = FINISH;
        break;
    case FINISH:
    case ENDED:
    case BROKEN:
        break;
    }
}

/* Gives the compressor something to eat, if there is something. */
static void
feed(struct pack *p)
{
    while (p->gear.z.avail_in == 0 && p->stage != BROKEN) {
        if (p->next_i < p->next_n) {
            struct span s = p->next[p->next_i++];
            /* zlib does not write there */
            p->gear.z.next_in = (z_const Bytef *)(uintptr_t)s.p;
            p->gear.z.avail_in = (uInt)s.n;
        } else if (p->stage == FINISH) {
            return;
        } else {
            advance(p);
        }
    }
}

int64_t
pack_read(void *ctx, char *out, size_t n)
{
    struct pack *p = ctx;
    int done = Z_OK;

    if (p->stage == ENDED)
        return 0;
    p->gear.z.next_out = (Bytef *)out;
    p->gear.z.avail_out = (uInt)n;
    while (p->gear.z.avail_out > 0 && done != Z_STREAM_END) {
        bool all;

        feed(p);
        if (p->stage == BROKEN)
            return -1;
        all = p->stage == FINISH && p->next_i == p->next_n &&
              p->gear.z.avail_in == 0;
        done = deflate(&p->gear.z, all ? Z_FINISH : Z_NO_FLUSH);
        if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR) {
            p->stage = BROKEN;
            return -1;
        }
    }
    if (done == Z_STREAM_END)
        p->stage = ENDED;
    return (int64_t)(n - p->gear.z.avail_out);
}
