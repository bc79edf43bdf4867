/* What the store's client concludes: from a failure, for the connection, the
 * transaction and who might run it again; and from a COMMIT of which nobody
 * has said how it went. The servers are those of a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db_fake.h"

static const char set_sql[] = "UPDATE t SET a = 1";
static const char get_sql[] = "SELECT a FROM t";

static enum err
set(void)
{
    fake.rows = 1; /* its counts, when it is batched */
    return db_exec(db, set_sql, DB_NO_ARGS);
}

static enum err
get(void)
{
    int64_t v;

    fake.rows = 1;
    return db_one_i64(db, get_sql, DB_NO_ARGS, &v);
}

/* ---- a statement that fails ---- */

enum { GONE = 2006, LOST = 2013, KILLED = 1927, NOT_MINE = 1047 };

static const struct {
    unsigned code;
    bool tx, writes, ours; /* ours: we did not wait longer */
    enum err e;
    bool rerun, hung_up, broken, next;
    const char *more; /* what else is said */
} failures[] = {
    /* collisions: again, on the same connection */
    { 1213, true, true, false, ERR_BUSY, true, false, true, false, "" },
    { 1205, false, true, false, ERR_BUSY, true, false, false, false, "" },
    /* what the tables do not take */
    { 1062, true, true, false, ERR_EXISTS, false, false, false, false, "" },
    { 1406, true, true, false, ERR_BAD_PARAM, false, false, false, false, "" },
    { 1452, true, true, false, ERR_STATE, false, false, false, false, "" },
    { 1146, true, false, false, ERR_INTERNAL, false, false, false, false, "" },
    /* the account lacks a right: of no use, but nothing is lost */
    { 1142, false, true, false, ERR_STORE, false, false, false, false, "" },
    { 1142, true, true, false, ERR_STORE, false, false, true, false, "" },
    /* a full disk, a statement that was ended */
    { 1114, true, true, false, ERR_STORE, false, false, true, false, "" },
    { 1317, false, false, false, ERR_STORE, false, false, false, false, "" },
    /* a server that reads only, or is no member: the next one, if any */
    { 1290, false, true, false, ERR_STORE, true, true, false, true, "" },
    { 1290, true, true, false, ERR_STORE, true, true, true, true, "" },
    { NOT_MINE, true, false, false, ERR_STORE, true, true, true, true, "" },
    /* lost: again, unless it may have taken effect */
    { LOST, false, true, false, ERR_STORE, false, true, false, true, "" },
    { LOST, false, false, false, ERR_STORE, true, true, false, true, "" },
    { LOST, true, true, false, ERR_STORE, true, true, true, true, "" },
    { KILLED, true, true, false, ERR_STORE, true, true, true, false, "" },
    { KILLED, false, true, false, ERR_STORE, false, true, false, false, "" },
    { GONE, false, true, false, ERR_STORE, true, true, false, true, "" },
    /* we waited no longer: never again, and it must not happen later */
    { LOST, false, true, true, ERR_STORE, false, true, false, true,
      "; connect h0/d; " MADE "; end 1" },
    { LOST, false, false, true, ERR_STORE, false, true, false, true, "" },
    { LOST, true, true, true, ERR_STORE, false, true, true, true, "" },
    /* too large: it hangs up, and no other would take it */
    { 1153, true, true, false, ERR_LIMIT, false, true, true, false, "" },
    { 1153, false, true, false, ERR_LIMIT, false, true, false, false, "" },
};

static void
each_failure_has_its_consequences(void **state)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        char said[256]; /* and a connection made for that is kept */
        bool hung_up = failures[i].hung_up;

        assert_int_equal(three_hosts(state), 0);
        ok(get());
        if (failures[i].tx) {
            ok(db_begin(db));
            ok(get());
        }
        (void)fake_said();
        fake.log_n = 0;
        fake_fails(failures[i].writes ? "UPDATE" : "SELECT", failures[i].code);
        if (failures[i].ours)
            fake.plan[fake.n_plans - 1].takes_ms = fake.wait_ms;
        (void)snprintf(said, sizeof(said), "%s%s%s",
                       failures[i].writes ? set_sql : get_sql,
                       hung_up ? "; hangup" : "", failures[i].more);
        if (failures[i].writes)
            assert_int_equal(set(), failures[i].e);
        else
            assert_int_equal(get(), failures[i].e);
        SAID(said);
        assert_int_equal(db_may_rerun(db), failures[i].rerun);
        assert_int_equal(db_errno(db), failures[i].code);
        assert_string_equal(db_error(db), "planned");
        assert_int_equal(db->tx == TX_BROKEN, failures[i].broken);
        if (failures[i].broken)
            assert_int_equal(db->tx_err, failures[i].e);
        assert_int_equal(db->host, failures[i].next ? 1 : 0);
        assert_int_equal(fake.log_n > 0, failures[i].code != 1062);
        assert_int_equal(closed(state), 0);
    }
}

