/* Waiting for the lock of migrators. */
#include "migrate_lock.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define TTL_MS  10000
#define POLL_MS 200

static enum err
wait_for_lease(struct migrate_lock *l, struct db *db, FILE *report,
               int64_t *asked_ms)
{
    const struct timespec nap = { 0, POLL_MS * 1000000L };
    bool said = false;
    enum err e;

    for (;;) {
        *asked_ms = clock_mono_ms();
        e = lease_take(db, &l->keeper.lease);
        if (e != ERR_BUSY)
            return e;
        if (!said)
            (void)fprintf(report, "another migrator is at work; waiting\n");
        (void)fflush(report);
        said = true;
        (void)nanosleep(&nap, NULL);
    }
}

enum err
migrate_lock_take(struct migrate_lock *l, struct db *db, FILE *report)
{
    char host[65] = "";
    int64_t asked_ms;
    enum err e;

    memset(l, 0, sizeof(*l));
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(l->owner, sizeof(l->owner), "%s %ld", host, (long)getpid());
    l->keeper.lease = (struct lease){ .name = "schema.migrate",
                                      .owner = l->owner,
                                      .ttl_ms = TTL_MS };
    e = wait_for_lease(l, db, report, &asked_ms);
    return e == ERR_OK ? lease_keeper_start(&l->keeper, db, asked_ms) : e;
}
