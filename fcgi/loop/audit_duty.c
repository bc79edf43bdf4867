/* The duty that deletes old audit rows, those beyond the size that they may
 * have together, and finished jobs: one small batch of each per step, so that
 * no statement holds many locks. */
#include "audit_duty.h"

#include "store/audit.h"
#include "config.h"
#include "job.h"
#include "lease.h"
#include "log.h"

#define BATCH 500
#define JOBS  50

#define DAY_MS INT64_C(86400000)
/* Rows of the last hour go last, for they tell who fills the table. What is
 * younger than five minutes stays: by it a COMMIT's outcome is found, and no
 * request lasts as long. */
#define HOUR_MS  3600000
#define YOUNG_MS 300000

static int64_t
data_ms(void)
{
    int64_t data = config()->audit_keep_days_data,
            all = config()->audit_keep_days;

    return (data < all ? data : all) * DAY_MS;
}

/* Those of the data path first: whoever loads data does not push out who has
 * changed an instance. */
static enum err
keep_size(struct db *db, int64_t bytes, uint64_t *n)
{
    static const struct {
        bool data;
        int64_t older_ms;
    } order[] = { { true, HOUR_MS },
                  { false, HOUR_MS },
                  { true, YOUNG_MS },
                  { false, YOUNG_MS } };
    enum err e = ERR_OK;
    size_t i;

    *n = 0;
    if (config()->audit_max_mib == 0 || bytes <= config()->audit_max_mib << 20)
        return ERR_OK;
    for (i = 0; i < COUNT(order) && e == ERR_OK && *n == 0; i++)
        e = audit_purge(db, order[i].data, order[i].older_ms, BATCH, n);
    if (e == ERR_OK && (*n == 0 || order[i - 1].older_ms < HOUR_MS))
        log_warn("audit.too_large bytes=%lld last_hour=%llu", (long long)bytes,
                 (unsigned long long)*n);
    return e;
}

enum turn
audit_duty(struct duty_run *run)
{
    uint64_t n = 0, data = 0, counted = 0, over = 0, jobs = 0;
    int64_t bytes = 0;
    enum err e = lease_begin(run->db, run->lease);

    if (e == ERR_OK)
        e = audit_purge(run->db, false, config()->audit_keep_days * DAY_MS,
                        BATCH, &n);
    if (e == ERR_OK)
        e = audit_purge(run->db, true, data_ms(), BATCH, &data);
    if (e == ERR_OK)
        e = audit_measure(run->db, BATCH, &bytes, &counted);
    if (e == ERR_OK)
        e = keep_size(run->db, bytes, &over);
    if (e == ERR_OK)
        e = job_purge(run->db, (unsigned)config()->audit_keep_days, JOBS,
                      &jobs);
    e = db_end(run->db, e);
    if (e != ERR_OK && e != ERR_STATE)
        log_warn("audit.purge err=%s errno=%u", err_name(e), db_errno(run->db));
    if (e == ERR_OK && n + data + over + jobs > 0)
        log_info("audit.purge rows=%llu data=%llu over=%llu bytes=%lld "
                 "jobs=%llu",
                 (unsigned long long)n, (unsigned long long)data,
                 (unsigned long long)over, (long long)bytes,
                 (unsigned long long)jobs);
    return turn_of(e, n >= BATCH || data >= BATCH || counted >= BATCH ||
                          over >= BATCH || jobs == JOBS);
}
