/* The decision about a shard's primary, against simulated members: killed,
 * restarted, cut off, frozen, with threads that stop, disks that drop their
 * newest rows, and controls whose actions are lost or come late. What was
 * acknowledged stays, an epoch has one primary, and what is whole again works
 * again. SEED=n COUNT=n repeat a run or lengthen it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kunlun/core/failover.h"

#define HISTORIES 100000
#define MEMBERS   5
#define LOG       512
#define LATE      24 /* actions under way */
#define TICK_MS   100
#define DOUBT     (UINT64_C(1) << 62)
#define ENDS_MS   1500 /* so long one that is to be ended takes no orders */

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

/* ---- servers ---- */

struct entry {
    uint32_t id;
    uint32_t server;
};

struct server {
    bool up, frozen, writable;
    bool io, sql, broken, unrelated, full;
    uint64_t start, order, ready, ticket;
    int source;
    unsigned locked; /* bit per member that it lets nobody in of */
    int64_t full_ms; /* since when its disk is full */
    int64_t seen_ms; /* when control last had an answer */
    unsigned applied, received, acked; /* lengths: of the binlog, with what
                                        * lies in the relay log, of what is
                                        * committed */
    bool parts;                        /* its machine ends it in order ... */
    bool in_order;                     /* ... and has done so */
    struct fo_mark mark;
    bool ends; /* ... has said so, and it takes no orders since: */
    int64_t ends_ms;
    struct entry log[LOG]; /* binlog, then relay log */
};

struct late {
    int64_t due_ms;
    struct fo_action a;
    uint64_t order;
    uint64_t epoch;
    int source;
};

struct odds { /* one in so many ticks */
    unsigned kill_primary, kill_replica, cut, freeze, stop_sql, break_sql;
    unsigned stop_io;
    unsigned stop, give_up; /* in order; not carried through */
    unsigned lose, late, second_control, switch_over, full;
    bool slow_start;  /* killed servers stay down for long */
    bool quick_start; /* ... or are up before anybody has looked */
};

struct world {
    unsigned n;
    bool lone; /* it starts writable: nobody else may be */
    int64_t now_ms;
    uint32_t ids;
    struct odds odds;
    struct server server[MEMBERS];
    bool cut_control[MEMBERS], cut[MEMBERS][MEMBERS];
    struct fo_shard shard; /* the store */
    unsigned n_late;
    struct late late[LATE];
    /* a plan that a second control has made and not yet carried out */
    bool held;
    struct fo_shard held_was, held_shard;
    struct fo_plan held_plan;
    uint32_t acked_id[LOG]; /* by seq - 1; 0: none */
    unsigned n_acked;
    bool forced;
    int promoted[LOG]; /* by epoch, + 1 */
    unsigned decisions;
    unsigned turned_away; /* by who they were to receive from */
    struct fo_plan plan;  /* the last one */
};

static struct fo_gtid
at(const struct server *v, unsigned n)
{
    return (struct fo_gtid){ n, n > 0 ? v->log[n - 1].server : 0 };
}

static bool
reaches(const struct world *w, unsigned i, unsigned j)
{
    return w->server[j].up && !w->server[j].frozen && !w->cut[i][j];
}

static bool
is_connected(const struct world *w, unsigned i)
{
    const struct server *v = &w->server[i];

    return v->up && !v->frozen && v->io && v->source >= 0 &&
           reaches(w, i, (unsigned)v->source) &&
           (w->server[v->source].locked & 1U << i) == 0;
}

static void
write_row(struct world *w, unsigned i)
{
    struct server *v = &w->server[i];

    if (v->applied < LOG)
        v->log[v->applied++] = (struct entry){ ++w->ids, i + 1 };
    v->received = v->applied;
}

/* All that was acknowledged is in the first n of its log. */
static void
assert_has_all(const struct world *w, unsigned i, unsigned n)
{
    for (unsigned k = 0; k < w->n_acked; k++)
        if (w->acked_id[k] != 0 && !w->forced) {
            assert_true(k < n);
            assert_int_equal(w->server[i].log[k].id, w->acked_id[k]);
        }
}

static void
acknowledge(struct world *w, unsigned i, unsigned n)
{
    struct server *v = &w->server[i];

    for (; v->acked < n; v->acked++) {
        uint32_t id = v->log[v->acked].id;

        if (!w->forced && w->acked_id[v->acked] != 0)
            assert_int_equal(w->acked_id[v->acked], id);
        w->acked_id[v->acked] = id;
        if (w->n_acked <= v->acked)
            w->n_acked = v->acked + 1;
    }
}

/* Without a thread that applies, what it has not applied goes with it. */
static void
end_receiving(struct server *v)
{
    v->io = false;
    if (!v->sql || v->broken)
        v->received = v->applied;
}

static void
receive(struct world *w, unsigned i)
{
    struct server *v = &w->server[i], *from;
    unsigned most;

    if (!is_connected(w, i))
        return;
    from = &w->server[v->source];
    if (v->received > from->applied ||
        (v->received > 0 &&
         v->log[v->received - 1].id != from->log[v->received - 1].id)) {
        v->unrelated = true;
        end_receiving(v);
        return;
    }
    most = from->applied - v->received;
    if (most > 0)
        most = dice(most + 1);
    memcpy(&v->log[v->received], &from->log[v->received],
           most * sizeof(v->log[0]));
    v->received += most;
    if (from->writable && v->received > from->acked && !one_in(4))
        acknowledge(w, (unsigned)v->source, v->received);
}

