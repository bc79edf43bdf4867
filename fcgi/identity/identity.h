/* Who asks: the front end by MG_SECRET, the client by what the front end says
 * of its token, or by the token itself ([serve] check_tokens). */
#ifndef MG_IDENTITY_H
#define MG_IDENTITY_H

#include "req.h"

/* Whether MG_SECRET is ours; takes the same time for every wrong one of the
 * right length. */
bool identity_front_end(char *const *params, const char *secret);

/* MG_REQUEST_ID, or a fresh one when it is missing or could not stand in a
 * header; NULL without memory. */
const char *identity_request_id(struct arena *a, char *const *params);

/* What the client calls the request by: X-Request-Id where it is a plain word
 * of at most 64 characters and none of our tokens could be; of traceparent (W3C
 * Trace Context, section 3.2) the trace id and whether it is sampled. One that
 * is malformed begins a new trace. Our own id is not set. NOMEM. */
enum err identity_trace(struct arena *a, char *const *params,
                        struct trace *out) MUST_USE;

/* Fills name, rights and see_secrets from MG_NAME, MG_SCOPE, MG_SECRETS; past
 * MG_EXPIRES (0 or absent: never) there are no rights. */
void identity_from_front_end(struct req *r, char *const *params);

/* Fills them by the token that came in X-Metagate-Token, else Authorization,
 * else the query: the first that is given counts, right or wrong. Without a
 * right one there are no rights. NOMEM. */
enum err identity_from_token(struct req *r, char *const *params,
                             const char *query_token) MUST_USE;

#endif
