/* What the balancer proposes, written out for small clusters: whose primary
 * moves to whom and by which way, what is copied when no role can be changed,
 * and when it rather waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core_fixture.h"

/* The plan's arrays, of which one may not be had. */
static int allocations_left = -1;

static void *
scarce(size_t n, size_t size)
{
    return allocations_left-- == 0 ? NULL : calloc(n, size);
}

#define calloc scarce
#include "pegasus/core/balance.c"
#undef calloc

#define OPS_MAX 32

/* "move 0.3 0>1, copy 0.1 0>2": partition 3 of table 0. */
static const char *
planned(size_t max, struct pg_counters *count)
{
    static const char *const kinds[] = { [PG_BALANCE_MOVE_PRI] = "move",
                                         [PG_BALANCE_COPY_PRI] = "copy",
                                         [PG_BALANCE_COPY_SEC] = "sec" };
    static char text[512];
    struct pg_operation op[OPS_MAX];
    size_t n = OPS_MAX, used = 0;

    assert_int_equal(pg_balance_plan(&fix, op, max, &n, count), ERR_OK);
    assert_true(n <= max);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "%s%s %d.%d %d>%d", i > 0 ? ", " : "",
                                 kinds[op[i].kind], op[i].app, op[i].pidx,
                                 op[i].from, op[i].to);
    return text;
}

static const struct {
    const char *why, *nodes, *partition[FIX_PARTS], *plan;
} cases[] = {
    { "three on two nodes are even", "++", { "0 1", "0 1", "1 0" }, "" },
    { "nobody has none", "++", { "0 1", "0 1", "0 1" }, "move 0.0 0>1" },
    { "half of them go",
      "++",
      { "0 1", "0 1", "0 1", "0 1" },
      "move 0.0 0>1, move 0.1 0>1" },
    { "a dead node between has no share and no number",
      "+-+",
      { "0 2", "0 2", "0 2", "0 2" },
      "move 0.0 0>2, move 0.1 0>2" },
    { "nobody is below: the one above sheds one to the first with room",
      "+++",
      { "0 2", "0 2", "0 1", "1 0", "2 0" },
      "move 0.2 0>1" },
    { "who is at the upper end takes none that he does not pass on",
      "++++",
      { "0 1", "0 1", "0 1", "0 1", "1 2", "1 0", "1 0", "2 0", "2 0", "3 0",
        "3 0" },
      "move 0.4 1>2, move 0.0 0>1" },
    { "three in one go",
      "++",
      { "0 1", "0 1", "0 1", "0 1", "0 1", "0 1" },
      "move 0.0 0>1, move 0.1 0>1, move 0.2 0>1" },
    { "with nobody below each takes one",
      "+++++",
      { "0 1", "0 1", "0 1", "0 1", "1", "2", "3", "4" },
      "move 0.0 0>1" },
    { "the last gives to the first",
      "+++",
      { "2 0", "2 0", "1" },
      "move 0.0 2>0" },
    { "the third secondary is a way too",
      "++++",
      { "0 1 2 3", "0 1 2 3", "1", "2" },
      "move 0.0 0>3" },
    { "by way of one who is even himself",
      "+++",
      { "0 1", "0 1", "0 1", "1 2" },
      "move 0.3 1>2, move 0.0 0>1" },
    { "the way that carries more",
      "++++",
      { "0 1", "0 1", "0 2", "0 2", "1 3", "1 0", "2 3", "2 3" },
      "move 0.6 2>3, move 0.7 2>3, move 0.2 0>2, move 0.3 0>2" },
    { "of two equal ways the first",
      "++++",
      { "0 1", "0 1", "0 2", "0 2", "1 3", "1 3", "2 3", "2 3" },
      "move 0.4 1>3, move 0.5 1>3, move 0.0 0>1, move 0.1 0>1" },
    { "from the one who has more to give",
      "+++",
      { "0 2", "0 2", "0 2", "1 2", "1 2", "1 2", "1 2", "1 2", "0 1" },
      "move 0.3 1>2, move 0.4 1>2" },
    { "no secondary stands where one is missing",
      "+++",
      { "0 1", "0 1", "1 0", "1 0" },
      "copy 0.0 0>2" },
    { "single copies",
      "++",
      { "0", "0", "0", "0" },
      "copy 0.0 0>1, copy 0.1 0>1" },
    { "no more copies than make it even",
      "+++",
      { "0", "0", "1", "1" },
      "copy 0.0 0>2" },
    { "single copies, nobody below",
      "+++",
      { "0", "0", "0", "1", "2" },
      "copy 0.0 0>1" },
    { "a secondary from the fullest to the emptiest",
      "+++",
      { "0 1", "1 0", "2 0" },
      "sec 0.1 0>2" },
    { "who has all of the fullest's is passed over for the next",
      "++++",
      { "0 3", "0 3", "0 3", "3", "3", "3", "1", "1", "1", "2", "2", "2" },
      "sec 0.0 3>1, sec 0.1 3>2" },
    { "who has no more than his share gives nothing",
      "+++",
      { "0 2", "0 2", "0 2", "0 2", "2 1", "2 1", "2", "2", "1", "1", "1",
        "1" },
      "sec 0.0 2>1" },
    { "with one more than his share he does, if the fullest cannot",
      "+++",
      { "0 2", "0 2", "0 2", "2 1", "2 1", "2", "1", "1", "1" },
      "sec 0.3 1>0, sec 0.0 2>1" },
    { "of two who could the fuller gives, then the first",
      "+++",
      { "0 2", "0", "0", "1 2", "1 2", "1 2", "2 1", "2 1", "2 1" },
      "sec 0.3 2>0, sec 0.6 1>0" },
    { "nobody lives", "--", { "-" }, "" },
    { "there is nobody", "", { "-" }, "" },
    { "there is nothing", "+++", { NULL }, "" },
};

