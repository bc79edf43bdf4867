/* Another worker of this host, asked as the front end asks it: what takes all
 * of them (a profile of the pool) comes to one, which asks the others. */
#ifndef MG_PEER_H
#define MG_PEER_H

#include "buf.h"

/* Sends a GET of that target (path and query) to worker n, with the parameters
 * of the request that is under way, and the token of its query ("": none), so
 * that whoever may ask us may ask it. Returns the connection, which peer_take
 * reads and the caller closes; -1 when the worker does not take it. */
int peer_ask(unsigned n, char *const *params, const char *token,
             const char *target);

/* Appends the answer's body, and sets its status. PEER when the connection ends
 * before it does or nothing comes for 10 s, LIMIT and NOMEM as buf_err. */
enum err peer_take(int fd, int *status, struct buf *body) MUST_USE;

#endif
