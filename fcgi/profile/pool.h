/* The other workers of this host, each asked for its profile while we take
 * ours. */
#ifndef MG_POOL_H
#define MG_POOL_H

#include <poll.h>

#include "req.h"

/* How long an answer may be on its way when ours is done. */
#define POOL_REST_MS 10000

struct pool {
    struct req *r;
    size_t n;                  /* of the others */
    struct pool_peer *peer;    /* in the request's arena */
    struct pollfd *look;       /* one for each */
    const char *refused, *why; /* who has none for us; NULL: nobody so far */
};

/* In the arena, which also ends the connections. NULL without memory. */
struct pool *pool_new(struct arena *a);

/* Asks each of them for /worker/<n>/pprof/<name>; seconds < 0: as it is now.
 * BUSY when one does not take the question: refused and why are set. */
enum err
pool_ask(struct pool *p, struct req *r, const char *name, int seconds) MUST_USE;

/* Takes the answers that have come; with ms waits for all of them, as long.
 * False when one has refused, or is missing in the end: refused and why. */
bool pool_look(struct pool *p, int ms) MUST_USE;

/* Appends the sum of our profile and theirs. */
enum err
pool_sum(struct pool *p, const char *own, size_t n, struct buf *out) MUST_USE;

#endif
