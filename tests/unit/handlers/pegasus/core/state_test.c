/* Figures, levels, the failure detector and configuration changes, from
 * tables of cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
    assert_int_equal(pg_health_min_2pc(1, 5), 1);
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
        { { { false, 1, 1 }, { true, 5, 5 }, { true, 4, 4 }, { true, 3, 3 } },
          4,
          1.00,
          1.00 },
        /* one that owns nothing is of no matter; one partition is a sample */
        { { { true, 4, 6 }, { true, 2, 6 }, { false, 0, 0 } }, 3, 1.00, 0.00 },
        { { { true, 1, 1 }, { true, 3, 3 } }, 2, 1.00, 1.00 },
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
        { PG_STEADY, 2, 1, 1, 66, PG_STEADY },
        { PG_STEADY, 2, 1, 1, 67, PG_FREEZED },
        { PG_STEADY, 1, 1, 1, 65, PG_FREEZED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(pg_level_effective(cases[i].stored, cases[i].alive,
                                            cases[i].dead, cases[i].min,
                                            cases[i].percent),
                         cases[i].effective);
}

static void
levels_have_their_names_and_their_rights(void **state)
{
    static const struct {
        enum pg_level level;
        const char *name;
        bool removes_dead, takes_updates;
    } cases[] = {
        { PG_STOPPED, "stopped", false, false },
        { PG_BLIND, "blind", false, false },
        { PG_FREEZED, "freezed", true, false },
        { PG_STEADY, "steady", true, true },
        { PG_LIVELY, "lively", true, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum pg_level l = cases[i].level;

        assert_string_equal(pg_level_name(l), cases[i].name);
        assert_int_equal(pg_level_by_name(cases[i].name), l);
        assert_int_equal(pg_level_removes_dead(l), cases[i].removes_dead);
        assert_int_equal(pg_level_takes_updates(l), cases[i].takes_updates);
    }
    assert_int_equal(pg_level_by_name("frozen"), 0);
    assert_string_equal(pg_level_name(0), "");
}

static void
the_level_of_a_state_counts_its_nodes(void **state)
{
    struct pg_node *node = calloc(4, sizeof(*node));
    struct pg_state s = { .policy = { .min_live_nodes = 2,
                                      .min_live_percent = 50 },
                          .level = PG_STEADY,
                          .n_nodes = 4,
                          .node = node };

    (void)state;
    node[0].alive = node[3].alive = true;
    assert_int_equal(pg_level_of_state(&s), PG_STEADY);
    node[3].alive = false;
    assert_int_equal(pg_level_of_state(&s), PG_FREEZED);
    s.policy.min_live_nodes = 1;
    assert_int_equal(pg_level_of_state(&s), PG_FREEZED);
    s.policy.min_live_percent = 25;
    assert_int_equal(pg_level_of_state(&s), PG_STEADY);
    s.policy.min_live_percent = 26;
    assert_int_equal(pg_level_of_state(&s), PG_FREEZED);
    free(node);
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
    n.collected = true;
    assert_int_equal(pg_detector_check(&n, &policy, 44101), PG_NODE_WENT);
    assert_false(n.collected); /* it may come back with less */
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
    struct pg_node *n = calloc(3, sizeof(*n));
    struct pg_state s = { .policy = policy, .n_nodes = 3, .node = n };

    (void)state;
    for (int i = 0; i < 3; i++)
        n[i].alive = true;
    pg_detector_grace(&s, 500000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(n[i].up_since_ms, 500000);
        assert_int_equal(pg_detector_check(&n[i], &policy, 522000),
                         PG_NODE_SAME);
        assert_int_equal(pg_detector_check(&n[i], &policy, 522001),
                         PG_NODE_WENT);
    }
    free(n);
}

static void
restarts_far_apart_are_no_unrest(void **state)
{
    struct pg_node n = { .alive = true };
    struct pg_policy p = { .stable_ms = 1000, .max_unstable = 3 };

    (void)state;
    /* the first that is heard of is no restart */
    (void)pg_detector_beacon(&n, &p, 1, 5000, 10000);
    assert_int_equal(n.unstable, 0);
    assert_int_equal(n.start_ms, 5000);
    assert_int_equal(n.up_since_ms, 10000);
    (void)pg_detector_beacon(&n, &p, 2, 5999, 10001);
    assert_int_equal(n.unstable, 1);
    assert_int_equal(n.up_since_ms, 10001);
    (void)pg_detector_beacon(&n, &p, 3, 5999, 11000); /* the same start */
    assert_int_equal(n.unstable, 1);
    assert_int_equal(n.up_since_ms, 10001);
    (void)pg_detector_beacon(&n, &p, 4, 5000, 11000); /* an older one */
    assert_int_equal(n.start_ms, 5999);
    assert_int_equal(n.unstable, 1);
    (void)pg_detector_beacon(&n, &p, 5, 5999, 11001); /* long enough */
    assert_int_equal(n.unstable, 0);
    (void)pg_detector_beacon(&n, &p, 6, 6998, 11002);
    assert_int_equal(n.unstable, 1);
    (void)pg_detector_beacon(&n, &p, 7, 7998, 11003);
    assert_int_equal(n.unstable, 0);
}

static void
restarts_do_not_matter_unless_told(void **state)
{
    struct pg_node n = { .alive = false };
    struct pg_policy p = { .stable_ms = 1000000 };

    (void)state;
    for (int i = 1; i < 9; i++) {
        n.alive = false;
        assert_int_equal(pg_detector_beacon(&n, &p, i, i, i), PG_NODE_CAME);
    }
    assert_int_equal(n.unstable, 7);
    /* who is not heard is not seen, and its stamp is known all the same */
    p.max_unstable = 1;
    n.alive = true;
    assert_int_equal(pg_detector_beacon(&n, &p, 50, 9, 99), PG_NODE_SAME);
    assert_int_equal(n.seen_ms, 8);
    assert_int_equal(n.beacon, 50);
}

/* ---- members of a partition ---- */

static void
members_are_the_primary_and_then_the_secondaries(void **state)
{
    struct pg_config c;

    (void)state;
    memset(&c, 7, sizeof(c));
    pg_config_init(&c, 3);
    assert_int_equal(c.ballot, 0);
    assert_int_equal(c.max_replica_count, 3);
    assert_int_equal(c.primary, PG_NONE);
    assert_int_equal(c.n_drops, 0);
    assert_int_equal(pg_config_members(&c), 0);
    assert_false(pg_config_has(&c, 0));
    c.secondary[0] = 4;
    c.secondary[1] = 0;
    c.secondary[2] = 5;
    c.n_secondaries = 2;
    assert_int_equal(pg_config_members(&c), 2);
    assert_int_equal(pg_config_member(&c, 0), 4);
    assert_int_equal(pg_config_member(&c, 1), 0);
    c.primary = 2;
    assert_int_equal(pg_config_members(&c), 3);
    assert_int_equal(pg_config_member(&c, 0), 2);
    assert_int_equal(pg_config_member(&c, 1), 4);
    assert_int_equal(pg_config_member(&c, 2), 0);
    assert_int_equal(pg_config_secondary_index(&c, 4), 0);
    assert_int_equal(pg_config_secondary_index(&c, 0), 1);
    assert_int_equal(pg_config_secondary_index(&c, 5), PG_NONE);
    assert_int_equal(pg_config_secondary_index(&c, 2), PG_NONE);
    assert_true(pg_config_has(&c, 2));
    assert_true(pg_config_has(&c, 0));
    assert_false(pg_config_has(&c, 5));
}

static void
only_a_node_that_is_there_is_alive(void **state)
{
    struct pg_node *node = calloc(2, sizeof(*node));
    struct pg_state s = { .n_nodes = 2, .node = node };

    (void)state;
    node[0].alive = true;
    assert_true(pg_state_alive(&s, 0));
    assert_false(pg_state_alive(&s, 1));
    assert_false(pg_state_alive(&s, 2));
    assert_false(pg_state_alive(&s, PG_NONE));
    free(node);
}

static void
nodes_count_what_available_tables_lay_on_them(void **state)
{
    struct pg_node *node = calloc(3, sizeof(*node));
    struct pg_app *app = calloc(3, sizeof(*app));
    struct pg_state s = { .n_nodes = 3, .node = node, .n_apps = 3, .app = app };

    (void)state;
    for (int a = 0; a < 3; a++) {
        app[a].n = 3;
        app[a].p = calloc(3, sizeof(*app[a].p));
        for (int i = 0; i < 3; i++) {
            pg_config_init(&app[a].p[i].c, 3);
            app[a].p[i].c.primary = i < 2 ? 0 : PG_NONE;
            app[a].p[i].c.secondary[0] = 2;
            app[a].p[i].c.n_secondaries = 1;
        }
    }
    app[1].status = PG_APP_CREATING;
    for (int i = 0; i < 3; i++)
        node[i].primaries = node[i].partitions = 5;
    pg_state_count(&s);
    assert_int_equal(node[0].primaries, 4);
    assert_int_equal(node[0].partitions, 4);
    assert_int_equal(node[1].primaries, 0);
    assert_int_equal(node[1].partitions, 0);
    assert_int_equal(node[2].primaries, 0);
    assert_int_equal(node[2].partitions, 6);
    for (int a = 0; a < 3; a++)
        free(app[a].p);
    free(app);
    free(node);
}

static void
each_secondary_is_counted(void **state)
{
    struct pg_node node[4] = { { .alive = true } };
    struct pg_partition p;
    struct pg_app app = { .n = 1, .p = &p };
    struct pg_state s = {
        .n_nodes = 4, .node = node, .n_apps = 1, .app = &app
    };

    (void)state;
    pg_config_init(&p.c, 4);
    p.c.primary = 3;
    for (int n = 0; n < 3; n++)
        p.c.secondary[p.c.n_secondaries++] = n;
    pg_state_count(&s);
    for (int n = 0; n < 4; n++) {
        assert_int_equal(node[n].partitions, 1);
        assert_int_equal(node[n].primaries, n == 3);
    }
}

/* ---- changes of a configuration ---- */

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
    old.node = PG_NONE; /* what is asked of another ballot is not looked at */
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
a_drop_tells_what_the_node_had(void **state)
{
    struct pg_config c = fresh();

    (void)state;
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 4), ERR_OK);
    c.committed = 80;
    c.ballot = 7;
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_INACTIVE, 4), ERR_OK);
    assert_int_equal(c.n_drops, 1);
    assert_int_equal(c.drop[0].node, 4);
    assert_int_equal(c.drop[0].ballot, 7); /* the last one it was in */
    assert_int_equal(c.drop[0].at_ms, 5);
    assert_int_equal(c.drop[0].committed, 80);
    assert_int_equal(c.drop[0].prepared, 80);
    assert_true(c.drop[0].present);
    assert_int_equal(c.primary, PG_NONE);
    c.drop[1] = c.drop[2] = c.drop[0];
    c.drop[0].node = 1;
    c.drop[2].node = 2;
    c.n_drops = 3;
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 3), ERR_OK);
    assert_int_equal(c.n_drops, 3);
    assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, 4), ERR_OK);
    assert_int_equal(c.n_drops, 2);
    assert_int_equal(c.drop[0].node, 1);
    assert_int_equal(c.drop[1].node, 2);
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_INACTIVE, 3), ERR_OK);
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_INACTIVE, 4), ERR_OK);
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 3), ERR_OK);
    assert_int_equal(c.n_drops, 2);
    assert_int_equal(c.drop[0].node, 2);
    assert_int_equal(c.drop[1].node, 4);
}

