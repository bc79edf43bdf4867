/* The children of a deployment: in which order they are started and stopped,
 * what is done at each turn of their life (host/child.h), and what people are
 * told of it. Nothing here waits: every step looks at the clock and at what has
 * ended, so that a child that hangs holds up no other. */
#include "up.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "config.h"
#include "log.h"

#define START_DEATHS_MAX 4 /* more while starting: the start has failed */
#define TELL_EVERY_MS    5000
#define LONG_STOP_MS     60000 /* a database: not hurried */

/* DESIGN: started again within 2 s, however often it dies. */
static const struct child_rules usual = {
    .backoff_ms = { 50, 100, 200, 400, 800, 1600, 2000 },
    .quick_ms = 5000,
};

void
up_init_child(struct up_child *c)
{
    c->rules = usual;
    c->rules.stop_signal = c->kind->stop_signal;
    c->rules.stop_ms = c->kind->stop_ms;
    c->rules.once = c->kind->on_death == DEATH_IS_DONE;
    child_init(&c->child, c->name, &c->rules);
    child_want(&c->child, clock_mono_ms());
}

const char *
up_state_name(const struct up_child *c)
{
    return c->done ? "done" : child_state_name(c->child.state);
}

/* ---- starting ---- */

static void
fail_start(struct up *up, const struct up_child *c, const char *why)
{
    up_say(up, "metagate: %s: %s\n", c->name, why);
    if (c->child.started_ms != 0) /* its log may be of other starts */
        up_say_log(up, c);
    log_error("up.failed child=%s why=%s", c->name, why);
    up->failed = true;
    up->stopping = true;
}

static void
start(struct up *up, struct up_child *c, int64_t now)
{
    char why[WHY_BYTES] = "it cannot be prepared";
    enum err e = ERR_OK;

    if (c->kind->prepare != NULL && c->kind->prepare(up, why) != ERR_OK) {
        child_put_off(&c->child, now);
        e = ERR_STATE;
    } else {
        e = up_spawn(up, c, now);
        if (e != ERR_OK)
            why_say(why, "%s",
                    e == ERR_NOT_FOUND
                        ? "its program is not installed (make deps)"
                        : strerror(errno));
    }
    if (e != ERR_OK) {
        log_error("child.start name=%s why=%s", c->name, why);
        if (!up->announced)
            fail_start(up, c, why);
        return;
    }
    c->told_ms = now;
    up_note_children(up);
    if (c->kind->task != NULL)
        up_say(up, "  %s: %s\n", c->name, c->kind->task);
}

/* ---- ready ---- */

static void
tell_waiting(const struct up *up, struct up_child *c, int64_t now)
{
    if (up->announced || now - c->told_ms < TELL_EVERY_MS)
        return;
    c->told_ms = now;
    up_say(up, "  %s: %s, %lld s so far (%s/log/%s.log)\n", c->name,
           c->kind->task != NULL ? c->kind->task : "starting",
           (long long)((now - c->child.started_ms) / 1000), config_run_dir(),
           c->name);
}

static void
watch_start(struct up *up, struct up_child *c, int64_t now)
{
    char why[WHY_BYTES];

    if (!c->rules.once && (c->kind->ready == NULL || c->kind->ready(c))) {
        child_ready(&c->child, now);
        if (!up->announced)
            up_say(up, "  %s: running (pid %d)\n", c->name,
                   (int)c->child.id.pid);
        return;
    }
    tell_waiting(up, c, now);
    if (up->announced || c->kind->start_ms == 0 ||
        now - c->child.started_ms < c->kind->start_ms)
        return;
    why_say(why, "not ready after %d s%s%s", c->kind->start_ms / 1000,
            !str_empty(c->said) ? ": " : "", c->said);
    fail_start(up, c, why);
}

/* ---- ending ---- */

static void
close_probe(struct up_child *c)
{
    if (c->probe_fd >= 0)
        (void)close(c->probe_fd);
    c->probe_fd = -1;
}

static void
finish_task(struct up *up, struct up_child *c)
{
    char why[WHY_BYTES] = "it has failed";

    c->done = c->child.status == 0 &&
              (c->kind->done == NULL || c->kind->done(up, why) == ERR_OK);
    if (!c->done)
        fail_start(up, c, why);
}

/* Nothing of it runs any more. */
static void
gone(struct up *up, struct up_child *c)
{
    char how[64];

    close_probe(c);
    up_note_children(up);
    if (up->stopping || c->child.told)
        return;
    if (c->rules.once) {
        finish_task(up, c);
        return;
    }
    child_describe_end(&c->child, how, sizeof(how));
    if (up->announced)
        up_say(up, "%s %s; starting it again\n", c->name, how);
    else if (c->child.quick_deaths > START_DEATHS_MAX)
        fail_start(up, c, how);
}

