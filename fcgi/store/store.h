/* The room is THE metadata store, on mysql/, of which any server is a client:
 * one connection a thread, tried again elsewhere and waited for (db_link.c),
 * transactions (db_tx.c), statements that leave together (db_batch.c), what a
 * failure means for both (db_fail.c). Its words are in include/: a *statement*
 * is a constant text with `?` (db.h); a *COMMIT settled* is one whose reply was
 * lost and whose outcome was looked up; a *lease* (lease.h) is a name that one
 * process has, by an *epoch* that each transaction under it checks; an *audit
 * row* tells what a request has changed and goes with its COMMIT.
 *
 * This header: the metadata store as the configuration names it. */
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
