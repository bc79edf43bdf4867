/* metagate supervise: what is kept up on one machine. Each upkeep has a thread
 * of its own; the keeper of its database instances has some; the jobs of the
 * machine are performed beside it. No lease, since a machine has one supervise.
 *
 * SIGTERM ends it alone: instances live on and are adopted by the next one, so
 * that an upgrade stops no database. SIGINT ends them first. */
#include "base/commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "daemon.h"
#include "db.h"
#include "dialect.h"
#include "duty.h"
#include "helper.h"
#include "jobs.h"
#include "keeper/keeper_run.h"
#include "log.h"
#include "runner.h"

#define IDLE_MS 60000
#define END_MS  3000
#define HELP_MS 6000   /* for the programs beside them */
#define DOWN_MS 130000 /* for all instances: up waits a little longer */

struct tended {
    const struct upkeep *upkeep;
    const struct machine *machine;
    struct runner_task task;
    struct runner *runner;
};

static enum turn
step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    const struct tended *p = ctx;
    struct upkeep_run run = { .db = db,
                              .arena = a,
                              .machine = p->machine->address,
                              .keeper = p->machine->keeper,
                              .helpers = p->machine->helpers,
                              .memory = *memory };
    enum turn t = p->upkeep->step(&run);

    *memory = run.memory;
    return t;
}

static bool
start(struct tended *p, const struct upkeep *u, const struct machine *machine)
{
    p->upkeep = u;
    p->machine = machine;
    p->task = (struct runner_task){ .name = u->name,
                                    .every_ms = u->every_ms(),
                                    .ctx = p,
                                    .step = step,
                                    .forget = u->forget };
    p->runner = runner_start(&p->task);
    return p->runner != NULL;
}

/* False: a step that hangs is left behind. */
static bool
stop_all(struct tended *p, size_t n)
{
    int64_t until_ms = clock_mono_ms() + END_MS;

    for (size_t i = 0; i < n; i++)
        runner_stop(p[i].runner);
    for (size_t i = 0; i < n; i++)
        if (!runner_join(p[i].runner, until_ms - clock_mono_ms()))
            return false;
    return true;
}

static size_t
count_upkeeps(void)
{
    size_t n = 0;

    while (upkeep_at(n) != NULL)
        n++;
    return n;
}

/* ---- the machine's instances and jobs ---- */

static bool
may_end(struct db *db, struct arena *a, const char *uuid)
{
    for (size_t i = 0; dialects[i] != NULL; i++)
        if (dialects[i]->may_end != NULL && !dialects[i]->may_end(db, a, uuid))
            return false;
    return true;
}

static void
before_end(struct arena *a, const struct instance_spec *s, int timeout_ms)
{
    for (size_t i = 0; dialects[i] != NULL; i++)
        if (dialects[i]->before_end != NULL)
            dialects[i]->before_end(a, s, timeout_ms);
}

static bool
begin_machine(struct machine *m, struct jobs *jobs)
{
    const struct keeper_config cfg = { .machine = m->address,
                                       .store = true,
                                       .may_end = may_end,
                                       .before_end = before_end };

    m->keeper = keeper_start(&cfg);
    m->helpers = helpers_new();
    return m->keeper != NULL && m->helpers != NULL &&
           jobs_start(jobs, m->address, MACHINE_QUEUE, m->address,
                      (unsigned)config()->supervise_jobs, m) == ERR_OK;
}

/* A step of a job that goes on uses the keeper: then that is left as it is. */
static bool
end_machine(struct machine *m, struct jobs *jobs, bool end_all)
{
    bool quiet = jobs_stop(jobs, END_MS);

    if (m->keeper == NULL)
        return quiet;
    if (end_all && !keeper_end_all(m->keeper, DOWN_MS))
        log_warn("supervise.left instances=1");
    return quiet && keeper_stop(m->keeper, END_MS);
}

/* Not while the upkeep that has them may go on. */
static void
end_helpers(struct machine *m, bool end_all)
{
    if (end_all && m->helpers != NULL && !helpers_end(m->helpers, HELP_MS))
        log_warn("supervise.left helpers=1");
    helpers_free(m->helpers);
    m->helpers = NULL;
}

static void
wait_for_work(struct daemon *d, struct machine *m, struct jobs *jobs)
{
    enum daemon_event event;

    while ((event = daemon_wait(d, IDLE_MS)) != DAEMON_STOP) {
        if (event != DAEMON_WOKEN)
            continue;
        keeper_wake(m->keeper);
        jobs_wake(jobs);
    }
}

static int
supervise(struct daemon *d, const char *address)
{
    size_t n = count_upkeeps(), started = 0;
    struct tended *p = calloc(n + 1, sizeof(*p));
    struct machine m = { .address = address };
    struct jobs jobs = { .pool = NULL };
    bool ok = p != NULL && begin_machine(&m, &jobs), quiet;

    while (ok && started < n && start(&p[started], upkeep_at(started), &m))
        started++;
    ok = ok && started == n;
    if (ok)
        wait_for_work(d, &m, &jobs);
    else
        log_error("supervise.threads started=%zu of=%zu", started, n);
    quiet = p == NULL || stop_all(p, started);
    if (quiet)
        end_helpers(&m, ok && d->stop_signal == SIGINT);
    if (!end_machine(&m, &jobs, ok && d->stop_signal == SIGINT) || !quiet) {
        log_warn("supervise.left threads=1");
        _exit(EXIT_SUCCESS);
    }
    free(p);
    log_info("supervise.end");
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
supervise_main(int argc, char **argv)
{
    const char *machine = daemon_option(argc, argv, "--machine");
    struct daemon d;
    int status = EXIT_FAILURE;

    if (machine == NULL)
        return 2;
    if (daemon_begin(&d, "supervise", machine) == ERR_OK)
        status = supervise(&d, machine);
    daemon_end(&d);
    db_fini();
    return status;
}
