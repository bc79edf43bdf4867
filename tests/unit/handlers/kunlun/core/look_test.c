/* One look at a shard, rule by rule: what failover_step stores and asks for
 * when it sees just this. failover_test.c lives through many of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kunlun/core/fo_look.h"

#define NOW 100000

/* Of the size that it needs: a sanitizer sees what is read beyond it. */
static struct fo_shard *s;
static struct fo_seen *seen;
static struct fo_plan plan;

/* Member 0 leads, the others follow it and have all that it has: row 10. */
static void
shard(unsigned n)
{
    free(s);
    free(seen);
    s = calloc(1, sizeof(*s));
    seen = calloc(n, sizeof(*seen));
    assert_non_null(s);
    assert_non_null(seen);
    *s = (struct fo_shard){ .epoch = 3,
                            .order = 20,
                            .n = n,
                            .switch_to = FO_NOBODY,
                            .base = { 5, 1 } };
    for (unsigned i = 0; i < n; i++) {
        s->member[i] = (struct fo_member){ .role = i == 0 ? FO_PRIMARY : FO_IN,
                                           .start = 7 + i,
                                           .ticket = i == 0 ? 0 : 11 + i };
        seen[i] = (struct fo_seen){ .answered = true,
                                    .start = 7 + i,
                                    .order = 20,
                                    .ready = s->member[i].ticket,
                                    .ticket = s->member[i].ticket,
                                    .writable = i == 0,
                                    .io = i != 0,
                                    .connected = i != 0,
                                    .hears = i != 0,
                                    .applying = i != 0,
                                    .received = { 10, 1 },
                                    .applied = { 10, 1 } };
    }
}

static int
teardown(void **state)
{
    (void)state;
    free(s);
    free(seen);
    s = NULL;
    seen = NULL;
    return 0;
}

static void
look(void)
{
    failover_step(s, seen, &fo_default_rules, NOW, &plan);
}

static void
assert_says(enum fo_verdict verdict, enum fo_why why, int about)
{
    assert_int_equal(plan.verdict, verdict);
    assert_int_equal(plan.why, why);
    assert_int_equal(plan.about, about);
}

/* The only action of that kind for that member; NULL: there is none. */
static const struct fo_action *
told(enum fo_action_kind kind, unsigned member)
{
    const struct fo_action *found = NULL;

    for (unsigned i = 0; i < plan.n; i++)
        if (plan.action[i].kind == kind &&
            plan.action[i].member == (int)member) {
            assert_null(found);
            found = &plan.action[i];
        }
    return found;
}

/* It does not answer, and has not for longer than any rule waits. */
static void
silent(unsigned i)
{
    seen[i] = (struct fo_seen){ .silent_ms = 60000 };
}

/* All but the primary have stopped to receive, and were told to. */
static void
fenced(int64_t since_ms)
{
    silent(0);
    s->fencing = true;
    s->fencing_ms = since_ms;
    for (unsigned i = 1; i < s->n; i++) {
        s->member[i].fence = 19;
        s->member[i].floor = seen[i].received;
        seen[i].io = seen[i].connected = seen[i].hears = false;
    }
}

/* Its server was ended in order, with all that it had, and runs again. */
static void
came_back_whole(unsigned i)
{
    seen[i].mark = (struct fo_mark){ s->member[i].start, s->member[i].ticket,
                                     seen[i].applied };
    seen[i].start += 100;
    seen[i].io = seen[i].connected = seen[i].applying = false;
}

/* ---- positions ---- */

static void
nothing_is_the_same_whoever_wrote_it(void **state)
{
    const struct fo_gtid none = { 0, 1 }, none_of_2 = { 0, 2 };
    const struct fo_gtid one = { 1, 1 }, one_of_2 = { 1, 2 };
    const struct fo_gtid two = { 2, 1 }, two_of_2 = { 2, 2 };

    (void)state;
    assert_true(fo_same(none, none_of_2));
    assert_true(fo_same(one, one));
    assert_true(fo_same(two, two));
    assert_false(fo_same(one, one_of_2));
    assert_false(fo_same(two, two_of_2));
    assert_false(fo_same(one, two));
    assert_true(fo_covers(two, one_of_2));
    assert_true(fo_covers(none, none_of_2));
    assert_false(fo_covers(one, one_of_2));
    assert_false(fo_covers(one, two));
}

