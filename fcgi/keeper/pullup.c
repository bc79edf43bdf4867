/* The watchdog's rules. */
#include "pullup.h"

int64_t
pullup_until(const struct pullup_pauses *said, unsigned port)
{
    int64_t all = PAUSE_NONE;

    for (size_t i = 0; i < said->n; i++) {
        if (said->v[i].port == port)
            return said->v[i].until_ms;
        if (said->v[i].port == 0)
            all = said->v[i].until_ms;
    }
    return all;
}

static bool
is_paused(const struct pullup *p, int64_t now_ms)
{
    return p->until_ms != PAUSE_NONE && p->until_ms > now_ms;
}

enum kept_state
pullup_rest(const struct pullup *p, int64_t now_ms)
{
    /* an order is of somebody who may give it: before holds and pauses */
    if (p->ordered)
        return KEPT_WAITING;
    if (p->held)
        return KEPT_HELD;
    if (!p->to_run)
        return KEPT_STOPPED;
    return is_paused(p, now_ms) ? KEPT_PAUSED : KEPT_WAITING;
}

enum pullup_do
pullup_decide(const struct pullup *p, bool alive, int64_t now_ms,
              int64_t *again_ms)
{
    enum kept_state rest = pullup_rest(p, now_ms);

    *again_ms = 0;
    if (alive) /* a pause leaves alone what runs */
        return rest == KEPT_STOPPED ? PULLUP_END : PULLUP_LEAVE;
    if (rest == KEPT_WAITING)
        return PULLUP_START;
    if (rest == KEPT_PAUSED && p->until_ms != PAUSE_FOREVER)
        *again_ms = p->until_ms;
    return PULLUP_LEAVE;
}

bool
pullup_order(struct pullup *p, enum keeper_order order, bool alive)
{
    bool starts = order == ORDER_START || order == ORDER_BEGIN;

    if (order == ORDER_START || order == ORDER_RESTART)
        p->to_run = true;
    else if (order == ORDER_STOP)
        p->to_run = false;
    /* what runs already is not started once more when it dies later */
    p->ordered = order == ORDER_RESTART || (starts && !alive);
    return alive && !starts;
}

void
pullup_started(struct pullup *p)
{
    p->ordered = false;
}
