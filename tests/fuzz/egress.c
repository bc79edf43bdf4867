/* What a client names as a target, the addresses that are connected to, and the
 * lists of networks. */
#include "egress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "config.h"
#include "fuzz.h"

static void
check_target(const struct egress_target *t)
{
    HOLDS(t->port >= 1 && t->port <= 65535);
    HOLDS(t->host[0] != '\0' && strlen(t->host) < sizeof(t->host));
    HOLDS(strcmp(t->scheme, "mysql") == 0 || strcmp(t->scheme, "tcp") == 0);
}

/* Never, whatever the lists say: some of them, in words of our own. */
static bool
is_never(const unsigned char a[16])
{
    static const struct {
        const char *network;
        unsigned bytes;
    } never[] = {
        { "::ffff:169.254.0.0", 14 },
        { "::ffff:0.0.0.0", 13 },
        { "64:ff9b::", 4 },
        { "2002::", 2 },
        { "2001::", 4 },
        { "ff00::", 1 },
        { "fd00:ec2::254", 16 },
        { "fd20:ce::254", 16 },
        { "::ffff:100.100.100.200", 16 },
        { "::ffff:168.63.129.16", 16 },
        { "::ffff:192.0.0.192", 16 },
        { "::ffff:0:0:0", 12 },
        { "::ffff:255.0.0.0", 13 },
    };
    unsigned char net[16];

    for (size_t i = 0; i < COUNT(never); i++) {
        HOLDS(inet_pton(AF_INET6, never[i].network, net) == 1);
        if (memcmp(a, net, never[i].bytes) == 0)
            return true;
    }
    return a[0] == 0xfe && a[1] >= 0x80 && a[1] <= 0xbf;
}

/* The first bytes as an address and a port. */
static void
check_address(const uint8_t *data, size_t n)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    struct sockaddr_in in = { .sin_family = AF_INET };
    unsigned char mapped[16] = { [10] = 0xff, [11] = 0xff };
    char why[WHY_BYTES];

    if (n < 18)
        return;
    memcpy(&in6.sin6_addr, data, 16);
    memcpy(&in6.sin6_port, data + 16, 2);
    if (egress_allowed((const struct sockaddr *)&in6, why))
        HOLDS(!is_never(data) && why[0] == '\0');
    else
        HOLDS(why[0] != '\0');
    memcpy(&in.sin_addr, data, 4);
    memcpy(mapped + 12, data, 4);
    in.sin_port = in6.sin6_port;
    if (egress_allowed((const struct sockaddr *)&in, why))
        HOLDS(!is_never(mapped));
}

/* An address as a host's name: nobody is asked for it. */
static void
check_literal(const char *text)
{
    unsigned char bytes[16];
    struct egress_address at;
    char why[WHY_BYTES];

    if (inet_pton(AF_INET, text, bytes) != 1 &&
        inet_pton(AF_INET6, text, bytes) != 1)
        return;
    HOLDS(egress_lookup(text, 3306, &at, why) == ERR_OK || why[0] != '\0');
}

static void
begin(void)
{
    static bool begun;
    char why[WHY_BYTES];

    if (begun)
        return;
    begun = true;
    (void)setenv("METAGATE_MYSQL_HOSTS",
                 "unix:/x,127.0.0.1:3306,[fd01::1]:3307,0.0.0.0:3308", 1);
    config_place("/nonexistent", "127.9.9");
    HOLDS(config_load(NULL, why) == ERR_OK);
    HOLDS(egress_init(why) == ERR_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(16 << 20);
    struct egress_target target;
    char why[WHY_BYTES], *text;
    enum err e;

    HOLDS(a != NULL);
    begin();
    text = arena_strndup(a, (const char *)data, n);
    HOLDS(text != NULL);
    for (unsigned port = 0; port < 2; port++) {
        e = egress_parse(text, "mysql,tcp", port * 3306, &target, why);
        HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
        if (e == ERR_OK)
            check_target(&target);
        else
            HOLDS(memchr(why, '\0', sizeof(why)) != NULL && why[0] != '\0');
    }
    e = egress_rules(text, "", why);
    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
    check_address(data, n);
    check_literal(text);
    e = egress_rules("", text, why);
    HOLDS(e == ERR_OK || e == ERR_BAD_PARAM);
    arena_free(a);
    return 0;
}
