/* One epoll set: the listening socket, the idle connections, a stop event. */
#include "park.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "metrics.h"

/* A front end that stops in the middle of a request, or of reading a reply,
 * holds a thread no longer than this. */
#define RECEIVE_TIMEOUT_S 10
#define SEND_TIMEOUT_S    30

/* Accepted in one go, before the thread looks for other work. */
#define ACCEPT_BURST 16

/* Descriptors above it wait without a seat, and are closed at the end as they
 * are. */
#define SEATS_MAX (1 << 20)

/* Who has a connection. park_stop shuts the way in of those that wait; a
 * thread that gets one in that moment lets it finish, so that no descriptor is
 * closed, and its number given to another file, in between. */
enum seat { SEAT_TAKEN, SEAT_WAITS, SEAT_SHUTTING };

struct park {
    int epoll_fd, listen_fd, stop_fd;
    bool tcp;
    atomic_int open;
    atomic_bool stopping;
    atomic_uchar *seat; /* by descriptor */
    int n_seats;
    pthread_mutex_t accept_lock; /* for the two below */
    bool draining;
    int spare_fd; /* given up to accept and refuse when descriptors run out */
};

static bool
watch(struct park *p, int fd, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.fd = fd };

    return epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static bool
is_tcp(int fd)
{
    int domain = AF_UNIX;
    socklen_t n = sizeof(domain);

    (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
    return domain != AF_UNIX;
}

static bool
set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static atomic_uchar *
make_seats(int *n)
{
    struct rlimit limit = { .rlim_cur = SEATS_MAX };

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    *n = limit.rlim_cur < SEATS_MAX ? (int)limit.rlim_cur : SEATS_MAX;
    return calloc((size_t)*n, sizeof(atomic_uchar));
}

static int
open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct park *
park_open(int listen_fd)
{
    struct park *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->listen_fd = listen_fd;
    p->tcp = is_tcp(listen_fd);
    p->seat = make_seats(&p->n_seats);
    p->spare_fd = open_spare();
    p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    pthread_mutex_init(&p->accept_lock, NULL);
    /* Exclusive: one connection wakes one thread, also of several workers
     * that share the socket (systemd). */
    if (p->seat != NULL && p->stop_fd >= 0 && p->epoll_fd >= 0 &&
        set_nonblocking(listen_fd) &&
        watch(p, listen_fd, EPOLLIN | EPOLLEXCLUSIVE) &&
        watch(p, p->stop_fd, EPOLLIN))
        return p;
    park_close(p);
    return NULL;
}

static void
close_if_open(int fd)
{
    int saved = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = saved;
}

void
park_close(struct park *p)
{
    if (p == NULL)
        return;
    close_if_open(p->spare_fd);
    close_if_open(p->stop_fd);
    close_if_open(p->epoll_fd);
    pthread_mutex_destroy(&p->accept_lock);
    free(p->seat);
    free(p);
}

static void
set_timeouts(struct park *p, int fd)
{
    const struct timeval receive = { .tv_sec = RECEIVE_TIMEOUT_S };
    const struct timeval send = { .tv_sec = SEND_TIMEOUT_S };
    const int on = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof(receive));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof(send));
    if (p->tcp)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* No descriptor is left: the waiting connection is refused rather than left
 * to its time-out. */
static bool
refuse_one(struct park *p)
{
    int fd;

    close_if_open(p->spare_fd);
    fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    close_if_open(fd);
    p->spare_fd = open_spare();
    return fd >= 0;
}

/* The socket stays readable after a failure that leaves the connection where
 * it is: without a pause every thread would spin on it. */
static void
accept_failed(struct park *p, int error)
{
    const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };

    log_warn("worker.accept errno=%d open=%d", error, park_open_count(p));
    if ((error != EMFILE && error != ENFILE) || !refuse_one(p))
        (void)nanosleep(&pause, NULL);
}

