/* coldbackup and backup_shard: an archive of a storage instance, and its line
 * in the index, which is written only when the archive is there. */
#include "backup.h"

#include <inttypes.h>
#include <string.h>

#include "node_mgr.h"
#include "target.h"

TABLE(node_source, NODE_SOURCE);
TABLE(node_shard, NODE_SHARD);
TABLE(node_backup_memo, NODE_BACKUP_MEMO);

/* ---- what both are, once their members are read ---- */

struct asked {
    unsigned port;
    const char *cluster, *shard; /* NULL: as the instance was installed */
    const char *storage;
};

static bool
read_cold(struct job_run *run, struct asked *out, struct instance_spec *spec)
{
    struct node_source in;

    *out = (struct asked){ 0 };
    if (!node_source_read(run, &in, spec, NULL) ||
        (run->memo == NULL && node_login(run, &in) == NULL))
        return false;
    out->port = (unsigned)in.s_port;
    return true;
}

static bool
read_shard(struct job_run *run, struct asked *out, struct instance_spec *spec)
{
    static const char *const at[] = { "ip", "port", NULL };
    static const char *const rest[] = { "cluster_name", "shard_name", NULL };
    struct node_shard in;

    if (!node_args(run, &node_shard_rec, &in) ||
        !node_wants(run, &node_shard_rec, &in, at) ||
        !node_is_ours(run, in.ip) ||
        !node_wants(run, &node_shard_rec, &in, rest) ||
        !node_instance(run, in.ip, in.port, INSTANCE_STORAGE, spec))
        return false;
    *out =
        (struct asked){ (unsigned)in.port, in.cluster_name, in.shard_name,
                        HAS(&in, node_shard, backup_storage) ? in.backup_storage
                                                             : NULL };
    return true;
}

/* What is a kind's own. */
struct way {
    bool (*read)(struct job_run *run, struct asked *out,
                 struct instance_spec *spec);
    const char *error;
    const char *succeed; /* NULL: the path, as cluster_mgr reads it */
};

static const struct way *
way_of(const struct job_run *run)
{
    return run->kind->of;
}

/* ---- steps ---- */

/* The name is chosen once: whoever goes on writes the same archive. */
static enum step_answer
start(struct job_run *run)
{
    struct node_backup_memo memo = { 0 };
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct blob_store *to;
    struct asked in;
    const char *text;
    enum err e;

    if (!way_of(run)->read(run, &in, &spec))
        return STEP_FAILED;
    if (run->memo != NULL)
        return STEP_DONE;
    e = node_target(run, in.storage, &to, why);
    if (e != ERR_OK)
        return node_failed(run, e, way_of(run)->error, why);
    PUT(&memo, node_backup_memo, key,
        node_backup_key(run, in.cluster != NULL ? in.cluster : spec.cluster,
                        in.shard != NULL ? in.shard : spec.shard));
    if (memo.key == NULL)
        return node_failed(run, ERR_BAD_PARAM, way_of(run)->error,
                           "cluster or shard can be no part of a path");
    e = record_text(run->arena, &node_mgr_form.style, &node_backup_memo_rec,
                    &memo, SECRETS_FULL, 2048, &text);
    if (e == ERR_OK)
        e = job_remember(run, text);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, NULL);
}

static enum step_answer
copy(struct job_run *run)
{
    const struct instance_watch w = node_watch(run);
    struct node_backup_memo memo;
    struct instance_backup made;
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct blob_store *to;
    struct asked in;
    enum err e;

    if (!way_of(run)->read(run, &in, &spec) ||
        !node_memo(run, &node_backup_memo_rec, &memo))
        return STEP_FAILED;
    e = node_target(run, in.storage, &to, why);
    if (e == ERR_OK)
        e = instance_backup(run->arena, &spec, to, memo.key, &w, &made, why);
    return node_broken_off(run, e, way_of(run)->error, why);
}