static void
what_is_lost_is_counted(void **state)
{
    (void)state;
    fake_fails("UPDATE", LOST);
    assert_int_equal(set(), ERR_STORE);
    assert_int_equal(fake.count[METRIC_STORE_LOST], 1);
    assert_int_equal(fake.count[METRIC_STORE_TIMEOUTS], 0);
    ok(get());
    fake_fails("SELECT", LOST);
    fake.plan[fake.n_plans - 1].takes_ms = fake.wait_ms;
    assert_int_equal(get(), ERR_STORE);
    assert_int_equal(fake.count[METRIC_STORE_LOST], 1);
    assert_int_equal(fake.count[METRIC_STORE_TIMEOUTS], 1);
    fake_fails("UPDATE", 1213);
    assert_int_equal(set(), ERR_BUSY);
    assert_int_equal(fake.count[METRIC_STORE_DEADLOCKS], 1);
    fake_fails("UPDATE", 1290);
    assert_int_equal(set(), ERR_STORE);
    assert_int_equal(fake.count[METRIC_STORE_LOST], 1);
    assert_int_equal(fake.count[METRIC_STORE_DEADLOCKS], 1);
    (void)fake_said();
}

static void
the_only_host_that_reads_only_is_no_reason_to_try_again(void **state)
{
    (void)state;
    fake_fails("UPDATE", 1290);
    assert_int_equal(set(), ERR_STORE);
    assert_false(db_may_rerun(db));
    assert_int_equal(db->host, 0);
    (void)fake_said();
}

static void
beyond_the_deadline_a_lost_reply_is_that_of_the_deadline(void **state)
{
    (void)state;
    db_deadline(db, fake.now_ms + 100);
    fake.wait_ms = 100;
    fake_fails("SELECT", LOST);
    fake.plan[0].takes_ms = 100;
    assert_int_equal(get(), ERR_TIMEOUT);
    assert_false(db_may_rerun(db));
    SAID("SELECT a FROM t; hangup");
    db_deadline(db, fake.now_ms + 200); /* the read time-out came first */
    ok(get());
    fake_fails("SELECT", LOST);
    fake.plan[1].takes_ms = 100;
    assert_int_equal(get(), ERR_STORE);
    (void)fake_said();
}

static void
with_no_time_left_nothing_is_run_again(void **state)
{
    (void)state;
    db_deadline(db, fake.now_ms + 100);
    fake_fails("UPDATE", 1213);
    assert_int_equal(set(), ERR_BUSY);
    assert_true(db_may_rerun(db));
    fake.now_ms += 99;
    assert_true(db_may_rerun(db));
    fake.now_ms++;
    assert_false(db_may_rerun(db));
    db_deadline(db, 0);
    assert_true(db_may_rerun(db));
    ok(get());
    assert_false(db_may_rerun(db));
    (void)fake_said();
}

static void
the_end_of_what_was_abandoned_may_be_missed(void **state)
{
    (void)state;
    fake_fails("UPDATE", LOST);
    fake.plan[0].takes_ms = fake.wait_ms;
    fake_fails("end 1", 1317);
    assert_int_equal(set(), ERR_STORE);
    SAID("UPDATE t SET a = 1; hangup; connect h0/d; " MADE "; end 1");
    assert_non_null(strstr(fake.log, "db.abandoned peer=h0 id=1\n"));
    assert_int_equal(fake.until, fake.now_ms + 1000);
    fake_fails("UPDATE", LOST);
    fake.plan[2].takes_ms = fake.wait_ms;
    fake.log_n = 0;
    assert_int_equal(set(), ERR_STORE);
    assert_null(strstr(fake.log, "db.abandoned"));
    (void)fake_said();
    fake_fails("UPDATE", LOST);
    fake.plan[3].takes_ms = fake.wait_ms;
    fake.down[0] = true;
    assert_int_equal(set(), ERR_STORE);
    SAID("UPDATE t SET a = 1; hangup; connect h0/d");
    assert_int_equal(db_may_rerun(db), false);
}

