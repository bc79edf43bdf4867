/* Room: host/ */
/* An argument vector that is being put together. */
#ifndef MG_ARGV_H
#define MG_ARGV_H

#include "base.h"
#include "buf.h"

#define ARGV_MAX       64
#define ARGV_MAX_BYTES 65536

struct argv {
    struct buf text; /* what v points into */
    size_t at[ARGV_MAX], n;
    const char *v[ARGV_MAX + 1];
    bool failed; /* more arguments than fit */
};

#define ARGV_INIT                        \
    {                                    \
        .text = BUF_INIT(ARGV_MAX_BYTES) \
    }

/* One more argument. What does not fit is told by argv_done. */
void argv_add(struct argv *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Makes a->v, ended by NULL; it lives until the next argv_add or argv_free.
 * LIMIT or NOMEM when an argument is missing. */
enum err argv_done(struct argv *a) MUST_USE;

void argv_free(struct argv *a);

#endif
