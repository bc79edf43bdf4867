/* Lists of checks: resolved once, run where the dialect runs them. */
#ifndef MG_CHECKS_H
#define MG_CHECKS_H

#include "endpoint.h"

/* Finds the members and compiles the expressions of a list. A wrong name or
 * expression is logged, INTERNAL. Once per list; a second call does nothing.
 */
enum err checks_resolve(const struct checks *c) MUST_USE;

/* Runs the list on the bound input: OK or what req_fail answered. */
enum err
checks_run(struct req *r, const struct checks *c, const void *in) MUST_USE;

#endif
