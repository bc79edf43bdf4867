/* Room: config/ */
/* The account of our processes in the onebox's own MariaDB: `up` makes it,
 * with the grants that any store gives us; the administrator is the account
 * that owns RUN_DIR, by the socket. */
#ifndef MG_OWN_STORE_H
#define MG_OWN_STORE_H

#define OWN_STORE_USER     "metagate_app"
#define OWN_STORE_PASSWORD "mysql.password" /* in RUN_DIR, 0600, hex */

/* All that any role of ours ever does in its database. */
#define STORE_GRANTS \
    "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES"

#endif
