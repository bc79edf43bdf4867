/* Tables and captures, simulated: captures that die, freeze, lose the store,
 * join, are drained and come too late; owners that decide on what is no longer
 * so. Nobody writes a table after its successor has, no event is left out,
 * checkpoints never go back, and when the trouble is over everybody has a fair
 * share. SEED=n COUNT=n repeat a run or lengthen it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ticdc/core/schedule.h"

#define HISTORIES 100000
#define CAPTURES  10 /* that there ever are: each start is another one */
#define TABLES    8
#define MOVES     4
#define TICK_MS   500
#define LEASE_MS  10000
#define TROUBLE   80 /* ticks */

/* ---- chance ---- */

static uint64_t chance;

static unsigned
dice(unsigned sides)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (unsigned)((chance >> 11) % sides);
}

static bool
one_in(unsigned n)
{
    return n > 0 && dice(n) == 0;
}

/* ---- the world ---- */

/* What a capture does for a table. */
struct work {
    enum sched_role role;
    uint64_t term;
    uint64_t at;      /* it has written up to here */
    uint64_t read;    /* and has read up to here */
    uint64_t stopped; /* the last term by which it was told to stop */
};

struct capture {
    bool used, up, frozen, cut, leaves;
    int64_t lease_ms; /* as it believes */
    struct work work[TABLES];
    bool mute; /* it does what it is told, and its reports get stuck */
};

/* The truth about a table. */
struct truth {
    uint64_t last; /* event that there is */
    uint64_t written;
    uint64_t term; /* by which it was written last */
    uint64_t checkpoint;
};

struct odds { /* one in so many ticks */
    unsigned kill, freeze, cut, join, leave, move, rebalance, pause, drop,
        second_owner, late, mute, grow;
};

struct store {
    uint64_t version;
    struct sched_feed feed;
    struct sched_table tables[TABLES];
    struct sched_move moves[MOVES];
    struct sched_capture captures[CAPTURES];
    int64_t lease_ms[CAPTURES];
    struct sched_report reports[CAPTURES][TABLES];
};

struct world {
    int64_t now_ms;
    struct odds odds;
    struct store store;
    struct capture capture[CAPTURES];
    struct truth truth[TABLES];
    struct store held; /* what a second owner has read */
    bool holds;
    uint64_t global;
    unsigned steps;
};

static struct world world;

static void
bind_store(struct store *s)
{
    s->feed.tables = s->tables;
    s->feed.moves = s->moves;
}

static void
add_table(struct world *w)
{
    struct store *s = &w->store;
    size_t i = s->feed.n_tables++;

    s->tables[i] = (struct sched_table){
        .id = (int64_t)i + 100,
        .writer = SCHED_NOBODY,
        .next = SCHED_NOBODY,
        .checkpoint = w->global,
    };
    w->truth[i] = (struct truth){
        .last = w->global + dice(20),
        .written = w->global,
        .checkpoint = w->global,
    };
}

/* ---- captures ---- */

static void
join(struct world *w)
{
    struct capture *c;

    for (int i = 0; i < CAPTURES; i++) {
        c = &w->capture[i];
        if (c->used)
            continue;
        *c = (struct capture){ .used = true, .up = true };
        c->lease_ms = w->store.lease_ms[i] = w->now_ms + LEASE_MS;
        w->store.captures[i] = (struct sched_capture){ .ready = true };
        w->store.version++;
        return;
    }
}

/* Its own clock began before the store's: it ends first. */
static void
renew(struct world *w, int i)
{
    struct capture *c = &w->capture[i];

    if (w->store.captures[i].gone) {
        c->up = false; /* it ends itself, and would come as another */
        return;
    }
    if (w->store.lease_ms[i] <= w->now_ms)
        return; /* too late, though nobody has taken it away yet */
    c->lease_ms = w->now_ms + LEASE_MS - TICK_MS;
    w->store.lease_ms[i] = w->now_ms + LEASE_MS;
}

static void
obey(struct world *w, int i)
{
    struct capture *c = &w->capture[i];
    const struct sched_table *t;
    enum sched_role role;
    struct work *k;
    uint64_t term;

    for (size_t j = 0; j < w->store.feed.n_tables; j++) {
        t = &w->store.tables[j];
        k = &c->work[j];
        role = sched_told(t, i, &term);
        if (role == SCHED_STOP && k->term != term)
            *k = (struct work){ .role = SCHED_STOP, .term = term };
        if (role == k->role && term == k->term)
            continue;
        if (role == SCHED_WRITE) {
            if (k->role != SCHED_PREPARE || k->term != term)
                k->read = t->checkpoint;
            k->at = t->checkpoint;
            if (k->read < k->at)
                k->read = k->at;
        } else if (role == SCHED_PREPARE) {
            k->read = t->checkpoint;
        }
        k->role = role;
        k->term = term;
    }
}

