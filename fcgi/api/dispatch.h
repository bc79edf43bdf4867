/* From a filled struct req to its reply, by the dialects' tables (endpoint.h):
 * which row (route.h), whether the token may, the input bound to the row's
 * record (bind.h), its checks in order (checks.h), the handler, in a
 * transaction where the row says so, and the reply (reply.h) or the failure
 * (failure.h) in the words of the mount's form. The order of refusals is the
 * order in dispatch.c. */
#ifndef MG_DISPATCH_H
#define MG_DISPATCH_H

#include "req.h"

/* Resolves and checks all tables of dialects[]; every mistake is logged.
 * INTERNAL when there is one: the process must not serve. Once, before
 * threads. */
enum err dispatch_init(void) MUST_USE;

/* Whether the listener ("console", "name/tail") is known. */
bool dispatch_knows_listener(const char *listener);

/* The row that this listener, method and path would reach (verbs in bodies are
 * not looked at), and its number (tables_row): its flags and what it costs
 * decide the thread. NULL when unknown. */
const struct row *dispatch_peek(const char *listener, const char *method,
                                const char *path, size_t *number);

/* Whether a request, read but not yet parsed, may be for a SLOW row of a path
 * that serves many verbs, of which others are not: its body names one. */
bool dispatch_peek_verbs(const struct req *r);

/* Serves the request: routes, checks rights, binds, runs the handler (again
 * after a deadlock or a lost connection), renders and writes the reply
 * through r->io. r->mount, endpoint, form, encoding are set here; every
 * other member of the request before. */
void dispatch(struct req *r);

/* Answers with the dialect's row for that event instead (no thread free, no
 * readable query); args are those named at the event. */
void dispatch_refuse(struct req *r, enum event event, struct args args);

#endif
