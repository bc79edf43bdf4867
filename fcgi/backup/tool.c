/* Programs that work beside us. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "instance/copy.h"
#include "host/proc.h"

#define ASK_MS 200 /* how often go_on is asked while nothing comes */
/* What is on its way: the more, the less often one waits for the other on a
 * machine that has others to run. As much as the system lets everybody have. */
#define ROOM (1 << 20)

/* [0] is read from. */
static bool
make_stream(int both[2], bool to_us)
{
    static const int room = ROOM;

    if (to_us) {
        if (pipe2(both, O_CLOEXEC) != 0)
            return false;
        (void)fcntl(both[0], F_SETPIPE_SZ, ROOM);
        return true;
    }
    /* not a pipe: writing to one whose reader has ended is a signal */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0)
        return false;
    (void)setsockopt(both[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    /* the other direction is not used */
    (void)shutdown(both[1], SHUT_RD);
    return true;
}

enum err
tool_start(struct tool *t, const struct argv *argv, const char *const *env,
           bool to_us, char why[WHY_BYTES])
{
    struct proc_spec spec = PROC_SPEC(argv->v);
    int both[2], theirs;
    enum err e;

    *t = (struct tool){ .fd = -1, .log = -1 };
    if (!make_stream(both, to_us))
        return copy_failed(ERR_STATE, argv->v[0], why);
    t->log = memfd_create("log", MFD_CLOEXEC);
    t->fd = both[to_us ? 0 : 1];
    theirs = both[to_us ? 1 : 0];
    spec.env = env;
    spec.own_group = true;
    spec.death_signal = SIGKILL;
    *(to_us ? &spec.out : &spec.in) = theirs;
    spec.err = t->log;
    if (!to_us)
        spec.out = t->log;
    e = t->log >= 0 ? proc_spawn(&spec, &t->pid) : ERR_STATE;
    if (e != ERR_OK) {
        t->pid = 0;
        (void)copy_failed(ERR_STATE, argv->v[0], why);
    }
    (void)close(theirs);
    return e;
}

static bool
goes_on(const struct instance_watch *w)
{
    return w == NULL || w->go_on == NULL || w->go_on(w->ctx);
}

/* Until the stream can be read or written. */
static bool
await(struct tool *t, const struct instance_watch *w, short events)
{
    struct pollfd p = { .fd = t->fd, .events = events };

    for (;;) {
        int n = poll(&p, 1, ASK_MS);

        t->stopped = t->stopped || !goes_on(w);
        if (t->stopped || (n < 0 && errno != EINTR))
            return false;
        if (n > 0)
            return true;
    }
}

int64_t
tool_read(struct tool *t, const struct instance_watch *w, char *p, size_t n)
{
    ssize_t got;

    do {
        if (!await(t, w, POLLIN))
            return -1;
        got = read(t->fd, p, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

bool
tool_write(struct tool *t, const struct instance_watch *w, const char *p,
           size_t n)
{
    while (n > 0) {
        ssize_t put;

        if (!await(t, w, POLLOUT))
            return false;
        put = send(t->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        p += put > 0 ? put : 0;
        n -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

bool
tool_has_ended(const struct tool *t)
{
    siginfo_t si = { .si_pid = 0 };

    return t->pid == 0 || (waitid(P_PID, (id_t)t->pid, &si,
                                  WEXITED | WNOHANG | WNOWAIT) == 0 &&
                           si.si_pid == t->pid);
}

enum err
tool_wait(struct tool *t, int timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    int status = 0;
    pid_t done;

    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    if (t->pid == 0)
        return t->status == 0 ? ERR_OK : ERR_STATE;
    while ((done = waitpid(t->pid, &status, WNOHANG)) == 0 &&
           clock_mono_ms() < until)
        (void)poll(NULL, 0, 5);
    if (done == 0) {
        (void)kill(-t->pid, SIGKILL);
        (void)waitpid(t->pid, &status, 0);
    }
    t->pid = 0;
    t->status = proc_exit_status(status);
    if (done == 0)
        return ERR_TIMEOUT;
    return t->status == 0 ? ERR_OK : ERR_STATE;
}

void
tool_log_tail(const struct tool *t, char *out, size_t size)
{
    struct stat st;
    off_t at;
    ssize_t n;

    out[0] = '\0';
    if (t->log < 0 || fstat(t->log, &st) != 0)
        return;
    at = st.st_size >= (off_t)size ? st.st_size - (off_t)size + 1 : 0;
    n = pread(t->log, out, size - 1, at);
    out[n > 0 ? n : 0] = '\0';
}

void
tool_last_line(const struct tool *t, char *out, size_t size)
{
    char text[4096], *line;
    size_t n;

    tool_log_tail(t, text, sizeof(text));
    for (n = strlen(text);
         n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ');)
        text[--n] = '\0';
    line = strrchr(text, '\n');
    (void)snprintf(out, size, "%.400s", line != NULL ? line + 1 : text);
}

void
tool_close(struct tool *t)
{
    if (t->pid != 0) {
        (void)kill(-t->pid, SIGKILL);
        (void)waitpid(t->pid, NULL, 0);
        t->pid = 0;
    }
    if (t->fd >= 0)
        (void)close(t->fd);
    if (t->log >= 0)
        (void)close(t->log);
    t->fd = t->log = -1;
}
