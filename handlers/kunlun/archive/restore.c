/* coldrestore and restore_storage: the archive is checked whole, and what is
 * behind it is played up to the moment, before data are touched; the old data
 * are kept until the server answers on the new ones, and come back when it does
 * not. */
#include <string.h>

#include "archive.h"
#include "backup.h"
#include "clock.h"
#include "kunlun/node_mgr/node_mgr.h"

#define PROBE_MS   2000
#define COVERED_MS 120000
#define ROUNDED_MS 1000

TABLE(node_restore, NODE_RESTORE);
TABLE(node_restoring, NODE_RESTORING);

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

/* What is meant: the archive and, unless archive_id is 0, the moment. */
struct asked {
    const char *key, *target;
    int64_t archive_id, until_ms;
    bool copy; /* of what its shard has now */
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
failed(struct job_run *run, enum err e, const char *why)
{
    return node_failed(run, e, way_of(run)->error, why);
}

static enum err
moment(const char *when, int64_t *until_ms, char why[WHY_BYTES])
{
    int64_t now_ms = clock_unix_ms();

    if (!target_moment(when, until_ms))
        return why_fail(why, ERR_BAD_PARAM, "timestamp is none");
    if (*until_ms > now_ms)
        *until_ms = now_ms;
    return ERR_OK;
}

enum err
restore_moment(const struct node_restore *in, int64_t *until_ms,
               char why[WHY_BYTES])
{
    if (HAS(in, node_restore, until_ms)) {
        *until_ms = in->until_ms;
        return ERR_OK;
    }
    return moment(in->timestamp, until_ms, why);
}

static bool
restore_wants_moment(struct job_run *run, const struct node_restore *in)
{
    static const char *const when[] = { "timestamp", NULL };

    return HAS(in, node_restore, until_ms) ||
           node_wants(run, &node_restore_rec, in, when);
}

/* Whether the moment can be reached from that backup. One that has ended within
 * the second before is what its own time, rounded up, asks for. */
static enum err
behind(const struct archive_backup *b, struct asked *out, char why[WHY_BYTES])
{
    if (HAS(b, archive_backup, archive_id)) {
        out->archive_id = b->archive_id;
        return ERR_OK;
    }
    return out->until_ms - b->ended_ms < ROUNDED_MS
               ? ERR_OK
               : why_fail(why, ERR_STATE,
                          "no binlogs are kept behind the newest backup before "
                          "that time");
}

/* A file alone is the backup; with a time, what is behind it too. */
static enum step_answer
read_cold(struct job_run *run, struct asked *out, struct instance_spec *spec)
{
    struct archive_backup b;
    char why[WHY_BYTES] = "";
    struct node_source in;
    struct blob_store *from;
    enum err e;

    if (!node_source_read(run, &in, spec, check_file) ||
        (run->memo == NULL && node_login(run, &in) == NULL))
        return STEP_FAILED;
    *out = (struct asked){ .key = in.file + 1 };
    e = node_target(run, NULL, &from, &out->target, why);
    if (e == ERR_OK && HAS(&in, node_source, timestamp)) {
        e = moment(in.timestamp, &out->until_ms, why);
        if (e == ERR_OK)
            e = archive_backup_at(run->db, run->arena, out->target, out->key,
                                  &b);
        if (e == ERR_NOT_FOUND)
            e = why_fail(why, e, "nothing is known of that backup");
        else if (e == ERR_OK && b.ended_ms > out->until_ms)
            e = why_fail(why, ERR_STATE, "the backup is of a later time");
        if (e == ERR_OK)
            e = behind(&b, out, why);
    }
    return e == ERR_OK ? STEP_DONE : failed(run, e, why);
}

/* For a replica: its primary has what is behind it. */
bool
restore_is_copy(const struct job_run *run, const struct node_restore *in)
{
    return run->job->parent_id != 0 && HAS(in, node_restore, backup_job);
}

static enum step_answer
read_copy(struct job_run *run, const struct node_restore *in, struct asked *out)
{
    struct archive_backup b;
    enum err e = archive_backup_of(run->db, run->arena, in->backup_job, &b);

    if (e != ERR_OK)
        return failed(run, e,
                      e == ERR_NOT_FOUND ? "there is no such backup" : NULL);
    *out = (struct asked){ .key = b.path, .target = b.target, .copy = true };
    return STEP_DONE;
}

static enum step_answer
read_storage(struct job_run *run, struct asked *out, struct instance_spec *spec)
{
    static const char *const at[] = { "ip", "port", NULL };
    static const char *const rest[] = { "cluster_name", "shard_name", NULL };
    const char *target = NULL;
    struct archive_backup b;
    char why[WHY_BYTES] = "";
    struct node_restore in;
    struct blob_store *from;
    enum err e;

    *out = (struct asked){ .key = NULL };
    if (!node_args(run, &node_restore_rec, &in) ||
        !node_wants(run, &node_restore_rec, &in, at) ||
        !node_is_ours(run, in.ip) ||
        !node_wants(run, &node_restore_rec, &in, rest) ||
        (!restore_is_copy(run, &in) && !restore_wants_moment(run, &in)) ||
        !node_instance(run, in.ip, in.port, INSTANCE_STORAGE, spec))
        return STEP_FAILED;
    if (restore_is_copy(run, &in))
        return read_copy(run, &in, out);
    e = restore_moment(&in, &out->until_ms, why);
    if (e == ERR_OK && HAS(&in, node_restore, backup_storage))
        e = node_target(run, in.backup_storage, &from, &target, why);
    if (e == ERR_OK)
        e = archive_backup_find(run->db, run->arena, INSTANCE_STORAGE,
                                in.cluster_name, in.shard_name, target,
                                out->until_ms, &b);
    if (e == ERR_NOT_FOUND)
        e = why_fail(why, e, "there is no such backup");
    if (e == ERR_OK)
        e = behind(&b, out, why);
    if (e != ERR_OK)
        return failed(run, e, why);
    out->key = b.path;
    out->target = b.target;
    return STEP_DONE;
}

/* ---- steps: all of the instance's are told by its port ---- */

struct at {
    const struct machine *machine;
    unsigned port;
    struct instance_spec spec;
    struct node_restoring memo;
};

/* What the first step has kept; NOT_FOUND: nothing yet. */
static enum err
find(struct job_run *run, struct at *out)
{
    out->machine = run->ctx;
    if (run->memo == NULL)
        return ERR_NOT_FOUND;
    if (!node_memo(run, &node_restoring_rec, &out->memo) ||
        !HAS(&out->memo, node_restoring, spec))
        return ERR_BAD_PARAM;
    out->spec = *out->memo.spec;
    out->port = (unsigned)out->spec.port;
    return ERR_OK;
}

static enum err
keep_memo(struct job_run *run, const struct asked *in,
          struct instance_spec *spec)
{
    struct node_restoring memo = { .spec = spec };

