/* The leader's loop: what is stored in which transaction, who is heard, what is
 * done before requests are answered. */
#include "leader_loop.h"

/* ---- a new leader ---- */

static void
before_it_answers_it_has_counted(void **state)
{
    (void)state;
    assert_string_equal(step_says(TURN_IDLE),
                        "lock; count all as 3; end ok; ready as 3; end ok; ");
    assert_true(memory()->open);
    assert_string_equal(step_says(TURN_IDLE), "");
    cluster.counted = false; /* somebody has changed something */
    assert_string_equal(step_says(TURN_IDLE), "lock; count all as 3; end ok; ");
}

static void
a_new_deployment_gets_a_table(void **state)
{
    (void)state;
    cluster.next_app_id = 1;
    assert_string_equal(step_says(TURN_IDLE),
                        "lock; count all as 3; end ok; lock; "
                        "make stat pegasus 4 3; ready as 3; end ok; ");
    pegasus_lead_end(run.memory);
    run.memory = NULL;
    settings.default_table = "";
    assert_string_equal(step_says(TURN_IDLE),
                        "lock; count all as 3; end ok; ready as 3; end ok; ");
}

static void
it_is_not_open_before_that_is_stored(void **state)
{
    (void)state;
    ready_says = ERR_STORE;
    assert_string_equal(step_says(TURN_FAILED),
                        "lock; count all as 3; end ok; ready as 3; "
                        "end store; ");
    assert_false(memory()->open);
    assert_true(memory()->failed);
    ready_says = ERR_OK;
    (void)step_says(TURN_IDLE);
    assert_true(memory()->open);
    assert_false(memory()->failed);
    cluster_says = ERR_STATE; /* the lease is lost */
    assert_string_equal(step_says(TURN_OVER), "");
}

/* ---- who is heard ---- */

static void
who_is_silent_for_long_is_dead(void **state)
{
    (void)state;
    (void)step_says(TURN_IDLE);
    for (int i = 0; i < 11; i++) {
        later(2000);
        node_rows[0].last_beacon_ms++;
        node_rows[2].last_beacon_ms++;
        assert_string_equal(step_says(TURN_IDLE), "");
    }
    later(2000);
    node_rows[0].last_beacon_ms++;
    node_rows[2].last_beacon_ms++;
    assert_string_equal(step_says(TURN_IDLE), "b:1 is dead; end ok; ");
    node_rows[1].alive = false;
    later(500);
    node_rows[1].last_beacon_ms++;
    /* what it holds is asked for when it comes back */
    assert_string_equal(step_says(TURN_IDLE), "b:1 lives; end ok; reports; ");
    node_rows[1].alive = true;
    assert_string_equal(step_says(TURN_IDLE), "");
}

/* The leader's own pause is nobody's silence. */
static void
an_absence_of_its_own_buries_nobody(void **state)
{
    (void)state;
    (void)step_says(TURN_IDLE);
    later(60000);
    assert_string_equal(step_says(TURN_IDLE), "");
    assert_true(memory()->s.node[1].alive);
    assert_int_equal(memory()->s.node[1].seen_ms, fake_mono_us / 1000);
    later(4000);
    (void)step_says(TURN_IDLE); /* that is no pause */
    assert_int_equal(memory()->s.node[1].seen_ms, fake_mono_us / 1000 - 4000);
    cluster_says = ERR_STORE;
    (void)step_says(TURN_FAILED);
    cluster_says = ERR_OK;
    later(500);
    (void)step_says(TURN_IDLE);
    assert_int_equal(memory()->s.node[1].seen_ms, fake_mono_us / 1000);
}

/* ---- what is stored ---- */

/* One node is dead: each partition loses it. */
static void
one_dies(void)
{
    memory()->s.node[1].alive = false;
    node_rows[1].alive = false;
}

static void
the_dead_leave_in_batches(void **state)
{
    struct pg_app *app;

    (void)state;
    (void)step_says(TURN_IDLE);
    app = table_of(600);
    assert_string_equal(step_says(TURN_IDLE), "");
    one_dies();
    (void)step_says(TURN_IDLE);
    /* 200 of them had it as their primary, and get another one too */
    assert_non_null(strstr(told, "256 configs; end ok; 256 configs; end ok; "
                                 "88 configs; end ok; "));
    for (int i = 0; i < app->n; i++) {
        assert_false(pg_config_has(&app->p[i].c, 1));
        assert_int_not_equal(app->p[i].c.primary, PG_NONE);
    }
    assert_true(memory()->changes >= 800);
    assert_string_equal(step_says(TURN_IDLE), "");
}

static void
what_is_refused_by_its_ballot_holds_up_no_other(void **state)
{
    struct pg_app *app;

    (void)state;
    (void)step_says(TURN_IDLE);
    app = table_of(6);
    refused_pidx = 2;
    one_dies();
    (void)step_says(TURN_IDLE);
    assert_memory_equal(told, "6 configs; end ok; ", 19);
    assert_true(app->stale);
    for (int i = 0; i < app->n; i++)
        assert_int_equal(pg_config_has(&app->p[i].c, 1), i == 2);
}

