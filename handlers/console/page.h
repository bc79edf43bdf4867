/* Pages of lists, by key: what every list of the API takes and answers. */
#ifndef CONSOLE_PAGE_H
#define CONSOLE_PAGE_H

#include "req.h"

/* What a list is asked by, beside its own filters. */
#define CONSOLE_PAGE(X, s)                                            \
    X(s, I32, limit, "limit", QUERY, -, .min = 1, .max = 1000,        \
      .doc = "how many at most; 100 when absent")                     \
    X(s, STR, cursor, "cursor", QUERY, -, .max = CONSOLE_CURSOR_TEXT, \
      .doc = "`next` of the page before: what follows it, by the same key")

#define CONSOLE_LIMIT       100
#define CONSOLE_CURSOR_TEXT 4096
#define CONSOLE_KEYS        5

/* Where a page ends, as the parts of a key; "" for those that it has not. */
struct console_key {
    const char *part[CONSOLE_KEYS];
};

/* The key in a cursor; of none ("" or NULL) the one before all others. What
 * nobody was given is refused: what req_fail says. */
enum err console_key_read(struct req *r, const char *cursor,
                          struct console_key *out) MUST_USE;

/* The cursor of a key, in the arena; NULL without memory. */
const char *console_key_write(struct arena *a, const struct console_key *key);

/* A number as a part of a key; NULL without memory. */
const char *console_key_u64(struct arena *a, uint64_t v);

/* How many a page has: limit, or the default. */
#define CONSOLE_LIMIT_OF(in, s) \
    ((size_t)(HAS(in, s, limit) ? (in)->limit : CONSOLE_LIMIT))

#endif
