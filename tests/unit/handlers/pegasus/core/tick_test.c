/* A tick without its I/O: what it wants stored or published, what follows
 * from the answers, and when a table is fresh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core_fixture.h"

/* A round's operations, which may not be had. */
static bool no_memory;

static void *
scarce(size_t n, size_t size)
{
    return no_memory ? NULL : calloc(n, size);
}

#define calloc scarce
#include "pegasus/core/tick.c"
#undef calloc

#define NODES 6
#define NOW   1000000

static int primaries[NODES], partitions[NODES], learners[NODES];
static struct pg_tally t;
static struct pg_work *work;

static void
begin(const char *nodes)
{
    lay_out(nodes);
    memset(learners, 0, sizeof(learners));
    t = (struct pg_tally){ fix.n_nodes, primaries, partitions, learners };
}

/* "0.2 REMOVE 3 @7, ...": the change of partition 2 at ballot 7; "!": it is
 * published. */
static const char *
shown(const struct pg_work *w, size_t n)
{
    static char text[512];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "%s%s%d.%d %s %d @%d", i > 0 ? ", " : "",
                                 w[i].publish ? "!" : "", w[i].app, w[i].pidx,
                                 pg_type_name(w[i].change.type),
                                 w[i].change.node, (int)w[i].change.ballot);
    return text;
}

/* Room for the work of one table, and no more. */
static struct pg_work *
room_for(int app)
{
    free(work);
    work = calloc((size_t)fix.app[app].n, sizeof(*work));
    return work;
}

static const char *
buried(int app)
{
    size_t n = pg_tick_bury(&fix, app, NOW, room_for(app));

    return shown(work, n);
}

static const char *
cured(int app, bool all)
{
    size_t n = pg_tick_cure(&fix, app, &t, all, NOW, room_for(app));

    return shown(work, n);
}

/* ---- burial ---- */

static void
the_dead_leave_one_at_a_time(void **state)
{
    static const char *const parts[] = { "0 1 2", "1 0 2", "2 1 0",
                                         "- 1 2", "0 3 4", NULL };

    (void)state;
    begin("+--++");
    (void)add_table(parts);
    (void)add_table(parts);
    fix.app[1].p[0].c.ballot = 7;
    assert_string_equal(buried(1), "1.0 DOWNGRADE_TO_INACTIVE 1 @7, "
                                   "1.1 DOWNGRADE_TO_INACTIVE 1 @0, "
                                   "1.2 DOWNGRADE_TO_INACTIVE 2 @0");
    assert_int_equal(work[0].next.ballot, 8);
    assert_int_equal(work[0].next.n_secondaries, 1);
    assert_int_equal(work[0].next.drop[0].at_ms, NOW);
    assert_int_equal(work[1].next.primary, PG_NONE);
    assert_int_equal(fix.app[1].p[0].c.ballot, 7); /* until it is stored */
    fix.app[1].p[0].c = members("0 3 4 2");        /* the last one of them */
    assert_string_equal(buried(1), "1.0 DOWNGRADE_TO_INACTIVE 2 @0, "
                                   "1.1 DOWNGRADE_TO_INACTIVE 1 @0, "
                                   "1.2 DOWNGRADE_TO_INACTIVE 2 @0");
    fix.app[1].p[0].c = members("3 0 2");
    assert_string_equal(buried(1), "1.0 DOWNGRADE_TO_INACTIVE 2 @0, "
                                   "1.1 DOWNGRADE_TO_INACTIVE 1 @0, "
                                   "1.2 DOWNGRADE_TO_INACTIVE 2 @0");
}

static void
the_dead_of_tables_that_live_are_buried(void **state)
{
    static const char *const parts[] = { "0 1 2", NULL };
    static const bool lives[PG_APP__MAX] = {
        [PG_APP_AVAILABLE] = true, [PG_APP_RECALLING] = true
    };

    (void)state;
    begin("+-+");
    (void)add_table(parts);
    for (int s = 0; s < PG_APP__MAX; s++) {
        fix.app[0].status = (enum pg_app_status)s;
        assert_string_equal(buried(0),
                            lives[s] ? "0.0 DOWNGRADE_TO_INACTIVE 1 @0" : "");
    }
}

/* ---- cure ---- */

