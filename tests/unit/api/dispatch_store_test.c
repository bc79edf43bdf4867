/* A request through the tables with a store behind it: its transaction, its
 * runs, its job. What its audit row holds is tried in req_audit_test.c. */
#include "sample/sample.h"

#include "log_fixture.h"
#include "sample/sample_store.h"
#include "store/db_impl.h"

/* ---- a mutation ---- */

static int next_id;

/* Inserts a thing of that name. */
static enum err
add(struct req *r, const char *name)
{
    return db_exec(r->db, "INSERT INTO thing (id, name) VALUES (?, ?)",
                   DB_ARGS(db_i64(++next_id), db_str(name)));
}

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
    enum err e = add(r, "a");

    assert_true(db_in_transaction(r->db));
    return e == ERR_OK ? req_ok(r) : e;
}

static void
a_mutation_is_committed_with_its_audit_row(void **state)
{
    (void)state;
    act = act_adds;
    STATUS(201, ACT_TX, .id = "one");
    assert_int_equal(runs, 1);
    assert_int_equal(things("a"), 1);
    assert_int_equal(audited("one"), 1);
    assert_false(db_in_transaction(sample_db));
    /* by which a COMMIT is found whose reply was lost */
    assert_string_equal(sample_db->request_id, "one");
}

static enum err
act_adds_and_refuses(struct req *r)
{
    enum err e = add(r, "b");

    return e == ERR_OK ? req_fail(r, SAMPLE_HOOK, ARGS()) : e;
}

static enum err
act_adds_and_cannot_say_so(struct req *r)
{
    struct sample_count in = { .n = 14 }; /* a row of them fails */
    enum err e = add(r, "b");

    return e == ERR_OK ? sample_rows_get(r, &in) : e;
}

static void
what_fails_or_cannot_be_answered_is_not_done(void **state)
{
    (void)state;
    act = act_adds_and_refuses;
    STATUS(403, ACT_TX, .id = "two");
    act = act_adds_and_cannot_say_so;
    STATUS(503, ACT_TX, .id = "two");
    assert_int_equal(things("b"), 0);
    assert_int_equal(audited("two"), 0);
    assert_false(db_in_transaction(sample_db));
}

static enum err
act_adds_another(struct req *r)
{
    enum err e = add(r, "c");

    return e == ERR_OK ? req_ok(r) : e;
}

/* A front end that gives an id again must not have it called done. */
static void
a_request_id_is_used_once(void **state)
{
    (void)state;
    act = act_adds_another;
    log_catch();
    STATUS(500, ACT_TX, .id = "one");
    assert_non_null(strstr(logged(), "request.id_used_twice id=one"));
    log_release();
    assert_int_equal(things("c"), 0);
    assert_int_equal(audited("one"), 1);
}

/* ---- duplicates ---- */

static enum err
act_adds_the_same_id(struct req *r)
{
    enum err e = db_exec(r->db, "INSERT INTO thing (id, name) VALUES (1, 'd')",
                         DB_NO_ARGS);

    return e == ERR_OK ? req_ok(r) : e;
}

static enum err
act_words_it_itself(struct req *r)
{
    enum err e = add(r, "a");

    return e == ERR_EXISTS ? req_fail(r, SAMPLE_TAKEN, ARGS(arg("why", "own")))
                           : ERR_INTERNAL;
}

static void
a_duplicate_is_worded_by_its_index(void **state)
{
    (void)state;
    act = act_adds;
    log_catch();
    SAYS("{\"TAKEN\":\"x of  with  is  {\"}", ACT_TX, .id = "three");
    act = act_adds_the_same_id;
    SAYS("{\"INTERNAL\":\"internal\"}", ACT_TX, .id = "three");
    assert_null(strstr(logged(), "request.id_used_twice"));
    log_release();
    act = act_words_it_itself;
    SAYS("{\"TAKEN\":\"x of  with  is own {\"}", ACT_TX, .id = "three");
    assert_int_equal(audited("three"), 0);
}

/* ---- batches ---- */

static enum err later_said[2];

