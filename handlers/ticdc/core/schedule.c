/* One step: reports are taken in, then whoever is gone or stopped is followed
 * by others, then moves are begun. */
#include "schedule.h"

#define NAMES(X)                        \
    X(SCHED_ABSENT, "absent")           \
    X(SCHED_REPLICATING, "replicating") \
    X(SCHED_PREPARING, "preparing")     \
    X(SCHED_HANDING, "handing_over")    \
    X(SCHED_STOPPING, "stopping")

const struct sched_rules sched_defaults = {
    .adds = 50,
    .moves = 10,
    .balance_ms = 60000,
};

struct step {
    struct sched_feed *f;
    const struct sched_capture *captures;
    int n_captures;
    const struct sched_rules *rules;
    int64_t now_ms;
    bool changed;
};

const char *
sched_state_name(enum sched_state state)
{
    static const char *const names[] = {
#define X(id, word) [id] = (word),
        NAMES(X)
#undef X
    };

    return names[state];
}

const char *
sched_outcome_text(enum sched_outcome outcome)
{
    static const char *const texts[] = {
        [SCHED_PENDING] = "waits for the owner",
        [SCHED_BEGUN] = "begun",
        [SCHED_NO_TABLE] = "the changefeed has no table with this id",
        [SCHED_NOT_STABLE] = "the table is not being replicated, or is being "
                             "moved already",
        [SCHED_NO_CAPTURE] = "the target capture is unknown, not ready or "
                             "stopping",
        [SCHED_THERE] = "the target capture has the table already",
    };

    return texts[outcome];
}

enum sched_role
sched_told(const struct sched_table *t, int capture, uint64_t *term)
{
    if (capture == t->writer &&
        (t->state == SCHED_REPLICATING || t->state == SCHED_PREPARING)) {
        *term = t->writer_term;
        return SCHED_WRITE;
    }
    if (capture == t->next && t->next != SCHED_NOBODY) {
        *term = t->next_term;
        return SCHED_PREPARE;
    }
    if (capture == t->writer && t->writer != SCHED_NOBODY) {
        *term = t->writer_term;
        return SCHED_STOP;
    }
    *term = 0;
    return SCHED_NONE;
}

/* Dropped, and nobody writes it any more. */
static bool
is_done(const struct sched_table *t)
{
    return t->dropped && t->state == SCHED_ABSENT;
}

uint64_t
sched_checkpoint(const struct sched_feed *f, uint64_t limit)
{
    for (size_t i = 0; i < f->n_tables; i++)
        if (!is_done(&f->tables[i]) && f->tables[i].checkpoint < limit)
            limit = f->tables[i].checkpoint;
    return limit;
}

/* Whom it belongs to when everything has gone well. */
static int
heir(const struct sched_table *t)
{
    return t->next != SCHED_NOBODY ? t->next : t->writer;
}

size_t
sched_load(const struct sched_feed *f, int capture)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n_tables; i++)
        n += heir(&f->tables[i]) == capture && capture != SCHED_NOBODY;
    return n;
}

static bool
is_gone(const struct step *s, int capture)
{
    return capture == SCHED_NOBODY || capture >= s->n_captures ||
           s->captures[capture].gone;
}

static bool
takes_tables(const struct step *s, int capture)
{
    return !is_gone(s, capture) && s->captures[capture].ready &&
           !s->captures[capture].stopping;
}

static void
become(struct step *s, struct sched_table *t, enum sched_state state)
{
    t->state = state;
    s->changed = true;
}

static void
appoint(struct step *s, struct sched_table *t, int writer, uint64_t term)
{
    t->writer = writer;
    t->writer_term = term;
    t->next = SCHED_NOBODY;
    t->next_term = 0;
    become(s, t, writer == SCHED_NOBODY ? SCHED_ABSENT : SCHED_REPLICATING);
}

static void
prepare(struct step *s, struct sched_table *t, int next)
{
    t->next = next;
    t->next_term = ++t->order;
    become(s, t, SCHED_PREPARING);
}

