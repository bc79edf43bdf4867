/* Primaries and secondaries per address, counted from configurations. */
#ifndef PEGASUS_HOLDERS_H
#define PEGASUS_HOLDERS_H

#include "arena.h"
#include "base.h"

struct pg_holder {
    const char *address;
    int64_t primaries, secondaries;
};

struct pg_holders {
    struct arena *arena;
    struct pg_holder *line;
    size_t n, cap;
    size_t *slot; /* index + 1 into line; 0 = free */
    size_t slots; /* a power of two */
    bool failed;  /* without memory: the counts are short */
};

void pg_holders_init(struct pg_holders *t, struct arena *a);

/* times configurations of that primary (NULL: none) and those secondaries
 * ("a,b"; NULL: of a broken row, none). The texts are copied. */
void pg_holders_add(struct pg_holders *t, const char *primary,
                    const char *secondaries, int64_t times);

/* So many more at that address. The text is copied. */
void pg_holders_count(struct pg_holders *t, const char *address,
                      int64_t primaries, int64_t secondaries);

/* The line of an address; NULL when it was never counted. */
const struct pg_holder *
pg_holders_find(const struct pg_holders *t, const char *address);

/* By numeric IPv4 address, then by port; names behind them. */
void pg_holders_sort(struct pg_holders *t);
int pg_address_compare(const char *a, const char *b);

#endif
