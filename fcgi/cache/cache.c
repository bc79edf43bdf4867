/* Rendered replies: a hash table whose entries are also in the order in which
 * they were last asked for. One lock: what it is held for is a copy. */
#include "cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

#define BUCKETS       65536 /* a power of two */
#define BYTES_DEFAULT ((size_t)64 << 20)

/* An entry is in its bucket's list and, between the two ends, in the ring:
 * ring.newer is what was asked for longest ago. */
struct entry {
    struct entry *next; /* in the bucket */
    struct entry *newer, *older;
    const char *space;
    uint64_t hash;
    uint64_t version[CACHE_VERSIONS];
    size_t name_bytes, text_bytes;
    char bytes[]; /* the name, the text */
};

static struct {
    pthread_mutex_t mutex;
    struct entry *bucket[BUCKETS];
    struct entry ring;
    size_t bytes, bytes_max;
} cache = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .ring = { .newer = &cache.ring, .older = &cache.ring },
    .bytes_max = BYTES_DEFAULT,
};

static uint64_t
hash_of(const struct cache_key *key)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (const char *p = key->space; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    for (size_t i = 0; i < key->name.n; i++)
        h = (h ^ (unsigned char)key->name.p[i]) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

static size_t
size_of(const struct entry *e)
{
    return sizeof(*e) + e->name_bytes + e->text_bytes;
}

static bool
is_named(const struct entry *e, const struct cache_key *key, uint64_t hash)
{
    return e->hash == hash && e->name_bytes == key->name.n &&
           memcmp(e->bytes, key->name.p, key->name.n) == 0 &&
           strcmp(e->space, key->space) == 0;
}

/* Where the entry hangs in its bucket, or the bucket's end. */
static struct entry **
place_of(const struct cache_key *key, uint64_t hash)
{
    struct entry **at = &cache.bucket[hash % BUCKETS];

    while (*at != NULL && !is_named(*at, key, hash))
        at = &(*at)->next;
    return at;
}

/* ---- the ring ---- */

static void
unlink_ring(struct entry *e)
{
    e->newer->older = e->older;
    e->older->newer = e->newer;
}

static void
make_newest(struct entry *e)
{
    e->newer = &cache.ring;
    e->older = cache.ring.older;
    e->older->newer = e;
    e->newer->older = e;
}

static void
drop(struct entry **at)
{
    struct entry *e = *at;

    *at = e->next;
    unlink_ring(e);
    cache.bytes -= size_of(e);
    free(e);
}

static void
drop_oldest(void)
{
    struct entry *e = cache.ring.newer;
    struct entry **at = &cache.bucket[e->hash % BUCKETS];

    while (*at != e)
        at = &(*at)->next;
    drop(at);
}

/* ---- the calls ---- */

void
cache_init(size_t bytes)
{
    cache.bytes_max = bytes;
}

enum err
cache_get(struct arena *a, const struct cache_key *key, struct span *out)
{
    uint64_t hash = hash_of(key);
    enum err result = ERR_NOT_FOUND;
    struct entry *e;

    pthread_mutex_lock(&cache.mutex);
    e = *place_of(key, hash);
    if (e != NULL &&
        memcmp(e->version, key->version, sizeof(e->version)) == 0) {
        unlink_ring(e);
        make_newest(e);
        out->n = e->text_bytes;
        out->p = arena_strndup(a, e->bytes + e->name_bytes, e->text_bytes);
        result = out->p == NULL ? ERR_NOMEM : ERR_OK;
    }
    pthread_mutex_unlock(&cache.mutex);
    metrics_add(result == ERR_OK ? METRIC_CACHE_HITS : METRIC_CACHE_MISSES, 1);
    return result;
}

static struct entry *
make_entry(const struct cache_key *key, struct span text)
{
    struct entry *e = NULL;

    if (text.n <= cache.bytes_max / 4)
        e = malloc(sizeof(*e) + key->name.n + text.n);
    if (e == NULL)
        return NULL;
    *e = (struct entry){
        .space = key->space,
        .hash = hash_of(key),
        .name_bytes = key->name.n,
        .text_bytes = text.n,
    };
    memcpy(e->version, key->version, sizeof(e->version));
    memcpy(e->bytes, key->name.p, key->name.n);
    memcpy(e->bytes + key->name.n, text.p, text.n);
    return e;
}

void
cache_put(const struct cache_key *key, struct span text)
{
    struct entry *e = make_entry(key, text), **at;

    if (e == NULL)
        return;
    pthread_mutex_lock(&cache.mutex);
    at = place_of(key, e->hash);
    if (*at != NULL)
        drop(at);
    cache.bytes += size_of(e);
    e->next = cache.bucket[e->hash % BUCKETS];
    cache.bucket[e->hash % BUCKETS] = e;
    make_newest(e);
    while (cache.bytes > cache.bytes_max)
        drop_oldest();
    pthread_mutex_unlock(&cache.mutex);
}

void
cache_clear(void)
{
    pthread_mutex_lock(&cache.mutex);
    while (cache.ring.newer != &cache.ring)
        drop_oldest();
    pthread_mutex_unlock(&cache.mutex);
}
