/* The classes of failure and what each means to a caller. */
#include "base.h"

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
