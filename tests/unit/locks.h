/* Locks of a test that has one thread, in the place of the C library's: each
 * is given back by who has it, and nobody waits for himself. Included once per
 * program; assert_unlocked() is the end of a test. */
#ifndef MG_TEST_LOCKS_H
#define MG_TEST_LOCKS_H

#include <pthread.h>
#include <stddef.h>

static struct {
    const void *lock;
    int held;
} locks[256];
static int locks_wrong;

static int
locks_count(const void *lock, int more)
{
    size_t i = 0;

    while (i < 255 && locks[i].lock != NULL && locks[i].lock != lock)
        i++;
    locks[i].lock = lock;
    locks[i].held += more;
    if (locks[i].held < 0 || locks[i].held > 1)
        locks_wrong++;
    return 0;
}

int
pthread_mutex_lock(pthread_mutex_t *m)
{
    return locks_count(m, 1);
}

int
pthread_mutex_unlock(pthread_mutex_t *m)
{
    return locks_count(m, -1);
}

int
pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    return locks_count(l, 1);
}

int
pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    return locks_count(l, 1);
}

int
pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    return locks_count(l, -1);
}

static void
assert_unlocked(void)
{
    assert_int_equal(locks_wrong, 0);
    for (size_t i = 0; i < 256 && locks[i].lock != NULL; i++)
        assert_int_equal(locks[i].held, 0);
}

#endif
