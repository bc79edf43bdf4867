/* The end of another session: so that what was given up cannot take effect
 * afterwards. */
#include "my_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define POLL_MS 20

/* Session numbers start again with the server, so an old one may by now be
 * somebody else's. */
static enum err
has_restarted(struct my *my, int64_t since_ms, bool *out)
{
    char up_s[32];
    enum err e = my_value_of(
        my,
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
        " WHERE VARIABLE_NAME = 'UPTIME'",
        up_s, sizeof(up_s));

    if (e != ERR_OK) /* MySQL keeps it elsewhere */
        e = my_value_of(
            my,
            "SELECT VARIABLE_VALUE FROM performance_schema.global_status"
            " WHERE VARIABLE_NAME = 'Uptime'",
            up_s, sizeof(up_s));
    *out = (strtoll(up_s, NULL, 10) + 1) * 1000 < clock_mono_ms() - since_ms;
    return e;
}

enum err
my_session_end(struct my *my, const struct my_session *old, int64_t until)
{
    const struct timespec nap = { 0, POLL_MS * 1000000L };
    char kill[64], find[96], found[16];
    bool restarted;
    enum err e;

    if (strcmp(my->session.server, old->server) != 0)
        return ERR_STATE;
    e = has_restarted(my, old->since_ms, &restarted);
    if (e != ERR_OK || restarted)
        return e;
    (void)snprintf(kill, sizeof(kill), "KILL CONNECTION %llu", old->id);
    (void)snprintf(find, sizeof(find),
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                   " WHERE ID = %llu",
                   old->id);
    e = my_do(my, kill);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    for (;;) {
        e = my_value_of(my, find, found, sizeof(found));
        if (e != ERR_OK || strcmp(found, "0") == 0)
            return e;
        if (clock_mono_ms() >= until)
            return ERR_TIMEOUT;
        (void)nanosleep(&nap, NULL);
    }
}
