/* The control socket of a running deployment: one line in, one answer out,
 * then the connection ends.
 *
 *   status        a line per child: name, state, pid, seconds, restarts
 *   stop NAME     "ok" once the child has ended
 *   start NAME    "ok" once it is ready
 *   stop          the deployment; the connection ends with it
 */
#include "up.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define CLIENTS_MAX (CONTROL_MAX - 1)
#define LINE_BYTES  128

struct client {
    int fd; /* -1: free */
    size_t n;
    char line[LINE_BYTES];
    const struct up_child *awaited; /* NULL: not waiting for a child */
    bool until_stopped;
    bool until_end; /* the deployment's */
};

static struct client client[CLIENTS_MAX];

enum err
control_open(struct up *up, char why[WHY_BYTES])
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };

    for (size_t i = 0; i < CLIENTS_MAX; i++)
        client[i].fd = -1;
    if (place_socket(sa.sun_path, sizeof(sa.sun_path), "control.sock") !=
        ERR_OK)
        return why_fail(why, ERR_LIMIT, "the path of control.sock is too long");
    (void)unlink(sa.sun_path);
    up->control_fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (up->control_fd < 0 ||
        bind(up->control_fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
        chmod(sa.sun_path, 0600) != 0 || listen(up->control_fd, 16) != 0)
        return why_fail(why, ERR_STATE, "%s: %s", sa.sun_path, strerror(errno));
    return ERR_OK;
}

static void
drop(struct client *c)
{
    (void)close(c->fd);
    memset(c, 0, sizeof(*c));
    c->fd = -1;
}

void
control_close(struct up *up)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (client[i].fd >= 0)
            drop(&client[i]);
    }
    if (up->control_fd >= 0)
        (void)close(up->control_fd);
    up->control_fd = -1;
}

size_t
control_poll(struct up *up, struct pollfd *p)
{
    size_t n = 0;

    p[n++] = (struct pollfd){ .fd = up->control_fd, .events = POLLIN };
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (client[i].fd >= 0)
            p[n++] = (struct pollfd){ .fd = client[i].fd, .events = POLLIN };
    }
    return n;
}

/* An answer is smaller than a socket's buffer: one send, which never waits. */
static void
answer(struct client *c, const char *text, size_t n)
{
    (void)!send(c->fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    drop(c);
}

static void
answer_text(struct client *c, const char *text)
{
    answer(c, text, strlen(text));
}

static void
answer_status(const struct up *up, struct client *c)
{
    struct buf b = BUF_INIT(65536);
    int64_t now = clock_mono_ms();

    for (size_t i = 0; i < up->n; i++) {
        const struct up_child *k = &up->child[i];
        struct status_line l = { .restarts = k->child.restarts };

        (void)snprintf(l.name, sizeof(l.name), "%s", k->name);
        (void)snprintf(l.state, sizeof(l.state), "%s", up_state_name(k));
        if (k->child.group != 0) {
            l.pid = (int)k->child.group;
            l.seconds = (now - k->child.started_ms) / 1000;
        }
        up_status_put(&b, &l);
    }
    answer(c, buf_text(&b), b.n);
    buf_free(&b);
}

static void
operate(struct up *up, struct client *c, const char *name, bool stop)
{
    struct up_child *k = up_find_child(up, name);

    if (k == NULL || k->kind->on_death != DEATH_RESTART) {
        answer_text(c, "error no such child (metagate status lists them)\n");
        return;
    }
    if (up->stopping) {
        answer_text(c, "error the deployment is being stopped\n");
        return;
    }
    log_info("control.%s name=%s", stop ? "stop" : "start", k->name);
    if (stop)
        up_stop_child(up, k);
    else
        up_start_child(up, k);
    c->awaited = k;
    c->until_stopped = stop;
}

static void
obey(struct up *up, struct client *c)
{
    if (strcmp(c->line, "status") == 0) {
        answer_status(up, c);
    } else if (strcmp(c->line, "stop") == 0) {
        log_info("control.stop");
        up->stopping = true;
        c->until_end = true;
    } else if (strncmp(c->line, "stop ", 5) == 0) {
        operate(up, c, c->line + 5, true);
    } else if (strncmp(c->line, "start ", 6) == 0) {
        operate(up, c, c->line + 6, false);
    } else {
        answer_text(c, "error unknown command\n");
    }
}

static void
read_line(struct up *up, struct client *c)
{
    ssize_t n =
        recv(c->fd, c->line + c->n, sizeof(c->line) - 1 - c->n, MSG_DONTWAIT);
    char *end;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(c); /* it does not wait for its answer */
        return;
    }
    c->n += (size_t)n;
    c->line[c->n] = '\0';
    end = strchr(c->line, '\n');
    if (end != NULL && c->awaited == NULL && !c->until_end) {
        *end = '\0';
        obey(up, c);
    } else if (c->n == sizeof(c->line) - 1) {
        drop(c);
    }
}

static void
accept_client(struct up *up)
{
    int fd = accept4(up->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (client[i].fd < 0) {
            client[i].fd = fd;
            return;
        }
    }
    (void)close(fd);
}

void
control_serve(struct up *up, const struct pollfd *p, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < CLIENTS_MAX && p[i].revents != 0; k++) {
            if (client[k].fd == p[i].fd)
                read_line(up, &client[k]);
        }
    }
    if (n > 0 && p[0].revents != 0)
        accept_client(up);
}

void
control_settle(struct up *up)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &client[i];

        if (c->fd < 0 || c->awaited == NULL)
            continue;
        if (up->stopping)
            answer_text(c, "error the deployment is being stopped\n");
        else if (c->awaited->child.state ==
                 (c->until_stopped ? CHILD_DOWN : CHILD_READY))
            answer_text(c, "ok\n");
    }
}
