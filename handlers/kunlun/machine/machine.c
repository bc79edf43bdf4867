/* What a machine is and has: of the host that this worker runs on, which is
 * the machine that its listener speaks for. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "dirs.h"
#include "file.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "own_store.h"
#include "place.h"
#include "port_idle.h"
#include "root.h"

#define SAMPLE_MS  200
#define PROC_BYTES 8192
#define PATHS_MAX  256
#define PORTS_MAX  256
/* Of the wrong ones, as long as they were given. */
#define WRONG_BYTES ((size_t)1 << 20)

TABLE(node_ask, NODE_ASK);
TABLE(node_path, NODE_PATH);
TABLE(node_paths, NODE_PATHS);
TABLE(node_ports, NODE_PORTS);
TABLE(node_info, NODE_INFO);
TABLE(node_disk, NODE_DISK);
TABLE(node_space, NODE_SPACE);
TABLE(node_spaces, NODE_SPACES);

NO_CHECKS(node_ask);
NO_CHECKS(node_ports);
CHECKS(node_path, NEED(path, NODE_GET_PATH));
CHECKS(node_paths, NEED(paths0, NODE_GET_PATHS0), NEED(paths1, NODE_GET_PATHS1),
       NEED(paths2, NODE_GET_PATHS2), NEED(paths3, NODE_GET_PATHS3));

/* ---- get_info ---- */

struct ticks {
    uint64_t all, idle;
};

/* The beginning of a file of /proc. */
static enum err
read_proc(const char *path, char text[PROC_BYTES])
{
    return file_start(path, text, PROC_BYTES) > 0 ? ERR_OK : ERR_STATE;
}

/* The first line of /proc/stat; guest time is in user time already. */
static enum err
read_ticks(struct ticks *out)
{
    unsigned long long v[8] = { 0 };
    char text[PROC_BYTES];
    enum err e = read_proc("/proc/stat", text);

    if (e != ERR_OK)
        return e;
    if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0],
               &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) < 5)
        return ERR_INTERNAL;
    *out = (struct ticks){ .idle = v[3] + v[4] };
    for (size_t i = 0; i < COUNT(v); i++)
        out->all += v[i];
    return ERR_OK;
}

static const char *
cpu_used(struct arena *a)
{
    struct timespec t = { .tv_nsec = SAMPLE_MS * 1000000L };
    struct ticks before, after;
    double used = 0;

    if (read_ticks(&before) != ERR_OK)
        return "0.00%";
    (void)nanosleep(&t, NULL);
    if (read_ticks(&after) == ERR_OK && after.all > before.all)
        used = 100.0 * (1.0 - (double)(after.idle - before.idle) /
                                  (double)(after.all - before.all));
    return arena_printf(a, "%.2f%%", used < 0 ? 0 : used);
}

/* KiB of a line of /proc/meminfo; 0 when it has none. */
static int64_t
mem_kib(const char *text, const char *name)
{
    const char *p = strstr(text, name);

    return p != NULL ? strtoll(p + strlen(name), NULL, 10) : 0;
}

static enum err
put_memory(struct arena *a, struct node_info *out)
{
    int64_t total, available;
    char text[PROC_BYTES];
    enum err e = read_proc("/proc/meminfo", text);

    if (e != ERR_OK)
        return e;
    total = mem_kib(text, "MemTotal:") / 1024;
    available = mem_kib(text, "MemAvailable:") / 1024;
    PUT(out, node_info, mem_total_mb, total);
    PUT(out, node_info, mem_used,
        arena_printf(a, "%" PRId64 "M", total - available));
    PUT(out, node_info, mem_free, arena_printf(a, "%" PRId64 "M", available));
    return ERR_OK;
}

static enum err
put_disk(struct arena *a, const char *path, const char **used,
         const char **free_)
{
    struct root_space s;
    enum err e = root_space(path, &s);

    if (e != ERR_OK)
        return e;
    *used = kunlun_human(a, s.used);
    *free_ = kunlun_human(a, s.free);
    return ERR_OK;
}

/* The onebox's own MariaDB, when it listens on this machine's address. */
bool
node_has_meta(const struct req *r)
{
    char address[PLACE_MACHINE_BYTES];

    return own_store() && config()->mysql_port != 0 &&
           strcmp(place_machine(1, address), r->listener_tail) == 0;
}

static void
put_load(struct node_info *out)
{
    double load[1] = { 0 };

    (void)getloadavg(load, 1);
    /* as the kernel tells it */
    PUT(out, node_info, load1, round(load[0] * 100) / 100);
    PUT(out, node_info, cpu_cores, (int32_t)sysconf(_SC_NPROCESSORS_ONLN));
}

