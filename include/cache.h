/* Room: cache/ */
/* The room is what is kept of the store: replies that were rendered once
 * (here), and how processes and hosts know whether what they have read still
 * holds (coherence.h; the file behind it: cache/coherence_int.h). A *version*
 * says which state of the store a reply shows; a *mark* of coherence.h is one
 * that is had without asking the store.
 *
 * This header: rendered replies of this process, each with the version of what
 * it shows. Never an answer by itself: whoever asks knows the present version,
 * read from the store just now or from coherence.h, and a reply of another
 * version is no longer one. */
#ifndef MG_CACHE_H
#define MG_CACHE_H

#include "arena.h"
#include "base.h"

#define CACHE_VERSIONS 5

/* What it shows: a name in a namespace ("mine.table"), and its version. */
struct cache_key {
    const char *space; /* a constant */
    struct span name;
    uint64_t version[CACHE_VERSIONS];
};

/* Bytes that all replies together may take, with what they are found by; 0:
 * nothing is kept. At start, before threads. */
void cache_init(size_t bytes);

/* A copy in the arena; NOT_FOUND, or NOMEM. */
enum err cache_get(struct arena *a, const struct cache_key *key,
                   struct span *out) MUST_USE;

/* Keeps a copy in place of another version. What was not asked for longest
 * goes first; a text larger than a quarter of all bytes is not kept, and
 * without memory nothing is. */
void cache_put(const struct cache_key *key, struct span text);

/* Forgets everything (tests, end of the process). */
void cache_clear(void);

#endif
