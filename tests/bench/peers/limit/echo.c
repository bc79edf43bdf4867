/* The limit: the least that a libfcgi worker behind nginx can do. It answers
 * every request with the bytes of a file, and keeps its connections in one
 * epoll set, so that a thread is held only while a request is on it.
 *
 *     echo SOCKET THREADS FILE */
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define REPLY_MAX (16 << 20)

static int listen_fd, epoll_fd;
static char reply[REPLY_MAX];
static int reply_n;

static void
rearm(int fd, bool fresh)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.fd = fd };

    (void)epoll_ctl(epoll_fd, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev);
}

/* A body is left unread only while the reply is made; FCGX_Finish_r reads it.
 */
static void
serve(FCGX_Request *r, int fd, bool fresh)
{
    r->ipcFd = fd;
    r->keepConnection = 1; /* or FCGX_Accept_r would close it first */
    if (FCGX_Accept_r(r) < 0) {
        r->ipcFd = -1; /* closed by the other side */
        return;
    }
    (void)FCGX_PutStr(reply, reply_n, r->out);
    FCGX_Finish_r(r);
    if (r->ipcFd < 0)
        return;
    r->ipcFd = -1;
    rearm(fd, fresh);
}

static void *
run(void *none)
{
    struct epoll_event ev;
    FCGX_Request r;
    bool fresh;
    int fd;

    (void)FCGX_InitRequest(&r, -1, 0);
    for (;;) {
        if (epoll_wait(epoll_fd, &ev, 1, -1) != 1)
            continue;
        fd = ev.data.fd;
        fresh = fd == listen_fd;
        if (fresh)
            fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve(&r, fd, fresh);
    }
    return none;
}

static void
load_reply(const char *path)
{
    FILE *f = fopen(path, "r");

    reply_n = sprintf(reply, "Content-Type: application/json\r\n\r\n");
    if (f != NULL)
        reply_n +=
            (int)fread(reply + reply_n, 1, sizeof(reply) - (size_t)reply_n, f);
    if (f == NULL || ferror(f) != 0) {
        perror(path);
        exit(1);
    }
    (void)fclose(f);
}

int
main(int argc, char **argv)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    pthread_t t;

    if (argc < 4)
        return 2;
    load_reply(argv[3]);
    (void)FCGX_Init();
    (void)signal(SIGTERM, SIG_DFL); /* libfcgi would only note it */
    listen_fd = FCGX_OpenSocket(argv[1], 4096);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    (void)fcntl(listen_fd, F_SETFL, O_NONBLOCK);
    ev.data.fd = listen_fd;
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &ev);
    for (int i = 1; i < atoi(argv[2]); i++)
        if (pthread_create(&t, NULL, run, NULL) != 0)
            return 1;
    (void)run(NULL);
}
