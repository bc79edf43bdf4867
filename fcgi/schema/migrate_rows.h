/* The rows of schema_migration: private to migrate*.c. */
#ifndef MG_MIGRATE_ROWS_H
#define MG_MIGRATE_ROWS_H

#include "db.h"
#include "migrate_file.h"
#include "record.h"

#define MIGRATION_ROW(X, s)                             \
    X(s, I64, id, "id", COLUMN_ONLY, -)                 \
    X(s, I64, step, "step", COLUMN_ONLY, -)             \
    X(s, I64, min_reader, "min_reader", COLUMN_ONLY, -) \
    X(s, STR, digest, "digest", COLUMN_ONLY, -)         \
    X(s, STR, server, "server", COLUMN_ONLY, -)         \
    X(s, U64, session_id, "session_id", COLUMN_ONLY, -) \
    X(s, I64, age_ms, "age_ms", COLUMN_ONLY, -)         \
    X(s, I64, finished_ms, "finished_ms", COLUMN_ONLY, -)
STRUCT(migration_row, MIGRATION_ROW);

LIST_OF(migration_row); /* by id and step */

/* The deployment that the schema belongs to; NOT_FOUND: none yet. */
enum err
migration_owner(struct db *db, struct arena *a, const char **out) MUST_USE;

enum err migration_rows(struct db *db, struct arena *a,
                        struct list_of_migration_row *out) MUST_USE;

/* The row of a step (from 1); NULL when there is none. */
const struct migration_row *
migration_row_find(const struct list_of_migration_row *rows, unsigned id,
                   size_t step);

/* Whether the row says that the step was finished. */
bool migration_row_done(const struct migration_row *row);

#endif
