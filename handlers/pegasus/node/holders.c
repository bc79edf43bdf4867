/* A hash of addresses: the same few come again for every partition. */
#include "holders.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "address.h"
#include "list.h"

#define SLOTS_FIRST 64

void
pg_holders_init(struct pg_holders *t, struct arena *a)
{
    *t = (struct pg_holders){ .arena = a };
}

static size_t
hash(const char *p, size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ (h >> 32));
}

static bool
is_address(const struct pg_holder *l, const char *p, size_t n)
{
    return strncmp(l->address, p, n) == 0 && l->address[n] == '\0';
}

static size_t *
slot_of(const struct pg_holders *t, const char *p, size_t n)
{
    size_t s = hash(p, n);

    for (;; s++) {
        size_t *slot = &t->slot[s & (t->slots - 1)];

        if (*slot == 0 || is_address(&t->line[*slot - 1], p, n))
            return slot;
    }
}

static bool
grow(struct pg_holders *t)
{
    size_t slots = t->slots == 0 ? SLOTS_FIRST : t->slots * 2;
    struct pg_holder *line = arena_array(t->arena, slots / 2, sizeof(*line));
    size_t *slot = arena_array(t->arena, slots, sizeof(*slot));

    if (line == NULL || slot == NULL)
        return false;
    if (t->n > 0)
        memcpy(line, t->line, t->n * sizeof(*line));
    t->line = line;
    t->cap = slots / 2;
    t->slot = slot;
    t->slots = slots;
    for (size_t i = 0; i < t->n; i++)
        *slot_of(t, line[i].address, strlen(line[i].address)) = i + 1;
    return true;
}

static struct pg_holder *
line_of(struct pg_holders *t, const char *p, size_t n)
{
    size_t *slot;

    if (t->n == t->cap && !grow(t)) {
        t->failed = true;
        return NULL;
    }
    slot = slot_of(t, p, n);
    if (*slot == 0) {
        t->line[t->n].address = arena_strndup(t->arena, p, n);
        if (t->line[t->n].address == NULL) {
            t->failed = true;
            return NULL;
        }
        *slot = ++t->n;
    }
    return &t->line[*slot - 1];
}

void
pg_holders_add(struct pg_holders *t, const char *primary,
               const char *secondaries, int64_t times)
{
    struct pg_holder *l;
    struct span s;

    if (primary != NULL && (l = line_of(t, primary, strlen(primary))) != NULL)
        l->primaries += times;
    while (secondaries != NULL && list_next(&secondaries, &s))
        if ((l = line_of(t, s.p, s.n)) != NULL)
            l->secondaries += times;
}

void
pg_holders_count(struct pg_holders *t, const char *address, int64_t primaries,
                 int64_t secondaries)
{
    struct pg_holder *l = line_of(t, address, strlen(address));

    if (l == NULL)
        return;
    l->primaries += primaries;
    l->secondaries += secondaries;
}

const struct pg_holder *
pg_holders_find(const struct pg_holders *t, const char *address)
{
    size_t slot = t->slots == 0 ? 0 : *slot_of(t, address, strlen(address));

    return slot == 0 ? NULL : &t->line[slot - 1];
}

/* ---- order ---- */

/* The host's number when it is IPv4, and the port. */
static bool
numbers(const char *address, uint32_t *host, unsigned *port)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr in;

    if (address_read(address, strlen(address), 0, text, sizeof(text), port) !=
            ERR_OK ||
        inet_pton(AF_INET, text, &in) != 1)
        return false;
    *host = ntohl(in.s_addr);
    return true;
}

int
pg_address_compare(const char *a, const char *b)
{
    uint32_t x, y;
    unsigned p = 0, q = 0;
    bool i = numbers(a, &x, &p), k = numbers(b, &y, &q);

    if (!i || !k)
        return i != k ? (i ? -1 : 1) : strcmp(a, b);
    if (x != y)
        return x < y ? -1 : 1;
    return p < q ? -1 : p > q;
}

static int
by_address(const void *a, const void *b)
{
    const struct pg_holder *x = a, *y = b;

    return pg_address_compare(x->address, y->address);
}

void
pg_holders_sort(struct pg_holders *t)
{
    if (t->n == 0)
        return;
    qsort(t->line, t->n, sizeof(*t->line), by_address);
    memset(t->slot, 0, t->slots * sizeof(*t->slot));
    for (size_t i = 0; i < t->n; i++)
        *slot_of(t, t->line[i].address, strlen(t->line[i].address)) = i + 1;
}