/* Before another thread gets it. */
static void
wait_seated(struct park *p, int fd)
{
    metrics_gauge(METRIC_PARKED, 1);
    if (fd < p->n_seats)
        atomic_store(&p->seat[fd], SEAT_WAITS);
}

static void
take_seated(struct park *p, int fd)
{
    unsigned char waits = SEAT_WAITS;

    metrics_gauge(METRIC_PARKED, -1);
    if (fd >= p->n_seats)
        return;
    while (!atomic_compare_exchange_strong(&p->seat[fd], &waits, SEAT_TAKEN)) {
        waits = SEAT_WAITS;
        (void)sched_yield();
    }
}

static void
adopt(struct park *p, int fd)
{
    set_timeouts(p, fd);
    atomic_fetch_add(&p->open, 1);
    wait_seated(p, fd);
    if (watch(p, fd, EPOLLIN | EPOLLONESHOT))
        return;
    take_seated(p, fd);
    log_warn("worker.park errno=%d", errno);
    close_if_open(fd);
    park_gone(p);
}

/* Under the lock, so that after park_drain none is accepted that
 * park_open_count has not counted: it would be lost at the exit. */
static void
accept_unless_draining(struct park *p)
{
    int fd;

    pthread_mutex_lock(&p->accept_lock);
    for (int i = 0; i < ACCEPT_BURST && !p->draining; i++) {
        fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            adopt(p, fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN)
                accept_failed(p, errno);
            break;
        }
    }
    pthread_mutex_unlock(&p->accept_lock);
}

/* The descriptor of the next event; -1 when there is none in time. */
static int
next_event(struct park *p, int timeout_ms)
{
    struct epoll_event ev;
    int n;

    do
        n = epoll_wait(p->epoll_fd, &ev, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n == 1 ? ev.data.fd : -1;
}

bool
park_wait(struct park *p, int *fd)
{
    for (;;) {
        *fd = next_event(p, -1);
        if (*fd == p->stop_fd) /* what came in before it goes first */
            *fd = next_event(p, 0);
        if (*fd == p->stop_fd || *fd < 0)
            return false;
        if (*fd != p->listen_fd) {
            take_seated(p, *fd);
            return true;
        }
        accept_unless_draining(p);
    }
}

/* Its peer can send nothing from now on; what has come is there to be read.
 * One that has begun to send is left to whoever reads it. */
static void
shut_idle(int fd)
{
    int readable = 0;

    if (ioctl(fd, FIONREAD, &readable) == 0 && readable == 0)
        (void)shutdown(fd, SHUT_RD);
}

void
park_back(struct park *p, int fd)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.fd = fd };

    wait_seated(p, fd);
    if (atomic_load(&p->stopping)) /* park_stop may have passed it by */
        shut_idle(fd);
    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_MOD, fd, &ev) == 0)
        return;
    take_seated(p, fd);
    log_warn("worker.park errno=%d", errno);
    close_if_open(fd);
    park_gone(p);
}

void
park_gone(struct park *p)
{
    atomic_fetch_sub(&p->open, 1);
}

void
park_drain(struct park *p)
{
    (void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, p->listen_fd, NULL);
    pthread_mutex_lock(&p->accept_lock);
    p->draining = true;
    pthread_mutex_unlock(&p->accept_lock);
}

int
park_open_count(const struct park *p)
{
    return atomic_load(&p->open);
}

void
park_stop(struct park *p)
{
    const uint64_t one = 1;
    unsigned char waits;

    atomic_store(&p->stopping, true);
    for (int fd = 0; fd < p->n_seats; fd++) {
        waits = SEAT_WAITS;
        if (atomic_compare_exchange_strong(&p->seat[fd], &waits,
                                           SEAT_SHUTTING)) {
            shut_idle(fd);
            atomic_store(&p->seat[fd], SEAT_WAITS);
        }
    }
    /* Never read: it stays readable, so that every thread sees it. */
    (void)!write(p->stop_fd, &one, sizeof(one));
}
