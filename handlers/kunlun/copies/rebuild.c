/* A member that cannot follow any more becomes a copy of one that can. Nobody
 * asks for it but who watches over shards (shard/watch.c): a primary that was
 * replaced comes back with rows that nobody has acknowledged, an applying
 * thread finds what it cannot apply, a source has not kept what is missing.
 *
 * The member is out of its shard from before its data are touched until it
 * begins to follow. The cluster is not locked meanwhile: whatever is done to
 * it, the job finds what has become of its member, and ends with it. */
#include <string.h>

#include "address.h"
#include "copies.h"
#include "kunlun/life/build.h"
#include "kunlun/life/parts.h"
#include "kunlun/orders/shards.h"
#include "kunlun/shard/member.h"
#include "log.h"

#define PART_BACKUP "backup/"
#define PART_LOAD   "restore/"
#define BACKUP_MS   3600000
#define LOAD_MS     3600000
#define DROP_MS     60000
#define JOIN_MS     600000
#define LOOK_MS     100
#define ASK_MS      2000

static const char error[] = "rebuild error";

#define REBUILD(X, s)                               \
    X(s, I64, shard_id, "shard_id", IN | OUT, -)    \
    X(s, STR, uuid, "uuid", IN | OUT, -, .max = 64) \
    X(s, STR, member, "member", IN | OUT, -, .max = 96)
STRUCT(rebuild, REBUILD);
TABLE(rebuild, REBUILD);

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, error, e, run->job->doing, why);
}

static enum step_answer
waits(struct job_run *run, const char *what)
{
    job_waits(run, LOOK_MS, "%s", what);
    return STEP_AGAIN;
}

/* ---- the member ---- */

struct found {
    struct kunlun_shard *sh;
    unsigned i;
};

/* False: it is none any more, or leads, or cannot be read; *answer. */
static bool
find(struct job_run *run, struct found *out, enum step_answer *answer)
{
    struct rebuild in;
    enum err e = job_args(run, &rebuild_rec, &in);

    *answer = STEP_FAILED;
    if (e != ERR_OK)
        return false;
    out->sh = arena_alloc(run->arena, sizeof(*out->sh));
    e = out->sh != NULL ? kunlun_store_shard_of(run->db, run->arena, in.uuid,
                                                out->sh, &out->i)
                        : ERR_NOMEM;
    if (e == ERR_OK && (int)out->i != out->sh->s.primary)
        return true;
    if (e == ERR_OK)
        *answer = failed(run, ERR_STATE, "it leads by now");
    else
        *answer = failed(
            run, e, e == ERR_NOT_FOUND ? "it is no member any more" : NULL);
    return false;
}

/* For undo, which has nothing to say to one that is gone. */
static bool
is_there(struct job_run *run, struct found *out)
{
    struct rebuild in;

    out->sh = arena_alloc(run->arena, sizeof(*out->sh));
    return out->sh != NULL && job_args(run, &rebuild_rec, &in) == ERR_OK &&
           kunlun_store_shard_of(run->db, run->arena, in.uuid, out->sh,
                                 &out->i) == ERR_OK;
}

static enum step_answer
saved(struct job_run *run, enum err e, const char *what)
{
    return e == ERR_OK || e == ERR_BUSY ? waits(run, what)
                                        : failed(run, e, NULL);
}

/* ---- steps ---- */

/* That it is this job which keeps it out is noted first. */
static enum step_answer
take_out(struct job_run *run)
{
    const struct fo_member *m;
    enum step_answer answer;
    struct found at;
    enum err e;

    if (!find(run, &at, &answer))
        return answer;
    m = &at.sh->s.member[at.i];
    if (run->memo == NULL) {
        if (m->leaving || m->role != FO_OUT)
            return failed(run, ERR_STATE, "it is in, or was stopped, by now");
        e = job_remember(run, "{}");
        return e == ERR_OK ? waits(run, "is taken out") : failed(run, e, NULL);
    }
    if (!m->leaving)
        return saved(run, orders_shard_leaving(run, at.sh, at.i, true),
                     "is taken out");
    return m->role == FO_OUT ? STEP_DONE : waits(run, "gets out");
}

static enum step_answer
let_in(struct job_run *run)
{
    struct found at;
    enum err e;

    if (run->memo == NULL || !is_there(run, &at))
        return STEP_DONE;
    e = orders_shard_leaving(run, at.sh, at.i, false);
    return e == ERR_BUSY ? waits(run, "is let in")
           : e == ERR_OK ? STEP_DONE
                         : failed(run, e, NULL);
}