static void
a_mistake_of_our_own_is_told(void **state)
{
    (void)state;
    assert_int_equal(db_end(db, ERR_OK), ERR_INTERNAL);
    assert_string_equal(fake.log, "db.failed err=internal"
                                  " text=\"no transaction\" sql=\"end\"\n");
    assert_int_equal(db_errno(db), 0);
    ok(db_begin(db));
    assert_int_equal(db_begin(db), ERR_INTERNAL);
    assert_int_equal(db_begin_snapshot(db), ERR_INTERNAL);
    assert_false(db->snapshot);
    ok(db_end(db, ERR_OK));
    SAID("");
}

/* ---- transactions ---- */

static void
a_transaction_begins_with_its_first_statement(void **state)
{
    (void)state;
    ok(db_begin(db));
    assert_true(db_in_transaction(db));
    SAID("");
    ok(set());
    SAID("START TRANSACTION; UPDATE t SET a = 1");
    ok(get());
    SAID("SELECT a FROM t");
    ok(db_end(db, ERR_OK));
    SAID("COMMIT");
    assert_false(db_in_transaction(db));
    ok(db_begin(db));
    ok(db_end(db, ERR_OK));
    SAID("");
    ok(db_begin(db));
    assert_int_equal(db_end(db, ERR_STATE), ERR_STATE);
    SAID("");
    assert_int_equal(db_end(db, ERR_STATE), ERR_STATE); /* none: as told */
    SAID("");
}

static void
a_failure_is_rolled_back(void **state)
{
    (void)state;
    ok(db_begin(db));
    ok(set());
    (void)fake_said();
    assert_int_equal(db_end(db, ERR_NOT_FOUND), ERR_NOT_FOUND);
    SAID("ROLLBACK");
    assert_int_equal(fake.until, fake.now_ms + 500);
    ok(db_begin(db));
    ok(set());
    fake_fails("ROLLBACK", 1317);
    assert_int_equal(db_end(db, ERR_NOT_FOUND), ERR_NOT_FOUND);
    SAID("START TRANSACTION; UPDATE t SET a = 1; ROLLBACK; hangup");
    ok(db_begin(db));
    ok(set());
    db_hangup(db);
    (void)fake_said();
    assert_int_equal(db_end(db, ERR_NOT_FOUND), ERR_NOT_FOUND);
    SAID(""); /* the server did it */
}

static void
what_comes_after_a_failure_is_not_sent(void **state)
{
    (void)state;
    ok(db_begin(db));
    fake_fails("UPDATE", 1213);
    assert_int_equal(set(), ERR_BUSY);
    assert_int_equal(get(), ERR_BUSY);
    assert_int_equal(set(), ERR_BUSY);
    SAID("START TRANSACTION; UPDATE t SET a = 1");
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    SAID("ROLLBACK");
    assert_true(db_may_rerun(db));
    ok(db_begin(db));
    assert_false(db_may_rerun(db));
    fake_fails("START", 1317);
    assert_int_equal(set(), ERR_STORE);
    assert_int_equal(set(), ERR_STORE);
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    SAID("START TRANSACTION; ROLLBACK");
}

static void
a_snapshot_is_asked_for_and_never_committed(void **state)
{
    (void)state;
    ok(db_begin_snapshot(db));
    ok(get());
    ok(get());
    ok(db_end(db, ERR_OK));
    SAID("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
         " START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;"
         " SELECT a FROM t; SELECT a FROM t; ROLLBACK");
    ok(db_begin_snapshot(db));
    fake_fails("SET TRANSACTION", 1317);
    assert_int_equal(get(), ERR_STORE);
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    SAID("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; ROLLBACK");
    ok(db_begin_snapshot(db));
    fake_fails("START", 1317);
    assert_int_equal(get(), ERR_STORE);
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    (void)fake_said();
    ok(db_begin(db));
    ok(get());
    ok(db_end(db, ERR_OK));
    SAID("START TRANSACTION; SELECT a FROM t; COMMIT");
}

