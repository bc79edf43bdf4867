/* Where connections wait for their next request: one epoll set that all
 * threads of a worker share. A thread blocked in read() on an idle kept
 * connection would starve the others (libfcgi's own way: p99 of 300 ms and
 * more); here a thread is only given what can be read at once. */
#ifndef MG_PARK_H
#define MG_PARK_H

#include "base.h"

struct park;

/* The listening socket is made non-blocking. NULL when the system refuses;
 * errno says why. */
struct park *park_open(int listen_fd);
void park_close(struct park *p);

/* Waits, accepting meanwhile, until a connection has something to read; the
 * caller owns *fd until park_back or park_gone. False: park_stop was called
 * and nothing more is to be read. */
bool park_wait(struct park *p, int *fd);

/* The connection waits for its next request. */
void park_back(struct park *p, int fd);
/* The connection has been closed by whoever held it. */
void park_gone(struct park *p);

/* No further connection is accepted; those that are open stay. */
void park_drain(struct park *p);
/* Connections that are open, waiting or being served. */
int park_open_count(const struct park *p);
/* Wakes every thread in park_wait, now and later. A connection that waits is
 * shut for reading first: on a Unix socket a request was either sent before,
 * and is still read and answered, or its sender is refused (EPIPE) and knows
 * that it was not taken. */
void park_stop(struct park *p);

#endif