/* ---- whether the primary is over ---- */

static void
nothing_is_done_where_all_is_well(void **state)
{
    (void)state;
    shard(FO_MEMBERS);
    look();
    assert_says(FO_FINE, FO_WHY_NONE, FO_NOBODY);
    assert_false(plan.changed);
    assert_int_equal(plan.n, 0);
}

/* That nobody answers may be the fault of who asks. */
static void
a_primary_is_not_over_when_nobody_answers(void **state)
{
    (void)state;
    shard(3);
    for (unsigned i = 0; i < 3; i++)
        silent(i);
    look();
    assert_says(FO_SUSPECTS, FO_WHY_PRIMARY_SILENT, 0);
    assert_false(s->fencing || plan.changed);
    /* one that is out tells nothing of it */
    shard(3);
    for (unsigned i = 0; i < 2; i++)
        silent(i);
    s->member[2].role = FO_OUT;
    look();
    assert_says(FO_SUSPECTS, FO_WHY_PRIMARY_SILENT, 0);
    assert_false(s->fencing || plan.changed);
}

static void
any_replica_that_hears_from_it_holds_the_primary(void **state)
{
    (void)state;
    for (unsigned hears = 1; hears < FO_MEMBERS; hears++) {
        shard(FO_MEMBERS);
        silent(0);
        for (unsigned i = 1; i < FO_MEMBERS; i++)
            seen[i].hears = i == hears;
        look();
        assert_says(FO_SUSPECTS, FO_WHY_PRIMARY_UNSEEN, 0);
        assert_false(s->fencing || plan.changed);
        seen[hears].hears = false;
        look();
        assert_true(s->fencing && plan.changed);
        assert_int_equal(s->fencing_ms, NOW);
    }
}

static void
a_primary_is_over_after_its_time(void **state)
{
    (void)state;
    shard(2);
    silent(0);
    seen[1].hears = false;
    seen[0].silent_ms = fo_default_rules.silent_ms - 1;
    look();
    assert_says(FO_SUSPECTS, FO_WHY_PRIMARY_SILENT, 0);
    assert_false(s->fencing);
    seen[0].silent_ms++;
    look();
    assert_true(s->fencing);
}

/* Only the last one has room, if any. */
static void
full_primary(unsigned n)
{
    shard(n);
    for (unsigned i = 0; i + 1 < n; i++)
        seen[i].full = true;
    seen[0].stuck_ms = fo_default_rules.silent_ms;
}

static void
a_full_primary_is_over_when_one_has_room(void **state)
{
    (void)state;
    for (unsigned n = 2; n <= FO_MEMBERS; n++) {
        full_primary(n);
        seen[0].stuck_ms--;
        look();
        assert_says(FO_SUSPECTS, FO_WHY_PRIMARY_FULL, 0);
        assert_false(s->fencing || plan.changed);
        seen[0].stuck_ms++;
        look();
        assert_true(s->fencing && plan.changed);
        seen[0].stuck_ms = 0; /* once it is over it stays so */
        seen[n - 1].full = true;
        look();
        assert_true(s->fencing);
        assert_int_equal(s->epoch, 3);
        seen[0].full = false;
        look();
        assert_false(s->fencing);
        assert_int_equal(s->epoch, 4);
    }
}

static void
a_full_primary_stays_when_nobody_can_take_its_place(void **state)
{
    (void)state;
    for (int why = 0; why < 9; why++) {
        struct fo_member *m;
        struct fo_seen *o;

        full_primary(3);
        m = &s->member[2];
        o = &seen[2];
        m->leaving = why == 0;
        m->broken = why == 1;
        o->ends = why == 2;
        o->full = why == 3;
        o->broken = why == 4;
        if (why == 5)
            s->base.seq = 11;
        if (why == 6)
            seen[1].received.seq = 11;
        if (why == 7)
            m->role = FO_OUT;
        look();
        if (why < 8)
            assert_says(FO_UNSAFE, FO_WHY_ALL_FULL, 0);
        assert_int_equal(s->fencing, why == 8);
    }
    full_primary(3);
    seen[2].full = s->force = true;
    look();
    assert_true(s->fencing);
}

