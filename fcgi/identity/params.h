/* FastCGI parameters: "NAME=value" texts as the front end sent them. */
#ifndef MG_PARAMS_H
#define MG_PARAMS_H

#include "base.h"

/* The first of that name; "" when absent. */
const char *params_get(char *const *params, const char *name);

/* Whether handlers may see it: nothing that may carry a token or MG_SECRET,
 * HTTP_AUTHORIZATION only where listeners have users of their own (basic). */
bool params_shown(const char *name, bool basic);

#endif
