/* A daemon's pool of jobs. */
#include "jobs.h"

#include <stdlib.h>
#include <string.h>

#include "duty.h"
#include "job.h"

static bool
gather(struct jobs *j, const char *queue)
{
    size_t n = 0;
    bool any = false;

    while (job_kind_at(n) != NULL)
        n++;
    j->kinds = calloc(n + 1, sizeof(*j->kinds));
    for (size_t i = 0; j->kinds != NULL && i < n; i++) {
        j->kinds[i] = job_kind_at(i);
        any = any || strcmp(j->kinds[i]->queue, queue) == 0;
    }
    return any;
}

enum err
jobs_start(struct jobs *j, const char *name, const char *queue,
           const char *machine, unsigned threads, void *ctx)
{
    bool any = gather(j, queue);
    const struct job_pool_config cfg = { .kinds = j->kinds,
                                         .queue = queue,
                                         .machine = machine,
                                         .owner = j->owner,
                                         .threads = threads,
                                         .ctx = ctx };

    if (j->kinds == NULL)
        return ERR_NOMEM;
    lease_owner(name, j->owner);
    if (any)
        j->pool = job_pool_start(&cfg);
    return any && j->pool == NULL ? ERR_NOMEM : ERR_OK;
}

void
jobs_wake(struct jobs *j)
{
    if (j->pool != NULL)
        job_pool_wake(j->pool);
}

bool
jobs_stop(struct jobs *j, int64_t timeout_ms)
{
    if (j->pool != NULL && !job_pool_stop(j->pool, timeout_ms))
        return false;
    j->pool = NULL;
    free(j->kinds);
    j->kinds = NULL;
    return true;
}
