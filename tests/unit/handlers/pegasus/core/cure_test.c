/* What one partition is given: who becomes its primary, who learns it, who
 * leaves, who is waited for, and what becomes of actions under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core_fixture.h"

#define NODES 6
#define NOW   1000000

static int primaries[NODES], partitions[NODES], learners[NODES];
static struct pg_tally t;
static struct pg_partition p;

static void
begin(const char *nodes, const char *text)
{
    lay_out(nodes);
    memset(primaries, 0, sizeof(primaries));
    memset(partitions, 0, sizeof(partitions));
    memset(learners, 0, sizeof(learners));
    t = (struct pg_tally){ fix.n_nodes, primaries, partitions, learners };
    p = (struct pg_partition){ .c = members(text) };
}

/* Its node left a minute ago and a bit, with all that was committed. */
static void
dropped(int node)
{
    p.c.drop[p.c.n_drops++] =
        (struct pg_drop){ .node = node,
                          .at_ms = NOW - fix.policy.assign_delay_ms - 1,
                          .present = true };
}

static void
pending(enum pg_type type, int target, int node)
{
    p.act[p.n_acts++] = (struct pg_action){ type, target, node, false };
    p.acts_since_ms = NOW;
}

/* "ADD_SECONDARY 0>2": the primary 0 is told to teach node 2. */
static const char *
cured_when(bool may_learn, int64_t now_ms)
{
    static char text[64];
    struct pg_action a;

    if (!pg_cure_partition(&fix, &p, &t, may_learn, now_ms, &a))
        return "nothing";
    (void)snprintf(text, sizeof(text), "%s %d>%d", pg_type_name(a.type),
                   a.target, a.node);
    return text;
}

static const char *
cured(void)
{
    return cured_when(true, NOW);
}

/* ---- a partition that never had a member ---- */

static void
a_new_partition_goes_to_the_least_loaded(void **state)
{
    /* what the table has of each node, then what all tables have */
    static const struct {
        int primaries[3], partitions[3], all_primaries[3], all[3], node;
    } cases[] = {
        { { 0 }, { 0 }, { 0 }, { 0 }, 0 },
        { { 1, 0, 0 }, { 1, 9, 9 }, { 1, 9, 9 }, { 1, 9, 9 }, 1 },
        { { 2, 2, 1 }, { 1, 1, 9 }, { 1, 1, 9 }, { 1, 1, 9 }, 2 },
        { { 1, 1, 1 }, { 2, 1, 1 }, { 1, 9, 9 }, { 1, 9, 9 }, 1 },
        { { 1, 1, 1 }, { 1, 1, 1 }, { 2, 2, 1 }, { 1, 1, 9 }, 2 },
        { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 }, { 2, 1, 2 }, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char want[32];

        begin("+++", "-");
        for (int n = 0; n < 3; n++) {
            primaries[n] = cases[i].primaries[n];
            partitions[n] = cases[i].partitions[n];
            fix.node[n].primaries = cases[i].all_primaries[n];
            fix.node[n].partitions = cases[i].all[n];
        }
        (void)snprintf(want, sizeof(want), "ASSIGN_PRIMARY %d>%d",
                       cases[i].node, cases[i].node);
        assert_string_equal(cured(), want);
    }
}

static void
only_who_lives_and_has_reported_is_taken(void **state)
{
    (void)state;
    begin("-++", "-");
    learners[2] = 3; /* there is nothing to learn */
    fix.node[1].collected = false;
    assert_string_equal(cured(), "ASSIGN_PRIMARY 2>2");
    fix.node[2].collected = false;
    assert_string_equal(cured(), "nothing");
    fix.node[0].collected = true; /* but it does not live */
    assert_string_equal(cured(), "nothing");
}

/* ---- a partition without a primary ---- */

static void
the_least_loaded_living_secondary_leads(void **state)
{
    (void)state;
    begin("+++-", "- 3 2 1 0");
    assert_string_equal(cured(), "UPGRADE_TO_PRIMARY 2>2");
    begin("+++", "- 0 1 2"); /* of equals the first */
    assert_string_equal(cured(), "UPGRADE_TO_PRIMARY 0>0");
    begin("+++-", "- 3 2 1 0");
    partitions[2] = 1;
    primaries[0] = primaries[1] = 1;
    assert_string_equal(cured(), "UPGRADE_TO_PRIMARY 2>2");
    begin("+++-", "- 3 2 1 0");
    primaries[2] = primaries[1] = 1;
    fix.node[0].collected = false; /* a member need not have reported */
    assert_string_equal(cured(), "UPGRADE_TO_PRIMARY 0>0");
    begin("---+", "- 0 1 2"); /* not the one who has nothing of it */
    assert_string_equal(cured(), "nothing");
}

