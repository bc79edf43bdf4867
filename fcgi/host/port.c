/* Addresses as the kernel takes them, and who holds a TCP port, so that a
 * start-up error can name it. */
#include "port.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "address.h"
#include "buf.h"
#include "file.h"
#include "port_idle.h"
#include "proc_look.h"

/* ---- addresses ---- */

enum err
port_address(const char *text, struct port_address *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->sa;
    char host[INET6_ADDRSTRLEN];
    unsigned port;

    memset(out, 0, sizeof(*out));
    if (address_read(text, strlen(text), 0, host, sizeof(host), &port) !=
        ERR_OK)
        return ERR_BAD_PARAM;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        out->n = sizeof(*v4);
        out->in6.s6_addr[10] = out->in6.s6_addr[11] = 0xff;
        memcpy(&out->in6.s6_addr[12], &v4->sin_addr, 4);
        return ERR_OK;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        return ERR_BAD_PARAM;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    out->n = sizeof(*v6);
    out->in6 = v6->sin6_addr;
    return ERR_OK;
}

/* Who listens on all addresses is reached by loopback. */
static struct port_address
reachable(const struct port_address *a)
{
    struct port_address to = *a;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&to.sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to.sa;

    if (to.sa.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (to.sa.ss_family == AF_INET6 &&
             IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
    return to;
}

int
port_connect(const struct port_address *a, unsigned limit_ms)
{
    /* Also on loopback a connection may take a moment, and a full backlog
     * must not hold us up. */
    struct timeval limit = { .tv_sec = limit_ms / 1000,
                             .tv_usec = (limit_ms % 1000) * 1000 };
    struct port_address to = reachable(a);
    int fd = socket(to.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)&to.sa, to.n) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

bool
port_hear(int *fd, void *out, size_t size, ssize_t *n)
{
    *n = recv(*fd, out, size, MSG_DONTWAIT);
    if (*n < 0 && errno == EAGAIN)
        return false; /* asked again, on this connection */
    (void)close(*fd);
    *fd = -1;
    return true;
}

unsigned
port_number(const struct port_address *a)
{
    return ntohs(a->sa.ss_family == AF_INET
                     ? ((const struct sockaddr_in *)&a->sa)->sin_port
                     : ((const struct sockaddr_in6 *)&a->sa)->sin6_port);
}

/* ---- lines of /proc/net/tcp{,6} ---- */

/* The kernel prints an address as 32-bit words in its own byte order. */
static bool
parse_address(const char *hex, struct in6_addr *out)
{
    size_t n = strlen(hex), i;
    uint32_t word[4] = { 0, 0, htonl(0xffff), 0 };
    char part[9] = "";
    char *end;

    if (n != 8 && n != 32)
        return false;
    for (i = 0; i < n / 8; i++) {
        memcpy(part, hex + 8 * i, 8);
        word[n == 8 ? 3 : i] = (uint32_t)strtoul(part, &end, 16);
        if (*end != '\0')
            return false;
    }
    memcpy(out, word, sizeof(*out));
    return true;
}

bool
port_parse_line(const char *line, struct port_entry *out)
{
    char addr[33];

    /* sl local:port remote:port state queues timer retransmits uid timeout
     * inode */
    if (sscanf(line,
               " %*u: %32[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*4x %2x %*s %*s %*s "
               "%u %*u %lu",
               addr, &out->port, &out->state, &out->uid, &out->inode) != 5)
        return false;
    return parse_address(addr, &out->addr);
}

static bool
is_any(const struct in6_addr *a)
{
    static const struct in6_addr v4_any = { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                0xff, 0xff, 0, 0, 0, 0 } } };

    return IN6_IS_ADDR_UNSPECIFIED(a) || memcmp(a, &v4_any, sizeof(*a)) == 0;
}

static enum port_use
judge(const struct port_entry *e, const struct in6_addr *addr)
{
    bool here = memcmp(&e->addr, addr, sizeof(*addr)) == 0;

    if (e->state != PORT_STATE_LISTEN)
        return here ? PORT_OUTGOING : PORT_FREE;
    if (is_any(&e->addr) || is_any(addr))
        return PORT_ANYWHERE;
    return here ? PORT_HERE : PORT_FREE;
}

bool
port_search(const char *text, const struct in6_addr *addr, unsigned port,
            struct port_entry *out, enum port_use *use)
{
    /* from the one that is told last to the one that is told first */
    static const int weight[] = { [PORT_FREE] = 0,
                                  [PORT_OUTGOING] = 1,
                                  [PORT_ANYWHERE] = 2,
                                  [PORT_HERE] = 3 };
    struct port_entry e;