/* It is ended in order: it receives nothing more, applies what it has, notes
 * that, and ends. Who sees to that may be killed at any point. */
static void
part(struct world *w, struct server *v)
{
    bool marked = v->mark.start == v->start;

    if (!v->ends) {
        v->ends = true;
        v->ends_ms = w->now_ms;
    } else if (one_in(w->odds.give_up)) {
        v->parts = false;
    } else if (v->writable ||
               (!marked && v->sql && !v->broken && !v->io &&
                v->applied == v->received && (v->ticket & DOUBT) == 0)) {
        v->writable = false;
        v->mark = (struct fo_mark){ v->start, v->ticket, at(v, v->applied) };
    } else if (!marked && v->sql && !v->broken && v->io) {
        v->io = false;
    } else if (one_in(3)) { /* it may have waited in vain */
        v->up = v->parts = false;
        v->in_order = true;
    }
}

static void
run_server(struct world *w, unsigned i)
{
    struct server *v = &w->server[i];

    if (!v->up || v->frozen)
        return;
    if (v->parts) {
        part(w, v);
        if (!v->up)
            return;
    }
    if (v->writable) {
        if (!v->full && one_in(2))
            write_row(w, i);
        if (w->n == 1)
            acknowledge(w, i, v->applied);
        return;
    }
    if (!v->full)
        receive(w, i);
    if (!v->full && v->sql && !v->broken && v->received > v->applied)
        v->applied += 1 + dice(v->received - v->applied);
    v->acked = v->applied;
}

static bool
takes_no_orders(const struct world *w, const struct server *v)
{
    return v->ends && w->now_ms - v->ends_ms < ENDS_MS;
}

/* A relay log that is not applied is gone; of the binlog, the newest may be,
 * but not where no other server is asked. */
static void
start_server(const struct world *w, struct server *v)
{
    unsigned drop = w->n > 1 && !v->in_order ? dice(3) : 0;

    v->applied -= drop < v->applied ? drop : v->applied;
    v->received = v->acked = v->applied;
    v->writable = w->lone;
    v->io = v->sql = v->broken = v->unrelated = false;
    v->frozen = v->parts = v->ends = v->in_order = false;
    v->up = true;
    v->start++;
}

/* ---- what is done to them ---- */

/* Either may end half-way, before the ticket is noted or after. */
static void
follow(struct server *v, int source, uint64_t ticket, bool all)
{
    if (ticket <= v->ready)
        return;
    v->received = v->applied;
    v->source = source;
    v->io = v->sql = false;
    v->writable = v->broken = v->unrelated = false;
    if (!all)
        return;
    v->ready = ticket;
    v->ticket = 0;
}

static void
begin_to_receive(struct world *w, unsigned i, uint64_t ticket, bool all)
{
    struct server *v = &w->server[i];

    if (v->ticket != 0 || v->ready != ticket || v->writable)
        return;
    w->turned_away += (w->server[v->source].locked & 1U << i) != 0;
    v->ticket = ticket;
    v->received = v->applied;
    v->io = v->sql = all;
}

static void
carry_out(struct world *w, const struct late *l)
{
    unsigned i = (unsigned)l->a.member;
    struct server *v = &w->server[i];
    bool server_answers = v->up && !v->frozen;

    if (w->cut_control[i] || l->order < v->order || takes_no_orders(w, v))
        return;
    v->order = l->order;
    if (l->a.kind == FO_REBUILD) {
        const struct server *p = &w->server[l->source];

        if (p->up && l->source != (int)i) {
            memcpy(v->log, p->log, p->acked * sizeof(v->log[0]));
            v->applied = p->acked;
            start_server(w, v);
        }
    } else if (!server_answers) {
        return;
    } else if (l->a.kind == FO_PROMOTE) {
        if (v->writable || v->start != l->a.start)
            return;
        if (l->epoch == w->shard.epoch)
            assert_has_all(w, i, v->applied);
        assert_true(w->promoted[l->epoch] == 0 ||
                    w->promoted[l->epoch] == (int)i + 1);
        w->promoted[l->epoch] = (int)i + 1;
        v->io = v->sql = false;
        v->received = v->applied;
        v->locked = ~0U;
        v->mark = (struct fo_mark){ 0 };
        v->writable = true;
    } else if (l->a.kind == FO_DEMOTE) {
        v->writable = v->writable && v->full; /* its sessions do not end */
    } else if (l->a.kind == FO_FOLLOW) {
        follow(v, l->source, l->a.ticket, !one_in(w->odds.lose));
    } else if (l->a.kind == FO_RECEIVE) {
        begin_to_receive(w, i, l->a.ticket, !one_in(w->odds.lose));
    } else if (l->a.kind == FO_START_APPLYING) {
        v->sql = true;
        if (!v->io) { /* too late: it begins without a relay log */
            v->received = v->applied;
            v->ticket |= DOUBT;
        }
    } else if (l->a.kind == FO_STOP_RECEIVING && (!v->full || one_in(4))) {
        /* the relay log of a receiver that stops alone would be dropped */
        if (v->sql && !v->broken)
            v->io = false;
    } else if (l->a.kind == FO_EVICT) {
        v->locked |= 1U << l->a.whom;
    } else if (l->a.kind == FO_ADMIT) {
        v->locked &= ~(1U << l->a.whom);
    }
}

