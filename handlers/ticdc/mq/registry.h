/* A Confluent schema registry: schemas by subject. */
#ifndef TICDC_REGISTRY_H
#define TICDC_REGISTRY_H

#include "base.h"

struct registry;

/* url: "http://host:8081", with user and password when there are some. NULL
 * without memory. */
struct registry *registry_new(const char *url);
void registry_free(struct registry *r);

/* Whether one is there: it answers GET / with {}. PEER, TIMEOUT, DENIED. */
enum err registry_look(struct registry *r) MUST_USE;
/* encode_register_fn; ctx is the registry. Tried again when it cannot be
 * reached or answers 5xx. EXISTS: 409, the subject has a schema that this one
 * is not compatible with. */
enum err registry_register(void *ctx, const char *subject, struct span schema,
                           uint32_t *id) MUST_USE;
/* Why the last call has failed; "" when it has not. No secrets. */
const char *registry_why(const struct registry *r);

#endif