static void
who_leads_is_no_drop_and_no_secondary(void **state)
{
    struct pg_config c = fresh();

    (void)state;
    c.secondary[0] = 3;
    c.secondary[1] = 4;
    c.secondary[2] = 5;
    c.n_secondaries = 3;
    c.n_drops = 1;
    c.drop[0].node = 4; /* a row may say so */
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 4), ERR_STATE);
    assert_int_equal(change(&c, PG_UPGRADE_TO_PRIMARY, 2), ERR_STATE);
    assert_int_equal(change(&c, PG_UPGRADE_TO_PRIMARY, 4), ERR_OK);
    assert_int_equal(c.n_drops, 0);
    assert_int_equal(c.n_secondaries, 2);
    assert_int_equal(c.secondary[0], 3);
    assert_int_equal(c.secondary[1], 5);
    assert_int_equal(change(&c, PG_UPGRADE_TO_PRIMARY, 3), ERR_STATE);
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_SECONDARY, 3), ERR_STATE);
    assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, 3), ERR_STATE);
    assert_int_equal(change(&c, PG_FORCE_UPDATE_BALLOT, 3), ERR_STATE);
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_INACTIVE, 0), ERR_STATE);
    assert_int_equal(change(&c, PG_REMOVE, 3), ERR_OK);
    assert_int_equal(c.n_secondaries, 1);
    assert_int_equal(c.drop[0].node, 3);
    assert_int_equal(change(&c, PG_ADD_SECONDARY_FOR_LB, 0), ERR_STATE);
    assert_int_equal(change(&c, PG_TYPE__MAX, 4), ERR_STATE);
}

