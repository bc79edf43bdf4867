/* The metadata store as the configuration names it. */
#ifndef MG_STORE_H
#define MG_STORE_H

#include "base.h"
#include "db.h"

/* Section [mysql] as the settings of db_init; the texts stay valid. Empty
 * hosts: the onebox's own MariaDB, RUN_DIR/s/mysql.sock, and its account
 * (include/own_store.h) unless the section names one. The password file is
 * read, and refused when others can read it; a failure is logged. */
enum err store_config(struct db_config *out) MUST_USE;

/* store_config and db_init: once per process, before threads. */
enum err store_open(void) MUST_USE;

/* Whether all connections go to one server. */
bool store_has_one_host(void);

#endif