/* An archive whose job has failed later is nobody's. */
static enum step_answer
uncopy(struct job_run *run)
{
    struct node_backup_memo memo;
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct blob_store *to;
    struct asked in;
    enum err e;

    if (run->memo == NULL || !way_of(run)->read(run, &in, &spec) ||
        !node_memo(run, &node_backup_memo_rec, &memo))
        return STEP_DONE;
    e = node_target(run, in.storage, &to, why);
    if (e == ERR_OK)
        e = blob_drop(to, memo.key, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, why);
}

/* A part of its own: only one job at a time adds a line to an index. */
static enum step_answer
note(struct job_run *run)
{
    struct job_new n = { .kind = &node_backup_index_kind,
                         .machine = ((struct machine *)run->ctx)->address,
                         .locks = "node_mgr index" };
    struct node_backup_memo memo;
    struct instance_spec spec;
    enum step_answer answer;
    struct asked in;
    uint64_t id;
    enum err e;

    if (!way_of(run)->read(run, &in, &spec) ||
        !node_memo(run, &node_backup_memo_rec, &memo))
        return STEP_FAILED;
    PUT(&memo, node_backup_memo, storage, in.storage != NULL ? in.storage : "");
    e = record_text(run->arena, &node_mgr_form.style, &node_backup_memo_rec,
                    &memo, SECRETS_FULL, 4096, &n.args);
    n.shown = n.args;
    if (e == ERR_OK)
        e = job_part(run, "index", &n, &id);
    if (e != ERR_OK)
        return node_failed(run, e, way_of(run)->error, NULL);
    answer = job_parts_wait(run, "index");
    if (answer != STEP_DONE)
        return answer;
    return node_done(run, way_of(run)->succeed != NULL
                              ? way_of(run)->succeed
                              : arena_printf(run->arena, "/%s", memo.key));
}

static bool
has_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    const char *p = text;

    while ((p = strstr(p, line)) != NULL) {
        if ((p == text || p[-1] == '\n') && (p[n] == '\n' || p[n] == '\0'))
            return true;
        p += n;
    }
    return false;
}

static enum step_answer
add_line(struct job_run *run)
{
    struct node_backup_memo in;
    char why[WHY_BYTES] = "";
    struct blob_store *to;
    const char *line, *text;
    enum err e;

    if (!node_args(run, &node_backup_memo_rec, &in))
        return STEP_FAILED;
    line = arena_printf(run->arena, "/%s", in.key);
    e = line != NULL ? node_target(run, in.storage, &to, why) : ERR_NOMEM;
    if (e == ERR_OK)
        e = blob_text(to, run->arena, TARGET_INDEX, &text, why);
    if (e == ERR_OK && !has_line(text, line))
        e = blob_add_line(to, run->arena, TARGET_INDEX, line, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, "backup index error", why);
}

static const struct job_step index_steps[] = { { "backup index", add_line,
                                                 NULL } };
const struct job_kind node_backup_index_kind = {
    .name = "node_mgr.backup_index",
    .queue = MACHINE_QUEUE,
    .steps = index_steps,
    .n = COUNT(index_steps),
};

static const struct job_step cold_steps[] = {
    { "coldbackup start", start, NULL },
    { "coldbackup working", copy, uncopy },
    { "coldbackup copying", note, NULL },
};
const struct job_kind node_coldbackup_kind = {
    .name = "node_mgr.coldbackup",
    .queue = MACHINE_QUEUE,
    .steps = cold_steps,
    .n = COUNT(cold_steps),
    .of = &(const struct way){ read_cold, "coldbackup error",
                               "coldbackup succeed" },
};

static const struct job_step shard_steps[] = {
    { "backup shard start", start, NULL },
    { "backup shard working", copy, uncopy },
    { "backup shard copying", note, NULL },
};
const struct job_kind node_backup_shard_kind = {
    .name = "node_mgr.backup_shard",
    .queue = MACHINE_QUEUE,
    .steps = shard_steps,
    .n = COUNT(shard_steps),
    .of = &(const struct way){ read_shard, "backup shard error", NULL },
};