    SET(&memo, node_restoring, spec);
    PUT(&memo, node_restoring, key, in->key);
    PUT(&memo, node_restoring, target, in->target);
    PUT(&memo, node_restoring, archive_id, in->archive_id);
    PUT(&memo, node_restoring, until_ms, in->until_ms);
    PUT(&memo, node_restoring, copy, in->copy);
    return job_remember_record(run, &node_restoring_rec, &memo);
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
        e = keep_memo(run, &in, &spec);
    return e == ERR_OK ? STEP_DONE : node_not_kept(run, e, way_of(run)->error);
}

/* Then the watchdog starts it, if it is to run. */
static enum step_answer
let_go(struct job_run *run)
{
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = keeper_release(at.machine->keeper, at.port, run->job->id);
    return e == ERR_OK || e == ERR_NOT_FOUND ? STEP_DONE : failed(run, e, NULL);
}

static enum err
want(struct job_run *run, const struct node_restoring *memo)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = archive_want(run->db, memo->archive_id, memo->until_ms);
    return db_end(run->db, e);
}

/* Whoever has the primary is asked to keep what is missing. A moment that is
 * not covered then is refused, and nothing was touched. */
static enum step_answer
await_covered(struct job_run *run)
{
    char until[CLOCK_TEXT], covered[CLOCK_TEXT], why[WHY_BYTES];
    struct archive a;
    struct at at;
    enum err e = find(run, &at);

    if (e != ERR_OK)
        return failed(run, e, NULL);
    if (at.memo.archive_id == 0)
        return STEP_DONE;
    e = archive_get(run->db, run->arena, at.memo.archive_id, &a);
    if (e == ERR_NOT_FOUND)
        return failed(run, e, "the binlogs behind the backup are gone");
    if (e == ERR_OK && a.covered_ms >= at.memo.until_ms)
        return STEP_DONE;
    if (e == ERR_OK && HAS(&a, archive, open))
        e = want(run, &at.memo);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    (void)clock_text(at.memo.until_ms / 1000, until);
    (void)clock_text(a.covered_ms / 1000, covered);
    if (HAS(&a, archive, open) && a.members > 0 &&
        job_step_ms(run) < COVERED_MS) {
        job_waits(run, 500, "waits for the binlogs up to %s", until);
        return STEP_AGAIN;
    }
    why_say(why, "%s is not covered: the binlogs that are kept end at %s%s%s",
            until, a.covered_ms > 0 ? covered : "the backup",
            str_empty(a.why) ? "" : ", for ", a.why);
    return failed(run, ERR_STATE, why);
}

