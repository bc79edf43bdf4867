/* The greedy balancer: per table, primaries first (by exchanging roles where
 * a secondary stands on the right node, else by copying), then secondaries. */
#include <stdlib.h>
#include <string.h>

#include "state.h"

/* One table while it is planned. Nodes are the alive ones, renumbered. */
struct plan {
    const struct pg_state *s;
    int app;
    int n;     /* alive nodes */
    int *node; /* their index in s */
    int *slot; /* of every alive node of s: its number here */
    int *primaries, *partitions;
    int *edge; /* n × n: primary on a, secondary on b */
    int *flow; /* of each vertex on the widest path */
    int *from;
    bool *done;
    bool *taken; /* per partition: it has its operation */
    struct pg_operation *out;
    size_t max, *out_n;
    struct pg_counters *count;
    int low; /* primaries that each node has at least in the end */
};

static const struct pg_app *
table(const struct plan *b)
{
    return &b->s->app[b->app];
}

bool
pg_balance_all_collected(const struct pg_state *s)
{
    for (int i = 0; i < s->n_nodes; i++)
        if (s->node[i].alive && !s->node[i].collected)
            return false;
    return true;
}

static bool
is_quiet(const struct pg_state *s, const struct pg_partition *p)
{
    if (p->n_acts > 0 || p->c.primary == PG_NONE ||
        pg_config_members(&p->c) < p->c.max_replica_count)
        return false;
    for (int i = 0; i < pg_config_members(&p->c); i++)
        if (!pg_state_alive(s, pg_config_member(&p->c, i)))
            return false;
    return true;
}

bool
pg_balance_may_plan(const struct pg_state *s)
{
    if (pg_level_of_state(s) < PG_STEADY)
        return false;
    for (int a = 0; a < s->n_apps; a++) {
        const struct pg_app *app = &s->app[a];

        if (app->status == PG_APP_DROPPED)
            continue;
        if (app->status != PG_APP_AVAILABLE)
            return false;
        for (int i = 0; i < app->n; i++)
            if (!is_quiet(s, &app->p[i]))
                return false;
    }
    return true;
}

/* ---- the plan of one table ---- */

static void
count_table(struct plan *b)
{
    const struct pg_app *app = table(b);
    size_t n = (size_t)b->n;

    memset(b->primaries, 0, n * sizeof(int));
    memset(b->partitions, 0, n * sizeof(int));
    memset(b->edge, 0, n * n * sizeof(int));
    memset(b->taken, 0, (size_t)app->n * sizeof(bool));
    for (int i = 0; i < app->n; i++) {
        const struct pg_config *c = &app->p[i].c;
        int a = b->slot[c->primary];

        b->primaries[a]++;
        b->partitions[a]++;
        for (int k = 0; k < c->n_secondaries; k++) {
            int z = b->slot[c->secondary[k]];

            b->partitions[z]++;
            b->edge[a * b->n + z]++;
        }
    }
    b->low = app->n / b->n;
}

static void
emit(struct plan *b, int pidx, enum pg_balance_kind kind, int from, int to)
{
    b->taken[pidx] = true;
    b->count->total++;
    if (kind == PG_BALANCE_MOVE_PRI)
        b->count->move_pri++;
    else if (kind == PG_BALANCE_COPY_PRI)
        b->count->copy_pri++;
    else
        b->count->copy_sec++;
    if (*b->out_n == b->max)
        return;
    b->out[(*b->out_n)++] =
        (struct pg_operation){ b->app, pidx, kind, b->node[from], b->node[to] };
}

static bool
any_below(const struct plan *b)
{
    for (int i = 0; i < b->n; i++)
        if (b->primaries[i] < b->low)
            return true;
    return false;
}

static int
positive(int n)
{
    return n > 0 ? n : 0;
}

/* What node i can give away, and what it can take. With nobody below low the
 * ones with two more shed to anybody who has no more than low. Where all are
 * even, nobody gives. */
static int
supply(const struct plan *b, int i, bool below)
{
    return positive(b->primaries[i] - b->low - (below ? 0 : 1));
}

static int
demand(const struct plan *b, int i, bool below)
{
    return positive(b->low - b->primaries[i] + (below ? 0 : 1));
}

static int
smaller(int a, int b)
{
    return a < b ? a : b;
}

static int
widest_open(const struct plan *b)
{
    int best = PG_NONE;

    for (int i = 0; i < b->n; i++)
        if (!b->done[i] && b->flow[i] > (best == PG_NONE ? 0 : b->flow[best]))
            best = i;
    return best;
}

/* Dijkstra for the widest path source -> ... -> sink; the node before the
 * sink, PG_NONE when there is no path. *width: how much it carries. */
