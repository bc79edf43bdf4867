/* The keys of the original's store by their types: key.c. */
#ifndef MG_DORIS_KEY_H
#define MG_DORIS_KEY_H

#include "doris/doris.h"

/* A key of this many bytes is taken. */
#define DORIS_KEY_BYTES 4096

/* A row of key_types.def. */
struct key_type {
    const char *name;
    unsigned char space;
    const char *fields; /* "txn s:instance_id txn_info i:db_id i:txn_id" */
};

/* NULL when there is none of that name. */
const struct key_type *doris_key_type(const char *name);

/* Pairs of hex digits; NULL when the text is not that. */
unsigned char *doris_key_from_hex(struct arena *a, const char *hex, size_t *n);

/* The key of that type from the request's query; req_fail says what is
 * missing. */
enum err doris_key_build(struct req *r, const struct key_type *type,
                         struct buf *key) MUST_USE;

/* Its bytes, each in two digits behind the given text. */
const char *
doris_key_hex(struct req *r, const struct buf *key, const char *before);

#endif
