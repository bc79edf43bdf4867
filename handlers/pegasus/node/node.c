/* Replica servers, read: alive or not, and what they hold. */
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "counts.h"
#include "node.h"
#include "pegasus/pegasus.h"
#include "pegasus/table/table.h"

TABLE(pegasus_node_line, PEGASUS_NODE_LINE);
TABLE(pegasus_nodes_summary, PEGASUS_NODES_SUMMARY);
TABLE(pegasus_nodes, PEGASUS_NODES);

static int
by_address(const void *a, const void *b)
{
    const struct pegasus_node *x = a, *y = b;

    return pg_address_compare(x->address, y->address);
}

enum err
pegasus_nodes_sorted(struct req *r, struct list_of_pegasus_node *out)
{
    enum err e = pegasus_store_nodes(r->db, r->arena, out);

    if (e == ERR_OK && out->n > 1)
        qsort(out->v, out->n, sizeof(*out->v), by_address);
    return e;
}

/* ---- /meta/nodes ---- */

static void
print_node(const struct pegasus_node *n, const struct pg_holders *held,
           struct pegasus_node_line *out)
{
    const struct pg_holder *l;

    PUT(out, pegasus_node_line, address, n->address);
    PUT(out, pegasus_node_line, status, n->alive ? "ALIVE" : "UNALIVE");
    if (held == NULL)
        return;
    l = pg_holders_find(held, n->address);
    if (l != NULL) {
        out->primary_count = l->primaries;
        out->secondary_count = l->secondaries;
        out->replica_count = l->primaries + l->secondaries;
    }
    SET(out, pegasus_node_line, replica_count);
    SET(out, pegasus_node_line, primary_count);
    SET(out, pegasus_node_line, secondary_count);
}

static enum err
print_nodes(struct req *r, const struct list_of_pegasus_node *rows,
            const struct pg_holders *held, struct pegasus_nodes *out)
{
    struct pegasus_nodes_summary *s = arena_alloc(r->arena, sizeof(*s));

    out->details.n = rows->n;
    out->details.v =
        arena_array(r->arena, rows->n + 1, sizeof(*out->details.v));
    if (s == NULL || out->details.v == NULL)
        return ERR_NOMEM;
    s->total = (int64_t)rows->n;
    for (size_t i = 0; i < rows->n; i++) {
        print_node(&rows->v[i], held, &out->details.v[i]);
        s->alive += rows->v[i].alive ? 1 : 0;
    }
    s->unalive = s->total - s->alive;
    s->has = UINT64_MAX;
    out->summary = s;
    out->has = UINT64_MAX;
    return ERR_OK;
}

enum err
pegasus_node_list(struct req *r, const struct pegasus_list_ref *ref)
{
    struct pegasus_nodes *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_pegasus_node rows;
    struct pegasus_cluster_row c = { 0 };
    struct pg_holders held;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = pegasus_nodes_sorted(r, &rows);
    if (e == ERR_OK && ref->detail)
        e = pegasus_store_cluster(r->db, r->arena, &c);
    if (e == ERR_OK && ref->detail)
        e = pegasus_store_held(r->db, r->arena, c.counted, &held);
    if (e == ERR_OK)
        e = print_nodes(r, &rows, ref->detail ? &held : NULL, out);
    return req_send_or_fail(r, e, &pegasus_nodes_rec, out);
}