static enum step_answer
back_up(struct job_run *run)
{
    const struct instance_spec *from;
    enum step_answer answer;
    struct copy_storage storage;
    struct list_of_job parts;
    struct found at;
    enum err e;

    if (!find(run, &at, &answer))
        return answer;
    e = copy_store_storage(run->db, run->arena, &storage);
    if (e == ERR_NOT_FOUND)
        return failed(run, ERR_STATE, "there is no backup storage");
    if (e == ERR_OK)
        e = job_parts(run, PART_BACKUP, &parts);
    from = copy_member_of(at.sh);
    /* though another one would be chosen by now */
    if (e == ERR_OK && parts.n == 0)
        e = part_backup(run, PART_BACKUP,
                        &(struct part_copy){ .ip = from->address,
                                             .port = from->port,
                                             .cluster_name = at.sh->cluster,
                                             .shard_name = at.sh->name,
                                             .storage = storage.conn,
                                             .copy = true });
    return life_await(run, error, e, PART_BACKUP, BACKUP_MS);
}

static enum step_answer
stop_backup(struct job_run *run)
{
    enum step_answer answer = parts_stop(run, PART_BACKUP);

    return answer == STEP_DONE ? copy_drop(run, error, PART_BACKUP, DROP_MS)
                               : answer;
}

static enum step_answer
load(struct job_run *run)
{
    enum step_answer answer;
    struct list_of_job parts;
    struct found at;
    enum err e;

    if (!find(run, &at, &answer))
        return answer;
    e = job_parts(run, PART_BACKUP, &parts);
    if (e == ERR_OK && parts.n == 0)
        return failed(run, ERR_STATE, "there is no backup");
    if (e == ERR_OK)
        e = part_restore(run, PART_LOAD, true,
                         &(struct part_copy){ .ip = at.sh->spec[at.i].address,
                                              .port = at.sh->spec[at.i].port,
                                              .cluster_name = at.sh->cluster,
                                              .shard_name = at.sh->name,
                                              .backup_job = parts.v[0].id });
    return life_await(run, error, e, PART_LOAD, LOAD_MS);
}

static enum step_answer
stop_load(struct job_run *run)
{
    return parts_stop(run, PART_LOAD);
}

/* What it was told before came from whom it is a copy of. */
static enum err
begin_anew(struct job_run *run, const struct found *at, char why[WHY_BYTES])
{
    struct member m = { .spec = &at->sh->spec[at->i] };
    enum err e = member_begin_anew(&m, run->arena, at->sh->s.order, ASK_MS);

    if (e != ERR_OK)
        (void)why_say(why, "%s", m.why);
    member_close(&m);
    return e;
}

static enum step_answer
not_yet(struct job_run *run, const char *what, const char *why)
{
    if (job_step_ms(run) > JOIN_MS)
        return failed(run, ERR_STATE, str_empty(why) ? what : why);
    return waits(run, what);
}

static enum step_answer
join(struct job_run *run)
{
    struct instance_position p;
    char why[WHY_BYTES] = "";
    enum step_answer answer;
    struct found at;

    if (!find(run, &at, &answer))
        return answer;
    if (at.sh->s.member[at.i].leaving) {
        if (begin_anew(run, &at, why) != ERR_OK)
            return not_yet(run, "does not answer", why);
        return saved(run, orders_shard_leaving(run, at.sh, at.i, false),
                     "is let in");
    }
    if (at.sh->s.member[at.i].role == FO_OUT)
        return not_yet(run, "begins to follow", why);
    if (instance_position(run->arena, &at.sh->spec[at.i], ASK_MS, &p, why) !=
            ERR_OK ||
        !p.receives || !p.applies)
        return not_yet(run, "follows not yet",
                       HAS(&p, instance_position, error) ? p.error : why);
    log_warn("cluster.rebuilt shard=%s/%s uuid=%s", at.sh->cluster, at.sh->name,
             at.sh->spec[at.i].uuid);
    return STEP_DONE;
}

static enum step_answer
drop(struct job_run *run)
{
    return copy_drop(run, error, PART_BACKUP, DROP_MS);
}

static const struct job_step steps[] = {
    { "take it out", take_out, let_in },
    { "back the shard up", back_up, stop_backup },
    { "load the copy", load, stop_load },
    { "join the shard", join, NULL },
    { "drop the backup", drop, NULL },
};
const struct job_kind kunlun_rebuild_kind = { .name = "kunlun.rebuild",
                                              .queue = CLUSTER_QUEUE,
                                              .steps = steps,
                                              .n = COUNT(steps) };

enum err
copy_rebuild(struct db *db, struct arena *a, const struct kunlun_shard *sh,
             unsigned i)
{
    const struct instance_spec *s = &sh->spec[i];
    struct job_new n = { .kind = &kunlun_rebuild_kind, .lock_now = true };
    struct rebuild in = { 0 };
    char at[ADDRESS_BYTES];
    uint64_t id;
    enum err e;

    PUT(&in, rebuild, shard_id, sh->id);
    PUT(&in, rebuild, uuid, s->uuid);
    PUT(&in, rebuild, member,
        address_print(s->address, s->port, at, sizeof(at)));
    e = job_new_args(a, &n, &rebuild_rec, &in);
    n.locks = arena_printf(a, "rebuild %s", s->uuid);
    if (e != ERR_OK || n.locks == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    return job_accept(db, a, &n, &id);
}
