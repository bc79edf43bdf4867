/* Room: config/ */
/* Where the store is, as [mysql] says it: on the hosts that are named there,
 * or, when none is, the onebox's own MariaDB. That one has an account for our
 * processes: `up` makes it, with the grants that any store gives us; its
 * administrator is the account that owns RUN_DIR, by the socket. */
#ifndef MG_OWN_STORE_H
#define MG_OWN_STORE_H

#include "base.h"

#define OWN_STORE_USER     "metagate_app"
#define OWN_STORE_PASSWORD "mysql.password" /* in RUN_DIR, 0600, hex */

/* All that any role of ours ever does in its database. */
#define STORE_GRANTS \
    "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES," \
    " CREATE VIEW"

/* Whether the store is the onebox's own. */
bool own_store(void);

/* Where the onebox's own listens by TCP, "NET.1:port"; false when there is
 * none, or when its socket is all that it has. */
bool own_store_address(char *out, size_t size);

/* Where our processes find the store: "host:port" and "unix:/path",
 * comma-separated, without blanks. LIMIT when it does not fit. */
enum err store_hosts(char *out, size_t size) MUST_USE;

/* The i-th schema that a dialect has beside [mysql] database; NULL past the
 * last. */
const char *const *own_schema(size_t i);

#endif
