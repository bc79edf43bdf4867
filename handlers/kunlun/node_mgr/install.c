/* install_storage, install_computer: an instance of its own accounts, below
 * directories that the machine was registered with. A storage instance begins
 * read-only; one that is alone (ha_mode no_rep, or none) may be written at the
 * end, of others cluster_mgr says which. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "kunlun/core/placement.h"
#include "kunlun/life/meta.h"
#include "kunlun/machine/dirs.h"
#include "kunlun/spec.h"
#include "node_mgr.h"
#include "port_idle.h"
#include "root.h"
#include "store.h"

#define MIB             ((int64_t)1 << 20)
#define MEMORY_BYTES    (128 * MIB)
#define MAX_CONNECTIONS 500
#define PROBE_MS        2000

TABLE(node_place, NODE_PLACE);
TABLE(node_install, NODE_INSTALL);

/* ---- what is asked for ---- */

static bool
read_install(struct job_run *run, struct node_install *in,
             const struct node_place **at)
{
    size_t id;

    if (!node_args(run, &node_install_rec, in))
        return false;
    id = HAS(in, node_install, install_id) ? (size_t)in->install_id : 0;
    if (in->nodes.n == 0) {
        job_fails(run, "get nodes error");
        return false;
    }
    if (id >= in->nodes.n) {
        job_fails(run, "get install_id error");
        return false;
    }
    *at = &in->nodes.v[id];
    return true;
}

static bool
check_place(struct job_run *run, const struct node_place *at)
{
    static const char *const members[] = { "ip", "port", NULL };

    if (!node_wants(run, &node_place_rec, at, members) ||
        !node_is_ours(run, at->ip))
        return false;
    if (at->port >= 1 && at->port <= 65535)
        return true;
    job_fails(run, "get port error");
    return false;
}

/* "1GB", "512M", "134217728"; 0 when it is none. */
static int64_t
bytes_of(const char *text)
{
    static const char units[] = "KMGT";
    const char *u;
    char *end;
    long long v = strtoll(text, &end, 10);

    if (end == text || v <= 0 || v > INT32_MAX * (int64_t)4096)
        return 0;
    u = *end != '\0' ? strchr(units, *end & ~0x20) : NULL;
    if (u != NULL) {
        end++;
        v = v > (INT64_MAX >> (10 * (u - units + 1)))
                ? 0
                : v << (10 * (u - units + 1));
    }
    if (*end == 'B' || *end == 'b')
        end++;
    return *end == '\0' ? v : 0;
}

/* innodb_size is in GB, as KunlunBase has it. */
static int64_t
memory_of(const struct node_install *in, const struct node_place *at)
{
    if (HAS(at, node_place, buffer_pool))
        return bytes_of(at->buffer_pool);
    if (HAS(in, node_install, buffer_pool))
        return bytes_of(in->buffer_pool);
    if (HAS(in, node_install, innodb_size))
        return (int64_t)in->innodb_size << 30;
    return MEMORY_BYTES;
}

/* ---- directories ---- */

/* The directory that a request means: a root itself, or what lies below it
 * for the instance, as KunlunBase's managers send it. */
static const char *
root_part(struct arena *a, const char *path, enum placement_class class,
          unsigned port)
{
    const char *tail = root_home(a, "", placement_class_names[class], port);
    size_t n = strlen(path), m = tail != NULL ? strlen(tail) : 0;

    while (n > 1 && path[n - 1] == '/')
        n--;
    if (m > 0 && n > m && memcmp(path + n - m, tail, m) == 0)
        n -= m;
    return arena_strndup(a, path, n);
}

/* Of the registered ones: that which was asked for or, when none was, that
 * with the most room. */
static bool
choose_root(struct job_run *run, const char *list, const char *asked,
            enum placement_class class, unsigned port, const char **out)
{
    char real[PATH_MAX], wanted[PATH_MAX] = "", why[WHY_BYTES];
    struct root_space space;
    struct span s;
    int64_t most = -1;

    *out = NULL;
    if (asked != NULL) {
        const char *root = root_part(run->arena, asked, class, port);

        if (root == NULL || root_check(root, wanted, why) != ERR_OK) {
            job_fails(run, "%s is error", asked);
            return false;
        }
    }
    for (const char *rest = or_empty(list); machine_dirs_next(&rest, &s);) {
        const char *path = arena_strndup(run->arena, s.p, s.n);

        if (path == NULL || root_check(path, real, why) != ERR_OK ||
            (asked != NULL && strcmp(real, wanted) != 0) ||
            root_space(real, &space) != ERR_OK || space.free <= most)
            continue;
        most = space.free;
        *out = arena_strdup(run->arena, real);
    }
    if (*out == NULL)
        job_fails(run, "%s is error",
                  asked != NULL ? asked : "every directory of the machine");
    return *out != NULL;
}

static enum step_answer
not_registered(struct job_run *run, const char *machine)
{
    job_fails(run, "%s is not registered error", machine);
    return STEP_FAILED;
}

