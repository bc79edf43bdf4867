/* Outgoing connections that a client names. */
#include "egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "config.h"
#include "list.h"
#include "log.h"
#include "listener.h"
#include "own_store.h"
#include "resolver.h"

#define NETWORKS_MAX 256

struct networks {
    struct network v[NETWORKS_MAX];
    size_t n;
};

/* Written before threads. */
static struct networks allowed, denied;
static struct {
    struct {
        unsigned char bytes[16];
        unsigned port;
        bool local; /* by which of our addresses, it does not tell */
    } v[NETWORKS_MAX];
    size_t n;
} store_at;

/* ---- addresses ---- */

static bool
as_bytes(const struct sockaddr *sa, unsigned char out[16], unsigned *port)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (sa->sa_family == AF_INET) {
        memcpy(&in, sa, sizeof(in));
        memcpy(out, address_v4, sizeof(address_v4));
        memcpy(out + 12, &in.sin_addr, 4);
        *port = ntohs(in.sin_port);
        return true;
    }
    if (sa->sa_family != AF_INET6)
        return false;
    memcpy(&in6, sa, sizeof(in6));
    memcpy(out, &in6.sin6_addr, 16);
    *port = ntohs(in6.sin6_port);
    return true;
}

static bool
within(const unsigned char address[16], const struct network *net)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    if (memcmp(address, net->bytes, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ net->bytes[whole]) >> (8 - rest) == 0;
}

static bool
in_list(const unsigned char address[16], const struct networks *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (within(address, &list->v[i]))
            return true;
    return false;
}

/* What is refused whatever the lists say. */
static const char *
forbidden(const unsigned char a[16])
{
    bool v4 = memcmp(a, address_v4, sizeof(address_v4)) == 0;
    static const unsigned char any[16];

    /* beside 169.254.169.254, which most have */
    static const unsigned char of_a_cloud[][16] = {
        { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, /* Amazon */
        { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54 }, /* Google */
        { [10] = 0xff, [11] = 0xff, 100, 100, 100, 200 },     /* Alibaba */
        { [10] = 0xff, [11] = 0xff, 168, 63, 129, 16 },       /* Azure */
        { [10] = 0xff, [11] = 0xff, 192, 0, 0, 192 },         /* Oracle */
    };

    for (size_t i = 0; i < COUNT(of_a_cloud); i++)
        if (memcmp(a, of_a_cloud[i], 16) == 0)
            return "where a cloud keeps credentials";
    if (v4) {
        if (a[12] == 169 && a[13] == 254)
            return "a link-local address";
        if (a[12] == 0)
            return "no address of a host";
        return a[12] >= 224 ? "a multicast or broadcast address" : NULL;
    }
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
        return "a link-local address";
    if (a[0] == 0xff)
        return "a multicast address";
    /* ::, and IPv4 in the forms that are translated on the way */
    if (memcmp(a, any, 16) == 0)
        return "no address of a host";
    if (memcmp(a, any, 12) == 0 && !(a[12] == 0 && a[13] == 0 && a[14] == 0))
        return "an IPv4 address in disguise";
    if (a[0] == 0 && a[1] == 0x64 && a[2] == 0xff && a[3] == 0x9b)
        return "an IPv4 address in disguise";
    if (memcmp(a, any, 8) == 0 && a[8] == 0xff && a[9] == 0xff && a[10] == 0 &&
        a[11] == 0)
        return "an IPv4 address in disguise";
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0)
        return "an IPv4 address in disguise"; /* Teredo */
    return a[0] == 0x20 && a[1] == 0x02 ? "an IPv4 address in disguise" : NULL;
}

/* ---- our own listeners ---- */

/* An address of this host is one that a socket can be bound to. */
static bool
is_local(const struct sockaddr *sa)
{
    struct sockaddr_storage bare = { 0 };
    socklen_t n = sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                           : sizeof(struct sockaddr_in6);
    int fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool local;

    memcpy(&bare, sa, n);
    if (sa->sa_family == AF_INET)
        ((struct sockaddr_in *)&bare)->sin_port = 0;
    else
        ((struct sockaddr_in6 *)&bare)->sin6_port = 0;
    local = fd >= 0 && bind(fd, (struct sockaddr *)&bare, n) == 0;
    if (fd >= 0)
        (void)close(fd);
    return local;
}

static bool
is_wildcard(const unsigned char a[16])
{
    static const unsigned char any[16];

    return memcmp(a, any, 16) == 0 ||
           (memcmp(a, address_v4, 12) == 0 && memcmp(a + 12, any, 4) == 0);
}

