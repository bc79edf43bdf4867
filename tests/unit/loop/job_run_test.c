/* What a step says about its job and asks of it. */
#include "job_fake.h"

#include "loop/job_run.c"

#define ARGS(X, s) X(s, I32, port, "port", IN, -)
STRUCT(args, ARGS);
TABLE(args, ARGS);

static struct job_hand hand;
static atomic_bool stopping;
static struct job_private private;
static struct job_run run;

static int
a_step(void **state)
{
    if (setup(state) != 0)
        return -1;
    hand = (struct job_hand){ .mutex = PTHREAD_MUTEX_INITIALIZER,
                              .renewed_ms = clock_mono_ms(),
                              .stopping = &stopping };
    atomic_store(&stopping, false);
    private = (struct job_private){ .hand = &hand, .uid = "u1" };
    row = (struct job){
        .id = 5, .epoch = 7, .step = 2, .token_name = "t", .request_id = "r"
    };
    run = (struct job_run){ .arena = arena, .job = &row, .private = &private };
    refuses(NULL, ERR_OK, 0);
    said[0] = '\0';
    return 0;
}

static int
a_step_ends(void **state)
{
    assert_unlocked();
    return teardown(state);
}

/* Its lease has run out. */
static void
lose(void)
{
    pass_ms(JOB_LEASE_MS);
}

static void
a_sentence_ends_behind_a_whole_character(void **state)
{
    char at_most[JOB_PROGRESS_BYTES + 8];

    (void)state;
    job_waits(&run, 20, "%s", "for \xe2\x82\xac and \xff");
    assert_string_equal(private.progress, "for \xe2\x82\xac and ?");
    for (size_t cut = 1; cut < 4; cut++) { /* bytes of it that fit */
        memset(at_most, 'x', sizeof(at_most));
        (void)snprintf(at_most + JOB_PROGRESS_BYTES - 1 - cut, 8, "%s",
                       cut == 1 ? "\xc3\xa4" : "\xf0\x9f\x8d\x8e");
        job_waits(&run, 20, "%s", at_most);
        assert_int_equal(strlen(private.progress),
                         JOB_PROGRESS_BYTES - 1 - cut);
        assert_int_equal(private.progress[JOB_PROGRESS_BYTES - 2 - cut], 'x');
    }
    /* what is broken there, and would not have been whole */
    memset(at_most, 'x', sizeof(at_most));
    at_most[JOB_PROGRESS_BYTES - 5] = '\xff';
    at_most[JOB_PROGRESS_BYTES - 1] = '\0';
    job_waits(&run, 20, "%s", at_most);
    assert_int_equal(private.progress[JOB_PROGRESS_BYTES - 5], '?');
    assert_int_equal(strlen(private.progress), JOB_PROGRESS_BYTES - 1);
    job_waits(&run, 20, "%s", "short \xe2\x82");
    assert_string_equal(private.progress, "short ??");
}

static void
who_waits_says_how_long_at_most_a_minute(void **state)
{
    (void)state;
    assert_false(private.waits);
    job_waits(&run, 20, "x");
    assert_true(private.waits);
    assert_int_equal(private.retry_ms, 20);
    job_waits(&run, JOB_WAIT_MAX_MS + 5, "x");
    assert_int_equal(private.retry_ms, JOB_WAIT_MAX_MS);
    job_waits(&run, JOB_WAIT_MAX_MS - 1, "x");
    assert_int_equal(private.retry_ms, JOB_WAIT_MAX_MS - 1);
    assert_false(private.fails);
    job_fails(&run, "port %d", 5);
    assert_true(private.fails);
    assert_string_equal(private.error, "port 5");
}

static void
arguments_are_read_or_it_is_said_why_not(void **state)
{
    struct args a;

    (void)state;
    run.args = "{\"port\":6001}";
    assert_int_equal(job_args(&run, &args_rec, &a), ERR_OK);
    assert_int_equal(a.port, 6001);
    assert_false(private.fails);
    run.args = "{\"port\":\"x\"}";
    assert_int_equal(job_args(&run, &args_rec, &a), ERR_BAD_PARAM);
    assert_true(private.fails);
    assert_non_null(strstr(private.error, "port must be"));
    private.fails = false;
    run.args = "{\"port\":";
    assert_int_equal(job_args(&run, &args_rec, &a), ERR_BAD_PARAM);
    assert_true(private.fails);
    assert_string_equal(private.error,
                        "arguments cannot be read: the text ends too early");
}