static enum step_answer
choose_roots(struct job_run *run, const struct node_place *at,
             struct instance_spec *s)
{
    const struct machine *m = run->ctx;
    unsigned port = (unsigned)at->port;
    struct node_roots r;
    enum err e = node_store_roots(run->db, run->arena, m->address, &r);

    if (e == ERR_NOT_FOUND)
        return not_registered(run, m->address);
    if (e != ERR_OK)
        return node_failed(run, e, node_own(run)->error, NULL);
    if (s->kind == INSTANCE_COMPUTER) {
        if (!choose_root(run, r.comp, at->datadir, PLACEMENT_COMP, port,
                         &s->data_root))
            return STEP_FAILED;
    } else if (!choose_root(run, r.data, at->data_dir_path, PLACEMENT_DATA,
                            port, &s->data_root) ||
               !choose_root(run, r.log, at->log_dir_path, PLACEMENT_LOG, port,
                            &s->log_root) ||
               !choose_root(run, r.wal, at->innodb_log_dir_path, PLACEMENT_WAL,
                            port, &s->wal_root)) {
        return STEP_FAILED;
    } else {
        SET(s, instance_spec, log_root);
        SET(s, instance_spec, wal_root);
    }
    SET(s, instance_spec, data_root);
    return STEP_DONE;
}

/* ---- the spec ---- */

static bool
is_alone(const struct node_install *in)
{
    return !HAS(in, node_install, ha_mode) || str_empty(in->ha_mode) ||
           strcmp(in->ha_mode, "no_rep") == 0;
}

/* One that is none would give a server that nobody may write. */
static bool
check_mode(struct job_run *run, const struct node_install *in)
{
    if (is_alone(in) || strcmp(in->ha_mode, "mgr") == 0 ||
        strcmp(in->ha_mode, "rbr") == 0)
        return true;
    job_fails(run, "get ha_mode error");
    return false;
}

/* One that was planned elsewhere is taken as it is; only jobs of ours may say
 * so, since it has secrets and names that nobody has checked. */
static bool
is_planned(const struct job_run *run, const struct node_install *in)
{
    return run->job->parent_id != 0 && in->spec != NULL;
}

static enum err
make_spec(struct job_run *run, enum instance_kind kind,
          const struct node_install *in, const struct node_place *at,
          struct instance_spec *s)
{
    bool storage = kind == INSTANCE_STORAGE;
    const struct kunlun_server w = {
        .kind = kind,
        .address = at->ip,
        .port = at->port,
        .cluster =
            HAS(in, node_install, cluster_name) ? in->cluster_name : NULL,
        .name = storage && HAS(in, node_install, shard_name) ? in->shard_name
                : !storage && HAS(at, node_place, name)      ? at->name
                                                             : NULL,
        .user = HAS(at, node_place, user) ? at->user : NULL,
        .memory_bytes = memory_of(in, at),
        .max_connections = HAS(in, node_install, max_connections)
                               ? in->max_connections
                               : MAX_CONNECTIONS,
        .lone = is_alone(in),
    };

    if (!is_planned(run, in))
        return kunlun_spec(run->arena, &w, s);
    *s = *in->spec;
    if (s->kind != (int)kind || strcmp(s->address, at->ip) != 0 ||
        s->port != at->port)
        return ERR_INTERNAL;
    return ERR_OK;
}

/* ---- steps ---- */

/* Its row, in a transaction with the turn that delete_machine takes: one that
 * is forgotten gets no instance, and one that gets an instance stays. */
static enum err
reserve_row(struct job_run *run, const struct instance_spec *s,
            const char *home, bool *registered)
{
    struct node_roots r;
    enum err e = meta_turn(run->db);

    if (e == ERR_OK)
        e = job_hold(run);
    if (e == ERR_OK)
        e = node_store_roots(run->db, run->arena, s->address, &r);
    *registered = e != ERR_NOT_FOUND;
    if (e == ERR_OK)
        e = node_store_reserve(run->db, s, home, run->job->id);
    return e == ERR_OK ? node_keep_spec(run, s) : e;
}

static enum step_answer
reserve(struct job_run *run, const struct instance_spec *s)
{
    const char *error = node_own(run)->error;
    char why[WHY_BYTES] = "";
    bool registered = true;
    const char *home;
    enum err e = instance_check(s, why);

    if (e == ERR_OK)
        e = instance_home(run->arena, s, &home);
    if (e != ERR_OK)
        return node_failed(run, e, error, why);
    e = db_begin(run->db);
    if (e == ERR_OK)
        e = reserve_row(run, s, home, &registered);
    e = db_end(run->db, e);
    if (!registered)
        return not_registered(run, s->address);
    if (e == ERR_EXISTS)
        return node_failed(run, e, error,
                           "an instance is installed on that port");
    return e == ERR_OK ? STEP_DONE : node_failed(run, e, error, NULL);
}

