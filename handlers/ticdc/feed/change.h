/* The room is changefeeds as clients know them: made, shown, changed, stopped,
 * resumed, removed. What has to be asked of the source and of the sink is asked
 * before the transaction (ticdc_admit), so that none waits for another server.
 */
#ifndef TICDC_CHANGE_H
#define TICDC_CHANGE_H

#include "ticdc/feed/replica_config.h"
#include "ticdc/ticdc.h"

/* Hidden members: what ticdc_admit has found out for the handler. */
#define TICDC_FOUND(X, s)                                     \
    X(s, STR, found_config, "found_config", COLUMN_ONLY, -)   \
    X(s, STR, found_gtid, "found_gtid", COLUMN_ONLY, -)       \
    X(s, STR, found_file, "found_file", COLUMN_ONLY, -)       \
    X(s, U64, found_pos, "found_pos", COLUMN_ONLY, -)         \
    X(s, U64, found_anchor, "found_anchor", COLUMN_ONLY, -)   \
    X(s, U64, found_version, "found_version", COLUMN_ONLY, -) \
    X(s, BOOL, dry, "dry", COLUMN_ONLY, -)

#define TICDC_CREATE(X, s)                                                    \
    X(s, STR, changefeed_id, "changefeed_id", IN, -, .max = 1024,             \
      .doc = "letters, digits and single dashes between; a UUID when absent") \
    X(s, STR, namespace, "namespace", IN, -, .max = 1024)                     \
    X(s, STR, sink_uri, "sink_uri", IN | SECRET, -)                           \
    X(s, U64, start_ts, "start_ts", IN, -, .doc = "0: from now on")           \
    X(s, U64, target_ts, "target_ts", IN, -, .doc = "0: without an end")      \
    X(s, BOOL, force_replicate, "force_replicate", IN, -)                     \
    X(s, BOOL, ignore_ineligible_table, "ignore_ineligible_table", IN, -)     \
    X(s, BOOL, initial_snapshot, "initial_snapshot", IN, -,                   \
      .doc = "write the rows that are there first")                           \
    X(s, LIST, filter_rules, "filter_rules", IN, STR, .max = 1000)            \
    X(s, LIST, ignore_txn_start_ts, "ignore_txn_start_ts", IN, U64,           \
      .max = 10000)                                                           \
    X(s, I32, mounter_worker_num, "mounter_worker_num", IN, -, .min = 0,      \
      .max = 1024)                                                            \
    X(s, OBJ, sink_config, "sink_config", IN, ticdc_sink_config)              \
    X(s, STR, timezone, "timezone", IN, -, .max = 64)                         \
    X(s, STR, dry_run, "dry_run", IN | QUERY, -,                              \
      .doc = "1: all checks, nothing is changed")                             \
    TICDC_FOUND(X, s)
STRUCT(ticdc_create, TICDC_CREATE);

/* v2: the same as a replica_config says it. */
#define TICDC_CREATE_V2(X, s)                                                 \
    X(s, STR, changefeed_id, "changefeed_id", IN, -, .max = 1024,             \
      .doc = "letters, digits and single dashes between; a UUID when absent") \
    X(s, STR, namespace, "namespace", IN, -, .max = 1024)                     \
    X(s, STR, sink_uri, "sink_uri", IN | SECRET, -)                           \
    X(s, U64, start_ts, "start_ts", IN, -, .doc = "0: from now on")           \
    X(s, U64, target_ts, "target_ts", IN, -, .doc = "0: without an end")      \
    X(s, OBJ, replica_config, "replica_config", IN, ticdc_replica_config)     \
    X(s, STR, dry_run, "dry_run", IN | QUERY, -,                              \
      .doc = "1: all checks, nothing is changed")                             \
    X(s, OBJ, judged, "judged", COLUMN_ONLY, ticdc_create)
STRUCT(ticdc_create_v2, TICDC_CREATE_V2);