static struct sched_report
report_of(const struct truth *truth, const struct work *k)
{
    struct sched_report r = { .term = k->term, .checkpoint = k->at };

    switch (k->role) {
    case SCHED_NONE:
        return (struct sched_report){ 0 };
    case SCHED_PREPARE:
        r.progress = k->read >= truth->written ? SCHED_PREPARED : SCHED_BEGINS;
        break;
    case SCHED_WRITE:
        r.progress = SCHED_WRITES;
        break;
    case SCHED_STOP:
        r.progress = SCHED_STOPPED;
        break;
    }
    return r;
}

static void
report(struct world *w, int i)
{
    struct capture *c = &w->capture[i];

    if (one_in(w->odds.mute))
        c->mute = !c->mute;
    for (size_t j = 0; j < w->store.feed.n_tables; j++)
        if ((!c->mute || w->odds.mute == 0) && !one_in(w->odds.late))
            w->store.reports[i][j] = report_of(&w->truth[j], &c->work[j]);
}

/* The sink takes it: the world's laws are held here. */
static void
write_some(struct world *w, int i)
{
    struct capture *c = &w->capture[i];
    struct truth *truth;
    struct work *k;

    for (size_t j = 0; j < w->store.feed.n_tables; j++) {
        k = &c->work[j];
        truth = &w->truth[j];
        if (k->role == SCHED_PREPARE && k->read < truth->last)
            k->read += 1 + dice(6);
        if (k->read > truth->last)
            k->read = truth->last;
        if (k->role != SCHED_WRITE)
            continue;
        for (unsigned n = dice(5); n > 0 && k->at < truth->last; n--) {
            assert_true(k->term >= truth->term);  /* one writer */
            assert_true(k->at <= truth->written); /* no gap */
            truth->term = k->term;
            k->at++;
            if (k->at > truth->written)
                truth->written = k->at;
        }
    }
}

static void
live(struct world *w, int i)
{
    struct capture *c = &w->capture[i];

    if (!c->up || c->frozen)
        return;
    if (!c->cut) {
        renew(w, i);
        if (!c->up)
            return;
        obey(w, i);
    }
    if (w->now_ms < c->lease_ms)
        write_some(w, i);
    if (!c->cut)
        report(w, i);
}

/* ---- owners ---- */

/* On what `read` says; stored only while that is still so. */
static void
decide(struct world *w, const struct store *read)
{
    struct store s = *read;
    struct sched_seen seen[TABLES];
    const struct sched_table *t;
    bool changed = false;

    bind_store(&s);
    for (int i = 0; i < CAPTURES; i++)
        if (w->capture[i].used && !s.captures[i].gone &&
            w->store.lease_ms[i] <= w->now_ms)
            s.captures[i].gone = changed = true;
    memset(seen, 0, sizeof(seen));
    for (size_t j = 0; j < s.feed.n_tables; j++) {
        t = &s.tables[j];
        if (t->writer != SCHED_NOBODY)
            seen[j].writer = s.reports[t->writer][j];
        if (t->next != SCHED_NOBODY)
            seen[j].next = s.reports[t->next][j];
    }
    changed |= sched_step(&s.feed, s.captures, CAPTURES, seen, &sched_defaults,
                          w->now_ms);
    if (!changed || w->store.version != read->version)
        return;
    w->steps++;
    /* reports and leases are the captures' own rows */
    memcpy(w->store.tables, s.tables, sizeof(s.tables));
    memcpy(w->store.moves, s.moves, sizeof(s.moves));
    memcpy(w->store.captures, s.captures, sizeof(s.captures));
    w->store.feed.rebalance = s.feed.rebalance;
    w->store.feed.balanced_ms = s.feed.balanced_ms;
    w->store.version++;
}

static void
own(struct world *w)
{
    if (w->holds) {
        decide(w, &w->held);
        w->holds = false;
    }
    if (one_in(w->odds.second_owner)) {
        w->held = w->store;
        w->holds = true;
    }
    decide(w, &w->store);
}

