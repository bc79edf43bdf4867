/* The function level: how much of its work the leader may do. */
#include <string.h>

#include "state.h"

static const struct {
    const char *name;
    enum pg_level level;
} levels[] = {
    { "stopped", PG_STOPPED }, { "blind", PG_BLIND },
    { "freezed", PG_FREEZED }, { "steady", PG_STEADY },
    { "lively", PG_LIVELY },
};

const char *
pg_level_name(enum pg_level l)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (levels[i].level == l)
            return levels[i].name;
    return "";
}

enum pg_level
pg_level_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcmp(levels[i].name, name) == 0)
            return levels[i].level;
    return 0;
}

enum pg_level
pg_level_effective(enum pg_level stored, int alive, int dead, int min_live,
                   int min_live_percent)
{
    if (stored <= PG_FREEZED)
        return stored;
    if (alive < min_live)
        return PG_FREEZED;
    if ((int64_t)alive * 100 <
        (int64_t)min_live_percent * ((int64_t)alive + dead))
        return PG_FREEZED;
    return stored;
}

enum pg_level
pg_level_of_state(const struct pg_state *s)
{
    int alive = 0;

    for (int i = 0; i < s->n_nodes; i++)
        alive += s->node[i].alive ? 1 : 0;
    return pg_level_effective(s->level, alive, s->n_nodes - alive,
                              s->policy.min_live_nodes,
                              s->policy.min_live_percent);
}

bool
pg_level_removes_dead(enum pg_level l)
{
    return l >= PG_FREEZED;
}

bool
pg_level_takes_updates(enum pg_level l)
{
    return l >= PG_STEADY;
}