static void
carry_out_late(struct world *w)
{
    for (unsigned k = 0; k < w->n_late;) {
        struct late l = w->late[k];

        if (l.due_ms > w->now_ms) {
            k++;
            continue;
        }
        w->late[k] = w->late[--w->n_late];
        carry_out(w, &l);
    }
}

/* ---- control ---- */

static void
look(struct world *w, struct fo_seen seen[])
{
    memset(seen, 0, w->n * sizeof(*seen));
    for (unsigned i = 0; i < w->n; i++) {
        struct server *v = &w->server[i];
        struct fo_seen *o = &seen[i];

        if (!w->cut_control[i])
            o->ended = !v->up || v->start != w->shard.member[i].start;
        if (w->cut_control[i] || !v->up || v->frozen) {
            o->silent_ms = w->now_ms - v->seen_ms;
            continue;
        }
        v->seen_ms = w->now_ms;
        o->answered = true;
        o->start = v->start;
        o->order = v->order;
        o->ready = v->ready;
        o->ticket = v->ticket;
        o->writable = v->writable;
        o->broken = v->broken || v->unrelated;
        o->unrelated = v->unrelated;
        o->io = v->io;
        o->hears = is_connected(w, i);
        /* a connection may outlive the way to who is at its other end */
        o->connected = o->hears || (v->io && v->source >= 0);
        o->applying = v->sql && !v->broken;
        o->full = v->full;
        o->stuck_ms = v->full ? w->now_ms - v->full_ms : 0;
        o->ends = takes_no_orders(w, v);
        o->mark = v->mark;
        o->received = at(v, v->received);
        o->applied = at(v, v->applied);
        if (v->writable) /* nobody who is locked out stays connected here */
            o->shut = v->locked;
    }
}

static void
store_and_act(struct world *w, const struct fo_shard *was,
              const struct fo_shard *s, const struct fo_plan *p)
{
    if (p->changed && was->order != w->shard.order)
        return; /* somebody else has stored meanwhile */
    if (p->changed)
        w->shard = *s;
    w->decisions += p->decided;
    for (unsigned k = 0; k < p->n && w->n_late < LATE; k++)
        if (!one_in(w->odds.lose))
            w->late[w->n_late++] = (struct late){
                .due_ms = w->now_ms + (one_in(w->odds.late)
                                           ? (int64_t)dice(80) * TICK_MS
                                           : (int64_t)dice(2) * TICK_MS),
                .a = p->action[k],
                .order = s->order,
                .epoch = s->epoch,
                .source = s->primary,
            };
}

static const struct fo_rules rules = {
    .silent_ms = 500,
    .evict_ms = 300,
    .patience_ms = 1000,
};

static void
control(struct world *w)
{
    struct fo_seen seen[MEMBERS];
    struct fo_shard s = w->shard;

    if (w->held && one_in(8)) {
        w->held = false;
        store_and_act(w, &w->held_was, &w->held_shard, &w->held_plan);
        return;
    }
    look(w, seen);
    failover_step(&s, seen, &rules, w->now_ms, &w->plan);
    if (!w->held && one_in(w->odds.second_control)) {
        w->held = true; /* frozen before it could store */
        w->held_was = w->shard;
        w->held_shard = s;
        w->held_plan = w->plan;
        return;
    }
    store_and_act(w, &w->shard, &s, &w->plan);
}

/* ---- faults ---- */

static void
fill(struct world *w, unsigned i, bool full)
{
    w->server[i].full = full;
    w->server[i].full_ms = w->now_ms;
}

static void
hurt_server(struct world *w, unsigned i)
{
    struct server *v = &w->server[i];
    const struct odds *o = &w->odds;

    if (!v->up) {
        if (one_in(o->slow_start ? 40 : 4))
            start_server(w, v);
    } else if (one_in(v->writable ? o->kill_primary : o->kill_replica)) {
        v->up = false;
        v->in_order = false;
        if (o->quick_start && one_in(2))
            start_server(w, v);
    } else if (one_in(o->stop)) {
        v->parts = true;
        v->ends = false;
    }
    if (v->frozen ? one_in(10) : one_in(o->freeze))
        v->frozen = !v->frozen;
    if (one_in(o->stop_sql))
        v->sql = false;
    if (v->io && one_in(o->stop_io))
        end_receiving(v);
    if (one_in(o->break_sql) && !v->writable)
        v->broken = true;
    if (one_in(o->full))
        fill(w, i, !v->full);
    if (w->cut_control[i] ? one_in(15) : one_in(o->cut))
        w->cut_control[i] = !w->cut_control[i];
    for (unsigned j = 0; j < w->n; j++)
        if (w->cut[i][j] ? one_in(15) : one_in(o->cut))
            w->cut[i][j] = !w->cut[i][j];
}

static void
ask_for_a_switch(struct world *w)
{
    struct fo_shard *s = &w->shard;

    s->switch_to = (int)dice(w->n);
    s->switch_order = ++s->order;
    s->switch_until_ms = w->now_ms + 2000;
}

static void
tick(struct world *w, bool faults)
{
    w->now_ms += TICK_MS;
    for (unsigned i = 0; i < w->n; i++) {
        if (faults)
            hurt_server(w, i);
        run_server(w, i);
    }
    if (faults && one_in(w->odds.switch_over))
        ask_for_a_switch(w);
    carry_out_late(w);
    control(w);
}

static void
heal(struct world *w)
{
    memset(w->cut_control, 0, sizeof(w->cut_control));
    memset(w->cut, 0, sizeof(w->cut));
    memset(&w->odds, 0, sizeof(w->odds));
    for (unsigned i = 0; i < w->n; i++) {
        w->server[i].frozen = w->server[i].full = false;
        w->server[i].parts = false;
        if (!w->server[i].up)
            start_server(w, &w->server[i]);
    }
}

