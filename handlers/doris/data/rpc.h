/* The room is what front and back ends change by RPC: tablets and their rowsets
 * (tablet.h, rowset.h), transactions that make them visible, jobs of
 * compaction and of schema changes (job.h).
 *
 * This header: what the handlers of RPCs share. The order of members in the
 * records of RPCs is that of the protobuf messages; members that nothing here
 * needs are not kept.
 *
 * Order of locks: the transaction's row, tablets by their ids, what belongs to
 * a tablet, versions of partitions and tables by their ids. */
#ifndef MG_DORIS_RPC_H
#define MG_DORIS_RPC_H

#include "doris/doris.h"

#define DORIS_BATCH 1024 /* tablets of one request */

#define RPC_CUID(X, s) \
    X(s, STR, cloud_unique_id, "cloud_unique_id", IN, -, .max = 512)

/* A record that is kept as its body: the statement gives one text. */
enum err doris_store_body(struct db *db, struct arena *a, const char *statement,
                          struct db_args args, const struct record *rec,
                          void *out) MUST_USE;

/* The instance of a request; `error` is how it is refused without one. */
enum err doris_rpc_instance(struct req *r, const char *cloud_unique_id,
                            int error, const char **out) MUST_USE;
/* How most of them begin: the checks of `in`, then the instance. */
enum err
doris_rpc_open(struct req *r, const void *in, const char *cloud_unique_id,
               int error, const char **out) MUST_USE;
/* The same for what makes new records: the instance stays until the end of
 * the transaction. */
enum err
doris_rpc_open_live(struct req *r, const void *in, const char *cloud_unique_id,
                    int error, const char **out) MUST_USE;
/* A tablet that is not there, as Doris says it, with the key. */
enum err doris_rpc_no_tablet(struct req *r, const char *instance_id,
                             int64_t tablet_id) MUST_USE;
/* A cloud_unique_id or label for messages. */
struct arg doris_rpc_cuid(const char *cloud_unique_id);

/* A success of a debug operation: protobuf text, or JSON when that is what
 * the client accepts. rec NULL: the status alone. */
enum err doris_send_text(struct req *r, const struct record *rec,
                         const void *out) MUST_USE;

#endif