static void
arguments_nested_too_deep_are_the_jobs_fault(void **state)
{
    static char deep[4 * JSON_MAX_DEPTH + 1];
    struct args a;

    (void)state;
    memset(deep, '[', sizeof(deep) - 1);
    run.args = deep;
    assert_int_equal(job_args(&run, &args_rec, &a), ERR_BAD_PARAM);
    assert_string_equal(private.error,
                        "arguments cannot be read: nested too deep");
}

static void
without_memory_arguments_are_not_refused(void **state)
{
    struct arena *little = arena_new(4096);
    static char wide[1 << 16];
    struct args a;

    (void)state;
    memset(wide, ' ', sizeof(wide) - 1);
    memcpy(wide, "{}", 2);
    run.arena = little;
    run.args = wide;
    assert_int_equal(job_args(&run, &args_rec, &a), ERR_NOMEM);
    assert_false(private.fails);
    arena_free(little);
}

static void
a_lease_is_held_for_its_time(void **state)
{
    (void)state;
    pass_ms(JOB_LEASE_MS - 1);
    assert_true(job_hand_holds(&hand));
    pass_ms(1);
    assert_false(job_hand_holds(&hand));
    hand.renewed_ms = clock_mono_ms();
    assert_true(job_hand_holds(&hand));
    hand.lost = true;
    assert_false(job_hand_holds(&hand));
}

static void
who_has_lost_the_job_does_not_ask_the_store(void **state)
{
    (void)state;
    assert_int_equal(job_hold(&run), ERR_OK);
    assert_int_equal(job_remember(&run, "{}"), ERR_OK);
    assert_said("hold 5/7; remember 5/7 u1 {}; ");
    refuses("hold", ERR_STORE, 1);
    assert_int_equal(job_hold(&run), ERR_STORE);
    assert_said("hold 5/7; ");
    assert_false(run.private->lost);
    lose();
    assert_int_equal(job_hold(&run), ERR_STATE);
    assert_true(run.private->lost);
    run.private->lost = false;
    assert_int_equal(job_remember(&run, "{}"), ERR_STATE);
    assert_true(run.private->lost);
    run.private->lost = false;
    job_progress(&run, "x");
    assert_said("");
}

static void
what_is_remembered_is_the_memo_once_it_is_kept(void **state)
{
    static const char one[] = "{\"a\":1}", two[] = "{\"a\":2}";

    (void)state;
    assert_int_equal(job_remember(&run, one), ERR_OK);
    assert_ptr_equal(run.memo, one);
    refuses("remember", ERR_STATE, 1);
    assert_int_equal(job_remember(&run, two), ERR_STATE);
    assert_ptr_equal(run.memo, one);
}

#define MEMO(X, s)                              \
    X(s, STR, name, "name", IN | OUT, -)        \
    X(s, STR, key, "key", IN | OUT | SECRET, -) \
    X(s, LIST, ports, "ports", IN | OUT, I64, .max = 1)
STRUCT(memo, MEMO);
TABLE(memo, MEMO);

static void
a_record_is_remembered_whole_and_read_again(void **state)
{
    struct I64 ports[] = { { .v = 1 }, { .v = 2 } };
    struct memo in = { 0 }, out = { .name = "old" };

    (void)state;
    assert_int_equal(job_recall_record(&run, &memo_rec, &out), ERR_NOT_FOUND);
    assert_null(out.name);
    PUT(&in, memo, name, "n\"1");
    PUT(&in, memo, key, "k");
    PUT_LIST(&in, memo, ports, 2, ports);
    assert_int_equal(job_remember_record(&run, &memo_rec, &in), ERR_OK);
    assert_said("remember 5/7 u1"
                " {\"name\":\"n\\\"1\",\"key\":\"k\",\"ports\":[1,2]}; ");
    assert_int_equal(job_recall_record(&run, &memo_rec, &out), ERR_OK);
    assert_string_equal(out.name, "n\"1");
    assert_string_equal(out.key, "k");
    assert_int_equal(out.ports.n, 2);
    assert_int_equal(out.ports.v[1].v, 2);
    run.memo = "{\"name\":";
    assert_int_equal(job_recall_record(&run, &memo_rec, &out), ERR_BAD_PARAM);
    refuses("remember", ERR_STORE, 1);
    assert_int_equal(job_remember_record(&run, &memo_rec, &in), ERR_STORE);
}

static void
one_goes_on_unless_it_stops_or_is_cancelled_or_lost(void **state)
{
    (void)state;
    assert_true(job_go_on(&run));
    atomic_store(&hand.cancel, true);
    assert_false(job_go_on(&run));
    private.undoing = true; /* which is what was wanted */
    assert_true(job_go_on(&run));
    atomic_store(&stopping, true);
    assert_false(job_go_on(&run));
    atomic_store(&stopping, false);
    lose();
    assert_false(job_go_on(&run));
}

