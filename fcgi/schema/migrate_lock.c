/* Waiting for the lock of migrators. */
#include "migrate_lock.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define TTL_MS  10000
#define POLL_MS 200

static enum err
wait_for_lease(struct migrate_lock *l, struct db *db, FILE *report)
{
    const struct timespec nap = { 0, POLL_MS * 1000000L };
    bool said = false;
    enum err e;

    while ((e = lease_take(db, &l->keeper.lease)) == ERR_BUSY) {
        if (!said)
            (void)fprintf(report, "another migrator is at work; waiting\n");
        (void)fflush(report);
        said = true;
        (void)nanosleep(&nap, NULL);
    }
    return e;
}

enum err
migrate_lock_take(struct migrate_lock *l, struct db *db, FILE *report)
{
    char host[65] = "";
    enum err e;

    memset(l, 0, sizeof(*l));
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(l->owner, sizeof(l->owner), "%s %ld", host, (long)getpid());
    l->keeper.lease = (struct lease){ "schema.migrate", l->owner, TTL_MS, 0 };
    e = wait_for_lease(l, db, report);
    return e == ERR_OK ? lease_keeper_start(&l->keeper, db) : e;
}
