/* Replies that are kept as they are sent, for as long as coherence.h says that
 * what they show holds. */
#ifndef DORIS_KEEP_H
#define DORIS_KEEP_H

#include "cache.h"
#include "req.h"

struct doris_keep {
    bool may;
    struct cache_key key;
};

/* Before the store is read: whether a reply may be kept that hangs on those two
 * things (both may be the same). name tells it from all others of its space; in
 * the arena, NULL without memory. */
enum err
doris_keep_look(struct doris_keep *out, const char *space, const char *name,
                const char *thing, const char *other) MUST_USE;

/* Answers with what is kept; NOT_FOUND when nothing is. */
enum err doris_keep_answer(struct req *r, const struct doris_keep *k) MUST_USE;

/* Renders it, keeps it and answers with it. LIMIT: it is too large to be kept;
 * then rows (NULL: it has none) have been read to their end. */
enum err doris_keep_send(struct req *r, const struct doris_keep *k,
                         const struct record *rec, const void *out,
                         struct rows *rows) MUST_USE;

#endif
