/* The leader's memory as it is filled: nodes, tables, partitions. */
#include "leader_memory.h"

/* ---- nodes ---- */

static enum err
nodes(struct pegasus_node *v, size_t n)
{
    const struct list_of_pegasus_node rows = { .n = n, .v = v };

    return pg_leader_read_nodes(l, &rows);
}

static void
a_new_leader_has_heard_nothing(void **state)
{
    (void)state;
    assert_int_equal(l->version, 0);
    assert_true(l->failed);
    assert_int_equal(l->s.policy.min_2pc, 2);
    assert_int_equal(l->s.policy.grace_ms, 5);
    assert_int_equal(l->s.n_nodes + l->s.n_apps, 0);
}

/* A living node has its whole grace period from now on. */
static void
nodes_are_as_the_leader_before_left_them(void **state)
{
    static struct pegasus_node rows[] = {
        { .address = "a:1",
          .alive = true,
          .collected = true,
          .managed = true,
          .start_ms = 11,
          .last_beacon_ms = 12,
          .unstable = 3 },
        { .address = "b:1", .alive = true },
        { .address = "c:1", .collected = true, .last_beacon_ms = 14 },
    };
    const struct pg_node *n;

    (void)state;
    fake_mono_us = 77000;
    assert_int_equal(nodes(rows, COUNT(rows)), ERR_OK);
    assert_int_equal(l->s.n_nodes, 3);
    n = &l->s.node[0];
    assert_string_equal(n->address, "a:1");
    assert_true(n->alive && n->collected && n->managed);
    assert_int_equal(n->start_ms, 11);
    assert_int_equal(n->beacon, 12);
    assert_int_equal(n->unstable, 3);
    assert_int_equal(n->seen_ms, 77);
    assert_int_equal(n->up_since_ms, 77);
    n = &l->s.node[1];
    assert_true(n->alive && !n->collected && !n->managed);
    n = &l->s.node[2]; /* of a dead one no report counts */
    assert_true(!n->alive && !n->collected);
    assert_int_equal(n->beacon, 14);
    /* all of it again, for nothing was read yet */
    rows[1].alive = false;
    assert_int_equal(nodes(rows, COUNT(rows)), ERR_OK);
    assert_int_equal(l->s.n_nodes, 3);
    assert_false(l->s.node[1].alive);
}

static void
a_node_that_comes_later_must_speak_first(void **state)
{
    static struct pegasus_node rows[] = {
        { .address = "a:1", .alive = true, .last_beacon_ms = 5 },
        { .address = "b:1",
          .alive = true,
          .collected = true,
          .managed = true,
          .start_ms = 6,
          .last_beacon_ms = 7,
          .unstable = 8 },
    };
    const struct pg_node *n = NULL;

    (void)state;
    assert_int_equal(nodes(rows, 1), ERR_OK);
    l->version = 4;
    rows[0].alive = false; /* what is known is the detector's */
    rows[0].last_beacon_ms = 9;
    assert_int_equal(nodes(rows, 2), ERR_OK);
    assert_true(l->s.node[0].alive);
    assert_int_equal(l->s.node[0].beacon, 5);
    n = &l->s.node[1];
    assert_true(!n->alive && !n->collected && n->managed);
    assert_int_equal(n->start_ms, 6);
    assert_int_equal(n->unstable, 8);
    assert_int_equal(n->beacon, 0);
    pg_leader_forget_versions(l);
    assert_int_equal(l->version, 0);
    assert_int_equal(l->s.node[0].beacon, 0);
}

static void
each_of_many_nodes_is_found(void **state)
{
    char address[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(address, sizeof(address), "n%d:1", i);
        assert_non_null(pg_leader_node(l, address));
        assert_int_equal(l->tally.learners[i], 0);
        l->tally.primaries[i] = l->tally.partitions[i] = i;
    }
    assert_int_equal(l->s.n_nodes, 100);
    assert_int_equal(l->tally.n_nodes, 100);
    for (int round = 0; round < 2; round++)
        for (int i = 99; i >= 0; i--) {
            (void)snprintf(address, sizeof(address), "n%d:1", i);
            assert_ptr_equal(pg_leader_node(l, address), &l->s.node[i]);
            assert_ptr_equal(pg_leader_node(l, address), &l->s.node[i]);
        }
    assert_int_equal(l->s.n_nodes, 100);
    /* one that begins like another is no other */
    assert_ptr_equal(pg_leader_node(l, "n1:"), &l->s.node[100]);
    assert_ptr_equal(pg_leader_node(l, "n1:12"), &l->s.node[101]);
    assert_false(l->s.node[101].alive);
}

