/* The schema of the metadata store. A migration is a file of sql/, numbered and
 * never changed; it consists of steps, each of which says how one sees that it
 * was done. Steps are written down before and after they run, under a lease,
 * so that a migrator that is killed is followed by another that goes on:
 * sql/README.md. Migrating is a command; every other process only asks whether
 * the schema is its own and new enough. */
#ifndef MG_MIGRATE_H
#define MG_MIGRATE_H

#include <stdio.h>

#include "base.h"
#include "db.h"

/* Whether this process may work on the schema that db reaches: it belongs to
 * the deployment, all our migrations are done, and none that it has demands
 * a newer reader. With a sentence in why that says what to do: STATE when it
 * never may, BUSY while a migration is missing; STORE when the server cannot
 * be asked. */
enum err migrate_check(struct db *db, const char *deployment_id,
                       char why[WHY_BYTES]) MUST_USE;

/* Creates the schema when it is absent and applies what is not done. Several
 * at once take turns. DENIED when it belongs to another deployment. With
 * dry_run only says on `report` what would be done. db_init has been called,
 * with a read time-out of 0: DDL takes its time. Failures are said on `report`.
 */
enum err
migrate_run(const char *deployment_id, bool dry_run, FILE *report) MUST_USE;

/* The version of the schema that this binary knows: the highest number of its
 * migrations. */
unsigned migrate_version(void);

#endif
