/* Shards as they are stored: what failover.h decides about, and who their
 * members are. Who watches over them (watch.c) and who makes, grows and shrinks
 * them (jobs) change a shard in one way: read, decide, write it back where it
 * still has the order that was read. */
#ifndef KUNLUN_SHARD_H
#define KUNLUN_SHARD_H

#include "kunlun/core/failover.h"
#include "db.h"
#include "instance.h"
#include "lease.h"
#include "record.h"

/* A shard with the instances of its members, in the order of s.member. */
struct kunlun_shard {
    int64_t id;
    const char *cluster, *name;
    struct fo_shard s;
    struct instance_spec spec[FO_MEMBERS];
};

/* Which of its members the instance is; FO_NOBODY. */
int kunlun_shard_member(const struct kunlun_shard *sh, const char *uuid);

/* The ids of all shards that are watched over, in order. */
struct kunlun_shard_ids {
    size_t n;
    const int64_t *v;
};
enum err kunlun_store_shard_ids(struct db *db, struct arena *a,
                                struct kunlun_shard_ids *out) MUST_USE;
/* Of one cluster. */
enum err
kunlun_store_shard_ids_of(struct db *db, struct arena *a, const char *cluster,
                          struct kunlun_shard_ids *out) MUST_USE;

/* A shard by its id; NOT_FOUND. */
enum err kunlun_store_shard(struct db *db, struct arena *a, int64_t id,
                            struct kunlun_shard *out) MUST_USE;
/* By its names. */
enum err
kunlun_store_shard_find(struct db *db, struct arena *a, const char *cluster,
                        const char *name, struct kunlun_shard *out) MUST_USE;

/* That which an instance is a member of, as its *i-th; NOT_FOUND. */
enum err kunlun_store_shard_of(struct db *db, struct arena *a, const char *uuid,
                               struct kunlun_shard *out, unsigned *i) MUST_USE;

/* Whether the instance may be ended, when it does not answer, by whoever has
 * its process: not while it may have what nobody else of its shard has, or is
 * the one whom clients write to. (struct dialect, may_end) */
bool kunlun_may_end(struct db *db, struct arena *a, const char *uuid);
/* Lets a member that its machine ends note what it has, so that it is a witness
 * when it is back. (struct dialect, before_end) */
void kunlun_before_end(struct arena *a, const struct instance_spec *s,
                       int timeout_ms);

/* A new one with its members; sets its id. EXISTS. Part of the caller's
 * transaction, as everything that writes here. */
enum err kunlun_store_shard_add(struct db *db, struct arena *a,
                                struct kunlun_shard *sh) MUST_USE;

/* Writes sh->s where the stored one has the order `was`; STATE when it has
 * another one by now. */
enum err
kunlun_store_shard_save(struct db *db, struct arena *a,
                        const struct kunlun_shard *sh, uint64_t was) MUST_USE;

/* Members at the end, not yet in any role, and the removal of one that is OUT
 * and leaving (those behind it move up: the order of s.member). */
enum err kunlun_store_member_add(struct db *db, struct arena *a,
                                 const struct kunlun_shard *sh,
                                 const struct instance_spec *spec) MUST_USE;
enum err kunlun_store_member_drop(struct db *db, const struct kunlun_shard *sh,
                                  unsigned i) MUST_USE;
enum err kunlun_store_shard_drop(struct db *db, int64_t id) MUST_USE;

/* ---- what is told of them ---- */

/* How a shard is, for people: written when it changes. */
enum err
kunlun_store_shard_verdict(struct db *db, int64_t id, enum fo_verdict verdict,
                           const char *sentence) MUST_USE;

/* A failover, and each step of it. */
#define KUNLUN_FAILOVER(X, s)                                                \
    X(s, I64, id, "id", OUT, -)                                              \
    X(s, I64, shard_id, "shard_id", OUT, -)                                  \
    X(s, STR, cluster, "cluster", OUT, -)                                    \
    X(s, STR, shard, "shard", OUT, -)                                        \
    X(s, U64, epoch, "epoch", OUT, -) /* that it led to */                   \
    X(s, STR, kind, "kind", OUT, -)   /* failover, forced, switch, resume */ \
    X(s, STR, was, "was", OUT, -)     /* the primary's address */            \
    X(s, STR, is, "is", OUT, -)                                              \
    X(s, STR, why, "why", OUT, -)                                            \
    X(s, JSON, seen, "seen", OUT, -)          /* each member's position */   \
    X(s, STR, chosen, "chosen", OUT, -)       /* why that one */             \
    X(s, STR, undecided, "undecided", OUT, -) /* what is not known */        \
    X(s, I64, suspected_ms, "suspected_ms", OUT, -)                          \
    X(s, I64, fenced_ms, "fenced_ms", OUT, -) /* nobody wrote any more */    \
    X(s, I64, decided_ms, "decided_ms", OUT, -)                              \
    X(s, I64, writable_ms, "writable_ms", OUT, -)                            \
    X(s, I64, pointed_ms, "pointed_ms", OUT, -) /* all computing nodes know */
STRUCT(kunlun_failover, KUNLUN_FAILOVER);
LIST_OF(kunlun_failover);
enum err kunlun_store_failover_add(struct db *db, int64_t shard_id,
                                   const struct kunlun_failover *f) MUST_USE;
/* The last one of the shard with that epoch is over. */
enum err
kunlun_store_failover_done(struct db *db, int64_t shard_id, uint64_t epoch,
                           int64_t writable_ms) MUST_USE;
/* ... and all of its cluster's computing nodes were told, when that is so. */
enum err
kunlun_store_failover_pointed(struct db *db, int64_t shard_id, uint64_t epoch,
                              int64_t pointed_ms) MUST_USE;
/* Of a cluster, or of one shard of it (NULL: all): the newest, which are at
 * most 100, first. */
enum err
kunlun_store_failovers_of(struct db *db, struct arena *a, const char *cluster,
                          const char *shard,
                          struct list_of_kunlun_failover *out) MUST_USE;
/* The newest first. */
enum err
kunlun_store_failovers(struct db *db, struct arena *a, int64_t shard_id,
                       struct list_of_kunlun_failover *out) MUST_USE;

#endif
