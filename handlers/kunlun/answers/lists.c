/* What is listed. Everything is read from the tables, so that nothing is older
 * than they are. */
#include "lists.h"

#include <string.h>

#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "kunlun/cluster_mgr/store.h"
#include "store.h"

#define IPS_MAX 1024

TABLE(cluster_ref, CLUSTER_REF);
TABLE_OF(cluster_ref_paras, cluster_ref, CLUSTER_REF_PARAS);
TABLE(cluster_instances_ref, CLUSTER_INSTANCES_REF);
TABLE_OF(cluster_instances_paras, cluster_instances_ref,
         CLUSTER_INSTANCES_PARAS);
TABLE_OF(cluster_nodes_ref, cluster_instances_ref, CLUSTER_NODES_REF);
TABLE_OF(cluster_nodes_paras, cluster_instances_ref, CLUSTER_NODES_PARAS);
TABLE(cluster_mode, CLUSTER_MODE);
TABLE(cluster_server, CLUSTER_SERVER);
TABLE(cluster_servers, CLUSTER_METAS);
TABLE_OF(cluster_storages, cluster_servers, CLUSTER_STORAGES);
TABLE_OF(cluster_computers, cluster_servers, CLUSTER_COMPUTERS);
TABLE(cluster_meta, CLUSTER_META);
TABLE_OF(cluster_meta_paras, cluster_meta, CLUSTER_META_PARAS);
TABLE(cluster_meta_list, CLUSTER_META_LIST);
TABLE_OF(cluster_meta_summary, cluster_meta_list, CLUSTER_META_SUMMARY);
TABLE(cluster_short, CLUSTER_SHORT);
TABLE(cluster_shorts, CLUSTER_SHORTS);
TABLE(cluster_summaries, CLUSTER_SUMMARIES);
TABLE_OF(cluster_summaries_paras, cluster_summaries, CLUSTER_SUMMARIES_PARAS);
TABLE(cluster_machines, CLUSTER_MACHINES);
TABLE_OF(cluster_machines_paras, cluster_machines, CLUSTER_MACHINES_PARAS);
TABLE(cluster_instance, CLUSTER_INSTANCE);
TABLE(cluster_instances, CLUSTER_INSTANCES);
TABLE_OF(cluster_nodes, cluster_instances, CLUSTER_NODES);
TABLE(cluster_node, CLUSTER_NODE);
TABLE(cluster_shard, CLUSTER_SHARD);
TABLE(cluster_comp, CLUSTER_COMP);
TABLE(cluster_detail, CLUSTER_DETAIL);

CHECKS(cluster_ref, NEED(cluster_name, CLUSTER_GET_CLUSTER));
CHECKS(cluster_ref_paras,
       ANY_OF(cluster_name, cluster_id, CLUSTER_GET_CLUSTER));
NO_CHECKS(cluster_instances_ref);
NO_CHECKS(cluster_instances_paras);
NO_CHECKS(cluster_nodes_ref);
NO_CHECKS(cluster_nodes_paras);

/* A list is an attachment only with a name. */
static enum err
send_list(struct req *r, enum err e, const struct record *flat,
          const struct record *paras, const void *out)
{
    return req_send_or_fail(r, e, cluster_in_paras(r) ? paras : flat, out);
}

static const char *
number(struct req *r, int64_t v)
{
    return arena_printf(r->arena, "%lld", (long long)v);
}

static const char *
pwd_for(const struct req *r, const struct cluster_row *row)
{
    return r->see_secrets && HAS(row, cluster_row, pwd) ? row->pwd : "";
}

static bool
is_active(const struct cluster_row *row)
{
    return strcmp(row->status, "active") == 0;
}

/* ---- the metadata ---- */

enum err
cluster_mode_get(struct req *r, const struct none *in)
{
    struct cluster_mode *out = arena_alloc(r->arena, sizeof(*out));

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    *out = (struct cluster_mode){ 0 };
    PUT(out, cluster_mode, mode, cluster_mgr_settings()->meta_mode);
    return req_send(r, &cluster_mode_rec, out);
}

static enum err
metas_numbered(struct req *r, const struct list_of_cluster_meta_row *rows)
{
    struct cluster_servers *out = arena_alloc(r->arena, sizeof(*out));
    struct cluster_server *v = arena_array(r->arena, rows->n + 1, sizeof(*v));

    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    *out = (struct cluster_servers){ 0 };
    for (size_t i = 0; i < rows->n; i++) {
        v[i] = (struct cluster_server){ 0 };
        PUT(&v[i], cluster_server, ip, rows->v[i].ip);
        PUT(&v[i], cluster_server, port, number(r, rows->v[i].port));
        PUT(&v[i], cluster_server, user, rows->v[i].user);
        PUT(&v[i], cluster_server, pwd, ""); /* it is in no table */
    }
    PUT_LIST(out, cluster_servers, v, rows->n, v);
    return req_send(r, &cluster_servers_rec, out);
}

