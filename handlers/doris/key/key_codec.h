/* Keys of the Meta Service's key-value store: a key space byte, then fields
 * that sort like their values. */
#ifndef MG_DORIS_KEY_CODEC_H
#define MG_DORIS_KEY_CODEC_H

#include "arena.h"
#include "buf.h"

struct key_field {
    size_t offset;    /* of its first byte in the key */
    const char *text; /* as it is shown */
};

/* The fields of a key, the space being the first. BAD_PARAM when the bytes
 * are no key, NOMEM. */
enum err key_decode(struct arena *a, const unsigned char *key, size_t n,
                    struct key_field **out, size_t *n_out) MUST_USE;

/* Appends a field. */
void key_put_bytes(struct buf *key, const char *p, size_t n);
void key_put_int(struct buf *key, int64_t v);

#endif
