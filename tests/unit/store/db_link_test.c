/* How the store is reached: which host is tried when, how long, and what is
 * not tried at all. The servers are those of a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db_fake.h"

static const char set_sql[] = "UPDATE t SET a = 1";

static enum err
set(void)
{
    return db_exec(db, set_sql, DB_NO_ARGS);
}

static void
a_connection_is_made_at_its_first_use_and_kept(void **state)
{
    (void)state;
    SAID("");
    assert_string_equal(db_peer(db), "");
    ok(set());
    SAID("connect h0/d; " MADE "; UPDATE t SET a = 1");
    assert_string_equal(db_peer(db), "h0");
    assert_int_equal(db_session(db)->id, 1);
    ok(set());
    SAID("UPDATE t SET a = 1");
    assert_int_equal(fake.count[METRIC_STORE_CONNECTS], 1);
    assert_int_equal(fake.count[METRIC_STORE_LOST], 0);
    assert_int_equal(fake.gauge[METRIC_STORE_CONNECTIONS], 1);
    assert_int_equal(fake.count[METRIC_STORE_STATEMENTS], 4);
    db_hangup(db);
    db_hangup(db);
    assert_int_equal(fake.gauge[METRIC_STORE_CONNECTIONS], 0);
    SAID("hangup");
}

static void
a_session_has_the_time_outs_of_the_settings(void **state)
{
    (void)state;
    ok(set());
    assert_non_null(strstr(fake.session, "innodb_lock_wait_timeout = 3,"
                                         " lock_wait_timeout = 3"));
    assert_non_null(strstr(fake.session, "idle_transaction_timeout = 6 */"));
    (void)fake_said();
}

static void
a_handle_may_be_without_a_schema(void **state)
{
    struct db *bare = db_open_bare();

    (void)state;
    ok(db_exec(bare, set_sql, DB_NO_ARGS));
    SAID("connect h0/-; " MADE "; UPDATE t SET a = 1");
    db_close(bare);
    SAID("hangup");
    db_close(NULL);
    fake.no_memory = true;
    assert_null(db_open());
    assert_null(db_open_bare());
    fake.no_memory = false;
}

static void
the_next_host_is_tried_and_kept(void **state)
{
    (void)state;
    fake.down[0] = true;
    ok(set());
    SAID("connect h0/d; connect h1/d; " MADE "; UPDATE t SET a = 1");
    assert_string_equal(db_peer(db), "h1");
    assert_int_equal(fake.count[METRIC_STORE_LOST], 1);
    assert_string_equal(fake.log, "db.connect_failed peer=h0 errno=2003"
                                  " text=\"down\"\n");
    db_hangup(db);
    ok(set());
    SAID("hangup; connect h1/d; " MADE "; UPDATE t SET a = 1");
    db_hangup(db);
    fake.down[0] = false;
    fake.down[1] = fake.down[2] = true;
    ok(set());
    SAID("hangup; connect h1/d; connect h2/d; connect h0/d; " MADE
         "; UPDATE t SET a = 1");
}

static void
a_host_that_refuses_the_session_is_left(void **state)
{
    (void)state;
    fake_fails("session", 1045);
    fake_fails("isolation", 1193);
    ok(set());
    SAID("connect h0/d; session; hangup; connect h1/d; " MADE
         "; hangup; connect h2/d; " MADE "; UPDATE t SET a = 1");
    assert_int_equal(fake.count[METRIC_STORE_LOST], 2);
    assert_int_equal(fake.count[METRIC_STORE_CONNECTS], 1);
    assert_int_equal(fake.gauge[METRIC_STORE_CONNECTIONS], 1);
}

static void
without_memory_no_other_host_helps(void **state)
{
    (void)state;
    fake.plan[fake.n_plans++] = (struct fake_plan){ .part = "connect h0",
                                                    .times = 1,
                                                    .own = ERR_NOMEM };
    assert_int_equal(set(), ERR_NOMEM);
    SAID("connect h0/d");
}

/* 50 ms, doubled up to a second; half of it is for certain. */
static void
a_store_that_is_down_is_tried_less_and_less(void **state)
{
    static const int64_t wait_ms[] = { 50, 100, 200, 400, 800, 1000, 1000 };

    (void)state;
    fake.down[0] = fake.down[1] = fake.down[2] = true;
    for (size_t i = 0; i < COUNT(wait_ms); i++) {
        assert_int_equal(set(), ERR_STORE);
        SAID("connect h0/d; connect h1/d; connect h2/d");
        assert_int_equal(db->backoff_ms, wait_ms[i]);
        assert_true(db->retry_ms >= fake.now_ms + wait_ms[i] / 2);
        assert_true(db->retry_ms < fake.now_ms + wait_ms[i]);
        fake.now_ms = db->retry_ms - 1;
        assert_int_equal(set(), ERR_STORE);   /* at once */
        assert_int_equal(db_errno(db), 2003); /* of the last try */
        SAID("");
        fake.now_ms++;
    }
    fake.down[2] = false;
    ok(set());
    assert_int_equal(db->backoff_ms, 0);
    assert_int_equal(db->retry_ms, 0);
}

