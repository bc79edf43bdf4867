/* TCP ports of this host: an address as bind and connect take it, and who holds
 * it (/proc/net/tcp, /proc/net/tcp6, descriptors in /proc). Which addresses
 * there are: listener.h; how "host:port" is read: address.h. */
#ifndef MG_PORT_H
#define MG_PORT_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base.h"

/* Both families as one: what to bind or connect to, and its form for
 * comparing. */
struct port_address {
    struct sockaddr_storage sa;
    socklen_t n;
    struct in6_addr in6; /* IPv4 as ::ffff:a.b.c.d */
};

/* For the kernel, of a listener's address without a name, in every form there
 * is: 127.0.0.1:80, 0.0.0.0:80, [::1]:80, [::]:80. BAD_PARAM for all else. */
enum err port_address(const char *text, struct port_address *out) MUST_USE;
unsigned port_number(const struct port_address *a);

/* A connection to who listens there, for all addresses by loopback; connect
 * and each send end after limit_ms. -1: there is none, errno says why. */
int port_connect(const struct port_address *a, unsigned limit_ms) MUST_USE;
/* What a server says first on that connection (*n: how much of size bytes; not
 * above 0: it has hung up), which is closed then. False: nothing yet. */
bool port_hear(int *fd, void *out, size_t size, ssize_t *n) MUST_USE;

/* One line of /proc/net/tcp or tcp6. */
struct port_entry {
    struct in6_addr addr; /* IPv4 as ::ffff:a.b.c.d */
    unsigned port;
    unsigned state; /* 0x0a = listening */
    uid_t uid;
    unsigned long inode;
};

#define PORT_STATE_LISTEN 0x0au

/* False for the heading and for anything else that is no such line. */
bool port_parse_line(const char *line, struct port_entry *out) MUST_USE;

enum port_use {
    PORT_FREE,
    PORT_ABSENT,   /* the address is not one of this machine */
    PORT_HERE,     /* a listener on this address */
    PORT_ANYWHERE, /* a listener on 0.0.0.0 or [::] */
    PORT_OUTGOING, /* the near end of a connection */
    PORT_REFUSED,  /* not ours to take: errno of bind in `error` */
};

struct port_holder {
    enum port_use use;
    uid_t uid;
    pid_t pid;         /* 0: not to be seen by this account */
    char command[128]; /* its command line, cut; "" as pid */
    int error;
};

/* Tries to take the address and gives it back; when that fails, finds out
 * why. */
void port_probe(const struct port_address *a, struct port_holder *out);

/* Which line of the text (a whole file) holds addr:port: the one that matters
 * most, a listener here, then one anywhere, then a connection. False when
 * none does. */
bool port_search(const char *text, const struct in6_addr *addr, unsigned port,
                 struct port_entry *out, enum port_use *use) MUST_USE;

#endif
