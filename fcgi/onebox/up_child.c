/* The life of each child: started in order, watched, started again, stopped
 * in reverse. Nothing here waits: every step looks at the clock and at what
 * has ended, so that a child that hangs holds up no other. */
#include "up.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "config.h"
#include "log.h"

#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS   2000 /* DESIGN: started again within 2 s */
#define QUICK_MS         5000 /* ended sooner: the back-off grows */
#define START_DEATHS_MAX 4    /* more while starting: the start has failed */
#define TELL_EVERY_MS    5000

static const char *const state_names[CHILD_STATE__MAX] = {
    [CHILD_WAITING] = "waiting", [CHILD_STARTING] = "starting",
    [CHILD_READY] = "running",   [CHILD_ENDING] = "ending",
    [CHILD_STOPPED] = "stopped", [CHILD_DONE] = "done",
};

const char *
child_state_name(enum child_state s)
{
    return state_names[s];
}

/* ---- starting ---- */

static void
fail_start(struct up *up, const struct child *c, const char *why)
{
    up_say(up, "metagate: %s: %s\n", c->name, why);
    if (c->started_ms != 0) /* its log may be of other starts */
        up_say_log(up, c);
    log_error("up.failed child=%s why=%s", c->name, why);
    up->failed = true;
    up->stopping = true;
}

