/* From listener, method and path to a row of endpoints.def. */
#ifndef MG_ROUTE_H
#define MG_ROUTE_H

#include "endpoint.h"

#define ROUTE_CAPTURES_MAX 4

/* The rows that share one path; they differ by method or by verb. */
struct route_group {
    const struct dialect *dialect;
    const struct row *mount;
    char *path; /* prefix and path, as the client sends it */
    const struct row **rows;
    size_t n;
    bool by_verb;
};

struct route_match {
    const struct dialect *dialect;   /* NULL when the listener is unknown */
    const struct row *mount;         /* the group's, else the best fitting */
    const struct route_group *group; /* NULL for an unknown path */
    struct span capture[ROUTE_CAPTURES_MAX]; /* of {name}, in path order */
    struct span name[ROUTE_CAPTURES_MAX];
    size_t n_captures;
};

/* Builds the tables from dialects[]; logs mistakes. INTERNAL when there is
 * any. Once, before threads. */
enum err route_init(void) MUST_USE;

/* The group of listener ("console", "name/tail") and decoded path. */
void
route_find(const char *listener, const char *path, struct route_match *out);

/* The row for this method and verb (NULL: whatever verb). NULL when none;
 * *methods gets all methods under which there is one. */
const struct row *route_row(const struct route_group *g, unsigned method,
                            const char *verb, unsigned *methods);

/* The VARIANT row of the verb for that encoding; NULL when there is none. */
const struct row *
route_variant(const struct dialect *d, const char *verb, const char *encoding);

bool route_knows_listener(const char *listener);

/* The dialect that the listener speaks; NULL when it is unknown. */
const struct dialect *route_dialect(const char *listener);

/* All groups in order of definition, for tools. */
const struct route_group *route_groups(size_t *n);

#endif