static void
one_table_is_planned_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pg_counters count;

        lay_out(cases[i].nodes);
        (void)add_table(cases[i].partition);
        if (strcmp(planned(OPS_MAX, &count), cases[i].plan) != 0)
            fail_msg("%s: %s", cases[i].why, planned(OPS_MAX, &count));
    }
}

static void
each_table_is_planned_by_itself(void **state)
{
    static const char *const uneven[] = { "0 1", "0 1", "0 1", "0 1", NULL };
    static const char *const even[] = { "0 2", "1 0", "2 0", NULL };
    struct pg_counters count;

    (void)state;
    lay_out("++");
    (void)add_table(uneven);
    (void)add_table(uneven);
    assert_string_equal(planned(OPS_MAX, &count), "move 0.0 0>1, move 0.1 0>1, "
                                                  "move 1.0 0>1, move 1.1 0>1");
    fix.app[0].status = PG_APP_DROPPED;
    assert_string_equal(planned(OPS_MAX, &count), "move 1.0 0>1, move 1.1 0>1");
    lay_out("+++");
    (void)add_table(even);
    (void)add_table(even);
    assert_string_equal(planned(OPS_MAX, &count), "sec 0.2 0>1, sec 1.2 0>1");
}

static void
a_table_does_not_inherit_what_another_has(void **state)
{
    static const char *const one[] = { "0 1", NULL };
    static const char *const two[] = { "0 1", "1 0", NULL };
    static const char *const wide[] = { "0", "1", "0", "1", "0", NULL };
    struct pg_counters count;

    (void)state;
    lay_out("++");
    (void)add_table(one);
    (void)add_table(one);
    (void)add_table(two);
    (void)add_table(wide);
    assert_string_equal(planned(OPS_MAX, &count), "");
    assert_int_equal(count.total, 0);
}