static void
create(struct world *w, unsigned n)
{
    memset(w, 0, sizeof(*w));
    w->n = n;
    w->lone = n == 1 && one_in(2);
    w->now_ms = 1000000;
    w->shard = (struct fo_shard){
        .epoch = 1, .order = 1, .n = n, .switch_to = FO_NOBODY
    };
    for (unsigned i = 0; i < n; i++) {
        w->server[i] = (struct server){
            .up = true, .start = 100 * i + 1, .source = FO_NOBODY, .locked = ~0U
        };
        w->server[i].seen_ms = w->now_ms;
        w->shard.member[i].start = w->server[i].start;
    }
    w->shard.member[0].role = FO_PRIMARY;
}

/* Nobody is primary but one who is writable, and all others serve. */
static bool
is_whole(const struct world *w)
{
    if (w->plan.verdict != FO_FINE)
        return false;
    for (unsigned i = 0; i < w->n; i++) {
        const struct server *v = &w->server[i];

        if ((int)i == w->shard.primary
                ? !v->writable
                : v->writable || !v->io || !v->sql || !is_connected(w, i))
            return false;
    }
    return true;
}

static bool
becomes_whole(struct world *w, unsigned ticks)
{
    for (unsigned k = 0; k < ticks; k++) {
        tick(w, false);
        if (is_whole(w))
            return true;
    }
    return false;
}

static void
explain(const struct world *w, uint64_t seed)
{
    print_error("SEED=%llu: verdict %d, %s (%d)\n", (unsigned long long)seed,
                w->plan.verdict, fo_why_text(w->plan.why), w->plan.about);
}

/* Whether somebody who may have acknowledged has lost what he had, or nobody
 * has all: then it is right to wait for a person. */
static bool
is_rightly_unsafe(const struct world *w)
{
    const struct fo_shard *s = &w->shard;

    if (w->plan.verdict != FO_UNSAFE)
        return false;
    for (unsigned i = 0; i < w->n; i++) {
        const struct server *v = &w->server[i];
        /* neither thread runs: its relay log goes when one begins */
        bool ended = !v->io && !v->sql && v->applied < v->received;

        if (s->member[i].role == FO_IN &&
            (s->member[i].broken || v->broken || ended))
            return true;
    }
    return w->plan.why == FO_WHY_BELOW_BASE || w->plan.why == FO_WHY_DIVERGED ||
           w->plan.why == FO_WHY_NO_CANDIDATE;
}

/* One life; whether it ended unsafe. */
static bool
live(struct world *w, unsigned n, const struct odds *odds, unsigned ticks,
     uint64_t seed)
{
    bool unsafe = false;

    create(w, n);
    if (!becomes_whole(w, 100))
        explain(w, seed);
    assert_true(is_whole(w));
    w->odds = *odds;
    for (unsigned k = 0; k < ticks; k++)
        tick(w, true);
    heal(w);
    if (!becomes_whole(w, 400)) {
        unsafe = is_rightly_unsafe(w);
        if (!unsafe)
            explain(w, seed);
        assert_true(unsafe);
        w->forced = w->shard.force = true;
        w->shard.order++;
        if (!becomes_whole(w, 400))
            explain(w, seed);
        assert_true(is_whole(w));
    }
    assert_has_all(w, (unsigned)w->shard.primary,
                   w->server[w->shard.primary].applied);
    return unsafe;
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static struct world world;

static unsigned
pick(unsigned one_in_so_many)
{
    return one_in(3) ? 0 : one_in_so_many / 2 + dice(one_in_so_many);
}

static void
nothing_acknowledged_is_lost_whatever_happens(void **state)
{
    uint64_t seed = from_environment("SEED", 20261129);
    uint64_t count = from_environment("COUNT", HISTORIES);
    unsigned unsafe = 0, decisions = 0;

    (void)state;
    for (uint64_t i = 0; i < count; i++) {
        struct odds o;

        chance = (seed + i) * 0x9e3779b97f4a7c15u | 1;
        (void)dice(2);
        o = (struct odds){
            .kill_primary = pick(40),
            .kill_replica = pick(120),
            .cut = pick(400),
            .freeze = pick(200),
            .stop_sql = pick(200),
            .break_sql = pick(600),
            .stop_io = pick(400),
            .stop = pick(60),
            .give_up = pick(20),
            .lose = pick(12),
            .late = pick(12),
            .second_control = pick(20),
            .switch_over = pick(60),
            .full = pick(100),
            .slow_start = one_in(3),
            .quick_start = one_in(3),
        };
        unsafe += live(&world, 1 + dice(MEMBERS), &o, 120, seed + i);
        decisions += world.decisions;
    }
    print_message("%u primaries chosen in %llu lives, %u ended unsafe\n",
                  decisions, (unsigned long long)count, unsafe);
    assert_true(decisions > count);
}

/* A primary that dies, and nothing else: always another one, at once. */
static void
a_dead_primary_is_followed_by_another(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        struct odds o = { .slow_start = one_in(2) };
        unsigned n = 2 + dice(MEMBERS - 1), quick = dice(40);
        int was;

        chance = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u | 1;
        create(&world, n);
        assert_true(becomes_whole(&world, 100));
        world.odds = o;
        for (unsigned k = 0; k < quick; k++)
            tick(&world, false);
        was = world.shard.primary;
        world.server[was].up = false;
        for (unsigned k = 0; k < 12; k++)
            tick(&world, false);
        assert_int_not_equal(world.shard.primary, was);
        assert_true(world.server[world.shard.primary].writable);
        assert_has_all(&world, (unsigned)world.shard.primary,
                       world.server[world.shard.primary].applied);
        start_server(&world, &world.server[was]);
        assert_true(becomes_whole(&world, 100));
        /* who comes too early tries again a second later */
        assert_int_equal(world.turned_away, 0);
    }
}

