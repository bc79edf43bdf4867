/* Who may take a lease. */
#include "duty.h"

#include <string.h>

/* Whoever had a sticky lease keeps the right to it: a candidate must have
 * seen it unrenewed for its whole time. One that has just come, or could not
 * reach the store (nor could the owner, then), waits that long first. */
bool
duty_may_take(const struct duty *d, const char *id, const struct lease_row *row,
              int64_t view_ms)
{
    if (row != NULL && strcmp(row->owner, id) == 0)
        return true; /* ours before we were killed */
    if (row != NULL && row->expires_ms >= row->now_ms)
        return false;
    if (row == NULL && (d->first == NULL || strcmp(d->first, id) == 0))
        return true;
    if (row != NULL && !d->sticky)
        return true;
    return view_ms >= DUTY_LEASE_MS;
}
