/* Growth: servers that are installed are taken into the cluster. */
#include "build.h"

#include <string.h>

#include "kunlun/shard/computer.h"
#include "kunlun/shard/shard.h"
#include "log.h"
#include "kunlun/shard/point.h"
#include "servers.h"

#define BEGIN_MS  60000
#define POINT_MS  60000
#define ANSWER_MS 2000
#define RETRY_MS  100

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    const struct life_growth *own = run->kind->of;

    return life_failed(run, own->error, e, run->job->doing, why);
}

enum step_answer
life_try_again(struct job_run *run, enum err e, int64_t limit_ms,
               const char *why)
{
    if (job_store_failed(e, why))
        return failed(run, e, NULL);
    if (job_step_ms(run) > limit_ms)
        return failed(run, ERR_STATE, why);
    job_waits(run, RETRY_MS, "%s", why);
    return STEP_AGAIN;
}

/* ---- the shards begin ---- */

/* Failovers of a cluster are held back as a whole: those of a shard that comes
 * in between, too. */
static enum err
held_back_until(struct job_run *run, const char *cluster, int64_t *until_ms)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    struct kunlun_shard_ids ids;
    enum err e = sh != NULL ? kunlun_store_shard_ids_of(run->db, run->arena,
                                                        cluster, &ids)
                            : ERR_NOMEM;

    *until_ms = 0;
    for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
        e = kunlun_store_shard(run->db, run->arena, ids.v[i], sh);
        if (e == ERR_OK && sh->s.paused_until_ms > *until_ms)
            *until_ms = sh->s.paused_until_ms;
        if (e == ERR_NOT_FOUND) /* it has just been deleted */
            e = ERR_OK;
    }
    return e;
}

/* Its primary is the first, the others are told to follow by who watches. */
static enum err
begin_shard(struct job_run *run, const struct life_memo *m, const char *name,
            char why[WHY_BYTES])
{
    const struct instance_spec *specs[FO_MEMBERS];
    struct kunlun_shard sh = { .cluster = m->cluster, .name = name };
    enum err e =
        kunlun_store_shard_find(run->db, run->arena, m->cluster, name, &sh);
    uint64_t start;

    if (e != ERR_NOT_FOUND)
        return e;
    sh = (struct kunlun_shard){ .cluster = m->cluster, .name = name };
    sh.s = (struct fo_shard){ .epoch = 1, .order = 1, .switch_to = FO_NOBODY };
    for (size_t i = 0; i < m->servers.n; i++) {
        const struct instance_spec *s = m->servers.v[i].spec;

        if (s->kind != INSTANCE_STORAGE || strcmp(s->shard, name) != 0)
            continue;
        if (sh.s.n == FO_MEMBERS)
            return why_fail(why, ERR_LIMIT, "%s has more than %d nodes", name,
                            FO_MEMBERS);
        specs[sh.s.n] = s;
        sh.spec[sh.s.n++] = *s;
    }
    e = life_run_of(run->arena, specs, sh.s.n, ANSWER_MS, &start, why);
    if (e != ERR_OK)
        return e;
    sh.s.member[0] = (struct fo_member){ .role = FO_PRIMARY, .start = start };
    e = job_begin(run);
    if (e == ERR_OK)
        e = held_back_until(run, m->cluster, &sh.s.paused_until_ms);
    if (e == ERR_OK)
        e = kunlun_store_shard_add(run->db, run->arena, &sh);
    job_wakes(run);
    return db_end(run->db, e);
}

enum step_answer
life_begin_shards(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct life_memo memo;
    struct list_of_STR names;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = life_names(run->arena, &SERVERS(&memo), INSTANCE_STORAGE, &names);
    for (size_t i = 0; e == ERR_OK && i < names.n; i++)
        e = begin_shard(run, &memo, names.v[i].v, why);
    if (e == ERR_LIMIT)
        return failed(run, e, why);
    return e == ERR_OK ? STEP_DONE : life_try_again(run, e, BEGIN_MS, why);
}

static enum err
drop_shard(struct job_run *run, const char *cluster, const char *name)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    enum err e = sh != NULL ? kunlun_store_shard_find(run->db, run->arena,
                                                      cluster, name, sh)
                            : ERR_NOMEM;

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    return e == ERR_OK ? kunlun_store_shard_drop(run->db, sh->id) : e;
}

/* Begins a transaction in which a step is undone; false: the step's answer is
 * in *answer, that there is nothing to be undone or what has failed. */
static bool
begin_undo(struct job_run *run, struct life_memo *memo,
           struct list_of_STR *names, enum step_answer *answer)
{
    enum err e;

