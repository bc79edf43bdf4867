/* What one replica server holds, by its own listener. */
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "metas.h"
#include "node.h"
#include "pegasus/partition/partition.h"
#include "pegasus/pegasus.h"

TABLE(pegasus_held, PEGASUS_HELD);
TABLE(pegasus_replica_info, PEGASUS_REPLICA_INFO);

struct holding {
    const char *address;
    struct rows rows;
    struct pegasus_held line;
    char gpid[PEGASUS_GPID_BYTES];
};

static enum err
next_held(struct rows *rows, struct arena *a, const void **out)
{
    struct holding *h = rows->state;
    const struct pegasus_partition *p;
    const void *row;
    enum err e = h->rows.next(&h->rows, a, &row);

    if (e != ERR_OK)
        return e;
    p = row;
    h->line = (struct pegasus_held){
        .has = UINT64_MAX,
        .gpid = pegasus_gpid_text(p->app_id, p->pidx, h->gpid),
        .app_name = p->app_name,
        .role =
            p->primary_node != NULL && strcmp(p->primary_node, h->address) == 0
                ? "PRIMARY"
                : "SECONDARY",
        .ballot = p->ballot,
    };
    *out = &h->line;
    return ERR_OK;
}

/* What the leader says of it. */
static enum err
describe(struct req *r, struct pegasus_replica_info *out)
{
    struct list_of_pegasus_node nodes;
    struct pegasus_leader l = { 0 };
    enum err e = pegasus_store_nodes(r->db, r->arena, &nodes);

    if (e == ERR_OK)
        e = pegasus_store_leader(r->db, r->arena, &l);
    out->status = "UNALIVE";
    out->beacon_age = "-";
    for (size_t i = 0; e == ERR_OK && i < nodes.n; i++) {
        const struct pegasus_node *n = &nodes.v[i];

        if (strcmp(n->address, out->address) != 0)
            continue;
        out->status = n->alive ? "ALIVE" : "UNALIVE";
        out->beacon_age =
            arena_printf(r->arena, "%lld",
                         (long long)(l.now_ms > n->last_beacon_ms
                                         ? l.now_ms - n->last_beacon_ms
                                         : 0));
    }
    return e;
}

enum err
pegasus_replica_info_get(struct req *r, const struct none *in)
{
    struct pegasus_replica_info *out = arena_alloc(r->arena, sizeof(*out));
    struct holding *h = arena_alloc(r->arena, sizeof(*h));
    enum err e;

    (void)in;
    if (out == NULL || h == NULL)
        return ERR_NOMEM;
    h->address = out->address =
        pegasus_replica_address(r->arena, r->listener_tail);
    if (h->address == NULL)
        return ERR_NOMEM;
    e = describe(r, out);
    if (e == ERR_OK)
        e = pegasus_store_of_node(r->db, r->arena, h->address, &h->rows);
    out->replicas = (struct rows){ next_held, h };
    out->has = UINT64_MAX;
    return req_send_or_fail(r, e, &pegasus_replica_info_rec, out);
}
