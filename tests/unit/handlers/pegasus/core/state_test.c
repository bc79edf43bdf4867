/* Figures, levels, the failure detector and configuration changes, from
 * tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pegasus/core/state.h"

static void
health_follows_the_table(void **state)
{
    static const struct {
        bool primary;
        int n, max;
        bool fully, write, read;
    } cases[] = {
        { true, 3, 3, true, false, false },
        { true, 4, 3, true, false, false },
        { true, 2, 3, false, false, false },
        { true, 1, 3, false, true, false },
        { true, 1, 2, false, true, false },
        { true, 2, 2, true, false, false },
        { true, 1, 1, true, false, false },
        { false, 0, 3, false, true, true },
        { false, 2, 3, false, true, true },
        { false, 3, 3, false, true, true },
        { false, 1, 1, false, true, true },
        { true, 4, 5, false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pg_health h =
            pg_health_of(cases[i].primary, cases[i].n, cases[i].max, 2);

        assert_int_equal(h.fully, cases[i].fully);
        assert_int_equal(h.write_unhealthy, cases[i].write);
        assert_int_equal(h.read_unhealthy, cases[i].read);
    }
}

static void
min_2pc_has_a_default_by_replicas(void **state)
{
    (void)state;
    assert_int_equal(pg_health_min_2pc(2, 5), 2);
    assert_int_equal(pg_health_min_2pc(0, 1), 1);
    assert_int_equal(pg_health_min_2pc(0, 2), 1);
    assert_int_equal(pg_health_min_2pc(-1, 3), 2);
    assert_int_equal(pg_health_min_2pc(0, 5), 3);
}

static void
stddev_follows_the_examples(void **state)
{
    static const struct {
        struct pg_load load[4];
        size_t n;
        double primary, total;
    } cases[] = {
        { { { true, 6, 12 }, { true, 6, 12 } }, 2, 0.00, 0.00 },
        { { { true, 4, 6 }, { true, 2, 6 } }, 2, 1.00, 0.00 },
        { { { true, 5, 5 }, { true, 4, 4 }, { true, 3, 3 } }, 3, 0.82, 0.82 },
        /* a dead owner: the sample is partial */
        { { { true, 5, 5 }, { true, 4, 4 }, { true, 3, 3 }, { false, 1, 1 } },
          4,
          1.00,
          1.00 },
        { { { true, 5, 5 }, { true, 4, 4 }, { true, 3, 3 }, { false, 0, 1 } },
          4,
          0.82,
          1.00 },
        /* an empty node does not raise the figure; one is no sample */
        { { { true, 6, 6 }, { true, 6, 6 }, { true, 0, 0 } }, 3, 0.00, 0.00 },
        { { { true, 9, 9 }, { true, 0, 0 } }, 2, 0.00, 0.00 },
        { { { true, 9, 9 }, { false, 1, 1 } }, 2, 0.00, 0.00 },
        { { { false, 0, 0 } }, 0, 0.00, 0.00 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pg_stddev d = pg_health_stddev(cases[i].load, cases[i].n);

        assert_true(d.primary == cases[i].primary);
        assert_true(d.total == cases[i].total);
    }
}

