/* The life of a child process. */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "proc_look.h"
#include "self.h"

#define KILL_AGAIN_MS 1000
#define ORPHANS_MS    20 /* how often what is left of a group is looked at */

static const char *const state_names[CHILD_STATE__MAX] = {
    [CHILD_DOWN] = "stopped",  [CHILD_WAITING] = "waiting",
    [CHILD_FAILED] = "failed", [CHILD_STARTING] = "starting",
    [CHILD_READY] = "running", [CHILD_ENDING] = "ending",
};

const char *
child_state_name(enum child_state s)
{
    return state_names[s];
}

void
child_init(struct child *c, const char *name, const struct child_rules *rules)
{
    *c = (struct child){ .rules = rules, .name = name, .pidfd = -1 };
}

static void
close_pidfd(struct child *c)
{
    if (c->pidfd >= 0)
        (void)close(c->pidfd);
    c->pidfd = -1;
}

void
child_close(struct child *c)
{
    close_pidfd(c);
}

/* ---- which process ---- */

enum err
child_identify(pid_t pid, struct child_id *out)
{
    struct proc_stat is;
    char boot[40];

    *out = (struct child_id){ .pid = pid };
    if (!proc_look_stat(pid, &is))
        return ERR_NOT_FOUND;
    out->ticks = is.ticks;
    self_boot_id(boot);
    (void)snprintf(out->boot, sizeof(out->boot), "%.36s", boot);
    return ERR_OK;
}

/* The leader is the process of that start, or it is gone: while a group has
 * members its number is not given to a new process. */
bool
child_group_lives(pid_t group, uint64_t ticks)
{
    struct proc_stat leader;

    return (kill(-group, 0) == 0 || errno != ESRCH) &&
           (!proc_look_stat(group, &leader) || leader.ticks == ticks);
}

static bool
has_argument(pid_t pid, const char *argument)
{
    char text[65536];
    size_t n = proc_look_arguments(pid, text, sizeof(text));

    for (size_t i = 0; i < n; i += strlen(text + i) + 1) {
        if (strcmp(text + i, argument) == 0)
            return true;
    }
    return false;
}

