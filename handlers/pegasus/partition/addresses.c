/* Addresses of one partition. */
#include "addresses.h"
#include "config_text.h"

#include <string.h>

#include "log.h"

int
pg_addresses_add(struct pg_addresses *a, const char *text, size_t n)
{
    if (n >= PG_ADDRESS_BYTES)
        return PG_NONE;
    for (int i = 0; i < a->n; i++)
        if (strncmp(a->node[i].address, text, n) == 0 &&
            a->node[i].address[n] == '\0')
            return i;
    if (a->n == PG_ADDRESSES_MAX)
        return PG_NONE;
    memcpy(a->node[a->n].address, text, n);
    a->node[a->n].address[n] = '\0';
    return a->n++;
}

const char *
pg_addresses_text(const struct pg_addresses *a, int i)
{
    return a->node[i].address;
}

static int
add(void *ctx, const char *text, size_t n)
{
    return pg_addresses_add(ctx, text, n);
}

enum err
pg_addresses_read(struct pg_addresses *a, const struct pegasus_partition *row,
                  struct pg_config *out)
{
    memset(a, 0, sizeof(*a));
    if (pegasus_config_read(row, add, a, out) == ERR_OK)
        return ERR_OK;
    log_error("pegasus.row gpid=%d.%d", row->app_id, row->pidx);
    return ERR_INTERNAL;
}
