/* The duty cluster.failover. */
#include "watch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "buf.h"
#include "clock.h"
#include "json.h"
#include "kunlun/copies/copies.h"
#include "kunlun/core/fo_look.h"
#include "kunlun/life/meta.h"
#include "log.h"
#include "member.h"
#include "runner.h"
#include "shard.h"

#define LOOK_MS       500   /* between two looks at a shard that is well */
#define HURRY_US      50000 /* ... that is not */
#define ANSWER_MS     500   /* for each question to a member */
#define LOOKS_MAX     64    /* in one step of the runner */
#define SEEN_MAX      16384
#define UNDECIDED_MAX 2000
#define SEP(b)        ((b).n > 0 ? "; " : "")
#define JOIN_MS       15000
#define ASKING_MIB    ((size_t)4 << 20)
#define UNFIT_MS      2000  /* so long it cannot follow: it becomes a copy */
#define REBUILD_MS    60000 /* between two tries */
#define SPARE_MS      2000  /* between two tries of one that is not needed */

/* ---- asking all members at once ---- */

/* A member and what its thread needs, that asks and tells it while others are
 * asked and told. */
struct asked {
    struct member member;
    struct arena *arena;
    const struct instance_spec *const *specs;
    unsigned n;
    struct fo_seen seen;
    const struct watched *of;
    const struct fo_plan *plan;
    const struct kunlun_shard *shard;
    char uuid[65];
    bool spared;        /* this look does not wait for it */
    int64_t asked_ms;   /* monotonic */
    int64_t unfit_ms;   /* monotonic; since when it cannot follow; 0 */
    int64_t rebuilt_ms; /* ... when it was last to become a copy; 0 */
};

static void *
ask(void *arg)
{
    struct asked *k = arg;

    if (k->spared) {
        k->seen.silent_ms = clock_mono_ms() - k->member.seen_ms;
        return NULL;
    }
    k->asked_ms = clock_mono_ms();
    member_see(&k->member, k->arena, k->specs, k->n, ANSWER_MS, &k->seen);
    return NULL;
}

/* What a shard's thread remembers from look to look. */
struct watched {
    int64_t id;
    struct lease lease; /* as it was: a thread left behind has lost it */
    struct runner_task task;
    struct runner *runner;
    struct watched *next;
    bool there; /* it was in the last list */
    struct asked asked[FO_MEMBERS];
    int64_t suspected_ms; /* Unix; since when its primary is in doubt; 0 */
    uint64_t writable_epoch;
    bool has_told; /* what is told of it: */
    enum fo_verdict verdict;
    char sentence[512];
};

static void
forget_member(struct asked *k)
{
    member_close(&k->member);
    k->member = (struct member){ .seen_ms = clock_mono_ms() };
    k->uuid[0] = '\0';
    k->unfit_ms = k->rebuilt_ms = 0;
}

/* One that did not answer, and without whom it can be gone on: others would
 * wait for it in each look. One that is out nobody asks in a hurry: it is no
 * candidate. */
static bool
is_spared(const struct asked *k, const struct fo_shard *s, unsigned i,
          bool hurry)
{
    bool needed = s->member[i].role == FO_IN ||
                  (s->member[i].role == FO_PRIMARY && !s->fencing);

    return !needed && k->member.missed > 0 && k->member.refused == 0 &&
           ((hurry && s->member[i].role == FO_OUT) ||
            clock_mono_ms() - k->asked_ms < SPARE_MS);
}

static bool
take_members(struct watched *w, const struct kunlun_shard *sh,
             const struct instance_spec *const specs[])
{
    for (unsigned i = 0; i < sh->s.n; i++) {
        struct asked *k = &w->asked[i];

        if (strcmp(k->uuid, sh->spec[i].uuid) != 0) {
            forget_member(k);
            (void)snprintf(k->uuid, sizeof(k->uuid), "%s", sh->spec[i].uuid);
        }
        if (k->arena == NULL)
            k->arena = arena_new(ASKING_MIB);
        if (k->arena == NULL)
            return false;
        arena_reset(k->arena);
        k->member.spec = &sh->spec[i];
        k->specs = specs;
        k->n = sh->s.n;
        k->seen = (struct fo_seen){ 0 };
        k->spared = is_spared(k, &sh->s, i, w->suspected_ms != 0);
    }
    for (unsigned i = sh->s.n; i < FO_MEMBERS; i++)
        if (!str_empty(w->asked[i].uuid))
            forget_member(&w->asked[i]);
    return true;
}

