/* The decisions of the Pegasus leader under a seeded world: beacons are lost,
 * late and repeated, servers and leaders stop and return, two leaders race,
 * answers of the store get lost, tables are dropped and recalled. What must
 * hold is checked at every write; afterwards the world heals, and what must
 * come true is waited for in simulated time.
 *
 * A failure names its seed: PEGASUS_SEED=<n> runs that history alone,
 * PEGASUS_HISTORIES=<n> sets how many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pegasus/core/state.h"

#define HISTORIES    100000
#define NODES_MAX    6
#define APPS_MAX     2
#define PARTS_MAX    6
#define BALLOTS_MAX  4096
#define MAIL_MAX     64
#define STEPS        60
#define STEP_MS      2000
#define TICK_STEPS   2
#define BEACON_STEPS 3
#define SETTLE_STEPS 40
#define HEAL_STEPS   400
#define FRESH_STEPS  10

enum { UNSEEN = -2 };

/* A message on its way: a beacon, or a primary's request. */
struct mail {
    bool beacon;
    int64_t due_ms;
    int node, app, pidx;
    enum pg_type type;
    int64_t ballot, stamp;
};

struct pg_leader {
    bool running;
    int64_t epoch;
    int64_t version; /* of the store, as last read */
    struct pg_state s;
    struct pg_counters count;
};

struct world {
    uint64_t seed, rng;
    uint64_t trace; /* a hash of all that was written */
    int64_t now_ms;
    /* the store */
    int n_nodes, n_apps;
    struct pg_node node[NODES_MAX];
    struct pg_app app[APPS_MAX];
    struct pg_partition part[APPS_MAX][PARTS_MAX];
    int64_t epoch, version;
    enum pg_level level;
    bool had[APPS_MAX][PARTS_MAX]; /* a primary, once */
    int primary_of[APPS_MAX][PARTS_MAX][BALLOTS_MAX];
    /* outside */
    bool up[NODES_MAX];
    struct mail mail[MAIL_MAX];
    int n_mail;
    bool calm; /* nothing is lost any more */
    struct pg_leader leader[2];
    long writes, lost, gaps;
};

static struct world w;

/* ---- chance ---- */