/* The capture with the least to do; NOBODY when none takes tables. */
static int
idlest(const struct step *s)
{
    int best = SCHED_NOBODY;
    size_t least = 0, n;

    for (int c = 0; c < s->n_captures; c++) {
        if (!takes_tables(s, c))
            continue;
        n = sched_load(s->f, c);
        if (best == SCHED_NOBODY || n < least) {
            best = c;
            least = n;
        }
    }
    return best;
}

/* ---- what has been reported, and who is gone ---- */

static bool
has_come(const struct sched_report *r, uint64_t term,
         enum sched_progress progress)
{
    return term != 0 && r->term == term && r->progress == progress;
}

static void
take_checkpoint(struct step *s, struct sched_table *t,
                const struct sched_report *r)
{
    if (r->term != t->writer_term || t->writer == SCHED_NOBODY ||
        (r->progress != SCHED_WRITES && r->progress != SCHED_STOPPED) ||
        r->checkpoint <= t->checkpoint)
        return;
    t->checkpoint = r->checkpoint;
    s->changed = true;
}

/* Whether the writer can write nothing more. */
static bool
is_over(const struct step *s, const struct sched_table *t,
        const struct sched_seen *seen)
{
    return is_gone(s, t->writer) ||
           has_come(&seen->writer, t->writer_term, SCHED_STOPPED);
}

static void
follow(struct step *s, struct sched_table *t, const struct sched_seen *seen)
{
    take_checkpoint(s, t, &seen->writer);
    if (t->next != SCHED_NOBODY && !takes_tables(s, t->next)) {
        /* nobody follows; who was told to stop may go on, by a new term: by
         * the old one it has perhaps stopped */
        appoint(s, t, t->writer,
                t->state == SCHED_HANDING ? ++t->order : t->writer_term);
    }
    switch (t->state) {
    case SCHED_ABSENT:
        break;
    case SCHED_REPLICATING:
        if (is_over(s, t, seen))
            appoint(s, t, SCHED_NOBODY, 0);
        break;
    case SCHED_PREPARING:
        if (is_over(s, t, seen)) /* it reads from the checkpoint on anyway */
            appoint(s, t, t->next, t->next_term);
        else if (has_come(&seen->next, t->next_term, SCHED_PREPARED))
            become(s, t, SCHED_HANDING);
        break;
    case SCHED_HANDING:
        if (is_over(s, t, seen))
            appoint(s, t, t->next, t->next_term);
        break;
    case SCHED_STOPPING:
        if (is_over(s, t, seen))
            appoint(s, t, SCHED_NOBODY, 0);
        break;
    }
    if ((t->dropped || !s->f->running) && t->state != SCHED_ABSENT &&
        t->state != SCHED_STOPPING) {
        t->next = SCHED_NOBODY;
        t->next_term = 0;
        become(s, t, SCHED_STOPPING);
    }
}

/* ---- who is to write what ---- */

static void
give_out(struct step *s)
{
    unsigned left = s->rules->adds;
    struct sched_table *t;
    int c;

    for (size_t i = 0; i < s->f->n_tables && left > 0; i++) {
        t = &s->f->tables[i];
        if (t->state != SCHED_ABSENT || is_done(t))
            continue;
        c = idlest(s);
        if (c == SCHED_NOBODY)
            return;
        appoint(s, t, c, ++t->order);
        left--;
    }
}

static unsigned
moving(const struct step *s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s->f->n_tables; i++)
        n += s->f->tables[i].next != SCHED_NOBODY;
    return n;
}

/* What stopping captures have goes to others. */
static void
drain(struct step *s)
{
    unsigned under_way = moving(s);
    struct sched_table *t;
    int c;

    for (size_t i = 0; i < s->f->n_tables; i++) {
        t = &s->f->tables[i];
        if (t->state != SCHED_REPLICATING || takes_tables(s, t->writer) ||
            !s->captures[t->writer].stopping)
            continue;
        c = idlest(s);
        if (c == SCHED_NOBODY || under_way >= s->rules->moves)
            return;
        prepare(s, t, c);
        under_way++;
    }
}