/* Started again before anybody has looked, it may have dropped what others
 * have: they end to receive from it, and are witnesses all the same. */
static void
a_primary_that_is_pulled_up_unseen_is_followed_by_another(void **state)
{
    unsigned ended = 0;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        unsigned n = 2 + dice(MEMBERS - 1), quick = dice(40);
        int was;

        chance = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u | 1;
        create(&world, n);
        assert_true(becomes_whole(&world, 100));
        for (unsigned k = 0; k < quick; k++)
            tick(&world, false);
        was = world.shard.primary;
        start_server(&world, &world.server[was]);
        for (unsigned k = 0; k < n; k++) { /* long before control does */
            run_server(&world, k);
            ended += world.server[k].unrelated;
        }
        for (unsigned k = 0; k < 12; k++)
            tick(&world, false);
        assert_int_not_equal(world.shard.primary, was);
        assert_true(world.server[world.shard.primary].writable);
        assert_has_all(&world, (unsigned)world.shard.primary,
                       world.server[world.shard.primary].applied);
        assert_true(becomes_whole(&world, 100));
    }
    assert_true(ended > 100);
}

static void
create_whole(unsigned n)
{
    chance = 20261129;
    create(&world, n);
    assert_true(becomes_whole(&world, 100));
}

static void
ticks(unsigned n)
{
    while (n-- > 0)
        tick(&world, false);
}

/* ---- stopped in order ---- */

static void
end_all_in_order(bool watched)
{
    unsigned left;

    do {
        world.server[dice(world.n)].parts |= one_in(4);
        world.now_ms += TICK_MS;
        left = 0;
        for (unsigned i = 0; i < world.n; i++) {
            run_server(&world, i);
            left += world.server[i].up;
        }
        if (watched) {
            carry_out_late(&world);
            control(&world);
        }
    } while (left > 0);
}

static void
start_all(void)
{
    for (unsigned left = world.n; left > 0; tick(&world, false)) {
        struct server *one = &world.server[dice(world.n)];

        if (!one->up && one_in(3)) {
            start_server(&world, one);
            left--;
        }
    }
}

/* In any order, while control looks or not: nobody has to be asked. */
static void
a_shard_that_was_stopped_in_order_begins_again_by_itself(void **state)
{
    unsigned as_before = 0;

    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        int was;

        chance = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u | 1;
        create(&world, 2 + dice(MEMBERS - 1));
        assert_true(becomes_whole(&world, 100));
        ticks(dice(40));
        was = world.shard.primary;
        end_all_in_order(one_in(2));
        start_all();
        if (!becomes_whole(&world, 100))
            explain(&world, i);
        assert_true(is_whole(&world));
        assert_has_all(&world, (unsigned)world.shard.primary,
                       world.server[world.shard.primary].applied);
        as_before += world.shard.primary == was;
    }
    assert_true(as_before > 2000);
}

/* A replica that has left this mark, and was started again; its primary is
 * not there. */
static void
assert_void(struct fo_mark mark, struct server *one)
{
    world.server[world.shard.primary].up = false;
    one->mark = mark;
    one->io = one->sql = false;
    one->start++;
    ticks(30);
    assert_int_equal(world.shard.epoch, 1);
    assert_int_equal(world.plan.verdict, FO_UNSAFE);
    assert_int_equal(world.plan.why, FO_WHY_MEMBER_BROKEN);
}

static struct server *
a_replica(void)
{
    struct server *one;

    create_whole(2);
    ticks(20);
    one = &world.server[1 - world.shard.primary];
    one->received = one->applied;
    assert_true(one->applied > 1);
    return one;
}

static void
a_mark_of_more_than_it_has_is_void(void **state)
{
    struct server *one = a_replica();
    struct fo_mark mark = { one->start, one->ticket, at(one, one->applied) };

    (void)state;
    one->received = --one->applied;
    assert_void(mark, one);
}

static void
a_mark_of_before_it_was_told_to_follow_is_void(void **state)
{
    struct server *one = a_replica();

    (void)state;
    assert_void(
        (struct fo_mark){ one->start, one->ticket - 1, at(one, one->applied) },
        one);
    one = a_replica();
    assert_void(
        (struct fo_mark){ one->start - 1, one->ticket, at(one, one->applied) },
        one);
}

/* Whoever wanted to end it was killed. */
static void
one_that_is_not_ended_after_all_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct server *one;

        create_whole(3);
        one = &world.server[(world.shard.primary + i) % 3];
        one->parts = true;
        while (one->mark.start == 0)
            run_server(&world, (unsigned)(one - world.server));
        one->parts = false;
        ticks(5);
        assert_false(one->writable);
        assert_false(one->io);
        assert_true(becomes_whole(&world, 100));
        assert_int_equal(world.shard.primary, 0);
    }
}

static bool
is_planned(enum fo_action_kind kind)
{
    for (unsigned k = 0; k < world.plan.n; k++)
        if (world.plan.action[k].kind == kind)
            return true;
    return false;
}

