/* The decision about a shard's primary. */
#include "failover.h"

#include <string.h>

#include "fo_look.h"

const struct fo_rules fo_default_rules = {
    .silent_ms = 1300,
    .evict_ms = 1000,
    .patience_ms = 3000,
    .quiet_ms = 600000,
    .flaps = 5,
};

static const char *const why_texts[FO_WHY__MAX] = {
    [FO_WHY_NONE] = "",
    [FO_WHY_PRIMARY_ENDED] = "was primary, and its server has ended",
    [FO_WHY_PRIMARY_SILENT] = "is primary, and nobody reaches it",
    [FO_WHY_PRIMARY_UNSEEN] = "is primary and does not answer here, but its"
                              " replicas hear from it",
    [FO_WHY_PRIMARY_ENDS] = "is primary, and is being stopped",
    [FO_WHY_PRIMARY_FULL] = "is primary, and writes nothing: its disk is full",
    [FO_WHY_ALL_FULL] = "is primary, and its disk is full, and nobody who has"
                        " room can take its place",
    [FO_WHY_NOT_WRITABLE] = "is primary, and does not take writes yet",
    [FO_WHY_MEMBER_SILENT] = "may hold what nobody else has, and does not"
                             " answer",
    [FO_WHY_MEMBER_BROKEN] = "may have lost what nobody else has: its"
                             " replication was restarted",
    [FO_WHY_MEMBER_APPLIES] = "has most, and is still applying it",
    [FO_WHY_MEMBER_FAILS] = "has most, and cannot apply it",
    [FO_WHY_MEMBER_FULL] = "has most, and cannot apply it: its disk is full",
    [FO_WHY_BELOW_BASE] = "has most, but not all that was acknowledged",
    [FO_WHY_DIVERGED] = "has another history than the others",
    [FO_WHY_NO_CANDIDATE] = "was primary, and nobody can take its place",
    [FO_WHY_NO_ACK] = "does not acknowledge, nor does any other replica:"
                      " writes wait until one does",
    [FO_WHY_NO_ACK_STOPPED] = "is stopped, and no other replica acknowledges:"
                              " writes wait until it is started again",
    [FO_WHY_SWITCH] = "is to be primary, and has not applied everything yet",
};

const char *
fo_verdict_name(enum fo_verdict verdict)
{
    static const char *const names[] = {
        [FO_FINE] = "fine",         [FO_WAITS] = "waits",
        [FO_SUSPECTS] = "suspects", [FO_WORKS] = "works",
        [FO_PAUSED] = "paused",     [FO_FLAPS] = "flaps",
        [FO_UNSAFE] = "unsafe",
    };

    return names[verdict];
}

const char *
fo_why_text(enum fo_why why)
{
    return why_texts[why];
}

/* ---- a new primary ---- */

/* c is primary from now on. Whoever is usable follows it, what it has is
 * covered by base; all others are out: none of them follows c by itself. */
static void
appoint(struct fo_look *l, int c, struct fo_gtid most, const bool usable[])
{
    struct fo_shard *s = l->s;
    int old = s->primary;

    (void)fo_change(l);
    s->epoch++;
    s->primary = c;
    s->fencing = false;
    s->force = false;
    s->switch_to = FO_NOBODY;
    fo_raise_base(l, most);
    s->member[c] = (struct fo_member){
        .role = FO_PRIMARY,
        .start = l->seen[c].start,
        .leaving = s->member[c].leaving,
    };
    fo_act(l, FO_PROMOTE, c, FO_NOBODY, 0);
    for (unsigned i = 0; i < s->n; i++) {
        struct fo_member *m = &s->member[i];

        if ((int)i == c)
            continue;
        if (usable[i])
            fo_tell_to_follow(l, i, l->seen[i].start);
        else if (m->role == FO_IN || (int)i == old)
            *m = (struct fo_member){ .role = FO_OUT, .leaving = m->leaving };
    }
    l->plan->decided = true;
}

