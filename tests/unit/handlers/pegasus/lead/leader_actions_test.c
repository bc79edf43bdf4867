/* The leader's memory of what is under way, and of what foreign replica servers
 * have reported. */
#include "leader_memory.h"

static struct duty_run run;

static void
action_row(int32_t app_id, int32_t pidx, const char *type, const char *target,
           const char *node, bool balancer)
{
    action_rows[n_action_rows++] = (struct pegasus_action){
        .app_id = app_id,
        .pidx = pidx,
        .type = type,
        .target = target,
        .node = node,
        .balancer = balancer,
        .made_ms = 1000 + (int64_t)n_action_rows,
    };
}

/* ---- actions ---- */

static void
two_tables(void)
{
    app_row(1, "AVAILABLE", 3);
    app_row(2, "AVAILABLE", 1);
}

static void
rows_of_a_partition_are_its_actions_in_order(void **state)
{
    const struct pg_partition *p;

    (void)state;
    two_tables();
    action_row(1, 0, "DOWNGRADE_TO_SECONDARY", "a:1", "a:1", true);
    action_row(1, 0, "UPGRADE_TO_PRIMARY", "", "b:1", true);
    action_row(1, 0, "REMOVE", "b:1", "a:1", false);
    action_row(1, 2, "ADD_SECONDARY", "c:1", "a:1", false);
    action_row(2, 0, "ASSIGN_PRIMARY", "", "a:1", false);
    assert_false(l->operator_asks);
    assert_int_equal(read_as(1), ERR_OK);
    assert_true(l->operator_asks);
    p = partition(1, 0);
    assert_int_equal(p->n_acts, 3);
    assert_true(p->dirty);
    assert_int_equal(p->acts_since_ms, 1001);
    assert_int_equal(p->act[0].type, PG_DOWNGRADE_TO_SECONDARY);
    assert_string_equal(address_of(p->act[0].target), "a:1");
    assert_string_equal(address_of(p->act[0].node), "a:1");
    assert_true(p->act[0].balancer);
    assert_int_equal(p->act[1].type, PG_UPGRADE_TO_PRIMARY);
    assert_int_equal(p->act[1].target, PG_NONE);
    assert_string_equal(address_of(p->act[2].target), "b:1");
    assert_false(p->act[2].balancer);
    assert_int_equal(partition(1, 1)->n_acts, 0);
    assert_false(partition(1, 1)->dirty);
    assert_int_equal(partition(1, 2)->n_acts, 1);
    assert_int_equal(partition(1, 2)->acts_since_ms, 1004);
    assert_int_equal(partition(2, 0)->n_acts, 1);
    /* as they stand there when they are read again */
    n_action_rows = 2;
    assert_int_equal(read_as(2), ERR_OK);
    assert_int_equal(p->n_acts, 2);
    assert_int_equal(find_noted(l, 1, 0)->rows, 2);
}

static void
there_is_room_for_so_many(void **state)
{
    (void)state;
    two_tables();
    for (int i = 0; i < PG_ACTIONS_MAX + 2; i++)
        action_row(1, 0, "REMOVE", "", "a:1", false);
    assert_int_equal(read_as(1), ERR_OK);
    assert_int_equal(partition(1, 0)->n_acts, PG_ACTIONS_MAX);
    assert_int_equal(find_noted(l, 1, 0)->rows, PG_ACTIONS_MAX + 2);
}

/* Of no such partition, of no known type: their rows go. */
static void
rows_of_nothing_are_dropped(void **state)
{
    (void)state;
    two_tables();
    action_row(1, 1, "another", "", "a:1", false);
    action_row(1, 3, "REMOVE", "", "a:1", false);
    action_row(9, 0, "REMOVE", "", "a:1", false);
    action_row(9, 0, "REMOVE", "", "b:1", false);
    assert_int_equal(read_as(1), ERR_OK);
    assert_false(l->operator_asks);
    assert_int_equal(partition(1, 1)->n_acts, 0);
    assert_int_equal(l->n_noted, 3);
    assert_int_equal(pg_leader_drop_done(l, &run), ERR_OK);
    assert_string_equal(written, "begin; drop 1.1; end ok; "
                                 "begin; drop 1.3; end ok; "
                                 "begin; drop 9.0; end ok; ");
    assert_int_equal(l->n_noted, 0);
}