#define TICDC_UPDATE(X, s)                                               \
    TICDC_FEED_REF(X, s)                                                 \
    X(s, U64, target_ts, "target_ts", IN, -)                             \
    X(s, STR, sink_uri, "sink_uri", IN | SECRET, -)                      \
    X(s, LIST, filter_rules, "filter_rules", IN, STR, .max = 1000)       \
    X(s, LIST, ignore_txn_start_ts, "ignore_txn_start_ts", IN, U64,      \
      .max = 10000)                                                      \
    X(s, I32, mounter_worker_num, "mounter_worker_num", IN, -, .min = 0, \
      .max = 1024)                                                       \
    X(s, OBJ, sink_config, "sink_config", IN, ticdc_sink_config)         \
    X(s, STR, dry_run, "dry_run", IN | QUERY, -,                         \
      .doc = "1: all checks, nothing is changed")                        \
    TICDC_FOUND(X, s)
STRUCT(ticdc_update, TICDC_UPDATE);

#define TICDC_RESUME(X, s)                                                  \
    TICDC_FEED_WAIT(X, s)                                                   \
    X(s, U64, overwrite_ts, "overwrite_checkpoint_ts", IN, -,               \
      .doc = "go on from there instead: what lies between is passed over, " \
             "or comes again; 0: from the checkpoint")                      \
    TICDC_FOUND(X, s)
STRUCT(ticdc_resume, TICDC_RESUME);

/* The dialect's: what these three have to ask of other servers. */
enum err ticdc_admit(struct req *r, const void *in) MUST_USE;

/* Judged as by v1, with these settings; in->found_... and what is "now" are
 * filled in. */
enum err ticdc_create_judge(struct req *r, struct ticdc_create *in,
                            const struct ticdc_config *c) MUST_USE;
/* ... and made, unless it is a dry run: the answer is the caller's. */
enum err
ticdc_create_row(struct req *r, const struct ticdc_create *in) MUST_USE;

enum err
ticdc_create_v2_prepare(struct req *r, struct ticdc_create_v2 *in) MUST_USE;
enum err ticdc_create_prepare(struct req *r, struct ticdc_create *in) MUST_USE;
enum err ticdc_update_prepare(struct req *r, struct ticdc_update *in) MUST_USE;
enum err ticdc_resume_prepare(struct req *r, struct ticdc_resume *in) MUST_USE;

/* ---- rows ---- */

/* A new changefeed: of f the members that a client says and ticdc_admit has
 * found; its numbers are given out here. EXISTS when the id is taken. */
enum err ticdc_feed_insert(struct db *db, struct ticdc_feed *f) MUST_USE;
/* target_ts, sink_uri and config as f has them. STATE when it is not of that
 * version any more. */
enum err ticdc_feed_save(struct db *db, const struct ticdc_feed *f) MUST_USE;
/* It, and what is stored of it; ticdc_work stays for those who run. */
enum err ticdc_feed_delete(struct db *db, uint64_t feed) MUST_USE;
/* Where it goes on: gtid, file, pos, anchor_ts, and the checkpoint. How far its
 * tables were is forgotten, here and, from its present epoch on, in the sink.
 */
enum err ticdc_feed_rewind(struct db *db, const struct ticdc_feed *f) MUST_USE;
/* How many captures work for it, under any epoch but this one (0: any); how
 * many under this one. */
enum err ticdc_work_left(struct db *db, uint64_t feed, uint64_t but,
                         int64_t *out) MUST_USE;
enum err ticdc_work_begun(struct db *db, uint64_t feed, uint64_t epoch,
                          int64_t *out) MUST_USE;

/* The last attempts that have failed, the newest first. */
#define TICDC_FEED_ERROR(X, s)                    \
    X(s, I64, at_ms, "at_ms", COLUMN_ONLY, -)     \
    X(s, STR, code, "code", COLUMN_ONLY, -)       \
    X(s, STR, message, "message", COLUMN_ONLY, -) \
    X(s, STR, addr, "addr", COLUMN_ONLY, -)       \
    X(s, I64, again_ms, "again_ms", COLUMN_ONLY, -)
STRUCT(ticdc_feed_error, TICDC_FEED_ERROR);
LIST_OF(ticdc_feed_error);
enum err ticdc_feed_errors(struct db *db, struct arena *a, uint64_t feed,
                           struct list_of_ticdc_feed_error *out) MUST_USE;

#endif
