/* The head of a request: from FastCGI parameters to who asks for what. Knows
 * no libfcgi, so that tests hand parameters over as texts. */
#ifndef MG_INTAKE_H
#define MG_INTAKE_H

#include "req.h"

struct request_rules;

enum intake_verdict {
    INTAKE_OK,
    INTAKE_FORGED,   /* not our front end */
    INTAKE_LISTENER, /* no listener of that name */
    INTAKE_NO_MEMORY,
};

struct intake {
    bool refused; /* answered by `event`, whatever it asks for */
    enum event event;
    const char *fault; /* the query parameter that cannot be read, or "" */
    bool slow;         /* for the second set of threads */
    bool known;        /* which row it is for, as far as its path tells: */
    size_t row;        /* tables_row */
    bool writes;
};

/* Fills all of r that comes from parameters; r->arena, io and started_ms are
 * set, the texts live as long as params. With another verdict than OK only
 * listener and trace (its request "" without memory) are. */
enum intake_verdict
intake(struct req *r, char *const *params, const struct request_rules *rules,
       struct intake *out) MUST_USE;

#endif
