/* Room: host/ */
/* Whether a TCP port of this host is to be had. */
#ifndef MG_PORT_IDLE_H
#define MG_PORT_IDLE_H

#include "base.h"

/* Nobody listens there: it is taken, as a server takes it, and given back. What
 * only waits for the last packets of a connection is no server. False too when
 * the address (no name) is none of this host. */
bool port_is_idle(const char *address, unsigned port);

#endif
