/* The shape of the state: members of a partition, counts of a node. */
#include "state.h"

void
pg_config_init(struct pg_config *c, int max_replica_count)
{
    *c = (struct pg_config){ .max_replica_count = max_replica_count,
                             .primary = PG_NONE };
}

int
pg_config_members(const struct pg_config *c)
{
    return (c->primary != PG_NONE ? 1 : 0) + c->n_secondaries;
}

int
pg_config_member(const struct pg_config *c, int i)
{
    if (c->primary != PG_NONE)
        return i == 0 ? c->primary : c->secondary[i - 1];
    return c->secondary[i];
}

int
pg_config_secondary_index(const struct pg_config *c, int node)
{
    for (int i = 0; i < c->n_secondaries; i++)
        if (c->secondary[i] == node)
            return i;
    return PG_NONE;
}

bool
pg_config_has(const struct pg_config *c, int node)
{
    return c->primary == node || pg_config_secondary_index(c, node) != PG_NONE;
}

bool
pg_state_alive(const struct pg_state *s, int node)
{
    return node >= 0 && node < s->n_nodes && s->node[node].alive;
}

static void
count_partition(struct pg_state *s, const struct pg_config *c)
{
    if (c->primary != PG_NONE)
        s->node[c->primary].primaries++;
    for (int i = 0; i < pg_config_members(c); i++)
        s->node[pg_config_member(c, i)].partitions++;
}

void
pg_state_count(struct pg_state *s)
{
    for (int i = 0; i < s->n_nodes; i++)
        s->node[i].primaries = s->node[i].partitions = 0;
    for (int a = 0; a < s->n_apps; a++)
        for (int i = 0; s->app[a].status == PG_APP_AVAILABLE && i < s->app[a].n;
             i++)
            count_partition(s, &s->app[a].p[i].c);
}