static void
progress_is_written_once_a_second(void **state)
{
    (void)state;
    job_progress(&run, "%d of %d", 1, 9);
    assert_said("progress 5/7 \"1 of 9\"; ");
    pass_ms(999);
    job_progress(&run, "2");
    assert_said("");
    pass_ms(1);
    job_progress(&run, "3");
    assert_said("progress 5/7 \"3\"; ");
}

static void
progress_that_is_not_written_is_noted(void **state)
{
    (void)state;
    log_catch();
    job_progress(&run, "1");
    assert_null(strstr(logged(), "job.progress"));
    pass_ms(1000);
    refuses("progress", ERR_STORE, 1);
    job_progress(&run, "2");
    assert_non_null(strstr(logged(), "job.progress id=5 err=store"));
    log_release();
}

static void
a_step_is_told_for_how_long_it_runs(void **state)
{
    (void)state;
    assert_int_equal(job_step_ms(&run), 1234);
    assert_said("step_ms 5 2; ");
    refuses("step_ms", ERR_STORE, 1);
    assert_int_equal(job_step_ms(&run), 0);
}

static void
what_a_step_tells_goes_with_its_outcome(void **state)
{
    (void)state;
    job_result(&run, "{}");
    assert_string_equal(private.result, "{}");
    assert_false(private.wakes);
    job_wakes(&run);
    assert_true(private.wakes);
    assert_said("");
}

/* ---- parts ---- */

static enum err
part(void)
{
    struct job_new n = { .args = "{}" };
    uint64_t id = 0;
    enum err e = job_part(&run, "a", &n, &id);

    assert_int_equal(id, e == ERR_OK ? 77 : 0);
    return e;
}

static void
a_part_is_accepted_under_the_lease(void **state)
{
    (void)state;
    assert_int_equal(part(), ERR_OK);
    assert_said("begin; hold 5/7; accept a of 5 for t r; commit; wake; ");
    refuses("begin", ERR_PEER, 1);
    assert_int_equal(part(), ERR_PEER);
    assert_said("begin; ");
    refuses("hold", ERR_STATE, 1);
    assert_int_equal(part(), ERR_STATE);
    assert_said("begin; hold 5/7; rollback; ");
}

static void
a_part_that_is_not_committed_wakes_nobody(void **state)
{
    struct job_new n = { .args = "{}" };
    uint64_t id = 0;

    (void)state;
    refuses("accept", ERR_STORE, 1);
    assert_int_equal(job_part(&run, "a", &n, &id), ERR_STORE);
    assert_said("begin; hold 5/7; accept a of 5 for t r; rollback; ");
    refuses("commit", ERR_STORE, 1);
    assert_int_equal(job_part(&run, "a", &n, &id), ERR_STORE);
    assert_said("begin; hold 5/7; accept a of 5 for t r; commit; ");
}

/* Parts with these states, one letter each: Queued, Running, Done, Failed,
 * Cancelled. */
static void
parts_are(const char *states)
{
    static const char letters[] = "QRUDFC";
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    static struct job v[5];

    memset(v, 0, sizeof(v));
    part_rows = (struct list_of_job){ strlen(states), v };
    for (size_t i = 0; i < part_rows.n; i++) {
        v[i] = (struct job){ .id = 100 + i,
                             .part = names[i],
                             .machine = "m",
                             .doing = "start",
                             .progress = names[i],
                             .state =
                                 (int)(strchr(letters, states[i]) - letters) };
        if (states[i] == 'F')
            v[i].error = names[i];
    }
}

static void
waits_for_parts(const char *states, enum step_answer expected,
                const char *words)
{
    parts_are(states);
    private.progress[0] = private.error[0] = '\0';
    assert_int_equal(job_parts_wait(&run, "p"), expected);
    assert_string_equal(
        expected == STEP_FAILED ? private.error : private.progress, words);
    assert_said("parts 5 \"p\"; ");
}

static void
parts_are_waited_for(void **state)
{
    (void)state;
    waits_for_parts("", STEP_DONE, "");
    waits_for_parts("DDD", STEP_DONE, "");
    waits_for_parts("DDRQ", STEP_AGAIN, "2 of 4 done; c on m: start c");
    assert_int_equal(private.retry_ms, 1000);
    waits_for_parts("FDUD", STEP_AGAIN, "2 of 4 done; c on m: start c");
    waits_for_parts("QRDDD", STEP_AGAIN, "3 of 5 done; a on m: start a");
    waits_for_parts("DDFF", STEP_FAILED, "c");
    waits_for_parts("DDC", STEP_FAILED, "cancelled");
    waits_for_parts("DCF", STEP_FAILED, "cancelled");
    waits_for_parts("FDC", STEP_FAILED, "a");
}

