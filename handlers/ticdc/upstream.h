/* The server that changefeeds read. */
#ifndef TICDC_UPSTREAM_H
#define TICDC_UPSTREAM_H

#include "arena.h"
#include "my.h"

/* Where it is and how one logs in, as [ticdc] says; texts in the arena, time-
 * outs of some seconds. BAD_PARAM, NOMEM with why when there is none: no
 * address, or a password that cannot be read. */
enum err ticdc_upstream(struct arena *a, struct my_server *out,
                        char why[WHY_BYTES]) MUST_USE;

#endif
