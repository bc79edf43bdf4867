/* get_node and get_instance, update_node, auto_pullup, node_exporter: the
 * instances of a machine, and its watchdog. */
#include "nodes.h"

#include <string.h>

#include "address.h"
#include "clock.h"
#include "config.h"
#include "keeper.h"
#include "kunlun/machine/dirs.h"
#include "node_mgr.h"
#include "listener.h"
#include "own_store.h"
#include "port_idle.h"
#include "root.h"
#include "store.h"

#define MINUTE_MS 60000
#define MIB       ((int64_t)1 << 20)
#define ROOTS_MAX 256

TABLE(node_type, NODE_TYPE);
TABLE_OF(node_instance_type, node_type, NODE_INSTANCE_TYPE);
TABLE(node_entry, NODE_ENTRY);
TABLE(node_list, NODE_LIST);
TABLE_OF(node_instances, node_list, NODE_INSTANCES);
TABLE(node_root, NODE_ROOT);
TABLE(node_short, NODE_SHORT);
TABLE(node_pause, NODE_PAUSE);
TABLE(node_exporter, NODE_EXPORTER);
NO_CHECKS(node_type);
NO_CHECKS(node_instance_type);
NO_CHECKS(node_exporter);
CHECKS(node_pause, PRESENT(minutes, NODE_GET_MINUTES));

/* ---- lists ---- */

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

/* ---- figures ---- */

static int64_t
mib_of(const char *dir)
{
    int64_t used = dir != NULL ? root_used(dir) : -1;

    return used > 0 ? (used + MIB - 1) / MIB : 0;
}

/* Those that cannot be asked are left out, as get_path_space would refuse
 * them. */
static enum err
put_disks(struct req *r, struct node_info *out)
{
    struct node_roots roots;
    struct machine_dirs d;
    enum err e = node_store_roots(r->db, r->arena, r->listener_tail, &roots);

    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e; /* it is not registered */
    e = machine_dirs_look(r->arena, ROOTS_MAX,
                          (const char *const[]){
                              [PLACEMENT_DATA] = roots.data,
                              [PLACEMENT_LOG] = roots.log,
                              [PLACEMENT_WAL] = roots.wal,
                              [PLACEMENT_COMP] = roots.comp,
                          },
                          &d);
    if (e != ERR_OK && e != ERR_LIMIT)
        return e;
    out->disks.v = arena_array(r->arena, d.n + 1, sizeof(*out->disks.v));
    if (out->disks.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < d.n; i++) {
        struct node_root *root = &out->disks.v[out->disks.n++];

        *root = (struct node_root){ 0 };
        PUT(root, node_root, class, placement_class_names[d.v[i].class]);
        PUT(root, node_root, path, d.v[i].path);
        PUT(root, node_root, used, d.v[i].used);
        PUT(root, node_root, free, d.v[i].free);
    }
    return ERR_OK;
}

static enum err
put_short(struct req *r, struct node_info *out)
{
    struct list_of_node_row rows;
    struct list_of_kept all;
    enum err e = kept_list(r->db, r->arena, r->listener_tail, &all);

    if (e == ERR_OK)
        e = node_store_instances(r->db, r->arena, r->listener_tail, &rows);
    if (e != ERR_OK)
        return e;
    out->instances.v =
        arena_array(r->arena, rows.n + 1, sizeof(*out->instances.v));
    if (out->instances.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++) {
        const struct kept *k = kept_of(&all, rows.v[i].uuid);
        struct node_short *s = &out->instances.v[out->instances.n];

        if (k == NULL) /* it is being installed, or deleted */
            continue;
        *s = (struct node_short){ 0 };
        PUT(s, node_short, port, rows.v[i].port);
        PUT(s, node_short, kind, rows.v[i].kind);
        PUT(s, node_short, state, enum_text(kept_state_names, k->state));
        PUT(s, node_short, used, mib_of(rows.v[i].path));
        out->instances.n++;
        if (strcmp(rows.v[i].kind, "storage") == 0)
            out->storage_node++;
        else
            out->computer_node++;
    }
    return ERR_OK;
}

enum err
node_figures(struct req *r, struct node_info *out)
{
    enum err e = put_disks(r, out);

    PUT(out, node_info, meta_node, node_has_meta(r) ? 1 : 0);
    PUT(out, node_info, storage_node, 0);
    PUT(out, node_info, computer_node, 0);
    return e == ERR_OK ? put_short(r, out) : e;
}

/* ---- the watchdog ---- */

enum err
node_pullup(struct req *r, const struct node_pause *in)
{
    char at[ADDRESS_BYTES];
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
    (void)address_print(r->listener_tail, (int)port, at, sizeof(at));
    req_audit(r, arena_printf(r->arena, "pullup %s", at), NULL, NULL);
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
        !port_is_idle(r->listener_tail, (unsigned)in->port + 1))
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
