/* Where servers go: the documented rules one by one, then what must hold of
 * any choice, for thousands of fleets by chance. SEED=n repeats one. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "instance/paths.h"
#include "kunlun/core/placement.h"

#define FLEETS   20000
#define MACHINES 8
#define SERVERS  64

static struct placement_machine m[MACHINES];
static struct placement_choice out[SERVERS];
static unsigned about;

static const struct placement_wish two_by_three = {
    .shards = 2,
    .nodes = 3,
    .comps = 2,
    .buffer_mb = 1024,
    .storage_port = 57330,
    .computer_port = 57030,
};

static void
fleet(unsigned n)
{
    memset(m, 0, sizeof(m));
    for (unsigned i = 0; i < n; i++) {
        m[i].group = i;
        m[i].storage = m[i].computers = true;
        for (int k = 0; k < PLACEMENT_CLASS__MAX; k++) {
            m[i].n_dirs[k] = 1;
            m[i].free_mb[k][0] = 100;
        }
    }
}

static void
assert_placed(unsigned i, unsigned machine, unsigned port)
{
    assert_int_equal(out[i].machine, machine);
    assert_int_equal(out[i].port, port);
}

static void
equal_machines_take_turns_in_the_order_of_registration(void **state)
{
    (void)state;
    fleet(3);
    assert_int_equal(
        placement_choose(m, 3, NULL, 0, &two_by_three, out, &about),
        PLACEMENT_OK);
    /* nodes >= machines: the next shard begins one further */
    assert_placed(0, 0, 57330);
    assert_placed(1, 1, 57330);
    assert_placed(2, 2, 57330);
    assert_placed(3, 1, 57333);
    assert_placed(4, 2, 57333);
    assert_placed(5, 0, 57333);
    assert_placed(6, 2, 57030);
    assert_placed(7, 0, 57031); /* above those of all machines */
}

/* Nodes for a shard that has two already: not on their machines, as long as
 * there are others, whatever the load. */
static void
a_shard_that_grows_avoids_its_own_machines(void **state)
{
    const unsigned there[4] = { 1, 1, 0, 0 };
    struct placement_wish more = two_by_three;

    (void)state;
    fleet(4);
    m[2].instances = 5;
    m[3].instances = 9;
    more.shards = 1;
    more.nodes = 2;
    more.comps = 0;
    more.there = there;
    assert_int_equal(placement_choose(m, 4, NULL, 0, &more, out, &about),
                     PLACEMENT_OK);
    assert_int_equal(out[0].machine, 2);
    assert_int_equal(out[1].machine, 3);
    more.nodes = 3; /* five on four machines: one has two */
    assert_int_equal(placement_choose(m, 4, NULL, 0, &more, out, &about),
                     PLACEMENT_OK);
    assert_int_equal(out[0].machine, 2);
    assert_int_equal(out[1].machine, 3);
}

static void
the_least_loaded_machine_comes_first(void **state)
{
    struct placement_wish one = two_by_three;

    (void)state;
    fleet(3);
    m[0].instances = 4;
    m[1].instances = 1;
    m[2].instances = 2;
    one.shards = one.nodes = 1;
    one.comps = 1;
    assert_int_equal(placement_choose(m, 3, NULL, 0, &one, out, &about),
                     PLACEMENT_OK);
    assert_int_equal(out[0].machine, 1);
    assert_int_equal(out[1].machine, 2);
}

static void
a_shard_wraps_around_where_there_are_fewer_machines(void **state)
{
    struct placement_wish one = two_by_three;

    (void)state;
    fleet(2);
    one.shards = 1;
    one.nodes = 3;
    one.comps = 0;
    assert_int_equal(placement_choose(m, 2, NULL, 0, &one, out, &about),
                     PLACEMENT_OK);
    assert_placed(0, 0, 57330);
    assert_placed(1, 1, 57330);
    assert_placed(2, 0, 57333);
}

