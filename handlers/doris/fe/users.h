/* Who may ask a front end: the lines of its user file. */
#ifndef MG_DORIS_FE_USERS_H
#define MG_DORIS_FE_USERS_H

#include "req.h"

/* dialect.h: basic. A right password is remembered for some seconds; wrong
 * ones are slow and may be tried [doris] fe_tries times a minute at all workers
 * of the host. Few wait for a slow hash; the next is told to come again. */
enum err doris_fe_users_check(struct req *r, const char *user,
                              const char *password) MUST_USE;

/* The one user of a new deployment, unless there are users. */
enum err doris_fe_users_make(void) MUST_USE;

#endif
