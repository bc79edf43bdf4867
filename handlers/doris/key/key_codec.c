/* The codec: bytes are 10 <payload, 00 as 00 FF> 00 01; integers 12, or 11
 * when negative, and the absolute value in eight bytes; a versionstamp is 13
 * and ten bytes, and a key that ends with one has FF behind it. */

#include <string.h>

#include "key_codec.h"
#include "utf8.h"

enum {
    TAG_BYTES = 0x10,
    TAG_NEGATIVE = 0x11,
    TAG_POSITIVE = 0x12,
    TAG_STAMP = 0x13,
    STAMP_END = 0xff,
    STAMP_BYTES = 10,
};

/* What is still to be read of a key. */
struct reader {
    struct arena *a;
    const unsigned char *key;
    size_t n, at;
};

/* Text as it may stand in a drawing: control bytes, and what is not UTF-8,
 * as \xNN. */
static const char *
shown(struct arena *a, const unsigned char *p, size_t n)
{
    struct buf b = BUF_INIT(n * 4 + 1);
    const char *s;

    for (size_t i = 0; i < n;) {
        size_t len = utf8_len((const char *)p + i, n - i);

        if (len == 0 || p[i] < 0x20 || p[i] == 0x7f) {
            buf_printf(&b, "\\x%02x", p[i]);
            len = 1;
        } else {
            buf_put(&b, (const char *)p + i, len);
        }
        i += len;
    }
    return buf_settle(&b, a, &s) == ERR_OK ? s : NULL;
}

static enum err
read_bytes(struct reader *r, const char **out)
{
    unsigned char *payload = arena_alloc(r->a, r->n - r->at);
    size_t k = 0;

    if (payload == NULL)
        return ERR_NOMEM;
    for (; r->at < r->n; r->at++) {
        if (r->key[r->at] != 0) {
            payload[k++] = r->key[r->at];
            continue;
        }
        if (++r->at == r->n)
            return ERR_BAD_PARAM;
        if (r->key[r->at] == 0x01)
            break;
        if (r->key[r->at] != 0xff)
            return ERR_BAD_PARAM;
        payload[k++] = 0;
    }
    if (r->at == r->n) /* no terminator */
        return ERR_BAD_PARAM;
    r->at++;
    *out = shown(r->a, payload, k);
    return *out == NULL ? ERR_NOMEM : ERR_OK;
}

static enum err
read_int(struct reader *r, bool negative, const char **out)
{
    uint64_t v = 0;

    if (r->n - r->at < 8)
        return ERR_BAD_PARAM;
    for (int i = 0; i < 8; i++)
        v = v << 8 | r->key[r->at++];
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return ERR_BAD_PARAM;
    *out = arena_printf(r->a, "%s%llu", negative && v != 0 ? "-" : "",
                        (unsigned long long)v);
    return *out == NULL ? ERR_NOMEM : ERR_OK;
}

static enum err
read_stamp(struct reader *r, const char **out)
{
    struct buf b = BUF_INIT(2 * STAMP_BYTES);

    if (r->n - r->at < STAMP_BYTES)
        return ERR_BAD_PARAM;
    for (int i = 0; i < STAMP_BYTES; i++)
        buf_printf(&b, "%02x", r->key[r->at++]);
    if (r->n - r->at == 1 && r->key[r->at] == STAMP_END)
        r->at++;
    return buf_settle(&b, r->a, out);
}

static enum err
read_field(struct reader *r, struct key_field *out)
{
    out->offset = r->at;
    switch (r->key[r->at++]) {
    case TAG_BYTES:
        return read_bytes(r, &out->text);
    case TAG_NEGATIVE:
        return read_int(r, true, &out->text);
    case TAG_POSITIVE:
        return read_int(r, false, &out->text);
    case TAG_STAMP: /* of the versioned space only */
        if (r->key[0] == 3)
            return read_stamp(r, &out->text);
        return ERR_BAD_PARAM;
    default:
        return ERR_BAD_PARAM;
    }
}

enum err
key_decode(struct arena *a, const unsigned char *key, size_t n,
           struct key_field **out, size_t *n_out)
{
    struct reader r = { a, key, n, 1 };
    struct key_field *v;
    size_t k = 1;
    enum err e = ERR_OK;

    if (n == 0)
        return ERR_BAD_PARAM;
    v = arena_array(a, n / 3 + 2, sizeof(*v)); /* a field has 3 bytes or more */
    if (v == NULL)
        return ERR_NOMEM;
    v[0].offset = 0;
    v[0].text = arena_printf(a, "key space: %u", (unsigned)key[0]);
    while (r.at < n && e == ERR_OK)
        e = read_field(&r, &v[k++]);
    *out = v;
    *n_out = k;
    return v[0].text == NULL ? ERR_NOMEM : e;
}

void
key_put_bytes(struct buf *key, const char *p, size_t n)
{
    buf_putc(key, TAG_BYTES);
    for (size_t i = 0; i < n; i++) {
        buf_putc(key, p[i]);
        if (p[i] == '\0')
            buf_putc(key, (char)0xff);
    }
    buf_put(key, "\x00\x01", 2);
}

void
key_put_int(struct buf *key, int64_t v)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    buf_putc(key, v < 0 ? TAG_NEGATIVE : TAG_POSITIVE);
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_putc(key, (char)(unsigned char)(u >> shift));
}