/* Ready, let in, and only then does it begin: an older FOLLOW that comes late
 * finds the door shut, and nobody comes to it in vain. */
static void
one_begins_to_follow_in_three_looks(void **state)
{
    struct fo_shard s = { .epoch = 1, .order = 9, .n = 2 };
    struct fo_seen seen[2] = {
        { .answered = true, .start = 1, .order = 9, .writable = true },
        { .answered = true, .start = 2, .order = 8, .ready = 7 },
    };

    (void)state;
    s.switch_to = FO_NOBODY;
    s.member[0] = (struct fo_member){ .role = FO_PRIMARY, .start = 1 };
    s.member[1] = (struct fo_member){ .role = FO_IN, .start = 2, .ticket = 9 };
    for (unsigned look = 0; look < 4; look++) {
        seen[0].shut = look < 2 ? 1U << 1 : 0;
        if (look == 1)
            seen[1].ready = 9;
        if (look == 3) /* it is not known who it lets in */
            seen[0].writable = false;
        failover_step(&s, seen, &rules, 1000, &world.plan);
        assert_int_equal(is_planned(FO_FOLLOW), look == 0);
        assert_int_equal(is_planned(FO_ADMIT), look == 1);
        assert_int_equal(is_planned(FO_RECEIVE), look == 2);
        assert_false(world.plan.changed);
    }
}

/* One alone, as for a new version of the server: it is a witness all the
 * time. */
static void
a_replica_that_was_stopped_in_order_stops_no_failover(void **state)
{
    struct server *one;

    (void)state;
    create_whole(2);
    one = &world.server[1 - world.shard.primary];
    one->parts = true;
    while (one->up)
        tick(&world, false);
    world.server[world.shard.primary].up = false;
    start_server(&world, one);
    ticks(60);
    assert_int_equal(world.shard.epoch, 2);
    assert_true(one->writable);
    assert_has_all(&world, (unsigned)world.shard.primary, one->applied);
}

/* It is told to apply when what it had received has gone meanwhile. */
static void
one_that_is_told_to_apply_too_late_is_no_witness(void **state)
{
    struct fo_action a = { .kind = FO_START_APPLYING };
    struct server *one;

    (void)state;
    create_whole(2);
    a.member = 1 - world.shard.primary;
    one = &world.server[a.member];
    one->sql = false;
    end_receiving(one);
    carry_out(&world, &(struct late){ .a = a, .order = world.shard.order });
    world.server[world.shard.primary].up = false;
    ticks(30);
    assert_int_equal(world.shard.epoch, 1);
    assert_int_equal(world.plan.verdict, FO_UNSAFE);
    assert_int_equal(world.plan.why, FO_WHY_MEMBER_BROKEN);
}

/* Its replicas are cut off with it: they cannot acknowledge for it. */
static void
one_that_is_cut_off_is_replaced_and_comes_back(void **state)
{
    int was;

    (void)state;
    create_whole(3);
    was = world.shard.primary;
    world.cut_control[was] = true;
    for (unsigned i = 0; i < 3; i++)
        world.cut[i][was] = true;
    ticks(430);
    assert_int_not_equal(world.shard.primary, was);
    assert_true(world.server[was].writable); /* nobody has told it */
    heal(&world);
    assert_true(becomes_whole(&world, 100));
    assert_has_all(&world, (unsigned)world.shard.primary,
                   world.server[world.shard.primary].applied);
}

/* We do not see it, they do: clients may be well. */
static void
one_that_its_replicas_see_stays(void **state)
{
    (void)state;
    create_whole(3);
    world.cut_control[world.shard.primary] = true;
    ticks(200);
    assert_int_equal(world.shard.epoch, 1);
    assert_int_equal(world.plan.verdict, FO_SUSPECTS);
    assert_int_equal(world.plan.why, FO_WHY_PRIMARY_UNSEEN);
}

/* It answers, and its replicas hear from it. What they have of it is all that
 * anybody was told is safe, and it cannot end its sessions: nobody tells it. */
static void
one_whose_disk_is_full_is_followed_by_one_who_has_room(void **state)
{
    unsigned stay = 0;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        unsigned n = 2 + dice(MEMBERS - 1), full = dice(n - 1);
        int was;

        chance = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u | 1;
        create(&world, n);
        assert_true(becomes_whole(&world, 100));
        ticks(dice(40));
        was = world.shard.primary;
        fill(&world, (unsigned)was, true);
        ticks(3);
        assert_int_equal(world.shard.epoch, 1);
        assert_int_equal(world.plan.verdict, FO_SUSPECTS);
        assert_int_equal(world.plan.why, FO_WHY_PRIMARY_FULL);
        for (unsigned k = 0; k < full; k++) /* some of the others, too */
            fill(&world, ((unsigned)was + 1 + k) % n, true);
        for (unsigned k = 0; k < 60 && !world.plan.decided; k++) {
            ticks(1);
            assert_true(world.plan.verdict != FO_WORKS || world.plan.decided ||
                        world.plan.why == FO_WHY_PRIMARY_FULL);
        }
        ticks(8);
        if (world.plan.verdict == FO_UNSAFE) { /* who has most is full */
            assert_true(full > 0);
            assert_int_equal(world.plan.why, FO_WHY_ALL_FULL);
            assert_false(world.shard.fencing);
            stay++;
        } else {
            assert_int_not_equal(world.shard.primary, was);
            assert_true(world.server[was].writable);
            assert_has_all(&world, (unsigned)world.shard.primary,
                           world.server[world.shard.primary].applied);
        }
        heal(&world);
        assert_true(becomes_whole(&world, 100));
        assert_has_all(&world, (unsigned)world.shard.primary,
                       world.server[world.shard.primary].applied);
    }
    assert_true(stay < 200);
}

