/* Room: egress/ */
/* The one door for outgoing connections whose target a client names: sinks,
 * upstreams, nodes that were registered. A name is resolved once and the
 * address it gave is the one that is connected to, so that nothing can be
 * said about a name and something else be done.
 *
 * Refused whatever the lists say: link-local addresses (where clouds keep
 * their credentials) and the other places that some do (fd00:ec2::254,
 * fd20:ce::254, 100.100.100.200, 168.63.129.16, 192.0.0.192), multicast and
 * broadcast, "any", IPv4 in disguise, our own listeners and the metadata store
 * (of one on this host the port, at whatever address of the host). Then
 * [egress] deny, then [egress] allow, when there is one. Loopback may be
 * connected to: databases live there. */
#ifndef MG_EGRESS_H
#define MG_EGRESS_H

#include <sys/socket.h>

#include "base.h"

struct egress_target {
    char scheme[16];
    char host[256]; /* a name or an address, without brackets */
    unsigned port;
};

struct egress_address {
    struct sockaddr_storage sa;
    socklen_t n;
};

/* "scheme://[user[:password]@]host[:port][/...]": schemes is a list like
 * "mysql,tcp"; port 0 = there must be one. BAD_PARAM with why, which never
 * holds a password. */
enum err egress_parse(const char *url, const char *schemes, unsigned port,
                      struct egress_target *out, char why[WHY_BYTES]) MUST_USE;

/* The first address of the host that may be connected to. DENIED when all are
 * refused, NOT_FOUND when there is none; why says more. Names are asked of
 * the resolver, which may take some seconds: never in a transaction. */
enum err
egress_resolve(const char *host, unsigned port, struct egress_address *out,
               char why[WHY_BYTES]) MUST_USE;

/* The same without waiting: BUSY while nothing is known of the name, which is
 * asked for in the background; then egress_lookup_wait waits until more names
 * are known (false: that has not come until then). *seen is 0 at first. */
enum err
egress_lookup(const char *host, unsigned port, struct egress_address *out,
              char why[WHY_BYTES]) MUST_USE;
bool egress_lookup_wait(uint64_t *seen, int64_t until_ms);
/* What is known of names that nobody has asked for in ten minutes is forgotten:
 * to be called from time to time by who looks up many. */
void egress_lookup_forget(void);

/* A non-blocking stream socket that is being connected to the address: POLLOUT
 * tells when, SO_ERROR how. PEER, or BUSY when descriptors are short. */
enum err egress_begin(const struct egress_address *to, int *fd) MUST_USE;

/* Resolves, connects, waits until then (clock_mono_ms). The socket blocks. */
enum err egress_connect(const char *host, unsigned port, int64_t until_ms,
                        int *fd, char why[WHY_BYTES]) MUST_USE;

/* Whether the address may be connected to. */
bool egress_allowed(const struct sockaddr *sa, char why[WHY_BYTES]);

/* [egress] allow and deny as they are written: BAD_PARAM with why. Once per
 * process, before any of the above; without it the lists are empty. */
enum err egress_init(char why[WHY_BYTES]) MUST_USE;

/* Lists other than the configuration's (tests). */
enum err
egress_rules(const char *allow, const char *deny, char why[WHY_BYTES]) MUST_USE;

#endif
