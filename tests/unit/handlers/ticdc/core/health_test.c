/* What a changefeed becomes by what happens to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ticdc/core/health.h"

#define NOW INT64_C(1000000)

static struct health h;

static bool
happens(enum health_event event, uint64_t checkpoint, int64_t now_ms)
{
    /* in the middle of its variation */
    return health_step(&h, event, checkpoint, &health_defaults, now_ms, 0);
}

static void
each_state_takes_what_fits_it(void **state)
{
    enum { NO = HEALTH__MAX }; /* changes nothing */
    static const struct {
        enum health_event event;
        int becomes[HEALTH__MAX]; /* from NORMAL, WARNING, PENDING, FAILED,
                                   * STOPPED, FINISHED */
    } rows[] = {
        { HEALTH_PAUSE,
          { HEALTH_STOPPED, HEALTH_STOPPED, HEALTH_STOPPED, NO, NO, NO } },
        { HEALTH_RESUME,
          { NO, NO, NO, HEALTH_NORMAL, HEALTH_NORMAL, HEALTH_NORMAL } },
        { HEALTH_ERROR, { HEALTH_PENDING, HEALTH_PENDING, NO, NO, NO, NO } },
        { HEALTH_FATAL, { HEALTH_FAILED, HEALTH_FAILED, NO, NO, NO, NO } },
        { HEALTH_LOST,
          { HEALTH_FAILED, HEALTH_FAILED, HEALTH_FAILED, NO, HEALTH_FAILED,
            NO } },
        { HEALTH_TICK, { NO, NO, NO, NO, NO, NO } },
        { HEALTH_TARGET, { HEALTH_FINISHED, HEALTH_FINISHED, NO, NO, NO, NO } },
    };
    struct health was;
    int want;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int from = 0; from < HEALTH__MAX; from++) {
            h = (struct health){ .state = (enum health_state)from,
                                 .failed_at = 7,
                                 .again_ms = NOW + 1 };
            was = h;
            want = rows[i].becomes[from];
            assert_int_equal(happens(rows[i].event, 7, NOW), want != NO);
            assert_int_equal(h.state, want == NO ? from : want);
            if (want == NO)
                assert_memory_equal(&h, &was, sizeof(h));
        }
}

static void
it_waits_longer_each_time_and_then_gives_up(void **state)
{
    static const int64_t waits[] = { 9000,   18000,  36000,  72000, 144000,
                                     288000, 540000, 540000, 540000 };
    int64_t now = NOW;

    (void)state;
    h = (struct health){ .state = HEALTH_NORMAL };
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_true(happens(HEALTH_ERROR, 5, now));
        assert_int_equal(h.state, HEALTH_PENDING);
        assert_int_equal(h.tries, i + 1);
        assert_true(h.again_ms == now + waits[i]);
        now = h.again_ms;
        if (i == COUNT(waits) - 1)
            break;
        assert_false(happens(HEALTH_TICK, 5, now - 1));
        assert_true(happens(HEALTH_TICK, 5, now));
        assert_int_equal(h.state, HEALTH_WARNING);
        assert_true(h.again_ms == 0);
    }
    assert_true(now - NOW >= health_defaults.stuck_ms);
    assert_true(happens(HEALTH_TICK, 5, now));
    assert_int_equal(h.state, HEALTH_FAILED);
    /* by hand, all of it begins anew */
    assert_true(happens(HEALTH_RESUME, 5, now));
    assert_int_equal(h.tries, 0);
    assert_true(h.since_ms == 0 && h.failed_at == 0);
}

static void
the_wait_varies_by_a_tenth(void **state)
{
    int64_t least = INT64_MAX, most = 0, ms;

    (void)state;
    for (uint64_t chance = 0; chance < 4000; chance++) {
        h = (struct health){ .state = HEALTH_NORMAL };
        (void)health_step(&h, HEALTH_ERROR, 1, &health_defaults, NOW, chance);
        ms = h.again_ms - NOW;
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_true(least == 9000 && most == 11000);
}

static void
one_that_gets_on_is_well_and_forgets(void **state)
{
    (void)state;
    h = (struct health){ .state = HEALTH_NORMAL };
    assert_true(happens(HEALTH_ERROR, 5, NOW));
    assert_true(happens(HEALTH_TICK, 5, h.again_ms));
    assert_false(happens(HEALTH_TICK, 5, NOW + 20000)); /* runs, not further */
    assert_int_equal(h.state, HEALTH_WARNING);
    assert_true(happens(HEALTH_TICK, 6, NOW + 21000));
    assert_int_equal(h.state, HEALTH_NORMAL);
    assert_int_equal(h.tries, 0);
    /* and one that had got on before the next error begins at the first wait */
    h = (struct health){ .state = HEALTH_WARNING,
                         .tries = 6,
                         .since_ms = NOW - 1700000,
                         .failed_at = 5 };
    assert_true(happens(HEALTH_ERROR, 9, NOW));
    assert_int_equal(h.tries, 1);
    assert_true(h.since_ms == NOW && h.failed_at == 9);
}

static void
one_that_runs_and_does_not_get_on_is_given_up(void **state)
{
    (void)state;
    h = (struct health){
        .state = HEALTH_WARNING, .tries = 2, .since_ms = NOW, .failed_at = 5
    };
    assert_false(happens(HEALTH_TICK, 5, NOW + 1799999));
    assert_true(happens(HEALTH_TICK, 5, NOW + 1800000));
    assert_int_equal(h.state, HEALTH_FAILED);
}

static void
states_have_the_words_of_both_interfaces(void **state)
{
    (void)state;
    for (int s = 0; s < HEALTH__MAX; s++)
        assert_int_equal(health_of_word(health_word((enum health_state)s)), s);
    assert_int_equal(health_of_word("removed"), HEALTH__MAX);
    assert_int_equal(health_of_word(""), HEALTH__MAX);
    assert_string_equal(health_shown(HEALTH_PENDING), "error");
    assert_string_equal(health_shown(HEALTH_WARNING), "error");
    assert_string_equal(health_shown(HEALTH_FINISHED), "finished");
    assert_true(health_runs(HEALTH_WARNING) && !health_runs(HEALTH_PENDING));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_takes_what_fits_it),
        cmocka_unit_test(it_waits_longer_each_time_and_then_gives_up),
        cmocka_unit_test(the_wait_varies_by_a_tenth),
        cmocka_unit_test(one_that_gets_on_is_well_and_forgets),
        cmocka_unit_test(one_that_runs_and_does_not_get_on_is_given_up),
        cmocka_unit_test(states_have_the_words_of_both_interfaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
