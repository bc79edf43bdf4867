/* coldbackup and backup_shard: an archive of an instance, and its line in the
 * index and its row, which are written only when the archive is there. Of a
 * computing node it is the schema. */
#include "backup.h"

#include <inttypes.h>
#include <string.h>

#include "archive.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "kunlun/shard/shard.h"

TABLE(node_source, NODE_SOURCE);
TABLE(node_shard, NODE_SHARD);
TABLE(node_backup_memo, NODE_BACKUP_MEMO);

/* ---- what both are, once their members are read ---- */

struct asked {
    unsigned port;
    const char *cluster, *shard; /* NULL: as the instance was installed */
    const char *storage;
    bool copy; /* no history begins with it */
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
    const struct machine *m = run->ctx;
    struct node_shard in;

    if (!node_args(run, &node_shard_rec, &in) ||
        !node_wants(run, &node_shard_rec, &in, at) ||
        !node_is_ours(run, in.ip) ||
        !node_wants(run, &node_shard_rec, &in, rest))
        return false;
    if (in.port <= 0 || in.port > 65535 ||
        keeper_spec(m->keeper, run->arena, (unsigned)in.port, spec) != ERR_OK) {
        node_no_connection(run, in.ip, in.port);
        return false;
    }
    *out =
        (struct asked){ (unsigned)in.port, in.cluster_name, in.shard_name,
                        HAS(&in, node_shard, backup_storage) ? in.backup_storage
                                                             : NULL,
                        run->job->parent_id != 0 && in.copy };
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

/* Names are of a second. Another job that has the same one is not there yet to
 * be seen, so it is kept by a lock, as long as the job goes on: what a job
 * writes under a name, or takes back, is its own. EXISTS: it is another's. */
static enum err
reserve(struct job_run *run, const char *key)
{
    const char *second = key + strlen(key) - strlen("YYYYmmdd_HHMMSS.tgz");
    const char *lock = arena_printf(run->arena, "node_mgr backup %s %.200s",
                                    second, key); /* 255 fit */
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = lock != NULL ? job_lock(run, lock) : ERR_NOMEM;
    return db_end(run->db, e);
}

/* The name is chosen once: whoever goes on writes the same archive. */
static enum step_answer
start(struct job_run *run)
{
    struct node_backup_memo memo = { 0 };
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct blob_store *to;
    struct asked in;
    int64_t bytes;
    enum err e;

    if (!way_of(run)->read(run, &in, &spec))
        return STEP_FAILED;
    if (run->memo != NULL)
        return STEP_DONE;
    e = node_target(run, in.storage, &to, NULL, why);
    if (e != ERR_OK)
        return node_failed(run, e, way_of(run)->error, why);
    PUT(&memo, node_backup_memo, key,
        node_backup_key(run, in.cluster != NULL ? in.cluster : spec.cluster,
                        in.shard != NULL ? in.shard : spec.shard));
    if (memo.key == NULL)
        return node_failed(run, ERR_BAD_PARAM, way_of(run)->error,
                           "cluster or shard can be no part of a path");
    e = reserve(run, memo.key);
    if (e == ERR_EXISTS ||
        (e == ERR_OK && blob_size(to, memo.key, &bytes, why) == ERR_OK)) {
        job_waits(run, 1000, "there is a backup of this second");
        return STEP_AGAIN;
    }
    if (e == ERR_OK)
        e = job_remember_record(run, &node_backup_memo_rec, &memo);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, way_of(run)->error, NULL);
}

/* Whether binlogs of it are kept from here on: of a shard that has a primary,
 * and of a server that is one by itself. */
static enum err
has_history(struct job_run *run, const struct instance_spec *spec, bool *out)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    unsigned i;
    enum err e = sh == NULL ? ERR_NOMEM
                            : kunlun_store_shard_of(run->db, run->arena,
                                                    spec->uuid, sh, &i);

    *out = spec->kind == INSTANCE_STORAGE && spec->cluster != NULL &&
           spec->shard != NULL;
    return e == ERR_NOT_FOUND && *out ? archive_is_alone(run->db, spec, out)
           : e == ERR_NOT_FOUND       ? ERR_OK
                                      : e;
}