static void
one_that_was_only_out_of_sight_leads_on(void **state)
{
    (void)state;
    shard(3);
    s->fencing = s->force = true;
    s->member[1].fence = s->member[2].fence = 19;
    look();
    assert_false(s->fencing || s->force || plan.decided);
    assert_int_equal(s->epoch, 4);
    assert_int_equal(s->order, 21);
    assert_true(plan.changed);
    for (unsigned i = 1; i < 3; i++)
        assert_int_equal(s->member[i].fence, 0);
}

/* ---- the fence ---- */

static void
who_is_fenced_is_held_to_what_it_had(void **state)
{
    (void)state;
    shard(3);
    silent(0);
    seen[1].hears = seen[2].hears = false;
    seen[2].received.seq = 12;
    look();
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(s->member[i].fence, 21);
        assert_int_equal(s->member[i].floor.seq, seen[i].received.seq);
        assert_int_equal(s->member[i].floor.server, 1);
        assert_non_null(told(FO_STOP_RECEIVING, i));
    }
    seen[2].received.seq = 11; /* its relay log has lost a row */
    look();
    assert_says(FO_UNSAFE, FO_WHY_MEMBER_BROKEN, 2);
    assert_true(s->member[2].broken);
    assert_false(s->member[1].broken);
}

static void
one_that_is_silent_is_waited_for_and_then_it_is_unsafe(void **state)
{
    const int64_t patience_ms = fo_default_rules.patience_ms;

    (void)state;
    shard(3);
    fenced(NOW - patience_ms + 1);
    silent(2);
    look();
    assert_says(FO_WORKS, FO_WHY_MEMBER_SILENT, 2);
    s->fencing_ms = NOW - patience_ms;
    look();
    assert_says(FO_UNSAFE, FO_WHY_MEMBER_SILENT, 2);
    assert_int_equal(s->primary, 0);
}

/* ---- who is chosen ---- */

static void
who_has_most_is_chosen_and_the_rest_follows(void **state)
{
    (void)state;
    shard(4);
    fenced(NOW);
    seen[2].received = seen[2].applied = (struct fo_gtid){ 12, 1 };
    look();
    assert_says(FO_WORKS, FO_WHY_NOT_WRITABLE, 2);
    assert_true(plan.decided);
    assert_int_equal(s->primary, 2);
    assert_int_equal(s->epoch, 4);
    assert_int_equal(s->order, 21);
    assert_int_equal(s->base.seq, 12);
    assert_int_equal(s->failovers, 1);
    assert_int_equal(s->failed_over_ms, NOW);
    assert_int_equal(s->member[0].role, FO_OUT);
    assert_int_equal(s->member[2].role, FO_PRIMARY);
    assert_int_equal(told(FO_PROMOTE, 2)->start, 9);
    assert_int_equal(told(FO_PROMOTE, 2)->ticket, 0);
    for (unsigned i = 1; i < 4; i += 2) {
        assert_int_equal(s->member[i].role, FO_IN);
        assert_int_equal(s->member[i].ticket, 21);
        assert_int_equal(s->member[i].fence, 0);
        assert_int_equal(told(FO_FOLLOW, i)->ticket, 21);
        assert_int_equal(told(FO_FOLLOW, i)->start, 0);
    }
}

static void
the_last_of_many_may_be_the_one(void **state)
{
    (void)state;
    shard(FO_MEMBERS);
    fenced(NOW);
    for (unsigned i = 1; i < FO_MEMBERS; i++)
        s->member[i].leaving = i != FO_MEMBERS - 1;
    look();
    assert_int_equal(s->primary, FO_MEMBERS - 1);
}