static void
those_without_a_secondary_go_first(void **state)
{
    static const char *const parts[] = { "0 1", "1", "2 1", "-", NULL };

    (void)state;
    begin("+++");
    for (int i = 0; i < 3; i++)
        fix.node[i].managed = true;
    (void)add_table(parts);
    for (int i = 0; i < 4; i++)
        fix.app[0].p[i].c.max_replica_count = 3;
    fix.policy.learners_per_node = 1;
    assert_string_equal(cured(0, true), "0.1 UPGRADE_TO_SECONDARY 0 @0, "
                                        "0.3 ASSIGN_PRIMARY 2 @0, "
                                        "0.0 UPGRADE_TO_SECONDARY 2 @0");
    assert_int_equal(work[2].next.ballot, 1);
    assert_false(work[2].publish);
}

static void
only_what_has_changed_is_asked_again(void **state)
{
    static const char *const parts[] = { "-", "-", "0", "0 1", NULL };

    (void)state;
    begin("++++");
    fix.node[0].managed = true;
    (void)add_table(parts);
    assert_string_equal(cured(0, false), "");
    for (int i = 1; i < 4; i++) {
        fix.app[0].p[i].dirty = true;
        fix.app[0].p[i].c.max_replica_count = 3;
    }
    /* no learner is started on the way */
    assert_string_equal(cured(0, false), "0.1 ASSIGN_PRIMARY 2 @0");
    assert_false(fix.app[0].p[1].dirty);
    assert_string_equal(cured(0, false), "");
    fix.app[0].p[1].dirty = true;
    assert_string_equal(cured(0, true), "0.0 ASSIGN_PRIMARY 3 @0, "
                                        "0.1 ASSIGN_PRIMARY 2 @0, "
                                        "0.2 UPGRADE_TO_SECONDARY 1 @0, "
                                        "0.3 UPGRADE_TO_SECONDARY 3 @0");
    assert_false(fix.app[0].p[1].dirty);
}

static void
tables_that_do_not_live_are_not_cured(void **state)
{
    static const char *const parts[] = { "-", NULL };

    (void)state;
    begin("++");
    (void)add_table(parts);
    for (int s = 0; s < PG_APP__MAX; s++) {
        bool lives = s == PG_APP_AVAILABLE || s == PG_APP_RECALLING;

        fix.app[0].status = (enum pg_app_status)s;
        for (int n = 0; n < 2; n++)
            fix.node[n].primaries = fix.node[n].partitions = 0;
        assert_string_equal(cured(0, true),
                            lives ? "0.0 ASSIGN_PRIMARY 0 @0" : "");
    }
}

static void
a_foreign_primary_is_told_once(void **state)
{
    static const char *const parts[] = { "0 1", "0 1", NULL };
    struct pg_partition *p;

    (void)state;
    begin("+++");
    (void)add_table(parts);
    p = &fix.app[0].p[1];
    p->c.max_replica_count = 3;
    p->c.ballot = 4;
    assert_string_equal(cured(0, true), "!0.1 UPGRADE_TO_SECONDARY 2 @4");
    assert_int_equal(p->n_acts, 1);
    assert_int_equal(p->acts_since_ms, NOW);
    assert_int_equal(p->act[0].type, PG_ADD_SECONDARY);
    assert_int_equal(p->act[0].node, 2);
    assert_string_equal(cured(0, true), ""); /* it is under way */
    assert_int_equal(p->n_acts, 1);
}

static void
what_cannot_be_done_is_no_work(void **state)
{
    static const char *const parts[] = { "- 1", NULL };

    (void)state;
    begin("+-");
    (void)add_table(parts);
    assert_string_equal(cured(0, true), "");
}

/* ---- what was stored ---- */

static void
what_was_stored_is_so_and_is_asked_again(void **state)
{
    static const char *const parts[] = { "0 1", "0 1", "0 1", "0 1", NULL };
    struct pg_work w[3] = {
        { .app = 1, .pidx = 1, .next = members("1 0") },
        { .app = 1, .pidx = 3, .publish = true, .next = members("1 0") },
        { .app = 1, .pidx = 2, .next = members("1 0") },
    };

    (void)state;
    begin("++");
    (void)add_table(parts);
    (void)add_table(parts);
    pg_tick_accept(&fix, w, COUNT(w));
    for (int i = 0; i < 4; i++) {
        bool stored = i == 1 || i == 2;

        assert_int_equal(fix.app[1].p[i].c.primary, stored ? 1 : 0);
        assert_int_equal(fix.app[1].p[i].dirty, stored);
        assert_int_equal(fix.app[0].p[i].c.primary, 0);
    }
    assert_false(fix.app[0].stale);
    assert_false(fix.app[1].stale);
}