static void
what_is_done_goes_and_the_rest_stays(void **state)
{
    struct pg_partition *p;

    (void)state;
    two_tables();
    action_row(1, 0, "DOWNGRADE_TO_SECONDARY", "a:1", "a:1", true);
    action_row(1, 0, "UPGRADE_TO_PRIMARY", "", "b:1", true);
    action_row(1, 0, "REMOVE", "b:1", "a:1", false);
    action_row(1, 2, "ADD_SECONDARY", "c:1", "a:1", false);
    action_row(2, 0, "ASSIGN_PRIMARY", "", "a:1", false);
    assert_int_equal(read_as(1), ERR_OK);
    assert_int_equal(pg_leader_drop_done(l, &run), ERR_OK);
    assert_string_equal(written, ""); /* all of it is under way */
    assert_int_equal(l->n_noted, 3);
    p = partition(1, 0);
    p->n_acts = 2;
    p->act[0] = p->act[1];
    p->act[1] = p->act[2];
    partition(1, 2)->n_acts = 0;
    assert_int_equal(pg_leader_drop_done(l, &run), ERR_OK);
    assert_string_equal(written, "begin; drop 1.0; "
                                 "add 1.0/0 UPGRADE_TO_PRIMARY >b:1 balancer; "
                                 "add 1.0/1 REMOVE b:1>a:1; end ok; "
                                 "begin; drop 1.2; end ok; ");
    assert_int_equal(l->n_noted, 2);
    assert_int_equal(find_noted(l, 1, 0)->rows, 2);
    assert_null(find_noted(l, 1, 2));
    assert_int_equal(find_noted(l, 2, 0)->rows, 1);
}

static void
what_was_not_dropped_is_dropped_later(void **state)
{
    (void)state;
    two_tables();
    action_row(1, 0, "REMOVE", "", "a:1", false);
    action_row(1, 1, "REMOVE", "", "a:1", false);
    action_row(1, 2, "REMOVE", "", "a:1", false);
    assert_int_equal(read_as(1), ERR_OK);
    for (int32_t i = 0; i < 3; i++)
        partition(1, i)->n_acts = 0;
    drop_says = ERR_STORE;
    assert_int_equal(pg_leader_drop_done(l, &run), ERR_STORE);
    assert_string_equal(written, "begin; drop 1.0; end store; ");
    assert_int_equal(l->n_noted, 3);
    assert_int_equal(find_noted(l, 1, 0)->rows, 1);
    drop_says = ERR_OK;
    assert_int_equal(pg_leader_drop_done(l, &run), ERR_OK);
    assert_int_equal(l->n_noted, 0);
}

/* A proposal of the leader's own, before its row is read. */
static void
a_proposal_is_noted_once(void **state)
{
    (void)state;
    two_tables();
    assert_int_equal(read_as(1), ERR_OK);
    for (int round = 0; round < 2; round++)
        for (int32_t i = 0; i < 100; i++)
            assert_true(pg_leader_note(l, 1 + i % 2, i / 2));
    assert_int_equal(l->n_noted, 100);
    assert_int_equal(find_noted(l, 2, 49)->rows, 0);
    assert_null(find_noted(l, 2, 50));
    partition(2, 0)->n_acts = 1;
    partition(2, 0)->act[0] = (struct pg_action){
        .type = PG_REMOVE, .target = PG_NONE, .node = find_or_add(l, "a:1", 3)
    };
    assert_int_equal(pg_leader_drop_done(l, &run), ERR_OK);
    assert_string_equal(written,
                        "begin; drop 2.0; add 2.0/0 REMOVE >a:1; end ok; ");
    assert_int_equal(l->n_noted, 1);
}

/* ---- reports ---- */

static void
replica_row(const char *node, int32_t app_id, int32_t pidx, const char *disk)
{
    int64_t n = (int64_t)++n_replica_rows;

    replica_rows[n - 1] = (struct pegasus_replica){ .node = node,
                                                    .app_id = app_id,
                                                    .pidx = pidx,
                                                    .ballot = 10 * n,
                                                    .committed = 10 * n + 1,
                                                    .prepared = 10 * n + 2,
                                                    .disk_tag = disk };
}