static void
one_that_has_most_is_waited_for_if_it_has_room(void **state)
{
    (void)state;
    shard(3);
    fenced(NOW);
    seen[2].received.seq = 12;
    look();
    assert_says(FO_WORKS, FO_WHY_MEMBER_APPLIES, 2);
    seen[2].full = true;
    look();
    assert_says(FO_UNSAFE, FO_WHY_MEMBER_FULL, 2);
    seen[2].full = false;
    seen[2].applying = false; /* never will */
    look();
    assert_says(FO_UNSAFE, FO_WHY_MEMBER_FAILS, 2);
    assert_int_equal(s->primary, 0);
}

static void
of_equals_the_one_that_is_done_and_has_room_is_chosen(void **state)
{
    (void)state;
    shard(4);
    fenced(NOW);
    seen[1].full = seen[2].full = true;
    look();
    assert_int_equal(s->primary, 3);
    shard(4);
    fenced(NOW);
    seen[1].applied.seq = seen[2].applied.seq = 9;
    seen[3].full = true;
    look();
    assert_int_equal(s->primary, 3);
    shard(4);
    fenced(NOW);
    s->member[1].leaving = seen[2].ends = true;
    look();
    assert_int_equal(s->primary, 3);
    assert_true(s->member[1].leaving); /* and is still to go */
}

static void
two_histories_are_told_and_the_force_takes_one(void **state)
{
    (void)state;
    shard(4);
    seen[3].received.server = seen[3].applied.server = 2;
    fenced(NOW);
    look();
    assert_says(FO_UNSAFE, FO_WHY_DIVERGED, 3);
    assert_int_equal(s->primary, 0);
    s->force = true;
    look();
    assert_true(plan.decided);
    assert_int_not_equal(s->primary, 0);
}

static void
the_force_takes_any_that_answers(void **state)
{
    (void)state;
    for (unsigned who = 1; who < 4; who++) {
        shard(4);
        fenced(NOW - 60000);
        s->force = true;
        for (unsigned i = 1; i < 4; i++)
            if (i != who)
                silent(i);
        /* without it: no witness */
        s->member[who].broken = true;
        look();
        assert_true(plan.decided);
        assert_int_equal(s->primary, who);
        assert_false(s->force);
    }
}

/* The whole shard was ended in order and begins again: who led comes, too. */
static void
all_came_back_and_the_primary_is_waited_for(void **state)
{
    const int64_t patience_ms = fo_default_rules.patience_ms;

    (void)state;
    for (int once = 0; once < 4; once++) {
        shard(3);
        fenced(NOW - patience_ms + 1);
        came_back_whole(1);
        if (once != 1) /* else one was never away: no such case */
            came_back_whole(2);
        if (once == 2)
            s->fencing_ms--; /* that was long enough */
        s->force = once == 3;
        look();
        if (once == 0)
            assert_says(FO_WORKS, FO_WHY_PRIMARY_ENDED, 0);
        assert_int_equal(plan.decided, once != 0);
    }
}

/* ---- a planned change ---- */

static void
all_that_go_on_follow_the_one_it_is_switched_to(void **state)
{
    (void)state;
    shard(FO_MEMBERS);
    s->switch_to = 1;
    s->switch_order = 20;
    s->switch_until_ms = NOW + 1;
    seen[0].writable = false;
    s->member[5].evict = 18; /* is being shut out */
    seen[6].start++;         /* was started again */
    s->member[7].role = FO_OUT;
    look();
    assert_true(plan.decided);
    assert_int_equal(s->primary, 1);
    assert_int_equal(s->switch_to, FO_NOBODY);
    for (unsigned i = 0; i < FO_MEMBERS; i++) {
        bool out = i >= 5 && i <= 7;

        if (i == 1)
            continue;
        assert_int_equal(s->member[i].role, out ? FO_OUT : FO_IN);
        assert_int_equal(told(FO_FOLLOW, i) == NULL, out);
    }
}

static void
a_planned_change_ends_with_its_time(void **state)
{
    (void)state;
    shard(3);
    s->switch_to = 1;
    s->switch_until_ms = NOW;
    look();
    assert_int_equal(s->switch_to, FO_NOBODY);
    assert_true(plan.changed);
    assert_null(told(FO_DEMOTE, 0));
    shard(3);
    s->switch_to = 1;
    s->switch_order = 20;
    s->switch_until_ms = NOW + 1;
    look();
    assert_says(FO_WORKS, FO_WHY_SWITCH, 1);
    assert_non_null(told(FO_DEMOTE, 0));
    seen[0].writable = false;
    seen[0].order = 19; /* by nobody who was told of it */
    look();
    assert_non_null(told(FO_DEMOTE, 0));
    assert_int_equal(s->primary, 0);
}

