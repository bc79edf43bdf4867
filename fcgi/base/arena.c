/* Memory that goes at once: a chain of blocks, filled from the front. Under
 * AddressSanitizer everything that is not handed out is poisoned, so that a
 * use after the reset is reported as if it were a use after free. */
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef METAGATE_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#define GAP            ALIGN /* between two pieces: an overrun meets poison */
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define GAP            0
#endif

#define ALIGN _Alignof(max_align_t)

enum {
    FIRST_BLOCK = 16 * 1024, /* holds a usual request whole */
    LARGEST_BLOCK = 256 * 1024,
};

struct block {
    struct block *next;
    size_t cap, used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct defer {
    struct defer *next;
    void (*release)(void *);
    void *thing;
};

struct arena {
    size_t max, used;
    struct block *first; /* kept over a reset */
    struct block *now;   /* head of the chain: the one being filled */
    struct defer *defers;
    bool full; /* something was refused for max */
};

static struct block *
block_new(size_t cap)
{
    struct block *b = malloc(sizeof(*b) + cap);

    if (b == NULL)
        return NULL;
    *b = (struct block){ .cap = cap };
    POISON(b->bytes, cap);
    return b;
}

static void
block_free(struct block *b)
{
    UNPOISON(b->bytes, b->cap);
    free(b);
}

struct arena *
arena_new(size_t max_bytes)
{
    struct arena *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return NULL;
    a->max = max_bytes;
    a->first = block_new(FIRST_BLOCK);
    if (a->first == NULL) {
        free(a);
        return NULL;
    }
    a->now = a->first;
    return a;
}

/* A release may defer another one: each is taken off before it runs. */
static void
run_defers(struct arena *a)
{
    while (a->defers != NULL) {
        struct defer *d = a->defers;

        a->defers = d->next;
        d->release(d->thing);
    }
}

void
arena_reset(struct arena *a)
{
    struct block *next;

    run_defers(a);
    for (struct block *b = a->now; b != NULL; b = next) {
        next = b->next;
        if (b != a->first)
            block_free(b);
    }
    POISON(a->first->bytes, a->first->cap);
    a->first->next = NULL;
    a->first->used = 0;
    a->now = a->first;
    a->used = 0;
    a->full = false;
}

bool
arena_is_full(const struct arena *a)
{
    return a->full;
}

void
arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    arena_reset(a);
    block_free(a->first);
    free(a);
}

/* A block with room for need bytes. A large piece gets one of its own, behind
 * the one being filled, so that the rest of that is not lost. */
static struct block *
block_for(struct arena *a, size_t need)
{
    size_t cap = a->now->cap * 2;
    struct block *b;

    if (a->now->cap - a->now->used >= need)
        return a->now;
    if (cap > LARGEST_BLOCK)
        cap = LARGEST_BLOCK;
    b = block_new(need > cap / 4 ? need : cap);
    if (b == NULL)
        return NULL;
    if (need > cap / 4) {
        b->next = a->now->next;
        a->now->next = b;
    } else {
        b->next = a->now;
        a->now = b;
    }
    return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    size_t need;
    struct block *b;
    unsigned char *p;

    need = n > SIZE_MAX / 2 ? SIZE_MAX
                            : (n + (n == 0) + ALIGN - 1) / ALIGN * ALIGN + GAP;
    if (need > a->max - a->used) {
        a->full = true;
        return NULL;
    }
    b = block_for(a, need);
    if (b == NULL)
        return NULL;
    p = b->bytes + b->used;
    b->used += need;
    a->used += need;
    UNPOISON(p, n);
    return memset(p, 0, n);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    return arena_alloc(a, n);
}

char *
arena_strndup(struct arena *a, const char *p, size_t n)
{
    char *copy;

    if (n == SIZE_MAX)
        return NULL;
    copy = arena_alloc(a, n + 1);
    if (copy != NULL && n > 0)
        memcpy(copy, p, n);
    return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

static char *
print_to(struct arena *a, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

static char *
print_to(struct arena *a, const char *fmt, va_list args)
{
    va_list again;
    char *text = NULL;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n >= 0)
        text = arena_alloc(a, (size_t)n + 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)n + 1, fmt, args);
    return text;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = print_to(a, fmt, args);
    va_end(args);
    return text;
}

enum err
arena_defer(struct arena *a, void (*release)(void *), void *thing)
{
    struct defer *d = arena_alloc(a, sizeof(*d));

    if (d == NULL) {
        release(thing);
        return ERR_NOMEM;
    }
    *d = (struct defer){ a->defers, release, thing };
    a->defers = d;
    return ERR_OK;
}

size_t
arena_used(const struct arena *a)
{
    return a->used;
}