static void
the_only_one_who_left_is_taken_back(void **state)
{
    (void)state;
    begin("+++", "-");
    dropped(1);
    assert_string_equal(cured(), "ASSIGN_PRIMARY 1>1");
    fix.node[1].alive = false;
    assert_string_equal(cured(), "nothing");
    fix.node[1].alive = true;
    p.c.drop[0].present = false; /* it has said that it has no more */
    assert_string_equal(cured(), "nothing");
    fix.node[1].collected = false; /* it has not said anything yet */
    assert_string_equal(cured(), "ASSIGN_PRIMARY 1>1");
}

static void
of_those_who_left_the_last_two_are_asked(void **state)
{
    (void)state;
    begin("+++", "-");
    dropped(0);
    dropped(1);
    dropped(2);
    p.c.drop[0].ballot = 9;
    p.c.drop[1].ballot = 4;
    p.c.drop[2].ballot = 3;
    fix.node[0].alive = fix.node[0].collected = false;
    assert_string_equal(cured(), "ASSIGN_PRIMARY 1>1");
    for (int n = 1; n < 3; n++) {
        fix.node[n].collected = false;
        assert_string_equal(cured(), "nothing");
        fix.node[n].collected = true;
        fix.node[n].alive = false;
        assert_string_equal(cured(), "nothing");
        fix.node[n].alive = true;
    }
    p.c.drop[1].present = false;
    assert_string_equal(cured(), "ASSIGN_PRIMARY 1>1");
    p.c.drop[2].present = false;
    assert_string_equal(cured(), "nothing");
    p.c.drop[1].present = true;
    assert_string_equal(cured(), "ASSIGN_PRIMARY 1>1");
}

