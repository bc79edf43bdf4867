/* The form of a backup: read, and looked at closely, since whoever can write
 * where backups lie may have written this one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "archive_int.h"
#include "blob/press.h"
#include "crypt/digest.h"
#include "json.h"

#define PART_MAX ((uint64_t)1 << 33)

enum place {
    HEAD,     /* in a header block */
    PART,     /* in the bytes of a part */
    PADDING,  /* behind them */
    MANIFEST, /* in the manifest */
    TRAILER,  /* behind it: empty blocks */
};

struct unpack {
    blob_write_fn *write;
    void *ctx;
    struct digest *digest; /* of the payload */
    char *manifest;
    struct unpress *unpress;
    const char *wrong; /* why it is none; NULL so far */
    bool broken_off;   /* by write */
    enum place at;
    char head[TAR_BLOCK];
    size_t head_n;
    unsigned parts;
    uint64_t left, padding;
    int64_t bytes;
    size_t manifest_n, manifest_size;
    size_t empty; /* bytes of the trailer */
};

static bool take_tar(void *ctx, const char *p, size_t n);

struct unpack *
unpack_new(blob_write_fn *write, void *ctx)
{
    struct unpack *u = calloc(1, sizeof(*u));

    if (u == NULL)
        return NULL;
    u->write = write;
    u->ctx = ctx;
    u->unpress = unpress_new(take_tar, u);
    u->digest = digest_new();
    u->manifest = malloc(MANIFEST_MAX + 1);
    if (u->digest != NULL && u->manifest != NULL && u->unpress != NULL)
        return u;
    unpack_free(u);
    return NULL;
}

void
unpack_free(struct unpack *u)
{
    if (u == NULL)
        return;
    unpress_free(u->unpress);
    digest_free(u->digest);
    free(u->manifest);
    free(u);
}

static bool
refuse(struct unpack *u, const char *wrong)
{
    if (u->wrong == NULL)
        u->wrong = wrong;
    return false;
}

/* ---- tar ---- */

static bool
octal(const char *p, size_t n, uint64_t *out)
{
    size_t i = 0;

    *out = 0;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        *out = *out * 8 + (uint64_t)(p[i] - '0');
    return i > 0 && (i == n || p[i] == '\0' || p[i] == ' ');
}

static bool
sum_is_right(const char head[TAR_BLOCK])
{
    uint64_t said, sum = 0;

    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= TAR_SUM_AT && i < TAR_SUM_AT + 8 ? ' '
                                                     : (unsigned char)head[i];
    return octal(head + TAR_SUM_AT, 8, &said) && said == sum;
}

static bool
take_head(struct unpack *u)
{
    char want[32];
    uint64_t size;

    (void)snprintf(want, sizeof(want), PART_NAME, u->parts);
    if (!sum_is_right(u->head) || u->head[156] != '0' ||
        !octal(u->head + TAR_SIZE_AT, 12, &size) || size > PART_MAX)
        return refuse(u, "has a damaged header");
    u->head_n = 0;
    u->left = size;
    u->padding = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
    if (strncmp(u->head, want, 100) == 0 && size > 0) {
        u->parts++;
        u->at = PART;
        return true;
    }
    if (strncmp(u->head, MANIFEST_NAME, 100) == 0 && size <= MANIFEST_MAX) {
        u->manifest_size = (size_t)size;
        u->at = MANIFEST;
        return true;
    }
    return refuse(u, "holds a file that is no part of a backup");
}

static bool
take_payload(struct unpack *u, const char *p, size_t n)
{
    u->bytes += (int64_t)n;
    if (!digest_add(u->digest, p, n))
        return refuse(u, "cannot be summed");
    if (u->write(u->ctx, p, n))
        return true;
    u->broken_off = true;
    return false;
}

static bool
all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '\0')
            return false;
    }
    return true;
}

/* One piece of what lies at this place; how much of it, 0: refused. */
static size_t
take(struct unpack *u, const char *p, size_t n)
{
    size_t k;

    switch (u->at) {
    case HEAD:
        k = TAR_BLOCK - u->head_n < n ? TAR_BLOCK - u->head_n : n;
        memcpy(u->head + u->head_n, p, k);
        u->head_n += k;
        return u->head_n < TAR_BLOCK || take_head(u) ? k : 0;
    case PART:
        k = u->left < n ? (size_t)u->left : n;
        u->left -= k;
        if (u->left == 0)
            u->at = u->padding > 0 ? PADDING : HEAD;
        return take_payload(u, p, k) ? k : 0;
    case MANIFEST:
        k = u->left < n ? (size_t)u->left : n;
        memcpy(u->manifest + u->manifest_n, p, k);
        u->manifest_n += k;
        u->left -= k;
        if (u->left == 0)
            u->at = TRAILER;
        return k;
    case PADDING:
        k = u->padding < n ? (size_t)u->padding : n;
        u->padding -= k;
        if (u->padding == 0)
            u->at = HEAD;
        return all_zero(p, k) ? k
                              : (refuse(u, "has a damaged part"), (size_t)0);
    case TRAILER:
        u->empty += n;
        return all_zero(p, n)
                   ? n
                   : (refuse(u, "goes on behind its manifest"), (size_t)0);
    }
    return 0;
}

static bool
take_tar(void *ctx, const char *p, size_t n)
{
    struct unpack *u = ctx;

    while (n > 0) {
        size_t k = take(u, p, n);

        if (k == 0)
            return false;
        p += k;
        n -= k;
    }
    return true;
}

bool
unpack_write(void *ctx, const char *p, size_t n)
{
    struct unpack *u = ctx;

    if (unpress_write(u->unpress, p, n))
        return true;
    if (unpress_is_damaged(u->unpress))
        return refuse(u, "is damaged");
    return false;
}

static enum err
read_manifest(struct unpack *u, struct arena *a, struct instance_backup *out,
              char why[WHY_BYTES])
{
    struct json_error error;
    struct bind_error bound;
    const struct json *doc;
    enum err e = json_parse(a, u->manifest, u->manifest_n, 0, &doc, &error);

    if (e == ERR_OK)
        e = record_bind(a, &instance_backup_rec, doc, 0, out, &bound);
    if (e != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM,
                        "the archive's manifest cannot be read");
    if (out->format != BACKUP_FORMAT || !out->completed ||
        out->engine == NULL || out->version == NULL)
        return why_fail(why, ERR_BAD_PARAM,
                        "the archive is of a form that is not known");
    return ERR_OK;
}

enum err
unpack_end(struct unpack *u, struct arena *a, struct instance_backup *manifest,
           char why[WHY_BYTES])
{
    char sha256[65];
    enum err e;

    if (u->wrong != NULL)
        return why_fail(why, ERR_BAD_PARAM, "the archive %s", u->wrong);
    if (u->broken_off)
        return why_fail(why, ERR_STATE, "broken off");
    if (!unpress_may_end(u->unpress) || u->at != TRAILER ||
        u->empty < (size_t)(2 * TAR_BLOCK) +
                       (TAR_BLOCK - u->manifest_size % TAR_BLOCK) % TAR_BLOCK)
        return why_fail(why, ERR_BAD_PARAM,
                        "the archive is cut off: it has no end");
    e = digest_hex(u->digest, sha256);
    if (e == ERR_OK)
        e = read_manifest(u, a, manifest, why);
    if (e == ERR_OK && (manifest->payload_bytes != u->bytes ||
                        manifest->payload_sha256 == NULL ||
                        strcmp(manifest->payload_sha256, sha256) != 0))
        e = why_fail(why, ERR_BAD_PARAM,
                     "the archive is damaged: its sums do not agree");
    return e;
}
