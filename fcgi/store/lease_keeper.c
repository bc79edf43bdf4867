/* A lease that a thread keeps. */
#include "lease_keeper.h"

#include <time.h>

#include "clock.h"
#include "log.h"

/* What could not be prolonged, for whatever reason, is tried again. */
#define RENEWALS 3 /* within the time of a lease */

static void
renew(struct lease_keeper *k, struct db *db)
{
    int64_t asked_ms = clock_mono_ms();
    enum err e = lease_renew(db, &k->lease);

    if (e == ERR_OK)
        k->time.asked_ms = asked_ms;
    if (e == ERR_STATE && !atomic_exchange(&k->time.over, true))
        log_warn("lease.lost name=%s epoch=%llu", k->lease.name,
                 (unsigned long long)k->lease.epoch);
}

static void *
keep(void *arg)
{
    struct lease_keeper *k = arg;
    struct db *db = db_open();
    struct timespec until;
    int64_t at_ms;

    pthread_mutex_lock(&k->mutex);
    while (!k->stop && db != NULL) {
        at_ms = clock_mono_ms() + k->lease.ttl_ms / RENEWALS;
        until = (struct timespec){ at_ms / 1000, at_ms % 1000 * 1000000 };
        (void)pthread_cond_timedwait(&k->wake, &k->mutex, &until);
        if (k->stop)
            break;
        pthread_mutex_unlock(&k->mutex);
        renew(k, db);
        pthread_mutex_lock(&k->mutex);
    }
    pthread_mutex_unlock(&k->mutex);
    db_close(db);
    return NULL;
}

enum err
lease_keeper_start(struct lease_keeper *k, struct db *db, int64_t asked_ms)
{
    pthread_condattr_t monotonic;

    k->stop = false;
    k->time.asked_ms = asked_ms;
    k->time.over = false;
    k->lease.time = &k->time;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&k->mutex, NULL);
    pthread_cond_init(&k->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&k->thread, NULL, keep, k) == 0)
        return ERR_OK;
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->mutex);
    k->time.over = true;
    (void)!lease_release(db, &k->lease);
    return ERR_NOMEM;
}

enum err
lease_keeper_holds(const struct lease_keeper *k)
{
    return lease_lasts(&k->lease) ? ERR_OK : ERR_STATE;
}

void
lease_keeper_stop(struct lease_keeper *k, struct db *db)
{
    pthread_mutex_lock(&k->mutex);
    k->stop = true;
    pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->mutex);
    pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->mutex);
    if (!atomic_exchange(&k->time.over, true) &&
        lease_release(db, &k->lease) != ERR_OK)
        log_warn("lease.kept name=%s errno=%u", k->lease.name, db_errno(db));
}