static void
what_was_refused_is_read_again(void **state)
{
    static const char *const parts[] = { "0 1", "0 1", NULL };
    struct pg_work w[2] = {
        { .app = 1, .pidx = 0, .next = members("1 0"), .result = ERR_EXISTS },
        { .app = 1, .pidx = 1, .next = members("1 0") },
    };

    (void)state;
    begin("++");
    (void)add_table(parts);
    (void)add_table(parts);
    pg_tick_accept(&fix, w, COUNT(w));
    assert_true(fix.app[1].stale);
    assert_false(fix.app[0].stale);
    assert_int_equal(fix.app[1].p[0].c.primary, 0);
    assert_false(fix.app[1].p[0].dirty);
    assert_int_equal(fix.app[1].p[1].c.primary, 1); /* the rest is taken */
}

/* ---- fresh tables ---- */

static void
a_table_without_a_history_is_fresh_for_a_while(void **state)
{
    static const char *const parts[] = { "-", "-", "-", NULL };
    struct pg_app *app;

    (void)state;
    begin("++");
    app = add_table(parts);
    for (int i = 0; i < 3; i++) {
        app->p[i].c.max_replica_count = 2;
        app->p[i].c.ballot = 1;
        pg_tick_note_fresh(app, NOW);
        assert_int_equal(app->fresh_until_ms, 0);
        assert_false(pg_tick_is_fresh(app, NOW));
        app->p[i].c.ballot = 0;
    }
    pg_tick_note_fresh(app, NOW);
    assert_int_equal(app->fresh_until_ms, NOW + 30000);
    assert_true(pg_tick_is_fresh(app, NOW + 29999));
    assert_false(pg_tick_is_fresh(app, NOW + 30000));
    assert_false(pg_tick_is_fresh(app, NOW)); /* it stays so */
}

static void
a_table_is_fresh_until_it_is_whole(void **state)
{
    static const char *const parts[] = { "0 1", "1 0", "0 1", NULL };
    struct pg_app *app;

    (void)state;
    begin("++");
    app = add_table(parts);
    for (int i = 0; i < 3; i++) {
        app->fresh_until_ms = NOW + 1;
        app->p[i].c = members(i < 2 ? "1" : "- 0 1");
        app->p[i].c.max_replica_count = 2;
        assert_true(pg_tick_is_fresh(app, NOW));
        app->p[i].c = members("0 1");
        app->p[i].c.max_replica_count = i; /* one too many is whole */
    }
    assert_false(pg_tick_is_fresh(app, NOW));
    assert_int_equal(app->fresh_until_ms, 0);
    app->fresh_until_ms = NOW + 1;
    app->p[0].c.max_replica_count = 3;
    assert_true(pg_tick_is_fresh(app, NOW));
    app->status = PG_APP_DROPPED;
    assert_false(pg_tick_is_fresh(app, NOW));
}

/* ---- the balancer's round ---- */

static const char *const uneven[] = { "1 0", "0 1", "0 1", "0 1",
                                      "0 1", "0 1", NULL };

static void
a_round_is_counted_and_at_lively_begun(void **state)
{
    struct pg_counters count = { 9, 9, 9, 9 };
    const struct pg_partition *p;

    (void)state;
    begin("++");
    (void)add_table(uneven);
    fix.level = PG_STEADY;
    assert_int_equal(pg_tick_balance(&fix, NOW, &count), ERR_OK);
    assert_int_equal(count.total, 2);
    assert_int_equal(count.move_pri, 2);
    for (int i = 0; i < 6; i++)
        assert_int_equal(fix.app[0].p[i].n_acts, 0);
    fix.level = PG_LIVELY;
    count.total = 9;
    assert_int_equal(pg_tick_balance(&fix, NOW, &count), ERR_OK);
    assert_int_equal(count.total, 2);
    for (int i = 0; i < 6; i++) {
        bool moves = i == 1 || i == 2;

        p = &fix.app[0].p[i];
        assert_int_equal(p->n_acts, moves ? 2 : 0);
        assert_int_equal(p->dirty, moves);
        assert_int_equal(p->acts_since_ms, moves ? NOW : 0);
        if (moves)
            assert_int_equal(p->act[1].type, PG_UPGRADE_TO_PRIMARY);
    }
    /* while they move there is no other round */
    count.total = 9;
    assert_int_equal(pg_tick_balance(&fix, NOW, &count), ERR_OK);
    assert_int_equal(count.total, 9);
}

