/* Starting other programs, and running tools to their end. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "clock.h"

extern char **environ;

#define DEFAULT_PATH                                     \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:" \
    "/sbin:/bin"

/* What the child needs, made before fork: afterwards it may only call what is
 * async-signal-safe, since other threads may hold malloc's lock. */
struct launch {
    const struct proc_spec *spec;
    char file[PATH_MAX];
    char **env;
    int null;   /* /dev/null */
    int report; /* errno of a failed exec goes here; closed by exec */
    pid_t parent;
};

/* The file of a program as execvp would find it, sbin included: an ordinary
 * user's PATH often lacks it. */
static enum err
find_program(const char *name, char *out, size_t size)
{
    const char *path = getenv("PATH");
    char both[2 * PATH_MAX];
    char *rest;

    if (strchr(name, '/') != NULL) {
        (void)snprintf(out, size, "%s", name);
        return access(out, X_OK) == 0 ? ERR_OK : ERR_NOT_FOUND;
    }
    (void)snprintf(both, sizeof(both), "%s:%s", path != NULL ? path : "",
                   DEFAULT_PATH);
    for (char *dir = strtok_r(both, ":", &rest); dir != NULL;
         dir = strtok_r(NULL, ":", &rest)) {
        int n = snprintf(out, size, "%s/%s", dir, name);

        if (n > 0 && (size_t)n < size && access(out, X_OK) == 0)
            return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

static size_t
count_strings(const char *const *v)
{
    size_t n = 0;

    while (v != NULL && v[n] != NULL)
        n++;
    return n;
}

static bool
same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");

    return strncmp(a, b, n) == 0 && b[n] == '=';
}

/* Our environment with the spec's on top; only the array is allocated. */
static char **
merge_env(const char *const *more)
{
    size_t ours = count_strings((const char *const *)environ);
    size_t n = count_strings(more), k, used = 0;
    char **env = calloc(ours + n + 1, sizeof(*env));

    if (env == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        memcpy(&env[used++], &more[i], sizeof(*env));
    for (size_t i = 0; i < ours; i++) {
        for (k = 0; k < n && !same_name(more[k], environ[i]); k++)
            ;
        if (k == n)
            env[used++] = environ[i];
    }
    return env;
}

/* ---- in the child ---- */

static void NORETURN
child_fail(const struct launch *l)
{
    int code = errno;

    (void)!write(l->report, &code, sizeof(code));
    _exit(127);
}

/* Moves a descriptor out of the way of 0 to 2. */
static int
lift(const struct launch *l, int fd)
{
    int up = fcntl(fd >= 0 ? fd : l->null, F_DUPFD_CLOEXEC, 3);

    if (up < 0)
        child_fail(l);
    return up;
}

static void
child_descriptors(struct launch *l)
{
    const struct proc_spec *s = l->spec;
    int std[3], flags;

    std[0] = lift(l, s->in);
    std[1] = lift(l, s->out);
    std[2] = lift(l, s->err);
    for (int i = 0; i < 3; i++) {
        if (dup2(std[i], i) < 0)
            child_fail(l);
    }
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        child_fail(l);
    if (s->keep_fd >= 0) {
        flags = fcntl(s->keep_fd, F_GETFD);
        (void)fcntl(s->keep_fd, F_SETFD, flags & ~FD_CLOEXEC);
    }
}

static void
child_signals(int blocked)
{
    struct sigaction dfl = { .sa_handler = SIG_DFL };
    sigset_t mask;

    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &dfl, NULL);
    (void)sigemptyset(&mask);
    if (blocked != 0)
        (void)sigaddset(&mask, blocked);
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void NORETURN
child_exec(struct launch *l)
{
    const struct proc_spec *s = l->spec;
    char *const *argv;

    if (s->own_session)
        (void)setsid(); /* a group too */
    else if (s->own_group)
        (void)setpgid(0, 0);
    child_signals(s->blocked);
    if (s->death_signal != 0) {
        (void)prctl(PR_SET_PDEATHSIG, s->death_signal);
        /* the parent may have ended before the line above */
        if (getppid() != l->parent)
            _exit(127);
    }
    child_descriptors(l);
    if (s->dir != NULL && chdir(s->dir) != 0)
        child_fail(l);
    memcpy(&argv, &s->argv, sizeof(argv));
    (void)execve(l->file, argv, l->env);
    child_fail(l);
}

/* ---- in the parent ---- */

/* Reads what the child says of a failed exec; nothing when exec closed it. */
static enum err
await_exec(int fd, pid_t pid)
{
    int code = 0;
    ssize_t n;

    do {
        n = read(fd, &code, sizeof(code));
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(code))
        return ERR_OK;
    (void)waitpid(pid, NULL, 0);
    errno = code;
    return code == ENOENT ? ERR_NOT_FOUND : ERR_STATE;
}

static enum err
launch(struct launch *l, pid_t *pid)
{
    sigset_t all, old;
    int report[2];
    enum err e;

    if (pipe2(report, O_CLOEXEC) != 0)
        return ERR_INTERNAL;
    l->report = report[1];
    l->parent = getpid();
    /* no handler of ours may run in the child before it resets them */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    *pid = fork();
    if (*pid == 0)
        child_exec(l);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)close(report[1]);
    /* on both sides, so that a kill of the group never comes too early; who
     * leads a group already could not have a session of its own */
    if (*pid > 0 && l->spec->own_group && !l->spec->own_session)
        (void)setpgid(*pid, *pid);
    e = *pid < 0 ? ERR_INTERNAL : await_exec(report[0], *pid);
    (void)close(report[0]);
    return e;
}

enum err
proc_spawn(const struct proc_spec *spec, pid_t *pid)
{
    struct launch l = { .spec = spec };
    enum err e;

    if (find_program(spec->argv[0], l.file, sizeof(l.file)) != ERR_OK) {
        errno = ENOENT;
        return ERR_NOT_FOUND;
    }
    l.env = merge_env(spec->env);
    if (l.env == NULL)
        return ERR_NOMEM;
    l.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    e = l.null >= 0 ? launch(&l, pid) : ERR_INTERNAL;
    if (l.null >= 0)
        (void)close(l.null);
    free(l.env);
    return e;
}

/* ---- tools ---- */

/* Keeps the end of what comes, for that is where tools say what is wrong. */
static void
keep_tail(struct proc_result *r, size_t *used, const char *p, size_t n)
{
    size_t max = sizeof(r->output) - 1, over;

    if (n > max) {
        p += n - max;
        n = max;
    }
    over = *used + n > max ? *used + n - max : 0;
    memmove(r->output, r->output + over, *used - over);
    *used -= over;
    memcpy(r->output + *used, p, n);
    *used += n;
    r->output[*used] = '\0';
}

/* Reads until every writer has closed the pipe or the time is over. */
static enum err
read_output(int fd, int64_t deadline, struct proc_result *r)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char text[4096];
    size_t used = 0;

    for (;;) {
        int64_t left = deadline - clock_mono_ms();
        ssize_t n;

        if (left <= 0)
            return ERR_TIMEOUT;
        if (poll(&p, 1, left > 1000 ? 1000 : (int)left) <= 0)
            continue;
        n = read(fd, text, sizeof(text));
        if (n == 0 || (n < 0 && errno != EINTR))
            return ERR_OK;
        if (n > 0)
            keep_tail(r, &used, text, (size_t)n);
    }
}

