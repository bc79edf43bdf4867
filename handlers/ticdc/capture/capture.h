/* The room is the process that replicates: a capture. It lives under a lease
 * (capture.c), has a thread for each changefeed that it works for
 * (processor.c), in which a stream is written (stream.h), and is perhaps the
 * owner, who says which capture writes which table (owner.c).
 *
 * Here: a capture as its processors see it. */
#ifndef TICDC_CAPTURE_H
#define TICDC_CAPTURE_H

#include <stdatomic.h>

#include "base.h"
#include "ticdc/store/rows.h"

struct capture {
    char id[CAPTURE_ID_BYTES];
    const char *name;    /* "c1" */
    const char *address; /* host:port of the interface */
    /* Until when its lease is certain to last, by our own monotonic clock:
     * nobody writes anything after that. */
    _Atomic int64_t until_ms;
    struct source_clock *clock; /* of the source of its streams */
};

struct role_run;
/* The role (dialect.h). */
int ticdc_capture_run(const struct role_run *run);

/* Whether it may still write. */
bool capture_may_write(const struct capture *c);

#endif
