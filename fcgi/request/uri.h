/* The target of a request: split, decoded once, without its tokens. */
#ifndef MG_URI_H
#define MG_URI_H

#include "req.h"

/* Most query parameters of one request. */
#define URI_MAX_PARAMS 256

struct uri {
    const char *path;          /* decoded; "" when the target has none */
    const struct param *query; /* in the order sent, duplicates kept */
    size_t n_query;
    /* The first parameter named token, in any letter case, decoded; "" when
     * there is none. Tokens are not in query. */
    const char *token;
    /* After BAD_PARAM: the parameter at fault, fit to be shown. */
    const char *fault;
};

/* Splits and decodes REQUEST_URI. BAD_PARAM with out->fault set, and out->path
 * "" when it is the path; NOMEM. */
enum err
uri_parse(struct arena *a, const char *target, struct uri *out) MUST_USE;
/* The same by rules of the dialect, a set of enum uri_rule. */
enum err uri_parse_by(struct arena *a, const char *target, unsigned rules,
                      struct uri *out) MUST_USE;

/* A decoded copy of n bytes at p; plus: '+' is a blank. BAD_PARAM for a bad
 * escape, an escaped NUL, or when the result is not UTF-8. */
enum err uri_decode(struct arena *a, const char *p, size_t n, bool plus,
                    const char **out) MUST_USE;

/* Whether a parameter of that name carries a token. */
bool uri_is_token(const char *key);

#endif
