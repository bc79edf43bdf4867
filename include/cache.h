/* Rendered replies of this process, each with the version of what it shows.
 * Never an answer by itself: whoever asks has just read the version from the
 * store, and a reply of another version is no longer one. So processes need
 * not agree on anything here. */
#ifndef MG_CACHE_H
#define MG_CACHE_H

#include "arena.h"
#include "base.h"

/* What it shows: a namespace ("pegasus.app"), a number in it, its version. */
struct cache_key {
    const char *space; /* a constant */
    int64_t id;
    int64_t version[2];
};

/* A copy in the arena; NOT_FOUND, or NOMEM. */
enum err cache_get(struct arena *a, const struct cache_key *key,
                   struct span *out) MUST_USE;

/* Keeps a copy in place of an older version. Large texts and what was not
 * asked for longest go first; without memory nothing is kept. */
void cache_put(const struct cache_key *key, struct span text);

/* Forgets everything (tests, end of the process). */
void cache_clear(void);

#endif
