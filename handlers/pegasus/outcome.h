/* What an operation of a form came to, and its arguments in common. */
#ifndef PEGASUS_OUTCOME_H
#define PEGASUS_OUTCOME_H

#include "record.h"
#include "req.h"

/* What an operation came to; members behind the first two only with ERR_OK. */
#define PEGASUS_OUTCOME(X, s)                                         \
    X(s, STR, error, "error", OUT, -)                                 \
    X(s, STR, hint, "hint_message", OUT, -)                           \
    X(s, I32, app_id, "app_id", OUT, -)                               \
    X(s, STR, app_name, "app_name", OUT, -)                           \
    X(s, I32, old_max_replica_count, "old_max_replica_count", OUT, -) \
    X(s, STR, old_level, "old_level", OUT, -)                         \
    X(s, BOOL, allowed, "allowed", OUT, -)                            \
    X(s, BOOL, is_master, "is_master", OUT, -)                        \
    X(s, STR, primary_node, "primary_node", OUT, -)                   \
    X(s, I64, time, "time", OUT, -)                                   \
    X(s, STR, partitions, "partitions", OUT, -)                       \
    X(s, I64, ballot, "ballot", OUT, -)
STRUCT(pegasus_outcome, PEGASUS_OUTCOME);

/* {"error":"ERR_OK","hint_message":""}; the caller adds members. NULL without
 * memory. */
struct pegasus_outcome *pegasus_done(struct req *r);
/* Sends it. */
enum err pegasus_send(struct req *r, struct pegasus_outcome *out) MUST_USE;
/* Refusals with a sentence. */
enum err pegasus_invalid(struct req *r, const char *why) MUST_USE;
/* "2.0" to table and partition; false when it is no gpid. */
bool pegasus_gpid(const char *text, int32_t *app_id, int32_t *pidx);
/* The other way, into out, which is answered too. */
#define PEGASUS_GPID_BYTES 32
const char *
pegasus_gpid_text(int32_t app_id, int32_t pidx, char out[PEGASUS_GPID_BYTES]);
/* Whether text is a host:port that a node may have. */
bool pegasus_is_address(const char *text);

#endif
