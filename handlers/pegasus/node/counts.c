/* The difference that a transaction makes. */
#include "counts.h"

#include <string.h>

void
pg_counts_init(struct pg_counts *c, struct arena *a, int32_t app_id)
{
    *c = (struct pg_counts){ .app_id = app_id };
    pg_holders_init(&c->held, a);
}

static void
count(struct pg_counts *c, const struct pg_config *p,
      const struct pg_node *nodes, int64_t times)
{
    bool primary = p->primary != PG_NONE;

    c->alike[primary][pg_config_members(p)] += times;
    if (primary)
        pg_holders_count(&c->held, nodes[p->primary].address, times, 0);
    for (int i = 0; i < p->n_secondaries; i++)
        pg_holders_count(&c->held, nodes[p->secondary[i]].address, 0, times);
}

void
pg_counts_change(struct pg_counts *c, const struct pg_config *before,
                 const struct pg_config *after, const struct pg_node *nodes)
{
    count(c, before, nodes, -1);
    count(c, after, nodes, 1);
}