/* Of two that left: ballot and decree of the first and the last. */
static void
a_ballot_and_a_decree_do_not_contradict_when_one_is_equal(void **state)
{
    static const struct {
        int64_t ballot[2], committed[2];
        const char *cure;
    } cases[] = {
        { { 3, 4 }, { 5, 5 }, "ASSIGN_PRIMARY 1>1" },
        { { 4, 3 }, { 5, 5 }, "ASSIGN_PRIMARY 0>0" },
        { { 4, 4 }, { 5, 6 }, "ASSIGN_PRIMARY 1>1" },
        { { 4, 4 }, { 6, 5 }, "ASSIGN_PRIMARY 0>0" },
        { { 3, 4 }, { 5, 6 }, "ASSIGN_PRIMARY 1>1" },
        { { 4, 3 }, { 6, 5 }, "ASSIGN_PRIMARY 0>0" },
        { { 3, 4 }, { 6, 5 }, "nothing" },
        { { 4, 3 }, { 5, 6 }, "nothing" },
        { { 4, 4 }, { 5, 5 }, "ASSIGN_PRIMARY 1>1" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin("++", "-");
        for (int k = 0; k < 2; k++) {
            dropped(k);
            p.c.drop[k].ballot = cases[i].ballot[k];
            p.c.drop[k].committed = cases[i].committed[k];
            p.c.drop[k].prepared = 9;
        }
        assert_string_equal(cured(), cases[i].cure);
    }
}

/* ---- a partition with a primary ---- */

static void
one_too_many_is_removed_where_most_lies(void **state)
{
    (void)state;
    begin("++++", "0 1 2 3");
    fix.node[0].partitions = 9; /* the primary stays */
    fix.node[2].partitions = fix.node[3].partitions = 2;
    assert_string_equal(cured_when(false, NOW), "REMOVE 0>2");
    assert_int_equal(fix.node[2].partitions, 1);
    assert_string_equal(cured_when(false, NOW), "REMOVE 0>3");
    p.c = members("0 1 2");
    assert_string_equal(cured(), "nothing");
    p.c.max_replica_count = 2;
    fix.node[0].alive = false; /* a primary that is gone is buried first */
    assert_string_equal(cured(), "nothing");
}

static void
one_too_few_learns_at_the_least_loaded(void **state)
{
    (void)state;
    begin("+++++", "0 1");
    partitions[3] = partitions[4] = 1;
    partitions[2] = 2;
    primaries[3] = 1; /* of no matter to a secondary */
    fix.node[3].primaries = 1;
    assert_string_equal(cured_when(false, NOW), "nothing");
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
    begin("+++++", "0 1");
    fix.node[2].partitions = fix.node[3].partitions = 1;
    fix.node[2].collected = false;
    fix.node[4].collected = false;
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
    begin("+++++", "0 1");
    learners[2] = 3;
    learners[3] = 2;
    learners[4] = 2;
    partitions[4] = -1;
    fix.node[4].alive = false;
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
    assert_int_equal(learners[3], 3);
    assert_string_equal(cured(), "nothing");
}

static void
there_is_no_place_for_a_seventh_secondary(void **state)
{
    (void)state;
    begin("++++++", "0 1 2 3 4");
    p.c.max_replica_count = 9;
    assert_string_equal(cured(), "ADD_SECONDARY 0>5");
    p.c.n_secondaries = PG_SECONDARIES_MAX;
    p.c.secondary[4] = p.c.secondary[5] = 4;
    assert_string_equal(cured(), "nothing");
}

/* ---- who is waited for ---- */

static void
who_has_just_left_is_waited_for(void **state)
{
    (void)state;
    begin("++-+", "0 1");
    dropped(2);
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
    p.c.drop[0].at_ms++;
    assert_string_equal(cured(), "nothing");
    fix.node[2].alive = true; /* it returns */
    assert_string_equal(cured(), "ADD_SECONDARY 0>2");
    learners[2] = 3; /* but learns enough already */
    assert_string_equal(cured(), "nothing");
    learners[2] = 0;
    p.c.secondary[0] = 2; /* it is back */
    assert_string_equal(cured(), "nothing");
}

static void
nobody_is_waited_for_when_writes_wait(void **state)
{
    (void)state;
    begin("++-+", "0");
    dropped(2);
    p.c.drop[0].at_ms = NOW;
    assert_string_equal(cured(), "ADD_SECONDARY 0>1");
    p.c.max_replica_count = 2; /* it can be written to with one */
    assert_string_equal(cured(), "nothing");
    p.c.max_replica_count = 3;
    p.c.secondary[p.c.n_secondaries++] = 1;
    assert_string_equal(cured(), "nothing");
    fix.policy.min_2pc = 3;
    p.c.max_replica_count = 4;
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
}

static void
who_keeps_restarting_is_not_waited_for(void **state)
{
    (void)state;
    begin("++-+", "0 1");
    dropped(2);
    p.c.drop[0].at_ms = NOW;
    fix.policy.max_unstable = 2;
    fix.node[2].unstable = 1;
    assert_string_equal(cured(), "nothing");
    fix.node[2].unstable = 2;
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
    fix.policy.max_unstable = 0; /* restarts are of no matter */
    assert_string_equal(cured(), "nothing");
    fix.policy.max_unstable = 1;
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
}

static void
who_left_last_is_taken_before_others(void **state)
{
    (void)state;
    begin("++++++", "0");
    dropped(1);
    dropped(3);
    dropped(2);
    assert_string_equal(cured(), "ADD_SECONDARY 0>2");
    fix.node[2].alive = false;
    assert_string_equal(cured(), "ADD_SECONDARY 0>3");
    learners[3] = 3;
    partitions[1] = 9; /* whatever lies there already */
    assert_string_equal(cured(), "ADD_SECONDARY 0>1");
    p.c.secondary[p.c.n_secondaries++] = 1;
    assert_string_equal(cured(), "ADD_SECONDARY 0>4");
}

/* ---- what a choice counts ---- */

static void
assert_counts(int n, int of_table, int all_of_table, int lead, int all,
              int learning)
{
    assert_int_equal(primaries[n], of_table);
    assert_int_equal(partitions[n], all_of_table);
    assert_int_equal(fix.node[n].primaries, lead);
    assert_int_equal(fix.node[n].partitions, all);
    assert_int_equal(learners[n], learning);
}

static void
a_choice_counts_at_once(void **state)
{
    (void)state;
    begin("+++", "-");
    assert_string_equal(cured(), "ASSIGN_PRIMARY 0>0");
    assert_counts(0, 1, 1, 1, 1, 0);
    begin("+++", "- 1");
    assert_string_equal(cured(), "UPGRADE_TO_PRIMARY 1>1");
    assert_counts(1, 1, 0, 1, 0, 0);
    begin("+++", "0 1");
    assert_string_equal(cured(), "ADD_SECONDARY 0>2");
    assert_counts(2, 0, 1, 0, 1, 1);
    begin("++++", "0 1 2 3");
    assert_string_equal(cured(), "REMOVE 0>1");
    assert_counts(1, 0, 0, 0, -1, 0);
    begin("+++", "0 1");
    pending(PG_ADD_SECONDARY, 0, 2);
    assert_string_equal(cured(), "ADD_SECONDARY 0>2");
    assert_counts(2, 0, 0, 0, 0, 0); /* it did when it was chosen */
}

static void
a_table_is_counted_anew(void **state)
{
    static const char *const parts[] = { "0 1 2", "0 2 1", "- 2", NULL };

    (void)state;
    begin("+++", "-");
    (void)add_table(parts);
    for (int n = 0; n < NODES; n++)
        primaries[n] = partitions[n] = learners[n] = 7;
    pg_cure_tally(&t, &fix.app[0]);
    assert_int_equal(primaries[0], 2);
    assert_int_equal(primaries[1], 0);
    assert_int_equal(primaries[2], 0);
    assert_int_equal(partitions[0], 2);
    assert_int_equal(partitions[1], 2);
    assert_int_equal(partitions[2], 3);
    assert_int_equal(learners[0], 7);  /* the caller's */
    assert_int_equal(primaries[3], 7); /* no node */
    assert_int_equal(partitions[3], 7);
}

/* ---- actions under way ---- */

static void
what_is_under_way_goes_first(void **state)
{
    (void)state;
    begin("++++", "0 1");
    pending(PG_ADD_SECONDARY, 0, 3);
    pending(PG_REMOVE, 0, 1);
    assert_string_equal(cured_when(false, NOW), "ADD_SECONDARY 0>3");
    assert_string_equal(cured_when(false, NOW + 60000), "ADD_SECONDARY 0>3");
    assert_int_equal(p.n_acts, 2);
    p.c.secondary[p.c.n_secondaries++] = 3; /* whoever stored it */
    assert_string_equal(cured(), "REMOVE 0>1");
    assert_int_equal(p.n_acts, 1);
    p.c = members("0 3");
    assert_string_equal(cured_when(false, NOW), "nothing");
    assert_int_equal(p.n_acts, 0);
}

static void
what_nobody_fulfils_is_given_up(void **state)
{
    (void)state;
    begin("++++", "0 1");
    pending(PG_ADD_SECONDARY, 0, 3);
    assert_string_equal(cured_when(false, NOW + 60001), "nothing");
    assert_int_equal(p.n_acts, 0);
    pending(PG_ADD_SECONDARY, 0, 3);
    fix.node[3].alive = false;
    assert_string_equal(cured(), "ADD_SECONDARY 0>2");
    assert_int_equal(p.n_acts, 0);
}

static void
all_that_is_reached_is_skipped(void **state)
{
    (void)state;
    begin("++++", "1 0 2");
    pending(PG_ADD_SECONDARY_FOR_LB, 0, 2);
    pending(PG_DOWNGRADE_TO_SECONDARY, 0, 0);
    pending(PG_UPGRADE_TO_PRIMARY, 1, 1);
    pending(PG_REMOVE, 1, 0);
    assert_string_equal(cured(), "REMOVE 1>0");
    assert_int_equal(p.n_acts, 1);
}

static void
a_primary_steps_down_for_one_who_lives_only(void **state)
{
    (void)state;
    begin("++++", "0 1 2");
    pending(PG_DOWNGRADE_TO_SECONDARY, 0, 0);
    pending(PG_UPGRADE_TO_PRIMARY, 1, 1);
    assert_string_equal(cured(), "DOWNGRADE_TO_SECONDARY 0>0");
    p.act[1].node = 3; /* who has no copy */
    assert_string_equal(cured(), "nothing");
    assert_int_equal(p.n_acts, 0);
    pending(PG_DOWNGRADE_TO_SECONDARY, 0, 0);
    pending(PG_UPGRADE_TO_PRIMARY, 1, 1);
    fix.node[1].alive = false;
    assert_string_equal(cured(), "nothing");
    pending(PG_DOWNGRADE_TO_SECONDARY, 0, 0); /* for nobody in particular */
    assert_string_equal(cured(), "DOWNGRADE_TO_SECONDARY 0>0");
    p.n_acts = 0;
    pending(PG_REMOVE, 0, 1); /* it is not the primary who leaves */
    pending(PG_ADD_SECONDARY, 0, 3);
    assert_string_equal(cured(), "REMOVE 0>1");
}

/* ---- the change that an action means ---- */

static bool
means(enum pg_type type, int target, int node, struct pg_change *out)
{
    struct pg_action a = { type, target, node, false };

    return pg_cure_change(&fix, &p.c, &a, out);
}

static void
an_action_becomes_a_change_of_the_partition_as_it_is(void **state)
{
    struct pg_change ch;

    (void)state;
    begin("++++", "0 1");
    p.c.ballot = 7;
    assert_true(means(PG_ADD_SECONDARY, 0, 3, &ch));
    assert_int_equal(ch.type, PG_UPGRADE_TO_SECONDARY);
    assert_int_equal(ch.node, 3);
    assert_int_equal(ch.ballot, 7);
    assert_int_equal(p.c.ballot, 7); /* nothing is done yet */
    assert_true(means(PG_ADD_SECONDARY_FOR_LB, PG_NONE, 2, &ch));
    assert_int_equal(ch.type, PG_UPGRADE_TO_SECONDARY);
    assert_false(means(PG_ADD_SECONDARY, 1, 3, &ch)); /* no primary of it */
    assert_false(means(PG_ADD_SECONDARY, 0, 1, &ch)); /* it has it */
    assert_true(means(PG_REMOVE, 0, 1, &ch));
    assert_int_equal(ch.type, PG_REMOVE);
    assert_true(means(PG_DOWNGRADE_TO_INACTIVE, 0, 0, &ch));
    assert_true(means(PG_DOWNGRADE_TO_SECONDARY, 0, 0, &ch));
    fix.node[1].alive = fix.node[3].alive = false;
    assert_true(means(PG_REMOVE, 0, 1, &ch)); /* the dead may go */
    assert_true(means(PG_DOWNGRADE_TO_INACTIVE, 0, 1, &ch));
    assert_false(means(PG_ADD_SECONDARY, 0, 3, &ch)); /* not come */
    fix.node[0].alive = false;
    assert_true(means(PG_DOWNGRADE_TO_SECONDARY, 0, 0, &ch));
    assert_false(means(PG_ADD_SECONDARY, 0, 2, &ch)); /* nobody teaches */
    p.c = members("- 1 2");
    assert_false(means(PG_UPGRADE_TO_PRIMARY, 1, 1, &ch));
    assert_true(means(PG_UPGRADE_TO_PRIMARY, 2, 2, &ch));
}

static void
only_a_foreign_primary_teaches_by_itself(void **state)
{
    static const enum pg_type learning[] = { PG_ADD_SECONDARY,
                                             PG_ADD_SECONDARY_FOR_LB };

    (void)state;
    begin("++", "1");
    for (size_t i = 0; i < COUNT(learning); i++) {
        struct pg_action a = { learning[i], 1, 0, false };

        p.c.primary = 1;
        fix.node[1].managed = false;
        assert_false(pg_cure_is_ours(&fix, &p.c, &a));
        fix.node[1].managed = true;
        assert_true(pg_cure_is_ours(&fix, &p.c, &a));
        p.c.primary = PG_NONE;
        assert_false(pg_cure_is_ours(&fix, &p.c, &a));
        a.type = PG_REMOVE;
        assert_true(pg_cure_is_ours(&fix, &p.c, &a));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_partition_goes_to_the_least_loaded),
        cmocka_unit_test(only_who_lives_and_has_reported_is_taken),
        cmocka_unit_test(the_least_loaded_living_secondary_leads),
        cmocka_unit_test(the_only_one_who_left_is_taken_back),
        cmocka_unit_test(of_those_who_left_the_last_two_are_asked),
        cmocka_unit_test(
            a_ballot_and_a_decree_do_not_contradict_when_one_is_equal),
        cmocka_unit_test(one_too_many_is_removed_where_most_lies),
        cmocka_unit_test(one_too_few_learns_at_the_least_loaded),
        cmocka_unit_test(there_is_no_place_for_a_seventh_secondary),
        cmocka_unit_test(who_has_just_left_is_waited_for),
        cmocka_unit_test(nobody_is_waited_for_when_writes_wait),
        cmocka_unit_test(who_keeps_restarting_is_not_waited_for),
        cmocka_unit_test(who_left_last_is_taken_before_others),
        cmocka_unit_test(a_choice_counts_at_once),
        cmocka_unit_test(a_table_is_counted_anew),
        cmocka_unit_test(what_is_under_way_goes_first),
        cmocka_unit_test(what_nobody_fulfils_is_given_up),
        cmocka_unit_test(all_that_is_reached_is_skipped),
        cmocka_unit_test(a_primary_steps_down_for_one_who_lives_only),
        cmocka_unit_test(an_action_becomes_a_change_of_the_partition_as_it_is),
        cmocka_unit_test(only_a_foreign_primary_teaches_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
