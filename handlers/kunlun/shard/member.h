/* A member of a shard, as failover.h sees and tells it: a storage instance that
 * runs, asked and told over a connection of its own.
 *
 * What it was told last (the order, and the ticket) lies in the instance
 * itself, outside of its binlog, and is compared there at the moment of the
 * effect, under a lock of that server. Whoever is late finds a higher order;
 * whoever stands still while he has the lock is disconnected.
 *
 * Each member follows with an account of its own, which its primary makes,
 * locks and unlocks: so one can be shut out for certain. */
#ifndef KUNLUN_MEMBER_H
#define KUNLUN_MEMBER_H

#include "kunlun/core/failover.h"
#include "arena.h"
#include "instance.h"

struct my;

struct member {
    const struct instance_spec *spec;
    struct my *my;        /* NULL: not connected */
    int64_t seen_ms;      /* monotonic; when it last answered, at first: now */
    unsigned refused;     /* connections in a row that its host has refused */
    unsigned missed;      /* answers in a row that did not come */
    uint64_t heard;       /* of its source: struct instance_replica ... */
    int64_t heard_ms;     /* ... monotonic; since when it is this; 0 */
    int64_t apart_ms;     /* monotonic; since when it is not connected; 0 */
    struct fo_gtid wrote; /* a full one: all that it has ... */
    int64_t wrote_ms;     /* ... monotonic; since when it is this */
    char why[WHY_BYTES];  /* of the last failure */
};

/* So long one may be told something: to stop receiving it takes a second when
 * its source stands still (rpl_semi_sync_slave_kill_conn_timeout). */
#define MEMBER_TELL_MS 4000

/* Hangs up. */
void member_close(struct member *m);

/* Asks it, at most timeout_ms, or 1.5 s where it has to be connected to first:
 * *out, of which `ended` is left alone,
 * `silent_ms` counts by our clock, and `shut` has bit i for others[i]. It is
 * never more than unanswered. Where nobody listens any more it counts as silent
 * for long at the second refusal. One that did not answer the last time is
 * mostly not waited for as long: it has to begin to talk within 200 ms. Its
 * disk is full when somebody there waits for room, or the server has none for
 * what it is asked. */
void member_see(struct member *m, struct arena *a,
                const struct instance_spec *const others[], unsigned n,
                int timeout_ms, struct fo_seen *out);

/* Does what the action says, of all kinds but REBUILD (STATE). s,
 * others: of the shard. STATE: it was told a higher order, or is another run of
 * the server than PROMOTE is for, or its applying thread does not run
 * (STOP_RECEIVING). PEER, TIMEOUT: it did not answer. m->why has the rest. */
enum err member_tell(struct member *m, struct arena *a,
                     const struct fo_action *act, const struct fo_shard *s,
                     const struct instance_spec *const others[],
                     int timeout_ms) MUST_USE;

/* Before its machine ends it in order: it is told nothing more for a minute,
 * writes and receives nothing more, and notes what it has when that is all
 * (struct fo_mark), at most timeout_ms. An error: it has noted nothing, and may
 * be no witness when it is started again; m->why. */
enum err
member_take_leave(struct member *m, struct arena *a, int timeout_ms) MUST_USE;

/* Its data are another member's copy: what that was told is not what it was.
 * From now on it takes orders from that one on, and tickets above it. */
enum err member_begin_anew(struct member *m, struct arena *a, uint64_t order,
                           int timeout_ms) MUST_USE;

#endif
