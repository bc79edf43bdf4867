/* The cluster, read, and its level set. */
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "config.h"
#include "counts.h"
#include "metas.h"
#include "node.h"
#include "pegasus/audit.h"
#include "pegasus/pegasus.h"
#include "pegasus/partition/partition.h"
#include "pegasus/settings.h"
#include "own_store.h"
#include "place.h"

TABLE(pegasus_cluster, PEGASUS_CLUSTER);
TABLE(pegasus_set_level, PEGASUS_SET_LEVEL);

CHECKS(pegasus_set_level, NEED(level, PEGASUS_EMPTY));

enum pg_level
pegasus_level_now(const struct pegasus_cluster_row *c,
                  const struct list_of_pegasus_node *nodes)
{
    int alive = 0;

    for (size_t i = 0; i < nodes->n; i++)
        alive += nodes->v[i].alive ? 1 : 0;
    return pg_level_effective(
        pegasus_stored_level(c), alive, (int)nodes->n - alive,
        (int)pegasus_settings()->min_live_node_count_for_unfreeze,
        (int)pegasus_settings()->node_live_percentage_threshold_for_update);
}

/* ---- /meta/cluster ---- */

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

/* Where we keep what Pegasus keeps in ZooKeeper. */
static const char *
store_address(struct req *r)
{
    char hosts[PLACE_BYTES];

    return own_store_address(hosts, sizeof(hosts)) ||
                   store_hosts(hosts, sizeof(hosts)) == ERR_OK
               ? arena_strdup(r->arena, hosts)
               : "";
}

const char *
pegasus_cluster_root(struct arena *a)
{
    const char *root = pegasus_settings()->cluster_root;
    char host[PLACE_MACHINE_BYTES];

    return !str_empty(root)
               ? root
               : arena_printf(a, "/pegasus/onebox/%s", place_machine(1, host));
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
    out->level = pg_level_name(pegasus_level_now(c, nodes));
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
        e = pegasus_nodes_sorted(r, &nodes);
    if (e == ERR_OK)
        e = pegasus_store_held(r->db, r->arena, c.counted, &held);
    if (e == ERR_OK)
        describe(r, &c, &nodes, out);
    if (e == ERR_OK)
        e = spread(r, &nodes, &held, out);
    return req_send_or_fail(r, e, &pegasus_cluster_rec, out);
}

/* ---- /meta/cluster/level ---- */

static void
audit_level(struct req *r, const char *level, pg_audit_fn *say)
{
    const struct pegasus_level_kept l = { .has = UINT64_MAX, .level = level };

    req_audit(r, "cluster", NULL, NULL);
    say(r, &pegasus_level_kept_rec, &l);
}

enum err
pegasus_cluster_level(struct req *r, const struct pegasus_set_level *in)
{
    struct pegasus_outcome *out = pegasus_done(r);
    struct pegasus_cluster_row c;
    enum pg_level level;
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    level = pg_level_by_name(in->level);
    if (level == 0)
        return pegasus_invalid(
            r, "level must be stopped, blind, freezed, steady or lively");
    e = pegasus_store_lock(r->db, &version);
    if (e == ERR_OK)
        e = pegasus_store_cluster(r->db, r->arena, &c);
    if (e == ERR_OK)
        e = pegasus_store_level(r->db, in->level);
    if (e == ERR_OK && level <= PG_STEADY)
        e = pegasus_store_balance_drop(r->db);
    if (e != ERR_OK)
        return e;
    PUT(out, pegasus_outcome, old_level,
        pg_level_name(pegasus_stored_level(&c)));
    audit_level(r, out->old_level, req_audit_before);
    audit_level(r, in->level, req_audit_after);
    req_wake(r);
    return pegasus_send(r, out);
}