static void
count_failover(struct fo_look *l)
{
    struct fo_shard *s = l->s;

    if (l->now_ms - s->failed_over_ms >= l->rules->quiet_ms)
        s->failovers = 0;
    s->failovers++;
    s->failed_over_ms = l->now_ms;
}

/* The server that was primary, when it is back: a candidate like the others,
 * never a better one, since it may have dropped its newest rows. One of no
 * others may be writable again by itself. */
static bool
old_primary_is_back(const struct fo_look *l)
{
    const struct fo_seen *o = &l->seen[l->s->primary];

    return o->answered && !o->ends && (!o->writable || l->s->n == 1) &&
           (o->ended || o->start != l->s->member[l->s->primary].start);
}

static bool
primary_is_certainly_over(const struct fo_look *l)
{
    const struct fo_seen *o = &l->seen[l->s->primary];

    return o->ended ||
           (o->answered && o->start != l->s->member[l->s->primary].start);
}

/* The primary leads on: its replicas go on. Who has stopped to receive by now,
 * or does when an order comes late, is told to begin again. */
static void
lead_on(struct fo_look *l)
{
    struct fo_shard *s = l->s;

    (void)fo_change(l);
    s->epoch++;
    s->fencing = false;
    s->force = false;
    for (unsigned i = 0; i < s->n; i++)
        s->member[i].fence = 0;
}

/* Its server was ended in order and started again, and has all that it ever
 * wrote: nobody else can have more. */
static bool
old_primary_is_whole(const struct fo_look *l)
{
    const struct fo_member *m = &l->s->member[l->s->primary];
    const struct fo_seen *o = &l->seen[l->s->primary];

    return o->start != m->start && !o->ends && fo_ended_whole(m, o);
}

/* It goes on where it was, and so does who follows it. */
static void
lead_again(struct fo_look *l)
{
    struct fo_shard *s = l->s;

    lead_on(l);
    s->member[s->primary].start = l->seen[s->primary].start;
    fo_say(l, FO_WORKS, FO_WHY_NOT_WRITABLE, s->primary);
    fo_act(l, FO_PROMOTE, s->primary, FO_NOBODY, 0);
    l->plan->decided = true;
}

/* It may have lost what it had: it is no witness any more. */
static bool
lose(struct fo_look *l, unsigned i)
{
    if (!l->s->member[i].broken)
        (void)fo_change(l);
    l->s->member[i].broken = true;
    fo_say(l, FO_UNSAFE, FO_WHY_MEMBER_BROKEN, (int)i);
    return false;
}

/* Why another one is looked for. */
static enum fo_why
why_over(const struct fo_look *l)
{
    return l->seen[l->s->primary].full ? FO_WHY_PRIMARY_FULL
                                       : FO_WHY_PRIMARY_ENDED;
}

/* Makes a witness stop to receive. Usable when it has stopped, was told so (an
 * older FOLLOW that is still under way is refused then), and has what it had
 * before. */
static bool
fence(struct fo_look *l, unsigned i)
{
    struct fo_member *m = &l->s->member[i];
    const struct fo_seen *o = &l->seen[i];
    /* its receiver stopped, a relay log that cannot be applied is dropped: it
     * counts as it is, when there is nobody to fence it from */
    bool as_it_is = o->broken && primary_is_certainly_over(l);

    if (!o->answered) {
        bool waits = l->now_ms - l->s->fencing_ms < l->rules->patience_ms;

        fo_say(l, waits ? FO_WORKS : FO_UNSAFE, FO_WHY_MEMBER_SILENT, (int)i);
        return false;
    }
    if (!fo_is_witness(m, o) ||
        (m->fence != 0 && !fo_covers(o->received, m->floor)))
        return lose(l, i);
    if (m->fence != 0 && o->order >= m->fence && (!o->io || as_it_is))
        return true;
    if (o->broken && !as_it_is) {
        fo_say(l, FO_UNSAFE, FO_WHY_MEMBER_FAILS, (int)i);
        return false;
    }
    fo_say(l, FO_WORKS, why_over(l), l->s->primary);
    if (!o->applying && !as_it_is && o->io) {
        fo_act(l, FO_START_APPLYING, (int)i, FO_NOBODY, 0);
        return false;
    }
    if (m->fence == 0) {
        m->fence = fo_change(l);
        m->floor = o->received;
    }
    fo_act(l, as_it_is || !o->io ? FO_NOTE : FO_STOP_RECEIVING, (int)i,
           FO_NOBODY, 0);
    return false;
}