enum err
node_info_get(struct req *r, const struct node_ask *in)
{
    struct node_info *out = arena_alloc(r->arena, sizeof(*out));
    enum err e;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    *out = (struct node_info){ 0 };
    PUT(out, node_info, cpu_used, cpu_used(r->arena));
    e = put_memory(r->arena, out);
    if (e == ERR_OK)
        e = put_disk(r->arena, config_run_dir(), &out->disk_used,
                     &out->disk_free);
    if (e != ERR_OK)
        return e;
    SET(out, node_info, disk_used);
    SET(out, node_info, disk_free);
    put_load(out);
    e = node_figures(r, out);
    return req_send_or_fail(r, e, &node_info_rec, out);
}

/* ---- directories ---- */

enum err
node_disk_get(struct req *r, const struct node_path *in)
{
    struct node_disk *out = arena_alloc(r->arena, sizeof(*out));
    enum err e = req_check(r, in);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    *out = (struct node_disk){ 0 };
    if (in->path[0] != '/' || put_disk(r->arena, in->path, &out->disk_used,
                                       &out->disk_free) != ERR_OK)
        return req_fail(r, NODE_PATHS_BAD, ARGS(arg("paths", in->path)));
    SET(out, node_disk, disk_used);
    SET(out, node_disk, disk_free);
    return req_send(r, &node_disk_rec, out);
}

static enum err
put_spaces(const struct machine_dirs *d, enum placement_class class,
           struct node_space **v, size_t *n)
{
    *n = 0;
    *v = arena_array(d->arena, d->n + 1, sizeof(**v));
    if (*v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < d->n; i++) {
        struct node_space *s = &(*v)[*n];

        if (d->v[i].class != class)
            continue;
        *s = (struct node_space){ 0 };
        PUT(s, node_space, path, d->v[i].path);
        PUT(s, node_space, used, d->v[i].used);
        PUT(s, node_space, free, d->v[i].free);
        (*n)++;
    }
    return ERR_OK;
}

static enum err
refuse_paths(struct req *r, const struct machine_dirs *d)
{
    const char *text;
    enum err e = machine_dirs_wrong(d, WRONG_BYTES, &text);

    return e == ERR_OK ? req_fail(r, NODE_PATHS_BAD, ARGS(arg("paths", text)))
                       : e;
}

enum err
node_paths_get(struct req *r, const struct node_paths *in)
{
    struct node_spaces *out = arena_alloc(r->arena, sizeof(*out));
    struct machine_dirs d;
    enum err e = req_check(r, in);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    *out = (struct node_spaces){ 0 };
    e = machine_dirs_look(r->arena, PATHS_MAX,
                          (const char *const[]){
                              [PLACEMENT_DATA] = in->paths0,
                              [PLACEMENT_LOG] = in->paths1,
                              [PLACEMENT_WAL] = in->paths2,
                              [PLACEMENT_COMP] = in->paths3,
                          },
                          &d);
    if (e != ERR_OK)
        return e;
    if (d.n_wrong > 0)
        return refuse_paths(r, &d);
    e = put_spaces(&d, PLACEMENT_DATA, &out->paths0.v, &out->paths0.n);
    if (e == ERR_OK)
        e = put_spaces(&d, PLACEMENT_LOG, &out->paths1.v, &out->paths1.n);
    if (e == ERR_OK)
        e = put_spaces(&d, PLACEMENT_WAL, &out->paths2.v, &out->paths2.n);
    if (e == ERR_OK)
        e = put_spaces(&d, PLACEMENT_COMP, &out->paths3.v, &out->paths3.n);
    PUT(out, node_spaces, result, "succeed");
    PUT(out, node_spaces, info, "");
    return req_send_or_fail(r, e, &node_spaces_rec, out);
}

/* ---- ports ---- */

/* port0, port1 ...: which numbers they have does not matter. */
static bool
names_port(const char *key)
{
    return strncmp(key, "port", 4) == 0 && key[4] != '\0' &&
           strspn(key + 4, "0123456789") == strlen(key + 4);
}

static bool
read_port(const struct json *j, int64_t *port)
{
    return (json_type(j) == JSON_NUMBER || json_type(j) == JSON_STRING) &&
           json_to_i64(json_text(j), false, port) == ERR_OK && *port > 0 &&
           *port <= 65535;
}

enum err
node_ports_check(struct req *r, const struct node_ports *in)
{
    const struct json *j;
    int64_t port;
    int n = 0;

    (void)in;
    for (j = json_first(r->json); j != NULL; j = json_next(j)) {
        if (!names_port(json_key(j)))
            continue;
        if (!read_port(j, &port) || ++n > PORTS_MAX)
            return req_fail(r, NODE_GET, ARGS(arg("field", json_key(j))));
        if (!port_is_idle(r->listener_tail, (unsigned)port))
            return req_fail(r, NODE_PORT_USED, ARGS(arg_i64(r, "port", port)));
    }
    if (n == 0)
        return req_fail(r, NODE_GET, ARGS(arg("field", "port0")));
    return req_ok(r);
}
