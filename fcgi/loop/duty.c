/* What there is to do, and who may take a lease. */
#include "duty.h"

#include <string.h>

#include "audit_duty.h"
#include "dialect.h"

static const struct duty own[] = {
    { .lease = "cluster.audit", .every_ms = 60000, .step = audit_duty },
    { .lease = NULL },
};

enum turn
turn_of(enum err e, bool more)
{
    if (e == ERR_OK)
        return more ? TURN_MORE : TURN_IDLE;
    return e == ERR_STATE ? TURN_OVER : TURN_FAILED;
}

const struct duty *
duty_at(size_t i)
{
    return dialect_row(own, offsetof(struct dialect, duties),
                       sizeof(struct duty), i);
}

const struct upkeep *
upkeep_at(size_t i)
{
    return dialect_row(NULL, offsetof(struct dialect, upkeeps),
                       sizeof(struct upkeep), i);
}

const struct job_kind *
job_kind_at(size_t i)
{
    const struct job_kind *const *row =
        dialect_row(NULL, offsetof(struct dialect, jobs), sizeof(*row), i);

    return row != NULL ? *row : NULL;
}

int64_t
duty_lease_ms(const struct duty *d)
{
    return d->lease_ms != 0 ? d->lease_ms : DUTY_LEASE_MS;
}

int64_t
duty_look_ms(const struct duty *d, const struct lease_row *row, int64_t most_ms)
{
    int64_t left_ms;

    if (row == NULL || d->sticky)
        return most_ms;
    left_ms = row->expires_ms - row->now_ms;
    /* one that is over was tried, and another was quicker */
    return left_ms >= 0 && left_ms < most_ms ? left_ms + 1 : most_ms;
}

/* A lease that was not renewed for its whole time is over, whatever the store's
 * clock says: that may have gone back by hours. Whoever had a sticky one keeps
 * the right to it for so long: one that has just come, or could not reach the
 * store (nor could the owner, then), waits that long first. */
bool
duty_may_take(const struct duty *d, const char *id, const char *owner,
              const struct lease_row *row, int64_t seen_ms)
{
    if (d->may != NULL && !d->may(id))
        return false;
    if (seen_ms >= DUTY_LEASE_MS)
        return true;
    if (row == NULL)
        return d->first == NULL || strcmp(d->first, id) == 0;
    if (strcmp(row->owner, owner) == 0)
        return true; /* ours before we were killed */
    return !d->sticky && row->expires_ms < row->now_ms;
}