static enum step_answer
check(struct job_run *run)
{
    struct instance_spec spec = { 0 };
    const struct node_place *at;
    struct node_install in;
    enum step_answer answer;
    char why[WHY_BYTES] = "";
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    if (!read_install(run, &in, &at) || !check_place(run, at) ||
        !check_mode(run, &in))
        return STEP_FAILED;
    e = instance_port_check(at->port, why);
    if (e != ERR_OK)
        return node_failed(run, e, node_own(run)->error, why);
    if (!port_is_idle(at->ip, (unsigned)at->port))
        return node_failed(run, ERR_STATE, node_own(run)->error,
                           "the port is not idle");
    if (memory_of(&in, at) <= 0) {
        job_fails(run, "get innodb_buffer_pool_size error");
        return STEP_FAILED;
    }
    e = make_spec(run, node_own(run)->kind, &in, at, &spec);
    if (e != ERR_OK)
        return node_failed(run, e, node_own(run)->error, NULL);
    answer = choose_roots(run, at, &spec);
    return answer == STEP_DONE ? reserve(run, &spec) : answer;
}

static enum step_answer
unreserve(struct job_run *run)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = node_store_unreserve(run->db, run->job->id);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, node_own(run)->error, NULL);
}

static enum step_answer
make(struct job_run *run)
{
    struct instance_spec spec;
    char why[WHY_BYTES] = "";
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_OK)
        e = instance_install(run->arena, &spec, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, node_own(run)->error, why);
}

static enum step_answer
unmake(struct job_run *run)
{
    struct instance_spec spec;
    char why[WHY_BYTES] = "";
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e == ERR_OK)
        e = instance_unmake(&spec, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, node_own(run)->error, why);
}

/* Down without having ended: the keeper that was told was killed before it
 * could start it, for an order is not on disk, only that it is to run. */
static bool
was_not_begun(const struct kept *one)
{
    return one->state == KEPT_HELD && str_empty(one->why);
}

/* An order to start is given once: each would begin a crash loop anew. */
static enum err
tell_to_run(struct job_run *run, unsigned port)
{
    const struct machine *m = run->ctx;
    struct list_of_kept all;
    enum err e = keeper_list(m->keeper, run->arena, &all);

    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        if (all.v[i].port == (int32_t)port && all.v[i].to_run &&
            !was_not_begun(&all.v[i]))
            return ERR_OK;
    return e == ERR_OK ? keeper_tell(m->keeper, port, ORDER_START, run->job->id)
                       : e;
}

static enum step_answer
start(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    char why[WHY_BYTES] = "";
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_OK)
        e = keeper_add(m->keeper, &spec, run->job->id);
    if (e == ERR_OK)
        e = tell_to_run(run, (unsigned)spec.port);
    if (e == ERR_OK) /* while it starts */
        e = instance_sync(&spec, why);
    if (e != ERR_OK)
        return node_failed(run, e, node_own(run)->error, why);
    return node_await(run, (unsigned)spec.port, KEPT_RUNNING,
                      node_own(run)->error);
}

/* The keeper has one on that port only when it is this job's. */
static enum step_answer
unstart(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec, kept;
    enum step_answer answer;
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_OK)
        e = keeper_spec(m->keeper, run->arena, (unsigned)spec.port, &kept);
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && strcmp(kept.uuid, spec.uuid) != 0))
        return STEP_DONE;
    if (e == ERR_OK)
        e = keeper_tell(m->keeper, (unsigned)spec.port, ORDER_STOP,
                        run->job->id);
    if (e != ERR_OK)
        return node_failed(run, e, node_own(run)->error, NULL);
    answer = node_await(run, (unsigned)spec.port, KEPT_STOPPED,
                        node_own(run)->error);
    if (answer != STEP_DONE)
        return answer;
    e = keeper_drop(m->keeper, (unsigned)spec.port, run->job->id);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, node_own(run)->error, NULL);
}

static enum step_answer
settle(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    char why[WHY_BYTES] = "";
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_OK)
        e = instance_settle(run->arena, &spec, PROBE_MS, why);
    if (e == ERR_TIMEOUT) {
        job_waits(run, 500, "%s", why);
        return STEP_AGAIN;
    }
    if (e == ERR_OK)
        e = keeper_release(m->keeper, (unsigned)spec.port, run->job->id);
    if (e != ERR_OK)
        return node_failed(run, e, node_own(run)->error, why);
    return node_done(run, node_own(run)->succeed);
}

static const struct job_step storage_steps[] = {
    { "install storage start", check, unreserve },
    { "install storage working", make, unmake },
    { "install storage starting", start, unstart },
    { "install storage settling", settle, NULL },
};
NODE_JOB(node_install_storage_kind, install_storage, storage_steps,
         .of = &(const struct node_own){ INSTANCE_STORAGE,
                                         "install storage error",
                                         "install storage succeed" });

static const struct job_step computer_steps[] = {
    { "install computer start", check, unreserve },
    { "install computer working", make, unmake },
    { "install computer starting", start, unstart },
    { "install computer settling", settle, NULL },
};
NODE_JOB(node_install_computer_kind, install_computer, computer_steps,
         .of = &(const struct node_own){ INSTANCE_COMPUTER,
                                         "install computer error",
                                         "install computer succeed" });