static void
parts_that_cannot_be_read_are_waited_for(void **state)
{
    (void)state;
    refuses("parts", ERR_STORE, 2);
    parts_are("");
    assert_int_equal(job_parts_wait(&run, ""), STEP_AGAIN);
    assert_string_equal(private.progress,
                        "waits for the metadata store (store)");
    assert_int_equal(private.retry_ms, 1000);
    private.waits = false;
    assert_int_equal(job_parts_cancel(&run, ""), STEP_AGAIN);
    assert_true(private.waits);
}

static void
what_only_the_store_failed_is_tried_again(void **state)
{
    static const struct {
        enum err e;
        const char *why;
        bool again;
    } cases[] = {
        { ERR_STORE, NULL, true },
        { ERR_STORE, "away", true },
        { ERR_BUSY, NULL, true },
        { ERR_NOMEM, NULL, true },
        { ERR_TIMEOUT, NULL, true },
        { ERR_TIMEOUT, "", true },
        { ERR_TIMEOUT, "the server does not answer", false },
        { ERR_PEER, NULL, false },
        { ERR_STATE, NULL, false },
        { ERR_LIMIT, NULL, false },
        { ERR_INTERNAL, "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (job_store_failed(cases[i].e, cases[i].why) != cases[i].again)
            fail_msg("%s", err_name(cases[i].e));
    assert_int_equal(job_waits_for_store(&run, 300, ERR_TIMEOUT), STEP_AGAIN);
    assert_string_equal(private.progress,
                        "waits for the metadata store (timeout)");
    assert_int_equal(private.retry_ms, 300);
    assert_true(private.waits);
}

static void
cancelling_waits_until_none_is_under_way(void **state)
{
    (void)state;
    parts_are("DFC");
    assert_int_equal(job_parts_cancel(&run, "x"), STEP_DONE);
    assert_said("parts 5 \"x\"; ");
    parts_are("QDRU");
    assert_int_equal(job_parts_cancel(&run, "x"), STEP_AGAIN);
    assert_said("parts 5 \"x\"; cancel 100; cancel 102; cancel 103; ");
    assert_string_equal(private.progress, "waits for 3 of 4 parts to end");
    assert_int_equal(private.retry_ms, 500);
}

static void
a_part_that_has_just_ended_is_no_failure(void **state)
{
    (void)state;
    parts_are("QQ");
    refuses("cancel", ERR_STATE, 1);
    assert_int_equal(job_parts_cancel(&run, ""), STEP_AGAIN);
    assert_said("parts 5 \"\"; cancel 100; cancel 101; ");
    refuses("cancel", ERR_STORE, 1);
    assert_int_equal(job_parts_cancel(&run, ""), STEP_AGAIN);
    assert_said("parts 5 \"\"; cancel 100; ");
    assert_string_equal(private.progress,
                        "waits for the metadata store (store)");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, a_step, a_step_ends)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_sentence_ends_behind_a_whole_character),
        CASE(who_waits_says_how_long_at_most_a_minute),
        CASE(arguments_are_read_or_it_is_said_why_not),
        CASE(arguments_nested_too_deep_are_the_jobs_fault),
        CASE(without_memory_arguments_are_not_refused),
        CASE(a_lease_is_held_for_its_time),
        CASE(who_has_lost_the_job_does_not_ask_the_store),
        CASE(what_is_remembered_is_the_memo_once_it_is_kept),
        CASE(a_record_is_remembered_whole_and_read_again),
        CASE(one_goes_on_unless_it_stops_or_is_cancelled_or_lost),
        CASE(progress_is_written_once_a_second),
        CASE(progress_that_is_not_written_is_noted),
        CASE(a_step_is_told_for_how_long_it_runs),
        CASE(what_a_step_tells_goes_with_its_outcome),
        CASE(a_part_is_accepted_under_the_lease),
        CASE(a_part_that_is_not_committed_wakes_nobody),
        CASE(parts_are_waited_for),
        CASE(parts_that_cannot_be_read_are_waited_for),
        CASE(what_only_the_store_failed_is_tried_again),
        CASE(cancelling_waits_until_none_is_under_way),
        CASE(a_part_that_has_just_ended_is_no_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
