/* What a partition needs: a primary first, then enough replicas. One step at
 * a time; after each stored change the partition is asked again. */
#include "state.h"

#include <string.h>

static void
tally_member(struct pg_tally *t, const struct pg_config *c)
{
    if (c->primary != PG_NONE)
        t->primaries[c->primary]++;
    for (int i = 0; i < pg_config_members(c); i++)
        t->partitions[pg_config_member(c, i)]++;
}

void
pg_cure_tally(struct pg_tally *t, const struct pg_app *app)
{
    memset(t->primaries, 0, (size_t)t->n_nodes * sizeof(int));
    memset(t->partitions, 0, (size_t)t->n_nodes * sizeof(int));
    for (int i = 0; i < app->n; i++)
        tally_member(t, &app->p[i].c);
}

/* ---- who is least loaded ---- */

/* Negative when a carries less than b. */
static int
compare(const struct pg_state *s, const struct pg_tally *t, int a, int b,
        bool primaries)
{
    const struct pg_node *x = &s->node[a], *y = &s->node[b];

    if (primaries && t->primaries[a] != t->primaries[b])
        return t->primaries[a] - t->primaries[b];
    if (t->partitions[a] != t->partitions[b])
        return t->partitions[a] - t->partitions[b];
    if (primaries && x->primaries != y->primaries)
        return x->primaries - y->primaries;
    return x->partitions - y->partitions;
}

static int
lesser(const struct pg_state *s, const struct pg_tally *t, int best, int n,
       bool primaries)
{
    if (best == PG_NONE || compare(s, t, n, best, primaries) < 0)
        return n;
    return best;
}

static int
least_secondary(const struct pg_state *s, const struct pg_tally *t,
                const struct pg_config *c)
{
    int best = PG_NONE;

    for (int i = 0; i < c->n_secondaries; i++)
        if (pg_state_alive(s, c->secondary[i]))
            best = lesser(s, t, best, c->secondary[i], true);
    return best;
}

/* Among alive nodes that are not members and have reported; room: for one
 * learner more. */
static int
least_outsider(const struct pg_state *s, const struct pg_tally *t,
               const struct pg_config *c, bool primaries, bool room)
{
    int best = PG_NONE;

    for (int n = 0; n < s->n_nodes; n++) {
        if (!s->node[n].alive || pg_config_has(c, n))
            continue;
        if (!s->node[n].collected)
            continue; /* it has not said yet what it holds */
        if (room && t->learners[n] >= s->policy.learners_per_node)
            continue;
        best = lesser(s, t, best, n, primaries);
    }
    return best;
}

/* ---- the cases ---- */

static bool
is_lost(const struct pg_state *s, const struct pg_drop *d)
{
    return s->node[d->node].collected && !d->present;
}

static int64_t
greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Of two replicas the one that has more; PG_NONE when they contradict each
 * other or less than what was committed is there. */
static int
better_drop(const struct pg_config *c, const struct pg_drop *last,
            const struct pg_drop *before)
{
    int64_t ballots = last->ballot - before->ballot;
    int64_t decrees = last->committed - before->committed;
    int64_t prepared = greater(last->prepared, before->prepared);

    if ((ballots > 0 && decrees < 0) || (ballots < 0 && decrees > 0))
        return PG_NONE;
    if (prepared < c->committed ||
        prepared < greater(last->committed, before->committed))
        return PG_NONE;
    if (ballots != 0)
        return ballots > 0 ? last->node : before->node;
    if (decrees != 0)
        return decrees > 0 ? last->node : before->node;
    return last->prepared >= before->prepared ? last->node : before->node;
}

/* No member is left: the node whose copy may become the partition. */
static int
revivable(const struct pg_state *s, const struct pg_config *c)
{
    const struct pg_drop *last = &c->drop[c->n_drops - 1];
    const struct pg_drop *before = last - 1;

    if (c->n_drops == 1)
        return pg_state_alive(s, last->node) && !is_lost(s, last) ? last->node
                                                                  : PG_NONE;
    for (const struct pg_drop *d = before; d <= last; d++)
        if (!pg_state_alive(s, d->node) || !s->node[d->node].collected)
            return PG_NONE;
    if (!last->present && !before->present)
        return PG_NONE;
    return better_drop(c, last, before);
}

static bool
act(struct pg_action *out, enum pg_type type, int target, int node)
{
    *out = (struct pg_action){ .type = type, .target = target, .node = node };
    return node != PG_NONE;
}

static bool
cure_primary(const struct pg_state *s, const struct pg_config *c,
             const struct pg_tally *t, struct pg_action *out)
{
    int n;

    if (c->n_secondaries > 0) {
        n = least_secondary(s, t, c);
        return act(out, PG_UPGRADE_TO_PRIMARY, n, n);
    }
    if (c->n_drops > 0)
        n = revivable(s, c);
    else /* a member that left is always noted: there never was one */
        n = least_outsider(s, t, c, true, false);
    return act(out, PG_ASSIGN_PRIMARY, n, n);
}

static bool
is_dropped_candidate(const struct pg_state *s, const struct pg_config *c,
                     const struct pg_drop *d)
{
    return pg_state_alive(s, d->node) && !pg_config_has(c, d->node);
}

static bool
is_emergency(const struct pg_state *s, const struct pg_config *c,
             int64_t now_ms)
{
    const struct pg_drop *last;

    if (c->n_drops == 0)
        return true;
    if (c->max_replica_count > s->policy.min_2pc &&
        pg_config_members(c) < s->policy.min_2pc)
        return true;
    last = &c->drop[c->n_drops - 1];
    if (now_ms - last->at_ms > s->policy.assign_delay_ms)
        return true;
    return s->policy.max_unstable > 0 &&
           s->node[last->node].unstable >= s->policy.max_unstable;
}