static void
secondaries_wait_until_primaries_are_even(void **state)
{
    static const char *const primaries[] = { "0 1", "0 1", "0 2", "0 2", NULL };
    static const char *const secondaries[] = { "0 1", "1 0", "2 0", NULL };
    struct pg_counters count;

    (void)state;
    lay_out("+++");
    (void)add_table(secondaries);
    (void)add_table(primaries);
    assert_string_equal(planned(OPS_MAX, &count), "move 1.0 0>1");
    fix.app[1].status = PG_APP_CREATING;
    assert_string_equal(planned(OPS_MAX, &count), "sec 0.1 0>2");
}

static void
what_is_not_written_is_counted(void **state)
{
    static const char *const moved[] = { "0 1", "0 1", "0 1", "0 1", NULL };
    static const char *const copied[] = { "0", "0", "0", "0", NULL };
    static const char *const spread[] = { "0 3", "0 3", "0 3", "3", "3",
                                          "3",   "1",   "1",   "1", "2",
                                          "2",   "2",   NULL };
    struct pg_counters count;

    (void)state;
    lay_out("++");
    (void)add_table(moved);
    (void)add_table(copied);
    assert_string_equal(planned(3, &count),
                        "move 0.0 0>1, move 0.1 0>1, copy 1.0 0>1");
    assert_int_equal(count.move_pri, 2);
    assert_int_equal(count.copy_pri, 2);
    assert_int_equal(count.copy_sec, 0);
    assert_int_equal(count.total, 4);
    lay_out("++++");
    (void)add_table(spread);
    assert_string_equal(planned(0, &count), "");
    assert_int_equal(count.move_pri + count.copy_pri, 0);
    assert_int_equal(count.copy_sec, 2);
    assert_int_equal(count.total, 2);
}

/* ---- disks ---- */

static void
the_fullest_disk_gives_and_the_emptiest_takes(void **state)
{
    static const char *const uneven[] = { "0 1", "0 1", "0 1", "0 1", NULL };
    static const char *const nearly[] = { "0 1", "0 1", "0 1", "0 1",
                                          "1 0", "1 0", NULL };
    static const char *const third[] = { "0 2 1", "0 2 1", "0", "0", "1",
                                         "1",     "2",     "2", "2", NULL };
    struct pg_counters count;

    (void)state;
    lay_out("++");
    (void)add_table(uneven);
    for (int i = 0; i < 4; i++)
        fix.app[0].p[i].disk[0] = i == 0 ? 2 : 1;
    assert_string_equal(planned(OPS_MAX, &count), "move 0.1 0>1, move 0.2 0>1");

    lay_out("++");
    (void)add_table(nearly);
    for (int i = 0; i < 6; i++) {
        fix.app[0].p[i].disk[0] = 1; /* of either node: not the same disk */
        fix.app[0].p[i].disk[1] = i < 2 ? 1 : 3;
    }
    assert_string_equal(planned(OPS_MAX, &count), "move 0.2 0>1");

    lay_out("++"); /* all but one on disk 0 */
    (void)add_table(nearly);
    fix.app[0].p[2].disk[1] = 7;
    assert_string_equal(planned(OPS_MAX, &count), "move 0.2 0>1");

    lay_out("++"); /* the first fills its disk, and is not left out */
    (void)add_table(uneven);
    for (int i = 0; i < 4; i++)
        fix.app[0].p[i].disk[0] = i < 2 ? 0 : 1;
    fix.app[0].p[1].disk[1] = 3;
    fix.app[0].p[0].disk[1] = 3;
    assert_string_equal(planned(OPS_MAX, &count), "move 0.0 0>1, move 0.1 0>1");

    lay_out("++"); /* the first is the one whose disk is known */
    (void)add_table(uneven);
    fix.app[0].p[0].disk[0] = 5;
    assert_string_equal(planned(OPS_MAX, &count), "move 0.1 0>1, move 0.2 0>1");

    lay_out("+++"); /* or it is a secondary's, the last's */
    (void)add_table(third);
    fix.app[0].p[1].disk[2] = 9;
    assert_string_equal(planned(OPS_MAX, &count), "move 0.1 0>1");

    lay_out("+++"); /* a disk for each secondary */
    (void)add_table(third);
    for (int i = 0; i < 9; i++)
        fix.app[0].p[i].disk[0] = i < 4 ? 1 : 4;
    fix.app[0].p[0].disk[1] = fix.app[0].p[1].disk[2] = 9;
    fix.app[0].p[0].disk[2] = fix.app[0].p[1].disk[1] = 4;
    assert_string_equal(planned(OPS_MAX, &count), "move 0.1 0>1");
}

