/* X-Metagate-Dry-Run: what a change would do is told, and not done. */
#include "sample/sample.h"

#include "job.h"
#include "log_fixture.h"
#include "sample/sample_store.h"
#include "store/audit.h"

#define DRY_RUN .header_name = "HTTP_X_METAGATE_DRY_RUN", .header_value = "1"

static int next_id;

static int64_t
things(const char *name)
{
    int64_t n = -1;

    ok(db_one_i64(other, "SELECT COUNT(*) FROM thing WHERE name = ?",
                  DB_ARGS(db_str(name)), &n));
    return n;
}

static enum err
act_adds(struct req *r)
{
    enum err e = db_exec(r->db, "INSERT INTO thing (id, name) VALUES (?, 'a')",
                         DB_ARGS(db_i64(++next_id)));

    if (e != ERR_OK)
        return e;
    req_audit(r, "thing a", "{\"n\":1}", "{\"n\":2}");
    req_header_add(r, "X-Own", "1");
    req_wake(r);
    return req_ok(r);
}

static void
a_change_is_told_and_taken_back(void **state)
{
    const char *s;

    (void)state;
    act = act_adds;
    (void)woken();
    log_catch();
    s = ASK(ACT_TX, .id = "one", DRY_RUN);
    assert_non_null(strstr(s, "Status: 200 "));
    assert_non_null(strstr(s, "X-Metagate-Dry-Run: 1\r\n"));
    assert_non_null(strstr(s, "Content-Type: application/json; charset=utf-8"));
    assert_null(strstr(s, "X-Own"));
    assert_string_equal(body_of(s),
                        "{\"dry_run\":true,\"operation\":\"act/tx\","
                        "\"target\":\"thing a\",\"before\":{\"n\":1},"
                        "\"after\":{\"n\":2}}");
    assert_non_null(strstr(logged(), " dry_run=yes"));
    log_release();
    assert_int_equal(runs, 1);
    assert_int_equal(things("a"), 0);
    assert_int_equal(audited("one"), 0);
    assert_false(woken());
    assert_false(db_in_transaction(sample_db));
    /* and "0" is none; the id was not used up */
    STATUS(201, ACT_TX, .id = "one", .header_name = "HTTP_X_METAGATE_DRY_RUN",
           .header_value = "0");
    assert_int_equal(things("a"), 1);
    assert_int_equal(audited("one"), 1);
    assert_true(woken());
}

static enum err
act_refuses(struct req *r)
{
    enum err e = db_exec(r->db, "INSERT INTO thing (id, name) VALUES (99, 'b')",
                         DB_NO_ARGS);

    return e == ERR_OK ? req_fail(r, SAMPLE_HOOK, ARGS()) : e;
}

/* Sent with the COMMIT, if there were one. */
static enum err
act_adds_later(struct req *r)
{
    enum err e = db_later(r->db, "INSERT INTO thing (id, name) VALUES (?, 'a')",
                          DB_ARGS(db_i64(++next_id)));

    return e == ERR_OK ? req_ok(r) : e;
}

static void
a_refusal_is_that_of_the_change(void **state)
{
    (void)state;
    act = act_refuses;
    SAYS("{\"HOOK\":\"hook \"}", ACT_TX, .id = "two", DRY_RUN);
    act = act_adds_later;
    SAYS("{\"TAKEN\":\"x of  with  is  {\"}", ACT_TX, .id = "two", DRY_RUN);
    SAYS("{\"SCOPE\":\"act/tx needs write\"}", ACT_TX, .scope = "read",
         DRY_RUN);
    assert_int_equal(things("b"), 0);
    assert_false(db_in_transaction(sample_db));
}

static char longer[AUDIT_JSON_BYTES + 8];
static size_t says_n; /* bytes of its document */

static enum err
act_says_much(struct req *r)
{
    memset(longer, '1', says_n);
    longer[says_n] = '\0';
    req_audit(r, NULL, NULL, longer);
    return req_ok(r);
}

static enum err
act_says_nothing(struct req *r)
{
    return req_ok(r);
}

