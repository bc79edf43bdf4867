/* update_prometheus, mysqld_exporter, postgres_exporter: a row says what is to
 * run, its machine tells whether it does. All end within a minute. */
#include <string.h>

#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "address.h"
#include "kunlun/orders/store.h"
#include "log.h"
#include "monitor.h"
#include "place.h"

#define LOOK_MS  250
#define WAIT_MS  40000
#define NODE_MS  20000 /* so long a machine that says nothing is waited for */
#define PER_HOST 1000  /* ports for exporters of one machine */

enum { AT_PROMETHEUS, AT_NODE, AT_OTHERS }; /* from prometheus_port on */

struct exporter {
    const char *watcher, *kind, *other, *error;
};
static const struct exporter mysql = { WATCHER_MYSQL, "storage",
                                       "is no storage node",
                                       "mysqld_exporter error" };
static const struct exporter postgres = { WATCHER_POSTGRES, "computer",
                                          "is no computing node",
                                          "postgres_exporter error" };

static int32_t
port_of(int which)
{
    return (int32_t)cluster_mgr_settings()->prometheus_port + which;
}

/* ---- an exporter ---- */

/* False: *answer is the step's. */
static bool
read_instance(struct job_run *run, struct cluster_want *w,
              struct orders_instance *in, enum step_answer *answer)
{
    const struct exporter *x = run->kind->of;
    char at[ADDRESS_BYTES];
    enum err e;

    *answer = STEP_FAILED;
    if (!cluster_wants(run, w))
        return false;
    e = orders_instance(run->db, run->arena, w->ip, w->port, in);
    if (e == ERR_NOT_FOUND)
        job_fails(run, "%s: %s is not known", x->error,
                  address_print(w->ip, w->port, at, sizeof(at)));
    else if (e != ERR_OK)
        *answer = job_waits_for_store(run, LOOK_MS, e);
    else if (strcmp(in->kind, x->kind) != 0)
        job_fails(run, "%s: %s %s", x->error,
                  address_print(w->ip, w->port, at, sizeof(at)), x->other);
    else
        return true;
    return false;
}

static enum step_answer
want_one(struct job_run *run)
{
    const struct exporter *x = run->kind->of;
    struct orders_instance in;
    enum step_answer answer;
    struct cluster_want w;
    enum err e;

    if (!read_instance(run, &w, &in, &answer))
        return answer;
    e = job_begin(run);
    if (e == ERR_OK)
        e = watcher_want(run->db, run->arena, w.ip, x->watcher, w.port, in.uuid,
                         port_of(AT_OTHERS), PER_HOST);
    e = db_end(run->db, e);
    if (e == ERR_OK)
        return STEP_DONE;
    if (e != ERR_LIMIT)
        return job_waits_for_store(run, LOOK_MS, e);
    job_fails(run, "%s: no port is free on %s", x->error, w.ip);
    return STEP_FAILED;
}

static enum step_answer
want_undo(struct job_run *run)
{
    const struct exporter *x = run->kind->of;
    struct cluster_want w;
    enum err e;

    if (!cluster_wants(run, &w))
        return STEP_DONE;
    e = job_begin(run);
    if (e == ERR_OK)
        e = watcher_drop(run->db, w.ip, x->watcher, w.port);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : job_waits_for_store(run, LOOK_MS, e);
}

static const struct watcher *
find(const struct list_of_watcher *all, const char *kind, int32_t target)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].kind, kind) == 0 && all->v[i].target == target)
            return &all->v[i];
    return NULL;
}

static const char *
reason(struct job_run *run, const struct watcher *w, const char *machine)
{
    if (w != NULL && !str_empty(w->why))
        return w->why;
    return arena_printf(run->arena, "%s does not answer", machine);
}

static enum step_answer
await_one(struct job_run *run)
{
    const struct exporter *x = run->kind->of;
    struct orders_instance in;
    struct list_of_watcher all;
    enum step_answer answer;
    const struct watcher *at;
    struct cluster_want w;
    enum err e;

    if (!read_instance(run, &w, &in, &answer))
        return answer;
    e = watcher_list(run->db, run->arena, w.ip, &all);
    if (e != ERR_OK)
        return job_waits_for_store(run, LOOK_MS, e);
    at = find(&all, x->watcher, w.port);
    if (at != NULL && strcmp(at->state, WATCHER_RUNNING) == 0)
        return cluster_done(run, NULL);
    if (at != NULL && strcmp(at->state, WATCHER_FAILED) != 0 &&
        job_step_ms(run) <= WAIT_MS) {
        job_waits(run, LOOK_MS, "waits for %s", w.ip);
        return STEP_AGAIN;
    }
    job_fails(run, "%s: %s", x->error, reason(run, at, w.ip));
    return STEP_FAILED;
}

