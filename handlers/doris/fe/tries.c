/* A window for each key, in a table that does not grow. */
#include "tries.h"

#include <stddef.h>

static struct tries_of *
find(struct tries *t, uint64_t key)
{
    struct tries_of *set = t->of[key % COUNT(t->of)];

    for (size_t i = 0; i < COUNT(t->of[0]); i++)
        if (set[i].since_ms != 0 && set[i].key == key)
            return &set[i];
    return NULL;
}

/* In the place of whoever began longest ago. */
static struct tries_of *
begin(struct tries *t, uint64_t key, int64_t now_ms)
{
    struct tries_of *set = t->of[key % COUNT(t->of)], *oldest = set;

    for (size_t i = 1; i < COUNT(t->of[0]); i++)
        if (set[i].since_ms < oldest->since_ms)
            oldest = &set[i];
    *oldest = (struct tries_of){ .key = key, .since_ms = now_ms };
    return oldest;
}

int64_t
tries_take(struct tries *t, uint64_t key, int most, int64_t now_ms)
{
    struct tries_of *of = find(t, key);

    if (of == NULL)
        of = begin(t, key, now_ms);
    else if (now_ms - of->since_ms >= TRIES_WINDOW_MS || of->since_ms > now_ms)
        *of = (struct tries_of){ .key = key, .since_ms = now_ms };
    if (of->n >= most)
        return of->since_ms + TRIES_WINDOW_MS - now_ms;
    of->n++;
    return 0;
}

void
tries_give_back(struct tries *t, uint64_t key)
{
    struct tries_of *of = find(t, key);

    if (of != NULL && of->n > 0)
        of->n--;
}
