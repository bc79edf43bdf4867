/* A small worker on a socket of the daemon's own. */
#include "role_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/dispatch.h"
#include "log.h"
#include "place.h"
#include "worker.h"

#define BACKLOG 16

struct role_socket {
    struct sockaddr_un at;
    int fd;
    struct worker *worker;
};

static bool
listen_at(struct role_socket *s, const char *name)
{
    char file[128];

    s->at.sun_family = AF_UNIX;
    (void)snprintf(file, sizeof(file), "role-%s.sock", name);
    if (place_socket(s->at.sun_path, sizeof(s->at.sun_path), file) != ERR_OK) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)unlink(s->at.sun_path); /* of one that was killed */
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return s->fd >= 0 &&
           bind(s->fd, (struct sockaddr *)&s->at, sizeof(s->at)) == 0 &&
           chmod(s->at.sun_path, 0660) == 0 && listen(s->fd, BACKLOG) == 0;
}

/* One slow thread collects a profile, the other refuses a second one. */
static bool
start_worker(struct role_socket *s)
{
    struct worker_plan plan = { .listen_fd = s->fd,
                                .threads = 1,
                                .slow_threads = 2,
                                .aside = true,
                                .rules = { .below = "/role/" } };

    if (!request_rules_load(&plan.rules) || dispatch_init() != ERR_OK ||
        !request_init())
        return false;
    s->worker = worker_start(&plan);
    return s->worker != NULL;
}

struct role_socket *
role_socket_open(const char *name)
{
    struct role_socket *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->fd = -1;
    if (listen_at(s, name) && start_worker(s))
        return s;
    log_error("role.socket path=%s errno=%d", s->at.sun_path, errno);
    role_socket_close(s);
    return NULL;
}

void
role_socket_close(struct role_socket *s)
{
    if (s == NULL)
        return;
    if (s->worker != NULL)
        worker_stop(s->worker);
    request_rules_forget();
    if (s->fd >= 0) {
        (void)close(s->fd);
        (void)unlink(s->at.sun_path);
    }
    free(s);
}
