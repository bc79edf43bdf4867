/* "There is work": a datagram from whoever has committed some to the loops of
 * this host, which otherwise look once a second. Each loop that wants it has
 * a socket s/wake.<name>. */
#ifndef MG_WAKE_H
#define MG_WAKE_H

#include "base.h"

/* The socket of the process `name` ("control-m1"), non-blocking; -1 when it
 * cannot be made: then there is polling alone. */
int wake_open(const char *name);
void wake_close(int fd, const char *name);

/* Takes what has come. */
void wake_drain(int fd);

/* Wakes every loop of the host. Never blocks and cannot fail: a datagram that
 * is lost is made up for by the next poll. */
void wake_send(void);

#endif