/* ---- time ---- */

static void
hold_checkpoints(struct world *w)
{
    uint64_t global = sched_checkpoint(&w->store.feed, UINT64_MAX);

    for (size_t j = 0; j < w->store.feed.n_tables; j++) {
        assert_true(w->store.tables[j].checkpoint >= w->truth[j].checkpoint);
        assert_true(w->store.tables[j].checkpoint <= w->truth[j].written);
        w->truth[j].checkpoint = w->store.tables[j].checkpoint;
    }
    if (global != UINT64_MAX) { /* there is a table */
        assert_true(global >= w->global);
        w->global = global;
    }
}

static void
trouble(struct world *w)
{
    const struct odds *o = &w->odds;
    struct store *s = &w->store;
    struct capture *c = &w->capture[dice(CAPTURES)];

    if (one_in(o->kill))
        c->up = false;
    if (one_in(o->freeze))
        c->frozen = !c->frozen;
    if (one_in(o->cut))
        c->cut = !c->cut;
    if (one_in(o->join))
        join(w);
    if (one_in(o->leave) && c->used && !s->captures[c - w->capture].gone) {
        s->captures[c - w->capture].stopping = true;
        s->version++;
    }
    if (one_in(o->move)) {
        s->moves[s->feed.n_moves++ % MOVES] = (struct sched_move){
            .table = 99 + dice(TABLES + 2),
            .capture = (int)dice(CAPTURES + 1) - 1,
        };
        if (s->feed.n_moves > MOVES)
            s->feed.n_moves = MOVES;
        s->version++;
    }
    if (one_in(o->rebalance)) {
        s->feed.rebalance = true;
        s->version++;
    }
    if (one_in(o->pause)) {
        s->feed.running = !s->feed.running;
        s->version++;
    }
    if (one_in(o->drop) && s->feed.n_tables > 0) {
        s->tables[dice((unsigned)s->feed.n_tables)].dropped = true;
        s->version++;
    }
}

static void
tick(struct world *w)
{
    w->now_ms += TICK_MS;
    for (size_t j = 0; j < w->store.feed.n_tables; j++)
        if (one_in(3))
            w->truth[j].last += 1 + dice(4);
    if (w->store.feed.n_tables < TABLES && one_in(w->odds.grow)) {
        add_table(w);
        w->store.version++;
    }
    for (int i = 0; i < CAPTURES; i++)
        live(w, i);
    own(w);
    hold_checkpoints(w);
}

static void
ticks(unsigned n)
{
    while (n-- > 0)
        tick(&world);
}

static void
begin(unsigned captures, unsigned tables)
{
    memset(&world, 0, sizeof(world));
    bind_store(&world.store);
    world.now_ms = 1000000;
    world.store.feed.running = true;
    world.store.feed.balanced_ms = world.now_ms;
    while (captures-- > 0)
        join(&world);
    while (tables-- > 0)
        add_table(&world);
}

/* ---- the end of the trouble ---- */

static bool
serves(const struct world *w, int i)
{
    return w->capture[i].up && !w->store.captures[i].gone &&
           !w->store.captures[i].stopping;
}

static void
heal(struct world *w)
{
    bool any = false;

    memset(&w->odds, 0, sizeof(w->odds));
    w->store.feed.running = true;
    w->store.version++;
    for (int i = 0; i < CAPTURES; i++) {
        w->capture[i].frozen = w->capture[i].cut = false;
        any |= serves(w, i) && w->capture[i].lease_ms > w->now_ms;
    }
    if (!any) {
        w->capture[0].used = false; /* room for one that joins */
        w->capture[0].up = false;
        memset(w->store.reports[0], 0, sizeof(w->store.reports[0]));
        for (size_t j = 0; j < w->store.feed.n_tables; j++) {
            struct sched_table *t = &w->store.tables[j];

            if (t->writer == 0 || t->next == 0)
                *t = (struct sched_table){ .id = t->id,
                                           .writer = SCHED_NOBODY,
                                           .next = SCHED_NOBODY,
                                           .order = t->order,
                                           .checkpoint = t->checkpoint,
                                           .dropped = t->dropped };
        }
        join(w);
    }
}

