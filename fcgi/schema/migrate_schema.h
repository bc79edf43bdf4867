/* The schema that migrations apply to: private to migrate*.c. */
#ifndef MG_MIGRATE_SCHEMA_H
#define MG_MIGRATE_SCHEMA_H

#include <stdio.h>

#include "base.h"

/* Creates it when it is absent. With dry_run only tells, and answers
 * NOT_FOUND then. */
enum err migrate_schema(bool dry_run, FILE *report) MUST_USE;

void migrate_pause(long ms);

#endif
