/* control_instance: an instance is started, stopped, restarted by its machine.
 * Whoever stops a member of a shard takes it out of the shard first, so that
 * nobody waits for what it has, and a primary is followed by another one; until
 * it is started by this job again it stays out, and down. */
#include <string.h>

#include "clock.h"
#include "address.h"
#include "kunlun/cluster_mgr/jobs.h"
#include "kunlun/kunlun.h"
#include "kunlun/life/parts.h"
#include "kunlun/node_mgr/jobs.h"
#include "log.h"
#include "shards.h"
#include "store.h"

#define PART       "control/"
#define SENTENCE   "control instance error"
#define LEAVE_MS   30000 /* it is stopped all the same */
#define SWITCH_MS  20000
#define MACHINE_MS 120000
#define LOOK_MS    150

#define CONTROL_SAID(X, s)          \
    X(s, STR, ip, "ip", OUT, -)     \
    X(s, I32, port, "port", OUT, -) \
    X(s, STR, type, "type", OUT, -) \
    X(s, STR, control, "control", OUT, -)
STRUCT(control_said, CONTROL_SAID);
TABLE(control_said, CONTROL_SAID);

static bool
stops(const struct cluster_want *w)
{
    return strcmp(w->control, "start") != 0;
}

/* What is wanted, and of which instance; false: *answer is the step's. */
static bool
read_order(struct job_run *run, struct cluster_want *w,
           struct orders_instance *i, enum step_answer *answer)
{
    enum err e;

    *answer = STEP_FAILED;
    if (!cluster_wants(run, w))
        return false;
    e = orders_instance(run->db, run->arena, w->ip, w->port, i);
    if (e == ERR_OK)
        return true;
    if (e == ERR_NOT_FOUND)
        job_fails(run, "instance ip_port no find");
    else
        *answer = job_waits_for_store(run, LOOK_MS, e);
    return false;
}

/* Its shard, when it is a member of one that has others; NOT_FOUND. */
static enum err
shard_of(struct job_run *run, const struct orders_instance *in,
         struct kunlun_shard **sh, unsigned *i)
{
    enum err e;

    *sh = arena_alloc(run->arena, sizeof(**sh));
    if (*sh == NULL)
        return ERR_NOMEM;
    e = kunlun_store_shard_of(run->db, run->arena, in->uuid, *sh, i);
    return e == ERR_OK && (*sh)->s.n == 1 ? ERR_NOT_FOUND : e;
}

static enum step_answer
find(struct job_run *run)
{
    struct orders_instance in;
    enum step_answer answer;
    struct cluster_want w;

    return read_order(run, &w, &in, &answer) ? STEP_DONE : answer;
}

/* ---- out of its shard ---- */

/* One step on the way out: marked first, then, as long as it leads, somebody
 * else is asked to. */
static enum err
get_out(struct job_run *run, struct kunlun_shard *sh, unsigned i, bool *out)
{
    enum err e = orders_shard_leaving(run, sh, i, true);
    int c;

    *out = false;
    if (e != ERR_OK)
        return e;
    if ((int)i != sh->s.primary) {
        *out = sh->s.member[i].role == FO_OUT;
        return ERR_OK;
    }
    if (sh->s.switch_to != FO_NOBODY)
        return ERR_OK;
    c = orders_shard_candidate(&sh->s, (unsigned)run->job->tries);
    if (c != FO_NOBODY)
        return orders_shard_switch(run, sh, c, clock_unix_ms() + SWITCH_MS);
    *out = true; /* there is nobody */
    return ERR_OK;
}

static enum step_answer
leave(struct job_run *run)
{
    struct orders_instance in;
    enum step_answer answer;
    struct kunlun_shard *sh;
    struct cluster_want w;
    bool out = false;
    unsigned i;
    enum err e;

    if (!read_order(run, &w, &in, &answer))
        return answer;
    if (!stops(&w))
        return STEP_DONE;
    e = shard_of(run, &in, &sh, &i);
    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e == ERR_OK)
        e = get_out(run, sh, i, &out);
    if (e != ERR_OK && e != ERR_BUSY)
        return job_waits_for_store(run, LOOK_MS, e);
    if (out)
        return STEP_DONE;
    if (job_step_ms(run) > LEAVE_MS) {
        log_warn("cluster.control instance=%s:%d stays in its shard", w.ip,
                 (int)w.port);
        return STEP_DONE;
    }
    job_waits(run, LOOK_MS, "waits until its shard does without it");
    return STEP_AGAIN;
}

