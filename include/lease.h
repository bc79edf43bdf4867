/* Room: store/ */
/* Leases: rows that say who may do a duty now, on the database's clock. The
 * epoch grows with every taker; it is the fencing token that each write under
 * the lease, and each call to a machine, carries. Who prolongs what: `control`
 * those of its duties (command/control.c), in the loop that also takes them,
 * so that a process of many leases needs one thread and one connection for
 * them; a lease_keeper (store/lease_keeper.h) that of a migration or of a
 * rotation of keys, whose one thread is busy, and that of a duty whose lease is
 * shorter than the loop may be held up. Jobs have theirs in rows
 * of their own, which also tell who performs them of a wish to cancel; their
 * pool prolongs all of them in one thread (job.h). So have, in the dialects,
 * captures and archives of binlogs, which prolong them in their own loops. */
#ifndef MG_LEASE_H
#define MG_LEASE_H

#include <stdatomic.h>

#include "base.h"
#include "db.h"
#include "record.h"

/* What a lease's keeper knows of its end, by this host's clock: it writes it,
 * whoever has a copy of the lease reads it, also one who was left behind. */
struct lease_time {
    atomic_bool over;
    _Atomic int64_t asked_ms; /* monotonic: before it was last asked for */
};

struct lease {
    const char *name;  /* "schema.migrate": at most 64 characters */
    const char *owner; /* who has it (lease_owner): at most 128 characters */
    int64_t ttl_ms; /* 10 s or more, but for duties with a time of their own */
    uint64_t epoch; /* set by lease_take */
    /* NULL: the store alone knows its end. It outlives the lease's copies. */
    const struct lease_time *time;
};

/* Takes it when it is free or has expired: BUSY when another has it. */
enum err lease_take(struct db *db, struct lease *l) MUST_USE;

/* As lease_take, but also from the same owner: one that was killed goes on
 * under its identity, with a new epoch. */
enum err lease_retake(struct db *db, struct lease *l) MUST_USE;

/* Notes since when it is held, for people: after it was taken. It changes
 * nothing for anybody, so that a failure may be passed over. */
enum err lease_note(struct db *db, const struct lease *l) MUST_USE;

/* An owner is a name and the identity of its host, "m1@host/3f…": the same
 * name in another RUN_DIR, on another machine or before a boot is a stranger.
 */
#define LEASE_OWNER_BYTES 129
void lease_owner(const char *name, char out[LEASE_OWNER_BYTES]);
/* How long the name in such an owner is; the identity of the host begins behind
 * the '@' that follows, if one does. */
size_t lease_owner_name(const char *owner);

/* Prolongs it from now on: STATE when another has taken it. */
enum err lease_renew(struct db *db, const struct lease *l) MUST_USE;

/* Whether it has certainly not ended: what is done under it outside of a
 * transaction is done only then. Always so when nobody keeps it. */
bool lease_lasts(const struct lease *l);

/* Inside a transaction: nobody can take the lease before its end; STATE when
 * somebody has, or might have (lease_lasts). First statement of every
 * transaction under the lease. */
enum err lease_hold(struct db *db, const struct lease *l) MUST_USE;
/* db_begin() and lease_hold(): a transaction under the lease, ended by db_end()
 * whatever this answers. */
enum err lease_begin(struct db *db, const struct lease *l) MUST_USE;

/* Every lease that was ever taken, in the arena. */
#define LEASE_ROW(X, s)                                 \
    X(s, STR, name, "name", COLUMN_ONLY, -)             \
    X(s, STR, owner, "owner", COLUMN_ONLY, -)           \
    X(s, U64, epoch, "epoch", COLUMN_ONLY, -)           \
    X(s, I64, expires_ms, "expires_ms", COLUMN_ONLY, -) \
    X(s, I64, now_ms, "now_ms", COLUMN_ONLY, -)
STRUCT(lease_row, LEASE_ROW);
LIST_OF(lease_row);
enum err lease_list(struct db *db, struct arena *a,
                    struct list_of_lease_row *out) MUST_USE;
/* Takes it from whoever had it when the row was read: BUSY when the row is
 * another by now. For one who has seen it unrenewed for its whole time, by
 * its own clock: the store's may have gone back. */
enum err lease_take_seen(struct db *db, struct lease *l,
                         const struct lease_row *seen) MUST_USE;
/* The one of that name; NULL when nobody ever had it. */
const struct lease_row *
lease_find(const struct list_of_lease_row *rows, const char *name);

/* Gives it back; another takes it at once. */
enum err lease_release(struct db *db, const struct lease *l) MUST_USE;

#endif