static void
it_says_what_the_audit_row_would(void **state)
{
    (void)state;
    act = act_says_much;
    says_n = AUDIT_JSON_BYTES + 1;
    SAYS("{\"dry_run\":true,\"operation\":\"act/tx\",\"target\":null,"
         "\"before\":null,\"after\":" AUDIT_TOO_LONG "}",
         ACT_TX, DRY_RUN);
    says_n = AUDIT_JSON_BYTES; /* as much as may be */
    assert_non_null(strstr(ASK(ACT_TX, DRY_RUN), "\"after\":1111"));
    act = act_says_nothing;
    SAYS("{\"dry_run\":true,\"operation\":\"act/data\",\"target\":null,"
         "\"before\":null,\"after\":null}",
         .path = "/a/act/data", DRY_RUN);
}

static enum err
act_lost(struct req *r)
{
    r->io->audit_lost = true;
    return req_ok(r);
}

static void
what_there_is_no_memory_for_is_not_left_out(void **state)
{
    (void)state;
    act = act_lost;
    SAYS("{\"NOMEM\":\"memory\"}", ACT_TX, DRY_RUN);
}

/* ---- jobs ---- */

static const struct job_step steps[] = { { "first", NULL, NULL } };
static const struct job_kind kind = {
    .name = "unit.make", .queue = "unit", .steps = steps, .n = 1
};

static enum err
then_fails(struct req *r, void *ctx)
{
    (void)ctx;
    return req_fail(r, SAMPLE_HOOK, ARGS());
}

static enum err
act_accepts(struct req *r)
{
    struct job_new n = { .kind = &kind,
                         .args = "{}",
                         .shown = "{\"secret\":\"***\"}" };

    req_then(r, then_fails, NULL);
    return req_accept(r, &n);
}

static void
no_job_is_accepted(void **state)
{
    int64_t before = number(other, "SELECT COUNT(*) FROM job");

    (void)state;
    act = act_accepts;
    (void)woken();
    SAYS("{\"dry_run\":true,\"operation\":\"make_thing\",\"target\":\"job\","
         "\"before\":null,\"after\":{\"secret\":\"***\"}}",
         .listener = "console", .path = "/",
         .body = "{\"job_type\":\"make_thing\",\"name\":\"x\"}", DRY_RUN);
    assert_int_equal(number(other, "SELECT COUNT(*) FROM job"), before);
    assert_false(woken());
}

/* ---- rows without a transaction ---- */

static void
what_changes_nothing_is_answered_as_ever(void **state)
{
    (void)state;
    SAYS("\"ok\"", .method = "GET", .path = "/a/open", DRY_RUN);
    SAYS("\"ok\"", .method = "POST", .path = "/a/open", DRY_RUN);
    SAYS("\"ok\"", .method = "GET", .path = "/a/machines", DRY_RUN);
}

static void
what_cannot_be_taken_back_is_not_tried(void **state)
{
    (void)state;
    act = act_says_nothing;
    SAYS("{\"FIELD\":\"X-Metagate-Dry-Run this changes things at once, and "
         "cannot be tried\"}",
         .path = "/a/act", DRY_RUN);
    assert_int_equal(runs, 0);
    SAYS("{\"FIELD\":\"X-Metagate-Dry-Run must be 1 or 0\"}", ACT_TX,
         .header_name = "HTTP_X_METAGATE_DRY_RUN", .header_value = "yes");
    assert_int_equal(runs, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_told_and_taken_back),
        cmocka_unit_test(a_refusal_is_that_of_the_change),
        cmocka_unit_test(it_says_what_the_audit_row_would),
        cmocka_unit_test(what_there_is_no_memory_for_is_not_left_out),
        cmocka_unit_test(no_job_is_accepted),
        cmocka_unit_test(what_changes_nothing_is_answered_as_ever),
        cmocka_unit_test(what_cannot_be_taken_back_is_not_tried),
    };

    return cmocka_run_group_tests(tests, store_setup, store_teardown);
}
