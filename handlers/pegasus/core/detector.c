/* The failure detector of the meta side: silence for the grace period makes a
 * node UNALIVE, its next accepted beacon ALIVE again. Time is the leader's
 * own: a stamp counts from when it was seen to change, so neither a step of
 * the store's clock nor the leader's own absence buries anybody. */
#include "state.h"

/* A server that keeps restarting takes replicas and loses them again: after
 * max_unstable restarts it is not heard until it stays up. */
static bool
is_accepted(struct pg_node *n, const struct pg_policy *policy, int64_t start_ms,
            int64_t now_ms)
{
    if (start_ms > n->start_ms) {
        bool soon =
            n->start_ms != 0 && start_ms - n->start_ms < policy->stable_ms;

        n->unstable = soon ? n->unstable + 1 : 0;
        n->start_ms = start_ms;
        n->up_since_ms = now_ms;
    }
    if (now_ms - n->up_since_ms >= policy->stable_ms)
        n->unstable = 0;
    return policy->max_unstable == 0 || n->unstable < policy->max_unstable;
}

enum pg_detector_event
pg_detector_beacon(struct pg_node *n, const struct pg_policy *policy,
                   int64_t stamp, int64_t start_ms, int64_t now_ms)
{
    if (stamp == n->beacon)
        return PG_NODE_SAME;
    n->beacon = stamp;
    if (!is_accepted(n, policy, start_ms, now_ms))
        return PG_NODE_SAME;
    n->seen_ms = now_ms;
    if (n->alive)
        return PG_NODE_SAME;
    n->alive = true;
    return PG_NODE_CAME;
}

enum pg_detector_event
pg_detector_check(struct pg_node *n, const struct pg_policy *policy,
                  int64_t now_ms)
{
    if (!n->alive || now_ms - n->seen_ms <= policy->grace_ms)
        return PG_NODE_SAME;
    n->alive = false;
    n->collected = false; /* what it holds is asked again when it returns */
    return PG_NODE_WENT;
}

void
pg_detector_grace(struct pg_state *s, int64_t now_ms)
{
    for (int i = 0; i < s->n_nodes; i++)
        s->node[i].seen_ms = s->node[i].up_since_ms = now_ms;
}