static void
assert_settled(const struct world *w)
{
    size_t most = 0, least = SIZE_MAX, n;
    const struct sched_table *t;

    for (size_t j = 0; j < w->store.feed.n_tables; j++) {
        t = &w->store.tables[j];
        assert_int_equal(t->state,
                         t->dropped ? SCHED_ABSENT : SCHED_REPLICATING);
        if (!t->dropped)
            assert_true(serves(w, t->writer));
    }
    for (int i = 0; i < CAPTURES; i++) {
        n = sched_load(&w->store.feed, i);
        if (!serves(w, i)) {
            assert_int_equal(n, 0);
            continue;
        }
        most = n > most ? n : most;
        least = n < least ? n : least;
    }
    assert_true(most <= least + 1);
}

static void
choose_odds(struct odds *o)
{
    static const unsigned some[] = { 0, 5, 15, 40 };
    unsigned *odd = &o->kill;

    for (size_t i = 0; i < sizeof(*o) / sizeof(*odd); i++)
        odd[i] = some[dice(COUNT(some))];
    o->drop = one_in(3) ? 60 : 0;
    if (o->kill == 5)
        o->kill = 20;
}

static void
one_history(void)
{
    uint64_t was[TABLES];

    begin(1 + dice(4), dice(6));
    choose_odds(&world.odds);
    for (unsigned i = 0; i < TROUBLE; i++) {
        trouble(&world);
        tick(&world);
    }
    heal(&world);
    /* leases end, tables are given out, then a look at the balance */
    ticks(2 * LEASE_MS / TICK_MS + 20);
    world.store.feed.rebalance = true;
    world.store.version++;
    ticks(40);
    if (world.store.feed.n_tables == 0)
        return;
    assert_settled(&world);
    for (size_t j = 0; j < world.store.feed.n_tables; j++) {
        was[j] = world.store.tables[j].checkpoint;
        world.truth[j].last += 1;
    }
    ticks(40);
    for (size_t j = 0; j < TABLES && j < world.store.feed.n_tables; j++)
        if (!world.store.tables[j].dropped && world.truth[j].last > was[j])
            assert_true(world.store.tables[j].checkpoint >= was[j]);
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void
no_history_has_two_writers_or_a_gap(void **state)
{
    uint64_t seed = number("SEED", 1), count = number("COUNT", HISTORIES);

    (void)state;
    print_message("SEED=%llu COUNT=%llu\n", (unsigned long long)seed,
                  (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++) {
        chance = (seed + i) * 0x9E3779B97F4A7C15U | 1;
        one_history();
    }
}

/* ---- by hand ---- */

static void
tables_are_given_to_who_has_least(void **state)
{
    (void)state;
    chance = 1;
    begin(3, 7);
    ticks(4);
    for (int i = 0; i < 3; i++)
        assert_in_range(sched_load(&world.store.feed, i), 2, 3);
    assert_settled(&world);
}

static void
a_table_moves_in_two_phases(void **state)
{
    struct sched_table *t = &world.store.tables[0];
    uint64_t term, first;

    (void)state;
    chance = 1;
    begin(1, 1);
    ticks(4);
    first = t->writer_term;
    join(&world);
    world.store.moves[0] = (struct sched_move){ .table = 100, .capture = 1 };
    world.store.feed.n_moves = 1;
    own(&world);
    assert_int_equal(world.store.moves[0].outcome, SCHED_BEGUN);
    assert_int_equal(t->state, SCHED_PREPARING);
    assert_int_equal(sched_told(t, 0, &term), SCHED_WRITE);
    assert_int_equal(term, first);
    assert_int_equal(sched_told(t, 1, &term), SCHED_PREPARE);
    assert_true(term > first);
    world.store.reports[1][0] =
        (struct sched_report){ .term = term, .progress = SCHED_PREPARED };
    world.store.version++;
    own(&world);
    assert_int_equal(t->state, SCHED_HANDING);
    assert_int_equal(sched_told(t, 0, &first), SCHED_STOP);
    assert_int_equal(sched_told(t, 1, &term), SCHED_PREPARE);
    world.store.reports[0][0] = (struct sched_report){
        .term = first, .progress = SCHED_STOPPED, .checkpoint = t->checkpoint
    };
    own(&world);
    assert_int_equal(t->state, SCHED_REPLICATING);
    assert_int_equal(sched_told(t, 0, &first), SCHED_NONE);
    assert_int_equal(sched_told(t, 1, &first), SCHED_WRITE);
    assert_int_equal(first, term);
}

/* As when the feed was set back to an earlier time. */
static void
a_report_of_an_earlier_term_counts_for_nothing(void **state)
{
    struct sched_table *t = &world.store.tables[0];
    struct sched_report *r = &world.store.reports[0][0];

    (void)state;
    chance = 1;
    begin(1, 1);
    ticks(4);
    *r = (struct sched_report){ .term = t->writer_term - 1,
                                .progress = SCHED_WRITES,
                                .checkpoint = t->checkpoint + 9 };
    decide(&world, &world.store);
    assert_true(t->checkpoint < r->checkpoint);
    r->progress = SCHED_STOPPED;
    decide(&world, &world.store);
    assert_int_equal(t->state, SCHED_REPLICATING);
    r->term = t->writer_term;
    decide(&world, &world.store);
    assert_int_equal(t->checkpoint, r->checkpoint);
    assert_int_equal(t->writer_term, r->term + 1);
}

static void
a_wish_that_cannot_be_is_answered(void **state)
{
    static const struct sched_move wishes[MOVES] = {
        { .table = 7, .capture = 0 },
        { .table = 100, .capture = 9 },
        { .table = 100, .capture = -1 },
        { .table = 100, .capture = 0 },
    };

    (void)state;
    chance = 1;
    begin(1, 1);
    ticks(3);
    memcpy(world.store.moves, wishes, sizeof(wishes));
    world.store.feed.n_moves = MOVES;
    own(&world);
    assert_int_equal(world.store.moves[0].outcome, SCHED_NO_TABLE);
    assert_int_equal(world.store.moves[1].outcome, SCHED_NO_CAPTURE);
    assert_int_equal(world.store.moves[2].outcome, SCHED_NO_CAPTURE);
    assert_int_equal(world.store.moves[3].outcome, SCHED_THERE);
    for (int o = 0; o <= SCHED_THERE; o++)
        assert_true(strlen(sched_outcome_text((enum sched_outcome)o)) > 4);
}

static void
who_is_drained_ends_with_nothing(void **state)
{
    (void)state;
    chance = 1;
    begin(2, 6);
    ticks(4);
    world.store.captures[0].stopping = true;
    world.store.version++;
    ticks(40);
    assert_int_equal(sched_load(&world.store.feed, 0), 0);
    assert_settled(&world);
    /* the last one keeps what it has: there is nobody else */
    world.store.captures[1].stopping = true;
    world.store.version++;
    ticks(40);
    assert_int_equal(sched_load(&world.store.feed, 1), 6);
}

static void
one_that_joins_gets_its_share_within_a_minute(void **state)
{
    (void)state;
    chance = 1;
    begin(1, 6);
    ticks(4);
    join(&world);
    ticks(20);
    assert_int_equal(sched_load(&world.store.feed, 1), 0);
    ticks((unsigned)sched_defaults.balance_ms / TICK_MS + 40);
    assert_int_equal(sched_load(&world.store.feed, 1), 3);
}

static void
a_paused_feed_is_written_by_nobody(void **state)
{
    (void)state;
    chance = 1;
    begin(2, 4);
    ticks(4);
    world.store.feed.running = false;
    world.store.version++;
    ticks(6);
    for (size_t j = 0; j < 4; j++) {
        assert_int_equal(world.store.tables[j].state, SCHED_ABSENT);
        assert_string_equal(sched_state_name(world.store.tables[j].state),
                            "absent");
    }
    world.store.feed.running = true;
    world.store.version++;
    ticks(6);
    assert_settled(&world);
}

static void
only_so_many_are_given_out_and_moved_at_once(void **state)
{
    enum { N = 70 };
    static struct sched_table tables[N];
    static struct sched_seen seen[N];
    struct sched_capture captures[2] = { { .ready = true } };
    struct sched_feed f = { .running = true, .tables = tables, .n_tables = N };
    unsigned moving = 0;

    (void)state;
    for (int i = 0; i < N; i++)
        tables[i] = (struct sched_table){ .id = i,
                                          .writer = SCHED_NOBODY,
                                          .next = SCHED_NOBODY };
    assert_true(sched_step(&f, captures, 2, seen, &sched_defaults, 0));
    assert_int_equal(sched_load(&f, 0), sched_defaults.adds);
    assert_true(sched_step(&f, captures, 2, seen, &sched_defaults, 1));
    assert_int_equal(sched_load(&f, 0), N);
    assert_false(sched_step(&f, captures, 2, seen, &sched_defaults, 2));
    captures[1].ready = captures[0].stopping = true;
    assert_true(sched_step(&f, captures, 2, seen, &sched_defaults, 3));
    for (int i = 0; i < N; i++)
        moving += tables[i].state == SCHED_PREPARING;
    assert_int_equal(moving, sched_defaults.moves);
    assert_false(sched_step(&f, captures, 2, seen, &sched_defaults, 4));
    /* by wish all at once */
    captures[0].stopping = false;
    f.rebalance = true;
    for (int i = 0; i < N; i++)
        tables[i] = (struct sched_table){ .id = i,
                                          .state = SCHED_REPLICATING,
                                          .writer = 0,
                                          .next = SCHED_NOBODY };
    assert_true(sched_step(&f, captures, 2, seen, &sched_defaults, 5));
    assert_int_equal(sched_load(&f, 1), N / 2);
    assert_false(f.rebalance);
}

/* Whichever table it is; and behind the captures stands one that is not. */
static void
any_table_moves_but_only_to_who_is_there(void **state)
{
    const struct sched_capture captures[3] = { { .ready = true },
                                               { .ready = true },
                                               { .ready = true } };
    static const struct sched_seen seen[4];

    (void)state;
    for (int64_t id = 1; id <= 4; id++)
        for (int to = 1; to <= 2; to++) {
            struct sched_table tables[4];
            struct sched_move move = { .table = id, .capture = to };
            struct sched_feed f = { .running = true,
                                    .tables = tables,
                                    .n_tables = 4,
                                    .moves = &move,
                                    .n_moves = 1 };

            for (int i = 0; i < 4; i++)
                tables[i] = (struct sched_table){ .id = i + 1,
                                                  .state = SCHED_REPLICATING,
                                                  .next = SCHED_NOBODY };
            assert_true(sched_step(&f, captures, 2, seen, &sched_defaults, 1));
            assert_int_equal(move.outcome,
                             to == 1 ? SCHED_BEGUN : SCHED_NO_CAPTURE);
            for (int i = 0; i < 4; i++)
                assert_int_equal(tables[i].next,
                                 to == 1 && id == i + 1 ? 1 : SCHED_NOBODY);
        }
}

static void
a_feed_is_where_the_last_of_its_tables_is(void **state)
{
    struct sched_table tables[4];
    struct sched_feed f = { .tables = tables, .n_tables = 4 };

    (void)state;
    assert_int_equal(sched_checkpoint(&(struct sched_feed){ 0 }, 9), 9);
    for (size_t last = 0; last < 4; last++) {
        for (size_t i = 0; i < 4; i++)
            tables[i] = (struct sched_table){ .state = SCHED_REPLICATING,
                                              .checkpoint = i == last ? 5 : 7 };
        assert_int_equal(sched_checkpoint(&f, 9), 5);
        assert_int_equal(sched_checkpoint(&f, 5), 5);
        assert_int_equal(sched_checkpoint(&f, 4), 4);
        tables[last].dropped = true; /* and is still written */
        assert_int_equal(sched_checkpoint(&f, 9), 5);
        tables[last].state = SCHED_ABSENT;
        assert_int_equal(sched_checkpoint(&f, 9), 7);
        tables[last].dropped = false;
        assert_int_equal(sched_checkpoint(&f, 9), 5);
    }
}

/* Else the owner would store it again each minute. */
static void
a_feed_without_tables_changes_nothing(void **state)
{
    const struct sched_capture captures[1] = { { .ready = true } };
    struct sched_feed f = { .running = true };

    (void)state;
    assert_false(sched_step(&f, captures, 1, NULL, &sched_defaults,
                            10 * sched_defaults.balance_ms));
    assert_int_equal(f.balanced_ms, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_given_to_who_has_least),
        cmocka_unit_test(a_table_moves_in_two_phases),
        cmocka_unit_test(a_report_of_an_earlier_term_counts_for_nothing),
        cmocka_unit_test(a_wish_that_cannot_be_is_answered),
        cmocka_unit_test(who_is_drained_ends_with_nothing),
        cmocka_unit_test(one_that_joins_gets_its_share_within_a_minute),
        cmocka_unit_test(a_paused_feed_is_written_by_nobody),
        cmocka_unit_test(only_so_many_are_given_out_and_moved_at_once),
        cmocka_unit_test(any_table_moves_but_only_to_who_is_there),
        cmocka_unit_test(a_feed_is_where_the_last_of_its_tables_is),
        cmocka_unit_test(a_feed_without_tables_changes_nothing),
        cmocka_unit_test(no_history_has_two_writers_or_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
