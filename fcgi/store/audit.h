/* The audit row of a mutation, written in its transaction. */
#ifndef MG_AUDIT_H
#define MG_AUDIT_H

#include "db.h"

/* Most bytes of a JSON text; a longer one is told by the note instead. */
#define AUDIT_JSON_BYTES 65536
#define AUDIT_TOO_LONG   "{\"truncated\":true,\"limit_bytes\":65536}"

struct audit {
    const char *request_id; /* unique; also how COMMIT's outcome is found */
    /* What the client calls the request by, and its trace; NULL, "": nothing */
    const char *client_request_id, *trace_id;
    const char *token_name;
    const char *listener, *operation, *target;
    const char *request;        /* JSON, secrets masked */
    const char *before, *after; /* the same; NULL: created, removed */
    bool data;                  /* of the data path: kept for a shorter time */
};

/* Inserts the row; call it inside the transaction, last before db_end. The
 * request id must be the one given to db_request_id. A name
 * longer than its column is cut. */
enum err audit_write(struct db *db, const struct audit *a) MUST_USE;

/* The upkeep; each in a transaction that holds the lease cluster.audit, by
 * which the size below is right. */

/* Counts at most `batch` rows that were not counted yet (*n of them), some
 * minutes old; *bytes = the size of all that were. */
enum err audit_measure(struct db *db, unsigned batch, int64_t *bytes,
                       uint64_t *n) MUST_USE;

/* Deletes the oldest rows of the data path, or of all else, that are older
 * than that: about `batch` (those of one millisecond go together); *n = how
 * many. */
enum err audit_purge(struct db *db, bool data, int64_t older_ms, unsigned batch,
                     uint64_t *n) MUST_USE;

#endif
