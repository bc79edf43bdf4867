/* Growth, step by step. Each looks at what is there first: whoever goes on
 * after another was killed calls it again. */
#include "build.h"

#include <string.h>

#include "kunlun/core/placement.h"
#include "log.h"
#include "parts.h"
#include "servers.h"

#define ASK_MS     20000
#define INSTALL_MS 120000
#define REMOVE_MS  60000

TABLE(life_memo, LIFE_MEMO);

static const struct life_growth *
own(const struct job_run *run)
{
    return run->kind->of;
}

/* ---- what steps share ---- */

enum step_answer
life_failed(struct job_run *run, const char *error, enum err e,
            const char *step, const char *why)
{
    if (job_store_failed(e, why)) {
        job_waits(run, 500, "%s: " JOB_STORE_WAIT, step, err_name(e));
        return STEP_AGAIN;
    }
    job_fails(run, "%s: %s: %s", error, step,
              str_empty(why) ? err_name(e) : why);
    return STEP_FAILED;
}

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, own(run)->error, e, run->job->doing, why);
}

/* The order of this job; false: *answer says what the step answers. */
static bool
take_order(struct job_run *run, struct life_order *o, enum step_answer *answer)
{
    char why[WHY_BYTES] = "";
    enum err e;

    *o = (struct life_order){ 0 };
    *answer = STEP_FAILED;
    if (!cluster_wants(run, &o->want))
        return false;
    e = own(run)->check(run->db, run->arena, o, why);
    if (e == ERR_OK)
        return true;
    if (!str_empty(why))
        job_fails(run, "%s", why);
    else
        *answer = failed(run, e, NULL);
    return false;
}

enum err
life_recall(struct job_run *run, struct life_memo *out)
{
    return job_recall_record(run, &life_memo_rec, out);
}

enum err
life_remember(struct job_run *run, const struct life_memo *memo)
{
    return job_remember_record(run, &life_memo_rec, memo);
}

enum step_answer
life_await(struct job_run *run, const char *error, enum err e,
           const char *prefix, int64_t limit_ms)
{
    char why[WHY_BYTES] = "";
    enum step_answer answer;

    if (e != ERR_OK)
        return life_failed(run, error, e, run->job->doing, NULL);
    answer = parts_await(run, prefix, limit_ms, why);
    return answer == STEP_FAILED
               ? life_failed(run, error, ERR_STATE, run->job->doing, why)
               : answer;
}

enum step_answer
life_no_memo(struct job_run *run)
{
    job_fails(run, SAYS_RESTART);
    return STEP_FAILED;
}

/* ---- the machines are asked ---- */

static bool
is_wanted(const struct life_order *o, const char *address)
{
    const struct cluster_want *w = &o->want;
    bool any = w->storage_hosts.n == 0 || w->computer_hosts.n == 0;

    for (size_t i = 0; !any && i < w->storage_hosts.n; i++)
        any = strcmp(w->storage_hosts.v[i].v, address) == 0;
    for (size_t i = 0; !any && i < w->computer_hosts.n; i++)
        any = strcmp(w->computer_hosts.v[i].v, address) == 0;
    return any;
}

static enum err
ask_all(struct job_run *run, const struct life_order *o)
{
    struct list_of_meta_machine machines;
    struct list_of_meta_place places;
    const char *question;
    enum err e = meta_machines(run->db, run->arena, &machines);

    if (e == ERR_OK)
        e = meta_places(run->db, run->arena, &places);
    for (size_t i = 0; e == ERR_OK && i < machines.n && i < PLACEMENT_MACHINES;
         i++) {
        if (!is_wanted(o, machines.v[i].hostaddr))
            continue;
        e = life_question(run->arena, &machines.v[i], &places, &question);
        if (e == ERR_OK)
            e = part_ask(run, machines.v[i].hostaddr, question);
    }
    return e;
}

