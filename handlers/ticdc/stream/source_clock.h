/* What a source's clock shows, and what it has written by then: asked over one
 * connection for all streams of a process that read it. */
#ifndef TICDC_SOURCE_CLOCK_H
#define TICDC_SOURCE_CLOCK_H

#include "base.h"
#include "binlog.h"
#include "my.h"

/* An answer holds for as long: whoever is behind what the source had at that
 * moment is behind it now. A failure does, too. */
#define SOURCE_CLOCK_MS 200

struct source_clock;

/* Without a connection: that is made by the first who asks. NULL without
 * memory. Closed when nobody asks any more; NULL: does nothing. */
struct source_clock *source_clock_open(void);
void source_clock_close(struct source_clock *c);

/* The clock, and then `has`, which becomes what the source has: whatever comes
 * behind that is committed later. By any thread; one asks, and those who come
 * meanwhile are given the same. As the server fails (within seconds); NOMEM. */
enum err
source_clock_ask(struct source_clock *c, const struct my_server *server,
                 int64_t *ms, struct binlog_gtids *has) MUST_USE;

#endif