    *use = PORT_FREE;
    for (const char *line = text; !str_empty(line);
         line = strchr(line, '\n'), line += line != NULL) {
        enum port_use u;

        if (!port_parse_line(line, &e) || e.port != port)
            continue;
        u = judge(&e, addr);
        if (weight[u] > weight[*use]) {
            *use = u;
            *out = e;
        }
    }
    return *use != PORT_FREE;
}

/* ---- from a socket to its process ---- */

static bool
has_socket(pid_t pid, unsigned long inode)
{
    char dir[64], want[48], path[384], link[64];
    bool found = false;
    struct dirent *d;
    DIR *fds;

    (void)snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
    (void)snprintf(want, sizeof(want), "socket:[%lu]", inode);
    fds = opendir(dir);
    if (fds == NULL)
        return false; /* gone, or of another account */
    while (!found && (d = readdir(fds)) != NULL) {
        ssize_t n;

        (void)snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
        n = readlink(path, link, sizeof(link) - 1);
        if (n > 0) {
            link[n] = '\0';
            found = strcmp(link, want) == 0;
        }
    }
    (void)closedir(fds);
    return found;
}

/* What could drive a terminal becomes '?'. */
static void
read_command(struct port_holder *h)
{
    size_t n = proc_look_title(h->pid, h->command, sizeof(h->command));

    for (size_t i = 0; i < n; i++) {
        if (!isprint((unsigned char)h->command[i]))
            h->command[i] = '?';
    }
    while (n > 0 && h->command[n - 1] == ' ')
        n--;
    h->command[n] = '\0';
}

struct owner {
    unsigned long inode;
    pid_t pid;
};

static bool
is_owner(pid_t pid, void *ctx)
{
    struct owner *o = ctx;

    o->pid = pid;
    return has_socket(pid, o->inode);
}

static void
find_process(unsigned long inode, struct port_holder *h)
{
    struct owner o = { .inode = inode };

    if (!proc_look_each(is_owner, &o))
        return;
    h->pid = o.pid;
    read_command(h);
}

/* ---- taking it ---- */

#define TABLE_MAX_BYTES (64u << 20)

static enum port_use
search_file(const char *path, const struct in6_addr *addr, unsigned port,
            struct port_entry *e)
{
    struct buf text = BUF_INIT(TABLE_MAX_BYTES);
    enum port_use use = PORT_FREE;

    if (file_append(path, &text) != ERR_OK ||
        !port_search(buf_text(&text), addr, port, e, &use))
        use = PORT_FREE;
    buf_free(&text);
    return use;
}

static void
find_holder(const struct in6_addr *addr, unsigned port, struct port_holder *h)
{
    struct port_entry e;

    h->use = search_file("/proc/net/tcp", addr, port, &e);
    if (h->use == PORT_FREE)
        h->use = search_file("/proc/net/tcp6", addr, port, &e);
    if (h->use == PORT_FREE) {
        /* it has gone meanwhile, or it is bound but does nothing yet */
        h->use = PORT_OUTGOING;
        return;
    }
    h->uid = e.uid;
    if (e.inode != 0)
        find_process(e.inode, h);
}

/* As nginx and MariaDB bind: with SO_REUSEADDR, then listen. 0 or errno. */
static int
try_listen(const struct port_address *a)
{
    const int on = 1;
    int code = 0;
    int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->sa.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&a->sa, a->n) != 0 ||
        listen(fd, 1) != 0)
        code = errno;
    (void)close(fd);
    return code;
}

bool
port_is_idle(const char *address, unsigned port)
{
    char text[INET6_ADDRSTRLEN + 10];
    struct port_address a;

    return port_address(address_print(address, (int)port, text, sizeof(text)),
                        &a) == ERR_OK &&
           try_listen(&a) == 0;
}

void
port_probe(const struct port_address *a, struct port_holder *out)
{
    memset(out, 0, sizeof(*out));
    out->error = try_listen(a);
    if (out->error == 0)
        out->use = PORT_FREE;
    else if (out->error == EADDRNOTAVAIL)
        out->use = PORT_ABSENT;
    else if (out->error != EADDRINUSE)
        out->use = PORT_REFUSED;
    else
        find_holder(&a->in6, port_number(a), out);
}