int
proc_exit_status(int status)
{
    if (WIFSIGNALED(status))
        return 128 + WTERMSIG(status);
    return WEXITSTATUS(status);
}

/* The tool may close its output before it ends. */
static enum err
await_end(pid_t pid, int64_t deadline, struct proc_result *r)
{
    int status = 0;
    pid_t done;

    while ((done = waitpid(pid, &status, WNOHANG)) == 0 &&
           clock_mono_ms() < deadline)
        (void)poll(NULL, 0, 5);
    if (done == 0)
        return ERR_TIMEOUT;
    r->status = proc_exit_status(status);
    return r->status == 0 ? ERR_OK : ERR_STATE;
}

enum err
proc_run_spec(const struct proc_spec *spec, int timeout_ms,
              struct proc_result *out)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    struct proc_spec s = *spec;
    int fd[2];
    enum err e;
    pid_t pid;

    out->status = 127;
    out->output[0] = '\0';
    if (pipe2(fd, O_CLOEXEC) != 0)
        return ERR_INTERNAL;
    s.out = s.err = fd[1];
    s.own_group = true;
    e = proc_spawn(&s, &pid);
    (void)close(fd[1]);
    if (e != ERR_OK)
        (void)snprintf(out->output, sizeof(out->output), "%s: %s", s.argv[0],
                       strerror(errno));
    if (e == ERR_OK) {
        e = read_output(fd[0], deadline, out);
        if (e == ERR_OK)
            e = await_end(pid, deadline, out);
        if (e == ERR_TIMEOUT) {
            (void)kill(-pid, SIGKILL);
            (void)waitpid(pid, NULL, 0);
        }
    }
    (void)close(fd[0]);
    return e;
}

enum err
proc_run(const char *const *argv, int timeout_ms, struct proc_result *out)
{
    struct proc_spec spec = PROC_SPEC(argv);

    return proc_run_spec(&spec, timeout_ms, out);
}
