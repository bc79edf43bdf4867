/* The primary is well: who follows it. */
#include "fo_look.h"

/* One that may acknowledge nothing: as soon as it can, it may again. What it
 * may be told is below the primary's position now, which base then covers. */
static void
look_at_outsider(struct fo_look *l, unsigned i)
{
    const struct fo_seen *o = &l->seen[i], *p = &l->seen[l->s->primary];

    if (l->s->member[i].leaving || !o->answered || o->ends)
        return;
    if (o->full)
        return; /* it would wait for room, whatever it is told, and so we */
    if (o->writable)
        fo_act(l, FO_DEMOTE, (int)i, FO_NOBODY, 0);
    else if (o->broken || !fo_covers(p->applied, o->applied))
        fo_act(l, FO_REBUILD, (int)i, FO_NOBODY, 0);
    else {
        fo_raise_base(l, p->applied);
        fo_tell_to_follow(l, i, o->start);
    }
}

/* Whether the shard is better off when nothing is acknowledged by it. One that
 * waits for room does not stop to receive when a new primary is looked for. */
static bool
unfit(const struct fo_look *l, unsigned i)
{
    const struct fo_seen *o = &l->seen[i];
    bool full = o->full && o->stuck_ms >= l->rules->evict_ms &&
                !l->seen[l->s->primary].full;

    return o->broken || full ||
           (!o->answered && o->silent_ms >= l->rules->evict_ms);
}

static void
evict(struct fo_look *l, unsigned i)
{
    struct fo_member *m = &l->s->member[i];
    const struct fo_seen *p = &l->seen[l->s->primary];

    if (m->evict == 0)
        m->evict = fo_change(l);
    if ((p->shut & 1U << i) != 0 && p->order >= m->evict) {
        (void)fo_change(l);
        fo_raise_base(l, p->applied);
        *m = (struct fo_member){ .role = FO_OUT, .leaving = m->leaving };
    } else {
        fo_act(l, FO_EVICT, l->s->primary, (int)i, 0);
    }
}

/* Whether its run is over, and no older FOLLOW that is under way begins another
 * one: it could acknowledge more than base covers, and lose it when it is told
 * to follow again. */
static bool
has_ended(struct fo_look *l, unsigned i)
{
    struct fo_member *m = &l->s->member[i];
    const struct fo_seen *o = &l->seen[i];

    if (m->fence == 0)
        m->fence = fo_change(l);
    if (o->io && !o->applying)
        fo_act(l, FO_START_APPLYING, (int)i, FO_NOBODY, 0);
    else if (o->io || o->order < m->fence)
        fo_act(l, o->io ? FO_STOP_RECEIVING : FO_NOTE, (int)i, FO_NOBODY, 0);
    else
        return true;
    return false;
}

/* It is no witness: it is told to follow again. That it has ended is stored
 * before the primary is asked whose position base becomes: what it may have
 * acknowledged is below that. First it applies what it still has. */
static void
begin_again(struct fo_look *l, unsigned i)
{
    struct fo_member *m = &l->s->member[i];
    const struct fo_seen *o = &l->seen[i];

    if (o->broken &&
        !(o->unrelated && o->applying && !fo_same(o->applied, o->received))) {
        fo_act(l, FO_REBUILD, (int)i, FO_NOBODY, 0);
    } else if (!has_ended(l, i) ||
               (o->applying && !fo_same(o->applied, o->received))) {
        return;
    } else if (m->ticket != 0) {
        m->ticket = 0;
        (void)fo_change(l);
    } else {
        fo_raise_base(l, l->seen[l->s->primary].applied);
        fo_tell_to_follow(l, i, o->start);
    }
}

static void
look_at_replica(struct fo_look *l, unsigned i)
{
    struct fo_member *m = &l->s->member[i];
    const struct fo_seen *o = &l->seen[i], *p = &l->seen[l->s->primary];

    /* somebody has said that it is to go, though the last one that serves */
    if (m->leaving || (unfit(l, i) && fo_another_serves(l, i))) {
        evict(l, i);
        return;
    }
    if (m->evict != 0) { /* it is well again, or the last one */
        m->evict = 0;
        (void)fo_change(l);
    }
    if (!o->answered || o->ends)
        return;
    /* not before: an older FOLLOW that comes first would be let in by it */
    if ((p->shut & 1U << i) != 0 && o->ready == m->ticket)
        fo_act(l, FO_ADMIT, l->s->primary, (int)i, 0);
    if (m->broken) {
        begin_again(l, i);
    } else if (o->start != m->start && fo_ended_whole(m, o)) {
        /* nothing older can begin: its ticket was carried out */
        fo_raise_base(l, p->applied);
        fo_tell_to_follow(l, i, o->start);
    } else if (!fo_unbroken(m, o) || o->broken ||
               (o->ticket == m->ticket && !o->io)) {
        m->broken = true; /* the last one that acknowledges, and cannot apply,
                           * or one that receives nothing more */
        (void)fo_change(l);
    } else if (o->ticket < m->ticket && o->ready != m->ticket) {
        fo_act(l, FO_FOLLOW, (int)i, FO_NOBODY, m->ticket);
    } else if (o->ticket < m->ticket) {
        if (p->writable && (p->shut & 1U << i) == 0)
            fo_act(l, FO_RECEIVE, (int)i, FO_NOBODY, m->ticket);
    } else if (!o->applying) {
        fo_act(l, FO_START_APPLYING, (int)i, FO_NOBODY, 0);
    }
}

void
fo_look_at_followers(struct fo_look *l)
{
    for (unsigned i = 0; i < l->s->n; i++) {
        if (fo_is_in(l->s, i))
            look_at_replica(l, i);
        else if ((int)i != l->s->primary)
            look_at_outsider(l, i);
    }
}

/* ---- who acknowledges ---- */

/* Whether a commit that waits may hear from it. One that has just lost its
 * primary, or changes to a new one, is back in a moment. */
static bool
acknowledges(const struct fo_look *l, unsigned i)
{
    const struct fo_member *m = &l->s->member[i];
    const struct fo_seen *o = &l->seen[i];

    return fo_is_in(l->s, i) && m->evict == 0 &&
           o->apart_ms < l->rules->evict_ms &&
           !(o->full && o->stuck_ms >= l->rules->evict_ms);
}

/* Nothing is decided by it: a primary of which nobody acknowledges leads on,
 * and what it is told waits. One that was stopped is named last: somebody
 * knows of it. */
void
fo_look_who_acknowledges(struct fo_look *l)
{
    int who = FO_NOBODY;

    for (unsigned i = 0; i < l->s->n; i++) {
        if ((int)i == l->s->primary)
            continue;
        if (acknowledges(l, i))
            return;
        if (who == FO_NOBODY ||
            (l->s->member[who].leaving && !l->s->member[i].leaving))
            who = (int)i;
    }
    if (who != FO_NOBODY) /* else it is alone, and needs nobody */
        fo_say(l, FO_WAITS,
               l->s->member[who].leaving ? FO_WHY_NO_ACK_STOPPED
                                         : FO_WHY_NO_ACK,
               who);
}
