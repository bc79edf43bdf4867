/* The room is what the interface and the captures know of each other: rows of
 * sql/0060, which README.md tells column by column. A *changefeed* goes by its
 * id in the interface and by its number, `feed`, everywhere else: an id may be
 * given again, a number is not.
 *
 * Who writes what. Clients change the changefeed itself (state, epoch, config)
 * and wish for things (rebalance, ticdc_move, liveness, resign_epoch). The
 * owner writes ticdc_table, under its lease. A capture writes its own rows,
 * and of a changefeed how far it is and why not further, each time with the
 * epoch that it works under. */
#ifndef TICDC_TABLES_H
#define TICDC_TABLES_H

#include "arena.h"
#include "db.h"
#include "record.h"
#include "ticdc/core/health.h"

/* The lease of who schedules. */
#define TICDC_OWNER_LEASE "ticdc.owner"

/* ---- changefeeds ---- */

#define TICDC_FEED(X, s)                                          \
    X(s, U64, feed, "feed", COLUMN_ONLY, -)                       \
    X(s, STR, namespace, "namespace", COLUMN_ONLY, -)             \
    X(s, STR, id, "id", COLUMN_ONLY, -)                           \
    X(s, U64, version, "version", COLUMN_ONLY, -)                 \
    X(s, U64, epoch, "epoch", COLUMN_ONLY, -)                     \
    X(s, U64, scheduled_epoch, "scheduled_epoch", COLUMN_ONLY, -) \
    X(s, STR, state, "state", COLUMN_ONLY, -)                     \
    X(s, STR, sink_uri, "sink_uri", COLUMN_ONLY | SECRET, -)      \
    X(s, STR, config, "config", COLUMN_ONLY | SECRET, -)          \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)                \
    X(s, U64, server_id, "server_id", COLUMN_ONLY, -)             \
    X(s, U64, start_ts, "start_ts", COLUMN_ONLY, -)               \
    X(s, U64, target_ts, "target_ts", COLUMN_ONLY, -)             \
    X(s, U64, checkpoint_ts, "checkpoint_ts", COLUMN_ONLY, -)     \
    X(s, U64, resolved_ts, "resolved_ts", COLUMN_ONLY, -)         \
    X(s, STR, gtid, "gtid", COLUMN_ONLY, -)                       \
    X(s, STR, file, "file", COLUMN_ONLY, -)                       \
    X(s, U64, pos, "pos", COLUMN_ONLY, -)                         \
    X(s, U64, anchor_ts, "anchor_ts", COLUMN_ONLY, -)             \
    X(s, STR, error_code, "error_code", COLUMN_ONLY, -)           \
    X(s, STR, error_message, "error_message", COLUMN_ONLY, -)     \
    X(s, STR, error_addr, "error_addr", COLUMN_ONLY, -)           \
    X(s, I64, error_ms, "error_ms", COLUMN_ONLY, -)               \
    X(s, I64, tries, "tries", COLUMN_ONLY, -)                     \
    X(s, I64, since_ms, "since_ms", COLUMN_ONLY, -)               \
    X(s, I64, again_ms, "again_ms", COLUMN_ONLY, -)               \
    X(s, U64, failed_at, "failed_at", COLUMN_ONLY, -)             \
    X(s, BOOL, rebalance, "rebalance", COLUMN_ONLY, -)            \
    X(s, I64, balanced_ms, "balanced_ms", COLUMN_ONLY, -)         \
    X(s, STR, creator_version, "creator_version", COLUMN_ONLY, -) \
    X(s, I64, create_ms, "create_ms", COLUMN_ONLY, -)             \
    X(s, I64, changed_ms, "changed_ms", COLUMN_ONLY, -)           \
    X(s, U64, rewound_epoch, "rewound_epoch", COLUMN_ONLY, -)
STRUCT(ticdc_feed, TICDC_FEED);
LIST_OF(ticdc_feed);

/* Bounds of what an owner reads at once. */
#define TICDC_FEEDS_MAX    10000
#define TICDC_CAPTURES_MAX 1000

/* The one of that id; NOT_FOUND. sink_uri and config are opened; a text that
 * cannot be is told by SHUT. */
enum err ticdc_feed_get(struct db *db, struct arena *a, const char *namespace,
                        const char *id, struct ticdc_feed *out) MUST_USE;
/* The one of that number; NOT_FOUND. */
enum err ticdc_feed_of(struct db *db, struct arena *a, uint64_t feed,
                       struct ticdc_feed *out) MUST_USE;
/* All of them, by namespace and id, without sink_uri and config. */
enum err ticdc_feed_list(struct db *db, struct arena *a,
                         struct list_of_ticdc_feed *out) MUST_USE;

/* Its state as health_step takes it; HEALTH__MAX as the state of a word that
 * is none. */
struct health ticdc_feed_health(const struct ticdc_feed *f);

/* Stores what health_step has made of it, under an epoch of its own when it
 * begins or ends to run; f becomes what is stored then. STATE when the row is
 * not as it was read. Part of the caller's transaction. */
enum err ticdc_feed_turn(struct db *db, struct ticdc_feed *f,
                         const struct health *now) MUST_USE;

/* ---- captures ---- */

#define TICDC_CAPTURE(X, s)                             \
    X(s, STR, capture_id, "capture_id", COLUMN_ONLY, -) \
    X(s, STR, name, "name", COLUMN_ONLY, -)             \
    X(s, STR, owner, "owner", COLUMN_ONLY, -)           \
    X(s, STR, address, "address", COLUMN_ONLY, -)       \
    X(s, STR, version, "version", COLUMN_ONLY, -)       \
    X(s, STR, git_hash, "git_hash", COLUMN_ONLY, -)     \
    X(s, I64, pid, "pid", COLUMN_ONLY, -)               \
    X(s, I64, started_ms, "started_ms", COLUMN_ONLY, -) \
    X(s, I64, liveness, "liveness", COLUMN_ONLY, -)     \
    X(s, STR, log_level, "log_level", COLUMN_ONLY, -)   \
    X(s, I64, expires_ms, "expires_ms", COLUMN_ONLY, -) \
    X(s, I64, now_ms, "now_ms", COLUMN_ONLY, -)
STRUCT(ticdc_capture, TICDC_CAPTURE);
LIST_OF(ticdc_capture);

/* Those whose lease has not ended, by their ids. */
enum err ticdc_capture_list(struct db *db, struct arena *a,
                            struct list_of_ticdc_capture *out) MUST_USE;

/* Who holds the owner's lease: absent members when nobody does, or its capture
 * is gone. */
#define TICDC_OWNER(X, s)                               \
    X(s, U64, epoch, "epoch", COLUMN_ONLY, -)           \
    X(s, STR, capture_id, "capture_id", COLUMN_ONLY, -) \
    X(s, U64, ready_epoch, "ready_epoch", COLUMN_ONLY, -)
STRUCT(ticdc_owner, TICDC_OWNER);

/* NOT_FOUND when there is no owner now: nobody has the lease, or who has it has
 * not yet written that it does, or its capture lives no more. */
enum err ticdc_owner_get(struct db *db, struct arena *a,
                         struct ticdc_owner *out) MUST_USE;

#endif
