/* Keys of the original's store, and what is under them: key.c, value.c. */
#ifndef MG_DORIS_KEY_H
#define MG_DORIS_KEY_H

#include "doris/doris.h"

#define DORIS_DECODE_KEY(X, s)      \
    X(s, STR, key, "key", QUERY, -) \
    X(s, STR, unicode, "unicode", QUERY, -)
STRUCT(doris_decode_key, DORIS_DECODE_KEY);

/* The parameters of a key are those of its type (key_types.def), so they are
 * read by name. */
#define DORIS_ENCODE_KEY(X, s)                \
    X(s, STR, key_type, "key_type", QUERY, -) \
    X(s, STR, unicode, "unicode", QUERY, -)
STRUCT(doris_encode_key, DORIS_ENCODE_KEY);

/* decode_key and encode_key as JSON */
#define DORIS_KEY_FIELDS(X, s)    \
    X(s, STR, key, "key", OUT, -) \
    X(s, LIST, fields, "fields", OUT, STR)
STRUCT(doris_key_fields, DORIS_KEY_FIELDS);

#define DORIS_GET_VALUE(X, s)                 \
    X(s, STR, key_type, "key_type", QUERY, -) \
    X(s, STR, key, "key", QUERY, -)
STRUCT(doris_get_value, DORIS_GET_VALUE);

#define DORIS_VALUE(X, s)         \
    X(s, STR, key, "key", OUT, -) \
    X(s, JSON, value, "value", OUT, -)
STRUCT(doris_value, DORIS_VALUE);

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
