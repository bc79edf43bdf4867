/* metagate supervise: what is kept up on one machine. Each upkeep
 * has a thread of its own; no lease, since a machine has one supervise. */
#include "base/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "daemon.h"
#include "db.h"
#include "duty.h"
#include "log.h"
#include "loop/runner.h"

#define IDLE_MS 60000
#define END_MS  3000

struct kept {
    const struct upkeep *upkeep;
    const char *machine;
    struct runner_task task;
    struct runner *runner;
};

static enum turn
step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    const struct kept *p = ctx;
    struct upkeep_run run = { db, a, p->machine, *memory };
    enum turn t = p->upkeep->step(&run);

    *memory = run.memory;
    return t;
}

static bool
start(struct kept *p, const struct upkeep *u, const char *machine)
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

static void
stop_all(struct kept *p, size_t n)
{
    int64_t until_ms = clock_mono_ms() + END_MS;

    for (size_t i = 0; i < n; i++)
        runner_stop(p[i].runner);
    for (size_t i = 0; i < n; i++)
        if (!runner_join(p[i].runner, until_ms - clock_mono_ms()))
            _exit(EXIT_SUCCESS); /* a step that hangs is left behind */
}

static size_t
count_upkeeps(void)
{
    size_t n = 0;

    while (upkeep_at(n) != NULL)
        n++;
    return n;
}

static int
supervise(struct daemon *d, const char *machine)
{
    size_t n = count_upkeeps(), started = 0;
    struct kept *p = calloc(n + 1, sizeof(*p));

    while (p != NULL && started < n &&
           start(&p[started], upkeep_at(started), machine))
        started++;
    while (p != NULL && started == n && daemon_wait(d, IDLE_MS) != DAEMON_STOP)
        ;
    if (p == NULL || started < n)
        log_error("supervise.threads started=%zu of=%zu", started, n);
    if (p != NULL)
        stop_all(p, started);
    free(p);
    log_info("supervise.end");
    return started == n ? EXIT_SUCCESS : EXIT_FAILURE;
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