/* Orphans of children are ours to reap: we are their subreaper. A child that
 * has ended just now is left to child_step, its SIGCHLD is on the way. */
void
up_reap(struct up *up)
{
    siginfo_t si;

    for (;;) {
        si.si_pid = 0;
        if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            si.si_pid == 0)
            return;
        for (size_t i = 0; i < up->n; i++) {
            if (up->child[i].child.id.pid == si.si_pid)
                return;
        }
        (void)waitpid(si.si_pid, NULL, WNOHANG);
    }
}

/* ---- the order ---- */

static bool
is_settled(const struct up_child *c)
{
    return c->child.state == CHILD_READY || c->child.state == CHILD_DOWN;
}

/* Whether everything of a lower order is there. Only the start looks at it:
 * afterwards workers live on while the database is started again. */
static bool
is_its_turn(const struct up *up, const struct up_child *c)
{
    for (size_t i = 0; i < up->n && !up->announced; i++) {
        if (up->child[i].kind->order < c->kind->order &&
            !is_settled(&up->child[i]))
            return false;
    }
    return true;
}

/* The order whose children are to end now: the highest that has any. */
static int
ending_order(const struct up *up)
{
    int order = 0;

    for (size_t i = 0; i < up->n; i++) {
        const struct up_child *c = &up->child[i];

        if (c->child.group != 0 && c->kind->order > order)
            order = c->kind->order;
    }
    return order;
}

/* With the deployment. */
static void
end_child(struct up_child *c, int64_t now)
{
    if (c->kind->end_signal != 0) {
        c->rules.stop_signal = c->kind->end_signal;
        c->rules.stop_ms = c->kind->end_ms;
    }
    child_unwant(&c->child, now);
}

static void
step(struct up *up, struct up_child *c, int order, int64_t now)
{
    enum child_event event;

    if (up->stopping && (c->child.group == 0 || c->kind->order == order)) {
        close_probe(c);
        end_child(c, now);
    }
    if (up->hurry && c->rules.stop_ms < LONG_STOP_MS)
        child_hurry(&c->child, now);
    event = child_step(&c->child, now);
    if (event == CHILD_ENDED)
        gone(up, c);
    else if (event == CHILD_DUE && !up->stopping && is_its_turn(up, c))
        start(up, c, now);
    else if (c->child.state == CHILD_STARTING && !up->stopping)
        watch_start(up, c, now);
}

/* When this child wants to be looked at again; 0: after an event. */
static int64_t
next_look(const struct up *up, const struct up_child *c, int64_t now)
{
    if (c->child.state == CHILD_STARTING)
        return now + PROBE_MS;
    if (c->child.state == CHILD_WAITING && !is_its_turn(up, c))
        return 0;
    return child_next(&c->child, now);
}

int64_t
up_step(struct up *up)
{
    int64_t now = clock_mono_ms(), next = 0, t;
    int order = ending_order(up);
    bool stopping = up->stopping;

    for (size_t i = 0; i < up->n; i++)
        step(up, &up->child[i], order, now);
    /* A start has failed, or the next order's turn has come: no event tells
     * the others. */
    if (up->stopping && (!stopping || ending_order(up) != order))
        return now;
    for (size_t i = 0; i < up->n; i++) {
        t = next_look(up, &up->child[i], now);
        if (t != 0 && (next == 0 || t < next))
            next = t;
    }
    return next;
}

bool
up_all_ready(const struct up *up)
{
    for (size_t i = 0; i < up->n; i++) {
        if (!is_settled(&up->child[i]))
            return false;
    }
    return !up->stopping;
}

bool
up_all_ended(const struct up *up)
{
    for (size_t i = 0; i < up->n; i++) {
        if (up->child[i].child.group != 0)
            return false;
    }
    return true;
}

/* ---- the operator ---- */

struct up_child *
up_find_child(struct up *up, const char *name)
{
    char first[40];

    for (size_t i = 0; i < up->n; i++) {
        struct up_child *c = &up->child[i];

        (void)snprintf(first, sizeof(first), "%s-0", c->name);
        if (strcmp(c->name, name) == 0 ||
            (!c->kind->numbered && strcmp(first, name) == 0))
            return c;
    }
    return NULL;
}

void
up_stop_child(struct up *up, struct up_child *c)
{
    (void)up;
    close_probe(c);
    child_unwant(&c->child, clock_mono_ms());
}

void
up_start_child(struct up *up, struct up_child *c)
{
    (void)up;
    child_want(&c->child, clock_mono_ms());
}

void
up_signal_role(struct up *up, const char *role, int sig)
{
    for (size_t i = 0; i < up->n; i++) {
        const struct up_child *c = &up->child[i];

        if (c->child.id.pid != 0 && strcmp(c->kind->role, role) == 0)
            (void)kill(c->child.id.pid, sig);
    }
}
