/* Between json_scan.c, which judges a text, and json.c, which builds its tree.
 *
 * The rewritten text is valid JSON in which every scalar is a string with a
 * tag in front: "s" string, "n" number (its digits), "t", "f", "z" for true,
 * false and null. Escapes are in one canonical form. */
#ifndef MG_JSON_SCAN_H
#define MG_JSON_SCAN_H

#include "json.h"

enum {
    JSON_TAG_STRING = 's',
    JSON_TAG_NUMBER = 'n',
    JSON_TAG_TRUE = 't',
    JSON_TAG_FALSE = 'f',
    JSON_TAG_NULL = 'z',
};

/* Largest text; offsets fit into 32 bits. DESIGN bounds bodies far below. */
#define JSON_MAX_BYTES (256u * 1024 * 1024)

/* Where a value lies in the text as sent. */
struct json_extent {
    uint32_t start, end;
};

struct json_scanned {
    struct buf text;             /* rewritten */
    struct json_extent *extents; /* of all values, in the order of the text */
    size_t n;
};

/* Values in a client's text of n bytes that are read at most. One costs up to
 * 150 bytes in cJSON, so this keeps a request's tree below 16 times its body
 * and 8 MiB, however the body is made. What we have written ourselves
 * (JSON_OWN) is read whatever it holds. */
size_t json_max_values(size_t n);

/* Judges and rewrites n bytes at text. *out is valid for json_scanned_free
 * whatever the result. BAD_PARAM or LIMIT with *why filled, or NOMEM. */
enum err json_scan(const char *text, size_t n, unsigned lenient,
                   struct json_scanned *out, struct json_error *why) MUST_USE;

void json_scanned_free(struct json_scanned *s);

/* A client's name for a message: itself when short and of letters, digits and
 * _ . $ -, otherwise "?". */
void json_name_for_message(char out[49], const char *name, size_t n);

#endif