/* A write in it is our mistake; elsewhere the server reads only. */
static void
a_transaction_that_we_made_read_only_is_right(void **state)
{
    (void)state;
    ok(db_begin_snapshot(db));
    fake_fails("UPDATE", 1792);
    assert_int_equal(set(), ERR_INTERNAL);
    assert_int_equal(db_end(db, ERR_INTERNAL), ERR_INTERNAL);
    ok(db_begin(db));
    fake_fails("UPDATE", 1792);
    assert_int_equal(set(), ERR_STORE);
    assert_int_equal(db_end(db, ERR_STORE), ERR_STORE);
    (void)fake_said();
}

static void
a_request_forgets_the_last_ones_failure(void **state)
{
    char id[80];

    (void)state;
    fake_fails("UPDATE", 1062);
    assert_int_equal(set(), ERR_EXISTS);
    memset(id, 'x', sizeof(id));
    id[64] = '\0';
    db_request_id(db, id);
    assert_string_equal(db->request_id, id);
    assert_int_equal(db_errno(db), 0);
    assert_string_equal(db_error(db), "");
    id[64] = 'x'; /* one more than its column takes */
    id[65] = '\0';
    db_request_id(db, id);
    assert_string_equal(db->request_id, "");
    db_request_id(db, "r1");
    db_request_id(db, NULL);
    assert_string_equal(db->request_id, "");
    (void)fake_said();
}

static void
a_duplicate_is_forgotten_by_the_next_transaction(void **state)
{
    (void)state;
    (void)strcpy(db->failure.dup, "thing_name");
    assert_string_equal(db_dup_index(db), "thing_name");
    ok(db_begin(db));
    assert_string_equal(db_dup_index(db), "");
    ok(db_end(db, ERR_OK));
}

/* ---- COMMIT ---- */

static enum err seen[8];
static size_t n_seen;

static enum err
look(struct db *handle, const char *request_id)
{
    assert_ptr_equal(handle, db);
    assert_string_equal(request_id, "r1");
    fake_say("look");
    return seen[n_seen++];
}

/* A transaction that has written, whose COMMIT fails so. */
static void
commit_fails(unsigned code)
{
    db_request_id(db, "r1");
    n_seen = 0;
    ok(db_begin(db));
    ok(set());
    db_witness(db, look);
    (void)fake_said();
    fake.log_n = 0;
    fake_fails("COMMIT", code);
}

static void
a_lost_commit_that_took_effect_is_a_success(void **state)
{
    (void)state;
    commit_fails(LOST);
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    SAID("COMMIT; hangup; connect h0/d; " MADE "; end 1; look");
    assert_false(db_may_rerun(db));
    assert_false(db_in_transaction(db));
    assert_int_equal(fake.count[METRIC_STORE_UNCERTAIN], 1);
    assert_non_null(strstr(fake.log, "db.commit_in_doubt errno=2013"
                                     " text=\"planned\" peer=h0 id=1\n"));
    assert_non_null(strstr(fake.log, "db.commit_settled outcome=committed\n"));
}

static void
a_lost_commit_that_did_not_is_run_again(void **state)
{
    (void)state;
    commit_fails(LOST);
    seen[0] = ERR_NOT_FOUND;
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    SAID("COMMIT; hangup; connect h0/d; " MADE "; end 1; look");
    assert_true(db_may_rerun(db));
    assert_non_null(strstr(fake.log, "outcome=undone\n"));
}

/* The old session may still be at work: a row that is there says something,
 * one that is not says nothing. */
static void
without_the_end_of_the_old_session_only_a_row_tells(void **state)
{
    (void)state;
    commit_fails(LOST);
    fake_fails("end 1", 1094);
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    (void)fake_said();
    commit_fails(LOST);
    fake_fails("end 2", 1094);
    seen[0] = ERR_NOT_FOUND;
    seen[1] = ERR_NOT_FOUND; /* by then it is gone */
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    SAID("COMMIT; hangup; connect h0/d; " MADE "; end 2; look; hangup;"
         " connect h0/d; " MADE "; end 2; look");
    assert_int_equal(fake.naps, 1);
    assert_true(db_may_rerun(db));
}