static void
what_cannot_be_stored_was_not_done(void **state)
{
    struct pg_app *app;

    (void)state;
    (void)step_says(TURN_IDLE);
    app = table_of(4);
    config_says = ERR_STORE;
    one_dies();
    assert_string_equal(step_says(TURN_FAILED), "end store; ");
    for (int i = 0; i < app->n; i++)
        assert_true(pg_config_has(&app->p[i].c, 1));
}

/* A primary that is not ours is told, and says itself what came of it. */
static void
a_proposal_is_noted_and_no_configuration_is_stored(void **state)
{
    struct pg_app *app;

    (void)state;
    for (size_t i = 0; i < COUNT(node_rows); i++)
        node_rows[i].managed = false;
    (void)step_says(TURN_IDLE);
    app = table_of(1);
    app->p[0].c.n_secondaries = 1;
    later(10000);
    all_speak();
    (void)step_says(TURN_IDLE);
    assert_null(strstr(told, "1 configs"));
    assert_int_equal(memory()->n_noted, 1);
    assert_int_equal(memory()->noted[0].app_id, 7);
    assert_int_equal(app->p[0].n_acts, 1);
    assert_int_equal(app->p[0].act[0].node, 2);
}

/* ---- rounds of the balancer, what is purged ---- */

static void
what_is_out_of_balance_is_counted_and_at_lively_moved(void **state)
{
    int primaries[3] = { 0 };
    struct pg_app *app;

    (void)state;
    (void)step_says(TURN_IDLE);
    app = table_of(6);
    for (int i = 0; i < app->n; i++) {
        app->p[i].c.primary = 0;
        app->p[i].c.secondary[0] = 1;
        app->p[i].c.secondary[1] = 2;
    }
    later(3000);
    all_speak();
    assert_string_equal(step_says(TURN_IDLE), ""); /* it is no tick */
    for (int i = 0; i < 3; i++) {
        later(3000);
        all_speak();
        (void)step_says(TURN_IDLE);
        if (strstr(told, "counters") != NULL)
            break;
    }
    assert_string_equal(told, "counters; end ok; ");
    assert_int_equal(stored.total, 2);
    assert_int_equal(stored.move_pri, 2);
    for (int i = 0; i < 4; i++) { /* the same again is not stored again */
        later(3000);
        all_speak();
        assert_string_equal(step_says(TURN_IDLE), "");
    }
    cluster.level = "lively";
    for (int i = 0; i < 40; i++) {
        later(3000);
        all_speak();
        (void)step_says(TURN_IDLE);
    }
    for (int i = 0; i < app->n; i++)
        primaries[app->p[i].c.primary]++;
    assert_true(primaries[0] == 2 && primaries[1] == 2 && primaries[2] == 2);
}

/* What the balancer has begun goes on at lively alone. */
static void
what_the_balancer_asks_for_is_dropped_at_steady(void **state)
{
    struct pg_app *app;

    (void)state;
    for (size_t i = 0; i < COUNT(node_rows); i++)
        node_rows[i].managed = false;
    cluster.level = "lively";
    (void)step_says(TURN_IDLE);
    app = table_of(1);
    app->p[0].c.max_replica_count = 2;
    app->p[0].c.n_secondaries = 1;
    app->p[0].act[0] =
        (struct pg_action){ PG_ADD_SECONDARY_FOR_LB, 0, 2, true };
    app->p[0].n_acts = 1;
    app->p[0].acts_since_ms = fake_unix_ms;
    for (int i = 0; i < 4; i++) {
        later(3000);
        all_speak();
        (void)step_says(TURN_IDLE);
        assert_int_equal(app->p[0].n_acts, 1);
    }
    cluster.level = "steady";
    for (int i = 0; i < 4; i++) {
        later(3000);
        all_speak();
        (void)step_says(TURN_IDLE);
    }
    assert_int_equal(app->p[0].n_acts, 0);
}

static void
what_can_no_longer_be_recalled_goes_at_lively(void **state)
{
    (void)state;
    (void)step_says(TURN_IDLE);
    assert_string_equal(step_says(TURN_IDLE), "");
    cluster.level = "lively";
    to_purge = 9;
    assert_non_null(strstr(step_says(TURN_IDLE), "purge; end ok; "));
    assert_non_null(strstr(step_says(TURN_IDLE), "purge; end ok; "));
    to_purge = 0; /* nothing is left: not before ten seconds */
    assert_non_null(strstr(step_says(TURN_IDLE), "purge; end ok; "));
    for (int i = 0; i < 3; i++) {
        later(3300);
        all_speak();
        assert_null(strstr(step_says(TURN_IDLE), "purge"));
    }
    later(100);
    assert_non_null(strstr(step_says(TURN_IDLE), "purge; end ok; "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(before_it_answers_it_has_counted),
        TEST(a_new_deployment_gets_a_table),
        TEST(it_is_not_open_before_that_is_stored),
        TEST(who_is_silent_for_long_is_dead),
        TEST(an_absence_of_its_own_buries_nobody),
        TEST(the_dead_leave_in_batches),
        TEST(what_is_refused_by_its_ballot_holds_up_no_other),
        TEST(what_cannot_be_stored_was_not_done),
        TEST(a_proposal_is_noted_and_no_configuration_is_stored),
        TEST(what_is_out_of_balance_is_counted_and_at_lively_moved),
        TEST(what_the_balancer_asks_for_is_dropped_at_steady),
        TEST(what_can_no_longer_be_recalled_goes_at_lively),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
