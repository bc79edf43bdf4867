/* The FastCGI listener of a daemon that is no worker: s/role-<name>.sock,
 * where nginx's location /role/ leads. Only what is below /role/ is answered
 * there: the daemon's own profiles. */
#ifndef MG_ROLE_SOCKET_H
#define MG_ROLE_SOCKET_H

#include "base.h"

struct role_socket;

/* Starts its threads; signals are blocked before. NULL after a line in the
 * log: the daemon does its work without it. */
struct role_socket *role_socket_open(const char *name);
void role_socket_close(struct role_socket *s);

#endif