/* All replicas that are in; false: not now, and it has been said why, the
 * worst of it. */
static bool
fence_all(struct fo_look *l, bool usable[])
{
    struct fo_plan worst = { .verdict = FO_FINE };
    bool all = true;

    for (unsigned i = 0; i < l->s->n; i++) {
        usable[i] = fo_is_in(l->s, i) && fence(l, i);
        if (!fo_is_in(l->s, i) || usable[i])
            continue;
        all = false;
        if (l->plan->verdict > worst.verdict) {
            worst.verdict = l->plan->verdict;
            worst.why = l->plan->why;
            worst.about = l->plan->about;
        }
    }
    if (!all)
        fo_say(l, worst.verdict, worst.why, worst.about);
    return all;
}

/* Who has most. false: two histories. */
static bool
find_most(struct fo_look *l, const bool usable[], int *who)
{
    *who = FO_NOBODY;
    for (unsigned i = 0; i < l->s->n; i++) {
        const struct fo_gtid *at = &l->seen[i].received;

        if (!usable[i])
            continue;
        if (*who == FO_NOBODY || at->seq > l->seen[*who].received.seq) {
            *who = (int)i;
        } else if (at->seq == l->seen[*who].received.seq && !l->s->force &&
                   !fo_same(*at, l->seen[*who].received)) {
            fo_say(l, FO_UNSAFE, FO_WHY_DIVERGED, (int)i);
            return false;
        }
    }
    return true;
}

/* The better of two that have the same. */
static bool
better(const struct fo_seen *a, const struct fo_seen *b)
{
    if (fo_same(a->applied, a->received) != fo_same(b->applied, b->received))
        return fo_same(a->applied, a->received);
    return !a->full && b->full;
}

/* Of those that have `most`, one that applies it; NOBODY. One that receives
 * nothing more, and whose applying thread has ended, never will: what it has
 * not applied is dropped when that thread begins again. */
static int
candidate(const struct fo_look *l, const bool usable[], struct fo_gtid most)
{
    int c = FO_NOBODY;

    for (unsigned i = 0; i < l->s->n; i++) {
        const struct fo_seen *o = &l->seen[i];

        if (!usable[i] || l->s->member[i].leaving || o->ends ||
            (!o->applying && !fo_same(o->applied, most)) ||
            !fo_same(o->received, most))
            continue;
        if (c == FO_NOBODY || better(o, &l->seen[c]))
            c = (int)i;
    }
    return c;
}

/* All of them were ended in order, as it seems the primary too, which is best
 * waited for: it need not be copied anew then. */
static bool
may_come_back(const struct fo_look *l, const bool usable[])
{
    if (l->s->force || l->seen[l->s->primary].answered ||
        l->now_ms - l->s->fencing_ms >= l->rules->patience_ms)
        return false;
    for (unsigned i = 0; i < l->s->n; i++)
        if (usable[i] && l->seen[i].start == l->s->member[i].start)
            return false;
    return true;
}

