#include "zone.h"

#include <stdio.h>
#include <string.h>

#include "file.h"
#include "sink_int.h"

#define FOLDER     "/usr/share/zoneinfo/"
#define FILE_BYTES ((size_t)1 << 20)
#define NAME_MAX_  64
#define HEAD       44 /* bytes of a header */
#define OFFSET_MAX 93600

struct zone {
    size_t n_times, n_types;
    const unsigned char *times; /* of 8 bytes, big-endian, ascending */
    const unsigned char *type;  /* that begins then */
    const unsigned char *types; /* of 6 bytes: the offset, then what it is */
};

static uint32_t
be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int64_t
be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Counts of a header, and how long the block behind it is. */
struct head {
    uint32_t utc, std, leap, time, type, chars;
    size_t bytes;
};

static bool
read_head(const unsigned char *p, size_t n, size_t time_bytes, struct head *out)
{
    if (n < HEAD || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *out = (struct head){ be32(p + 20),
                          be32(p + 24),
                          be32(p + 28),
                          be32(p + 32),
                          be32(p + 36),
                          be32(p + 40),
                          0 };
    if (out->utc > FILE_BYTES || out->std > FILE_BYTES ||
        out->leap > FILE_BYTES || out->time > FILE_BYTES ||
        out->type > FILE_BYTES || out->chars > FILE_BYTES)
        return false;
    out->bytes = out->time * (time_bytes + 1) + out->type * (size_t)6 +
                 out->chars + out->leap * (time_bytes + 4) + out->std +
                 out->utc;
    return out->bytes <= n - HEAD;
}

static bool
is_sound(const struct zone *z)
{
    for (size_t i = 0; i < z->n_times; i++)
        if (z->type[i] >= z->n_types ||
            (i > 0 && be64(z->times + 8 * i) <= be64(z->times + 8 * (i - 1))))
            return false;
    for (size_t i = 0; i < z->n_types; i++) {
        int32_t s = (int32_t)be32(z->types + 6 * i);

        if (s < -OFFSET_MAX || s > OFFSET_MAX)
            return false;
    }
    return z->n_types > 0;
}

enum err
zone_parse(struct arena *a, const char *text, size_t n, const struct zone **out)
{
    const unsigned char *p = (const unsigned char *)text;
    struct head old, head;
    struct zone *z;

    /* the first block has times of 4 bytes, for readers of before 2005 */
    if (!read_head(p, n, 4, &old))
        return ERR_BAD_PARAM;
    p += HEAD + old.bytes;
    n -= HEAD + old.bytes;
    if (!read_head(p, n, 8, &head))
        return ERR_BAD_PARAM;
    z = arena_alloc(a, sizeof(*z));
    if (z == NULL)
        return ERR_NOMEM;
    p += HEAD;
    *z = (struct zone){ .n_times = head.time,
                        .n_types = head.type,
                        .times = p,
                        .type = p + (size_t)8 * head.time,
                        .types = p + (size_t)9 * head.time };
    if (!is_sound(z))
        return ERR_BAD_PARAM;
    *out = z;
    return ERR_OK;
}

int32_t
zone_offset_s(const struct zone *z, int64_t unix_s)
{
    size_t low = 0, high = z->n_times; /* how many are not behind it */

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (be64(z->times + 8 * middle) <= unix_s)
            low = middle + 1;
        else
            high = middle;
    }
    return (int32_t)be32(z->types +
                         6 * (low > 0 ? (size_t)z->type[low - 1] : 0));
}

static bool
is_name(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-";

    return strlen(name) <= NAME_MAX_ && name[0] != '/' &&
           name[strspn(name, plain)] == '\0';
}

enum err
zone_choose(struct arena *a, const char *name, struct zone_choice *out,
            struct sink_fault *why)
{
    char path[sizeof(FOLDER) + NAME_MAX_], *text;
    size_t n;
    enum err e = ERR_BAD_PARAM;

    *out = (struct zone_choice){ .local = str_empty(name) ||
                                          strcasecmp(name, "system") == 0 ||
                                          strcasecmp(name, "local") == 0 };
    if (out->local || strcmp(name, "UTC") == 0)
        return ERR_OK;
    if (is_name(name)) {
        (void)snprintf(path, sizeof(path), FOLDER "%s", name);
        e = file_read(a, path, FILE_BYTES, &text, &n);
        if (e == ERR_OK)
            e = zone_parse(a, text, n, &out->zone);
    }
    return e == ERR_OK || e == ERR_NOMEM
               ? e
               : sink_refuse(why, "CDC:ErrAPIInvalidParam",
                             "invalid timezone:%.64s", name);
}

int32_t
zone_ahead_s(const struct zone_choice *c, int64_t unix_s)
{
    return c->zone != NULL ? zone_offset_s(c->zone, unix_s) : 0;
}
