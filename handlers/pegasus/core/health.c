/* Figures computed from configurations: health of a partition, spread of
 * load over the nodes. */
#include <math.h>

#include "state.h"

struct pg_health
pg_health_of(bool primary, int n, int max, int min_2pc)
{
    struct pg_health h = { 0 };

    h.fully = primary && n >= max; /* one replica of one is healthy */
    h.read_unhealthy = !primary;
    h.write_unhealthy = !primary || (n < max && n < min_2pc);
    return h;
}

int
pg_health_min_2pc(int configured, int max_replica_count)
{
    if (configured > 0)
        return configured;
    return max_replica_count <= 2 ? 1 : max_replica_count / 2 + 1;
}

static bool
counts(const struct pg_load *l)
{
    return l->alive && l->partitions > 0;
}

static int64_t
value(const struct pg_load *l, bool primary)
{
    return primary ? l->primaries : l->partitions;
}

/* A dead node that still owns some: the sample is a part of the whole. */
static bool
is_partial(const struct pg_load *load, size_t n, bool primary)
{
    for (size_t i = 0; i < n; i++)
        if (!load[i].alive && value(&load[i], primary) > 0)
            return true;
    return false;
}

static double
stddev(const struct pg_load *load, size_t n, bool primary)
{
    double sum = 0, squares = 0, mean;
    size_t members = 0;

    for (size_t i = 0; i < n; i++) {
        if (!counts(&load[i]))
            continue;
        sum += (double)value(&load[i], primary);
        members++;
    }
    if (members < 2)
        return 0;
    mean = sum / (double)members;
    for (size_t i = 0; i < n; i++) {
        double d = (double)value(&load[i], primary) - mean;

        if (counts(&load[i]))
            squares += d * d;
    }
    if (is_partial(load, n, primary))
        members--;
    return floor((sqrt(squares / (double)members) + 0.005) * 100) / 100;
}

struct pg_stddev
pg_health_stddev(const struct pg_load *load, size_t n)
{
    return (struct pg_stddev){ .primary = stddev(load, n, true),
                               .total = stddev(load, n, false) };
}
