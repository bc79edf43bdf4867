/* A tick of the leader without its I/O: which changes it wants stored, and
 * what follows from those that were. */
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define OPERATIONS_MAX 4096 /* of one balancer round; the rest come next */
#define FRESH_MS       30000

static bool
is_live(const struct pg_app *app)
{
    return app->status == PG_APP_AVAILABLE || app->status == PG_APP_RECALLING;
}

static bool
add_work(struct pg_work *w, int app, int pidx, const struct pg_config *c,
         const struct pg_change *change, int64_t now_ms)
{
    *w = (struct pg_work){
        .app = app, .pidx = pidx, .change = *change, .next = *c
    };
    return pg_config_apply(&w->next, change, now_ms) == ERR_OK;
}

static bool
bury_one(const struct pg_state *s, const struct pg_config *c,
         struct pg_change *out)
{
    for (int i = 0; i < pg_config_members(c); i++) {
        int n = pg_config_member(c, i);

        if (!pg_state_alive(s, n) && pg_config_bury(s, c, n, out))
            return true;
    }
    return false;
}

size_t
pg_tick_bury(struct pg_state *s, int app, int64_t now_ms, struct pg_work *work)
{
    struct pg_app *a = &s->app[app];
    struct pg_change change;
    size_t n = 0;

    for (int i = 0; is_live(a) && i < a->n; i++)
        if (bury_one(s, &a->p[i].c, &change) &&
            add_work(&work[n], app, i, &a->p[i].c, &change, now_ms))
            n++;
    return n;
}

/* The action becomes a change; or, where a foreign primary must learn the
 * node in, a proposal that stays pending. */
static bool
take_action(struct pg_state *s, int app, int pidx, const struct pg_action *act,
            int64_t now_ms, struct pg_work *w)
{
    struct pg_partition *p = &s->app[app].p[pidx];
    struct pg_change change;

    if (!pg_cure_change(s, &p->c, act, &change))
        return false;
    if (pg_cure_is_ours(s, &p->c, act))
        return add_work(w, app, pidx, &p->c, &change, now_ms);
    if (p->n_acts > 0)
        return false; /* published before */
    p->act[0] = *act;
    p->n_acts = 1;
    p->acts_since_ms = now_ms;
    *w = (struct pg_work){
        .app = app, .pidx = pidx, .publish = true, .change = change
    };
    return true;
}

static bool
is_whole(const struct pg_app *app)
{
    for (int i = 0; i < app->n; i++)
        if (app->p[i].c.primary == PG_NONE ||
            pg_config_members(&app->p[i].c) < app->p[i].c.max_replica_count)
            return false;
    return true;
}

void
pg_tick_note_fresh(struct pg_app *app, int64_t now_ms)
{
    for (int i = 0; i < app->n; i++)
        if (app->p[i].c.ballot > 0)
            return;
    app->fresh_until_ms = now_ms + FRESH_MS;
}

bool
pg_tick_is_fresh(struct pg_app *app, int64_t now_ms)
{
    if (now_ms >= app->fresh_until_ms || !is_live(app) || is_whole(app))
        app->fresh_until_ms = 0;
    return app->fresh_until_ms > 0;
}

static size_t
cure_pass(struct pg_state *s, int app, struct pg_tally *t, bool all,
          bool lonely, int64_t now_ms, struct pg_work *work)
{
    struct pg_app *a = &s->app[app];
    struct pg_action act;
    size_t n = 0;

    for (int i = 0; i < a->n; i++) {
        struct pg_partition *p = &a->p[i];

        if (!all && !p->dirty)
            continue;
        if (all && (p->c.n_secondaries == 0) != lonely)
            continue;
        p->dirty = false;
        if (pg_cure_partition(s, p, t, all, now_ms, &act) &&
            take_action(s, app, i, &act, now_ms, &work[n]))
            n++;
    }
    return n;
}

size_t
pg_tick_cure(struct pg_state *s, int app, struct pg_tally *t, bool all,
             int64_t now_ms, struct pg_work *work)
{
    size_t n;

    if (!is_live(&s->app[app]))
        return 0;
    pg_cure_tally(t, &s->app[app]);
    n = cure_pass(s, app, t, all, true, now_ms, work);
    if (all) /* those without any secondary went first */
        n += cure_pass(s, app, t, all, false, now_ms, work + n);
    return n;
}

void
pg_tick_accept(struct pg_state *s, const struct pg_work *work, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct pg_work *w = &work[i];
        struct pg_partition *p = &s->app[w->app].p[w->pidx];

        if (w->publish)
            continue;
        if (w->result != ERR_OK) {
            s->app[w->app].stale = true;
            continue;
        }
        p->c = w->next;
        p->dirty = true;
    }
}

static void
register_operations(struct pg_state *s, const struct pg_operation *op, size_t n,
                    int64_t now_ms)
{
    for (size_t i = 0; i < n; i++) {
        struct pg_partition *p = &s->app[op[i].app].p[op[i].pidx];

        p->n_acts = pg_balance_actions(&op[i], p->act);
        p->acts_since_ms = now_ms;
        p->dirty = true;
    }
}

enum err
pg_tick_balance(struct pg_state *s, int64_t now_ms, struct pg_counters *count)
{
    struct pg_operation *op;
    struct pg_counters planned;
    size_t n;
    enum err e;

    if (!pg_balance_may_plan(s))
        return ERR_OK;
    if (!pg_balance_all_collected(s)) {
        *count = (struct pg_counters){ .total = -1 };
        return ERR_OK;
    }
    op = calloc(OPERATIONS_MAX, sizeof(*op));
    if (op == NULL)
        return ERR_NOMEM;
    e = pg_balance_plan(s, op, OPERATIONS_MAX, &n, &planned);
    if (e == ERR_OK)
        *count = planned;
    if (e == ERR_OK && pg_level_of_state(s) == PG_LIVELY)
        register_operations(s, op, n, now_ms);
    free(op);
    return e;
}

static bool
is_balancing(const struct pg_partition *p)
{
    return p->n_acts > 0 && p->act[0].balancer;
}

void
pg_tick_drop_balance(struct pg_state *s)
{
    for (int a = 0; a < s->n_apps; a++)
        for (int i = 0; i < s->app[a].n; i++)
            if (is_balancing(&s->app[a].p[i]))
                s->app[a].p[i].n_acts = 0;
}
