/* The form of a backup: made. */
#include "archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive_int.h"
#include "blob/gzip.h"
#include "config.h"
#include "crypt/digest.h"

#define PART_BYTES ((size_t)4 << 20)

enum stage { PARTS, TRAILER, ENDED, BROKEN };

struct pack {
    struct pack_source source;
    enum stage stage;
    unsigned parts;
    struct blob_sum sum;
    struct archive_gear gear; /* its room: a part */
    struct gzip *gzip;
    char head[TAR_BLOCK];
    char zeros[2 * TAR_BLOCK];
    struct span next[3]; /* head, bytes, padding: what is left of them */
    size_t next_i, next_n;
};

/* ---- what either side works with ---- */

bool
archive_gear_make(struct archive_gear *g, size_t room_bytes)
{
    g->digest = digest_new();
    g->room = malloc(room_bytes);
    return g->digest != NULL && g->room != NULL;
}

void
archive_gear_free(struct archive_gear *g)
{
    digest_free(g->digest);
    free(g->room);
}

/* ---- one that is made ---- */

static int64_t read_tar(void *ctx, char *out, size_t n);

struct pack *
pack_new(const struct pack_source *source)
{
    struct pack *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->source = *source;
    p->gzip = gzip_new((int)config()->instance_backup_level, read_tar, p);
    if (archive_gear_make(&p->gear, PART_BYTES) && p->gzip != NULL)
        return p;
    pack_free(p);
    return NULL;
}

void
pack_free(struct pack *p)
{
    if (p == NULL)
        return;
    gzip_free(p->gzip);
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
    if (p->stage == PARTS) {
        p->stage = next_part(p);
    } else if (p->stage == TRAILER) { /* two empty blocks end a tar */
        p->next[0] = (struct span){ p->zeros, sizeof(p->zeros) };
        p->next_i = 0;
        p->next_n = 1;
        p->stage = ENDED;
    }
}

/* The tar, a piece at a time; 0 at its end. */
static int64_t
read_tar(void *ctx, char *out, size_t n)
{
    struct pack *p = ctx;
    struct span *s;
    size_t k;

    while (p->next_i == p->next_n || p->next[p->next_i].n == 0) {
        if (p->next_i < p->next_n)
            p->next_i++;
        else if (p->stage == BROKEN)
            return -1;
        else if (p->stage == ENDED)
            return 0;
        else
            advance(p);
    }
    s = &p->next[p->next_i];
    k = s->n < n ? s->n : n;
    memcpy(out, s->p, k);
    s->p += k;
    s->n -= k;
    return (int64_t)k;
}

int64_t
pack_read(void *ctx, char *out, size_t n)
{
    struct pack *p = ctx;

    return gzip_read(p->gzip, out, n);
}