static void
choose(struct fo_look *l, const bool usable[])
{
    struct fo_shard *s = l->s;
    const struct fo_seen *old = &l->seen[s->primary];
    struct fo_gtid most = { 0 };
    int who, c = FO_NOBODY;

    if (!find_most(l, usable, &who))
        return;
    if (who != FO_NOBODY)
        most = l->seen[who].received;
    if (who != FO_NOBODY && (s->force || fo_covers(most, s->base)))
        c = candidate(l, usable, most);
    if (c == FO_NOBODY && old_primary_is_back(l) &&
        fo_covers(old->applied, most) &&
        (s->force || fo_covers(old->applied, s->base))) {
        most = old->applied;
        c = s->primary;
    }
    if (c == FO_NOBODY && who == FO_NOBODY) {
        fo_say(l, s->n == 1 ? FO_WORKS : FO_UNSAFE, FO_WHY_NO_CANDIDATE,
               s->primary);
    } else if (c == FO_NOBODY) {
        fo_say(l, FO_UNSAFE,
               fo_covers(most, s->base) ? FO_WHY_MEMBER_FAILS
                                        : FO_WHY_BELOW_BASE,
               who);
    } else if (c != s->primary && !fo_same(l->seen[c].applied, most)) {
        fo_say(l, l->seen[c].full ? FO_UNSAFE : FO_WORKS,
               l->seen[c].full ? FO_WHY_MEMBER_FULL : FO_WHY_MEMBER_APPLIES, c);
    } else if (c != s->primary && may_come_back(l, usable)) {
        fo_say(l, FO_WORKS, FO_WHY_PRIMARY_ENDED, s->primary);
    } else {
        count_failover(l);
        fo_say(l, FO_WORKS, FO_WHY_NOT_WRITABLE, c);
        appoint(l, c, most, usable);
    }
}

/* Somebody has said that losing rows is better than waiting: who answers and
 * can apply what he has is enough. */
static void
force_all(const struct fo_look *l, bool usable[])
{
    for (unsigned i = 0; i < l->s->n; i++) {
        const struct fo_seen *o = &l->seen[i];

        usable[i] = fo_is_in(l->s, i) && o->answered && !o->writable &&
                    !o->broken && !o->io &&
                    (o->applying || fo_same(o->applied, o->received));
    }
}

/* One that is as full would help nobody, and one that has less than others has
 * not yet: as long as nobody tells it to stop, it receives. */
static bool
may_take_over(const struct fo_look *l, unsigned i)
{
    const struct fo_member *m = &l->s->member[i];
    const struct fo_seen *o = &l->seen[i];

    if (!fo_is_in(l->s, i) || m->leaving || !fo_is_witness(m, o) || o->ends ||
        o->full || o->broken || !fo_covers(o->received, l->s->base))
        return false;
    for (unsigned k = 0; k < l->s->n; k++)
        if (fo_is_in(l->s, k) && l->seen[k].answered &&
            !fo_covers(o->received, l->seen[k].received))
            return false;
    return true;
}

static bool
somebody_has_room(const struct fo_look *l)
{
    for (unsigned i = 0; i < l->s->n; i++)
        if (may_take_over(l, i))
            return true;
    return false;
}

/* The primary answers: whether it is over all the same. Once it is, only room
 * for what it writes changes that. */
static bool
full_one_is_over(struct fo_look *l)
{
    const struct fo_shard *s = l->s;
    const struct fo_seen *p = &l->seen[s->primary];

    if (!p->full)
        return false;
    fo_say(l, FO_SUSPECTS, FO_WHY_PRIMARY_FULL, s->primary);
    if (s->fencing)
        return true;
    if (p->stuck_ms < l->rules->silent_ms)
        return false;
    if (s->force || somebody_has_room(l))
        return true;
    fo_say(l, FO_UNSAFE, FO_WHY_ALL_FULL, s->primary);
    return false;
}

/* Whether the primary is over, so that another one is needed. */
static bool
primary_is_over(struct fo_look *l)
{
    const struct fo_seen *p = &l->seen[l->s->primary];
    bool seen_by_one = false;

    if (primary_is_certainly_over(l)) {
        fo_say(l, FO_WORKS, FO_WHY_PRIMARY_ENDED, l->s->primary);
        return true;
    }
    if (p->answered)
        return full_one_is_over(l);
    fo_say(l, FO_SUSPECTS, FO_WHY_PRIMARY_SILENT, l->s->primary);
    if (l->s->fencing)
        return true;
    for (unsigned i = 0; i < l->s->n; i++) {
        if (!fo_is_in(l->s, i) || !l->seen[i].answered)
            continue;
        seen_by_one = true;
        if (l->seen[i].hears) {
            fo_say(l, FO_SUSPECTS, FO_WHY_PRIMARY_UNSEEN, l->s->primary);
            return false;
        }
    }
    return seen_by_one && p->silent_ms >= l->rules->silent_ms;
}