    *answer = STEP_DONE;
    if (life_recall(run, memo) != ERR_OK)
        return false;
    e = life_names(run->arena, &SERVERS(memo), INSTANCE_STORAGE, names);
    if (e == ERR_OK)
        e = db_begin(run->db);
    if (e != ERR_OK)
        *answer = failed(run, e, NULL);
    return e == ERR_OK;
}

enum step_answer
life_unbegin_shards(struct job_run *run)
{
    enum step_answer answer;
    struct list_of_STR names;
    struct life_memo memo;
    enum err e;

    if (!begin_undo(run, &memo, &names, &answer))
        return answer;
    e = job_hold(run);
    for (size_t i = 0; e == ERR_OK && i < names.n; i++)
        e = drop_shard(run, memo.cluster, names.v[i].v);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

/* ---- the computing nodes are told ---- */

enum err
life_all_shards(struct job_run *run, const char *cluster,
                struct kunlun_shard **out, size_t *n)
{
    struct kunlun_shard_ids ids;
    enum err e = kunlun_store_shard_ids_of(run->db, run->arena, cluster, &ids);

    if (e != ERR_OK)
        return e;
    *n = ids.n;
    *out = arena_array(run->arena, ids.n + 1, sizeof(**out));
    if (*out == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < ids.n; i++)
        e = kunlun_store_shard(run->db, run->arena, ids.v[i], &(*out)[i]);
    return e;
}

bool
life_is_new(const struct life_memo *m, const char *uuid)
{
    for (size_t i = 0; i < m->servers.n; i++)
        if (strcmp(m->servers.v[i].spec->uuid, uuid) == 0)
            return true;
    return false;
}

/* From here on the duty tells them too, whatever becomes of their shards. */
static enum err
enter_computers(struct job_run *run, const struct life_memo *m,
                struct list_of_instance_spec *out)
{
    enum err e = job_begin(run);
    size_t known;

    if (e == ERR_OK)
        e = meta_computers(run->db, run->arena, m->cluster, out);
    known = out->n;
    for (size_t i = 0; e == ERR_OK && i < m->servers.n; i++) {
        const struct instance_spec *s = m->servers.v[i].spec;
        size_t k = 0;

        while (k < known && strcmp(out->v[k].uuid, s->uuid) != 0)
            k++;
        if (s->kind == INSTANCE_COMPUTER && k == known)
            e = meta_computer_add(run->db, run->arena, s);
    }
    if (e == ERR_OK)
        e = meta_computers(run->db, run->arena, m->cluster, out);
    return db_end(run->db, e);
}

/* One that was there before and is not reached now is told by the duty. */
enum step_answer
life_point_all(struct job_run *run)
{
    struct list_of_instance_spec comps = { 0 };
    struct kunlun_shard *shards = NULL;
    char why[WHY_BYTES] = "";
    struct life_memo memo;
    enum err e = life_recall(run, &memo);
    size_t n = 0;

    if (e != ERR_OK)
        return life_no_memo(run);
    e = enter_computers(run, &memo, &comps);
    if (e == ERR_OK)
        e = life_all_shards(run, memo.cluster, &shards, &n);
    for (size_t i = 0; e == ERR_OK && i < comps.n; i++)
        for (size_t k = 0; e == ERR_OK && k < n; k++) {
            e = life_point(run->db, run->arena, &comps.v[i], &shards[k],
                           ANSWER_MS, why);
            if (!str_empty(why) && !life_is_new(&memo, comps.v[i].uuid)) {
                e = ERR_OK;
                break;
            }
        }
    return e == ERR_OK ? STEP_DONE : life_try_again(run, e, POINT_MS, why);
}

enum step_answer
life_unpoint(struct job_run *run)
{
    struct list_of_instance_spec comps = { 0 };
    char why[WHY_BYTES] = "";
    enum step_answer answer;
    struct list_of_STR names;
    struct life_memo memo;
    enum err e;

    if (!begin_undo(run, &memo, &names, &answer))
        return answer;
    e = job_hold(run);
    for (size_t i = 0; e == ERR_OK && i < memo.servers.n; i++)
        e = meta_computer_drop(run->db, memo.servers.v[i].spec->uuid);
    if (e == ERR_OK)
        e = meta_computers(run->db, run->arena, memo.cluster, &comps);
    e = db_end(run->db, e);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    for (size_t i = 0; i < comps.n; i++)
        for (size_t k = 0; k < names.n; k++)
            if (computer_forget(run->arena, &comps.v[i], names.v[k].v, true,
                                ANSWER_MS, why) != ERR_OK)
                log_warn(
                    "cluster.not_forgotten computer=%s shard=%s why=\"%s\"",
                    comps.v[i].shard, names.v[k].v, why);
    return STEP_DONE;
}