/* ---- who follows ---- */

static void
one_that_is_out_and_well_is_told_to_follow(void **state)
{
    (void)state;
    shard(3);
    s->member[2] = (struct fo_member){ .role = FO_OUT };
    look();
    assert_int_equal(s->member[2].role, FO_IN);
    assert_int_equal(s->member[2].ticket, 21);
    assert_int_equal(s->base.seq, 10);
    assert_int_equal(told(FO_FOLLOW, 2)->ticket, 21);
}

static void
one_that_is_out_and_cannot_follow_is_made_anew(void **state)
{
    (void)state;
    for (int once = 0; once < 2; once++) {
        shard(3);
        s->member[2] = (struct fo_member){ .role = FO_OUT };
        seen[2].broken = once == 0;
        seen[2].applied.seq += once == 1;
        look();
        assert_int_equal(s->member[2].role, FO_OUT);
        assert_int_equal(told(FO_REBUILD, 2)->ticket, 0);
        assert_int_equal(told(FO_REBUILD, 2)->whom, FO_NOBODY);
        assert_false(plan.changed);
    }
}

/* It is told to stop, and only when it has is it told to begin. */
static void
one_that_is_broken_ends_before_it_begins_again(void **state)
{
    (void)state;
    shard(3);
    s->member[2].broken = true;
    look();
    assert_int_equal(s->member[2].fence, 21);
    assert_true(plan.changed);
    assert_non_null(told(FO_STOP_RECEIVING, 2));
    seen[2].io = seen[2].connected = false;
    seen[2].order = 20;
    look();
    assert_int_equal(s->member[2].fence, 21); /* the same order as before */
    assert_false(plan.changed);
    assert_non_null(told(FO_NOTE, 2));
    seen[2].order = 21;
    seen[2].received.seq = 11; /* it still has to apply that */
    look();
    assert_false(plan.changed);
    seen[2].received.seq = 10;
    look();
    assert_int_equal(s->member[2].ticket, 0);
    assert_true(plan.changed);
    look();
    assert_false(s->member[2].broken);
    assert_int_equal(s->member[2].ticket, s->order);
    assert_int_equal(s->base.seq, 10);
    assert_non_null(told(FO_FOLLOW, 2));
}

static void
one_that_is_silent_is_shut_out_while_another_serves(void **state)
{
    const int64_t evict_ms = fo_default_rules.evict_ms;

    (void)state;
    shard(3);
    silent(2);
    seen[2].silent_ms = evict_ms - 1;
    look();
    assert_false(plan.changed);
    seen[2].silent_ms = evict_ms;
    look();
    assert_int_equal(s->member[2].evict, 21);
    assert_int_equal(told(FO_EVICT, 0)->whom, 2);
    seen[0].shut = 1U << 2;
    look(); /* locked, by nobody who was told of it */
    assert_int_equal(s->member[2].role, FO_IN);
    seen[0].order = 21;
    seen[0].applied.seq = 14;
    look();
    assert_int_equal(s->member[2].role, FO_OUT);
    assert_int_equal(s->base.seq, 14);
    assert_true(plan.changed);
}

static void
one_that_is_well_again_is_not_shut_out(void **state)
{
    (void)state;
    shard(3);
    s->member[2].evict = 18;
    look();
    assert_int_equal(s->member[2].evict, 0);
    assert_true(plan.changed); /* else it is not stored */
    assert_int_equal(s->order, 21);
    look();
    assert_false(plan.changed);
}

/* ---- who acknowledges ---- */