/* Each at the same time: one that does not answer holds up no other. */
static void
at_once(struct watched *w, unsigned n, void *(*with)(void *))
{
    pthread_t thread[FO_MEMBERS];
    bool begun[FO_MEMBERS] = { false };

    for (unsigned i = 1; i < n; i++)
        begun[i] = log_thread(&thread[i], with, &w->asked[i]);
    for (unsigned i = 0; i < n; i++)
        if (!begun[i])
            (void)with(&w->asked[i]);
    for (unsigned i = 1; i < n; i++)
        if (begun[i])
            (void)pthread_join(thread[i], NULL);
}

/* ---- what is told of it ---- */

#define SEEN_ROW(X, s)                        \
    X(s, STR, member, "member", OUT, -)       \
    X(s, STR, role, "role", OUT, -)           \
    X(s, BOOL, answered, "answered", OUT, -)  \
    X(s, I64, silent_ms, "silent_ms", OUT, -) \
    X(s, BOOL, writable, "writable", OUT, -)  \
    X(s, BOOL, full, "full", OUT, -)          \
    X(s, BOOL, receives, "receives", OUT, -)  \
    X(s, BOOL, applies, "applies", OUT, -)    \
    X(s, STR, received, "received", OUT, -)   \
    X(s, STR, applied, "applied", OUT, -)     \
    X(s, STR, why, "why", OUT, -)
STRUCT(seen_row, SEEN_ROW);
TABLE(seen_row, SEEN_ROW);
#define SEEN_ROWS(X, s) X(s, LIST, members, "", OUT, seen_row)
STRUCT(seen_rows, SEEN_ROWS);
TABLE(seen_rows, SEEN_ROWS);

static const char *const role_words[] = {
    [FO_OUT] = "out", [FO_IN] = "in", [FO_PRIMARY] = "primary"
};

static const char *
name_of(struct arena *a, const struct kunlun_shard *sh, int i)
{
    char at[ADDRESS_BYTES];

    if (i == FO_NOBODY)
        return "";
    return arena_strdup(a, address_print(sh->spec[i].address, sh->spec[i].port,
                                         at, sizeof(at)));
}

static const char *
position(struct arena *a, struct fo_gtid at)
{
    return arena_printf(a, "%u-%llu", at.server, (unsigned long long)at.seq);
}

/* For how long one is silent is told as it is: the decision may count it as
 * over sooner. What went wrong before it answered is over. */
static struct span
seen_text(struct arena *a, const struct watched *w,
          const struct kunlun_shard *sh, const struct fo_shard *was)
{
    struct seen_row row[FO_MEMBERS];
    struct seen_rows rows = { .members = { was->n, row } };
    const char *text = "[]";

    for (unsigned i = 0; i < was->n; i++) {
        const struct fo_seen *o = &w->asked[i].seen;
        const struct member *m = &w->asked[i].member;

        row[i] = (struct seen_row){
            .has = ~UINT64_C(0),
            .member = name_of(a, sh, (int)i),
            .role = role_words[was->member[i].role],
            .answered = o->answered,
            .silent_ms = o->answered ? 0 : clock_mono_ms() - m->seen_ms,
            .writable = o->writable,
            .full = o->full,
            .receives = o->connected,
            .applies = o->applying,
            .received = position(a, o->received),
            .applied = position(a, o->applied),
            .why = o->answered && !o->broken ? "" : m->why,
        };
    }
    if (record_text(a, &json_compact, &seen_rows_rec, &rows, SECRETS_FULL,
                    SEEN_MAX, &text) != ERR_OK)
        text = "[]";
    return (struct span){ text, strlen(text) };
}

static const char *
sentence(struct arena *a, const struct kunlun_shard *sh,
         const struct fo_plan *plan)
{
    const char *who = name_of(a, sh, plan->about), *out = NULL;

    if (who != NULL && plan->why != FO_WHY_NONE)
        out = arena_printf(a, "%s %s", who, fo_why_text(plan->why));
    return out != NULL ? out : "";
}

/* There is a primary that is well, whoever acknowledges. */
static bool
is_led(enum fo_verdict verdict)
{
    return verdict == FO_FINE || verdict == FO_WAITS;
}

