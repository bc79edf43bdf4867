/* The audit row of a request, from what its handler has said. */
#ifndef MG_REQ_AUDIT_H
#define MG_REQ_AUDIT_H

#include "req.h"

struct audit;

/* What it says, in the request's arena. NOMEM when there was no memory for what
 * was said; the row does not say less than it must. */
enum err req_audit_row(struct req *r, struct audit *out) MUST_USE;

/* Writes it: last in the transaction. */
enum err req_audit_write(struct req *r) MUST_USE;

#endif
