#include "tso.h"

#define LAST_MS ((INT64_C(1) << (64 - TSO_LOGICAL_BITS)) - 1)

uint64_t
tso_of_ms(int64_t ms)
{
    if (ms < 0)
        ms = 0;
    if (ms > LAST_MS)
        ms = LAST_MS;
    return (uint64_t)ms << TSO_LOGICAL_BITS;
}

int64_t
tso_ms(uint64_t tso)
{
    return (int64_t)(tso >> TSO_LOGICAL_BITS);
}

uint64_t
tso_commit(struct tso_clock *c, int64_t ms)
{
    uint64_t own = tso_of_ms(ms);

    if (own > c->prev)
        c->prev = own;
    else if (c->prev < UINT64_MAX)
        c->prev++;
    return c->prev;
}

void
tso_pass(struct tso_clock *c, uint64_t ts)
{
    if (ts > c->prev)
        c->prev = ts;
}

uint64_t
tso_idle(struct tso_clock *c, int64_t now_ms)
{
    uint64_t own =
        tso_of_ms(now_ms > TSO_MARGIN_MS ? now_ms - TSO_MARGIN_MS : 0);

    if (own > c->prev)
        c->prev = own;
    return c->prev;
}
