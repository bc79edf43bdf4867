/* db_init by the configuration: what every role of the binary calls. */
#ifndef MG_DB_START_H
#define MG_DB_START_H

#include "base.h"

/* [mysql] of config(), the onebox's own server when hosts is empty. Once per
 * process, before threads; logs what is wrong. db_fini ends it. */
enum err db_start(void) MUST_USE;

#endif
