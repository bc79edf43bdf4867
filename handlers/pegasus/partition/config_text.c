/* A configuration as the texts of its row: addresses by comma, and what is
 * known of those that left, "address@ballot@ms@committed". */
#include "config_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"

void
pegasus_config_print(const struct pg_config *c, const struct pg_node *nodes,
                     struct pegasus_config_texts *out)
{
    size_t n = 0;

    out->primary = c->primary == PG_NONE ? NULL : nodes[c->primary].address;
    out->secondaries[0] = out->drops[0] = '\0';
    for (int i = 0; i < c->n_secondaries; i++)
        n += (size_t)snprintf(out->secondaries + n,
                              sizeof(out->secondaries) - n, "%s%s",
                              i > 0 ? "," : "", nodes[c->secondary[i]].address);
    n = 0;
    for (int i = 0; i < c->n_drops; i++)
        n += (size_t)snprintf(
            out->drops + n, sizeof(out->drops) - n, "%s%s@%lld@%lld@%lld",
            i > 0 ? "," : "", nodes[c->drop[i].node].address,
            (long long)c->drop[i].ballot, (long long)c->drop[i].at_ms,
            (long long)c->drop[i].committed);
}

static bool
read_secondaries(const char *p, pegasus_node_fn *node, void *ctx,
                 struct pg_config *out)
{
    struct span s;

    while (list_next(&p, &s)) {
        int i = node(ctx, s.p, s.n);

        if (i == PG_NONE || out->n_secondaries == PG_SECONDARIES_MAX)
            return false;
        out->secondary[out->n_secondaries++] = i;
    }
    return true;
}

/* "@ballot@ms@committed" and what follows it. */
static bool
read_mark(const char **p, struct pg_drop *out)
{
    int64_t v[3];

    for (size_t i = 0; i < COUNT(v); i++) {
        char *end;

        if (**p != '@')
            return false;
        v[i] = strtoll(*p + 1, &end, 10);
        *p = end;
    }
    out->ballot = v[0];
    out->at_ms = v[1];
    out->committed = out->prepared = v[2];
    out->present = true;
    return **p == ',' || **p == '\0';
}

static bool
read_drops(const char *p, pegasus_node_fn *node, void *ctx,
           struct pg_config *out)
{
    while (*p != '\0') {
        size_t n = strcspn(p, "@");
        struct pg_drop d = { .node = node(ctx, p, n) };

        p += n;
        if (d.node == PG_NONE || out->n_drops == PG_DROPS_MAX ||
            !read_mark(&p, &d))
            return false;
        out->drop[out->n_drops++] = d;
        p += *p == ',' ? 1 : 0;
    }
    return true;
}

enum err
pegasus_config_read(const struct pegasus_partition *row, pegasus_node_fn *node,
                    void *ctx, struct pg_config *out)
{
    const char *primary = row->primary_node;

    if (row->max_replica_count < 0 ||
        row->max_replica_count > PG_SECONDARIES_MAX + 1 ||
        row->secondaries == NULL || row->last_drops == NULL)
        return ERR_BAD_PARAM; /* not written by us */
    pg_config_init(out, row->max_replica_count);
    out->ballot = row->ballot;
    out->committed = row->committed;
    if (primary != NULL) {
        out->primary = node(ctx, primary, strlen(primary));
        if (out->primary == PG_NONE)
            return ERR_BAD_PARAM;
    }
    return read_secondaries(row->secondaries, node, ctx, out) &&
                   read_drops(row->last_drops, node, ctx, out)
               ? ERR_OK
               : ERR_BAD_PARAM;
}