static void
the_level_falls_when_too_few_nodes_live(void **state)
{
    static const struct {
        enum pg_level stored;
        int alive, dead, min, percent;
        enum pg_level effective;
    } cases[] = {
        { PG_STEADY, 3, 0, 1, 50, PG_STEADY },
        { PG_LIVELY, 2, 0, 3, 50, PG_FREEZED },
        { PG_LIVELY, 3, 3, 3, 50, PG_LIVELY },
        { PG_LIVELY, 3, 4, 3, 50, PG_FREEZED },
        { PG_STEADY, 0, 0, 1, 50, PG_FREEZED },
        { PG_BLIND, 0, 9, 3, 65, PG_BLIND },
        { PG_STOPPED, 0, 9, 3, 65, PG_STOPPED },
        { PG_FREEZED, 9, 0, 3, 65, PG_FREEZED },
        { PG_STEADY, 2, 1, 1, 65, PG_STEADY },
        { PG_STEADY, 1, 1, 1, 65, PG_FREEZED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(pg_level_effective(cases[i].stored, cases[i].alive,
                                            cases[i].dead, cases[i].min,
                                            cases[i].percent),
                         cases[i].effective);
    assert_int_equal(pg_level_by_name("freezed"), PG_FREEZED);
    assert_int_equal(pg_level_by_name("frozen"), 0);
    assert_string_equal(pg_level_name(PG_LIVELY), "lively");
}

static const struct pg_policy policy = {
    .grace_ms = 22000,
    .stable_ms = 600000,
    .max_unstable = 5,
};

static void
silence_beyond_the_grace_period_makes_a_node_unalive(void **state)
{
    struct pg_node n = { .alive = false };

    (void)state;
    assert_int_equal(pg_detector_beacon(&n, &policy, 1, 1, 100), PG_NODE_CAME);
    assert_int_equal(pg_detector_beacon(&n, &policy, 1, 1, 9000), PG_NODE_SAME);
    assert_int_equal(pg_detector_check(&n, &policy, 22100), PG_NODE_SAME);
    assert_int_equal(pg_detector_beacon(&n, &policy, 2, 1, 22100),
                     PG_NODE_SAME);
    assert_int_equal(pg_detector_check(&n, &policy, 44100), PG_NODE_SAME);
    assert_int_equal(pg_detector_check(&n, &policy, 44101), PG_NODE_WENT);
    assert_int_equal(pg_detector_check(&n, &policy, 99999), PG_NODE_SAME);
    assert_int_equal(pg_detector_beacon(&n, &policy, 2, 1, 99999),
                     PG_NODE_SAME);
    assert_false(n.alive);
    assert_int_equal(pg_detector_beacon(&n, &policy, 3, 1, 99999),
                     PG_NODE_CAME);
}

static void
a_leader_that_was_away_grants_a_full_grace_period(void **state)
{
    struct pg_node n = { .alive = true, .beacon = 7, .seen_ms = 0 };
    struct pg_state s = { .policy = policy, .n_nodes = 1, .node = &n };

    (void)state;
    pg_detector_grace(&s, 500000);
    assert_int_equal(pg_detector_check(&n, &policy, 522000), PG_NODE_SAME);
    assert_int_equal(pg_detector_check(&n, &policy, 522001), PG_NODE_WENT);
}

static void
a_server_that_keeps_restarting_is_not_heard(void **state)
{
    struct pg_node n = { .alive = false };
    int64_t stamp = 1, now = 1000000;

    (void)state;
    for (int i = 0; i <= 5; i++, now += 1000) {
        n.alive = false;
        assert_int_equal(pg_detector_beacon(&n, &policy, stamp++, 1 + i, now),
                         i < 5 ? PG_NODE_CAME : PG_NODE_SAME);
    }
    now += 598999; /* it stays up at last */
    assert_int_equal(pg_detector_beacon(&n, &policy, stamp++, 6, now),
                     PG_NODE_SAME);
    assert_int_equal(pg_detector_beacon(&n, &policy, stamp++, 6, now + 1),
                     PG_NODE_CAME);
}

static struct pg_config
fresh(void)
{
    struct pg_config c;

    pg_config_init(&c, 3);
    return c;
}

static enum err
change(struct pg_config *c, enum pg_type type, int node)
{
    struct pg_change ch = { type, node, c->ballot };

    return pg_config_apply(c, &ch, 5);
}

static void
every_change_raises_the_ballot_by_one(void **state)
{
    struct pg_config c = fresh();

    (void)state;
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 0), ERR_OK);
    assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, 1), ERR_OK);
    assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, 2), ERR_OK);
    assert_int_equal(c.ballot, 3); /* full strength with three replicas */
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_SECONDARY, 0), ERR_OK);
    assert_int_equal(change(&c, PG_UPGRADE_TO_PRIMARY, 1), ERR_OK);
    assert_int_equal(c.ballot, 5);
    assert_int_equal(c.primary, 1);
    assert_int_equal(c.secondary[0], 2);
    assert_int_equal(c.secondary[1], 0);
    assert_int_equal(change(&c, PG_FORCE_UPDATE_BALLOT, 1), ERR_OK);
    assert_int_equal(c.ballot, 6);
}

static void
a_change_that_does_not_fit_changes_nothing(void **state)
{
    struct pg_config c = fresh();
    struct pg_change old = { PG_ASSIGN_PRIMARY, 0, 7 };

    (void)state;
    assert_int_equal(change(&c, PG_UPGRADE_TO_PRIMARY, 0), ERR_STATE);
    assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, 0), ERR_STATE);
    assert_int_equal(change(&c, PG_REMOVE, 0), ERR_STATE);
    assert_int_equal(change(&c, PG_ADD_SECONDARY, 0), ERR_STATE);
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, PG_NONE), ERR_STATE);
    assert_int_equal(pg_config_apply(&c, &old, 5), ERR_EXISTS);
    assert_int_equal(c.ballot, 0);
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 0), ERR_OK);
    assert_int_equal(change(&c, PG_REMOVE, 0), ERR_STATE); /* the primary */
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 1), ERR_STATE);
}

static void
three_drops_are_remembered_and_the_oldest_falls_off(void **state)
{
    struct pg_config c = fresh();

    (void)state;
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 0), ERR_OK);
    for (int n = 1; n <= 4; n++) {
        assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, n), ERR_OK);
        assert_int_equal(change(&c, PG_DOWNGRADE_TO_INACTIVE, n), ERR_OK);
    }
    assert_int_equal(c.n_drops, 3);
    assert_int_equal(c.drop[0].node, 2);
    assert_int_equal(c.drop[2].node, 4);
    assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, 3), ERR_OK);
    assert_int_equal(c.n_drops, 2); /* who returns is no drop */
    assert_int_equal(change(&c, PG_DROP_PARTITION, PG_NONE), ERR_OK);
    assert_int_equal(pg_config_members(&c), 0);
    assert_int_equal(c.drop[2].node, 0); /* secondaries, then the primary */
    assert_int_equal(c.drop[1].node, 3);
}

