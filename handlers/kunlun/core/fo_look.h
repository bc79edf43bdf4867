/* One look at a shard (failover.h): what its parts share. */
#ifndef KUNLUN_FO_LOOK_H
#define KUNLUN_FO_LOOK_H

#include "failover.h"

struct fo_look {
    struct fo_shard *s;
    const struct fo_seen *seen;
    const struct fo_rules *rules;
    int64_t now_ms;
    struct fo_plan *plan;
};

/* ---- what comes of it ---- */

void fo_act(struct fo_look *l, enum fo_action_kind kind, int member, int whom,
            uint64_t ticket);
void
fo_say(struct fo_look *l, enum fo_verdict verdict, enum fo_why why, int about);

/* The order of what is changed in this look: one more than what was stored. */
uint64_t fo_change(struct fo_look *l);

/* Whatever is acknowledged until now is at or below that position. */
void fo_raise_base(struct fo_look *l, struct fo_gtid at);

/* IN from now on, with a new ticket. What it may have acknowledged before is
 * covered by base: the caller sees to that. */
void fo_tell_to_follow(struct fo_look *l, unsigned i, uint64_t start);

/* The primary is well: who may follow it, and who may not any more. */
void fo_look_at_followers(struct fo_look *l);
/* ... and says so when no commit can be acknowledged by any of them. */
void fo_look_who_acknowledges(struct fo_look *l);

/* ---- positions ---- */

bool fo_same(struct fo_gtid a, struct fo_gtid b);
/* a has all of b, as far as two positions can tell. */
bool fo_covers(struct fo_gtid a, struct fo_gtid b);

/* ---- what a member is now ---- */

bool fo_is_in(const struct fo_shard *s, unsigned i);
/* The run of replication that it was told to begin goes on, or has not begun:
 * it has all that it has acknowledged under its ticket. */
bool fo_unbroken(const struct fo_member *m, const struct fo_seen *o);
/* It was ended in order, and has what it noted then: all that it had in the run
 * that its role is about; of a replica also what it is IN by. */
bool fo_ended_whole(const struct fo_member *m, const struct fo_seen *o);
/* It has all that it has acknowledged under its ticket, or has nothing
 * acknowledged under it. */
bool fo_is_witness(const struct fo_member *m, const struct fo_seen *o);
/* It receives, applies, and acknowledges: what the shard needs one of. */
bool fo_serves(const struct fo_member *m, const struct fo_seen *o);
bool fo_another_serves(const struct fo_look *l, unsigned but);

#endif