static void
a_shard_of_which_nobody_acknowledges_says_so(void **state)
{
    const int64_t evict_ms = fo_default_rules.evict_ms;

    (void)state;
    shard(2);
    seen[1].connected = seen[1].hears = false;
    seen[1].apart_ms = evict_ms - 1;
    look();
    assert_says(FO_FINE, FO_WHY_NONE, FO_NOBODY);
    seen[1].apart_ms = evict_ms;
    look();
    assert_says(FO_WAITS, FO_WHY_NO_ACK, 1);
    assert_int_equal(s->primary, 0);
    assert_false(plan.decided);
    silent(1);
    seen[1].apart_ms = 60000;
    look();
    assert_says(FO_WAITS, FO_WHY_NO_ACK, 1);
    assert_int_equal(s->member[1].role, FO_IN); /* it may have rows */

    shard(2); /* as if it were full: it writes nothing into its relay log */
    seen[1].full = true;
    seen[1].stuck_ms = evict_ms;
    look();
    assert_says(FO_WAITS, FO_WHY_NO_ACK, 1);
    shard(1); /* nobody is to acknowledge */
    look();
    assert_says(FO_FINE, FO_WHY_NONE, FO_NOBODY);
}

static void
one_that_was_stopped_is_said_to_be_waited_for(void **state)
{
    (void)state;
    shard(3);
    for (unsigned i = 1; i < 3; i++) {
        silent(i);
        seen[i].apart_ms = 60000;
        s->member[i] = (struct fo_member){ .role = FO_OUT, .leaving = true };
    }
    look();
    assert_says(FO_WAITS, FO_WHY_NO_ACK_STOPPED, 1);
    assert_int_equal(plan.n, 0);
    s->member[2].leaving = false;
    look();
    assert_says(FO_WAITS, FO_WHY_NO_ACK, 2);
    shard(3);
    s->member[1] = (struct fo_member){ .role = FO_OUT, .leaving = true };
    look();
    assert_says(FO_FINE, FO_WHY_NONE, FO_NOBODY);
    s->member[2].evict = 18;
    s->member[2].leaving = true; /* it is being shut out */
    look();
    assert_says(FO_WAITS, FO_WHY_NO_ACK_STOPPED, 1);
    assert_non_null(told(FO_EVICT, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_the_same_whoever_wrote_it),
        cmocka_unit_test(nothing_is_done_where_all_is_well),
        cmocka_unit_test(a_primary_is_not_over_when_nobody_answers),
        cmocka_unit_test(any_replica_that_hears_from_it_holds_the_primary),
        cmocka_unit_test(a_primary_is_over_after_its_time),
        cmocka_unit_test(a_full_primary_is_over_when_one_has_room),
        cmocka_unit_test(a_full_primary_stays_when_nobody_can_take_its_place),
        cmocka_unit_test(one_that_was_only_out_of_sight_leads_on),
        cmocka_unit_test(who_is_fenced_is_held_to_what_it_had),
        cmocka_unit_test(
            one_that_is_silent_is_waited_for_and_then_it_is_unsafe),
        cmocka_unit_test(who_has_most_is_chosen_and_the_rest_follows),
        cmocka_unit_test(the_last_of_many_may_be_the_one),
        cmocka_unit_test(one_that_has_most_is_waited_for_if_it_has_room),
        cmocka_unit_test(of_equals_the_one_that_is_done_and_has_room_is_chosen),
        cmocka_unit_test(two_histories_are_told_and_the_force_takes_one),
        cmocka_unit_test(the_force_takes_any_that_answers),
        cmocka_unit_test(all_came_back_and_the_primary_is_waited_for),
        cmocka_unit_test(all_that_go_on_follow_the_one_it_is_switched_to),
        cmocka_unit_test(a_planned_change_ends_with_its_time),
        cmocka_unit_test(one_that_is_out_and_well_is_told_to_follow),
        cmocka_unit_test(one_that_is_out_and_cannot_follow_is_made_anew),
        cmocka_unit_test(one_that_is_broken_ends_before_it_begins_again),
        cmocka_unit_test(one_that_is_silent_is_shut_out_while_another_serves),
        cmocka_unit_test(one_that_is_well_again_is_not_shut_out),
        cmocka_unit_test(a_shard_of_which_nobody_acknowledges_says_so),
        cmocka_unit_test(one_that_was_stopped_is_said_to_be_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