static void
what_is_no_address_is_no_node(void **state)
{
    char address[PG_ADDRESS_BYTES + 1];

    (void)state;
    memset(address, 'x', sizeof(address));
    address[PG_ADDRESS_BYTES] = '\0';
    assert_null(pg_leader_node(l, address));
    assert_null(pg_leader_node(l, ""));
    address[PG_ADDRESS_BYTES - 1] = '\0';
    assert_non_null(pg_leader_node(l, address));
    assert_int_equal(l->s.n_nodes, 1);
}

/* ---- tables ---- */

static void
tables_are_read_with_their_partitions(void **state)
{
    const struct pg_config *c;

    (void)state;
    app_row(3, "AVAILABLE", 4);
    partition_row(3, 0, 5, "a:1", "b:1,c:1", "");
    partition_row(3, 2, 6, NULL, "", "d:1@5@10@20,a:1@6@11@21");
    partition_row(3, 3, 7, "c:1", "a:1", "");
    cluster.move_pri = 1;
    cluster.copy_pri = 2;
    cluster.copy_sec = 3;
    cluster.total = 6;
    assert_int_equal(read_as(9), ERR_OK);
    assert_int_equal(asked_version, 0);
    assert_int_equal(l->version, 9);
    assert_int_equal(l->s.level, PG_LIVELY);
    assert_int_equal(l->count.move_pri, 1);
    assert_int_equal(l->count.copy_pri, 2);
    assert_int_equal(l->count.copy_sec, 3);
    assert_int_equal(l->count.total, 6);
    assert_int_equal(l->s.n_apps, 1);
    assert_int_equal(l->s.app[0].n, 4);
    c = &partition(3, 0)->c;
    assert_string_equal(address_of(c->primary), "a:1");
    assert_int_equal(c->n_secondaries, 2);
    assert_string_equal(address_of(c->secondary[1]), "c:1");
    c = &partition(3, 1)->c;
    assert_int_equal(c->primary, PG_NONE);
    assert_int_equal(c->ballot + c->n_secondaries + c->n_drops, 0);
    c = &partition(3, 2)->c;
    assert_int_equal(c->n_drops, 2);
    assert_string_equal(address_of(c->drop[0].node), "d:1");
    assert_int_equal(c->drop[1].ballot, 6);
    assert_int_equal(partition(3, 3)->c.ballot, 7);
    app_row(5, "AVAILABLE", 6);
    assert_int_equal(read_as(10), ERR_OK);
    for (int32_t i = 0; i < 6; i++)
        assert_int_equal(partition(5, i)->c.primary, PG_NONE);
    /* who is named and unknown otherwise is dead */
    assert_int_equal(l->s.n_nodes, 4);
    assert_false(pg_leader_node(l, "d:1")->alive);
}

static void
what_has_not_changed_is_not_read(void **state)
{
    (void)state;
    app_row(1, "AVAILABLE", 1);
    assert_int_equal(read_as(5), ERR_OK);
    asked_version = -1;
    cluster.level = "steady"; /* that is looked at each time */
    assert_int_equal(read_as(5), ERR_OK);
    assert_int_equal(asked_version, -1);
    assert_int_equal(l->s.level, PG_STEADY);
    assert_int_equal(read_as(6), ERR_OK);
    assert_int_equal(asked_version, 5);
    /* a change of ours was refused there: all of it is read again */
    l->s.app[0].stale = true;
    assert_int_equal(read_as(6), ERR_OK);
    assert_int_equal(asked_version, 0);
    assert_int_equal(l->version, 6);
    assert_false(l->s.app[0].stale);
}