static bool
is_listener(const struct sockaddr *sa, const unsigned char address[16],
            unsigned port, const char *listener)
{
    unsigned char own[16];
    char host[256];
    unsigned own_port;

    if (address_read(listener, strlen(listener), 0, host, sizeof(host),
                     &own_port) != ERR_OK ||
        own_port != port)
        return false;
    if (!address_bytes(host, own))
        return is_local(sa); /* a name: ours by its port */
    return is_wildcard(own) ? is_local(sa) : memcmp(own, address, 16) == 0;
}

static bool
is_own(const struct sockaddr *sa, const unsigned char address[16],
       unsigned port)
{
    struct listening l;
    enum err e;

    for (size_t i = 0; (e = listener_at(i, &l)) != ERR_NOT_FOUND; i++)
        if (e == ERR_OK && is_listener(sa, address, port, l.address))
            return true;
    return false;
}

/* ---- the metadata store ---- */

static void
note_store_address(const struct sockaddr *sa)
{
    if (store_at.n == COUNT(store_at.v) ||
        !as_bytes(sa, store_at.v[store_at.n].bytes,
                  &store_at.v[store_at.n].port))
        return;
    store_at.v[store_at.n].local = is_local(sa);
    store_at.n++;
}

/* A name is asked for once: the store's does not move without a restart. */
static void
note_store_host(const char *text)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found, *ai;
    char host[256], service[16];
    unsigned port;

    if (address_read(text, strlen(text), 0, host, sizeof(host), &port) !=
        ERR_OK)
        return; /* a unix socket */
    (void)snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0) {
        log_warn("egress.store host=%s", text);
        return;
    }
    for (ai = found; ai != NULL; ai = ai->ai_next)
        note_store_address(ai->ai_addr);
    freeaddrinfo(found);
}

static void
note_store(void)
{
    const char *p = config()->mysql_hosts;
    char host[300];
    struct span s;

    store_at.n = 0;
    if (own_store_address(host, sizeof(host)))
        note_store_host(host);
    while (config_list_next(&p, &s)) {
        (void)snprintf(host, sizeof(host), "%.*s", (int)s.n, s.p);
        note_store_host(host);
    }
}

/* A store on this host may listen on all its addresses: we know the one that
 * we were told, and a client names another. */
static bool
is_store(const struct sockaddr *sa, const unsigned char address[16],
         unsigned port)
{
    for (size_t i = 0; i < store_at.n; i++)
        if (store_at.v[i].port == port &&
            (memcmp(store_at.v[i].bytes, address, 16) == 0 ||
             (store_at.v[i].local && is_local(sa))))
            return true;
    return false;
}

bool
egress_allowed(const struct sockaddr *sa, char why[WHY_BYTES])
{
    unsigned char address[16];
    const char *refused;
    unsigned port = 0;

    if (!as_bytes(sa, address, &port))
        refused = "neither IPv4 nor IPv6";
    else if ((refused = forbidden(address)) != NULL)
        ;
    else if (is_own(sa, address, port))
        refused = "a listener of metagate itself";
    else if (is_store(sa, address, port))
        refused = "the metadata store";
    else if (in_list(address, &denied))
        refused = "in [egress] deny";
    else if (allowed.n > 0 && !in_list(address, &allowed))
        refused = "not in [egress] allow";
    why_say(why, "%s", refused == NULL ? "" : refused);
    return refused == NULL;
}

/* ---- lists ---- */

static enum err
parse_list(const char *text, const char *key, struct networks *out,
           char why[WHY_BYTES])
{
    struct span s;

    out->n = 0;
    while (config_list_next(&text, &s)) {
        if (out->n == NETWORKS_MAX || !network_read(s.p, s.n, &out->v[out->n]))
            return why_fail(why, ERR_BAD_PARAM,
                            "[egress] %s: not a network, or too many: %.*s",
                            key, s.n < 64 ? (int)s.n : 64, s.p);
        out->n++;
    }
    return ERR_OK;
}

enum err
egress_rules(const char *allow, const char *deny, char why[WHY_BYTES])
{
    enum err e;

    e = parse_list(allow, "allow", &allowed, why);
    return e == ERR_OK ? parse_list(deny, "deny", &denied, why) : e;
}

enum err
egress_init(char why[WHY_BYTES])
{
    note_store();
    return egress_rules(config()->egress_allow, config()->egress_deny, why);
}

/* ---- targets ---- */

