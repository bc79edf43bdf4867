/* The audit row of a mutation, written in its transaction. */
#ifndef MG_AUDIT_H
#define MG_AUDIT_H

#include "db.h"

struct audit {
    const char *request_id; /* unique; also how COMMIT's outcome is found */
    const char *token_name;
    const char *listener, *operation, *target;
    const char *request; /* JSON, secrets masked */
    const char *before, *after; /* may be NULL */
};

/* Inserts the row; call it inside the transaction, last before db_end. */
enum err audit_write(struct db *db, const struct audit *a) MUST_USE;

#endif
