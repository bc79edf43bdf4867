/* get_node and get_instance, update_node, auto_pullup, node_exporter: the
 * instances of a machine, and its watchdog. */
#include "nodes.h"

#include <string.h>

#include "clock.h"
#include "config.h"
#include "keeper.h"
#include "node_mgr.h"
#include "listener.h"
#include "own_store.h"
#include "root.h"
#include "store.h"

#define MINUTE_MS 60000

TABLE(node_type, NODE_TYPE);
TABLE_OF(node_instance_type, node_type, NODE_INSTANCE_TYPE);
TABLE(node_entry, NODE_ENTRY);
TABLE(node_list, NODE_LIST);
TABLE_OF(node_instances, node_list, NODE_INSTANCES);
TABLE(node_pause, NODE_PAUSE);
TABLE(node_exporter, NODE_EXPORTER);
NO_CHECKS(node_type);
NO_CHECKS(node_instance_type);
NO_CHECKS(node_exporter);
CHECKS(node_pause, PRESENT(minutes, NODE_GET_MINUTES));

/* ---- lists ---- */

enum err
node_count(struct db *db, struct arena *a, const char *machine,
           struct node_counts *out)
{
    struct list_of_kept all;
    enum err e = kept_list(db, a, machine, &all);

    *out = (struct node_counts){ 0 };
    for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
        if (strcmp(all.v[i].kind, "storage") == 0)
            out->storage++;
        else
            out->computer++;
    }
    return e;
}

static const struct kept *
kept_of(const struct list_of_kept *all, const char *uuid)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].uuid, uuid) == 0)
            return &all->v[i];
    return NULL;
}

static void
put_disk(struct req *r, const char *path, struct node_entry *out)
{
    struct root_space space;
    int64_t used = root_used(path);

    PUT(out, node_entry, disk_used,
        used >= 0 ? kunlun_human(r->arena, used) : "error");
    PUT(out, node_entry, disk_free,
        root_space(path, &space) == ERR_OK ? kunlun_human(r->arena, space.free)
                                           : "error");
}

static void
put_entry(struct req *r, const struct node_row *row, const struct kept *k,
          struct node_entry *out)
{
    *out = (struct node_entry){ 0 };
    PUT(out, node_entry, ip, r->listener_tail);
    PUT(out, node_entry, port, row->port);
    PUT(out, node_entry, user, row->user);
    PUT(out, node_entry, pwd,
        r->see_secrets && HAS(row, node_row, pwd) ? row->pwd : "");
    PUT(out, node_entry, path, row->path);
    PUT(out, node_entry, cluster,
        HAS(row, node_row, cluster) ? row->cluster : "");
    if (strcmp(row->kind, "storage") == 0)
        PUT(out, node_entry, shard,
            HAS(row, node_row, shard) ? row->shard : "");
    put_disk(r, row->path, out);
    PUT(out, node_entry, state, enum_text(kept_state_names, k->state));
    PUT(out, node_entry, restarts, k->restarts);
    PUT(out, node_entry, why, HAS(k, kept, why) ? k->why : "");
}

static enum err
put_instances(struct req *r, bool storage, bool computer, struct node_list *out)
{
    struct list_of_node_row rows;
    struct list_of_kept all;
    enum err e = kept_list(r->db, r->arena, r->listener_tail, &all);

    if (e == ERR_OK)
        e = node_store_instances(r->db, r->arena, r->listener_tail, &rows);
    if (e != ERR_OK)
        return e;
    out->storage.v = arena_array(r->arena, rows.n + 1, sizeof(*out->storage.v));
    out->computer.v =
        arena_array(r->arena, rows.n + 1, sizeof(*out->computer.v));
    if (out->storage.v == NULL || out->computer.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++) {
        const struct node_row *row = &rows.v[i];
        const struct kept *k = kept_of(&all, row->uuid);

        if (k == NULL) /* it is being installed, or deleted */
            continue;
        if (strcmp(row->kind, "storage") == 0) {
            if (storage)
                put_entry(r, row, k, &out->storage.v[out->storage.n++]);
        } else if (computer) {
            put_entry(r, row, k, &out->computer.v[out->computer.n++]);
        }
    }
    return ERR_OK;
}