static void
the_next_port_is_above_the_highest_and_not_in_use(void **state)
{
    const struct placement_taken taken[] = {
        { 0, 57336, PLACEMENT_STORAGE },  { 0, 57341, PLACEMENT_OTHER },
        { 1, 57040, PLACEMENT_COMPUTER }, { 0, 57042, PLACEMENT_OTHER },
        { 0, 57041, PLACEMENT_OTHER },
    };
    struct placement_wish one = two_by_three;

    (void)state;
    fleet(2);
    m[1].storage = m[1].computers = false;
    one.shards = one.nodes = one.comps = 1;
    assert_int_equal(
        placement_choose(m, 2, taken, COUNT(taken), &one, out, &about),
        PLACEMENT_OK);
    assert_placed(0, 0, 57342); /* 57339 needs 57341 */
    assert_placed(1, 0, 57043);
}

static void
machines_that_share_a_directory_share_their_numbers(void **state)
{
    struct placement_wish three = two_by_three;

    (void)state;
    fleet(3);
    m[0].group = m[1].group = m[2].group = 7;
    three.shards = 1;
    three.comps = 0;
    assert_int_equal(placement_choose(m, 3, NULL, 0, &three, out, &about),
                     PLACEMENT_OK);
    assert_placed(0, 0, 57330);
    assert_placed(1, 1, 57333);
    assert_placed(2, 2, 57336);
}

static void
memory_is_not_given_out_twice(void **state)
{
    (void)state;
    fleet(3);
    for (unsigned i = 0; i < 3; i++)
        m[i].memory_mb = 2048;
    assert_int_equal(
        placement_choose(m, 3, NULL, 0, &two_by_three, out, &about),
        PLACEMENT_OK);
    m[2].given_mb = 1;
    assert_int_equal(
        placement_choose(m, 3, NULL, 0, &two_by_three, out, &about),
        PLACEMENT_NO_MEMORY);
}

static void
the_directory_with_most_room_is_taken(void **state)
{
    struct placement_wish one = two_by_three;

    (void)state;
    fleet(1);
    one.shards = one.nodes = 1;
    one.comps = 0;
    m[0].n_dirs[PLACEMENT_WAL] = 3;
    m[0].free_mb[PLACEMENT_WAL][1] = 300;
    m[0].free_mb[PLACEMENT_WAL][2] = 200;
    assert_int_equal(placement_choose(m, 1, NULL, 0, &one, out, &about),
                     PLACEMENT_OK);
    assert_int_equal(out[0].dir[PLACEMENT_WAL], 1);
    assert_int_equal(out[0].dir[PLACEMENT_DATA], 0);
}

/* Whatever stands in the choice before, and where the first has most. */
static void
what_was_chosen_before_does_not_count(void **state)
{
    struct placement_wish one = two_by_three;

    (void)state;
    fleet(1);
    one.shards = one.nodes = 1;
    one.comps = 0;
    m[0].n_dirs[PLACEMENT_DATA] = 3;
    m[0].free_mb[PLACEMENT_DATA][1] = 50;
    m[0].free_mb[PLACEMENT_DATA][2] = 100;
    memset(out, 0, sizeof(out));
    out[0].dir[PLACEMENT_DATA] = 2;
    assert_int_equal(placement_choose(m, 1, NULL, 0, &one, out, &about),
                     PLACEMENT_OK);
    assert_int_equal(out[0].dir[PLACEMENT_DATA], 0);
}

static void
no_more_is_given_out_than_is_wished(void **state)
{
    const unsigned all = 2 * 3 + 2;

    (void)state;
    fleet(3);
    memset(out, 0xff, sizeof(out));
    assert_int_equal(
        placement_choose(m, 3, NULL, 0, &two_by_three, out, &about),
        PLACEMENT_OK);
    assert_int_not_equal(out[all - 1].machine, UINT_MAX);
    assert_int_equal(out[all].machine, UINT_MAX);
    assert_int_equal(out[all].port, UINT_MAX);
}