/* Due again after a back-off that grows with deaths soon after the start. */
static void
plan_restart(struct child *c, int64_t now)
{
    int64_t wait = BACKOFF_FIRST_MS;
    int i;

    for (i = 1; i < c->quick_deaths && wait < BACKOFF_MAX_MS; i++)
        wait *= 2;
    c->state = CHILD_WAITING;
    c->due_ms = now + (wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
}

static void
start_failed(struct up *up, struct child *c, const char *why, int64_t now)
{
    c->pid = 0;
    c->quick_deaths++;
    log_error("child.start name=%s why=%s", c->name, why);
    if (!up->announced)
        fail_start(up, c, why);
    plan_restart(c, now);
}

static void
start(struct up *up, struct child *c, int64_t now)
{
    char why[512] = "it cannot be prepared";
    enum err e = ERR_OK;

    if (c->kind->prepare != NULL &&
        c->kind->prepare(up, why, sizeof(why)) != ERR_OK) {
        start_failed(up, c, why, now);
        return;
    }
    e = up_spawn(up, c);
    if (e != ERR_OK) {
        start_failed(up, c,
                     e == ERR_NOT_FOUND
                         ? "its program is not installed (make deps)"
                         : strerror(errno),
                     now);
        return;
    }
    c->group = c->pid;
    c->started_ms = c->told_ms = now;
    c->state = CHILD_STARTING;
    up_note_children(up);
    log_info("child.start name=%s pid=%d", c->name, (int)c->pid);
    if (c->kind->task != NULL)
        up_say(up, "  %s: %s\n", c->name, c->kind->task);
}

/* ---- ready ---- */

static void
become_ready(struct up *up, struct child *c, int64_t now)
{
    c->state = CHILD_READY;
    log_info("child.ready name=%s pid=%d after_ms=%lld", c->name, (int)c->pid,
             (long long)(now - c->started_ms));
    if (!up->announced)
        up_say(up, "  %s: running (pid %d)\n", c->name, (int)c->pid);
}

static void
tell_waiting(const struct up *up, struct child *c, int64_t now)
{
    if (up->announced || now - c->told_ms < TELL_EVERY_MS)
        return;
    c->told_ms = now;
    up_say(up, "  %s: %s, %lld s so far (%s/log/%s.log)\n", c->name,
           c->kind->task != NULL ? c->kind->task : "starting",
           (long long)((now - c->started_ms) / 1000), config_run_dir(),
           c->name);
}

static void
watch_start(struct up *up, struct child *c, int64_t now)
{
    char why[256];

    if (c->kind->on_death == DEATH_RESTART &&
        (c->kind->ready == NULL || c->kind->ready(c))) {
        become_ready(up, c, now);
        return;
    }
    tell_waiting(up, c, now);
    if (up->announced || c->kind->start_ms == 0 ||
        now - c->started_ms < c->kind->start_ms)
        return;
    (void)snprintf(why, sizeof(why), "not ready after %d s%s%s",
                   c->kind->start_ms / 1000, c->said[0] != '\0' ? ": " : "",
                   c->said);
    fail_start(up, c, why);
}

/* ---- ending ---- */

static void
close_probe(struct child *c)
{
    if (c->probe_fd >= 0)
        (void)close(c->probe_fd);
    c->probe_fd = -1;
}

/* Asks it to end. A stopped process would keep the signal for later. Not the
 * other way round: a SIGCONT that arrives during the end takes back the
 * SIGSTOP by which LeakSanitizer holds the threads it looks at. */
static void
ask_to_end(struct child *c, int64_t now)
{
    close_probe(c);
    c->state = CHILD_ENDING;
    c->due_ms = now + c->kind->stop_ms;
    (void)kill(-c->group, SIGCONT);
    (void)kill(c->pid, c->kind->stop_signal);
    log_info("child.stop name=%s pid=%d", c->name, (int)c->pid);
}

static void
finish_task(struct up *up, struct child *c, int64_t now)
{
    char why[512] = "it has failed";

    if (c->status != 0) {
        fail_start(up, c, why);
        c->state = CHILD_STOPPED;
        return;
    }
    if (c->kind->done != NULL &&
        c->kind->done(up, why, sizeof(why)) != ERR_OK) {
        fail_start(up, c, why);
        c->state = CHILD_STOPPED;
        return;
    }
    c->state = CHILD_DONE;
    log_info("child.done name=%s after_ms=%lld", c->name,
             (long long)(now - c->started_ms));
}

static void
describe_end(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        (void)snprintf(out, size, "ended by signal %d", WTERMSIG(status));
    else
        (void)snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
}

static void
died(struct up *up, struct child *c, int64_t now)
{
    char how[64];

    describe_end(c->status, how, sizeof(how));
    log_warn("child.died name=%s how=%s after_ms=%lld", c->name, how,
             (long long)(now - c->started_ms));
    if (up->announced)
        up_say(up, "%s %s; starting it again\n", c->name, how);
    c->quick_deaths = now - c->started_ms < QUICK_MS ? c->quick_deaths + 1 : 0;
    c->restarts++;
    plan_restart(c, now);
    if (!up->announced && c->quick_deaths > START_DEATHS_MAX)
        fail_start(up, c, how);
}

/* Nothing of it runs any more. */
static void
gone(struct up *up, struct child *c, int64_t now)
{
    c->group = 0;
    close_probe(c);
    up_note_children(up);
    if (up->stopping || c->down)
        c->state = CHILD_STOPPED;
    else if (c->kind->on_death == DEATH_IS_DONE)
        finish_task(up, c, now);
    else
        died(up, c, now);
}

static void
watch_end(struct up *up, struct child *c, int64_t now)
{
    if (c->pid == 0)
        (void)kill(-c->group, SIGKILL); /* nginx's workers, orphaned */
    if (c->pid == 0 && kill(-c->group, 0) != 0 && errno == ESRCH) {
        gone(up, c, now);
        return;
    }
    if (now >= c->due_ms || (up->hurry && c->kind->stop_ms < 60000)) {
        if (c->pid != 0)
            log_warn("child.kill name=%s pid=%d", c->name, (int)c->pid);
        (void)kill(-c->group, SIGKILL);
        c->due_ms = now + 1000;
    }
}

void
up_reap(struct up *up)
{
    int status;
    pid_t pid;
    size_t i;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (i = 0; i < up->n && up->child[i].pid != pid; i++)
            ;
        if (i == up->n)
            continue; /* an orphan of a child: we are its subreaper */
        up->child[i].pid = 0;
        up->child[i].status = status;
        if (up->child[i].state != CHILD_ENDING)
            up->child[i].due_ms = clock_mono_ms() + 1000;
        up->child[i].state = CHILD_ENDING;
    }
}

/* ---- the order ---- */

static bool
is_settled(const struct child *c)
{
    return c->state == CHILD_READY || c->state == CHILD_DONE ||
           c->state == CHILD_STOPPED;
}

/* Whether everything of a lower order is there. Only the start looks at it:
 * afterwards workers live on while the database is started again. */