static enum err
metas_listed(struct req *r, const struct list_of_cluster_meta_row *rows)
{
    struct cluster_meta_list *out = arena_alloc(r->arena, sizeof(*out));
    struct cluster_meta *v = arena_array(r->arena, rows->n + 1, sizeof(*v));

    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    *out = (struct cluster_meta_list){ 0 };
    for (size_t i = 0; i < rows->n; i++) {
        const struct cluster_meta_row *row = &rows->v[i];
        bool there = HAS(row, cluster_meta_row, state);

        v[i] = (struct cluster_meta){ 0 };
        PUT(&v[i], cluster_meta, ip, row->ip);
        PUT(&v[i], cluster_meta, port, number(r, row->port));
        PUT(&v[i], cluster_meta, status, there ? "online" : "offline");
        PUT(&v[i], cluster_meta, master,
            there && strcmp(row->state, "source") == 0 ? "true" : "false");
    }
    PUT_LIST(out, cluster_meta_list, v, rows->n, v);
    return send_list(r, ERR_OK, &cluster_meta_list_rec,
                     &cluster_meta_summary_rec, out);
}

/* D1 numbers them; D2 lists them, as the newer job of that name does. */
enum err
cluster_meta_get(struct req *r, const struct none *in)
{
    struct list_of_cluster_meta_row rows;
    enum err e = cluster_store_metas(r->db, r->arena, &rows);

    (void)in;
    if (e != ERR_OK)
        return e;
    return r->encoding != NULL ? metas_listed(r, &rows)
                               : metas_numbered(r, &rows);
}

enum err
cluster_meta_summary_get(struct req *r, const struct none *in)
{
    struct list_of_cluster_meta_row rows;
    enum err e = cluster_store_metas(r->db, r->arena, &rows);

    (void)in;
    return e == ERR_OK ? metas_listed(r, &rows) : e;
}

/* ---- clusters and machines ---- */

enum err
cluster_list_get(struct req *r, const struct none *in)
{
    struct cluster_shorts *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_cluster_summary rows;
    struct cluster_short *v;
    enum err e = cluster_store_summaries(r->db, r->arena, &rows);

    (void)in;
    if (e != ERR_OK)
        return e;
    v = arena_array(r->arena, rows.n + 1, sizeof(*v));
    if (out == NULL || v == NULL)
        return ERR_NOMEM;
    *out = (struct cluster_shorts){ 0 };
    for (size_t i = 0; i < rows.n; i++) {
        v[i] = (struct cluster_short){ 0 };
        PUT(&v[i], cluster_short, name, rows.v[i].name);
        PUT(&v[i], cluster_short, shards, rows.v[i].shards);
        PUT(&v[i], cluster_short, comps, rows.v[i].comps);
    }
    PUT_LIST(out, cluster_shorts, v, rows.n, v);
    return req_send(r, &cluster_shorts_rec, out);
}