static void
each_operation_of_a_round_is_begun(void **state)
{
    static const char *const parts[] = { "0 1", "0 1", "0 1", "0 1", "0 1",
                                         "0 1", "0 1", "0 1", NULL };
    struct pg_counters count = { 0 };
    int moving = 0;

    (void)state;
    begin("++");
    (void)add_table(parts);
    assert_int_equal(pg_tick_balance(&fix, NOW, &count), ERR_OK);
    assert_int_equal(count.total, 4);
    for (int i = 0; i < 8; i++)
        moving += fix.app[0].p[i].n_acts > 0;
    assert_int_equal(moving, 4);
}

static void
a_round_waits_for_who_has_not_reported(void **state)
{
    struct pg_counters count = { 9, 9, 9, 9 };

    (void)state;
    begin("+++");
    (void)add_table(uneven);
    fix.node[2].collected = false;
    assert_int_equal(pg_tick_balance(&fix, NOW, &count), ERR_OK);
    assert_int_equal(count.total, -1);
    assert_int_equal(count.move_pri, 0);
    assert_int_equal(fix.app[0].p[1].n_acts, 0);
    count.total = 9;
    fix.level = PG_FREEZED;
    assert_int_equal(pg_tick_balance(&fix, NOW, &count), ERR_OK);
    assert_int_equal(count.total, 9);
}

static void
a_round_without_memory_changes_nothing(void **state)
{
    struct pg_counters count = { 9, 9, 9, 9 };

    (void)state;
    begin("++");
    (void)add_table(uneven);
    no_memory = true;
    assert_int_equal(pg_tick_balance(&fix, NOW, &count), ERR_NOMEM);
    no_memory = false;
    assert_int_equal(count.total, 9);
    assert_int_equal(fix.app[0].p[1].n_acts, 0);
}

static void
what_the_balancer_wants_is_dropped_and_nothing_else(void **state)
{
    static const char *const parts[] = { "0 1", "0 1", "0 1", NULL };

    (void)state;
    begin("++");
    for (int a = 0; a < 3; a++)
        (void)add_table(parts);
    for (int a = 0; a < 3; a++)
        for (int i = 0; i < 3; i++) {
            fix.app[a].p[i].n_acts = i;
            fix.app[a].p[i].act[0].balancer = i != 1;
        }
    fix.app[0].p[0].n_acts = 2;
    fix.app[1].p[0].n_acts = 1;
    pg_tick_drop_balance(&fix);
    for (int a = 0; a < 3; a++)
        for (int i = 0; i < 3; i++)
            assert_int_equal(fix.app[a].p[i].n_acts, i == 1 ? 1 : 0);
}

static int
swept(void **state)
{
    (void)state;
    free(work);
    work = NULL;
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dead_leave_one_at_a_time),
        cmocka_unit_test(the_dead_of_tables_that_live_are_buried),
        cmocka_unit_test(those_without_a_secondary_go_first),
        cmocka_unit_test(only_what_has_changed_is_asked_again),
        cmocka_unit_test(tables_that_do_not_live_are_not_cured),
        cmocka_unit_test(a_foreign_primary_is_told_once),
        cmocka_unit_test(what_cannot_be_done_is_no_work),
        cmocka_unit_test(what_was_stored_is_so_and_is_asked_again),
        cmocka_unit_test(what_was_refused_is_read_again),
        cmocka_unit_test(a_table_without_a_history_is_fresh_for_a_while),
        cmocka_unit_test(a_table_is_fresh_until_it_is_whole),
        cmocka_unit_test(a_round_is_counted_and_at_lively_begun),
        cmocka_unit_test(each_operation_of_a_round_is_begun),
        cmocka_unit_test(a_round_waits_for_who_has_not_reported),
        cmocka_unit_test(a_round_without_memory_changes_nothing),
        cmocka_unit_test(what_the_balancer_wants_is_dropped_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, swept);
}
