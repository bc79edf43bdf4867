/* The classes of failure and what each means to a caller. */
#include "base.h"

static const struct {
    const char *word;
    int http;
    bool retry;
} classes[ERR__MAX] = {
#define ERR(id, word, http, retry) [ERR_##id] = { word, http, retry },
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

int
err_http(enum err e)
{
    return (unsigned)e < ERR__MAX ? classes[e].http : 500;
}
