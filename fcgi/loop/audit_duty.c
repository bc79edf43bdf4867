/* The duty that deletes old audit rows and finished jobs: one small batch of
 * each per step, so that no statement holds many locks. */
#include "audit_duty.h"

#include "store/audit.h"
#include "config.h"
#include "job.h"
#include "lease.h"
#include "log.h"

#define BATCH 500
#define JOBS  50

enum turn
audit_duty(struct duty_run *run)
{
    uint64_t n = 0, jobs = 0;
    enum err e;

    e = db_begin(run->db);
    if (e == ERR_OK)
        e = lease_hold(run->db, run->lease);
    if (e == ERR_OK)
        e = audit_purge(run->db, (unsigned)config()->audit_keep_days, BATCH,
                        &n);
    if (e == ERR_OK)
        e = job_purge(run->db, (unsigned)config()->audit_keep_days, JOBS,
                      &jobs);
    e = db_end(run->db, e);
    if (e != ERR_OK && e != ERR_STATE)
        log_warn("audit.purge err=%s errno=%u", err_name(e), db_errno(run->db));
    if (e == ERR_OK && n + jobs > 0)
        log_info("audit.purge rows=%llu jobs=%llu", (unsigned long long)n,
                 (unsigned long long)jobs);
    return turn_of(e, n == BATCH || jobs == JOBS);
}