static int
widest_path(struct plan *b, bool below, int *width)
{
    int end = PG_NONE, i;

    *width = 0;
    for (i = 0; i < b->n; i++) {
        b->flow[i] = supply(b, i, below);
        b->from[i] = PG_NONE;
        b->done[i] = false;
    }
    while ((i = widest_open(b)) != PG_NONE) {
        int out = smaller(b->flow[i], demand(b, i, below));

        b->done[i] = true;
        if (out > *width && b->from[i] != PG_NONE) {
            *width = out;
            end = i;
        }
        for (int k = 0; k < b->n; k++) {
            int w = smaller(b->flow[i], b->edge[i * b->n + k]);

            if (!b->done[k] && w > b->flow[k]) {
                b->flow[k] = w;
                b->from[k] = i;
            }
        }
    }
    return end;
}

/* Primaries of this table on the disk of one node. */
static int
disk_load(const struct plan *b, int node, int disk)
{
    const struct pg_app *app = table(b);
    int load = 0;

    for (int i = 0; i < app->n; i++)
        if (app->p[i].c.primary == node && app->p[i].disk[0] == disk)
            load++;
    return load;
}

/* How much fuller a's disk is than b's, for one partition. */
static int
disk_gain(const struct plan *b, const struct pg_partition *p, int to)
{
    int k = pg_config_secondary_index(&p->c, to);

    return disk_load(b, p->c.primary, p->disk[0]) -
           disk_load(b, to, p->disk[1 + k]);
}

static bool
knows_disks(const struct pg_app *app)
{
    for (int i = 0; i < app->n; i++)
        for (int k = 0; k <= app->p[i].c.n_secondaries; k++)
            if (app->p[i].disk[k] != 0)
                return true;
    return false;
}

/* The partition whose primary moves from a to b; PG_NONE when none is left. */
static int
pick_move(const struct plan *b, int a, int z)
{
    const struct pg_app *app = table(b);
    bool disks = knows_disks(app);
    int best = PG_NONE, best_gain = 0;

    for (int i = 0; i < app->n; i++) {
        const struct pg_partition *p = &app->p[i];
        int gain;

        if (b->taken[i] || p->c.primary != b->node[a] ||
            pg_config_secondary_index(&p->c, b->node[z]) == PG_NONE)
            continue;
        if (!disks)
            return i; /* all gain the same */
        gain = disk_gain(b, p, b->node[z]);
        if (best == PG_NONE || gain > best_gain) {
            best = i;
            best_gain = gain;
        }
    }
    return best;
}

static bool
move_primaries(struct plan *b)
{
    int width, z;

    z = widest_path(b, any_below(b), &width);
    if (z == PG_NONE)
        return false;
    for (int a = b->from[z]; a != PG_NONE; z = a, a = b->from[a])
        for (int i = 0; i < width; i++) {
            int pidx = pick_move(b, a, z);

            if (pidx == PG_NONE)
                break;
            emit(b, pidx, PG_BALANCE_MOVE_PRI, a, z);
        }
    return true;
}

static int
extreme(const struct plan *b, const int *count, bool most)
{
    int best = 0;

    for (int i = 1; i < b->n; i++)
        if (most ? count[i] > count[best] : count[i] < count[best])
            best = i;
    return best;
}

/* A partition on `from` (as primary or as secondary) that `to` lacks. */
static int
pick_copy(const struct plan *b, int from, int to, bool primary)
{
    const struct pg_app *app = table(b);

    for (int i = 0; i < app->n; i++) {
        const struct pg_config *c = &app->p[i].c;
        bool there =
            primary ? c->primary == b->node[from]
                    : pg_config_secondary_index(c, b->node[from]) != PG_NONE;

        if (there && !b->taken[i] && !pg_config_has(c, b->node[to]))
            return i;
    }
    return PG_NONE;
}

static void
copy_primaries(struct plan *b)
{
    bool below = any_below(b);

    for (;;) {
        int max = extreme(b, b->primaries, true);
        int min = extreme(b, b->primaries, false);
        int pidx;

        if (below ? b->primaries[min] >= b->low
                  : b->primaries[max] - b->primaries[min] <= 1)
            break;
        pidx = pick_copy(b, max, min, true);
        if (pidx == PG_NONE)
            break;
        emit(b, pidx, PG_BALANCE_COPY_PRI, max, min);
        b->primaries[max]--;
        b->primaries[min]++;
    }
}

/* The emptiest node that may still find a giver. */
static int
open_taker(const struct plan *b)
{
    int best = PG_NONE;

    for (int i = 0; i < b->n; i++)
        if (!b->done[i] &&
            (best == PG_NONE || b->partitions[i] < b->partitions[best]))
            best = i;
    return best;
}

static int
total_replicas(const struct plan *b)
{
    int sum = 0;

    for (int i = 0; i < b->n; i++)
        sum += b->partitions[i];
    return sum;
}

