/* manual_switch: another member of a shard becomes its primary, as planned: the
 * old one is read-only first, the new one has all that it had. By force, where
 * the old one is gone and who watches would rather wait: among who answers. */
#include <string.h>

#include "address.h"
#include "clock.h"
#include "kunlun/answers/store.h"
#include "kunlun/cluster_mgr/jobs.h"
#include "kunlun/life/build.h"
#include "log.h"
#include "shards.h"

#define SENTENCE  "manual switch error"
#define WELL_MS   20000 /* so long it may not be well before it is refused */
#define SWITCH_MS 30000
#define FORCE_MS  30000
#define POINT_MS  20000
#define LOOK_MS   100

/* The shard as it was found. to: the uuid of its node; "": any. */
#define SWITCHED(X, s)                         \
    X(s, I64, shard, "shard", IN | OUT, -)     \
    X(s, STR, cluster, "cluster", IN | OUT, -) \
    X(s, STR, name, "name", IN | OUT, -)       \
    X(s, U64, epoch, "epoch", IN | OUT, -)     \
    X(s, U64, order, "order", IN | OUT, -)     \
    X(s, STR, to, "to", IN | OUT, -)           \
    X(s, BOOL, force, "force", IN | OUT, -)
STRUCT(switched, SWITCHED);
TABLE(switched, SWITCHED);

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    if (job_store_failed(e, why) || str_empty(why))
        return job_waits_for_store(run, LOOK_MS, e);
    job_fails(run, "%s", why);
    return STEP_FAILED;
}

/* ---- what it is about ---- */

static int
member_at(const struct kunlun_shard *sh, const char *ip, int32_t port)
{
    for (unsigned i = 0; i < sh->s.n; i++)
        if (strcmp(sh->spec[i].address, ip) == 0 && sh->spec[i].port == port)
            return (int)i;
    return FO_NOBODY;
}

/* In the order of all jobs: cluster, its mode, shard, node. */
static enum err
look_up(struct job_run *run, const struct cluster_want *w,
        struct kunlun_shard *sh, struct switched *m, char why[WHY_BYTES])
{
    const struct meta_shard *shard = NULL;
    struct list_of_meta_shard all;
    struct meta_cluster c;
    int to = FO_NOBODY;
    enum err e = life_find_cluster(run->db, run->arena, w, &c, why);

    if (e == ERR_OK && strcmp(c.ha_mode, "no_rep") == 0)
        e = why_fail(why, ERR_STATE, "error, manual switch must in mgr mode");
    if (e == ERR_OK)
        e = meta_shards(run->db, run->arena, c.id, &all);
    if (e == ERR_OK)
        e = life_find_shard(&all, w, &shard, why);
    if (e == ERR_OK)
        e = kunlun_store_shard_find(run->db, run->arena, c.name, shard->name,
                                    sh);
    if (e == ERR_NOT_FOUND && str_empty(why))
        e = why_fail(why, ERR_NOT_FOUND, SAYS_NO_SHARD);
    if (e != ERR_OK)
        return e;
    if (HAS(w, cluster_want, ip))
        to = member_at(sh, w->ip, w->port);
    if (HAS(w, cluster_want, ip) && to == FO_NOBODY)
        return why_fail(why, ERR_NOT_FOUND, SAYS_NO_NODE);
    PUT(m, switched, shard, sh->id);
    PUT(m, switched, cluster, sh->cluster);
    PUT(m, switched, name, sh->name);
    PUT(m, switched, epoch, sh->s.epoch);
    PUT(m, switched, order, sh->s.order);
    PUT(m, switched, to, to != FO_NOBODY ? sh->spec[to].uuid : "");
    PUT(m, switched, force, HAS(w, cluster_want, force) && w->force);
    if (m->force && to != FO_NOBODY)
        return why_fail(why, ERR_BAD_PARAM,
                        SENTENCE ": by force whoever has most is chosen, not"
                                 " one that is named");
    return ERR_OK;
}

static enum step_answer
look(struct job_run *run)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    char why[WHY_BYTES] = "";
    struct switched m = { 0 };
    struct cluster_want w;
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    if (!cluster_wants(run, &w))
        return STEP_FAILED;
    e = sh != NULL ? look_up(run, &w, sh, &m, why) : ERR_NOMEM;
    if (e == ERR_OK)
        e = job_remember_record(run, &switched_rec, &m);
    return e == ERR_OK ? STEP_DONE : failed(run, e, why);
}

/* What was found then, and the shard now; false: *answer is the step's. */
static bool
recall(struct job_run *run, struct switched *m, struct kunlun_shard **sh,
       enum step_answer *answer)
{
    enum err e;

    *answer = STEP_FAILED;
    *sh = arena_alloc(run->arena, sizeof(**sh));
    if (job_recall_record(run, &switched_rec, m) != ERR_OK) {
        job_fails(run, SAYS_RESTART);
        return false;
    }
    e = *sh != NULL ? kunlun_store_shard(run->db, run->arena, m->shard, *sh)
                    : ERR_NOMEM;
    if (e == ERR_OK)
        return true;
    *answer = failed(run, e, e == ERR_NOT_FOUND ? SAYS_NO_SHARD : NULL);
    return false;
}

/* ---- the change ---- */

static const char *
name_of(struct job_run *run, const struct kunlun_shard *sh, int i)
{
    char at[ADDRESS_BYTES];
    const char *s = arena_strdup(
        run->arena,
        address_print(sh->spec[i].address, sh->spec[i].port, at, sizeof(at)));

    return s != NULL ? s : "";
}

static enum step_answer
wait(struct job_run *run, const char *what)
{
    job_waits(run, LOOK_MS, "%s", what);
    return STEP_AGAIN;
}