static const struct job_step exporter_steps[] = {
    { "begin to watch", want_one, want_undo },
    { "wait for its machine", await_one, NULL },
};

CLUSTER_JOB(mysqld_exporter, exporter_steps, COUNT(exporter_steps),
            .of = &mysql);
CLUSTER_JOB(postgres_exporter, exporter_steps, COUNT(exporter_steps),
            .of = &postgres);

/* ---- Prometheus ---- */

static const char *
host(char machine[PLACE_MACHINE_BYTES])
{
    const char *set = cluster_mgr_settings()->prometheus_machine;

    return str_empty(set) ? place_machine(1, machine) : set;
}

static enum err
want_all(struct job_run *run, const char *where)
{
    struct list_of_watched_machine m = { 0 };
    enum err e = watcher_machines(run->db, run->arena, &m);

    if (e == ERR_OK)
        e = watcher_move(run->db, where, port_of(AT_PROMETHEUS),
                         port_of(AT_NODE));
    if (e == ERR_OK)
        e = watcher_want(run->db, run->arena, where, WATCHER_PROMETHEUS, 0, "",
                         port_of(AT_PROMETHEUS), 1);
    for (size_t i = 0; e == ERR_OK && i < m.n; i++)
        e = watcher_want(run->db, run->arena, m.v[i].address, WATCHER_NODE, 0,
                         "", port_of(AT_NODE), 1);
    return e;
}

static enum step_answer
want_prometheus(struct job_run *run)
{
    char machine[PLACE_MACHINE_BYTES];
    const char *where = host(machine);
    struct cluster_want w;
    enum err e;

    if (!cluster_wants(run, &w))
        return STEP_FAILED;
    e = job_begin(run);
    if (e == ERR_OK)
        e = want_all(run, where);
    e = db_end(run->db, e);
    if (e == ERR_OK)
        return STEP_DONE;
    if (e != ERR_LIMIT)
        return job_waits_for_store(run, LOOK_MS, e);
    job_fails(run,
              "update prometheus error: a port from %d on is another"
              " watcher's",
              (int)port_of(AT_PROMETHEUS));
    return STEP_FAILED;
}

/* Those that say why they do not run end the job; a machine that says nothing
 * is asked for by Prometheus when it is back. */
static enum step_answer
await_prometheus(struct job_run *run)
{
    char machine[PLACE_MACHINE_BYTES];
    const char *where = host(machine);
    struct list_of_watcher all;
    bool runs = false, waits = false;
    int64_t ms = job_step_ms(run);
    enum err e = watcher_list(run->db, run->arena, NULL, &all);

    if (e != ERR_OK)
        return job_waits_for_store(run, LOOK_MS, e);
    for (size_t i = 0; i < all.n; i++) {
        const struct watcher *w = &all.v[i];
        bool is_it = strcmp(w->kind, WATCHER_PROMETHEUS) == 0 &&
                     strcmp(w->machine, where) == 0;
        bool up = strcmp(w->state, WATCHER_RUNNING) == 0;

        if (w->target != 0 || (!is_it && strcmp(w->kind, WATCHER_NODE) != 0))
            continue;
        if (is_it && up)
            runs = true;
        if (strcmp(w->state, WATCHER_FAILED) == 0 ||
            (is_it && !up && ms > WAIT_MS)) {
            job_fails(run, "update prometheus error: %s: %s", w->machine,
                      reason(run, w, w->machine));
            return STEP_FAILED;
        }
        if (!up && (is_it || ms <= NODE_MS))
            waits = true;
    }
    if (runs && !waits)
        return cluster_done(run, NULL);
    if (ms > WAIT_MS) {
        job_fails(run, "update prometheus error: it does not run on %s", where);
        return STEP_FAILED;
    }
    job_waits(run, LOOK_MS, "waits for the machines");
    return STEP_AGAIN;
}

static const struct job_step prometheus_steps[] = {
    { "begin to watch", want_prometheus, NULL },
    { "wait for the machines", await_prometheus, NULL },
};

CLUSTER_JOB(update_prometheus, prometheus_steps, COUNT(prometheus_steps),
            .of = NULL);