static struct sched_table *
find(const struct sched_feed *f, int64_t id)
{
    for (size_t i = 0; i < f->n_tables; i++)
        if (f->tables[i].id == id && !f->tables[i].dropped)
            return &f->tables[i];
    return NULL;
}

static enum sched_outcome
move_one(struct step *s, const struct sched_move *m)
{
    struct sched_table *t = find(s->f, m->table);

    if (t == NULL)
        return SCHED_NO_TABLE;
    if (!takes_tables(s, m->capture))
        return SCHED_NO_CAPTURE;
    if (t->state != SCHED_REPLICATING)
        return SCHED_NOT_STABLE;
    if (t->writer == m->capture)
        return SCHED_THERE;
    prepare(s, t, m->capture);
    return SCHED_BEGUN;
}

static void
move_as_wished(struct step *s)
{
    struct sched_move *m;

    for (size_t i = 0; i < s->f->n_moves; i++) {
        m = &s->f->moves[i];
        if (m->outcome == SCHED_PENDING) {
            m->outcome = move_one(s, m);
            s->changed = true;
        }
    }
}

/* Everything stands still: only then is there a balance to be looked at. */
static bool
is_settled(const struct step *s)
{
    for (size_t i = 0; i < s->f->n_tables; i++)
        if (s->f->tables[i].state != SCHED_REPLICATING &&
            !is_done(&s->f->tables[i]))
            return false;
    for (int c = 0; c < s->n_captures; c++)
        if (!is_gone(s, c) && s->captures[c].stopping &&
            sched_load(s->f, c) > 0)
            return false; /* it is being drained */
    return s->f->n_tables > 0 && idlest(s) != SCHED_NOBODY;
}

/* One of the n tables that `capture` writes and that do not move yet, another
 * one each time that it is asked. */
static struct sched_table *
any_of(const struct step *s, int capture)
{
    struct sched_table *found = NULL, *t;
    uint64_t mixed = (uint64_t)s->now_ms;
    unsigned n = 0;

    for (size_t i = 0; i < s->f->n_tables; i++) {
        t = &s->f->tables[i];
        if (t->state != SCHED_REPLICATING || t->writer != capture)
            continue;
        n++;
        mixed = (mixed ^ (uint64_t)t->id) * 0x9E3779B97F4A7C15U;
        mixed ^= mixed >> 29;
        if (mixed % n == 0)
            found = t;
    }
    return found;
}

/* From those with most to those with least, while two differ by more than one
 * table: then nobody has more than its share, rounded up. */
static void
balance(struct step *s, unsigned most)
{
    struct sched_table *t;
    int to;

    for (int c = 0; c < s->n_captures; c++)
        while (takes_tables(s, c) && most > 0) {
            to = idlest(s);
            t = any_of(s, c);
            if (t == NULL || sched_load(s->f, c) <= sched_load(s->f, to) + 1)
                break;
            prepare(s, t, to);
            most--;
        }
}

static void
keep_balance(struct step *s)
{
    bool due = s->now_ms >= s->f->balanced_ms + s->rules->balance_ms ||
               s->now_ms < s->f->balanced_ms;

    if ((!s->f->rebalance && !due) || !is_settled(s))
        return;
    balance(s, s->f->rebalance ? UINT32_MAX : s->rules->moves);
    s->f->rebalance = false;
    s->f->balanced_ms = s->now_ms;
    s->changed = true;
}

bool
sched_step(struct sched_feed *f, const struct sched_capture *captures,
           size_t n_captures, const struct sched_seen *seen,
           const struct sched_rules *rules, int64_t now_ms)
{
    struct step s = {
        .f = f,
        .captures = captures,
        .n_captures = (int)n_captures,
        .rules = rules,
        .now_ms = now_ms,
    };

    for (size_t i = 0; i < f->n_tables; i++)
        follow(&s, &f->tables[i], &seen[i]);
    if (f->running) {
        give_out(&s);
        drain(&s);
        move_as_wished(&s);
        keep_balance(&s);
    }
    return s.changed;
}
