/* The clients of the bench: every connection sends a request, waits for the
 * whole reply, and sends its next one.
 *
 *     load ADDRESS PORT CONNECTIONS SECONDS FILE EXPECT [idle]
 *
 * FILE holds whole requests, each behind its length as four bytes, least
 * first. Connection i of n takes the requests i, i + n, i + 2n and so on, so
 * that no two clients send the same one while there are enough. A reply
 * counts when its status is 200 and EXPECT is in it. With `idle` each
 * connection sends one request and stays open; "idle" is printed when all
 * have been answered, and the end of the standard input ends the program.
 *
 * Why not wrk: it does not tell its connections apart. A client that is never
 * answered is missing from its latencies, and everything looks fine. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX   8192
#define READ_BYTES (256 << 10)
/* A client that waits for longer than this at the end has starved. */
#define DRAIN_MS 4000

struct span {
    const char *p;
    size_t n;
};

struct client {
    int fd;
    struct span request; /* what is left to send */
    size_t next;         /* index of the next request */
    int64_t sent_ns;
    uint64_t answers;
    bool waiting;
    /* the reply that is being read */
    char head[HEAD_MAX];
    size_t head_n;
    bool in_body, chunked, found;
    int64_t left; /* of the body, or of the chunk with its line end */
    char line[32];
    size_t line_n; /* of a chunk's first line */
    bool last_chunk;
};

static struct sockaddr_in server;
static struct span *requests;
static size_t n_requests, n_clients;
static const char *expect;
static struct client *clients;
static int epoll_fd;
static uint32_t *latency_us;
static size_t n_latencies, max_latencies;
static uint64_t bytes, bad;
static int64_t stop_ns;
static bool idle;
static char example[512];

static void
die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t
now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- requests ---- */

static void
read_requests(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    const char *p, *end;

    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
        die(path);
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
             fd, 0);
    if (p == MAP_FAILED)
        die(path);
    for (end = p + st.st_size; p < end; p += requests[n_requests++].n) {
        uint32_t n;

        if (n_requests % 4096 == 0)
            requests =
                realloc(requests, (n_requests + 4096) * sizeof(*requests));
        memcpy(&n, p, sizeof(n));
        p += sizeof(n);
        if (requests == NULL || n > (size_t)(end - p))
            die("the file of requests");
        requests[n_requests] = (struct span){ p, n };
    }
}

/* ---- clients ---- */

static void
watch(struct client *c, int how, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = c };

    if (epoll_ctl(epoll_fd, how, c->fd, &ev) != 0)
        die("epoll_ctl");
}