static bool
is_ours(pid_t pid)
{
    char path[64];
    struct stat st;

    (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return stat(path, &st) == 0 && st.st_uid == geteuid() &&
           getpgid(pid) == pid;
}

static bool
runs_program(pid_t pid, const char *program)
{
    char text[4096];
    const char *slash;

    (void)proc_look_arguments(pid, text, sizeof(text));
    slash = strrchr(text, '/');
    return strcmp(slash != NULL ? slash + 1 : text, program) == 0;
}

struct sought {
    const char *program, *argument;
    struct child_id *out;
};

static bool
is_sought(pid_t pid, void *ctx)
{
    const struct sought *s = ctx;

    return pid > 1 && is_ours(pid) && runs_program(pid, s->program) &&
           has_argument(pid, s->argument) &&
           child_identify(pid, s->out) == ERR_OK;
}

enum err
child_find(const char *program, const char *argument, struct child_id *out)
{
    const char *slash = strrchr(program, '/');
    struct sought s = { slash != NULL ? slash + 1 : program, argument, out };

    return proc_look_each(is_sought, &s) ? ERR_OK : ERR_NOT_FOUND;
}

/* ---- starting ---- */

static void
plan(struct child *c, enum child_state state, int64_t due_ms)
{
    c->state = state;
    c->due_ms = due_ms;
}

static int
backoff(const struct child *c)
{
    const int *wait = c->rules->backoff_ms;
    int i, n = c->quick_deaths > 0 ? c->quick_deaths - 1 : 0;

    for (i = CHILD_BACKOFFS - 1; i > 0 && wait[i] == 0; i--)
        ;
    return wait[n < i ? n : i];
}

static bool
is_loop(const struct child *c, int64_t now_ms)
{
    unsigned n = (unsigned)c->rules->loop_deaths;

    return n > 0 && c->deaths >= n &&
           now_ms - c->death_ms[(c->deaths - n) % CHILD_DEATHS] <=
               c->rules->loop_ms;
}

/* It has ended, or could not be started, and nobody had asked for that. */
static void
note_death(struct child *c, bool early, int64_t now_ms)
{
    if (early) {
        c->quick_deaths++;
        c->death_ms[c->deaths++ % CHILD_DEATHS] = now_ms;
        c->looping = c->looping || is_loop(c, now_ms);
    } else {
        c->quick_deaths = 0;
        c->looping = false;
    }
    if (!c->wanted)
        plan(c, CHILD_DOWN, 0);
    else if (c->looping)
        plan(c, CHILD_FAILED, now_ms + c->rules->failed_ms);
    else
        plan(c, CHILD_WAITING, now_ms + backoff(c));
    if (c->state == CHILD_FAILED)
        log_error("child.failed name=%s again_after_ms=%d", c->name,
                  c->rules->failed_ms);
}

void
child_put_off(struct child *c, int64_t now_ms)
{
    c->started_ms = now_ms;
    note_death(c, true, now_ms);
}

static enum err
watch(struct child *c, pid_t pid)
{
    c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (c->pidfd < 0)
        return errno == ESRCH ? ERR_NOT_FOUND : ERR_STATE;
    return child_identify(pid, &c->id);
}

static void
begin(struct child *c, int64_t now_ms)
{
    c->state = CHILD_STARTING;
    c->group = c->id.pid;
    c->told = false;
    c->started_ms = now_ms;
}

enum err
child_start(struct child *c, const struct proc_spec *spec, int64_t now_ms)
{
    struct proc_spec s = *spec;
    pid_t pid;
    enum err e;
    int code;

    s.own_group = true;
    e = proc_spawn(&s, &pid);
    if (e == ERR_OK) {
        e = watch(c, pid);
        code = errno;
        if (e != ERR_OK) { /* no descriptor is left */
            (void)kill(-pid, SIGKILL);
            (void)waitpid(pid, NULL, 0);
            close_pidfd(c);
            c->id.pid = 0;
            errno = code;
        }
    }
    if (e != ERR_OK) {
        code = errno;
        log_error("child.spawn name=%s program=%s errno=%d", c->name, s.argv[0],
                  code);
        child_put_off(c, now_ms);
        errno = code;
        return e;
    }
    c->adopted = false;
    begin(c, now_ms);
    log_info("child.start name=%s pid=%d", c->name, (int)c->id.pid);
    return ERR_OK;
}

enum err
child_adopt(struct child *c, const struct child_id *id, const char *argument,
            int64_t now_ms)
{
    struct proc_stat is;

    /* the descriptor first: it stays with the process that is looked at */
    if (id->pid <= 1 || watch(c, id->pid) != ERR_OK ||
        c->id.ticks != id->ticks || strcmp(c->id.boot, id->boot) != 0 ||
        !is_ours(id->pid) || !has_argument(id->pid, argument) ||
        !proc_look_stat(id->pid, &is) || is.ticks != id->ticks ||
        is.state == 'Z') {
        close_pidfd(c);
        c->id.pid = 0;
        return ERR_NOT_FOUND;
    }
    c->adopted = c->wanted = true;
    begin(c, now_ms);
    log_info("child.adopt name=%s pid=%d", c->name, (int)c->id.pid);
    return ERR_OK;
}

void
child_ready(struct child *c, int64_t now_ms)
{
    c->state = CHILD_READY;
    log_info("child.ready name=%s pid=%d after_ms=%lld", c->name,
             (int)c->id.pid, (long long)(now_ms - c->started_ms));
}

/* ---- what the owner wants ---- */

/* A stopped process would keep the signal for later. Not the other way round:
 * a SIGCONT that arrives during the end takes back the SIGSTOP by which
 * LeakSanitizer holds the threads it looks at. */
void
child_tell(struct child *c, int64_t now_ms)
{
    if (c->state != CHILD_STARTING && c->state != CHILD_READY)
        return;
    c->told = true;
    plan(c, CHILD_ENDING, now_ms + c->rules->stop_ms);
    (void)kill(-c->group, SIGCONT);
    (void)syscall(SYS_pidfd_send_signal, c->pidfd, c->rules->stop_signal, NULL,
                  0);
    log_info("child.stop name=%s pid=%d", c->name, (int)c->id.pid);
}

void
child_want(struct child *c, int64_t now_ms)
{
    c->wanted = true;
    if (c->state != CHILD_DOWN && c->state != CHILD_FAILED)
        return;
    c->quick_deaths = 0;
    c->deaths = 0;
    c->looping = false;
    plan(c, CHILD_WAITING, now_ms);
}

void
child_unwant(struct child *c, int64_t now_ms)
{
    c->wanted = false;
    if (c->state == CHILD_WAITING || c->state == CHILD_FAILED)
        plan(c, CHILD_DOWN, 0);
    else
        child_tell(c, now_ms);
}

void
child_hurry(struct child *c, int64_t at_ms)
{
    if (c->state == CHILD_ENDING && c->due_ms > at_ms)
        c->due_ms = at_ms;
}

/* ---- watching ---- */

static void
look_for_end(struct child *c)
{
    struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
    int status = -1;

    if (c->id.pid == 0)
        return;
    if (c->adopted ? poll(&p, 1, 0) != 1
                   : waitpid(c->id.pid, &status, WNOHANG) != c->id.pid)
        return;
    c->status = status;
    c->id.pid = 0;
    close_pidfd(c);
}

static bool
is_empty(const struct child *c, int64_t now_ms)
{
    if (c->id.pid != 0)
        return false;
    /* whoever is its parent now may never ask for it */
    if (c->adopted && now_ms >= c->due_ms)
        return true;
    return !child_group_lives(c->group, c->id.ticks);
}

static void
end(struct child *c, int64_t now_ms)
{
    char how[64];

    c->group = 0;
    if (c->told) {
        plan(c, c->wanted ? CHILD_WAITING : CHILD_DOWN, now_ms);
        return;
    }
    child_describe_end(c, how, sizeof(how));
    if (c->rules->once) {
        c->wanted = false;
        plan(c, CHILD_DOWN, 0);
        log_info("child.done name=%s how=\"%s\" after_ms=%lld", c->name, how,
                 (long long)(now_ms - c->started_ms));
        return;
    }
    log_warn("child.died name=%s how=\"%s\" after_ms=%lld", c->name, how,
             (long long)(now_ms - c->started_ms));
    c->restarts++;
    note_death(c, now_ms - c->started_ms < c->rules->quick_ms, now_ms);
}

static enum child_event
step_end(struct child *c, int64_t now_ms)
{
    if (c->id.pid == 0 && child_group_lives(c->group, c->id.ticks)) {
        (void)kill(-c->group, SIGKILL); /* nginx's workers, orphaned */
        if (c->adopted && c->due_ms > now_ms + KILL_AGAIN_MS)
            c->due_ms = now_ms + KILL_AGAIN_MS; /* see is_empty */
    }
    if (is_empty(c, now_ms)) {
        end(c, now_ms);
        return CHILD_ENDED;
    }
    if (now_ms >= c->due_ms) {
        if (c->id.pid != 0)
            log_warn("child.kill name=%s pid=%d", c->name, (int)c->id.pid);
        (void)kill(-c->group, SIGKILL);
        c->due_ms = now_ms + KILL_AGAIN_MS;
    }
    return CHILD_QUIET;
}

enum child_event
child_step(struct child *c, int64_t now_ms)
{
    look_for_end(c);
    switch (c->state) {
    case CHILD_WAITING:
    case CHILD_FAILED:
        return now_ms >= c->due_ms ? CHILD_DUE : CHILD_QUIET;
    case CHILD_STARTING:
    case CHILD_READY:
        if (c->id.pid != 0)
            return CHILD_QUIET;
        plan(c, CHILD_ENDING, now_ms + KILL_AGAIN_MS);
        return step_end(c, now_ms);
    case CHILD_ENDING:
        return step_end(c, now_ms);
    default:
        return CHILD_QUIET;
    }
}

int64_t
child_next(const struct child *c, int64_t now_ms)
{
    switch (c->state) {
    case CHILD_WAITING:
    case CHILD_FAILED:
        return c->due_ms;
    case CHILD_ENDING:
        /* a group's last member may be somebody else's to reap */
        return c->id.pid == 0 ? now_ms + ORPHANS_MS : c->due_ms;
    default:
        return 0;
    }
}

void
child_describe_end(const struct child *c, char *out, size_t size)
{
    if (c->adopted)
        (void)snprintf(out, size, "ended");
    else if (WIFSIGNALED(c->status))
        (void)snprintf(out, size, "ended by signal %d", WTERMSIG(c->status));
    else
        (void)snprintf(out, size, "ended with status %d",
                       WEXITSTATUS(c->status));
}
