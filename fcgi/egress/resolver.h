/* Names to addresses. What a name server takes its time for is asked by
 * threads of its own, and what is known is kept: whoever asks never waits for
 * a name that is somebody else's. Behind egress.h, where addresses are
 * judged. */
#ifndef MG_RESOLVER_H
#define MG_RESOLVER_H

#include "base.h"
#include "egress.h"

#define RESOLVER_ADDRESSES 8

/* Addresses of a name, their ports 0; code: 0 or that of getaddrinfo. */
struct resolved {
    int code;
    size_t n;
    struct egress_address v[RESOLVER_ADDRESSES];
};

/* An address that is written as such: no name server is asked. False for a
 * name. */
bool resolver_literal(const char *host, struct resolved *out);

/* Asks now, and waits: seconds, when the name server is slow. */
void resolver_now(const char *host, struct resolved *out);

/* What is known of the name: OK, or BUSY while nothing is. It is asked for in
 * the background, and again from time to time as long as somebody wants it;
 * what was known stays until something else is. */
enum err resolver_known(const char *host, struct resolved *out) MUST_USE;

/* Forgets what nobody has wanted for ten minutes. What is asked for anew tidies
 * a little each time; this is for who may ask for nothing any more. */
void resolver_forget(void);

/* Until one more name is known; false when that has not come until then
 * (clock_mono_ms). *seen: 0 at first, then as it was left. */
bool resolver_wait(uint64_t *seen, int64_t until_ms);

#endif
