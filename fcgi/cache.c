/* A few rendered replies. A handful of large ones is what dashboards ask for
 * again and again, so a short array searched in order is enough. */
#include "cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES   32
#define BYTES_MAX ((size_t)32 << 20) /* of all texts together */

struct entry {
    struct cache_key key; /* space NULL: free */
    char *p;
    size_t n;
    uint64_t asked; /* a clock of requests */
};

static struct {
    pthread_mutex_t mutex;
    struct entry entry[ENTRIES];
    size_t bytes;
    uint64_t clock;
} cache = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static struct entry *
find(const struct cache_key *key)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *e = &cache.entry[i];

        if (e->key.space != NULL && e->key.id == key->id &&
            strcmp(e->key.space, key->space) == 0)
            return e;
    }
    return NULL;
}

static bool
is_current(const struct entry *e, const struct cache_key *key)
{
    return e->key.version[0] == key->version[0] &&
           e->key.version[1] == key->version[1];
}

static void
drop(struct entry *e)
{
    cache.bytes -= e->n;
    free(e->p);
    memset(e, 0, sizeof(*e));
}

enum err
cache_get(struct arena *a, const struct cache_key *key, struct span *out)
{
    enum err result = ERR_NOT_FOUND;
    struct entry *e;

    pthread_mutex_lock(&cache.mutex);
    e = find(key);
    if (e != NULL && is_current(e, key)) {
        e->asked = ++cache.clock;
        out->n = e->n;
        out->p = arena_strndup(a, e->p, e->n);
        result = out->p == NULL ? ERR_NOMEM : ERR_OK;
    }
    pthread_mutex_unlock(&cache.mutex);
    return result;
}

/* A free one, or the one that was asked for longest ago. */
static struct entry *
oldest(void)
{
    struct entry *best = &cache.entry[0];

    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *e = &cache.entry[i];

        if (e->key.space == NULL)
            return e;
        if (e->asked < best->asked)
            best = e;
    }
    return best;
}

static struct entry *
oldest_used(void)
{
    struct entry *best = NULL;

    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *e = &cache.entry[i];

        if (e->key.space != NULL && (best == NULL || e->asked < best->asked))
            best = e;
    }
    return best;
}

static void
make_room(size_t n)
{
    struct entry *e;

    while (cache.bytes + n > BYTES_MAX && (e = oldest_used()) != NULL)
        drop(e);
}

void
cache_put(const struct cache_key *key, struct span text)
{
    char *p = text.n <= BYTES_MAX / 4 ? malloc(text.n + 1) : NULL;
    struct entry *e;

    if (p == NULL)
        return;
    memcpy(p, text.p, text.n);
    pthread_mutex_lock(&cache.mutex);
    e = find(key);
    if (e == NULL)
        e = oldest();
    if (e->key.space != NULL)
        drop(e);
    make_room(text.n);
    *e = (struct entry){ *key, p, text.n, ++cache.clock };
    cache.bytes += text.n;
    pthread_mutex_unlock(&cache.mutex);
}

void
cache_clear(void)
{
    pthread_mutex_lock(&cache.mutex);
    for (size_t i = 0; i < ENTRIES; i++)
        if (cache.entry[i].key.space != NULL)
            drop(&cache.entry[i]);
    pthread_mutex_unlock(&cache.mutex);
}