/* Whoever took its place would write nothing either. */
static void
one_that_is_as_full_as_the_others_stays(void **state)
{
    (void)state;
    create_whole(3);
    for (unsigned i = 0; i < 3; i++)
        fill(&world, i, true);
    ticks(100);
    assert_int_equal(world.shard.epoch, 1);
    assert_false(world.shard.fencing);
    assert_int_equal(world.plan.verdict, FO_UNSAFE);
    assert_int_equal(world.plan.why, FO_WHY_ALL_FULL);
    assert_int_equal(world.plan.about, world.shard.primary);
    fill(&world, (unsigned)world.shard.primary, false);
    ticks(1);
    assert_int_equal(world.shard.epoch, 1);
    assert_true(world.plan.verdict < FO_UNSAFE);
    heal(&world);
    assert_true(becomes_whole(&world, 100));
}

/* Its machine is to be used no more, as somebody has said. */
static void
one_that_is_as_full_as_the_others_goes_by_force(void **state)
{
    (void)state;
    create_whole(3);
    for (unsigned i = 0; i < 3; i++)
        fill(&world, i, true);
    ticks(20);
    world.forced = world.shard.force = true;
    world.shard.order++;
    ticks(60);
    assert_int_not_equal(world.shard.primary, 0);
    heal(&world);
    assert_true(becomes_whole(&world, 100));
}

/* Shut out as long as it is so, it has no say when its primary dies. */
static void
a_full_replica_is_shut_out_until_it_has_room(void **state)
{
    unsigned one;

    (void)state;
    create_whole(3);
    one = (unsigned)(world.shard.primary + 1) % 3;
    fill(&world, one, true);
    ticks(30);
    assert_int_equal(world.shard.member[one].role, FO_OUT);
    assert_int_equal(world.plan.verdict, FO_FINE);
    assert_int_equal(world.plan.n, 0);
    world.server[world.shard.primary].up = false;
    ticks(30);
    assert_int_equal(world.shard.epoch, 2);
    assert_int_not_equal(world.shard.primary, (int)one);
    heal(&world);
    assert_true(becomes_whole(&world, 100));
}

/* It has what nobody else has, and no room to apply it. */
static void
one_that_cannot_apply_for_want_of_room_says_so(void **state)
{
    struct server *one;

    (void)state;
    create_whole(2);
    one = &world.server[1 - world.shard.primary];
    for (unsigned k = 0; k < 1000 && one->applied == one->received; k++)
        ticks(1);
    assert_true(one->applied < one->received);
    fill(&world, (unsigned)(one - world.server), true);
    world.server[world.shard.primary].up = false;
    ticks(60);
    assert_int_equal(world.shard.epoch, 1);
    assert_int_equal(world.plan.verdict, FO_UNSAFE);
    assert_int_equal(world.plan.why, FO_WHY_MEMBER_FULL);
    one->full = false;
    ticks(20);
    assert_int_equal(world.shard.epoch, 2);
    assert_true(one->writable);
    assert_has_all(&world, (unsigned)world.shard.primary, one->applied);
}

/* What it writes is seen: a disk that is full for a moment moves nobody. */
static void
one_who_still_writes_is_not_over(void **state)
{
    (void)state;
    create_whole(3);
    for (unsigned i = 0; i < 20; i++) {
        fill(&world, 0, true);
        ticks(4);
        assert_int_equal(world.plan.verdict, FO_SUSPECTS);
        fill(&world, 0, false);
        ticks(1);
        assert_int_equal(world.plan.verdict, FO_FINE);
    }
    assert_int_equal(world.shard.epoch, 1);
}

/* The order of events that loses rows where positions alone are compared. */
static void
a_replica_that_was_killed_before_its_primary_stops_the_failover(void **state)
{
    unsigned one;

    (void)state;
    create_whole(3);
    one = (unsigned)(world.shard.primary + 1) % 3;
    world.server[one].up = world.server[world.shard.primary].up = false;
    ticks(30);
    assert_int_equal(world.shard.epoch, 1);
    assert_int_equal(world.plan.verdict, FO_UNSAFE);
    assert_int_equal(world.plan.about, (int)one);
    start_server(&world, &world.server[one]);
    ticks(30);
    assert_int_equal(world.plan.why, FO_WHY_MEMBER_BROKEN);
    world.forced = world.shard.force = true;
    world.shard.order++;
    ticks(30);
    assert_int_equal(world.shard.epoch, 2);
    assert_true(world.server[world.shard.primary].writable);
}

/* Shut out in time, it has no say any more. */
static void
a_replica_that_is_long_gone_does_not(void **state)
{
    unsigned one;

    (void)state;
    create_whole(3);
    one = (unsigned)(world.shard.primary + 1) % 3;
    world.server[one].up = false;
    ticks(30);
    assert_int_equal(world.shard.member[one].role, FO_OUT);
    world.server[world.shard.primary].up = false;
    ticks(30);
    assert_int_equal(world.shard.epoch, 2);
    assert_true(world.server[world.shard.primary].writable);
}

