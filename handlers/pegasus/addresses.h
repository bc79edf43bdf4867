/* The few nodes that one partition's row names, as indices. */
#ifndef PEGASUS_ADDRESSES_H
#define PEGASUS_ADDRESSES_H

#include "pegasus/core/state.h"
#include "store.h"

#define ADDRESSES_MAX (1 + PG_SECONDARIES_MAX + PG_DROPS_MAX + 4)

struct addresses {
    int n;
    struct pg_node node[ADDRESSES_MAX];
};

/* The index of an address, new or known; PG_NONE when there is no room. */
int addresses_add(struct addresses *a, const char *text, size_t n);
const char *addresses_text(const struct addresses *a, int i);

/* A row's configuration by these indices; a is emptied first. */
enum err
addresses_read(struct addresses *a, const struct pegasus_partition *row,
               struct pg_config *out) MUST_USE;

#endif