static enum err
remember_made(struct job_run *run, const struct asked *in,
              const struct instance_spec *spec,
              const struct instance_backup *made, const char *url,
              struct node_backup_memo *memo)
{
    bool history;
    enum err e = has_history(run, spec, &history);

    PUT(memo, node_backup_memo, job, run->job->id);
    PUT(memo, node_backup_memo, storage,
        in->storage != NULL ? in->storage : "");
    PUT(memo, node_backup_memo, target, url);
    PUT(memo, node_backup_memo, kind,
        enum_text(instance_kind_names, spec->kind));
    PUT(memo, node_backup_memo, cluster,
        in->cluster != NULL ? in->cluster : spec->cluster);
    PUT(memo, node_backup_memo, shard,
        in->shard != NULL ? in->shard : spec->shard);
    if (e == ERR_OK && history && !in->copy) {
        PUT(memo, node_backup_memo, history_cluster, spec->cluster);
        PUT(memo, node_backup_memo, history_shard, spec->shard);
    }
    PUT(memo, node_backup_memo, gtid,
        HAS(made, instance_backup, gtid) ? made->gtid : "");
    PUT(memo, node_backup_memo, domain, made->domain);
    PUT(memo, node_backup_memo, begun_ms, made->begun_ms);
    PUT(memo, node_backup_memo, ended_ms, made->ended_ms);
    PUT(memo, node_backup_memo, bytes, made->bytes);
    PUT(memo, node_backup_memo, sha256, made->sha256);
    return e == ERR_OK ? job_remember_record(run, &node_backup_memo_rec, memo)
                       : e;
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
    const char *url;
    struct asked in;
    enum err e;

    if (!way_of(run)->read(run, &in, &spec) ||
        !node_memo(run, &node_backup_memo_rec, &memo))
        return STEP_FAILED;
    if (HAS(&memo, node_backup_memo, sha256))
        return STEP_DONE;
    e = node_target(run, in.storage, &to, &url, why);
    if (e == ERR_OK)
        e = instance_backup(run->arena, &spec, to, memo.key, &w, &made, why);
    if (e == ERR_OK)
        e = remember_made(run, &in, &spec, &made, url, &memo);
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
    e = node_target(run, in.storage, &to, NULL, why);
    if (e == ERR_OK)
        e = blob_drop(to, memo.key, why);
    if (e == ERR_OK)
        return STEP_DONE;
    /* whoever is told has to find it */
    return node_failed(run, e, way_of(run)->error,
                       str_empty(why)
                           ? NULL
                           : arena_printf(run->arena, "%s: %s", memo.key, why));
}