static enum err
load_and_play(struct job_run *run, struct at *at, char why[WHY_BYTES])
{
    /* a directory may be another machine's */
    static const char elsewhere[] =
        ", as this machine sees it: [node_mgr] backup_url names a place that "
        "all reach";
    const struct target_user u = target_of(run);
    const struct instance_watch w = node_watch(run);
    const struct node_restoring *memo = &at->memo;
    struct instance_backup of;
    struct blob_store *from;
    char text[WHY_BYTES] = "";
    int64_t bytes;
    enum err e = target_again(&u, memo->target, &from, why);

    if (e == ERR_OK)
        e = blob_size(from, memo->key, &bytes, text);
    if (e == ERR_NOT_FOUND)
        return why_fail(
            why, e, "there is no %s in %.200s%s", memo->key, memo->target,
            strncmp(memo->target, "file:", 5) == 0 ? elsewhere : "");
    if (e == ERR_OK)
        e = instance_load(run->arena, &at->spec, from, memo->key, &w, &of, why);
    else
        why_say(why, "%s", text);
    if (e == ERR_OK && memo->archive_id != 0)
        e = archive_play(run, &at->spec, &of, memo->archive_id, memo->until_ms,
                         &w, why);
    return e;
}

static enum step_answer
load(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = load_and_play(run, &at, why);
    return node_broken_off(run, e, way_of(run)->error, why);
}

/* Inside a transaction of its own: another history begins, or the one before
 * goes on. */
static enum err
turn_history(struct job_run *run, const struct instance_spec *s, bool back)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = back ? archive_reopen(run->db, run->job->id)
                 : archive_close(run->db, s->cluster, s->shard, run->job->id,
                                 "a restore has put another history in its "
                                 "place");
    return db_end(run->db, e);
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
    if (e == ERR_OK)
        e = turn_history(run, &at.spec, true);
    return e == ERR_OK ? STEP_DONE : failed(run, e, why);
}

static enum step_answer
end(struct job_run *run)
{
    struct at at;
    enum err e = find(run, &at);

    if (e == ERR_OK)
        e = keeper_tell(at.machine->keeper, at.port, ORDER_END, run->job->id);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    return node_await(run, at.port, KEPT_STOPPED, way_of(run)->error);
}

static enum step_answer
place(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct at at;
    enum err e = find(run, &at);

    /* before the first transaction of the other one */
    if (e == ERR_OK && !at.memo.copy)
        e = turn_history(run, &at.spec, false);
    if (e == ERR_OK)
        e = instance_load_place(run->arena, &at.spec, why);
    return e == ERR_OK ? STEP_DONE : failed(run, e, why);
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
        return failed(run, e, NULL);
    answer = node_await(run, at.port, KEPT_RUNNING, way_of(run)->error);
    if (answer != STEP_DONE)
        return answer;
    e = instance_probe(&at.spec, PROBE_MS, why);
    if (e == ERR_TIMEOUT) {
        job_waits(run, 500, "%s", why);
        return STEP_AGAIN;
    }
    return e == ERR_OK ? STEP_DONE : failed(run, e, why);
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
                       : failed(run, e, why);
}

/* What undoes placing is the undoing of loading, once it has ended. */
/* clang-format off */
#define STEPS(job) {                         \
    { job " start", start, let_go },         \
    { job " waiting", await_covered, NULL }, \
    { job " copying", load, put_back },      \
    { job " working", end, NULL },           \
    { job " working", place, NULL },         \
    { job " working", begin, end },          \
    { job " working", finish, NULL },        \
}
/* clang-format on */
static const struct job_step cold_steps[] = STEPS("coldrestore");
NODE_JOB(node_coldrestore_kind, coldrestore, cold_steps,
         .of = &(const struct way){ read_cold, "coldrestore error",
                                    "coldrestore succeed" });

static const struct job_step storage_steps[] = STEPS("restore storage");
NODE_JOB(node_restore_storage_kind, restore_storage, storage_steps,
         .of = &(const struct way){ read_storage, "restore storage error",
                                    "restore storage succeed" });
