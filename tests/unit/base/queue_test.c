/* What the queue between threads promises. */
#include "base/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define N 10000

static int things[N];

static void
things_come_out_in_order_and_no_more_than_max_go_in(void **state)
{
    struct queue *q = queue_new(2);

    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_true(queue_put(q, &things[0]));
        assert_true(queue_put(q, &things[1]));
        assert_false(queue_put(q, &things[2]));
        assert_ptr_equal(queue_take(q), &things[0]);
        assert_true(queue_put(q, &things[2]));
        assert_ptr_equal(queue_take(q), &things[1]);
        assert_ptr_equal(queue_take(q), &things[2]);
    }
    queue_free(q);
}

static void
a_closed_queue_is_emptied_and_takes_nothing_in(void **state)
{
    struct queue *q = queue_new(2);

    (void)state;
    assert_true(queue_put(q, &things[0]));
    queue_close(q);
    assert_false(queue_put(q, &things[1]));
    assert_ptr_equal(queue_take(q), &things[0]);
    assert_null(queue_take(q));
    queue_free(q);
}

static void *
take_all(void *arg)
{
    int *thing;

    while ((thing = queue_take(arg)) != NULL)
        *thing += 1;
    return NULL;
}

static void
every_thing_reaches_one_taker_and_closing_wakes_all(void **state)
{
    struct queue *q = queue_new(4);
    pthread_t taker[3];

    (void)state;
    for (size_t i = 0; i < COUNT(taker); i++)
        assert_int_equal(pthread_create(&taker[i], NULL, take_all, q), 0);
    for (size_t i = 0; i < N; i++)
        while (!queue_put(q, &things[i]))
            sched_yield();
    queue_close(q);
    for (size_t i = 0; i < COUNT(taker); i++)
        assert_int_equal(pthread_join(taker[i], NULL), 0);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(things[i], 1);
    queue_free(q);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_come_out_in_order_and_no_more_than_max_go_in),
        cmocka_unit_test(a_closed_queue_is_emptied_and_takes_nothing_in),
        cmocka_unit_test(every_thing_reaches_one_taker_and_closing_wakes_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