static void
an_update_is_taken_at_the_next_ballot_only(void **state)
{
    struct pg_config c = fresh();

    (void)state;
    assert_int_equal(pg_config_update(&c, PG_ASSIGN_PRIMARY, 0, 1, 5),
                     PG_UPDATE_DONE);
    assert_int_equal(pg_config_update(&c, PG_ASSIGN_PRIMARY, 0, 1, 5),
                     PG_UPDATE_DUPLICATE);
    assert_int_equal(pg_config_update(&c, PG_UPGRADE_TO_SECONDARY, 1, 1, 5),
                     PG_UPDATE_VERSION);
    assert_int_equal(pg_config_update(&c, PG_UPGRADE_TO_SECONDARY, 1, 3, 5),
                     PG_UPDATE_VERSION);
    assert_int_equal(pg_config_update(&c, PG_UPGRADE_TO_SECONDARY, 1, 2, 5),
                     PG_UPDATE_DONE);
    assert_int_equal(c.ballot, 2);
}

static void
types_have_their_names(void **state)
{
    (void)state;
    for (int t = 0; t < PG_TYPE__MAX; t++)
        assert_int_equal(pg_type_by_name(pg_type_name((enum pg_type)t)), t);
    assert_int_equal(pg_type_by_name("CT_REMOVE"), PG_REMOVE);
    assert_int_equal(pg_type_by_name("remove"), PG_TYPE__MAX);
}

/* ---- the two most recent drops of a partition without members ---- */

static void
of_two_drops_the_one_with_more_is_taken(void **state)
{
    static const struct {
        struct pg_drop last, before;
        int64_t committed;
        int node;
    } cases[] = {
        { { 1, 9, 0, 50, 50, true }, { 0, 8, 0, 40, 40, true }, 40, 1 },
        { { 1, 8, 0, 40, 40, true }, { 0, 9, 0, 50, 50, true }, 40, 0 },
        { { 1, 9, 0, 40, 50, true }, { 0, 8, 0, 50, 50, true }, 40, PG_NONE },
        { { 1, 9, 0, 50, 60, true }, { 0, 9, 0, 50, 70, true }, 40, 0 },
        { { 1, 9, 0, 50, 60, true }, { 0, 9, 0, 50, 60, true }, 40, 1 },
        { { 1, 9, 0, 50, 60, true }, { 0, 9, 0, 50, 60, true }, 80, PG_NONE },
        { { 1, -1, 0, -1, -1, false },
          { 0, -1, 0, -1, -1, false },
          0,
          PG_NONE },
        { { 1, -1, 0, -1, -1, false }, { 0, 3, 0, 5, 5, true }, 5, 0 },
    };
    struct pg_node nodes[2] = { { .alive = true, .collected = true },
                                { .alive = true, .collected = true } };
    struct pg_partition p = { 0 };
    struct pg_state s = { .n_nodes = 2, .node = nodes };
    int zeros[3][2] = { { 0 } };
    struct pg_tally t = { 2, zeros[0], zeros[1], zeros[2] };
    struct pg_action act;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool found;

        pg_config_init(&p.c, 3);
        p.c.ballot = 20;
        p.c.committed = cases[i].committed;
        p.c.n_drops = 2;
        p.c.drop[0] = cases[i].before;
        p.c.drop[1] = cases[i].last;
        found = pg_cure_partition(&s, &p, &t, true, 0, &act);
        assert_int_equal(found, cases[i].node != PG_NONE);
        if (found) {
            assert_int_equal(act.type, PG_ASSIGN_PRIMARY);
            assert_int_equal(act.node, cases[i].node);
        }
    }
    nodes[0].alive = false; /* the other one alone proves nothing */
    p.c.drop[0] = cases[0].before;
    p.c.drop[1] = cases[0].last;
    assert_false(pg_cure_partition(&s, &p, &t, true, 0, &act));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_follows_the_table),
        cmocka_unit_test(min_2pc_has_a_default_by_replicas),
        cmocka_unit_test(stddev_follows_the_examples),
        cmocka_unit_test(the_level_falls_when_too_few_nodes_live),
        cmocka_unit_test(silence_beyond_the_grace_period_makes_a_node_unalive),
        cmocka_unit_test(a_leader_that_was_away_grants_a_full_grace_period),
        cmocka_unit_test(a_server_that_keeps_restarting_is_not_heard),
        cmocka_unit_test(every_change_raises_the_ballot_by_one),
        cmocka_unit_test(a_change_that_does_not_fit_changes_nothing),
        cmocka_unit_test(three_drops_are_remembered_and_the_oldest_falls_off),
        cmocka_unit_test(an_update_is_taken_at_the_next_ballot_only),
        cmocka_unit_test(types_have_their_names),
        cmocka_unit_test(of_two_drops_the_one_with_more_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