/* The onebox's own MariaDB. */
static enum err
put_meta(struct req *r, struct node_list *out)
{
    struct node_entry *e = arena_alloc(r->arena, sizeof(*e));
    const char *path = arena_printf(r->arena, "%s/mysql", config_run_dir());

    if (e == NULL || path == NULL)
        return ERR_NOMEM;
    *e = (struct node_entry){ 0 };
    PUT(e, node_entry, ip, r->listener_tail);
    PUT(e, node_entry, port, (int32_t)config()->mysql_port);
    PUT(e, node_entry, user, "repl");
    PUT(e, node_entry, pwd, "");
    PUT(e, node_entry, path, path);
    put_disk(r, path, e);
    PUT(e, node_entry, state, "running"); /* or nobody would have come here */
    out->meta.v = e;
    out->meta.n = 1;
    return ERR_OK;
}

static bool
wants(const struct node_type *in, const char *type, const char *suffix)
{
    size_t n = strlen(type);

    return !HAS(in, node_type, type) || (strncmp(in->type, type, n) == 0 &&
                                         strcmp(in->type + n, suffix) == 0);
}

static enum err
list(struct req *r, const struct node_type *in, const char *suffix,
     const char *member, const struct record *rec)
{
    bool meta = wants(in, "meta", suffix),
         storage = wants(in, "storage", suffix),
         computer = wants(in, "computer", suffix);
    struct node_list *out = arena_alloc(r->arena, sizeof(*out));
    enum err e = ERR_OK;

    if (out == NULL)
        return ERR_NOMEM;
    *out = (struct node_list){ 0 };
    if (!meta && !storage && !computer)
        return req_fail(r, NODE_GET, ARGS(arg("field", member)));
    if (meta && node_has_meta(r))
        e = put_meta(r, out);
    if (e == ERR_OK && (storage || computer))
        e = put_instances(r, storage, computer, out);
    return req_send_or_fail(r, e, rec, out);
}

enum err
node_list_get(struct req *r, const struct node_type *in)
{
    return list(r, in, "_node", "node_type", &node_list_rec);
}

enum err
node_instances_get(struct req *r, const struct node_instance_type *in)
{
    const void *same = in; /* another form of that record */

    return list(r, same, "_instance", "instance_type", &node_instances_rec);
}

/* Theirs asks cluster_mgr for its lists; ours are rows of the store, so there
 * is nothing that could be old. */
enum err
node_update(struct req *r, const struct node_ask *in)
{
    enum err e = node_epoch(r);

    (void)in;
    return e == ERR_OK ? req_ok(r) : e;
}

/* ---- the watchdog ---- */

enum err
node_pullup(struct req *r, const struct node_pause *in)
{
    int64_t until = PAUSE_NONE;
    unsigned port = 0;
    enum err e = req_check(r, in);

    if (e == ERR_OK)
        e = node_epoch(r);
    if (e != ERR_OK)
        return e;
    if (HAS(in, node_pause, port) && in->port > 0)
        port = (unsigned)in->port;
    if (in->minutes < 0)
        until = PAUSE_FOREVER;
    else if (in->minutes > 0)
        until = clock_unix_ms() + in->minutes * (int64_t)MINUTE_MS;
    e = pullup_pause(r->db, r->listener_tail, port, until);
    if (e != ERR_OK)
        return e;
    req_audit(r, arena_printf(r->arena, "pullup %s:%u", r->listener_tail, port),
              NULL, NULL);
    req_wake(r);
    return req_ok(r);
}

/* ---- metrics ---- */

/* What listens there is left; otherwise our own are told of. */
enum err
node_exporter_start(struct req *r, const struct node_exporter *in)
{
    struct kunlun_result *out = arena_alloc(r->arena, sizeof(*out));
    struct listening l;

    if (HAS(in, node_exporter, port) &&
        !node_port_is_idle(r->listener_tail, (uint16_t)(in->port + 1)))
        return req_ok(r);
    if (out == NULL)
        return ERR_NOMEM;
    if (listener_named("console", 0, &l) != ERR_OK)
        return req_fail(r, NODE_NO_METRICS, ARGS());
    *out = (struct kunlun_result){ 0 };
    PUT(out, kunlun_result, result, "succeed");
    PUT(out, kunlun_result, info,
        arena_printf(r->arena, "metrics are at %s/metrics", l.address));
    return out->info != NULL ? req_send(r, &kunlun_result_rec, out) : ERR_NOMEM;
}
