/* coldrestore and restore_storage: the archive is checked whole before data
 * are touched; the old data are kept until the server answers on the new ones,
 * and come back when it does not. */
#include <string.h>

#include "backup.h"
#include "node_mgr.h"
#include "target.h"

#define PROBE_MS 2000

TABLE(node_restore, NODE_RESTORE);

/* "/coldbackup/clust1/shard1/coldback_20211122_234303.tgz" */
static bool
is_file(const char *file)
{
    static const char top[] = "/coldbackup/";
    size_t n = strlen(file);

    return n > sizeof(top) + 4 && strncmp(file, top, sizeof(top) - 1) == 0 &&
           strcmp(file + n - 4, ".tgz") == 0 && blob_is_key(file + 1);
}

static bool
check_file(struct job_run *run, const struct node_source *in)
{
    if (HAS(in, node_source, file) && is_file(in->file))
        return true;
    job_fails(run, "file path error");
    return false;
}

/* The archive that is meant. */
struct asked {
    const char *key, *storage;
};

/* What is a kind's own. */
struct way {
    enum step_answer (*read)(struct job_run *run, struct asked *out,
                             struct instance_spec *spec);
    const char *error, *succeed;
};

static const struct way *
way_of(const struct job_run *run)
{
    return run->kind->of;
}

static enum step_answer
read_cold(struct job_run *run, struct asked *out, struct instance_spec *spec)
{
    struct node_source in;

    if (!node_source_read(run, &in, spec, check_file) ||
        (run->memo == NULL && node_login(run, &in) == NULL))
        return STEP_FAILED;
    *out = (struct asked){ in.file + 1, NULL };
    return STEP_DONE;
}

static enum step_answer
read_storage(struct job_run *run, struct asked *out, struct instance_spec *spec)
{
    static const char *const at[] = { "ip", "port", NULL };
    static const char *const rest[] = { "cluster_name", "shard_name",
                                        "timestamp", NULL };
    char why[WHY_BYTES] = "";
    struct node_restore in;
    struct blob_store *from;
    enum err e;

    if (!node_args(run, &node_restore_rec, &in) ||
        !node_wants(run, &node_restore_rec, &in, at) ||
        !node_is_ours(run, in.ip) ||
        !node_wants(run, &node_restore_rec, &in, rest) ||
        !node_instance(run, in.ip, in.port, INSTANCE_STORAGE, spec))
        return STEP_FAILED;
    *out = (struct asked){ NULL, HAS(&in, node_restore, backup_storage)
                                     ? in.backup_storage
                                     : NULL };
    e = node_target(run, out->storage, &from, why);
    if (e == ERR_OK)
        e = node_backup_find(run, from, in.cluster_name, in.shard_name,
                             in.timestamp, &out->key, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, why);
}

/* ---- steps: all of the instance's are told by its port ---- */

struct at {
    const struct machine *machine;
    unsigned port;
    struct instance_spec spec;
};

/* The instance by what the first step has kept. */
static enum err
find(struct job_run *run, struct at *out)
{
    enum err e = node_kept_spec(run, &out->spec);

    out->machine = run->ctx;
    out->port = e == ERR_OK ? (unsigned)out->spec.port : 0;
    return e;
}

static enum step_answer
start(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    enum step_answer answer;
    struct asked in;
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    answer = way_of(run)->read(run, &in, &spec);
    if (answer != STEP_DONE)
        return answer;
    e = keeper_hold(m->keeper, (unsigned)spec.port, run->job->id);
    if (e == ERR_OK)
        e = node_keep_spec(run, &spec);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, NULL);
}

/* Then the watchdog starts it, if it is to run. */
static enum step_answer
let_go(struct job_run *run)
{
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = keeper_release(at.machine->keeper, at.port, run->job->id);
    return e == ERR_OK || e == ERR_NOT_FOUND
               ? STEP_DONE
               : node_failed(run, e, way_of(run)->error, NULL);
}

static enum step_answer
load(struct job_run *run)
{
    const struct instance_watch w = node_watch(run);
    char why[WHY_BYTES] = "";
    struct instance_backup of;
    struct instance_spec spec;
    struct blob_store *from;
    enum step_answer answer;
    struct asked in;
    enum err e;

    answer = way_of(run)->read(run, &in, &spec);
    if (answer != STEP_DONE)
        return answer;
    e = node_target(run, in.storage, &from, why);
    if (e == ERR_OK)
        e = instance_load(run->arena, &spec, from, in.key, &w, &of, why);
    return node_broken_off(run, e, way_of(run)->error, why);
}

static enum step_answer
put_back(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e == ERR_OK)
        e = instance_load_back(run->arena, &at.spec, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, why);
}

static enum step_answer
end(struct job_run *run)
{
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = keeper_tell(at.machine->keeper, at.port, ORDER_END, run->job->id);
    if (e != ERR_OK)
        return node_failed(run, e, way_of(run)->error, NULL);
    return node_await(run, at.port, KEPT_STOPPED, way_of(run)->error);
}

static enum step_answer
place(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = instance_load_place(run->arena, &at.spec, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, why);
}

static enum step_answer
begin(struct job_run *run)
{
    enum step_answer answer;
    char why[WHY_BYTES] = "";
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = keeper_tell(at.machine->keeper, at.port, ORDER_BEGIN, run->job->id);
    if (e != ERR_OK)
        return node_failed(run, e, way_of(run)->error, NULL);
    answer = node_await(run, at.port, KEPT_RUNNING, way_of(run)->error);
    if (answer != STEP_DONE)
        return answer;
    e = instance_probe(&at.spec, PROBE_MS, why);
    if (e == ERR_TIMEOUT) {
        job_waits(run, 500, "%s", why);
        return STEP_AGAIN;
    }
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, why);
}

static enum step_answer
finish(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = instance_load_keep(run->arena, &at.spec, why);
    if (e == ERR_OK)
        e = keeper_release(at.machine->keeper, at.port, run->job->id);
    return e == ERR_OK ? node_done(run, way_of(run)->succeed)
                       : node_failed(run, e, way_of(run)->error, why);
}

/* What undoes placing is the undoing of loading, once it has ended. */
static const struct job_step cold_steps[] = {
    { "coldrestore start", start, let_go },
    { "coldrestore copying", load, put_back },
    { "coldrestore working", end, NULL },
    { "coldrestore working", place, NULL },
    { "coldrestore working", begin, end },
    { "coldrestore working", finish, NULL },
};
const struct job_kind node_coldrestore_kind = {
    .name = "node_mgr.coldrestore",
    .queue = MACHINE_QUEUE,
    .steps = cold_steps,
    .n = COUNT(cold_steps),
    .of = &(const struct way){ read_cold, "coldrestore error",
                               "coldrestore succeed" },
};

static const struct job_step storage_steps[] = {
    { "restore storage start", start, let_go },
    { "restore storage copying", load, put_back },
    { "restore storage working", end, NULL },
    { "restore storage working", place, NULL },
    { "restore storage working", begin, end },
    { "restore storage working", finish, NULL },
};
const struct job_kind node_restore_storage_kind = {
    .name = "node_mgr.restore_storage",
    .queue = MACHINE_QUEUE,
    .steps = storage_steps,
    .n = COUNT(storage_steps),
    .of = &(const struct way){ read_storage, "restore storage error",
                               "restore storage succeed" },
};