static void
a_connection_lost_by_the_question_is_made_anew(void **state)
{
    (void)state;
    commit_fails(LOST);
    fake_fails("end 1", LOST);
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    SAID("COMMIT; hangup; connect h0/d; " MADE "; end 1; hangup; connect h0/d;"
         " " MADE "; end 1; look");
}

static void
without_a_witness_the_end_is_not_known(void **state)
{
    (void)state;
    commit_fails(LOST);
    db_witness(db, NULL);
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    SAID("COMMIT; hangup; connect h0/d; " MADE "; end 1");
    assert_false(db_may_rerun(db));
    assert_non_null(strstr(fake.log, "outcome=unknowable\n"));
    commit_fails(LOST);
    db_request_id(db, "");
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_non_null(strstr(fake.log, "outcome=unknowable\n"));
    (void)fake_said();
    commit_fails(LOST);
    db_request_id(db, "");
    fake_fails("end", 1094); /* and not even that it is over */
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_int_equal(fake.naps, 1);
    (void)fake_said();
}

static void
what_stays_unknown_is_no_success_and_not_run_again(void **state)
{
    (void)state;
    commit_fails(LOST);
    fake.down[0] = true;
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_false(db_may_rerun(db));
    assert_non_null(strstr(fake.log, "outcome=unknown\n"));
    /* asked every 20 ms for five seconds */
    assert_int_equal(fake.naps, 250);
    assert_int_equal(fake.now_ms, FAKE_START_MS + 5000);
    (void)fake_said();
}

static void
the_question_may_end_a_little_after_the_deadline(void **state)
{
    (void)state;
    db_deadline(db, fake.now_ms + 3000);
    commit_fails(LOST);
    fake.down[0] = true;
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_int_equal(fake.now_ms, FAKE_START_MS + 3000);
    assert_int_equal(db->deadline_ms, FAKE_START_MS + 3000); /* as it was */
    fake.down[0] = false;
    fake.now_ms = FAKE_START_MS;
    db->retry_ms = 0;
    db_deadline(db, fake.now_ms + 100);
    commit_fails(LOST);
    fake.down[0] = true;
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_int_equal(fake.now_ms, FAKE_START_MS + 1000);
    (void)fake_said();
}

static void
the_host_itself_is_asked_first_and_then_the_others(void **state)
{
    (void)state;
    fake.down[0] = true;
    commit_fails(LOST);
    (void)fake_said();
    fake.down[0] = false;
    fake.down[1] = true;
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    SAID("COMMIT; hangup; connect h1/d; connect h2/d; " MADE "; end 1; look");
    commit_fails(LOST);
    fake.down[1] = false;
    fake_fails("connect h2", 2003);
    fake_fails("connect h0", 2003);
    fake_fails("connect h1", 2003);
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    SAID("COMMIT; hangup; connect h2/d; connect h0/d; connect h1/d;"
         " connect h2/d; " MADE "; end 2; look");
    assert_int_equal(fake.naps, 1); /* between two rounds */
}

static void
the_end_of_a_transaction_that_only_read_is_of_no_matter(void **state)
{
    (void)state;
    ok(db_begin(db));
    ok(get());
    (void)fake_said();
    fake_fails("COMMIT", LOST);
    ok(db_end(db, ERR_OK));
    SAID("COMMIT; hangup");
    assert_false(db_in_transaction(db));
    ok(db_begin(db)); /* a write that failed may have written */
    fake_fails("UPDATE", 1062);
    assert_int_equal(set(), ERR_EXISTS);
    fake_fails("COMMIT", LOST);
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_non_null(strstr(fake.log, "outcome=unknowable\n"));
    (void)fake_said();
}

