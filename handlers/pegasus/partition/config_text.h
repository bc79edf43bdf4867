/* A configuration as the texts of its row, and back. */
#ifndef PEGASUS_CONFIG_TEXT_H
#define PEGASUS_CONFIG_TEXT_H

#include "pegasus/core/state.h"
#include "partition.h"

/* The texts of a configuration's row, by addresses of s. */
struct pegasus_config_texts {
    const char *primary; /* NULL */
    char secondaries[PG_SECONDARIES_MAX * (PG_ADDRESS_BYTES + 1)];
    char drops[PG_DROPS_MAX * (PG_ADDRESS_BYTES + 70)];
};
void
pegasus_config_print(const struct pg_config *c, const struct pg_node *nodes,
                     struct pegasus_config_texts *out);
/* The other way: node finds or makes the index of an address, PG_NONE when
 * it cannot. BAD_PARAM for a row that no writer of ours has written. */
typedef int pegasus_node_fn(void *ctx, const char *address, size_t n);
enum err
pegasus_config_read(const struct pegasus_partition *row, pegasus_node_fn *node,
                    void *ctx, struct pg_config *out) MUST_USE;

#endif
