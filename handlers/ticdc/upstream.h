/* The server that changefeeds read, and what their sinks may use of this host.
 */
#ifndef TICDC_UPSTREAM_H
#define TICDC_UPSTREAM_H

#include "arena.h"
#include "my.h"
#include "ticdc/rules/sink.h"

/* Where it is and how one logs in, as [ticdc] says; texts in the arena, time-
 * outs of some seconds. BAD_PARAM, NOMEM with why when there is none: no
 * address, or a password that cannot be read. */
enum err ticdc_upstream(struct arena *a, struct my_server *out,
                        char why[WHY_BYTES]) MUST_USE;

/* As [ticdc] says; static. */
struct sink_rules ticdc_sink_rules(void);

#endif
