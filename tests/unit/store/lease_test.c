/* Leases on a server: who may take one, from whom, and who is told what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "host/self.h"
#include "lease.h"
#include "store_fixture.h"

static const char *const schema[] = { "DO 1" };
FIXTURE_GROUP(10, 3)

static int
setup(void **state)
{
    struct fixture *f = fixture_open();

    *state = f;
    return f != NULL && db_exec_text(f->db, "DELETE FROM lease") == ERR_OK ? 0
                                                                           : -1;
}

static void
expire(struct db *db)
{
    ok(db_exec_text(db, "UPDATE lease SET expires_ms = 0"));
}

static void
an_owner_takes_its_own_back_before_its_end(void **state)
{
    struct fixture *f = *state;
    struct lease one = { "unit", "one", 60000, 0, NULL },
                 again = { "unit", "one", 60000, 0, NULL },
                 two = { "unit", "two", 60000, 0, NULL };

    ok(lease_retake(f->db, &one)); /* nobody ever had it */
    assert_int_equal(one.epoch, 1);
    assert_int_equal(lease_retake(f->other, &two), ERR_BUSY);
    assert_int_equal(two.epoch, 0);
    assert_int_equal(lease_take(f->db, &again), ERR_BUSY);
    ok(lease_retake(f->db, &again));
    assert_int_equal(again.epoch, 2);
    assert_int_equal(lease_renew(f->db, &one), ERR_STATE);
    ok(lease_renew(f->db, &again));
    expire(f->db);
    ok(lease_retake(f->other, &two));
    assert_int_equal(two.epoch, 3);
    assert_int_equal(lease_retake(f->db, &again), ERR_BUSY);
}

static void
who_has_seen_a_row_takes_that_one_only(void **state)
{
    struct fixture *f = *state;
    struct lease one = { "unit", "one", 60000, 0, NULL },
                 two = { "unit", "two", 60000, 0, NULL },
                 late = { "unit", "late", 60000, 0, NULL };
    struct list_of_lease_row rows;
    const struct lease_row *row;

    ok(lease_take(f->db, &one));
    ok(lease_list(f->db, f->a, &rows));
    row = lease_find(&rows, "unit");
    assert_non_null(row);
    assert_string_equal(row->owner, "one");
    assert_int_equal(row->epoch, 1);
    assert_true(row->expires_ms > row->now_ms);
    ok(lease_take_seen(f->other, &two, row)); /* although it has not ended */
    assert_int_equal(two.epoch, 2);
    assert_int_equal(lease_take_seen(f->db, &late, row), ERR_BUSY);
    assert_int_equal(late.epoch, 0);
    assert_int_equal(lease_renew(f->db, &one), ERR_STATE);
    ok(lease_renew(f->other, &two));
}

static void
who_has_prolonged_it_keeps_it_from_who_has_seen_it(void **state)
{
    struct fixture *f = *state;
    struct lease one = { "unit", "one", 60000, 0, NULL },
                 two = { "unit", "two", 60000, 0, NULL };
    struct list_of_lease_row rows;

    ok(lease_take(f->db, &one));
    ok(lease_list(f->db, f->a, &rows));
    one.ttl_ms = 90000;
    ok(lease_renew(f->db, &one));
    assert_int_equal(lease_take_seen(f->other, &two, &rows.v[0]), ERR_BUSY);
    ok(lease_renew(f->db, &one));
}

static void
leases_are_listed_and_found_by_their_names(void **state)
{
    struct fixture *f = *state;
    struct list_of_lease_row rows;
    struct lease l = { "b", "one", 60000, 0, NULL };

    ok(lease_list(f->db, f->a, &rows));
    assert_int_equal(rows.n, 0);
    assert_null(lease_find(&rows, "b"));
    ok(lease_take(f->db, &l));
    l.name = "c";
    ok(lease_take(f->db, &l));
    l.name = "a";
    ok(lease_take(f->db, &l));
    ok(lease_release(f->db, &l));
    ok(lease_list(f->db, f->a, &rows));
    assert_int_equal(rows.n, 3);
    assert_string_equal(rows.v[0].name, "a");
    assert_int_equal(rows.v[0].expires_ms, 0);
    assert_ptr_equal(lease_find(&rows, "a"), &rows.v[0]);
    assert_ptr_equal(lease_find(&rows, "b"), &rows.v[1]);
    assert_ptr_equal(lease_find(&rows, "c"), &rows.v[2]);
    assert_null(lease_find(&rows, "d"));
}

static void
a_transaction_under_a_lease_begins_only_while_it_is_held(void **state)
{
    struct fixture *f = *state;
    struct lease one = { "unit", "one", 60000, 0, NULL },
                 two = { "unit", "two", 60000, 0, NULL };

    ok(lease_take(f->db, &one));
    ok(lease_begin(f->db, &one));
    ok(db_end(f->db, ERR_OK));
    expire(f->db);
    ok(lease_take(f->other, &two));
    assert_int_equal(lease_begin(f->db, &one), ERR_STATE);
    assert_int_equal(db_end(f->db, ERR_STATE), ERR_STATE);
}

/* The store would let it: nobody has come yet. */
static void
nothing_is_done_under_a_lease_that_may_have_ended(void **state)
{
    struct fixture *f = *state;
    struct lease_time time = { .asked_ms = clock_mono_ms() };
    struct lease l = { .name = "unit", .owner = "one", .ttl_ms = 60000 };

    ok(lease_take(f->db, &l));
    assert_true(lease_lasts(&l)); /* as far as it knows */
    l.time = &time;
    assert_true(lease_lasts(&l));
    ok(lease_begin(f->db, &l));
    ok(db_end(f->db, ERR_OK));
    time.asked_ms -= 60000;
    assert_false(lease_lasts(&l));
    assert_int_equal(lease_begin(f->db, &l), ERR_STATE);
    assert_int_equal(db_end(f->db, ERR_STATE), ERR_STATE);
    time.asked_ms += 60000;
    time.over = true;
    assert_int_equal(lease_begin(f->db, &l), ERR_STATE);
    assert_int_equal(db_end(f->db, ERR_STATE), ERR_STATE);
    l.time = NULL;
    ok(lease_begin(f->db, &l));
    ok(db_end(f->db, ERR_OK));
}

static void
an_owner_is_a_name_at_a_host_since_its_boot(void **state)
{
    char host[65] = "", id[17], want[LEASE_OWNER_BYTES], got[LEASE_OWNER_BYTES],
         name[80];

    (void)state;
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    self_id(id);
    (void)snprintf(want, sizeof(want), "m1@%.46s/%s", host, id);
    lease_owner("m1", got);
    assert_string_equal(got, want);
    memset(name, 'n', sizeof(name)); /* what is too long is cut, not the rest */
    name[sizeof(name) - 1] = '\0';
    lease_owner(name, got);
    (void)snprintf(want, sizeof(want), "%.64s@%.46s/%s", name, host, id);
    assert_string_equal(got, want);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_owner_takes_its_own_back_before_its_end),
        TEST(who_has_seen_a_row_takes_that_one_only),
        TEST(who_has_prolonged_it_keeps_it_from_who_has_seen_it),
        TEST(leases_are_listed_and_found_by_their_names),
        TEST(a_transaction_under_a_lease_begins_only_while_it_is_held),
        TEST(nothing_is_done_under_a_lease_that_may_have_ended),
        TEST(an_owner_is_a_name_at_a_host_since_its_boot),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