static void
each_status_has_its_name(void **state)
{
    static const struct {
        const char *name;
        enum pg_app_status status;
        int n;
    } known[] = {
        { "AVAILABLE", PG_APP_AVAILABLE, 2 },
        { "CREATING", PG_APP_CREATING, 2 },
        { "DROPPING", PG_APP_DROPPING, 2 },
        { "RECALLING", PG_APP_RECALLING, 2 },
        { "DROPPED", PG_APP_DROPPED, 0 },
        { "another", PG_APP_DROPPED, 0 },
        { NULL, PG_APP_DROPPED, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++)
        app_row((int32_t)i + 1, known[i].name, 2);
    assert_int_equal(read_as(1), ERR_OK);
    for (size_t i = 0; i < COUNT(known); i++) {
        assert_int_equal(l->s.app[i].status, known[i].status);
        assert_int_equal(l->s.app[i].n, known[i].n);
    }
}

/* A row that nobody of us has written is left alone, and no other is. */
static void
a_row_that_cannot_be_is_left_alone(void **state)
{
    (void)state;
    app_row(1, "AVAILABLE", -1);
    app_row(2, "AVAILABLE", PEGASUS_PARTITIONS_MAX + 1);
    app_row(3, "AVAILABLE", PEGASUS_PARTITIONS_MAX);
    app_row(4, "AVAILABLE", 3);
    partition_row(1, 0, 5, "a:1", "", "");
    partition_row(4, -1, 5, "a:1", "", "");
    partition_row(4, 3, 5, "a:1", "", "");
    partition_row(4, 0, 5, "a:1", "b:1,", "@@");
    partition_row(9, 0, 5, "a:1", "", "");
    partition_row(4, 2, 6, "a:1", "", "");
    assert_int_equal(read_as(1), ERR_OK);
    assert_int_equal(l->s.app[0].status, PG_APP_DROPPED);
    assert_int_equal(l->s.app[1].status, PG_APP_DROPPED);
    assert_int_equal(l->s.app[0].n + l->s.app[1].n, 0);
    assert_int_equal(l->s.app[2].n, PEGASUS_PARTITIONS_MAX);
    assert_int_equal(partition(4, 0)->c.ballot, 0);
    assert_int_equal(partition(4, 0)->c.primary, PG_NONE);
    assert_int_equal(partition(4, 2)->c.ballot, 6);
    assert_null(find_partition(l, 4, 3));
    assert_null(find_partition(l, 4, -1));
    assert_null(find_partition(l, 5, 0));
}

static void
each_of_many_tables_is_found(void **state)
{
    (void)state;
    for (int32_t i = 0; i < 150; i++)
        app_row(2 * i + 1, "AVAILABLE", 1 + i % 3);
    assert_int_equal(read_as(1), ERR_OK);
    assert_int_equal(l->s.n_apps, 150);
    assert_int_equal(l->work_cap, 3);
    for (int32_t i = 0; i < 150; i++) {
        assert_int_equal(find_app(l, 2 * i + 1)->id, 2 * i + 1);
        assert_int_equal(find_app(l, 2 * i + 1)->n, 1 + i % 3);
        assert_null(find_app(l, 2 * i));
    }
    assert_null(find_app(l, 301));
    /* the same ones again are no new ones */
    app_rows[7].partition_count = 5;
    assert_int_equal(read_as(2), ERR_OK);
    assert_int_equal(l->s.n_apps, 150);
    assert_int_equal(find_app(l, 15)->n, 5);
    assert_int_equal(l->work_cap, 5);
}

/* A table none of whose partitions ever had a member need not wait. */
static void
a_table_is_fresh_when_it_is_first_seen(void **state)
{
    int64_t until;

    (void)state;
    app_row(1, "AVAILABLE", 2);
    app_row(2, "AVAILABLE", 2);
    app_row(3, "AVAILABLE", 1);
    partition_row(2, 1, 1, "a:1", "", "");
    assert_int_equal(read_as(1), ERR_OK);
    until = l->s.app[0].fresh_until_ms;
    assert_true(until > fake_unix_ms);
    assert_int_equal(l->s.app[1].fresh_until_ms, 0);
    assert_int_equal(l->s.app[2].fresh_until_ms, until);
    fake_unix_ms += 1000; /* that time is not made longer */
    assert_int_equal(read_as(2), ERR_OK);
    assert_int_equal(l->s.app[0].fresh_until_ms, until);
}

static void
what_cannot_be_read_is_read_again(void **state)
{
    enum err *const says[] = { &apps_say, &partitions_say, &actions_say };

    (void)state;
    app_row(1, "AVAILABLE", 1);
    assert_int_equal(read_as(1), ERR_OK);
    for (size_t i = 0; i < COUNT(says); i++) {
        enum err was = *says[i];

        *says[i] = ERR_STORE;
        assert_int_equal(read_as(2), ERR_STORE);
        assert_int_equal(l->version, 1);
        *says[i] = was;
    }
    assert_int_equal(read_as(2), ERR_OK);
    assert_int_equal(l->version, 2);
}

static void
reports_are_read_where_a_node_is_foreign(void **state)
{
    (void)state;
    pg_leader_node(l, "a:1")->managed = true;
    pg_leader_node(l, "b:1")->managed = true;
    l->reports_stale = true;
    assert_int_equal(read_as(1), ERR_OK);
    assert_false(l->reports_stale);
    pg_leader_node(l, "c:1")->managed = false;
    assert_int_equal(read_as(2), ERR_OK);
    assert_true(l->reports_stale);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_leader_has_heard_nothing),
        TEST(nodes_are_as_the_leader_before_left_them),
        TEST(a_node_that_comes_later_must_speak_first),
        TEST(each_of_many_nodes_is_found),
        TEST(what_is_no_address_is_no_node),
        TEST(tables_are_read_with_their_partitions),
        TEST(what_has_not_changed_is_not_read),
        TEST(each_status_has_its_name),
        TEST(a_row_that_cannot_be_is_left_alone),
        TEST(each_of_many_tables_is_found),
        TEST(a_table_is_fresh_when_it_is_first_seen),
        TEST(what_cannot_be_read_is_read_again),
        TEST(reports_are_read_where_a_node_is_foreign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