static enum err
act_adds_later(struct req *r)
{
    static const char sql[] = "INSERT INTO thing (id, name) VALUES (?, ?)";
    enum err e = ERR_OK;

    for (int i = 0; i < 2 && e == ERR_OK; i++)
        e = later_said[i] = db_later(
            r->db, sql, DB_ARGS(db_i64(++next_id), db_str(i == 0 ? "e" : "a")));
    return e == ERR_OK ? req_ok(r) : e;
}

/* Which of them failed is not known before each is sent by itself. */
static void
a_batch_that_fails_is_run_again_one_by_one(void **state)
{
    (void)state;
    act = act_adds_later;
    SAYS("{\"TAKEN\":\"x of  with  is  {\"}", ACT_TX, .id = "four");
    assert_int_equal(runs, 2);
    assert_int_equal(later_said[0], ERR_OK);
    assert_int_equal(later_said[1], ERR_EXISTS);
    assert_int_equal(things("e"), 0);
}

static enum err
act_adds_one_later(struct req *r)
{
    enum err e = db_later(r->db, "INSERT INTO thing (id, name) VALUES (?, ?)",
                          DB_ARGS(db_i64(++next_id), db_str("f")));

    return e == ERR_OK ? req_ok(r) : e;
}

static void
a_batch_that_succeeds_is_run_once(void **state)
{
    (void)state;
    act = act_adds_one_later;
    STATUS(201, ACT_TX, .id = "five");
    assert_int_equal(runs, 1);
    assert_int_equal(things("f"), 1);
}

/* Whoever uses the connection next has not promised to run it again. */
static void
after_a_request_nothing_is_batched(void **state)
{
    (void)state;
    act = act_adds_one_later;
    STATUS(409, ACT_TX, .id = "six"); /* a name that is taken */
    ok(db_begin(sample_db));
    (void)number(sample_db, "SELECT COUNT(*) FROM thing");
    assert_int_equal(db_later(sample_db,
                              "INSERT INTO thing (id, name) VALUES (?, ?)",
                              DB_ARGS(db_i64(++next_id), db_str("a"))),
                     ERR_EXISTS);
    assert_int_equal(db_end(sample_db, ERR_EXISTS), ERR_EXISTS);
}

/* ---- runs ---- */

static enum err
act_forgets(struct req *r)
{
    if (runs == 1) {
        req_header_add(r, "X-First", "1");
        req_audit(r, "first", "{\"first\":1}", "{\"first\":2}");
        req_wake(r);
        r->io->audit_lost = true;
        r->io->job_id = "1";
        (void)!req_send_text(r, "text/x", "first", 5);
        (void)!req_send(r, &sample_thing_rec, NULL);
        return ERR_BUSY;
    }
    return req_ok(r);
}

static void
a_second_run_knows_nothing_of_the_first(void **state)
{
    const char *s;

    (void)state;
    act = act_forgets;
    s = ASK(ACT_TX, .id = "seven");
    assert_int_equal(runs, 2);
    assert_non_null(strstr(s, "Status: 201 "));
    assert_null(strstr(s, "X-First"));
    assert_string_equal(body_of(s), "\"ok\"");
    assert_string_equal(audit_text(AUDIT_OF("CONCAT(target, '|',"
                                            " COALESCE(before_json, '-'), '|',"
                                            " COALESCE(after_json, '-'))"),
                                   "seven"),
                        "|-|-");
    assert_false(woken());
}

/* Words of the first run; the second fails without any. */
static enum err
act_fails_otherwise(struct req *r)
{
    if (runs == 2)
        return ERR_NOMEM;
    ok(db_later(r->db, "INSERT INTO thing (id, name) VALUES (?, 'a')",
                DB_ARGS(db_i64(++next_id))));
    return req_fail(r, SAMPLE_HOOK, ARGS());
}

static void
a_second_run_has_its_own_failure(void **state)
{
    (void)state;
    act = act_fails_otherwise;
    SAYS("{\"NOMEM\":\"memory\"}", ACT_TX, .id = "eight");
    assert_int_equal(runs, 2);
}