static void
fail_over(struct fo_look *l)
{
    struct fo_shard *s = l->s;
    bool usable[FO_MEMBERS] = { false };

    if (old_primary_is_whole(l)) {
        lead_again(l);
        return;
    }
    if (s->paused_until_ms > l->now_ms && !s->force) {
        l->plan->verdict = FO_PAUSED;
        return;
    }
    /* of one alone nobody takes over: it only comes back */
    if (s->n > 1 && l->rules->flaps > 0 && s->failovers >= l->rules->flaps &&
        l->now_ms - s->failed_over_ms < l->rules->quiet_ms && !s->force) {
        l->plan->verdict = FO_FLAPS;
        return;
    }
    if (!s->fencing) {
        s->fencing = true;
        s->fencing_ms = l->now_ms;
        s->switch_to = FO_NOBODY;
        (void)fo_change(l);
    }
    if (!fence_all(l, usable) && (!s->force || l->plan->verdict == FO_WORKS))
        return;
    if (s->force)
        force_all(l, usable);
    choose(l, usable);
}

/* ---- a planned change ---- */

/* true: it goes on, the followers are left as they are. */
static bool
switch_over(struct fo_look *l)
{
    struct fo_shard *s = l->s;
    const struct fo_seen *p = &l->seen[s->primary];
    int c = s->switch_to;
    bool usable[FO_MEMBERS] = { false };

    if (c == FO_NOBODY)
        return false;
    if (l->now_ms >= s->switch_until_ms || c == s->primary ||
        !fo_is_in(s, (unsigned)c) || !fo_serves(&s->member[c], &l->seen[c])) {
        s->switch_to = FO_NOBODY;
        (void)fo_change(l);
        return false;
    }
    fo_say(l, FO_WORKS, FO_WHY_SWITCH, c);
    if (p->writable || p->order < s->switch_order) {
        fo_act(l, FO_DEMOTE, s->primary, FO_NOBODY, 0);
    } else if (fo_same(l->seen[c].applied, p->applied)) {
        for (unsigned i = 0; i < s->n; i++)
            usable[i] =
                (fo_is_in(s, i) && fo_unbroken(&s->member[i], &l->seen[i]) &&
                 s->member[i].evict == 0) ||
                (int)i == s->primary;
        appoint(l, c, p->applied, usable);
    }
    return true;
}

/* ---- one look ---- */

void
failover_step(struct fo_shard *s, const struct fo_seen seen[],
              const struct fo_rules *rules, int64_t now_ms, struct fo_plan *out)
{
    struct fo_look l = { s, seen, rules, now_ms, out };

    memset(out, 0, sizeof(*out));
    out->about = FO_NOBODY;
    if (primary_is_over(&l)) {
        fail_over(&l);
        return;
    }
    if (!seen[s->primary].answered)
        return;
    if (seen[s->primary].ends) {
        fo_say(&l, FO_WORKS, FO_WHY_PRIMARY_ENDS, s->primary);
        return;
    }
    if (s->fencing) /* it was only out of sight */
        lead_on(&l);
    if (switch_over(&l))
        return;
    if (!seen[s->primary].writable) {
        fo_say(&l, FO_WORKS, FO_WHY_NOT_WRITABLE, s->primary);
        fo_act(&l, FO_PROMOTE, s->primary, FO_NOBODY, 0);
    }
    fo_look_at_followers(&l);
    if (out->verdict == FO_FINE)
        fo_look_who_acknowledges(&l);
}