static uint64_t
chance(void)
{
    uint64_t z = (w.rng += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int
below(int n)
{
    return (int)(chance() % (uint64_t)n);
}

static bool
percent(int p)
{
    return below(100) < p;
}

#define HOLDS(what)                                                     \
    do {                                                                \
        if (!(what)) {                                                  \
            print_error("seed %llu: %s does not hold (time %lld ms)\n", \
                        (unsigned long long)w.seed, #what,              \
                        (long long)w.now_ms);                           \
            fail();                                                     \
        }                                                               \
    } while (0)

/* ---- the store ---- */

static void
note_trace(int64_t a, int64_t b)
{
    w.trace = (w.trace ^ (uint64_t)a) * UINT64_C(1099511628211);
    w.trace = (w.trace ^ (uint64_t)b) * UINT64_C(1099511628211);
}

static void
check_members(const struct pg_config *c)
{
    for (int i = 0; i < pg_config_members(c); i++) {
        HOLDS(pg_config_member(c, i) >= 0 &&
              pg_config_member(c, i) < w.n_nodes);
        for (int k = 0; k < i; k++)
            HOLDS(pg_config_member(c, i) != pg_config_member(c, k));
    }
    for (int i = 0; i < c->n_drops; i++)
        HOLDS(!pg_config_has(c, c->drop[i].node));
}

static bool
was_dropped(const struct pg_config *c, int node)
{
    for (int i = 0; i < c->n_drops; i++)
        if (c->drop[i].node == node)
            return true;
    return false;
}

/* Every write of a partition comes through here, from whomever. */
static void
put(int app, int pidx, const struct pg_config *next)
{
    struct pg_config *c = &w.part[app][pidx].c;
    int *primary = &w.primary_of[app][pidx][next->ballot];

    HOLDS(next->ballot > c->ballot);
    HOLDS(next->ballot < BALLOTS_MAX);
    HOLDS(*primary == UNSEEN); /* one configuration per ballot */
    check_members(next);
    /* never an empty primary where there was a history */
    HOLDS(!w.had[app][pidx] || next->primary == PG_NONE ||
          pg_config_has(c, next->primary) || was_dropped(c, next->primary));
    w.had[app][pidx] = w.had[app][pidx] || next->primary != PG_NONE;
    *primary = next->primary;
    *c = *next;
    w.version++;
    w.writes++;
    note_trace(app * PARTS_MAX + pidx, next->ballot * 16 + next->primary);
}

/* The leader's transaction: fenced by the epoch, compared by ballot. */
static enum err
store_work(struct pg_leader *l, struct pg_work *work)
{
    struct pg_config *c = &w.part[work->app][work->pidx].c;

    if (l->epoch != w.epoch)
        return ERR_STATE;
    if (c->ballot != work->change.ballot ||
        w.app[work->app].status != PG_APP_AVAILABLE)
        return ERR_EXISTS;
    put(work->app, work->pidx, &work->next);
    return ERR_OK;
}

static void
store_all(struct pg_leader *l, struct pg_work *work, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (work[i].publish)
            continue;
        work[i].result = store_work(l, &work[i]);
        if (!w.calm && percent(3)) { /* the answer got lost */
            work[i].result = ERR_STORE;
            w.lost++;
        }
    }
}

/* ---- a leader ---- */

static void
leader_stop(struct pg_leader *l)
{
    for (int a = 0; a < l->s.n_apps; a++)
        free(l->s.app[a].p);
    free(l->s.app);
    free(l->s.node);
    memset(l, 0, sizeof(*l));
}

static const struct pg_policy policy = {
    .grace_ms = 22000,
    .stable_ms = 600000,
    .max_unstable = 0,
    .min_2pc = 2,
    .min_live_nodes = 1,
    .min_live_percent = 50,
    .assign_delay_ms = 60000,
    .learners_per_node = 3,
    .action_ms = 60000,
};

/* What it believes of a table, but for the actions under way. */
static void
leader_read_app(struct pg_leader *l, int a)
{
    struct pg_app *app = &l->s.app[a];

    app->id = a + 1;
    app->status = w.app[a].status;
    app->n = w.app[a].n;
    app->stale = false;
    for (int i = 0; i < app->n; i++)
        app->p[i].c = w.part[a][i].c;
    if (app->fresh_until_ms == 0)
        pg_tick_note_fresh(app, w.now_ms);
}

static void
leader_read(struct pg_leader *l)
{
    for (int a = 0; a < w.n_apps; a++)
        leader_read_app(l, a);
    l->version = w.version;
    l->s.level = w.level;
}

static void
leader_start(struct pg_leader *l)
{
    leader_stop(l);
    l->running = true;
    l->epoch = ++w.epoch;
    l->s.policy = policy;
    l->s.n_nodes = w.n_nodes;
    l->s.node = calloc((size_t)w.n_nodes, sizeof(*l->s.node));
    memcpy(l->s.node, w.node, (size_t)w.n_nodes * sizeof(*l->s.node));
    l->s.n_apps = w.n_apps;
    l->s.app = calloc((size_t)w.n_apps, sizeof(*l->s.app));
    for (int a = 0; a < w.n_apps; a++)
        l->s.app[a].p = calloc(PARTS_MAX, sizeof(struct pg_partition));
    leader_read(l);
    pg_detector_grace(&l->s, w.now_ms);
}

static void
leader_detect(struct pg_leader *l)
{
    for (int i = 0; i < w.n_nodes; i++) {
        struct pg_node *n = &l->s.node[i];

        (void)pg_detector_beacon(n, &l->s.policy, w.node[i].beacon,
                                 w.node[i].start_ms, w.now_ms);
        if (pg_detector_check(n, &l->s.policy, w.now_ms) == PG_NODE_WENT)
            HOLDS(!w.calm || !w.up[i]); /* nobody who speaks is buried */
        n->collected = n->alive;
        if (l->epoch == w.epoch)
            w.node[i].alive = n->alive;
    }
}

static void
leader_cure(struct pg_leader *l, int app, struct pg_tally *t, bool all)
{
    struct pg_work work[PARTS_MAX];
    size_t n;

    while ((n = pg_tick_cure(&l->s, app, t, all, w.now_ms, work)) > 0) {
        store_all(l, work, n);
        pg_tick_accept(&l->s, work, n);
        all = false;
    }
}

static void
leader_bury(struct pg_leader *l, int app)
{
    struct pg_work work[PARTS_MAX];
    size_t n;

    while (!l->s.app[app].stale &&
           (n = pg_tick_bury(&l->s, app, w.now_ms, work)) > 0) {
        store_all(l, work, n);
        pg_tick_accept(&l->s, work, n);
    }
}

static void
leader_step(struct pg_leader *l, bool tick)
{
    int primaries[NODES_MAX], partitions[NODES_MAX];
    int learners[NODES_MAX] = { 0 };
    struct pg_tally t = { w.n_nodes, primaries, partitions, learners };
    enum pg_level level;

    for (int a = 0; a < w.n_apps; a++)
        if (l->s.app[a].stale)
            l->version = -1;
    if (l->version != w.version)
        leader_read(l);
    leader_detect(l);
    level = pg_level_of_state(&l->s);
    if (level <= PG_STEADY)
        pg_tick_drop_balance(&l->s);
    pg_state_count(&l->s);
    for (int a = 0; a < w.n_apps; a++) {
        if (pg_level_removes_dead(level))
            leader_bury(l, a);
        if (pg_level_takes_updates(level))
            leader_cure(l, a, &t,
                        tick || pg_tick_is_fresh(&l->s.app[a], w.now_ms));
    }
    if (tick)
        assert_int_equal(pg_tick_balance(&l->s, w.now_ms, &l->count), ERR_OK);
    for (int a = 0; a < w.n_apps && level == PG_LIVELY; a++)
        leader_cure(l, a, &t, false);
}

/* ---- the world around ---- */

static void
send_mail(struct mail m)
{
    int copies = w.calm ? 1 : percent(15) ? 0 : percent(10) ? 2 : 1;

    for (; copies > 0 && w.n_mail < MAIL_MAX; copies--) {
        m.due_ms = w.now_ms + (w.calm ? 0 : below(percent(5) ? 40000 : 3000));
        w.mail[w.n_mail++] = m;
    }
}

/* A primary whose server is not ours says when a learner is ready. */
static void
send_reports(void)
{
    for (int a = 0; a < w.n_apps; a++)
        for (int k = 0; k < 2; k++)
            for (int i = 0; w.leader[k].running && i < w.app[a].n; i++) {
                const struct pg_partition *p = &w.leader[k].s.app[a].p[i];

                if (p->n_acts == 0 || p->c.primary == PG_NONE ||
                    !w.up[p->c.primary] || !w.up[p->act[0].node])
                    continue;
                send_mail((struct mail){ .app = a,
                                         .pidx = i,
                                         .node = p->act[0].node,
                                         .type = PG_UPGRADE_TO_SECONDARY,
                                         .ballot = p->c.ballot + 1 });
            }
}

static void
receive_update(const struct mail *m)
{
    struct pg_config next = w.part[m->app][m->pidx].c;
    int alive = 0;

    for (int i = 0; i < w.n_nodes; i++)
        alive += w.node[i].alive ? 1 : 0;
    if (w.app[m->app].status != PG_APP_AVAILABLE ||
        !pg_level_takes_updates(
            pg_level_effective(w.level, alive, w.n_nodes - alive, 1, 50)))
        return;
    if (pg_config_update(&next, m->type, m->node, m->ballot, w.now_ms) ==
        PG_UPDATE_DONE)
        put(m->app, m->pidx, &next);
}

static void
receive(const struct mail *m)
{
    if (!m->beacon) {
        receive_update(m);
        return;
    }
    if (m->stamp > w.node[m->node].beacon)
        w.node[m->node].beacon = m->stamp;
}

static void
deliver(void)
{
    int kept = 0, n = w.n_mail;

    for (int i = 0; i < n; i++) {
        if (w.mail[i].due_ms <= w.now_ms)
            receive(&w.mail[i]);
        else
            w.mail[kept++] = w.mail[i];
    }
    w.n_mail = kept;
}

static void
send_beacons(void)
{
    for (int i = 0; i < w.n_nodes; i++) /* each at a time of its own */
        if (w.up[i] && (w.now_ms / STEP_MS + i) % BEACON_STEPS == 0)
            send_mail(
                (struct mail){ .beacon = true, .node = i, .stamp = w.now_ms });
}

static void
drop_or_recall(int a)
{
    bool drop = w.app[a].status == PG_APP_AVAILABLE;

    for (int i = 0; drop && i < w.app[a].n; i++) {
        struct pg_config next = w.part[a][i].c;
        struct pg_change all = { PG_DROP_PARTITION, PG_NONE, next.ballot };

        assert_int_equal(pg_config_apply(&next, &all, w.now_ms), ERR_OK);
        put(a, i, &next);
    }
    w.app[a].status = drop ? PG_APP_DROPPED : PG_APP_AVAILABLE;
    w.version++;
}

static void
trouble(void)
{
    int n = below(w.n_nodes), k = below(2);

    switch (below(8)) {
    case 0:
    case 1:
        w.up[n] = !w.up[n];
        break;
    case 2:
        leader_start(&w.leader[k]); /* crash, return, or a second one */
        break;
    case 3:
        w.leader[k].running = false; /* frozen: may wake up stale */
        break;
    case 4:
        w.leader[k].running = w.leader[k].s.n_apps > 0;
        break;
    case 5:
        if (percent(30))
            drop_or_recall(below(w.n_apps));
        break;
    case 6:
        w.level = percent(30)   ? PG_FREEZED
                  : percent(50) ? PG_STEADY
                                : PG_LIVELY;
        w.version++;
        break;
    default:
        break;
    }
}

static void
advance(int step)
{
    w.now_ms += STEP_MS;
    send_beacons();
    send_reports();
    deliver();
    for (int k = 0; k < 2; k++)
        if (w.leader[k].running)
            leader_step(&w.leader[k], step % TICK_STEPS == 0);
}

/* ---- what must come true ---- */

static bool
is_whole(void)
{
    for (int a = 0; a < w.n_apps; a++)
        for (int i = 0; i < w.app[a].n; i++) {
            const struct pg_config *c = &w.part[a][i].c;
            int want = c->max_replica_count < w.n_nodes ? c->max_replica_count
                                                        : w.n_nodes;

            if (c->primary == PG_NONE || pg_config_members(c) != want)
                return false;
        }
    return true;
}

static void
check_spread(int a)
{
    int primaries[NODES_MAX] = { 0 }, partitions[NODES_MAX] = { 0 };
    int low = w.app[a].n / w.n_nodes;
    int most = 0, least = INT32_MAX;

    for (int i = 0; i < w.app[a].n; i++) {
        const struct pg_config *c = &w.part[a][i].c;

        primaries[c->primary]++;
        for (int k = 0; k < pg_config_members(c); k++)
            partitions[pg_config_member(c, k)]++;
    }
    for (int i = 0; i < w.n_nodes; i++) {
        HOLDS(primaries[i] >= low);
        HOLDS(primaries[i] <= low + (w.app[a].n % w.n_nodes != 0));
        most = partitions[i] > most ? partitions[i] : most;
        least = partitions[i] < least ? partitions[i] : least;
    }
    /* A secondary moves straight from the fuller to the emptier node; where
     * that needs a third node's help the greedy balancer leaves a gap. */
    HOLDS(most - least <= 2);
    w.gaps += most - least > 1 ? 1 : 0;
}

/* One leader, and no message is lost any more. */
static void
calm_down(enum pg_level level)
{
    w.calm = true;
    w.level = level;
    w.version++;
    w.leader[1].running = false;
    leader_start(&w.leader[0]);
    w.n_mail = 0;
}

static void
heal(void)
{
    for (int i = 0; i < w.n_nodes; i++)
        w.up[i] = true;
    for (int a = 0; a < w.n_apps; a++)
        if (w.app[a].status != PG_APP_AVAILABLE)
            drop_or_recall(a);
    calm_down(PG_LIVELY);
}

static bool
any_member_up(const struct pg_config *c)
{
    for (int i = 0; i < pg_config_members(c); i++)
        if (w.up[pg_config_member(c, i)])
            return true;
    return false;
}

static bool
survivors_freeze(void)
{
    int up = 0;

    for (int i = 0; i < w.n_nodes; i++)
        up += w.up[i] ? 1 : 0;
    return pg_level_effective(PG_STEADY, up, w.n_nodes - up,
                              policy.min_live_nodes,
                              policy.min_live_percent) != PG_STEADY;
}

/* With the servers that happen to be up: unless too few of them freeze the
 * cluster, whatever has a living member has a living primary. */
static void
check_survivors(void)
{
    calm_down(PG_STEADY);
    for (int step = 0; step < SETTLE_STEPS; step++)
        advance(step);
    for (int a = 0; a < w.n_apps && !survivors_freeze(); a++)
        for (int i = 0; i < w.app[a].n; i++) {
            const struct pg_config *c = &w.part[a][i].c;

            if (w.app[a].status == PG_APP_AVAILABLE && any_member_up(c))
                HOLDS(c->primary != PG_NONE && w.up[c->primary]);
        }
}

static bool
has_wide_table(void)
{
    for (int a = 0; a < w.n_apps; a++)
        if (w.part[a][0].c.max_replica_count > w.n_nodes)
            return true;
    return false;
}

/* For whoever replays a seed. */
static void
print_world(void)
{
    for (int i = 0; i < w.n_nodes; i++)
        print_error("node %d alive %d managed %d\n", i,
                    w.leader[0].s.node[i].alive, w.node[i].managed);
    for (int a = 0; a < w.n_apps; a++)
        for (int i = 0; i < w.app[a].n; i++) {
            const struct pg_config *c = &w.part[a][i].c;

            print_error("%d.%d ballot %lld primary %d of %d, acts %d:", a, i,
                        (long long)c->ballot, c->primary, c->max_replica_count,
                        w.leader[0].s.app[a].p[i].n_acts);
            for (int k = 0; k < c->n_secondaries; k++)
                print_error(" %d", c->secondary[k]);
            for (int k = 0; k < c->n_drops; k++)
                print_error(" (%d at %lld)", c->drop[k].node,
                            (long long)c->drop[k].ballot);
            print_error("\n");
        }
}

static void
check_end(void)
{
    struct pg_leader *l = &w.leader[0];
    int step = 0, quiet = 0;

    check_survivors();
    heal();
    for (; step < HEAL_STEPS && !is_whole(); step++)
        advance(step);
    if (!is_whole() && getenv("PEGASUS_SEED") != NULL)
        print_world();
    HOLDS(is_whole()); /* every table with a live replica, and at strength */
    if (has_wide_table())
        return; /* never at full strength: the balancer rightly waits */
    for (; step < HEAL_STEPS && quiet < 8; step++) {
        long before = w.writes;

        advance(step);
        quiet = w.writes == before ? quiet + 1 : 0;
    }
    if (quiet != 8 && getenv("PEGASUS_SEED") != NULL)
        print_world();
    HOLDS(quiet == 8); /* it converges, and then does nothing */
    HOLDS(l->count.total == 0);
    for (int a = 0; a < w.n_apps; a++)
        check_spread(a);
}

/* ---- histories ---- */

static void
begin(uint64_t seed)
{
    memset(w.leader, 0, sizeof(w.leader));
    w.seed = seed;
    w.rng = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    w.trace = UINT64_C(14695981039346656037);
    w.now_ms = 1000000;
    w.epoch = w.version = 0;
    w.level = percent(50) ? PG_STEADY : PG_LIVELY;
    w.n_mail = 0;
    w.calm = false;
    memset(w.had, 0, sizeof(w.had));
    w.writes = w.lost = w.gaps = 0;
    w.n_nodes = 1 + below(NODES_MAX);
    w.n_apps = 1 + below(APPS_MAX);
    memset(w.node, 0, sizeof(w.node));
    for (int i = 0; i < w.n_nodes; i++) {
        (void)snprintf(w.node[i].address, sizeof(w.node[i].address),
                       "10.0.0.%d:34801", i);
        w.node[i].managed = percent(60);
        w.node[i].start_ms = 1;
        w.up[i] = percent(80);
    }
    for (int a = 0; a < w.n_apps; a++) {
        int replicas = 1 + below(3);

        w.app[a] = (struct pg_app){ .id = a + 1, .n = 1 + below(PARTS_MAX) };
        for (int i = 0; i < w.app[a].n; i++) {
            pg_config_init(&w.part[a][i].c, replicas);
        }
    }
}

static void
forget_ballots(void)
{
    for (int a = 0; a < w.n_apps; a++)
        for (int i = 0; i < w.app[a].n; i++)
            for (int64_t b = 0; b <= w.part[a][i].c.ballot; b++)
                w.primary_of[a][i][b] = UNSEEN;
}

static uint64_t
history(uint64_t seed)
{
    begin(seed);
    leader_start(&w.leader[0]);
    for (int step = 0; step < STEPS; step++) {
        if (percent(25))
            trouble();
        advance(step);
    }
    check_end();
    forget_ballots();
    leader_stop(&w.leader[0]);
    leader_stop(&w.leader[1]);
    return w.trace;
}

/* A new table waits for no tick. */
static void
fresh_tables(uint64_t seed)
{
    begin(seed);
    w.calm = true;
    for (int i = 0; i < w.n_nodes; i++) {
        w.up[i] = w.node[i].alive = w.node[i].collected = true;
        w.node[i].beacon = 1;
    }
    leader_start(&w.leader[0]);
    advance(1);
    for (int a = 0; a < w.n_apps; a++)
        for (int i = 0; i < w.app[a].n; i++)
            HOLDS(w.part[a][i].c.primary != PG_NONE);
    for (int i = 0; i < FRESH_STEPS && !is_whole(); i++)
        advance(1);
    HOLDS(is_whole());
    forget_ballots();
    leader_stop(&w.leader[0]);
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void
every_history_keeps_its_promises(void **state)
{
    uint64_t n = number("PEGASUS_HISTORIES", HISTORIES);
    long writes = 0, lost = 0, gaps = 0;

    (void)state;
    if (getenv("PEGASUS_SEED") != NULL) {
        (void)history(number("PEGASUS_SEED", 0));
        return;
    }
    for (uint64_t seed = 1; seed <= n; seed++) {
        (void)history(seed);
        writes += w.writes;
        lost += w.lost;
        gaps += w.gaps;
    }
    /* the world was troubled enough for the checks to mean something */
    assert_true(writes > (long)n * 10);
    assert_true(lost > (long)n / 10);
    assert_true(gaps <= (long)n / 1000);
}

static void
a_fresh_table_is_cured_before_any_tick(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++)
        fresh_tables(seed);
}

static void
every_seed_replays(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t first = history(seed);

        assert_true(history(seed) == first);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seed_replays),
        cmocka_unit_test(a_fresh_table_is_cured_before_any_tick),
        cmocka_unit_test(every_history_keeps_its_promises),
    };

    for (size_t a = 0; a < APPS_MAX; a++)
        for (size_t i = 0; i < PARTS_MAX; i++)
            for (size_t b = 0; b < BALLOTS_MAX; b++)
                w.primary_of[a][i][b] = UNSEEN;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
