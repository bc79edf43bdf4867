/* The few nodes that one partition's row names, as indices. */
#ifndef PEGASUS_ADDRESSES_H
#define PEGASUS_ADDRESSES_H

#include "pegasus/core/state.h"
#include "partition.h"

#define PG_ADDRESSES_MAX (1 + PG_SECONDARIES_MAX + PG_DROPS_MAX + 4)

struct pg_addresses {
    int n;
    struct pg_node node[PG_ADDRESSES_MAX];
};

/* The index of an address, new or known; PG_NONE when there is no room. */
int pg_addresses_add(struct pg_addresses *a, const char *text, size_t n);
const char *pg_addresses_text(const struct pg_addresses *a, int i);

/* A row's configuration by these indices; a is emptied first. */
enum err
pg_addresses_read(struct pg_addresses *a, const struct pegasus_partition *row,
                  struct pg_config *out) MUST_USE;

#endif
