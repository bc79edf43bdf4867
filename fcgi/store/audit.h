/* The audit row of a mutation, written in its transaction. */
#ifndef MG_AUDIT_H
#define MG_AUDIT_H

#include "db.h"

/* Most bytes of a JSON text; a longer one is told by the note instead. */
#define AUDIT_JSON_BYTES 65536
#define AUDIT_TOO_LONG   "{\"truncated\":true,\"limit_bytes\":65536}"

struct audit {
    const char *request_id; /* unique; also how COMMIT's outcome is found */
    const char *token_name;
    const char *listener, *operation, *target;
    const char *request;        /* JSON, secrets masked */
    const char *before, *after; /* the same; NULL: created, removed */
};

/* Inserts the row; call it inside the transaction, last before db_end. The
 * request id must be the one given to db_request_id. A name
 * longer than its column is cut. */
enum err audit_write(struct db *db, const struct audit *a) MUST_USE;

/* Deletes at most `batch` rows older than keep_days; *out = how many went. */
enum err audit_purge(struct db *db, unsigned keep_days, unsigned batch,
                     uint64_t *out) MUST_USE;

#endif