static void
there_is_room_for_six_secondaries(void **state)
{
    struct pg_config c = fresh();

    (void)state;
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 0), ERR_OK);
    for (int n = 1; n <= 6; n++)
        assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, n), ERR_OK);
    assert_int_equal(change(&c, PG_UPGRADE_TO_SECONDARY, 7), ERR_STATE);
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_SECONDARY, 0), ERR_STATE);
    assert_int_equal(change(&c, PG_REMOVE, 3), ERR_OK);
    assert_int_equal(change(&c, PG_DOWNGRADE_TO_SECONDARY, 0), ERR_OK);
    assert_int_equal(c.n_secondaries, 6);
    assert_int_equal(c.secondary[5], 0);
}

static void
a_partition_is_dropped_whole(void **state)
{
    struct pg_config c = fresh();

    (void)state;
    assert_int_equal(change(&c, PG_DROP_PARTITION, PG_NONE), ERR_OK);
    assert_int_equal(c.n_drops, 0);
    c.secondary[0] = 3;
    c.n_secondaries = 1;
    assert_int_equal(change(&c, PG_DROP_PARTITION, PG_NONE), ERR_OK);
    assert_int_equal(c.n_drops, 1);
    assert_int_equal(c.drop[0].node, 3);
    assert_int_equal(c.drop[0].at_ms, 5);
    assert_int_equal(c.ballot, 2);
    assert_int_equal(change(&c, PG_ASSIGN_PRIMARY, 1), ERR_OK);
    assert_int_equal(change(&c, PG_DROP_PARTITION, 1), ERR_OK);
    assert_int_equal(c.drop[1].at_ms, 5);
    assert_int_equal(c.primary, PG_NONE);
}