static void
a_commit_that_is_refused_is_undone(void **state)
{
    static const struct {
        unsigned code;
        enum err e;
        bool rerun;
    } cases[] = {
        { 1213, ERR_BUSY, true },    { 3101, ERR_BUSY, true },
        { 1062, ERR_EXISTS, false }, { NOT_MINE, ERR_STORE, false },
        { 1290, ERR_STORE, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        commit_fails(cases[i].code);
        fake.value = "1"; /* the server has it still, if asked */
        assert_int_equal(db_end(db, ERR_OK), cases[i].e);
        assert_int_equal(db_may_rerun(db), cases[i].rerun);
        assert_int_equal(n_seen, 0);
        assert_false(db_in_transaction(db));
    }
    assert_int_equal(fake.count[METRIC_STORE_UNCERTAIN], 0);
    (void)fake_said();
}

/* The server that still has the transaction has not committed it. */
static void
an_error_of_another_kind_is_looked_into(void **state)
{
    (void)state;
    commit_fails(1317);
    fake.value = "1";
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    SAID("COMMIT; SELECT @@in_transaction; ROLLBACK");
    assert_true(db_may_rerun(db)); /* it is certain */
    assert_int_equal(fake.until, fake.now_ms + 500);
    fake.value = "0";
    commit_fails(1317);
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    SAID("COMMIT; SELECT @@in_transaction; hangup; connect h0/d; " MADE
         "; end 1; look");
    commit_fails(1317);
    fake_fails("@@in_transaction", LOST);
    fake.value = "1";
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    SAID("COMMIT; SELECT @@in_transaction; hangup; connect h0/d; " MADE
         "; end 2; look");
}

static void
a_commit_is_not_sent_after_the_deadline(void **state)
{
    (void)state;
    db_deadline(db, fake.now_ms + 10);
    commit_fails(0);
    fake.now_ms += 10;
    assert_int_equal(db_end(db, ERR_OK), ERR_TIMEOUT);
    SAID("ROLLBACK");
    db_deadline(db, 0);
    ok(db_begin(db)); /* or on a connection that is another */
    ok(set());
    db_hangup(db);
    fake.down[0] = true;
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    (void)fake_said();
}

/* ---- who watches ---- */

static bool is_ready;
static enum err settled;
static int64_t settle_until_ms;

static void
hear_touch(struct db_touched *t, const char *thing)
{
    assert_string_equal(thing, "i1");
    t->slot[t->n++] = 7;
}

static bool
hear_ready(void)
{
    return is_ready;
}

static void
hear_begin(const struct db_touched *t)
{
    assert_int_equal(t->slot[0], 7);
    fake_say("begin");
}

static void
hear_end(const struct db_touched *t)
{
    assert_int_equal(t->n, 1);
    fake_say("end");
}

static enum err
hear_settle(struct db *handle, int64_t until)
{
    assert_false(db_in_transaction(handle));
    assert_false(handle->batch.wanted);
    settle_until_ms = until;
    fake_say("settle");
    return settled;
}

static const struct db_watch hearing = { hear_touch, hear_ready, hear_begin,
                                         hear_end, hear_settle };

static void
touching_commit_fails(bool ready, unsigned code)
{
    db_watch(&hearing);
    is_ready = ready;
    settled = ERR_OK;
    commit_fails(code);
    db_touch(db, "i1");
}

static void
who_watches_hears_of_a_commit(void **state)
{
    (void)state;
    touching_commit_fails(true, 0);
    ok(db_end(db, ERR_OK));
    SAID("begin; COMMIT; end; settle");
    assert_int_equal(settle_until_ms, fake.now_ms + 10000);
    db_deadline(db, fake.now_ms + 50);
    db_batch(db, true);
    touching_commit_fails(true, 0);
    settled = ERR_TIMEOUT;
    db->rerun = true;
    assert_int_equal(db_end(db, ERR_OK), ERR_TIMEOUT);
    assert_int_equal(settle_until_ms, fake.now_ms + 50);
    assert_false(db_may_rerun(db)); /* it is done, though not said */
    assert_true(db->batch.wanted);
    (void)fake_said();
    ok(db_begin(db)); /* nothing of theirs */
    ok(set());
    ok(db_end(db, ERR_OK));
    SAID("START TRANSACTION | UPDATE t SET a = 1 | SELECT ROW_COUNT() AS m,"
         " LAST_INSERT_ID() AS i; COMMIT");
}

static void
who_watches_hears_how_it_ended(void **state)
{
    (void)state;
    touching_commit_fails(true, 1213);
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    SAID("begin; COMMIT; end; ROLLBACK");
    touching_commit_fails(true, LOST);
    seen[0] = ERR_OK;
    ok(db_end(db, ERR_OK));
    SAID("begin; COMMIT; hangup; connect h0/d; " MADE "; end 1; look; end");
    touching_commit_fails(true, LOST);
    fake.down[0] = true;
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_null(strstr(fake_said(), "; end")); /* nobody knows */
}

static void
who_is_not_ready_is_told_before(void **state)
{
    (void)state;
    db_batch(db, true);
    touching_commit_fails(false, 0);
    assert_int_equal(db_end(db, ERR_OK), ERR_BUSY);
    SAID("ROLLBACK; settle");
    assert_true(db_may_rerun(db));
    assert_true(db->batch.wanted);
    touching_commit_fails(false, 0);
    settled = ERR_STORE;
    assert_int_equal(db_end(db, ERR_OK), ERR_STORE);
    assert_false(db_may_rerun(db));
    (void)fake_said();
}

static void
without_who_watches_nothing_is_committed(void **state)
{
    (void)state;
    ok(db_begin(db));
    ok(set());
    db_touch(db, "i1");
    assert_int_equal(db_end(db, ERR_OK), ERR_INTERNAL);
    SAID("START TRANSACTION; UPDATE t SET a = 1; ROLLBACK");
}

/* ---- sessions ---- */

static void
the_end_of_a_session_says_whether_it_came(void **state)
{
    struct my_session old = *db_session(db);

    (void)state;
    ok(db_session_end(db, &old, 0));
    fake.plan[fake.n_plans++] =
        (struct fake_plan){ .part = "end 1", .times = 1, .own = ERR_TIMEOUT };
    assert_int_equal(db_session_end(db, &old, 0), ERR_TIMEOUT);
    fake.log_n = 0;
    fake_fails("end 1", 1094);
    assert_int_equal(db_session_end(db, &old, 0), ERR_NOT_FOUND);
    assert_true(fake.log_n > 0);
    old.server[0] = 'x';
    fake.log_n = 0;
    assert_int_equal(db_session_end(db, &old, 0), ERR_STATE);
    assert_int_equal(fake.log_n, 0);
    (void)fake_said();
}

int
main(void)
{
#define ONE(f)   cmocka_unit_test_setup_teardown(f, connected, closed)
#define THREE(f) cmocka_unit_test_setup_teardown(f, three_hosts, closed)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_has_its_consequences),
        ONE(what_is_lost_is_counted),
        ONE(the_only_host_that_reads_only_is_no_reason_to_try_again),
        ONE(beyond_the_deadline_a_lost_reply_is_that_of_the_deadline),
        ONE(with_no_time_left_nothing_is_run_again),
        ONE(the_end_of_what_was_abandoned_may_be_missed),
        ONE(a_mistake_of_our_own_is_told),
        ONE(a_transaction_begins_with_its_first_statement),
        ONE(a_failure_is_rolled_back),
        ONE(what_comes_after_a_failure_is_not_sent),
        ONE(a_snapshot_is_asked_for_and_never_committed),
        ONE(a_transaction_that_we_made_read_only_is_right),
        ONE(a_request_forgets_the_last_ones_failure),
        ONE(a_duplicate_is_forgotten_by_the_next_transaction),
        ONE(a_lost_commit_that_took_effect_is_a_success),
        ONE(a_lost_commit_that_did_not_is_run_again),
        ONE(without_the_end_of_the_old_session_only_a_row_tells),
        ONE(a_connection_lost_by_the_question_is_made_anew),
        ONE(without_a_witness_the_end_is_not_known),
        ONE(what_stays_unknown_is_no_success_and_not_run_again),
        ONE(the_question_may_end_a_little_after_the_deadline),
        THREE(the_host_itself_is_asked_first_and_then_the_others),
        ONE(the_end_of_a_transaction_that_only_read_is_of_no_matter),
        ONE(a_commit_that_is_refused_is_undone),
        ONE(an_error_of_another_kind_is_looked_into),
        ONE(a_commit_is_not_sent_after_the_deadline),
        ONE(who_watches_hears_of_a_commit),
        ONE(who_watches_hears_how_it_ended),
        ONE(who_is_not_ready_is_told_before),
        ONE(without_who_watches_nothing_is_committed),
        ONE(the_end_of_a_session_says_whether_it_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