/* It may be in again; nothing is done when it is not known any more. */
static enum err
stay(struct job_run *run, const struct orders_instance *in)
{
    struct kunlun_shard *sh;
    unsigned i;
    enum err e = shard_of(run, in, &sh, &i);

    if (e == ERR_OK)
        e = orders_shard_leaving(run, sh, i, false);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum step_answer
leave_undo(struct job_run *run)
{
    struct orders_instance in;
    struct cluster_want w;
    enum err e;

    if (!cluster_wants(run, &w) || !stops(&w))
        return STEP_DONE;
    e = orders_instance(run->db, run->arena, w.ip, w.port, &in);
    if (e == ERR_OK)
        e = stay(run, &in);
    return e == ERR_OK || e == ERR_NOT_FOUND
               ? STEP_DONE
               : job_waits_for_store(run, LOOK_MS, e);
}

/* ---- its machine ---- */

static enum err
ask_machine(struct job_run *run, const struct cluster_want *w,
            const struct orders_instance *in)
{
    struct control_said said = { 0 };
    char at[ADDRESS_BYTES];
    struct job_new n = {
        .kind = &node_control_kind,
        .machine = w->ip,
        .locks = kunlun_port_lock(run->arena, w->ip, w->port),
    };
    const char *part = arena_printf(
        run->arena, PART "%s", address_print(w->ip, w->port, at, sizeof(at)));
    uint64_t id;
    enum err e;

    PUT(&said, control_said, ip, w->ip);
    PUT(&said, control_said, port, w->port);
    PUT(&said, control_said, type, in->kind);
    PUT(&said, control_said, control, w->control);
    e = job_new_args(run->arena, &n, &control_said_rec, &said);
    if (e == ERR_OK && (n.locks == NULL || part == NULL))
        e = ERR_NOMEM;
    return e == ERR_OK ? job_part(run, part, &n, &id) : e;
}

static enum step_answer
tell(struct job_run *run)
{
    struct orders_instance in;
    enum step_answer answer;
    struct cluster_want w;
    char why[WHY_BYTES];
    enum err e;

    if (!read_order(run, &w, &in, &answer))
        return answer;
    e = ask_machine(run, &w, &in);
    if (e != ERR_OK)
        return job_waits_for_store(run, LOOK_MS, e);
    answer = parts_await(run, PART, MACHINE_MS, why);
    if (answer == STEP_FAILED)
        job_fails(run, SENTENCE ": %s", why);
    return answer;
}

static enum step_answer
tell_undo(struct job_run *run)
{
    return parts_stop(run, PART);
}

/* ---- its row ---- */

/* What is down by order is no member that XPanel and the getters show. */
static enum step_answer
write(struct job_run *run)
{
    struct orders_instance in;
    enum step_answer answer;
    struct cluster_want w;
    bool up;
    enum err e;

    if (!read_order(run, &w, &in, &answer))
        return answer;
    up = strcmp(w.control, "stop") != 0;
    e = up ? stay(run, &in) : ERR_OK;
    if (e != ERR_OK)
        return job_waits_for_store(run, LOOK_MS, e);
    e = job_begin(run);
    if (e == ERR_OK)
        e = orders_instance_status(run->db, w.ip, w.port,
                                   up ? "active" : "inactive");
    e = db_end(run->db, e);
    if (e == ERR_OK)
        return cluster_done(run, NULL);
    if (e != ERR_INTERNAL)
        return job_waits_for_store(run, LOOK_MS, e);
    job_fails(run, "update_instance_status error");
    return STEP_FAILED;
}

static const struct job_step steps[] = {
    { "find the instance", find, NULL },
    { "take it out of its shard", leave, leave_undo },
    { "tell its machine", tell, tell_undo },
    { "write it down", write, NULL },
};

CLUSTER_JOB(control_instance, steps, COUNT(steps), .of = NULL);