/* A shard that is not well right now may be in a moment. */
static enum step_answer
refuse_later(struct job_run *run, const char *why)
{
    if (job_step_ms(run) <= WELL_MS)
        return wait(run, why);
    job_fails(run, SENTENCE ": %s", why);
    return STEP_FAILED;
}

static bool
has_changed(const struct switched *m, const struct kunlun_shard *sh)
{
    int to = kunlun_shard_member(sh, m->to);

    if (!str_empty(m->to))
        return to == sh->s.primary;
    return sh->s.epoch > m->epoch;
}

static enum step_answer
ask(struct job_run *run, const struct switched *m, struct kunlun_shard *sh,
    const struct cluster_watched *seen)
{
    int to = str_empty(m->to)
                 ? orders_shard_candidate(&sh->s, (unsigned)run->job->tries)
                 : kunlun_shard_member(sh, m->to);
    enum err e;

    if (strcmp(seen->verdict, "fine") != 0)
        return refuse_later(run,
                            arena_printf(run->arena, "%s is %s: %s", sh->name,
                                         seen->verdict, seen->sentence));
    if (to == FO_NOBODY || !orders_shard_may_lead(&sh->s, (unsigned)to))
        return refuse_later(run,
                            to == FO_NOBODY
                                ? arena_printf(run->arena,
                                               "%s has no replica that could"
                                               " take over",
                                               sh->name)
                                : arena_printf(run->arena,
                                               "%s does not follow the primary",
                                               name_of(run, sh, to)));
    e = orders_shard_switch(run, sh, to, clock_unix_ms() + SWITCH_MS);
    return e == ERR_OK ? wait(run, "waits until it has everything")
                       : failed(run, e, NULL);
}

static enum step_answer
given_up(struct job_run *run, const struct kunlun_shard *sh,
         const struct cluster_watched *seen)
{
    job_fails(run, SENTENCE ": nobody had all that %s has in time%s%s",
              name_of(run, sh, sh->s.primary),
              str_empty(seen->sentence) ? "" : "; ", seen->sentence);
    return STEP_FAILED;
}

/* Only of one that is down: else it would be done at the next failover. */
static enum step_answer
force(struct job_run *run, struct kunlun_shard *sh,
      const struct cluster_watched *seen)
{
    enum err e;

    if (!sh->s.force && strcmp(seen->verdict, "unsafe") != 0 &&
        strcmp(seen->verdict, "paused") != 0 &&
        strcmp(seen->verdict, "flaps") != 0)
        return refuse_later(
            run, arena_printf(run->arena, "%s is %s: nothing is to be forced",
                              sh->name, seen->verdict));
    if (!sh->s.force) {
        e = orders_shard_force(run, sh, true);
        return e == ERR_OK ? wait(run, "waits for who answers")
                           : failed(run, e, NULL);
    }
    if (job_step_ms(run) <= FORCE_MS)
        return wait(run, "waits for who answers");
    job_fails(run, SENTENCE ": nobody who answers can lead: %s",
              seen->sentence);
    return STEP_FAILED;
}

static enum step_answer
change(struct job_run *run)
{
    struct cluster_watched seen;
    enum step_answer answer;
    struct kunlun_shard *sh;
    struct switched m;
    enum err e;

    if (!recall(run, &m, &sh, &answer))
        return answer;
    if (has_changed(&m, sh))
        return STEP_DONE;
    e = cluster_store_watched(run->db, run->arena, sh->cluster, sh->name,
                              &seen);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    if (m.force)
        return force(run, sh, &seen);
    if (sh->s.epoch > m.epoch) {
        job_fails(run, SENTENCE ": %s has become primary meanwhile",
                  name_of(run, sh, sh->s.primary));
        return STEP_FAILED;
    }
    if (sh->s.switch_to != FO_NOBODY)
        return wait(run, "waits until it has everything");
    return sh->s.switch_order > m.order ? given_up(run, sh, &seen)
                                        : ask(run, &m, sh, &seen);
}

/* What has happened is not taken back, what has not does not happen later. */
static enum step_answer
change_undo(struct job_run *run)
{
    enum step_answer answer;
    struct kunlun_shard *sh;
    struct switched m;
    enum err e = ERR_OK;

    if (run->memo == NULL || !recall(run, &m, &sh, &answer))
        return STEP_DONE;
    if (sh->s.epoch == m.epoch && m.force)
        e = orders_shard_force(run, sh, false);
    else if (sh->s.epoch == m.epoch && sh->s.switch_order > m.order)
        e = orders_shard_switch(run, sh, FO_NOBODY, 0);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

/* ---- who computes knows ---- */

/* One that is down is told when it is back: nobody waits for it for long. */
static enum step_answer
point(struct job_run *run)
{
    struct list_of_meta_behind behind;
    enum step_answer answer;
    struct kunlun_shard *sh;
    struct switched m;
    size_t n = 0;
    enum err e;

    if (!recall(run, &m, &sh, &answer))
        return answer;
    e = meta_behind(run->db, run->arena, &behind);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    for (size_t i = 0; i < behind.n; i++)
        if (behind.v[i].shard_id == m.shard)
            n++;
    if (n > 0 && job_step_ms(run) <= POINT_MS)
        return wait(run, "waits until the computing nodes know");
    if (n > 0)
        log_warn("cluster.switch shard=%s/%s computers_behind=%zu", m.cluster,
                 m.name, n);
    return cluster_done(run, name_of(run, sh, sh->s.primary));
}

static const struct job_step steps[] = {
    { "look at the shard", look, NULL },
    { "change its primary", change, change_undo },
    { "point the computing nodes", point, NULL },
};

CLUSTER_JOB(manual_switch, steps, COUNT(steps), .of = NULL);