static void
push(struct client *c)
{
    ssize_t n = send(c->fd, c->request.p, c->request.n, MSG_NOSIGNAL);

    if (n < 0 && errno == EAGAIN)
        n = 0;
    if (n < 0)
        die("send");
    c->request.p += n;
    c->request.n -= (size_t)n;
    if (c->request.n > 0)
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void
send_next(struct client *c)
{
    c->request = requests[c->next % n_requests];
    c->next += n_clients;
    c->head_n = c->line_n = 0;
    c->in_body = c->chunked = c->found = c->last_chunk = false;
    c->waiting = true;
    c->sent_ns = now_ns();
    push(c);
}

static void
open_client(struct client *c, size_t i)
{
    const int on = 1;

    c->next = i;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        connect(c->fd, (struct sockaddr *)&server, sizeof(server)) != 0)
        die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void
answered(struct client *c)
{
    int64_t now = now_ns();

    if (memcmp(c->head + 8, " 200", 4) != 0 || !c->found) {
        bad++;
        (void)snprintf(example, sizeof(example), "%.400s", c->head);
    }
    if (n_latencies < max_latencies)
        latency_us[n_latencies++] = (uint32_t)((now - c->sent_ns) / 1000);
    c->answers++;
    c->waiting = false;
    if (!idle && now < stop_ns)
        send_next(c);
}

/* ---- replies ---- */

static const char *
header(const struct client *c, const char *name)
{
    size_t n = strlen(name);
    const char *p = c->head;

    while ((p = strstr(p, "\r\n")) != NULL) {
        p += 2;
        if (strncasecmp(p, name, n) == 0 && p[n] == ':')
            return p + n + 1 + strspn(p + n + 1, " ");
    }
    return NULL;
}

static void
look(struct client *c, const char *p, size_t n)
{
    if (!c->found)
        c->found = memmem(p, n, expect, strlen(expect)) != NULL;
}

/* Bytes taken of a head; it is whole when in_body is set. */
static size_t
take_head(struct client *c, const char *p, size_t n)
{
    size_t had = c->head_n, part = HEAD_MAX - 1 - had;
    const char *end, *length;

    part = n < part ? n : part;
    memcpy(c->head + had, p, part);
    c->head_n += part;
    c->head[c->head_n] = '\0';
    end = strstr(c->head, "\r\n\r\n");
    if (end == NULL) {
        if (c->head_n == HEAD_MAX - 1 || c->head_n < had + n)
            die("a reply's head");
        return n;
    }
    c->in_body = true;
    length = header(c, "Content-Length");
    c->chunked = length == NULL;
    c->left = length != NULL ? atoll(length) : 0;
    c->head[end - c->head] = '\0';
    return (size_t)(end + 4 - c->head) - had;
}

/* The line before a chunk, which also ends the one before. */
static size_t
take_chunk_line(struct client *c, const char *p)
{
    if (c->line_n == sizeof(c->line) - 1)
        die("a chunk's length");
    c->line[c->line_n++] = *p;
    if (*p != '\n')
        return 1;
    c->line[c->line_n] = '\0';
    c->line_n = 0;
    c->left = strtoll(c->line, NULL, 16) + 2;
    c->last_chunk = c->left == 2;
    return 1;
}

static bool
is_whole(const struct client *c)
{
    return c->in_body && c->left == 0 && (!c->chunked || c->last_chunk);
}

static size_t
take_body(struct client *c, const char *p, size_t n)
{
    size_t part;

    if (c->left == 0)
        return take_chunk_line(c, p);
    part = (int64_t)n < c->left ? n : (size_t)c->left;
    look(c, p, part);
    c->left -= (int64_t)part;
    return part;
}

static void
take(struct client *c, const char *p, size_t n)
{
    size_t part;

    bytes += n;
    while (n > 0) {
        if (!c->waiting)
            die("more than the reply");
        part = c->in_body ? take_body(c, p, n) : take_head(c, p, n);
        p += part;
        n -= part;
        if (is_whole(c))
            answered(c);
    }
}

static void
serve(struct client *c, uint32_t events)
{
    static char buffer[READ_BYTES];
    ssize_t n;

    if (events & EPOLLOUT) {
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
        push(c);
    }
    if (!(events & ~(uint32_t)EPOLLOUT))
        return;
    n = recv(c->fd, buffer, sizeof(buffer), 0);
    if (n > 0)
        take(c, buffer, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        die("a connection was closed");
}

/* ---- the run ---- */

static size_t
count_waiting(void)
{
    size_t n = 0;

    for (size_t i = 0; i < n_clients; i++)
        n += clients[i].waiting;
    return n;
}

static void
turn(void)
{
    struct epoll_event ev[64];
    int i, n = epoll_wait(epoll_fd, ev, 64, 50);

    if (n < 0 && errno != EINTR)
        die("epoll_wait");
    for (i = 0; i < n; i++)
        serve(ev[i].data.ptr, ev[i].events);
}

/* Until the time is over and every reply is there; who still waits has
 * starved. Gives the nanoseconds in which requests were sent. */
static int64_t
run(int64_t begin_ns)
{
    int64_t now;

    for (size_t i = 0; i < n_clients; i++)
        send_next(&clients[i]);
    do {
        turn();
        now = now_ns();
    } while (now < stop_ns ||
             (now < stop_ns + DRAIN_MS * INT64_C(1000000) && count_waiting()));
    return stop_ns - begin_ns;
}

static int
by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint32_t
percentile(double part)
{
    size_t i = (size_t)((double)n_latencies * part);

    if (n_latencies == 0)
        return 0;
    return latency_us[i < n_latencies ? i : n_latencies - 1];
}

static void
report(int64_t ns)
{
    uint64_t least = UINT64_MAX, most = 0, sum = 0;

    for (size_t i = 0; i < n_clients; i++) {
        least = clients[i].answers < least ? clients[i].answers : least;
        most = clients[i].answers > most ? clients[i].answers : most;
        sum += clients[i].answers;
    }
    qsort(latency_us, n_latencies, sizeof(*latency_us), by_value);
    if (example[0] != '\0')
        fprintf(stderr, "load: a bad reply: %s\n", example);
    printf("{\"requests\": %llu, \"seconds\": %.6f, \"bad\": %llu, "
           "\"unanswered\": %zu, \"least\": %llu, \"most\": %llu, "
           "\"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u, "
           "\"bytes\": %llu, \"repeated\": %s}\n",
           (unsigned long long)sum, (double)ns / 1e9, (unsigned long long)bad,
           count_waiting(), (unsigned long long)least, (unsigned long long)most,
           percentile(0.5), percentile(0.99), percentile(1),
           (unsigned long long)bytes,
           most * n_clients > n_requests ? "true" : "false");
}

/* Every client's reply is there: say so, and hold the connections. */
static void
hold(void)
{
    char byte;

    while (count_waiting())
        turn();
    if (bad > 0) {
        fprintf(stderr, "load: a bad reply: %s\n", example);
        exit(1);
    }
    printf("idle\n");
    (void)fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
}

static void
set_up(char **argv)
{
    struct rlimit files;

    server = (struct sockaddr_in){ .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(argv[2])) };
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
        die(argv[1]);
    n_clients = (size_t)atol(argv[3]);
    read_requests(argv[5]);
    expect = argv[6];
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    max_latencies = 8 << 20;
    latency_us = malloc(max_latencies * sizeof(*latency_us));
    clients = calloc(n_clients, sizeof(*clients));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (latency_us == NULL || clients == NULL || epoll_fd < 0)
        die("set-up");
}

/* With `idle` each asks at once: who says nothing for long is cut off. */
static void
open_clients(void)
{
    for (size_t i = 0; i < n_clients; i++) {
        open_client(&clients[i], i);
        if (idle)
            send_next(&clients[i]);
        if (idle && i % 64 == 0)
            turn();
    }
}

int
main(int argc, char **argv)
{
    int64_t begin_ns;

    if (argc < 7) {
        fprintf(stderr, "usage: load ADDRESS PORT CONNECTIONS SECONDS FILE "
                        "EXPECT [idle]\n");
        return 2;
    }
    idle = argc > 7;
    set_up(argv);
    open_clients();
    if (idle) {
        hold();
        return 0;
    }
    begin_ns = now_ns();
    stop_ns = begin_ns + (int64_t)(atof(argv[4]) * 1e9);
    report(run(begin_ns));
    return 0;
}
