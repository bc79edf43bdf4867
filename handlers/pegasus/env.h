/* Variables of a table: which there are, and what they may hold. */
#ifndef PEGASUS_ENV_H
#define PEGASUS_ENV_H

#include "pegasus.h"

/* OK, or a refusal with the hint of the first pair that is not valid. */
enum err
pg_env_judge(struct req *r, const struct map_of_STR *v, size_t n) MUST_USE;

/* The value of a key; NULL when absent. */
const char *pg_env_find(const struct map_of_STR *v, size_t n, const char *key);

/* Whether a pair is valid; else the hint, in the arena. */
const char *pg_env_hint(struct arena *a, const char *key, const char *value);

#endif
