/* What the parts of one look at a shard share. */
#include "fo_look.h"

void
fo_act(struct fo_look *l, enum fo_action_kind kind, int member, int whom,
       uint64_t ticket)
{
    if (l->plan->n < FO_ACTIONS)
        l->plan->action[l->plan->n++] = (struct fo_action){
            .kind = kind,
            .member = member,
            .whom = whom,
            .ticket = ticket,
            .start = kind == FO_PROMOTE ? l->s->member[member].start : 0,
        };
}

void
fo_say(struct fo_look *l, enum fo_verdict verdict, enum fo_why why, int about)
{
    l->plan->verdict = verdict;
    l->plan->why = why;
    l->plan->about = about;
}

uint64_t
fo_change(struct fo_look *l)
{
    if (!l->plan->changed)
        l->s->order++;
    l->plan->changed = true;
    return l->s->order;
}

/* ---- positions ---- */

bool
fo_same(struct fo_gtid a, struct fo_gtid b)
{
    return a.seq == b.seq && (a.seq == 0 || a.server == b.server);
}

bool
fo_covers(struct fo_gtid a, struct fo_gtid b)
{
    return a.seq > b.seq || fo_same(a, b);
}

void
fo_raise_base(struct fo_look *l, struct fo_gtid at)
{
    if (at.seq > l->s->base.seq)
        l->s->base = at;
}

/* ---- what a member is now ---- */

bool
fo_is_in(const struct fo_shard *s, unsigned i)
{
    return s->member[i].role == FO_IN;
}

bool
fo_unbroken(const struct fo_member *m, const struct fo_seen *o)
{
    return !m->broken && o->answered && !o->ended && o->start == m->start &&
           o->ticket <= m->ticket &&
           (o->ticket < m->ticket || o->io || o->applying || m->fence != 0);
}

bool
fo_ended_whole(const struct fo_member *m, const struct fo_seen *o)
{
    return o->answered && !o->writable && !o->io && o->mark.start != 0 &&
           o->mark.start == m->start &&
           (m->role != FO_IN ||
            (o->mark.ticket == m->ticket && o->ticket == m->ticket)) &&
           fo_same(o->mark.at, o->applied);
}

bool
fo_is_witness(const struct fo_member *m, const struct fo_seen *o)
{
    if (fo_unbroken(m, o))
        return true;
    return !m->broken && o->answered &&
           (o->ticket < m->ticket || fo_ended_whole(m, o));
}

bool
fo_serves(const struct fo_member *m, const struct fo_seen *o)
{
    return fo_unbroken(m, o) && m->evict == 0 && !m->leaving && m->fence == 0 &&
           o->ticket == m->ticket && o->connected && o->applying && !o->broken;
}

bool
fo_another_serves(const struct fo_look *l, unsigned but)
{
    for (unsigned i = 0; i < l->s->n; i++)
        if (i != but && fo_is_in(l->s, i) &&
            fo_serves(&l->s->member[i], &l->seen[i]))
            return true;
    return false;
}

void
fo_tell_to_follow(struct fo_look *l, unsigned i, uint64_t start)
{
    struct fo_member *m = &l->s->member[i];
    uint64_t ticket = fo_change(l);

    *m = (struct fo_member){
        .role = FO_IN, .start = start, .ticket = ticket, .leaving = m->leaving
    };
    fo_act(l, FO_FOLLOW, (int)i, FO_NOBODY, ticket);
}
