/* The cluster and its replica servers, read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "config.h"
#include "pegasus/settings.h"
#include "pegasus.h"
#include "place.h"
#include "store.h"
#include "holders.h"

/* A line of some 60 bytes for each of the nodes. */
#define HOLDERS_MAX ((size_t)8 << 20)

TABLE(pegasus_cluster, PEGASUS_CLUSTER);
TABLE(pegasus_node_line, PEGASUS_NODE_LINE);
TABLE(pegasus_nodes_summary, PEGASUS_NODES_SUMMARY);
TABLE(pegasus_nodes, PEGASUS_NODES);

static int
by_address(const void *a, const void *b)
{
    const struct pegasus_node *x = a, *y = b;

    return pg_address_compare(x->address, y->address);
}

static enum err
sorted_nodes(struct req *r, struct list_of_pegasus_node *out)
{
    enum err e = pegasus_store_nodes(r->db, r->arena, out);

    if (e == ERR_OK && out->n > 1)
        qsort(out->v, out->n, sizeof(*out->v), by_address);
    return e;
}

/* A walk over all partitions. */
static enum err
count_partitions(struct req *r, struct pg_holders *t)
{
    struct rows rows;
    const void *row;
    enum err e;

    e = pegasus_store_placements(r->db, r->arena, &rows);
    while (e == ERR_OK) {
        e = rows.next(&rows, r->arena, &row);
        if (e == ERR_OK) {
            const struct pegasus_placement *p = row;

            pg_holders_add(t, p->primary_node, p->secondaries, p->n);
        }
    }
    if (e == ERR_NOT_FOUND)
        e = t->failed ? ERR_NOMEM : ERR_OK;
    return e;
}

/* What every address holds, over all AVAILABLE tables. The sums are kept for
 * as long as no table and no partition changes: the stamp is of the snapshot
 * that they are counted in. */
static enum err
count_holders(struct req *r, struct pg_holders *t)
{
    struct buf b = BUF_INIT(HOLDERS_MAX);
    struct pegasus_stamp stamp;
    struct cache_key key = { .space = "pegasus.holders" };
    struct span text;
    enum err e;

    pg_holders_init(t, r->arena);
    e = pegasus_store_stamp(r->db, r->arena, &stamp);
    if (e != ERR_OK)
        return e;
    key.name.p = "";
    key.version[0] = (uint64_t)stamp.version;
    key.version[1] = (uint64_t)stamp.configs;
    e = cache_get(r->arena, &key, &text);
    if (e == ERR_OK)
        return pg_holders_read(t, text);
    if (e == ERR_NOT_FOUND)
        e = count_partitions(r, t);
    if (e == ERR_OK) {
        pg_holders_print(t, &b);
        if (buf_err(&b) == ERR_OK)
            cache_put(&key, (struct span){ buf_text(&b), b.n });
    }
    buf_free(&b);
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
    struct pg_holders held;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = sorted_nodes(r, &rows);
    if (e == ERR_OK && ref->detail)
        e = count_holders(r, &held);
    if (e == ERR_OK)
        e = print_nodes(r, &rows, ref->detail ? &held : NULL, out);
    return req_send_or_fail(r, e, &pegasus_nodes_rec, out);
}

/* ---- /meta/cluster ---- */

static const char *
effective_level(const struct pegasus_cluster_row *c,
                const struct list_of_pegasus_node *nodes)
{
    int alive = 0;

    for (size_t i = 0; i < nodes->n; i++)
        alive += nodes->v[i].alive ? 1 : 0;
    return pg_level_name(pg_level_effective(
        pegasus_stored_level(c), alive, (int)nodes->n - alive,
        (int)pegasus_settings()->min_live_node_count_for_unfreeze,
        (int)pegasus_settings()->node_live_percentage_threshold_for_update));
}

static enum err
spread(struct req *r, const struct list_of_pegasus_node *nodes,
       const struct pg_holders *held, struct pegasus_cluster *out)
{
    struct pg_load *load = arena_array(r->arena, nodes->n + 1, sizeof(*load));
    struct pg_stddev d;

    if (load == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < nodes->n; i++) {
        const struct pg_holder *l = pg_holders_find(held, nodes->v[i].address);

        load[i].alive = nodes->v[i].alive;
        if (l == NULL)
            continue;
        load[i].primaries = l->primaries;
        load[i].partitions = l->primaries + l->secondaries;
    }
    d = pg_health_stddev(load, nodes->n);
    out->primary_stddev = arena_printf(r->arena, "%.2f", d.primary);
    out->total_stddev = arena_printf(r->arena, "%.2f", d.total);
    return ERR_OK;
}

static const char *
without_blanks(struct arena *a, const char *text)
{
    char *out = arena_strdup(a, text), *to = out;

    if (out == NULL)
        return NULL;
    for (; *text != '\0'; text++)
        if (strchr(" \t", *text) == NULL)
            *to++ = *text;
    *to = '\0';
    return out;
}

/* Where we keep what Pegasus keeps in ZooKeeper. */
static const char *
store_address(struct req *r)
{
    const char *hosts = config()->mysql_hosts;
    char socket[PLACE_BYTES];

    if (hosts[0] != '\0')
        return without_blanks(r->arena, hosts);
    if (config()->mysql_port == 0)
        return place_socket(socket, sizeof(socket), "mysql.sock") == ERR_OK
                   ? arena_printf(r->arena, "unix:%s", socket)
                   : "";
    return arena_printf(r->arena, "%s.1:%lld", config_net(),
                        (long long)config()->mysql_port);
}

const char *
pegasus_cluster_root(struct arena *a)
{
    const char *root = pegasus_settings()->cluster_root;

    return root[0] != '\0'
               ? root
               : arena_printf(a, "/pegasus/onebox/%s.1", config_net());
}

static void
describe(struct req *r, const struct pegasus_cluster_row *c,
         const struct list_of_pegasus_node *nodes, struct pegasus_cluster *out)
{
    out->meta_servers = pegasus_meta_list(r->arena);
    /* only the leader's listener comes here */
    out->primary_meta_server = pegasus_meta_address(
        r->arena, (size_t)pegasus_meta_index(r->listener_tail));
    out->zookeeper_hosts = store_address(r);
    out->zookeeper_root = pegasus_cluster_root(r->arena);
    out->level = effective_level(c, nodes);
    out->operations =
        arena_printf(r->arena, "move_pri=%d,copy_pri=%d,copy_sec=%d,total=%d",
                     c->move_pri, c->copy_pri, c->copy_sec, c->total);
    out->has = UINT64_MAX;
}

enum err
pegasus_cluster_get(struct req *r, const struct none *in)
{
    struct pegasus_cluster *out = arena_alloc(r->arena, sizeof(*out));
    struct pegasus_cluster_row c;
    struct list_of_pegasus_node nodes;
    struct pg_holders held;
    enum err e;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    e = pegasus_store_cluster(r->db, r->arena, &c);
    if (e == ERR_OK)
        e = sorted_nodes(r, &nodes);
    if (e == ERR_OK)
        e = count_holders(r, &held);
    if (e == ERR_OK)
        describe(r, &c, &nodes, out);
    if (e == ERR_OK)
        e = spread(r, &nodes, &held, out);
    return req_send_or_fail(r, e, &pegasus_cluster_rec, out);
}
