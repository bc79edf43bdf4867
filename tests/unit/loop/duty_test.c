/* Who takes the lease of a duty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "duty.h"

static const struct duty leader = { .lease = "pegasus.leader",
                                    .first = "m1",
                                    .sticky = true };
static const struct duty plain = { .lease = "cluster.audit" };

#define NOW  1000000
#define LONG DUTY_LEASE_MS

static struct lease_row
row(const char *owner, int64_t expires_ms)
{
    return (struct lease_row){
        .owner = owner, .epoch = 7, .now_ms = NOW, .expires_ms = expires_ms
    };
}

static void
the_first_candidate_leads_a_fresh_deployment_at_once(void **state)
{
    (void)state;
    assert_true(duty_may_take(&leader, "m1", "m1@a", NULL, 0));
    assert_false(duty_may_take(&leader, "m2", "m2@a", NULL, LONG - 1));
    assert_true(duty_may_take(&leader, "m2", "m2@a", NULL, LONG));
    assert_true(duty_may_take(&plain, "m3", "m3@a", NULL, 0));
}

static void
who_was_killed_goes_on_within_its_lease(void **state)
{
    struct lease_row held = row("m2@a", NOW + 5000), ended = row("m2@a", 5);

    (void)state;
    assert_true(duty_may_take(&leader, "m2", "m2@a", &held, 0));
    assert_true(duty_may_take(&leader, "m2", "m2@a", &ended, 0));
}

/* Both hosts have an m1. */
static void
the_same_name_on_another_host_is_a_stranger(void **state)
{
    struct lease_row held = row("m1@a", NOW + 5000), ended = row("m1@a", 5);

    (void)state;
    assert_false(duty_may_take(&leader, "m1", "m1@b", &held, LONG - 1));
    assert_false(duty_may_take(&plain, "m1", "m1@b", &held, LONG - 1));
    assert_false(duty_may_take(&leader, "m1", "m1@b", &ended, LONG - 1));
    assert_true(duty_may_take(&plain, "m1", "m1@b", &ended, 0));
}

/* The store's clock has gone back by an hour, and its owner is gone. */
static void
a_lease_is_over_when_it_was_not_renewed_for_its_time(void **state)
{
    struct lease_row held = row("m1@a", NOW + 3600000);

    (void)state;
    assert_false(duty_may_take(&leader, "m2", "m2@a", &held, LONG - 1));
    assert_true(duty_may_take(&leader, "m2", "m2@a", &held, LONG));
    assert_true(duty_may_take(&plain, "m2", "m2@a", &held, LONG));
}

static void
a_lease_that_runs_is_nobody_elses(void **state)
{
    struct lease_row held = row("m1@a", NOW);

    (void)state;
    assert_false(duty_may_take(&leader, "m2", "m2@a", &held, LONG - 1));
    assert_false(duty_may_take(&plain, "m2", "m2@a", &held, LONG - 1));
}

/* After an outage of the store, or a start of everything, the last owner gets
 * the time of one lease to come back. */
static void
a_sticky_lease_moves_after_it_was_seen_unrenewed(void **state)
{
    struct lease_row ended = row("m1@a", NOW - 1);

    (void)state;
    assert_false(duty_may_take(&leader, "m2", "m2@a", &ended, LONG - 1));
    assert_true(duty_may_take(&leader, "m2", "m2@a", &ended, LONG));
    assert_true(duty_may_take(&plain, "m2", "m2@a", &ended, 0));
}

/* Whoever holds it may be of an older release, and renew it every 3 s. */
static void
a_short_lease_is_over_by_the_stores_clock_or_after_a_long_one(void **state)
{
    const struct duty d = { .lease = "cluster.failover", .lease_ms = 2000 };
    struct lease_row held = row("m1@a", NOW), ended = row("m1@a", NOW - 1);

    (void)state;
    assert_int_equal(duty_lease_ms(&d), 2000);
    assert_int_equal(duty_lease_ms(&plain), LONG);
    assert_true(duty_may_take(&d, "m2", "m2@a", &ended, 0));
    assert_false(duty_may_take(&d, "m2", "m2@a", &held, LONG - 1));
    assert_true(duty_may_take(&d, "m2", "m2@a", &held, LONG));
    assert_true(duty_may_take(&d, "m1", "m1@a", &held, 0));
}

static void
a_lease_that_runs_out_soon_is_looked_at_then(void **state)
{
    struct lease_row r = row("m1@a", NOW);

    (void)state;
    assert_int_equal(duty_look_ms(&plain, NULL, 900), 900);
    assert_int_equal(duty_look_ms(&plain, &r, 900), 1);
    r.expires_ms = NOW + 899;
    assert_int_equal(duty_look_ms(&plain, &r, 900), 900);
    r.expires_ms = NOW + 500;
    assert_int_equal(duty_look_ms(&plain, &r, 900), 501);
    assert_int_equal(duty_look_ms(&leader, &r, 900), 900); /* sticky */
    r.expires_ms = NOW + 9000;
    assert_int_equal(duty_look_ms(&plain, &r, 900), 900);
    r.expires_ms = NOW - 1;
    assert_int_equal(duty_look_ms(&plain, &r, 900), 900);
}

static bool
not_m2(const char *id)
{
    return strcmp(id, "m2") != 0;
}

static void
who_may_not_have_it_never_takes_it(void **state)
{
    const struct duty d = { .lease = "x", .may = not_m2 };
    const struct lease_row own = row("m2@a", NOW + 1);

    (void)state;
    assert_false(duty_may_take(&d, "m2", "m2@a", NULL, LONG));
    assert_false(duty_may_take(&d, "m2", "m2@a", &own, 0));
    assert_true(duty_may_take(&d, "m3", "m3@a", NULL, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_candidate_leads_a_fresh_deployment_at_once),
        cmocka_unit_test(who_was_killed_goes_on_within_its_lease),
        cmocka_unit_test(the_same_name_on_another_host_is_a_stranger),
        cmocka_unit_test(a_lease_is_over_when_it_was_not_renewed_for_its_time),
        cmocka_unit_test(a_lease_that_runs_is_nobody_elses),
        cmocka_unit_test(a_sticky_lease_moves_after_it_was_seen_unrenewed),
        cmocka_unit_test(
            a_short_lease_is_over_by_the_stores_clock_or_after_a_long_one),
        cmocka_unit_test(a_lease_that_runs_out_soon_is_looked_at_then),
        cmocka_unit_test(who_may_not_have_it_never_takes_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