static enum err
act_waits_for_a_lock(struct req *r)
{
    enum err e;

    if (runs == 2)
        ok(db_end(other, ERR_OK)); /* who had it is done */
    e = db_exec(r->db, "UPDATE thing SET n = n + 1 WHERE name = 'a'",
                DB_NO_ARGS);
    return e == ERR_OK ? req_ok(r) : e;
}

static void
who_waits_for_a_lock_too_long_is_run_again(void **state)
{
    (void)state;
    ok(db_begin(other));
    ok(db_exec(other, "UPDATE thing SET n = 10 WHERE name = 'a'", DB_NO_ARGS));
    act = act_waits_for_a_lock;
    STATUS(201, ACT_TX, .id = "nine");
    assert_int_equal(runs, 2);
    assert_int_equal(number(sample_db, "SELECT n FROM thing WHERE name = 'a'"),
                     11);
}

/* ---- one view ---- */

static bool views_differ;

static enum err
act_looks_twice(struct req *r)
{
    static const char sql[] = "SELECT COUNT(*) FROM thing";
    int64_t first = number(r->db, sql);

    ok(db_exec(other, "INSERT INTO thing (id, name) VALUES (?, ?)",
               DB_ARGS(db_i64(++next_id),
                       db_str(arena_printf(arena, "look%d", next_id)))));
    views_differ = number(r->db, sql) != first;
    return req_ok(r);
}

static enum err
act_begins_a_view(struct req *r)
{
    enum err e = db_begin_snapshot(r->db);

    return e == ERR_OK ? act_looks_twice(r) : e;
}

static enum err
act_begins_a_view_and_refuses(struct req *r)
{
    enum err e = db_begin_snapshot(r->db);

    return e == ERR_OK ? req_fail(r, SAMPLE_HOOK, ARGS()) : e;
}

/* It has first looked at what is kept. */
static void
a_view_that_the_handler_begins_ends_with_its_reply(void **state)
{
    (void)state;
    act = act_begins_a_view;
    STATUS(200, .path = "/a/act");
    assert_false(views_differ);
    assert_false(db_in_transaction(sample_db));
    act = act_begins_a_view_and_refuses;
    STATUS(403, .path = "/a/act");
    assert_false(db_in_transaction(sample_db));
}

static enum err
act_never(struct req *r)
{
    (void)r;
    fail_msg("%s", "it cannot have its view");
    return ERR_OK;
}

static void
a_snapshot_is_one_view_for_the_whole_handler(void **state)
{
    (void)state;
    act = act_looks_twice;
    STATUS(200, .method = "GET", .path = "/a/act/snapshot");
    assert_false(views_differ);
    assert_false(db_in_transaction(sample_db));
    STATUS(200, .path = "/a/act");
    assert_true(views_differ);
    act = act_never; /* for the connection is in use */
    ok(db_begin(sample_db));
    STATUS(500, .method = "GET", .path = "/a/act/snapshot");
    assert_int_equal(runs, 0);
    assert_false(db_in_transaction(sample_db));
}

/* ---- jobs ---- */

static const struct job_step steps[] = { { "first", NULL, NULL },
                                         { "second", NULL, NULL } };
static struct job_kind kind = { .queue = "unit", .steps = steps, .n = 2 };
static uint64_t accepted_id;

static enum err
act_accepts(struct req *r)
{
    struct job_new n = { .kind = &kind,
                         .client_id = "c1",
                         .args = "{\"secret\":\"hush\"}",
                         .shown = "{\"secret\":\"***\"}" };
    enum err e = req_accept(r, &n);

    if (e == ERR_OK)
        accepted_id = strtoull(r->io->job_id, NULL, 10);
    return e;
}

#define MAKE                            \
    .listener = "console", .path = "/", \
    .body = "{\"job_type\":\"make_thing\",\"name\":\"x\"}"