static void
three_members(void)
{
    app_row(1, "AVAILABLE", 2);
    partition_row(1, 0, 5, "a:1", "b:1,c:1,d:1", "");
    partition_row(1, 1, 5, "b:1", "", "a:1@1@2@3,c:1@4@5@6,m:1@7@8@9");
    assert_int_equal(read_as(1), ERR_OK);
    pg_leader_node(l, "m:1")->managed = true;
}

static void
disks_are_numbered_by_their_tags(void **state)
{
    const struct pg_partition *p;

    (void)state;
    three_members();
    replica_row("a:1", 1, 0, "ssd");
    replica_row("b:1", 1, 0, "hdd");
    replica_row("c:1", 1, 0, "");
    replica_row("d:1", 1, 0, "ssd");
    replica_row("b:1", 1, 1, "nvme");
    assert_int_equal(pg_leader_read_reports(l, NULL, NULL), ERR_OK);
    p = partition(1, 0);
    assert_int_equal(p->disk[0], 1);
    assert_int_equal(p->disk[1], 2);
    assert_int_equal(p->disk[2], 0);
    assert_int_equal(p->disk[3], 1);
    assert_int_equal(partition(1, 1)->disk[0], 3);
    /* who reports a replica no longer has none on a disk */
    n_replica_rows = 1;
    assert_int_equal(pg_leader_read_reports(l, NULL, NULL), ERR_OK);
    assert_int_equal(p->disk[0], 1);
    assert_int_equal(p->disk[1] + p->disk[2] + p->disk[3], 0);
}

static void
so_many_disks_are_told_apart(void **state)
{
    static char tag[DISKS_MAX + 2][16];

    (void)state;
    three_members();
    for (int i = 0; i < DISKS_MAX + 2; i++) {
        (void)snprintf(tag[i], sizeof(tag[i]), "d%d", i);
        assert_int_equal(disk_number(l, tag[i]), i < DISKS_MAX ? i + 1 : 0);
    }
    assert_int_equal(disk_number(l, "d0"), 1);
    assert_int_equal(disk_number(l, tag[DISKS_MAX - 1]), DISKS_MAX);
    assert_int_equal(disk_number(l, ""), 0);
}

/* What a foreign node does not report it has not. */
static void
a_node_that_left_still_has_what_it_reports(void **state)
{
    const struct pg_drop *d;

    (void)state;
    three_members();
    l->reports_stale = true;
    d = partition(1, 1)->c.drop;
    assert_true(d[0].present && d[1].present && d[2].present);
    replica_row("c:1", 1, 1, "ssd");
    replica_row("nobody:1", 1, 1, "ssd");
    replica_row("a:1", 1, 7, "ssd");
    replica_row("a:1", 8, 1, "ssd");
    assert_int_equal(pg_leader_read_reports(l, NULL, NULL), ERR_OK);
    assert_false(l->reports_stale);
    assert_false(d[0].present);
    assert_int_equal(d[0].ballot, 1);
    assert_true(d[1].present);
    assert_int_equal(d[1].ballot, 10);
    assert_int_equal(d[1].committed, 11);
    assert_int_equal(d[1].prepared, 12);
    assert_true(d[2].present); /* ours has what we think it has */
    assert_int_equal(d[2].ballot, 7);
    assert_int_equal(l->s.n_nodes, 5);
}

static void
reports_that_cannot_be_read_are_read_again(void **state)
{
    (void)state;
    three_members();
    l->reports_stale = true;
    replicas_say = ERR_STORE;
    assert_int_equal(pg_leader_read_reports(l, NULL, NULL), ERR_STORE);
    assert_true(l->reports_stale);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_of_a_partition_are_its_actions_in_order),
        TEST(there_is_room_for_so_many),
        TEST(rows_of_nothing_are_dropped),
        TEST(what_is_done_goes_and_the_rest_stays),
        TEST(what_was_not_dropped_is_dropped_later),
        TEST(a_proposal_is_noted_once),
        TEST(disks_are_numbered_by_their_tags),
        TEST(so_many_disks_are_told_apart),
        TEST(a_node_that_left_still_has_what_it_reports),
        TEST(reports_that_cannot_be_read_are_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
