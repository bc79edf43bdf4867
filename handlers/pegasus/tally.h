/* Primaries and secondaries per address, counted from configurations. */
#ifndef PEGASUS_TALLY_H
#define PEGASUS_TALLY_H

#include "arena.h"
#include "base.h"

struct tally_line {
    const char *address;
    int64_t primaries, secondaries;
};

struct tally {
    struct arena *arena;
    struct tally_line *line;
    size_t n, cap;
    size_t *slot; /* index + 1 into line; 0 = free */
    size_t slots; /* a power of two */
    bool failed;  /* without memory: the counts are short */
};

void tally_init(struct tally *t, struct arena *a);

/* times configurations of that primary (NULL: none) and those secondaries
 * ("a,b"). The texts are copied. */
void tally_add(struct tally *t, const char *primary, const char *secondaries,
               int64_t times);

/* The line of an address; NULL when it was never counted. */
const struct tally_line *tally_find(const struct tally *t, const char *address);

/* By numeric IPv4 address, then by port; names behind them. */
void tally_sort(struct tally *t);
int address_compare(const char *a, const char *b);

#endif