/* Seven of a shard on two machines: they have four and three of it. */
static void
each_machine_has_as_many_of_a_shard_as_it_must(void **state)
{
    struct placement_wish one = two_by_three;
    const unsigned there[2] = { 3, 0 };

    (void)state;
    fleet(2);
    one.shards = 1;
    one.nodes = 7;
    one.comps = 0;
    assert_int_equal(placement_choose(m, 2, NULL, 0, &one, out, &about),
                     PLACEMENT_OK);
    for (unsigned i = 0; i < 7; i++)
        assert_placed(i, i % 2, 57330 + i / 2 * 3);
    one.nodes = 4; /* of seven in the end */
    one.there = there;
    assert_int_equal(placement_choose(m, 2, NULL, 0, &one, out, &about),
                     PLACEMENT_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(out[i].machine, 1);
}

/* A computer's port is above those of all machines, the one just given out
 * first of all too. */
static void
the_first_that_is_given_out_counts_for_the_next(void **state)
{
    struct placement_wish two = two_by_three;

    (void)state;
    fleet(2);
    two.shards = 0;
    two.comps = 3;
    assert_int_equal(placement_choose(m, 2, NULL, 0, &two, out, &about),
                     PLACEMENT_OK);
    assert_placed(0, 0, 57030);
    assert_placed(1, 1, 57031);
    assert_placed(2, 0, 57032);
}

static void
what_cannot_be_is_said(void **state)
{
    struct placement_wish late = two_by_three;

    (void)state;
    assert_int_equal(
        placement_choose(m, 0, NULL, 0, &two_by_three, out, &about),
        PLACEMENT_NO_MACHINE);
    fleet(3);
    m[0].computers = m[1].computers = m[2].computers = false;
    assert_int_equal(
        placement_choose(m, 3, NULL, 0, &two_by_three, out, &about),
        PLACEMENT_NO_MACHINE);
    late.storage_port = 65534;
    assert_int_equal(placement_choose(m, 3, NULL, 0, &late, out, &about),
                     PLACEMENT_NO_PORT);
}

/* ---- by chance ---- */

static unsigned seed = 20261129;

static unsigned
dice(unsigned sides)
{
    return (unsigned)rand_r(&seed) % sides;
}

static unsigned
width(const struct placement_wish *w, unsigned i)
{
    return i < w->shards * w->nodes ? PLACEMENT_PORT_STEP : 1;
}

static void
assert_ports_differ(const struct placement_wish *w,
                    const struct placement_taken *taken, unsigned n_taken)
{
    unsigned all = w->shards * w->nodes + w->comps;

    for (unsigned i = 0; i < all; i++) {
        for (unsigned j = 0; j < i; j++)
            assert_false(m[out[i].machine].group == m[out[j].machine].group &&
                         out[i].port < out[j].port + width(w, j) &&
                         out[j].port < out[i].port + width(w, i));
        for (unsigned j = 0; j < n_taken; j++)
            assert_false(m[out[i].machine].group == m[taken[j].machine].group &&
                         taken[j].port >= out[i].port &&
                         taken[j].port < out[i].port + width(w, i));
    }
}

static void
assert_shards_are_spread(const struct placement_wish *w)
{
    unsigned may = 0;

    for (unsigned i = 0; i < MACHINES; i++)
        may += m[i].storage;
    for (unsigned s = 0; s < w->shards && may >= w->nodes; s++)
        for (unsigned i = 0; i < w->nodes; i++)
            for (unsigned j = 0; j < i; j++)
                assert_int_not_equal(out[s * w->nodes + i].machine,
                                     out[s * w->nodes + j].machine);
}

static void
assert_memory_suffices(const struct placement_wish *w)
{
    int64_t given[MACHINES];

    for (unsigned i = 0; i < MACHINES; i++)
        given[i] = m[i].given_mb;
    for (unsigned i = 0; i < w->shards * w->nodes; i++) {
        const struct placement_machine *at = &m[out[i].machine];

        assert_true(at->storage);
        given[out[i].machine] += w->buffer_mb;
        assert_true(at->memory_mb == 0 ||
                    given[out[i].machine] <= at->memory_mb);
    }
    for (unsigned i = 0; i < w->comps; i++)
        assert_true(m[out[w->shards * w->nodes + i].machine].computers);
}

static void
every_choice_keeps_the_rules(void **state)
{
    unsigned placed = 0;

    (void)state;
    if (getenv("SEED") != NULL)
        seed = (unsigned)strtoul(getenv("SEED"), NULL, 10);
    for (unsigned i = 0; i < FLEETS; i++) {
        struct placement_taken taken[12];
        unsigned n_taken = dice(COUNT(taken)), n = 1 + dice(MACHINES);
        struct placement_wish w = two_by_three;

        fleet(n);
        for (unsigned k = 0; k < n; k++) {
            m[k].group = dice(4) == 0 ? dice(n) : k;
            m[k].instances = dice(5);
            m[k].storage = dice(8) != 0;
            m[k].computers = dice(8) != 0;
            m[k].memory_mb = dice(2) == 0 ? 0 : 1024 * (int64_t)dice(8);
            m[k].given_mb = dice(3) == 0 ? 1024 : 0;
        }
        for (unsigned k = 0; k < n_taken; k++)
            taken[k] =
                (struct placement_taken){ dice(n), 57000 + dice(400),
                                          (enum placement_owner)dice(3) };
        w.shards = dice(5);
        w.nodes = 1 + dice(5);
        w.comps = dice(4);
        if (placement_choose(m, n, taken, n_taken, &w, out, &about) !=
            PLACEMENT_OK)
            continue;
        placed++;
        assert_ports_differ(&w, taken, n_taken);
        assert_shards_are_spread(&w);
        assert_memory_suffices(&w);
    }
    assert_true(placed > FLEETS / 4);
}

static void
a_class_is_found_by_its_name(void **state)
{
    (void)state;
    for (int k = 0; k < PLACEMENT_CLASS__MAX; k++)
        assert_int_equal(placement_class_of(placement_class_names[k]), k);
    assert_int_equal(placement_class_of("data"), PLACEMENT_CLASS__MAX);
}

/* core/ decides without instances, and has the words of their homes again. */
static void
classes_are_called_as_the_homes_of_instances(void **state)
{
    const struct instance_spec storage = { .kind = INSTANCE_STORAGE };
    const struct instance_spec computer = { .kind = INSTANCE_COMPUTER };
    struct home home[HOMES_MAX];

    (void)state;
    assert_int_equal(instance_homes(&storage, home), 3);
    assert_string_equal(home[0].class, placement_class_names[PLACEMENT_DATA]);
    assert_string_equal(home[1].class, placement_class_names[PLACEMENT_LOG]);
    assert_string_equal(home[2].class, placement_class_names[PLACEMENT_WAL]);
    assert_int_equal(instance_homes(&computer, home), 1);
    assert_string_equal(home[0].class, placement_class_names[PLACEMENT_COMP]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_is_found_by_its_name),
        cmocka_unit_test(
            equal_machines_take_turns_in_the_order_of_registration),
        cmocka_unit_test(a_shard_that_grows_avoids_its_own_machines),
        cmocka_unit_test(the_least_loaded_machine_comes_first),
        cmocka_unit_test(a_shard_wraps_around_where_there_are_fewer_machines),
        cmocka_unit_test(the_next_port_is_above_the_highest_and_not_in_use),
        cmocka_unit_test(machines_that_share_a_directory_share_their_numbers),
        cmocka_unit_test(memory_is_not_given_out_twice),
        cmocka_unit_test(the_directory_with_most_room_is_taken),
        cmocka_unit_test(what_was_chosen_before_does_not_count),
        cmocka_unit_test(no_more_is_given_out_than_is_wished),
        cmocka_unit_test(each_machine_has_as_many_of_a_shard_as_it_must),
        cmocka_unit_test(the_first_that_is_given_out_counts_for_the_next),
        cmocka_unit_test(what_cannot_be_is_said),
        cmocka_unit_test(every_choice_keeps_the_rules),
        cmocka_unit_test(classes_are_called_as_the_homes_of_instances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
