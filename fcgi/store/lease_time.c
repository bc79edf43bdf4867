/* A lease's end by this host's clock. */
#include "clock.h"
#include "lease.h"

bool
lease_lasts(const struct lease *l)
{
    return l->time == NULL ||
           (!l->time->over && clock_mono_ms() - l->time->asked_ms < l->ttl_ms);
}
