/* Keeping a lease while a statement of unknown length runs. */
#include "migrate_lock.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define TTL_MS  10000
#define RENEW_S 3
#define POLL_MS 200

static void
keep(struct migrate_lock *l, struct db *db)
{
    enum err e = lease_renew(db, &l->lease);

    if (e == ERR_STATE) {
        log_warn("migrate.lock_lost epoch=%llu",
                 (unsigned long long)l->lease.epoch);
        atomic_store(&l->lost, true);
    }
}

/* Until told to stop: STORE and BUSY are tried again at the next turn. */
static void *
keeper_main(void *arg)
{
    struct migrate_lock *l = arg;
    struct db *db = db_open();
    struct timespec until;

    pthread_mutex_lock(&l->mutex);
    while (!l->stop && db != NULL) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += RENEW_S;
        pthread_cond_timedwait(&l->wake, &l->mutex, &until);
        if (l->stop)
            break;
        pthread_mutex_unlock(&l->mutex);
        keep(l, db);
        pthread_mutex_lock(&l->mutex);
    }
    pthread_mutex_unlock(&l->mutex);
    db_close(db);
    return NULL;
}

static enum err
wait_for_lease(struct migrate_lock *l, struct db *db, FILE *report)
{
    const struct timespec nap = { 0, POLL_MS * 1000000L };
    bool said = false;
    enum err e;

    while ((e = lease_take(db, &l->lease)) == ERR_BUSY) {
        if (!said)
            (void)fprintf(report, "another migrator is at work; waiting\n");
        (void)fflush(report);
        said = true;
        (void)nanosleep(&nap, NULL);
    }
    return e;
}

static bool
start_keeper(struct migrate_lock *l)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return pthread_create(&l->keeper, NULL, keeper_main, l) == 0;
}

enum err
migrate_lock_take(struct migrate_lock *l, struct db *db, FILE *report)
{
    char host[65] = "";
    enum err e;

    memset(l, 0, sizeof(*l));
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(l->owner, sizeof(l->owner), "%s %ld", host, (long)getpid());
    l->lease = (struct lease){ "schema.migrate", l->owner, TTL_MS, 0 };
    atomic_init(&l->lost, false);
    e = wait_for_lease(l, db, report);
    if (e != ERR_OK)
        return e;
    if (start_keeper(l))
        return ERR_OK;
    e = lease_release(db, &l->lease);
    return e == ERR_OK ? ERR_NOMEM : e;
}

void
migrate_lock_release(struct migrate_lock *l, struct db *db)
{
    pthread_mutex_lock(&l->mutex);
    l->stop = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->keeper, NULL);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->mutex);
    if (!atomic_load(&l->lost) && lease_release(db, &l->lease) != ERR_OK)
        log_warn("migrate.lock_kept errno=%u", db_errno(db));
}
