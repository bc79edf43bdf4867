/* The form of a backup: made. */
#include "archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive_int.h"
#include "blob/press.h"
#include "config.h"
#include "crypt/digest.h"

enum stage { PARTS, ENDED, BROKEN };

struct pack {
    struct pack_source source;
    enum stage stage;
    unsigned parts;
    struct blob_sum sum;
    struct digest *digest; /* of the payload */
    struct press *press;
    char head[TAR_BLOCK];
    char zeros[2 * TAR_BLOCK];
    struct span next[4]; /* of the manifest and the end: what is left of them */
    size_t next_i, next_n;
};

/* ---- one that is made ---- */

static int64_t read_tar(void *ctx, char *out, size_t n);

/* As configured, which has been looked at (config_rules.c). */
static enum press_form
form(void)
{
    const char *word = config()->instance_backup_compression;

    if (config()->instance_backup_level == 0 || strcmp(word, "none") == 0)
        return PRESS_NONE;
    return strcmp(word, "gzip") == 0 ? PRESS_GZIP : PRESS_ZSTD;
}

struct pack *
pack_new(const struct pack_source *source)
{
    struct pack *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->source = *source;
    p->press =
        press_new(form(), (int)config()->instance_backup_level, read_tar, p);
    p->digest = digest_new();
    if (p->digest != NULL && p->press != NULL)
        return p;
    pack_free(p);
    return NULL;
}

void
pack_free(struct pack *p)
{
    press_free(p->press);
    digest_free(p->digest);
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

static size_t
padding(size_t n)
{
    return (TAR_BLOCK - n % TAR_BLOCK) % TAR_BLOCK;
}

/* ---- what comes next ---- */

/* Of the payload, until it ends; -1. */
static int64_t
read_payload(struct pack *p, char *out, size_t max)
{
    size_t n = 0;
    int64_t got = 1;

    while (n < max && got > 0) {
        got = p->source.read(p->source.ctx, out + n, max - n);
        if (got > 0)
            n += (size_t)got;
    }
    return got < 0 ? -1 : (int64_t)n;
}

/* A part, made where it is wanted: as much of the payload as fits there behind
 * its header. 0: there was nothing left; -1. */
static int64_t
next_part(struct pack *p, char *out, size_t n)
{
    size_t max = n / TAR_BLOCK * TAR_BLOCK, pad;
    int64_t got = max > TAR_BLOCK
                      ? read_payload(p, out + TAR_BLOCK, max - TAR_BLOCK)
                      : -1;
    char name[32];

    if (got <= 0)
        return got;
    if (!digest_add(p->digest, out + TAR_BLOCK, (size_t)got))
        return -1;
    p->sum.bytes += got;
    (void)snprintf(name, sizeof(name), PART_NAME, p->parts++);
    make_head(out, name, (unsigned)got);
    pad = padding((size_t)got);
    memset(out + TAR_BLOCK + got, 0, pad);
    return TAR_BLOCK + got + (int64_t)pad;
}

static enum stage
put_manifest(struct pack *p)
{
    const char *text;
    size_t n;

    if (digest_hex(p->digest, p->sum.sha256) != ERR_OK)
        return BROKEN;
    text = p->source.manifest(p->source.ctx, &p->sum);
    if (text == NULL)
        return BROKEN;
    n = strlen(text);
    make_head(p->head, MANIFEST_NAME, (unsigned)n);
    p->next[0] = (struct span){ p->head, TAR_BLOCK };
    p->next[1] = (struct span){ text, n };
    p->next[2] = (struct span){ p->zeros, padding(n) };
    /* two empty blocks end a tar */
    p->next[3] = (struct span){ p->zeros, sizeof(p->zeros) };
    p->next_n = 4;
    return ENDED;
}

/* The tar, a piece at a time; 0 at its end. */
static int64_t
read_tar(void *ctx, char *out, size_t n)
{
    struct pack *p = ctx;
    struct span *s;
    size_t k;

    if (p->stage == PARTS) {
        int64_t got = next_part(p, out, n);

        if (got > 0)
            return got;
        p->stage = got == 0 ? put_manifest(p) : BROKEN;
    }
    if (p->stage == BROKEN)
        return -1;
    while (p->next_i < p->next_n && p->next[p->next_i].n == 0)
        p->next_i++;
    if (p->next_i == p->next_n)
        return 0;
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

    return press_read(p->press, out, n);
}