/* ---- whether there is a round at all ---- */

static void
until_all_that_live_have_reported_nothing_is_known(void **state)
{
    (void)state;
    lay_out("++-+");
    assert_true(pg_balance_all_collected(&fix));
    fix.node[0].collected = false;
    assert_false(pg_balance_all_collected(&fix));
    fix.node[0].collected = true;
    fix.node[3].collected = false;
    assert_false(pg_balance_all_collected(&fix));
}

static void
a_round_wants_a_steady_level(void **state)
{
    (void)state;
    lay_out("+++");
    assert_true(pg_balance_may_plan(&fix));
    fix.level = PG_STEADY;
    assert_true(pg_balance_may_plan(&fix));
    fix.level = PG_FREEZED;
    assert_false(pg_balance_may_plan(&fix));
    fix.level = PG_LIVELY;
    fix.policy.min_live_nodes = 3;
    assert_true(pg_balance_may_plan(&fix));
    fix.node[1].alive = false;
    assert_false(pg_balance_may_plan(&fix));
}

static void
a_round_wants_every_partition_whole_and_at_rest(void **state)
{
    static const char *const three[] = { "0 1 2", "1 2 0", "2 0 1", NULL };
    struct pg_partition *p;

    (void)state;
    lay_out("++++");
    (void)add_table(three);
    (void)add_table(three);
    (void)add_table(three);
    for (int a = 0; a < 3; a++)
        for (int i = 0; i < 3; i++) {
            p = &fix.app[a].p[i];
            assert_true(pg_balance_may_plan(&fix));
            p->n_acts = 1;
            assert_false(pg_balance_may_plan(&fix));
            p->n_acts = 0;
            p->c.max_replica_count = 4;
            assert_false(pg_balance_may_plan(&fix));
            p->c = members("- 0 1 2"); /* enough, but none leads */
            assert_false(pg_balance_may_plan(&fix));
            p->c = members("0 1 2");
            p->c.max_replica_count = 2; /* one too many is whole */
        }
    assert_true(pg_balance_may_plan(&fix));
    for (int n = 0; n < 3; n++) {
        fix.node[n].alive = false;
        assert_false(pg_balance_may_plan(&fix));
        fix.node[n].alive = true;
    }
    fix.node[3].alive = false; /* holds nothing any more */
    fix.app[0].p[0].c.secondary[2] = 3;
    assert_true(pg_balance_may_plan(&fix));
}

static void
a_round_waits_for_tables_that_come_or_go(void **state)
{
    static const char *const one[] = { "0 1 2", NULL };
    static const char *const gone[] = { "-", NULL };

    (void)state;
    lay_out("+++");
    (void)add_table(one);
    (void)add_table(gone);
    (void)add_table(one);
    fix.app[1].status = PG_APP_DROPPED;
    assert_true(pg_balance_may_plan(&fix));
    fix.app[2].status = PG_APP_CREATING;
    assert_false(pg_balance_may_plan(&fix));
    fix.app[2].status = PG_APP_DROPPING;
    assert_false(pg_balance_may_plan(&fix));
    fix.app[2].status = PG_APP_RECALLING;
    assert_false(pg_balance_may_plan(&fix));
    fix.app[2].status = PG_APP_AVAILABLE;
    fix.app[0].status = PG_APP_CREATING;
    assert_false(pg_balance_may_plan(&fix));
}

/* ---- an operation's steps ---- */