static bool
is_its_turn(const struct up *up, const struct child *c)
{
    size_t i;

    for (i = 0; i < up->n && !up->announced; i++) {
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
    size_t i;

    for (i = 0; i < up->n; i++) {
        const struct child *c = &up->child[i];

        if (c->group != 0 && c->kind->order > order)
            order = c->kind->order;
    }
    return order;
}

static void
step_stopping(struct up *up, struct child *c, int order, int64_t now)
{
    if (c->state == CHILD_WAITING)
        c->state = CHILD_STOPPED;
    else if (c->state == CHILD_ENDING)
        watch_end(up, c, now);
    else if (c->group != 0 && c->kind->order == order)
        ask_to_end(c, now);
}

static void
step(struct up *up, struct child *c, int64_t now)
{
    switch (c->state) {
    case CHILD_WAITING:
        if (now >= c->due_ms && is_its_turn(up, c))
            start(up, c, now);
        break;
    case CHILD_STARTING:
        watch_start(up, c, now);
        break;
    case CHILD_ENDING:
        watch_end(up, c, now);
        break;
    default:
        break;
    }
}

/* When this child wants to be looked at again; 0: after an event. */
static int64_t
next_look(const struct up *up, const struct child *c, int64_t now)
{
    switch (c->state) {
    case CHILD_WAITING:
        return is_its_turn(up, c) ? c->due_ms + 1 : 0;
    case CHILD_STARTING:
        return now + PROBE_MS;
    case CHILD_ENDING:
        /* a group's last member may be somebody else's to reap */
        return c->pid == 0 ? now + PROBE_MS : c->due_ms;
    default:
        return 0;
    }
}

int64_t
up_step(struct up *up)
{
    int64_t now = clock_mono_ms(), next = 0, t;
    int order = ending_order(up);
    bool stopping = up->stopping;
    size_t i;

    for (i = 0; i < up->n; i++) {
        if (up->stopping)
            step_stopping(up, &up->child[i], order, now);
        else
            step(up, &up->child[i], now);
    }
    /* A start has failed, or the next order's turn has come: no event tells
     * the others. */
    if (up->stopping && (!stopping || ending_order(up) != order))
        return now;
    for (i = 0; i < up->n; i++) {
        t = next_look(up, &up->child[i], now);
        if (t != 0 && (next == 0 || t < next))
            next = t;
    }
    return next;
}

bool
up_all_ready(const struct up *up)
{
    size_t i;

    for (i = 0; i < up->n; i++) {
        if (!is_settled(&up->child[i]))
            return false;
    }
    return !up->stopping;
}

bool
up_all_ended(const struct up *up)
{
    size_t i;

    for (i = 0; i < up->n; i++) {
        if (up->child[i].group != 0)
            return false;
    }
    return true;
}

/* ---- the operator ---- */

struct child *
up_find_child(struct up *up, const char *name)
{
    char first[40];
    size_t i;

    for (i = 0; i < up->n; i++) {
        struct child *c = &up->child[i];

        (void)snprintf(first, sizeof(first), "%s-0", c->name);
        if (strcmp(c->name, name) == 0 ||
            (!c->kind->numbered && strcmp(first, name) == 0))
            return c;
    }
    return NULL;
}

void
up_stop_child(struct up *up, struct child *c)
{
    int64_t now = clock_mono_ms();

    (void)up;
    c->down = true;
    if (c->state == CHILD_WAITING)
        c->state = CHILD_STOPPED;
    else if (c->state == CHILD_STARTING || c->state == CHILD_READY)
        ask_to_end(c, now);
}

void
up_start_child(struct up *up, struct child *c)
{
    (void)up;
    c->down = false;
    if (c->state != CHILD_STOPPED)
        return;
    c->quick_deaths = 0;
    c->state = CHILD_WAITING;
    c->due_ms = clock_mono_ms();
}

void
up_signal_role(struct up *up, const char *role, int sig)
{
    size_t i;

    for (i = 0; i < up->n; i++) {
        if (up->child[i].pid != 0 && strcmp(up->child[i].kind->role, role) == 0)
            (void)kill(up->child[i].pid, sig);
    }
}
