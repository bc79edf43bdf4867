/* How long a call may wait: until a time that the caller gives, as far as the
 * library lets us. */
#include "my_int.h"

#include <errno.h>
#include <sys/socket.h>

#include <mariadb/errmsg.h>
#include <mariadb/ma_pvio.h>

#include "clock.h"

/* Idle for longer: look whether the server has hung up before sending. */
#define IDLE_MS 1000

void
my_until(struct my *my, int64_t mono_ms)
{
    my->until = mono_ms;
}

enum err
my_arm(struct my *my, const char *sql)
{
    int64_t now = clock_mono_ms(), wait = (int64_t)my->read_timeout_s * 1000;

    if (my->c == NULL)
        return my_fail(my, CR_SERVER_GONE_ERROR, "not connected", sql,
                       MY_UNSENT);
    if (my->until != 0 && now >= my->until)
        return my_fail_own(my, ERR_TIMEOUT, "deadline passed", sql, MY_UNSENT);
    if (wait == 0)
        wait = MY_NO_LIMIT_MS;
    if (my->fine_timeouts && my->c->net.pvio != NULL) { /* not lost */
        if (my->until != 0 && my->until - now < wait)
            wait = my->until - now;
        my->c->net.pvio->timeout[PVIO_READ_TIMEOUT] = (int)wait;
    }
    my->sent_ms = now;
    my->wait_ms = wait;
    return ERR_OK;
}

/* An idle connection has nothing to read, unless the server hung up. */
bool
my_is_stale(const struct my *my)
{
    char byte;

    if (my->c == NULL || clock_mono_ms() - my->used_ms <= IDLE_MS)
        return false;
    return recv(mysql_get_socket(my->c), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >=
               0 ||
           (errno != EAGAIN && errno != EINTR);
}