static void
a_pause_and_a_series_of_failovers_keep_it_from_acting(void **state)
{
    const struct fo_seen seen[2] = { { .ended = true }, { .answered = true } };
    struct fo_rules rare = rules;
    struct fo_plan plan;
    struct fo_shard s;

    (void)state;
    create_whole(2);
    rare.flaps = 2;
    rare.quiet_ms = 60000;
    s = world.shard;
    s.paused_until_ms = 5001;
    failover_step(&s, seen, &rare, 5000, &plan);
    assert_int_equal(plan.verdict, FO_PAUSED);
    assert_false(plan.changed);
    s.failovers = 2;
    s.failed_over_ms = 1000;
    failover_step(&s, seen, &rare, 5001, &plan);
    assert_int_equal(plan.verdict, FO_FLAPS);
    /* one alone goes on as often as it comes back */
    s.n = 1;
    failover_step(&s, seen, &rare, 5001, &plan);
    assert_int_equal(plan.verdict, FO_WORKS);
    s = world.shard;
    s.failovers = 2;
    s.failed_over_ms = 1000;
    failover_step(&s, seen, &rare, 61000, &plan);
    assert_true(s.fencing);
}

static void
a_planned_change_loses_no_write_and_takes_one_epoch(void **state)
{
    (void)state;
    create_whole(3);
    ask_for_a_switch(&world);
    world.shard.switch_to = (world.shard.primary + 1) % 3;
    ticks(40);
    assert_int_equal(world.shard.epoch, 2);
    assert_int_equal(world.shard.primary, 1);
    assert_true(becomes_whole(&world, 100));
    assert_has_all(&world, 1, world.server[1].applied);
}

static void
a_planned_change_that_cannot_be_is_given_up(void **state)
{
    (void)state;
    create_whole(3);
    world.server[1].sql = false;
    world.server[1].broken = true;
    ask_for_a_switch(&world);
    world.shard.switch_to = 1;
    ticks(40);
    assert_int_equal(world.shard.primary, 0);
    assert_true(becomes_whole(&world, 100));
}

/* Stopped by order, one behind the other: nobody waits for what they have, and
 * who led last leads again. */
static void
who_is_to_leave_gets_out_though_he_is_the_last(void **state)
{
    (void)state;
    create_whole(3);
    for (unsigned i = 1; i < 3; i++) {
        world.shard.member[i].leaving = true;
        world.shard.order++;
        ticks(40);
        assert_int_equal(world.shard.member[i].role, FO_OUT);
        world.server[i].up = false;
    }
    world.shard.member[0].leaving = true;
    world.shard.order++;
    world.server[0].up = false;
    ticks(40);
    assert_int_equal(world.shard.primary, 0);
    assert_int_equal(world.plan.verdict, FO_UNSAFE);
    for (unsigned i = 0; i < 3; i++)
        world.shard.member[i].leaving = false;
    world.shard.order++;
    heal(&world);
    assert_true(becomes_whole(&world, 200));
    assert_int_equal(world.shard.primary, 0);
    assert_has_all(&world, 0, world.server[0].applied);
}

static void
each_reason_has_a_sentence(void **state)
{
    (void)state;
    for (int why = 1; why < FO_WHY__MAX; why++)
        assert_true(strlen(fo_why_text((enum fo_why)why)) > 10);
    assert_string_equal(fo_verdict_name(FO_FINE), "fine");
    assert_string_equal(fo_verdict_name(FO_UNSAFE), "unsafe");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_primary_is_followed_by_another),
        cmocka_unit_test(
            a_primary_that_is_pulled_up_unseen_is_followed_by_another),
        cmocka_unit_test(one_that_is_told_to_apply_too_late_is_no_witness),
        cmocka_unit_test(one_that_is_cut_off_is_replaced_and_comes_back),
        cmocka_unit_test(one_that_its_replicas_see_stays),
        cmocka_unit_test(
            one_whose_disk_is_full_is_followed_by_one_who_has_room),
        cmocka_unit_test(one_that_is_as_full_as_the_others_stays),
        cmocka_unit_test(one_that_is_as_full_as_the_others_goes_by_force),
        cmocka_unit_test(a_full_replica_is_shut_out_until_it_has_room),
        cmocka_unit_test(one_that_cannot_apply_for_want_of_room_says_so),
        cmocka_unit_test(one_who_still_writes_is_not_over),
        cmocka_unit_test(
            a_replica_that_was_killed_before_its_primary_stops_the_failover),
        cmocka_unit_test(a_replica_that_is_long_gone_does_not),
        cmocka_unit_test(a_pause_and_a_series_of_failovers_keep_it_from_acting),
        cmocka_unit_test(a_planned_change_loses_no_write_and_takes_one_epoch),
        cmocka_unit_test(a_planned_change_that_cannot_be_is_given_up),
        cmocka_unit_test(who_is_to_leave_gets_out_though_he_is_the_last),
        cmocka_unit_test(
            a_shard_that_was_stopped_in_order_begins_again_by_itself),
        cmocka_unit_test(a_mark_of_more_than_it_has_is_void),
        cmocka_unit_test(a_mark_of_before_it_was_told_to_follow_is_void),
        cmocka_unit_test(one_that_is_not_ended_after_all_goes_on),
        cmocka_unit_test(a_replica_that_was_stopped_in_order_stops_no_failover),
        cmocka_unit_test(one_begins_to_follow_in_three_looks),
        cmocka_unit_test(each_reason_has_a_sentence),
        cmocka_unit_test(nothing_acknowledged_is_lost_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