/* Why that one. */
static const char *
chosen(struct arena *a, const struct watched *w, const struct kunlun_shard *sh,
       const struct fo_shard *was)
{
    const struct fo_seen *o = &w->asked[sh->s.primary].seen;
    const char *who = name_of(a, sh, sh->s.primary);
    const char *at = position(
        a, fo_covers(o->applied, o->received) ? o->applied : o->received);
    const char *why =
        was->force ? "has most of those that answer, which is enough by order"
        : was->switch_to == sh->s.primary
            ? "was asked for, and has all that the old one had"
        : was->primary == sh->s.primary
            ? "is back with all that may have been acknowledged"
            : "has most of those that may have acknowledged anything";

    return who != NULL && at != NULL
               ? arena_printf(a, "%s %s: %s", who, why, at)
               : "";
}

/* What of the other members is not known, or will not stay. */
static const char *
undecided(struct arena *a, const struct watched *w,
          const struct kunlun_shard *sh, const struct fo_shard *was)
{
    const struct fo_seen *is = &w->asked[sh->s.primary].seen;
    struct buf b = BUF_INIT(UNDECIDED_MAX);
    const char *text;

    for (unsigned i = 0; i < was->n; i++) {
        const struct fo_seen *o = &w->asked[i].seen;
        const char *who = name_of(a, sh, (int)i),
                   *last = position(a, o->applied);

        if ((int)i == sh->s.primary || who == NULL || last == NULL ||
            was->member[i].role == FO_OUT)
            continue;
        if (!o->answered)
            buf_printf(&b, "%s%s does not answer: what it alone has %s", SEP(b),
                       who,
                       was->force ? "is lost, acknowledged or not"
                                  : "was acknowledged to nobody");
        else if (o->applied.seq > is->applied.seq &&
                 o->applied.seq > is->received.seq)
            buf_printf(&b, "%s%s has up to %s: what is beyond %s", SEP(b), who,
                       last,
                       was->force ? "is lost, acknowledged or not"
                                  : "was acknowledged to nobody");
    }
    return buf_settle(&b, a, &text) == ERR_OK ? text : "";
}

static const char *
kind_of(const struct kunlun_shard *sh, const struct fo_shard *was)
{
    if (was->force)
        return "forced";
    if (was->primary == sh->s.primary)
        return "resume";
    return was->switch_to == sh->s.primary ? "switch" : "failover";
}

static enum err
note_decision(struct duty_run *run, const struct watched *w,
              const struct kunlun_shard *sh, const struct fo_shard *was,
              const struct fo_plan *plan)
{
    struct kunlun_failover f = {
        .epoch = sh->s.epoch,
        .kind = kind_of(sh, was),
        .was = name_of(run->arena, sh, was->primary),
        .is = name_of(run->arena, sh, sh->s.primary),
        .why = !str_empty(w->sentence) && !is_led(w->verdict)
                   ? w->sentence
                   : sentence(run->arena, sh, plan),
        .seen = seen_text(run->arena, w, sh, was),
        .chosen = chosen(run->arena, w, sh, was),
        .undecided = undecided(run->arena, w, sh, was),
        .suspected_ms =
            w->suspected_ms != 0 ? w->suspected_ms : clock_unix_ms(),
        .fenced_ms = was->fencing ? was->fencing_ms : 0,
        .decided_ms = clock_unix_ms(),
    };
    enum err e;

    log_warn("cluster.failover cluster=%s shard=%s kind=%s was=%s is=%s "
             "epoch=%llu",
             sh->cluster, sh->name, f.kind, f.was, f.is,
             (unsigned long long)f.epoch);
    e = meta_source(run->db, sh->cluster, sh->name, &sh->spec[sh->s.primary]);
    return e == ERR_OK ? kunlun_store_failover_add(run->db, sh->id, &f) : e;
}

/* ---- one look ---- */

static enum err
store(struct duty_run *run, struct watched *w, const struct kunlun_shard *sh,
      const struct fo_shard *was, const struct fo_plan *plan)
{
    const char *text = sentence(run->arena, sh, plan);
    /* at first another one may have told something else */
    bool told = !w->has_told || plan->verdict != w->verdict ||
                strcmp(text, w->sentence) != 0;
    bool writable = is_led(plan->verdict) && w->writable_epoch != sh->s.epoch;
    enum err e;

    if (!plan->changed && !told && !writable)
        return ERR_OK;
    e = lease_begin(run->db, run->lease);
    if (e == ERR_OK && plan->changed)
        e = kunlun_store_shard_save(run->db, run->arena, sh, was->order);
    if (e == ERR_OK && plan->decided)
        e = note_decision(run, w, sh, was, plan);
    if (e == ERR_OK && told)
        e = kunlun_store_shard_verdict(run->db, sh->id, plan->verdict, text);
    if (e == ERR_OK && writable)
        e = kunlun_store_failover_done(run->db, sh->id, sh->s.epoch,
                                       clock_unix_ms());
    e = db_end(run->db, e);
    if (e != ERR_OK)
        return e;
    if (told)
        log_warn("cluster.shard cluster=%s shard=%s verdict=%s why=\"%s\"",
                 sh->cluster, sh->name, fo_verdict_name(plan->verdict), text);
    w->has_told = true;
    w->verdict = plan->verdict;
    (void)snprintf(w->sentence, sizeof(w->sentence), "%s", text);
    if (writable)
        w->writable_epoch = sh->s.epoch;
    return ERR_OK;
}