static void
each_change_has_its_goal(void **state)
{
    /* of "1 leads, 2 follows": whether node 1, 2, 3 are where it leads */
    static const bool reached[PG_TYPE__MAX + 1][3] = {
        [PG_ASSIGN_PRIMARY] = { true, false, false },
        [PG_UPGRADE_TO_PRIMARY] = { true, false, false },
        [PG_FORCE_UPDATE_BALLOT] = { true, false, false },
        [PG_ADD_SECONDARY] = { false, true, false },
        [PG_ADD_SECONDARY_FOR_LB] = { false, true, false },
        [PG_UPGRADE_TO_SECONDARY] = { false, true, false },
        [PG_DOWNGRADE_TO_SECONDARY] = { false, true, false },
        [PG_DOWNGRADE_TO_INACTIVE] = { false, false, true },
        [PG_REMOVE] = { false, false, true },
    };
    struct pg_config c = fresh();

    (void)state;
    c.primary = 1;
    c.secondary[0] = 2;
    c.n_secondaries = 1;
    for (int type = 0; type <= PG_TYPE__MAX; type++)
        for (int n = 1; n <= 3; n++)
            assert_int_equal(pg_config_reached(&c, (enum pg_type)type, n),
                             reached[type][n - 1]);
}

static void
the_dead_are_buried_while_somebody_leads(void **state)
{
    struct pg_node node[3] = { { .alive = true } };
    struct pg_state s = { .n_nodes = 3, .node = node };
    struct pg_config c = fresh();
    struct pg_change ch;

    (void)state;
    c.ballot = 9;
    c.primary = 0;
    c.secondary[0] = 1;
    c.n_secondaries = 1;
    assert_true(pg_config_bury(&s, &c, 1, &ch));
    assert_int_equal(ch.type, PG_DOWNGRADE_TO_INACTIVE);
    assert_int_equal(ch.node, 1);
    assert_int_equal(ch.ballot, 9);
    assert_false(pg_config_bury(&s, &c, 2, &ch)); /* no member */
    node[0].alive = false;
    assert_false(pg_config_bury(&s, &c, 1, &ch)); /* the last good copy? */
    assert_true(pg_config_bury(&s, &c, 0, &ch));
    assert_int_equal(ch.node, 0);
    c.primary = PG_NONE;
    assert_false(pg_config_bury(&s, &c, 1, &ch));
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
    /* the same once more, which is no answer that got lost */
    assert_int_equal(pg_config_update(&c, PG_UPGRADE_TO_SECONDARY, 1, 3, 5),
                     PG_UPDATE_VERSION);
    assert_int_equal(pg_config_update(&c, PG_UPGRADE_TO_SECONDARY, 2, 2, 5),
                     PG_UPDATE_VERSION);
    assert_int_equal(pg_config_update(&c, PG_REMOVE, 1, 3, 77), PG_UPDATE_DONE);
    assert_int_equal(c.drop[0].at_ms, 77);
}

