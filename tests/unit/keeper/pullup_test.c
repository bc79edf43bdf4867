/* The watchdog's rules: a table of situations, and random histories against
 * rules that are written down another way. */
#include "keeper/pullup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW   1000000
#define LATER (NOW + 60000)

static void
situations_and_what_is_done(void **state)
{
    static const struct {
        struct pullup p;
        bool alive;
        enum pullup_do what;
        int64_t again_ms;
        enum kept_state rest;
    } rows[] = {
        /* to_run, ordered, held, until */
        { { true, false, false, 0 }, false, PULLUP_START, 0, KEPT_WAITING },
        { { true, false, false, 0 }, true, PULLUP_LEAVE, 0, KEPT_WAITING },
        { { false, false, false, 0 }, false, PULLUP_LEAVE, 0, KEPT_STOPPED },
        { { false, false, false, 0 }, true, PULLUP_END, 0, KEPT_STOPPED },
        { { true, false, false, LATER },
          false,
          PULLUP_LEAVE,
          LATER,
          KEPT_PAUSED },
        { { true, false, false, LATER }, true, PULLUP_LEAVE, 0, KEPT_PAUSED },
        { { true, false, false, PAUSE_FOREVER },
          false,
          PULLUP_LEAVE,
          0,
          KEPT_PAUSED },
        { { true, false, false, NOW }, false, PULLUP_START, 0, KEPT_WAITING },
        /* stopped by an order: no end of a pause starts it */
        { { false, false, false, NOW }, false, PULLUP_LEAVE, 0, KEPT_STOPPED },
        { { false, false, false, LATER },
          false,
          PULLUP_LEAVE,
          0,
          KEPT_STOPPED },
        /* ordered while paused */
        { { true, true, false, PAUSE_FOREVER },
          false,
          PULLUP_START,
          0,
          KEPT_WAITING },
        /* held: down or up, it is left */
        { { true, false, true, 0 }, false, PULLUP_LEAVE, 0, KEPT_HELD },
        { { true, false, true, 0 }, true, PULLUP_LEAVE, 0, KEPT_HELD },
        { { false, false, true, 0 }, true, PULLUP_LEAVE, 0, KEPT_HELD },
        /* begun by who holds it */
        { { false, true, true, LATER }, false, PULLUP_START, 0, KEPT_WAITING },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t again_ms = -1;

        assert_int_equal(
            pullup_decide(&rows[i].p, rows[i].alive, NOW, &again_ms),
            rows[i].what);
        assert_int_equal(again_ms, rows[i].again_ms);
        assert_int_equal(pullup_rest(&rows[i].p, NOW), rows[i].rest);
    }
}

static void
what_is_said_of_a_port_stands_before_what_is_said_of_all(void **state)
{
    struct pullup_pause v[] = { { 7, PAUSE_NONE },
                                { 0, PAUSE_FOREVER },
                                { 9, LATER } };
    struct pullup_pauses said = { COUNT(v), v };

    (void)state;
    assert_int_equal(pullup_until(&said, 7), PAUSE_NONE);
    assert_int_equal(pullup_until(&said, 8), PAUSE_FOREVER);
    assert_int_equal(pullup_until(&said, 9), LATER);
    said.n = 0;
    assert_int_equal(pullup_until(&said, 9), PAUSE_NONE);
}

/* ---- random histories ---- */

/* What happened last, as a person would tell it. */
struct history {
    bool stopped_by_order; /* the last of start, restart, stop was a stop */
    bool start_due;        /* a start was ordered and nothing came of it yet */
    bool held, alive;
    int64_t paused_until;
};

static enum pullup_do
expected(const struct history *h, int64_t now)
{
    if (h->alive)
        return h->stopped_by_order && !h->start_due && !h->held ? PULLUP_END
                                                                : PULLUP_LEAVE;
    if (h->start_due)
        return PULLUP_START;
    if (h->stopped_by_order || h->held)
        return PULLUP_LEAVE;
    return now < h->paused_until ? PULLUP_LEAVE : PULLUP_START;
}

static void
happen(struct pullup *p, struct history *h, unsigned what, int64_t now)
{
    bool ends = false, was_alive = h->alive;

    switch (what) {
    case 0:
        ends = pullup_order(p, ORDER_START, h->alive);
        h->stopped_by_order = false;
        h->start_due = !h->alive;
        break;
    case 1:
        ends = pullup_order(p, ORDER_STOP, h->alive);
        h->stopped_by_order = true;
        h->start_due = false;
        break;
    case 2:
        ends = pullup_order(p, ORDER_RESTART, h->alive);
        h->stopped_by_order = false;
        h->start_due = true;
        break;
    case 3:
        ends = pullup_order(p, ORDER_END, h->alive);
        h->start_due = false;
        break;
    case 4: /* of who holds it alone */
        if (h->held) {
            ends = pullup_order(p, ORDER_BEGIN, h->alive);
            h->start_due = !h->alive;
        }
        break;
    case 5:
        p->held = h->held = !h->held;
        break;
    case 6:
        p->until_ms = h->paused_until = PAUSE_FOREVER;
        break;
    case 7:
        p->until_ms = PAUSE_NONE;
        h->paused_until = 0;
        break;
    case 8:
        p->until_ms = h->paused_until = now + 1 + rand() % 5000;
        break;
    default:
        h->alive = false; /* killed */
    }
    assert_int_equal(ends, was_alive && what >= 1 && what <= 3);
    if (ends)
        h->alive = false;
}

static void
random_histories(void **state)
{
    unsigned seed = 20261129;

    (void)state;
    srand(seed);
    for (int run = 0; run < 200; run++) {
        struct pullup p = { .to_run = true };
        struct history h = { 0 };
        int64_t now = NOW, again_ms;

        for (int i = 0; i < 300; i++) {
            unsigned what = (unsigned)rand() % 10;
            enum pullup_do d;

            happen(&p, &h, what, now);
            d = pullup_decide(&p, h.alive, now, &again_ms);
            if (d != expected(&h, now))
                fail_msg("seed %u, run %d, event %d (%u)", seed, run, i, what);
            /* woken when it said so, not before the pause's end */
            if (again_ms != 0) {
                assert_int_equal(d, PULLUP_LEAVE);
                assert_int_equal(
                    pullup_decide(&p, h.alive, again_ms - 1, &(int64_t){ 0 }),
                    PULLUP_LEAVE);
                assert_int_equal(
                    pullup_decide(&p, h.alive, again_ms, &(int64_t){ 0 }),
                    PULLUP_START);
            }
            if (d == PULLUP_START && rand() % 2) {
                pullup_started(&p);
                h.start_due = false;
                h.alive = true;
            } else if (d == PULLUP_END) {
                h.alive = false;
            }
            now += rand() % 2000;
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(situations_and_what_is_done),
        cmocka_unit_test(
            what_is_said_of_a_port_stands_before_what_is_said_of_all),
        cmocka_unit_test(random_histories),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
