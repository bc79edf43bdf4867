/* A lease that a thread keeps: for how long it is held, what ends it, what is
 * given back. The store is the test's, the clock stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "fake_clock.h"
#include "log_fixture.h"

static atomic_int waits_by_clock; /* conditions that were made */

/* Waits are until a time of the clock that no administrator sets. */
static int
make_condition(pthread_cond_t *c, const pthread_condattr_t *attr)
{
    clockid_t id;

    assert_int_equal(pthread_condattr_getclock(attr, &id), 0);
    waits_by_clock += id == CLOCK_MONOTONIC;
    return pthread_cond_init(c, attr);
}

static atomic_int not_held; /* mutexes that were given back */

static int
give_back(pthread_mutex_t *m)
{
    if (pthread_mutex_trylock(m) == 0)
        not_held++;
    return pthread_mutex_unlock(m);
}

#define pthread_cond_init    make_condition
#define pthread_mutex_unlock give_back
#include "store/lease_keeper.c"
#undef pthread_cond_init
#undef pthread_mutex_unlock

static atomic_int renewals, releases, opened, closed;
static int ours, theirs; /* two connections */
static _Atomic(enum err) renew_says, release_says;
static bool no_store, no_thread;
static int64_t renew_ms; /* how long it takes */

struct db *
db_open(void)
{
    opened++;
    return no_store ? NULL : (struct db *)&theirs;
}

void
db_close(struct db *db)
{
    assert_true(db == NULL || (void *)db == &theirs);
    closed++;
}

unsigned
db_errno(const struct db *db)
{
    (void)db;
    return 1205;
}

enum err
lease_renew(struct db *db, const struct lease *l)
{
    (void)db;
    assert_string_equal(l->name, "unit");
    pass_ms(renew_ms);
    renewals++;
    return renew_says;
}

enum err
lease_release(struct db *db, const struct lease *l)
{
    assert_ptr_equal(db, &ours);
    assert_int_equal(l->epoch, 7);
    releases++;
    return release_says;
}

int
pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*start)(void *),
               void *arg)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                  void *);

    if (no_thread)
        return EAGAIN;
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    return create(t, attr, start, arg);
}

static struct lease_keeper keeper;

static int
setup(void **state)
{
    (void)state;
    fake_mono_us = 1000;
    keeper = (struct lease_keeper){
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .lease = { .name = "unit",
                   .ttl_ms = 9000,
                   .epoch = 7,
                   .time = &keeper.time },
        .time.asked_ms = clock_mono_ms(),
    };
    renewals = releases = opened = closed = waits_by_clock = not_held = 0;
    renew_says = release_says = ERR_OK;
    no_store = no_thread = false;
    renew_ms = 0;
    log_catch();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    log_release();
    return not_held;
}

static struct db *
store(void)
{
    return (struct db *)&ours;
}

static void
it_is_held_for_its_time_from_when_that_was_asked(void **state)
{
    (void)state;
    assert_int_equal(lease_keeper_holds(&keeper), ERR_OK);
    pass_ms(8999);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_OK);
    pass_ms(1);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_STATE);
    renew_ms = 500;
    renew(&keeper, store());
    assert_int_equal(keeper.time.asked_ms, clock_mono_ms() - 500);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_OK);
    pass_ms(8500);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_STATE);
    assert_string_equal(logged(), "");
}

static void
what_could_not_be_prolonged_runs_out_by_itself(void **state)
{
    int64_t before = keeper.time.asked_ms;

    (void)state;
    renew_says = ERR_STORE;
    pass_ms(100);
    renew(&keeper, store());
    assert_int_equal(keeper.time.asked_ms, before);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_OK);
    assert_string_equal(logged(), "");
}

static void
what_another_has_is_lost_and_said_once(void **state)
{
    (void)state;
    renew_says = ERR_STATE;
    renew(&keeper, store());
    assert_int_equal(lease_keeper_holds(&keeper), ERR_STATE);
    assert_non_null(strstr(logged(), "lease.lost name=unit epoch=7"));
    renew(&keeper, store());
    assert_string_equal(logged(), "");
}

static void
until(atomic_int *n, int most)
{
    const struct timespec nap = { 0, 1000000L };

    while (*n < most)
        (void)nanosleep(&nap, NULL);
}

/* It was asked for before: whoever answers took his time. */
static void
its_time_runs_from_when_it_was_asked_for(void **state)
{
    (void)state;
    no_store = true;
    pass_ms(9000);
    assert_int_equal(
        lease_keeper_start(&keeper, store(), clock_mono_ms() - 8999), ERR_OK);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_OK);
    pass_ms(1);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_STATE);
    lease_keeper_stop(&keeper, store());
}

/* Its clock stands soon after the start of the machine: each wait of the
 * thread is over. */
static void
a_thread_prolongs_it_until_it_is_given_back(void **state)
{
    (void)state;
    keeper.time.over = keeper.stop = true;
    pass_ms(5);
    assert_int_equal(lease_keeper_start(&keeper, store(), clock_mono_ms()),
                     ERR_OK);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_OK);
    until(&renewals, 3);
    lease_keeper_stop(&keeper, store());
    assert_int_equal(lease_keeper_holds(&keeper), ERR_STATE);
    assert_int_equal(waits_by_clock, 1);
    assert_int_equal(releases, 1);
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
    assert_string_equal(logged(), "");
}

static void
what_is_lost_is_not_given_back(void **state)
{
    (void)state;
    renew_says = ERR_STATE;
    assert_int_equal(lease_keeper_start(&keeper, store(), clock_mono_ms()),
                     ERR_OK);
    until(&renewals, 1);
    until(&renewals, 2);
    lease_keeper_stop(&keeper, store());
    assert_int_equal(releases, 0);
    assert_null(strstr(logged(), "lease.kept"));
}

static void
what_cannot_be_given_back_is_told(void **state)
{
    (void)state;
    release_says = ERR_STORE;
    no_store = true; /* its thread ends at once */
    assert_int_equal(lease_keeper_start(&keeper, store(), clock_mono_ms()),
                     ERR_OK);
    until(&closed, 1);
    lease_keeper_stop(&keeper, store());
    assert_int_equal(renewals, 0);
    assert_int_equal(releases, 1);
    assert_non_null(strstr(logged(), "lease.kept name=unit errno=1205"));
}

static void
without_a_thread_it_is_given_back_at_once(void **state)
{
    (void)state;
    no_thread = true;
    assert_int_equal(lease_keeper_start(&keeper, store(), clock_mono_ms()),
                     ERR_NOMEM);
    assert_int_equal(releases, 1);
    assert_int_equal(opened, 0);
    assert_int_equal(lease_keeper_holds(&keeper), ERR_STATE);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_is_held_for_its_time_from_when_that_was_asked),
        TEST(what_could_not_be_prolonged_runs_out_by_itself),
        TEST(what_another_has_is_lost_and_said_once),
        TEST(its_time_runs_from_when_it_was_asked_for),
        TEST(a_thread_prolongs_it_until_it_is_given_back),
        TEST(what_is_lost_is_not_given_back),
        TEST(what_cannot_be_given_back_is_told),
        TEST(without_a_thread_it_is_given_back_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
