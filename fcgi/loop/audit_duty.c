/* The duty that deletes old audit rows: one small batch per step, so that no
 * statement holds many locks. */
#include "audit_duty.h"

#include "store/audit.h"
#include "config.h"
#include "lease.h"
#include "log.h"

#define BATCH 500

enum err
audit_duty(struct duty_run *run)
{
    uint64_t n = 0;
    enum err e;

    e = db_begin(run->db);
    if (e == ERR_OK)
        e = lease_hold(run->db, run->lease);
    if (e == ERR_OK)
        e = audit_purge(run->db, (unsigned)config()->audit_keep_days, BATCH,
                        &n);
    e = db_end(run->db, e);
    if (e != ERR_OK && e != ERR_STATE)
        log_warn("audit.purge err=%s errno=%u", err_name(e), db_errno(run->db));
    if (e == ERR_OK && n > 0)
        log_info("audit.purge rows=%llu", (unsigned long long)n);
    return e == ERR_OK && n < BATCH ? ERR_NOT_FOUND : e;
}