/* Who does not answer, or takes too long, is left out. */
enum step_answer
life_ask(struct job_run *run)
{
    struct list_of_job all;
    enum step_answer answer;
    struct life_order o;
    size_t waiting = 0;
    enum err e;

    if (!take_order(run, &o, &answer))
        return answer;
    e = ask_all(run, &o);
    if (e == ERR_OK)
        e = job_parts(run, PART_ASK, &all);
    for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
        const struct job *j = &all.v[i];

        if (j->state >= JOB_DONE)
            continue;
        if (!part_is_silent(&all, j) && j->age_ms < ASK_MS) {
            waiting++;
            continue;
        }
        e = job_cancel(run->db, j->id);
        if (e == ERR_STATE)
            e = ERR_OK;
    }
    if (e != ERR_OK)
        return failed(run, e, NULL);
    if (waiting == 0)
        return STEP_DONE;
    job_waits(run, 1000, "%zu of %zu machines have not answered", waiting,
              all.n);
    return STEP_AGAIN;
}

enum step_answer
life_unask(struct job_run *run)
{
    return parts_stop(run, PART_ASK);
}

/* ---- places are chosen and reserved ---- */

static enum err
read_answer(struct arena *a, const struct job *j, struct life_told *out)
{
    struct survey *s = arena_alloc(a, sizeof(*s));
    enum err e;

    *out = (struct life_told){ .machine = j->machine };
    if (s == NULL)
        return ERR_NOMEM;
    if (j->state != JOB_DONE || !HAS(j, job, result))
        return ERR_OK;
    e = record_read(a, &survey_rec, j->result.p, j->result.n, 0, s);
    if (e == ERR_OK)
        out->said = s;
    return e;
}

