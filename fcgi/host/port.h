/* Who holds a TCP port: /proc/net/tcp, /proc/net/tcp6, descriptors in /proc. */
#ifndef MG_PORT_H
#define MG_PORT_H

#include <netinet/in.h>
#include <sys/types.h>

#include "base.h"

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

/* Tries to take host:port (a numeric address) and gives it back; when that
 * fails, finds out why. BAD_PARAM when host is no address. */
enum err
port_probe(const char *host, unsigned port, struct port_holder *out) MUST_USE;

/* Which line of the text (a whole file) holds addr:port: the one that matters
 * most, a listener here, then one anywhere, then a connection. False when
 * none does. */
bool port_search(const char *text, const struct in6_addr *addr, unsigned port,
                 struct port_entry *out, enum port_use *use) MUST_USE;

#endif