static void
waits_are_not_the_same_everywhere(void **state)
{
    int64_t seen = -1;
    bool differs = false;

    (void)state;
    fake.down[0] = fake.down[1] = fake.down[2] = true;
    for (int i = 0; i < 50; i++) {
        db->backoff_ms = 1000;
        db->retry_ms = 0;
        fake.now_ms += 7;
        assert_int_equal(set(), ERR_STORE);
        differs = differs || (seen >= 0 && db->retry_ms - fake.now_ms != seen);
        seen = db->retry_ms - fake.now_ms;
    }
    assert_true(differs);
    (void)fake_said();
}

static void
whether_the_store_is_down_is_counted_once(void **state)
{
    (void)state;
    ok(set());
    db_hangup(db);
    fake.gauge[METRIC_STORE_DOWN] = 0;
    fake.down[0] = fake.down[1] = fake.down[2] = true;
    assert_int_equal(set(), ERR_STORE);
    assert_int_equal(fake.gauge[METRIC_STORE_DOWN], 1);
    assert_int_equal(fake.count[METRIC_STORE_LOST], 3);
    fake.now_ms += 1000;
    fake.down[1] = false;
    ok(set());
    assert_int_equal(fake.gauge[METRIC_STORE_DOWN], 0);
    (void)fake_said();
}

/* ---- the deadline ---- */

static void
after_the_deadline_nothing_is_tried(void **state)
{
    (void)state;
    db_deadline(db, fake.now_ms);
    assert_int_equal(set(), ERR_TIMEOUT);
    SAID("");
    db_deadline(db, fake.now_ms + 1);
    ok(set());
    assert_int_equal(fake.until, fake.now_ms + 1);
    (void)fake_said();
    fake.now_ms++;
    assert_int_equal(set(), ERR_TIMEOUT);
    db_deadline(db, 0);
    ok(set());
    assert_int_equal(fake.until, 0);
    SAID("UPDATE t SET a = 1");
}

static void
a_deadline_that_passes_while_connecting_ends_it(void **state)
{
    (void)state;
    fake_takes("connect h0", 600);
    fake.down[0] = true;
    db_deadline(db, fake.now_ms + 500);
    assert_int_equal(set(), ERR_TIMEOUT);
    SAID("connect h0/d");
    assert_int_equal(fake.until, FAKE_START_MS + 500);
    assert_int_equal(db->retry_ms, 0); /* it says nothing of the others */
    db_deadline(db, fake.now_ms + 500);
    fake.down[0] = false;
    fake_takes("isolation", 500);
    assert_int_equal(set(), ERR_TIMEOUT); /* connected, but too late */
    SAID("connect h0/d; " MADE);
    db_deadline(db, 0);
    ok(set());
    SAID("UPDATE t SET a = 1");
}

static void
a_last_host_that_is_too_slow_says_nothing_of_the_others(void **state)
{
    (void)state;
    fake.down[0] = fake.down[1] = fake.down[2] = true;
    fake_takes("connect h2", 500);
    db_deadline(db, fake.now_ms + 500);
    (void)!set();
    SAID("connect h0/d; connect h1/d; connect h2/d");
    assert_int_equal(db->retry_ms, 0);
}

/* ---- a server that has hung up ---- */

static void
a_stale_connection_is_made_anew_outside_of_transactions(void **state)
{
    (void)state;
    ok(set());
    (void)fake_said();
    fake.stale = true;
    ok(set());
    SAID("hangup; connect h0/d; " MADE "; UPDATE t SET a = 1");
    fake.stale = false;
    ok(db_begin(db));
    ok(set());
    (void)fake_said();
    fake.stale = true; /* then it is lost, and that is to be told */
    ok(set());
    SAID("UPDATE t SET a = 1");
    fake.stale = false;
    ok(db_end(db, ERR_OK));
}

static void
statements_wait_only_for_who_can_take_them(void **state)
{
    (void)state;
    ok(set());
    assert_true(db->batch.able);
    db_hangup(db);
    fake.no_compounds = true;
    ok(set());
    assert_false(db->batch.able);
    db_hangup(db);
    fake.no_compounds = false;
    db_settings.batch = false;
    ok(set());
    assert_false(db->batch.able);
    (void)fake_said();
}

int
main(void)
{
#define ONE(f)   cmocka_unit_test_setup_teardown(f, one_host, closed)
#define THREE(f) cmocka_unit_test_setup_teardown(f, three_hosts, closed)
    const struct CMUnitTest tests[] = {
        ONE(a_connection_is_made_at_its_first_use_and_kept),
        ONE(a_session_has_the_time_outs_of_the_settings),
        ONE(a_handle_may_be_without_a_schema),
        THREE(the_next_host_is_tried_and_kept),
        THREE(a_host_that_refuses_the_session_is_left),
        THREE(without_memory_no_other_host_helps),
        THREE(a_store_that_is_down_is_tried_less_and_less),
        THREE(waits_are_not_the_same_everywhere),
        THREE(whether_the_store_is_down_is_counted_once),
        THREE(after_the_deadline_nothing_is_tried),
        THREE(a_deadline_that_passes_while_connecting_ends_it),
        THREE(a_last_host_that_is_too_slow_says_nothing_of_the_others),
        ONE(a_stale_connection_is_made_anew_outside_of_transactions),
        ONE(statements_wait_only_for_who_can_take_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