/* The fullest node that has a secondary to give to `to`; *pidx: which. */
static int
giver(const struct plan *b, int to, int low, int *pidx)
{
    int best = PG_NONE;

    for (int i = 0; i < b->n; i++) {
        int found;

        if (b->partitions[i] <= low ||
            b->partitions[i] - b->partitions[to] <= 1 ||
            (best != PG_NONE && b->partitions[i] <= b->partitions[best]))
            continue;
        found = pick_copy(b, i, to, false);
        if (found == PG_NONE)
            continue;
        best = i;
        *pidx = found;
    }
    return best;
}

static void
copy_secondaries(struct plan *b)
{
    int low = total_replicas(b) / b->n, to;

    memset(b->done, 0, (size_t)b->n * sizeof(bool));
    while ((to = open_taker(b)) != PG_NONE) {
        int pidx = PG_NONE, from = giver(b, to, low, &pidx);

        if (from == PG_NONE) {
            b->done[to] = true;
            continue;
        }
        emit(b, pidx, PG_BALANCE_COPY_SEC, from, to);
        b->partitions[from]--;
        b->partitions[to]++;
    }
}

/* ---- a round ---- */

static bool
plan_alloc(struct plan *b, int widest_table)
{
    /* no element to spare: a step too far is seen by the sanitizer; of none
     * too there is an address, by glibc and by musl */
    size_t n = (size_t)b->s->n_nodes;

    b->node = calloc(n, sizeof(int));
    b->slot = calloc(n, sizeof(int));
    b->primaries = calloc(n, sizeof(int));
    b->partitions = calloc(n, sizeof(int));
    b->edge = calloc(n * n, sizeof(int));
    b->flow = calloc(n, sizeof(int));
    b->from = calloc(n, sizeof(int));
    b->done = calloc(n, sizeof(bool));
    b->taken = calloc((size_t)widest_table, sizeof(bool));
    return b->node != NULL && b->slot != NULL && b->primaries != NULL &&
           b->partitions != NULL && b->edge != NULL && b->flow != NULL &&
           b->from != NULL && b->done != NULL && b->taken != NULL;
}

static void
plan_free(struct plan *b)
{
    free(b->node);
    free(b->slot);
    free(b->primaries);
    free(b->partitions);
    free(b->edge);
    free(b->flow);
    free(b->from);
    free(b->done);
    free(b->taken);
}

static void
number_nodes(struct plan *b)
{
    for (int i = 0; i < b->s->n_nodes; i++) {
        if (!b->s->node[i].alive)
            continue;
        b->slot[i] = b->n;
        b->node[b->n++] = i;
    }
}

static int
widest_table(const struct pg_state *s)
{
    int widest = 0;

    for (int a = 0; a < s->n_apps; a++)
        if (s->app[a].n > widest)
            widest = s->app[a].n;
    return widest;
}

static void
plan_primaries(struct plan *b)
{
    for (b->app = 0; b->app < b->s->n_apps; b->app++) {
        if (table(b)->status != PG_APP_AVAILABLE)
            continue;
        count_table(b);
        if (!move_primaries(b))
            copy_primaries(b);
    }
}

static void
plan_secondaries(struct plan *b)
{
    for (b->app = 0; b->app < b->s->n_apps; b->app++) {
        if (table(b)->status != PG_APP_AVAILABLE)
            continue;
        count_table(b);
        copy_secondaries(b);
    }
}

enum err
pg_balance_plan(const struct pg_state *s, struct pg_operation *out, size_t max,
                size_t *out_n, struct pg_counters *count)
{
    struct plan b = {
        .s = s, .out = out, .max = max, .out_n = out_n, .count = count
    };
    enum err e = ERR_OK;

    *out_n = 0;
    *count = (struct pg_counters){ 0 };
    if (!plan_alloc(&b, widest_table(s)))
        e = ERR_NOMEM;
    if (e == ERR_OK)
        number_nodes(&b);
    if (e == ERR_OK && b.n > 0) {
        plan_primaries(&b);
        if (count->total == 0)
            plan_secondaries(&b);
    }
    plan_free(&b);
    return e;
}

int
pg_balance_actions(const struct pg_operation *op,
                   struct pg_action out[PG_ACTIONS_MAX])
{
    int n = 0;

    if (op->kind != PG_BALANCE_MOVE_PRI)
        out[n++] = (struct pg_action){
            PG_ADD_SECONDARY_FOR_LB,
            op->kind == PG_BALANCE_COPY_PRI ? op->from : PG_NONE, op->to, true
        };
    if (op->kind != PG_BALANCE_COPY_SEC) {
        out[n++] = (struct pg_action){ PG_DOWNGRADE_TO_SECONDARY, op->from,
                                       op->from, true };
        out[n++] =
            (struct pg_action){ PG_UPGRADE_TO_PRIMARY, op->to, op->to, true };
    }
    if (op->kind != PG_BALANCE_MOVE_PRI)
        out[n++] = (struct pg_action){
            PG_REMOVE, op->kind == PG_BALANCE_COPY_PRI ? op->to : PG_NONE,
            op->from, true
        };
    return n;
}