/* A copy is made by a job. Only of one that is out: what another one has may be
 * needed, as long as its data are all that there is of it. */
static void
rebuild(struct duty_run *run, struct asked *k, const struct kunlun_shard *sh,
        unsigned i)
{
    int64_t now = clock_mono_ms();
    enum err e;

    if (k->unfit_ms == 0)
        k->unfit_ms = now;
    if (sh->s.member[i].role != FO_OUT || now - k->unfit_ms < UNFIT_MS ||
        (k->rebuilt_ms != 0 && now - k->rebuilt_ms < REBUILD_MS))
        return;
    e = db_begin(run->db);
    if (e == ERR_OK)
        e = lease_hold(run->db, run->lease);
    if (e == ERR_OK)
        e = copy_rebuild(run->db, run->arena, sh, i);
    e = db_end(run->db, e);
    if (e == ERR_OK || e == ERR_EXISTS)
        k->rebuilt_ms = now;
    log_warn("cluster.rebuild shard=%s/%s member=%s err=%s why=\"%s\"",
             sh->cluster, sh->name, sh->spec[i].uuid, err_name(e),
             k->member.why);
}

static void
rebuild_all(struct duty_run *run, struct watched *w,
            const struct kunlun_shard *sh, const struct fo_plan *plan)
{
    bool unfit[FO_MEMBERS] = { false };

    for (unsigned k = 0; k < plan->n; k++)
        if (plan->action[k].kind == FO_REBUILD)
            unfit[plan->action[k].member] = true;
    for (unsigned i = 0; i < sh->s.n; i++) {
        if (unfit[i])
            rebuild(run, &w->asked[i], sh, i);
        else
            w->asked[i].unfit_ms = 0;
    }
}

/* What the plan has for it. */
static void *
tell(void *arg)
{
    struct asked *k = arg;

    for (unsigned n = 0; n < k->plan->n; n++) {
        const struct fo_action *act = &k->plan->action[n];

        if (&k->of->asked[act->member] != k || act->kind == FO_REBUILD)
            continue;
        if (member_tell(&k->member, k->arena, act, &k->shard->s, k->specs,
                        MEMBER_TELL_MS) != ERR_OK)
            log_info("cluster.told shard=%s/%s member=%d action=%d why=\"%s\"",
                     k->shard->cluster, k->shard->name, act->member,
                     (int)act->kind, k->member.why);
    }
    return NULL;
}

static void
tell_all(struct watched *w, const struct kunlun_shard *sh,
         const struct fo_plan *plan)
{
    for (unsigned i = 0; i < sh->s.n; i++) {
        w->asked[i].of = w;
        w->asked[i].plan = plan;
        w->asked[i].shard = sh;
    }
    if (plan->n > 0)
        at_once(w, sh->s.n, tell);
}

static enum err
look(struct duty_run *run, struct watched *w, struct fo_plan *plan)
{
    const struct instance_spec *specs[FO_MEMBERS];
    struct fo_seen seen[FO_MEMBERS];
    struct kunlun_shard sh;
    struct fo_shard was;
    enum err e = kunlun_store_shard(run->db, run->arena, w->id, &sh);

    if (e != ERR_OK)
        return e;
    *plan = (struct fo_plan){ .verdict = FO_FINE, .about = FO_NOBODY };
    if (sh.s.n == 1 && sh.spec[0].lone)
        return ERR_OK; /* it needs nobody */
    for (unsigned i = 0; i < sh.s.n; i++)
        specs[i] = &sh.spec[i];
    if (!take_members(w, &sh, specs))
        return ERR_NOMEM;
    at_once(w, sh.s.n, ask);
    for (unsigned i = 0; i < sh.s.n; i++)
        seen[i] = w->asked[i].seen;
    was = sh.s;
    failover_step(&sh.s, seen, &fo_default_rules, clock_unix_ms(), plan);
    if (is_led(plan->verdict))
        w->suspected_ms = 0;
    else if (w->suspected_ms == 0)
        w->suspected_ms = clock_unix_ms();
    e = store(run, w, &sh, &was, plan);
    if (e == ERR_OK && !lease_lasts(run->lease))
        e = ERR_STATE; /* it was held up; another one looks now */
    if (e == ERR_OK)
        tell_all(w, &sh, plan);
    if (e == ERR_OK)
        rebuild_all(run, w, &sh, plan);
    return e;
}