static bool
has_room(const struct pg_state *s, const struct pg_tally *t, int node)
{
    return t->learners[node] < s->policy.learners_per_node;
}

/* The node that becomes the next secondary: one that knows the partition
 * before one that must copy it. */
static int
next_learner(const struct pg_state *s, const struct pg_config *c,
             const struct pg_tally *t, int64_t now_ms)
{
    if (!is_emergency(s, c, now_ms)) {
        const struct pg_drop *last = &c->drop[c->n_drops - 1];

        return is_dropped_candidate(s, c, last) && has_room(s, t, last->node)
                   ? last->node
                   : PG_NONE;
    }
    for (int i = c->n_drops; i > 0; i--)
        if (is_dropped_candidate(s, c, &c->drop[i - 1]) &&
            has_room(s, t, c->drop[i - 1].node))
            return c->drop[i - 1].node;
    return least_outsider(s, t, c, false, true);
}

static int
most_loaded_secondary(const struct pg_state *s, const struct pg_config *c)
{
    int worst = PG_NONE;

    for (int i = 0; i < c->n_secondaries; i++)
        if (worst == PG_NONE ||
            s->node[c->secondary[i]].partitions > s->node[worst].partitions)
            worst = c->secondary[i];
    return worst;
}

static bool
cure_members(const struct pg_state *s, const struct pg_config *c,
             const struct pg_tally *t, bool may_learn, int64_t now_ms,
             struct pg_action *out)
{
    int n = pg_config_members(c);

    if (n > c->max_replica_count)
        return act(out, PG_REMOVE, c->primary, most_loaded_secondary(s, c));
    if (n == c->max_replica_count || !may_learn ||
        c->n_secondaries == PG_SECONDARIES_MAX)
        return false;
    return act(out, PG_ADD_SECONDARY, c->primary,
               next_learner(s, c, t, now_ms));
}

/* ---- pending actions ---- */

static bool
is_learning(enum pg_type t)
{
    return t == PG_ADD_SECONDARY || t == PG_ADD_SECONDARY_FOR_LB;
}

/* A primary steps down only for a successor that lives. */
static bool
successor_lives(const struct pg_state *s, const struct pg_partition *p)
{
    if (p->act[0].type != PG_DOWNGRADE_TO_SECONDARY || p->n_acts < 2)
        return true;
    return pg_state_alive(s, p->act[1].node) &&
           pg_config_secondary_index(&p->c, p->act[1].node) != PG_NONE;
}

/* What is reached is done, whoever stored it: a report of the primary may
 * have been quicker. */
static void
skip_reached(struct pg_partition *p)
{
    while (p->n_acts > 0 &&
           pg_config_reached(&p->c, p->act[0].type, p->act[0].node)) {
        memmove(&p->act[0], &p->act[1],
                (PG_ACTIONS_MAX - 1) * sizeof(p->act[0]));
        p->n_acts--;
    }
}

static bool
take_pending(const struct pg_state *s, struct pg_partition *p, int64_t now_ms,
             struct pg_action *out)
{
    struct pg_change change;

    skip_reached(p);
    if (p->n_acts == 0)
        return false;
    if (pg_cure_change(s, &p->c, &p->act[0], &change) &&
        successor_lives(s, p) &&
        now_ms - p->acts_since_ms <= s->policy.action_ms) {
        *out = p->act[0];
        return true;
    }
    p->n_acts = 0;
    return false;
}

bool
pg_cure_change(const struct pg_state *s, const struct pg_config *c,
               const struct pg_action *a, struct pg_change *out)
{
    struct pg_config trial = *c;

    *out = (struct pg_change){ a->type, a->node, c->ballot };
    if (is_learning(a->type)) {
        if (!pg_state_alive(s, c->primary) ||
            (a->target != PG_NONE && a->target != c->primary))
            return false;
        out->type = PG_UPGRADE_TO_SECONDARY;
    }
    if (out->type != PG_REMOVE && out->type != PG_DOWNGRADE_TO_INACTIVE &&
        out->type != PG_DOWNGRADE_TO_SECONDARY && !pg_state_alive(s, a->node))
        return false;
    return pg_config_apply(&trial, out, 0) == ERR_OK;
}

bool
pg_cure_is_ours(const struct pg_state *s, const struct pg_config *c,
                const struct pg_action *a)
{
    return !is_learning(a->type) ||
           (c->primary != PG_NONE && s->node[c->primary].managed);
}

/* A choice counts at once, for the partitions that are asked after it. */
static void
note_choice(struct pg_state *s, struct pg_tally *t, const struct pg_action *a)
{
    if (a->type == PG_ASSIGN_PRIMARY || a->type == PG_UPGRADE_TO_PRIMARY) {
        t->primaries[a->node]++;
        s->node[a->node].primaries++;
    }
    if (a->type == PG_ASSIGN_PRIMARY || is_learning(a->type)) {
        t->partitions[a->node]++;
        s->node[a->node].partitions++;
    }
    if (is_learning(a->type))
        t->learners[a->node]++;
    if (a->type == PG_REMOVE)
        s->node[a->node].partitions--;
}

bool
pg_cure_partition(struct pg_state *s, struct pg_partition *p,
                  struct pg_tally *t, bool may_learn, int64_t now_ms,
                  struct pg_action *out)
{
    bool needed = take_pending(s, p, now_ms, out);

    if (needed)
        return true;
    if (p->c.primary == PG_NONE)
        needed = cure_primary(s, &p->c, t, out);
    else if (pg_state_alive(s, p->c.primary))
        needed = cure_members(s, &p->c, t, may_learn, now_ms, out);
    if (needed)
        note_choice(s, t, out);
    return needed;
}