static enum err
read_answers(struct job_run *run, struct life_asked *out)
{
    struct list_of_job all;
    enum err e = job_parts(run, PART_ASK, &all);

    if (e != ERR_OK)
        return e;
    out->n = all.n;
    out->v = arena_array(run->arena, all.n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        e = read_answer(run->arena, &all.v[i], &out->v[i]);
    return e;
}

static enum err
note_space(struct job_run *run, const struct life_asked *asked)
{
    struct list_of_meta_machine machines;
    enum err e = meta_machines(run->db, run->arena, &machines);

    for (size_t i = 0; e == ERR_OK && i < machines.n; i++)
        for (size_t k = 0; e == ERR_OK && k < asked->n; k++)
            if (asked->v[k].said != NULL &&
                strcmp(asked->v[k].machine, machines.v[i].hostaddr) == 0)
                e = life_note_space(run->db, machines.v[i].id,
                                    asked->v[k].said);
    return e;
}

/* Within the transaction: what has been chosen is reserved and remembered. */
static enum err
reserve(struct job_run *run, struct life_order *o,
        const struct life_asked *asked, char why[WHY_BYTES])
{
    struct list_of_life_server servers = { 0 };
    struct life_memo memo = { 0 };
    enum err e = meta_turn(run->db);

    if (e == ERR_OK)
        e = own(run)->check(run->db, run->arena, o, why);
    for (size_t i = 0; e == ERR_OK && i < o->n; i++)
        e = life_choose(run->db, run->arena, &o->wish[i], asked, &servers, why);
    for (size_t i = 0; e == ERR_OK && i < servers.n; i++)
        e = meta_place_add(run->db, servers.v[i].spec, run->job->id);
    if (e == ERR_OK)
        e = note_space(run, asked);
    PUT(&memo, life_memo, cluster, o->wish[0].cluster);
    PUT_LIST(&memo, life_memo, servers, servers.n, servers.v);
    return e == ERR_OK ? life_remember(run, &memo) : e;
}

/* A cluster that is there and finds no machine for what it wants more is told
 * so in the interface's words. */
static bool
has_no_machine(const struct life_order *o, enum err e)
{
    return e == ERR_NOT_FOUND && o->cluster.name != NULL;
}

enum step_answer
life_choose_places(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct life_asked asked;
    enum step_answer answer;
    struct life_order o;
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    if (!take_order(run, &o, &answer))
        return answer;
    e = read_answers(run, &asked);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    e = job_begin(run);
    if (e == ERR_OK)
        e = reserve(run, &o, &asked, why);
    e = db_end(run->db, e);
    if (has_no_machine(&o, e)) {
        job_fails(run, SAYS_NO_PLACE, why);
        return STEP_FAILED;
    }
    return e == ERR_OK ? STEP_DONE : failed(run, e, why);
}

/* What machines have installed they give back themselves. */
enum step_answer
life_unchoose_places(struct job_run *run)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = meta_places_back(run->db, run->job->id);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

/* ---- servers are installed ---- */

enum step_answer
life_install(struct job_run *run)
{
    struct life_memo memo;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = life_tell(run, memo.cluster, &SERVERS(&memo), "ongoing");
    for (size_t i = 0; e == ERR_OK && i < memo.servers.n; i++)
        e = part_install(run, memo.servers.v[i].spec);
    return life_await(run, own(run)->error, e, PART_INSTALL, INSTALL_MS);
}

/* Of those that were installed: they are deleted like any other. */
static enum err
remove_installed(struct job_run *run, const struct life_memo *m)
{
    struct list_of_job parts;
    enum err e = job_parts(run, PART_INSTALL, &parts);

    for (size_t i = 0; e == ERR_OK && i < m->servers.n; i++) {
        const struct instance_spec *s = m->servers.v[i].spec;

        for (size_t k = 0; e == ERR_OK && k < parts.n; k++)
            if (parts.v[k].state == JOB_DONE &&
                strcmp(parts.v[k].machine, s->address) == 0 &&
                life_is_of(&parts.v[k], s))
                e = part_remove(run, s->address, s->port, s->uuid,
                                s->kind == INSTANCE_STORAGE);
    }
    return e;
}

/* A machine that does not answer does it when it is back. */
enum step_answer
life_uninstall(struct job_run *run)
{
    enum step_answer answer = parts_stop(run, PART_INSTALL);
    struct life_memo memo;
    const char *left;
    enum err e = life_recall(run, &memo);

    if (answer != STEP_DONE || e != ERR_OK)
        return answer;
    e = life_tell(run, memo.cluster, &SERVERS(&memo), "failed");
    if (e == ERR_OK)
        e = remove_installed(run, &memo);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    answer = parts_gone(run, PART_REMOVE, REMOVE_MS, &left);
    if (answer == STEP_DONE && !str_empty(left))
        log_warn("cluster.left job=%llu what=\"%s\"",
                 (unsigned long long)run->job->id, left);
    return answer;
}

/* ---- rows ---- */

enum step_answer
life_write_rows(struct job_run *run)
{
    const char *info = NULL;
    struct cluster_want want;
    struct life_memo memo;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    if (!cluster_wants(run, &want))
        return STEP_FAILED;
    e = job_begin(run);
    if (e == ERR_OK)
        e = own(run)->rows(run, &want, &memo, &info);
    e = db_end(run->db, e);
    if (e == ERR_EXISTS) {
        job_fails(run, SAYS_NICK_NAME_IS_THERE);
        return STEP_FAILED;
    }
    if (e == ERR_OK) /* now they have ids */
        e = life_tell(run, memo.cluster, &SERVERS(&memo), "done");
    return e == ERR_OK ? cluster_done(run, info) : failed(run, e, NULL);
}

const struct job_step life_growth_steps[LIFE_GROWTH_STEPS] = {
    { "ask the machines", life_ask, life_unask },
    { LIFE_CHOOSES, life_choose_places, life_unchoose_places },
    { "install servers", life_install, life_uninstall },
    { "begin the shards", life_begin_shards, life_unbegin_shards },
    { "point the computing nodes", life_point_all, life_unpoint },
    { "prove it", life_prove, NULL },
    { "write the rows", life_write_rows, NULL },
};

/* ---- dry_run: what is refused is refused in the words of the job ---- */

enum err
life_growth_plan(struct db *db, struct arena *a, const void *of,
                 const struct cluster_want *want,
                 struct list_of_cluster_effect *out, char why[WHY_BYTES])
{
    const struct life_growth *own = of;
    struct life_order *o = arena_alloc(a, sizeof(*o));
    struct list_of_life_server servers = { 0 };
    char no_place[WHY_BYTES] = "";
    enum err e;

    if (o == NULL)
        return ERR_NOMEM;
    o->want = *want;
    e = own->check(db, a, o, why);
    for (size_t i = 0; e == ERR_OK && i < o->n; i++)
        e = life_choose(db, a, &o->wish[i], NULL, &servers, no_place);
    if (!str_empty(no_place))
        return has_no_machine(o, e)
                   ? why_fail(why, e, SAYS_NO_PLACE, no_place)
                   : why_fail(why, e, "%s: " LIFE_CHOOSES ": %s", own->error,
                              no_place);
    return e == ERR_OK ? life_effects(db, a, &servers, out) : e;
}