enum err
egress_parse(const char *url, const char *schemes, unsigned port,
             struct egress_target *out, char why[WHY_BYTES])
{
    const char *sep = strstr(url, "://"), *p, *at;
    size_t n;
    enum err e;

    memset(out, 0, sizeof(*out));
    n = sep == NULL ? 0 : (size_t)(sep - url);
    if (n == 0 || n >= sizeof(out->scheme) ||
        !list_has(schemes, (struct span){ url, n }))
        return why_fail(why, ERR_BAD_PARAM, "the scheme must be one of %s",
                        schemes);
    memcpy(out->scheme, url, n);
    p = sep + 3;
    n = strcspn(p, "/?#");
    at = memrchr(p, '@', n); /* a password may hold one */
    if (at != NULL) {
        n -= (size_t)(at + 1 - p);
        p = at + 1;
    }
    e = address_read(p, n, port, out->host, sizeof(out->host), &out->port);
    return e == ERR_OK
               ? e
               : why_fail(why, e, "no host, or no port from 1 to 65535");
}

/* ---- connecting ---- */

static void
set_port(struct egress_address *to, unsigned port)
{
    if (to->sa.ss_family == AF_INET)
        ((struct sockaddr_in *)&to->sa)->sin_port = htons((uint16_t)port);
    else if (to->sa.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&to->sa)->sin6_port = htons((uint16_t)port);
}

/* The first address that may be connected to. */
static enum err
pick(const struct resolved *from, unsigned port, struct egress_address *out,
     char why[WHY_BYTES])
{
    if (from->code != 0) {
        why_say(why, "the name has no address: %s", gai_strerror(from->code));
        return from->code == EAI_MEMORY ? ERR_NOMEM : ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < from->n; i++) {
        *out = from->v[i];
        set_port(out, port);
        if (egress_allowed((const struct sockaddr *)&out->sa, why))
            return ERR_OK;
    }
    return ERR_DENIED;
}

enum err
egress_resolve(const char *host, unsigned port, struct egress_address *out,
               char why[WHY_BYTES])
{
    struct resolved found;

    if (!resolver_literal(host, &found))
        resolver_now(host, &found);
    return pick(&found, port, out, why);
}

enum err
egress_lookup(const char *host, unsigned port, struct egress_address *out,
              char why[WHY_BYTES])
{
    struct resolved found;
    enum err e = ERR_OK;

    if (!resolver_literal(host, &found))
        e = resolver_known(host, &found);
    if (e == ERR_OK)
        return pick(&found, port, out, why);
    why_say(why, "the name server has not answered yet");
    return e;
}

bool
egress_lookup_wait(uint64_t *seen, int64_t until_ms)
{
    return resolver_wait(seen, until_ms);
}

void
egress_lookup_forget(void)
{
    resolver_forget();
}

enum err
egress_begin(const struct egress_address *to, int *fd)
{
    *fd =
        socket(to->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return errno == EMFILE || errno == ENFILE ? ERR_BUSY : ERR_PEER;
    if (connect(*fd, (const struct sockaddr *)&to->sa, to->n) == 0 ||
        errno == EINPROGRESS)
        return ERR_OK;
    (void)close(*fd);
    *fd = -1;
    return ERR_PEER;
}

/* Until the connection stands, or does not. */
static enum err
wait_connected(int fd, int64_t until_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    socklen_t n = sizeof(int);
    int64_t left;
    int ready, error = 0;

    do {
        left = until_ms - clock_mono_ms();
        ready = left <= 0 ? 0 : poll(&p, 1, (int)left);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return ERR_TIMEOUT;
    if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        return ERR_PEER;
    errno = error;
    return error == 0 ? ERR_OK : ERR_PEER;
}

enum err
egress_connect(const char *host, unsigned port, int64_t until_ms, int *fd,
               char why[WHY_BYTES])
{
    struct egress_address to;
    enum err e;
    int flags;

    *fd = -1;
    e = egress_resolve(host, port, &to, why);
    if (e != ERR_OK)
        return e;
    e = egress_begin(&to, fd);
    if (e == ERR_OK)
        e = wait_connected(*fd, until_ms);
    if (e == ERR_OK) {
        flags = fcntl(*fd, F_GETFL);
        (void)fcntl(*fd, F_SETFL, flags & ~O_NONBLOCK);
        return ERR_OK;
    }
    why_say(why, "%s",
            e == ERR_TIMEOUT ? "no answer in time" : strerror(errno));
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    return e;
}