/* A part of its own: only one job at a time adds a line to an index. */
static enum step_answer
note(struct job_run *run)
{
    struct job_new n = { .kind = &node_backup_index_kind,
                         .machine = ((struct machine *)run->ctx)->address,
                         .args = run->memo,
                         .shown = run->memo,
                         .locks = TARGET_INDEX_LOCK };
    struct node_backup_memo memo;
    enum step_answer answer;
    uint64_t id;
    enum err e;

    if (!node_memo(run, &node_backup_memo_rec, &memo))
        return STEP_FAILED;
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

/* Whoever has come as far as to note it is taken back too: what is named is
 * there. */
static enum step_answer
unnote(struct job_run *run)
{
    struct job_new n = { .kind = &node_backup_unindex_kind,
                         .machine = ((struct machine *)run->ctx)->address,
                         .args = run->memo,
                         .shown = run->memo,
                         .locks = TARGET_INDEX_LOCK };
    enum step_answer answer = job_parts_cancel(run, "index");
    uint64_t id;
    enum err e;

    if (answer != STEP_DONE)
        return answer;
    e = job_part(run, "unindex", &n, &id);
    return e == ERR_OK ? job_parts_wait(run, "unindex")
                       : node_failed(run, e, way_of(run)->error, NULL);
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

/* What restores look for; behind it the binlogs are kept from here on. */
static enum err
add_row(struct job_run *run, const struct node_backup_memo *in)
{
    struct archive_backup b = { .job_id = in->job,
                                .kind = in->kind,
                                .cluster = in->cluster,
                                .shard = in->shard,
                                .machine =
                                    ((struct machine *)run->ctx)->address,
                                .target = in->target,
                                .path = in->key,
                                .gtid = in->gtid,
                                .domain = in->domain,
                                .begun_ms = in->begun_ms,
                                .ended_ms = in->ended_ms,
                                .bytes = in->bytes,
                                .sha256 = in->sha256 };
    struct instance_gtid at;
    int64_t history;
    enum err e = job_begin(run);

    (void)instance_gtid_of(in->gtid, in->domain, &at);
    b.seq = at.seq;
    if (e == ERR_OK && HAS(in, node_backup_memo, history_shard)) {
        e = archive_begin(run->db, run->arena, in->history_cluster,
                          in->history_shard, in->domain, at, &history);
        PUT(&b, archive_backup, archive_id, history);
    }
    if (e == ERR_OK)
        e = archive_backup_add(run->db, &b);
    return db_end(run->db, e);
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
    e = line != NULL ? node_target(run, in.storage, &to, NULL, why) : ERR_NOMEM;
    if (e == ERR_OK)
        e = blob_text(to, run->arena, TARGET_INDEX, &text, why);
    if (e == ERR_OK && !has_line(text, line))
        e = blob_add_line(to, run->arena, TARGET_INDEX, line, why);
    if (e == ERR_OK)
        e = add_row(run, &in);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, "backup index error", why);
}

static enum step_answer
drop_line(struct job_run *run)
{
    struct node_backup_memo in;
    char why[WHY_BYTES] = "";
    struct blob_store *to;
    const char *line;
    enum err e;

    if (!node_args(run, &node_backup_memo_rec, &in))
        return STEP_FAILED;
    line = arena_printf(run->arena, "/%s", in.key);
    e = line != NULL ? node_target(run, in.storage, &to, NULL, why) : ERR_NOMEM;
    if (e == ERR_OK)
        e = archive_backup_forget(run->db, in.job);
    if (e == ERR_OK)
        e = blob_drop_line(to, run->arena, TARGET_INDEX, line, why);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, "backup index error", why);
}

static const struct job_step unindex_steps[] = {
    { "backup unindex", drop_line, NULL },
};
const struct job_kind node_backup_unindex_kind = {
    .name = "node_mgr.backup_unindex",
    .queue = MACHINE_QUEUE,
    .steps = unindex_steps,
    .n = COUNT(unindex_steps),
    .forward_only = true,
};

static const struct job_step index_steps[] = {
    { "backup index", add_line, NULL },
    { "backup expire", archive_expire_step, NULL },
};
NODE_JOB(node_backup_index_kind, backup_index, index_steps, .of = NULL);

static const struct job_step cold_steps[] = {
    { "coldbackup start", start, NULL },
    { "coldbackup working", copy, uncopy },
    { "coldbackup copying", note, unnote },
};
NODE_JOB(node_coldbackup_kind, coldbackup, cold_steps,
         .of = &(const struct way){ read_cold, "coldbackup error",
                                    "coldbackup succeed" });

static const struct job_step shard_steps[] = {
    { "backup shard start", start, NULL },
    { "backup shard working", copy, uncopy },
    { "backup shard copying", note, unnote },
};
NODE_JOB(node_backup_shard_kind, backup_shard, shard_steps,
         .of = &(const struct way){ read_shard, "backup shard error", NULL });
