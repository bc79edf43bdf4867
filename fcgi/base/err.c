/* The classes of failure and what each means to a caller. */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *word;
    bool retry;
} classes[ERR__MAX] = {
#define ERR(id, word, retry) [ERR_##id] = { word, retry },
#include "err.def"
#undef ERR
};

const char *
err_name(enum err e)
{
    return (unsigned)e < ERR__MAX ? classes[e].word : "unknown";
}

bool
err_may_retry(enum err e)
{
    return (unsigned)e < ERR__MAX && classes[e].retry;
}

void
why_say(char why[WHY_BYTES], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, WHY_BYTES, fmt, ap);
    va_end(ap);
}

enum err
why_fail(char why[WHY_BYTES], enum err e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, WHY_BYTES, fmt, ap);
    va_end(ap);
    return e;
}
