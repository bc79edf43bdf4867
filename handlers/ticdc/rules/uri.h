/* A sink's URI, taken apart:
 *     scheme://[user[:password]@]host[:port][,host[:port]...][/path][?k=v&...]
 * What has a meaning of its own in a user, password or value is written
 * percent-encoded; a text of which it is unclear is refused, with that advice.
 * No message holds more of a URI than its scheme and a parameter that is no
 * secret. */
#ifndef TICDC_URI_H
#define TICDC_URI_H

#include "arena.h"
#include "base.h"

#define SINK_URI_BYTES_MAX 8192
#define SINK_HOSTS_MAX     64
#define SINK_PARAMS_MAX    128

struct sink_host {
    const char *host; /* without brackets */
    unsigned port;    /* 0: not given */
};
struct sink_param {
    const char *key, *value; /* decoded */
};
struct sink_uri {
    const char *scheme;          /* in small letters */
    const char *user, *password; /* decoded; NULL: not given */
    size_t n_hosts;
    struct sink_host *host;
    const char *path; /* decoded, without the first slash; "" */
    size_t n_params;
    struct sink_param *param;
};

/* In the arena. BAD_PARAM with why, a sentence; NOMEM. */
enum err sink_uri_parse(struct arena *a, const char *text, struct sink_uri *out,
                        char why[WHY_BYTES]) MUST_USE;

/* The last value of a parameter; NULL. */
const char *sink_uri_param(const struct sink_uri *u, const char *key);

/* The text as it was given, with xxxxx for the password and for the value of
 * each parameter that is a secret by its name. Of a text that cannot be taken
 * apart the scheme alone is shown. NULL without memory. */
const char *sink_uri_masked(struct arena *a, const char *text);

/* Whether a parameter or member of that name holds a secret. */
bool sink_is_secret(const char *key, size_t n);

#endif