static void
assert_steps(enum pg_balance_kind kind, const struct pg_action *want, int n)
{
    struct pg_operation op = { 0, 0, kind, 4, 5 };
    struct pg_action act[PG_ACTIONS_MAX];

    assert_int_equal(pg_balance_actions(&op, act), n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(act[i].type, want[i].type);
        assert_int_equal(act[i].target, want[i].target);
        assert_int_equal(act[i].node, want[i].node);
        assert_true(act[i].balancer);
    }
}

static void
an_operation_has_its_steps(void **state)
{
    static const struct pg_action move[] = {
        { PG_DOWNGRADE_TO_SECONDARY, 4, 4, true },
        { PG_UPGRADE_TO_PRIMARY, 5, 5, true },
    };
    static const struct pg_action copy[] = {
        { PG_ADD_SECONDARY_FOR_LB, 4, 5, true },
        { PG_DOWNGRADE_TO_SECONDARY, 4, 4, true },
        { PG_UPGRADE_TO_PRIMARY, 5, 5, true },
        { PG_REMOVE, 5, 4, true },
    };
    static const struct pg_action secondary[] = {
        { PG_ADD_SECONDARY_FOR_LB, PG_NONE, 5, true },
        { PG_REMOVE, PG_NONE, 4, true },
    };

    (void)state;
    assert_steps(PG_BALANCE_MOVE_PRI, move, COUNT(move));
    assert_steps(PG_BALANCE_COPY_PRI, copy, COUNT(copy));
    assert_steps(PG_BALANCE_COPY_SEC, secondary, COUNT(secondary));
}

/* Which partitions are taken is noted for one table after the other. */
static void
there_is_room_for_the_widest_table(void **state)
{
    static const char *const narrow[] = { "0 1", NULL };
    static const char *const wide[] = { "0 1", "0 1", "0 1", "0 1", NULL };

    (void)state;
    for (int at = 0; at < 4; at++) {
        lay_out("++");
        assert_int_equal(widest_table(&fix), 0);
        for (int a = 0; a < 4; a++)
            (void)add_table(a == at ? wide : narrow);
        assert_int_equal(widest_table(&fix), 4);
    }
}

static void
without_memory_there_is_no_plan(void **state)
{
    static const char *const uneven[] = { "0 1", "0 1", NULL };
    struct pg_counters count = { 9, 9, 9, 9 };
    struct pg_operation op[2];
    size_t n;

    (void)state;
    lay_out("++");
    (void)add_table(uneven);
    for (int k = 0; k < 9; k++) {
        allocations_left = k;
        n = 9;
        assert_int_equal(pg_balance_plan(&fix, op, 2, &n, &count), ERR_NOMEM);
        assert_true(allocations_left < 0);
        assert_int_equal(n, 0);
        assert_int_equal(count.total, 0);
    }
    allocations_left = 9;
    assert_string_equal(planned(2, &count), "move 0.0 0>1");
    assert_int_equal(allocations_left, 0); /* that was all of them */
    allocations_left = -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_table_is_planned_as_written),
        cmocka_unit_test(each_table_is_planned_by_itself),
        cmocka_unit_test(a_table_does_not_inherit_what_another_has),
        cmocka_unit_test(secondaries_wait_until_primaries_are_even),
        cmocka_unit_test(what_is_not_written_is_counted),
        cmocka_unit_test(the_fullest_disk_gives_and_the_emptiest_takes),
        cmocka_unit_test(until_all_that_live_have_reported_nothing_is_known),
        cmocka_unit_test(a_round_wants_a_steady_level),
        cmocka_unit_test(a_round_wants_every_partition_whole_and_at_rest),
        cmocka_unit_test(a_round_waits_for_tables_that_come_or_go),
        cmocka_unit_test(there_is_room_for_the_widest_table),
        cmocka_unit_test(without_memory_there_is_no_plan),
        cmocka_unit_test(an_operation_has_its_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