static enum turn
watched_step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    struct watched *w = ctx;
    struct duty_run run = { .db = db, .arena = a, .lease = &w->lease };
    struct fo_plan plan;
    enum err e;

    (void)memory;
    if (!lease_lasts(&w->lease))
        return TURN_IDLE; /* it is prolonged yet, or this thread is ended */
    e = look(&run, w, &plan);
    if (e == ERR_NOT_FOUND)
        return TURN_OVER; /* it was deleted */
    if (e == ERR_STATE && !lease_lasts(&w->lease))
        return TURN_IDLE;
    if (e == ERR_STATE && !plan.changed)
        return TURN_OVER; /* the lease is lost */
    if (e == ERR_STATE)
        return TURN_MORE; /* ... or somebody else has changed the shard */
    if (e == ERR_OK && (!is_led(plan.verdict) || plan.n > 0)) {
        (void)usleep(HURRY_US);
        return TURN_MORE;
    }
    if (e != ERR_OK)
        log_warn("cluster.look shard=%lld err=%s errno=%u why=\"%s\"",
                 (long long)w->id, err_name(e), db_errno(db), db_error(db));
    return turn_of(e, false);
}

/* ---- the shards ---- */

static void
end_watched(struct watched *w)
{
    for (unsigned i = 0; i < FO_MEMBERS; i++) {
        member_close(&w->asked[i].member);
        arena_free(w->asked[i].arena);
    }
    free(w);
}

static struct watched *
begin_watched(int64_t id, const struct lease *lease)
{
    struct watched *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    w->id = id;
    w->lease = *lease;
    w->verdict = FO_FINE;
    w->task = (struct runner_task){ .name = "cluster.shard",
                                    .every_ms = LOOK_MS,
                                    .ctx = w,
                                    .step = watched_step };
    w->runner = runner_start(&w->task);
    if (w->runner == NULL) {
        free(w);
        return NULL;
    }
    return w;
}

static bool
keep_watching(struct watched **list, int64_t id, const struct lease *lease)
{
    struct watched *w = *list;

    while (w != NULL && w->id != id)
        w = w->next;
    if (w == NULL) {
        w = begin_watched(id, lease);
        if (w == NULL)
            return false;
        w->next = *list;
        *list = w;
    }
    w->there = true;
    return true;
}

/* Ends those that are not in the list any more, or whose thread has ended. */
static void
drop_others(struct watched **list)
{
    for (struct watched **p = list; *p != NULL;) {
        struct watched *w = *p;

        if (!w->there)
            runner_stop(w->runner);
        w->there = false;
        if (runner_ended(w->runner) && runner_join(w->runner, 0)) {
            *p = w->next;
            end_watched(w);
        } else {
            p = &w->next;
        }
    }
}

enum turn
kunlun_watch_step(struct duty_run *run)
{
    struct watched *list = run->memory;
    struct kunlun_shard_ids ids = { .n = 0 };
    enum err e = lease_begin(run->db, run->lease);

    if (e == ERR_OK)
        e = kunlun_store_shard_ids(run->db, run->arena, &ids);
    e = db_end(run->db, e);
    for (size_t i = 0; e == ERR_OK && i < ids.n; i++)
        if (!keep_watching(&list, ids.v[i], run->lease))
            e = ERR_NOMEM;
    if (e == ERR_OK)
        drop_others(&list);
    run->memory = list;
    return turn_of(e, false);
}

void
kunlun_watch_forget(void *memory)
{
    int64_t until = clock_mono_ms() + JOIN_MS;

    for (struct watched *w = memory; w != NULL; w = w->next)
        runner_stop(w->runner);
    while (memory != NULL) {
        struct watched *w = memory;

        memory = w->next;
        /* one that hangs is left behind with what it needs */
        if (runner_join(w->runner, until - clock_mono_ms()))
            end_watched(w);
    }
}