static void
an_accepted_job_is_a_row_of_the_same_transaction(void **state)
{
    char text[64];
    struct job j;

    (void)state;
    act = act_accepts;
    kind.name = "unit.make";
    (void)woken();
    STATUS(200, MAKE, .id = "ten");
    (void)snprintf(text, sizeof(text), "{\"job\":\"%llu\"}",
                   (unsigned long long)accepted_id);
    assert_string_equal(body_of(buf_text(&sent)), text);
    ok(job_get(sample_db, arena, accepted_id, &j));
    assert_string_equal(j.kind, "unit.make");
    assert_string_equal(j.token_name, "t");
    assert_string_equal(j.request_id, "ten");
    assert_int_equal(j.state, JOB_QUEUED);
    (void)snprintf(text, sizeof(text), "job %llu",
                   (unsigned long long)accepted_id);
    assert_string_equal(audit_text(AUDIT_OF("target"), "ten"), text);
    assert_string_equal(audit_text(AUDIT_OF("after_json"), "ten"),
                        "{\"secret\":\"***\"}");
    assert_true(woken());
    assert_false(woken());
}

static enum err
act_accepts_and_refuses(struct req *r)
{
    enum err e = act_accepts(r);

    return e == ERR_OK ? req_fail(r, SAMPLE_HOOK, ARGS()) : e;
}

static int64_t
jobs(void)
{
    return number(other, "SELECT COUNT(*) FROM job");
}

static void
a_refused_job_is_none(void **state)
{
    static char longer[80]; /* than the column */
    int64_t before = jobs();

    (void)state;
    act = act_accepts_and_refuses;
    SAYS("{\"HOOK\":\"hook \"}", MAKE, .id = "eleven");
    memset(longer, 'k', sizeof(longer) - 1);
    kind.name = longer;
    act = act_accepts;
    assert_null(strstr(ASK(MAKE, .id = "eleven"), "Status: 2"));
    kind.name = "unit.make";
    SAYS("{\"SCOPE\":\"make_thing needs write\"}", MAKE, .id = "eleven",
         .scope = "read");
    assert_int_equal(runs, 0);
    hook_refuses = 'a';
    SAYS("{\"HOOK\":\"hook \"}", MAKE, .id = "eleven");
    hook_refuses = '\0';
    assert_int_equal(runs, 0);
    assert_non_null(strstr(ASK(.listener = "console", .path = "/",
                               .body = "{\"job_type\":\"make_thing\","
                                       "\"level\":\"many\"}"),
                           "{\"FIELD\":\"level "));
    assert_int_equal(runs, 0);
    assert_int_equal(jobs(), before);
    assert_int_equal(audited("eleven"), 0);
    assert_false(woken());
}

/* No number can be told without memory: then there is no job either. */
static enum err
act_accepts_without_memory(struct req *r)
{
    struct arena *usual = r->arena, *small = arena_new(1);
    enum err e;

    r->arena = small;
    e = act_accepts(r);
    r->arena = usual;
    arena_free(small);
    return e;
}

static void
a_job_that_cannot_be_told_is_not_accepted(void **state)
{
    int64_t before = jobs();

    (void)state;
    act = act_accepts_without_memory;
    SAYS("{\"NOMEM\":\"memory\"}", MAKE, .id = "twelve");
    assert_int_equal(jobs(), before);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mutation_is_committed_with_its_audit_row),
        cmocka_unit_test(what_fails_or_cannot_be_answered_is_not_done),
        cmocka_unit_test(a_request_id_is_used_once),
        cmocka_unit_test(a_duplicate_is_worded_by_its_index),
        cmocka_unit_test(a_batch_that_fails_is_run_again_one_by_one),
        cmocka_unit_test(a_batch_that_succeeds_is_run_once),
        cmocka_unit_test(after_a_request_nothing_is_batched),
        cmocka_unit_test(a_second_run_knows_nothing_of_the_first),
        cmocka_unit_test(a_second_run_has_its_own_failure),
        cmocka_unit_test(who_waits_for_a_lock_too_long_is_run_again),
        cmocka_unit_test(a_snapshot_is_one_view_for_the_whole_handler),
        cmocka_unit_test(a_view_that_the_handler_begins_ends_with_its_reply),
        cmocka_unit_test(an_accepted_job_is_a_row_of_the_same_transaction),
        cmocka_unit_test(a_refused_job_is_none),
        cmocka_unit_test(a_job_that_cannot_be_told_is_not_accepted),
    };

    return cmocka_run_group_tests(tests, store_setup, store_teardown);
}
