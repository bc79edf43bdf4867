/* get_cluster_detail: a cluster with its shards as they are watched over. */
#include <string.h>

#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "kunlun/life/meta.h"
#include "lists.h"
#include "store.h"

static const char *
number(struct req *r, int64_t v)
{
    return arena_printf(r->arena, "%lld", (long long)v);
}

static void
put_node(struct req *r, const struct cluster_row *row, struct cluster_node *out)
{
    bool master = HAS(row, cluster_row, member_state) &&
                  strcmp(row->member_state, "source") == 0;

    *out = (struct cluster_node){ 0 };
    PUT(out, cluster_node, ip, row->ip);
    PUT(out, cluster_node, port, number(r, row->port));
    PUT(out, cluster_node, status, row->runs ? "online" : "offline");
    PUT(out, cluster_node, master, master ? "true" : "false");
    PUT(out, cluster_node, state, row->state);
}

/* One that nobody watches over, or not yet, has no verdict. */
static enum err
put_watched(struct req *r, const char *cluster, struct cluster_shard *out)
{
    struct cluster_watched w;
    enum err e = cluster_store_watched(r->db, r->arena, cluster, out->name, &w);

    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    PUT(out, cluster_shard, verdict, w.verdict);
    PUT(out, cluster_shard, why, w.sentence);
    PUT(out, cluster_shard, since, number(r, w.since_ms));
    if (!HAS(&w, cluster_watched, paused_until_ms))
        return ERR_OK;
    PUT(out, cluster_shard, paused_until, number(r, w.paused_until_ms));
    PUT(out, cluster_shard, paused_why, w.paused_why);
    return ERR_OK;
}

/* Rows come shard by shard. */
static enum err
put_shards(struct req *r, const struct list_of_cluster_row *rows,
           struct cluster_detail *out)
{
    struct cluster_node *node =
        arena_array(r->arena, rows->n + 1, sizeof(*node));
    struct cluster_shard *s = NULL;
    enum err e = ERR_OK;

    out->shards.v = arena_array(r->arena, rows->n + 1, sizeof(*out->shards.v));
    if (node == NULL || out->shards.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < rows->n; i++) {
        const struct cluster_row *row = &rows->v[i];

        if (i == 0 || row->group_id != rows->v[i - 1].group_id) {
            s = &out->shards.v[out->shards.n++];
            *s = (struct cluster_shard){ 0 };
            PUT(s, cluster_shard, name, row->name);
            PUT(s, cluster_shard, id, number(r, row->group_id));
            s->nodes.v = &node[i];
            e = put_watched(r, row->cluster, s);
        }
        put_node(r, row, &node[i]);
        s->nodes.n++;
    }
    return e;
}

static enum err
put_comps(struct req *r, const struct list_of_cluster_row *rows,
          struct cluster_detail *out)
{
    struct cluster_comp *v = arena_array(r->arena, rows->n + 1, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows->n; i++) {
        const struct cluster_row *row = &rows->v[i];

        v[i] = (struct cluster_comp){ 0 };
        PUT(&v[i], cluster_comp, name, row->name);
        PUT(&v[i], cluster_comp, id, number(r, row->id));
        PUT(&v[i], cluster_comp, ip, row->ip);
        PUT(&v[i], cluster_comp, port, number(r, row->port));
        PUT(&v[i], cluster_comp, status, row->runs ? "online" : "offline");
        PUT(&v[i], cluster_comp, state, row->state);
    }
    PUT_LIST(out, cluster_detail, comps, rows->n, v);
    return ERR_OK;
}

enum err
cluster_detail_get(struct req *r, const struct cluster_ref *in)
{
    struct cluster_detail *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_cluster_row storages = { 0 }, computers = { 0 };
    struct meta_cluster c;
    enum err e = req_check(r, in);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    e = meta_cluster(r->db, r->arena, in->name, in->id, &c);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, CLUSTER_UNKNOWN, ARGS());
    *out = (struct cluster_detail){ 0 };
    if (e == ERR_OK)
        e = cluster_store_storages(r->db, r->arena, c.name, &storages);
    if (e == ERR_OK)
        e = cluster_store_computers(r->db, r->arena, c.name, &computers);
    if (e != ERR_OK)
        return e;
    PUT(out, cluster_detail, name, c.name);
    PUT(out, cluster_detail, id, number(r, c.id));
    PUT(out, cluster_detail, nick_name,
        HAS(&c, meta_cluster, nick_name) ? c.nick_name : c.name);
    PUT(out, cluster_detail, ha_mode, c.ha_mode);
    e = put_shards(r, &storages, out);
    if (e == ERR_OK)
        e = put_comps(r, &computers, out);
    return req_send_or_fail(r, e, &cluster_detail_rec, out);
}