static void
types_have_their_names(void **state)
{
    (void)state;
    for (int t = 0; t < PG_TYPE__MAX; t++)
        assert_int_equal(pg_type_by_name(pg_type_name((enum pg_type)t)), t);
    assert_int_equal(pg_type_by_name("CT_REMOVE"), PG_REMOVE);
    assert_int_equal(pg_type_by_name("CT-REMOVE"), PG_TYPE__MAX);
    assert_int_equal(pg_type_by_name("CTAREMOVE"), PG_TYPE__MAX);
    assert_int_equal(pg_type_by_name("CT_"), PG_TYPE__MAX);
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
        { { 1, 9, 0, 50, 60, true }, { 0, 9, 0, 50, 60, true }, 60, 1 },
        { { 1, 8, 0, 50, 50, true }, { 0, 9, 0, 40, 50, true }, 40, PG_NONE },
        { { 1, 9, 0, 50, 45, true }, { 0, 8, 0, 40, 40, true }, 40, PG_NONE },
        { { 1, 9, 0, 40, 45, true }, { 0, 9, 0, 50, 40, true }, 40, PG_NONE },
        { { 1, 9, 0, 50, 50, true }, { 0, 9, 0, 40, 60, true }, 40, 1 },
        { { 1, 9, 0, 40, 60, true }, { 0, 9, 0, 50, 50, true }, 40, 0 },
        { { 1, 9, 0, 50, 50, true }, { 0, 8, 0, 50, 60, true }, 40, 1 },
        { { 1, 8, 0, 50, 60, true }, { 0, 9, 0, 50, 50, true }, 40, 0 },
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
        cmocka_unit_test(levels_have_their_names_and_their_rights),
        cmocka_unit_test(the_level_of_a_state_counts_its_nodes),
        cmocka_unit_test(silence_beyond_the_grace_period_makes_a_node_unalive),
        cmocka_unit_test(a_leader_that_was_away_grants_a_full_grace_period),
        cmocka_unit_test(restarts_far_apart_are_no_unrest),
        cmocka_unit_test(restarts_do_not_matter_unless_told),
        cmocka_unit_test(members_are_the_primary_and_then_the_secondaries),
        cmocka_unit_test(only_a_node_that_is_there_is_alive),
        cmocka_unit_test(nodes_count_what_available_tables_lay_on_them),
        cmocka_unit_test(each_secondary_is_counted),
        cmocka_unit_test(a_server_that_keeps_restarting_is_not_heard),
        cmocka_unit_test(every_change_raises_the_ballot_by_one),
        cmocka_unit_test(a_change_that_does_not_fit_changes_nothing),
        cmocka_unit_test(three_drops_are_remembered_and_the_oldest_falls_off),
        cmocka_unit_test(a_drop_tells_what_the_node_had),
        cmocka_unit_test(who_leads_is_no_drop_and_no_secondary),
        cmocka_unit_test(there_is_room_for_six_secondaries),
        cmocka_unit_test(a_partition_is_dropped_whole),
        cmocka_unit_test(each_change_has_its_goal),
        cmocka_unit_test(the_dead_are_buried_while_somebody_leads),
        cmocka_unit_test(an_update_is_taken_at_the_next_ballot_only),
        cmocka_unit_test(types_have_their_names),
        cmocka_unit_test(of_two_drops_the_one_with_more_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