/* Lists that are answered as they are stored. */
#define LISTED(handler, form, row, read)                             \
    enum err handler(struct req *r, const struct none *in)           \
    {                                                                \
        struct form *out = arena_alloc(r->arena, sizeof(*out));      \
        struct list_of_##row rows;                                   \
        enum err e = read(r->db, r->arena, &rows);                   \
                                                                     \
        (void)in;                                                    \
        if (out == NULL || e != ERR_OK)                              \
            return e != ERR_OK ? e : ERR_NOMEM;                      \
        *out = (struct form){ 0 };                                   \
        PUT_LIST(out, form, v, rows.n, rows.v);                      \
        return send_list(r, e, &form##_rec, &form##_paras_rec, out); \
    }
LISTED(cluster_summaries_get, cluster_summaries, cluster_summary,
       cluster_store_summaries)
LISTED(cluster_machines_get, cluster_machines, cluster_machine,
       cluster_store_machines)

/* ---- what is in a cluster ---- */

typedef enum err rows_fn(struct db *db, struct arena *a, const char *cluster,
                         struct list_of_cluster_row *out);

/* Of an unknown cluster there are none; what was stopped is not listed. */
static enum err
servers(struct req *r, const struct cluster_ref *in, rows_fn *rows_of,
        const struct record *rec)
{
    struct cluster_servers *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_cluster_row rows = { 0 };
    struct cluster_server *v;
    const char *name;
    size_t n = 0;
    enum err e = req_check(r, in);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    e = cluster_store_name(r->db, r->arena, in->name, in->id, &name);
    if (e == ERR_OK)
        e = rows_of(r->db, r->arena, name, &rows);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    v = arena_array(r->arena, rows.n + 1, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++) {
        const struct cluster_row *row = &rows.v[i];
        struct cluster_server *s = &v[n];

        if (!is_active(row))
            continue;
        n++;
        *s = (struct cluster_server){ 0 };
        PUT(s, cluster_server, ip, row->ip);
        PUT(s, cluster_server, port, number(r, row->port));
        PUT(s, cluster_server, user, row->user);
        PUT(s, cluster_server, pwd, pwd_for(r, row));
    }
    *out = (struct cluster_servers){ 0 };
    PUT_LIST(out, cluster_servers, v, n, v);
    return req_send(r, rec, out);
}

enum err
cluster_storage_get(struct req *r, const struct cluster_ref *in)
{
    return servers(r, in, cluster_store_storages, &cluster_storages_rec);
}

enum err
cluster_computer_get(struct req *r, const struct cluster_ref *in)
{
    return servers(r, in, cluster_store_computers, &cluster_computers_rec);
}

/* ---- instances of all clusters ---- */

/* node_ip0, node_ip1 ...: only those of these machines; none: of all. */
static bool
wants_ip(const struct req *r, const char *ip)
{
    const struct json *at =
        cluster_in_paras(r) ? json_member(r->json, "paras") : r->json;
    bool any = false;

    for (const struct json *j = json_first(at); j != NULL; j = json_next(j)) {
        const char *key = json_key(j);

        if (strncmp(key, "node_ip", 7) != 0 || key[7] == '\0' ||
            key[7 + strspn(key + 7, "0123456789")] != '\0')
            continue;
        any = true;
        if (strcmp(json_text(j), ip) == 0)
            return true;
    }
    return !any;
}

static void
put_instance(struct req *r, const struct cluster_row *row,
             struct cluster_instance *out)
{
    *out = (struct cluster_instance){ 0 };
    PUT(out, cluster_instance, ip, row->ip);
    PUT(out, cluster_instance, port, row->port);
    PUT(out, cluster_instance, user, row->user);
    PUT(out, cluster_instance, pwd, pwd_for(r, row));
    PUT(out, cluster_instance, cluster, row->cluster);
    if (strcmp(row->kind, "storage") == 0)
        PUT(out, cluster_instance, shard, row->name);
    else
        PUT(out, cluster_instance, comp, row->name);
    PUT(out, cluster_instance, status, row->status);
}

static enum err
put_instances(struct req *r, rows_fn *rows_of, size_t *n,
              struct cluster_instance **out)
{
    struct list_of_cluster_row rows;
    enum err e = rows_of(r->db, r->arena, NULL, &rows);

    if (e != ERR_OK)
        return e;
    *out = arena_array(r->arena, rows.n + 1, sizeof(**out));
    if (*out == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++)
        if (wants_ip(r, rows.v[i].ip))
            put_instance(r, &rows.v[i], &(*out)[(*n)++]);
    return ERR_OK;
}

static enum err
put_metas(struct req *r, struct cluster_instances *out)
{
    struct list_of_cluster_meta_row rows;
    enum err e = cluster_store_metas(r->db, r->arena, &rows);

    if (e != ERR_OK)
        return e;
    out->meta.v = arena_array(r->arena, rows.n + 1, sizeof(*out->meta.v));
    if (out->meta.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++) {
        struct cluster_instance *m = &out->meta.v[out->meta.n];

        if (!wants_ip(r, rows.v[i].ip))
            continue;
        out->meta.n++;
        *m = (struct cluster_instance){ 0 };
        PUT(m, cluster_instance, ip, rows.v[i].ip);
        PUT(m, cluster_instance, port, rows.v[i].port);
        PUT(m, cluster_instance, user, rows.v[i].user);
        PUT(m, cluster_instance, pwd, "");
    }
    return ERR_OK;
}

/* "meta_instance", "meta_node": what a kind is called by the job asked for. */
static bool
wants_type(const struct cluster_instances_ref *in, const char *type,
           const char *suffix)
{
    size_t n = strlen(type);

    return !HAS(in, cluster_instances_ref, type) || str_empty(in->type) ||
           (strncmp(in->type, type, n) == 0 &&
            strcmp(in->type + n, suffix) == 0);
}

static enum err
instances(struct req *r, const struct cluster_instances_ref *in,
          const char *suffix, const char *member, const struct record *rec)
{
    struct cluster_instances *out = arena_alloc(r->arena, sizeof(*out));
    bool meta = wants_type(in, "meta", suffix),
         storage = wants_type(in, "storage", suffix),
         computer = wants_type(in, "computer", suffix);
    enum err e = ERR_OK;

    if (out == NULL)
        return ERR_NOMEM;
    if (!meta && !storage && !computer)
        return req_fail(r, CLUSTER_GET, ARGS(arg("field", member)));
    *out = (struct cluster_instances){ 0 };
    if (meta)
        e = put_metas(r, out);
    if (e == ERR_OK && storage)
        e = put_instances(r, cluster_store_storages, &out->storage.n,
                          &out->storage.v);
    if (e == ERR_OK && computer)
        e = put_instances(r, cluster_store_computers, &out->computer.n,
                          &out->computer.v);
    return req_send_or_fail(r, e, rec, out);
}

enum err
cluster_instances_get(struct req *r, const struct cluster_instances_ref *in)
{
    return instances(r, in, "_instance", "instance_type",
                     &cluster_instances_rec);
}

enum err
cluster_nodes_get(struct req *r, const struct cluster_nodes_ref *in)
{
    const void *same = in; /* another form of that record */

    return instances(r, same, "_node", "node_type", &cluster_nodes_rec);
}
